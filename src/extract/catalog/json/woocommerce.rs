//! WooCommerce: the Store API `/wp-json/wc/store/v1/products`, and `/wp-json/wc/v3/products`, which
//! wants keys.
//!
//! The Store API's prices are texts of minor units, whose number of digits each product tells; the
//! other one's are decimals without a currency. Names and descriptions are HTML, into which
//! plugins put their buttons.

use serde_json::Value;

use crate::extract::catalog::availability;
use crate::extract::catalog::json::loose::{
    decimal, first_text, flag, gtin, minor, quantity, some_text, text,
};
use crate::extract::catalog::json::product::{Around, Product, priced};
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::markup::{Element, Scanner, Token};
use crate::model::offer::{Availability, Currency, Offer, Terms};

/// Digits of the minor unit when a product does not tell.
const MINOR_DIGITS: u8 = 2;

/// `None` for a row that names no product.
pub(crate) fn product(row: &Value, around: &Around<'_>) -> Option<Product> {
    let id = text(&row["id"]);
    let link = text(&row["permalink"]);
    if id.is_empty() && link.is_empty() {
        return None;
    }
    let mut product = Product::new(id, RawText::new(text(&row["name"]), Form::Html));
    product.link(link);
    product.summary(text(&row["short_description"]));
    product.body(without_buttons(text(&row["description"])));
    let images = row["images"].as_array().into_iter().flatten();
    product.pictures(images.map(|image| first_text(image, &["src", "thumbnail"])));
    product.raw.published = date::parse(&first_text(row, &["date_created_gmt", "date_created"]));
    product.raw.updated = date::parse(&first_text(row, &["date_modified_gmt", "date_modified"]));
    product.raw.tags = names(&row["categories"]).chain(names(&row["tags"])).collect();
    product.offer = Some(Offer {
        brand: names(&row["brands"]).next(),
        terms: terms(row, around.currency),
        ..Offer::default()
    });
    let is_variation = text(&row["type"]) == "variation";
    product.group = some_text(&row["parent"]).filter(|parent| is_variation && parent != "0");
    Some(product)
}

fn terms(row: &Value, currency: Option<Currency>) -> Terms {
    let mut terms = Terms {
        sku: some_text(&row["sku"]),
        gtin: gtin(&row["global_unique_id"]),
        availability: stock(row),
        quantity: quantity(&row["low_stock_remaining"])
            .or_else(|| quantity(&row["stock_quantity"])),
        ..Terms::default()
    };
    let prices = &row["prices"];
    if prices.is_null() {
        let amount = |name: &str| decimal(&row[name], currency);
        let price = amount("sale_price").or_else(|| amount("price"));
        priced(&mut terms, price, amount("regular_price"));
        if let Some(sale) = &mut terms.sale {
            sale.from = date::parse(&text(&row["date_on_sale_from_gmt"]));
            sale.until = date::parse(&text(&row["date_on_sale_to_gmt"]));
        }
        return terms;
    }
    let currency = text(&prices["currency_code"]).parse().ok().or(currency);
    let digits = quantity(&prices["currency_minor_unit"]).and_then(|digits| digits.try_into().ok());
    let amount = |name: &str| minor(&prices[name], digits.unwrap_or(MINOR_DIGITS), currency);
    priced(&mut terms, amount("price"), amount("regular_price"));
    terms
}

fn stock(row: &Value) -> Availability {
    let class = text(&row["stock_availability"]["class"]);
    match text(&row["stock_status"]).as_str() {
        "" => {}
        "onbackorder" => return Availability::Backorder,
        word => return availability::parse(word),
    }
    match (flag(&row["is_in_stock"]), flag(&row["is_on_backorder"])) {
        (Some(false), _) => Availability::OutOfStock,
        (Some(true), Some(true)) => Availability::Backorder,
        (Some(true), _) => Availability::InStock,
        (None, _) if class.contains("out-of-stock") => Availability::OutOfStock,
        (None, _) if class.contains("backorder") => Availability::Backorder,
        (None, _) if class.contains("in-stock") => Availability::InStock,
        (None, _) => Availability::Unknown,
    }
}

fn names(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().map(text).filter(|name| !name.is_empty())
}

/// A description without the blocks of wish lists, sharing and carts.
fn without_buttons(html: String) -> String {
    const BLOCKS: [&str; 6] = [
        "tinv-wraper",
        "yith-wcwl-add-to-wishlist",
        "sharedaddy",
        "addtoany_share_save_container",
        "add_to_cart_button",
        "woosw-btn",
    ];
    if !BLOCKS.iter().any(|block| html.contains(block)) {
        return html;
    }
    let mut out = String::with_capacity(html.len());
    let mut scanner = Scanner::new(&html);
    let mut kept_to = 0;
    let mut before = 0;
    while let Some(token) = scanner.next() {
        if let Token::Open(tag) = token
            && BLOCKS.iter().any(|block| tag.has_class(block))
        {
            out.push_str(html.get(kept_to..before).unwrap_or_default());
            scanner.skip_element(Element::of(tag.name), &tag);
            kept_to = scanner.at();
        }
        before = scanner.at();
    }
    out.push_str(html.get(kept_to..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use serde_json::json;
    use url::Url;

    fn row(value: &Value) -> crate::extract::catalog::Row {
        let base = Url::parse("https://e.com/wp-json/wc/store/v1/products").unwrap();
        let around = Around { base: &base, currency: None, now: Timestamp::default() };
        product(value, &around).unwrap().into_row(&around, 0)
    }

    #[test]
    fn prices_are_in_the_minor_units_that_the_product_tells() {
        for (prices, list, price) in [
            (
                json!({"price": "899", "regular_price": "1099", "currency_code": "USD"}),
                "10.99 USD",
                "8.99 USD",
            ),
            (
                json!({"price": "18000", "regular_price": "18000", "sale_price": "18000",
                       "currency_code": "USD", "currency_minor_unit": 3}),
                "18.00 USD",
                "18.00 USD",
            ),
            (
                json!({"price": "5100", "regular_price": "5100", "currency_code": "JPY",
                       "currency_minor_unit": 0}),
                "5100 JPY",
                "5100 JPY",
            ),
        ] {
            let found = row(&json!({"id": 1, "name": "x", "prices": prices, "on_sale": true}));
            let terms = found.entry.offer.unwrap().terms;
            assert_eq!(terms.list.unwrap().to_string(), list);
            assert_eq!(terms.price_at(Timestamp::default()).unwrap().to_string(), price);
        }
        assert_eq!(row(&json!({"id": 1})).entry.offer.unwrap().terms.list, None);
    }

    #[test]
    fn names_are_html_and_stock_is_what_it_says() {
        let found = row(&json!({
            "id": 61, "name": "Tea &#8211; <b>green</b>", "permalink": "https://e.com/p/tea/",
            "sku": "T-1", "is_in_stock": true, "is_on_backorder": false, "low_stock_remaining": 2,
            "categories": [{"name": "Tea &amp; more"}], "brands": [{"name": "Leaf"}],
        }));
        assert_eq!(found.entry.title, "Tea – green");
        assert_eq!(found.entry.tags, ["Tea & more"]);
        let offer = found.entry.offer.unwrap();
        assert_eq!(offer.brand.as_deref(), Some("Leaf"));
        assert_eq!(offer.terms.quantity, Some(2));
        assert_eq!(offer.terms.availability, Availability::InStock);
        for (value, expected) in [
            (json!({}), Availability::Unknown),
            (json!({"is_in_stock": false}), Availability::OutOfStock),
            (json!({"is_in_stock": true, "is_on_backorder": true}), Availability::Backorder),
            (json!({"stock_availability": {"class": "in-stock"}}), Availability::InStock),
        ] {
            assert_eq!(stock(&value), expected, "{value}");
        }
    }

    #[test]
    fn the_api_with_keys_has_decimals_dates_and_scheduled_sales() {
        let found = row(&json!({
            "id": 1, "name": "Tea", "permalink": "https://e.com/tea", "price": "18.00",
            "regular_price": "20.00", "sale_price": "18.00", "stock_status": "onbackorder",
            "stock_quantity": null, "date_created_gmt": "2026-01-02T03:04:05",
            "date_on_sale_from_gmt": "2026-02-01T00:00:00", "date_on_sale_to_gmt": null,
        }));
        assert_eq!(found.entry.published.unwrap().to_string(), "2026-01-02T03:04:05Z");
        let terms = found.entry.offer.unwrap().terms;
        assert_eq!(terms.availability, Availability::Backorder);
        let begins = terms.turns_at(Timestamp::default()).unwrap();
        assert_eq!(begins.to_string(), "2026-02-01T00:00:00Z");
        assert_eq!(terms.price_at(Timestamp::default()).unwrap().decimal(), "20.00");
        assert_eq!(terms.price_at(begins).unwrap().decimal(), "18.00");
    }

    #[test]
    fn a_variation_belongs_to_its_product() {
        let found = row(&json!({"id": 71, "parent": 70, "type": "variation", "name": "x"}));
        assert_eq!(found.group.as_deref(), Some("70"));
        assert_eq!(row(&json!({"id": 71, "parent": 0, "type": "simple"})).group, None);
    }

    #[test]
    fn the_buttons_of_plugins_are_no_description() {
        let html = "<p>a</p><div class=\"tinv-wraper x\"><div>Wish</div>list</div><p>b</p>";
        assert_eq!(without_buttons(html.to_owned()), "<p>a</p><p>b</p>");
        assert_eq!(without_buttons("<p>a</p>".to_owned()), "<p>a</p>");
    }
}
