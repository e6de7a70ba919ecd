//! Keys: what names an item, hashed rung by rung.
//!
//! Every rung is the first 8 bytes of a SHA-256, and never 0. Two readings of the same item give
//! the same keys whatever reader or repair they went through, as long as the item's words are the
//! same.

use sha2::{Digest, Sha256};
use url::Url;

use crate::extract::link;
use crate::markup;
use crate::model::item::ItemId;
use crate::model::known::Keys;
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// The hash of a rung's text.
pub fn hash(text: &str) -> u64 {
    first_bytes(Sha256::new().chain_update(text.as_bytes()))
}

fn first_bytes(hasher: Sha256) -> u64 {
    let digest = hasher.finalize();
    let head = digest.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(head).max(1)
}

/// The hash of an id without scheme and `www.`: of its canonical form where it is an address.
/// `None` where the id has nothing to leave away.
pub(crate) fn id_alias(guid: &str) -> Option<u64> {
    if !guid.get(..4)?.eq_ignore_ascii_case("http") {
        return None;
    }
    let url = link::absolute(guid)?;
    // A fragment can be all that tells ids apart.
    Some(hash(&link::canonical(&url, true)))
}

/// What names a product: its id without scheme and `www.` where it is an address, else the id as
/// it is; `None` without one.
pub(crate) fn product(id: &str) -> Option<u64> {
    (!id.is_empty()).then(|| id_alias(id).unwrap_or_else(|| hash(id)))
}

/// Half of a hash, never 0: for what is only compared within one item.
pub(crate) fn narrow(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).max(1)
}

/// The hash of an item's address in its canonical form.
pub(crate) fn link_key(url: &Url, with_fragment: bool) -> u64 {
    hash(&link::canonical(url, with_fragment))
}

/// The hash of a title, without regard to case; `None` when it is empty.
pub(crate) fn title_key(title: &str) -> Option<u64> {
    (!title.is_empty()).then(|| hash(&normal(title)))
}

/// The hash of a title and the date stated for it; `None` when either is missing.
pub(crate) fn title_date_key(title: &str, date: Option<Timestamp>) -> Option<u64> {
    let millis = date?.as_millis();
    (!title.is_empty()).then(|| hash(&format!("{}\n{millis}", normal(title))))
}

/// Length and CRC-32 of what a reader sees: title, words of the text, path of the first picture.
///
/// The picture counts without its query, where servers put versions and sizes.
pub(crate) fn fingerprint(title: &str, html: &str, image: Option<&str>) -> u64 {
    let mut sum = flate2::Crc::new();
    sum.update(normal(title).as_bytes());
    sum.update(b"\n");
    markup::words(html, |piece| sum.update(piece.as_bytes()));
    with_image(sum, image)
}

/// The same from a title in its normal form and the words of the text.
pub(crate) fn fingerprint_of(normal_title: &str, words: &str, image: Option<&str>) -> u64 {
    let mut sum = flate2::Crc::new();
    sum.update(normal_title.as_bytes());
    sum.update(b"\n");
    sum.update(words.as_bytes());
    with_image(sum, image)
}

fn with_image(mut sum: flate2::Crc, image: Option<&str>) -> u64 {
    sum.update(b"\n");
    if let Some(image) = image {
        let path = image.split_once("://").map_or(image, |(_, rest)| rest);
        let path = path.split_once('/').map_or("", |(_, path)| path);
        sum.update(path.split(['?', '#']).next().unwrap_or_default().as_bytes());
    }
    ((u64::from(sum.amount()) << 32) | u64::from(sum.sum())).max(1)
}

fn normal(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    normal_into(title, &mut out);
    out
}

/// Writes a title's normal form in place of what is in `out`. Romanian with comma or cedilla,
/// upper or lower case: the same title.
pub(crate) fn normal_into(title: &str, out: &mut String) {
    out.clear();
    if title.is_ascii() {
        out.push_str(title);
        out.make_ascii_lowercase();
        return;
    }
    for c in title.chars() {
        match c {
            'ş' | 'Ş' => out.push('ș'),
            'ţ' | 'Ţ' => out.push('ț'),
            c => out.extend(c.to_lowercase()),
        }
    }
}

/// The name of an item within the store: its source and its best rung.
pub fn item_id(source: &Name, keys: &Keys) -> ItemId {
    let rungs = [keys.id, keys.link, keys.title_date, keys.title];
    let (rung, value) = (0u8..)
        .zip(rungs)
        .find_map(|(rung, value)| Some((rung, value?)))
        .unwrap_or((u8::MAX, keys.fingerprint));
    let digest = Sha256::new()
        .chain_update(source.as_str())
        .chain_update([0, rung])
        .chain_update(value.to_be_bytes())
        .finalize();
    ItemId(digest.first_chunk::<16>().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_as_id_survives_its_move_to_https_and_www() {
        let alias = id_alias("http://example.com/?p=1").unwrap();
        assert_eq!(id_alias("https://www.example.com/?p=1"), Some(alias));
        assert_ne!(id_alias("https://www.example.com/?p=2"), Some(alias));
        assert_eq!(id_alias("tag:example.com,2004:1"), None);
        assert_eq!(id_alias("7"), None);
    }

    #[test]
    fn a_fingerprint_does_not_see_markup_and_versions() {
        let of = |html, image| fingerprint("Title", html, image);
        let plain = of("<p>one two</p>", Some("https://e.com/a.jpg?v=1"));
        assert_eq!(
            of("<div><p>one  <b>two</b></p></div>", Some("http://cdn.e.com/a.jpg?v=2")),
            plain
        );
        assert_ne!(of("<p>one three</p>", Some("https://e.com/a.jpg")), plain);
        assert_ne!(of("<p>one two</p>", Some("https://e.com/b.jpg")), plain);
        assert_ne!(of("<p>one two</p>", None), plain);
    }

    #[test]
    fn an_item_is_named_by_its_best_rung() {
        let source = Name::parse("blog").unwrap();
        let keys = Keys {
            id: None,
            id_alias: None,
            link: Some(1),
            title_date: None,
            title: Some(2),
            fingerprint: 3,
        };
        let id = item_id(&source, &keys);
        assert_eq!(item_id(&source, &Keys { title: Some(9), fingerprint: 9, ..keys }), id);
        assert_ne!(item_id(&source, &Keys { link: None, title: Some(1), ..keys }), id);
        assert_ne!(item_id(&Name::parse("other").unwrap(), &keys), id);
    }

    #[test]
    fn titles_are_compared_without_case_and_cedilla() {
        assert_eq!(title_key("Ştiri ŢARĂ"), title_key("știri țară"));
        assert_eq!(title_key(""), None);
    }
}
