//! What outlives a reload: the open store, the journal, the clock, the counters.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::admin::desk::{Desk, PollNow};
use crate::config::Config;
use crate::daemon::setup::Setup;
use crate::model::channel::ChannelKind;
use crate::model::choice::URGENT_FROM;
use crate::poll;
use crate::poll::egress::{self, Guard};
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::reception::Reception;
use crate::runtime::wakes::Wakes;
use crate::store;
use crate::store::journal::Journal;
use crate::store::{Rescued, Store};

/// What outlives a reload.
#[derive(Clone)]
pub struct Ground {
    pub store: Arc<dyn Store>,
    pub journal: Arc<Journal>,
    pub clock: Clock,
    pub meters: Meters,
    pub reception: Reception,
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
        let opened: Arc<dyn Store> =
            Arc::new(store::redb::open(&folder.join(store::redb::FILE_NAME))?);
        Self::over(opened, folder, Clock::system()).await
    }

    /// The same over a store that is open already, with its journal in `folder`, by another clock.
    ///
    /// # Errors
    /// When the store or the journal fails.
    pub async fn over(store: Arc<dyn Store>, folder: &Path, clock: Clock) -> anyhow::Result<Self> {
        let (journal, wire) = Journal::open(folder)?;
        let rescued = store.rescue(wire).await?;
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
        let (meters, reception) = (Meters::default(), Reception::default());
        Ok(Self { store, journal, clock, meters, reception })
    }

    /// A desk for commands that run without a daemon: it polls by itself, and tells how many polls
    /// of how many have ended after each.
    pub fn desk(&self, setup: &Setup, told: fn(usize, usize)) -> Desk {
        let (ground, config) = (self.clone(), Arc::clone(&setup.config));
        let poll: PollNow = Arc::new(move |names, is_dry| {
            let mut options = poll_options(&ground, &config, Wakes::default());
            options.sources.retain(|source| names.contains(&source.name));
            let (mut done, all) = (0, options.sources.len());
            Box::pin(async move {
                let mut count = |_: &poll::worker::PollReport| {
                    done += 1;
                    told(done, all);
                };
                poll::worker::poll_once(options, is_dry, &mut count)
                    .await
                    .map(|reports| serde_json::json!({ "polls": reports }))
                    .map_err(|error| error.to_string())
            })
        });
        self.desk_with(setup, Wakes::default(), poll)
    }

    pub(crate) fn desk_with(&self, setup: &Setup, wakes: Wakes, poll: PollNow) -> Desk {
        Desk {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            wakes,
            poll,
            sources: setup.config.sources.iter().map(|one| one.name.clone()).collect(),
            topics: setup.config.topics.keys().cloned().collect(),
            campaigns: setup.config.campaigns.iter().map(|one| one.name.clone()).collect(),
            urgent: setup
                .config
                .campaigns
                .iter()
                .filter(|one| one.priority >= URGENT_FROM)
                .map(|one| one.name.clone())
                .collect(),
            audiences: setup
                .config
                .campaigns
                .iter()
                .map(|one| (one.name.clone(), one.whom()))
                .collect(),
            timings: setup
                .config
                .campaigns
                .iter()
                .filter(|one| one.timing.by_reader)
                .map(|one| (one.name.clone(), one.timing.clone()))
                .collect(),
            rules: setup.rules(),
            channels: setup.kinds(),
            days: setup.config.days.clone(),
            caps: setup.config.caps.clone(),
            reception: self.reception.clone(),
        }
    }
}

pub(crate) fn poll_options(
    ground: &Ground,
    config: &Config,
    wakes: Wakes,
) -> poll::worker::Options {
    let fetch = &config.fetch;
    poll::worker::Options {
        store: Arc::clone(&ground.store),
        clock: ground.clock.clone(),
        wakes,
        meters: ground.meters.clone(),
        sources: config.sources.clone(),
        campaigns: Arc::from(config.campaigns.clone()),
        windowed: config
            .channels
            .iter()
            .filter(|channel| channel.kind() == ChannelKind::Messenger)
            .map(|channel| channel.name.clone())
            .collect(),
        guard: Guard {
            allow_networks: fetch.allow_networks.clone(),
            ports: fetch.ports.clone(),
            own: egress::own_addresses(),
        },
        limits: poll::fetch::Limits {
            total: fetch.timeout,
            wire_bytes: usize::try_from(fetch.wire_bytes_max).unwrap_or(usize::MAX),
            decoded_bytes: fetch.decoded_bytes_max,
            bulk_wire_bytes: fetch.catalog_bytes_max,
            bulk_decoded_bytes: fetch.catalog_bytes_max.saturating_mul(2),
            ..poll::fetch::Limits::default()
        },
        items_max: fetch.items_max,
        user_agent: fetch.user_agent.clone(),
        connections: fetch.connections,
        per_host: fetch.per_host,
        host_pause: fetch.host_pause,
        floor: fetch.floor,
        folder: Arc::from(config.data_dir.as_path()),
        asks: None,
        push: None,
    }
}
