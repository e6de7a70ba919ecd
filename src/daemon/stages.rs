//! The stages wired to each other, and started as tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::admin::desk::PollNow;
use crate::admin::door;
use crate::channel::{Channel, messenger, telegram};
use crate::config::{Config, Service, Updates};
use crate::converse::watching::{ProductKeys, Watchable};
use crate::daemon::chat;
use crate::daemon::editor;
use crate::daemon::ground::{Ground, poll_options};
use crate::daemon::keys;
use crate::daemon::media;
use crate::daemon::pages;
use crate::daemon::profiles;
use crate::daemon::setup::Setup;
use crate::deliver::limiter::Limits;
use crate::deliver::market::{self, MarketRule};
use crate::extract::{self, link};
use crate::listen::announce::News;
use crate::listen::callers::Proxies;
use crate::listen::webhooks::Door;
use crate::model::campaign::Campaign;
use crate::model::channel::ChannelKind;
use crate::model::lane::Ways;
use crate::model::name::Name;
use crate::model::secret::SecretString;
use crate::runtime::pushes::Pushes;
use crate::runtime::shutdown::{Stop, Tasks};
use crate::runtime::wakes::Wakes;
use crate::store::journal::Journal;
use crate::{compose, converse, deliver, listen, maintain, poll};

/// Questions of the command line that wait for the poll worker.
const POLL_ASKS_MAX: usize = 16;

/// The stages at work. Dropping them without [`Stages::stop`] ends them where they stand.
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
    pub async fn start(
        ground: &Ground,
        journal: &Arc<Journal>,
        setup: &Setup,
    ) -> anyhow::Result<Self> {
        let config = &setup.config;
        // From here on: when a door or a client fails, what runs already is ended with it.
        let mut stages = Self { tasks: Tasks::default(), public: None };
        let tasks = stages.tasks.clone();
        let stop = tasks.stop().clone();
        let wakes = Wakes::new(config.channels.iter().map(|one| one.name.clone()));
        let channels = channels(config)?;
        let campaigns: Arc<[Campaign]> = Arc::from(config.campaigns.clone());
        let (asks_tx, asks) = mpsc::channel(POLL_ASKS_MAX);
        let mut polling = poll_options(ground, config, wakes.clone());
        polling.asks = Some(asks);

        let admin = door::bind(&config.listen.admin)
            .await
            .with_context(|| format!("`listen.admin`: `{}`", config.listen.admin.display()))?;
        let public = match &config.listen.public {
            Some(address) => Some(
                std::net::TcpListener::bind(address)
                    .with_context(|| format!("`listen.public`: `{address}`"))?,
            ),
            None => None,
        };
        let editor = editor::bind(config)?;
        stages.public = public.as_ref().map(|listener| listener.local_addr()).transpose()?;

        let pushes = match &config.listen.public_url {
            Some(callback) if public.is_some() && config.sources.iter().any(|it| it.websub) => {
                let (pushes, rings) = Pushes::new(keys::hubs(&config.data_dir)?);
                expect_hubs(&pushes, ground, config).await?;
                let callback = callback.clone();
                // Who may be asked more often may be told more often.
                let pause = poll::push::PAUSE.min(config.fetch.floor);
                let push = poll::push::Push { pushes: pushes.clone(), rings, callback, pause };
                polling.push = Some(push);
                Some(pushes)
            }
            _ => None,
        };
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
                    archives: config.archives.clone(),
                    files: Arc::from(config.posts.clone()),
                },
                stop.clone(),
            ),
        );
        let downloads = media::downloads(ground, config)?;
        let caps = config.caps.clone().map(Arc::new);
        for settings in &config.channels {
            let Some(channel) = channels.get(&settings.name) else { continue };
            let bell = wakes.channels.get(&settings.name).cloned();
            let ways = look_out(ground, config, settings, channel, &tasks).await?;
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
                        journal: Arc::clone(journal),
                        clock: ground.clock.clone(),
                        meters: ground.meters.clone(),
                        bell: bell.unwrap_or_else(|| Arc::new(Notify::new())),
                        limits,
                        in_flight: settings.in_flight,
                        caps: caps.clone(),
                        paid: settings.paid.map(|paid| deliver::paid::Options {
                            rate: paid.rate,
                            budget: paid.budget,
                            days: config.days.clone(),
                        }),
                        downloads: Some(downloads.clone()),
                        ways,
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
                    words: chat::words(config),
                    layouts: Arc::clone(&setup.layouts),
                    topics: config.topics.keys().cloned().collect(),
                    choosing: chat::choosing(config),
                    shelves: chat::shelves(config),
                    channels: channels.clone(),
                    reviewers: config
                        .campaigns
                        .iter()
                        .map(|one| (one.name.clone(), one.reach.reviewers.clone()))
                        .collect(),
                    asks: asked(config),
                    watchable: watchable(config),
                },
                stop.clone(),
            ),
        );
        if let Some(options) = chat::reminders(ground, setup, &wakes) {
            tasks.spawn("reminders", converse::reminders::run(options, stop.clone()));
        }
        let public = public.map(|listener| (listener, pushes));
        start_listening(ground, config, &channels, public, &wakes, &tasks);
        if let Some(listener) = editor {
            editor::start(listener, config, &tasks);
        }
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
                    folder: Arc::from(config.data_dir.as_path()),
                },
                stop,
            ),
        );
        Ok(stages)
    }

    /// Resolves when a stage has ended by itself and the stop has begun.
    pub async fn failed(&self) {
        self.tasks.stop().begin.cancelled().await;
    }

    /// What tells the tasks to stop.
    pub(crate) fn signal(&self) -> Stop {
        self.tasks.stop().clone()
    }

    /// Begin, grace, force; answers what went wrong first, if a stage ended by itself.
    pub async fn stop(self, grace: Duration) -> Option<String> {
        self.tasks.clone().drain(grace).await
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

/// Makes known which hubs were asked in earlier runs, before the first of them can knock.
async fn expect_hubs(pushes: &Pushes, ground: &Ground, config: &Config) -> anyhow::Result<()> {
    for (name, state) in ground.store.load_sources().await? {
        let is_told = config.sources.iter().any(|source| source.name == name && source.websub);
        if let (Some(hub), true) = (state.hub, is_told) {
            pushes.expect(&name, &hub.url, &hub.topic);
        }
    }
    Ok(())
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

/// What a channel can do, as it is known now, and who looks out for what it can do later.
async fn look_out(
    ground: &Ground,
    config: &Config,
    settings: &crate::config::Channel,
    channel: &Channel,
    tasks: &Tasks,
) -> anyhow::Result<watch::Receiver<Ways>> {
    let (Service::Messenger { held_for, marketing, .. }, Channel::Messenger(client)) =
        (&settings.service, channel)
    else {
        return Ok(watch::channel(Ways::default()).1);
    };
    let of_channel = config.campaigns.iter().filter(|it| it.channels.contains(&settings.name));
    let templates = of_channel
        .filter_map(|campaign| campaign.utility.as_ref())
        .map(|utility| (utility.template.clone(), utility.language.clone()))
        .collect();
    let marketing = marketing.as_ref().map(|it| MarketRule {
        campaign: it.campaign.clone(),
        cost: it.cost,
        spend_max: it.spend_max,
        per: it.per,
    });
    let state = ground.store.load_market(&settings.name).await?;
    let now = ground.clock.now();
    let known = market::ways_known(*held_for, marketing.as_ref(), &templates, &state, now);
    let (ways_tx, ways) = watch::channel(known);
    if marketing.is_some() || !templates.is_empty() {
        let options = market::Options {
            name: settings.name.clone(),
            client: client.clone(),
            store: Arc::clone(&ground.store),
            clock: ground.clock.clone(),
            ways: ways_tx,
            marketing,
            templates,
        };
        let name = format!("lanes {}", settings.name);
        tasks.spawn(name, market::run(options, tasks.stop().clone()));
    }
    Ok(ways)
}

/// Which products can be watched.
fn watchable(config: &Config) -> Watchable {
    let watched = config.sources.iter().filter(|source| source.watch);
    let mut sources: Vec<Name> = watched.map(|source| source.name.clone()).collect();
    sources.sort();
    let link =
        |text: &str| link::absolute(text.trim()).map(|url| extract::keys::link_key(&url, false));
    let form = |id: &str| extract::keys::product(id).map(extract::keys::narrow);
    Watchable::new(sources, ProductKeys { product: extract::keys::product, form, link })
}

/// Where people are asked about marketing messages.
fn asked(config: &Config) -> BTreeMap<Name, String> {
    let ask = |channel: &crate::config::Channel| match &channel.service {
        Service::Messenger { marketing: Some(marketing), .. } => {
            Some((channel.name.clone(), marketing.ask.clone()?))
        }
        _ => None,
    };
    config.channels.iter().filter_map(ask).collect()
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
            Service::Messenger { version, page_id, page_token, app_secret, marketing, .. } => {
                let with_token = |page_token: &SecretString| {
                    messenger::api::Client::new(messenger::api::Settings {
                        api: api.clone(),
                        version: version.clone(),
                        page_id: page_id.clone(),
                        page_token: page_token.clone(),
                        app_secret: app_secret.clone(),
                        time_max: crate::channel::wire::EXCHANGE_TIME_MAX,
                    })
                };
                let client = with_token(page_token)?;
                Channel::Messenger(match marketing {
                    Some(marketing) => {
                        let token = marketing.token.as_ref().unwrap_or(page_token);
                        client.with_market(with_token(token)?, &marketing.ad_account)
                    }
                    None => client,
                })
            }
        };
        channels.insert(settings.name.clone(), Arc::new(channel));
    }
    Ok(channels)
}

/// The public door, if there is one, and for each channel the way its updates come.
fn start_listening(
    ground: &Ground,
    config: &Config,
    channels: &BTreeMap<Name, Arc<Channel>>,
    public: Option<(std::net::TcpListener, Option<Pushes>)>,
    wakes: &Wakes,
    tasks: &Tasks,
) {
    let mut doors = Vec::new();
    for settings in &config.channels {
        let channel = settings.name.clone();
        let client = channels.get(&channel).map(Arc::as_ref);
        if let Some(client) = client {
            let client = match client {
                Channel::Telegram(client) => listen::profile::Client::Telegram(client.clone()),
                Channel::Messenger(client) => listen::profile::Client::Messenger(client.clone()),
            };
            let facets = profiles::facets(config, settings);
            let (channel, store) = (channel.clone(), Arc::clone(&ground.store));
            let name = format!("profile {channel}");
            let options = listen::profile::Options {
                channel,
                client,
                store,
                facets,
                are_all: settings.profile,
            };
            tasks.spawn(name, listen::profile::run(options, tasks.stop().clone()));
        }
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
                announce(ground, &channel, news, tasks);
            }
            (Service::Telegram { .. }, Some(Channel::Telegram(client))) => {
                let options = listen::polling::Options {
                    store: Arc::clone(&ground.store),
                    clock: ground.clock.clone(),
                    wakes: wakes.clone(),
                    meters: ground.meters.clone(),
                    channel: channel.clone(),
                    client: client.clone(),
                    reception: ground.reception.clone(),
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
                announce(ground, &channel, News::Page { client: client.clone() }, tasks);
            }
            _ => {}
        }
    }
    if let Some((listener, pushes)) = public {
        for channel in pages::nameless(config) {
            let Some(Channel::Telegram(client)) = channels.get(&channel).map(Arc::as_ref) else {
                continue;
            };
            let store = Arc::clone(&ground.store);
            let options =
                listen::naming::Options { channel: channel.clone(), client: client.clone(), store };
            let stop = tasks.stop().clone();
            tasks.spawn(format!("name {channel}"), listen::naming::run(options, stop));
        }
        let options = listen::Options {
            store: Arc::clone(&ground.store),
            clock: ground.clock.clone(),
            wakes: wakes.clone(),
            listener,
            doors,
            public_url: config.listen.public_url.clone(),
            pushes,
            invites: pages::invites(config),
            archives: pages::archives(config),
            embeds: pages::embeds(config),
            meters: ground.meters.clone(),
            limits: listen::server::Limits {
                proxies: Proxies::new(config.listen.trusted_proxies.clone()),
                ..listen::server::Limits::default()
            },
        };
        tasks.spawn("listen", listen::run(options, tasks.stop().clone()));
    }
}

fn announce(ground: &Ground, channel: &Name, news: News, tasks: &Tasks) {
    let options = listen::announce::Options {
        channel: channel.clone(),
        news,
        clock: ground.clock.clone(),
        reception: ground.reception.clone(),
        look_interval: listen::announce::LOOK_INTERVAL,
    };
    let stop = tasks.stop().clone();
    tasks.spawn(format!("announce {channel}"), listen::announce::run(options, stop));
}
