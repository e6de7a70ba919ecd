//! The products of a page, as rows of a catalog.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{Read, SeekFrom};
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::extract::assemble;
use crate::extract::catalog::{Options, Row, Scan, Text, availability, listing, price};
use crate::extract::dom::Dom;
use crate::extract::raw::{Form, RawEntry, RawLink, RawMedia, RawText, Role};
use crate::extract::structured::graph::is_of;
use crate::extract::structured::product::{OFFERS_MAX, Reader, gtin};
use crate::extract::structured::story::{entry_of, link_of};
use crate::extract::structured::{Graph, Kind, Meta, Place, Said, Thing, things};
use crate::extract::{Entry, NotADocument, Quality, keys, link, refusal, text};
use crate::model::listing::Listing;
use crate::model::offer::{Availability, Currency, Offer, Sale, Terms};
use crate::model::source::CatalogFormat;
use crate::model::time::Timestamp;

/// Longest page that is read, in bytes.
const PAGE_BYTES_MAX: u64 = 32 << 20;

/// [`rows`] boiled down: the pass over a page that a catalog makes first.
///
/// # Errors
/// As [`rows`], and when the page can't be read.
pub fn scan(
    document: &mut dyn Text,
    options: &Options<'_>,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let bytes = whole(document)?;
    let decoded = text::decode(&bytes, options.content_type, options.base.host_str());
    let encoding = decoded.encoding;
    let rows = rows(&decoded.text, options.base, options.now, options.currency)?;
    if rows.len() > options.items_max {
        return Err(NotADocument::TooManyItems { max: options.items_max });
    }
    let mut turns_at: Option<Timestamp> = None;
    for row in &rows {
        listing::listings(row, options.now, each);
        let offer = row.entry.offer.iter();
        let terms = offer.flat_map(|offer| {
            offer.variants.iter().map(|variant| &variant.terms).chain([&offer.terms])
        });
        let turns = terms.filter_map(|terms| terms.turns_at(options.now));
        turns_at = turns.chain(turns_at).min();
    }
    Ok(Scan {
        format: CatalogFormat::JsonLd,
        encoding,
        quality: Quality::Whole,
        // What a page lists is what its shop shows today.
        is_window: true,
        rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
        lost: 0,
        next: None,
        turns_at,
        remarks: Vec::new(),
    })
}

/// Those of the page's [`rows`] that stand at `places`, in their order.
///
/// # Errors
/// As [`rows`], and when the page can't be read.
pub fn pick(
    document: &mut dyn Text,
    options: &Options<'_>,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let bytes = whole(document)?;
    let decoded = text::decode(&bytes, options.content_type, options.base.host_str());
    let mut rows: Vec<Option<Row>> =
        rows(&decoded.text, options.base, options.now, options.currency)?
            .into_iter()
            .map(Some)
            .collect();
    let at = |place: &u64| usize::try_from(*place).unwrap_or(usize::MAX);
    Ok(places.iter().filter_map(|place| rows.get_mut(at(place))?.take()).collect())
}

fn whole(document: &mut dyn Text) -> Result<Vec<u8>, NotADocument> {
    let unread = |error: std::io::Error| NotADocument::Unreadable(error.to_string());
    document.seek(SeekFrom::Start(0)).map_err(unread)?;
    let mut bytes = Vec::new();
    document.take(PAGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > PAGE_BYTES_MAX {
        let max = PAGE_BYTES_MAX >> 20;
        return Err(NotADocument::Unfit(format!("it is a page of more than {max} MiB")));
    }
    Ok(bytes)
}

/// The products that the page at `base` tells, in document order; `place` is their number.
///
/// 1. Of a page that is about one product, that product alone, whatever else it recommends; what
///    its JSON-LD leaves open is taken from its microdata and Open Graph.
/// 2. Otherwise all products of its JSON-LD, else of its microdata, else that of its Open Graph.
/// 3. Otherwise the links of its lists, which have no offer.
///
/// # Errors
/// [`NotADocument`] when the page has none of these, or passes a limit.
pub fn rows(
    text: &str,
    base: &Url,
    now: Timestamp,
    currency: Option<Currency>,
) -> Result<Vec<Row>, NotADocument> {
    let dom = Dom::parse(text, base)?;
    let said = Said::of(&dom);
    let page = Page {
        left: Cell::new(OFFERS_MAX),
        dom: &dom,
        meta: &said.meta,
        own: own_address(&dom, &said.meta, base),
        now,
        currency,
    };
    let graphs = [Graph::new(&said.json_ld), Graph::new(&said.microdata)];
    let mut links = Vec::new();
    let mut main: Option<Told> = None;
    for graph in &graphs {
        let found = things(graph);
        let products: Vec<Thing<'_>> =
            found.iter().filter(|thing| thing.kind == Kind::Product).copied().collect();
        let one = page.main_of(graph, &products);
        match (&mut main, one) {
            // The second description of the same product.
            (Some(told), Some(one)) => told.fill(page.told(graph, one.value, true)),
            (Some(_), None) => {}
            (None, Some(one)) => main = Some(page.told(graph, one.value, true)),
            (None, None) if !products.is_empty() => {
                let all = products.iter().map(|thing| page.told(graph, thing.value, false));
                return Ok(page.rows_of(all));
            }
            (None, None) => {
                let listed = found.iter().filter(|thing| thing.kind == Kind::Link);
                links.extend(
                    listed.map(|thing| Told::new(entry_of(graph, thing.value, dom.shared_base()))),
                );
            }
        }
    }
    if let Some(told) = page.open_graph() {
        match &mut main {
            Some(main) => main.fill(told),
            None => main = Some(told),
        }
    }
    if let Some(main) = main {
        return Ok(page.rows_of(std::iter::once(main)));
    }
    let rows = page.rows_of(links.into_iter());
    if rows.is_empty() {
        return Err(match refusal::of_text(text, Some("html")) {
            NotADocument::Page { title, .. } => NotADocument::NoProduct { title },
            other => other,
        });
    }
    Ok(rows)
}

/// Where the page lives, by its own word if that is believable.
fn own_address(dom: &Dom, meta: &Meta, base: &Url) -> String {
    let stated = meta.url.as_deref().and_then(|href| dom.resolve(href));
    stated.map_or_else(|| base.to_string(), |(shown, _)| shown)
}

/// One product before it is an entry.
struct Told {
    entry: RawEntry,
    offer: Option<Offer>,
    group: Option<String>,
}

impl Told {
    fn new(entry: RawEntry) -> Self {
        Self { entry, offer: None, group: None }
    }

    /// Takes from another description what this one leaves open.
    fn fill(&mut self, other: Self) {
        let own = &mut self.entry;
        if own.title.is_empty() {
            own.title = other.entry.title;
        }
        if own.summary.is_empty() {
            own.summary = other.entry.summary;
        }
        own.links.extend(other.entry.links);
        if own.media.is_empty() {
            own.media = other.entry.media;
        }
        if own.guid.is_empty() {
            own.guid = other.entry.guid;
        }
        let Some(other) = other.offer else { return };
        let Some(own) = &mut self.offer else {
            self.offer = Some(other);
            return;
        };
        own.brand = own.brand.take().or(other.brand);
        own.terms.sku = own.terms.sku.take().or(other.terms.sku);
        own.terms.gtin = own.terms.gtin.take().or(other.terms.gtin);
        if own.terms.list.is_none() {
            (own.terms.list, own.terms.sale) = (other.terms.list, other.terms.sale);
        }
        if own.terms.availability == Availability::Unknown {
            own.terms.availability = other.terms.availability;
        }
    }
}

/// What the rows of a page are made with.
struct Page<'a> {
    left: Cell<usize>,
    dom: &'a Dom,
    meta: &'a Meta,
    own: String,
    now: Timestamp,
    currency: Option<Currency>,
}

impl Page<'_> {
    /// The product that the page is about, if it is about one.
    ///
    /// 1. What the page calls its main entity. 2. What has the page's own address. 3. The only one
    ///    that stands by itself, beside listed ones or alone. 4. On a page of a product, the one
    ///    with the page's title, else the first that stands by itself.
    fn main_of<'v>(&self, graph: &Graph<'v>, products: &[Thing<'v>]) -> Option<Thing<'v>> {
        let only = |mut all: Vec<Thing<'v>>| all.pop().filter(|_| all.is_empty());
        let those =
            |place: Place| products.iter().filter(move |thing| thing.place == place).copied();
        if let Some(main) = only(those(Place::Main).collect()) {
            return Some(main);
        }
        let canonical = |href: &str| {
            let (_, url) = self.dom.resolve(href)?;
            Some(link::canonical(&url, false))
        };
        let own = canonical(&self.own);
        let here = products.iter().filter(|thing| {
            let href = link_of(graph, thing.value);
            href.is_some_and(|href| canonical(href) == own)
        });
        if let Some(main) = only(here.copied().collect()) {
            return Some(main);
        }
        let tops: Vec<Thing<'v>> = those(Place::Top).collect();
        if let Some(main) = only(tops.clone()) {
            return Some(main);
        }
        if !self.meta.is_of_product() {
            return None;
        }
        let title = self.meta.title.as_deref().unwrap_or_default();
        let named = tops.iter().find(|thing| {
            graph.text(thing.value, &["name"]).is_some_and(|name| title.contains(name.as_str()))
        });
        named.or(tops.first()).copied()
    }

    fn told<'v>(&self, graph: &Graph<'v>, product: &'v Value, is_main: bool) -> Told {
        let reader = Reader {
            graph,
            dom: self.dom,
            now: self.now,
            currency: self.currency,
            left: &self.left,
        };
        let mut entry = entry_of(graph, product, self.dom.shared_base());
        // A product's dates are those of its launch.
        (entry.published, entry.updated) = (None, None);
        entry.body = RawText::default();
        let offers = graph.all(product, "offers");
        let of_offer = offers.iter().find_map(|offer| graph.text(offer, &["url"]));
        entry.links.extend(of_offer.map(|href| self.link(&href)));
        if is_main {
            entry.links.push(self.link(&self.own));
        }
        let offer = reader.offer(product);
        let is_group = is_of(product, "ProductGroup");
        let group_id =
            |value: &'v Value| graph.text(value, &["productGroupID", "inProductGroupWithID"]);
        let id = if is_group { group_id(product) } else { None };
        entry.guid = id
            .or_else(|| graph.text(product, &["sku", "productID"]))
            .or_else(|| offer.terms.gtin.clone())
            .or_else(|| graph.text(product, &["mpn"]))
            .unwrap_or_default();
        let group = graph
            .first(product, "isVariantOf")
            .and_then(|of| group_id(of).or_else(|| graph.text(of, &["@id"])));
        let group = group.or_else(|| graph.text(product, &["inProductGroupWithID"]));
        Told { entry, offer: Some(offer), group: group.filter(|_| !is_group) }
    }

    /// The product that Open Graph describes, if it does.
    fn open_graph(&self) -> Option<Told> {
        let meta = self.meta;
        let product = &meta.product;
        if !meta.is_of_product() && product.price.is_none() {
            return None;
        }
        let currency = product.currency.as_deref().and_then(|code| code.parse().ok());
        let amount =
            |text: &Option<String>| price::amount(text.as_deref()?, currency.or(self.currency));
        let (mut list, mut sale) = (amount(&product.price), amount(&product.sale_price));
        if let Some(original) = amount(&product.original_price) {
            // The price that is asked stands beside the original one.
            sale =
                sale.or(list.filter(|asked| {
                    asked.compare(original).is_some_and(std::cmp::Ordering::is_lt)
                }));
            list = Some(original);
        }
        let terms = Terms {
            sku: product.id.clone(),
            gtin: product.gtin.as_deref().and_then(gtin),
            availability: product
                .availability
                .as_deref()
                .map_or(Availability::Unknown, availability::parse),
            quantity: None,
            list,
            sale: sale.map(|price| Sale { price, from: None, until: None }),
        };
        let media = meta.images.iter().map(|href| RawMedia {
            link: self.link(href),
            role: Role::Picture,
            ..RawMedia::default()
        });
        let title = meta.title.clone().unwrap_or_else(|| self.dom.title());
        let entry = RawEntry {
            guid: product.id.clone().unwrap_or_default(),
            title: RawText::new(title, Form::Either),
            links: vec![self.link(&self.own)],
            summary: RawText::new(meta.description.clone().unwrap_or_default(), Form::Either),
            media: media.collect(),
            ..RawEntry::default()
        };
        let offer = Offer { brand: product.brand.clone(), terms, ..Offer::default() };
        Some(Told { entry, offer: Some(offer), group: product.group.clone() })
    }

    fn link(&self, href: &str) -> RawLink {
        RawLink { base: Some(Arc::clone(self.dom.shared_base())), ..RawLink::new(href) }
    }

    /// Rows of what has a name or an address, repetitions left out.
    fn rows_of(&self, all: impl Iterator<Item = Told>) -> Vec<Row> {
        let mut seen = std::collections::HashSet::new();
        let mut rows = Vec::new();
        for told in all {
            let mut entry = self.entry(told.entry);
            if entry.title.is_empty() && entry.link.is_none() {
                continue;
            }
            if !seen.insert((keys::product(&entry.guid), entry.keys.link, entry.keys.title)) {
                continue;
            }
            entry.offer = told.offer;
            let place = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            rows.push(Row { entry, group: told.group, place });
        }
        tell_apart(&mut rows);
        rows
    }

    fn entry(&self, mut entry: RawEntry) -> Entry {
        if assemble::language(&entry.language).is_none() {
            entry.language = self.dom.language().unwrap_or_default().to_owned();
        }
        assemble::one(entry, None, self.dom.base())
    }
}

/// Products without an id that share a page are named by their place in it, or by their title.
fn tell_apart(rows: &mut [Row]) {
    let mut sharing: HashMap<Option<u64>, usize> = HashMap::new();
    for row in rows.iter() {
        *sharing.entry(row.entry.keys.link).or_default() += 1;
    }
    for entry in rows.iter_mut().map(|row| &mut row.entry) {
        let is_shared = sharing.get(&entry.keys.link).is_some_and(|sharing| *sharing > 1);
        if !entry.guid.is_empty() || !is_shared {
            continue;
        }
        let url = entry.link.as_deref().and_then(link::absolute);
        let place = url.filter(|url| url.fragment().is_some_and(|fragment| !fragment.is_empty()));
        entry.guid = match &place {
            Some(url) => url.to_string(),
            None => entry.title.clone(),
        };
        entry.keys.id = (!entry.guid.is_empty()).then(|| keys::hash(&entry.guid));
        entry.keys.id_alias = keys::id_alias(&entry.guid);
        entry.keys.link = place.as_ref().map(|url| keys::link_key(url, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Vec<String> {
        let base = Url::parse("https://e.com/p/1").unwrap();
        let now = Timestamp::from_millis(1_700_000_000_000);
        let rows = match rows(body, &base, now, None) {
            Ok(rows) => rows,
            Err(error) => return vec![error.to_string()],
        };
        rows.into_iter()
            .map(|row| {
                let entry = row.entry;
                let price = entry.offer.and_then(|offer| offer.terms.price_at(now));
                format!(
                    "{}|{}|{}|{}",
                    entry.guid,
                    entry.title,
                    entry.link.unwrap_or_default(),
                    price.map_or_else(String::new, |price| price.to_string()),
                )
            })
            .collect()
    }

    fn ld(json: &str) -> String {
        format!("<script type='application/ld+json'>{json}</script>")
    }

    #[test]
    fn a_page_of_one_product_gives_that_one() {
        let main = r#"{"@type": "Product", "name": "Main", "sku": "m", "offers": {"price": 5, "priceCurrency": "EUR"}}"#;
        let related = r#"{"@type": "ItemList", "itemListElement": [
            {"@type": "ListItem", "item": {"@type": "Product", "name": "Other", "url": "/p/2", "offers": {"price": 1, "priceCurrency": "EUR"}}}]}"#;
        let expected = ["m|Main|https://e.com/p/1|5.00 EUR"];
        assert_eq!(told(&(ld(related) + &ld(main))), expected);
        let twice = "<div itemscope itemtype='https://schema.org/Product'><b itemprop=name>Main again</b></div>";
        assert_eq!(told(&(ld(main) + twice)), expected);
        let open = "<meta property='og:type' content=product><meta property='og:title' content='Main thing'>";
        let two = format!(
            "{open}{}{}",
            ld(main),
            ld(r#"{"@type": "Product", "name": "Beside", "offers": {"price": 2}}"#)
        );
        assert_eq!(told(&two), expected);
    }

    #[test]
    fn a_page_of_many_products_gives_all() {
        let list = r#"{"@type": "ItemList", "itemListElement": [
            {"@type": "ListItem", "item": {"@type": "Product", "name": "A", "url": "/p/a", "offers": {"price": "1.00", "priceCurrency": "EUR"}}},
            {"@type": "ListItem", "item": {"@type": "Product", "name": "B", "url": "/p/b", "offers": {"price": "2.00", "priceCurrency": "EUR"}}}]}"#;
        assert_eq!(
            told(&ld(list)),
            ["|A|https://e.com/p/a|1.00 EUR", "|B|https://e.com/p/b|2.00 EUR"]
        );
        let links = r#"{"@type": "ItemList", "itemListElement": [
            {"@type": "ListItem", "position": 1, "url": "https://e.com/p/a"}, {"@type": "ListItem", "position": 2, "url": "/p/b", "name": "B"}]}"#;
        assert_eq!(told(&ld(links)), ["||https://e.com/p/a|", "|B|https://e.com/p/b|"]);
    }

    #[test]
    fn products_of_one_page_are_told_apart_by_their_places() {
        let place = |n: u32| {
            format!(
                r#"{{"@type": "Product", "@id": "https://e.com/list#{n}", "name": "N{n}", "offers": {{"price": {n}}}}}"#
            )
        };
        let page = ld(&format!(
            r#"{{"@graph": [{}, {}, {{"@type": "Product", "name": "N3"}}, {{"@type": "Product", "name": "N4"}}]}}"#,
            place(1),
            place(2)
        ));
        assert_eq!(
            told(&page),
            [
                "https://e.com/list#1|N1|https://e.com/list#1|1",
                "https://e.com/list#2|N2|https://e.com/list#2|2",
                "N3|N3||",
                "N4|N4||",
            ]
        );
    }

    #[test]
    fn what_json_ld_leaves_open_is_filled() {
        let open = "<meta property='og:type' content='product'><meta property='og:title' content='T'>\
            <meta property='og:price:amount' content='1,299.00'><meta property='og:price:currency' content='USD'>\
            <link rel=canonical href='https://e.com/products/t'>";
        assert_eq!(told(open), ["|T|https://e.com/products/t|1299.00 USD"]);
        let bare = ld(r#"{"@type": "Product", "name": "T", "sku": 7}"#);
        assert_eq!(told(&(open.to_owned() + &bare)), ["7|T|https://e.com/products/t|1299.00 USD"]);
    }

    #[test]
    fn a_page_without_products_says_so() {
        assert_eq!(told("<title>Home</title><p>x"), ["the page titled “Home” has no product"]);
        assert_eq!(
            told("<title>Just a moment...</title>"),
            ["it is a page that checks for robots titled “Just a moment...”, not a feed"]
        );
    }
}
