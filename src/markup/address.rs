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

/// Line breaks and tabs are passed over by the parser, as browsers do; other controls are refused.
fn is_unfit(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

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
