//! The real binary, killed again and again while it sends to 2,000 people.
//!
//! The stand-in's own ledger is held against ours: nobody is forgotten, nobody is told to have
//! what they have not, and what is uncertain was on the wire when the process died. So it is with
//! albums whose pictures are uploaded, and whose ids are kept meanwhile.

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

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rig::{Rig, name, soon};
use serde_json::Value;
use tidings::model::post::{Outcome, PostId};
use tidings::sandbox::ledger::Accepted;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;

const RECIPIENTS: i64 = 2_000;
/// Kills of each of the first two tests: 200 in all.
const KILLS: usize = 100;
const IN_FLIGHT: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn with_skip_nobody_gets_it_twice_and_only_who_was_on_the_wire_is_uncertain() {
    let kills = kills(KILLS);
    let told = killed_again_and_again(&rig_for(RECIPIENTS, "skip").await, kills, 1).await;
    let mut uncertain = 0;
    for (post, outcomes) in &told.outcomes {
        for (chat, outcome) in outcomes {
            let arrived = told.arrived.get(&(*post, *chat)).copied().unwrap_or(0);
            match outcome {
                Outcome::Sent => assert_eq!(arrived, 1, "post {post}, chat {chat}: told as sent"),
                Outcome::Uncertain => {
                    uncertain += 1;
                    assert!(arrived <= 1, "post {post}, chat {chat}: sent twice");
                }
                other => panic!("post {post}, chat {chat}: {other:?}"),
            }
        }
        assert_eq!(outcomes.len(), RECIPIENTS as usize, "everybody has an outcome");
    }
    println!("{} posts, {uncertain} uncertain after {kills} kills", told.outcomes.len());
    assert!(uncertain <= IN_FLIGHT * kills as u64, "{uncertain} uncertain");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_resend_nobody_misses_it() {
    let kills = kills(KILLS);
    let told = killed_again_and_again(&rig_for(RECIPIENTS, "resend").await, kills, 2).await;
    let mut twice = 0;
    for (post, outcomes) in &told.outcomes {
        assert_eq!(outcomes.len(), RECIPIENTS as usize, "everybody has an outcome");
        for (chat, outcome) in outcomes {
            assert_eq!(*outcome, Outcome::Sent, "post {post}, chat {chat}");
            let arrived = told.arrived.get(&(*post, *chat)).copied().unwrap_or(0);
            assert!(arrived >= 1, "post {post}, chat {chat}: missed");
            twice += u64::from(arrived > 1);
        }
    }
    println!("{} posts, {twice} sent twice after {kills} kills", told.outcomes.len());
    assert!(twice <= IN_FLIGHT * kills as u64, "{twice} sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_media_nobody_gets_it_twice_and_every_album_keeps_its_order() {
    const PEOPLE: i64 = 150;
    let kills = kills(40);
    let mut rig = rig_for(PEOPLE, "skip").await;
    // The service reaches none of these addresses, so their files go through our hands.
    rig.telegram.refuse_urls("/pictures/", telegram::UrlRefusal::NotFetched);
    let pictures = rig.site.feed_url().replace("/feed.xml", "/pictures/");
    let layouts = rig.path("layouts");
    std::fs::create_dir_all(&layouts).unwrap();
    let layout = format!(
        "{{% for item in items %}}{{% set number = item.title | replace(\"Post \", \"\") %}}\
         <album><img src=\"{pictures}{{{{ number }}}}1.png\">\
         <img src=\"{pictures}{{{{ number }}}}2.png\"></album>\
         <p>{{{{ item.title }}}}</p>{{% endfor %}}"
    );
    std::fs::write(layouts.join("album.html"), layout).unwrap();
    rig.top_keys = format!("layouts = \"{}\"", layouts.display());
    rig.campaign_keys.push_str("layout = \"album\"\n");

    let told = killed_again_and_again(&rig, kills, 3).await;
    let mut uncertain = 0;
    for (post, outcomes) in &told.outcomes {
        assert_eq!(outcomes.len(), PEOPLE as usize, "everybody has an outcome");
        for (chat, outcome) in outcomes {
            let arrived = told.arrived.get(&(*post, *chat)).copied().unwrap_or(0);
            match outcome {
                Outcome::Sent => assert_eq!(arrived, 1, "post {post}, chat {chat}: told as sent"),
                Outcome::Uncertain => {
                    uncertain += 1;
                    assert!(arrived <= 1, "post {post}, chat {chat}: sent twice");
                }
                other => panic!("post {post}, chat {chat}: {other:?}"),
            }
        }
    }
    // Everybody's first picture of a post is the same, and so is the second, which is another.
    let mut files: HashMap<String, Vec<String>> = HashMap::new();
    let mut uploads = 0;
    for album in rig.telegram.ledger().accepted() {
        assert_eq!(album.method, "sendMediaGroup");
        let (chat, first) = (album.address.parse().unwrap(), album.message_id.parse().unwrap());
        let photo = |id: i64| {
            let message = rig.telegram.message(chat, id).unwrap();
            message["photo"][1]["file_id"].as_str().unwrap().to_owned()
        };
        let both = vec![photo(first), photo(first + 1)];
        assert_ne!(both[0], both[1]);
        let body = serde_json::to_string(&album.body).unwrap();
        uploads += body.matches("attach://").count();
        let of_post = files.entry(caption(&album)).or_insert_with(|| both.clone());
        assert_eq!(*of_post, both, "{}", caption(&album));
    }
    println!(
        "{} posts, {uncertain} uncertain and {uploads} uploads accepted after {kills} kills",
        told.outcomes.len()
    );
    assert!(uncertain <= IN_FLIGHT * kills as u64, "{uncertain} uncertain");
    // Once a picture, and once more for every death between an answer and the commit of its ids.
    assert!(uploads <= 2 * (told.outcomes.len() + kills), "{uploads} uploads");
}

/// The campaigns of one story: one of each kind, all of which send within seconds.
const KINDS: [(&str, &str); 7] = [
    ("gathered", "send = { digest = \"* * * * * *\", max_items = 1 }"),
    ("settled", "settle = \"2s\""),
    ("staged", "stages = [\"10%\", \"100%\"]\nstage_wait = \"1s\""),
    ("windowed", "window = \"00:00-23:59\""),
    ("personal", ""),
    ("urgent", "priority = \"high\""),
    ("corrected", "correct_within = \"1d\""),
];

#[tokio::test(flavor = "multi_thread")]
async fn with_posts_of_every_kind_nobody_gets_one_twice_on_either_service() {
    const PEOPLE: i64 = 60;
    const PSIDS: std::ops::RangeInclusive<i64> = 7_000_000_000_000_001..=7_000_000_000_000_030;
    let kills = kills(24);
    let mut dice = StdRng::seed_from_u64(4);
    let mut rig = rig_for(PEOPLE, "skip").await;
    rig.campaign_keys = "layout = \"blog\"\n".to_owned();
    rig.messenger.open_chats(PSIDS);
    rig.subscribe_in_window("page", PSIDS).await;
    let layouts = rig.path("layouts");
    std::fs::create_dir_all(&layouts).unwrap();
    rig.top_keys = format!("layouts = \"{}\"", layouts.display());
    for (kind, keys) in KINDS.iter().chain([&("blog", "")]) {
        let whom = if *kind == "personal" { "{{ subscriber.first_name or \"you\" }}" } else { "" };
        let layout = format!(
            "<p>[{kind}] {whom} {{% for item in items %}}{{{{ item.title }}}};{{% endfor %}}</p>"
        );
        std::fs::write(layouts.join(format!("{kind}.html")), layout).unwrap();
        if *kind != "blog" {
            rig.extra.push_str(&format!(
                "[campaigns.{kind}]\nsources = [\"blog\"]\nlayout = \"{kind}\"\n{keys}\n"
            ));
        }
    }
    rig.site.publish("Post 0;", "<p>The baseline.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    daemon.kill();

    let mut stories = 0;
    for _ in 0..kills {
        if stories == 0 || dice.random_bool(0.1) {
            stories += 1;
            rig.site.publish(&format!("Post {stories};"), "<p>Words for everybody.</p>");
        }
        let daemon = rig.launch();
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..1_500))).await;
        daemon.kill();
    }
    let wanted = stories * (KINDS.len() + 1);
    let daemon = rig.start();
    // One person gets one message a second, and so many of all are under way at a time.
    let seconds = wanted as u64 * (PEOPLE as u64).div_ceil(IN_FLIGHT);
    let patience = Duration::from_secs(60 + seconds);
    let until = Instant::now() + patience;
    loop {
        let output = rig.command(&["posts", "--json", "--limit", "100000"]);
        let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let mut posts = value["posts"].as_array().cloned().unwrap_or_default();
        let made = posts.len();
        posts.retain(|post| post["counts"]["waiting"] != 0 || post["counts"]["in_flight"] != 0);
        if made >= wanted && posts.is_empty() {
            break;
        }
        let is_patient = Instant::now() < until;
        assert!(is_patient, "{made} posts of {wanted} were made, these are not over: {posts:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");

    let store = redb::open(&rig.store_file()).unwrap();
    let posts = store.load_posts(100_000).await.unwrap();
    assert_eq!(posts.len(), wanted, "each story made one post of each campaign");
    for (channel, ledger) in [("bot", rig.telegram.ledger()), ("page", rig.messenger.ledger())] {
        let people = store.load_subscribers(&name(channel)).await.unwrap();
        let mut arrived = HashMap::<(String, String), usize>::new();
        for one in ledger.accepted() {
            let words = one.text().unwrap().to_owned();
            *arrived.entry((one.address, words)).or_default() += 1;
        }
        let mut uncertain = 0;
        for post in &posts {
            let mark = format!("[{}]", post.campaign.as_ref().unwrap());
            let title = format!(" {};", post.title.trim_end_matches(';'));
            for (number, outcome) in store.load_outcomes(post.id, &name(channel)).await.unwrap() {
                let address = &people[number as usize].address;
                let mine = arrived.iter().filter(|((to, words), _)| {
                    to == address && words.contains(&mark) && words.contains(&title)
                });
                let times: usize = mine.map(|(_, times)| *times).sum();
                match outcome {
                    Outcome::Sent => assert_eq!(times, 1, "{mark}{title} {channel}/{address}"),
                    Outcome::Uncertain => {
                        uncertain += 1;
                        assert!(times <= 1, "{mark}{title} {channel}/{address}: {times} times");
                    }
                    other => panic!("{mark}{title} {channel}/{address}: {other:?}"),
                }
            }
        }
        println!("{} posts on {channel}, {uncertain} uncertain after {kills} kills", posts.len());
        assert!(uncertain <= 32 * kills, "{uncertain} uncertain on {channel}");
    }
}

/// How often is killed: as the environment says, or `usual`.
fn kills(usual: usize) -> usize {
    std::env::var("TIDINGS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(usual)
}

struct Told {
    outcomes: HashMap<PostId, Vec<(i64, Outcome)>>,
    /// How often each post arrived in each chat, as the stand-in saw it.
    arrived: HashMap<(PostId, i64), u32>,
}

async fn rig_for(recipients: i64, on_uncertain: &str) -> Rig {
    let rules = telegram::Rules { latency: Duration::from_millis(20), ..Default::default() };
    let mut rig = Rig::new(rules).await;
    rig.telegram_keys = format!("rate = 100000\nin_flight = {IN_FLIGHT}\n");
    rig.campaign_keys = format!("on_uncertain = \"{on_uncertain}\"\nchannels = [\"bot\"]\n");
    rig.subscribe("bot", 1..=recipients).await;
    rig.telegram.open_chats(1..=recipients);
    rig
}

async fn killed_again_and_again(rig: &Rig, kills_wanted: usize, seed: u64) -> Told {
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    rig.site.publish("Post 0", "<p>The baseline.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    daemon.kill();

    let mut posts = 0_u64;
    let mut kills = 0;
    while kills < kills_wanted {
        posts += 1;
        rig.site.publish(&format!("Post {posts}"), "<p>Words for everybody.</p>");
        // A post takes a few seconds; the kills fall at any moment of starting, polling,
        // composing, sending and ending.
        while kills < kills_wanted && !is_done(rig, posts) {
            let daemon = rig.launch();
            let lives = Duration::from_millis(dice.random_range(0..900));
            tokio::time::sleep(lives).await;
            daemon.kill();
            kills += 1;
        }
    }
    let daemon = rig.start();
    let accepted = rig.telegram.ledger().clone();
    soon("the last post ends", async {
        while !is_told_as_done(rig, posts) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");

    let store = redb::open(&rig.store_file()).unwrap();
    let mut outcomes = HashMap::new();
    let mut numbers = HashMap::new();
    for post in store.load_posts(1_000).await.unwrap() {
        let number: u64 = post.title.trim_start_matches("Post ").parse().unwrap();
        numbers.insert(number, post.id);
        assert!(post.counts.is_finished(), "{:?}", post.counts);
        let people = store.load_outcomes(post.id, &name("bot")).await.unwrap();
        let counts = post.counts;
        let sum = counts.sent + counts.failed + counts.skipped + counts.held + counts.uncertain;
        assert_eq!(counts.planned, sum, "{counts:?}");
        // Subscribers were numbered in the order of their chats, which start at 1.
        let by_chat = people.into_iter().map(|(number, one)| (i64::from(number) + 1, one));
        outcomes.insert(post.id, by_chat.collect());
    }
    assert_eq!(numbers.len() as u64, posts, "each item made one post");
    let mut arrived = HashMap::new();
    for message in accepted.accepted() {
        let text = caption(&message);
        let at = text.find("Post ").expect("the title is in the message") + "Post ".len();
        let digits: String = text[at..].chars().take_while(char::is_ascii_digit).collect();
        let post = numbers[&digits.parse().unwrap()];
        *arrived.entry((post, message.address.parse().unwrap())).or_insert(0) += 1;
    }
    Told { outcomes, arrived }
}

/// The words of a message, wherever the service has them.
fn caption(message: &Accepted) -> String {
    if let Some(text) = message.text() {
        return text.to_owned();
    }
    // What comes with files comes as text.
    let media = match message.body.as_ref().and_then(|body| body.get("media")) {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap(),
        Some(media) => media.clone(),
        None => Value::Null,
    };
    media[0]["caption"].as_str().unwrap_or_default().to_owned()
}

/// Nobody is waiting for the newest post, as the stopped store tells.
fn is_done(rig: &Rig, posts: u64) -> bool {
    is_told_as_done(rig, posts)
}

fn is_told_as_done(rig: &Rig, posts: u64) -> bool {
    let output = rig.command(&["posts", "--json", "--limit", "1"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let newest = &value["posts"][0];
    let counts = &newest["counts"];
    newest["title"] == format!("Post {posts}")
        && counts["waiting"].as_u64() == Some(0)
        && counts["in_flight"].as_u64() == Some(0)
}
