//! What a source corrects or takes back, in the messages that people have: the real binary, a feed
//! in a file, and the Telegram stand-in, whose phones tell what is read in the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use rig::{Rig, soon};
use serde_json::Value;
use tidings::sandbox::fault::Trouble;
use tidings::sandbox::telegram::{self, Person, Received, Rules};
use tidings::store::Store;
use tidings::store::redb;

/// An Atom feed in a file.
struct Paper {
    path: PathBuf,
    entries: Vec<(u32, String, String)>,
    removed: Vec<u32>,
}

impl Paper {
    fn new(rig: &Rig) -> Self {
        let folder = rig.path("paper");
        std::fs::create_dir_all(&folder).unwrap();
        let paper = Self { path: folder.join("feed.xml"), entries: vec![], removed: vec![] };
        paper.print();
        paper
    }

    /// Gives the entry this title and text, whether it was there or not.
    fn write(&mut self, id: u32, title: &str, html: &str) {
        self.entries.retain(|(known, ..)| *known != id);
        self.entries.push((id, title.to_owned(), html.to_owned()));
        self.print();
    }

    fn take_back(&mut self, id: u32) {
        self.entries.retain(|(known, ..)| *known != id);
        self.removed.push(id);
        self.print();
    }

    fn print(&self) {
        let mut feed = r#"<feed xmlns="http://www.w3.org/2005/Atom"
            xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>Paper</title>"#
            .to_owned();
        for id in &self.removed {
            let when = "2026-01-02T00:00:00Z";
            write!(feed, r#"<at:deleted-entry ref="tag:e.org,2026:{id}" when="{when}"/>"#).unwrap();
        }
        for (id, title, html) in &self.entries {
            let html = html.replace('&', "&amp;").replace('<', "&lt;");
            write!(
                feed,
                r#"<entry><id>tag:e.org,2026:{id}</id><title>{title}</title>
                <link href="https://e.org/{id}"/><updated>2026-01-01T00:00:00Z</updated>
                <summary type="html">{html}</summary></entry>"#
            )
            .unwrap();
        }
        feed.push_str("</feed>");
        let new = self.path.with_extension("new");
        std::fs::write(&new, feed).unwrap();
        std::fs::rename(new, &self.path).unwrap();
    }
}

/// A world with a paper, whose campaign has these keys.
async fn world(keys: &str, rules: Rules) -> (Rig, Paper) {
    let mut rig = Rig::new(rules).await;
    let paper = Paper::new(&rig);
    rig.campaign_keys = "channels = [\"bot\"]\n".into();
    rig.extra = format!(
        "[sources.paper]\nkind = \"feed\"\npath = \"{}\"\nevery = \"1s\"\n\
         first = {{ newest = 9 }}\nflood = {{ items = 1000 }}\n\
         [campaigns.paper]\nsources = [\"paper\"]\nchannels = [\"bot\"]\n{keys}\n",
        paper.path.display()
    );
    (rig, paper)
}

/// Somebody who has started the bot.
fn phone(rig: &Rig, id: i64) -> Person {
    let person = rig.telegram.person(id, "en");
    rig.telegram.set_standing(id, telegram::Standing::Open);
    person
}

/// The phone, once what it shows is as wanted.
async fn shows(rig: &Rig, person: &Person, holds: impl Fn(&[Received]) -> bool) -> Vec<Received> {
    let wait = rig.telegram.ledger().wait_until(|_| holds(&person.inbox()));
    if tokio::time::timeout(rig::PATIENCE, wait).await.is_err() {
        panic!("the phone shows {:#?}", person.inbox());
    }
    person.inbox()
}

fn count_of(rig: &Rig, method: &str) -> usize {
    rig.telegram.ledger().requests().iter().filter(|one| one.method == method).count()
}

/// The newest correction that `tidings posts` tells, once it is done.
async fn correction(rig: &Rig) -> Value {
    let told = async {
        loop {
            let output = rig.command(&["posts", "--json"]);
            let value: Value = serde_json::from_slice(&output.stdout).unwrap();
            let posts = value["posts"].as_array().cloned().unwrap_or_default();
            let state = posts.iter().map(|post| &post["correction"]).find(|it| it.is_object());
            if let Some(state) = state {
                let count = |key: &str| state[key].as_u64().unwrap();
                if count("edited") + count("given_up") == count("wanted") {
                    return state.clone();
                }
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the correction is done", told).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typo_is_corrected_where_it_was_sent_and_nobody_gets_it_again() {
    let keys = "correct_within = \"1h\"\non = [\"new\", \"updated\"]";
    let (rig, mut paper) = world(keys, Rules::default()).await;
    rig.subscribe("bot", [1]).await;
    let person = phone(&rig, 1);
    paper.write(1, "A tpyo", "<p>The <b>wrods</b>.</p>");
    let daemon = rig.start();
    let first = soon("the message", person.wait_inbox(1)).await;
    assert!(first[0].text.contains("A tpyo"), "{first:?}");

    paper.write(1, "A typo", "<p>The <b>words</b>.</p>");
    let after = shows(&rig, &person, |inbox| inbox[0].edited_at.is_some()).await;
    assert_eq!(after.len(), 1);
    assert!(after[0].text.contains("A typo") && after[0].text.contains("The words."));
    assert_eq!(after[0].message_id, first[0].message_id);
    assert_eq!(after[0].keyboard, first[0].keyboard, "the button stays");
    let state = correction(&rig).await;
    assert_eq!((&state["wanted"], &state["edited"]), (&1.into(), &1.into()), "{state}");

    // Another item shows that everything before it has come to its end.
    paper.write(2, "The next", "<p>Something else.</p>");
    let after = shows(&rig, &person, |inbox| inbox.len() >= 2).await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(count_of(&rig, "editMessageText"), 1);

    // Who joins later has nothing that could be edited: an update is a message of its own.
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    rig.subscribe("bot", [2]).await;
    let late = phone(&rig, 2);
    let daemon = rig.start();
    paper.write(1, "A typo", "<p>Three more words.</p>");
    let got = soon("the update", late.wait_inbox(1)).await;
    assert!(got[0].text.contains("Three more words"), "{got:?}");
    let after = shows(&rig, &person, |inbox| inbox[0].text.contains("Three more words")).await;
    assert_eq!(after.len(), 2);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_changed_back_is_corrected_back_and_is_no_news() {
    let keys = "correct_within = \"1h\"\non = [\"new\", \"updated\"]";
    let (rig, mut paper) = world(keys, Rules::default()).await;
    rig.subscribe("bot", [1]).await;
    let person = phone(&rig, 1);
    paper.write(1, "The title", "<p>As it was.</p>");
    let daemon = rig.start();
    soon("the message", person.wait_inbox(1)).await;
    for words in ["Another.", "As it was.", "Another.", "As it was.", "A third."] {
        paper.write(1, "The title", &format!("<p>{words}</p>"));
        let after = shows(&rig, &person, |inbox| inbox[0].text.contains(words)).await;
        assert_eq!(after.len(), 1, "{after:?}");
    }
    // Who came in between gets news, and a flip back is none.
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    rig.subscribe("bot", [2]).await;
    let late = phone(&rig, 2);
    let _daemon = rig.start();
    paper.write(1, "The title", "<p>As it was.</p>");
    shows(&rig, &person, |inbox| inbox[0].text.contains("As it was.")).await;
    paper.write(1, "The title", "<p>A third.</p>");
    shows(&rig, &person, |inbox| inbox[0].text.contains("A third.")).await;
    assert!(late.inbox().iter().all(|one| !one.text.contains("A third.")), "{:?}", late.inbox());
}

/// Gives a rig a layout that greets its reader.
fn greets(rig: &mut Rig) {
    let layouts = rig.path("layouts");
    std::fs::create_dir_all(&layouts).unwrap();
    let text = "<p>Hello {{ subscriber.first_name or 'you' }}: {{ item.title }}</p>\
                <button href=\"{{ item.link }}\">Go</button>";
    std::fs::write(layouts.join("greeting.html"), text).unwrap();
    rig.top_keys = format!("layouts = \"{}\"", layouts.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reader_has_their_own_text_struck_through() {
    let keys = "correct_within = \"1h\"\nlayout = \"greeting\"";
    let (mut rig, mut paper) = world(keys, Rules::default()).await;
    greets(&mut rig);
    let people = [(1, "Ana"), (2, "Mihai")].map(|(id, name)| {
        let person = rig.telegram.person(id, "en");
        person.is_called(name);
        (person, format!("Hello {name}: Not true"))
    });
    let daemon = rig.start();
    for (person, _) in &people {
        person.starts(None);
        soon("the welcome", person.wait_inbox(1)).await;
    }
    paper.write(1, "Not true", "<p>At all.</p>");
    for (person, text) in &people {
        let after = soon("the message", person.wait_inbox(2)).await;
        assert_eq!(&after[1].text, text);
    }
    paper.take_back(1);
    for (person, text) in &people {
        let after = shows(&rig, person, |inbox| inbox[1].edited_at.is_some()).await;
        assert_eq!((&after[1].text, after[1].keyboard.is_empty()), (text, true));
        let struck = |entity: &Value| {
            entity["type"] == "strikethrough" && entity["length"] == text.encode_utf16().count()
        };
        assert!(after[1].entities.iter().any(struck), "{after:?}");
    }
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("Ana") && !log.contains("Mihai"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_greeted_by_the_names_that_they_have_now_on_both_services() {
    let keys = "layout = \"greeting\"";
    let (mut rig, mut paper) = world(keys, Rules::default()).await;
    greets(&mut rig);
    rig.extra = rig.extra.replace(
        "[campaigns.paper]\nsources = [\"paper\"]\nchannels = [\"bot\"]",
        "[campaigns.paper]\nsources = [\"paper\"]\nchannels = [\"bot\", \"page\"]",
    );
    let person = rig.telegram.person(1, "en");
    let named = rig.messenger.person("71");
    let daemon = rig.start();
    person.is_called("Ana");
    named.is_called("Mihai");
    person.starts(None);
    named.starts(None);
    soon("the welcome", person.wait_inbox(1)).await;
    soon("the welcome", named.wait_inbox(1)).await;
    paper.write(1, "One", "<p>Words.</p>");
    assert_eq!(soon("a post", person.wait_inbox(2)).await[1].text, "Hello Ana: One");
    let got = soon("a post", named.wait_inbox(2)).await;
    assert_eq!(got[1].text(), Some("Hello Mihai: One"));

    person.is_called("Anca");
    person.says("hello");
    soon("the answer", person.wait_inbox(3)).await;
    named.says("hello");
    soon("the answer", named.wait_inbox(3)).await;
    paper.write(2, "Two", "<p>Words.</p>");
    assert_eq!(soon("a post", person.wait_inbox(4)).await[3].text, "Hello Anca: Two");
    soon("a post", named.wait_inbox(4)).await;
    let asked = rig.messenger.ledger().requests();
    let asked = asked.iter().filter(|one| one.method == "person").count();
    assert_eq!(asked, 1, "a name is asked for once");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    for name in ["Ana", "Anca", "Mihai"] {
        assert!(!log.contains(name), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn captions_and_pictures_are_corrected() {
    let (rig, mut paper) = world("correct_within = \"1h\"", Rules::default()).await;
    rig.subscribe("bot", [1]).await;
    let person = phone(&rig, 1);
    let html =
        |image: &str, words: &str| format!("<img src='https://e.org/{image}'><p>{words}</p>");
    paper.write(1, "Title", &html("a.png", "The wrods."));
    let _daemon = rig.start();
    let first = soon("the message", person.wait_inbox(1)).await;
    let photo = first[0].photo.clone().unwrap();
    assert!(photo.contains("a.png"), "{photo}");

    paper.write(1, "Title", &html("a.png", "The words."));
    let after = shows(&rig, &person, |inbox| inbox[0].text.contains("The words.")).await;
    assert_eq!((&after[0].photo, &after[0].keyboard), (&Some(photo), &first[0].keyboard));
    // The phone shows it a moment before the request is noted.
    let noted = rig.telegram.ledger().wait_until(|_| count_of(&rig, "editMessageCaption") > 0);
    soon("the request", noted).await;
    assert_eq!((count_of(&rig, "editMessageCaption"), count_of(&rig, "editMessageMedia")), (1, 0));

    paper.write(1, "Title", &html("b.png", "The words."));
    let is_new = |one: &Received| one.photo.as_ref().is_some_and(|it| it.contains("b.png"));
    let after = shows(&rig, &person, |inbox| is_new(&inbox[0])).await;
    assert!(after[0].text.contains("The words."));
    assert_eq!(after[0].keyboard, first[0].keyboard);
    assert_eq!(after.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_the_service_cannot_fetch_is_uploaded_once_or_the_words_are_corrected() {
    let (rig, mut paper) = world("correct_within = \"1h\"", Rules::default()).await;
    let people: Vec<Person> = (1..=20).map(|id| phone(&rig, id)).collect();
    rig.subscribe("bot", 1..=20).await;
    rig.telegram.refuse_urls("/pictures/", telegram::UrlRefusal::NotFetched);
    let html = |image: &str, words: &str| format!("<img src='{image}'><p>{words}</p>");
    let here = |name: &str| rig.site.feed_url().replace("/feed.xml", &format!("/pictures/{name}"));
    paper.write(1, "Title", &html("https://e.org/a.png", "The wrods."));
    let _daemon = rig.start();
    for person in &people {
        soon("the message", person.wait_inbox(1)).await;
    }

    paper.write(1, "Title", &html(&here("1.png"), "The words."));
    let is_uploaded = |one: &Received| {
        let photo = one.photo.as_deref().unwrap_or_default();
        photo.contains("/file/bot") && one.text.contains("The words.")
    };
    let mut photos = Vec::new();
    for person in &people {
        let after = shows(&rig, person, |inbox| is_uploaded(&inbox[0])).await;
        assert!(!after[0].keyboard.is_empty(), "{after:?}");
        photos.push(after[0].photo.clone());
    }
    photos.dedup();
    assert_eq!(photos.len(), 1, "one file for all");
    let edited = || count_of(&rig, "editMessageMedia");
    soon("the requests", rig.telegram.ledger().wait_until(|_| edited() > 20)).await;
    assert_eq!(edited(), 21, "one was refused, and one brought the file for all");

    // No picture is there: the old one stays, and the words are right.
    paper.write(1, "Title", &html(&here("nothing.png"), "Better words."));
    for person in &people {
        let is_better = |inbox: &[Received]| inbox[0].text.contains("Better words.");
        let after = shows(&rig, person, is_better).await;
        assert_eq!(after[0].photo, photos[0]);
    }
    let state = correction(&rig).await;
    assert_eq!((&state["edited"], &state["given_up"]), (&20.into(), &0.into()), "{state}");
    assert_eq!(edited(), 22, "it was tried once");
    assert_eq!(rig.telegram.ledger().accepted_total(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_parts_is_corrected_in_its_parts() {
    let (mut rig, mut paper) =
        world("correct_within = \"1h\"\nlayout = \"whole\"", Rules::default()).await;
    let layouts = rig.path("layouts");
    std::fs::create_dir_all(&layouts).unwrap();
    let whole = "{% for item in items %}<p>{{ item.title }}</p><p>{{ item.body or item.summary }}</p>\
                 <button href=\"{{ item.link }}\">Go</button>{% endfor %}";
    std::fs::write(layouts.join("whole.html"), whole).unwrap();
    rig.top_keys = format!("layouts = \"{}\"", layouts.display());
    rig.subscribe("bot", [1]).await;
    let person = phone(&rig, 1);
    let words = |word: &str| format!("<p>{}</p>", format!("{word} and more. ").repeat(300));
    paper.write(1, "Title", &words("Wrods"));
    let _daemon = rig.start();
    let first = soon("both parts", person.wait_inbox(2)).await;

    paper.write(1, "Title", &words("Words"));
    let is_right = |inbox: &[Received]| inbox.iter().all(|one| !one.text.contains("Wrods"));
    let after = shows(&rig, &person, is_right).await;
    let ids = |inbox: &[Received]| inbox.iter().map(|one| one.message_id).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&first));
    assert_eq!(after[1].keyboard, first[1].keyboard);

    // A part that is not needed any more goes, and the buttons come to the last that is left.
    paper.write(1, "Title", "<p>Few words.</p>");
    let is_short = |inbox: &[Received]| inbox[0].text.contains("Few words.");
    let after = shows(&rig, &person, |inbox| is_short(inbox) && is_gone(inbox, 1)).await;
    assert_eq!(after[0].keyboard, first[1].keyboard);

    // What does not fit any more ends with an ellipsis.
    paper.write(1, "Title", &words("Longer"));
    let after = shows(&rig, &person, |inbox| inbox[0].text.contains("Longer")).await;
    assert!(after[0].text.ends_with('…'), "{}", after[0].text);
    assert_eq!(after[0].keyboard, first[1].keyboard);
    assert_eq!(rig.telegram.ledger().accepted_total(), 2);
}

/// Not in the chat any more.
fn is_gone(inbox: &[Received], at: usize) -> bool {
    inbox.get(at).is_none_or(|one| one.is_deleted)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_struck_through() {
    let (rig, mut paper) = world("correct_within = \"1h\"", Rules::default()).await;
    rig.subscribe("bot", [1]).await;
    let person = phone(&rig, 1);
    paper.write(1, "Not true", "<p>At all.</p>");
    paper.write(2, "True", "<p>Of course.</p>");
    let _daemon = rig.start();
    soon("the messages", person.wait_inbox(2)).await;
    paper.take_back(1);
    let after = shows(&rig, &person, |inbox| inbox.iter().any(|one| one.edited_at.is_some())).await;
    for one in &after {
        let is_struck = one.entities.iter().any(|entity| entity["type"] == "strikethrough");
        assert_eq!(is_struck, one.text.contains("Not true"), "{one:?}");
        assert_eq!(one.keyboard.is_empty(), is_struck, "{one:?}");
    }
    // Dropping out of a feed is no retraction.
    paper.entries.clear();
    paper.print();
    paper.write(3, "The next", "<p>Something else.</p>");
    let after = shows(&rig, &person, |inbox| inbox.len() == 3).await;
    assert!(after.iter().filter(|one| one.edited_at.is_some()).count() == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_deleted_where_the_campaign_says_so() {
    let keys = "correct_within = \"1h\"\non_retraction = \"delete\"";
    let (rig, mut paper) = world(keys, Rules::default()).await;
    rig.subscribe("bot", [1, 2]).await;
    let people = [1, 2].map(|id| phone(&rig, id));
    paper.write(1, "Not true", "<p>At all.</p>");
    let _daemon = rig.start();
    for person in &people {
        soon("the message", person.wait_inbox(1)).await;
    }
    // Too old for one of them, as the service sees it.
    let too_old = telegram::refusal(400, "Bad Request: message can't be deleted for everyone");
    rig.telegram.faults().add(Trouble::new(too_old).on("deleteMessage").to(2));
    paper.take_back(1);
    shows(&rig, &people[0], |inbox| is_gone(inbox, 0)).await;
    let kept = shows(&rig, &people[1], |inbox| inbox[0].edited_at.is_some()).await;
    assert!(kept[0].entities.iter().any(|entity| entity["type"] == "strikethrough"), "{kept:?}");
    let state = correction(&rig).await;
    assert_eq!(state["is_deleted"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_edited_is_given_up_and_the_others_are_edited() {
    let (rig, mut paper) = world("correct_within = \"1h\"", Rules::default()).await;
    rig.subscribe("bot", 1..=5).await;
    let people: Vec<Person> = (1..=5).map(|id| phone(&rig, id)).collect();
    paper.write(1, "A tpyo", "<p>Words.</p>");
    let _daemon = rig.start();
    for person in &people {
        soon("the message", person.wait_inbox(1)).await;
    }
    people[0].blocks();
    let faults = rig.telegram.faults();
    let edit = |fault| Trouble::new(fault).on("editMessageText");
    let lost = telegram::refusal(400, "Bad Request: message to edit not found");
    faults.add(edit(lost).to(2));
    faults.add(edit(telegram::throttled(Some(1))).to(3).times(1));
    faults.add(edit(telegram::server_error(502)).to(4).times(1));
    paper.write(1, "A typo", "<p>Words.</p>");
    for person in &people[2..] {
        shows(&rig, person, |inbox| inbox[0].text.contains("A typo")).await;
    }
    let state = correction(&rig).await;
    assert_eq!((&state["edited"], &state["given_up"]), (&3.into(), &2.into()), "{state}");
    assert_eq!(rig.telegram.ledger().accepted_total(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_and_without_one_nothing_is_edited_or_kept() {
    for keys in ["correct_within = \"1ms\"", ""] {
        let (rig, mut paper) = world(keys, Rules::default()).await;
        rig.subscribe("bot", [1]).await;
        let person = phone(&rig, 1);
        paper.write(1, "A tpyo", "<p>Words.</p>");
        let daemon = rig.start();
        soon("the message", person.wait_inbox(1)).await;
        paper.write(1, "A typo", "<p>Words.</p>");
        paper.write(2, "The next", "<p>Something else.</p>");
        let after = shows(&rig, &person, |inbox| inbox.len() == 2).await;
        assert!(after.iter().all(|one| one.edited_at.is_none()), "{after:?}");
        let (code, log) = daemon.terminate();
        assert_eq!(code, Some(0), "{log}");
        let store = redb::open(&rig.store_file()).unwrap();
        let posts = store.load_posts(10).await.unwrap();
        assert_eq!(posts.len(), 2);
        assert!(posts.iter().all(|post| post.corrections.is_none() == keys.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_goes_on_after_every_kill_and_a_later_correction_takes_its_place() {
    const RECIPIENTS: i64 = 2_000;
    const IN_FLIGHT: usize = 16;
    let rules = Rules { latency: Duration::from_millis(10), ..Rules::default() };
    let (mut rig, mut paper) = world("correct_within = \"1h\"", rules).await;
    rig.telegram_keys = format!("rate = 100000\nin_flight = {IN_FLIGHT}\n");
    rig.subscribe("bot", 1..=RECIPIENTS).await;
    rig.telegram.open_chats(1..=RECIPIENTS);
    paper.write(1, "Version 1", "<p>Words.</p>");
    let mut daemon = rig.start();
    let ledger = rig.telegram.ledger().clone();
    soon("everybody has it", ledger.wait_accepted(RECIPIENTS as u64)).await;
    let kills = 4;
    let mut edits = 0;
    for round in 0..kills {
        // The second kill falls into the pass of a correction that a newer one has replaced.
        paper.write(1, &format!("Version {}", 2 + round / 2), "<p>Words.</p>");
        let more = edits + 200;
        soon("some are edited", ledger.wait_until(|_| count_of(&rig, "editMessageText") >= more))
            .await;
        daemon.kill();
        edits = count_of(&rig, "editMessageText");
        daemon = rig.launch();
    }
    let newest = format!("Version {}", 2 + (kills - 1) / 2);
    let messages: Vec<(i64, i64)> = ledger
        .accepted()
        .iter()
        .map(|one| (one.address.parse().unwrap(), one.message_id.parse().unwrap()))
        .collect();
    assert_eq!(messages.len(), RECIPIENTS as usize, "nobody gets it twice");
    let is_right = |(chat, id): &(i64, i64)| {
        let message = rig.telegram.message(*chat, *id).unwrap();
        message["text"].as_str().unwrap().contains(&newest)
    };
    let mut at = 0;
    let all = ledger.wait_until(|_| {
        while messages.get(at).is_some_and(&is_right) {
            at += 1;
        }
        at == messages.len()
    });
    soon("everybody has the newest version", all).await;
    let state = correction(&rig).await;
    assert_eq!(state["given_up"], 0, "{state}");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");

    let edits = count_of(&rig, "editMessageText");
    // Two versions for everybody at the most, and what was on the wire or not yet committed.
    println!("{edits} edits of {RECIPIENTS} messages with {kills} kills");
    assert!(edits <= 2 * RECIPIENTS as usize + kills as usize * 10 * IN_FLIGHT, "{edits}");
    assert_eq!(ledger.accepted_total(), RECIPIENTS as u64);
}
