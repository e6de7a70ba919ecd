//! Pages without rules, and the article within a page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::{discover, page};
use tidings::model::source::PageRules;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let base = Url::parse("https://example.com/news/").expect("an address");
    // Errors are answers too.
    let _ = page::read(bytes, None, &base, &PageRules::default(), 10_000);
    let _ = page::article::read(bytes, None, &base);
    let _ = discover::page(&String::from_utf8_lossy(bytes), &base);
});
