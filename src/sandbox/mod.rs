//! The outside world in miniature: the services and sites that the daemon talks to, as real servers
//! on loopback ports.
//!
//! Each can be started on its own, several at a time, looked into and steered: the project's tests
//! and benchmarks stand on them.

pub mod telegram;

pub mod messenger;

pub mod fault;

pub mod ledger;

pub mod limit;

mod outbox;

mod params;

mod door;

pub use door::Reply;

use crate::runtime::shutdown::Tasks;

/// A server's tasks; they end when it is dropped.
#[derive(Debug)]
struct Running(Tasks);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop().begin.cancel();
    }
}
