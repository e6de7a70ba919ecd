//! Items as JSON, for `tidings extract`.
//!
//! The keys and their meaning are a fixed interface that others' scripts rely on.

use serde_json::{Value, json};

use crate::extract::link;
use crate::model::item::Item;
use crate::model::time::Timestamp;

/// One item as an object: `id` (the format's own, else the canonical link), `link`, `title`,
/// `summary`, `body` (plain texts), `published`, `updated` (RFC 3339 in UTC, or null), `authors`,
/// `tags`, `language`, `image`, `media` (`kind`, `url`, `bytes`, `type`, `alt`).
///
/// What the document does not have is null, an empty text or an empty list.
pub fn item_json(item: &Item) -> Value {
    let date = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let media: Vec<Value> = item
        .media
        .iter()
        .map(|file| {
            json!({
                "kind": file.kind,
                "url": file.url,
                "bytes": file.bytes,
                "type": file.mime,
                "alt": file.alt,
            })
        })
        .collect();
    json!({
        "id": id(item),
        "link": item.link,
        "title": item.title,
        "summary": item.summary.plain(),
        "body": item.body.plain(),
        "published": date(item.published),
        "updated": date(item.updated),
        "authors": item.authors,
        "tags": item.tags,
        "language": item.language,
        "image": item.image,
        "media": media,
    })
}

/// The id that `tidings` shows: the format's own, else the canonical link.
pub fn id(item: &Item) -> Option<String> {
    if !item.guid.is_empty() {
        return Some(item.guid.clone());
    }
    let url = link::absolute(item.link.as_deref()?)?;
    Some(format!("{}://{}", url.scheme(), link::canonical(&url, true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::feed;
    use crate::model::name::Name;

    #[test]
    fn an_item_has_every_key_of_the_interface() {
        let document = "<rss version='2.0'><channel><language>en</language><item><title>A &amp;amp; B</title>\
            <link>http://e.com/1?utm_source=x</link><description>&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>\
            <pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate><category>x</category><author>Ann</author>\
            <enclosure url='http://e.com/a.mp3' length='12' type='audio/mpeg'/></item></channel></rss>";
        let base = url::Url::parse("http://e.com/feed").unwrap();
        let read = feed::read(document.as_bytes(), None, &base).unwrap();
        let item = read
            .entries
            .into_iter()
            .next()
            .unwrap()
            .into_item(&Name::parse("a").unwrap(), Timestamp::default());
        assert_eq!(
            item_json(&item),
            json!({
                "id": "http://e.com/1",
                "link": "http://e.com/1?utm_source=x",
                "title": "A & B",
                "summary": "one\ntwo",
                "body": "",
                "published": "2004-01-01T19:48:21Z",
                "updated": null,
                "authors": ["Ann"],
                "tags": ["x"],
                "language": "en",
                "image": null,
                "media": [{"kind": "audio", "url": "http://e.com/a.mp3", "bytes": 12, "type": "audio/mpeg", "alt": null}],
            })
        );
    }
}
