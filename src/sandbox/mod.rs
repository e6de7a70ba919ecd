//! The outside world in miniature: the services and sites that the daemon talks to, as real servers
//! on loopback ports.
//!
//! Each can be started on its own, several at a time, looked into and steered: the project's tests
//! and benchmarks stand on them.

pub mod telegram;

pub mod messenger;

pub mod site;

pub mod phones;

pub mod world;

pub mod fault;

pub mod ledger;

pub mod limit;

mod outbox;

mod params;

mod door;

pub use door::Reply;
pub use world::{Options, World};

use crate::runtime::shutdown::{Stop, Tasks};

/// A server's tasks; they end when it is dropped.
#[derive(Debug)]
struct Running(Tasks);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop().begin.cancel();
    }
}

/// Serves an axum router until the stop begins; connections that are idle then are left to end
/// by themselves.
async fn serve(listener: tokio::net::TcpListener, router: axum::Router, stop: Stop) {
    tokio::select! {
        () = stop.begin.cancelled() => {}
        // It ends by itself only when accepting fails for good.
        _ = axum::serve(listener, router) => {}
    }
}
