//! Asks a running daemon over its socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
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
    let path = socket.display().to_string();
    let connected = tokio::time::timeout(CONNECT, UnixStream::connect(socket)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning { path }
                }
                _ => ClientError::Refused { path, why: error.to_string() },
            });
        }
        Err(_) => return Err(ClientError::Refused { path, why: "it does not answer".to_owned() }),
    };
    exchange(stream, ask).await
}

async fn exchange(stream: UnixStream, ask: &Ask) -> Result<Value, ClientError> {
    let lost = |error: &dyn std::fmt::Display| ClientError::Lost(error.to_string());
    let body = serde_json::to_vec(ask).map_err(|error| lost(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| lost(&e))?;
    let request = Request::post("/ask")
        .header("host", "tidings")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| lost(&error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| lost(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let bytes = body.collect().await.map_err(|error| lost(&error))?.to_bytes();
        Ok::<_, ClientError>((status, bytes))
    };
    let (status, bytes) = tokio::select! {
        answered = answer => answered?,
        ended = connection => {
            return Err(ended.err().map_or_else(|| lost(&"it hung up"), |error| lost(&error)));
        }
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| lost(&error))?;
    if status == StatusCode::OK {
        return Ok(value);
    }
    Err(ClientError::Told(value["error"].as_str().unwrap_or("it said no").to_owned()))
}
