//! Build → start → run → drain: the only place that wires the stages and starts their tasks.
//!
//! What outlives a reload is the [`Ground`]: the open store, the journal, the clock, the counters.
//! A reload reads everything anew, and only when all of it is right stops the stages, with the
//! usual grace, and starts them again over the same ground.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::admin::desk::{Desk, PollNow};
use crate::admin::door;
use crate::channel::{Channel, messenger, telegram};
use crate::config::{self, Config, Service, Texts, Updates};
use crate::converse::words::{Saying, Words};
use crate::deliver::limiter::Limits;
use crate::listen::announce::News;
use crate::listen::webhooks::Door;
use crate::model::campaign::Campaign;
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::poll::egress::{self, Guard};
use crate::render::Layouts;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::shutdown::Tasks;
use crate::runtime::systemd;
use crate::runtime::wakes::Wakes;
use crate::store::journal::Journal;

use crate::store::{Rescued, Store};
use crate::{compose, converse, deliver, listen, maintain, poll, store};

/// The store's file within `data_dir`.
pub const STORE_FILE: &str = "store.redb";

/// Questions of the command line that wait for the poll worker.
const POLL_ASKS_MAX: usize = 16;

/// `SIGXFSZ`: a file grew past its limit. Ignored, so that the write fails instead.
const SIGXFSZ: i32 = 25;

/// Settings and layouts that fit each other.
pub struct Setup {
    pub config: Arc<Config>,
    pub layouts: Arc<Layouts>,
    pub warnings: Vec<String>,
}

impl Setup {
    /// Reads everything that can be wrong before the store is opened.
    ///
    /// # Errors
    /// Every problem of every file, one line or two each.
    pub fn load(
        path: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<String>> {
        let mut compiled = Err(Vec::new());
        let mut names = |folder: &Path| {
            compiled = compile(folder);
            let layouts = compiled.as_ref().ok()?;
            Some(layouts.names().into_iter().cloned().collect())
        };
        let loaded = config::load(path, environment, &mut names);
        let (loaded, layouts) = match (loaded, compiled) {
            (Ok(loaded), Ok(layouts)) => (loaded, layouts),
            (loaded, compiled) => {
                let mut problems = loaded.err().map_or_else(Vec::new, |all| shown(&all));
                problems.extend(compiled.err().into_iter().flatten());
                return Err(problems);
            }
        };
        Ok(Self {
            config: Arc::new(loaded.config),
            layouts: Arc::new(layouts),
            warnings: shown(&loaded.warnings),
        })
    }

    fn kinds(&self) -> BTreeMap<Name, ChannelKind> {
        self.config.channels.iter().map(|one| (one.name.clone(), one.kind())).collect()
    }
}

fn shown(problems: &[impl ToString]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// The folder's layouts; a folder that is not there has none, and the built-in ones serve.
fn compile(folder: &Path) -> Result<Layouts, Vec<String>> {
    let unread = |error: std::io::Error| vec![format!("{}: {error}", folder.display())];
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(unread)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(unread(error)),
    };
    let mut files = Vec::new();
    for path in entries.iter().map(std::fs::DirEntry::path) {
        if path.extension().is_some_and(|extension| extension == "html") {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| vec![format!("{}: {error}", path.display())])?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Layouts::compile(files).map_err(|problems| shown(&problems))
}

/// What outlives a reload.
#[derive(Clone)]
pub struct Ground {
    pub store: Arc<dyn Store>,
    pub journal: Arc<Journal>,
    pub clock: Clock,
    pub meters: Meters,
}

impl Ground {
    /// Opens the store and puts in order what the last run left on the wire.
    ///
    /// # Errors
    /// When the folder, the store or the journal can't be opened; the words say what to do.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let folder = &config.data_dir;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the data folder `{}` can't be made", folder.display()))?;
        let opened: Arc<dyn Store> = Arc::new(store::redb::open(&folder.join(STORE_FILE))?);
        let (journal, wire) = Journal::open(folder)?;
        let rescued = opened.rescue(wire).await?;
        journal.begin_run()?;
        if rescued != Rescued::default() {
            tracing::info!(
                settled = rescued.settled,
                returned = rescued.returned,
                uncertain = rescued.uncertain,
                resent = rescued.resent,
                "put in order what was on the wire when the last run ended"
            );
        }
        let journal = Arc::new(journal);
        let clock = Clock::system();
        Ok(Self { store: opened, journal, clock, meters: Meters::default() })
    }

    /// A desk for commands that run without a daemon: it polls by itself.
    pub fn desk(&self, setup: &Setup) -> Desk {
        let (ground, config) = (self.clone(), Arc::clone(&setup.config));
        let poll: PollNow = Arc::new(move |names, is_dry| {
            let mut options = poll_options(&ground, &config, Wakes::default());
            options.sources.retain(|source| names.contains(&source.name));
            Box::pin(async move {
                poll::worker::poll_once(options, is_dry, &mut |_| {})
                    .await
                    .map(|reports| serde_json::json!({ "polls": reports }))
                    .map_err(|error| error.to_string())
            })
        });
        self.desk_with(setup, Wakes::default(), poll)
    }

    fn desk_with(&self, setup: &Setup, wakes: Wakes, poll: PollNow) -> Desk {
        Desk {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            wakes,
            poll,
            sources: setup.config.sources.iter().map(|one| one.name.clone()).collect(),
            topics: setup.config.topics.keys().cloned().collect(),
            channels: setup.kinds(),
        }
    }
}

/// Polls by asking the poll worker, which alone keeps each host's pause.
fn ask_worker(asks: mpsc::Sender<poll::worker::Ask>) -> PollNow {
    Arc::new(move |sources, is_dry| {
        let asks = asks.clone();
        Box::pin(async move {
            let stopping = || "the daemon is stopping".to_owned();
            let (answer, answered) = oneshot::channel();
            let ask = poll::worker::Ask { sources, is_dry, answer };
            asks.send(ask).await.map_err(|_| stopping())?;
            let reports = answered.await.map_err(|_| stopping())?;
            Ok(serde_json::json!({ "polls": reports }))
        })
    })
}

fn poll_options(ground: &Ground, config: &Config, wakes: Wakes) -> poll::worker::Options {
    let fetch = &config.fetch;
    poll::worker::Options {
        store: Arc::clone(&ground.store),
        clock: ground.clock.clone(),
        wakes,
        meters: ground.meters.clone(),
        sources: config.sources.clone(),
        campaigns: Arc::from(config.campaigns.clone()),
        guard: Guard {
            allow_networks: fetch.allow_networks.clone(),
            ports: fetch.ports.clone(),
            own: egress::own_addresses(),
        },
        limits: poll::fetch::Limits {
            total: fetch.timeout,
            wire_bytes: usize::try_from(fetch.wire_bytes_max).unwrap_or(usize::MAX),
            decoded_bytes: fetch.decoded_bytes_max,
            ..poll::fetch::Limits::default()
        },
        items_max: fetch.items_max,
        user_agent: fetch.user_agent.clone(),
        connections: fetch.connections,
        per_host: fetch.per_host,
        host_pause: fetch.host_pause,
        floor: fetch.floor,
        asks: None,
    }
}

/// The stages at work.
pub struct Stages {
    tasks: Tasks,
    /// Where the public door listens, if there is one.
    pub public: Option<std::net::SocketAddr>,
}

impl Stages {
    /// Starts every stage.
    ///
    /// # Errors
    /// When a door can't be opened or a client can't be built; nothing runs then.
    pub async fn start(ground: &Ground, setup: &Setup) -> anyhow::Result<Self> {
        let config = &setup.config;
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        let wakes = Wakes::new(config.channels.iter().map(|one| one.name.clone()));
        let channels = channels(config)?;
        let campaigns: Arc<[Campaign]> = Arc::from(config.campaigns.clone());
        let (asks_tx, asks) = mpsc::channel(POLL_ASKS_MAX);
        let mut polling = poll_options(ground, config, wakes.clone());
        polling.asks = Some(asks);

        let admin = door::bind(&config.listen.admin)
            .await
            .with_context(|| format!("the admin socket `{}`", config.listen.admin.display()))?;
        let public = match &config.listen.public {
            Some(address) => Some(
                std::net::TcpListener::bind(address)
                    .with_context(|| format!("the public address `{address}`"))?,
            ),
            None => None,
        };
        let public_at = public.as_ref().map(|listener| listener.local_addr()).transpose()?;

        tasks.spawn("poll", poll::worker::run(polling, stop.clone()));
        tasks.spawn(
            "compose",
            compose::worker::run(
                compose::worker::Options {
                    store: Arc::clone(&ground.store),
                    clock: ground.clock.clone(),
                    wakes: wakes.clone(),
                    meters: ground.meters.clone(),
                    layouts: Arc::clone(&setup.layouts),
                    campaigns,
                    channels: setup.kinds(),
                },
                stop.clone(),
            ),
        );
        for settings in &config.channels {
            let Some(channel) = channels.get(&settings.name) else { continue };
            let bell = wakes.channels.get(&settings.name).cloned();
            let limits = match settings.kind() {
                ChannelKind::Telegram => Limits::telegram(settings.rate),
                ChannelKind::Messenger => Limits::messenger(settings.rate),
            };
            tasks.spawn(
                format!("deliver {}", settings.name),
                deliver::worker::run(
                    deliver::worker::Options {
                        name: settings.name.clone(),
                        channel: Arc::clone(channel),
                        store: Arc::clone(&ground.store),
                        journal: Arc::clone(&ground.journal),
                        clock: ground.clock.clone(),
                        meters: ground.meters.clone(),
                        bell: bell.unwrap_or_else(|| Arc::new(Notify::new())),
                        limits,
                        in_flight: settings.in_flight,
                    },
                    stop.clone(),
                ),
            );
        }
        tasks.spawn(
            "converse",
            converse::worker::run(
                converse::worker::Options {
                    store: Arc::clone(&ground.store),
                    clock: ground.clock.clone(),
                    wakes: wakes.clone(),
                    words: words(config),
                    topics: config.topics.keys().cloned().collect(),
                    channels: setup.kinds(),
                },
                stop.clone(),
            ),
        );
        start_listening(ground, config, &channels, public, &wakes, &tasks);
        tasks.spawn(
            "maintain",
            maintain::run(
                maintain::Options { store: Arc::clone(&ground.store), clock: ground.clock.clone() },
                stop.clone(),
            ),
        );
        tasks.spawn(
            "admin",
            door::run(
                door::Options {
                    listener: admin,
                    desk: ground.desk_with(setup, wakes, ask_worker(asks_tx)),
                    meters: ground.meters.clone(),
                },
                stop,
            ),
        );
        Ok(Self { tasks, public: public_at })
    }

    /// Resolves when a stage has ended by itself and the stop has begun.
    pub async fn failed(&self) {
        self.tasks.stop().begin.cancelled().await;
    }

    /// Begin, grace, force; answers what went wrong first, if a stage ended by itself.
    pub async fn stop(self, grace: Duration) -> Option<String> {
        self.tasks.drain(grace).await
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// By a signal.
    Asked,
    /// A stage could not go on.
    Fault(String),
}

/// Runs until SIGTERM or SIGINT, or until a stage fails.
///
/// # Errors
/// When the store, a door or a client can't be opened.
pub async fn run(
    path: &Path,
    setup: Setup,
    environment: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Ended> {
    let mut signals = Signals::new()?;
    let ground = Ground::open(&setup.config).await?;
    let mut setup = setup;
    let mut stages = Stages::start(&ground, &setup).await?;
    tell_ready(&setup, "tidings is running");
    let watchdog = systemd::watchdog_interval();
    loop {
        tokio::select! {
            () = stages.failed() => {
                let why = drain(stages, setup.config.grace, &mut signals).await;
                return Ok(Ended::Fault(why.unwrap_or_else(|| "a stage ended".to_owned())));
            }
            word = signals.next() => {
                if word == Word::Stop {
                    tracing::info!("stopping");
                    return Ok(match drain(stages, setup.config.grace, &mut signals).await {
                        None => Ended::Asked,
                        Some(why) => Ended::Fault(why),
                    });
                }
                systemd::reloading();
                match reload(path, &setup, environment) {
                    Ok(fresh) => {
                        if let Some(why) = stages.stop(setup.config.grace).await {
                            return Ok(Ended::Fault(why));
                        }
                        setup = fresh;
                        stages = Stages::start(&ground, &setup).await?;
                        tell_ready(&setup, "took up the changed settings");
                    }
                    Err(problems) => {
                        for problem in &problems {
                            let problem = problem.replace("\n  hint: ", "; hint: ");
                            tracing::error!(%problem, "the changed settings have a problem");
                        }
                        tell_ready(&setup, "kept the old settings: the changed ones have problems");
                    }
                }
            }
            () = async { tokio::time::sleep(watchdog.unwrap_or_default()).await },
                if watchdog.is_some() =>
            {
                // Who watches wants to know that work is possible, not that a timer ticks.
                if ground.store.next_draft_at().await.is_ok() {
                    systemd::alive();
                }
            }
        }
    }
}

/// The changed settings, if they can take the place of those in force.
fn reload(
    path: &Path,
    old: &Setup,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Setup, Vec<String>> {
    let fresh = Setup::load(path, environment)?;
    if fresh.config.data_dir == old.config.data_dir {
        Ok(fresh)
    } else {
        Err(vec!["data_dir: the store can't move while the daemon runs: restart it".to_owned()])
    }
}

/// Drains the stages; a second signal does not wait any longer.
async fn drain(stages: Stages, grace: Duration, signals: &mut Signals) -> Option<String> {
    systemd::stopping(grace + Duration::from_secs(5));
    let stop = stages.tasks.stop().clone();
    let drained = stages.stop(grace);
    tokio::pin!(drained);
    loop {
        tokio::select! {
            why = &mut drained => return why,
            word = signals.next() => {
                if word == Word::Stop {
                    tracing::warn!("asked again: not waiting for what is under way");
                    stop.force.cancel();
                }
            }
        }
    }
}

fn tell_ready(setup: &Setup, what: &str) {
    let config = &setup.config;
    systemd::ready(&format!(
        "{} sources, {} campaigns, {} channels",
        config.sources.len(),
        config.campaigns.len(),
        config.channels.len()
    ));
    tracing::info!(
        sources = config.sources.len(),
        campaigns = config.campaigns.len(),
        channels = config.channels.len(),
        "{what}"
    );
}

/// What the sysadmin wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Stop,
    Reload,
}

/// The signals that mean something to us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Caught only so that its default action, to kill, does not happen.
    _file_size: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    async fn next(&mut self) -> Word {
        tokio::select! {
            _ = self.terminate.recv() => Word::Stop,
            _ = self.interrupt.recv() => Word::Stop,
            _ = self.hangup.recv() => Word::Reload,
        }
    }
}

/// A client for each channel.
fn channels(config: &Config) -> anyhow::Result<BTreeMap<Name, Arc<Channel>>> {
    let mut channels = BTreeMap::new();
    for settings in &config.channels {
        let api = settings.api.clone();
        let channel = match &settings.service {
            Service::Telegram { token, .. } => {
                Channel::Telegram(telegram::api::Client::new(telegram::api::Settings {
                    api,
                    token: token.clone(),
                    time_max: crate::channel::wire::EXCHANGE_TIME_MAX,
                })?)
            }
            Service::Messenger { version, page_id, page_token, app_secret, .. } => {
                Channel::Messenger(messenger::api::Client::new(messenger::api::Settings {
                    api,
                    version: version.clone(),
                    page_id: page_id.clone(),
                    page_token: page_token.clone(),
                    app_secret: app_secret.clone(),
                    time_max: crate::channel::wire::EXCHANGE_TIME_MAX,
                })?)
            }
        };
        channels.insert(settings.name.clone(), Arc::new(channel));
    }
    Ok(channels)
}

fn words(config: &Config) -> Words {
    let messages = &config.messages;
    Words {
        welcome: saying(&messages.welcome),
        goodbye: saying(&messages.goodbye),
        default_reply: saying(&messages.default_reply),
        stop_label: Saying::new(&[("en", "Stop"), ("ro", "Oprește")]),
        start_label: Saying::new(&[("en", "Start again"), ("ro", "Începe din nou")]),
    }
}

fn saying(texts: &Texts) -> Saying {
    let mut all = vec![(String::new(), texts.default.clone())];
    all.extend(texts.languages.iter().map(|(language, text)| (language.clone(), text.clone())));
    Saying { texts: all }
}

/// The public door, if there is one, and for each channel the way its updates come.
fn start_listening(
    ground: &Ground,
    config: &Config,
    channels: &BTreeMap<Name, Arc<Channel>>,
    public: Option<std::net::TcpListener>,
    wakes: &Wakes,
    tasks: &Tasks,
) {
    let mut doors = Vec::new();
    for settings in &config.channels {
        let channel = settings.name.clone();
        let client = channels.get(&channel).map(Arc::as_ref);
        match (&settings.service, client) {
            (
                Service::Telegram { updates: Updates::Webhook { secret }, .. },
                Some(Channel::Telegram(client)),
            ) => {
                doors.push(Door::Telegram { channel: channel.clone(), secret: secret.clone() });
                let Some(base) = &config.listen.public_url else { continue };
                let mut url = base.clone();
                url.set_path(&format!("{}/telegram/{channel}", base.path().trim_end_matches('/')));
                let news = News::Webhook { client: client.clone(), url, secret: secret.clone() };
                announce(&channel, news, tasks);
            }
            (Service::Telegram { .. }, Some(Channel::Telegram(client))) => {
                let options = listen::polling::Options {
                    store: Arc::clone(&ground.store),
                    clock: ground.clock.clone(),
                    wakes: wakes.clone(),
                    meters: ground.meters.clone(),
                    channel: channel.clone(),
                    client: client.clone(),
                    patience: listen::polling::PATIENCE,
                };
                let stop = tasks.stop().clone();
                tasks.spawn(format!("updates {channel}"), listen::polling::run(options, stop));
            }
            (
                Service::Messenger { page_id, app_secret, verify_token, .. },
                Some(Channel::Messenger(client)),
            ) => {
                doors.push(Door::Messenger {
                    channel: channel.clone(),
                    page_id: page_id.clone(),
                    app_secret: app_secret.clone(),
                    verify_token: verify_token.clone(),
                });
                announce(&channel, News::Page { client: client.clone() }, tasks);
            }
            _ => {}
        }
    }
    if let Some(listener) = public {
        let options = listen::Options {
            store: Arc::clone(&ground.store),
            clock: ground.clock.clone(),
            wakes: wakes.clone(),
            listener,
            doors,
            meters: ground.meters.clone(),
            limits: listen::server::Limits::default(),
        };
        tasks.spawn("listen", listen::run(options, tasks.stop().clone()));
    }
}

fn announce(channel: &Name, news: News, tasks: &Tasks) {
    let options = listen::announce::Options { channel: channel.clone(), news };
    let stop = tasks.stop().clone();
    tasks.spawn(format!("announce {channel}"), listen::announce::run(options, stop));
}
