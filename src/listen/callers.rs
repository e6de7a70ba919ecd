//! Who asks: the other end of the connection, or whom a proxy of ours names.
//!
//! What a request says of where it comes from is believed only of proxies that the settings name:
//! anybody can write such a header. Of the addresses in it the last one counts that is no proxy's;
//! what stands before it was written by others. Sources: RFC 7239; security rule A08.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

const FORWARDED: &str = "forwarded";

/// Most addresses that are looked at, from the last one on.
const HOPS_MAX: usize = 32;

/// The reverse proxies whose word counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    networks: Arc<[IpNet]>,
}

impl Proxies {
    /// `networks` are those of `listen.trusted_proxies`.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self { networks: networks.into() }
    }

    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came from `peer`.
    ///
    /// Where no proxies are named, this machine stands for everybody: most likely a proxy runs here
    /// that nobody told us of.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> Caller {
        let peer = peer.to_canonical();
        if !self.has(peer) {
            let is_unnamed = self.networks.is_empty() && peer.is_loopback();
            return if is_unnamed { Caller::Many } else { Caller::One(household(peer)) };
        }
        // A proxy writes one of the two and lets through the other, which the client may have
        // written: where both are there and differ, nobody knows which is whose.
        let usual = headers.contains_key(X_FORWARDED_FOR);
        let usual = usual.then(|| self.last_stranger(hops(headers, X_FORWARDED_FOR).map(address)));
        let other = headers.contains_key(FORWARDED);
        let other = other.then(|| self.last_stranger(hops(headers, FORWARDED).map(forwarded)));
        let told = match (usual, other) {
            (Some(usual), Some(other)) if usual != other => Some(peer),
            (usual, other) => usual.or(other).flatten(),
        };
        told.map_or(Caller::Many, |address| Caller::One(household(address)))
    }

    /// The first of these, which come from the last one on, that is no proxy of ours; `None` where
    /// a proxy said what is no address, or nothing.
    fn last_stranger(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        for hop in hops.take(HOPS_MAX) {
            let address = hop?.to_canonical();
            if !self.has(address) {
                return Some(address);
            }
        }
        None
    }
}

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A household; see [`household`].
    One(IpAddr),
    /// A proxy that does not say for whom it asks.
    Many,
}

impl Caller {
    /// As the server found it when the request came.
    pub(crate) fn of(request: &Request) -> Self {
        request.extensions().get().copied().unwrap_or(Self::Many)
    }
}

/// Whom an address stands for: itself in IPv4, its /64 in IPv6.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into())
        }
        canonical => canonical,
    }
}

/// The parts of all headers of that name, from the last one on.
fn hops<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        // A line that is no text says nothing, as an empty one.
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(','))
}

/// `192.0.2.7`, `192.0.2.7:1234`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:1234`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The `for` of one element of a `Forwarded` header.
fn forwarded(element: &str) -> Option<IpAddr> {
    let pair = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    address(pair.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        Proxies::new(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn caller(proxies: &Proxies, peer: &str, lines: &[(&'static str, &str)]) -> String {
        match proxies.caller(peer.parse().unwrap(), &headers(lines)) {
            Caller::One(address) => address.to_string(),
            Caller::Many => "many".to_owned(),
        }
    }

    #[test]
    fn an_address_stands_for_its_household() {
        let cases = [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
        ];
        for (address, expected) in cases {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(household(address).to_string(), expected);
        }
    }

    #[test]
    fn sec_a08_only_a_named_proxy_is_believed_and_only_what_it_wrote_itself() {
        let ours = proxies(&["10.0.0.0/8", "::1/128"]);
        let xff = "x-forwarded-for";
        for (peer, lines, expected) in [
            // A stranger's word does not count.
            ("192.0.2.1", vec![(xff, "198.51.100.9")], "192.0.2.1"),
            ("127.0.0.1", vec![(xff, "198.51.100.9")], "127.0.0.1"),
            ("10.0.0.1", vec![(xff, "198.51.100.9")], "198.51.100.9"),
            ("::ffff:10.0.0.1", vec![(xff, "198.51.100.9")], "198.51.100.9"),
            ("::1", vec![(xff, "2001:db8::7")], "2001:db8::"),
            // What stands before the last stranger was written by the stranger.
            ("10.0.0.1", vec![(xff, "203.0.113.1, 198.51.100.9, 10.0.0.2")], "198.51.100.9"),
            ("10.0.0.1", vec![(xff, "203.0.113.1"), (xff, "198.51.100.9")], "198.51.100.9"),
            ("10.0.0.1", vec![(xff, "198.51.100.9:4711")], "198.51.100.9"),
            ("10.0.0.1", vec![(xff, "[2001:db8::7]:4711")], "2001:db8::"),
            // A proxy that does not say for whom it asks.
            ("10.0.0.1", vec![], "many"),
            ("10.0.0.1", vec![(xff, "198.51.100.9, unknown")], "many"),
            ("10.0.0.1", vec![(xff, "10.0.0.3, 10.0.0.2")], "many"),
            ("10.0.0.1", vec![("forwarded", "for=198.51.100.9;proto=https")], "198.51.100.9"),
            (
                "10.0.0.1",
                vec![("forwarded", "for=203.0.113.1, For=\"[2001:db8::7]:47\";by=x")],
                "2001:db8::",
            ),
            ("10.0.0.1", vec![("forwarded", "for=_hidden")], "many"),
            (
                "10.0.0.1",
                vec![("forwarded", "for=198.51.100.9"), (xff, "198.51.100.9")],
                "198.51.100.9",
            ),
            // One of the two was let through as the client wrote it.
            ("10.0.0.1", vec![("forwarded", "for=203.0.113.1"), (xff, "198.51.100.9")], "10.0.0.1"),
        ] {
            assert_eq!(caller(&ours, peer, &lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn this_machine_stands_for_everybody_where_no_proxy_is_named() {
        let nobody = Proxies::default();
        let lines = [("x-forwarded-for", "198.51.100.9")];
        assert_eq!(caller(&nobody, "127.0.0.1", &lines), "many");
        assert_eq!(caller(&nobody, "::1", &lines), "many");
        assert_eq!(caller(&nobody, "192.0.2.1", &lines), "192.0.2.1");
    }
}
