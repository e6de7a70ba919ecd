//! Reaching the desk: the running daemon's, or one of our own over the opened store.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::admin::client::{self, ClientError};
use crate::admin::desk::{Ask, AskError, Desk};
use crate::cli::{EX_CONFIG, EX_IOERR, EX_UNAVAILABLE, Failure, Settings, environment, output};
use crate::daemon::{Ground, Setup};

/// The answer, and whether a daemon gave it.
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) is_by_daemon: bool,
}

/// The settings, all problems told at once.
pub(super) fn load(settings: &Settings) -> Result<Setup, Failure> {
    Setup::load(&settings.config, &environment).map_err(|mut problems| {
        if !settings.config.exists() {
            let hint = "`--config FILE` names another; `tidings sandbox` needs none";
            problems.push(format!("  hint: {hint}"));
            return Failure::new(EX_CONFIG, problems.join("\n"));
        }
        Failure::problems(&problems)
    })
}

/// Asks the daemon; `None` when none runs.
pub(super) async fn ask_daemon(setup: &Setup, question: &Ask) -> Result<Option<Value>, Failure> {
    ask_at(&setup.config.listen.admin, question).await
}

async fn ask_at(socket: &Path, question: &Ask) -> Result<Option<Value>, Failure> {
    match client::ask(socket, question).await {
        Ok(value) => Ok(Some(value)),
        Err(ClientError::NotRunning { .. }) => Ok(None),
        Err(error @ ClientError::Told(_)) => Err(Failure::new(1, error)),
        Err(error) => Err(Failure::new(EX_UNAVAILABLE, error)),
    }
}

/// Asks the daemon if one runs, else the store itself.
pub(super) async fn ask(settings: &Settings, question: Ask) -> Result<Answered, Failure> {
    let setup = load(settings)?;
    if let Some(value) = ask_daemon(&setup, &question).await? {
        return Ok(Answered { value, is_by_daemon: true });
    }
    let ground =
        Ground::open(&setup.config).await.map_err(|error| Failure::new(EX_IOERR, error))?;
    let desk = ground.desk(&setup, output::tell_progress);
    let value = desk.answer(question).await.map_err(|error| match error {
        AskError::Store(error) => Failure::new(EX_IOERR, error),
        other => Failure::new(1, other),
    })?;
    Ok(Answered { value, is_by_daemon: false })
}

/// Somebody to ask more than once: the daemon, or a desk of our own over the store, which stays
/// open so long.
pub(super) struct Line {
    socket: PathBuf,
    own: Option<Desk>,
}

impl Line {
    /// Opens the store if no daemon runs.
    pub(super) async fn open(setup: &Setup) -> Result<Self, Failure> {
        let socket = setup.config.listen.admin.clone();
        if client::is_there(&socket).await {
            return Ok(Self { socket, own: None });
        }
        let ground =
            Ground::open(&setup.config).await.map_err(|error| Failure::new(EX_IOERR, error))?;
        let own = Some(ground.desk(setup, output::tell_progress));
        Ok(Self { socket, own })
    }

    pub(super) async fn ask(&self, question: Ask) -> Result<Value, Failure> {
        let Some(desk) = &self.own else {
            let gone = || Failure::new(EX_UNAVAILABLE, "the daemon has stopped: say it again");
            return ask_at(&self.socket, &question).await?.ok_or_else(gone);
        };
        desk.answer(question).await.map_err(|error| match error {
            AskError::Store(error) => Failure::new(EX_IOERR, error),
            other => Failure::new(1, other),
        })
    }
}
