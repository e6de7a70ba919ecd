//! Feeds: RSS, RDF, Atom and JSON Feed, broken in any way, up to the item that would be kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::feed;
use tidings::model::name::Name;
use tidings::model::time::Timestamp;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let base = Url::parse("https://example.com/feed.xml").expect("an address");
    let name = Name::parse("fuzz").expect("a name");
    if let Ok(document) = feed::read(bytes, None, &base) {
        for entry in document.entries {
            let item = entry.into_item(&name, Timestamp::default());
            let link = item.link.as_deref().unwrap_or("http://x/");
            assert!(link.starts_with("http://") || link.starts_with("https://"), "{link}");
        }
    }
});
