//! Catalogs as delimited text.
#![no_main]

mod catalog;

use libfuzzer_sys::fuzz_target;
use tidings::model::source::CatalogFormat;

const FORMATS: [CatalogFormat; 2] = [CatalogFormat::Csv, CatalogFormat::Mapped];

fuzz_target!(|bytes: &[u8]| catalog::read(bytes, &FORMATS));
