//! What every task stands on: the time, stopping, waking, the service manager, the log.

pub mod memory;

pub mod chance;

pub mod clock;

pub mod shutdown;

pub mod wakes;

pub mod meters;

pub mod reception;

pub mod reloads;

pub mod systemd;

pub mod telemetry;

pub mod pushes;
