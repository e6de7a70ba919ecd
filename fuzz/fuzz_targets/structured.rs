//! JSON-LD, microdata and Open Graph of a page, as products and as values.
#![no_main]

mod catalog;

use libfuzzer_sys::fuzz_target;
use tidings::model::source::CatalogFormat;

fuzz_target!(|bytes: &[u8]| catalog::read(bytes, &[CatalogFormat::JsonLd]));
