//! What a platform says of one product, and the row that comes of it.

use url::Url;

use crate::extract::assemble;
use crate::extract::catalog::Row;
use crate::extract::raw::{Form, RawEntry, RawLink, RawMedia, RawText, Role, cap};
use crate::model::offer::{Amount, Currency, Offer, Sale, Terms};
use crate::model::time::Timestamp;

/// Most pictures beside the first that are kept.
const PICTURES_MAX: usize = 10;

/// What a row is read beside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    /// The address that gave the document.
    pub base: &'a Url,
    /// For amounts that name none.
    pub currency: Option<Currency>,
    pub now: Timestamp,
}

/// A product, or a post: then without an offer.
#[derive(Debug, Default)]
pub(crate) struct Product {
    pub raw: RawEntry,
    pub offer: Option<Offer>,
    /// The id of the product that it is a variant of.
    pub group: Option<String>,
}

impl Product {
    pub(crate) fn new(id: String, title: RawText) -> Self {
        Self { raw: RawEntry { guid: id, title, ..RawEntry::default() }, ..Self::default() }
    }

    pub(crate) fn link(&mut self, href: impl Into<String>) {
        let href = href.into();
        if !href.is_empty() {
            self.raw.links.push(RawLink::new(href));
        }
    }

    pub(crate) fn summary(&mut self, html: String) {
        self.raw.summary = capped(html);
    }

    pub(crate) fn body(&mut self, html: String) {
        self.raw.body = capped(html);
    }

    /// The first one is the product's picture.
    pub(crate) fn pictures(&mut self, addresses: impl Iterator<Item = String>) {
        for (place, href) in addresses.filter(|href| !href.is_empty()).enumerate() {
            if place > PICTURES_MAX {
                break;
            }
            let role = if place == 0 { Role::Picture } else { Role::Content };
            self.raw.media.push(RawMedia {
                link: RawLink::new(href),
                role,
                medium: "image".into(),
                ..RawMedia::default()
            });
        }
    }

    pub(crate) fn into_row(self, around: &Around<'_>, place: u64) -> Row {
        let mut entry = assemble::one(self.raw, None, around.base);
        entry.offer = self.offer.map(|offer| offer.gathered(around.now));
        Row { entry, group: self.group.filter(|group| !group.is_empty()), place }
    }
}

fn capped(mut html: String) -> RawText {
    cap(&mut html);
    RawText::new(html, Form::Html)
}

/// Sets what is asked now beside what is asked otherwise: a lower price is a sale.
pub(crate) fn priced(terms: &mut Terms, price: Option<Amount>, regular: Option<Amount>) {
    terms.list = regular.filter(|regular| regular.is_positive()).or(price);
    terms.sale = price
        .filter(|price| {
            let list = terms.list.and_then(|list| price.compare(list));
            price.is_positive() && list.is_some_and(std::cmp::Ordering::is_lt)
        })
        .map(|price| Sale { price, from: None, until: None });
    let is_dearer = price
        .zip(terms.list)
        .is_some_and(|(price, list)| price.compare(list).is_none_or(std::cmp::Ordering::is_gt));
    if is_dearer {
        // A list price below the price, or in another currency, is a mistake.
        terms.list = price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lower_price_is_a_sale() {
        let amount = |units| Amount::new(units, 2, None);
        for (price, regular, expected) in [
            (amount(899), amount(1099), (amount(1099), amount(899))),
            (amount(899), amount(899), (amount(899), None)),
            (amount(899), None, (amount(899), None)),
            (amount(899), amount(0), (amount(899), None)),
            (amount(1099), amount(899), (amount(1099), None)),
            (None, amount(899), (amount(899), None)),
            (None, None, (None, None)),
        ] {
            let mut terms = Terms::default();
            priced(&mut terms, price, regular);
            assert_eq!((terms.list, terms.sale.map(|sale| sale.price)), expected);
        }
    }
}
