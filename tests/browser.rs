//! The sandbox in a real browser: the page with the phones, and the whole of `tidings sandbox`.
//!
//! And the page of a preview, the page that people subscribe on, and forms on other sites.
//!
//! Needs Node.js, Chromium, `playwright-core` and `axe-core`; `scripts/test` installs them. The stories
//! are told in `tests/browser/phones.mjs`, `tests/browser/sandbox.mjs`, `tests/browser/preview.mjs`,
//! `tests/browser/pages.mjs` and `tests/browser/forms.mjs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it fails as a test does"
)]

mod rig;

use std::io::{BufRead, BufReader};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_util::future::FutureExt as _;
use rig::{Rig, soon};
use serde_json::json;
use tidings::markup;
use tidings::model::channel::ChannelKind;
use tidings::model::item::MediaKind;
use tidings::model::message::{Action, Button, ButtonStyle, Card, Manner, Medium, Message, Module};
use tidings::model::time::Timestamp;
use tidings::preview::{Heading, Shown, page};
use tidings::sandbox::site::Site;
use tidings::sandbox::{Options, World, telegram};

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

    // A story that fails leaves no sandbox behind.
    let told = AssertUnwindSafe(tell("sandbox.mjs", address)).catch_unwind().await;

    let interrupted =
        Command::new("kill").args(["-INT", &sandbox.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(sandbox.wait().unwrap().code(), Some(0), "Ctrl-C ends it cleanly");
    told.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_looks_like_the_apps_and_loads_nothing_but_its_pictures() {
    let site = Site::start(Default::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut pages = serde_json::Map::new();
    for (name, message) in messages(site.url()) {
        let shown = [ChannelKind::Telegram, ChannelKind::Messenger]
            .map(|kind| Shown::of(kind, &message, &[]));
        let now = Timestamp::from_millis(1_790_000_000_000);
        let heading = Heading { name, about: "</title><script>alert(1)</script>", now };
        let path = folder.path().join(format!("{name}.html"));
        std::fs::write(&path, page(&heading, &shown)).unwrap();
        pages.insert(name.to_owned(), json!(format!("file://{}", path.display())));
    }
    tell("preview.mjs", json!({ "pages": pages, "site": site.url() }).to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_people_subscribe_on_is_for_everybody() {
    let hostile = "</title><script>alert(1)</script>";
    let mut rig = Rig::new(telegram::Rules::default()).await;
    let logo = "<svg xmlns='http://www.w3.org/2000/svg' width='120' height='40'>\
                <circle cx='20' cy='20' r='18' fill='#c2410c'/>\
                <path d='M48 20h64' stroke='#888' stroke-width='8'/></svg>";
    std::fs::write(rig.path("logo.svg"), logo).unwrap();
    rig.extra = format!(
        r##"
[topics.offers]
title = "Offers & {hostile}"
archive = true
[pages.harbour]
topics = ["news", "offers"]
title = {{ en = "News & <i>offers</i>", ro = "Știri și oferte" }}
text = "Twice a week, from a town with a name that is long: Llanfairpwllgwyngyllgogerychwyrndrobwll."
privacy = "https://example.com/privacy"
colour = "#c2410c"
logo = "logo.svg"
[pages.news]
topics = ["news"]
"##
    );
    let daemon = rig.start();
    rig.baseline().await;
    let person = rig.telegram.person(1, "en");
    person.starts(None);
    soon("the welcome", person.wait_inbox(1)).await;
    for title in [
        "The ferry is back",
        "Tea & \"cakes\" < 5 lei",
        "A title that goes on, over more than a line",
    ] {
        rig.site.publish(title, "<p>Words.</p>");
    }
    soon("the posts", person.wait_inbox(4)).await;
    let told = json!({
        "origin": rig.url(""),
        "page": rig.url("/s/harbour"),
        "plain": rig.url("/s/news"),
        "missing": rig.url("/s/nowhere"),
        "archive": rig.url("/t/offers"),
    });
    tell("pages.mjs", told.to_string()).await;
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_stand_on_other_sites_whatever_these_look_like() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    let editor = rig.free_address();
    rig.listen_keys = format!("editor = \"{editor}\"");
    let popup = r##"
topics = ["news"]
title = { en = "News & <i>offers</i>", uk = "Новини порту" }
text = "Twice a week, from the harbour."
privacy = "https://example.com/privacy"
colour = "#c2410c"
"##;
    let rest = r##"
topics = ["news"]
colour = "#c2410c"
"##;
    rig.extra = format!(
        "[forms.popup]\n{popup}after = \"500ms\"\n\
         [forms.corner]\nposition = \"bottom-right\"\nafter = \"0s\"\n{rest}\
         [forms.bar]\nkind = \"bar\"\n{rest}\
         [forms.topbar]\nkind = \"bar\"\nposition = \"top\"\n{rest}\
         [forms.button]\nkind = \"button\"\n{rest}\
         [forms.scrolled]\nscroll = 0.5\n{rest}\
         [forms.leaving]\nexit = true\n{rest}"
    );
    let daemon = rig.start();
    // Its name is asked of Telegram first.
    let wait = async {
        while !script(&rig).await.contains("https://t.me/sandbox_bot") {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    soon("the link to the bot", wait).await;
    let told = json!({ "origin": rig.url(""), "editor": format!("http://{editor}") });
    tell("forms.mjs", told.to_string()).await;
    assert_eq!(daemon.terminate().0, Some(0));
}

async fn script(rig: &Rig) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(rig.url("/embed.js?form=popup")).send().await.unwrap();
    answer.text().await.unwrap()
}

/// Messages of every form, with pictures of the demo blog.
fn messages(site: &str) -> Vec<(&'static str, Message)> {
    let picture = |at: usize| Medium::image(&format!("{site}/pictures/{at}.png"), "A bay");
    let open = |label: &str| {
        Button::new(label, Action::Open { url: "https://example.com/read".to_owned() })
    };
    let tap = |label: &str| Button::new(label, Action::Postback { payload: label.to_lowercase() });
    let text =
        |html: &str, buttons: Vec<Button>| Module::Text { text: markup::rich(html, None), buttons };
    let long: String = (1..12)
        .map(|at| {
            format!(
                "<p>Part {at}. {}</p>",
                "The harbour is quiet, and the ferry is late. ".repeat(9)
            )
        })
        .collect();
    let article = format!(
        "<h2>A long <i>article</i></h2>{long}<blockquote>Quoted &lt;b&gt; words</blockquote>\
         <pre><code>let x = 1;</code></pre><p>See <a href=https://example.com/all>all of it</a>.</p>"
    );
    let album = Message {
        quick_replies: vec![tap("Latest"), tap("Stop")],
        ..Message::from(vec![
            Module::Album((1..6).map(picture).collect()),
            text("<p><b>Five pictures</b></p><p>Seen from the quay</p>", vec![open("Read")]),
        ])
    };
    let card = |at: usize| Card {
        title: format!("Story {at} of the harbour"),
        subtitle: "Told in one line, or in two if need be".to_owned(),
        image: Some(picture(at).url),
        link: Some("https://example.com/read".to_owned()),
        buttons: vec![open("Read it")],
    };
    let carousel = Message::from(vec![Module::Cards((1..5).map(card).collect())]);
    let hebrew = "<p><b>\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5e2}\u{5d5}\u{5dc}\u{5dd}</b></p><p>\
                  \u{627}\u{644}\u{633}\u{644}\u{627}\u{645} \u{639}\u{644}\u{64a}\u{643}\u{645} 123 \u{1f388}</p><p>Left to right</p>";
    let stop = Button { style: ButtonStyle::Danger, ..tap("Stop") };
    let code = Button::new("Copy the code", Action::Copy { text: "SAVE20".to_owned() });
    let right = Message::from(vec![text(hebrew, vec![open("\u{5e7}\u{5e8}\u{5d0}"), code, stop])]);
    let song = Medium {
        title: "Episode 5".to_owned(),
        performer: "Ana".to_owned(),
        seconds: Some(187),
        ..Medium::new(MediaKind::Audio, &format!("{site}/sound.mp3"), "")
    };
    let film = Medium::new(MediaKind::Video, &format!("{site}/film.mp4"), "");
    let paper = Medium::new(MediaKind::File, &format!("{site}/plan.pdf"), "");
    let files = Message {
        manner: Manner { is_silent: true, ..Manner::default() },
        ..Message::from(vec![Module::Media(song), Module::Media(film), Module::Media(paper)])
    };
    vec![
        (
            "article",
            Message::from(vec![Module::Media(picture(1)), text(&article, vec![open("Read")])]),
        ),
        ("album", album),
        ("carousel", carousel),
        ("right", right),
        ("files", files),
    ]
}

/// Runs one story, with its one argument.
async fn tell(story: &str, argument: String) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(
        ["playwright-core", "axe-core"]
            .iter()
            .all(|module| folder.join("node_modules").join(module).exists()),
        "a module is not installed: run `scripts/test`, which installs what is missing"
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
