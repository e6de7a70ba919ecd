//! The binary: starts the command line and hands its exit code on.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidings::cli::main()
}
