//! Our own reader of JSON Feed 1.0 and 1.1.
//!
//! Takes what feed-rs drops or refuses: pictures, hubs, ids that are numbers, a missing title,
//! values of another type than the format wants. No tree of values is built: unknown members are
//! passed over as they come.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::extract::raw::{Form, RawEntry, RawFeed, RawLink, RawMedia, RawText, Role, cap};
use crate::extract::refusal::NotADocument;
use crate::extract::{Format, ITEMS_MAX, JSON_DEPTH_MAX, date, media};
use crate::markup;

/// Most values of a list inside an item that are kept.
const NAMES_MAX: usize = 64;

/// What must not stand in a document for feed-rs, since it drops it.
const DROPPED: [&str; 6] =
    ["\"image\"", "\"banner_image\"", "\"hubs\"", "\"next_url\"", "\"expired\"", "\"attachments\""];

/// Whether feed-rs reads all that we want from a document, if it reads it at all.
pub(crate) fn is_plain(text: &str) -> bool {
    // It takes names with an e-mail address apart, and panics at some.
    let safe = !text.contains("\"author") || !text.contains('@');
    safe && !DROPPED.iter().any(|name| text.contains(name))
}

/// The depth of a document is within [`JSON_DEPTH_MAX`], and so is the number of its items.
pub(crate) fn check(text: &str, items_max: usize) -> Result<(), NotADocument> {
    let (mut depth, mut items, mut quoted, mut escaped) = (0usize, 0usize, false, false);
    for byte in text.bytes() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => {
                depth += 1;
                // Items are the objects in an array of the outermost object, and mostly they alone.
                items += usize::from(depth == 3 && byte == b'{');
                if depth > JSON_DEPTH_MAX {
                    return Err(NotADocument::JsonTooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if items > items_max.saturating_add(256) {
        return Err(NotADocument::TooManyItems { max: items_max });
    }
    Ok(())
}

/// Reads a document that [`check`] has passed.
///
/// # Errors
/// [`NotADocument`] when it is no JSON Feed.
pub(crate) fn read(text: &str, items_max: usize) -> Result<RawFeed, NotADocument> {
    let other = |why: String| NotADocument::OtherJson(why);
    let feed: Feed = serde_json::from_str(text).map_err(|error| other(error.to_string()))?;
    let version = feed.version.text();
    let named = [&feed.title, &feed.home_page_url, &feed.feed_url]
        .iter()
        .any(|member| !member.0.is_empty());
    // The version is a formality that some get wrong; what else has titled `items` is a feed too.
    let Some(items) =
        feed.items.filter(|_| named || version.contains("jsonfeed") || version.starts_with('1'))
    else {
        return Err(other("it has no list of `items`".into()));
    };
    if items.0.len() > items_max {
        return Err(NotADocument::TooManyItems { max: items_max });
    }
    let mut raw = RawFeed::new(Format::Json);
    raw.title = RawText::new(feed.title.text(), Form::Plain);
    raw.links.extend(feed.home_page_url.link());
    raw.self_link = feed.feed_url.link();
    raw.next = feed.next_url.link();
    raw.language = feed.language.text();
    raw.expired = feed.expired.0 == "true";
    raw.hub = feed.hubs.0.into_iter().find_map(|hub| hub.url.link());
    raw.authors = names(feed.authors.0, feed.author);
    raw.entries = items.0.into_iter().map(entry).collect();
    Ok(raw)
}

fn entry(item: Item) -> RawEntry {
    let (html, text) = (item.content_html.0, item.content_text.0);
    let mut summary = RawText::new(item.summary.0, Form::Plain);
    let mut body = RawText::new(html, Form::Html);
    if body.is_empty() {
        body = RawText::new(lines(&text), Form::Html);
    } else if summary.is_empty() {
        summary = RawText::new(text, Form::Plain);
    }
    cap(&mut body.text);
    cap(&mut summary.text);
    let file = |link: Option<RawLink>, role| {
        link.map(|link| RawMedia { link, role, ..RawMedia::default() })
    };
    let mut media: Vec<RawMedia> = Vec::new();
    media.extend(file(item.image.link(), Role::Picture));
    media.extend(file(item.banner_image.link(), Role::Cover));
    for attachment in item.attachments.0 {
        media.extend(attachment.url.link().map(|link| RawMedia {
            link,
            role: Role::Enclosure,
            mime: attachment.mime_type.text(),
            bytes: attachment.size_in_bytes.0.split('.').next().and_then(|size| size.parse().ok()),
            alt: attachment.title.text(),
            title: attachment.title.text(),
            seconds: media::seconds(&attachment.duration_in_seconds.0),
            ..RawMedia::default()
        }));
    }
    RawEntry {
        guid: item.id.text(),
        guid_is_link: true,
        title: RawText::new(item.title.text(), Form::Plain),
        links: [item.url.link(), item.external_url.link()].into_iter().flatten().collect(),
        summary,
        body,
        published: date::parse(&item.date_published.0),
        updated: date::parse(&item.date_modified.0),
        authors: names(item.authors.0, item.author),
        tags: item.tags.0.into_iter().map(|tag| tag.0).collect(),
        language: item.language.text(),
        media,
    }
}

/// Plain text with its line breaks, as HTML.
pub(crate) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.trim().lines().enumerate() {
        if at > 0 {
            out.push_str("<br>");
        }
        markup::escape_into(line, &mut out);
    }
    out
}

fn names(authors: Vec<Part>, author: Option<Part>) -> Vec<String> {
    authors
        .into_iter()
        .chain(author)
        .map(|author| author.name.text())
        .filter(|name| !name.is_empty())
        .collect()
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Feed {
    version: Loose,
    title: Loose,
    home_page_url: Loose,
    feed_url: Loose,
    next_url: Loose,
    language: Loose,
    expired: Loose,
    author: Option<Part>,
    authors: List<Part>,
    hubs: List<Part>,
    items: Option<List<Item, { ITEMS_MAX + 1 }>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Item {
    id: Loose,
    url: Loose,
    external_url: Loose,
    title: Loose,
    content_html: Loose,
    content_text: Loose,
    summary: Loose,
    image: Loose,
    banner_image: Loose,
    date_published: Loose,
    date_modified: Loose,
    author: Option<Part>,
    authors: List<Part>,
    tags: List<Loose>,
    language: Loose,
    attachments: List<Part>,
}

/// An author, a hub or an attachment: an object, or a bare string for its name or address.
#[derive(Default)]
struct Part {
    name: Loose,
    url: Loose,
    mime_type: Loose,
    title: Loose,
    size_in_bytes: Loose,
    duration_in_seconds: Loose,
}

/// A string, or a number or truth value in its written form; anything else is empty.
#[derive(Default)]
struct Loose(String);

impl Loose {
    fn text(&self) -> String {
        self.0.trim().to_owned()
    }

    fn link(&self) -> Option<RawLink> {
        (!self.0.trim().is_empty()).then(|| RawLink::new(self.text()))
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Loose;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Loose, E> {
                Ok(Loose(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::default())
            }
        }
        from.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Part;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_str<E>(self, text: &str) -> Result<Part, E> {
                let (name, url) = (Loose(text.to_owned()), Loose(text.to_owned()));
                Ok(Part { name, url, ..Part::default() })
            }

            fn visit_u64<E>(self, _: u64) -> Result<Part, E> {
                Ok(Part::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Part, E> {
                Ok(Part::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Part, E> {
                Ok(Part::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Part, E> {
                Ok(Part::default())
            }

            fn visit_unit<E>(self) -> Result<Part, E> {
                Ok(Part::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part, A::Error> {
                let first = list.next_element()?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(first.unwrap_or_default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
                let mut part = Part::default();
                while let Some(key) = map.next_key::<String>()? {
                    let slot = match key.as_str() {
                        "name" => &mut part.name,
                        "url" => &mut part.url,
                        "mime_type" => &mut part.mime_type,
                        "title" => &mut part.title,
                        "size_in_bytes" => &mut part.size_in_bytes,
                        "duration_in_seconds" => &mut part.duration_in_seconds,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *slot = map.next_value()?;
                }
                Ok(part)
            }
        }
        from.deserialize_any(Read)
    }
}

/// A list, or nothing; a single value counts as a list of one, and what is beyond `MAX` is left
/// out.
#[derive(Default)]
struct List<T, const MAX: usize = NAMES_MAX>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Read<T, MAX> {
            type Value = List<T, MAX>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List(vec![]))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(List(vec![]))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(List(vec![]))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = T::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(List(vec![one]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let one = T::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(List(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while out.len() < MAX {
                    let Some(one) = list.next_element()? else { return Ok(List(out)) };
                    out.push(one);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(List(out))
            }
        }
        from.deserialize_any(Read::<T, MAX>(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(items: &str) -> RawFeed {
        let text =
            format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{items}]}}");
        read(&text, 100).unwrap()
    }

    #[test]
    fn values_of_another_type_are_understood() {
        let found = feed(
            r#"{"id":7,"url":"http:\/\/e.com\/7","title":null,"content_text":"a\nb < c","tags":"x","authors":[{"name":"Ann"},"Bee"],"author":3,
               "image":{"url":"x"},"attachments":{"url":"http://e.com/a.mp3","mime_type":"audio/mpeg","size_in_bytes":5.0},"_own":{"x":[1]}}"#,
        );
        let entry = &found.entries[0];
        assert_eq!((entry.guid.as_str(), entry.links[0].href.as_str()), ("7", "http://e.com/7"));
        assert_eq!(entry.body.text, "a<br>b &lt; c");
        assert_eq!(entry.tags, ["x"]);
        assert_eq!(entry.authors, ["Ann", "Bee"]);
        assert_eq!((entry.media.len(), entry.media[0].bytes), (1, Some(5)));
    }

    #[test]
    fn the_feed_tells_hub_and_end() {
        let text = r#"{"version":"https://jsonfeed.org/version/1","title":"t","expired":true,"hubs":[{"type":"WebSub","url":"http://hub.e.com/"}],"items":[]}"#;
        let found = read(text, 100).unwrap();
        assert!(found.expired);
        assert_eq!(found.hub.unwrap().href, "http://hub.e.com/");
    }

    #[test]
    fn other_json_is_refused_with_the_reason() {
        for (text, why) in [
            (r#"{"products":[]}"#, "no list of `items`"),
            (r#"{"version":"2","items":[]}"#, "no list of `items`"),
            (r#"{"version":"https://jsonfeed.org/version/1","items":[{"#, "EOF"),
        ] {
            let error = read(text, 100).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn sec_l07_depth_and_items_are_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(&nested(JSON_DEPTH_MAX), 10), Ok(()));
        assert_eq!(check(&nested(JSON_DEPTH_MAX + 1), 10), Err(NotADocument::JsonTooDeep));
        let items = |count: usize| {
            format!("{{\"version\":\"jsonfeed.org\",\"items\":[{}]}}", vec!["{}"; count].join(","))
        };
        assert_eq!(read(&items(10), 10).unwrap().entries.len(), 10);
        assert_eq!(read(&items(11), 10).unwrap_err(), NotADocument::TooManyItems { max: 10 });
        assert!(check(&items(1_000), 10).is_err());
    }
}
