//! Sitemaps of every form, and OPML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::{opml, sitemap};
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let base = Url::parse("https://example.com/sitemap.xml").expect("an address");
    // Errors are answers too.
    let _ = sitemap::read(bytes, None, &base, 1_000);
    let _ = opml::read(bytes, None);
});
