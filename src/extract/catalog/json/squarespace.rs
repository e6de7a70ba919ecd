//! Squarespace collections with `?format=json`: posts, events, and products of its stores.

use serde_json::Value;

use crate::extract::catalog::json::loose::{
    decimal, first_text, flag, minor, quantity, some_text, text,
};
use crate::extract::catalog::json::product::{Around, Product, priced};
use crate::extract::date;
use crate::extract::raw::{Form, RawText};
use crate::model::offer::{Amount, Availability, Currency, Offer, Terms, Variant};

/// Most variants of one product that are kept.
const VARIANTS_MAX: usize = 1_000;

/// `None` for a row that names no item.
pub(crate) fn item(row: &Value, around: &Around<'_>) -> Option<Product> {
    let id = text(&row["id"]);
    let link = text(&row["fullUrl"]);
    if id.is_empty() && link.is_empty() {
        return None;
    }
    let mut product = Product::new(id, RawText::new(text(&row["title"]), Form::Either));
    product.link(link);
    product.summary(text(&row["excerpt"]));
    product.body(text(&row["body"]));
    let own = std::iter::once(text(&row["assetUrl"]));
    let more = row["items"].as_array().into_iter().flatten();
    product.pictures(own.chain(more.map(|picture| text(&picture["assetUrl"]))));
    product.raw.published = date::parse(&first_text(row, &["publishOn", "addedOn"]));
    product.raw.updated = date::parse(&text(&row["updatedOn"]));
    product.raw.authors = some_text(&row["author"]["displayName"]).into_iter().collect();
    let labels = [&row["categories"], &row["tags"]].into_iter().filter_map(Value::as_array);
    product.raw.tags = labels.flatten().filter_map(some_text).collect();
    product.offer = offer(row, around.currency);
    Some(product)
}

fn offer(row: &Value, currency: Option<Currency>) -> Option<Offer> {
    let lists = [&row["variants"], &row["structuredContent"]["variants"]];
    let list = lists.into_iter().find_map(|list| list.as_array().filter(|l| !l.is_empty()));
    let Some(list) = list else {
        // A product that is sold as it is tells its price itself.
        let own = [row, &row["structuredContent"]];
        let terms = own.into_iter().map(|own| terms(own, currency)).find(|t| t.list.is_some())?;
        return Some(Offer { terms, ..Offer::default() });
    };
    let variants: Vec<Variant> = list
        .iter()
        .take(VARIANTS_MAX)
        .enumerate()
        .map(|(place, variant)| of_variant(variant, place, currency))
        .collect();
    match <[Variant; 1]>::try_from(variants) {
        Ok([only]) => Some(Offer { terms: only.terms, ..Offer::default() }),
        Err(variants) => Some(Offer { variants, ..Offer::default() }),
    }
}

fn of_variant(row: &Value, place: usize, currency: Option<Currency>) -> Variant {
    let id = first_text(row, &["id", "sku"]);
    let options = row["optionValues"].as_array().into_iter().flatten();
    let mut names: Vec<String> = options.filter_map(|one| some_text(&one["value"])).collect();
    if names.is_empty() {
        let attributes = row["attributes"].as_object().into_iter().flatten();
        names = attributes.filter_map(|(_, value)| some_text(value)).collect();
    }
    Variant {
        id: if id.is_empty() { place.to_string() } else { id },
        title: names.join(" / "),
        link: None,
        terms: terms(row, currency),
    }
}

fn terms(row: &Value, currency: Option<Currency>) -> Terms {
    let left = quantity(&row["qtyInStock"]);
    let availability = match (flag(&row["unlimited"]), left) {
        (Some(true), _) => Availability::InStock,
        (_, Some(0)) => Availability::OutOfStock,
        (_, Some(_)) => Availability::InStock,
        (_, None) => Availability::Unknown,
    };
    let mut terms = Terms {
        sku: some_text(&row["sku"]),
        availability,
        quantity: left.filter(|left| *left > 0 && flag(&row["unlimited"]) != Some(true)),
        ..Terms::default()
    };
    let list = money(row, "price", currency);
    let sale = money(row, "salePrice", currency).filter(|_| flag(&row["onSale"]) == Some(true));
    priced(&mut terms, sale.or(list), list);
    terms
}

/// The money of that name, else the number, which is in cents.
fn money(row: &Value, name: &str, currency: Option<Currency>) -> Option<Amount> {
    let money = &row[format!("{name}Money")];
    let own = text(&money["currency"]).parse().ok().or(currency);
    decimal(&money["value"], own).or_else(|| minor(&row[name], 2, currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use serde_json::json;
    use url::Url;

    fn row(value: &Value) -> crate::extract::catalog::Row {
        let base = Url::parse("https://e.com/shop?format=json").unwrap();
        let around =
            Around { base: &base, currency: "USD".parse().ok(), now: Timestamp::default() };
        item(value, &around).unwrap().into_row(&around, 0)
    }

    #[test]
    fn a_post_has_dates_and_no_offer() {
        let entry = row(&json!({
            "id": "5f1", "title": "A &amp; B", "urlId": "a", "fullUrl": "/blog/a",
            "publishOn": 1_700_000_000_000_i64, "updatedOn": 1_700_000_100_000_i64,
            "assetUrl": "https://images.e.com/a.jpg", "categories": ["News"], "tags": ["x"],
            "author": {"displayName": "Ann"}, "body": "<p>text</p>", "excerpt": "<p>short</p>",
        }))
        .entry;
        assert_eq!((entry.guid.as_str(), entry.title.as_str()), ("5f1", "A & B"));
        assert_eq!(entry.link.as_deref(), Some("https://e.com/blog/a"));
        assert_eq!(entry.published.unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(entry.tags, ["News", "x"]);
        assert_eq!(entry.offer, None);
    }

    #[test]
    fn money_wins_over_cents_and_a_sale_counts_while_it_is_on() {
        let entry = row(&json!({
            "id": "1", "title": "Shirt", "fullUrl": "/shop/shirt",
            "structuredContent": {"variants": [
                {"id": "a", "sku": "S", "priceMoney": {"value": "30.00", "currency": "EUR"},
                 "salePriceMoney": {"value": "25.00", "currency": "EUR"}, "onSale": true,
                 "qtyInStock": 3, "unlimited": false, "attributes": {"Size": "S"}},
                {"id": "b", "sku": "M", "price": 3500, "salePrice": 100, "onSale": false,
                 "qtyInStock": 0, "unlimited": false, "optionValues": [{"value": "M"}]},
            ]},
        }))
        .entry;
        let offer = entry.offer.unwrap();
        let shown: Vec<_> = offer
            .variants
            .iter()
            .map(|one| {
                let price = one.terms.price_at(Timestamp::default()).unwrap();
                (one.title.as_str(), price.to_string(), one.terms.availability)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("S", "25.00 EUR".to_owned(), Availability::InStock),
                ("M", "35.00 USD".to_owned(), Availability::OutOfStock),
            ]
        );
        assert_eq!(offer.terms.list.unwrap().to_string(), "30.00 EUR");
    }
}
