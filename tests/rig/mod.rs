//! A small world for the tests of the whole binary: stand-ins, a site, settings, the process.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::model::name::Name;
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::runtime::clock::Clock;
use tidings::sandbox::messenger;
use tidings::sandbox::site::Site;
use tidings::sandbox::telegram;
use tidings::store::redb;
use tidings::store::{Store, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Longest wait for anything here; a machine under load is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the daemon says in its log once it serves.
const RUNNING: &str = "tidings is running";

/// The world around one daemon.
pub struct Rig {
    pub folder: TempDir,
    pub telegram: telegram::Server,
    pub messenger: messenger::Server,
    pub site: Site,
    /// Keys of the table `listen`.
    pub listen_keys: String,
    /// Keys that stand in no table.
    pub top_keys: String,
    /// Keys of the table `fetch`.
    pub fetch_keys: String,
    /// Appended to the settings.
    pub extra: String,
    /// Keys of the Telegram channel's table.
    pub telegram_keys: String,
    /// Keys of the Messenger channel's table.
    pub page_keys: String,
    /// Keys of the campaign's table.
    pub campaign_keys: String,
    pub public: String,
}

impl Rig {
    pub async fn new(telegram_rules: telegram::Rules) -> Self {
        let public = format!("127.0.0.1:{}", free_port());
        let telegram = telegram::Server::start(telegram_rules).await.expect("telegram stand-in");
        let rules = messenger::Rules {
            webhook: Some(format!("http://{public}/messenger/page")),
            ..messenger::Rules::default()
        };
        let messenger = messenger::Server::start(rules).await.expect("messenger stand-in");
        let site = Site::start(Default::default()).await.expect("site");
        Self {
            folder: TempDir::new().expect("a temporary folder"),
            telegram,
            messenger,
            site,
            listen_keys: String::new(),
            top_keys: String::new(),
            fetch_keys: String::new(),
            extra: String::new(),
            telegram_keys: String::new(),
            page_keys: String::new(),
            campaign_keys: String::new(),
            public,
        }
    }

    /// An address at the public door.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.public)
    }

    /// Nobody listens there.
    pub fn free_address(&self) -> String {
        format!("127.0.0.1:{}", free_port())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn store_file(&self) -> PathBuf {
        self.data().join("store.redb")
    }

    /// Writes a secret to a file that only its owner reads, and gives its TOML value.
    fn secret(&self, name: &str, value: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, value).expect("the secret is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        format!("{{ file = \"{}\" }}", path.display())
    }

    /// Writes the settings and gives their path.
    pub fn settings(&self) -> PathBuf {
        let text = format!(
            r#"
{top_keys}
data_dir = "{data}"
[listen]
public = "{public}"
admin = "unix:{admin}"
{listen_keys}
[fetch]
allow_networks = ["127.0.0.0/8"]
floor = "1s"
host_pause = "0s"
{fetch_keys}
[channels.bot]
kind = "telegram"
api = "{telegram}"
token = {token}
{telegram_keys}
[channels.page]
kind = "messenger"
api = "{messenger}"
page_id = "{page_id}"
page_token = {page_token}
app_secret = {app_secret}
verify_token = {verify_token}
{page_keys}
[topics.news]
title = "News"
[sources.blog]
kind = "feed"
url = "{feed}"
every = "1s"
flood = {{ items = 1000 }}
[campaigns.blog]
sources = ["blog"]
{campaign_keys}
{extra}
"#,
            top_keys = self.top_keys,
            data = self.data().display(),
            public = self.public,
            admin = self.path("admin.sock").display(),
            telegram = self.telegram.url(),
            token = self.secret("token", self.telegram.token()),
            listen_keys = self.listen_keys,
            fetch_keys = self.fetch_keys,
            telegram_keys = self.telegram_keys,
            page_keys = self.page_keys,
            messenger = self.messenger.url(),
            page_id = self.messenger.page_id(),
            page_token = self.secret("page-token", self.messenger.page_token()),
            app_secret = self.secret("app-secret", self.messenger.app_secret()),
            verify_token = self.secret("verify-token", "verify-me-please"),
            feed = self.site.feed_url(),
            campaign_keys = self.campaign_keys,
            extra = self.extra,
        );
        let path = self.path("tidings.toml");
        std::fs::write(&path, text).expect("the settings are written");
        path
    }

    /// Runs one command to its end.
    pub fn command(&self, args: &[&str]) -> Output {
        let mut command = binary();
        let (first, rest) = args.split_first().expect("a command");
        command.arg(first).arg("--config").arg(self.settings()).args(rest);
        command.output().expect("the command runs")
    }

    /// Runs one command to its end, with the settings as they stand in their file.
    pub fn command_as_it_is(&self, args: &[&str]) -> Output {
        let (first, rest) = args.split_first().expect("a command");
        let mut command = binary();
        command.env_remove("CREDENTIALS_DIRECTORY").arg(first).arg("--config");
        command.arg(self.path("tidings.toml")).args(rest).output().expect("the command runs")
    }

    /// What a running daemon's admin socket answers to a GET, head and body.
    pub async fn ask_socket(&self, path: &str) -> String {
        let mut stream = UnixStream::connect(self.path("admin.sock")).await.expect("the socket");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it is written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it is read");
        answer
    }

    /// Starts the daemon and waits until it serves.
    pub fn start(&self) -> Daemon {
        let daemon = self.launch();
        let early = daemon.wait_for(RUNNING);
        daemon.early.lock().unwrap().extend(early);
        daemon
    }

    /// Starts the daemon and does not wait.
    pub fn launch(&self) -> Daemon {
        let mut child = binary()
            .args(["run", "--config"])
            .arg(self.settings())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let (lines_tx, lines) = mpsc::channel();
        let stderr = child.stderr.take().expect("its standard error");
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines_tx.send(line).is_err() {
                    break;
                }
            }
        });
        Daemon { child, lines, early: Mutex::default() }
    }

    /// Waits until the site was polled for the first time: when the second poll comes, the first
    /// is committed.
    pub async fn baseline(&self) {
        soon("the first polls", self.site.wait_polls(2)).await;
    }

    /// Puts active subscribers of the topic into the store of a daemon that is not there.
    pub async fn subscribe(&self, channel: &str, ids: impl IntoIterator<Item = i64>) {
        self.import(channel, ids.into_iter().map(person).collect()).await;
    }

    /// As [`Rig::subscribe`], for a channel that sends only to who wrote lately.
    pub async fn subscribe_in_window(&self, channel: &str, ids: impl IntoIterator<Item = i64>) {
        let window_until = Some(Clock::system().now() + Duration::from_secs(3_600));
        let people = ids.into_iter().map(|id| Subscriber { window_until, ..person(id) });
        self.import(channel, people.collect()).await;
    }

    /// Puts people into the store of a daemon that is not there.
    pub async fn import(&self, channel: &str, people: Vec<Subscriber>) {
        std::fs::create_dir_all(self.data()).expect("the data folder");
        // A process that another test starts holds every lock of this one until it is another program.
        let store = soon("the store opens", async {
            loop {
                match redb::open(&self.store_file()) {
                    Err(StoreError::InUse { .. }) => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    other => break other.expect("the store opens"),
                }
            }
        })
        .await;
        store.import_subscribers(&name(channel), people).await.expect("they are kept");
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// An active subscriber of the topic.
pub fn person(id: i64) -> Subscriber {
    Subscriber {
        number: 0,
        address: id.to_string(),
        language: None,
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![name("news")],
        standing: Standing::Active,
        window_until: None,
        joined_at: Timestamp::from_millis(0),
        changed_at: Timestamp::from_millis(0),
        default_reply_at: None,
        choices: None,
    }
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.env_remove("TIDINGS_CONFIG").env("TIDINGS_LOG", "info").env("NO_COLOR", "1");
    command
}

fn free_port() -> u16 {
    // Below the ports that the system gives to connections: of those, another test's connection may
    // take one before the daemon does.
    static TAKEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let from = std::process::id().wrapping_mul(101);
    let next = || TAKEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    std::iter::repeat_with(|| 20_000 + (from.wrapping_add(next())) % 12_000)
        .take(1_000)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port")
}

/// The process under test; ended with the test whatever happens.
pub struct Daemon {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it said before it was running, and nobody has read yet.
    early: Mutex<VecDeque<String>>,
}

impl Daemon {
    /// Waits for a line of the log that holds the words, and gives the lines up to it.
    pub fn wait_for(&self, words: &str) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let early = self.early.lock().unwrap().pop_front();
            match early.map_or_else(|| self.lines.recv_timeout(left), Ok) {
                Ok(line) => {
                    seen.push(line);
                    if seen.last().is_some_and(|line| line.contains(words)) {
                        return seen;
                    }
                }
                Err(_) => panic!("no `{words}` in the log:\n{}", seen.join("\n")),
            }
        }
    }

    /// What the log holds that was not read yet.
    pub fn log(&self) -> String {
        self.unread(self.lines.try_iter())
    }

    fn unread(&self, more: impl Iterator<Item = String>) -> String {
        let early = std::mem::take(&mut *self.early.lock().unwrap());
        early.into_iter().chain(more).collect::<Vec<_>>().join("\n")
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// SIGKILL, and its end.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM; gives the exit code and the rest of the log.
    pub fn terminate(self) -> (Option<i32>, String) {
        self.signal("TERM");
        self.ended()
    }

    /// Its end, which comes by itself.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("it ends");
        (status.code(), self.unread(self.lines.iter()))
    }

    /// Resident memory in bytes, from the kernel.
    pub fn resident_bytes(&self) -> u64 {
        self.memory_bytes("VmRSS:")
    }

    /// The most that was ever resident, in bytes.
    pub fn resident_peak_bytes(&self) -> u64 {
        self.memory_bytes("VmHWM:")
    }

    /// The processor's time that it has taken so far, with that of the kernel for it; in steps of
    /// ten milliseconds.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(Path::new(&path)).unwrap_or_default();
        // Behind the name, which may hold anything.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .map(|n| Duration::from_millis(n * 10))
            .sum()
    }

    fn memory_bytes(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(Path::new(&path)).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        let kilobytes = line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Awaits with the tests' patience.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("not within {PATIENCE:?}: {what}"),
    }
}
