//! The log: to standard error, levels by `TIDINGS_LOG` or `RUST_LOG` (default `info`).
//!
//! Under systemd lines carry no time of their own, and a priority that journald understands is
//! left to it; `TIDINGS_LOG_FORMAT=json` writes one object a line.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Directives that always hold: what these crates say in detail can hold addresses with tokens.
const QUIET: [&str; 4] = ["hyper=warn", "hyper_util=warn", "reqwest=warn", "rustls=warn"];

/// Starts the log for the whole process; a second call does nothing.
pub fn start(environment: &dyn Fn(&str) -> Option<String>) {
    let wanted = environment("TIDINGS_LOG").or_else(|| environment("RUST_LOG"));
    let mut filter = EnvFilter::try_new(wanted.as_deref().unwrap_or("info"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    for directive in QUIET {
        if let Ok(directive) = directive.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let is_json = environment("TIDINGS_LOG_FORMAT").as_deref() == Some("json");
    let is_journal = environment("JOURNAL_STREAM").is_some();
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let started = if is_json {
        tracing_subscriber::registry().with(filter).with(lines.json()).try_init()
    } else if is_journal {
        tracing_subscriber::registry()
            .with(filter)
            .with(lines.without_time().with_ansi(false))
            .try_init()
    } else {
        let colour = std::io::stderr().is_terminal();
        tracing_subscriber::registry().with(filter).with(lines.with_ansi(colour)).try_init()
    };
    // The first log of the process stays; tests start several.
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            // Its words could hold what a document says: only the place is told.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "a panic");
        }));
    }
}
