//! Real feeds and other projects' test feeds, with the answers that stand beside them.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to. Each set of answers
//! has a floor, a little under what is reached. `TIDINGS_CORPUS_SHOW=1` prints every difference.
//!
//! What is left is known, and most of it is wanted:
//! - Text of UTF-8 that was encoded twice is undone by us and left by feedparser: most differences.
//! - Where FeedBurner names the real target we give that; the others give the proxy.
//! - feedparser keeps every repetition of an item, and the incomplete last item of a document that
//!   breaks off; it takes 1 January 1970 for a date, `tag:` and `urn:` for links, the last of several
//!   links, afternoon hours for morning ones, empty enclosures for files.
//! - feedparser reads neither JSON Feed nor gzip files, which are empty feeds to it, and reads CDF,
//!   which we refuse.
//! - gofeed repeats a single date as the date of change, or the other way round.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it saw"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tidings::extract::{Document, Entry, NotADocument, feed};
use tidings::markup;
use url::Url;

/// How long one document may take in an unoptimised build on a busy machine.
const DOCUMENT_TIME_MAX: Duration = Duration::from_secs(20);

fn corpus() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("TIDINGS_CORPUS") else {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(path))
}

fn base() -> Url {
    Url::parse("http://corpus.example/feeds/feed.xml").unwrap()
}

/// Every document under `folder`, without the answers.
fn documents(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            documents(&path, out);
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let answer = name.ends_with(".serde.json")
            || name.ends_with(".jsonl")
            || name.ends_with("_expected.json")
            || name.ends_with(".json") && path.with_extension("xml").exists();
        if !answer {
            out.push(path);
        }
    }
}

/// The `Content-type` that a feedparser document says it was served with.
fn header_of(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
    let line = head.lines().find(|line| line.to_lowercase().starts_with("header:"))?;
    let (name, value) = line.split_once(':')?.1.split_once(':')?;
    name.trim().eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
}

fn read(path: &Path) -> Result<Document, NotADocument> {
    let bytes = fs::read(path).unwrap();
    let header = header_of(&bytes);
    let started = Instant::now();
    let result = feed::read(&bytes, header.as_deref(), &base());
    let took = started.elapsed();
    assert!(took < DOCUMENT_TIME_MAX, "{} took {took:?}", path.display());
    result
}

/// Counts answers that were met, by set.
#[derive(Default)]
struct Tally(BTreeMap<String, (usize, usize)>);

impl Tally {
    fn count(&mut self, set: &str, met: bool, what: impl FnOnce() -> String) {
        let (good, all) = self.0.entry(set.to_owned()).or_default();
        *all += 1;
        *good += usize::from(met);
        if !met && std::env::var_os("TIDINGS_CORPUS_SHOW").is_some() {
            println!("{set}: {}", what());
        }
    }

    /// Prints all shares; fails when the share over everything is under `floor` percent.
    fn settle(&self, name: &str, floor: f64) {
        let (mut good, mut all) = (0, 0);
        for (set, (met, of)) in &self.0 {
            println!("{name}: {set}: {met} of {of}");
            good += met;
            all += of;
        }
        let share = 100.0 * good as f64 / all.max(1) as f64;
        println!("{name}: {good} of {all}, {share:.2} %");
        assert!(all > 0, "{name}: nothing to compare");
        assert!(share >= floor, "{name}: {share:.2} % is under {floor} %");
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn same_title(ours: &str, theirs: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let ours = squeezed(ours);
    [markup::clean(theirs), markup::plain(theirs), markup::plain(&markup::plain(theirs))]
        .iter()
        .any(|theirs| squeezed(theirs) == ours)
}

fn same_link(ours: Option<&str>, theirs: &str) -> bool {
    let theirs = theirs.trim();
    ours == Some(theirs)
        || base().join(theirs).is_ok_and(|url| {
            ours.and_then(|ours| Url::parse(ours).ok()).is_some_and(|ours| ours == url)
        })
}

fn date(entry: &Entry, published: bool) -> Option<String> {
    let at = if published { entry.published } else { entry.updated };
    at.map(|at| at.to_string())
}

/// The entry that an answer speaks of: by place, or by what names it where counts differ.
fn counterpart<'a>(
    found: &'a Document,
    place: usize,
    theirs: &Value,
    of: usize,
) -> Option<&'a Entry> {
    if found.entries.len() == of {
        return found.entries.get(place);
    }
    let by_id = text(theirs, "id").and_then(|id| found.entries.iter().find(|e| e.guid == id));
    by_id
        .or_else(|| {
            let link = text(theirs, "link")?;
            found.entries.iter().find(|e| same_link(e.link.as_deref(), link))
        })
        .or_else(|| {
            let title = text(theirs, "title")?;
            found.entries.iter().find(|e| same_title(&e.title, title))
        })
}

#[test]
fn no_document_makes_us_panic_or_hang() {
    let Some(corpus) = corpus() else { return };
    let mut paths = Vec::new();
    documents(&corpus, &mut paths);
    let mut feeds = 0;
    for path in &paths {
        feeds += usize::from(read(path).is_ok());
    }
    println!("{} documents, {feeds} of them feeds", paths.len());
    assert!(feeds > 300, "only {feeds} of {} documents are feeds", paths.len());
}

#[test]
fn most_answers_of_feedparser_are_ours() {
    let Some(corpus) = corpus() else { return };
    let says = fs::read_to_string(corpus.join("feeds/feedparser-says.jsonl")).unwrap();
    let mut tally = Tally::default();
    for line in says.lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let file = answer["file"].as_str().unwrap();
        let set = file.split('/').nth(1).unwrap_or_default().to_owned();
        let found = read(&corpus.join(file));
        let count = usize::try_from(answer["entries"].as_u64().unwrap()).unwrap();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                // An empty answer and a refusal say the same.
                tally.count(&set, count == 0, || {
                    format!("{file}: refused: {error}; theirs has {count} entries")
                });
                continue;
            }
        };
        tally.count(&set, found.entries.len() == count, || {
            format!("{file}: {} entries, theirs {count} ({:?})", found.entries.len(), found.quality)
        });
        for (place, theirs) in answer["items"].as_array().unwrap().iter().enumerate() {
            let Some(ours) = counterpart(&found, place, theirs, count) else {
                tally.count(&set, false, || format!("{file}: [{place}] is missing: {theirs}"));
                continue;
            };
            if let Some(id) = text(theirs, "id") {
                tally.count(&set, ours.guid == id, || {
                    format!("{file}: [{place}] id {:?}, theirs {id:?}", ours.guid)
                });
            }
            if let Some(link) = text(theirs, "link") {
                let met = same_link(ours.link.as_deref(), link);
                tally.count(&set, met, || {
                    format!("{file}: [{place}] link {:?}, theirs {link:?}", ours.link)
                });
            }
            if let Some(title) = text(theirs, "title") {
                tally.count(&set, same_title(&ours.title, title), || {
                    format!("{file}: [{place}] title {:?}, theirs {title:?}", ours.title)
                });
            }
            let (published, updated) = (date(ours, true), date(ours, false));
            if let Some(at) = text(theirs, "published") {
                tally.count(&set, published.as_deref() == Some(at), || {
                    format!("{file}: [{place}] published {published:?}, theirs {at:?}")
                });
            }
            if let Some(at) = text(theirs, "updated") {
                let met = updated.as_deref() == Some(at) || published.as_deref() == Some(at);
                tally.count(&set, met, || {
                    format!("{file}: [{place}] updated {updated:?} published {published:?}, theirs {at:?}")
                });
            }
            if let Some(files) = theirs.get("enclosures").and_then(Value::as_u64) {
                let met = ours.media.len() as u64 >= files;
                tally.count(&set, met, || {
                    format!("{file}: [{place}] {} files, theirs {files}", ours.media.len())
                });
            }
        }
    }
    tally.settle("feedparser-says", 96.0);
}

/// A literal of Python, without its quotes and escapes.
fn python_text(literal: &str) -> Option<String> {
    let literal = literal.trim().strip_prefix('u').unwrap_or(literal.trim());
    let quote = literal.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c == quote {
            return None;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = match rest.next()? {
            'x' => 2,
            'u' => 4,
            'n' => {
                out.push('\n');
                continue;
            }
            other => {
                out.push(other);
                continue;
            }
        };
        let code: String = rest.by_ref().take(digits).collect();
        out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
    }
    Some(out)
}

/// `entries[0]['title']` or `entries[0].title` as place and field.
fn entry_field(expression: &str) -> Option<(usize, String)> {
    let rest = expression.trim().strip_prefix("entries[")?;
    let (place, rest) = rest.split_once(']')?;
    let field = rest
        .strip_prefix('.')
        .or_else(|| rest.strip_prefix("['")?.strip_suffix("']"))
        .filter(|field| field.bytes().all(|b| b.is_ascii_alphabetic()))?;
    Some((place.parse().ok()?, field.to_owned()))
}

#[test]
fn the_expectations_in_feedparsers_documents_are_met() {
    let Some(corpus) = corpus() else { return };
    let mut paths = Vec::new();
    documents(&corpus.join("feeds/feedparser"), &mut paths);
    let mut tally = Tally::default();
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let head = feed::read(&bytes, header_of(&bytes).as_deref(), &base());
        let decoded = String::from_utf8_lossy(&bytes).replace('\0', "");
        let Some(expect) = decoded.lines().find_map(|line| line.trim().strip_prefix("Expect:"))
        else {
            continue;
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for claim in expect.split(" and ") {
            let Some((left, right)) = claim.split_once("==") else { continue };
            let Some(right) = python_text(right) else { continue };
            let left = left.trim().trim_start_matches('(');
            let found = match &head {
                Ok(found) => found,
                Err(error) => {
                    tally.count("refused", false, || format!("{name}: {error}"));
                    continue;
                }
            };
            let (field, ours) = if let Some((place, field)) = entry_field(left) {
                let Some(entry) = found.entries.get(place) else {
                    tally.count("missing", false, || format!("{name}: {left}"));
                    continue;
                };
                let ours = match field.as_str() {
                    "title" => entry.title.clone(),
                    "link" => entry.link.clone().unwrap_or_default(),
                    "id" => entry.guid.clone(),
                    "summary" | "description" => {
                        let html = if entry.summary_html.is_empty() {
                            &entry.body_html
                        } else {
                            &entry.summary_html
                        };
                        markup::plain(html)
                    }
                    "author" => entry.authors.join(", "),
                    _ => continue,
                };
                (field, ours)
            } else {
                match left {
                    "feed['title']" | "feed.title" => {
                        ("feed title".to_owned(), found.facts.title.clone())
                    }
                    "feed['link']" | "feed.link" => {
                        ("feed link".to_owned(), found.facts.link.clone().unwrap_or_default())
                    }
                    _ => continue,
                }
            };
            let met = ours == right || same_title(&ours, &right) || same_link(Some(&ours), &right);
            tally.count(&field, met, || format!("{name}: {ours:?}, expected {right:?}"));
        }
    }
    tally.settle("feedparser's expectations", 90.0);
}

#[test]
fn most_answers_of_feed_rs_are_ours() {
    let Some(corpus) = corpus() else { return };
    let mut paths = Vec::new();
    documents(&corpus.join("feeds/feed-rs"), &mut paths);
    let mut tally = Tally::default();
    for path in paths {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Ok(answer) = fs::read(path.with_file_name(format!("{stem}.serde.json"))) else {
            continue;
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let theirs = answer["entries"].as_array().unwrap();
        let found = match read(&path) {
            Ok(found) => found,
            Err(error) => {
                tally.count("refused", false, || format!("{stem}: {error}"));
                continue;
            }
        };
        tally.count("entries", found.entries.len() == theirs.len(), || {
            format!("{stem}: {} entries, theirs {}", found.entries.len(), theirs.len())
        });
        for (place, entry) in theirs.iter().enumerate() {
            let Some(ours) = counterpart(&found, place, entry, theirs.len()) else { continue };
            if let Some(title) = entry.pointer("/title/content").and_then(Value::as_str) {
                tally.count("title", same_title(&ours.title, title), || {
                    format!("{stem}: [{place}] {:?}, theirs {title:?}", ours.title)
                });
            }
            let link = entry["links"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|link| matches!(link["rel"].as_str(), None | Some("alternate")));
            if let Some(href) = link.and_then(|link| text(link, "href")) {
                tally.count("link", same_link(ours.link.as_deref(), href), || {
                    format!("{stem}: [{place}] {:?}, theirs {href:?}", ours.link)
                });
            }
            if let Some(at) = text(entry, "published") {
                let at = at.split('.').next().unwrap().trim_end_matches('Z');
                let found = date(ours, true);
                tally.count(
                    "published",
                    found.as_deref().is_some_and(|found| found.starts_with(at)),
                    || format!("{stem}: [{place}] {found:?}, theirs {at:?}"),
                );
            }
        }
    }
    tally.settle("feed-rs", 98.0);
}

#[test]
fn most_answers_of_gofeed_are_ours() {
    let Some(corpus) = corpus() else { return };
    let mut paths = Vec::new();
    documents(&corpus.join("feeds/gofeed"), &mut paths);
    let mut tally = Tally::default();
    for path in paths {
        let expected = path.file_stem().unwrap().to_string_lossy().into_owned() + "_expected.json";
        let answer = fs::read(path.with_extension("json").with_extension(
            if path.extension().is_some_and(|e| e == "xml") { "json" } else { "none" },
        ))
        .or_else(|_| fs::read(path.with_file_name(expected)));
        let Ok(answer) = answer else { continue };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = match read(&path) {
            Ok(found) => found,
            Err(error) => {
                tally.count("refused", false, || format!("{name}: {error}"));
                continue;
            }
        };
        for (place, theirs) in answer["items"].as_array().into_iter().flatten().enumerate() {
            let Some(ours) = found.entries.get(place) else {
                tally.count("missing", false, || format!("{name}: [{place}]"));
                continue;
            };
            let mut field = |key: &str, met: bool, ours: &dyn std::fmt::Debug, theirs: &str| {
                tally.count(key, met, || format!("{name}: [{place}] {ours:?}, theirs {theirs:?}"));
            };
            if let Some(title) = text(theirs, "title") {
                field("title", same_title(&ours.title, title), &ours.title, title);
            }
            if let Some(link) = text(theirs, "link") {
                field("link", same_link(ours.link.as_deref(), link), &ours.link, link);
            }
            if let Some(guid) = text(theirs, "guid") {
                field("guid", ours.guid == guid, &ours.guid, guid);
            }
            for (key, published) in [("publishedParsed", true), ("updatedParsed", false)] {
                if let Some(at) = text(theirs, key) {
                    let found = date(ours, published);
                    // Shown to the second.
                    let to_second = at.split('.').next().unwrap().trim_end_matches('Z');
                    let met = found.as_deref().is_some_and(|found| found.starts_with(to_second));
                    field(key, met, &found, at);
                }
            }
            for (key, html) in [("description", &ours.summary_html), ("content", &ours.body_html)] {
                if let Some(content) = text(theirs, key) {
                    field(
                        key,
                        same_title(&markup::plain(html), &markup::plain(content)),
                        html,
                        content,
                    );
                }
            }
            if let Some(url) = theirs.pointer("/image/url").and_then(Value::as_str) {
                field("image", same_link(ours.image.as_deref(), url), &ours.image, url);
            }
            for enclosure in theirs["enclosures"].as_array().into_iter().flatten() {
                if let Some(url) = text(enclosure, "url") {
                    let met = ours.media.iter().any(|file| same_link(Some(&file.url), url));
                    field("enclosure", met, &ours.media, url);
                }
            }
            if let Some(categories) = theirs["categories"].as_array() {
                let wanted: Vec<&str> = categories.iter().filter_map(Value::as_str).collect();
                field("categories", ours.tags == wanted, &ours.tags, &wanted.join("|"));
            }
        }
    }
    tally.settle("gofeed", 92.0);
}
