//! Catalogs as XML: rows cut, read, and read again from their places.
#![no_main]

mod catalog;

use libfuzzer_sys::fuzz_target;
use tidings::model::source::CatalogFormat;

const FORMATS: [CatalogFormat; 5] = [
    CatalogFormat::Merchant,
    CatalogFormat::Yml,
    CatalogFormat::ShopifyAtom,
    CatalogFormat::Mapped,
    CatalogFormat::Auto,
];

fuzz_target!(|bytes: &[u8]| catalog::read(bytes, &FORMATS));
