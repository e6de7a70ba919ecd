//! What happens in one run: chance decides, and in the end everything is well again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidings::admin::desk::Ask;
use tidings::model::audience::Whom;
use tidings::model::control::{PostWord, Priority};
use tidings::model::message::{Message, Module};
use tidings::model::name::Name;
use tidings::model::one_off::{OneOff, Says};
use tidings::model::post::{Content, Hold, Post, PostId};
use tidings::model::rich::RichText;
use tidings::model::time::Timestamp;
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::{messenger, telegram};
use tidings::store::{ReviewWord, Reviewed};

use crate::deeds::{self, Block};
use crate::feeds::{BAD_MANNERS, Manner};
use crate::watched::End;
use crate::world::{World, name};

/// How long everything may take to come to its end once nothing is wrong any more.
const END_TIME_MAX: Duration = Duration::from_secs(4 * 3_600);
/// … and where something waits for the next days: templates come one a day where the cap is one.
const END_DAYS_MAX: Duration = Duration::from_secs(40 * 86_400);
/// What waits for longer is left to wait.
const WAITED_FOR: Duration = Duration::from_secs(3 * 3_600);
/// Longest time between two looks whether all is done.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// … and where they are days.
const DAYS_PAUSE_MAX: Duration = Duration::from_secs(1_800);
/// Ids of people who come and go.
const FICKLE: std::ops::Range<i64> = 500_000..500_008;
/// The same on Messenger.
pub const FICKLE_PSIDS: std::ops::Range<i64> = 7_000_000_000_500_000..7_000_000_000_500_004;

/// What was done, as far as the books have to know.
#[derive(Debug, Default)]
pub struct Done {
    /// Titles of posts sent by hand; true: the daemon said that it has them.
    pub by_hand: BTreeMap<String, bool>,
    /// How often each person pressed start or wrote.
    pub contacts: BTreeMap<String, u32>,
    /// Items are told anew as often as they were edited, at most.
    pub edits: BTreeMap<String, u32>,
    pub dropped_reviews: bool,
    /// Posts that were to be sent again to those of whom nobody knows.
    pub retried: BTreeSet<PostId>,
    /// People of the page whose window closed without our knowing.
    pub surprised: BTreeSet<String>,
    /// People to whom a marketing message was lost after all.
    pub undelivered: BTreeSet<String>,
    pub has_changed_stars: bool,
    pub blocks: Vec<Block>,
    /// When a channel was let go on.
    pub resumed: Vec<Timestamp>,
    /// The stories that are known from the beginning, by source.
    pub old: BTreeMap<String, Vec<String>>,
    next_token: u32,
}

/// Runs one world from its first poll to its end.
pub async fn play(world: &mut World) -> Done {
    let mut done = Done::default();
    world.start(None).await;
    while world.feeds.iter().any(|feed| feed.served_whole() < 2) {
        world.run_for(Duration::from_secs(1)).await;
    }
    for feed in &world.feeds {
        let tokens = feed.stories().into_iter().map(|story| story.token).collect();
        done.old.insert(feed.source.to_owned(), tokens);
    }
    let deeds = world.dice.between(10, 60);
    for _ in 0..deeds {
        if !world.is_up() {
            let pause = world.dice.millis(0, 20_000);
            world.run_for(pause).await;
            let end = world.dice.percent(15).then(|| draw_end(world));
            world.start(end).await;
        }
        deed(world, &mut done).await;
        deeds::more(world, &mut done).await;
        let pause = match world.dice.roll(10) {
            0..=2 => Duration::ZERO,
            3..=7 => world.dice.millis(1, 4_000),
            8 => world.dice.millis(1_000, 20_000),
            _ => world.dice.millis(20_000, 90_000),
        };
        world.run_for(pause).await;
    }
    finish(world, &mut done).await;
    done
}

fn draw_end(world: &mut World) -> End {
    let most = *world.dice.pick(&[12, 200]);
    let turns = world.dice.between(1, most);
    End { turns, is_done: world.dice.percent(50) }
}

async fn deed(world: &mut World, done: &mut Done) {
    match world.dice.roll(100) {
        0..=24 => publish(world, done),
        25..=31 => edit(world, done),
        32..=39 => serve_badly(world),
        40..=49 => trouble_telegram(world),
        50..=56 => trouble_messenger(world),
        57..=68 => somebody_acts(world, done),
        69..=75 => send_by_hand(world, done).await,
        76..=85 => say_word(world, done).await,
        86..=88 => review(world, done).await,
        89..=92 => {
            let end = draw_end(world);
            world.note(|| format!("is to end: {end:?}"));
            if let Some(daemon) = &world.daemon {
                daemon.store.end_at(Some(end));
            }
        }
        93..=95 => {
            for _ in 0..world.dice.roll(30) {
                crate::clockwork::round().await;
            }
            if world.dice.percent(20) {
                world.note(|| "the power is lost".to_owned());
                world.lose_power().await;
            } else {
                world.note(|| "killed".to_owned());
                world.bury().await;
            }
        }
        96..=97 => world.stop().await,
        _ => well_again(world, done),
    }
}

fn publish(world: &mut World, done: &mut Done) {
    let feed = world.dice.pick(&world.feeds.clone()).clone();
    for _ in 0..world.dice.between(1, 4) {
        done.next_token += 1;
        let token = format!("i{}x", done.next_token);
        world.note(|| format!("{} publishes {token}", feed.source));
        feed.publish(token);
    }
}

fn edit(world: &mut World, done: &mut Done) {
    let feed = world.dice.pick(&world.feeds.clone()).clone();
    let stories = feed.stories();
    if stories.is_empty() {
        return;
    }
    let at = usize::try_from(world.dice.roll(stories.len() as u64)).unwrap();
    let token = stories[at].token.clone();
    world.note(|| format!("{} edits {token}", feed.source));
    *done.edits.entry(token).or_default() += 1;
    feed.edit(at);
}

fn serve_badly(world: &mut World) {
    let feed = world.dice.pick(&world.feeds.clone()).clone();
    let manner = *world.dice.pick(&BAD_MANNERS);
    world.note(|| format!("{} is served {manner:?}", feed.source));
    feed.serve(manner);
}

fn well_again(world: &mut World, done: &mut Done) {
    world.note(|| "everything is well again".to_owned());
    world.telegram.faults().clear();
    world.messenger.faults().clear();
    world.telegram.restore_token();
    deeds::mend(world, done);
    for feed in &world.feeds {
        feed.serve(Manner::Well);
    }
}

/// What can befall a request to either service.
fn draw_fault(world: &mut World) -> Fault {
    let is_late = !world.is_punctual;
    let dice = &mut world.dice;
    match dice.roll(11) {
        slow @ (0 | 1) => {
            let most = if slow == 0 { 5_000 } else { 60_000 };
            let (before, after) = (dice.millis(0, most), dice.millis(0, most));
            Fault::Slow { before: if is_late { before } else { Duration::ZERO }, after }
        }
        2 => Fault::Truncated,
        3 => Fault::Cut { bytes: usize::try_from(dice.roll(400)).unwrap() },
        4 => Fault::Reset { is_accepted: true },
        5 => Fault::Reset { is_accepted: false },
        6 => Fault::lie(),
        7 => Fault::Closed { is_accepted: false },
        8 => Fault::Hang { is_accepted: dice.percent(50) },
        9 => Fault::html(*dice.pick(&[500, 502, 503, 504])),
        _ => Fault::json(*dice.pick(&[200, 400, 500]), *dice.pick(&["{", "[]", "null", "{}"])),
    }
}

fn draw_often(world: &mut World, trouble: Trouble) -> Trouble {
    let dice = &mut world.dice;
    match dice.roll(4) {
        0 => trouble.times(1),
        1 => trouble.times(u32::try_from(dice.between(2, 12)).unwrap()),
        2 => trouble.share(0.1),
        _ => trouble.share(0.5),
    }
}

fn trouble_telegram(world: &mut World) {
    let fault = match world.dice.roll(10) {
        0 => telegram::throttled(Some(world.dice.between(1, 40))),
        1 => telegram::throttled(None),
        2 => telegram::server_error(500),
        3 => telegram::refusal(403, "Forbidden: bot was blocked by the user"),
        4 => telegram::refusal(400, "Bad Request: chat not found"),
        5 if world.dice.percent(30) => {
            world.note(|| "the token is revoked".to_owned());
            world.telegram.revoke_token();
            return;
        }
        _ => draw_fault(world),
    };
    let refuses_person = format!("{fault:?}").contains("error_code\\\":4");
    let trouble = Trouble::new(fault.clone());
    let trouble = if world.dice.percent(70) { trouble.on("sendMessage") } else { trouble };
    // A person who is said to have blocked us is one who may.
    let trouble = if refuses_person && !format!("{fault:?}").contains("429") {
        let id = world.dice.between(500_000, 500_007);
        trouble.to(i64::try_from(id).unwrap())
    } else {
        trouble
    };
    let trouble = draw_often(world, trouble);
    world.note(|| format!("telegram: {trouble:?}"));
    world.telegram.faults().add(trouble);
}

fn trouble_messenger(world: &mut World) {
    let fault = match world.dice.roll(10) {
        0 => messenger::refusal(400, 613, None, "Calls to this api have exceeded the rate limit."),
        1 => messenger::refusal(400, 4, None, "Application request limit reached"),
        2 => messenger::refusal(500, 2, None, "Service temporarily unavailable"),
        3 => messenger::refusal(400, 1200, None, "Temporary send message failure"),
        _ => draw_fault(world),
    };
    let trouble = Trouble::new(fault);
    let trouble = if world.dice.percent(70) { trouble.on("messages") } else { trouble };
    let trouble = draw_often(world, trouble);
    world.note(|| format!("messenger: {trouble:?}"));
    world.messenger.faults().add(trouble);
}

fn somebody_acts(world: &mut World, done: &mut Done) {
    let act = world.dice.roll(8);
    if world.dice.percent(65) {
        let id = i64::try_from(world.dice.between(0, 7)).unwrap() + FICKLE.start;
        let person = world.telegram.person(id, if id % 2 == 0 { "en" } else { "ro" });
        world.note(|| format!("{id} does {act}"));
        match act {
            0..=3 => person.starts(None),
            4 => person.says("stop"),
            5 => person.says("what is this?"),
            6 => person.blocks(),
            _ => person.deactivates(),
        }
        if act <= 5 {
            *done.contacts.entry(id.to_string()).or_default() += 1;
        }
        return;
    }
    let psid = FICKLE_PSIDS.start + i64::try_from(world.dice.between(0, 3)).unwrap();
    let person = world.messenger.person(&psid.to_string());
    world.note(|| format!("{psid} does {act}"));
    match act {
        0..=3 => person.starts(None),
        4 => person.says("stop"),
        5 => person.says("what is this?"),
        6 => person.blocks(),
        _ => {
            done.surprised.insert(psid.to_string());
            world.messenger.closes_window(&psid.to_string());
        }
    }
    if act <= 5 {
        *done.contacts.entry(psid.to_string()).or_default() += 1;
    }
}

/// A post to everybody on these channels.
pub fn by_hand(title: &str, message: Message, channels: Vec<Name>) -> Box<OneOff> {
    Box::new(OneOff {
        title: title.to_owned(),
        says: Says::Message(message),
        whom: Whom { channels, ..Whom::default() },
        priority: Default::default(),
        stages: None,
        file: None,
    })
}

async fn send_by_hand(world: &mut World, done: &mut Done) {
    done.next_token += 1;
    let title = format!("s{}x", done.next_token);
    let text = RichText::from_plain(&format!("[hand] {title}"));
    let channels = world.dice.pick(&[vec!["bot"], vec!["page"], vec!["bot", "page"]]).clone();
    let delay = world.dice.percent(30).then(|| world.dice.millis(0, 60_000));
    let message = Message::from(vec![Module::Text { text, buttons: vec![] }]);
    let ask = Ask::Send {
        post: by_hand(&title, message, channels.into_iter().map(name).collect()),
        at: delay.map(|delay| world.clock.now() + delay),
        is_dry_run: false,
    };
    world.note(|| format!("{title} is sent by hand"));
    let answered = world.ask(ask).await;
    done.by_hand.insert(title, matches!(answered, Some(Ok(_))));
}

/// An admin's word on some post.
async fn say_word(world: &mut World, done: &mut Done) {
    if !world.is_up() {
        return;
    }
    let posts: Vec<Post> = world.store().peek(|store| store.load_posts(1_000));
    let unfinished: Vec<&Post> = posts.iter().filter(|it| !it.counts.is_finished()).collect();
    let post = if unfinished.is_empty() || world.dice.percent(10) {
        if posts.is_empty() {
            return;
        }
        world.dice.pick(&posts).id
    } else {
        world.dice.pick(&unfinished).id
    };
    let word = match world.dice.roll(10) {
        0..=3 => PostWord::Pause { why: "to look at it".to_owned() },
        4..=6 => PostWord::Resume,
        7 => PostWord::Cancel { why: "it was wrong".to_owned() },
        8 => PostWord::Rank { priority: Priority::HIGH },
        _ => {
            let uncertain = !world.extras.is_none() && world.extras.dice.percent(40);
            if uncertain {
                done.retried.insert(post);
            }
            PostWord::Retry { reasons: vec![], uncertain }
        }
    };
    world.note(|| format!("post {post}: {word:?}"));
    let answered = world.ask(Ask::Post { post, word }).await;
    world.note(|| format!("{answered:?}"));
}

async fn review(world: &mut World, done: &mut Done) {
    if !world.is_up() {
        return;
    }
    let drafts = world.store().peek(|store| store.load_drafts(1_000));
    let held: Vec<_> = drafts.into_iter().filter(|it| it.held == Some(Hold::Review)).collect();
    if held.is_empty() {
        return;
    }
    let draft = world.dice.pick(&held).id;
    let word = if world.dice.percent(80) { ReviewWord::Release } else { ReviewWord::Drop };
    done.dropped_reviews |= word == ReviewWord::Drop;
    world.note(|| format!("draft {draft}: {word:?}"));
    world.ask(Ask::Review { of: Reviewed::Draft(draft), word }).await;
}

/// Everything is well, everybody is let go, and all is waited for.
async fn finish(world: &mut World, done: &mut Done) {
    if let Some(daemon) = &world.daemon {
        daemon.store.end_at(None);
    }
    world.run_for(Duration::ZERO).await;
    world.start(None).await;
    well_again(world, done);
    let is_short = world.extras.cap.is_none();
    let time_max = if is_short { END_TIME_MAX } else { END_DAYS_MAX };
    let from = world.clock.now();
    let mut waits = "for the feeds".to_owned();
    let mut pause = Duration::from_secs(3);
    let mut pause_max = PAUSE_MAX;
    loop {
        assert!(
            world.clock.now().since(from) < time_max,
            "it does not come to its end; it waits {waits}"
        );
        assert!(world.is_up());
        let_go(world).await;
        if pause_max == PAUSE_MAX && world.feeds.iter().any(|feed| feed.served_whole() < 2) {
            // A source that failed for long would not be looked at for hours.
            let polled = world.ask(Ask::Poll { sources: vec![], is_dry_run: false }).await;
            world.note(|| format!("polled: {polled:?}"));
            continue;
        }
        world.run_for(pause).await;
        pause = (pause + pause / 4).min(pause_max);
        match (what_waits(world), deeds::carried(world)) {
            (Some(what), _) => waits = what,
            (None, carried) => {
                let Some((first, _)) = carried.first() else { return };
                waits = format!("for another day: {carried:?}");
                world.note(|| format!("it waits {waits}"));
                // Until then nothing new comes.
                world.feeds.iter().for_each(|feed| feed.serve(Manner::Rest));
                pause_max = DAYS_PAUSE_MAX;
                if sleep_over(world, *first).await {
                    pause = Duration::from_secs(3);
                }
            }
        }
    }
}

/// The daemon is away until about the hour at which something comes; answers whether it was.
async fn sleep_over(world: &mut World, until: Timestamp) -> bool {
    let wait = until.since(world.clock.now()) + world.extras.dice.millis(0, 240_000);
    let wait = wait.saturating_sub(Duration::from_secs(120));
    let is_long = wait > PAUSE_MAX;
    if is_long {
        world.stop().await;
        world.run_for(wait).await;
        world.start(None).await;
    }
    is_long
}

async fn let_go(world: &mut World) {
    deeds::let_go(world).await;
    let posts = world.store().peek(|store| store.load_posts(1_000));
    for post in posts.iter().filter(|post| post.paused.is_some() && !post.counts.is_finished()) {
        world.note(|| format!("post {} goes on", post.id));
        world.ask(Ask::Post { post: post.id, word: PostWord::Resume }).await;
    }
    let drafts = world.store().peek(|store| store.load_drafts(1_000));
    for draft in drafts.iter().filter(|draft| draft.held.is_some()) {
        world.note(|| format!("draft {} goes", draft.id));
        let (of, word) = (Reviewed::Draft(draft.id), ReviewWord::Release);
        world.ask(Ask::Review { of, word }).await;
    }
}

/// What is not done yet; `None` when all is, but for what waits for another day.
fn what_waits(world: &World) -> Option<String> {
    let store = world.store();
    let status = store.peek(|store| store.load_status());
    let answers: u64 = status.channels.iter().map(|channel| channel.answers).sum();
    let now = world.clock.now();
    let drafts = store.peek(|store| store.load_drafts(1_000));
    let due = |at: Timestamp| at < now + WAITED_FOR;
    let due = drafts.iter().filter(|draft| draft.held.is_some() || due(draft.due_at)).count();
    let (bot, page) = (name("bot"), name("page"));
    let edits = store.peek(|store| store.lease_edits(&bot, None, 1)).len()
        + store.peek(|store| store.lease_edits(&page, None, 1)).len();
    let (told, posted) = (world.telegram.updates_pending(), world.messenger.events_pending());
    let waiting = [
        ("answers", answers),
        ("events", status.events),
        ("unfinished posts", status.unfinished_posts),
        ("drafts", due as u64),
        ("edits", edits as u64),
        ("updates of Telegram", told as u64),
        ("events of Messenger", posted as u64),
    ];
    let waiting: Vec<String> = waiting
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    (!waiting.is_empty()).then(|| format!("for {}", waiting.join(", ")))
}

/// The items that a draft of a campaign names.
pub fn items_of(content: &Content) -> Option<(&str, Vec<tidings::model::item::ItemId>)> {
    match content {
        Content::Items { campaign, items, .. } => {
            Some((campaign.as_str(), items.iter().map(|told| told.item).collect()))
        }
        Content::OneOff { .. } | Content::Correction { .. } => None,
    }
}
