//! Polling over real sockets: a site on loopback, the real client, the real store.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by them")]

mod site;

mod world;

mod fetching;

mod working;

mod catalogs;

mod kinds;

mod watches;
