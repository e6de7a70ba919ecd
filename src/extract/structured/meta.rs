//! What a page's head says: Open Graph, Twitter, `article:*`, `product:*`, Dublin Core, and the
//! plain names of HTML.

use crate::extract::date;
use crate::extract::dom::{Dom, attr};
use crate::model::time::Timestamp;

/// Most values of one kind that are kept.
const VALUES_MAX: usize = 64;

/// The head of a page. Texts as they stand, trimmed; the first one of each kind counts, Open Graph
/// before the others.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Addresses as they stand, in document order.
    pub images: Vec<String>,
    /// `rel=canonical`, else `og:url`, as it stands.
    pub url: Option<String>,
    pub site_name: Option<String>,
    /// `og:type`, in lower case.
    pub kind: String,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    pub product: ProductMeta,
}

/// What `product:*` and its relatives say, as it stands.
#[derive(Debug, Default)]
pub(crate) struct ProductMeta {
    pub price: Option<String>,
    pub currency: Option<String>,
    pub sale_price: Option<String>,
    pub original_price: Option<String>,
    pub availability: Option<String>,
    pub id: Option<String>,
    pub group: Option<String>,
    pub brand: Option<String>,
    pub gtin: Option<String>,
}

impl Meta {
    pub(crate) fn of(dom: &Dom) -> Self {
        let mut found: Vec<(String, &str)> = Vec::new();
        let mut meta = Self::default();
        let mut canonical = None;
        for element in dom.elements() {
            match element.value().name() {
                "meta" => {
                    let Some(content) = attr(element, "content") else { continue };
                    for name in ["property", "name", "itemprop"] {
                        if let Some(name) = attr(element, name) {
                            found.push((name.to_ascii_lowercase(), content));
                            break;
                        }
                    }
                }
                "link" if canonical.is_none() => {
                    let rel = attr(element, "rel").unwrap_or_default();
                    if rel
                        .split_ascii_whitespace()
                        .any(|word| word.eq_ignore_ascii_case("canonical"))
                    {
                        canonical = attr(element, "href").map(str::to_owned);
                    }
                }
                _ => {}
            }
        }
        // Names in the order in which they are believed.
        let first = |names: &[&str]| {
            names.iter().find_map(|name| {
                found.iter().find(|(found, _)| found == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let all = |names: &[&str]| -> Vec<String> {
            let some = names.iter().map(|name| {
                found.iter().filter(move |(found, _)| found == name).map(|(_, value)| *value)
            });
            let mut some = some
                .map(|values| values.take(VALUES_MAX).map(str::to_owned).collect::<Vec<String>>());
            some.find(|values| !values.is_empty()).unwrap_or_default()
        };
        let date = |names: &[&str]| {
            names.iter().find_map(|name| {
                found
                    .iter()
                    .find(|(found, _)| found == name)
                    .and_then(|(_, value)| date::parse(value))
            })
        };
        meta.title =
            first(&["og:title", "twitter:title", "dc.title", "dcterms.title", "parsely-title"]);
        meta.description = first(&[
            "og:description",
            "twitter:description",
            "description",
            "dc.description",
            "dcterms.description",
        ]);
        meta.images = all(&[
            "og:image",
            "og:image:url",
            "og:image:secure_url",
            "twitter:image",
            "twitter:image:src",
            "image",
        ]);
        meta.url = canonical.or_else(|| first(&["og:url", "twitter:url"]));
        meta.site_name = first(&["og:site_name", "application-name"]);
        meta.kind = first(&["og:type"]).unwrap_or_default().to_ascii_lowercase();
        meta.published = date(&[
            "article:published_time",
            "og:published_time",
            "datepublished",
            "parsely-pub-date",
            "article:published",
            "dc.date.issued",
            "dcterms.issued",
            "dcterms.created",
            "dc.date",
            "pubdate",
            "publishdate",
            "publish-date",
            "sailthru.date",
            "date",
        ]);
        meta.updated = date(&[
            "article:modified_time",
            "og:updated_time",
            "datemodified",
            "dcterms.modified",
            "dc.date.modified",
            "last-modified",
        ]);
        let authors = all(&[
            "author",
            "parsely-author",
            "dc.creator",
            "dcterms.creator",
            "twitter:creator",
            "article:author",
            "og:article:author",
        ]);
        // `article:author` is mostly the address of a profile.
        meta.authors = authors
            .into_iter()
            .filter(|name| !name.contains("://") && !name.starts_with('@'))
            .collect();
        meta.tags = all(&["article:tag", "og:article:tag", "parsely-tags", "news_keywords"]);
        meta.product = ProductMeta {
            price: first(&["product:price:amount", "og:price:amount", "price"]),
            currency: first(&["product:price:currency", "og:price:currency", "pricecurrency"]),
            sale_price: first(&["product:sale_price:amount", "og:sale_price:amount"]),
            original_price: first(&[
                "product:original_price:amount",
                "og:price:standard_amount",
                "og:original_price:amount",
            ]),
            availability: first(&["product:availability", "og:availability", "availability"]),
            id: first(&[
                "product:retailer_item_id",
                "product:retailer_part_no",
                "product:id",
                "og:product_id",
            ]),
            group: first(&["product:item_group_id"]),
            brand: first(&["product:brand", "og:brand", "brand"]),
            gtin: first(&["product:gtin", "product:ean", "product:upc", "product:isbn"]),
        };
        meta
    }

    /// Whether the page says that it is that of one product.
    pub(crate) fn is_of_product(&self) -> bool {
        matches!(self.kind.as_str(), "product" | "og:product" | "product.item")
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn the_head_is_read_in_the_order_of_trust() {
        let html = "<head><link rel='shortlink' href='/?p=1'><link rel='Canonical' href='/a'>\
            <meta name=description content='plain'><meta name='og:description' content='OG'>\
            <meta property='og:image' content='/1.jpg'><meta property='og:image' content='/2.jpg'>\
            <meta property='og:type' content='Product'><meta property='product:price:amount' content='10,50'>\
            <meta property='article:published_time' content='2024-05-06T07:08:09Z'>\
            <meta property='article:author' content='https://e.com/ann'><meta name=author content=Ann></head>";
        let meta = Meta::of(&Dom::parse(html, &Url::parse("https://e.com/").unwrap()).unwrap());
        assert_eq!(meta.description.as_deref(), Some("OG"));
        assert_eq!(meta.images, ["/1.jpg", "/2.jpg"]);
        assert_eq!(meta.url.as_deref(), Some("/a"));
        assert_eq!(meta.product.price.as_deref(), Some("10,50"));
        assert_eq!(meta.published.unwrap().to_string(), "2024-05-06T07:08:09Z");
        assert_eq!(meta.authors, ["Ann"]);
        assert!(meta.is_of_product());
    }
}
