//! `tidings sandbox`.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cli::{Done, EX_IOERR, Failure, environment, output};
use crate::daemon::{self, Ended, Setup};
use crate::sandbox::{Options, World};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings sandbox
  tidings sandbox --listen 127.0.0.1:0 --interval 2";

/// Try everything without account, token or network.
///
/// Starts stand-ins for Telegram and Messenger, a demo blog that gains a post every few seconds,
/// and the real daemon on a temporary store; then open the printed address: it shows two phones.
/// Write `/start`, tap buttons, watch posts arrive. The second address is the page that people
/// subscribe on, the third the one on which forms for other sites are made. Ctrl-C ends it and leaves nothing behind.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Where the page with the phones listens.
    #[arg(long, default_value = "127.0.0.1:8990", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Seconds between new posts of the demo blog.
    #[arg(long, default_value_t = 6, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
}

pub(super) async fn run(args: Args) -> Done {
    crate::runtime::telemetry::start(&environment);
    let options =
        Options { listen: args.listen, interval: Some(Duration::from_secs(args.interval)) };
    let world = World::start(options).await.map_err(|error| {
        let hint = "hint: `--listen 127.0.0.1:0` takes a free port";
        Failure::new(1, format!("the sandbox did not start: {error}\n  {hint}"))
    })?;
    let path = world.settings_path();
    let setup =
        Setup::load(&path, &environment).map_err(|problems| Failure::problems(&problems))?;
    output::say(&format!("open {} in a browser; Ctrl-C ends it", world.url()));
    output::say(&format!("people subscribe at {}", world.page_url()));
    output::say(&format!("forms for sites are made at {}", world.editor_url()));
    match daemon::run(&path, setup, &environment).await {
        Ok(Ended::Asked) => Ok(()),
        Ok(Ended::Fault(why)) => Err(Failure::new(EX_IOERR, why)),
        Err(error) => Err(Failure::new(EX_IOERR, format!("{error:#}"))),
    }
}
