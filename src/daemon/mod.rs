//! Build → start → run → drain: the only place that wires the stages and starts their tasks.
//!
//! A reload reads everything anew, and only when all of it is right stops the stages, with the
//! usual grace, and starts them again over the same ground.

mod setup;

mod ground;

mod media;

mod keys;

mod pages;

mod chat;

mod automatic;

mod editor;

mod profiles;

mod stages;

use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::runtime::reloads::Refused;
use crate::runtime::systemd;

pub use automatic::Automatic;
pub use ground::{Absent, Ground, NoStore, cautions, try_folder};
pub use profiles::facets;
pub use setup::{Setup, layouts};
pub use stages::Stages;

/// `SIGXFSZ`: a file grew past its limit. Ignored, so that the write fails instead.
const SIGXFSZ: i32 = 25;

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
    let ground = Ground::open(&setup.config, Absent::Make)?;
    let journal = ground.begin_run(&setup.config.data_dir).await?;
    let mut setup = setup;
    let mut stages = Stages::start(&ground, &journal, &setup).await?;
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
                        stages = Stages::start(&ground, &journal, &setup).await?;
                        ground.reloads.note(None);
                        tell_ready(&setup, "took up the changed settings");
                    }
                    Err(problems) => {
                        for problem in &problems {
                            let problem = problem.replace("\n  hint: ", "; hint: ");
                            tracing::error!(%problem, "the changed settings have a problem");
                        }
                        let (at, problems) = (ground.clock.now(), problems.len());
                        ground.reloads.note(Some(Refused { at, problems }));
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
    let stop = stages.signal();
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
