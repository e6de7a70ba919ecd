//! Addresses in markup.

use url::Url;

/// Longest address, in bytes; longer ones are no addresses to us.
pub const ADDRESS_BYTES_MAX: usize = 2_048;

/// The absolute http or https address that `text` gives, resolved against `base`.
///
/// `None` when it is something else, cannot be resolved, is too long, or has a user name, a
/// password or a control character. The host comes in its ASCII form.
pub fn address(text: &str, base: Option<&Url>) -> Option<Url> {
    let text = text.trim_ascii();
    if text.is_empty() || text.len() > ADDRESS_BYTES_MAX || text.contains(is_unfit) {
        return None;
    }
    let url = Url::options().base_url(base).parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_fit = is_web && !has_user && url.has_host() && url.as_str().len() <= ADDRESS_BYTES_MAX;
    is_fit.then_some(url)
}

/// The same as a text.
pub fn address_text(text: &str, base: Option<&Url>) -> Option<String> {
    // Nearly all addresses that come here were read once before, and parsing costs as much as all
    // else that becomes of a short text.
    if is_settled(text) {
        return Some(text.to_owned());
    }
    address(text, base).map(String::from)
}

/// Whether the parser would give the text back as it is: a plain host name without a port, and
/// nothing in its path or query that is encoded, resolved or refused.
fn is_settled(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|_| text.len() <= ADDRESS_BYTES_MAX) else { return false };
    let Some(end) = memchr::memchr(b'/', rest.as_bytes()) else { return false };
    is_host_name(&rest.as_bytes()[..end]) && is_plain_path(&rest.as_bytes()[end..])
}

/// Labels of small letters, digits and single hyphens. The last has letters only, so that it is no
/// address of a machine in another form.
fn is_host_name(host: &[u8]) -> bool {
    let (mut before, mut has_letters_only) = (b'.', true);
    for &byte in host {
        match byte {
            b'a'..=b'z' => {}
            b'0'..=b'9' => has_letters_only = false,
            b'-' if before != b'-' => has_letters_only = false,
            b'.' if before != b'.' => has_letters_only = true,
            _ => return false,
        }
        before = byte;
    }
    has_letters_only && before != b'.'
}

/// No character that is written otherwise, and no segment that stands for another.
fn is_plain_path(path: &[u8]) -> bool {
    let mut before = 0;
    path.iter().all(|&byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"/-_.=&?~#+%,;:@!*()$".contains(&byte);
        let begins_segment = std::mem::replace(&mut before, byte) == b'/';
        is_plain && !(begins_segment && matches!(byte, b'.' | b'%'))
    })
}

/// Line breaks and tabs are passed over by the parser, as browsers do; other controls are refused.
fn is_unfit(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sec_t06_a_settled_address_is_what_the_parser_makes_of_it(
            text in "https?://([a-z0-9-]{0,3}[.]){0,3}[a-z0-9xn-]{0,4}(/[ -~é]{0,3}|/[.%2eE]{0,4}\
                     |/[a-z0-9._~?#&=+%,;:@!*()$-]{0,6}){0,4}"
        ) {
            prop_assert_eq!(address_text(&text, None), address(&text, None).map(String::from));
            if is_settled(&text) {
                let parsed = address(&text, None).map(String::from);
                prop_assert_eq!(parsed.as_deref(), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn usual_addresses_are_settled() {
        let usual =
            ["https://blog.example.com/2026/11/a-b_c.html?a=1&b=%C3%A9#top", "http://a.io/"];
        assert!(usual.into_iter().all(is_settled));
        let others =
            ["https://a.io", "https://a.io:80/", "https://1.2.3.4/", "https://a.io/a/../b"];
        assert!(!others.into_iter().any(is_settled));
    }

    #[test]
    fn sec_t06_only_web_addresses_without_user_are_taken() {
        let base = Url::parse("https://example.com/blog/post?x=1").ok();
        let cases = [
            ("https://example.org/a b", Some("https://example.org/a%20b")),
            (" HTTP://Example.org:80/\n", Some("http://example.org/")),
            ("../b", Some("https://example.com/b")),
            ("//cdn.example.com/x", Some("https://cdn.example.com/x")),
            ("#top", Some("https://example.com/blog/post?x=1#top")),
            ("https://bücher.example/", Some("https://xn--bcher-kva.example/")),
            ("", None),
            ("javascript:alert(1)", None),
            ("JaVa\nScript:alert(1)", None),
            ("\u{1}javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("tg://resolve?domain=x", None),
            ("mailto:a@example.com", None),
            ("ftp://example.com/", None),
            ("https://user@example.com/", None),
            ("https://user:pass@example.com/", None),
            ("https://example.com/\u{7}", None),
            ("https://", None),
        ];
        for (text, expected) in cases {
            let found = address(text, base.as_ref()).map(String::from);
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
        assert_eq!(address("/relative", None), None);
    }

    #[test]
    fn an_address_has_at_most_its_limit() {
        let fits = format!("https://example.com/{}", "x".repeat(ADDRESS_BYTES_MAX - 20));
        assert_eq!(address(&fits, None).map(|url| url.as_str().len()), Some(ADDRESS_BYTES_MAX));
        assert_eq!(address(&format!("{fits}x"), None), None);
        let grows = format!("https://example.com/{}", " x".repeat(1_000));
        assert_eq!(address(&grows, None), None);
    }
}
