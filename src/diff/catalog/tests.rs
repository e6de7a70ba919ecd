use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Bound;

use super::*;
use crate::diff::HELD_ITEMS_MAX;
use crate::model::campaign::ChangeKind::{
    BackInStock, Gone, New, OutOfStock, PriceDrop, PriceRise, Updated,
};
use crate::model::offer::Availability;
use crate::model::shelf::{BLOCK_ROWS_MAX, KnownListing};

mod properties;

mod size;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn hash(kind: &str, text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (kind, text).hash(&mut hasher);
    hasher.finish().max(1)
}

fn short(kind: &str, text: &str) -> u32 {
    crate::diff::index::narrow(hash(kind, text))
}

fn price(text: &str) -> Option<Amount> {
    let (number, currency) = text.split_once(' ').unwrap_or((text, "EUR"));
    let units = (number.parse::<f64>().ok()? * 100.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "prices of tests are small")]
    let units = units as i64;
    Amount::new(units, 2, currency.parse().ok())
}

/// A listing written as `id|link|title|price|stock|body`; missing fields are absent. An id with a
/// slash is a group and its variant; stock is `in`, `in3`, `out`, `pre`, `order`, `never`.
fn listing(text: &str, place: u64) -> Listing {
    let mut fields = text.split('|').chain(std::iter::repeat(""));
    let mut next = || fields.next().unwrap_or_default();
    let (id, link, title, cost, stock, body) = (next(), next(), next(), next(), next(), next());
    let link = if link.is_empty() { 0 } else { hash("link", link) };
    let (product, variant) = match id.split_once('/') {
        Some((group, variant)) => (hash("id", group), short("id", variant)),
        None if id.is_empty() => (link, 0),
        None => (hash("id", id), 0),
    };
    let quantity = stock.strip_prefix("in").and_then(|left| left.parse().ok());
    let availability = match stock.get(..2) {
        Some("in") => Availability::InStock,
        Some("ou") => Availability::OutOfStock,
        Some("pr") => Availability::Preorder,
        Some("or") => Availability::Backorder,
        Some("ne") => Availability::Discontinued,
        _ => Availability::Unknown,
    };
    Listing {
        product,
        variant,
        link,
        title: if title.is_empty() { 0 } else { short("title", title) },
        fingerprint: short("print", &format!("{title}|{body}")),
        price: price(cost),
        availability,
        quantity,
        page: 0,
        place,
    }
}

fn document(rows: &[&str]) -> Vec<Listing> {
    rows.iter().zip(0..).map(|(row, place)| listing(row, place)).collect()
}

/// A catalog polled once an hour, and its shelf.
struct Shop {
    shelf: BTreeMap<ShelfKey, Block>,
    state: Option<ShelfState>,
    facts: Facts,
    rules: Rules,
    diff: Diff,
}

impl Shop {
    fn new() -> Self {
        Self {
            shelf: BTreeMap::new(),
            state: None,
            facts: Facts { is_whole: true, is_cut: false, now: START },
            rules: Rules::default(),
            diff: Diff::default(),
        }
    }

    fn open(rows: &[&str]) -> Self {
        let mut shop = Self::new();
        assert_eq!(shop.poll(rows), []);
        shop
    }

    /// Polls and answers the changes: the place of the first row and the kind, in document order.
    fn listings(&mut self, listings: Vec<Listing>) -> Vec<(u64, ChangeKind)> {
        let shelf = &self.shelf;
        let mut known = |after: Option<ShelfKey>| -> Result<Option<Block>, Infallible> {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            Ok(shelf.range((from, Bound::Unbounded)).next().map(|(_, block)| block.clone()))
        };
        let Ok(diff) = compare(listings, self.state.as_ref(), &mut known, &self.facts, &self.rules);
        for write in &diff.writes {
            match write {
                ShelfWrite::Put(block) => {
                    assert!(block.encoded().len() <= BLOCK_ROWS_MAX);
                    assert_eq!(Block::decode(block.rows.clone()).as_ref(), Ok(block));
                    self.shelf.insert(block.first, block.clone());
                }
                ShelfWrite::Remove(name) => assert!(self.shelf.remove(name).is_some()),
            }
        }
        let rows = self.rows();
        assert!(rows.windows(2).all(|pair| pair[0].key < pair[1].key));
        assert_eq!(diff.state.rows as usize, rows.len());
        self.state = Some(diff.state.clone());
        self.facts.now = self.facts.now + HOUR;
        self.diff = diff;
        let mut changes: Vec<_> = self
            .diff
            .changes
            .iter()
            .map(|change| (change.places.first().map_or(u64::MAX, |it| it.place), change.kind))
            .collect();
        changes.sort_by_key(|(place, _)| *place);
        changes
    }

    fn poll(&mut self, rows: &[&str]) -> Vec<(u64, ChangeKind)> {
        self.listings(document(rows))
    }

    fn rows(&self) -> Vec<KnownListing> {
        self.shelf.values().flat_map(Block::encoded).map(KnownListing::decode).collect()
    }

    /// What was told of the prices, as `from>to`.
    fn moves(&self) -> Vec<String> {
        let prices = self.diff.changes.iter().filter_map(|change| change.price);
        prices.map(|it| format!("{}>{}", it.from.decimal(), it.to.decimal())).collect()
    }

    fn remark(&self) -> &str {
        self.diff.remark.as_deref().unwrap_or_default()
    }
}

/// The rows of a poll, and what it is to tell.
type Expected<'a> = (&'a [&'a str], &'a [(u64, ChangeKind)]);

/// Polls one after the other.
fn check(polls: &[Expected<'_>]) {
    let mut shop = Shop::new();
    for (number, (rows, expected)) in polls.iter().enumerate() {
        assert_eq!(shop.poll(rows), *expected, "poll {number}: {rows:?}");
    }
}

#[test]
fn a_first_poll_is_a_baseline_and_may_tell_the_first_of_the_document() {
    let rows = ["1|a|A", "2|b|B", "3/x|c|C", "3/y|c|C"];
    let mut shop = Shop::open(&rows);
    assert_eq!(shop.rows().len(), 4);
    assert_eq!(shop.poll(&rows), []);
    assert_eq!(shop.diff.writes, []);
    for (newest, told) in [(1, vec![(0, New)]), (2, vec![(0, New), (1, New)])] {
        let mut shop = Shop::new();
        shop.rules.first_newest = newest;
        assert_eq!(shop.poll(&rows), told);
    }
    let mut shop = Shop::new();
    shop.rules.first_newest = 50;
    assert_eq!(shop.poll(&rows).len(), 3);
    assert_eq!(shop.diff.changes.last().unwrap().places.len(), 1, "the newest comes last");
}

#[test]
fn a_product_is_new_only_if_neither_its_id_nor_its_address_is_known() {
    check(&[
        (&["1|a|A", "2|b|B", "3|c|C"], &[]),
        (&["4|d|D", "1|a|A", "2|b2|B", "3|c|C"], &[(0, New)]),
        (&["4|d|D", "1|a|A", "2|b2|B", "x|c|C"], &[]),
        (&["1|a|A", "2|b|B", "3|c|C", "4|d|D"], &[]),
    ]);
}

#[test]
fn one_message_a_product_and_a_new_variant_is_silent() {
    let mut shop = Shop::open(&["1/s|a?s|A|10|in", "2|b|B|10|in"]);
    assert_eq!(
        shop.poll(&["1/s|a?s|A|10|in", "1/m|a?m|A|9|in", "2|b|B|10|in", "3/s|c|C", "3/m|c|C"]),
        [(3, New)]
    );
    assert_eq!(shop.diff.changes[0].places, [3, 4].map(|place| Place { page: 0, place }));
}

#[test]
fn one_id_and_title_over_several_rows_is_one_product_and_its_link_does_not_flip() {
    let rows = ["1|a?cat=1|A|5", "1|a?cat=2|A|5", "2|b|B|5"];
    let mut shop = Shop::open(&rows);
    assert_eq!(shop.rows().len(), 2);
    assert_eq!(shop.poll(&["2|b|B|5", "1|a?cat=2|A|5", "1|a?cat=1|A|5"]), []);
    assert_eq!(shop.diff.writes, []);
    assert_eq!(shop.poll(&["1|a?cat=1|A|4", "1|a?cat=2|A|4", "2|b|B|5"]), [(0, PriceDrop)]);
}

#[test]
fn one_id_over_different_titles_is_no_id_and_the_links_decide() {
    check(&[
        (&["6|a|A|5", "6|b|B|7", "7|c|C"], &[]),
        (&["6|b|B|7", "6|a|A|5", "7|c|C"], &[]),
        (&["6|d|D|9", "6|a|A|5", "6|b|B|6", "7|c|C"], &[(0, New), (2, PriceDrop)]),
        // What is left of them has the id for itself again, and is still known.
        (&["6|d|D|9", "7|c|C"], &[]),
        (&["6|d|D|9", "6|a|A|5", "7|c|C"], &[]),
    ]);
}

#[test]
fn several_ids_over_one_link_and_title_are_forms_of_one_product() {
    check(&[
        (&["1-s|a|A|5|in", "2|b|B"], &[]),
        (&["1-s|a|A|5|in", "1-m|a|A|5|in", "2|b|B"], &[]),
        (
            &["1-s|a|A|5|in", "1-m|a|A|4|in", "2|b|B", "3-s|c|C", "3-m|c|C"],
            &[(0, PriceDrop), (3, New)],
        ),
        (&["1-s|a|A|5|in", "2|b|B", "3-s|c|C"], &[]),
    ]);
}

#[test]
fn products_that_all_link_to_the_home_page_are_told_apart_by_id() {
    check(&[
        (&["1|home|A", "2|home|B"], &[]),
        (&["3|home|C", "1|home|A", "2|home|B"], &[(0, New)]),
        (&["3|home|C", "4|home|D"], &[(1, New)]),
    ]);
}

#[test]
fn churned_ids_become_aliases_and_are_silent() {
    let mut shop = Shop::open(&["1|a|A|5|in", "2|b|B|5|in", "3|c|C|5|out", "4/x|d|D|5|in"]);
    let renamed = ["n|n|N|5", "x1|a|A|5|in", "x2|b|Bee|5|in", "x3|c|C|4|in", "x4/x|d|D|5|in"];
    assert_eq!(shop.poll(&renamed), [(0, New), (2, Updated), (3, BackInStock)]);
    assert!(shop.remark().contains("4 products have new ids"), "{}", shop.remark());
    assert_eq!(shop.poll(&renamed), []);
    assert_eq!(shop.diff.remark, None);
    // The ids of old are known too, and what was told under the new ones stays told.
    let before = ["n|n|N|5", "1|a|A|5|in", "2|b|Bee|5|in", "3|c|C|4|in", "4/x|d|D|3|in"];
    assert_eq!(shop.poll(&before), [(4, PriceDrop)]);
    for _ in 0..100 {
        assert_eq!(shop.poll(&before), [], "an alias is never gone");
    }
}

#[test]
fn ids_made_up_at_every_poll_are_given_up_for_the_links() {
    let mut shop = Shop::new();
    for poll in 0..24 {
        let rows: Vec<String> =
            (0..9).map(|it| format!("{poll}-{it}|l{0}|T{0}|5", it + poll / 10)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let expected = if poll > 0 && poll % 10 == 0 { vec![(8, New)] } else { vec![] };
        assert_eq!(shop.poll(&rows), expected, "poll {poll}");
    }
    assert!(shop.rows().len() <= 12, "{} rows", shop.rows().len());
}

#[test]
fn ids_that_number_places_give_way_to_links() {
    let mut shop = Shop::open(&["1|d|D|4", "2|c|C|3", "3|b|B|2", "4|a|A|1"]);
    assert_eq!(
        shop.poll(&["1|e|E|5", "2|d|D|4", "3|c|C|2", "4|b|B|2"]),
        [(0, New), (2, PriceDrop)]
    );
    assert!(shop.remark().contains("ids moved to other products"), "{}", shop.remark());
    assert_eq!(shop.poll(&["1|f|F|6", "2|e|E|5", "3|d|D|4", "4|c|C|2"]), [(0, New)]);
    assert_eq!(shop.poll(&["1|f|F|6", "2|e|E|5", "3|d|D|4", "4|c|C|2"]), []);
    assert_eq!(shop.diff.remark, None);
}

#[test]
fn a_site_that_gives_all_its_products_new_addresses_tells_nothing() {
    let mut shop = Shop::open(&["1|a|A|1", "2|b|B|2", "3|c|C|3"]);
    assert_eq!(shop.poll(&["1|a2|A|1", "2|b2|B|2", "3|c2|C|3"]), []);
    assert_eq!(shop.diff.remark, None);
    // The new addresses are known from now on.
    assert_eq!(shop.poll(&["x|a2|A|1", "y|b2|B|2", "z|c2|C|3"]), []);
}

#[test]
fn one_unknown_id_under_a_known_link_is_the_same_by_its_title_only() {
    check(&[
        (&["1|a|A", "2|b|B", "3|c|C"], &[]),
        (&["1|a|A", "2|b|B", "x|c|C"], &[]),
        (&["1|a|A", "y|b|Other", "x|c|C"], &[(1, New)]),
        (&["1|a|A", "2|b|B", "y|b|Other", "x|c|C"], &[]),
    ]);
}

#[test]
fn ids_that_a_catalog_begins_to_give_or_groups_that_it_forms_change_nothing() {
    check(&[
        (&["|a|A|5", "|b|B|5", "|c|C|5", "|d|D|5"], &[]),
        (&["1|a|A|5", "2|b|B2|5", "3|c|C|5", "4|d|D|5"], &[(1, Updated)]),
        (&["g/1|a|A|5", "g/2|b|B2|5", "h/3|c|C|5", "h/4|d|D|4"], &[(2, PriceDrop)]),
        (&["1|a|A|5", "2|b|B2|5", "3|c|C|5", "4|d|D|4"], &[]),
        (&["|a|A|5", "|b|B2|5", "|c|C|5", "|d|D|4"], &[]),
    ]);
}

#[test]
fn a_catalog_that_shrinks_or_empties_and_grows_back_tells_nothing() {
    let rows: Vec<String> = (0..60).map(|it| format!("{it}|l{it}|T{it}|5|in")).collect();
    let all: Vec<&str> = rows.iter().map(String::as_str).collect();
    let mut shop = Shop::open(&all);
    for _ in 0..30 {
        assert_eq!(shop.poll(&[]), []);
        assert!(shop.remark().contains("fewer than half"));
        assert_eq!(shop.diff.missing, 60);
        assert_eq!(shop.poll(&all[7..8]), []);
        assert_eq!(shop.diff.writes, []);
    }
    assert_eq!(shop.poll(&all), []);
    assert_eq!(shop.diff.writes, []);
}

#[test]
fn a_catalog_that_stays_short_for_days_is_believed() {
    let rows: Vec<String> = (0..6).map(|it| format!("{it}|l{it}|T{it}|5|in")).collect();
    let all: Vec<&str> = rows.iter().map(String::as_str).collect();
    let mut shop = Shop::open(&all);
    let mut gone = 0;
    for _ in 0..24 * 5 {
        gone += shop.poll(&all[..2]).len();
    }
    assert_eq!(gone, 4);
}

#[test]
fn gone_is_what_is_absent_from_three_complete_polls_over_a_day_and_is_told_once() {
    let rows = ["1|a|A|5|in", "2|b|B|5|in"];
    let mut shop = Shop::open(&rows);
    for hour in 0..24 {
        assert_eq!(shop.poll(&rows[1..]), [], "hour {hour}");
    }
    assert_eq!(shop.poll(&rows[1..]), [(u64::MAX, Gone)]);
    let change = &shop.diff.changes[0];
    assert_eq!((change.product, change.link), (hash("id", "1"), hash("link", "a")));
    let mut writes = 0;
    for _ in 0..50 {
        assert_eq!(shop.poll(&rows[1..]), []);
        writes += shop.diff.writes.len();
    }
    assert_eq!(writes, 0, "a long absence is not written again");
    // Back, and never new.
    assert_eq!(shop.poll(&rows), [(0, BackInStock)]);
    assert_eq!(shop.poll(&rows), []);

    let mut rare = Shop::open(&rows);
    for day in 0..2 {
        rare.facts.now = rare.facts.now + DAY * 5;
        assert_eq!(rare.poll(&rows[1..]), [], "day {day}");
    }
    rare.facts.now = rare.facts.now + DAY * 5;
    assert_eq!(rare.poll(&rows[1..]), [(u64::MAX, Gone)], "a third complete poll");
}

#[test]
fn incomplete_polls_and_windows_prove_no_absence() {
    let rows = ["1|a|A|5|in", "2|b|B|5|in"];
    let mut shop = Shop::open(&rows);
    shop.facts.is_whole = false;
    for _ in 0..60 {
        assert_eq!(shop.poll(&rows[1..]), []);
        assert_eq!(shop.diff.writes, []);
    }
    assert_eq!(shop.poll(&["3|c|C", "2|b|B|5|in"]), [(0, New)]);
}

#[test]
fn a_product_that_returns_after_it_was_gone_is_back_only_if_it_can_be_had() {
    for (stock, told) in
        [("in", vec![(0, BackInStock)]), ("", vec![(0, BackInStock)]), ("out", vec![])]
    {
        let mut shop = Shop::open(&["1|a|A|5|in", "2|b|B|5|in"]);
        for _ in 0..30 {
            shop.poll(&["2|b|B|5|in"]);
        }
        assert_eq!(shop.poll(&[&format!("1|a|A|5|{stock}"), "2|b|B|5|in"]), told, "{stock}");
    }
}

#[test]
fn discontinued_is_gone_where_it_was_listed_before() {
    check(&[
        (&["1|a|A|5|in", "2|b|B|5|never", "3/x|c|C|5|in", "3/y|c|C|5|in"], &[]),
        (&["1|a|A|5|never", "2|b|B|5|never", "3/x|c|C|5|never", "3/y|c|C|5|in"], &[(0, Gone)]),
        (&["1|a|A|5|in", "2|b|B|5|never", "3/x|c|C|5|never", "3/y|c|C|5|in"], &[(0, BackInStock)]),
    ]);
}

#[test]
fn an_edit_is_told_once_and_a_flip_back_is_noise() {
    let at = |body: &str| [format!("1|a|A|5|in|{body}"), "2|b|B|5|in|y".to_owned()];
    let mut shop = Shop::new();
    for (body, told) in
        [("x", 0), ("z", 1), ("z", 0), ("x", 0), ("z", 0), ("x", 0), ("w", 1), ("z", 0)]
    {
        let rows = at(body);
        assert_eq!(shop.poll(&[&rows[0], &rows[1]]), vec![(0, Updated); told], "{body}");
    }
}

#[test]
fn a_catalog_rewritten_at_once_is_a_new_template() {
    let rows = |body: &str, cost: u32| -> Vec<String> {
        (0..8)
            .map(|it| format!("{it}|l{it}|T{it}|{}|in|{body}", cost - u32::from(it == 3)))
            .collect()
    };
    let mut shop = Shop::new();
    let mut poll = |rows: Vec<String>| {
        let told = shop.poll(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        (told, shop.diff.remark.clone().unwrap_or_default())
    };
    assert_eq!(poll(rows("old", 10)).0, []);
    let (told, remark) = poll(rows("new", 10));
    assert_eq!(told, []);
    assert!(remark.contains("8 items were rewritten"), "{remark}");
    assert_eq!(poll(rows("new", 10)), (vec![], String::new()));
    // A price that falls meanwhile is still told.
    let mut newer = rows("newer", 10);
    newer[5] = "5|l5|T5|8|in|newer".into();
    assert_eq!(poll(newer).0, [(5, PriceDrop)]);
}

#[test]
fn prices_are_compared_with_the_one_last_told() {
    let rule = PriceRule { min_step_share: 500, min_step: price("2"), min_quantity: 1 };
    let mut shop = Shop::new();
    shop.rules.price = rule;
    let mut steps = Vec::new();
    for cost in ["100", "98", "96", "95", "95", "99", "100", "90.01", "90", "92", "94.51", "94.52"]
    {
        let told = shop.poll(&[&format!("1|a|A|{cost}|in"), "2|b|B|1|in"]);
        steps.extend(told.iter().map(|(_, kind)| (*kind, shop.moves().concat())));
    }
    let step = |kind, moved: &str| (kind, moved.to_owned());
    assert_eq!(
        steps,
        [
            step(PriceDrop, "100.00>95.00"),
            step(PriceRise, "95.00>100.00"),
            step(PriceDrop, "100.00>90.01"),
            step(PriceRise, "90.01>94.52"),
        ]
    );
}

#[test]
fn every_price_that_was_in_force_goes_to_the_history() {
    let mut shop = Shop::new();
    shop.rules.price.min_step = price("5");
    let mut seen = Vec::new();
    for cost in ["100", "98", "100", "100", "90", "90"] {
        shop.poll(&[&format!("1|a|A|{cost}"), "2|b|B|1"]);
        seen.push(shop.diff.prices.iter().map(|seen| seen.to.decimal()).collect::<String>());
    }
    assert_eq!(seen, ["", "98.00", "100.00", "", "90.00", ""]);
    shop.poll(&["1|a|A|90", "2|b|B|1", "3|c|C|7"]);
    assert_eq!(shop.diff.prices[0].from, None, "a new product begins its history");
}

#[test]
fn zero_and_absurd_prices_are_held_and_the_price_told_stays() {
    check(&[
        (&["1|a|A|100|in", "2|b|B|100|in"], &[]),
        (&["1|a|A|0|in", "2|b|B|1|in"], &[]),
        (&["1|a|A|-5|in", "2|b|B|10000|in"], &[]),
        (&["1|a|A||in", "2|b|B|100|in"], &[]),
        (&["1|a|A|90|in", "2|b|B|100|in"], &[(0, PriceDrop)]),
    ]);
    let mut shop = Shop::open(&["1|a|A|1|in", "2|b|B|5|in"]);
    for _ in 0..8 * 24 {
        assert_eq!(shop.poll(&["1|a|A|150|in", "2|b|B|5|in"]), []);
    }
    assert_eq!(shop.diff.remark, None, "believed after a week");
    assert_eq!(shop.poll(&["1|a|A|140|in", "2|b|B|5|in"]), [(0, PriceDrop)]);
}

#[test]
fn another_currency_is_no_change_of_price() {
    let mut shop = Shop::open(&["1|a|A|100 EUR|in", "2|b|B|5|in"]);
    assert_eq!(shop.poll(&["1|a|A|90 USD|in", "2|b|B|5|in"]), []);
    assert!(shop.remark().contains("1 prices have another currency"));
    assert_eq!(shop.poll(&["1|a|A|80 USD|in", "2|b|B|5|in"]), [(0, PriceDrop)]);
    assert_eq!(shop.moves(), ["90.00>80.00"]);
}

#[test]
fn a_cheaper_variant_that_appears_is_no_drop_and_the_largest_share_off_stands_for_its_product() {
    let mut shop = Shop::open(&["1/s|a|A|100|in", "1/m|a|A|50|in"]);
    assert_eq!(shop.poll(&["1/s|a|A|100|in", "1/m|a|A|50|in", "1/xs|a|A|10|in"]), []);
    assert_eq!(shop.poll(&["1/s|a|A|90|in", "1/m|a|A|40|in", "1/xs|a|A|12|in"]), [(0, PriceDrop)]);
    assert_eq!(shop.moves(), ["50.00>40.00"]);
    assert_eq!(shop.poll(&["1/s|a|A|90|in", "1/m|a|A|40|in", "1/xs|a|A|12|in"]), []);
}

#[test]
fn back_in_stock_is_from_no_variant_to_one_and_out_of_stock_the_reverse() {
    check(&[
        (&["1/s|a|A|5|out", "1/m|a|A|5|out", "2|b|B|5|in"], &[]),
        (&["1/s|a|A|5|out", "1/m|a|A|5|in", "2|b|B|5|pre"], &[(0, BackInStock)]),
        (&["1/s|a|A|5|in", "1/m|a|A|5|in", "2|b|B|5|order"], &[]),
        (&["1/s|a|A|5|out", "1/m|a|A|5|order", "2|b|B|5|out"], &[(2, OutOfStock)]),
        (&["1/s|a|A|5|out", "1/m|a|A|5|out", "2|b|B|5|in"], &[(0, OutOfStock), (2, BackInStock)]),
        // Nobody says is neither in nor out of stock.
        (&["1/s|a|A|5|", "1/m|a|A|5|", "2|b|B|5|"], &[]),
        (&["1/s|a|A|5|in", "1/m|a|A|5|", "2|b|B|5|in"], &[(0, BackInStock)]),
        // A variant that comes new brings its product back.
        (&["1/s|a|A|5|out", "1/m|a|A|5|out", "2|b|B|5|in"], &[(0, OutOfStock)]),
        (&["1/s|a|A|5|out", "1/m|a|A|5|out", "1/l|a|A|5|in", "2|b|B|5|in"], &[(0, BackInStock)]),
    ]);
    check(&[(&["1|a|A|5", "2|b|B|5|"], &[]), (&["1|a|A|5|out", "2|b|B|5|in"], &[])]);
}

#[test]
fn back_in_stock_waits_for_the_quantity_and_stays_while_it_is_sold() {
    let mut shop = Shop::new();
    shop.rules.price.min_quantity = 5;
    for (stock, told) in [
        ("out", None),
        ("in2", None),
        ("in5", Some(BackInStock)),
        ("in1", None),
        ("in9", None),
        ("out", Some(OutOfStock)),
        ("in", Some(BackInStock)),
    ] {
        let told: Vec<_> = told.into_iter().map(|kind| (0, kind)).collect();
        assert_eq!(shop.poll(&[&format!("1|a|A|5|{stock}"), "2|b|B|5|in1"]), told, "{stock}");
    }
}

#[test]
fn of_everything_that_happened_to_a_product_one_thing_is_told() {
    let cases = [
        ("5|out|x", "4|in|y", BackInStock),
        ("5|in|x", "4|out|y", PriceDrop),
        ("5|in|x", "6|out|y", OutOfStock),
        ("5|in|x", "6|in|y", PriceRise),
        ("5|in|x", "4|never|y", Gone),
        ("5|in|x", "5|in|y", Updated),
    ];
    for (before, after, told) in cases {
        let mut shop = Shop::open(&[&format!("1|a|A|{before}"), "2|b|B"]);
        let after = format!("1|a|A|{after}");
        assert_eq!(shop.poll(&[&after, "2|b|B"]), [(0, told)], "{before} {after}");
        assert_eq!(shop.poll(&[&after, "2|b|B"]), [], "{before} {after}");
    }
}

fn many(range: std::ops::Range<u32>, rest: &str) -> Vec<Listing> {
    let rows: Vec<String> = range.map(|it| format!("{it}|l{it}|T{it}|{rest}")).collect();
    document(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_flood_needs_both_bounds_keeps_the_newest_and_is_known_afterwards() {
    let mut shop = Shop::new();
    shop.listings(many(0..30, "5|in"));
    assert_eq!(shop.listings(many(0..50, "5|in")).len(), 20);
    assert_eq!(shop.diff.held, []);
    assert_eq!(shop.listings(many(0..80, "5|in")).len(), 30);
    assert_eq!(shop.diff.held, [], "30 of 80 are less than half");
    let mut turned = many(0..900, "5|in");
    turned.reverse();
    for (row, place) in turned.iter_mut().zip(0..) {
        row.place = place;
    }
    let kept = shop.listings(turned.clone());
    let reason = "820 of 900 items are new at once: an import".to_owned();
    assert_eq!(shop.diff.held, [Held { kind: New, items: 820, reason }]);
    assert_eq!(kept, (0..HELD_ITEMS_MAX as u64).map(|at| (at, New)).collect::<Vec<_>>());
    assert_eq!(shop.listings(turned), []);
    let strange = shop.listings(many(5_000..5_900, "5|in"));
    assert_eq!(strange.len(), HELD_ITEMS_MAX);
    assert!(
        shop.diff.held[0].reason.contains("900 known ones are missing"),
        "{:?}",
        shop.diff.held
    );
}

#[test]
fn prices_moved_all_at_once_are_held_if_lower_and_silent_if_higher() {
    let mut shop = Shop::new();
    shop.listings(many(0..40, "10|in"));
    let mut moved = many(0..40, "12|in");
    for row in &mut moved[..3] {
        row.price = price("9");
    }
    let told = shop.listings(moved.clone());
    let reason = "prices of 40 of 40 moved at once".to_owned();
    assert_eq!(shop.diff.held, [Held { kind: PriceDrop, items: 40, reason }]);
    assert_eq!(told, [(0, PriceDrop), (1, PriceDrop), (2, PriceDrop)]);
    assert_eq!(shop.listings(moved), []);
}

#[test]
fn stock_that_turns_all_at_once_is_held() {
    let mut shop = Shop::new();
    shop.listings(many(0..40, "10|in"));
    assert_eq!(shop.listings(many(0..40, "10|out")).len(), 40);
    assert_eq!(shop.diff.held[0].reason, "40 of 40 items went out of stock at once");
    assert_eq!(shop.listings(many(0..40, "10|in")).len(), 40);
    assert_eq!(shop.diff.held[0].reason, "40 of 40 items came back in stock at once");
}

#[test]
fn a_first_document_that_was_cut_leaves_the_baseline_open() {
    let mut shop = Shop::new();
    shop.facts = Facts { is_whole: false, is_cut: true, ..shop.facts };
    assert_eq!(shop.poll(&["1|a|A"]), []);
    shop.facts = Facts { is_whole: true, is_cut: false, ..shop.facts };
    assert_eq!(shop.poll(&["1|a|A", "2|b|B"]), []);
    assert_eq!(shop.poll(&["1|a|A", "2|b|B", "3|c|C"]), [(2, New)]);
    // Always cut: after a few polls what comes is news.
    let mut shop = Shop::new();
    shop.facts = Facts { is_whole: false, is_cut: true, ..shop.facts };
    for _ in 0..6 {
        assert_eq!(shop.poll(&["1|a|A"]), []);
    }
    assert_eq!(shop.poll(&["1|a|A", "2|b|B"]), [(1, New)]);
}

#[test]
fn what_was_absent_for_more_than_a_year_is_forgotten_at_last() {
    let mut shop = Shop::open(&["1|a|A", "2|b|B", "3|c|C"]);
    for _ in 0..405 {
        shop.facts.now = shop.facts.now + DAY;
        shop.poll(&["2|b|B", "3|c|C"]);
    }
    assert_eq!(shop.rows().len(), 2);
    // Nobody looked for years: everything is as it was.
    shop.facts.now = shop.facts.now + DAY * 1_000;
    assert_eq!(shop.poll(&["2|b|B", "3|c|C", "4|d|D"]), [(2, New)]);
}

#[test]
fn a_product_seen_twice_through_paging_is_one_and_its_first_place_stands() {
    let mut rows = document(&["1|a|A", "2|b|B", "2|b|B", "3|c|C"]);
    for row in &mut rows[2..] {
        row.page = 1;
    }
    let mut shop = Shop::open(&["3|c|C"]);
    assert_eq!(shop.listings(rows).len(), 2);
    assert_eq!(shop.diff.products, 3);
    let changed: Vec<_> = shop.diff.changes.iter().map(|change| change.places.clone()).collect();
    assert_eq!(changed, [[Place { page: 0, place: 1 }], [Place { page: 0, place: 0 }]]);
}
