//! The binary: starts the command line and hands its exit code on.

use std::process::ExitCode;

/// Parses come in bursts: twice the speed of the system's allocator there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tidings::cli::main()
}
