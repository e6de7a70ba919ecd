//! The sandbox in a real browser: the page with the phones, and the whole of `tidings sandbox`.
//!
//! Needs Node.js, Chromium and `playwright-core`; `scripts/test` installs all three. The stories
//! are told in `tests/browser/phones.mjs` and `tests/browser/sandbox.mjs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "it fails as a test does")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tidings::sandbox::{Options, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phones_show_what_arrives_and_send_what_is_done() {
    let world = World::start(Options { interval: None, ..Options::default() }).await.unwrap();
    let told = json!({
        "page": world.url(),
        "bot": format!("{}/bot{}", world.telegram.url(), world.telegram.token()),
        "chat": world.telegram_person.id(),
        "graph": format!("{}/v25.0/me/messages", world.messenger.url()),
        "pageToken": world.messenger.page_token(),
        "psid": world.messenger_person.psid(),
        "site": world.site.url(),
    });
    tell("phones.mjs", told.to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_sandbox_the_daemon_answers_and_posts_arrive() {
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["sandbox", "--listen", "127.0.0.1:0", "--interval", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split_whitespace().find(|word| word.starts_with("http://"));
    let address = address.expect("it prints its address").to_owned();

    tell("sandbox.mjs", address).await;

    let interrupted =
        Command::new("kill").args(["-INT", &sandbox.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(sandbox.wait().unwrap().code(), Some(0), "Ctrl-C ends it cleanly");
}

/// Runs one story, with its one argument.
async fn tell(story: &str, argument: String) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(
        folder.join("node_modules/playwright-core").exists(),
        "playwright-core is not installed: run `scripts/test`, which installs what is missing"
    );
    let mut node = Command::new("node");
    node.arg(folder.join(story)).arg(argument);
    // The story ends itself when it takes too long.
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap();
    let output =
        output.expect("node can't be run: run `scripts/test`, which installs what is missing");
    assert!(
        output.status.success(),
        "{}{}\nwithout Chromium: run `scripts/test`, which installs what is missing",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
