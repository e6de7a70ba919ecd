//! What a layout sees of an item that is a product, and of what happened to it.
//!
//! Amounts are texts such as `15.00 EUR`; what is missing is empty text, which is false.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use crate::model::campaign::ChangeKind;
use crate::model::item::Item;
use crate::model::offer::{Amount, Availability, Offer, Terms, Variant};
use crate::model::post::Told;
use crate::model::product_token::ProductToken;
use crate::model::time::Timestamp;
use crate::model::watch::below;
use crate::model::watch_tap::Tap;
use crate::render::values::{self, Owner, Unknown};

/// The fields of one of `item.variants`.
pub(super) const VARIANT_FIELDS: [&str; 9] =
    ["id", "title", "link", "sku", "gtin", "availability", "price", "list_price", "on_sale"];

/// Most variants of a product that a layout sees.
const VARIANTS_MAX: usize = 50;

/// The field of this name; `None` when an item has none.
pub(super) fn field(name: &str, item: &Item, told: Option<&Told>, now: Timestamp) -> Option<Value> {
    let offer = item.offer.as_ref();
    let terms = offer.map(|offer| &offer.terms);
    let moved = told.and_then(|told| told.price);
    // A move may be that of a variant which is not the cheapest: it goes before the product's own.
    let price = || moved.map(|moved| moved.to).or(terms.and_then(|terms| terms.price_at(now)));
    let list = || list_price(terms?, price()?);
    let kind = told.map_or(ChangeKind::New, |told| told.kind);
    Some(match name {
        "change" => Value::from(kind.as_str()),
        "price" => amount(price()),
        "list_price" => amount(list().or_else(price)),
        "on_sale" => Value::from(list().is_some()),
        "was" => amount(moved.map(|moved| moved.from)),
        "percent_off" => {
            let from = moved.map(|moved| moved.from).or_else(list);
            Value::from(from.zip(price()).map_or(0, |(from, to)| percent_off(from, to)))
        }
        "lowest_30d" => amount(moved.and_then(|moved| moved.lowest_30d)),
        "currency" => {
            let currency = price().and_then(Amount::currency);
            Value::from(currency.map_or_else(String::new, |currency| currency.to_string()))
        }
        "availability" => Value::from(terms.map_or("", |terms| terms.availability.as_str())),
        "brand" => text(offer.and_then(|offer| offer.brand.as_deref())),
        "sku" => text(terms.and_then(|terms| terms.sku.as_deref())),
        "gtin" => text(terms.and_then(|terms| terms.gtin.as_deref())),
        "watch" => Value::from(watch(item, now).map_or_else(String::new, |tap| tap.to_string())),
        _ => return None,
    })
}

/// What a button says that watches the product: that it is in stock, if it is not; else that it is
/// cheaper than now. `None` for what is on no shelf.
pub fn watch(item: &Item, now: Timestamp) -> Option<Tap> {
    let offer = item.offer.as_ref()?;
    let token = ProductToken::new(&item.source, offer.shelf?);
    match offer.terms.availability {
        Availability::OutOfStock | Availability::Discontinued => Some(Tap::Stock(token)),
        _ => {
            let less = offer.terms.price_at(now).and_then(below)?;
            Some(Tap::Price(token, Some(less)))
        }
    }
}

/// The list price, where it is above the price.
fn list_price(terms: &Terms, price: Amount) -> Option<Amount> {
    terms.list.filter(|list| price.compare(*list).is_some_and(std::cmp::Ordering::is_lt))
}

/// Whole percents, rounded down; 0 when it costs no less.
pub(super) fn percent_off(from: Amount, to: Amount) -> i64 {
    to.off(from).map_or(0, |hundredths| hundredths.max(0) / 100)
}

/// The variants of a product, in their order.
pub(super) fn variants(offer: Option<&Offer>, now: Timestamp, unknown: Option<&Unknown>) -> Value {
    let variants = offer.map_or(&[][..], |offer| &offer.variants);
    let value = |variant: &Variant| {
        let unknown = unknown.cloned();
        Value::from_object(VariantValue { variant: variant.clone(), now, unknown })
    };
    variants.iter().take(VARIANTS_MAX).map(value).collect()
}

/// A variant as a value.
#[derive(Debug)]
struct VariantValue {
    variant: Variant,
    now: Timestamp,
    unknown: Option<Unknown>,
}

impl Object for VariantValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let variant = &self.variant;
        let terms = &variant.terms;
        let price = || terms.price_at(self.now);
        let list = || list_price(terms, price()?);
        Some(match key {
            "id" => values::field(&variant.id),
            "title" => values::field(&variant.title),
            "link" => Value::from(variant.link.as_deref().unwrap_or_default()),
            "sku" => text(terms.sku.as_deref()),
            "gtin" => text(terms.gtin.as_deref()),
            "availability" => Value::from(terms.availability.as_str()),
            "price" => amount(price()),
            "list_price" => amount(list().or_else(price)),
            "on_sale" => Value::from(list().is_some()),
            _ => return values::or_noted(None, self.unknown.as_ref(), Owner::Variant, key),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&VARIANT_FIELDS)
    }
}

fn amount(amount: Option<Amount>) -> Value {
    Value::from(amount.map_or_else(String::new, |amount| amount.to_string()))
}

fn text(text: Option<&str>) -> Value {
    values::field(text.unwrap_or_default())
}
