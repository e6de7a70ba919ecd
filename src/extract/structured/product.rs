//! Products, with what is asked for them.

use std::cell::Cell;
use std::cmp::Ordering;

use serde_json::Value;

use crate::extract::catalog::{availability, price};
use crate::extract::date;
use crate::extract::dom::Dom;
use crate::extract::structured::graph::{Graph, is_of, types};
use crate::model::offer::{Amount, Availability, Currency, Offer, Sale, Terms, Variant};
use crate::model::time::Timestamp;

/// Most forms of one product.
const VARIANTS_MAX: usize = 2_000;
/// Most offers that are read of a page, however often the same one is referred to.
pub(super) const OFFERS_MAX: usize = 20_000;
/// More digits after the point than these are the noise of binary fractions.
const FRACTION_DIGITS_MAX: usize = 4;

/// What a product is read with.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 'v> {
    pub graph: &'a Graph<'v>,
    pub dom: &'a Dom,
    pub now: Timestamp,
    /// For amounts that name none.
    pub currency: Option<Currency>,
    /// How many offers may still be read: [`OFFERS_MAX`] at first.
    pub left: &'a Cell<usize>,
}

impl<'v> Reader<'_, 'v> {
    /// What the product offers: its own terms, those of its forms, and their sum.
    pub(super) fn offer(&self, product: &'v Value) -> Offer {
        let brand = self.graph.text(product, &["brand", "manufacturer"]);
        let own = self.terms_of_product(product);
        let forms = self.graph.all(product, "hasVariant");
        let variants: Vec<Variant> = forms
            .into_iter()
            .filter(|form| form.is_object())
            .take(VARIANTS_MAX)
            .map(|form| self.variant(form))
            .collect();
        if !variants.is_empty() {
            return Offer { brand, terms: own, variants, shelf: None }.gathered(self.now);
        }
        let offers = self.offers(product);
        if let [_, _, ..] = offers.as_slice() {
            return self.of_several(brand, own, &offers);
        }
        Offer { brand, terms: own, ..Offer::default() }
    }

    /// Several offers are the forms of the product if each has an id or an address of its own, and
    /// otherwise offers of the same thing, of which the best counts.
    fn of_several(&self, brand: Option<String>, own: Terms, offers: &[&'v Value]) -> Offer {
        let variants: Vec<Variant> =
            offers.iter().take(VARIANTS_MAX).map(|offer| self.variant(offer)).collect();
        let ids: std::collections::BTreeSet<&str> = variants
            .iter()
            .map(|variant| variant.id.as_str())
            .filter(|id| !id.is_empty())
            .collect();
        let are_forms = ids.len() == variants.len();
        let gathered = Offer { brand, terms: own, variants, shelf: None }.gathered(self.now);
        if are_forms { gathered } else { Offer { variants: Vec::new(), ..gathered } }
    }

    /// One form: a product of a group, or an offer of several.
    fn variant(&self, value: &'v Value) -> Variant {
        let is_offer =
            types(value).any(|kind| kind.ends_with("Offer")) || value.get("price").is_some();
        let terms = if is_offer { self.terms(value) } else { self.terms_of_product(value) };
        let offered = self.graph.first(value, "itemOffered").unwrap_or(value);
        let href = self.graph.text(value, &["url"]).or_else(|| {
            let offer = self.graph.first(value, "offers")?;
            self.graph.text(offer, &["url"])
        });
        let link = href.and_then(|href| self.dom.resolve(&href)).map(|(shown, _)| shown);
        let id = self
            .graph
            .text(value, &["sku", "productID", "mpn"])
            .or_else(|| self.graph.text(offered, &["sku", "productID", "mpn"]))
            .or_else(|| terms.sku.clone())
            .or_else(|| terms.gtin.clone())
            .or_else(|| link.clone())
            .or_else(|| self.graph.text(value, &["@id", "name"]));
        let title =
            self.graph.text(value, &["name"]).or_else(|| self.graph.text(offered, &["name"]));
        Variant { id: id.unwrap_or_default(), title: title.unwrap_or_default(), link, terms }
    }

    /// The offers of a product, those within an aggregate one by one; the aggregate itself where it
    /// has none.
    fn offers(&self, product: &'v Value) -> Vec<&'v Value> {
        let mut all = Vec::new();
        for offer in self.graph.all(product, "offers") {
            if all.len() >= VARIANTS_MAX {
                break;
            }
            let inner: Vec<&Value> = self.graph.all(offer, "offers");
            if inner.iter().any(|inner| inner.is_object()) {
                all.extend(inner.into_iter().filter(|inner| inner.is_object()));
            } else {
                all.push(offer);
            }
        }
        all
    }

    /// The terms of a product that comes in one form: those of its best offer.
    fn terms_of_product(&self, product: &'v Value) -> Terms {
        let offers = self.offers(product);
        let variants: Vec<Variant> = offers
            .iter()
            .take(VARIANTS_MAX)
            .map(|offer| Variant { terms: self.terms(offer), ..Variant::default() })
            .collect();
        let mut terms = match variants.as_slice() {
            [one] => one.terms.clone(),
            _ => Offer { variants, ..Offer::default() }.gathered(self.now).terms,
        };
        terms.sku = self.graph.text(product, &["sku"]).or(terms.sku);
        terms.gtin = self.gtin(product).or(terms.gtin);
        terms
    }

    fn gtin(&self, value: &'v Value) -> Option<String> {
        let keys = ["gtin", "gtin13", "gtin14", "gtin12", "gtin8", "ean", "isbn"];
        keys.iter().find_map(|key| gtin(&self.graph.text(value, &[key])?))
    }

    /// What one offer says.
    ///
    /// 1. The price is its own, the lowest of an aggregate, or that of a specification without a
    ///    type or of a sale. 2. A specification of a list price, or one that is struck through, is
    ///    the price outside of the sale. 3. A date that the price was valid until, and that is
    ///    over, says only that nobody looks after the page.
    fn terms(&self, offer: &'v Value) -> Terms {
        let Some(left) = self.left.get().checked_sub(1) else { return Terms::default() };
        self.left.set(left);
        let currency = self.currency_of(offer).or(self.currency);
        let mut asked = self.amount(offer, &["price", "lowPrice"], currency);
        let mut list = None;
        let mut times = (self.time(offer, "validFrom"), self.time(offer, "priceValidUntil"));
        for specification in self.graph.all(offer, "priceSpecification") {
            let currency = self.currency_of(specification).or(currency);
            let amount = self.amount(specification, &["price", "minPrice"], currency);
            let kind = self.graph.text(specification, &["priceType"]).unwrap_or_default();
            let kind = kind.rsplit(['/', '#']).next().unwrap_or_default().to_ascii_lowercase();
            let is_special = specification.get("validForMemberTier").is_some()
                || specification.get("referenceQuantity").is_some()
                || is_of(specification, "DeliveryChargeSpecification");
            match kind.as_str() {
                _ if amount.is_none() => {}
                "strikethroughprice"
                | "listprice"
                | "srp"
                | "msrp"
                | "regularprice"
                | "minimumadvertisedprice" => {
                    list = list.or(amount);
                }
                "" | "saleprice" | "invoiceprice" if !is_special && asked.is_none() => {
                    asked = amount;
                    let from = self.time(specification, "validFrom");
                    let until = self.time(specification, "validThrough");
                    times = (from.or(times.0), until.or(times.1));
                }
                _ => {}
            }
        }
        let (list, sale) = match (asked, list) {
            (Some(asked), Some(list)) if asked.compare(list) == Some(Ordering::Less) => {
                let until = times.1.filter(|until| *until > self.now);
                (Some(list), Some(Sale { price: asked, from: times.0, until }))
            }
            (asked, list) => (asked.or(list), None),
        };
        let stock = self.graph.text(offer, &["availability"]).or_else(|| {
            // Microdata gives the address as a property without a value of its own.
            self.graph.addresses(offer, "availability").first().map(|it| (*it).to_owned())
        });
        let quantity = self.graph.text(offer, &["inventoryLevel"]);
        Terms {
            sku: self.graph.text(offer, &["sku"]),
            gtin: self.gtin(offer),
            availability: stock.map_or(Availability::Unknown, |words| availability::parse(&words)),
            quantity: quantity
                .and_then(|text| text.split('.').next().and_then(|it| it.parse().ok())),
            list,
            sale,
        }
    }

    fn currency_of(&self, value: &'v Value) -> Option<Currency> {
        self.graph.text(value, &["priceCurrency"]).and_then(|text| text.parse().ok())
    }

    fn time(&self, value: &'v Value, key: &str) -> Option<Timestamp> {
        date::parse(&self.graph.text(value, &[key])?)
    }

    fn amount(
        &self,
        value: &'v Value,
        keys: &[&str],
        currency: Option<Currency>,
    ) -> Option<Amount> {
        keys.iter().find_map(|key| {
            self.graph.all(value, key).into_iter().find_map(|one| match one {
                Value::Number(number) => decimal(&number.to_string(), currency),
                Value::String(text) => price::amount(text, currency),
                other => price::amount(&self.graph.words(other)?, currency),
            })
        })
    }
}

/// A number of JSON as an amount.
fn decimal(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if digits > FRACTION_DIGITS_MAX || text.contains(['e', 'E']) {
        let rounded = format!("{:.*}", FRACTION_DIGITS_MAX, text.parse::<f64>().ok()?);
        return price::decimal(rounded.trim_end_matches('0').trim_end_matches('.'), currency);
    }
    price::decimal(text, currency)
}

/// 8 to 14 digits, whatever stands between them; what a spreadsheet has ruined is none.
pub(super) fn gtin(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_clean = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'));
    (is_clean && (8..=14).contains(&digits.len())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::*;

    fn offer(product: &Value) -> Offer {
        let origin = Url::parse("https://e.com/p").unwrap();
        let dom = Dom::parse("", &origin).unwrap();
        let roots = std::slice::from_ref(product);
        let graph = Graph::new(roots);
        let now = Timestamp::from_millis(1_700_000_000_000);
        Reader { graph: &graph, dom: &dom, now, currency: None, left: &Cell::new(OFFERS_MAX) }
            .offer(&roots[0])
    }

    fn shown(product: &Value) -> String {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let offer = offer(product);
        let price = offer.terms.price_at(now).map_or("-".into(), |price| price.to_string());
        let list = offer.terms.list.map_or("-".into(), |list| list.decimal());
        format!("{price} of {list}, {}", offer.terms.availability.as_str())
    }

    #[test]
    fn prices_are_read_wherever_offers_have_them() {
        for (offers, expected) in [
            (
                json!({"price": "12.50", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"}),
                "12.50 EUR of 12.50, in-stock",
            ),
            (json!({"price": 12, "priceCurrency": "EUR"}), "12.00 EUR of 12.00, unknown"),
            (
                json!({"price": 19.990000000000002, "priceCurrency": "EUR"}),
                "19.99 EUR of 19.99, unknown",
            ),
            (
                json!({"price": "1.299,00", "priceCurrency": "EUR"}),
                "1299.00 EUR of 1299.00, unknown",
            ),
            (json!({"price": 0, "priceCurrency": "EUR"}), "- of 0.00, unknown"),
            (
                json!({"@type": "AggregateOffer", "lowPrice": "5", "highPrice": 9, "priceCurrency": "USD"}),
                "5.00 USD of 5.00, unknown",
            ),
            (
                json!({"@type": "Offer", "price": "80", "priceCurrency": "USD", "priceValidUntil": "2019-01-01",
                    "priceSpecification": {"priceType": "https://schema.org/StrikethroughPrice", "price": 100, "priceCurrency": "USD"}}),
                "80.00 USD of 100.00, unknown",
            ),
            (
                json!([{"priceSpecification": [
                    {"@type": "UnitPriceSpecification", "price": "8", "priceCurrency": "USD"},
                    {"@type": "UnitPriceSpecification", "price": "10", "priceCurrency": "USD", "priceType": "https://schema.org/ListPrice"},
                ], "availability": "http://schema.org/OutOfStock"}]),
                "8.00 USD of 10.00, out-of-stock",
            ),
            (
                json!([
                    {"price": "5", "priceCurrency": "USD", "availability": "OutOfStock"},
                    {"price": "9", "priceCurrency": "USD", "availability": "InStock"},
                    {"price": "7", "priceCurrency": "USD", "availability": "InStock"},
                ]),
                "7.00 USD of 7.00, in-stock",
            ),
        ] {
            assert_eq!(shown(&json!({"@type": "Product", "offers": offers})), expected, "{offers}");
        }
    }

    #[test]
    fn forms_of_a_product_are_its_variants() {
        let product = json!({"@type": "ProductGroup", "brand": {"name": "B"}, "hasVariant": [
            {"@type": "Product", "sku": "s", "name": "Small", "offers": {"price": 5, "priceCurrency": "EUR", "availability": "OutOfStock", "url": "/p?v=s"}},
            {"@type": "Product", "sku": "l", "name": "Large", "gtin13": "4006381333931", "offers": {"price": 7, "priceCurrency": "EUR", "availability": "InStock"}},
        ]});
        let found = offer(&product);
        assert_eq!(found.brand.as_deref(), Some("B"));
        let ids: Vec<&str> = found.variants.iter().map(|variant| variant.id.as_str()).collect();
        assert_eq!(ids, ["s", "l"]);
        assert_eq!(found.variants[0].link.as_deref(), Some("https://e.com/p?v=s"));
        assert_eq!(found.variants[1].terms.gtin.as_deref(), Some("4006381333931"));
        assert_eq!(shown(&product), "7.00 EUR of 7.00, in-stock");
        let offers = json!({"@type": "Product", "offers": {"@type": "AggregateOffer", "offers": [
            {"@type": "Offer", "sku": "1", "price": 1, "priceCurrency": "EUR"},
            {"@type": "Offer", "sku": "2", "price": 2, "priceCurrency": "EUR"},
        ]}});
        assert_eq!(offer(&offers).variants.len(), 2);
    }

    #[test]
    fn a_ruined_gtin_is_none() {
        assert_eq!(gtin("4006381-333931").as_deref(), Some("4006381333931"));
        for wrong in ["8.80609E+12", "123", "n/a", ""] {
            assert_eq!(gtin(wrong), None, "{wrong}");
        }
    }
}
