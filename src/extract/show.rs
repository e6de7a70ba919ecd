//! Items as JSON, for `tidings extract`.
//!
//! The keys and their meaning are a fixed interface that others' scripts rely on.

use serde_json::{Value, json};

use crate::extract::link;
use crate::model::item::Item;
use crate::model::offer::{Amount, Offer, Terms};
use crate::model::time::Timestamp;

/// One item as an object: `id` (the format's own, else the canonical link), `link`, `title`,
/// `summary`, `body` (plain texts), `published`, `updated` (RFC 3339 in UTC, or null), `authors`,
/// `tags`, `language`, `image`, `media` (`kind`, `url`, `bytes`, `type`, `alt`).
///
/// What the document does not have is null, an empty text or an empty list.
pub fn item_json(item: &Item) -> Value {
    let date = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let media: Vec<Value> = item
        .media
        .iter()
        .map(|file| {
            json!({
                "kind": file.kind,
                "url": file.url,
                "bytes": file.bytes,
                "type": file.mime,
                "alt": file.alt,
            })
        })
        .collect();
    json!({
        "id": id(item),
        "link": item.link,
        "title": item.title,
        "summary": item.summary.plain(),
        "body": item.body.plain(),
        "published": date(item.published),
        "updated": date(item.updated),
        "authors": item.authors,
        "tags": item.tags,
        "language": item.language,
        "image": item.image,
        "media": media,
    })
}

/// One item of a catalog as an object: as [`item_json`], and `sku`, `gtin`, `brand`,
/// `availability`, `price` (what it costs at `now`), `list_price` (outside of any sale; the same
/// where there is none), `currency`, and `variants`: objects with `id`, `title`, `link` and the
/// same keys.
///
/// Prices are decimals as written in the currency, `15.00`; null when there is none.
pub fn catalog_json(item: &Item, now: Timestamp) -> Value {
    let none = Offer::default();
    let offer = item.offer.as_ref().unwrap_or(&none);
    let mut shown = item_json(item);
    put_terms(&mut shown, offer, &offer.terms, now);
    let variants = offer.variants.iter().map(|variant| {
        let mut shown = json!({
            "id": variant.id,
            "title": variant.title,
            "link": variant.link,
        });
        put_terms(&mut shown, offer, &variant.terms, now);
        shown
    });
    shown["variants"] = variants.collect();
    shown
}

fn put_terms(shown: &mut Value, offer: &Offer, terms: &Terms, now: Timestamp) {
    let price = terms.price_at(now);
    let list = terms.list.or(price);
    let currency = price.or(list).and_then(Amount::currency);
    shown["sku"] = json!(terms.sku);
    shown["gtin"] = json!(terms.gtin);
    shown["brand"] = json!(offer.brand);
    shown["availability"] = json!(terms.availability.as_str());
    shown["price"] = json!(price.map(Amount::decimal));
    shown["list_price"] = json!(list.map(Amount::decimal));
    shown["currency"] = json!(currency.map(|currency| currency.to_string()));
}

/// The id that `tidings` shows: the format's own, else the canonical link.
pub fn id(item: &Item) -> Option<String> {
    if !item.guid.is_empty() {
        return Some(item.guid.clone());
    }
    let url = link::absolute(item.link.as_deref()?)?;
    Some(format!("{}://{}", url.scheme(), link::canonical(&url, true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::feed;
    use crate::model::name::Name;
    use crate::model::offer::{Availability, Sale, Variant};

    #[test]
    fn an_item_has_every_key_of_the_interface() {
        let document = "<rss version='2.0'><channel><language>en</language><item><title>A &amp;amp; B</title>\
            <link>http://e.com/1?utm_source=x</link><description>&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>\
            <pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate><category>x</category><author>Ann</author>\
            <enclosure url='http://e.com/a.mp3' length='12' type='audio/mpeg'/></item></channel></rss>";
        let base = url::Url::parse("http://e.com/feed").unwrap();
        let read = feed::read(document.as_bytes(), None, &base).unwrap();
        let item = read
            .entries
            .into_iter()
            .next()
            .unwrap()
            .into_item(&Name::parse("a").unwrap(), Timestamp::default());
        assert_eq!(
            item_json(&item),
            json!({
                "id": "http://e.com/1",
                "link": "http://e.com/1?utm_source=x",
                "title": "A & B",
                "summary": "one\ntwo",
                "body": "",
                "published": "2004-01-01T19:48:21Z",
                "updated": null,
                "authors": ["Ann"],
                "tags": ["x"],
                "language": "en",
                "image": null,
                "media": [{"kind": "audio", "url": "http://e.com/a.mp3", "bytes": 12, "type": "audio/mpeg", "alt": null}],
            })
        );
    }

    #[test]
    fn a_product_has_its_price_and_its_variants() {
        let usd = |units| Amount::new(units, 0, "USD".parse().ok());
        let terms = Terms {
            sku: Some("S".into()),
            availability: Availability::InStock,
            list: usd(20),
            sale: usd(15).map(|price| Sale { price, from: None, until: None }),
            ..Terms::default()
        };
        let variant = Variant { id: "v".into(), terms: terms.clone(), ..Variant::default() };
        let base = url::Url::parse("http://e.com/feed").unwrap();
        let read =
            feed::read(b"<rss><channel><item><guid>1</guid></item></channel></rss>", None, &base);
        let entry = read.unwrap().entries.remove(0);
        let mut item = entry.into_item(&Name::parse("a").unwrap(), Timestamp::default());
        item.offer =
            Some(Offer { brand: Some("B".into()), terms, variants: vec![variant], shelf: None });
        let shown = catalog_json(&item, Timestamp::default());
        assert_eq!(shown["id"], "1");
        for shown in [&shown, &shown["variants"][0]] {
            assert_eq!(shown["price"], "15.00");
            assert_eq!(shown["list_price"], "20.00");
            assert_eq!(shown["currency"], "USD");
            assert_eq!(shown["availability"], "in-stock");
            assert_eq!(shown["brand"], "B");
            assert_eq!(shown["gtin"], Value::Null);
        }
        item.offer = None;
        let shown = catalog_json(&item, Timestamp::default());
        assert_eq!((&shown["price"], &shown["availability"]), (&Value::Null, &json!("unknown")));
        assert_eq!(shown["variants"], json!([]));
    }
}
