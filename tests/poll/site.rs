//! A site on a loopback address that answers as it is told, down to the byte.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// One request as it came: the request line and the headers.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Heard {
    /// A header's value; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// What the site does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    BytesThenClose(Vec<u8>),
    /// These bytes, then one more byte now and then, for ever.
    Drip(Vec<u8>),
    /// Nothing, for ever.
    Hang,
}

type Rule = Box<dyn Fn(&Heard) -> Answer + Send + Sync>;

pub struct Site {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    rules: Mutex<HashMap<String, Rule>>,
    heard: Mutex<Vec<Heard>>,
    bell: Notify,
    /// Requests that are being answered, and the most there ever were.
    busy: Mutex<(usize, usize)>,
    tasks: TaskTracker,
}

impl Site {
    /// A site at the loopback address, on a port of the machine's choice.
    pub async fn open(ip: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            rules: Mutex::default(),
            heard: Mutex::default(),
            bell: Notify::new(),
            busy: Mutex::default(),
            tasks: TaskTracker::new(),
        });
        let accepting = Arc::clone(&inner);
        inner.tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = Arc::clone(&accepting);
                accepting.tasks.spawn(async move {
                    // The client may go away at any time.
                    inner.serve(stream).await.ok();
                });
            }
        });
        Self { address, inner }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on `path` is answered so.
    pub fn on(&self, path: &str, rule: impl Fn(&Heard) -> Answer + Send + Sync + 'static) {
        self.inner.rules.lock().unwrap().insert(path.to_owned(), Box::new(rule));
    }

    /// From now on `path` is answered with these bytes.
    pub fn say(&self, path: &str, bytes: Vec<u8>) {
        self.on(path, move |_| Answer::Bytes(bytes.clone()));
    }

    /// The requests for `path` so far.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.inner.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.path == path).cloned().collect()
    }

    /// Waits until `path` was asked for so many times.
    pub async fn wait_for(&self, path: &str, times: usize) {
        loop {
            let bell = self.inner.bell.notified();
            if self.heard(path).len() >= times {
                return;
            }
            bell.await;
        }
    }

    /// The most requests that were answered at the same time.
    pub fn most_at_once(&self) -> usize {
        self.inner.busy.lock().unwrap().1
    }
}

impl Inner {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        loop {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            let text = String::from_utf8_lossy(&head).into_owned();
            head.clear();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let mut heard = Heard { path: path.clone(), head: text, body: String::new() };
            let length = heard.header("Content-Length").and_then(|length| length.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).await?;
            heard.body = String::from_utf8_lossy(&body).into_owned();
            let answer = match self.rules.lock().unwrap().get(&path) {
                Some(rule) => rule(&heard),
                None => Answer::Bytes(status(404, &[], b"nothing here")),
            };
            {
                let mut busy = self.busy.lock().unwrap();
                busy.0 += 1;
                busy.1 = busy.1.max(busy.0);
            }
            self.heard.lock().unwrap().push(heard);
            self.bell.notify_waiters();
            let ended = self.answer(&mut stream, answer).await;
            self.busy.lock().unwrap().0 -= 1;
            if ended? {
                return Ok(());
            }
        }
    }

    /// Answers whether the connection is over.
    async fn answer(&self, stream: &mut TcpStream, answer: Answer) -> std::io::Result<bool> {
        match answer {
            Answer::Bytes(bytes) => stream.write_all(&bytes).await.map(|()| false),
            Answer::BytesThenClose(bytes) => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await.map(|()| true)
            }
            Answer::Drip(bytes) => {
                stream.write_all(&bytes).await?;
                let mut beat = tokio::time::interval(Duration::from_millis(20));
                loop {
                    beat.tick().await;
                    stream.write_all(b"x").await?;
                }
            }
            Answer::Hang => std::future::pending().await,
        }
    }
}

/// A whole answer with its length.
pub fn status(code: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {code} X\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if code != 304 {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A redirect.
pub fn redirect(code: u16, to: &str) -> Vec<u8> {
    status(code, &[("Location", to)], b"")
}

/// A feed with items of these titles, newest first.
pub fn feed(titles: &[&str]) -> Vec<u8> {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>A blog</title>\
         <link>http://blog.example/</link><description>Words</description>",
    );
    for title in titles {
        let slug = title.replace(' ', "-");
        xml.push_str(&format!(
            "<item><guid isPermaLink=\"false\">{slug}</guid><title>{title}</title>\
             <link>http://blog.example/{slug}</link><description>All about {title}.</description>\
             </item>"
        ));
    }
    xml.push_str("</channel></rss>");
    xml.into_bytes()
}
