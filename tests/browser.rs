//! The page with the phones, in a real browser.
//!
//! Needs Node.js, Chromium and `playwright-core`; `scripts/test` installs all three. The story is
//! told in `tests/browser/phones.mjs`.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tidings::sandbox::{Options, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phones_show_what_arrives_and_send_what_is_done() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(
        folder.join("node_modules/playwright-core").exists(),
        "playwright-core is not installed: run `scripts/test`, which installs what is missing"
    );
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
    let mut story = Command::new("node");
    story.arg(folder.join("phones.mjs")).arg(told.to_string());
    // The story ends itself when it takes too long.
    let output = tokio::task::spawn_blocking(move || story.output()).await.unwrap();
    let output =
        output.expect("node can't be run: run `scripts/test`, which installs what is missing");
    assert!(
        output.status.success(),
        "{}{}\nwithout Chromium: run `scripts/test`, which installs what is missing",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
