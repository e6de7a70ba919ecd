//! Small feeds of our own, each modelled on what is met in practice, with what must come out.
//!
//! Beside `name.xml` stands `name.xml.expected.json`: the quality, the feed's facts, and the items
//! as `tidings extract` shows them; or the line with which the document is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking and tells what it saw")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tidings::extract::{feed, show};
use tidings::model::name::Name;
use tidings::model::time::Timestamp;
use url::Url;

fn extracted(bytes: &[u8]) -> Value {
    let base = Url::parse("https://base.example/dir/feed").unwrap();
    let found = match feed::read(bytes, None, &base) {
        Ok(found) => found,
        Err(refusal) => return json!({ "refused": refusal.to_string() }),
    };
    let source = Name::parse("fixture").unwrap();
    let items = found.entries.into_iter().map(|entry| {
        let keys = entry.keys;
        let mut item = show::item_json(&entry.into_item(&source, Timestamp::default()));
        item["rungs"] = json!([
            keys.id.map(|_| "id"),
            keys.id_alias.map(|_| "alias"),
            keys.link.map(|_| "link"),
            keys.title_date.map(|_| "title and date"),
        ]);
        item
    });
    json!({
        "quality": format!("{:?}", found.quality),
        "facts": {
            "format": found.facts.format.as_str(),
            "encoding": found.facts.encoding,
            "title": found.facts.title,
            "link": found.facts.link,
            "language": found.facts.language,
            "ttl_seconds": found.facts.ttl.map(|ttl| ttl.as_secs()),
            "hub": found.facts.hub,
            "self": found.facts.self_link,
            "expired": found.facts.expired,
        },
        "items": items.collect::<Vec<_>>(),
    })
}

#[test]
fn every_fixture_gives_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".expected.json") {
            continue;
        }
        let found = extracted(&fs::read(&path).unwrap());
        let expected = fs::read(folder.join(format!("{name}.expected.json")))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        if expected.as_ref() != Some(&found) {
            println!("{name}:\n{}", serde_json::to_string_pretty(&found).unwrap());
            wrong.push(name);
        }
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} fixtures were found");
    assert!(wrong.is_empty(), "other than expected: {}", wrong.join(", "));
}
