//! The Atom feed of a Shopify collection: products with their variants, without stock.

use std::borrow::Cow;

use url::Url;

use crate::extract::catalog::field::Field;
use crate::extract::catalog::price;
use crate::extract::catalog::record::Record;
use crate::extract::catalog::sheet::Element;
use crate::markup;
use crate::model::offer::{Currency, Terms, Variant};

/// How many products a full page has.
const PAGE_ITEMS: u64 = 25;
/// Highest number of a page that is asked for.
const PAGES_MAX: u64 = 1_000;
/// What the only variant of a product is called.
const ONLY_VARIANT: &str = "Default Title";
/// Most variants of one product.
const VARIANTS_MAX: usize = 2_048;

/// Takes what an entry says; `usual` is for prices without a currency.
pub(super) fn fill<'a>(
    elements: impl Iterator<Item = Element<'a>>,
    usual: Option<Currency>,
    record: &mut Record<'a>,
) {
    let mut in_variant = false;
    for element in elements {
        let text = element.text();
        match (element.depth(), element.name()) {
            (1, name) => {
                in_variant = name == "s:variant" && record.variants.len() < VARIANTS_MAX;
                match name {
                    "id" => record.put(Field::Id, number(text), true),
                    "title" => record.put(Field::Title, text, false),
                    "published" => record.put(Field::Published, text, false),
                    "updated" => record.put(Field::Updated, text, false),
                    "s:vendor" => record.put(Field::Brand, text, false),
                    "s:type" | "s:tag" => record.put(Field::Tags, text, false),
                    "summary" | "content" => summary(element.markup(), record),
                    "link" => {
                        let rel = element.attribute("rel").unwrap_or_default();
                        if let Some(href) = element.attribute("href")
                            && (rel.is_empty() || rel == "alternate")
                        {
                            record.put(Field::Link, href, false);
                        }
                    }
                    _ if in_variant => record.variants.push(Variant::default()),
                    _ => {}
                }
            }
            (2, name) if in_variant => {
                let Some(variant) = record.variants.last_mut() else { continue };
                match name {
                    "id" => number(text).clone_into(&mut variant.id),
                    "title" => variant.title = markup::plain(text),
                    "s:price" => {
                        let named = element.attribute("currency");
                        let named = named.and_then(|named| price::currency(&named)).or(usual);
                        variant.terms.list =
                            price::decimal(text, named).or_else(|| price::amount(text, named));
                    }
                    "s:sku" => variant.terms.sku = Some(text.to_owned()).filter(|s| !s.is_empty()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if let [only] = record.variants.as_mut_slice()
        && only.title == ONLY_VARIANT
    {
        let only: Terms = std::mem::take(&mut only.terms);
        record.variants.clear();
        record.sku = Cow::Owned(only.sku.unwrap_or_default());
        record.currency_made = only.list.and_then(crate::model::offer::Amount::currency);
        record.price = Cow::Owned(only.list.map(|list| list.to_string()).unwrap_or_default());
    }
}

/// Where the collection goes on behind a full page.
pub(super) fn next_page(rows: u64, page: &Url) -> Option<Url> {
    let number = page.query_pairs().find(|(name, _)| name == "page");
    let number = number.and_then(|(_, value)| value.parse().ok()).unwrap_or(1u64);
    if rows < PAGE_ITEMS || number >= PAGES_MAX {
        return None;
    }
    let others: Vec<(String, String)> = page
        .query_pairs()
        .filter(|(name, _)| name != "page")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut next = page.clone();
    next.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("page", &(number + 1).to_string());
    Some(next)
}

/// The number at the end of an id; the id itself if there is none.
fn number(id: &str) -> &str {
    let last = id.rsplit('/').next().unwrap_or(id);
    let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    if is_number { last } else { id }
}

/// The summary is a table: the picture, vendor, type and price, then what the shop wrote. Only the
/// last is text; a price in it would make every change of a price one of the text.
fn summary<'a>(html: &'a str, record: &mut Record<'a>) {
    let Some((table, text)) = html.split_once("<td colspan=\"2\">") else {
        record.put(Field::Summary, html, false);
        return;
    };
    let text = text.rsplit_once("</td>").map_or(text, |(text, _)| text);
    record.put(Field::Summary, text.trim(), false);
    let image = table.split_once("<img").and_then(|(_, tag)| {
        let (_, value) = tag.split_once("src=\"")?;
        value.split('"').next()
    });
    if let Some(image) = image {
        record.put(Field::Image, markup::decode(image), false);
    }
}
