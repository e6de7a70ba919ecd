//! The page on which forms are made: all their settings, a live preview, the tag to paste and the
//! lines for the settings.
//!
//! For a browser on this machine: it listens on loopback only, and answers only who asks for that by
//! its number or as `localhost`, so that no site reaches it through a name of its own. It changes
//! nothing and shows no secret, so it asks for no password. What is written there is checked by the
//! settings' own check, and runs in a frame that has nothing of the page's.
//!
//! | path | what |
//! | --- | --- |
//! | `GET /` | the page, with `/editor.css` and `/editor.js` |
//! | `GET /known` | topics, channels and forms of the settings, as JSON |
//! | `GET /checked?toml=…` | what is wrong with the lines, and how long the script is, as JSON |
//! | `GET /preview?toml=…&language=…` | somebody's page with the form on it |

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::invite::{Door, Form, Showing};
use crate::markup::{escape, fill, policy_hash};
use crate::runtime::shutdown::Stop;

const PAGE: &str = include_str!("editor/page.html");
const STYLE: &str = include_str!("editor/page.css");
const SCRIPT: &str = include_str!("editor/page.js");
const SITE: &str = include_str!("editor/site.html");
const SITE_STYLE: &str = include_str!("editor/site.css");

/// Longest text of a form's settings.
const TOML_BYTES_MAX: usize = 16 << 10;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Reads the lines of a form's settings: the form and its links, or what is wrong with them.
pub type ReadForm = Arc<dyn Fn(&str) -> Result<(Form, Vec<Door>), Vec<String>> + Send + Sync>;

/// What the page is given.
pub struct Options {
    pub listener: TcpListener,
    /// What can be chosen: see `page.js`.
    pub known: Value,
    pub read: ReadForm,
}

#[derive(Clone)]
struct Shared {
    known: Arc<Value>,
    read: ReadForm,
}

/// Answers until *begin*.
pub async fn run(options: Options, stop: Stop) {
    let address = options.listener.local_addr();
    let listener = options
        .listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(options.listener));
    let (address, listener) = match (address, listener) {
        (Ok(address), Ok(listener)) => (address, listener),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "the listener of the editor could not be used");
            return;
        }
    };
    let shared = Shared { known: Arc::new(options.known), read: options.read };
    let served = axum::serve(listener, routes(address, shared));
    tokio::select! {
        ended = async { served.await } => {
            if let Err(error) = ended {
                tracing::error!(%error, "the editor failed");
            }
        }
        // Nothing of it takes long.
        () = stop.begin.cancelled() => {}
    }
}

fn routes(address: SocketAddr, shared: Shared) -> Router {
    Router::new()
        .route("/", get(async || asset("text/html; charset=utf-8", PAGE)))
        .route("/editor.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/editor.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route(
            "/known",
            get(async |State(shared): State<Shared>| Json(&*shared.known).into_response()),
        )
        .route("/checked", get(checked))
        .route("/preview", get(preview))
        .layer(middleware::from_fn(move |request, next| guard(address, request, next)))
        .with_state(shared)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

async fn checked(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Json<Value> {
    let toml = asked(query.as_deref(), "toml");
    Json(match read(&shared, &toml) {
        Ok((form, doors)) => {
            let bytes = form.script(&doors, Showing::Live).len();
            json!({ "problems": [], "bytes": bytes })
        }
        Err(problems) => json!({ "problems": problems }),
    })
}

async fn preview(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let toml = asked(query.as_deref(), "toml");
    let language = asked(query.as_deref(), "language");
    let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let language =
        if language.chars().all(is_tag) { language.to_lowercase() } else { String::new() };
    let Ok((form, doors)) = read(&shared, &toml) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    let script = form.script(&doors, Showing::Preview(&language));
    let title =
        if form.shape.floats() { "Somebody’s page" } else { "Somebody’s page with a button" };
    let values = [("title", escape(title)), ("style", SITE_STYLE.to_owned()), ("script", script)];
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let html = fill(SITE, &values);
    let hash = |text: &str| policy_hash(text);
    let script = values.iter().find(|(name, _)| *name == "script").map_or("", |(_, text)| *text);
    // It is as on a site with a strict policy: the one script may run, and the style that the
    // script makes needs no leave.
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
         sandbox allow-scripts allow-popups",
        hash(script),
        hash(SITE_STYLE),
    );
    let mut response = asset_of(html);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn asset_of(html: String) -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

fn read(shared: &Shared, toml: &str) -> Result<(Form, Vec<Door>), Vec<String>> {
    if toml.len() > TOML_BYTES_MAX {
        return Err(vec![format!(
            "it must have at most {TOML_BYTES_MAX} bytes, got {}",
            toml.len()
        )]);
    }
    (shared.read)(toml)
}

/// The value of a key in a query; empty where there is none.
fn asked(query: Option<&str>, key: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == key).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Answers only to who asked for this address by its number or as localhost, and says what the
/// page may load and who may load it.
async fn guard(address: SocketAddr, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let is_ours = host.is_some_and(|host| {
        host == address.to_string() || host == format!("localhost:{}", address.port())
    });
    let mut response = match is_ours {
        true => next.run(request).await,
        false => StatusCode::MISDIRECTED_REQUEST.into_response(),
    };
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(SAME_ORIGIN, HeaderValue::from_static("same-origin"));
    response
}
