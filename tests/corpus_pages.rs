//! Real pages and other projects' test pages, with the answers that stand beside them.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to. Each set of answers
//! has a floor, a little under what is reached. `TIDINGS_CORPUS_SHOW=1` prints every difference.
//!
//! What is left is known:
//! - Readability prefers the names of Dublin Core and of the page's head to Open Graph here and
//!   there; we keep one order of trust.
//! - extruct gives an item of microdata to everyone who refers to it; we give it once.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it saw"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tidings::extract::page::{self, article};
use tidings::extract::{structured, text};
use tidings::model::source::PageRules;
use tidings::model::time::Timestamp;
use url::Url;

/// How long one page may take in an unoptimised build on a busy machine.
const PAGE_TIME_MAX: Duration = Duration::from_secs(20);
const ITEMS_MAX: usize = 10_000;

fn pages() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("TIDINGS_CORPUS") else {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(path).join("pages"))
}

fn base() -> Url {
    Url::parse("http://example.com/").unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

fn documents(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            documents(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "html") {
            out.push(path);
        }
    }
}

fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    documents(folder, &mut out);
    out
}

fn html_of(path: &Path) -> String {
    text::decode(&fs::read(path).unwrap(), None, None).text.into_owned()
}

/// Counts answers that agree.
#[derive(Default)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn count(&mut self, is_right: bool, what: &dyn Fn() -> String) {
        self.all += 1;
        self.right += usize::from(is_right);
        if !is_right && std::env::var_os("TIDINGS_CORPUS_SHOW").is_some() {
            println!("  {}", what());
        }
    }

    /// Prints the share and holds it to its floor, in percent.
    fn hold(&self, name: &str, floor: usize) {
        let percent = self.right * 100 / self.all.max(1);
        println!("{name}: {} of {} ({percent} %)", self.right, self.all);
        assert!(percent >= floor, "{name}: {percent} % is under the floor of {floor} %");
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_page_is_read_in_time() {
    let Some(pages) = pages() else { return };
    let (mut count, mut listed) = (0, 0);
    for path in in_folder(&pages) {
        let bytes = fs::read(&path).unwrap();
        let html = html_of(&path);
        let started = Instant::now();
        listed += usize::from(
            page::read(&bytes, None, &base(), &PageRules::default(), ITEMS_MAX).is_ok(),
        );
        let _ = structured::rows(&html, &base(), now(), None);
        article::of_text(&html, &base()).unwrap();
        assert!(started.elapsed() < PAGE_TIME_MAX, "{}", path.display());
        count += 1;
    }
    println!("{count} pages, a list in {listed}");
    assert!(count > 100);
}

#[test]
fn microformats_agree_with_the_canonical_answers() {
    let Some(pages) = pages() else { return };
    let mut share = Share::default();
    for path in in_folder(&pages.join("microformats")) {
        let answer: Value =
            serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap())
                .unwrap();
        let mut expected = Vec::new();
        for item in answer["items"].as_array().unwrap() {
            match item["type"][0].as_str() {
                Some("h-feed") => expected.extend(item["children"].as_array().unwrap().clone()),
                _ => expected.push(item.clone()),
            }
        }
        expected.retain(|item| {
            item["type"][0] == "h-entry" && item["properties"].get("like-of").is_none()
        });
        let bytes = fs::read(&path).unwrap();
        let found = page::read(&bytes, None, &base(), &PageRules::default(), ITEMS_MAX);
        let found = found.map(|document| document.entries).unwrap_or_default();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        share.count(found.len() == expected.len(), &|| {
            format!("{name}: {} entries, not {}", found.len(), expected.len())
        });
        for (entry, item) in found.iter().zip(&expected) {
            let wanted = |key: &str| {
                let first = &item["properties"][key][0];
                first.as_str().or_else(|| first["value"].as_str()).map(folded)
            };
            let mut same = |key: &str, found: Option<String>| {
                let wanted = wanted(key);
                share.count(found == wanted, &|| {
                    format!("{name}: {key}: {found:?}, not {wanted:?}")
                });
            };
            same("name", Some(entry.title.clone()).filter(|title| !title.is_empty()));
            same("url", entry.link.clone());
            let words =
                |html: &str| Some(tidings::markup::plain(html)).filter(|words| !words.is_empty());
            same("summary", words(&entry.summary_html));
            same("content", words(&entry.body_html));
            let day = |key: &str| wanted(key).map(|text| text.chars().take(10).collect::<String>());
            for (key, at) in [("published", entry.published), ("updated", entry.updated)] {
                let at = at.map(|at| at.to_string().chars().take(10).collect::<String>());
                share.count(at == day(key), &|| format!("{name}: {key}: {at:?}"));
            }
        }
    }
    share.hold("microformats", 95);
}

#[test]
fn articles_agree_with_readability() {
    let Some(pages) = pages() else { return };
    let (mut titles, mut others) = (Share::default(), Share::default());
    let mut bodies = Share::default();
    for path in in_folder(&pages.join("article-readability")) {
        let name = path.file_name().unwrap().to_string_lossy().replace("__source.html", "");
        let answer = path.with_file_name(format!("{name}__expected-metadata.json"));
        let answer: Value = serde_json::from_str(&fs::read_to_string(answer).unwrap()).unwrap();
        let found = article::of_text(
            &html_of(&path),
            &Url::parse("http://fakehost/test/page.html").unwrap(),
        )
        .unwrap();
        let wanted = |key: &str| answer[key].as_str().map(folded);
        titles.count(wanted("title") == Some(found.title.clone()), &|| {
            format!("{name}: title: {:?}, not {:?}", found.title, wanted("title"))
        });
        let summary = tidings::markup::plain(&found.summary_html);
        let byline = found.authors.first().cloned();
        let day = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let published =
            wanted("publishedTime").and_then(|text| tidings::extract::date::parse(&text));
        others.count(wanted("excerpt").is_none_or(|it| it == summary), &|| {
            format!("{name}: excerpt: {summary:?}, not {:?}", wanted("excerpt"))
        });
        others.count(wanted("byline").is_none() || wanted("byline") == byline, &|| {
            format!("{name}: byline: {byline:?}, not {:?}", wanted("byline"))
        });
        others.count(wanted("siteName").is_none_or(|it| Some(it) == found.site_name), &|| {
            format!("{name}: site: {:?}", found.site_name)
        });
        others.count(published.is_none() || published == found.published, &|| {
            format!("{name}: published: {:?}, not {:?}", day(found.published), day(published))
        });
        let is_readable = answer["readerable"].as_bool().unwrap_or_default();
        bodies.count(!is_readable || found.body_html.len() > 100, &|| {
            format!("{name}: no full text")
        });
    }
    titles.hold("titles of articles", 90);
    others.hold("excerpt, byline, site, date of articles", 90);
    bodies.hold("full texts", 95);
}

/// Whether a value agrees with extruct's, which cuts texts at 200 characters and lists at 25.
fn agrees(found: &Value, said: &Value) -> bool {
    match (found, said) {
        (Value::Object(found), Value::Object(said)) => {
            said.iter().all(|(key, said)| found.get(key).is_some_and(|found| agrees(found, said)))
        }
        (Value::Array(found), Value::Array(said)) => {
            said.iter().zip(found).all(|(said, found)| agrees(found, said))
                && said.len() <= found.len()
        }
        (Value::String(found), Value::String(said)) => {
            let start: String = folded(said).chars().take(150).collect();
            // extruct resolves addresses.
            let whole = Url::parse("https://example.test/").unwrap().join(found);
            folded(found).starts_with(start.trim_end_matches('…').trim_end())
                || whole.is_ok_and(|whole| whole.as_str().starts_with(&start))
        }
        (found, said) => found == said,
    }
}

/// A value of microdata in extruct's form, as one of JSON-LD.
fn as_linked(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut out = serde_json::Map::new();
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("properties", Value::Object(inner)) => {
                        out.extend(
                            inner.iter().map(|(key, value)| (key.clone(), as_linked(value))),
                        );
                    }
                    ("type", Value::String(kind)) => {
                        out.insert("@type".into(), vec![Value::from(kind.as_str())].into());
                    }
                    ("type", kinds) => {
                        out.insert("@type".into(), kinds.clone());
                    }
                    ("id", id) => {
                        out.insert("@id".into(), id.clone());
                    }
                    // An item without properties is given as its words.
                    _ => {}
                }
            }
            Value::Object(out)
        }
        Value::Array(all) => all.iter().map(as_linked).collect(),
        other => other.clone(),
    }
}

#[test]
fn structured_data_agrees_with_extruct() {
    let Some(pages) = pages() else { return };
    let (mut json_ld, mut microdata) = (Share::default(), Share::default());
    for line in fs::read_to_string(pages.join("extruct-says.jsonl")).unwrap().lines() {
        let said: Value = serde_json::from_str(line).unwrap();
        let name = said["file"].as_str().unwrap();
        let html = html_of(&pages.parent().unwrap().join(name));
        let [blocks, items] = structured::values(&html, &base()).unwrap();
        // extruct opens lists of values.
        let blocks: Vec<Value> = blocks
            .into_iter()
            .flat_map(|block| match block {
                Value::Array(all) => all,
                one => vec![one],
            })
            .collect();
        for said in said["json-ld"].as_array().into_iter().flatten() {
            json_ld.count(blocks.iter().any(|block| agrees(block, said)), &|| {
                format!("{name}: {said}")
            });
        }
        for said in said["microdata"].as_array().into_iter().flatten() {
            let linked = as_linked(said);
            microdata.count(items.iter().any(|item| agrees(item, &linked)), &|| {
                format!("{name}: {linked}")
            });
        }
    }
    json_ld.hold("blocks of JSON-LD", 97);
    microdata.hold("items of microdata", 90);
}

#[test]
fn lists_are_found_without_rules() {
    let Some(pages) = pages() else { return };
    let (mut found, mut dated, mut pictured) =
        (Share::default(), Share::default(), Share::default());
    for (file, base, wanted, first) in [
        (
            "octavian-hasna-ro/ro__posts__index.html",
            "https://www.hasna.ro/ro/posts/",
            5,
            "Calendare vechi si noi",
        ),
        (
            "octavian-hasna-ro/ro__posts__page__2__index.html",
            "https://www.hasna.ro/ro/posts/page/2/",
            4,
            "",
        ),
        (
            "pzm-ar-en/ar__blog__index.html",
            "https://pzm.ae/ar/blog/",
            20,
            "iPhone Fold أم Galaxy Z Fold8؟ ما المعروف فعلاً؟",
        ),
        (
            "kcua-wordpress-ja/2024__09__index.html",
            "https://kcua-musicology.github.io/2024/09/",
            2,
            "2024年度音楽学専攻オンラインガイダンス",
        ),
        (
            "socialtradingvlog-ar/ar__index.html",
            "https://socialtradingvlog.com/ar/",
            6,
            "ما هو التداول الاجتماعي؟",
        ),
        ("socialtradingvlog-ar/index.html", "https://socialtradingvlog.com/", 6, ""),
    ] {
        let bytes = fs::read(pages.join("blog-index").join(file)).unwrap();
        let base = Url::parse(base).unwrap();
        let read = page::read(&bytes, None, &base, &PageRules::default(), ITEMS_MAX);
        let entries = read.map(|document| document.entries).unwrap_or_default();
        let title = entries.first().map(|entry| entry.title.clone()).unwrap_or_default();
        let is_right = entries.len() >= wanted && (first.is_empty() || title == first);
        found.count(is_right, &|| {
            format!("{file}: {} items, the first is {title:?}", entries.len())
        });
        if std::env::var_os("TIDINGS_CORPUS_SHOW").is_some() {
            for entry in &entries {
                println!(
                    "{file}: {} {:?} {:?} {:?}",
                    entry.title, entry.link, entry.published, entry.image
                );
            }
        }
        for entry in &entries {
            dated.count(entry.published.is_some(), &|| format!("{file}: no date: {}", entry.title));
            pictured
                .count(entry.image.is_some(), &|| format!("{file}: no picture: {}", entry.title));
        }
    }
    found.hold("lists without rules", 95);
    dated.hold("their items with a date", 75);
    pictured.hold("their items with a picture", 80);
}

#[test]
fn product_pages_give_their_product() {
    let Some(pages) = pages() else { return };
    let (mut found, mut priced) = (Share::default(), Share::default());
    for path in in_folder(&pages.join("product")) {
        let html = html_of(&path);
        let name = path.strip_prefix(&pages).unwrap().display().to_string();
        let rows = structured::rows(&html, &base(), now(), None);
        if std::env::var_os("TIDINGS_CORPUS_SHOW").is_some() {
            match &rows {
                Ok(rows) => {
                    for row in rows {
                        let price =
                            row.entry.offer.as_ref().and_then(|offer| offer.terms.price_at(now()));
                        println!(
                            "{name}: {} {} {:?} {price:?}",
                            row.entry.guid, row.entry.title, row.entry.link
                        );
                    }
                }
                Err(error) => println!("{name}: {error}"),
            }
        }
        // Pages of one product; the others are shelves, most of them without structured data.
        let is_one = name.contains("antojos")
            || name.contains("/products__")
            || name.contains("/producto__");
        if is_one {
            let rows = rows.unwrap_or_default();
            found.count(rows.len() == 1, &|| format!("{name}: {} products", rows.len()));
            let offers = rows.iter().filter_map(|row| row.entry.offer.as_ref());
            let has_price = offers.filter_map(|offer| offer.terms.price_at(now())).count() == 1;
            priced.count(has_price, &|| format!("{name}: no price"));
        }
    }
    found.hold("pages of one product", 95);
    priced.hold("with a price", 95);
}
