//! The command line, one file a command. Only here and in `main` is anything printed.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 it did
//! not work, 2 wrong use, 65 the document is none, 69 a needed part is not there, 74 the disk or
//! the store failed, 78 the settings have a problem.

mod output;

mod reach;

mod channel;

mod check;

mod discover;

mod export;

mod extract;

mod flood;

mod events;

mod import;

mod layout;

mod paste;

mod poll;

mod posts;

mod drafts;

mod scheduled;

mod audience;

mod backup;

mod preview;

mod qr;

mod replay;

mod report;

mod origins;

mod run;

mod sandbox;

mod select;

mod send;

mod status;

mod subscribers;

mod watches;

mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Where the settings are looked for when nothing says where.
const CONFIG_DEFAULT: &str = "/etc/tidings/tidings.toml";

/// Brings the news of feeds, pages and shops to people where they chat.
///
/// Try it without any account: `tidings sandbox`. For real: write /etc/tidings/tidings.toml, look
/// at it with `tidings check`, and start `tidings run`.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// The words of each command stand at its `Args`; words here would take their place.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Check(check::Args),
    Discover(discover::Args),
    Import(import::Args),
    Export(export::Args),
    Extract(extract::Args),
    Replay(replay::Args),
    Poll(poll::Args),
    Preview(preview::Args),
    Layout(layout::Args),
    Send(send::Args),
    Status(status::Args),
    Posts(posts::Args),
    Channel(channel::Args),
    Subscribers(subscribers::Args),
    Report(report::Args),
    Why(why::Args),
    Watches(watches::Args),
    Flood(flood::Args),
    Events(events::Args),
    Qr(qr::Args),
    Backup(backup::Args),
    Sandbox(sandbox::Args),
}

/// Which settings a command works with.
#[derive(Clone, Debug, clap::Args)]
struct Settings {
    /// The sysadmin's file.
    #[arg(long, short, global = true, value_name = "FILE", env = "TIDINGS_CONFIG",
          default_value = CONFIG_DEFAULT)]
    config: PathBuf,
}

/// Why a command ends without success, and with which exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    /// Lines for standard error.
    words: String,
}

/// The settings have a problem (`EX_CONFIG`).
const EX_CONFIG: u8 = 78;
/// The disk or the store failed (`EX_IOERR`).
const EX_IOERR: u8 = 74;
/// A part that is needed is not there (`EX_UNAVAILABLE`).
const EX_UNAVAILABLE: u8 = 69;
/// The data is not what it should be (`EX_DATAERR`).
const EX_DATAERR: u8 = 65;

impl Failure {
    fn new(code: u8, words: impl std::fmt::Display) -> Self {
        Self { code, words: words.to_string() }
    }

    fn problems(problems: &[String]) -> Self {
        let count = output::count(problems.len(), "problem");
        Self::new(EX_CONFIG, format!("{}\n{count}", problems.join("\n")))
    }
}

type Done = Result<(), Failure>;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("the runtime did not start: {error}"));
            return ExitCode::from(EX_UNAVAILABLE);
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(args).await,
            Command::Check(args) => check::run(&args),
            Command::Discover(args) => discover::run(args).await,
            Command::Import(args) => import::run(args).await,
            Command::Export(args) => export::run(&args),
            Command::Extract(args) => extract::run(args).await,
            Command::Replay(args) => replay::run(&args),
            Command::Poll(args) => poll::run(args).await,
            Command::Preview(args) => preview::run(args).await,
            Command::Layout(args) => layout::run(args).await,
            Command::Send(args) => send::run(args).await,
            Command::Status(args) => status::run(args).await,
            Command::Posts(args) => posts::run(args).await,
            Command::Channel(args) => channel::run(args).await,
            Command::Subscribers(args) => subscribers::run(args).await,
            Command::Report(args) => report::run(args).await,
            Command::Why(args) => why::run(args).await,
            Command::Watches(args) => watches::run(args).await,
            Command::Flood(args) => flood::run(args).await,
            Command::Events(args) => events::run(args).await,
            Command::Qr(args) => qr::run(args).await,
            Command::Backup(args) => backup::run(args).await,
            Command::Sandbox(args) => sandbox::run(args).await,
        }
    });
    // A blocking read that hangs (a terminal, a pipe) must not keep the process.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.words.is_empty() {
                output::complain(&failure.words);
            }
            ExitCode::from(failure.code)
        }
    }
}

/// The process's own variable, for the settings and the log.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
