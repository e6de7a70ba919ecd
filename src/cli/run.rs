//! `tidings run`.

use crate::cli::{Done, EX_IOERR, Failure, Settings, environment, output, reach};
use crate::daemon::{self, Ended};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings run -c config/tidings.toml
  TIDINGS_LOG=debug tidings run
  kill -HUP PID   take up changed settings";

/// Run the daemon until SIGTERM or SIGINT.
///
/// SIGHUP takes up changed settings; if they have a problem the old ones stay in force. A second
/// SIGTERM does not wait for what is under way. Logs go to standard error; TIDINGS_LOG sets how
/// much (`warn`, `info`, `debug`).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(args: Args) -> Done {
    if let Err(error) = crate::runtime::memory::settle() {
        output::complain(&format!("warning: the allocator keeps its own settings: {error}"));
    }
    crate::runtime::telemetry::start(&environment);
    let setup = reach::load(&args.settings)?;
    for warning in &setup.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    match daemon::run(&args.settings.config, setup, &environment).await {
        Ok(Ended::Asked) => Ok(()),
        Ok(Ended::Fault(why)) => Err(Failure::new(EX_IOERR, why)),
        Err(error) => Err(Failure::new(EX_IOERR, format!("{error:#}"))),
    }
}
