//! How fast we send, held against stand-ins that enforce limits: windows, refusals of every shape,
//! what is paid for, what a page tells of its usage, and restarts in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it shows and fails as a test does"
)]

mod made;
mod rig;

use std::sync::Arc;
use std::time::{Duration, Instant};

use made::{counts, name, post_to};
use rig::{Rig, soon};
use tempfile::TempDir;
use tidings::channel::{Channel, messenger as api_messenger, telegram as api_telegram, wire};
use tidings::deliver::limiter::Limits;
use tidings::deliver::paid;
use tidings::deliver::worker::{self, Options};
use tidings::model::channel::ChannelKind;
use tidings::model::day::Days;
use tidings::model::message::{Medium, Message, Module};
use tidings::model::pacing::{StarBudget, StarsPer};
use tidings::model::post::{Body, Post, PostId};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::ledger::{Ledger, Request};
use tidings::sandbox::limit::Limit;
use tidings::sandbox::{messenger, telegram};
use tidings::store::journal::Journal;
use tidings::store::{Store, redb};
use tokio::sync::Notify;

const SECOND: Duration = Duration::from_secs(1);

/// Most requests that a busy machine may bring so late that they fall into the next window.
const LATE: u64 = 10;

/// One channel's sender over a store of its own.
struct Home {
    folder: TempDir,
    store: Arc<dyn Store>,
    kind: ChannelKind,
    api: String,
    limits: Limits,
    in_flight: usize,
    paid: Option<paid::Options>,
    bell: Arc<Notify>,
}

/// A sender at work.
struct Run(Tasks);

impl Home {
    fn new(kind: ChannelKind, api: &str, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Arc::new(redb::open(&folder.path().join(redb::FILE_NAME)).unwrap());
        let api = api.to_owned();
        let bell = Arc::default();
        Self { folder, store, kind, api, limits, in_flight: 16, paid: None, bell }
    }

    fn telegram(server: &telegram::Server, rate: f64) -> Self {
        Self::new(ChannelKind::Telegram, &server.url(), Limits::telegram(rate))
    }

    fn messenger(server: &messenger::Server, rate: f64) -> Self {
        Self::new(ChannelKind::Messenger, &server.url(), Limits::messenger(rate))
    }

    fn channel(&self) -> Channel {
        let api = self.api.parse().unwrap();
        let time_max = wire::EXCHANGE_TIME_MAX;
        match self.kind {
            ChannelKind::Telegram => {
                let token = telegram::Rules::default().token.into();
                let settings = api_telegram::api::Settings { api, token, time_max };
                Channel::Telegram(api_telegram::api::Client::new(settings).unwrap())
            }
            ChannelKind::Messenger => {
                let rules = messenger::Rules::default();
                let settings = api_messenger::api::Settings {
                    api,
                    version: api_messenger::api::VERSION.into(),
                    page_id: rules.page_id,
                    page_token: rules.page_token.into(),
                    app_secret: rules.app_secret.into(),
                    time_max,
                };
                Channel::Messenger(api_messenger::api::Client::new(settings).unwrap())
            }
        }
    }

    /// A post to so many people, whose addresses begin at 1000.
    async fn post(&self, people: usize) -> PostId {
        self.post_of(people, Message::from_plain("Words for everybody.")).await
    }

    async fn post_of(&self, people: usize, message: Message) -> PostId {
        let body = Body { kind: self.kind, language: None, message: message.into() };
        let post = Post { bodies: vec![body], ..made::post("a post") };
        let mut crowd = made::people(people);
        for person in &mut crowd {
            person.window_until = Some(Clock::system().now() + Duration::from_secs(40_000));
        }
        self.store.import_subscribers(&name("out"), crowd).await.unwrap();
        post_to(&*self.store, "out", people, post).await
    }

    /// A post to one chat by its address.
    async fn post_to_chat(&self, address: &str, message: Message) -> PostId {
        let channel = name("out");
        let chat = made::person(address, &["news"]);
        self.store.import_subscribers(&channel, vec![chat]).await.unwrap();
        let chat = self.store.load_subscriber(&channel, address).await.unwrap().unwrap();
        let body = Body { kind: self.kind, language: None, message: message.into() };
        let post = Post { bodies: vec![body], ..made::post("a post") };
        let audiences = vec![(channel, vec![chat.number])];
        let commit = tidings::store::PostCommit { drafts: vec![], post, audiences };
        self.store.commit_post(commit).await.unwrap()
    }

    async fn start(&self) -> Run {
        let (journal, wire) = Journal::open(self.folder.path()).unwrap();
        self.store.rescue(wire).await.unwrap();
        journal.begin_run().unwrap();
        let options = Options {
            name: name("out"),
            channel: Arc::new(self.channel()),
            store: Arc::clone(&self.store),
            journal: Arc::new(journal),
            clock: Clock::system(),
            meters: Meters::default(),
            bell: Arc::clone(&self.bell),
            limits: self.limits,
            in_flight: self.in_flight,
            caps: None,
            paid: self.paid.clone(),
            downloads: None,
            ways: tokio::sync::watch::channel(Default::default()).1,
        };
        let tasks = Tasks::default();
        tasks.spawn("deliver", worker::run(options, tasks.stop().clone()));
        Run(tasks)
    }

    async fn finished(&self, post: PostId) {
        soon("the post is finished", async {
            while !counts(&*self.store, post).await.is_finished() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

impl Run {
    /// Ends it in order.
    async fn stop(self) {
        self.0.drain(Duration::from_secs(10)).await;
    }
}

async fn bot(rules: telegram::Rules) -> telegram::Server {
    let server = telegram::Server::start(rules).await.unwrap();
    server.open_chats(1_000..1_000 + 5_000);
    server
}

async fn page() -> messenger::Server {
    let server = messenger::Server::start(messenger::Rules::default()).await.unwrap();
    server.open_chats(1_000..1_000 + 5_000);
    server
}

fn per_second(messages: u32) -> telegram::Rules {
    let per_bot = Some(Limit::new(messages, SECOND));
    telegram::Rules { per_bot, ..telegram::Rules::default() }
}

fn refused(ledger: &Ledger) -> u64 {
    ledger.statuses().get(&429).copied().unwrap_or(0)
}

/// Requests that send, by their instants in milliseconds.
fn sends(ledger: &Ledger) -> Vec<(i64, Request)> {
    let sends = ledger.requests().into_iter().filter(|one| !one.address.is_empty());
    let mut sends: Vec<_> = sends.map(|one| (one.at.as_millis(), one)).collect();
    sends.sort_by_key(|(at, _)| *at);
    sends
}

/// The most instants within any such span.
fn most_within(instants: &[i64], span: i64) -> usize {
    let inside =
        |from: usize| instants[from..].iter().take_while(move |at| **at - instants[from] < span);
    (0..instants.len()).map(|from| inside(from).count()).max().unwrap_or(0)
}

// ── windows and restarts ────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn sec_d09_no_window_is_passed_however_often_the_process_is_killed() {
    let rules = telegram::Rules {
        per_chat: Some(Limit::new(5, 5 * SECOND)),
        per_group: Some(Limit::new(20, 60 * SECOND)),
        ..per_second(30)
    };
    let mut rig = Rig::new(rules).await;
    rig.campaign_keys = "channels = [\"bot\"]\non_uncertain = \"resend\"\n".into();
    rig.subscribe("bot", 1..=150).await;
    rig.subscribe("bot", [-7]).await;
    rig.telegram.open_chats(1..=150);
    rig.telegram.open_group(-7);
    rig.site.publish("Post 0", "<p>The baseline.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Post 1", "<p>Words for everybody.</p>");
    let ledger = rig.telegram.ledger().clone();
    soon("the first are sent", ledger.wait_accepted(40)).await;
    daemon.kill();
    for more in [80, 110] {
        let daemon = rig.start();
        soon("more are sent", ledger.wait_accepted(more)).await;
        daemon.kill();
    }
    let daemon = rig.start();
    rig.site.publish("Post 2", "<p>More words.</p>");
    soon("all are sent", ledger.wait_accepted(302)).await;
    assert_eq!(daemon.terminate().0, Some(0));
    let instants: Vec<i64> =
        ledger.accepted().iter().map(|message| message.at.as_millis()).collect();
    assert!(most_within(&instants, 1_000) <= 30, "{}", most_within(&instants, 1_000));
    assert!(refused(&ledger) <= LATE, "{} refused", refused(&ledger));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_gets_twenty_a_minute_and_its_albums_count_as_their_files() {
    let rules = telegram::Rules {
        per_group: Some(Limit::new(20, 60 * SECOND)),
        ..telegram::Rules::default()
    };
    let server = bot(rules).await;
    server.open_group(-7);
    let home = Home::telegram(&server, 30.0);
    let pictures = ["1", "2", "3", "4", "5", "6", "7"]
        .map(|number| Medium::image(&format!("https://e.org/{number}.png"), ""));
    let album = Message::from(vec![Module::Album(pictures.to_vec())]);
    let mut posts = Vec::new();
    for _ in 0..3 {
        posts.push(home.post_to_chat("-7", album.clone()).await);
    }
    let run = home.start().await;
    home.finished(posts[1]).await;
    // The third has no room in this minute.
    tokio::time::sleep(4 * SECOND).await;
    assert_eq!(server.ledger().accepted_total(), 2);
    assert_eq!(counts(&*home.store, posts[2]).await.sent, 0);
    run.stop().await;
    let kept = home.store.load_pacing(&name("out")).await.unwrap().unwrap();
    assert!(kept.is_whole);
    assert_eq!(kept.chats.iter().map(|chat| chat.sent.len()).sum::<usize>(), 14);
    // The next run knows of it.
    let run = home.start().await;
    tokio::time::sleep(4 * SECOND).await;
    assert_eq!(server.ledger().accepted_total(), 2);
    run.stop().await;
    assert_eq!(refused(server.ledger()), 0);
}

// ── refusals ────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn sec_d08_a_refusal_of_the_bot_is_waited_for_by_everybody_and_is_no_attempt() {
    let server = bot(telegram::Rules::default()).await;
    server.faults().add(Trouble::new(telegram::throttled(Some(2))).skip(5).times(1));
    let mut home = Home::telegram(&server, 1_000.0);
    home.in_flight = 1;
    let post = home.post(20).await;
    let run = home.start().await;
    home.finished(post).await;
    run.stop().await;
    let sends = sends(server.ledger());
    let at = sends.iter().position(|(_, one)| one.status == 429).unwrap();
    let pause = sends[at + 1].0 - sends[at].0;
    assert!((2_000..4_000).contains(&pause), "{pause} ms");
    assert_eq!(sends[at + 1].1.address, sends[at].1.address, "the one refused goes first");
    let counts = counts(&*home.store, post).await;
    assert_eq!((counts.sent, counts.failed), (20, 0));
    let learned = home.store.load_pacing(&name("out")).await.unwrap().unwrap().learned.unwrap();
    assert!((learned.rate - 900.0).abs() < 50.0, "{learned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_d08_a_refusal_of_one_chat_stops_no_other() {
    let server = bot(telegram::Rules::default()).await;
    server.open_group(-7);
    // The group's second message is too much for it, whatever the reason.
    server.faults().add(Trouble::new(telegram::throttled(Some(6))).skip(1).times(1).to(-7));
    let home = Home::telegram(&server, 20.0);
    let first = home.post_to_chat("-7", Message::from_plain("One.")).await;
    let second = home.post_to_chat("-7", Message::from_plain("Two.")).await;
    let many = home.post(200).await;
    let run = home.start().await;
    home.finished(first).await;
    home.finished(many).await;
    home.finished(second).await;
    run.stop().await;
    let sends = sends(server.ledger());
    let refused = sends.iter().find(|(_, one)| one.status == 429).unwrap();
    let again = sends.iter().find(|(at, one)| one.address == "-7" && *at > refused.0).unwrap();
    assert!((6_000..9_000).contains(&(again.0 - refused.0)), "{} ms", again.0 - refused.0);
    let meanwhile = sends.iter().filter(|(at, _)| (refused.0..again.0).contains(at)).count();
    assert!(meanwhile > 60, "{meanwhile} to others meanwhile");
    assert!(counts(&*home.store, second).await.sent == 1);
    let pacing = home.store.load_pacing(&name("out")).await.unwrap().unwrap();
    assert_eq!(pacing.learned, None, "the channel is as fast as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_d08_refusals_without_sense_lose_nobody() {
    let absurd = r#"{"ok":false,"error_code":429,"description":"Too Many Requests",
                     "parameters":{"retry_after":0}}"#;
    for fault in [
        telegram::throttled(None),
        Fault::json(429, absurd),
        Fault::html(429),
        Fault::json(429, "{}"),
    ] {
        let server = bot(telegram::Rules::default()).await;
        server.faults().add(Trouble::new(fault.clone()).skip(3).times(2));
        let mut home = Home::telegram(&server, 1_000.0);
        home.in_flight = 1;
        let post = home.post(10).await;
        let run = home.start().await;
        home.finished(post).await;
        run.stop().await;
        assert_eq!(counts(&*home.store, post).await.sent, 10, "{fault:?}");
        assert_eq!(server.ledger().accepted_total(), 10, "{fault:?}");
        let sends = sends(server.ledger());
        let first = sends.iter().position(|(_, one)| one.status == 429).unwrap();
        let pause = sends[first + 1].0 - sends[first].0;
        assert!(pause >= 700, "{fault:?}: asked again after {pause} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_d08_a_wait_of_thirty_years_is_believed_for_an_hour() {
    let server = bot(telegram::Rules::default()).await;
    server.faults().add(Trouble::new(telegram::throttled(Some(1_000_000_000))).times(1));
    let home = Home::telegram(&server, 30.0);
    let post = home.post(3).await;
    let run = home.start().await;
    soon("it is refused", server.ledger().wait_until(|ledger| refused(ledger) == 1)).await;
    tokio::time::sleep(SECOND).await;
    run.stop().await;
    // In the next run, too.
    let run = home.start().await;
    tokio::time::sleep(2 * SECOND).await;
    run.stop().await;
    assert_eq!(server.ledger().accepted_total(), 0);
    assert_eq!(counts(&*home.store, post).await.waiting, 3);
    let state = home.store.load_channel(&name("out")).await.unwrap();
    let wait = state.quiet_until.unwrap().since(Clock::system().now());
    assert!(wait > Duration::from_secs(3_500) && wait <= Duration::from_secs(3_600), "{wait:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_moved_is_followed_at_its_pace() {
    let rules = telegram::Rules {
        per_group: Some(Limit::new(20, 60 * SECOND)),
        ..telegram::Rules::default()
    };
    let server = bot(rules).await;
    server.open_group(-7);
    server.open_group(-1007);
    server.set_standing(-7, telegram::Standing::Moved(-1007));
    let home = Home::telegram(&server, 30.0);
    let post = home.post_to_chat("-7", Message::from_plain("One.")).await;
    let run = home.start().await;
    home.finished(post).await;
    run.stop().await;
    assert_eq!(server.ledger().count_for(-1007), 1);
    assert_eq!(refused(server.ledger()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_below_the_settings_is_learned_and_remembered() {
    let server = bot(per_second(10)).await;
    let home = Home::telegram(&server, 30.0);
    let post = home.post(60).await;
    let run = home.start().await;
    home.finished(post).await;
    run.stop().await;
    assert_eq!(counts(&*home.store, post).await.sent, 60);
    let pacing = home.store.load_pacing(&name("out")).await.unwrap().unwrap();
    let learned = pacing.learned.unwrap();
    assert!(learned.rate < 16.0, "{learned:?}");
    // Requests that were under way together are refused together; few moments are.
    let refusals = refused(server.ledger());
    assert!(refusals <= 30, "{refusals}");
    let more = home.post(30).await;
    let run = home.start().await;
    home.finished(more).await;
    run.stop().await;
    let later = refused(server.ledger()) - refusals;
    assert!(later <= 16, "{later} refused by who knew better");
}

// ── what is paid for ────────────────────────────────────────────────────────────────────────────

fn stars(tenths_max: u64, per: StarsPer) -> Option<paid::Options> {
    let budget = StarBudget { tenths_max, per };
    Some(paid::Options { rate: 200.0, budget, days: Days::utc() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_stars_is_spent_and_never_passed() {
    let rules = telegram::Rules { stars: Some(20_000), ..per_second(10) };
    let server = bot(rules).await;
    let mut home = Home::telegram(&server, 10.0);
    home.paid = stars(60, StarsPer::Post);
    let post = home.post(120).await;
    let begun = Instant::now();
    let run = home.start().await;
    home.finished(post).await;
    let took = begun.elapsed();
    run.stop().await;
    let paid = server.stars_paid();
    assert!((40..=60).contains(&paid), "{paid} tenths");
    assert!(took < Duration::from_millis(9_500), "{took:?} for 120 people, 10 a second");
    assert_eq!(counts(&*home.store, post).await.sent, 120);
    assert!(refused(server.ledger()) <= LATE, "free again when the budget is spent");
    let report = home.store.load_report(post, Clock::system().now()).await.unwrap().unwrap();
    assert!(report.stars_tenths >= paid && report.stars_tenths <= 60, "{}", report.stars_tenths);
    // Another post has a budget of its own.
    let post = home.post(60).await;
    let run = home.start().await;
    home.finished(post).await;
    run.stop().await;
    assert!((paid + 1..=paid + 60).contains(&server.stars_paid()), "{}", server.stars_paid());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_budget_holds_for_all_of_its_posts_over_restarts() {
    let rules = telegram::Rules { stars: Some(20_000), ..per_second(10) };
    let server = bot(rules).await;
    let mut home = Home::telegram(&server, 10.0);
    home.paid = stars(50, StarsPer::Day);
    for people in [40, 50, 60] {
        let post = home.post(people).await;
        let run = home.start().await;
        home.finished(post).await;
        run.stop().await;
    }
    let paid = server.stars_paid();
    assert!((30..=50).contains(&paid), "{paid} tenths");
    let spent = home.store.load_stars(&name("out"), Days::utc().day(Clock::system().now()));
    let spent = spent.await.unwrap();
    assert!(spent >= paid && spent <= 50, "{spent} counted, {paid} paid");
    assert!(refused(server.ledger()) <= LATE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_paid_without_the_stars_that_are_needed_or_the_switch() {
    for (has, paid) in [(Some(9_999), stars(1_000, StarsPer::Day)), (Some(20_000), None)] {
        let server = bot(telegram::Rules { stars: has, ..per_second(10) }).await;
        let mut home = Home::telegram(&server, 10.0);
        home.paid = paid;
        let post = home.post(30).await;
        let run = home.start().await;
        home.finished(post).await;
        run.stop().await;
        assert_eq!(server.stars_paid(), 0);
        assert!(refused(server.ledger()) <= LATE);
        assert_eq!(counts(&*home.store, post).await.sent, 30);
    }
}

// ── a page ──────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn a_page_slows_down_as_its_usage_grows_and_stops_before_it_is_refused() {
    let server = page().await;
    let used = |percent| messenger::Usage { percent, app_percent: 10, regain_minutes: 0 };
    server.set_usage(Some(used(85)));
    let home = Home::messenger(&server, 20.0);
    let post = home.post(40).await;
    let run = home.start().await;
    home.finished(post).await;
    let instants: Vec<i64> = sends(server.ledger()).iter().map(|(at, _)| *at).collect();
    let later = &instants[10..];
    assert!(most_within(later, 1_000) <= 13, "{} in a second", most_within(later, 1_000));
    run.stop().await;

    server.set_usage(Some(messenger::Usage { regain_minutes: 3, ..used(96) }));
    let post = home.post(200).await;
    let run = home.start().await;
    let state = soon("the page rests", async {
        loop {
            let state = home.store.load_channel(&name("out")).await.unwrap();
            if state.quiet_until.is_some() {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let wait = state.quiet_until.unwrap().since(Clock::system().now());
    assert!(wait > Duration::from_secs(170) && wait <= Duration::from_secs(180), "{wait:?}");
    let total = server.ledger().requests_total();
    tokio::time::sleep(2 * SECOND).await;
    assert!(server.ledger().requests_total() <= total + 16, "what was under way comes home");
    run.stop().await;
    assert!(counts(&*home.store, post).await.waiting > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_blocked_sends_nothing_until_somebody_says_so() {
    for trouble in [messenger::PageTrouble::Blocked, messenger::PageTrouble::Restricted] {
        let server = page().await;
        server.set_page_trouble(Some(trouble));
        let mut home = Home::messenger(&server, 1_000.0);
        home.in_flight = 1;
        let post = home.post(10).await;
        let run = home.start().await;
        soon("the channel is halted", async {
            while home.store.load_halt(&name("out")).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let asked = server.ledger().requests_total();
        server.set_page_trouble(None);
        home.bell.notify_one();
        tokio::time::sleep(SECOND).await;
        run.stop().await;
        // The next run does not try either.
        let run = home.start().await;
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(server.ledger().requests_total(), asked, "{trouble:?}");
        assert_eq!(counts(&*home.store, post).await.waiting, 10);
        home.store.commit_halt(&name("out"), None).await.unwrap();
        home.bell.notify_one();
        home.finished(post).await;
        assert_eq!(counts(&*home.store, post).await.sent, 10);
        run.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_word_and_the_admins_word_halt_a_page_and_let_it_go_on() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = "channels = [\"page\"]\n".into();
    rig.subscribe_in_window("page", 1..=5).await;
    rig.messenger.open_chats(1..=5);
    rig.site.publish("Post 0", "<p>The baseline.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    rig.messenger.enforces_policy("block", "spam");
    daemon.wait_for("the channel is halted");
    rig.site.publish("Post 1", "<p>Words for everybody.</p>");
    let status = rig.command(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let why = status["channels"]["page"]["paused"].as_str().unwrap();
    assert!(why.contains("blocked the page: spam"), "{why}");
    assert_eq!(status["channels"]["page"]["halted"]["by_hand"], false);
    let shown = rig.command(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("it goes on by `tidings channel resume`"), "{shown}");
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!(rig.messenger.ledger().accepted_total(), 0);
    rig.messenger.enforces_policy("unblock", "spam");
    soon("all get it", rig.messenger.ledger().wait_accepted(5)).await;

    assert!(rig.command(&["channel", "pause", "page", "--reason", "a test"]).status.success());
    daemon.wait_for("the channel is halted");
    let again = rig.command(&["channel", "pause", "page"]);
    assert_eq!(again.status.code(), Some(1));
    // What somebody halted the service does not let go.
    rig.messenger.enforces_policy("unblock", "spam");
    rig.site.publish("Post 2", "<p>More words.</p>");
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!(rig.messenger.ledger().accepted_total(), 5);
    assert!(rig.command(&["channel", "resume", "page"]).status.success());
    soon("all get the second", rig.messenger.ledger().wait_accepted(10)).await;
    assert_eq!(rig.command(&["channel", "resume", "nobody"]).status.code(), Some(1));
    assert_eq!(daemon.terminate().0, Some(0));
}

// ── a person's day ──────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_a_day_is_held_and_said_to_be() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.top_keys = "daily_max = 1\ncarry_at = \"08:30\"\n".into();
    rig.campaign_keys = "channels = [\"bot\"]\n".into();
    rig.subscribe("bot", 1..=3).await;
    rig.telegram.open_chats(1..=3);
    rig.site.publish("Old news", "<p>The baseline.</p>");
    let checked = rig.command(&["check"]);
    let checked = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.contains("to nobody who got 1 post that day"), "{checked}");
    assert!(checked.contains("channel bot: at most 30 a second"), "{checked}");
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("First news", "<p>Words for everybody.</p>");
    soon("all get the first", rig.telegram.ledger().wait_accepted(3)).await;
    rig.site.publish("Second news", "<p>More words.</p>");
    let json = |args: &[&str]| -> serde_json::Value {
        let output = rig.command(&[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    };
    soon("the second is held", async {
        while json(&["report", "2"])["posts"][0]["carried_over"] != 3 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let why = json(&["why", "Second news", "bot/2"]);
    let words = why["items"][0]["people"][0]["posts"][0]["words"].as_str().unwrap().to_owned();
    assert!(words.contains("`daily_max` allows; it comes at"), "{words}");
    let report = rig.command(&["report", "2"]);
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.contains("too much for a day, comes on the next: 3"), "{report}");
    // What would go next is told before, and that it does not hold for what is sent by hand.
    let audience = rig.command(&["posts", "audience", "blog"]);
    let audience = String::from_utf8_lossy(&audience.stdout).into_owned();
    let later = "bot, later: 3 who got as much today as `daily_max` allows, at ";
    assert!(audience.contains(later) && audience.contains("T08:30:00Z"), "{audience}");
    let by_hand = rig.command(&["send", "--text", "x", "--channel", "bot", "--dry-run"]);
    let by_hand = String::from_utf8_lossy(&by_hand.stdout).into_owned();
    assert!(by_hand.contains("3 on bot got 1 post of campaigns today: one by hand"), "{by_hand}");
    assert_eq!(rig.telegram.ledger().accepted_total(), 3);
    assert_eq!(daemon.terminate().0, Some(0));
}
