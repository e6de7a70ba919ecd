//! Hours of the day in fifty zones, on the days when their clocks change.
//!
//! Each zone has a campaign that gathers and one with a window. The real worker composes their
//! drafts, in virtual time, over every change of 2026; the rules alone are asked over more years.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan};
use tempfile::TempDir;
use tidings::compose::worker;
use tidings::daemon::Setup;
use tidings::model::campaign::{Campaign, ChangeKind};
use tidings::model::channel::ChannelKind;
use tidings::model::item::{Item, ItemId};
use tidings::model::post::{Content, Draft, DraftId, Told};
use tidings::model::rich::RichText;
use tidings::model::source::SourceState;
use tidings::model::time::Timestamp;
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::store::redb::open_on;
use tidings::store::{PollCommit, Store};
use tokio::time::Instant;

use crate::clockwork::{self, settle, step};
use crate::disk::Disk;
use crate::watched::Watched;
use crate::world::{name, person};

pub const ZONES: [&str; 50] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Johannesburg",
    "America/Adak",
    "America/Anchorage",
    "America/Asuncion",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Phoenix",
    "America/Port-au-Prince",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Famagusta",
    "Asia/Gaza",
    "Asia/Hebron",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Atlantic/Bermuda",
    "Atlantic/Canary",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Athens",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/Kyiv",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Norfolk",
];

/// Times of the day that gaps and repeated hours meet, and others.
const TIMES: [&str; 16] = [
    "00:00", "00:15", "00:30", "01:00", "01:30", "01:45", "02:00", "02:15", "02:30", "02:45",
    "03:00", "03:30", "05:00", "09:00", "23:30", "23:59",
];

/// The rules alone are asked for these years.
const YEARS: std::ops::RangeInclusive<i16> = 2024..=2032;

/// Around each change.
const AROUND: SignedDuration = SignedDuration::from_hours(40);

/// Changes that are less apart are looked at together.
const APART: SignedDuration = SignedDuration::from_hours(96);

/// A story comes so often.
const STORY_EVERY: Duration = Duration::from_secs(3 * 3_600);

/// Campaigns by zone: one that gathers at `time`, and one whose window opens then for an hour.
fn campaigns(time_of: impl Fn(usize) -> &'static str) -> (TempDir, Setup) {
    let folder = TempDir::new().unwrap();
    let mut text = format!(
        "data_dir = \"{0}\"\n[channels.bot]\nkind = \"telegram\"\ntoken = {{ env = \"TOKEN\" }}\n\
         [sources.blog]\nurl = \"https://blog.example.com/feed.xml\"\n",
        folder.path().display()
    );
    for (at, zone) in ZONES.iter().enumerate() {
        let time = time_of(at);
        let until = time.parse::<civil::Time>().unwrap().wrapping_add(1.hour());
        text.push_str(&format!(
            "[campaigns.d{at}]\nsend = {{ digest = \"{time}\", timezone = \"{zone}\", max_items = 100 }}\n\
             [campaigns.w{at}]\nwindow = \"{time}-{}\"\ntimezone = \"{zone}\"\n",
            until.strftime("%H:%M"),
        ));
    }
    let path = folder.path().join("tidings.toml");
    fs::write(&path, text).unwrap();
    let token = |key: &str| (key == "TOKEN").then(|| "1234:a-token-that-opens-nothing".to_owned());
    let setup = Setup::load(&path, &token).unwrap_or_else(|all| panic!("{}", all.join("\n")));
    (folder, setup)
}

/// Which of the zones it is for.
fn number_of(campaign: &Campaign) -> usize {
    campaign.name.as_str()[1..].parse().unwrap()
}

fn zone_of(campaign: &Campaign) -> TimeZone {
    TimeZone::get(ZONES[number_of(campaign)]).unwrap()
}

/// Spans around every change of the clocks in a year, in any of the zones.
fn changes(year: i16) -> Vec<(jiff::Timestamp, jiff::Timestamp)> {
    let first = civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let last = civil::date(year + 1, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let mut all: Vec<jiff::Timestamp> = ZONES
        .iter()
        .flat_map(|zone| {
            let zone = TimeZone::get(zone).unwrap();
            let changes = zone.following(first).map(|change| change.timestamp());
            changes.take_while(|at| *at < last).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    let mut spans: Vec<(jiff::Timestamp, jiff::Timestamp)> = Vec::new();
    for at in all {
        match spans.last_mut() {
            Some((_, until)) if at.duration_since(*until) < APART => *until = at + AROUND,
            _ => spans.push((at - AROUND, at + AROUND)),
        }
    }
    spans
}

/// Whole days of the zone between two instants, with some hours of room before the first.
fn whole_days(
    zone: &TimeZone,
    from: jiff::Timestamp,
    until: jiff::Timestamp,
) -> BTreeSet<civil::Date> {
    let room = SignedDuration::from_hours(4);
    let mut day = zone.to_datetime(from + room).date().tomorrow().unwrap();
    let mut days = BTreeSet::new();
    while day.tomorrow().unwrap().to_zoned(zone.clone()).unwrap().timestamp() < until {
        days.insert(day);
        day = day.tomorrow().unwrap();
    }
    days
}

/// What the rules say, asked at every instant at which something comes.
#[test]
fn rules_of_fifty_zones_fire_once_a_civil_day() {
    let mut checked = 0;
    for shift in (0..TIMES.len()).step_by(if crate::is_thorough() { 1 } else { 5 }) {
        let (_folder, setup) = campaigns(|at| TIMES[(at + shift) % TIMES.len()]);
        for (from, until) in YEARS.step_by(4).flat_map(changes) {
            for (at, campaign) in setup.config.campaigns.iter().enumerate() {
                let zone = zone_of(campaign);
                let mut fires = Vec::new();
                let mut ready = Timestamp::from_jiff(from);
                while ready.to_jiff() < until {
                    let due = campaign.timing.due(ready);
                    assert!(due >= ready);
                    if fires.last() != Some(&due) {
                        fires.push(due);
                    }
                    ready = ready + STORY_EVERY;
                }
                let days = whole_days(&zone, from, until);
                let time = TIMES[(number_of(campaign) + shift) % TIMES.len()];
                as_meant(campaign, &zone, time, &days, &fires);
                checked += days.len();
                let is_open = |fire: &Timestamp| campaign.timing.opening(*fire) == Some(*fire);
                assert!(fires.iter().all(is_open), "{at} {} {zone:?}", campaign.name);
            }
        }
    }
    assert!(checked > 5_000, "only {checked} days");
}

/// When the time of the day comes on that day: at its first pass, or at the end of the gap.
fn meant(zone: &TimeZone, day: civil::Date, time: &str) -> Timestamp {
    let at = day.to_datetime(time.parse().unwrap());
    let found = match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(at).unwrap(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(at).unwrap(),
        AmbiguousOffset::Gap { after, .. } => {
            let earlier = after.to_timestamp(at).unwrap() - SignedDuration::from_secs(1);
            zone.following(earlier).next().unwrap().timestamp()
        }
    };
    Timestamp::from_jiff(found)
}

/// Each day's hour comes once, when it is meant. A window may bring more while it is open.
fn as_meant(
    campaign: &Campaign,
    zone: &TimeZone,
    time: &str,
    days: &BTreeSet<civil::Date>,
    fires: &[Timestamp],
) {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let expected: Vec<Timestamp> = days.iter().map(|day| meant(zone, *day, time)).collect();
    let (from, until) = (meant(zone, *first, time), meant(zone, *last, time));
    let found: Vec<Timestamp> =
        fires.iter().copied().filter(|fire| (from..=until).contains(fire)).collect();
    let zone = zone.iana_name().unwrap();
    if campaign.timing.digest.is_some() {
        assert_eq!(found, expected, "{} at {time} in {zone}", campaign.name);
        return;
    }
    for fire in expected {
        // A window of an hour that is there twice is open at its second pass too.
        assert!(
            found.contains(&fire),
            "{} at {time} in {zone}: not at {fire}: {found:?}",
            campaign.name
        );
    }
}

/// The real worker, over every change of one year, in virtual time.
#[test]
fn digests_and_windows_of_fifty_zones_come_once_a_civil_day() {
    let spans = changes(2026);
    let spans = if crate::is_thorough() { &spans[..] } else { &spans[2..4] };
    for (at, (from, until)) in spans.iter().enumerate() {
        clockwork::run(compose(at, *from, *until));
    }
}

async fn compose(shift: usize, from: jiff::Timestamp, until: jiff::Timestamp) {
    let (_folder, setup) = campaigns(|at| TIMES[(at * 3 + shift) % TIMES.len()]);
    let start = Timestamp::from_jiff(from);
    let watched = Watched::new(open_on(Disk::default()).unwrap());
    let store = Arc::clone(&watched.store);
    store.import_subscribers(&name("bot"), vec![person(1, None)]).await.unwrap();
    keep_drafts(&*store, &setup.config.campaigns, start, Timestamp::from_jiff(until)).await;
    let tasks = Tasks::default();
    let clock = Clock::starting_at(start);
    let options = worker::Options {
        store: Arc::clone(&store),
        clock: clock.clone(),
        wakes: Wakes::default(),
        meters: Meters::default(),
        layouts: Arc::clone(&setup.layouts),
        campaigns: Arc::from(setup.config.campaigns.clone()),
        channels: [(name("bot"), ChannelKind::Telegram)].into(),
        files: Arc::from([]),
        archives: BTreeSet::new(),
    };
    tasks.spawn("compose", worker::run(options, tasks.stop().clone()));
    let end = clockwork::after(Timestamp::from_jiff(until).since(start));
    while Instant::now() < end {
        settle(|| watched.turns()).await;
        step(end).await;
    }
    tasks.abort();
    let posts = store.load_posts(100_000).await.unwrap();
    for campaign in &setup.config.campaigns {
        let zone = zone_of(campaign);
        let mine = posts.iter().filter(|post| post.campaign.as_ref() == Some(&campaign.name));
        let mut fires: Vec<Timestamp> = mine.map(|post| post.created_at).collect();
        fires.sort();
        let days = whole_days(&zone, from, until);
        // The timer's last millisecond.
        let whole = |fire: Timestamp| Timestamp::from_millis(fire.as_millis() / 1_000 * 1_000);
        let mut fires: Vec<Timestamp> = fires.into_iter().map(whole).collect();
        fires.dedup();
        let time = TIMES[(number_of(campaign) * 3 + shift) % TIMES.len()];
        as_meant(campaign, &zone, time, &days, &fires);
    }
}

/// What polls leave behind: stories one after the other, each with its draft.
pub async fn keep_drafts(
    store: &dyn Store,
    campaigns: &[Campaign],
    start: Timestamp,
    until: Timestamp,
) {
    let mut ready = start;
    let mut number = 0_u64;
    while ready < until {
        number += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let item = ItemId(id);
        let draft = |campaign: &Campaign| Draft {
            id: DraftId(0),
            created_at: ready,
            due_at: campaign.timing.due(ready),
            content: Content::Items {
                campaign: campaign.name.clone(),
                items: vec![Told { item, kind: ChangeKind::New, price: None }],
                stories: vec![],
            },
            held: None,
        };
        let commit = PollCommit {
            source: name("blog"),
            state: SourceState::default(),
            known: None,
            items: vec![story(item, number, start)],
            drafts: campaigns.iter().map(draft).collect(),
            shelf: None,
            names: vec![],
            corrections: vec![],
        };
        store.commit_poll(commit).await.unwrap();
        ready = ready + STORY_EVERY;
    }
}

fn story(id: ItemId, number: u64, first_seen: Timestamp) -> Item {
    Item {
        id,
        source: name("blog"),
        guid: number.to_string(),
        title: format!("Story {number}"),
        link: None,
        summary: RichText::default(),
        body: RichText::default(),
        published: None,
        updated: None,
        first_seen,
        authors: vec![],
        tags: vec![],
        language: None,
        image: None,
        media: vec![],
        offer: None,
    }
}
