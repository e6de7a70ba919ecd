//! Giving memory back to the machine.
//!
//! A daemon that watches many sources allocates in bursts: a document is read, and all but a few
//! small values of it is thrown away. The C library's allocator keeps what was freed in one pool a
//! thread, the larger the more it has seen. With these settings it returns large blocks at once and
//! keeps little of the rest, which halves what the idle daemon holds. It reads them only when a
//! process starts.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Environment variables of the allocator (glibc, mallopt(3)).
pub const SETTINGS: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "524288")];

/// Starts this very program again in this process, with the same arguments, once: when it was
/// started without the settings. Returns when they are in force.
///
/// # Errors
/// What the kernel says when the program can't be started again; going on without is no harm.
pub fn settle() -> io::Result<()> {
    if SETTINGS.iter().all(|(name, _)| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let missing = SETTINGS.iter().filter(|(name, _)| std::env::var_os(name).is_none());
    // Only a failure comes back from `exec`.
    Err(Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .envs(missing.copied())
        .exec())
}
