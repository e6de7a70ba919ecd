//! What a shelf and a poll cost.

use super::*;

fn catalog(products: impl Iterator<Item = u64>) -> Vec<Listing> {
    let model = listing("1|a|A|100|in", 0);
    let scattered = |product: u64| product.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    products
        .map(|product| Listing {
            product: scattered(product),
            link: scattered(product).rotate_left(32),
            title: crate::diff::index::narrow(scattered(product)),
            place: product,
            ..model
        })
        .collect()
}

/// Bytes of the pages that the blocks lie in, by row.
fn bytes_a_row(shop: &Shop) -> usize {
    shop.shelf.len() * 4_096 / shop.rows().len()
}

#[test]
fn a_row_costs_less_than_64_bytes_after_any_number_of_polls() {
    let mut shop = Shop::new();
    shop.listings(catalog(0..8_000));
    assert!(bytes_a_row(&shop) <= 56, "{} at first", bytes_a_row(&shop));
    for poll in 1..30u64 {
        // A part is new, a part never comes back, and the oldest are forgotten.
        let old = poll * 60;
        shop.facts.now = shop.facts.now + DAY * 30;
        shop.listings(catalog(old..8_000 + poll * 60));
        assert!(bytes_a_row(&shop) <= 63, "{} after {poll} polls", bytes_a_row(&shop));
    }
    assert!(shop.rows().len() < 12_000, "{} rows", shop.rows().len());
}

#[test]
fn a_poll_writes_the_blocks_in_which_something_changed_and_no_others() {
    let mut shop = Shop::new();
    shop.listings(catalog(0..20_000));
    let mut rows = catalog(0..20_000);
    shop.listings(rows.clone());
    assert_eq!(shop.diff.writes, []);
    for row in rows.iter_mut().step_by(200) {
        row.price = price("90");
    }
    assert_eq!(shop.listings(rows.clone()).len(), 100);
    let writes = shop.diff.writes.len();
    assert!(writes <= 100, "{writes} blocks");
    rows.truncate(19_990);
    shop.listings(rows);
    assert!(shop.diff.writes.len() <= 10);
}

#[test]
fn a_shelf_that_is_emptied_leaves_no_block() {
    let mut shop = Shop::new();
    shop.listings(catalog(0..2_000));
    shop.facts.is_whole = true;
    for _ in 0..20 {
        shop.facts.now = shop.facts.now + DAY * 50;
        shop.listings(catalog(5_000..6_500));
    }
    assert_eq!(shop.rows().len(), 1_500);
    let fullest = 1_500 / 66 + 1;
    assert!(shop.shelf.len() <= fullest, "{} blocks", shop.shelf.len());
}
