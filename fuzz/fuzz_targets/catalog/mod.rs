//! What every target of catalogs does.

use std::io::Cursor;

use tidings::extract::catalog::{self, Options, listing};
use tidings::model::source::{CatalogFormat, Mapping};
use url::Url;

/// Reads the bytes as one of `formats`, chosen by the first of them; what the first pass lists must
/// be what the second reads at the same place.
pub fn read(bytes: &[u8], formats: &[CatalogFormat]) {
    let Some((first, document)) = bytes.split_first() else { return };
    let base = Url::parse("https://shop.example.com/").expect("an address");
    let field = |name: &str, path: &str| (name.to_owned(), path.to_owned());
    let mapping = Mapping {
        row: ["", "item", "products/product", "products"][usize::from(*first >> 4) % 4].to_owned(),
        fields: vec![field("id", "id"), field("title", "title"), field("price", "price/@amount")],
    };
    let options = Options {
        format: formats[usize::from(*first) % formats.len()],
        mapping: Some(&mapping),
        ..Options::plain(&base)
    };
    let mut listed = Vec::new();
    let mut text = Cursor::new(document);
    let Ok(scan) = catalog::scan(&mut text, &options, &mut |found| listed.push(found)) else {
        return;
    };
    let mut places: Vec<u64> = listed.iter().map(|found| found.place).collect();
    places.dedup();
    places.truncate(8);
    let Ok(rows) = catalog::pick(&mut text, &options, scan.format, &places) else { return };
    for row in rows {
        let mut again = Vec::new();
        listing::listings(&row, options.now, &mut |found| again.push(found));
        for found in &again {
            assert!(listed.contains(found), "a row reads otherwise the second time: {found:?}");
        }
    }
}
