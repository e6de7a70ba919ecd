//! The sites: as little server as possible, on 200 loopback addresses.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::documents::{DOCUMENTS, document};

/// How many addresses the feeds are spread over: 127.0.1.1 and on.
pub const ADDRESSES: usize = 200;

/// Every so many feeds change from version 0 to version 1.
const CHANGED_EVERY: usize = 10;

const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Serves until it is killed; prints its port first.
pub fn serve() -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let sites = Arc::new(Sites::new());
        let first = TcpListener::bind(("127.0.1.1", 0)).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        for address in 2..=ADDRESSES {
            let address = format!("127.0.1.{address}");
            listeners.push(TcpListener::bind((address.as_str(), port)).await?);
        }
        let mut accepting = JoinSet::new();
        for listener in listeners {
            let sites = Arc::clone(&sites);
            accepting.spawn(async move {
                let mut open = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let sites = Arc::clone(&sites);
                    open.spawn(async move { sites.talk(stream).await });
                    while open.try_join_next().is_some() {}
                }
            });
        }
        println!("{port}");
        std::io::stdout().flush()?;
        accepting.join_all().await;
        Ok(())
    })
}

/// Tells the sites which version every tenth feed has.
pub async fn turn_to(port: u16, version: usize) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.1.1", port)).await?;
    stream.write_all(format!("GET /version/{version} HTTP/1.1\r\n\r\n").as_bytes()).await?;
    stream.read_u8().await.context("the sites did not turn")?;
    Ok(())
}

struct Sites {
    /// By number, then version: the whole answer.
    answers: Vec<[Vec<u8>; 2]>,
    version: AtomicUsize,
}

impl Sites {
    fn new() -> Self {
        let answer = |number, version| {
            let body = document(number, version);
            let mut answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nETag: \"v{version}\"\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            answer.extend_from_slice(&body);
            answer
        };
        let answers = (0..DOCUMENTS).map(|number| [answer(number, 0), answer(number, 1)]);
        Self { answers: answers.collect(), version: AtomicUsize::new(0) }
    }

    async fn talk(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut head = Vec::with_capacity(HEAD_BYTES_MAX);
        loop {
            head.clear();
            while !head.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut head).await? == 0 || head.len() >= HEAD_BYTES_MAX {
                    return Ok(());
                }
            }
            stream.write_all(self.answer(std::str::from_utf8(&head)?)?).await?;
        }
    }

    fn answer(&self, head: &str) -> Result<&[u8]> {
        let path = head.split(' ').nth(1).context("no path")?;
        if let Some(version) = path.strip_prefix("/version/") {
            self.version.store(version.parse()?, Ordering::SeqCst);
            return Ok(b"HTTP/1.1 204 OK\r\n\r\n");
        }
        let feed: usize = path.trim_start_matches('/').parse()?;
        let version = match feed % CHANGED_EVERY {
            0 => self.version.load(Ordering::SeqCst),
            _ => 0,
        };
        let known: &[u8] = match version {
            0 => b"HTTP/1.1 304 Not Modified\r\nETag: \"v0\"\r\n\r\n",
            _ => b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n",
        };
        let is_known = head.contains(if version == 0 { "\"v0\"" } else { "\"v1\"" });
        Ok(if is_known { known } else { &self.answers[feed % DOCUMENTS][version.min(1)] })
    }
}
