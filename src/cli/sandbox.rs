//! `tidings sandbox`.

use std::net::SocketAddr;

use crate::cli::{Done, Failure, environment, output};
use crate::sandbox;

/// Try everything without account, token or network.
///
/// Starts stand-ins for Telegram and Messenger, a demo blog that gains a post every few seconds,
/// and the real daemon on a temporary store; then open the printed address: it shows two phones.
/// Write `/start`, tap buttons, watch posts arrive. Ctrl-C ends it and leaves nothing behind.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the page with the phones listens.
    #[arg(long, default_value = "127.0.0.1:8990", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Seconds between new posts of the demo blog.
    #[arg(long, default_value_t = 6, value_name = "SECONDS")]
    interval: u64,
}

pub(super) async fn run(args: Args) -> Done {
    crate::runtime::telemetry::start(&environment);
    let world = sandbox::Options { listen: args.listen, interval: args.interval };
    sandbox::run(world, &|line| output::say(line))
        .await
        .map_err(|error| Failure::new(1, format!("{error:#}")))
}
