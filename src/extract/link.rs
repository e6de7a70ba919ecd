//! Addresses: which ones may leave a feed, what relative ones mean, which ones are the same.
//!
//! Only `http` and `https` addresses with a host and without user or password pass; everything
//! else (`javascript:`, `data:`, `file:`, `tag:`, …) is refused. The form shown to people is the
//! one the document gives, as far as it is a clean absolute address; the form for comparing is
//! [`canonical`] and is never sent.

use std::borrow::Cow;

use url::Url;

/// Longest address that is taken, in bytes.
pub const LINK_BYTES_MAX: usize = 4096;
/// Longest address that others are relative to, in bytes: what is relative to it repeats it.
pub(crate) const BASE_BYTES_MAX: usize = 1024;

/// The address as it may be shown and its parsed form, resolved against `bases` in turn.
///
/// An address without a scheme that begins with `www.` is taken as `http`. `None` when nothing
/// acceptable comes out.
pub fn resolve(href: &str, bases: &[Option<&Url>]) -> Option<(String, Url)> {
    let href = clean(href);
    if href.is_empty() || href.len() > LINK_BYTES_MAX {
        return None;
    }
    match Url::parse(&href) {
        Ok(url) => {
            let url = accept(url)?;
            // The parser accepts `http:/host`, backslashes and much else: show those as it
            // understood them, and what is clean as it stands.
            let shown = if is_clean(&href) { href.into_owned() } else { url.to_string() };
            Some((shown, url))
        }
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            if href.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) {
                let url = accept(Url::parse(&format!("http://{href}")).ok()?)?;
                return Some((url.to_string(), url));
            }
            let base = bases.iter().copied().flatten().next()?;
            let url = accept(base.join(&href).ok()?)?;
            Some((url.to_string(), url))
        }
        Err(_) => None,
    }
}

/// The parsed address, if `href` is absolute, not too long, and may be used.
pub fn absolute(href: &str) -> Option<Url> {
    if href.len() > LINK_BYTES_MAX {
        return None;
    }
    accept(Url::parse(&clean(href)).ok()?)
}

fn accept(url: Url) -> Option<Url> {
    is_web(&url).then_some(url)
}

/// Whether others may be relative to an address.
pub(crate) fn is_base(url: &Url) -> bool {
    url.as_str().len() <= BASE_BYTES_MAX
}

/// Whether an address may be used at all.
pub(crate) fn is_web(url: &Url) -> bool {
    let web = matches!(url.scheme(), "http" | "https");
    let named = url.host_str().is_some_and(|host| !host.is_empty());
    let anonymous = url.username().is_empty() && url.password().is_none();
    web && named && anonymous
}

/// Without white space and invisible characters around it, and without line breaks inside.
fn clean(href: &str) -> Cow<'_, str> {
    let invisible = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    let trimmed = href.trim_matches(invisible);
    if trimmed.contains(['\n', '\r', '\t']) {
        return Cow::Owned(trimmed.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect());
    }
    Cow::Borrowed(trimmed)
}

/// Whether an absolute address can be shown as it stands.
fn is_clean(href: &str) -> bool {
    let schemed = href.starts_with("http://") || href.starts_with("https://");
    schemed
        && href.bytes().all(|b| {
            b.is_ascii_graphic()
                && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        })
}

/// The form in which two addresses of the same thing are equal.
///
/// Scheme, `www.`, default port, a trailing dot of the host and tracking parameters are put
/// aside; so is the fragment, unless it is a route (`#!…`) or `with_fragment` is set because
/// items of the document differ in nothing else.
pub fn canonical(url: &Url, with_fragment: bool) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host);
    let mut out = String::with_capacity(url.as_str().len());
    out.push_str(host);
    if let Some(port) = url.port() {
        out.push(':');
        out.push_str(&port.to_string());
    }
    out.push_str(url.path());
    if let Some(query) = url.query() {
        let mut separator = '?';
        for part in query.split('&').filter(|part| !part.is_empty() && !is_tracking(part)) {
            out.push(separator);
            out.push_str(part);
            separator = '&';
        }
    }
    if let Some(fragment) = url.fragment()
        && (with_fragment || fragment.starts_with('!'))
    {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// Writes the canonical form of `href` in place of what is in `out`, if it can be told without
/// parsing: an absolute address that is written as the parser itself would write it, which most
/// are. Then it may also be shown as it stands.
pub(crate) fn canonical_if_plain(href: &str, out: &mut String) -> bool {
    out.clear();
    if href.len() > LINK_BYTES_MAX {
        return false;
    }
    let rest = href.strip_prefix("https://").or_else(|| href.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host_end = rest.bytes().position(|b| matches!(b, b'/' | b'?' | b'#'));
    let (host, rest) = rest.split_at(host_end.unwrap_or(rest.len()));
    if !is_plain_host(host) || !rest.bytes().all(is_plain_byte) {
        return false;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Steps that the parser resolves, also where they are hidden in escapes.
    if path.contains("/.") || path.contains("%2e") || path.contains("%2E") {
        return false;
    }
    if fragment.starts_with('!') || fragment.contains('#') {
        return false;
    }
    out.push_str(host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host));
    out.push_str(if path.is_empty() { "/" } else { path });
    let mut separator = '?';
    for part in query.split('&').filter(|part| !part.is_empty() && !is_tracking(part)) {
        out.push(separator);
        out.push_str(part);
        separator = '&';
    }
    true
}

/// A host of two labels at least that is no number, in small letters.
fn is_plain_host(host: &str) -> bool {
    let mut labels = host.split('.');
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && labels.all(is_label) && last.bytes().all(|b| b.is_ascii_lowercase())
}

fn is_plain_byte(b: u8) -> bool {
    PLAIN.get(usize::from(b)).copied().unwrap_or_default()
}

/// What the parser leaves alone in path, query and fragment alike.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let signs =
        b"-._~!$&()*+,;=:@/%?#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut at = 0;
    while at < signs.len() {
        plain[signs[at] as usize] = true;
        at += 1;
    }
    plain
};

/// Whether a query's `name=value` says only how the reader came here.
fn is_tracking(part: &str) -> bool {
    const PREFIXES: [&str; 4] = ["utm_", "at_", "ns_", "hsa_"];
    const NAMES: [&str; 28] = [
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "ysclid",
        "mc_cid",
        "mc_eid",
        "igshid",
        "srsltid",
        "_ga",
        "_gl",
        "xtor",
        "ref_src",
        "cmpid",
        "ocid",
        "spm",
        "vero_id",
        "s_cid",
        "wt_mc",
        "cmp",
        "partner",
        "__twitter_impression",
        "igsh",
        "twclid",
        "mkt_tok",
    ];
    let name = part.split_once('=').map_or(part, |(name, _)| name);
    let begins = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    PREFIXES.iter().any(begins) || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(href: &str, base: &str) -> Option<String> {
        let base = Url::parse(base).unwrap();
        resolve(href, &[None, Some(&base)]).map(|(shown, _)| shown)
    }

    #[test]
    fn an_absolute_address_stays_as_it_is_written() {
        for href in ["http://example.com", "https://Example.com/a?b=1&utm_source=x#c"] {
            assert_eq!(shown(href, "http://base.example/").as_deref(), Some(href));
        }
    }

    #[test]
    fn a_relative_address_is_resolved_and_an_untidy_one_is_encoded() {
        for (href, expected) in [
            ("/a/b", "https://base.example/a/b"),
            ("b.html", "https://base.example/dir/b.html"),
            ("//cdn.example/x", "https://cdn.example/x"),
            (" \u{200b}https://example.com/a b\n", "https://example.com/a%20b"),
            (
                "https://пример.рф/новости",
                "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8",
            ),
            ("www.example.com/x", "http://www.example.com/x"),
        ] {
            assert_eq!(shown(href, "https://base.example/dir/").as_deref(), Some(expected));
        }
    }

    #[test]
    fn sec_t06_only_web_addresses_without_credentials_pass() {
        for href in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "tag:example.com,2004:1",
            "ftp://example.com/x",
            "tg://resolve?domain=x",
            "https://user:pass@example.com/",
            "https://user@example.com/",
            "http://",
            "",
            "   ",
        ] {
            assert_eq!(shown(href, "https://base.example/"), None, "{href}");
        }
        let long = format!("https://example.com/{}", "a".repeat(LINK_BYTES_MAX));
        assert_eq!(shown(&long, "https://base.example/"), None);
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_to_the_canonical_form_gives_the_same(
            href in "https?://(www\\.)?[a-z0-9.-]{1,8}(\\.com|\\.1|:80)?(/|/\\.|%2[eE]|[a-zA-Z0-9._~!$&()*+,;=:@%?#' -]|utm_a=1|&cmp=x){0,12}"
        ) {
            let mut short = String::new();
            if canonical_if_plain(&href, &mut short) {
                let (shown, url) = resolve(&href, &[]).unwrap();
                proptest::prop_assert_eq!(&shown, &href);
                proptest::prop_assert_eq!(canonical(&url, false), short);
            }
        }
    }

    #[test]
    fn addresses_of_the_same_thing_have_one_canonical_form() {
        let form = |href: &str| canonical(&Url::parse(href).unwrap(), false);
        let expected = "example.com/a?id=1&v=2";
        for href in [
            "http://example.com/a?id=1&v=2",
            "https://www.example.com/a?id=1&v=2#top",
            "https://EXAMPLE.com:443/a?utm_source=x&id=1&fbclid=z&v=2&UTM_Medium=y",
            "https://example.com./a?id=1&v=2",
        ] {
            assert_eq!(form(href), expected, "{href}");
        }
        assert_eq!(form("https://example.com/#!/a"), "example.com/#!/a");
        assert_eq!(form("https://example.com:8443/a"), "example.com:8443/a");
        assert_eq!(form("https://www.com/a"), "www.com/a");
        assert_eq!(canonical(&Url::parse("https://e.com/a#b").unwrap(), true), "e.com/a#b");
    }
}
