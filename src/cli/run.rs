//! `tidings run`.

use crate::cli::{Done, EX_IOERR, Failure, Settings, environment, output, reach};
use crate::config::Secrets;
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
/// much (`error`, `warn`, `info`, `debug`, `trace`), and TIDINGS_LOG_FORMAT=json writes an object a
/// line.
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
    let setup = reach::load_with(&args.settings, Secrets::Needed)?;
    for warning in &setup.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    for caution in daemon::cautions(&setup.config.data_dir) {
        output::complain(&format!("warning: {caution}"));
    }
    match daemon::run(&args.settings.config, setup, &environment).await {
        Ok(Ended::Asked) => {
            // The store is closed by now.
            tracing::info!("stopped");
            Ok(())
        }
        Ok(Ended::Fault(why)) => Err(Failure::new(EX_IOERR, why)),
        Err(error) => Err(Failure::new(EX_IOERR, format!("{error:#}"))),
    }
}
