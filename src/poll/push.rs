//! Asking hubs to tell us when a feed has news.
//!
//! A hub's word only makes the source due; it is still read from its own address. While a hub is
//! as good as its word the source is asked seldom, not never: hubs die in silence.
//! Source: the WebSub recommendation, and for what hubs do, what was seen of them.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use url::{Url, form_urlencoded};

use crate::model::name::Name;
use crate::model::secret::ExposeSecret;
use crate::model::source::Hub;
use crate::model::time::Timestamp;
use crate::poll::egress::Guard;
use crate::poll::fetch::Fetched;
use crate::runtime::pushes::{LEASE, Pushes, Subscription};

/// A source that a hub tells of is asked so many times more seldom.
const SLOWER: u32 = 4;

/// But no more seldom than this.
const SLOW_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// Between two polls of a source that a hub asks for, unless set otherwise.
pub const PAUSE: Duration = Duration::from_secs(30);

/// Longest address of a hub or a topic that is kept, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// What polling needs to be told of news by hubs.
pub struct Push {
    pub pushes: Pushes,
    /// Sources that have news.
    pub rings: mpsc::Receiver<Name>,
    /// The address at which the world reaches our public door.
    pub callback: Url,
    /// Between two polls of a source that a hub asks for; default [`PAUSE`].
    pub pause: Duration,
}

/// The hub and topic of a feed: the answer's headers first, then what the document says.
pub(crate) fn hub(fetched: &Fetched, named: Option<&(String, Option<String>)>) -> Option<Hub> {
    let in_headers = |rel: &str| {
        fetched.links.iter().flat_map(|line| split(line)).find_map(|link| target(link, rel))
    };
    let resolve = |address: String| fetched.url.join(&address).ok().map(String::from);
    let (hub, topic) = match in_headers("hub").and_then(resolve) {
        Some(hub) => (hub, in_headers("self").and_then(resolve)),
        None => (named?.0.clone(), None),
    };
    let topic = topic.or_else(|| named?.1.clone()).unwrap_or_else(|| fetched.url.to_string());
    (hub.len().max(topic.len()) <= ADDRESS_BYTES_MAX).then_some(Hub { url: hub, topic })
}

/// The links of one `Link` header: commas within `<…>` belong to the address.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut is_inside = false;
    line.split(move |c| {
        match c {
            '<' => is_inside = true,
            '>' => is_inside = false,
            _ => {}
        }
        c == ',' && !is_inside
    })
}

/// The address of `<address>; rel="rel"`, where one of the relations is meant.
fn target(link: &str, rel: &str) -> Option<String> {
    let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_meant = parameters.split(';').any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|it| it.eq_ignore_ascii_case(rel))
    });
    is_meant.then(|| address.trim().to_owned())
}

/// What a hub is asked, as a form. The secret is left out where others could read it on the way,
/// but for the sysadmin's own networks.
pub(crate) fn form(
    asked: &Subscription,
    topic: &str,
    hub: &Url,
    callback: &Url,
    guard: &Guard,
) -> String {
    let mut address = callback.clone();
    address.set_path(&format!("{}/hub/{}", callback.path().trim_end_matches('/'), asked.token));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", "subscribe")
        .append_pair("hub.topic", topic)
        .append_pair("hub.callback", address.as_str())
        .append_pair("hub.lease_seconds", &LEASE.as_secs().to_string());
    let is_own = hub
        .host_str()
        .and_then(|host| host.parse::<IpAddr>().ok())
        .is_some_and(|ip| guard.allow_networks.iter().any(|network| network.contains(&ip)));
    if hub.scheme() == "https" || is_own {
        form.append_pair("hub.secret", asked.secret.expose_secret());
    }
    form.finish()
}

/// When a source that is told of by a hub is polled, if it would be due at `due_at`.
pub(crate) fn slowed(due_at: Timestamp, now: Timestamp) -> Timestamp {
    let usual = due_at.since(now);
    now + usual.saturating_mul(SLOWER).min(SLOW_MAX).max(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_header_are_told_apart() {
        let line = "<https://a.example/?b=1,2>; rel=\"self\", <https://hub.example/>; rel=hub,\
                    <https://c.example/>; title=\"x\"; rel=\"alternate next\"";
        let found = |rel: &str| split(line).find_map(|link| target(link, rel));
        assert_eq!(found("self").as_deref(), Some("https://a.example/?b=1,2"));
        assert_eq!(found("hub").as_deref(), Some("https://hub.example/"));
        assert_eq!(found("next").as_deref(), Some("https://c.example/"));
        assert_eq!(found("prev"), None);
    }

    #[test]
    fn a_source_that_is_told_of_is_asked_seldom_but_asked() {
        let now = Timestamp::from_millis(1_795_424_400_000);
        let hours = |count: u64| Duration::from_secs(count * 60 * 60);
        for (usual, slow) in [(1, 4), (3, 12), (10, 12), (24, 24)] {
            assert_eq!(slowed(now + hours(usual), now), now + hours(slow), "{usual}");
        }
    }
}
