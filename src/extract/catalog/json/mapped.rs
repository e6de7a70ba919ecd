//! Rows of JSON whose fields the settings name.

use serde_json::Value;

use crate::extract::catalog::json::loose::{at, decimal, gtin, quantity, some_text, text};
use crate::extract::catalog::json::product::{Around, Product, priced};
use crate::extract::catalog::{availability, price};
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::model::offer::{Amount, Availability, Currency, Offer, Terms};
use crate::model::source::Mapping;

/// Most values of a list of tags that are kept.
const TAGS_MAX: usize = 64;

/// `None` for a row in which neither id, link nor title is found.
pub(crate) fn product(row: &Value, mapping: &Mapping, around: &Around<'_>) -> Option<Product> {
    let field = |name: &str| {
        let path = mapping.fields.iter().find(|(field, _)| field == name)?;
        Some(at(row, &path.1)).filter(|value| !value.is_null())
    };
    let words = |name: &str| field(name).map(text).unwrap_or_default();
    let (id, link, title) = (words("id"), words("link"), words("title"));
    if id.is_empty() && link.is_empty() && title.is_empty() {
        return None;
    }
    let mut product = Product::new(id, RawText::new(title, Form::Either));
    product.link(link);
    product.raw.summary = RawText::new(words("summary"), Form::Either);
    product.pictures(texts(field("image")).into_iter());
    product.raw.published = date::parse(&words("published"));
    product.raw.tags = texts(field("tags"));
    product.group = field("group").and_then(some_text);
    let currency = words("currency").parse().ok().or(around.currency);
    let is_product = mapping.fields.iter().any(|(name, _)| OFFERED.contains(&name.as_str()));
    if is_product {
        let mut terms = Terms {
            sku: field("sku").and_then(some_text),
            gtin: field("gtin").and_then(gtin),
            availability: field("availability").map_or(Availability::Unknown, stock),
            quantity: field("quantity").and_then(quantity),
            ..Terms::default()
        };
        if terms.availability == Availability::Unknown {
            terms.availability = match terms.quantity {
                Some(0) => Availability::OutOfStock,
                Some(_) => Availability::InStock,
                None => Availability::Unknown,
            };
        }
        let money = |name: &str| field(name).and_then(|value| amount(value, currency));
        priced(&mut terms, money("price"), money("list_price"));
        let brand = field("brand").and_then(some_text);
        product.offer = Some(Offer { brand, terms, ..Offer::default() });
    }
    Some(product)
}

/// Fields that make a product of a row.
const OFFERED: [&str; 5] = ["price", "list_price", "availability", "quantity", "sku"];

fn amount(value: &Value, currency: Option<Currency>) -> Option<Amount> {
    decimal(value, currency).or_else(|| price::amount(&text(value), currency))
}

fn stock(value: &Value) -> Availability {
    match value {
        Value::Bool(true) => Availability::InStock,
        Value::Bool(false) => Availability::OutOfStock,
        other => availability::parse(&text(other)),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().take(TAGS_MAX).filter_map(some_text).collect(),
        Some(other) => some_text(other).into_iter().collect(),
        None => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use serde_json::json;
    use url::Url;

    fn row(fields: &[(&str, &str)], value: &Value) -> crate::extract::catalog::Row {
        let base = Url::parse("https://e.com/export.json").unwrap();
        let around =
            Around { base: &base, currency: "EUR".parse().ok(), now: Timestamp::default() };
        let fields = fields.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
        let mapping = Mapping { row: String::new(), fields };
        product(value, &mapping, &around).unwrap().into_row(&around, 0)
    }

    #[test]
    fn fields_are_where_the_settings_say() {
        let fields = [
            ("id", "sku"),
            ("title", "names/en"),
            ("link", "url"),
            ("image", "pictures"),
            ("price", "offer/now"),
            ("list_price", "offer/was"),
            ("availability", "offer/stock"),
            ("tags", "labels"),
            ("brand", "maker"),
        ];
        let found = row(
            &fields,
            &json!({
                "sku": 17, "names": {"en": "Lamp"}, "url": "/lamp", "pictures": ["/l.jpg", "/m.jpg"],
                "offer": {"now": "12,50 €", "was": 15, "stock": true}, "labels": ["a", "b"],
                "maker": {"name": "Lux"},
            }),
        );
        let entry = found.entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("17", "Lamp"));
        assert_eq!(entry.link.as_deref(), Some("https://e.com/lamp"));
        assert_eq!(entry.image.as_deref(), Some("https://e.com/l.jpg"));
        assert_eq!(entry.tags, ["a", "b"]);
        let offer = entry.offer.unwrap();
        assert_eq!(offer.brand.as_deref(), Some("Lux"));
        assert_eq!(offer.terms.list.unwrap().to_string(), "15.00 EUR");
        assert_eq!(offer.terms.price_at(Timestamp::default()).unwrap().to_string(), "12.50 EUR");
        assert_eq!(offer.terms.availability, Availability::InStock);
    }

    #[test]
    fn without_price_and_stock_a_row_is_no_product() {
        let fields = [("title", "t"), ("link", "u"), ("published", "d")];
        let found = row(&fields, &json!({"t": "News", "u": "/n", "d": "2026-01-02"}));
        assert_eq!(found.entry.offer, None);
        assert!(found.entry.published.is_some());
    }
}
