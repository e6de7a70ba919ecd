//! `robots.txt`: where a site says its sitemaps are, and what it lets robots ask for.

use robotxt::Robots;
use url::Url;

/// Most bytes that are read; what is behind is not looked at. Source: RFC 9309 §2.5.
pub const BYTES_MAX: usize = 500 << 10;
/// Most sitemaps that are taken from one file.
pub const SITEMAPS_MAX: usize = 50;

/// What a site lets robots do.
#[derive(Debug)]
pub struct Rules(Robots);

impl Rules {
    /// Reads the file for the robot called `agent`. Any bytes are some rules.
    pub fn parse(bytes: &[u8], agent: &str) -> Self {
        Self(Robots::parse(bytes.get(..BYTES_MAX).unwrap_or(bytes), agent))
    }

    /// Of a site without the file: everything may be asked for.
    pub fn none() -> Self {
        Self(Robots::allow_all())
    }

    /// Whether the robot may ask for an address of the site.
    pub fn allow(&self, url: &Url) -> bool {
        let path = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        self.0.is_allowed(&path)
    }

    /// The sitemaps that the file names, in order, each once.
    pub fn sitemaps(&self) -> Vec<Url> {
        let mut found: Vec<Url> = Vec::new();
        for url in self.0.sitemaps() {
            if matches!(url.scheme(), "http" | "https") && !found.contains(url) {
                found.push(url.clone());
            }
            if found.len() == SITEMAPS_MAX {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sitemaps_and_rules_are_read() {
        let text = "\u{feff}User-agent: *\r\nDisallow: /cart\r\n\r\nSITEMAP: https://e.com/a.xml\r\n\
            sitemap:https://e.com/b.xml # second\r\nSitemap: https://e.com/a.xml\r\nSitemap: ftp://e.com/c\r\n";
        let rules = Rules::parse(text.as_bytes(), "tidings");
        let shown: Vec<String> = rules.sitemaps().iter().map(Url::to_string).collect();
        assert_eq!(shown, ["https://e.com/a.xml", "https://e.com/b.xml"]);
        let allows = |url: &str| rules.allow(&Url::parse(url).unwrap());
        assert!(allows("https://e.com/feed.xml") && !allows("https://e.com/cart?x=1"));
        assert!(Rules::none().allow(&Url::parse("https://e.com/cart").unwrap()));
        assert!(Rules::parse(b"<html>not found</html>", "tidings").sitemaps().is_empty());
    }
}
