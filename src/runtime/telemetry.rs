//! The log: to standard error, levels by `TIDINGS_LOG` or `RUST_LOG` (default `info`).
//!
//! Under systemd lines carry no time of their own, and a priority that journald understands is
//! left to it; `TIDINGS_LOG_FORMAT=json` writes one object a line.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// The level where none is wanted.
const DEFAULT: &str = "info";

/// Directives that always hold: what these crates say in detail can hold addresses with tokens.
const QUIET: [&str; 4] = ["hyper=warn", "hyper_util=warn", "reqwest=warn", "rustls=warn"];

/// Starts the log for the whole process; a second call does nothing.
pub fn start(environment: &dyn Fn(&str) -> Option<String>) {
    let named = ["TIDINGS_LOG", "RUST_LOG"]
        .iter()
        .find_map(|name| Some((*name, environment(name).filter(|it| !it.trim().is_empty())?)));
    let wanted = named.as_ref().map_or(DEFAULT, |(_, wanted)| wanted.as_str());
    let understood = directives(wanted);
    let mut filter = understood
        .as_deref()
        .and_then(|all| EnvFilter::try_new(all).ok())
        .unwrap_or_else(|| EnvFilter::new(DEFAULT));
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
    if let (Some((variable, wanted)), None) = (named, understood) {
        tracing::warn!(
            variable,
            %wanted,
            "the level of the log is not understood (error, warn, info, debug or trace): it is `info`"
        );
    }
}

/// What the filter takes for the wanted levels; `None` for what it would take for the name of a
/// part of the program, and then be silent of all others.
fn directives(wanted: &str) -> Option<String> {
    let one = |directive: &str| {
        let directive = directive.trim();
        if directive.eq_ignore_ascii_case("warning") {
            return Some("warn".to_owned());
        }
        let is_level = directive.parse::<LevelFilter>().is_ok();
        let names_part = directive.contains(['=', '[']) || directive.starts_with("tidings");
        (is_level || names_part).then(|| directive.to_owned())
    };
    let all: Option<Vec<String>> =
        wanted.split(',').filter(|it| !it.trim().is_empty()).map(one).collect();
    let all = all?.join(",");
    (!all.is_empty() && EnvFilter::try_new(&all).is_ok()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_silences_nothing() {
        for (wanted, expected) in [
            ("info", Some("info")),
            ("DEBUG", Some("DEBUG")),
            ("WARNING", Some("warn")),
            ("warn, tidings::poll=debug", Some("warn,tidings::poll=debug")),
            ("tidings=trace", Some("tidings=trace")),
            ("off", Some("off")),
            ("inof", None),
            ("verbose", None),
            ("tidings=loud", None),
            ("info,hyper", None),
            (",", None),
        ] {
            assert_eq!(directives(wanted).as_deref(), expected, "{wanted}");
        }
    }
}
