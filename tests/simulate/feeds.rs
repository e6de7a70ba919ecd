//! Feeds whose items we know, served well or badly.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use crate::site::{Answer, Heard, Site, status};

/// How a feed is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Well,
    Status(u16),
    /// The first half of the document, as if it were all.
    Half,
    /// The first half, and the connection ends.
    Torn,
    /// An answer without a body.
    Nothing,
    /// A feed without items.
    NoItems,
    /// Every item has another id than the last time.
    OtherIds,
    /// In the wrong order.
    Shuffled,
    /// Only the older items: a cache.
    Stale,
    /// A page of a proxy.
    Page,
    /// Nothing has changed, whatever is asked.
    Unchanged,
    Hang,
    /// It is to be left alone for a day.
    Rest,
}

pub const BAD_MANNERS: [Manner; 14] = [
    Manner::Status(500),
    Manner::Status(503),
    Manner::Status(429),
    Manner::Status(404),
    Manner::Half,
    Manner::Torn,
    Manner::Nothing,
    Manner::NoItems,
    Manner::OtherIds,
    Manner::Shuffled,
    Manner::Stale,
    Manner::Page,
    Manner::Unchanged,
    Manner::Hang,
];

/// See [`Manner::Rest`].
const REST_SECONDS: &str = "86400";

#[derive(Clone, Debug)]
pub struct Story {
    /// In its title; no other text has it.
    pub token: String,
    pub version: u32,
}

impl Story {
    pub fn title(&self) -> String {
        format!("Story {}", self.token)
    }
}

/// One feed. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    pub source: &'static str,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    base: String,
    stories: Vec<Story>,
    manner: Manner,
    /// So many answers were given.
    served: u64,
    /// So many whole answers were given since the last change.
    served_whole: u64,
}

impl Feed {
    /// Opens the feed at the site, at `/SOURCE.xml`.
    pub fn open(source: &'static str, site: &Site) -> Self {
        let inner = Inner {
            base: site.url(""),
            stories: Vec::new(),
            manner: Manner::Well,
            served: 0,
            served_whole: 0,
        };
        let feed = Self { source, inner: Arc::new(Mutex::new(inner)) };
        let serving = feed.clone();
        site.on(&format!("/{source}.xml"), move |heard| serving.answer(heard));
        feed
    }

    fn with<T>(&self, see: impl FnOnce(&mut Inner) -> T) -> T {
        see(&mut self.inner.lock().unwrap())
    }

    pub fn publish(&self, token: String) {
        self.with(|inner| {
            inner.stories.push(Story { token, version: 1 });
            inner.served_whole = 0;
        });
    }

    /// Changes the words of the story; its title stays.
    pub fn edit(&self, at: usize) {
        self.with(|inner| {
            inner.stories[at].version += 1;
            inner.served_whole = 0;
        });
    }

    pub fn stories(&self) -> Vec<Story> {
        self.with(|inner| inner.stories.clone())
    }

    pub fn serve(&self, manner: Manner) {
        self.with(|inner| {
            inner.manner = manner;
            inner.served_whole = 0;
        });
    }

    pub fn served(&self) -> u64 {
        self.with(|inner| inner.served)
    }

    pub fn served_whole(&self) -> u64 {
        self.with(|inner| inner.served_whole)
    }

    fn answer(&self, heard: &Heard) -> Answer {
        self.with(|inner| {
            inner.served += 1;
            inner.answer(heard)
        })
    }
}

impl Inner {
    fn answer(&mut self, heard: &Heard) -> Answer {
        let headers = [("Content-Type", "application/rss+xml; charset=utf-8")];
        let whole = |xml: String| Answer::Bytes(status(200, &headers, xml.as_bytes()));
        let half = |xml: &str| xml[..xml.len() / 2].to_owned();
        let newest: Vec<&Story> = self.stories.iter().rev().collect();
        match self.manner {
            Manner::Well => self.well(heard),
            Manner::Status(code) => Answer::Bytes(status(code, &[], b"sorry")),
            Manner::Half => whole(half(&self.write(&newest, ""))),
            Manner::Torn => {
                let mut bytes = status(200, &headers, self.write(&newest, "").as_bytes());
                bytes.truncate(bytes.len() / 2);
                Answer::BytesThenClose(bytes)
            }
            Manner::Nothing => whole(String::new()),
            Manner::NoItems => whole(self.write(&[], "")),
            Manner::OtherIds => whole(self.write(&newest, &format!("{}-", self.served))),
            Manner::Shuffled => {
                let mut stories = newest;
                stories.sort_by_key(|story| hash(&(&story.token, self.served)));
                whole(self.write(&stories, ""))
            }
            Manner::Stale => whole(self.write(&newest[newest.len() / 2..], "")),
            Manner::Page => {
                Answer::Bytes(status(200, &[("Content-Type", "text/html")], b"<html>Busy</html>"))
            }
            Manner::Unchanged => Answer::Bytes(status(304, &[], b"")),
            Manner::Hang => Answer::Hang,
            Manner::Rest => {
                Answer::Bytes(status(503, &[("Retry-After", REST_SECONDS)], b"tomorrow"))
            }
        }
    }

    fn well(&mut self, heard: &Heard) -> Answer {
        let newest: Vec<&Story> = self.stories.iter().rev().collect();
        let xml = self.write(&newest, "");
        let tag = format!("\"{:x}\"", hash(&xml));
        let headers = [("Content-Type", "application/rss+xml"), ("ETag", &tag)];
        self.served_whole += 1;
        if heard.header("If-None-Match") == Some(&tag) {
            return Answer::Bytes(status(304, &headers[1..], b""));
        }
        Answer::Bytes(status(200, &headers, xml.as_bytes()))
    }

    fn write(&self, stories: &[&Story], id_prefix: &str) -> String {
        let base = &self.base;
        let mut xml = format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>A blog</title>\
             <link>{base}/</link><description>Words</description>"
        );
        for story in stories {
            let (token, title, version) = (&story.token, story.title(), story.version);
            xml.push_str(&format!(
                "<item><guid isPermaLink=\"false\">{id_prefix}{token}</guid><title>{title}</title>\
                 <link>{base}/{token}</link><description>Words of it, v{version}x.\
                 </description><enclosure url=\"{base}/{token}.jpg\" type=\"image/jpeg\" \
                 length=\"1000\"/></item>"
            ));
        }
        xml.push_str("</channel></rss>");
        xml
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
