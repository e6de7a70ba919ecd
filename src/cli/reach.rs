//! Reaching the desk: the running daemon's, or one of our own over the opened store.
//!
//! A daemon is found by what the sysadmin's file says of its socket, and answers whatever else has
//! become of the settings. Only where none runs are they read whole; secrets are needed only by
//! those who talk to others.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::admin::client::{self, ClientError};
use crate::admin::desk::{Ask, AskError, Desk};
use crate::cli::{EX_CONFIG, EX_IOERR, EX_UNAVAILABLE, Failure, Settings, environment, output};
use crate::config::{self, Problem, Secrets};
use crate::daemon::{Absent, Ground, NoStore, Setup};
use crate::store::redb::FILE_NAME;

/// The answer, and whether a daemon gave it.
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) is_by_daemon: bool,
}

/// The settings of somebody who uses no secrets, all problems told at once.
pub(super) fn load(settings: &Settings) -> Result<Setup, Failure> {
    load_with(settings, Secrets::LeftAlone)
}

/// The settings, all problems told at once.
pub(super) fn load_with(settings: &Settings, secrets: Secrets) -> Result<Setup, Failure> {
    look(settings, secrets).map_err(|problems| refusal(settings, &problems))
}

/// The settings, or all that is wrong with them.
pub(super) fn look(settings: &Settings, secrets: Secrets) -> Result<Setup, Vec<Problem>> {
    Setup::load_with(&settings.config, &environment, secrets)
}

/// The problems for people.
pub(super) fn refusal(settings: &Settings, problems: &[Problem]) -> Failure {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if !settings.config.exists() {
        let hint = "`--config FILE` names another; `tidings sandbox` needs none";
        lines.push(format!("  hint: {hint}"));
        return Failure::new(EX_CONFIG, lines.join("\n"));
    }
    Failure::problems(&lines)
}

/// Where the daemon of the settings listens, if it runs.
pub(super) fn socket(settings: &Settings) -> Result<PathBuf, Failure> {
    match config::admin_socket(&settings.config, &environment) {
        Some(socket) => Ok(socket),
        None => Ok(load(settings)?.config.listen.admin.clone()),
    }
}

/// Asks the daemon; `None` when none runs.
pub(super) async fn ask_at(socket: &Path, question: &Ask) -> Result<Option<Value>, Failure> {
    match client::ask(socket, question).await {
        Ok(value) => Ok(Some(value)),
        Err(ClientError::NotRunning { .. }) => Ok(None),
        Err(error @ ClientError::Told(_)) => Err(Failure::new(1, error)),
        Err(error) => Err(Failure::new(EX_UNAVAILABLE, error)),
    }
}

/// Asks the daemon if one runs, else the store itself.
pub(super) async fn ask(settings: &Settings, question: Ask) -> Result<Answered, Failure> {
    if let Some(value) = ask_at(&socket(settings)?, &question).await? {
        return Ok(Answered { value, is_by_daemon: true });
    }
    // Sources are others to talk to, and the first poll may be the first thing of all.
    let (secrets, absent) = match question {
        Ask::Poll { .. } => (Secrets::Needed, Absent::Make),
        _ => (Secrets::LeftAlone, Absent::Refuse),
    };
    let setup = load_with(settings, secrets)?;
    let desk = open(&setup, absent)?.desk(&setup, output::tell_progress);
    let value = desk.answer(question).await.map_err(untold)?;
    Ok(Answered { value, is_by_daemon: false })
}

/// Opens the store where no daemon has it.
pub(super) fn open(setup: &Setup, absent: Absent) -> Result<Ground, Failure> {
    let path = setup.config.data_dir.join(FILE_NAME);
    if absent == Absent::Make && !path.exists() {
        output::complain(&format!("a new store: {}", path.display()));
    }
    Ground::open(&setup.config, absent).map_err(|error| match error.is::<NoStore>() {
        true => {
            let hint = "set `data_dir` and `listen.admin` as the daemon has them; `tidings run` \
                        makes the store";
            Failure::new(EX_UNAVAILABLE, format!("{error}\n  hint: {hint}"))
        }
        false => Failure::new(EX_IOERR, format!("{error:#}")),
    })
}

fn untold(error: AskError) -> Failure {
    match error {
        AskError::Store(error) => Failure::new(EX_IOERR, error),
        other => Failure::new(1, other),
    }
}

/// Somebody to ask more than once: the daemon, or a desk of our own over the store, which stays
/// open so long.
pub(super) struct Line {
    socket: PathBuf,
    own: Option<Desk>,
}

impl Line {
    /// Opens the store if no daemon runs.
    pub(super) async fn open(settings: &Settings, absent: Absent) -> Result<Self, Failure> {
        let socket = socket(settings)?;
        if client::is_there(&socket).await {
            return Ok(Self { socket, own: None });
        }
        let setup = load(settings)?;
        let own = Some(open(&setup, absent)?.desk(&setup, output::tell_progress));
        Ok(Self { socket, own })
    }

    pub(super) async fn ask(&self, question: Ask) -> Result<Value, Failure> {
        let Some(desk) = &self.own else {
            let gone = || Failure::new(EX_UNAVAILABLE, "the daemon has stopped: say it again");
            return ask_at(&self.socket, &question).await?.ok_or_else(gone);
        };
        desk.answer(question).await.map_err(untold)
    }
}
