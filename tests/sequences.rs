//! Real versions of real feeds, one after the other, as polls: each item is told once, an edit is
//! an edit, and what only moves, empties or is dated anew tells nothing.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what was left out is told")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings::diff::{Rules, catalog as catalog_diff, compare};
use tidings::extract::catalog::{self, Options};
use tidings::extract::{Quality, feed};
use tidings::model::campaign::ChangeKind;
use tidings::model::known::{Keys, Known};
use tidings::model::shelf::{Block, ShelfKey, ShelfState, ShelfWrite};
use tidings::model::source::{CatalogFormat, FloodRule};
use tidings::model::time::Timestamp;
use url::Url;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A folder of the corpus; `None` when there is no corpus.
fn corpus(folder: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("TIDINGS_CORPUS");
    if corpus.is_none() {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
    }
    Some(PathBuf::from(corpus?).join(folder))
}

/// The versions of a sequence in order; `None` when there is no corpus.
fn versions(sequence: &str) -> Option<Vec<PathBuf>> {
    let folder = corpus("sequences")?.join(sequence);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 1, "{} is empty", folder.display());
    Some(files)
}

/// The keys, dates and titles of a document's entries.
type Feed = (Vec<Keys>, Vec<Option<Timestamp>>, Vec<String>);

/// A file's entries; `None` when it is no feed.
fn read(file: &Path) -> Option<Feed> {
    let base = Url::parse("https://example.com/feed.xml").unwrap();
    let entries = feed::read(&fs::read(file).unwrap(), None, &base).ok()?.entries;
    Some((
        entries.iter().map(|entry| entry.keys).collect(),
        entries.iter().map(|entry| entry.published.or(entry.updated)).collect(),
        entries.into_iter().map(|entry| entry.title).collect(),
    ))
}

/// By poll: what happened and to which title, oldest first.
fn replay(files: &[PathBuf]) -> Vec<(usize, ChangeKind, String)> {
    let mut known: Option<Known> = None;
    let mut now = START;
    let mut told = Vec::new();
    for (poll, file) in files.iter().enumerate() {
        let (keys, dates, titles) = read(file).unwrap();
        let diff = compare(&keys, &dates, known.as_ref(), &Rules::default(), now);
        assert_eq!(diff.held, None);
        for change in diff.changes {
            told.push((poll, change.kind, titles[change.index].clone()));
        }
        known = diff.known.or(known);
        now = now + Duration::from_secs(3600);
    }
    told
}

fn check(sequence: &str, expected: &[(usize, ChangeKind, &str)]) {
    if let Some(files) = versions(sequence) {
        let told = replay(&files);
        let told: Vec<_> =
            told.iter().map(|(poll, kind, title)| (*poll, *kind, title.as_str())).collect();
        assert_eq!(told, expected);
    }
}

const NEW: ChangeKind = ChangeKind::New;
const UPDATED: ChangeKind = ChangeKind::Updated;

#[test]
fn each_item_is_told_once_and_an_edit_is_an_edit() {
    check(
        "xai-news-rss",
        &[
            (1, NEW, "Grok Speech to Text and Text to Speech APIs"),
            (2, NEW, "Grok Voice Think Fast 1.0"),
            (3, NEW, "Custom Voices and Voice Library"),
            (4, NEW, "New Compute Partnership with Anthropic"),
            (5, NEW, "Connectors now on Grok Web"),
            (6, NEW, "Grok Imagine Quality Mode API"),
            (7, UPDATED, "Connectors in web, iOS, and Android"),
            (8, NEW, "Introducing Grok BuildEarly Beta"),
            (9, UPDATED, "Introducing Grok Build"),
            (9, NEW, "Connect Grok to Hermes Agent"),
            (10, NEW, "Skills in web, iOS, and Android"),
            (10, NEW, "Use Grok in OpenClaw"),
            (11, NEW, "Use Grok in OpenCode"),
        ],
    );
}

#[test]
fn leaving_a_window_of_ten_is_no_removal() {
    check(
        "google-ai-window-of-ten",
        &[
            (1, NEW, "Agent Plugins package your skills, tools, and more"),
            (2, UPDATED, "Model routing with Google Cloud API Gateway"),
            (3, NEW, "Why Go is an Ideal Language for AI-Assisted Software Engineering"),
            (3, NEW, "Mastering Edge AI on Raspberry Pi with LiteRT and Gemma"),
            (
                4,
                NEW,
                "Introducing Credentio: Open Source C++ Library for C2PA Content Credentials from \
             Google",
            ),
            (4, NEW, "HeyGen x Google Cloud: Bringing Avatar IV to TPUs"),
            (5, NEW, "Build zero-trust AI agents with Google's Agent Development Kit"),
        ],
    );
}

/// Of the sixty that come back one was published meanwhile and stands in the place of another.
#[test]
fn a_feed_that_empties_and_comes_back_tells_only_what_was_not_there_before() {
    let title = "Text Analysis for Hybrid Search: Tokenization, Stopwords & Accent Folding";
    check("weaviate-empty-then-back", &[(2, NEW, title)]);
}

#[test]
fn dates_of_generation_tell_nothing() {
    check("surge-dates-change-each-poll", &[]);
}

/// A catalog's poll: what happened to which title, with the prices of moves, oldest first; and
/// what was held.
type Told = (Vec<(ChangeKind, String)>, Vec<String>);

/// What the polls of a catalog tell; `None` for a version that can't be read.
fn replay_catalog(files: &[PathBuf]) -> Vec<Option<Told>> {
    let mut shelf: BTreeMap<ShelfKey, Block> = BTreeMap::new();
    let mut state: Option<ShelfState> = None;
    let mut now = START;
    let mut polls = Vec::new();
    for file in files {
        let base = Url::parse("https://example.com/").unwrap();
        let options = Options {
            format: CatalogFormat::Auto,
            mapping: None,
            base: &base,
            content_type: None,
            currency: None,
            now,
            items_max: 100_000,
        };
        let mut document = fs::File::open(file).unwrap();
        let mut listings = Vec::new();
        let scan = catalog::scan(&mut document, &options, &mut |it| listings.push(it));
        now = now + Duration::from_secs(3600);
        let Ok(scan) = scan else {
            polls.push(None);
            continue;
        };
        let mut known = |after: Option<ShelfKey>| -> Result<Option<Block>, Infallible> {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            Ok(shelf.range((from, Bound::Unbounded)).next().map(|(_, block)| block.clone()))
        };
        let facts = catalog_diff::Facts {
            is_whole: scan.quality == Quality::Whole && !scan.is_window && scan.lost == 0,
            is_cut: scan.quality == Quality::Truncated,
            now: options.now,
        };
        let rules = catalog_diff::Rules::default();
        let Ok(diff) = catalog_diff::compare(listings, state.as_ref(), &mut known, &facts, &rules);
        for write in diff.writes {
            match write {
                ShelfWrite::Put(block) => drop(shelf.insert(block.first, block)),
                ShelfWrite::Remove(name) => drop(shelf.remove(&name)),
            }
        }
        state = Some(diff.state);
        let told = diff.changes.iter().map(|change| {
            let places: Vec<u64> = change.places.iter().map(|place| place.place).collect();
            let rows = catalog::pick(&mut document, &options, scan.format, &places).unwrap();
            let entry = catalog::listing::join(rows, options.now).unwrap();
            let moved = change.price.map_or(String::new(), |it| {
                format!(": {} > {}", it.from.decimal(), it.to.decimal())
            });
            (change.kind, format!("{}{moved}", entry.title))
        });
        polls.push(Some((told.collect(), diff.held.into_iter().map(|it| it.reason).collect())));
    }
    polls
}

/// The kinds of changes of each poll, counted; and what was held.
fn counted(polls: &[Option<Told>]) -> Vec<String> {
    let count = |poll: &Option<Told>| match poll {
        None => "unreadable".to_owned(),
        Some((changes, held)) => {
            let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
            for (kind, _) in changes {
                *kinds.entry(format!("{kind:?}")).or_default() += 1;
            }
            let kinds = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}"));
            kinds
                .chain(held.iter().map(|reason| format!("held: {reason}")))
                .collect::<Vec<_>>()
                .join(", ")
        }
    };
    polls.iter().map(count).collect()
}

fn check_catalog(sequence: &str, expected: &[&str]) {
    if let Some(files) = versions(sequence) {
        assert_eq!(counted(&replay_catalog(&files)), expected, "{sequence}");
    }
}

/// 316 rows are 192 products; a currency that moved is no hundred messages; 229 new rows are 31
/// new products.
#[test]
fn a_catalog_tells_products_and_not_rows() {
    check_catalog(
        "solarmarket-merchant",
        &[
            "",
            "1 PriceDrop, 7 PriceRise, 19 Updated",
            "2 OutOfStock",
            "1 PriceRise",
            "13 New, 1 PriceDrop, held: prices of 74 of 143 moved at once",
            "",
            "31 New",
        ],
    );
}

/// Three pictures change at first, then fourteen texts of sixteen, again and again.
#[test]
fn texts_that_a_template_makes_anew_tell_nothing_and_prices_do() {
    let silent = "";
    let expected = [
        silent,
        "3 Updated",
        "1 PriceRise",
        silent,
        silent,
        "2 PriceDrop",
        silent,
        silent,
        silent,
        silent,
        "12 New, 4 PriceDrop, 2 PriceRise",
        silent,
    ];
    check_catalog("pzm-merchant", &expected);
    let Some(files) = versions("pzm-merchant") else { return };
    let polls = replay_catalog(&files);
    let (drops, _) = polls[5].as_ref().unwrap();
    let titles: Vec<&str> = drops.iter().map(|(_, title)| title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "iPhone 15 Pro Max 256GB Black - Used: 2850.00 > 2399.00",
            "iPhone 17 Air 1TB - Brand New: 5500.00 > 5299.00",
        ]
    );
}

#[test]
fn a_move_to_www_and_times_of_change_tell_nothing() {
    check_catalog("atomra-ro-merchant", &["", "", ""]);
    check_catalog("shopify-updated-at-only", &["", ""]);
}

#[test]
fn a_catalog_of_unknown_format_is_told_to_be_one() {
    check_catalog("onlineerhverv-partner-ads-da", &["unreadable"; 5]);
}

/// Every real feed, twice, turned around, with new ids, and with half of its items known before.
#[test]
fn real_feeds_tell_exactly_what_was_added() {
    let Some(folder) = corpus("feeds") else { return };
    let flood = FloodRule { items: u32::MAX, share: 1.0 };
    let rules = Rules { first_newest: 0, flood, follows_returns: false };
    let mut folders = vec![folder];
    let mut feeds = 0;
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let Some((keys, dates, _)) = read(&file) else { continue };
            feeds += 1;
            let compare = |keys: &[Keys], known: Option<&Known>| {
                compare(keys, &dates[..keys.len()], known, &rules, START)
            };
            let known = compare(&keys, None).known.unwrap();
            let turned: Vec<Keys> = keys.iter().rev().copied().collect();
            assert_eq!(compare(&keys, Some(&known)).known, None, "{}", file.display());
            for again in [&keys, &turned] {
                assert_eq!(compare(again, Some(&known)).changes, [], "{}", file.display());
            }
            let is_linked = known.entries.iter().all(|row| row.link != 0);
            let renamed: Vec<Keys> = keys
                .iter()
                .map(|keys| Keys { id: keys.id.map(|id| !id), id_alias: None, ..*keys })
                .collect();
            if is_linked {
                assert_eq!(compare(&renamed, Some(&known)).changes, [], "{}", file.display());
            }
            let half = compare(&keys[keys.len() / 2..], None).known.unwrap();
            let changes = compare(&keys, Some(&half)).changes;
            let added = known.entries.len() - half.entries.len();
            assert!(changes.iter().all(|change| change.kind == NEW), "{}", file.display());
            assert_eq!(changes.len(), added, "{}", file.display());
        }
    }
    assert!(feeds > 100, "only {feeds} feeds in the corpus");
}
