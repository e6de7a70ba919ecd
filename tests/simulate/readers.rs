//! Campaigns that go by their readers' own clocks: each reader gets each hour once, whatever their
//! clocks do, whoever moves, and wherever the process ends.
//!
//! The real worker composes in virtual time over changes of the clocks; the store's lines are asked
//! for every instant at which somebody is to get something.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil;
use tempfile::TempDir;
use tidings::compose::worker;
use tidings::daemon::Setup;
use tidings::model::campaign::Campaign;
use tidings::model::channel::ChannelKind;
use tidings::model::lane::Ways;
use tidings::model::post::{Outcome, Post, Receipt, Settled};
use tidings::model::subscriber::Subscriber;
use tidings::model::time::Timestamp;
use tidings::model::zone::{Wall, Zone};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::store::redb::open_on;
use tidings::store::{Advance, Store};
use tokio::time::Instant;

use crate::clockwork::{self, settle, step};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::hours::{ZONES, keep_drafts};
use crate::watched::{End, Watched};
use crate::world::{name, person};

/// The people of one store: one in each of the zones, the last one has told none.
fn people() -> Vec<Subscriber> {
    let zones = ZONES.iter().map(|zone| Zone::exactly(zone)).chain([None]);
    let one = |(at, timezone)| Subscriber { timezone, ..person(at, None) };
    (1..).zip(zones).map(one).collect()
}

fn setup(keys: &str) -> (TempDir, Setup) {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "data_dir = \"{}\"\ntimezone = \"Europe/Rome\"\n[channels.bot]\nkind = \"telegram\"\n\
         token = {{ env = \"TOKEN\" }}\n[sources.blog]\nurl = \"https://blog.example.com/feed.xml\"\n\
         [campaigns.c]\n{keys}\n",
        folder.path().display()
    );
    let path = folder.path().join("tidings.toml");
    fs::write(&path, text).unwrap();
    let token = |key: &str| (key == "TOKEN").then(|| "1234:a-token-that-opens-nothing".to_owned());
    let setup = Setup::load(&path, &token).unwrap_or_else(|all| panic!("{}", all.join("\n")));
    (folder, setup)
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_jiff(text.parse().unwrap())
}

/// A world of its own: a store, and the worker that may end anywhere.
struct World {
    disk: Disk,
    clock: Clock,
    setup: Setup,
    _folder: TempDir,
}

impl World {
    async fn new(keys: &str, start: Timestamp, until: Timestamp) -> Self {
        let (folder, setup) = setup(keys);
        let world = Self {
            disk: Disk::default(),
            clock: Clock::starting_at(start),
            setup,
            _folder: folder,
        };
        let store = Watched::new(open_on(world.disk.clone()).unwrap()).store;
        store.import_subscribers(&name("bot"), people()).await.unwrap();
        keep_drafts(&*store, &world.setup.config.campaigns, start, until).await;
        world
    }

    fn rule(&self) -> &Campaign {
        &self.setup.config.campaigns[0]
    }

    /// Composes until then, or until the process ends; answers whether it went on to the end.
    async fn compose(&mut self, until: Timestamp, end: Option<End>) -> bool {
        let watched = Watched::new(open_on(self.disk.clone()).unwrap());
        watched.end_at(end);
        let tasks = Tasks::default();
        let options = worker::Options {
            store: Arc::clone(&watched.store),
            clock: self.clock.clone(),
            wakes: Wakes::default(),
            meters: Meters::default(),
            layouts: Arc::clone(&self.setup.layouts),
            campaigns: Arc::from(self.setup.config.campaigns.clone()),
            channels: [(name("bot"), ChannelKind::Telegram)].into(),
            files: Arc::from([]),
            archives: BTreeSet::new(),
        };
        tasks.spawn("compose", worker::run(options, tasks.stop().clone()));
        let last = clockwork::after(until.since(self.clock.now()));
        while Instant::now() < last && !watched.has_ended() {
            settle(|| watched.turns()).await;
            // Nothing is left that would wake anybody before the end.
            if watched.has_ended() {
                break;
            }
            step(last).await;
        }
        tasks.abort();
        let has_ended = watched.has_ended();
        self.disk = self.disk.copy();
        !has_ended
    }

    fn store(&self) -> Arc<dyn Store> {
        Watched::new(open_on(self.disk.copy()).unwrap()).store
    }
}

/// Who is in which posts, by their numbers.
async fn posts_of(store: &dyn Store) -> BTreeMap<u32, Vec<Post>> {
    let mut found = BTreeMap::<u32, Vec<Post>>::new();
    for post in store.load_posts(100_000).await.unwrap() {
        for (number, _) in store.load_outcomes(post.id, &name("bot")).await.unwrap() {
            found.entry(number).or_default().push(post.clone());
        }
    }
    found
}

/// The clocks of somebody, as the settings say where they have told none.
fn clocks_of(person: &Subscriber) -> jiff::tz::TimeZone {
    let rest = Zone::exactly("Europe/Rome").unwrap();
    person.timezone.as_ref().unwrap_or(&rest).clocks().unwrap()
}

/// Everybody has each of the hours once, when their own clock comes to it.
async fn has_each_hour_once(world: &World, hour: civil::Time, days: &BTreeSet<civil::Date>) {
    let store = world.store();
    let posts = posts_of(&*store).await;
    for (number, person) in (0..).zip(people()) {
        let clocks = clocks_of(&person);
        let mine = posts.get(&number).map_or(&[][..], Vec::as_slice);
        let mut walls: Vec<Wall> = Vec::new();
        for post in mine {
            let zoned = post.zoned.as_ref().unwrap();
            let wall = zoned.wall.unwrap();
            assert_eq!(wall.on(&clocks), Some(zoned.opens_at), "{wall} of {person:?}");
            assert!(post.created_at <= zoned.opens_at + Duration::from_secs(1), "{wall}");
            assert_eq!(wall.civil().time(), hour);
            walls.push(wall);
        }
        walls.sort();
        let of_days: BTreeSet<civil::Date> =
            walls.iter().map(|wall| wall.civil().date()).filter(|day| days.contains(day)).collect();
        assert_eq!(&of_days, days, "of {person:?}");
        let count = walls.len();
        walls.dedup();
        assert_eq!(walls.len(), count, "an hour twice for {person:?}");
    }
}

fn days(from: civil::Date, count: usize) -> BTreeSet<civil::Date> {
    std::iter::successors(Some(from), |day| day.tomorrow().ok()).take(count).collect()
}

#[test]
fn readers_of_fifty_zones_get_each_hour_once_by_their_own_clocks() {
    // Over the changes in America, and in Europe two weeks later.
    let spans = [("2026-03-06T00:00:00Z", 5), ("2026-03-27T00:00:00Z", 5)];
    for (from, count) in spans {
        for time in ["09:00", "02:30"] {
            clockwork::run(async {
                let (start, first) = (at(from), from[..10].parse::<civil::Date>().unwrap());
                let until = start + Duration::from_secs(86_400 * (count + 1));
                let keys = format!(
                    "send = {{ digest = \"{time}\", timezone = \"subscriber\", max_items = 100 }}"
                );
                let mut world = World::new(&keys, start, until).await;
                assert!(world.compose(until, None).await);
                let whole = days(first.tomorrow().unwrap(), usize::try_from(count - 1).unwrap());
                has_each_hour_once(&world, time.parse().unwrap(), &whole).await;
            });
        }
    }
}

#[test]
fn wherever_the_process_ends_nobody_gets_an_hour_twice_or_misses_one() {
    let seeds = if crate::is_thorough() { 60 } else { 6 };
    for seed in 0..seeds {
        clockwork::run(async {
            let start = at("2026-10-23T00:00:00Z");
            let until = start + Duration::from_secs(86_400 * 4);
            let keys = "send = { digest = \"09:00\", timezone = \"subscriber\", max_items = 100 }";
            let mut world = World::new(keys, start, until).await;
            let mut dice = Dice::new(seed);
            let mut ends = 0;
            while world.clock.now() < until {
                let turns = match dice.percent(50) {
                    true => dice.between(1, 30),
                    false => dice.between(30, 3_000),
                };
                let end = End { turns, is_done: dice.percent(50) };
                ends += u32::from(!world.compose(until, Some(end)).await);
            }
            assert!(ends > 3, "it ended {ends} times only");
            let whole = days(civil::date(2026, 10, 24), 2);
            has_each_hour_once(&world, civil::time(9, 0, 0, 0), &whole).await;
        });
    }
}

#[test]
fn who_moves_after_a_post_was_made_stays_in_it() {
    clockwork::run(async {
        let start = at("2026-11-27T00:00:00Z");
        let keys = "send = { digest = \"09:00\", timezone = \"subscriber\", max_items = 100 }";
        let until = start + Duration::from_secs(86_400 * 3);
        let mut world = World::new(keys, start, until).await;
        // Saturday's posts were made when it was nine in Auckland and Chatham.
        assert!(world.compose(at("2026-11-27T22:00:00Z"), None).await);
        let number = u32::try_from(ZONES.len()).unwrap();
        let moved = |zone: &str| Zone::exactly(zone);
        {
            let store = Watched::new(open_on(world.disk.clone()).unwrap()).store;
            let people = store.load_people(&name("bot"), vec![number]).await.unwrap();
            move_person(&*store, &people[0], moved("Pacific/Kiritimati")).await;
        }
        world.disk = world.disk.copy();
        assert!(world.compose(until, None).await);
        let store = world.store();
        let posts = posts_of(&*store).await;
        let mut hours: Vec<(String, String)> = posts[&number]
            .iter()
            .map(|post| post.zoned.as_ref().unwrap())
            .map(|zoned| (zoned.wall.unwrap().to_string(), zoned.opens_at.to_string()))
            .collect();
        hours.sort();
        let expected = [
            // Saturday's by the clocks of the settings; then by those of Kiritimati.
            ("2026-11-28 09:00", "2026-11-28T08:00:00Z"),
            ("2026-11-29 09:00", "2026-11-28T19:00:00Z"),
            ("2026-11-30 09:00", "2026-11-29T19:00:00Z"),
        ];
        let expected = expected.map(|(wall, at)| (wall.to_owned(), at.to_owned()));
        assert_eq!(hours, expected);
    });
}

/// Somebody tells their time zone.
async fn move_person(store: &dyn Store, person: &Subscriber, timezone: Option<Zone>) {
    use tidings::model::event::{Deed, Event};
    use tidings::store::ConversationCommit;

    let event = Event {
        channel: name("bot"),
        id: "1".into(),
        at: person.changed_at,
        address: person.address.clone(),
        language: None,
        first_name: None,
        deed: Deed::Said { text: "/timezone".into() },
    };
    store.commit_events(vec![event], None, person.changed_at).await.unwrap();
    let event = store.lease_events(1).await.unwrap()[0].0;
    let commit = ConversationCommit {
        event,
        channel: name("bot"),
        subscriber: Some(Subscriber { timezone, ..person.clone() }),
        consent: None,
        answers: vec![],
        releases_held: false,
    };
    store.commit_conversation(commit).await.unwrap();
}

#[test]
fn what_goes_at_once_waits_for_each_readers_own_window() {
    clockwork::run(async {
        let start = at("2026-11-27T00:00:00Z");
        let keys = "window = \"08:00-20:00\"\ntimezone = \"subscriber\"";
        let until = start + Duration::from_secs(86_400);
        let mut world = World::new(keys, start, until).await;
        assert!(world.rule().timing.by_reader);
        assert!(world.compose(until, None).await);
        let store = world.store();
        let posts = posts_of(&*store).await;
        for (number, person) in (0..).zip(people()) {
            let clocks = clocks_of(&person);
            // A story came every three hours.
            assert_eq!(posts[&number].len(), 8, "{person:?}");
            for post in &posts[&number] {
                let zoned = post.zoned.as_ref().unwrap();
                let time = clocks.to_datetime(zoned.opens_at.to_jiff()).time();
                assert!((8..20).contains(&time.hour()), "{time} for {person:?}");
                assert_eq!(post.opens_at(zoned.opens_at), None);
                // At eight in the evening on their clocks nobody gets it any more.
                let evening = clocks.to_datetime(zoned.opens_at.to_jiff()).date().at(20, 0, 0, 0);
                let evening = Wall::of(evening).on(&clocks).unwrap();
                assert!(post.opens_at(evening).is_some());
            }
        }
    });
}

#[test]
fn a_post_is_claimed_at_its_readers_hour_and_not_when_it_is_too_late() {
    clockwork::run(async {
        let start = at("2026-11-27T00:00:00Z");
        let keys = "misfire = \"2h\"\nsend = { digest = \"09:00\", timezone = \"subscriber\" }";
        let mut world = World::new(keys, start, start + Duration::from_secs(3_600)).await;
        // The only story is gathered for Saturday, when it is nine on the Chatham Islands first.
        assert!(world.compose(at("2026-11-27T19:16:00Z"), None).await);
        let store = world.store();
        let mut claimed = BTreeMap::new();
        let mut now = at("2026-11-27T19:15:00Z");
        // The daemon is away from six to ten in the morning in UTC.
        let away = at("2026-11-28T06:00:00Z")..at("2026-11-28T10:00:00Z");
        let mut receipts = vec![];
        while now < at("2026-11-29T00:00:00Z") {
            if !away.contains(&now) {
                let step = Advance {
                    channel: name("bot"),
                    receipts: std::mem::take(&mut receipts),
                    claims: 1_000,
                    resting: vec![],
                    caps: None,
                    ways: Ways::default(),
                    now,
                };
                for claim in store.advance(step).await.unwrap() {
                    assert!(claimed.insert(claim.recipient.number, now).is_none());
                    receipts.push(Receipt {
                        ticket: claim.ticket,
                        settled: Settled::Done(Outcome::Sent),
                        part: 0,
                        standing: None,
                        moved_to: None,
                        window_closed: false,
                        error: None,
                        kept: None,
                    });
                }
            }
            now = now + Duration::from_secs(900);
        }
        let nine = Wall::of(civil::date(2026, 11, 28).at(9, 0, 0, 0));
        for (number, person) in (0..).zip(people()) {
            let hour = nine.on(&clocks_of(&person)).unwrap();
            let expected = match away.contains(&hour) {
                true if away.end.since(hour) > Duration::from_secs(2 * 3_600) => None,
                true => Some(away.end),
                false => Some(hour),
            };
            assert_eq!(claimed.get(&number).copied(), expected, "{person:?}");
        }
    });
}
