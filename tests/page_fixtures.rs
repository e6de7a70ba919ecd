//! Small pages of our own, each modelled on what is met in practice, with what must come out.
//!
//! Beside `name.html` stands `name.html.expected.json`. `product…` and `shelf…` are read as rows of
//! a catalog, `article…` as the page of one item, the others as a list, by `name.rules.json` if
//! there is one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking and tells what it saw")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tidings::extract::page::{self, article};
use tidings::extract::{show, structured};
use tidings::model::name::Name;
use tidings::model::offer::Terms;
use tidings::model::source::{PageField, PageRules};
use tidings::model::time::Timestamp;
use url::Url;

fn now() -> Timestamp {
    Timestamp::from_millis(1_720_000_000_000)
}

fn base() -> Url {
    Url::parse("https://base.example/dir/").unwrap()
}

fn rules(path: &Path) -> PageRules {
    let Ok(text) = fs::read_to_string(path) else { return PageRules::default() };
    let stated: Value = serde_json::from_str(&text).unwrap();
    let field = |key: &str| match &stated[key] {
        Value::Null => None,
        Value::String(text) => Some(PageField::parse(text)),
        table => {
            let text = |key: &str| table[key].as_str().map(str::to_owned);
            Some(PageField {
                css: text("css").unwrap_or_default(),
                attribute: text("attr"),
                regex: text("regex"),
                format: text("format"),
                timezone: text("timezone"),
            })
        }
    };
    PageRules {
        item: stated["item"].as_str().map(str::to_owned),
        title: field("title"),
        link: field("link"),
        date: field("date"),
        summary: field("summary"),
        image: field("image"),
        author: field("author"),
    }
}

fn list(path: &Path, html: &str) -> Value {
    let rules = rules(&path.with_extension("rules.json"));
    match page::read(html.as_bytes(), None, &base(), &rules, 100) {
        Err(refusal) => json!({ "refused": refusal.to_string() }),
        Ok(found) => {
            let source = Name::parse("fixture").unwrap();
            let items = found.entries.into_iter();
            let items =
                items.map(|it| show::item_json(&it.into_item(&source, Timestamp::default())));
            json!({ "title": found.facts.title, "items": items.collect::<Vec<_>>() })
        }
    }
}

fn terms(terms: &Terms) -> Value {
    json!({
        "sku": terms.sku,
        "gtin": terms.gtin,
        "availability": terms.availability.as_str(),
        "price": terms.price_at(now()).map(|price| price.to_string()),
        "list": terms.list.map(|list| list.to_string()),
    })
}

fn products(html: &str) -> Value {
    let rows = match structured::rows(html, &base(), now(), None) {
        Err(refusal) => return json!({ "refused": refusal.to_string() }),
        Ok(rows) => rows,
    };
    let row = |row: tidings::extract::catalog::Row| {
        let entry = row.entry;
        let offer = entry.offer.as_ref();
        let variants = offer.iter().flat_map(|offer| &offer.variants);
        let variants = variants.map(|it| json!({ "id": it.id, "title": it.title, "link": it.link, "terms": terms(&it.terms) }));
        json!({
            "id": entry.guid,
            "group": row.group,
            "title": entry.title,
            "link": entry.link,
            "summary": entry.summary_html,
            "image": entry.image,
            "brand": offer.and_then(|offer| offer.brand.clone()),
            "terms": offer.map(|offer| terms(&offer.terms)),
            "variants": variants.collect::<Vec<_>>(),
        })
    };
    rows.into_iter().map(row).collect()
}

fn story(html: &str) -> Value {
    let found = article::of_text(html, &base()).unwrap();
    let date = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "title": found.title,
        "summary": found.summary_html,
        "body": tidings::markup::plain(&found.body_html),
        "image": found.image,
        "published": date(found.published),
        "updated": date(found.updated),
        "authors": found.authors,
        "tags": found.tags,
        "language": found.language,
        "site": found.site_name,
        "link": found.link,
    })
}

#[test]
fn every_page_gives_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages");
    let mut checked = 0;
    let mut wrong = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == "html")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let html = fs::read_to_string(&path).unwrap();
        let found = match name.split(['-', '.']).next() {
            Some("product" | "shelf") => products(&html),
            Some("article") => story(&html),
            _ => list(&path, &html),
        };
        let expected = fs::read_to_string(folder.join(format!("{name}.expected.json")));
        let expected: Value = serde_json::from_str(&expected.unwrap_or("null".into())).unwrap();
        if found != expected {
            wrong.push(format!("{name}:\n{}", serde_json::to_string_pretty(&found).unwrap()));
        }
        checked += 1;
    }
    assert!(checked >= 10, "the fixtures were found");
    assert!(wrong.is_empty(), "not what stands beside them:\n{}", wrong.join("\n"));
}
