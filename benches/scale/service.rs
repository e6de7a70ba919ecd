//! A service that costs little: it reads of a request its method and its length, and answers as
//! the Bot API does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const TOKEN: &str = "123456789:bench-token-that-opens-nothing";

/// A look for updates is answered after this, with none.
const UPDATES_AFTER: Duration = Duration::from_secs(20);

/// Longest request that is read.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The service in a thread of its own, until it is dropped with the process.
pub struct Service {
    address: SocketAddr,
    tally: Arc<Tally>,
}

/// What was seen.
struct Tally {
    latency: Duration,
    begun: Instant,
    sends: AtomicU64,
    /// Microseconds since `begun` of the first message after [`Service::look_out`]; 0: none yet.
    first: AtomicU64,
}

impl Service {
    /// Serves on a free port of this machine.
    pub fn start(latency: Duration) -> Result<Self> {
        let tally = Arc::new(Tally {
            latency,
            begun: Instant::now(),
            sends: AtomicU64::new(0),
            first: AtomicU64::new(0),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let seen = Arc::clone(&tally);
        std::thread::Builder::new().name("service".into()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                while let Ok((stream, _)) = listener.accept().await {
                    // A connection that ends in an error is the client's end.
                    tokio::spawn(attend(stream, Arc::clone(&seen)));
                }
            });
        })?;
        Ok(Self { address, tally })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many messages have come.
    pub fn sends(&self) -> u64 {
        self.tally.sends.load(Ordering::Acquire)
    }

    /// From now on the first message's time is taken.
    pub fn look_out(&self) {
        self.tally.first.store(0, Ordering::Release);
    }

    /// When the first message came since [`Service::look_out`].
    pub fn first(&self) -> Option<Instant> {
        let micros = self.tally.first.load(Ordering::Acquire);
        (micros > 0).then(|| self.tally.begun + Duration::from_micros(micros))
    }
}

impl Tally {
    fn note(&self) -> u64 {
        if self.first.load(Ordering::Acquire) == 0 {
            let micros = self.begun.elapsed().as_micros().max(1);
            self.first.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Release);
        }
        self.sends.fetch_add(1, Ordering::AcqRel) + 1
    }
}

async fn attend(mut stream: TcpStream, tally: Arc<Tally>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(4 << 10);
    loop {
        let (head, length) = loop {
            if let Some(found) = request(&bytes)? {
                break found;
            }
            if bytes.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let answer = if is_of(&bytes[..head], b"sendMessage ") {
            let id = tally.note();
            if !tally.latency.is_zero() {
                tokio::time::sleep(tally.latency).await;
            }
            format!("{{\"ok\":true,\"result\":{{\"message_id\":{id},\"date\":1}}}}")
        } else if is_of(&bytes[..head], b"getUpdates ") {
            tokio::time::sleep(UPDATES_AFTER).await;
            r#"{"ok":true,"result":[]}"#.to_owned()
        } else {
            r#"{"ok":true,"result":true}"#.to_owned()
        };
        bytes.drain(..head + length);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// How long the head is and how long the body, of a request that is there as a whole.
fn request(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = end + 4;
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let length = match find(&bytes[..head], LENGTH) {
        Some(at) => {
            let digits = &bytes[at + LENGTH.len()..];
            let end = find(digits, b"\r").context("half a line")?;
            std::str::from_utf8(&digits[..end])?.parse()?
        }
        None => 0,
    };
    Ok((bytes.len() >= head + length).then_some((head, length)))
}

/// Whether the first line names the method.
fn is_of(head: &[u8], method: &[u8]) -> bool {
    let line = find(head, b"\r\n").map_or(head, |end| &head[..end]);
    find(line, method).is_some()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
