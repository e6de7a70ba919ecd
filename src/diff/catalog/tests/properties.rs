//! What holds for any catalog.

use proptest::prelude::*;

use super::*;

/// Rows from a domain so small that ids, links and titles repeat, collide and are missing.
fn any_listing() -> impl Strategy<Value = Listing> {
    let rung = || prop_oneof![1 => Just(0u32), 9 => 1u32..9];
    let cost = prop_oneof![1 => Just(0i64), 9 => 1i64..2_000];
    (rung(), rung(), 0u32..3, rung(), 1u32..4, cost, 0usize..6).prop_map(
        |(id, link, variant, title, print, cost, stock)| {
            let link = if link == 0 { 0 } else { u64::from(link) << 40 };
            let product = if id == 0 { link } else { u64::from(id) };
            Listing {
                product: product.max(77),
                variant,
                link,
                title,
                fingerprint: print,
                price: Amount::new(cost, 2, "EUR".parse().ok()).filter(|it| it.is_positive()),
                availability: [
                    Availability::InStock,
                    Availability::OutOfStock,
                    Availability::Preorder,
                    Availability::Backorder,
                    Availability::Discontinued,
                    Availability::Unknown,
                ][stock],
                quantity: None,
                page: 0,
                place: 0,
            }
        },
    )
}

fn any_document(most: usize) -> impl Strategy<Value = Vec<Listing>> {
    proptest::collection::vec(any_listing(), 0..most)
}

fn placed(mut rows: Vec<Listing>) -> Vec<Listing> {
    for (row, place) in rows.iter_mut().zip(0..) {
        row.place = place;
    }
    rows
}

/// Blocks of any size hold the same rows.
fn split(shop: &mut Shop, sizes: &[usize]) {
    let rows: Vec<KnownListing> = shop.rows();
    let mut rows = rows.as_slice();
    let mut sizes = sizes.iter().copied().cycle();
    shop.shelf.clear();
    while !rows.is_empty() {
        let (here, rest) = rows.split_at(sizes.next().unwrap_or(1).min(rows.len()));
        let encoded = here.iter().flat_map(KnownListing::encode).collect();
        let block = Block::decode(encoded).unwrap();
        shop.shelf.insert(block.first, block);
        rows = rest;
    }
}

fn blocks(shop: &Shop) -> Vec<Block> {
    shop.shelf.values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// `diff(a, b)` applied to `a` is `b`: the same documents again change and write nothing, at
    /// the next poll already.
    #[test]
    fn the_same_document_again_is_no_change_whatever_was_known(
        polls in proptest::collection::vec((any_document(30), any::<bool>()), 1..5),
    ) {
        let mut shop = Shop::new();
        for (rows, is_whole) in polls {
            shop.facts.is_whole = is_whole;
            shop.listings(placed(rows.clone()));
            shop.facts.is_whole = false;
            prop_assert_eq!(shop.listings(placed(rows)), vec![]);
        }
    }

    #[test]
    fn any_permutation_of_a_document_is_no_change(
        (rows, permuted) in any_document(30)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let mut shop = Shop::new();
        shop.listings(placed(rows));
        let before = blocks(&shop);
        prop_assert_eq!(shop.listings(placed(permuted)), vec![]);
        prop_assert_eq!(&shop.diff.writes, &vec![]);
        prop_assert_eq!(blocks(&shop), before);
    }

    #[test]
    fn added_products_and_only_these_are_new(
        rows in any_document(30),
        added in proptest::collection::vec((0usize..31, any::<bool>()), 0..20),
    ) {
        let mut shop = Shop::new();
        shop.rules.flood.items = 1_000;
        shop.listings(placed(rows.clone()));
        let mut longer: Vec<(bool, Listing)> = rows.into_iter().map(|row| (false, row)).collect();
        for (number, (place, is_linked)) in (1_000u64..).zip(added) {
            let link = if is_linked { number << 40 } else { 0 };
            let row = Listing { product: number, variant: 0, link, title: 1, ..listing("|x|y", 0) };
            longer.insert(place.min(longer.len()), (true, row));
        }
        let expected: Vec<(u64, ChangeKind)> = longer
            .iter()
            .zip(0u64..)
            .filter(|((is_added, _), _)| *is_added)
            .map(|(_, place)| (place, New))
            .collect();
        let told = shop.listings(placed(longer.into_iter().map(|(_, row)| row).collect()));
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn blocks_of_any_size_give_the_same(
        polls in proptest::collection::vec(any_document(60), 2..5),
        sizes in proptest::collection::vec(1usize..20, 1..4),
    ) {
        let (mut shop, mut other) = (Shop::new(), Shop::new());
        for rows in polls {
            split(&mut other, &sizes);
            let told = shop.listings(placed(rows.clone()));
            prop_assert_eq!(other.listings(placed(rows)), told);
            prop_assert_eq!(&other.diff.changes, &shop.diff.changes);
            prop_assert_eq!(&other.diff.prices, &shop.diff.prices);
            prop_assert_eq!(other.rows(), shop.rows());
        }
    }

    /// Each product is told as new once, whatever leaves and comes back.
    #[test]
    fn every_product_is_new_at_most_once(
        polls in proptest::collection::vec(proptest::collection::btree_set(0u32..40, 0..40), 2..40),
    ) {
        let mut shop = Shop::new();
        shop.rules.flood.items = 1_000;
        let mut told = std::collections::BTreeSet::new();
        for (number, products) in polls.into_iter().enumerate() {
            let rows: Vec<String> =
                products.iter().map(|it| format!("{it}|l{it}|T{it}|5|in")).collect();
            shop.facts.now = shop.facts.now + HOUR * 12;
            for (place, kind) in shop.poll(&rows.iter().map(String::as_str).collect::<Vec<_>>()) {
                if kind == New {
                    let place = usize::try_from(place).unwrap();
                    prop_assert!(told.insert(*products.iter().nth(place).unwrap()));
                }
            }
            if number == 0 {
                told.extend(products);
            } else {
                prop_assert!(products.is_subset(&told));
            }
        }
    }
}
