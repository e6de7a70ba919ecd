//! Yandex YML: offers of a shop, with their categories and currencies told before them.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::extract::catalog::field::{Field, Names};
use crate::extract::catalog::price;
use crate::extract::catalog::recognise::Tags;
use crate::extract::catalog::record::Record;
use crate::extract::catalog::sheet::{Element, attributes_of};
use crate::model::offer::{Availability, Currency};

/// Most tags of the head that are looked at.
const TAGS_MAX: usize = 200;

/// The currency that all others are told in, else the first.
pub(super) fn currency(head: &str) -> Option<Currency> {
    let mut first = None;
    for tag in Tags::new(head).take(TAGS_MAX).filter(|tag| tag.name == "currency") {
        let attribute = |wanted: &str| {
            attributes_of(tag.rest.trim_end_matches('/'))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let found = attribute("id").and_then(price::currency);
        if attribute("rate") == Some("1") && found.is_some() {
            return found;
        }
        first = first.or(found);
    }
    first
}

/// Takes what an offer says. `categories` are names by id, where tags are wanted.
pub(super) fn fill<'a>(
    elements: impl Iterator<Item = Element<'a>>,
    names: &mut Names,
    categories: Option<&'a HashMap<String, String>>,
    record: &mut Record<'a>,
) {
    let (mut prefix, mut vendor, mut model) = ("", "", "");
    let mut available = None;
    for element in elements {
        match element.depth() {
            0 => {
                for (name, field) in [("id", Field::Id), ("group_id", Field::Group)] {
                    if let Some(value) = element.attribute(name) {
                        record.put(field, value, true);
                    }
                }
                available = element.attribute("available");
            }
            1 => {
                let name = element.name();
                match name {
                    "typePrefix" => prefix = element.text(),
                    "model" => model = element.text(),
                    "categoryId" => {
                        let known = categories.and_then(|known| known.get(element.text()));
                        if let Some(known) = known {
                            record.put(Field::Tags, known.as_str(), false);
                        }
                    }
                    // Several in a row are several pictures.
                    _ => {
                        let Some(field) = names.meaning(name, Field::of_yml) else { continue };
                        if field == Field::Brand {
                            vendor = element.text();
                        }
                        let text = match field {
                            Field::Summary => element.markup(),
                            _ => element.text(),
                        };
                        record.put(field, text, false);
                    }
                }
            }
            _ => {}
        }
    }
    if record.title.is_empty() {
        let words: Vec<&str> =
            [prefix, vendor, model].into_iter().filter(|word| !word.is_empty()).collect();
        record.title = Cow::Owned(words.join(" "));
    }
    let said = available.unwrap_or(std::mem::take(&mut record.availability));
    record.stock = match said.as_ref() {
        // `false` is for what has to be ordered first; without any it can be had.
        "false" if record.quantity != "0" => Availability::Backorder,
        "false" => Availability::OutOfStock,
        _ => Availability::InStock,
    };
}
