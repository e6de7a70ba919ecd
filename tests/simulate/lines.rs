//! A line between the daemon and a service that can be cut at any byte of a request.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where a line is cut.
#[derive(Clone, Debug)]
struct Cut {
    /// Words of the request's first line.
    words: &'static str,
    /// So many of its bytes pass.
    bytes: usize,
}

/// Carries bytes both ways. Cheap to clone.
#[derive(Clone)]
pub struct Line {
    address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cut: Mutex<Option<Cut>>,
    bytes: AtomicU64,
    /// Length of the last request that could have been cut.
    seen: AtomicU64,
}

impl Line {
    pub async fn open(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Self { address: listener.local_addr().unwrap(), inner: Arc::default() };
        let inner = Arc::clone(&line.inner);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move {
                    let far = TcpStream::connect(to).await.unwrap();
                    inner.carry(near, far).await;
                });
            }
        });
        line
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request with these words in its first line is cut after so many bytes: our side
    /// is reset, the service sees an end.
    pub fn cut(&self, words: &'static str, bytes: usize) {
        *self.inner.cut.lock().unwrap() = Some(Cut { words, bytes });
    }

    pub fn is_cut(&self) -> bool {
        self.inner.cut.lock().unwrap().is_none()
    }

    /// How long the last request was that was to be cut.
    pub fn seen(&self) -> usize {
        usize::try_from(self.inner.seen.load(Ordering::Relaxed)).unwrap()
    }

    pub fn bytes(&self) -> u64 {
        self.inner.bytes.load(Ordering::Relaxed)
    }
}

impl Inner {
    async fn carry(&self, mut near: TcpStream, mut far: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            tokio::select! {
                read = near.read(&mut asked) => {
                    let Ok(length @ 1..) = read else { return };
                    self.bytes.fetch_add(length as u64, Ordering::Relaxed);
                    // A client writes a request at a time, in one piece where it is small.
                    let chunk = &asked[..length];
                    let Some(cut) = self.cut_of(chunk) else {
                        if far.write_all(chunk).await.is_err() {
                            return;
                        }
                        continue;
                    };
                    self.seen.store(length as u64, Ordering::Relaxed);
                    let passed = &chunk[..cut.bytes.min(length)];
                    // The service may have left.
                    far.write_all(passed).await.ok();
                    far.shutdown().await.ok();
                    near.set_zero_linger().ok();
                    drop(near);
                    // It is read to its end, so that what it answers does not reset the line.
                    while let Ok(1..) = far.read(&mut answered).await {}
                    return;
                }
                read = far.read(&mut answered) => {
                    let Ok(length @ 1..) = read else { return };
                    self.bytes.fetch_add(length as u64, Ordering::Relaxed);
                    if near.write_all(&answered[..length]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn cut_of(&self, chunk: &[u8]) -> Option<Cut> {
        let mut cut = self.cut.lock().unwrap();
        let words = cut.as_ref()?.words.as_bytes();
        let first = chunk.split(|byte| *byte == b'\r').next()?;
        let is_meant = first.windows(words.len()).any(|part| part == words);
        if is_meant { cut.take() } else { None }
    }
}
