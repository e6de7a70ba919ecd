//! From a row to its listings, and from the rows of one product to its entry.

use crate::extract::catalog::Row;
use crate::extract::{Entry, keys};
use crate::model::listing::Listing;
use crate::model::offer::{Offer, Terms, Variant};
use crate::model::time::Timestamp;

/// The listings of a row: one for each variant that it has, else one. `place` and the instant of
/// the poll go into each; `page` is 0, for whoever fetched the document to fill in.
///
/// A row that nothing names (no id, no link) gives none.
pub fn listings(row: &Row, now: Timestamp, each: &mut dyn FnMut(Listing)) {
    let entry = &row.entry;
    let own = keys::product(&entry.guid);
    let group = row.group.as_deref().and_then(keys::product);
    let link = entry.keys.link.unwrap_or(0);
    let Some(product) = group.or(own).or((link != 0).then_some(link)) else { return };
    let mut tell = |variant: u32, terms: &Terms| {
        each(Listing {
            product,
            variant,
            link,
            title: entry.keys.title.map_or(0, keys::narrow),
            fingerprint: keys::narrow(entry.keys.fingerprint),
            price: terms.price_at(now),
            availability: terms.availability,
            quantity: terms.quantity.map(|left| u16::try_from(left).unwrap_or(u16::MAX)),
            page: 0,
            place: row.place,
        });
    };
    let none = Terms::default();
    match &entry.offer {
        Some(offer) if !offer.variants.is_empty() => {
            for variant in &offer.variants {
                tell(keys::narrow(keys::hash(&variant.id)), &variant.terms);
            }
        }
        offer => {
            let terms = offer.as_ref().map_or(&none, |offer| &offer.terms);
            let variant = match (group, own) {
                (Some(_), Some(own)) => keys::narrow(own),
                _ => 0,
            };
            tell(variant, terms);
        }
    }
}

/// The one entry of rows that are variants of one product: the first one's words, everyone's
/// terms. Rows that repeat a variant's id count once.
///
/// `rows` are of one product; `None` when there are none.
pub fn join(rows: Vec<Row>, now: Timestamp) -> Option<Entry> {
    let mut rows = rows.into_iter();
    let first = rows.next()?;
    let Some(group) = first.group.filter(|_| first.entry.offer.is_some()) else {
        return Some(first.entry);
    };
    let mut product = first.entry;
    let mut offer = product.offer.take().unwrap_or_default();
    let mut variants = vec![variant_of(&product, &offer)];
    for row in rows {
        let Some(offer) = &row.entry.offer else { continue };
        if !variants.iter().any(|known| known.id == row.entry.guid) {
            variants.push(variant_of(&row.entry, offer));
        }
    }
    product.guid = group;
    offer.variants = variants;
    product.offer = Some(Offer { terms: Terms::default(), ..offer }.gathered(now));
    Some(product)
}

fn variant_of(entry: &Entry, offer: &Offer) -> Variant {
    Variant {
        id: entry.guid.clone(),
        title: entry.title.clone(),
        link: entry.link.clone(),
        terms: offer.terms.clone(),
    }
}
