//! Polling over real sockets: a site on loopback, the real client, the real store.

mod site;

mod fetching;

mod working;
