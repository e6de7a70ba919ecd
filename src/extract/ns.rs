//! Namespaces: which vocabulary an element belongs to, whatever its author called it.
//!
//! Recognised by address with the variants that are met (scheme, trailing slash or `#`, case),
//! and by the conventional prefix where the address is unknown or was never declared.

/// The vocabularies that mean something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ns {
    /// The format's own elements: RSS of all versions, or none at all.
    Core,
    Atom,
    Content,
    DublinCore,
    /// `dcterms:`
    Terms,
    Media,
    Itunes,
    Syndication,
    Feedburner,
    /// Google Merchant: `g:`
    Merchant,
    /// RFC 6721: `at:deleted-entry`
    Tombstone,
    Rdf,
    Xhtml,
    Other,
}

/// The vocabulary behind an address; [`Ns::Other`] when it is none of ours.
pub(crate) fn by_address(address: &str) -> Ns {
    let lower = address.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let bare = bare.unwrap_or(&lower).trim_start_matches("www.").trim_end_matches(['/', '#']);
    match bare {
        ""
        | "purl.org/rss/1.0"
        | "my.netscape.com/rdf/simple/0.9"
        | "channel.netscape.com/rdf/simple/0.9"
        | "my.netscape.com/publish/formats/rss-0.91.dtd"
        | "purl.org/net/rss1.1"
        | "backend.userland.com/rss"
        | "backend.userland.com/rss2"
        | "blogs.law.harvard.edu/tech/rss"
        | "cyber.law.harvard.edu/rss/rss.html"
        | "backend.userland.com/rss092"
        | "backend.userland.com/rss091"
        | "rssboard.org/rss-specification" => Ns::Core,
        "w3.org/2005/atom"
        | "purl.org/atom/ns"
        | "purl.org/atom"
        | "w3.org/2005/atom10"
        | "example.com/newformat"
        | "example.com/necho"
        | "purl.org/echo"
        | "uri/of/echo/namespace" => Ns::Atom,
        "purl.org/rss/1.0/modules/content" => Ns::Content,
        "purl.org/dc/elements/1.1"
        | "purl.org/dc/elements/1.0"
        | "purl.org/metadata/dublin_core" => Ns::DublinCore,
        "purl.org/dc/terms" | "purl.org/rss/1.0/modules/dcterms" => Ns::Terms,
        "search.yahoo.com/mrss"
        | "search.yahoo.com/rss"
        | "video.search.yahoo.com/mrss"
        | "api.search.yahoo.com/mrss"
        | "tools.search.yahoo.com/mrss" => Ns::Media,
        "itunes.com/dtds/podcast-1.0.dtd"
        | "example.com/dtds/podcast-1.0.dtd"
        | "itunes.com/dtds/podcast" => Ns::Itunes,
        "purl.org/rss/1.0/modules/syndication" => Ns::Syndication,
        "rssnamespace.org/feedburner/ext/1.0" => Ns::Feedburner,
        "base.google.com/ns/1.0" => Ns::Merchant,
        "purl.org/atompub/tombstones/1.0" => Ns::Tombstone,
        "w3.org/1999/02/22-rdf-syntax-ns" => Ns::Rdf,
        "w3.org/1999/xhtml" => Ns::Xhtml,
        _ => Ns::Other,
    }
}

/// The vocabulary that a prefix stands for by convention.
pub(crate) fn by_prefix(prefix: &str) -> Ns {
    match prefix {
        "atom" | "atom10" | "a10" => Ns::Atom,
        "content" => Ns::Content,
        "dc" => Ns::DublinCore,
        "dcterms" | "dcterm" => Ns::Terms,
        "media" => Ns::Media,
        "itunes" => Ns::Itunes,
        "sy" => Ns::Syndication,
        "feedburner" => Ns::Feedburner,
        "g" => Ns::Merchant,
        "at" => Ns::Tombstone,
        "rdf" => Ns::Rdf,
        "rss" => Ns::Core,
        "xhtml" | "html" => Ns::Xhtml,
        _ => Ns::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_known_by_its_variants() {
        for address in [
            "http://search.yahoo.com/mrss/",
            "https://search.yahoo.com/mrss",
            "HTTP://search.yahoo.com/mrss#",
        ] {
            assert_eq!(by_address(address), Ns::Media, "{address}");
        }
        assert_eq!(by_address("https://www.w3.org/2005/Atom"), Ns::Atom);
        assert_eq!(by_address("http://example.org/mine"), Ns::Other);
    }
}
