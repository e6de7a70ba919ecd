//! Sources: what is watched, and what is remembered of the last look.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::offer::{Amount, Currency};
use crate::model::schedule::Schedule;
use crate::model::secret::SecretString;
use crate::model::time::Timestamp;

/// One thing that is watched, as the settings describe it.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: Name,
    pub kind: SourceKind,
    /// Absolute http or https address without user, password or fragment; of a file or a folder
    /// its `file:` address.
    pub url: Arc<str>,
    /// What is read instead of an address.
    pub local: Option<Arc<Local>>,
    /// Go along with every request to the origin of `url`, and to no other.
    pub headers: Arc<[Header]>,
    pub schedule: Schedule,
    /// How many of the newest items count as new at the first poll; 0 is a silent baseline.
    pub first_newest: u32,
    pub flood: FloodRule,
    pub price: PriceRule,
    /// Of a catalog.
    pub format: CatalogFormat,
    /// Of a catalog that is [`CatalogFormat::Mapped`].
    pub mapping: Option<Arc<Mapping>>,
    /// Of a page; `None` when its list is found by itself.
    pub select: Option<Arc<PageRules>>,
    /// Of a catalog: the currency of amounts that name none.
    pub currency: Option<Currency>,
    /// The page of each new item is fetched for its text.
    pub full_text: bool,
    /// How many pages a catalog, or parts a sitemap, may have.
    pub pages_max: u16,
    /// Whether the hub that a feed names may tell of news.
    pub websub: bool,
    /// People may watch the products of a catalog, whose names are kept for it.
    pub watch: bool,
}

impl Source {
    /// A source with nothing but defaults.
    pub fn new(name: Name, kind: SourceKind, url: impl Into<Arc<str>>, schedule: Schedule) -> Self {
        Self {
            name,
            kind,
            url: url.into(),
            local: None,
            headers: Arc::from([]),
            schedule,
            first_newest: 0,
            flood: FloodRule::default(),
            price: PriceRule::default(),
            format: CatalogFormat::Auto,
            mapping: None,
            select: None,
            currency: None,
            full_text: false,
            pages_max: PAGES_MAX,
            websub: true,
            watch: false,
        }
    }
}

/// Default of [`Source::pages_max`].
pub const PAGES_MAX: u16 = 100;

/// A file or a folder of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Absolute.
    pub path: PathBuf,
    /// The folder that its real place must be in; `None` for what the sysadmin chose.
    pub within: Option<PathBuf>,
}

/// A header of a request: a key of the site's, a cookie, a credential. The value may be a secret,
/// so it always counts as one.
#[derive(Clone, Debug)]
pub struct Header {
    /// Lower case.
    pub name: String,
    /// Visible ASCII and spaces.
    pub value: SecretString,
}

/// What reads the source's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceKind {
    /// RSS, RDF, Atom or JSON Feed.
    Feed,
    /// A page that lists what is new.
    Page,
    /// The products of a shop.
    Catalog,
    /// The addresses of a site.
    Sitemap,
}

/// How a catalog is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatalogFormat {
    /// Whatever its content shows it to be.
    #[default]
    Auto,
    /// Google Merchant or Meta, as RSS or Atom.
    Merchant,
    /// Google Merchant or Meta, as delimited text.
    Csv,
    /// `products.json` of a Shopify storefront.
    Shopify,
    /// A collection's Atom feed of a Shopify storefront.
    ShopifyAtom,
    /// The Store API of WooCommerce.
    Woocommerce,
    /// The posts of WordPress's REST API.
    Wordpress,
    /// JSON-LD, microdata or Open Graph in product pages and listings.
    JsonLd,
    /// Yandex YML.
    Yml,
    Squarespace,
    Prestashop,
    /// Rows and fields as the settings name them.
    Mapped,
}

/// Where the rows and fields of a [`CatalogFormat::Mapped`] document are.
///
/// A path is names joined by `/`, as in `shop/offers/offer`; an attribute is `@name`, as in
/// `price/@currency`; a field's path starts at its row. In delimited text a path is a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The row's path from the root, or its element's name alone; empty for delimited text and for
    /// a list that is the whole JSON document.
    pub row: String,
    /// The path of each field: `id`, `title`, `link`, `summary`, `image`, `published`, `tags`,
    /// `group`, `sku`, `gtin`, `brand`, `availability`, `quantity`, `price`, `list_price`,
    /// `currency`.
    pub fields: Vec<(String, String)>,
}

/// How the items of a [`SourceKind::Page`] are found, as the settings tell it; texts as they are
/// written there, checked by `extract::page::check`.
///
/// Empty, the list of the page is found by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRules {
    /// The CSS selector of an item; the others are looked for within each. Without it the page is
    /// read by itself, and the others are of no use.
    pub item: Option<String>,
    pub title: Option<PageField>,
    pub link: Option<PageField>,
    pub date: Option<PageField>,
    pub summary: Option<PageField>,
    pub image: Option<PageField>,
    pub author: Option<PageField>,
}

impl PageRules {
    /// Every field with its key in the settings, in their order.
    pub fn fields(&self) -> [(&'static str, Option<&PageField>); 6] {
        [
            ("title", self.title.as_ref()),
            ("link", self.link.as_ref()),
            ("date", self.date.as_ref()),
            ("summary", self.summary.as_ref()),
            ("image", self.image.as_ref()),
            ("author", self.author.as_ref()),
        ]
    }
}

/// Where one field of a page's item is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageField {
    /// A CSS selector within the item; empty is the item itself.
    pub css: String,
    /// The attribute that holds the value; without it what suits the field (`href` of a link, `src`
    /// of a picture, `datetime` of a date), else the text.
    pub attribute: Option<String>,
    /// Cuts the value out: its first group, or all that it matches if it has none.
    pub regex: Option<String>,
    /// How a date is written, in the signs of `strftime`: `%d.%m.%Y`.
    pub format: Option<String>,
    /// The zone of dates that tell none, as `Europe/Berlin`; default UTC.
    pub timezone: Option<String>,
}

impl PageField {
    /// From its short form `css@attribute`, or `css` alone.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':'))
        };
        match text.rsplit_once('@').filter(|(_, name)| is_name(name)) {
            Some((css, name)) => Self {
                css: css.trim().to_owned(),
                attribute: Some(name.to_ascii_lowercase()),
                ..Self::default()
            },
            None => Self { css: text.to_owned(), ..Self::default() },
        }
    }
}

/// Which changes of a price and a stock are worth telling.
///
/// A price is compared with the one that was last told; it must move by both steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// Hundredths of a percent of the price last told; default 0.
    pub min_step_share: u32,
    /// In its own currency; amounts in other currencies need no step. Default none.
    pub min_step: Option<Amount>,
    /// A product is back with so many at least, where the format tells how many; default 1.
    pub min_quantity: u16,
}

impl Default for PriceRule {
    fn default() -> Self {
        Self { min_step_share: 0, min_step: None, min_quantity: 1 }
    }
}

/// When a poll with many new items is held for the admins instead of sent.
///
/// Both bounds must be passed: more than `items` new ones, and more than `share` of the document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloodRule {
    /// Default 20.
    pub items: u32,
    /// 0.0 to 1.0, default 0.5.
    pub share: f32,
}

impl Default for FloodRule {
    fn default() -> Self {
        Self { items: 20, share: 0.5 }
    }
}

/// What is remembered of a source between polls. Written by every poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// When it is to be polled next; a source without a state is due at once.
    pub due_at: Timestamp,
    pub polled_at: Option<Timestamp>,
    /// The last poll that gave a document or a 304.
    pub succeeded_at: Option<Timestamp>,
    /// The last poll that gave a new item.
    pub changed_at: Option<Timestamp>,
    /// `ETag` as received, at most 256 visible ASCII.
    pub etag: Option<String>,
    /// `Last-Modified` as received, at most 256 visible ASCII.
    pub last_modified: Option<String>,
    /// Length and CRC-32 of the last document: equal bytes need no parse.
    pub document_hash: u64,
    /// Where permanent redirects have led; asked instead of the settings' address while that
    /// address (`moved_from`) is unchanged.
    pub moved_to: Option<String>,
    pub moved_from: Option<String>,
    /// Failed polls in a row.
    pub failures: u32,
    /// One line for people: why the last poll failed; `None` after a good one.
    pub failure: Option<String>,
    /// A note for people about the last good poll (repaired document, suspicious ids).
    pub remark: Option<String>,
    /// How many items the last document held.
    pub items: u32,
    /// Of a catalog that was read once at least.
    pub catalog: Option<Box<CatalogState>>,
    /// The hub that the last document named.
    pub hub: Option<Box<Hub>>,
    /// The sum of the settings by which the last document was read; 0 for a feed's.
    pub rules: u32,
}

/// Who tells of a feed's news, and under which name it knows the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hub {
    pub url: String,
    /// What the feed calls its own address.
    pub topic: String,
}

/// What is remembered of a catalog's documents; its rows are on its shelf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogState {
    /// How many documents it was in. One alone need not be read again while its bytes are the same.
    pub pages: u16,
    /// The next instant at which a sale begins or ends without a byte changing: it is asked then,
    /// and read whatever its bytes are.
    pub turns_at: Option<Timestamp>,
    /// The names of all its products are kept.
    pub has_names: bool,
    /// What a document of its own said, for catalogs whose amounts name no currency.
    pub currency: Option<Currency>,
    /// People wait for something that it has and that could not be told yet: it is read when it is
    /// due, whatever its bytes are.
    pub is_read_again: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_stands_behind_the_last_at_sign() {
        for (text, css, attribute) in [
            ("h2 a", "h2 a", None),
            (" h2 a@href ", "h2 a", Some("href")),
            ("img @data-src", "img", Some("data-src")),
            ("@href", "", Some("href")),
            ("a[href*='@']", "a[href*='@']", None),
            ("a[href*='@x']@Title", "a[href*='@x']", Some("title")),
            ("", "", None),
        ] {
            let field = PageField::parse(text);
            assert_eq!(
                (field.css.as_str(), field.attribute.as_deref()),
                (css, attribute),
                "{text}"
            );
        }
    }
}
