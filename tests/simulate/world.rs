//! Everything around one daemon, and the daemon: started, killed and started again.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tidings::admin::{client, desk::Ask};
use tidings::daemon::{Ground, Setup, Stages};
use tidings::model::name::Name;
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::runtime::chance;
use tidings::runtime::clock::Clock;
use tidings::sandbox::limit::Limit;
use tidings::sandbox::{messenger, telegram};
use tidings::store::Store;
use tidings::store::redb::open_on;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clockwork::{self, round, settle, step};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::extras::{self, Extras};
use crate::feeds::Feed;
use crate::lines::Line;
use crate::rules::{self, Rule};
use crate::settings::Settings;
use crate::site::Site;
use crate::watched::{End, Watched};

/// Longest time that an admin's question takes.
const ASK_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a graceful stop takes at most.
const GRACE: Duration = Duration::from_secs(20);
/// How long the people of Messenger may be written to from the start.
const WINDOW: Duration = Duration::from_secs(24 * 3_600);
/// What the bot has, where it may pay.
const STARS: u64 = 20_000;
/// Messenger's people are numbered from here.
const PSIDS: i64 = 7_000_000_000_000_000;

/// The running daemon.
pub struct Daemon {
    pub store: Watched,
    ground: Ground,
    stages: Stages,
}

pub struct World {
    pub dice: Dice,
    pub extras: Extras,
    pub clock: Clock,
    pub telegram: telegram::Server,
    pub messenger: messenger::Server,
    /// Requests are counted by the services when they were made, or nearly so.
    pub is_punctual: bool,
    _site: Site,
    pub feeds: Vec<Feed>,
    pub rules: Vec<Rule>,
    /// Who is imported and never does anything.
    pub steady: BTreeMap<&'static str, Vec<String>>,
    pub daemon: Option<Daemon>,
    /// Ends of the process without a word, and what was on the wire at the most at each.
    pub kills: u64,
    /// So many of them were of the whole machine.
    pub power_cuts: u64,
    pub started_at: Vec<Timestamp>,
    /// How often the time moved.
    /// Of each channel.
    pub in_flight: u64,
    /// Messages a second, of the bot and of the page.
    pub rates: (u64, u64),
    /// To the bot's service and to the page's, where they can be cut.
    pub lines: Vec<Line>,
    /// An admin's question under way.
    asking: Option<AbortHandle>,
    setup: Setup,
    disk: Disk,
    folder: TempDir,
    trace: Arc<crate::Trace>,
}

/// What a world is made of.
pub struct Plan {
    pub start: Timestamp,
    pub rules: Vec<Rule>,
    pub extras: Extras,
    /// Messages a second, of the bot and of the page.
    pub rates: (u64, u64),
    pub in_flight: u64,
    /// How long the services take.
    pub latency: (Duration, Duration),
    /// How many subscribe from the beginning, to the bot and to the page.
    pub people: (u64, u64),
    /// How many stories the feeds begin with.
    pub stories: (u64, u64),
    pub is_punctual: bool,
    /// Requests to the services go over lines that can be cut.
    pub has_lines: bool,
}

impl Plan {
    pub fn draw(dice: &mut Dice, mut extras: Extras) -> Self {
        // A day of 2026, at any second.
        let start = Timestamp::from_millis(1_767_225_600_000)
            + Duration::from_secs(dice.roll(365 * 86_400));
        let start = extras.start(start);
        let latency = |dice: &mut Dice| dice.millis(0, 3) * u32::from(dice.percent(50));
        Self {
            start,
            rates: (dice.between(4, 40), dice.between(4, 40)),
            latency: (latency(dice), latency(dice)),
            stories: (dice.roll(4), dice.roll(4)),
            rules: rules::draw(dice, start),
            extras,
            in_flight: dice.between(1, 12),
            people: (dice.between(1, 40), dice.between(1, 12)),
            is_punctual: dice.percent(50),
            has_lines: false,
        }
    }
}

impl World {
    pub async fn new(seed: u64, is_plain: bool, trace: Arc<crate::Trace>) -> Self {
        let mut dice = Dice::new(seed);
        let extras = if is_plain { Extras::none() } else { Extras::draw(seed) };
        let mut plan = Plan::draw(&mut dice, extras);
        rules::add(&mut plan.rules, &mut plan.extras);
        Self::of(plan, dice, trace).await
    }

    pub async fn of(plan: Plan, mut dice: Dice, trace: Arc<crate::Trace>) -> Self {
        let seed = dice.next();
        chance::seed(seed);
        let Plan { start, rates, .. } = plan;
        let clock = Clock::starting_at(start);
        let limit =
            |rate: u64| Some(Limit::new(u32::try_from(rate).unwrap(), Duration::from_secs(1)));
        let telegram = telegram::Server::start(telegram::Rules {
            clock: clock.clone(),
            per_bot: limit(rates.0),
            stars: plan.extras.stars.map(|_| STARS),
            latency: plan.latency.0,
            seed,
            ..telegram::Rules::default().with_documented_limits()
        });
        let telegram = telegram.await.unwrap();
        let messenger = messenger::Server::start(messenger::Rules {
            clock: clock.clone(),
            rate: limit(rates.1),
            echoes: plan.extras.lanes.as_ref().is_some_and(|lanes| lanes.has_echoes),
            latency: plan.latency.1,
            seed: !seed,
            ..messenger::Rules::default()
        });
        let messenger = messenger.await.unwrap();
        let site = Site::open("127.0.0.1").await;
        let feeds = vec![Feed::open("a", &site), Feed::open("b", &site)];
        for (feed, count) in feeds.iter().zip([plan.stories.0, plan.stories.1]) {
            for number in 0..count {
                feed.publish(format!("o{number}{}x", u32::from(feed.source == "b")));
            }
        }
        let mut lines = Vec::new();
        let mut apis = [telegram.url(), messenger.url()];
        if plan.has_lines {
            for (api, to) in apis.iter_mut().zip([telegram.address(), messenger.address()]) {
                let line = Line::open(to).await;
                *api = line.url();
                lines.push(line);
            }
        }
        let folder = TempDir::new().unwrap();
        let (in_flight, extras) = (plan.in_flight, &plan.extras);
        let settings = Settings { folder: &folder, rates, in_flight, apis, extras };
        let path = settings.write(&telegram, &messenger, &site, &plan.rules);
        let setup =
            Setup::load(&path, &|_| None).unwrap_or_else(|all| panic!("{}", all.join("\n")));
        let mut world = Self {
            dice,
            extras: plan.extras,
            clock,
            telegram,
            messenger,
            is_punctual: plan.is_punctual,
            _site: site,
            feeds,
            rules: plan.rules,
            steady: BTreeMap::new(),
            daemon: None,
            kills: 0,
            power_cuts: 0,
            started_at: Vec::new(),
            in_flight: plan.in_flight,
            rates,
            lines,
            asking: None,
            setup,
            disk: Disk::default(),
            folder,
            trace,
        };
        world.populate(start, plan.people).await;
        world
    }

    pub fn note(&self, what: impl FnOnce() -> String) {
        self.trace.note(self.clock.now(), &what());
    }

    /// People who subscribe from the beginning.
    async fn populate(&mut self, start: Timestamp, (bots, pages): (u64, u64)) {
        let bots: Vec<i64> = (1..=i64::try_from(bots).unwrap()).collect();
        let pages: Vec<i64> = (1..=i64::try_from(pages).unwrap()).map(|id| PSIDS + id).collect();
        self.telegram.open_chats(bots.clone());
        self.messenger.open_chats(pages.clone());
        let store = open_on(self.disk.clone()).unwrap();
        for (channel, ids) in [("bot", &bots), ("page", &pages)] {
            let is_page = channel == "page";
            let mut window = |id: &i64| is_page.then(|| self.window_of(*id, start)).flatten();
            let people: Vec<_> = ids.iter().map(|id| (*id, window(id))).collect();
            let people = people.into_iter().map(|(id, until)| person(id, until));
            store.import_subscribers(&name(channel), people.collect()).await.unwrap();
            self.steady.insert(channel, ids.iter().map(ToString::to_string).collect());
        }
        self.open_extras();
    }

    /// Until when somebody of the page may be written to, which both sides know.
    fn window_of(&mut self, id: i64, start: Timestamp) -> Option<Timestamp> {
        if self.extras.lanes.is_none() {
            return Some(start + WINDOW);
        }
        let until = match self.extras.dice.roll(4) {
            0 => None,
            1 => Some(start + Duration::from_secs(self.extras.dice.between(300, 1_800))),
            _ => Some(start + WINDOW),
        };
        self.messenger.ends_window(&id.to_string(), until.unwrap_or(start));
        until
    }

    /// What the services have of the extras.
    fn open_extras(&mut self) {
        if self.extras.has_reviewer {
            self.telegram.open_chats([extras::REVIEWER]);
            self.telegram.person(extras::REVIEWER, "en");
        }
        if self.extras.has_chats {
            self.telegram.open_group(extras::GROUP);
            self.telegram.open_channel(extras::BROADCAST, "news");
        }
        if self.extras.lanes.is_some() {
            self.messenger.add_template(extras::TEMPLATE, "en", 1, "APPROVED");
            for psid in self.steady["page"].clone() {
                if self.extras.dice.percent(50) {
                    self.messenger.agrees_elsewhere(&psid);
                }
            }
        }
    }

    pub fn is_up(&self) -> bool {
        self.daemon.is_some()
    }

    pub fn store(&self) -> &Watched {
        &self.daemon.as_ref().unwrap().store
    }

    /// What may show that somebody did something.
    fn seen(&self) -> impl PartialEq + use<> {
        let (telegram, messenger) = (self.telegram.ledger(), self.messenger.ledger());
        (
            self.daemon.as_ref().map_or(0, |daemon| daemon.store.turns()),
            Handle::current().metrics().num_alive_tasks(),
            (telegram.requests_total(), telegram.accepted_total(), telegram.in_flight()),
            (messenger.requests_total(), messenger.accepted_total(), messenger.in_flight()),
            (self.telegram.updates_pending(), self.messenger.events_pending()),
            self.feeds.iter().map(Feed::served).sum::<u64>(),
            self.lines.iter().map(Line::bytes).sum::<u64>(),
        )
    }

    /// Lets everything go on for so long.
    pub async fn run_for(&mut self, span: Duration) {
        let until = clockwork::after(span);
        loop {
            settle(|| self.seen()).await;
            if self.daemon.as_ref().is_some_and(|daemon| daemon.store.has_ended()) {
                self.note(|| "the process ended".to_owned());
                self.bury().await;
            }
            if Instant::now() >= until {
                return;
            }
            step(until).await;
            self.look_after();
        }
    }

    /// Nothing may end by itself.
    fn look_after(&self) {
        if let Some(daemon) = &self.daemon {
            let failed = futures_util::FutureExt::now_or_never(daemon.stages.failed());
            assert!(failed.is_none(), "a stage ended by itself");
        }
    }

    /// How much happened, in one line.
    pub fn figures(&self) -> String {
        let mut hasher = DefaultHasher::new();
        for ledger in [self.telegram.ledger(), self.messenger.ledger()] {
            for one in ledger.accepted() {
                (one.at.as_millis(), one.address, one.message_id).hash(&mut hasher);
            }
        }
        format!(
            "{} starts, {} kills, {} transactions of the last, {} and {} requests, {} and \
             {} messages, {:x} of them all",
            self.started_at.len(),
            self.kills,
            self.daemon.as_ref().map_or(0, |daemon| daemon.store.turns()),
            self.telegram.ledger().requests_total(),
            self.messenger.ledger().requests_total(),
            self.telegram.ledger().accepted_total(),
            self.messenger.ledger().accepted_total(),
            hasher.finish(),
        )
    }

    /// Starts the daemon; it may end at some verb. Does nothing when one runs.
    pub async fn start(&mut self, end: Option<End>) {
        if self.daemon.is_some() {
            return;
        }
        self.started_at.push(self.clock.now());
        self.disk = self.disk.copy();
        let store = Watched::new(open_on(self.disk.clone()).unwrap());
        store.end_at(end);
        let opened = Arc::clone(&store.store);
        let data = self.data();
        fs::create_dir_all(&data).unwrap();
        let (clock, setup) = (self.clock.clone(), &self.setup);
        let starting = async {
            let ground = Ground::over(opened, clock);
            let journal = ground.begin_run(&data).await.unwrap();
            let stages = Stages::start(&ground, &journal, setup).await.unwrap();
            (ground, stages)
        };
        let mut starting = std::pin::pin!(starting);
        loop {
            tokio::select! {
                biased;
                (ground, stages) = &mut starting => {
                    let public = stages.public.unwrap();
                    self.messenger.set_webhook(&format!("http://{public}/messenger/page"));
                    self.daemon = Some(Daemon { store, ground, stages });
                    self.note(|| "the daemon runs".to_owned());
                    return;
                }
                () = round() => {
                    if store.has_ended() {
                        self.note(|| "the process ended while starting".to_owned());
                        self.kills += 1;
                        return;
                    }
                }
            }
        }
    }

    /// The process ends where it stands.
    pub async fn bury(&mut self) {
        let Some(Daemon { store, ground, stages }) = self.daemon.take() else { return };
        self.kills += 1;
        self.disk = self.disk.copy();
        // Its line would keep open what answers it.
        if let Some(asking) = self.asking.take() {
            asking.abort();
        }
        drop(stages);
        drop(ground);
        for turn in 0..6_000 {
            if Arc::strong_count(&store.store) == 1 {
                return;
            }
            round().await;
            if turn > 100 {
                // A thread that reads a document for it comes to its end.
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        panic!("something of the daemon outlives it");
    }

    /// The machine loses its power, with a daemon or without one: what the journal held is gone.
    pub async fn lose_power(&mut self) {
        self.power_cuts += u64::from(self.daemon.is_some());
        self.bury().await;
        fs::remove_file(self.data().join("wire.journal")).ok();
    }

    /// Stops the daemon as SIGTERM does.
    pub async fn stop(&mut self) {
        let Some(Daemon { store, ground, stages }) = self.daemon.take() else { return };
        store.end_at(None);
        let stopping = tokio::spawn(stages.stop(GRACE));
        let until = clockwork::after(GRACE * 2);
        while !stopping.is_finished() {
            settle(|| self.seen()).await;
            assert!(Instant::now() < until, "it does not stop");
            step(until).await;
        }
        assert_eq!(stopping.await.unwrap(), None);
        assert!(!store.has_ended());
        self.disk = self.disk.copy();
        drop((store, ground));
        self.note(|| "the daemon stopped".to_owned());
    }

    /// Asks the daemon over its socket; `None` when it ended meanwhile or there is none.
    pub async fn ask(&mut self, ask: Ask) -> Option<Result<Value, String>> {
        self.daemon.as_ref()?;
        let socket = self.folder.path().join("admin.sock");
        let asking = tokio::spawn(async move {
            client::ask(&socket, &ask).await.map_err(|error| error.to_string())
        });
        self.asking = Some(asking.abort_handle());
        let until = clockwork::after(ASK_TIME_MAX);
        while !asking.is_finished() {
            self.run_for(Duration::ZERO).await;
            if self.daemon.is_none() || Instant::now() >= until {
                asking.abort();
                return None;
            }
            if !asking.is_finished() {
                step(until).await;
            }
        }
        Some(asking.await.unwrap())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn person(id: i64, window_until: Option<Timestamp>) -> Subscriber {
    Subscriber {
        number: 0,
        address: id.to_string(),
        language: None,
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![name("news")],
        standing: Standing::Active,
        window_until,
        joined_at: Timestamp::from_millis(0),
        changed_at: Timestamp::from_millis(0),
        default_reply_at: None,
        choices: None,
    }
}
