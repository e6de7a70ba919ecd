//! What a layout sees of an item.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use crate::markup;
use crate::model::item::{Item, Media, MediaKind};
use crate::model::post::Told;
use crate::model::rich::RichText;
use crate::model::time::Timestamp;
use crate::render::offers;
use crate::render::shorten::{shorten, shorten_rich};

/// The fields of an item, as the documentation of layouts lists them.
pub(super) const FIELDS: [&str; 28] = [
    "id",
    "title",
    "link",
    "summary",
    "body",
    "text",
    "image",
    "published",
    "updated",
    "authors",
    "tags",
    "language",
    "source",
    "media",
    "first_seen",
    "change",
    "price",
    "list_price",
    "on_sale",
    "was",
    "percent_off",
    "lowest_30d",
    "currency",
    "availability",
    "brand",
    "sku",
    "gtin",
    "variants",
];

/// Longest title, author or tag, in graphemes.
const FIELD_GRAPHEMES_MAX: usize = 500;

/// Most authors, tags or media of an item that a layout sees.
const LIST_MAX: usize = 20;

/// An item as a value. What is missing is empty text, which is false and prints nothing.
#[derive(Debug)]
pub(super) struct ItemValue {
    pub item: Item,
    /// What happened to it, if that is known.
    pub told: Option<Told>,
    pub now: Timestamp,
    /// Longest `summary`, `body` and `text`, in bytes: so that a long item can't make a layout
    /// fail that works for others.
    pub text_bytes_max: usize,
    /// Where to note fields that no item has, when a layout is checked. Then such a field is
    /// [`Anything`].
    pub unknown: Option<Unknown>,
}

/// Names of fields that no item has.
pub(super) type Unknown = Arc<Mutex<BTreeSet<String>>>;

impl Object for ItemValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = self.field(key);
        if let (None, Some(unknown)) = (&found, &self.unknown) {
            unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
            return Some(Value::from_object(Anything));
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&FIELDS)
    }
}

/// Stands for an unknown name, so that a check goes on and finds the next one: it has every field,
/// can be called, is false and empty.
#[derive(Debug)]
pub(super) struct Anything;

impl Object for Anything {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from_object(Self))
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_object(Self))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        _: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        Ok(Value::from_object(Self))
    }
}

impl ItemValue {
    fn field(&self, name: &str) -> Option<Value> {
        let item = &self.item;
        Some(match name {
            "id" => Value::from(item.id.to_string()),
            "title" => field(&item.title),
            "link" => Value::from(item.link.as_deref().unwrap_or_default()),
            "summary" => self.markup(&item.summary, &item.body),
            "body" => self.markup(&item.body, &item.summary),
            "text" => {
                let words = either(&item.body, &item.summary).plain();
                // Escaping may make five bytes of one.
                Value::from(shorten_to_bytes(&words, self.text_bytes_max / 5))
            }
            "image" => Value::from(item.image.as_deref().unwrap_or_default()),
            "published" => instant(item.published),
            "updated" => instant(item.updated),
            "first_seen" => instant(Some(item.first_seen)),
            "authors" => item.authors.iter().take(LIST_MAX).map(|it| field(it)).collect(),
            "tags" => item.tags.iter().take(LIST_MAX).map(|it| field(it)).collect(),
            "language" => Value::from(item.language.as_deref().unwrap_or_default()),
            "source" => Value::from(item.source.as_str()),
            "media" => item.media.iter().take(LIST_MAX).map(media).collect(),
            _ => return offers::field(name, item, self.told.as_ref(), self.now),
        })
    }

    /// HTML that the formatter leaves as it is; `other` stands in for a missing text.
    fn markup(&self, text: &RichText, other: &RichText) -> Value {
        let mut text = either(text, other).clone();
        let mut html = markup::to_html(&text);
        let mut graphemes_max = self.text_bytes_max;
        while html.len() > self.text_bytes_max && graphemes_max > 0 {
            graphemes_max /= 2;
            text = shorten_rich(&text, graphemes_max);
            html = markup::to_html(&text);
        }
        Value::from_safe_string(html)
    }
}

fn either<'a>(text: &'a RichText, other: &'a RichText) -> &'a RichText {
    if text.is_empty() { other } else { text }
}

pub(super) fn field(text: &str) -> Value {
    Value::from(shorten(text, FIELD_GRAPHEMES_MAX))
}

fn shorten_to_bytes(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let start = &text[..text.floor_char_boundary(bytes_max)];
    shorten(&format!("{start}…"), start.chars().count())
}

/// As RFC 3339, which the filter `date` reads.
fn instant(at: Option<Timestamp>) -> Value {
    Value::from(at.map_or_else(String::new, |at| at.to_string()))
}

fn media(media: &Media) -> Value {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    };
    minijinja::context! {
        kind => kind,
        url => media.url.as_str(),
        bytes => media.bytes,
        type => media.mime.as_deref().unwrap_or_default(),
        alt => field(media.alt.as_deref().unwrap_or_default()),
    }
}
