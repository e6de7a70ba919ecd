//! Asking a site politely: one request at a time, a pause between them, few in all.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::cli::Failure;
use crate::extract::robots::Rules;
use crate::poll::egress::Guard;
use crate::poll::fault::FetchError;
use crate::poll::fetch::{Fetcher, Limits, Request};
use crate::runtime::clock::Clock;

/// Most requests of one search.
pub(super) const REQUESTS_MAX: usize = 40;

/// What we are called in `robots.txt`.
pub(super) const AGENT: &str = "tidings";

/// What one request gave.
#[derive(Debug)]
pub(super) struct Got {
    /// The address that answered.
    pub url: Url,
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    /// Values of its `Link` headers.
    pub links: Vec<String>,
}

/// Asks for documents, and keeps its manners.
pub(super) struct Prober {
    fetcher: Fetcher,
    pause: Duration,
    asked_at: Option<Instant>,
    asked: Vec<Url>,
    rules: Rules,
}

impl Prober {
    pub(super) fn new(pause: Duration) -> Result<Self, Failure> {
        // The person at the keyboard may reach what their machine reaches.
        let everywhere = ["0.0.0.0/0", "::/0"];
        let guard = Guard {
            allow_networks: everywhere.iter().filter_map(|network| network.parse().ok()).collect(),
            ..Guard::default()
        };
        let limits = Limits { total: Duration::from_secs(20), ..Limits::default() };
        let user_agent = crate::cli::extract::USER_AGENT;
        let fetcher = Fetcher::new(guard, limits, user_agent, Clock::system())
            .map_err(|error| Failure::new(crate::cli::EX_UNAVAILABLE, error))?;
        Ok(Self { fetcher, pause, asked_at: None, asked: vec![], rules: Rules::none() })
    }

    /// From now on asks only for what the site lets robots ask for.
    pub(super) fn obey(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Whether the address is worth asking for: not yet asked, allowed, and not one too many.
    pub(super) fn may_ask(&self, url: &Url) -> bool {
        self.asked.len() < REQUESTS_MAX && !self.asked.contains(url) && self.rules.allow(url)
    }

    /// How many requests were made.
    pub(super) fn requests(&self) -> usize {
        self.asked.len()
    }

    /// One GET, after the pause.
    pub(super) async fn get(&mut self, url: &Url) -> Result<Got, FetchError> {
        if let Some(asked_at) = self.asked_at {
            tokio::time::sleep_until(asked_at + self.pause).await;
        }
        self.asked.push(url.clone());
        let fetched = self.fetcher.fetch(Request::new(url.clone())).await;
        self.asked_at = Some(Instant::now());
        let fetched = fetched?;
        let address = fetched.url;
        if address != *url {
            self.asked.push(address.clone());
        }
        let links = fetched.links;
        let Some(document) = fetched.document else {
            return Ok(Got { url: address, bytes: vec![], content_type: None, links });
        };
        let unpacked = document.unpack().map_err(|fault| FetchError::new(&address, fault))?;
        let (bytes, content_type) = (unpacked.bytes, unpacked.content_type);
        Ok(Got { url: address, bytes, content_type, links })
    }

    /// [`Prober::get`] of an address that may be asked for; `None` when nothing came of it.
    pub(super) async fn try_get(&mut self, url: &Url) -> Option<Got> {
        if !self.may_ask(url) {
            return None;
        }
        self.get(url).await.ok()
    }
}
