use std::time::Duration;

use proptest::prelude::*;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn hash(kind: &str, text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (kind, text).hash(&mut hasher);
    hasher.finish()
}

/// The keys of an entry written as `id|link|title|date|body`; an empty field is absent.
fn entry(text: &str) -> Keys {
    let fields: Vec<&str> = text.split('|').chain(["", "", "", "", ""]).collect();
    let key = |kind, text: &str| (!text.is_empty()).then(|| hash(kind, text));
    let dated = !fields[2].is_empty() && !fields[3].is_empty();
    Keys {
        id: key("id", fields[0]),
        id_alias: key("alias", fields[0].trim_start_matches("https:").trim_start_matches("http:")),
        link: key("link", fields[1]),
        title_date: dated.then(|| hash("dated", &format!("{}|{}", fields[2], fields[3]))),
        title: key("title", fields[2]),
        fingerprint: hash("print", &format!("{}|{}", fields[2], fields[4])),
    }
}

fn document(entries: &[&str]) -> Vec<Keys> {
    entries.iter().map(|text| entry(text)).collect()
}

/// A source polled once an hour.
struct Polled {
    known: Option<Known>,
    now: Timestamp,
    rules: Rules,
    diff: Diff,
}

impl Polled {
    fn new() -> Self {
        Self { known: None, now: START, rules: Rules::default(), diff: Diff::default() }
    }

    fn keys(&mut self, keys: &[Keys]) -> Vec<(usize, ChangeKind)> {
        let dates = vec![None; keys.len()];
        self.diff = compare(keys, &dates, self.known.as_ref(), &self.rules, self.now);
        if let Some(known) = &self.diff.known {
            self.known = Some(known.clone());
        }
        self.now = self.now + Duration::from_secs(3600);
        let mut changes: Vec<_> =
            self.diff.changes.iter().map(|change| (change.index, change.kind)).collect();
        changes.sort_by_key(|(index, _)| *index);
        changes
    }

    /// Polls and answers the changes in the order of the document.
    fn poll(&mut self, entries: &[&str]) -> Vec<(usize, ChangeKind)> {
        self.keys(&document(entries))
    }

    fn rows(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.entries.len())
    }
}

const NEW: ChangeKind = ChangeKind::New;
const UPDATED: ChangeKind = ChangeKind::Updated;

#[test]
fn a_first_poll_is_a_baseline_and_an_empty_one_too() {
    let mut source = Polled::new();
    assert_eq!(source.poll(&["1|a|A", "2|b|B"]), []);
    assert_eq!(source.rows(), 2);
    let mut empty = Polled::new();
    assert_eq!(empty.poll(&[]), []);
    assert_eq!(empty.known, Some(Known::default()));
    assert_eq!(empty.poll(&["1|a|A"]), [(0, NEW)]);
}

#[test]
fn a_first_poll_may_tell_the_newest_by_date_or_else_by_place() {
    let rules = Rules { first_newest: 2, ..Rules::default() };
    let keys = document(&["1|a|A", "2|b|B", "3|c|C"]);
    let at = |days: u32| Some(START - DAY * days);
    let newest = |dates: &[Option<Timestamp>]| -> Vec<usize> {
        let diff = compare(&keys, dates, None, &rules, START);
        diff.changes.iter().map(|change| change.index).collect()
    };
    assert_eq!(newest(&[at(1), at(3), at(2)]), [2, 0]);
    assert_eq!(newest(&[None, None, None]), [1, 0]);
    assert_eq!(newest(&[at(3), at(2), at(1)]), [1, 2]);
}

#[test]
fn an_item_is_new_only_if_no_rung_is_known() {
    let mut source = Polled::new();
    source.poll(&["1|a|A|mon", "2|b|B|tue", "3|c|C|wed"]);
    assert_eq!(source.poll(&["1|x|A2|fri", "9|y|B|tue", "4|d|D|thu"]), [(0, UPDATED), (2, NEW)]);
}

#[test]
fn guids_that_move_to_https_are_known_by_their_alias() {
    let mut source = Polled::new();
    source.poll(&["http://s/1||A", "http://s/2||B"]);
    assert_eq!(source.poll(&["https://s/1||A", "https://s/2||B"]), []);
    assert_eq!(source.poll(&["http://s/1||A", "https://s/2||B"]), []);
    assert_eq!(source.rows(), 2);
}

#[test]
fn churned_ids_become_aliases_send_nothing_and_are_told() {
    let mut source = Polled::new();
    source.poll(&["1|a|A", "2|b|B", "3|c|C", "4|d|D"]);
    assert_eq!(
        source.poll(&["x9|n|N", "x1|a|A", "x2|b|B*", "x3|c|C", "x4|d|D"]),
        [(0, NEW), (2, UPDATED)]
    );
    assert!(source.diff.remark.as_deref().unwrap().contains("4 items have new ids"));
    assert_eq!(source.poll(&["x9|n|N", "x1|a|A", "x2|b|B*", "x3|c|C", "x4|d|D"]), []);
    assert_eq!(source.diff.remark, None);
    // The old ids are still known, even under other links.
    assert_eq!(source.poll(&["1|a2|A", "2|b2|B", "3|c2|C", "4|d2|D"]), []);
}

#[test]
fn ids_made_up_at_every_poll_tell_only_what_is_new_and_grow_nothing() {
    let mut source = Polled::new();
    for poll in 0..50 {
        let texts: Vec<String> =
            (0..10).map(|item| format!("{poll}-{item}|l{0}|T{0}", item + poll / 10)).collect();
        let entries: Vec<&str> = texts.iter().map(String::as_str).collect();
        let expected = if poll > 0 && poll % 10 == 0 { vec![(9, NEW)] } else { vec![] };
        assert_eq!(source.poll(&entries), expected, "poll {poll}");
    }
    assert!(source.rows() <= 14 * 3, "{} rows", source.rows());
}

#[test]
fn one_unknown_id_under_a_known_link_and_title_is_the_same_item() {
    let mut source = Polled::new();
    source.poll(&["1|a|A", "2|b|B", "3|c|C"]);
    assert_eq!(source.poll(&["1|a|A", "2|b|B", "x|c|C"]), []);
}

#[test]
fn one_unknown_id_under_a_known_link_with_another_title_is_a_reused_address_and_new() {
    let mut source = Polled::new();
    source.poll(&["mon|bulletin|Monday"]);
    assert_eq!(source.poll(&["tue|bulletin|Tuesday"]), [(0, NEW)]);
    assert_eq!(source.poll(&["wed|bulletin|Wednesday"]), [(0, NEW)]);
    assert_eq!(source.poll(&["tue|bulletin|Tuesday"]), []);
}

#[test]
fn ids_that_a_source_begins_or_ceases_to_give_change_nothing() {
    let mut source = Polled::new();
    source.poll(&["|a|A", "|b|B", "|c|C"]);
    assert_eq!(source.poll(&["1|a|A2", "2|b|B", "3|c|C", "4|d|D"]), [(0, UPDATED), (3, NEW)]);
    assert_eq!(source.diff.remark, None);
    assert_eq!(source.poll(&["1|a|A2", "2|b2|B", "3|c|C", "4|d|D"]), []);
    assert_eq!(source.poll(&["|a|A2", "|b|B", "|c|C", "|d|D", "|e|E"]), [(4, NEW)]);
}

#[test]
fn items_that_all_link_to_the_home_page_are_told_apart_by_id() {
    let mut source = Polled::new();
    source.poll(&["1|home|A", "2|home|B", "3|home|C"]);
    assert_eq!(source.poll(&["4|home|D", "1|home|A", "2|home|B"]), [(0, NEW)]);
    assert_eq!(source.poll(&["5|home|E"]), [(0, NEW)]);
}

#[test]
fn ids_that_number_places_give_way_to_links() {
    let mut source = Polled::new();
    source.poll(&["1|d|D", "2|c|C", "3|b|B", "4|a|A"]);
    assert_eq!(source.poll(&["1|e|E", "2|d|D", "3|c|C", "4|b|B"]), [(0, NEW)]);
    assert!(source.diff.remark.as_deref().unwrap().contains("moved to other items"));
    assert_eq!(source.poll(&["1|f|F", "2|e|E", "3|d|D", "4|c|C"]), [(0, NEW)]);
    assert_eq!(source.poll(&["1|f|F", "2|e|E", "3|d|D", "4|c|C"]), []);
    assert_eq!(source.diff.remark, None);
}

#[test]
fn one_id_and_title_over_several_rows_is_one_item() {
    let mut source = Polled::new();
    source.poll(&["1|a?cat=1|A", "1|a?cat=2|A", "2|b|B"]);
    assert_eq!(source.rows(), 2);
    assert_eq!(source.poll(&["3|c?cat=1|C", "1|a?cat=2|A", "3|c?cat=2|C", "2|b|B"]), [(0, NEW)]);
}

#[test]
fn one_id_over_different_titles_is_no_id() {
    let mut source = Polled::new();
    source.poll(&["home|a|A", "home|b|B"]);
    assert_eq!(source.poll(&["home|c|C", "home|a|A", "home|b|B"]), [(0, NEW)]);
    assert_eq!(source.poll(&["home|c|C"]), []);
}

#[test]
fn a_change_is_named_by_what_is_its_own() {
    let known = baseline(&document(&["http://s/7|l7|T7|mon"]));
    let told = document(&["home|a|A", "home|b|B", "https://s/7|moved|T7|tue|edited"]);
    let names: Vec<_> =
        changes(&told, &known).iter().map(|it| (it.index, it.keys.id, it.keys.link)).collect();
    let link = |text| Some(hash("link", text));
    assert_eq!(names.len(), 3);
    assert!(names.contains(&(0, None, link("a"))) && names.contains(&(1, None, link("b"))));
    assert!(names.contains(&(2, Some(hash("id", "http://s/7")), link("l7"))));
}

#[test]
fn a_title_alone_merges_nothing() {
    let mut source = Polled::new();
    source.poll(&["||Bug fixes||one", "||Bug fixes||two"]);
    assert_eq!(source.rows(), 2);
    assert_eq!(
        source.poll(&["||Bug fixes||three", "||Bug fixes||one", "||Bug fixes||two"]),
        [(0, NEW)]
    );
    source.poll(&["7|v7|Bug fixes|mon|", "8|v8|Bug fixes|mon|"]);
    assert_eq!(source.poll(&["9|v9|Bug fixes|mon|", "8|v8|Bug fixes|mon|"]), [(0, NEW)]);
}

#[test]
fn without_id_and_link_the_content_names_an_item_whatever_its_date() {
    let mut source = Polled::new();
    source.poll(&["||A|mon|x", "||B|mon|y"]);
    assert_eq!(source.poll(&["||A|tue|x", "||B|tue|y", "||C|tue|z"]), [(2, NEW)]);
    assert_eq!(source.poll(&["||A|tue|edited", "||B|tue|y", "||C|tue|z"]), [(0, UPDATED)]);
}

#[test]
fn a_source_that_shrinks_or_empties_and_grows_back_tells_nothing() {
    let texts: Vec<String> = (0..60).map(|item| format!("{item}|l{item}|T{item}")).collect();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut source = Polled::new();
    source.poll(&all);
    for _ in 0..5 {
        assert_eq!(source.poll(&[]), []);
        assert_eq!(source.poll(&all[7..8]), []);
        assert_eq!(source.poll(&all), []);
    }
}

#[test]
fn a_source_switched_off_for_years_finds_everything_known() {
    let mut source = Polled::new();
    source.poll(&["1|a|A", "2|b|B"]);
    source.now = source.now + DAY * 1500;
    assert_eq!(source.poll(&["2|b|B"]), []);
    source.now = source.now + DAY * 300;
    assert_eq!(source.poll(&["1|a|A", "2|b|B", "3|c|C"]), [(2, NEW)]);
}

#[test]
fn what_was_not_seen_for_more_than_a_year_of_polls_is_forgotten_at_last() {
    let mut source = Polled::new();
    source.poll(&["1|a|A", "2|b|B"]);
    for _ in 0..450 {
        source.now = source.now + DAY;
        assert_eq!(source.poll(&["2|b|B"]), []);
    }
    assert_eq!(source.rows(), 1);
}

#[test]
fn dates_are_no_change_and_cost_no_write() {
    let mut source = Polled::new();
    source.poll(&["1|a|A|mon", "2|b|B|mon"]);
    assert_eq!(source.poll(&["1|a|A|tue", "2|b|B|tue"]), []);
    assert_eq!(source.diff.known, None);
    source.now = source.now + DAY;
    assert_eq!(source.poll(&["1|a|A|wed", "2|b|B|wed"]), []);
    assert!(source.diff.known.is_some());
    assert_eq!(source.poll(&["1|a|A|thu", "2|b|B|thu"]), []);
    assert_eq!(source.diff.known, None);
}

#[test]
fn an_edit_is_told_once_and_a_flip_back_is_noise() {
    let mut source = Polled::new();
    source.poll(&["1|a|A||x", "2|b|B||y"]);
    assert_eq!(source.poll(&["1|a|A||z", "2|b|B||y"]), [(0, UPDATED)]);
    assert_eq!(source.poll(&["1|a|A||z", "2|b|B||y"]), []);
    for _ in 0..3 {
        assert_eq!(source.poll(&["1|a|A||x", "2|b|B||y"]), []);
        assert_eq!(source.poll(&["1|a|A||z", "2|b|B||y"]), []);
    }
    assert_eq!(source.poll(&["1|a|A||w", "2|b|B||y"]), [(0, UPDATED)]);
}

#[test]
fn a_flip_back_is_told_apart_where_it_is_asked_for() {
    let mut source = Polled::new();
    source.rules.follows_returns = true;
    source.poll(&["1|a|A||x", "2|b|B||y"]);
    assert_eq!(source.poll(&["1|a|A||z", "2|b|B||y"]), [(0, UPDATED)]);
    assert_eq!(source.diff.returned, []);
    for content in ["x", "z", "x"] {
        let first = format!("1|a|A||{content}");
        assert_eq!(source.poll(&[&first, "2|b|B||y"]), [], "no news");
        let returned: Vec<usize> = source.diff.returned.iter().map(|change| change.index).collect();
        assert_eq!(returned, [0]);
        assert_eq!(source.poll(&[&first, "2|b|B||y"]), []);
        assert_eq!(source.diff.returned, [], "once");
    }
    assert_eq!(source.poll(&["1|a|A||w", "2|b|B||y"]), [(0, UPDATED)]);
    // Both at once is neither.
    assert_eq!(source.poll(&["1|a|A||w", "1|a|A||x", "2|b|B||y"]), []);
    assert_eq!(source.diff.returned, []);
}

#[test]
fn a_document_rewritten_at_once_is_a_new_template() {
    let mut source = Polled::new();
    let body = |body: &str| -> Vec<String> {
        (0..8).map(|item| format!("{item}|l{item}|T{item}||{body}")).collect()
    };
    let poll = |source: &mut Polled, texts: Vec<String>| {
        source.poll(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    poll(&mut source, body("old"));
    assert_eq!(poll(&mut source, body("new")), []);
    assert!(source.diff.remark.as_deref().unwrap().contains("8 items were rewritten"));
    assert_eq!(poll(&mut source, body("new")), []);
    assert_eq!(source.diff.known, None);
}

#[test]
fn a_flood_needs_both_bounds_keeps_the_newest_and_is_known_afterwards() {
    let many = |count: usize| -> Vec<Keys> {
        (0..count).map(|item| entry(&format!("{item}|l{item}|T{item}"))).collect()
    };
    let mut source = Polled::new();
    source.keys(&many(10));
    assert_eq!(source.keys(&many(30)).len(), 20);
    assert_eq!(source.diff.held, None);
    assert_eq!(source.keys(&many(55)).len(), 25);
    assert_eq!(source.diff.held, None, "25 of 55 are less than half");
    let kept = source.keys(&many(300));
    let reason = "245 of 300 items are new at once: an import".to_owned();
    assert_eq!(source.diff.held, Some(Held { items: 245, reason }));
    // Without dates the first of a document are the newest.
    assert_eq!(kept, (55..155).map(|index| (index, NEW)).collect::<Vec<_>>());
    assert_eq!(source.keys(&many(300)), []);
}

#[test]
fn a_flood_s_reason_says_what_lies_behind_it() {
    let keys = |range: std::ops::Range<u32>| -> Vec<Keys> {
        range.map(|item| entry(&format!("{item}|l{item}|T{item}"))).collect()
    };
    let at = |days: u32| Some(START - DAY * days);
    let reason = |items: Vec<Keys>, dates: Vec<Option<Timestamp>>| {
        let known = baseline(&keys(0..10));
        let diff = compare(&items, &dates, Some(&known), &Rules::default(), START + DAY);
        diff.held.unwrap().reason
    };
    let dated = |known: u32, new: u32| [vec![at(known); 10], vec![at(new); 60]].concat();
    let imported = reason(keys(0..70), vec![None; 70]);
    assert_eq!(imported, "60 of 70 items are new at once: an import");
    assert_eq!(reason(keys(0..70), dated(9, 2)), imported);
    assert!(reason(keys(0..70), dated(2, 9)).ends_with("an archive"));
    assert!(reason(keys(10..70), vec![at(9); 60]).ends_with("an archive"));
    assert!(reason(keys(10..70), vec![None; 60]).ends_with("may have changed"));
}

#[test]
fn changes_come_oldest_first() {
    let known = Known::default();
    let at = |days: u32| Some(START - DAY * days);
    let indexes = |entries: &[&str], dates: &[Option<Timestamp>]| -> Vec<usize> {
        let diff = compare(&document(entries), dates, Some(&known), &Rules::default(), START);
        diff.changes.iter().map(|change| change.index).collect()
    };
    let three = ["1|a|A", "2|b|B", "3|c|C"];
    assert_eq!(indexes(&three, &[None, None, None]), [2, 1, 0]);
    assert_eq!(indexes(&three, &[at(1), at(1), at(2)]), [2, 1, 0]);
    assert_eq!(indexes(&three, &[at(2), at(1), at(1)]), [0, 1, 2]);
    assert_eq!(indexes(&three, &[Some(START + DAY), at(5), at(1)]), [1, 2, 0]);
}

#[test]
fn a_source_that_makes_up_items_stays_bounded() {
    let mut known = Known::default();
    let seen = START - DAY;
    known.entries = (0..KNOWN_ROWS_MAX as u64)
        .map(|id| KnownItem { id: id + 1, fingerprint: 1, last_seen: seen, ..Default::default() })
        .collect();
    known.entries[5].last_seen = START - DAY * 9;
    let keys = document(&["a|b|c"]);
    let diff = compare(&keys, &[None], Some(&known), &Rules::default(), START);
    let entries = diff.known.unwrap().entries;
    assert_eq!(entries.len(), KNOWN_ROWS_MAX);
    assert!(entries.iter().all(|row| row.id != 6));
}

/// Entries from a domain so small that rungs repeat, collide and are missing all the time.
fn any_keys() -> impl Strategy<Value = Keys> {
    let rung = || proptest::option::weighted(0.8, 1u64..8);
    (rung(), rung(), rung(), rung(), rung(), 1u64..6).prop_map(
        |(id, id_alias, link, title_date, title, fingerprint)| Keys {
            id,
            id_alias,
            link,
            title_date,
            title: title.map(|title| title + 100),
            fingerprint: fingerprint + 200,
        },
    )
}

fn changes(keys: &[Keys], known: &Known) -> Vec<Change> {
    compare(keys, &vec![None; keys.len()], Some(known), &Rules::default(), START).changes
}

fn baseline(keys: &[Keys]) -> Known {
    compare(keys, &vec![None; keys.len()], None, &Rules::default(), START).known.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_permutation_of_a_document_is_no_change(
        (keys, permuted) in proptest::collection::vec(any_keys(), 0..20)
            .prop_flat_map(|keys| (Just(keys.clone()), Just(keys).prop_shuffle())),
    ) {
        let known = baseline(&keys);
        prop_assert_eq!(changes(&permuted, &known), vec![]);
        prop_assert_eq!(changes(&keys, &known), vec![]);
    }

    #[test]
    fn the_same_document_again_is_no_change_whatever_was_known(
        first in proptest::collection::vec(any_keys(), 0..20),
        second in proptest::collection::vec(any_keys(), 0..20),
    ) {
        let mut known = baseline(&first);
        let dates = vec![None; second.len()];
        let diff = compare(&second, &dates, Some(&known), &Rules::default(), START);
        if let Some(changed) = diff.known {
            known = changed;
        }
        prop_assert_eq!(changes(&second, &known), vec![]);
    }

    #[test]
    fn added_items_and_only_these_are_new(
        keys in proptest::collection::vec(any_keys(), 0..20),
        added in proptest::collection::vec((0usize..21, any::<[bool; 3]>()), 0..20),
    ) {
        let known = baseline(&keys);
        let mut longer: Vec<(bool, Keys)> = keys.into_iter().map(|keys| (false, keys)).collect();
        for (number, (place, [has_id, has_link, is_dated])) in (1000u64..).zip(added) {
            let added = Keys {
                id: has_id.then_some(number),
                id_alias: has_id.then_some(number),
                link: has_link.then_some(number),
                title_date: is_dated.then_some(number),
                title: Some(1),
                fingerprint: number,
            };
            longer.insert(place.min(longer.len()), (true, added));
        }
        let document: Vec<Keys> = longer.iter().map(|(_, keys)| *keys).collect();
        let mut told: Vec<usize> =
            changes(&document, &known).iter().map(|change| change.index).collect();
        told.sort_unstable();
        let expected: Vec<usize> =
            (0..longer.len()).filter(|at| longer[*at].0).collect();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn every_item_of_a_sliding_window_is_told_exactly_once(
        steps in proptest::collection::vec((0usize..4, any::<bool>(), any::<u64>()), 1..40),
    ) {
        let mut source = Polled::new();
        let mut end = 10usize;
        let mut told = std::collections::BTreeMap::<usize, usize>::new();
        for (fresh, shrinks, seed) in steps {
            end += fresh;
            let begin = if shrinks && source.known.is_some() { end - 1 } else { end - 10 };
            let mut window: Vec<usize> = (begin..end).collect();
            let length = window.len();
            window.rotate_left(usize::try_from(seed % length as u64).unwrap());
            let keys: Vec<Keys> = window
                .iter()
                .map(|item| entry(&format!("{item}|l{item}|T{item}|{seed}|body")))
                .collect();
            let is_first = source.known.is_none();
            for (index, kind) in source.keys(&keys) {
                prop_assert_eq!(kind, NEW);
                *told.entry(window[index]).or_default() += 1;
            }
            if is_first {
                told.extend((0..end).map(|item| (item, 1)));
            } else if begin + 10 == end {
                prop_assert!((begin..end).all(|item| told.contains_key(&item)));
            }
        }
        prop_assert!(told.values().all(|times| *times == 1));
    }
}
