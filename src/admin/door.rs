//! The daemon's socket: questions of the command line, health and metrics, as HTTP.
//!
//! | path | what |
//! | --- | --- |
//! | `POST /ask` | a question as JSON; 200 with the answer, 422 with `{"error": …}` |
//! | `GET /healthz` | 200 while the process turns |
//! | `GET /readyz` | 200 while the store answers and no stop has begun, else 503 |
//! | `GET /metrics` | counters, and how everything stands, as Prometheus reads it |
//! | `GET /backup` | a copy of the store |

use std::io::{self, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Json, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::UnixListener;
use tokio_util::io::ReaderStream;

use crate::admin::desk::{Ask, Desk};
use crate::runtime::meters::{CONTENT_TYPE, Meters};
use crate::runtime::shutdown::Stop;

/// Longest question: a part of an import.
const ASK_BYTES_MAX: usize = 16 << 20;

/// So much of a copy goes out at a time.
const COPIED_BYTES: usize = 256 << 10;

/// What the door is given.
pub struct Options {
    pub listener: UnixListener,
    pub desk: Desk,
    pub meters: Meters,
    /// The data folder: there is room for a copy of the store, or nowhere.
    pub folder: Arc<Path>,
}

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    meters: Meters,
    folder: Arc<Path>,
    stop: Stop,
}

/// Binds the socket with mode 0660, in place of one that a crash left behind.
///
/// # Errors
/// `AddrInUse` when a process listens there already; otherwise what the file system says.
pub async fn bind(path: &Path) -> io::Result<UnixListener> {
    if tokio::net::UnixStream::connect(path).await.is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("another daemon listens on `{}`", path.display()),
        ));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Answers until *begin*; then lets questions under way end.
pub async fn run(options: Options, stop: Stop) {
    let begin = stop.begin.clone();
    let force = stop.force.clone();
    let Options { listener, desk, meters, folder } = options;
    let shared = Shared { desk: Arc::new(desk), meters, folder, stop };
    let routes = Router::new()
        .route("/ask", post(answer).layer(DefaultBodyLimit::max(ASK_BYTES_MAX)))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(is_ready))
        .route("/metrics", get(metrics))
        .route("/backup", get(backup))
        .with_state(shared);
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(async move { begin.cancelled().await });
    tokio::select! {
        ended = async { served.await } => {
            if let Err(error) = ended {
                tracing::error!(%error, "the admin socket failed");
            }
        }
        () = force.cancelled() => {}
    }
}

async fn answer(State(shared): State<Shared>, Json(ask): Json<Ask>) -> Response {
    match shared.desk.answer(ask).await {
        Ok(told) => Json(told).into_response(),
        Err(error) => {
            let words = serde_json::json!({ "error": error.to_string() });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(words)).into_response()
        }
    }
}

/// Counters stand in the process: they are told even where the store does not answer.
async fn metrics(State(shared): State<Shared>) -> Response {
    let figures = shared.desk.figures().await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], shared.meters.text(figures)).into_response()
}

/// The copy is made before its first byte goes out: nobody waits for a slow reader.
async fn backup(State(shared): State<Shared>) -> Response {
    let copied = async {
        let copy = Arc::new(tempfile::tempfile_in(&*shared.folder)?);
        shared.desk.store.copy_to(Arc::clone(&copy)).await.map_err(io::Error::other)??;
        let mut copy = copy.try_clone()?;
        copy.rewind()?;
        let bytes = copy.metadata()?.len();
        Ok::<_, io::Error>((bytes, tokio::fs::File::from_std(copy)))
    };
    match copied.await {
        Ok((bytes, copy)) => {
            let body = Body::from_stream(ReaderStream::with_capacity(copy, COPIED_BYTES));
            ([(header::CONTENT_LENGTH, bytes)], body).into_response()
        }
        Err(error) => {
            let words = serde_json::json!({ "error": format!("copying the store: {error}") });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(words)).into_response()
        }
    }
}

async fn is_ready(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if shared.stop.begin.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match shared.desk.is_well().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}
