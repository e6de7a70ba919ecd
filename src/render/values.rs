//! What a layout sees of an item.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use crate::markup;
use crate::model::item::{Item, Media, MediaKind};
use crate::model::post::Told;
use crate::model::rich::RichText;
use crate::model::time::Timestamp;
use crate::render::offers;
use crate::render::scene::Person;
use crate::render::shorten::{shorten, shorten_rich};

/// The fields of an item, as the documentation of layouts lists them.
pub(super) const FIELDS: [&str; 29] = [
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
    "watch",
];

/// The fields of one of `item.media`.
pub(super) const MEDIA_FIELDS: [&str; 7] =
    ["kind", "url", "type", "bytes", "title", "duration", "alt"];

/// The fields of `subscriber`.
pub(super) const PERSON_FIELDS: [&str; 4] = ["language", "first_name", "timezone", "profile"];

/// Longest title, author or tag, in graphemes.
const FIELD_GRAPHEMES_MAX: usize = 500;

/// Most authors, tags or media of an item that a layout sees.
const LIST_MAX: usize = 20;

/// Whose field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Item,
    Variant,
    Media,
    Subscriber,
}

impl Owner {
    /// What it is called where nothing better is known.
    pub fn word(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Variant => "variant",
            Self::Media => "media",
            Self::Subscriber => "subscriber",
        }
    }

    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Item => &FIELDS,
            Self::Variant => &offers::VARIANT_FIELDS,
            Self::Media => &MEDIA_FIELDS,
            Self::Subscriber => &PERSON_FIELDS,
        }
    }
}

/// Where to note fields that nothing has, when a layout is checked. Then such a field is
/// [`Anything`].
#[derive(Clone, Debug, Default)]
pub(super) struct Unknown(Arc<Mutex<BTreeSet<(Owner, String)>>>);

impl Unknown {
    pub fn noted(&self) -> BTreeSet<(Owner, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, owner: Owner, field: &str) -> Value {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert((owner, field.to_owned()));
        Value::from_object(Anything)
    }
}

/// The value found, or a note that there is none.
pub(super) fn or_noted(
    found: Option<Value>,
    unknown: Option<&Unknown>,
    owner: Owner,
    field: &str,
) -> Option<Value> {
    found.or_else(|| unknown.map(|unknown| unknown.note(owner, field)))
}

/// An item as a value. What is missing is empty text, which is false and prints nothing.
#[derive(Debug)]
pub(super) struct ItemValue {
    /// All items of its post …
    items: Arc<[Item]>,
    /// … and which of them it is.
    at: usize,
    /// What happened to it, if that is known.
    told: Option<Told>,
    now: Timestamp,
    /// Longest `summary`, `body` and `text`, in bytes: so that a long item can't make a layout
    /// fail that works for others.
    text_bytes_max: usize,
    unknown: Option<Unknown>,
    /// In the order of [`FIELDS`]; each is made once.
    fields: [OnceLock<Value>; FIELDS.len()],
}

impl Object for ItemValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        or_noted(self.field(key), self.unknown.as_ref(), Owner::Item, key)
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
    pub fn new(
        items: Arc<[Item]>,
        at: usize,
        told: Option<Told>,
        now: Timestamp,
        text_bytes_max: usize,
        unknown: Option<Unknown>,
    ) -> Self {
        let fields = [const { OnceLock::new() }; FIELDS.len()];
        Self { items, at, told, now, text_bytes_max, unknown, fields }
    }

    pub fn field(&self, name: &str) -> Option<Value> {
        let at = FIELDS.iter().position(|field| *field == name)?;
        if let Some(made) = self.fields[at].get() {
            return Some(made.clone());
        }
        let made = self.make(name)?;
        Some(self.fields[at].get_or_init(|| made).clone())
    }

    fn make(&self, name: &str) -> Option<Value> {
        let item = &self.items[self.at];
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
            "media" => {
                let value = |media: &Media| MediaValue {
                    media: media.clone(),
                    unknown: self.unknown.clone(),
                };
                item.media.iter().take(LIST_MAX).map(value).map(Value::from_object).collect()
            }
            "variants" => offers::variants(item.offer.as_ref(), self.now, self.unknown.as_ref()),
            _ => return offers::field(name, item, self.told.as_ref(), self.now),
        })
    }

    /// HTML that the formatter leaves as it is; `other` stands in for a missing text.
    fn markup(&self, text: &RichText, other: &RichText) -> Value {
        let text = either(text, other);
        let mut html = markup::to_html(text);
        if html.len() > self.text_bytes_max {
            html = markup::to_html(&fit(text, self.text_bytes_max));
        }
        Value::from_safe_string(html)
    }
}

/// The text cut until its HTML has at most that many bytes.
pub(super) fn fit(text: &RichText, bytes_max: usize) -> RichText {
    let mut text = text.clone();
    let mut graphemes_max = bytes_max;
    while markup::to_html(&text).len() > bytes_max && graphemes_max > 0 {
        graphemes_max /= 2;
        text = shorten_rich(&text, graphemes_max);
    }
    text
}

/// A file of an item as a value.
#[derive(Debug)]
struct MediaValue {
    media: Media,
    unknown: Option<Unknown>,
}

impl Object for MediaValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let media = &self.media;
        let found = match key {
            "kind" => Value::from(match media.kind {
                MediaKind::Image => "image",
                MediaKind::Audio => "audio",
                MediaKind::Video => "video",
                MediaKind::File => "file",
            }),
            "url" => Value::from(media.url.as_str()),
            "type" => Value::from(media.mime.as_deref().unwrap_or_default()),
            "bytes" => media.bytes.map_or_else(|| Value::from(""), Value::from),
            "title" => field(media.title.as_deref().unwrap_or_default()),
            "duration" => media.seconds.map_or_else(|| Value::from(""), Value::from),
            "alt" => field(media.alt.as_deref().unwrap_or_default()),
            _ => return or_noted(None, self.unknown.as_ref(), Owner::Media, key),
        };
        Some(found)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&MEDIA_FIELDS)
    }
}

/// The person who reads.
#[derive(Debug)]
pub(super) struct PersonValue {
    pub person: Person,
    pub unknown: Option<Unknown>,
}

impl Object for PersonValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = match key {
            "language" => Some(field(self.person.language.as_deref().unwrap_or_default())),
            "first_name" => Some(field(self.person.first_name.as_deref().unwrap_or_default())),
            "timezone" => Some(field(self.person.timezone.as_deref().unwrap_or_default())),
            "profile" => Some(Value::from_object(ProfileValue(self.person.profile.clone()))),
            _ => None,
        };
        or_noted(found, self.unknown.as_ref(), Owner::Subscriber, key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&PERSON_FIELDS)
    }
}

/// What a person has told of themselves; what they have not told is empty.
#[derive(Debug)]
struct ProfileValue(Vec<(String, String)>);

impl Object for ProfileValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let told = self.0.iter().find(|(name, _)| name == key);
        Some(field(told.map_or("", |(_, told)| told)))
    }
}

fn either<'a>(text: &'a RichText, other: &'a RichText) -> &'a RichText {
    if text.is_empty() { other } else { text }
}

pub(super) fn field(text: &str) -> Value {
    if text.len() <= FIELD_GRAPHEMES_MAX {
        return Value::from(text);
    }
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
