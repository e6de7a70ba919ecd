//! Which addresses may be reached: the judgement of everything that a source can name.
//!
//! Pure: it opens no socket and asks no name server. `fetch` calls it for every address of every
//! hop, for every answer of the name server, and for the peer that was reached in the end.
//! Refuses everything that is not known to be the public internet. Only the sysadmin's
//! `allow_networks` opens more, and whoever is in there may be asked on any port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Longest address that is read, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;

/// Ports that may be asked on every host.
pub const PORTS: [u16; 2] = [80, 443];

/// IPv4 that is not the public internet.
/// Source: the IANA IPv4 special-purpose address registry.
const CLOSED_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// The only IPv6 that is public: everything else (unspecified, loopback, mapped, compatible,
/// NAT64, unique local, link local, multicast) is out by not being in here.
const OPEN_V6: Ipv6Net = v6([0x2000, 0], 3);

/// What is not public within [`OPEN_V6`]: protocol assignments with Teredo, documentation, 6to4.
/// Source: the IANA IPv6 special-purpose address registry.
const CLOSED_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0], 23), v6([0x2001, 0x0db8], 32), v6([0x2002, 0], 16), v6([0x3fff, 0], 20)];

/// NAT64 prefixes: their last 32 bits are an IPv4 address. Source: RFC 6052, RFC 8215.
const NAT64: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
];

const fn v4(octets: [u8; 4], bits: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(head: [u16; 2], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], 0, 0, 0, 0, 0, 0), bits)
}

/// The rule of one run. The default allows the public internet on ports 80 and 443.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Networks outside the public internet that may be read from, on any port.
    pub allow_networks: Vec<IpNet>,
    /// Ports beside [`PORTS`] that may be asked on every host.
    pub ports: Vec<u16>,
    /// The addresses of this machine and of its listeners; refused although they may be public.
    /// See [`own_addresses`].
    pub own: Vec<IpAddr>,
}

/// Which answers of the name server a judged address may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every address that is not refused.
    Open,
    /// Only addresses of `allow_networks`, because the port is not for everybody.
    AllowedOnly,
}

/// Why an address is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is no valid address ({0})")]
    Form(&'static str),
    #[error("only http and https are read, not `{0}`")]
    Scheme(String),
    #[error("it holds a user name or password")]
    Userinfo,
    #[error("port {0} is not read from")]
    Port(u16),
    #[error("{0} is not on the public internet, and `allow_networks` does not list it")]
    Network(IpAddr),
    #[error("{0} is this machine, and `allow_networks` does not list it")]
    Own(IpAddr),
}

impl Guard {
    /// Reads an address as it stands in a document, a header or the settings, and judges it.
    /// The fragment is dropped; a relative address is taken from `base`.
    ///
    /// # Errors
    /// Every [`Refusal`].
    pub fn read(&self, text: &str, base: Option<&Url>) -> Result<Url, Refusal> {
        if text.len() > URL_BYTES_MAX {
            return Err(Refusal::Form("longer than 2,048 bytes"));
        }
        // The parser would repair these silently, and another one would read them otherwise.
        if text.contains('\\') {
            return Err(Refusal::Form("a backslash"));
        }
        if text.chars().any(char::is_control) {
            return Err(Refusal::Form("a control character"));
        }
        let parsed = match base {
            Some(base) => base.join(text),
            None => Url::parse(text),
        };
        let mut url = parsed.map_err(|error| {
            Refusal::Form(match error {
                url::ParseError::EmptyHost => "no host",
                url::ParseError::RelativeUrlWithoutBase => "no scheme",
                url::ParseError::InvalidPort => "the port is no port",
                _ => "it cannot be read",
            })
        })?;
        url.set_fragment(None);
        self.judge(&url)?;
        Ok(url)
    }

    /// Judges all that the address itself tells: an address by number completely, an address by
    /// name up to what the name server will answer.
    ///
    /// # Errors
    /// Every [`Refusal`].
    pub fn judge(&self, url: &Url) -> Result<Reach, Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().chars().take(20).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Userinfo);
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let is_open_port = PORTS.contains(&port) || self.ports.contains(&port);
        let ip: IpAddr = match url.host() {
            None | Some(Host::Domain("")) => return Err(Refusal::Form("no host")),
            Some(Host::Domain(name)) => {
                if names_this_machine(name) && !self.allows_loopback() {
                    return Err(Refusal::Network(Ipv4Addr::LOCALHOST.into()));
                }
                return match (is_open_port, self.allow_networks.is_empty()) {
                    (true, _) => Ok(Reach::Open),
                    (false, false) => Ok(Reach::AllowedOnly),
                    (false, true) => Err(Refusal::Port(port)),
                };
            }
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
        };
        self.judge_ip(ip, Reach::Open)?;
        if is_open_port || self.judge_ip(ip, Reach::AllowedOnly).is_ok() {
            Ok(Reach::Open)
        } else {
            Err(Refusal::Port(port))
        }
    }

    /// Judges one address that is dialled or was reached.
    ///
    /// # Errors
    /// [`Refusal::Network`] and [`Refusal::Own`].
    pub fn judge_ip(&self, ip: IpAddr, reach: Reach) -> Result<(), Refusal> {
        if self.allow_networks.iter().any(|network| network.contains(&ip)) {
            return match embedded_v4(ip) {
                Some(inner) => self.judge_ip(inner.into(), reach),
                None => Ok(()),
            };
        }
        let is_public = match ip {
            IpAddr::V4(ip) => !CLOSED_V4.iter().any(|network| network.contains(&ip)),
            IpAddr::V6(ip) => {
                OPEN_V6.contains(&ip) && !CLOSED_V6.iter().any(|network| network.contains(&ip))
            }
        };
        if !is_public || reach == Reach::AllowedOnly {
            return Err(Refusal::Network(ip));
        }
        if self.own.contains(&ip) {
            return Err(Refusal::Own(ip));
        }
        Ok(())
    }

    /// Judges a name server's whole answer: one address that is refused refuses the host.
    ///
    /// # Errors
    /// The refusal of the first address that is refused.
    pub fn judge_answer(
        &self,
        answer: impl IntoIterator<Item = IpAddr>,
        reach: Reach,
    ) -> Result<(), Refusal> {
        answer.into_iter().try_for_each(|ip| self.judge_ip(ip, reach))
    }

    fn allows_loopback(&self) -> bool {
        [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]
            .iter()
            .any(|ip| self.allow_networks.iter().any(|network| network.contains(ip)))
    }
}

/// The addresses of this machine's interfaces, as the kernel tells them; empty where it does not.
pub fn own_addresses() -> Vec<IpAddr> {
    let v4 = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let v6 = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let mut found = local_v4(&v4);
    found.extend(local_v6(&v6));
    found.sort_unstable();
    found.dedup();
    found
}

/// `fib_trie` has each of our addresses as `|-- 192.0.2.7` with `/32 host LOCAL` on the next line.
fn local_v4(fib_trie: &str) -> Vec<IpAddr> {
    let lines: Vec<&str> = fib_trie.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[1].starts_with("/32 host LOCAL"))
        .filter_map(|pair| pair[0].trim_start_matches(['|', '+', '-', ' ']).parse().ok())
        .map(IpAddr::V4)
        .collect()
}

/// `if_inet6` has each of our addresses as 32 hexadecimal digits at the start of a line.
fn local_v6(if_inet6: &str) -> Vec<IpAddr> {
    if_inet6
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|digits| digits.len() == 32)
        .filter_map(|digits| u128::from_str_radix(digits, 16).ok())
        .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
        .collect()
}

fn names_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost")
        || name.len() > 10
            && name.get(name.len() - 10..).is_some_and(|end| end.eq_ignore_ascii_case(".localhost"))
}

fn embedded_v4(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let [.., a, b, c, d] = ip.octets();
    NAT64.iter().any(|prefix| prefix.contains(&ip)).then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Guard {
        Guard::default()
    }

    fn with_networks(networks: &[&str]) -> Guard {
        let allow_networks = networks.iter().map(|text| text.parse().unwrap()).collect();
        Guard { allow_networks, ..Guard::default() }
    }

    fn ip_is_open(guard: &Guard, ip: &str) -> bool {
        guard.judge_ip(ip.parse().unwrap(), Reach::Open).is_ok()
    }

    #[test]
    fn sec_f04_numbers_in_addresses_are_judged_in_every_spelling() {
        for address in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "http://127.0.0.1./",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:8.8.8.8]/",
            "http://[::7f00:1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
        ] {
            let judged = open().read(address, None);
            assert!(matches!(judged, Err(Refusal::Network(_))), "{address}: {judged:?}");
        }
        for address in ["http://9.9.9.9/", "https://[2620:fe::fe]/", "http://151.101.1.1/a?b#c"] {
            assert!(open().read(address, None).is_ok(), "{address}");
        }
    }

    #[test]
    fn sec_f05_only_global_unicast_ipv6_is_open() {
        for closed in [
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "1fff:ffff::1",
            "2001::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2001:db8:ffff::1",
            "2002::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            assert!(!ip_is_open(&open(), closed), "{closed}");
        }
        for public in
            ["2000::1", "2001:200::1", "2001:db7::1", "2003::1", "2a00:1450::1", "3fff:1000::1"]
        {
            assert!(ip_is_open(&open(), public), "{public}");
        }
    }

    #[test]
    fn sec_f06_special_ipv4_is_closed_at_both_ends_and_open_beside() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "239.255.255.255"),
            ("240.0.0.0", "255.255.255.255"),
        ] {
            assert!(!ip_is_open(&open(), first), "{first}");
            assert!(!ip_is_open(&open(), last), "{last}");
        }
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.112.255",
            "223.255.255.255",
        ] {
            assert!(ip_is_open(&open(), public), "{public}");
        }
    }

    #[test]
    fn sec_f07_nat64_is_closed_and_when_allowed_judged_by_what_it_embeds() {
        assert!(!ip_is_open(&open(), "64:ff9b::909:909"));
        let allowed = with_networks(&["64:ff9b::/96"]);
        assert!(ip_is_open(&allowed, "64:ff9b::909:909"));
        assert!(!ip_is_open(&allowed, "64:ff9b::7f00:1"));
        assert!(!ip_is_open(&allowed, "64:ff9b::a00:1"));
    }

    #[test]
    fn sec_f08_this_machines_own_addresses_are_refused_unless_allowed() {
        let own: IpAddr = "9.9.9.9".parse().unwrap();
        let mut guard = Guard { own: vec![own], ..Guard::default() };
        assert_eq!(guard.judge_ip(own, Reach::Open), Err(Refusal::Own(own)));
        guard.allow_networks.push("9.9.9.9/32".parse().unwrap());
        assert_eq!(guard.judge_ip(own, Reach::Open), Ok(()));
    }

    #[test]
    fn sec_f08_own_addresses_are_read_as_the_kernel_writes_them() {
        let fib_trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                        \x20    |-- 9.9.9.9\n        /32 host LOCAL\n     |-- 9.9.9.255\n        \
                        /32 link BROADCAST\n";
        assert_eq!(local_v4(fib_trie), vec!["9.9.9.9".parse::<IpAddr>().unwrap()]);
        let if_inet6 = "2620000000fe00000000000000000009 02 40 00 80     eth0\nbad line\n";
        assert_eq!(local_v6(if_inet6), vec!["2620:0:fe::9".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn sec_f09_only_http_and_https_on_their_ports() {
        for scheme in ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "a:b"] {
            assert!(matches!(open().read(scheme, None), Err(Refusal::Scheme(_))), "{scheme}");
        }
        for port in [1, 22, 25, 79, 81, 444, 6379, 8080, 65_535] {
            let address = format!("http://example.com:{port}/");
            assert_eq!(open().read(&address, None), Err(Refusal::Port(port)), "{address}");
            let address = format!("http://9.9.9.9:{port}/");
            assert_eq!(open().read(&address, None), Err(Refusal::Port(port)), "{address}");
        }
        for good in ["http://example.com:443/", "https://example.com:80/", "https://example.com/"] {
            assert!(open().read(good, None).is_ok(), "{good}");
        }
        let more = Guard { ports: vec![8080], ..Guard::default() };
        assert!(more.read("http://example.com:8080/", None).is_ok());
    }

    #[test]
    fn sec_f09_any_port_of_an_allowed_network_and_of_no_other() {
        let guard = with_networks(&["127.0.0.0/8"]);
        assert!(guard.read("http://127.0.1.9:4711/", None).is_ok());
        assert_eq!(guard.read("http://9.9.9.9:4711/", None), Err(Refusal::Port(4711)));
        let named = guard.read("http://feeds.example:4711/", None).unwrap();
        assert_eq!(guard.judge(&named), Ok(Reach::AllowedOnly));
        let answer = |ip: &str| [ip.parse::<IpAddr>().unwrap()];
        assert!(guard.judge_answer(answer("127.0.0.5"), Reach::AllowedOnly).is_ok());
        assert!(guard.judge_answer(answer("9.9.9.9"), Reach::AllowedOnly).is_err());
    }

    #[test]
    fn sec_f10_addresses_that_parsers_read_differently_are_refused() {
        for (address, refusal) in [
            ("http://user@example.com/", Refusal::Userinfo),
            ("http://user:word@example.com/", Refusal::Userinfo),
            ("http://:word@example.com/", Refusal::Userinfo),
            ("http://example.com\\@127.0.0.1/", Refusal::Form("a backslash")),
            ("http:\\\\example.com/", Refusal::Form("a backslash")),
            ("http://exa\tmple.com/", Refusal::Form("a control character")),
            ("http://example.com/\r\nHost: x", Refusal::Form("a control character")),
            ("http://example.com/\u{85}", Refusal::Form("a control character")),
            ("http://", Refusal::Form("no host")),
            ("//example.com/", Refusal::Form("no scheme")),
            ("", Refusal::Form("no scheme")),
            ("http://example.com:99999/", Refusal::Form("the port is no port")),
            ("http://exa mple.com/", Refusal::Form("it cannot be read")),
        ] {
            assert_eq!(open().read(address, None), Err(refusal), "{address:?}");
        }
    }

    #[test]
    fn sec_f10_the_longest_address_is_2048_bytes() {
        let head = "http://example.com/";
        let longest = format!("{head}{}", "a".repeat(URL_BYTES_MAX - head.len()));
        assert!(open().read(&longest, None).is_ok());
        assert!(matches!(open().read(&format!("{longest}a"), None), Err(Refusal::Form(_))));
    }

    #[test]
    fn sec_f04_localhost_by_name_is_this_machine_also_with_a_trailing_dot() {
        for name in ["localhost", "LOCALHOST", "localhost.", "feeds.localhost", "a.localhost."] {
            let address = format!("http://{name}/");
            assert!(matches!(open().read(&address, None), Err(Refusal::Network(_))), "{address}");
            assert!(with_networks(&["127.0.0.0/8"]).read(&address, None).is_ok(), "{address}");
        }
        assert!(open().read("http://notlocalhost/", None).is_ok());
    }

    #[test]
    fn sec_f03_one_refused_address_refuses_the_host() {
        let answer =
            |ips: &[&str]| -> Vec<IpAddr> { ips.iter().map(|ip| ip.parse().unwrap()).collect() };
        assert!(open().judge_answer(answer(&["9.9.9.9", "2620:fe::9"]), Reach::Open).is_ok());
        for mixed in [["9.9.9.9", "127.0.0.1"], ["10.0.0.1", "9.9.9.9"], ["9.9.9.9", "::1"]] {
            assert!(open().judge_answer(answer(&mixed), Reach::Open).is_err(), "{mixed:?}");
        }
    }

    #[test]
    fn a_relative_address_is_taken_from_its_base_and_judged() {
        let base = Url::parse("https://example.com/a/b").unwrap();
        let url = open().read("../feed?x=1#top", Some(&base)).unwrap();
        assert_eq!(url.as_str(), "https://example.com/feed?x=1");
        assert!(open().read("//127.0.0.1/", Some(&base)).is_err());
    }
}
