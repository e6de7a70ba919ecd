//! What was sent to a topic, as a page and as a feed.

use crate::invite::language::Wording;
use crate::invite::page::{Document, Manner, document, is_web};
use crate::invite::words;
use crate::markup::escape;
use crate::model::archive::{Archived, Entry};
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// Most posts of one page, and of the feed.
pub const ARCHIVE_POSTS_MAX: usize = 50;

/// A topic of which everybody may read what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub topic: Name,
    pub title: Wording,
    /// The address of its page, without a query.
    pub address: String,
    /// The address of a page on which people subscribe to it.
    pub subscribe: Option<String>,
}

impl Archive {
    pub fn feed_address(&self) -> String {
        format!("{}/feed.xml", self.address)
    }

    /// The first of the languages that somebody wants in which there are words for them, else
    /// English.
    pub fn language(&self, wanted: &[String]) -> String {
        words::first_spoken(wanted, &self.title)
    }

    /// A page of posts, the newest first. With `has_more` there are older ones.
    pub fn document(&self, language: &str, posts: &[Archived], has_more: bool) -> Document {
        let words = words::words(language);
        let title = self.title.in_language(language);
        let mut out = format!("<main>\n<header><h1>{}</h1>", escape(title));
        out.push_str(&format!("<p>{}</p></header>\n", words.sent));
        if let Some(page) = &self.subscribe {
            let (before, after) = words.subscribe_to;
            out.push_str(&format!(
                "<div class=\"doors\"><a class=\"door plain\" href=\"{}\">{before}{}{after}</a></div>\n",
                escape(page),
                escape(title)
            ));
        }
        if posts.is_empty() {
            out.push_str(&format!("<p class=\"notice\">{}</p>\n", words.nothing_yet));
        } else {
            out.push_str("<ol class=\"archive\">");
            posts.iter().for_each(|post| write_post(post, &mut out));
            out.push_str("</ol>\n");
        }
        out.push_str("<p class=\"more\">");
        if let (true, Some(last)) = (has_more, posts.last()) {
            let address = format!("{}?before={}", self.address, last.post);
            out.push_str(&format!(
                "<a rel=\"next\" href=\"{}\">{}</a> · ",
                escape(&address),
                words.older
            ));
        }
        out.push_str(&format!("<a href=\"{}\">RSS</a></p>\n</main>", escape(&self.feed_address())));
        let feeds = [(title.to_owned(), self.feed_address())];
        let manner = Manner { feeds: &feeds, ..Manner::default() };
        document(language, title, words.sent, &out, &manner)
    }

    /// The posts as RSS 2.0, the newest first. Source: RSS 2.0 Specification; RSS Best Practices
    /// Profile, `atom:link`.
    pub fn feed(&self, posts: &[Archived]) -> String {
        let title = &self.title.default;
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        out.push_str("<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>\n");
        element("title", title, &mut out);
        element("link", &self.address, &mut out);
        element("description", title, &mut out);
        out.push_str(&format!(
            "<atom:link href=\"{}\" rel=\"self\" type=\"application/rss+xml\"/>\n",
            xml(&self.feed_address())
        ));
        element("generator", "tidings", &mut out);
        let newest = posts.iter().map(|post| post.corrected_at.unwrap_or(post.at)).max();
        if let Some(at) = newest {
            element("lastBuildDate", &date(at), &mut out);
        }
        for post in posts {
            for (number, entry) in post.entries.iter().enumerate() {
                write_item(self, post, number, entry, &mut out);
            }
        }
        out.push_str("</channel></rss>\n");
        out
    }
}

fn write_post(post: &Archived, out: &mut String) {
    let at = post.at.to_jiff();
    out.push_str(&format!(
        "<li id=\"p{}\"><time datetime=\"{}\">{}</time>",
        post.post,
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        at.strftime("%Y-%m-%d")
    ));
    for entry in &post.entries {
        let title = escape(&entry.title);
        out.push_str("<div dir=\"auto\">");
        match entry.link.as_deref().filter(|link| is_web(link)) {
            Some(link) => out.push_str(&format!(
                "<a href=\"{}\" rel=\"noopener noreferrer nofollow\">{title}</a>",
                escape(link)
            )),
            None => out.push_str(&format!("<b>{title}</b>")),
        }
        if !entry.text.is_empty() && entry.text != entry.title {
            out.push_str(&format!("<p>{}</p>", escape(&entry.text)));
        }
        out.push_str("</div>");
    }
    out.push_str("</li>");
}

fn write_item(archive: &Archive, post: &Archived, number: usize, entry: &Entry, out: &mut String) {
    out.push_str("<item>");
    element("title", &entry.title, out);
    let own =
        format!("{}?before={}#p{}", archive.address, post.post.0.saturating_add(1), post.post);
    let link = entry.link.as_deref().filter(|link| is_web(link)).unwrap_or(&own);
    element("link", link, out);
    if !entry.text.is_empty() {
        // A description is HTML, and what is kept is plain.
        element("description", &escape(&entry.text), out);
    }
    let guid = format!("tidings:{}:{}:{number}", archive.topic, post.post);
    out.push_str(&format!("<guid isPermaLink=\"false\">{}</guid>", xml(&guid)));
    element("pubDate", &date(post.at), out);
    out.push_str("</item>\n");
}

fn element(name: &str, text: &str, out: &mut String) {
    out.push_str(&format!("<{name}>{}</{name}>\n", xml(text)));
}

/// As RFC 822 has it, with the year in four digits.
fn date(at: Timestamp) -> String {
    at.to_jiff().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The text fit for XML: without the characters that it has no way to say.
fn xml(text: &str) -> String {
    let is_sayable =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    escape(&text.chars().filter(is_sayable).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::post::PostId;

    fn archive() -> Archive {
        Archive {
            topic: Name::parse("news").unwrap(),
            title: Wording {
                default: "News & <views>".into(),
                languages: [
                    ("en".to_owned(), "News & <views>".to_owned()),
                    ("ro".to_owned(), "Știri".to_owned()),
                ]
                .into(),
            },
            address: "https://example.com/t/news".into(),
            subscribe: Some("/s/news".into()),
        }
    }

    fn post(number: u64, title: &str, text: &str, link: Option<&str>) -> Archived {
        Archived {
            posts: 1,
            post: PostId(number),
            at: Timestamp::from_millis(1_790_000_000_000),
            corrected_at: None,
            entries: vec![Entry {
                title: title.into(),
                text: text.into(),
                link: link.map(Into::into),
            }],
        }
    }

    #[test]
    fn a_page_shows_what_was_sent_and_leads_to_older_posts() {
        let posts = [
            post(9, "Storm", "Stay at home.", Some("https://example.com/storm")),
            post(7, "Calm", "", None),
        ];
        let shown = archive().document("ro", &posts, true);
        let html = &shown.html;
        assert!(html.contains("<h1>Știri</h1>") && html.contains("<html lang=\"ro\">"));
        assert!(html.contains("<a href=\"https://example.com/storm\""), "{html}");
        assert!(html.contains("<p>Stay at home.</p>") && html.contains("<b>Calm</b>"));
        assert!(html.contains("datetime=\"2026-09-21T14:13:20Z\""), "{html}");
        assert!(html.contains("href=\"https://example.com/t/news?before=7\""));
        assert!(html.contains("<link rel=\"alternate\" type=\"application/rss+xml\""));
        assert!(!archive().document("en", &posts, false).html.contains("rel=\"next\""));
        assert!(archive().document("de", &[], false).html.contains("class=\"notice\""));
    }

    #[test]
    fn a_feed_is_read_again() {
        let posts = [
            post(9, "A & <b>", "Words & \u{1}\u{ffff}more", Some("https://example.com/?a=1&b=2")),
            post(7, "]]>", "", Some("javascript:alert(1)")),
        ];
        let feed = archive().feed(&posts);
        assert!(feed.contains("<pubDate>Mon, 21 Sep 2026 14:13:20 GMT</pubDate>"), "{feed}");
        assert!(feed.contains("<title>A &amp; &lt;b&gt;</title>"), "{feed}");
        assert!(feed.contains("<description>Words &amp;amp; more</description>"), "{feed}");
        assert!(feed.contains("<link>https://example.com/?a=1&amp;b=2</link>"));
        assert!(!feed.contains("javascript:") && !feed.contains('\u{1}'));
        assert!(feed.contains("<link>https://example.com/t/news?before=8#p7</link>"));
        assert!(feed.contains("<guid isPermaLink=\"false\">tidings:news:9:0</guid>"));
    }

    #[test]
    fn sec_t01_nothing_that_was_sent_becomes_markup() {
        let hostile = "</li><script>alert(1)</script>\"'><img src=x>";
        let posts = [post(1, hostile, hostile, Some(&format!("https://x/{hostile}")))];
        for text in [archive().document("en", &posts, true).html, archive().feed(&posts)] {
            assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        }
    }
}
