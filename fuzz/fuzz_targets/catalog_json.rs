//! Catalogs as JSON: the platforms' own, and mapped.
#![no_main]

mod catalog;

use libfuzzer_sys::fuzz_target;
use tidings::model::source::CatalogFormat;

const FORMATS: [CatalogFormat; 6] = [
    CatalogFormat::Shopify,
    CatalogFormat::Woocommerce,
    CatalogFormat::Wordpress,
    CatalogFormat::Squarespace,
    CatalogFormat::Prestashop,
    CatalogFormat::Mapped,
];

fuzz_target!(|bytes: &[u8]| catalog::read(bytes, &FORMATS));
