//! The real binary, killed in the middle of a post and started again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use redb::{Database, ReadableDatabase};
use tidings::store::redb as ours;

use crate::CONNECTIONS;
use crate::service::{Service, TOKEN};

/// How often it is killed.
const ROUNDS: usize = 5;

/// Messages between a start and the kill.
const SENDS: u64 = 20_000;

/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(120);

/// The stand-in is looked at this often.
const LOOK: Duration = Duration::from_millis(1);

/// Kills and starts the daemon over the store in the folder, in which a post is planned.
pub fn rounds(folder: &Path) -> Result<()> {
    let service = Service::start(Duration::ZERO)?;
    let settings = settings(folder, &service)?;
    let mut daemon = start(&settings)?;
    let mut worst = Duration::ZERO;
    for _ in 0..ROUNDS {
        let from = service.sends();
        until("messages", || service.sends() >= from + SENDS)?;
        daemon.kill()?;
        daemon.wait()?;
        let bare = open_a_copy(&folder.join(ours::FILE_NAME))?;
        service.look_out();
        let begun = Instant::now();
        daemon = start(&settings)?;
        until("the first message", || service.first().is_some())?;
        let took = service.first().unwrap_or(begun).saturating_duration_since(begun);
        println!(
            "  sending again   {:>8.3} s after the start (at most 2); bare redb opens it in {:.3} s",
            took.as_secs_f64(),
            bare.as_secs_f64()
        );
        worst = worst.max(took);
    }
    daemon.kill()?;
    daemon.wait()?;
    println!("  at the worst    {:>8.3} s", worst.as_secs_f64());
    Ok(())
}

fn settings(folder: &Path, service: &Service) -> Result<PathBuf> {
    let token = folder.join("token");
    fs::write(&token, TOKEN)?;
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600))?;
    let text = format!(
        r#"
data_dir = "{data}"
[listen]
admin = "unix:{admin}"
[channels.bot]
kind = "telegram"
api = "{api}"
token = {{ file = "{token}" }}
rate = 100000
in_flight = {CONNECTIONS}
[topics.news]
title = "News"
"#,
        data = folder.display(),
        admin = folder.join("admin.sock").display(),
        api = service.url(),
        token = token.display(),
    );
    let path = folder.join("tidings.toml");
    fs::write(&path, text)?;
    Ok(path)
}

fn start(settings: &Path) -> Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["run", "--config"])
        .arg(settings)
        .env("TIDINGS_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .context("starting the daemon")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let from = Instant::now();
    while !holds() {
        if from.elapsed() > PATIENCE {
            bail!("waited too long for {what}");
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// What redb takes for a file that was not closed.
fn open_a_copy(path: &Path) -> Result<Duration> {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy)?;
    let from = Instant::now();
    let db = Database::builder().set_check_integrity_on_open(false).open(&copy)?;
    db.begin_read()?.list_tables()?.next();
    let took = from.elapsed();
    drop(db);
    fs::remove_file(&copy)?;
    Ok(took)
}
