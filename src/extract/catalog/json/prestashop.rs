//! PrestaShop: the JSON of a listing page, and the answers of its web service.
//!
//! A listing's prices are texts for people beside numbers; the text is what people pay, and names
//! the currency. The web service's price is without tax, its texts are lists of languages, and its
//! quantity is not the stock.

use serde_json::Value;

use crate::extract::catalog::json::loose::{
    decimal, first_text, flag, gtin, quantity, some_text, text,
};
use crate::extract::catalog::json::product::{Around, Product, priced};
use crate::extract::catalog::{availability, price};
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::model::offer::{Amount, Availability, Currency, Offer, Terms};

/// `None` for a row that names no product.
pub(crate) fn product(row: &Value, around: &Around<'_>) -> Option<Product> {
    // The web service lists bare numbers unless it is asked for more: they tell nothing of a
    // product.
    if row.as_object().is_none_or(|row| row.len() < 2) {
        return None;
    }
    // A combination is a variant of its product; its price is what it adds.
    let is_combination =
        !row["id_product"].is_null() && !row["minimal_quantity"].is_null() && row["name"].is_null();
    if is_combination {
        let mut variant = Product::new(text(&row["id"]), RawText::default());
        variant.group = some_text(&row["id_product"]);
        variant.offer = Some(Offer {
            terms: Terms { list: None, sale: None, ..terms(row, around.currency) },
            ..Offer::default()
        });
        return variant.group.is_some().then_some(variant);
    }
    let id = first_text(row, &["id_product", "id"]);
    let link = first_text(row, &["url", "link", "canonical_url"]);
    if id.is_empty() && link.is_empty() {
        return None;
    }
    let mut product =
        Product::new(id.clone(), RawText::new(first_text(row, &["name", "title"]), Form::Either));
    if link.is_empty() {
        // Every shop answers to this form of a product's address.
        product.link(format!("/index.php?controller=product&id_product={id}"));
    } else {
        product.link(link);
    }
    product.summary(first_text(row, &["description_short"]));
    product.body(first_text(row, &["description"]));
    product.pictures(pictures(row).into_iter());
    product.raw.published = date::parse(&text(&row["date_add"]));
    product.raw.updated = date::parse(&text(&row["date_upd"]));
    product.raw.tags = some_text(&row["category_name"]).into_iter().collect();
    product.offer = Some(Offer {
        brand: some_text(&row["manufacturer_name"]),
        terms: terms(row, around.currency),
        ..Offer::default()
    });
    Some(product)
}

fn terms(row: &Value, currency: Option<Currency>) -> Terms {
    let left = quantity(&row["quantity"]);
    let mut terms = Terms {
        sku: some_text(&row["reference"]),
        gtin: [&row["ean13"], &row["upc"], &row["isbn"]].into_iter().find_map(gtin),
        availability: stock(row, left),
        quantity: left.filter(|left| *left > 0),
        ..Terms::default()
    };
    let now = amount(row, "price", "price_amount", currency);
    let regular = amount(row, "regular_price", "regular_price_amount", currency);
    priced(&mut terms, now, regular.filter(|_| flag(&row["has_discount"]) != Some(false)));
    terms
}

/// The text for people, else the number.
fn amount(row: &Value, shown: &str, number: &str, currency: Option<Currency>) -> Option<Amount> {
    let (shown, plain) = (&row[shown], decimal(&row[shown], currency));
    let written = || Some(text(shown)).filter(|text| !text.is_empty());
    let of_text = || price::amount(&written()?, currency);
    plain.or_else(of_text).or_else(|| decimal(&row[number], currency))
}

fn stock(row: &Value, left: Option<u32>) -> Availability {
    if flag(&row["available_for_order"]) == Some(false) {
        return Availability::OutOfStock;
    }
    let is_stock_row = row["out_of_stock"].is_string() || row["out_of_stock"].is_number();
    let is_listing = !row["id_product"].is_null();
    match text(&row["availability"]).as_str() {
        "available" | "in_stock" | "last_remaining_items" => Availability::InStock,
        "unavailable" | "out_of_stock" => Availability::OutOfStock,
        "" if is_stock_row || is_listing => match left {
            Some(0) if text(&row["out_of_stock"]) == "1" => Availability::Backorder,
            Some(0) => Availability::OutOfStock,
            Some(_) => Availability::InStock,
            None => availability::parse(&text(&row["availability_message"])),
        },
        word => availability::parse(word),
    }
}

/// The cover in its largest size, else the first picture that has an address.
fn pictures(row: &Value) -> Vec<String> {
    let address = |image: &Value| {
        let sizes = ["large", "medium", "small"].into_iter().map(|size| &image[size]["url"]);
        let named = image["bySize"].as_object().into_iter().flatten();
        let named = ["large_default", "medium_default", "home_default"]
            .into_iter()
            .map(|size| &image["bySize"][size]["url"])
            .chain(named.map(|(_, size)| &size["url"]));
        sizes.chain(named).map(text).find(|href| !href.is_empty()).unwrap_or_default()
    };
    let own = [&row["cover"], &row["default_image"]].into_iter();
    let all = row["images"].as_array().into_iter().flatten();
    let mut found: Vec<String> = Vec::new();
    for href in own.chain(all).map(address) {
        if !href.is_empty() && !found.contains(&href) {
            found.push(href);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use serde_json::json;
    use url::Url;

    fn row(value: &Value) -> crate::extract::catalog::Row {
        let base = Url::parse("https://e.com/2-home?ajax=1").unwrap();
        let around = Around { base: &base, currency: None, now: Timestamp::default() };
        product(value, &around).unwrap().into_row(&around, 0)
    }

    #[test]
    fn a_bare_number_is_no_product() {
        let base = Url::parse("https://e.com/api/products?output_format=JSON").unwrap();
        let around = Around { base: &base, currency: None, now: Timestamp::default() };
        assert!(product(&json!({ "id": 7 }), &around).is_none());
        assert!(product(&json!({ "id": 7, "name": "Cup" }), &around).is_some());
    }

    #[test]
    fn a_listing_s_prices_are_those_for_people() {
        let found = row(&json!({
            "id_product": "1", "id_product_attribute": "1", "name": "T-shirt imprimé",
            "url": "https://e.com/1-t-shirt.html", "price": "22,94 €", "price_amount": 22.944,
            "regular_price": "28,68 €", "regular_price_amount": 28.679999999999996,
            "has_discount": true, "availability": "available", "quantity": 300,
            "manufacturer_name": "Studio", "reference": "demo_1",
            "cover": {"large": {"url": "https://e.com/1-large.jpg"}},
        }));
        let entry = found.entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("1", "T-shirt imprimé"));
        assert_eq!(entry.image.as_deref(), Some("https://e.com/1-large.jpg"));
        let terms = entry.offer.unwrap().terms;
        assert_eq!(terms.list.unwrap().to_string(), "28.68 EUR");
        assert_eq!(terms.price_at(Timestamp::default()).unwrap().to_string(), "22.94 EUR");
        assert_eq!((terms.availability, terms.quantity), (Availability::InStock, Some(300)));
    }

    #[test]
    fn the_web_service_s_texts_are_lists_of_languages_and_its_quantity_no_stock() {
        let found = row(&json!({
            "id": 1, "name": [{"id": "1", "value": "Shirt"}, {"id": "3", "value": "Hemd"}],
            "price": "23.900000", "quantity": "0", "ean13": "", "date_add": "2020-07-11 08:50:10",
            "available_for_order": "1", "id_manufacturer": "1",
        }));
        let entry = found.entry;
        assert_eq!(entry.title, "Shirt");
        assert_eq!(
            entry.link.as_deref(),
            Some("https://e.com/index.php?controller=product&id_product=1")
        );
        let terms = entry.offer.unwrap().terms;
        assert_eq!(terms.list.unwrap().decimal(), "23.90");
        assert_eq!(terms.availability, Availability::Unknown);
    }

    #[test]
    fn a_combination_is_a_variant_without_a_price() {
        let found = row(&json!({
            "id": 7, "id_product": "1", "reference": "demo_1_58", "quantity": 300,
            "price": "2.000000", "minimal_quantity": "1",
        }));
        assert_eq!((found.entry.guid.as_str(), found.group.as_deref()), ("7", Some("1")));
        let terms = found.entry.offer.unwrap().terms;
        assert_eq!((terms.list, terms.sku.as_deref()), (None, Some("demo_1_58")));
    }

    #[test]
    fn a_row_of_the_stock_names_its_product() {
        let found =
            row(&json!({"id": "6", "id_product": "6", "quantity": "42", "out_of_stock": "2"}));
        assert_eq!(found.entry.guid, "6");
        assert_eq!(found.entry.offer.unwrap().terms.availability, Availability::InStock);
    }
}
