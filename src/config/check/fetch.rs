//! Checks `[fetch]`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::Fetch;
use crate::config::check::around::Surroundings;
use crate::config::check::value::{got, span, whole};
use crate::config::problem::Findings;
use crate::config::raw::RawFetch;
use crate::config::table::At;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * 1024 * 1024;

/// The default of `floor`: what a site may expect at the least.
pub(crate) const FLOOR: Duration = Duration::from_secs(5 * 60);
/// Most entries of `allow_networks` and of `ports`.
const LIST_MAX: usize = 64;
const USER_AGENT_CHARS_MAX: usize = 200;

impl Default for Fetch {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            ports: Vec::new(),
            paths: Vec::new(),
            host_pause: SECOND,
            per_host: 1,
            connections: 64,
            floor: FLOOR,
            timeout: 30 * SECOND,
            wire_bytes_max: 8 * MIB,
            decoded_bytes_max: 32 * MIB,
            items_max: 10_000,
            catalog_bytes_max: 2 * GIB,
            user_agent: concat!("tidings/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The section with its defaults.
pub(crate) fn fetch(
    raw: Option<&RawFetch>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Fetch {
    let default = Fetch::default();
    let Some(raw) = raw else { return default };
    let bytes = KIB..=GIB;
    Fetch {
        allow_networks: networks(
            raw.allow_networks.as_deref().unwrap_or_default(),
            "fetch.allow_networks",
            found,
        ),
        ports: ports(raw.ports.as_deref().unwrap_or_default(), found),
        paths: paths(raw.paths.as_deref().unwrap_or_default(), around, found),
        host_pause: span(
            raw.host_pause.as_ref(),
            "fetch.host_pause",
            Duration::ZERO..=HOUR,
            default.host_pause,
            found,
        ),
        per_host: whole(raw.per_host.as_ref(), "fetch.per_host", 1..=64, default.per_host, found),
        connections: whole(
            raw.connections.as_ref(),
            "fetch.connections",
            1..=4_096,
            default.connections,
            found,
        ),
        floor: span(raw.floor.as_ref(), "fetch.floor", SECOND..=DAY, default.floor, found),
        timeout: span(
            raw.timeout.as_ref(),
            "fetch.timeout",
            SECOND..=10 * MINUTE,
            default.timeout,
            found,
        ),
        wire_bytes_max: whole(
            raw.wire_bytes_max.as_ref(),
            "fetch.wire_bytes_max",
            bytes.clone(),
            default.wire_bytes_max,
            found,
        ),
        decoded_bytes_max: whole(
            raw.decoded_bytes_max.as_ref(),
            "fetch.decoded_bytes_max",
            bytes,
            default.decoded_bytes_max,
            found,
        ),
        items_max: whole(
            raw.items_max.as_ref(),
            "fetch.items_max",
            1..=1_000_000,
            default.items_max,
            found,
        ),
        catalog_bytes_max: whole(
            raw.catalog_bytes_max.as_ref(),
            "fetch.catalog_bytes_max",
            KIB..=64 * GIB,
            default.catalog_bytes_max,
            found,
        ),
        user_agent: user_agent(raw.user_agent.as_ref(), default.user_agent, found),
    }
}

/// Networks, or single addresses as the smallest network.
pub(crate) fn networks(raw: &[At<String>], key: &str, found: &mut Findings) -> Vec<IpNet> {
    too_many(raw, key, found);
    let mut networks = Vec::new();
    for network in raw {
        let text = network.value.as_str();
        let read = text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
        match read {
            Some(network) => networks.push(network.trunc()),
            None => {
                found
                    .problem(network.at, key, format!("must be a network, got {}", got(text)))
                    .hint("for example `10.0.0.0/8` or `fd00::/8`");
            }
        }
    }
    networks
}

fn ports(raw: &[At<i64>], found: &mut Findings) -> Vec<u16> {
    too_many(raw, "fetch.ports", found);
    raw.iter().map(|port| whole(Some(port), "fetch.ports", 1..=u16::MAX, 1, found)).collect()
}

fn paths(raw: &[At<String>], around: &Surroundings<'_>, found: &mut Findings) -> Vec<PathBuf> {
    const KEY: &str = "fetch.paths";
    too_many(raw, KEY, found);
    let mut paths = Vec::new();
    for path in raw {
        match around.absolute(&path.value) {
            Some(path) => paths.push(path),
            None => {
                found.problem(path.at, KEY, "must be a folder, without `..`");
            }
        }
    }
    paths
}

fn too_many<T>(raw: &[At<T>], key: &str, found: &mut Findings) {
    if let Some(beyond) = raw.get(LIST_MAX) {
        let text = format!("must have at most {LIST_MAX} entries, got {}", raw.len());
        found.problem(beyond.at, key, text);
    }
}

fn user_agent(raw: Option<&At<String>>, default: String, found: &mut Findings) -> String {
    let Some(raw) = raw else { return default };
    let is_visible = raw.value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if raw.value.trim().is_empty() || !is_visible || raw.value.len() > USER_AGENT_CHARS_MAX {
        let text = format!("must have 1 to {USER_AGENT_CHARS_MAX} visible ASCII characters");
        found.problem(raw.at, "fetch.user_agent", text);
        return default;
    }
    raw.value.clone()
}
