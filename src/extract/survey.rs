//! One pass over the tags of a document: what is in it, and whether feed-rs reads all of it.
//!
//! feed-rs reads the plain feeds, which are most. It drops, confuses or refuses a number of
//! things, though, and panics on a few: where the survey meets one of those, our own `reader`
//! takes the document. The survey looks at tags only, skips what stands in CDATA and comments, and stops
//! at the first reason against feed-rs. It proves nothing about well-formedness.

use crate::extract::ns::{self, Ns};
use crate::extract::{ATTRIBUTES_MAX, NAMESPACES_MAX, XML_DEPTH_MAX};

/// What the pass has shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey<'a> {
    /// Name of the root element as written.
    pub root: Option<&'a str>,
    /// Where its start tag begins.
    pub start: usize,
    /// feed-rs reads all that we want from it, provided that it is well-formed.
    pub plain: bool,
    /// Start tags of items or entries, as far as the pass went.
    pub items: usize,
    pub period: &'a str,
    pub frequency: &'a str,
}

/// Surveys an XML text; gives up counting above `items_max` items.
pub(crate) fn survey(text: &str, items_max: usize) -> Survey<'_> {
    let mut pass = Pass { text, ..Pass::default() };
    pass.found.plain =
        pass.run(items_max).is_some() && pass.depth == 0 && pass.found.items <= items_max;
    pass.found
}

/// The families that feed-rs tells apart; RDF is not among them, since it drops `rdf:about`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Family {
    #[default]
    Rss,
    Atom,
}

#[derive(Default)]
struct Pass<'a> {
    text: &'a str,
    found: Survey<'a>,
    family: Family,
    depth: usize,
    /// Depth of the items' start tags.
    item_depth: usize,
    in_item: bool,
    /// Whether the open child of the item or channel may have children.
    nests: bool,
    /// Whether the channel element has been seen.
    channel: bool,
    prefixes: Vec<&'a str>,
}

/// A start tag in pieces.
struct Tag<'a> {
    name: &'a str,
    /// Everything behind the name, without the final `/`.
    rest: &'a str,
    closed: bool,
    /// Where the text behind the tag begins.
    end: usize,
}

impl<'a> Pass<'a> {
    /// `None` at the first reason against feed-rs.
    fn run(&mut self, items_max: usize) -> Option<()> {
        let mut at = 0;
        while let Some(start) = self.text.get(at..)?.find('<') {
            let start = at + start;
            let rest = self.text.get(start..)?;
            match rest.as_bytes().get(1)? {
                b'!' => at = start + self.skip_declaration(rest)?,
                b'?' => at = start + rest.find("?>")? + 2,
                b'/' => {
                    at = start + rest.find('>')? + 1;
                    self.close()?;
                }
                _ => {
                    let tag = tag_at(self.text, start)?;
                    at = tag.end;
                    if self.found.root.is_none() {
                        self.found.start = start;
                    }
                    self.open(&tag)?;
                    if self.found.items > items_max {
                        return None;
                    }
                    if self.depth == 0 {
                        break;
                    }
                }
            }
        }
        (self.found.root.is_some() && self.channel).then_some(())
    }

    fn skip_declaration(&self, rest: &str) -> Option<usize> {
        if rest.starts_with("<![CDATA[") {
            Some(rest.find("]]>")? + 3)
        } else if rest.starts_with("<!--") {
            Some(rest.find("-->")? + 3)
        } else {
            // A document type: one with declarations of its own is not for feed-rs.
            let end = rest.find('>')?;
            (self.depth == 0 && !rest.get(..end)?.contains('[')).then_some(end + 1)
        }
    }

    fn close(&mut self) -> Option<()> {
        if self.in_item && self.depth == self.item_depth {
            self.in_item = false;
        }
        self.depth = self.depth.checked_sub(1)?;
        Some(())
    }

    fn open(&mut self, tag: &Tag<'a>) -> Option<()> {
        self.depth += 1;
        if self.depth > XML_DEPTH_MAX {
            return None;
        }
        self.check_namespaces(tag)?;
        match self.depth {
            1 => self.open_root(tag)?,
            2 if self.family == Family::Rss => {
                (tag.name == "channel" && !self.channel && !tag.closed).then_some(())?;
                self.channel = true;
            }
            _ if self.in_item => self.open_in_item(tag)?,
            depth if depth == self.item_depth => self.open_in_channel(tag)?,
            _ => self.nests.then_some(())?,
        }
        if tag.closed {
            self.close()?;
        }
        Some(())
    }

    fn open_root(&mut self, tag: &Tag<'a>) -> Option<()> {
        if self.found.root.is_some() {
            return None;
        }
        self.found.root = Some(tag.name);
        (self.family, self.item_depth) = match tag.name {
            "rss" => (Family::Rss, 3),
            "feed" => (Family::Atom, 2),
            _ => return None,
        };
        self.channel = self.family == Family::Atom;
        let version = attribute(tag.rest, "version").unwrap_or("none");
        let known = matches!(version, "2.0" | "" | "0.91" | "0.92");
        (!tag.closed && (self.family == Family::Atom || known)).then_some(())
    }

    /// A child of `channel` or `feed`.
    fn open_in_channel(&mut self, tag: &Tag<'a>) -> Option<()> {
        let item = if self.family == Family::Rss { "item" } else { "entry" };
        self.nests = false;
        match tag.name {
            name if name == item => {
                self.in_item = true;
                self.found.items += 1;
            }
            "image" | "textInput" | "textinput" | "skipHours" | "skipDays" | "author"
            | "itunes:owner" | "itunes:category" | "contributor" => self.nests = true,
            "sy:updatePeriod" => self.found.period = self.text_behind(tag),
            "sy:updateFrequency" => self.found.frequency = self.text_behind(tag),
            "dc:language" | "dc:title" | "atom:title" | "items" | "entries" => return None,
            _ => {}
        }
        if matches!(tag.name, "managingEditor" | "webMaster" | "author" | "itunes:author") {
            self.check_person(tag)?;
        }
        Some(())
    }

    /// A child of an item, or deeper.
    fn open_in_item(&mut self, tag: &Tag<'a>) -> Option<()> {
        if self.depth > self.item_depth + 1 {
            return (self.nests && matches!(tag.name, "name" | "email" | "uri")).then_some(());
        }
        self.nests = false;
        match (self.family, tag.name) {
            (Family::Rss, "author" | "dc:creator") => self.check_person(tag),
            (Family::Rss, "enclosure") => {
                let url = attribute(tag.rest, "url")?;
                (url.starts_with("http") && !url.contains(' ')).then_some(())
            }
            (
                Family::Rss,
                "title" | "link" | "description" | "pubDate" | "guid" | "category" | "comments"
                | "source" | "content:encoded",
            ) => Some(()),
            (Family::Atom, "id" | "published" | "updated" | "rights") => Some(()),
            (Family::Atom, "link") => attribute(tag.rest, "href").map(|_| ()),
            (Family::Atom, "category") => Some(()),
            (Family::Atom, "author" | "contributor") => {
                self.nests = true;
                Some(())
            }
            (Family::Atom, "title" | "summary" | "content") => {
                let kind = attribute(tag.rest, "type").unwrap_or("text");
                let plain = matches!(kind, "text" | "html") && !tag.rest.contains("src=");
                // feed-rs refuses the whole feed for an empty text.
                (plain && !tag.closed).then_some(())
            }
            (_, name) => {
                // A name of another vocabulary is passed over by feed-rs; we want some of them.
                let foreign = match name.split_once(':') {
                    Some((prefix, _)) => ns::by_prefix(prefix) == Ns::Other && prefix != "podcast",
                    None => {
                        attribute(tag.rest, "xmlns").is_some_and(|a| ns::by_address(a) == Ns::Other)
                    }
                };
                foreign.then_some(())
            }
        }
    }

    /// feed-rs takes a name with an e-mail address apart in its own way, and panics where a
    /// character of several bytes touches the address.
    fn check_person(&self, tag: &Tag<'a>) -> Option<()> {
        let text = self.text_behind(tag);
        (!text.contains('@') && !text.contains("&#")).then_some(())
    }

    /// The text up to the next end tag.
    fn text_behind(&self, tag: &Tag<'a>) -> &'a str {
        let rest = if tag.closed { "" } else { self.text.get(tag.end..).unwrap_or_default() };
        rest.find("</").and_then(|end| rest.get(..end)).unwrap_or_default()
    }

    fn check_namespaces(&mut self, tag: &Tag<'a>) -> Option<()> {
        if let Some((prefix, _)) = tag.name.split_once(':') {
            let declared_here = tag.rest.contains("xmlns:");
            if !declared_here && !self.prefixes.contains(&prefix) {
                return None;
            }
        }
        if !tag.rest.contains(':') && !tag.rest.contains("xmlns") {
            return Some(());
        }
        if tag.rest.contains("xml:base") || self.depth > 1 && tag.rest.contains("xml:lang") {
            return None;
        }
        let mut attributes = 0;
        for (name, value) in attributes_of(tag.rest) {
            attributes += 1;
            if attributes > ATTRIBUTES_MAX {
                return None;
            }
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                let usual = ns::is_conventional(prefix, value) && self.depth <= 2;
                if !usual || self.prefixes.len() >= NAMESPACES_MAX {
                    return None;
                }
                self.prefixes.push(prefix);
            } else if name == "xmlns" {
                match self.depth {
                    1 => (tag.name == "feed" && value == "http://www.w3.org/2005/Atom")
                        .then_some(())?,
                    // An element of a foreign vocabulary, which both readers pass over.
                    _ => (ns::by_address(value) == Ns::Other).then_some(())?,
                }
            }
        }
        Some(())
    }
}

/// The start tag at `start`; `None` when it does not end or has no name.
fn tag_at(text: &str, start: usize) -> Option<Tag<'_>> {
    let inner = text.get(start + 1..)?;
    let bytes = inner.as_bytes();
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let name_end =
        bytes.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))?;
    let mut quote = 0;
    let length = bytes.get(name_end..)?.iter().position(|b| match *b {
        b'>' if quote == 0 => true,
        b'"' | b'\'' if quote == 0 => {
            quote = *b;
            false
        }
        b if b == quote => {
            quote = 0;
            false
        }
        _ => false,
    })?;
    let end = name_end + length;
    let rest = inner.get(name_end..end)?;
    let closed = rest.ends_with('/');
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    Some(Tag { name: inner.get(..name_end)?, rest, closed, end: start + 1 + end + 1 })
}

/// The value of an attribute, as written.
fn attribute<'a>(rest: &'a str, wanted: &str) -> Option<&'a str> {
    if rest.is_empty() {
        return None;
    }
    attributes_of(rest).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Names and values of quoted attributes; ends at the first thing that is none.
fn attributes_of(mut rest: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, tail) = behind.get(1..)?.split_once(quote)?;
        rest = tail;
        Some((name.trim(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(text: &str) -> bool {
        survey(text, 10).plain
    }

    fn rss(item: &str) -> String {
        format!(
            "<?xml version='1.0'?><rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
             xmlns:slash=\"http://purl.org/rss/1.0/modules/slash/\">\
             <channel><title>t</title><item>{item}</item></channel></rss>"
        )
    }

    #[test]
    fn an_ordinary_feed_is_for_feed_rs() {
        assert!(is_plain(&rss(
            "<title>a</title><link>http://e.com/a</link><guid isPermaLink=\"false\">1</guid>\
            <dc:creator><![CDATA[x]]></dc:creator><content:encoded><![CDATA[<p>a</p>]]></content:encoded>\
            <slash:comments>0</slash:comments><enclosure url=\"http://e.com/a.mp3\" length=\"1\" type=\"audio/mpeg\"/>"
        )));
        assert!(is_plain(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\"><author><name>x</name></author>\
            <entry><title type=\"html\">a</title><link href=\"http://e.com/\"/><author><name>x</name></author></entry></feed>"
        ));
    }

    #[test]
    fn what_feed_rs_drops_or_refuses_is_not() {
        for item in [
            "<title>a <i>b</i></title>",
            "<description><p>a</p></description>",
            "<dc:date>2020-01-01</dc:date>",
            "<media:thumbnail url=\"x\"/>",
            "<foo:title>a</foo:title>",
            "<author>“a”\u{a0}a@example.com</author>",
            "<enclosure url=\"/a.mp3\"/>",
            "<link xml:base=\"http://e.com/\">a</link>",
            "<image><url>x</url></image>",
        ] {
            assert!(!is_plain(&rss(item)), "{item}");
        }
        assert!(!is_plain("<rss version=\"2.1\"><channel></channel></rss>"));
        assert!(!is_plain(
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"></rdf:RDF>"
        ));
        assert!(!is_plain("<rss version=\"2.0\"><channel><item></item></channel>"));
    }

    #[test]
    fn items_are_counted_up_to_the_limit() {
        let feed = |items: usize| {
            format!(
                "<rss version=\"2.0\"><channel>{}</channel></rss>",
                "<item></item>".repeat(items)
            )
        };
        assert!(survey(&feed(10), 10).plain);
        let many = feed(50);
        let over = survey(&many, 10);
        assert_eq!((over.plain, over.items), (false, 11));
    }
}
