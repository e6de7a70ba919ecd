//! What outlives a reload: the open store, the clock, the counters.

use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
use crate::runtime::reloads::Reloads;
use crate::runtime::wakes::Wakes;
use crate::store;
use crate::store::journal::{self, Journal};
use crate::store::{Rescued, Store, files};

/// What outlives a reload, and what a command works on where no daemon runs.
#[derive(Clone)]
pub struct Ground {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub meters: Meters,
    pub reception: Reception,
    pub reloads: Reloads,
}

/// What becomes of a store that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// An empty one is made: this is the beginning.
    Make,
    /// Somebody looks in the wrong place.
    Refuse,
}

impl Ground {
    /// Opens the store.
    ///
    /// # Errors
    /// [`NoStore`] where there is none and none is to be made; otherwise when the folder or the
    /// store can't be opened. The words say what to do.
    pub fn open(config: &Config, absent: Absent) -> anyhow::Result<Self> {
        let folder = &config.data_dir;
        let path = folder.join(store::redb::FILE_NAME);
        let doing = |what: &str| format!("the data folder `{}` can't be {what}", folder.display());
        if absent == Absent::Make {
            files::make_folder(folder).with_context(|| doing("made"))?;
        } else if !std::fs::exists(&path).with_context(|| doing("looked into"))? {
            anyhow::bail!(NoStore { path });
        }
        Ok(Self::over(Arc::new(store::redb::open(&path)?), Clock::system()))
    }

    /// The same over a store that is open already, by another clock.
    pub fn over(store: Arc<dyn Store>, clock: Clock) -> Self {
        let (meters, reception, reloads) = Default::default();
        Self { store, clock, meters, reception, reloads }
    }

    /// Puts in order what the last run left on the wire, and begins the journal of this one, in
    /// `folder`.
    ///
    /// # Errors
    /// When the store or the journal fails.
    pub async fn begin_run(&self, folder: &Path) -> anyhow::Result<Arc<Journal>> {
        let (journal, wire) = Journal::open(folder)?;
        let rescued = self.store.rescue(wire).await?;
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
        Ok(Arc::new(journal))
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
            reloads: self.reloads.clone(),
        }
    }
}

/// There is no store where the settings say that it is kept.
#[derive(Debug, thiserror::Error)]
#[error("no store at `{}`: is the daemon's elsewhere?", path.display())]
pub struct NoStore {
    pub path: PathBuf,
}

/// What everybody on the machine may read of the data folder, in a line for people each.
pub fn cautions(folder: &Path) -> Vec<String> {
    [store::redb::FILE_NAME, journal::FILE_NAME]
        .into_iter()
        .filter(|name| files::is_open_to_all(folder, name))
        .map(|name| {
            let (path, folder) = (folder.join(name), folder.display());
            let path = path.display();
            format!("everybody on this machine may read `{path}`\n  hint: chmod -R go= {folder}")
        })
        .collect()
}

/// Whether the data folder can be written, or made; a doubt when another user has to, and nobody can
/// say for them.
///
/// # Errors
/// Why it can't, in a line.
pub fn try_folder(folder: &Path) -> Result<Option<String>, String> {
    let shown = folder.display();
    let mut known = folder.ancestors().filter(|it| !it.as_os_str().is_empty());
    let nearest = known.find(|it| !matches!(it.metadata(), Err(error) if error.kind() == NotFound));
    let nearest = nearest.unwrap_or(Path::new("."));
    // It has no name, so it leaves nothing behind.
    let tried = nearest.metadata().and_then(|_| tempfile::tempfile_in(nearest));
    let Err(error) = tried else { return Ok(None) };
    let ours = std::fs::metadata("/proc/self").map(|it| it.uid());
    let is_ours = matches!((nearest.metadata(), ours), (Ok(it), Ok(us)) if it.uid() == us);
    match error.kind() {
        PermissionDenied if !is_ours => Ok(Some(format!(
            "whether the daemon can write in `{shown}` was not looked at: it is another user's"
        ))),
        NotADirectory => Err(format!("`{shown}` is no folder, or stands below what is none")),
        _ => Err(format!("`{shown}` can't be written: {error}")),
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
