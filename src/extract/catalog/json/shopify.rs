//! Shopify storefronts: `products.json` of the shop or a collection, one product as `.json` (where
//! prices are decimals) or as `.js` (where they are cents).
//!
//! Source: documents of real shops; <https://shopify.dev/docs/api/ajax/reference/product>.

use serde_json::Value;

use crate::extract::catalog::json::loose::{
    decimal, first_text, flag, gtin, minor, quantity, text,
};
use crate::extract::catalog::json::product::{Around, Product, priced};
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::model::offer::{Amount, Availability, Currency, Offer, Terms, Variant};

/// The only variant of a product that comes in one form has this title.
const ONLY_FORM: &str = "Default Title";
/// Most variants of one product that are kept: the platform's own limit.
const VARIANTS_MAX: usize = 2_048;

/// Most tags of one product that are read.
const TAGS_MAX: usize = 256;

/// `None` for a row that names no product.
pub(crate) fn product(row: &Value, around: &Around<'_>) -> Option<Product> {
    let id = text(&row["id"]);
    let handle = text(&row["handle"]);
    if id.is_empty() && handle.is_empty() {
        return None;
    }
    let mut product = Product::new(id, RawText::new(text(&row["title"]), Form::Plain));
    let own = text(&row["url"]);
    if own.is_empty() && !handle.is_empty() {
        product.link(format!("{}/products/{handle}", root(around.base.path())));
    } else {
        product.link(own);
    }
    product.body(first_text(row, &["body_html", "description"]));
    product.pictures(pictures(row));
    product.raw.published = date::parse(&text(&row["published_at"]));
    product.raw.updated = date::parse(&text(&row["updated_at"]));
    product.raw.tags = tags(row);
    let brand = Some(text(&row["vendor"])).filter(|vendor| !vendor.is_empty());
    let mut offer = Offer { brand, ..Offer::default() };
    let variants: Vec<Variant> = row["variants"]
        .as_array()
        .into_iter()
        .flatten()
        .take(VARIANTS_MAX)
        .map(|variant| of_variant(variant, around.currency))
        .collect();
    match <[Variant; 1]>::try_from(variants) {
        Ok([only]) if only.title == ONLY_FORM || only.title.is_empty() => offer.terms = only.terms,
        Ok(several) => offer.variants = several.into(),
        Err(several) => offer.variants = several,
    }
    product.offer = Some(offer);
    Some(product)
}

fn of_variant(row: &Value, currency: Option<Currency>) -> Variant {
    let currency = text(&row["price_currency"]).parse().ok().or(currency);
    let mut terms = Terms {
        sku: Some(text(&row["sku"])).filter(|sku| !sku.is_empty()),
        gtin: gtin(&row["barcode"]),
        availability: availability(row),
        quantity: quantity(&row["inventory_quantity"]).filter(|left| *left > 0),
        ..Terms::default()
    };
    let (price, compared) = (&row["price"], &row["compare_at_price"]);
    priced(&mut terms, amount(price, currency), amount(compared, currency));
    Variant {
        id: text(&row["id"]),
        title: first_text(row, &["title", "public_title"]),
        link: None,
        terms,
    }
}

/// Whole numbers are cents whatever the currency, texts are decimals.
fn amount(value: &Value, currency: Option<Currency>) -> Option<Amount> {
    if value.is_i64() || value.is_u64() {
        return minor(value, 2, currency);
    }
    decimal(value, currency)
}

/// One product's `.json` has no `available`, but at times what the shop keeps of its stock.
fn availability(row: &Value) -> Availability {
    if let Some(is_available) = flag(&row["available"]) {
        return if is_available { Availability::InStock } else { Availability::OutOfStock };
    }
    let Some(left) = row["inventory_quantity"].as_i64() else { return Availability::Unknown };
    let is_counted = !text(&row["inventory_management"]).is_empty();
    let sells_on = text(&row["inventory_policy"]) == "continue";
    if left > 0 || !is_counted || sells_on {
        Availability::InStock
    } else {
        Availability::OutOfStock
    }
}

fn pictures(row: &Value) -> impl Iterator<Item = String> {
    let address = |image: &Value| match image {
        Value::Object(_) => text(&image["src"]),
        other => text(other),
    };
    let own = [&row["image"], &row["featured_image"]].into_iter();
    let all = row["images"].as_array().into_iter().flatten();
    let mut seen: Vec<String> = Vec::new();
    for href in own.chain(all).map(address) {
        if !href.is_empty() && !seen.contains(&href) {
            seen.push(href);
        }
        if seen.len() > VARIANTS_MAX {
            break;
        }
    }
    seen.into_iter()
}

/// The product's type and its tags: a list, or a text with commas.
fn tags(row: &Value) -> Vec<String> {
    let kind = first_text(row, &["product_type", "type"]);
    let own: Vec<String> = match &row["tags"] {
        Value::Array(list) => list.iter().take(TAGS_MAX).map(text).collect(),
        other => text(other).split(',').take(TAGS_MAX).map(|tag| tag.trim().to_owned()).collect(),
    };
    std::iter::once(kind).chain(own).filter(|tag| !tag.is_empty()).collect()
}

/// What stands in an address before the shop's own paths: nothing, or the part of a market, as in
/// `/en-gb/products.json`.
pub(crate) fn root(path: &str) -> &str {
    let ends = ["/collections/", "/products/", "/products.json", "/collections.json", "/meta.json"];
    let end = ends.iter().filter_map(|end| path.find(end)).min();
    end.and_then(|end| path.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::catalog::Row;
    use crate::model::time::Timestamp;
    use serde_json::json;
    use url::Url;

    fn row(value: &Value, base: &str) -> Row {
        let base = Url::parse(base).unwrap();
        let around =
            Around { base: &base, currency: "EUR".parse().ok(), now: Timestamp::default() };
        product(value, &around).unwrap().into_row(&around, 0)
    }

    #[test]
    fn a_product_in_one_form_has_no_variants() {
        let value = json!({
            "id": 7_184_716_955_843_u64, "title": "Eggs & more", "handle": "eggs",
            "body_html": "<p>Six</p>", "vendor": "Farm ", "product_type": "Food",
            "tags": ["Fresh"], "published_at": "2022-03-08T21:09:19+01:00",
            "variants": [{"id": 1, "title": "Default Title", "sku": "", "available": true,
                          "price": "3.00", "compare_at_price": "4.00"}],
            "images": [{"src": "https://cdn.e.com/a.jpg?v=1"}, {"src": "https://cdn.e.com/b.jpg"}],
        });
        let found = row(&value, "https://shop.e.com/collections/all/products.json?page=1");
        let entry = found.entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("7184716955843", "Eggs & more"));
        assert_eq!(entry.link.as_deref(), Some("https://shop.e.com/products/eggs"));
        assert_eq!(entry.image.as_deref(), Some("https://cdn.e.com/a.jpg?v=1"));
        assert_eq!(entry.tags, ["Food", "Fresh"]);
        assert_eq!(entry.published.unwrap().to_string(), "2022-03-08T20:09:19Z");
        let offer = entry.offer.unwrap();
        assert_eq!((offer.variants.len(), offer.brand.as_deref()), (0, Some("Farm")));
        assert_eq!(offer.terms.list.unwrap().to_string(), "4.00 EUR");
        assert_eq!(offer.terms.price_at(Timestamp::default()).unwrap().to_string(), "3.00 EUR");
        assert_eq!(offer.terms.availability, Availability::InStock);
    }

    #[test]
    fn variants_are_kept_with_their_own_terms() {
        let value = json!({
            "id": 1, "title": "Shirt", "handle": "shirt", "url": "/products/shirt",
            "variants": [
                {"id": 11, "title": "S", "sku": "S-1", "available": false, "price": 1500},
                {"id": 12, "title": "M", "sku": "M-1", "available": true, "price": 1999},
            ],
            "images": ["//cdn.e.com/s.jpg"],
        });
        let found = row(&value, "https://shop.e.com/de-at/products/shirt.js");
        assert_eq!(found.entry.link.as_deref(), Some("https://shop.e.com/products/shirt"));
        assert_eq!(found.entry.image.as_deref(), Some("https://cdn.e.com/s.jpg"));
        let offer = found.entry.offer.unwrap();
        let ids: Vec<_> = offer.variants.iter().map(|variant| variant.id.as_str()).collect();
        assert_eq!(ids, ["11", "12"]);
        assert_eq!(offer.terms.list.unwrap().to_string(), "19.99 EUR");
        assert_eq!(offer.terms.availability, Availability::InStock);
    }

    #[test]
    fn stock_is_read_where_a_product_does_not_say_whether_it_is_available() {
        for (variant, expected) in [
            (json!({}), Availability::Unknown),
            (json!({"inventory_quantity": 3}), Availability::InStock),
            (json!({"inventory_quantity": 0, "inventory_management": null}), Availability::InStock),
            (
                json!({"inventory_quantity": -82, "inventory_management": "shopify",
                       "inventory_policy": "continue"}),
                Availability::InStock,
            ),
            (
                json!({"inventory_quantity": 0, "inventory_management": "shopify",
                       "inventory_policy": "deny"}),
                Availability::OutOfStock,
            ),
        ] {
            assert_eq!(availability(&variant), expected, "{variant}");
        }
    }

    #[test]
    fn a_market_s_path_stays_before_the_shop_s_own() {
        for (path, expected) in [
            ("/products.json", ""),
            ("/en-gb/products.json", "/en-gb"),
            ("/en-gb/collections/all/products.json", "/en-gb"),
            ("/products/shirt.js", ""),
            ("/", ""),
        ] {
            assert_eq!(root(path), expected, "{path}");
        }
    }
}
