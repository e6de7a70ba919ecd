//! Asks a running daemon over its socket.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::admin::desk::Ask;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// The daemon has this long to accept the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a running daemon gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens: open the store instead.
    #[error("no daemon listens on `{path}`")]
    NotRunning { path: String },
    /// The socket is there and may not be used.
    #[error("the daemon's socket `{path}` refused: {why}")]
    Refused { path: String, why: String },
    /// The daemon understood and said no.
    #[error("{0}")]
    Told(String),
    #[error("the daemon's answer was lost: {0}")]
    Lost(String),
    /// Our own file takes no more.
    #[error("{0}")]
    Unwritten(io::Error),
}

/// Whether a daemon listens.
pub async fn is_there(socket: &Path) -> bool {
    matches!(tokio::time::timeout(CONNECT, UnixStream::connect(socket)).await, Ok(Ok(_)))
}

/// Posts one question and gives the answer.
///
/// # Errors
/// [`ClientError::NotRunning`] when there is no socket or nobody behind it; the others as named.
pub async fn ask(socket: &Path, ask: &Ask) -> Result<Value, ClientError> {
    let body = serde_json::to_vec(ask).map_err(lost)?;
    let request = Request::post("/ask")
        .header("host", "tidings")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(lost)?;
    exchange(connect(socket).await?, request, async |response| {
        let bytes = whole(response).await?;
        serde_json::from_slice(&bytes).map_err(lost)
    })
    .await
}

/// Has a copy of the store written into a file.
///
/// # Errors
/// As [`ask`]; [`ClientError::Unwritten`] when the file takes no more. What the file holds then is
/// of no use.
pub async fn backup(socket: &Path, mut out: &File) -> Result<(), ClientError> {
    let request =
        Request::get("/backup").header("host", "tidings").body(Full::default()).map_err(lost)?;
    exchange(connect(socket).await?, request, async |response| {
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame.map_err(lost)?.into_data() {
                out.write_all(&bytes).map_err(ClientError::Unwritten)?;
            }
        }
        Ok(())
    })
    .await
}

async fn connect(socket: &Path) -> Result<UnixStream, ClientError> {
    let path = socket.display().to_string();
    match tokio::time::timeout(CONNECT, UnixStream::connect(socket)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NotRunning { path }
            }
            _ => ClientError::Refused { path, why: error.to_string() },
        }),
        Err(_) => Err(ClientError::Refused { path, why: "it does not answer".to_owned() }),
    }
}

/// Makes one request, and reads what is answered with 200; anything else is a refusal in words.
async fn exchange<T>(
    stream: UnixStream,
    request: Request<Full<Bytes>>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(lost)?;
        if response.status() == StatusCode::OK {
            return read(response).await;
        }
        let value: Value = serde_json::from_slice(&whole(response).await?).map_err(lost)?;
        Err(ClientError::Told(value["error"].as_str().unwrap_or("it said no").to_owned()))
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        ended = connection => {
            ended.map_err(lost)?;
            // What came before the end is still to be read.
            answer.await
        }
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    Ok(body.collect().await.map_err(lost)?.to_bytes())
}

fn lost(error: impl std::fmt::Display) -> ClientError {
    ClientError::Lost(error.to_string())
}
