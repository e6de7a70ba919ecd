//! The stand-ins' way to the wire: HTTP/1.1 on a loopback port, with a hand on the socket, so that
//! an answer can be cut, reset or withheld at any byte.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::runtime::shutdown::Stop;

/// Longest request body that is read: the largest upload of either service, and its envelope.
pub(crate) const BODY_BYTES_MAX: usize = 51 << 20;
/// Most connections at a time; others wait to be taken.
const CONNECTIONS_MAX: usize = 8192;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Asked {
    pub method: hyper::Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    /// `None`: longer than [`BODY_BYTES_MAX`].
    pub body: Option<Bytes>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// The request took effect as a message.
    pub(crate) is_accepted: bool,
}

impl Reply {
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status, content_type, headers: Vec::new(), body, is_accepted: false }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn accepted(self) -> Self {
        Self { is_accepted: true, ..self }
    }
}

/// How an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    /// Half of the body, then closed.
    Truncated,
    /// So many bytes of head and body, then reset.
    Cut(usize),
    /// Reset without a byte.
    Reset,
    /// Closed without a byte.
    Closed,
    /// Nothing, until the client leaves.
    Hang,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub reply: Reply,
    pub wire: Wire,
}

/// What stands behind the door.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(self: Arc<Self>, asked: Asked) -> impl Future<Output = Outcome> + Send;
}

/// Binds a loopback address; port 0 takes a free one.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until the stop begins; then every connection is dropped at once.
pub(crate) async fn serve<S: Service>(listener: TcpListener, service: Arc<S>, stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.begin.cancelled() => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            taken = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                match taken {
                    Ok((stream, _)) => {
                        connections.spawn(attend(stream, Arc::clone(&service)));
                    }
                    // Out of file descriptors, most likely: the ones in use must end first.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        }
    }
}

async fn attend<S: Service>(stream: TcpStream, service: Arc<S>) {
    // Only a hint to the kernel: without it answers are merely slower.
    let _ = stream.set_nodelay(true);
    let fate = Arc::new(Fate::default());
    let line = Line { stream, fate: Arc::clone(&fate) };
    let handler = service_fn(move |request: hyper::Request<Incoming>| {
        let service = Arc::clone(&service);
        let fate = Arc::clone(&fate);
        async move {
            let outcome = service.answer(read(request).await).await;
            respond(outcome, &fate).await
        }
    });
    // An error here is a client that left or a fault that was asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(line), handler)
        .await;
}

async fn read(request: hyper::Request<Incoming>) -> Asked {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok();
    Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.map(http_body_util::Collected::to_bytes),
    }
}

type WholeBody = http_body_util::combinators::MapErr<Full<Bytes>, fn(Infallible) -> io::Error>;
type Body = Either<WholeBody, UnsyncBoxBody<Bytes, io::Error>>;

async fn respond(outcome: Outcome, fate: &Fate) -> io::Result<hyper::Response<Body>> {
    let Outcome { reply, wire } = outcome;
    match wire {
        Wire::Whole | Wire::Truncated => {}
        Wire::Cut(bytes) => fate.bytes_left.store(bytes, Ordering::Release),
        Wire::Reset => {
            fate.is_reset.store(true, Ordering::Release);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Wire::Closed => return Err(io::ErrorKind::ConnectionAborted.into()),
        Wire::Hang => std::future::pending().await,
    }
    let mut answer = hyper::Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, reply.content_type);
    for (name, value) in &reply.headers {
        answer = answer.header(*name, value);
    }
    let body = if wire == Wire::Truncated {
        answer = answer.header(header::CONTENT_LENGTH, reply.body.len());
        let half = reply.body.slice(..reply.body.len() / 2);
        let half = stream::once(async move { Ok(Frame::data(half)) });
        let end = stream::once(async {
            // Gives way once, so that the half is on the wire before the connection ends.
            tokio::task::yield_now().await;
            Err(io::ErrorKind::UnexpectedEof.into())
        });
        Either::Right(StreamBody::new(half.chain(end)).boxed_unsync())
    } else {
        let never: fn(Infallible) -> io::Error = |never| match never {};
        Either::Left(Full::new(reply.body).map_err(never))
    };
    answer.body(body).map_err(io::Error::other)
}

/// What is to happen to a connection.
#[derive(Debug)]
struct Fate {
    is_reset: AtomicBool,
    /// Bytes that may still be written; `usize::MAX` is no limit.
    bytes_left: AtomicUsize,
}

impl Default for Fate {
    fn default() -> Self {
        Self { is_reset: AtomicBool::new(false), bytes_left: AtomicUsize::new(usize::MAX) }
    }
}

/// A connection that ends as its fate says.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    fate: Arc<Fate>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.fate.bytes_left.load(Ordering::Acquire);
        if left == usize::MAX {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        if left == 0 {
            self.fate.is_reset.store(true, Ordering::Release);
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = &bytes[..bytes.len().min(left)];
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, allowed))?;
        self.fate.bytes_left.store(left - written, Ordering::Release);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fate.is_reset.load(Ordering::Acquire) {
            // An orderly end first would hide the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.fate.is_reset.load(Ordering::Acquire) {
            // A socket that is gone already needs no reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}
