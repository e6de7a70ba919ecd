//! The store's contract: one suite, run on every backend.
//!
//! A case gets an empty store that it may close and open again. A new verb comes with its cases
//! here; a new backend comes with a line in `on_every_backend`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed case is a failed test")]

mod made;

#[path = "store/caps.rs"]
mod caps;

#[path = "store/choices.rs"]
mod choices;

#[path = "store/control.rs"]
mod control;

#[path = "store/lanes.rs"]
mod lanes;

#[path = "store/drafts.rs"]
mod drafts;

#[path = "store/events.rs"]
mod events;

#[path = "store/audience.rs"]
mod audience;

#[path = "store/growth.rs"]
mod growth;

#[path = "store/chat.rs"]
mod chat;
#[path = "store/people.rs"]
mod people;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audience::*;
use caps::*;
use chat::*;
use choices::*;
use control::*;
use drafts::*;
use events::*;
use growth::*;
use lanes::*;
use made::*;
use people::*;
use tidings::model::campaign::OnUncertain;
use tidings::model::channel::ChannelState;
use tidings::model::correction::{
    Correction, Corrections, EditAt, EditEnd, EditReceipt, Kept, KeptMessage,
};
use tidings::model::item::{Item, ItemId};
use tidings::model::known::{Known, KnownItem};
use tidings::model::media::{Form, KeptMedium, MediaKey};
use tidings::model::message::Module;
use tidings::model::name::Name;
use tidings::model::offer::Amount;
use tidings::model::post::{
    Claim, Content, Counts, DraftId, Outcome, Post, PostId, Reason, Receipt, Settled, Story,
    Ticket, Work,
};
use tidings::model::price::PriceSeen;
use tidings::model::product::ProductName;
use tidings::model::shelf::{
    BLOCK_ROWS_MAX, Block, KnownListing, ShelfKey, ShelfState, ShelfWrite,
};
use tidings::model::subscriber::{Consent, Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::store::{
    Advance, ConversationCommit, CorrectionCommit, FloodWord, PollCommit, PostCommit, Reply,
    Rescued, ShelfCommit, Store, StoreError, Wire,
};

/// Where a store is kept, and the store.
struct Home {
    folder: tempfile::TempDir,
    open: fn(&std::path::Path) -> Arc<dyn Store>,
    store: Option<Arc<dyn Store>>,
}

impl Home {
    fn new(open: fn(&std::path::Path) -> Arc<dyn Store>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(open(folder.path()));
        Self { folder, open, store }
    }

    fn store(&self) -> &dyn Store {
        self.store.as_deref().unwrap()
    }

    fn reopen(&mut self) {
        drop(self.store.take());
        self.store = Some((self.open)(self.folder.path()));
    }
}

fn redb_file(folder: &std::path::Path) -> Arc<dyn Store> {
    Arc::new(tidings::store::redb::open(&folder.join("store.redb")).unwrap())
}

macro_rules! on_every_backend {
    ($($case:ident)*) => {
        mod redb {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&mut super::Home::new(super::redb_file)).await;
            })*
        }
    };
}

on_every_backend! {
    a_new_store_is_empty
    a_poll_keeps_state_known_items_and_drafts_together
    a_poll_without_known_leaves_what_is_known
    a_shelf_is_read_in_pages_and_kept_apart_by_source
    a_shelf_takes_what_a_poll_changes_of_it
    prices_are_kept_as_they_were_seen
    names_of_products_are_kept_until_their_rows_go
    price_histories_go_when_they_tell_nothing_any_more
    a_story_of_two_sources_is_told_once_a_campaign
    a_source_tells_its_own_stories_again
    a_title_is_told_again_after_a_day_and_a_link_after_thirty
    a_held_story_counts_once_it_is_released
    due_drafts_come_oldest_due_first
    a_held_draft_is_neither_leased_nor_waited_for
    items_come_in_the_order_asked
    a_bots_name_is_kept_until_it_is_another
    a_reminder_is_an_answer_and_is_kept_with_it
    whoever_is_welcomed_was_told_what_they_get
    what_a_channel_shows_is_kept_by_key
    an_audience_is_who_is_active_under_any_of_the_topics
    an_audience_crosses_the_borders_of_its_rows
    people_are_read_by_their_numbers_dense_or_sparse
    people_are_read_page_by_page
    each_consent_follows_the_one_before_and_shows_its_words
    who_is_erased_leaves_a_proof_without_a_person
    the_one_who_erases_themselves_is_told_so_and_nothing_more
    arrivals_bring_nobody_back
    a_deletion_is_known_by_its_code_for_a_while
    a_chat_of_the_settings_is_in_no_audience_and_no_count
    what_somebody_got_is_kept_under_its_topics_newest_first
    a_topic_keeps_its_newest_five_hundred_posts
    people_are_counted_by_where_they_came_from
    late_joiners_are_noted_while_a_post_lets_them_in
    who_came_while_the_audience_was_found_is_looked_for_until_it_is_done
    a_chat_that_subscribes_is_a_subscriber_under_its_number
    a_draft_that_was_moved_or_cancelled_meanwhile_makes_no_post
    a_file_plans_its_post_once
    what_was_shown_to_reviewers_is_known_until_it_is_decided
    a_post_takes_its_drafts_with_it
    a_post_of_a_draft_that_is_gone_is_refused_whole
    a_refused_operation_does_not_hurt_its_neighbours
    a_dropped_draft_is_gone
    an_event_that_fails_too_often_is_put_aside
    what_somebody_did_lately_is_kept_for_two_days
    chats_that_let_a_bot_in_are_listed_until_they_send_it_away
    a_released_flood_is_due_now
    of_a_flood_only_the_newest_are_sent
    a_flood_taken_as_known_sends_nothing
    a_draft_is_moved_and_parted_in_one_go
    what_was_parted_from_a_draft_keeps_its_place
    drafts_behind_the_most_are_postponed
    drafts_are_given_up_all_or_none
    what_waits_for_a_look_is_released_or_dropped_by_draft_or_campaign
    claims_come_in_order_and_are_in_flight
    a_post_to_nobody_is_finished
    what_people_get_once_a_day_comes_at_their_hour_as_one
    what_people_get_at_other_times_does_not_come_with_it
    quiet_hours_put_off_what_falls_into_them
    whoever_chooses_otherwise_gets_what_waits_by_their_new_choice
    behind_a_closed_window_it_finds_its_lane_at_its_hour
    every_outcome_is_counted_and_shown
    posts_take_fair_turns
    a_returned_delivery_waits_again_with_its_part
    who_left_is_skipped_at_the_claim
    an_audience_that_left_as_a_whole_is_skipped_to_its_end
    a_stopped_post_skips_all_that_wait
    a_receipt_for_a_strange_ticket_is_ignored
    a_receipt_that_ends_nothing_is_ignored
    a_receipt_changes_the_subscriber
    who_asked_us_to_stop_stays_stopped
    a_chat_that_moves_onto_a_known_address_is_gone
    the_newest_errors_are_kept_once
    the_channel_state_is_kept
    nobody_gets_more_posts_a_day_than_the_cap_and_the_rest_comes_the_next
    what_did_not_arrive_does_not_count
    what_comes_back_after_midnight_counts_for_its_own_day
    what_goes_beyond_windows_is_capped_before_it_is_paid_and_finds_its_lane_anew
    many_that_are_carried_over_come_as_one_list
    a_budget_of_stars_is_counted_by_post_and_by_day
    a_halted_channel_stays_so_until_somebody_says_otherwise
    media_are_kept_by_channel_until_they_are_forgotten_or_of_no_use
    a_correction_drafts_the_posts_whose_window_is_open
    an_item_is_withdrawn_or_brought_up_to_date_before_it_is_sent
    whoever_has_an_older_revision_is_edited
    what_was_on_its_way_at_a_correction_is_edited_after_it
    what_is_taken_back_reaches_nobody_who_waits
    messages_are_forgotten_with_their_window
    answers_come_first_and_one_at_a_time_for_each_person
    an_answer_that_was_returned_comes_again_with_its_part
    an_answer_finds_somebody_without_a_record
    what_was_held_comes_as_one_carousel_newest_first
    a_carousel_that_failed_leaves_all_held
    an_uncertain_carousel_follows_each_post
    a_carousel_holds_no_more_than_its_cards
    held_deliveries_of_a_stopped_post_are_skipped
    who_stopped_gets_no_carousel
    rescue_returns_what_was_never_begun
    rescue_makes_uncertain_what_was_begun
    rescue_sends_again_where_the_post_says_so
    rescue_trusts_no_journal_of_another_boot
    rescue_applies_receipts_first
    rescue_drops_answers_that_were_begun
    events_are_kept_once
    an_event_id_counts_again_after_72_hours
    the_cursor_moves_with_its_events
    a_new_person_gets_the_next_number
    a_person_who_is_known_keeps_the_number
    a_conversation_moves_a_person_to_a_new_address
    a_conversation_ends_its_event
    an_event_is_answered_once
    an_import_adds_who_is_not_there
    of_a_paused_post_nobody_further_is_claimed
    a_pause_leaves_other_posts_and_answers_alone
    a_cancelled_post_reaches_nobody_who_waits
    a_word_on_a_post_that_is_over_is_refused
    who_failed_waits_again_but_not_who_left
    who_failed_at_a_later_part_gets_only_the_rest
    posts_that_share_a_channel_go_to_different_people_at_a_time
    a_small_urgent_post_overtakes_a_big_one
    a_priority_can_be_changed_on_the_way
    the_next_rank_goes_while_the_first_one_rests
    the_order_of_claims_holds_whatever_happens
    a_report_counts_every_end_and_when_it_came
    who_leaves_within_two_days_is_counted
    posts_are_found_by_their_campaign
    an_item_is_traced_from_its_draft_to_its_post
    an_item_is_found_by_address_or_part_of_its_title
    a_source_that_knows_a_link_is_found
    a_post_waits_for_its_hours_and_goes_on_in_them
    a_stage_and_a_resumed_post_wait_for_their_hours
    who_leaves_twice_left_once
    a_rollout_goes_to_a_few_first_and_waits
    a_stage_waits_for_no_channel_that_is_halted
    a_rollout_that_fails_too_often_is_paused
    a_rollout_that_drives_people_away_is_paused
    a_rollout_to_few_is_over_when_nobody_waits
    the_status_counts_everything
    posts_come_newest_first
    old_items_go_unless_a_draft_names_them
    posts_go_90_days_after_they_finished
    seen_event_ids_go_after_72_hours
    an_echo_makes_the_uncertain_sent
    an_echo_may_come_before_the_answer_that_never_comes
    without_an_echo_in_time_the_post_says_what_becomes_of_it
    an_echo_tells_of_a_carousel_too
    what_arrived_and_was_seen_is_told
    what_is_held_for_too_long_is_skipped
    who_is_held_counts_in_a_stage_as_who_is_claimed
    a_whole_audience_is_held_a_part_at_a_time
    a_person_has_no_more_held_than_a_bound
    a_carousel_shows_each_thing_once
    each_recipient_has_their_own_lane
    no_more_is_spent_than_the_limit_whatever_happens
    a_token_rests_after_each_message_and_is_forgotten_when_it_is_closed
    a_paid_message_that_did_not_arrive_has_failed
    everything_is_there_after_opening_again
}

// ── poll ────────────────────────────────────────────────────────────────────────────────────────

async fn a_new_store_is_empty(home: &mut Home) {
    let store = home.store();
    assert_eq!(store.load_sources().await.unwrap(), vec![]);
    assert_eq!(store.load_known(&name("blog")).await.unwrap(), None);
    assert_eq!(store.load_shelf_state(&name("shop")).await.unwrap(), None);
    assert_eq!(store.load_shelf(&name("shop"), None, 10).await.unwrap(), vec![]);
    assert_eq!(store.load_names(&name("shop"), &[1]).await.unwrap(), vec![None]);
    assert_eq!(store.lease_drafts(now(), 10).await.unwrap(), vec![]);
    assert_eq!(store.next_draft_at().await.unwrap(), None);
    assert_eq!(store.load_audience(&name("bot"), &[]).await.unwrap(), Vec::<u32>::new());
    assert_eq!(store.load_post(PostId(1)).await.unwrap(), None);
    assert_eq!(store.load_channel(&name("bot")).await.unwrap(), ChannelState::default());
    assert_eq!(store.load_cursor(&name("bot")).await.unwrap(), None);
    assert_eq!(store.load_subscriber(&name("bot"), "1").await.unwrap(), None);
    assert_eq!(store.load_status().await.unwrap(), tidings::store::Status::default());
    assert_eq!(store.rescue(Wire::default()).await.unwrap(), Rescued::default());
    assert_eq!(advance(store, "bot", vec![], 10).await, vec![]);
}

fn known(id: u64) -> Known {
    let entry = KnownItem {
        id,
        id_alias: 5,
        link: u64::MAX,
        title_date: 0,
        title: 3,
        fingerprint: 4,
        former: 6,
        last_seen: now(),
    };
    Known { entries: vec![entry; 3], id_churns: 1 }
}

async fn a_poll_keeps_state_known_items_and_drafts_together(home: &mut Home) {
    let mut commit = poll("blog");
    commit.state.etag = Some("\"v1\"".into());
    commit.known = Some(known(9));
    commit.items = vec![item(1), item(2)];
    commit.drafts = vec![draft(now(), &[1]), draft(now(), &[2])];
    home.store().commit_poll(commit.clone()).await.unwrap();
    home.reopen();

    let store = home.store();
    assert_eq!(store.load_sources().await.unwrap(), vec![(name("blog"), commit.state)]);
    assert_eq!(store.load_known(&name("blog")).await.unwrap(), Some(known(9)));
    let due = store.lease_drafts(now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [1, 2]);
    let ids = [ItemId([1; 16]), ItemId([2; 16])];
    assert_eq!(store.load_items(&ids).await.unwrap(), commit.items);
}

async fn a_poll_without_known_leaves_what_is_known(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.known = Some(known(9));
    store.commit_poll(commit).await.unwrap();
    let mut later = poll("blog");
    later.state.failures = 3;
    store.commit_poll(later.clone()).await.unwrap();
    assert_eq!(store.load_known(&name("blog")).await.unwrap(), Some(known(9)));
    assert_eq!(store.load_sources().await.unwrap(), vec![(name("blog"), later.state)]);
}

// ── shelves ─────────────────────────────────────────────────────────────────────────────────────

fn key(product: u64) -> ShelfKey {
    ShelfKey { product, variant: 7 }
}

fn euros(units: i64) -> Amount {
    Amount::new(units, 2, "EUR".parse().ok()).unwrap()
}

/// A block of so many rows; its products are `first`, `first` + 10 …
fn block(first: u64, rows: u64, told: i64) -> Block {
    let row = |at: u64| KnownListing {
        key: key(first + 10 * at),
        link: at,
        told: Some(euros(told)),
        ..KnownListing::default()
    };
    Block::decode((0..rows).flat_map(|at| row(at).encode()).collect()).unwrap()
}

fn shelved(source: &str, writes: Vec<ShelfWrite>) -> PollCommit {
    let state = ShelfState { begun_at: now() - 90 * DAY, rows: 5, ..ShelfState::default() };
    let shelf = ShelfCommit { state, writes, prices: vec![], now: now() };
    PollCommit { shelf: Some(shelf), ..poll(source) }
}

fn puts(blocks: &[Block]) -> Vec<ShelfWrite> {
    blocks.iter().cloned().map(ShelfWrite::Put).collect()
}

async fn a_shelf_is_read_in_pages_and_kept_apart_by_source(home: &mut Home) {
    let shop = name("shop");
    let full = u64::try_from(BLOCK_ROWS_MAX).unwrap();
    let blocks = [block(1, 3, 100), block(1_000, full, 100), block(u64::MAX - 9, 1, 100)];
    home.store().commit_poll(shelved("shop", puts(&blocks))).await.unwrap();
    home.store().commit_poll(shelved("shop-2", puts(&[block(5, 1, 100)]))).await.unwrap();
    home.store().commit_poll(shelved("a", puts(&[block(6, 1, 100)]))).await.unwrap();
    home.reopen();
    let store = home.store();
    assert_eq!(store.load_shelf_state(&name("none")).await.unwrap(), None);
    assert_eq!(store.load_shelf_state(&shop).await.unwrap().unwrap().rows, 5);
    assert_eq!(store.load_shelf(&name("none"), None, 10).await.unwrap(), vec![]);
    assert_eq!(store.load_shelf(&shop, None, 10).await.unwrap(), blocks);
    assert_eq!(store.load_shelf(&shop, None, 2).await.unwrap(), blocks[..2]);
    assert_eq!(store.load_shelf(&shop, Some(blocks[1].first), 2).await.unwrap(), blocks[2..]);
    assert_eq!(store.load_shelf(&shop, Some(key(2)), 1).await.unwrap(), blocks[1..2]);
    assert_eq!(store.load_shelf(&shop, Some(blocks[2].first), 2).await.unwrap(), vec![]);
}

async fn a_shelf_takes_what_a_poll_changes_of_it(home: &mut Home) {
    let store = home.store();
    let shop = name("shop");
    let blocks = [block(1, 3, 100), block(1_000, 2, 100), block(2_000, 1, 100)];
    store.commit_poll(shelved("shop", puts(&blocks))).await.unwrap();
    let changed = block(1_000, 4, 200);
    let writes = vec![ShelfWrite::Remove(blocks[0].first), ShelfWrite::Put(changed.clone())];
    store.commit_poll(shelved("shop", writes)).await.unwrap();
    // A poll without a shelf leaves it.
    store.commit_poll(poll("shop")).await.unwrap();
    let left = [changed, blocks[2].clone()];
    assert_eq!(store.load_shelf(&shop, None, 10).await.unwrap(), left);
}

async fn prices_are_kept_as_they_were_seen(home: &mut Home) {
    let store = home.store();
    let shop = name("shop");
    let seen = |product, from: i64, to: i64| PriceSeen {
        key: key(product),
        from: Some(euros(from)),
        to: euros(to),
    };
    for (day, prices) in [(0, vec![seen(1, 100, 90), seen(2, 50, 60)]), (1, vec![seen(1, 90, 80)])]
    {
        let mut commit = shelved("shop", vec![]);
        let shelf = commit.shelf.as_mut().unwrap();
        (shelf.prices, shelf.now) = (prices, now() + day * DAY);
        store.commit_poll(commit).await.unwrap();
    }
    let prices = store.load_prices(&shop, &[key(2), key(9), key(1)]).await.unwrap();
    let told: Vec<Vec<i64>> = prices
        .iter()
        .map(|it| it.points().iter().map(|point| point.price.units()).collect())
        .collect();
    assert_eq!(told, [vec![50, 60], vec![], vec![100, 90, 80]]);
    let lowest = prices[2].lowest_30d(euros(90), now() - 90 * DAY, now() + DAY);
    assert_eq!(lowest, Some(euros(90)));
    assert_eq!(store.load_prices(&name("a"), &[key(1)]).await.unwrap()[0].points(), []);
}

fn called(title: &str) -> ProductName {
    ProductName { title: title.into(), link: Some("https://e.org/".into()), image: None }
}

async fn names_of_products_are_kept_until_their_rows_go(home: &mut Home) {
    let store = home.store();
    let shop = name("shop");
    let blocks = [block(1, 3, 100), block(1_000, 2, 100)];
    let ahead = (0..5_000).map(|at| (1_000_000 + at, called("nothing"))).collect();
    store.commit_names(&shop, ahead).await.unwrap();
    assert_eq!(store.prune(now()).await.unwrap(), 0, "their poll is under way");
    let mut commit = shelved("shop", puts(&blocks));
    commit.names = [1, 11, 21, 1_000, 1_010, 500]
        .map(|product| (product, called(&format!("Product {product}"))))
        .to_vec();
    store.commit_poll(commit).await.unwrap();
    let names = store.load_names(&shop, &[11, 12, 1_010, 1_000_007]).await.unwrap();
    let expected = [Some("Product 11"), None, Some("Product 1010"), Some("nothing")];
    assert_eq!(names, expected.map(|title| title.map(called)));

    store.commit_poll(shelved("shop", vec![ShelfWrite::Remove(blocks[1].first)])).await.unwrap();
    let mut removed = 0;
    for _ in 0..12 {
        removed += store.prune(now()).await.unwrap();
    }
    assert_eq!(removed, 5_003);
    let names = store.load_names(&shop, &[1, 21, 500, 1_000, 1_000_007]).await.unwrap();
    let left = names.into_iter().map(|name| name.is_some()).collect::<Vec<_>>();
    assert_eq!(left, [true, true, false, false, false]);
}

async fn price_histories_go_when_they_tell_nothing_any_more(home: &mut Home) {
    let store = home.store();
    let shop = name("shop");
    let mut commit = shelved("shop", puts(&[block(1, 3, 80)]));
    let seen =
        |product, to: i64| PriceSeen { key: key(product), from: Some(euros(100)), to: euros(to) };
    // The second is not the price that was told, the fourth is on no shelf.
    commit.shelf.as_mut().unwrap().prices =
        vec![seen(1, 80), seen(11, 70), seen(21, 80), seen(99, 80)];
    store.commit_poll(commit).await.unwrap();
    let rows = [1, 11, 21, 99].map(key);
    let left = async || {
        let prices = store.load_prices(&shop, &rows).await.unwrap();
        prices.iter().map(|prices| prices.points().len()).collect::<Vec<_>>()
    };
    assert_eq!(store.prune(now() + 179 * DAY).await.unwrap(), 1);
    assert_eq!(left().await, [2, 2, 2, 0]);
    assert_eq!(store.prune(now() + 181 * DAY).await.unwrap(), 2);
    assert_eq!(left().await, [0, 2, 0, 0]);
}

// ── stories ─────────────────────────────────────────────────────────────────────────────────────

/// A poll of the source with one draft of the campaign `news`, with a story an item.
fn telling(source: &str, stories: &[(u8, u64, u64)], at: Timestamp) -> PollCommit {
    let items: Vec<u8> = stories.iter().map(|(item, ..)| *item).collect();
    let mut draft = draft(at, &items);
    draft.created_at = at;
    if let Content::Items { stories: all, .. } = &mut draft.content {
        let story = |&(item, link, title)| Story { item: ItemId([item; 16]), link, title };
        *all = stories.iter().map(story).collect();
    }
    PollCommit { drafts: vec![draft], ..poll(source) }
}

/// The items of all drafts that are due some day, ascending.
async fn drafted(store: &dyn Store) -> Vec<u8> {
    let due = store.lease_drafts(now() + 400 * DAY, 100).await.unwrap();
    let mut items: Vec<u8> = due.iter().flat_map(|draft| items_of(&draft.content)).collect();
    items.sort_unstable();
    items
}

async fn a_story_of_two_sources_is_told_once_a_campaign(home: &mut Home) {
    let store = home.store();
    store.commit_poll(telling("a", &[(1, 10, 100), (2, 20, 0)], now())).await.unwrap();
    home.reopen();
    let store = home.store();
    // The same link, the same title, one that is new, one that has nothing to go by.
    let others = [(3, 10, 0), (4, 0, 100), (5, 50, 500), (6, 0, 0)];
    store.commit_poll(telling("b", &others, now() + seconds(60))).await.unwrap();
    assert_eq!(drafted(store).await, [1, 2, 5, 6]);
    // Nothing is left of this one.
    store.commit_poll(telling("c", &[(7, 50, 0)], now() + seconds(60))).await.unwrap();
    assert_eq!(drafted(store).await, [1, 2, 5, 6]);
    assert_eq!(store.lease_drafts(now() + DAY, 100).await.unwrap().len(), 2);
    // Another campaign is told too.
    let mut commit = telling("b", &[(8, 10, 100)], now());
    if let Content::Items { campaign, .. } = &mut commit.drafts[0].content {
        *campaign = name("other");
    }
    store.commit_poll(commit).await.unwrap();
    assert_eq!(drafted(store).await, [1, 2, 5, 6, 8]);
}

async fn a_source_tells_its_own_stories_again(home: &mut Home) {
    let store = home.store();
    for item in 1..4 {
        store.commit_poll(telling("a", &[(item, 10, 100)], now())).await.unwrap();
    }
    assert_eq!(drafted(store).await, [1, 2, 3]);
}

async fn a_title_is_told_again_after_a_day_and_a_link_after_thirty(home: &mut Home) {
    let store = home.store();
    store.commit_poll(telling("a", &[(1, 10, 100)], now())).await.unwrap();
    let later = [
        (2, 0, 100, DAY - seconds(1)),
        (3, 0, 100, DAY),
        (4, 10, 0, 30 * DAY - seconds(1)),
        (5, 10, 0, 30 * DAY),
    ];
    for (item, link, title, after) in later {
        store.commit_poll(telling("b", &[(item, link, title)], now() + after)).await.unwrap();
    }
    assert_eq!(drafted(store).await, [1, 3, 5]);
    // What was told by `b` at the end is kept, what is older goes.
    assert_eq!(store.prune(now() + 30 * DAY).await.unwrap(), 0);
    assert_eq!(store.prune(now() + 32 * DAY).await.unwrap(), 1);
    store.commit_poll(telling("a", &[(6, 10, 0)], now() + 32 * DAY)).await.unwrap();
    assert_eq!(drafted(store).await, [1, 3, 5]);
}

async fn a_held_story_counts_once_it_is_released(home: &mut Home) {
    let store = home.store();
    let mut held = telling("a", &[(1, 10, 0), (2, 20, 0)], now());
    held.drafts[0].held = held_draft("a", &[]).held;
    store.commit_poll(held).await.unwrap();
    store.commit_poll(telling("b", &[(3, 10, 0)], now())).await.unwrap();
    assert_eq!(drafted(store).await, [3]);
    store.commit_flood(&name("a"), FloodWord::Release, now() + DAY).await.unwrap();
    assert_eq!(drafted(store).await, [2, 3]);
    store.commit_poll(telling("b", &[(4, 20, 0)], now() + DAY)).await.unwrap();
    assert_eq!(drafted(store).await, [2, 3]);
}

// ── compose ─────────────────────────────────────────────────────────────────────────────────────

async fn due_drafts_come_oldest_due_first(home: &mut Home) {
    let store = home.store();
    for after in [5, 1, 3, 9] {
        store.commit_draft(draft(now() + seconds(after), &[])).await.unwrap();
    }
    let due = store.lease_drafts(now() + seconds(5), 10).await.unwrap();
    assert_eq!(due.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [2, 3, 1]);
    let two = store.lease_drafts(now() + seconds(60), 2).await.unwrap();
    assert_eq!(two.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(store.next_draft_at().await.unwrap(), Some(now() + seconds(1)));
}

async fn a_held_draft_is_neither_leased_nor_waited_for(home: &mut Home) {
    let store = home.store();
    let id = store.commit_draft(held_draft("blog", &[1, 2])).await.unwrap();
    assert_eq!(store.lease_drafts(now() + DAY, 10).await.unwrap(), vec![]);
    assert_eq!(store.next_draft_at().await.unwrap(), None);
    let held = store.load_held_drafts().await.unwrap();
    assert_eq!(held.iter().map(|draft| draft.id).collect::<Vec<_>>(), [id]);
}

async fn a_bots_name_is_kept_until_it_is_another(home: &mut Home) {
    let (bot, other) = (name("bot"), name("other"));
    assert_eq!(home.store().load_bot(&bot).await.unwrap(), None);
    for called in ["harbour_bot", "gazette_bot"] {
        home.store().commit_bot(&bot, called.to_owned()).await.unwrap();
        home.reopen();
        assert_eq!(home.store().load_bot(&bot).await.unwrap().as_deref(), Some(called));
    }
    assert_eq!(home.store().load_bot(&other).await.unwrap(), None);
}

async fn items_come_in_the_order_asked(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = vec![item(1), item(2), item(3)];
    store.commit_poll(commit).await.unwrap();
    let ids = [3, 9, 1].map(|number| ItemId([number; 16]));
    assert_eq!(store.load_items(&ids).await.unwrap(), vec![item(3), item(1)]);
    let newest = |sources: &[&str], limit: usize| {
        let sources: Vec<_> = sources.iter().map(|source| name(source)).collect();
        store.load_newest_items(&sources, limit)
    };
    assert_eq!(newest(&[], 2).await.unwrap(), vec![item(3), item(2)]);
    assert_eq!(newest(&["blog"], 9).await.unwrap().len(), 3);
    assert_eq!(newest(&["shop"], 9).await.unwrap(), vec![]);
}

async fn an_audience_is_who_is_active_under_any_of_the_topics(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    let mut stopped = person("4", &["news"]);
    stopped.standing = Standing::Stopped;
    let people = vec![
        person("0", &["news"]),
        person("1", &["shoes"]),
        person("2", &[]),
        person("3", &["news", "shoes"]),
        stopped,
    ];
    store.import_subscribers(&bot, people).await.unwrap();
    let audience = async |topics: &[&str]| {
        let topics: Vec<Name> = topics.iter().map(|topic| name(topic)).collect();
        store.load_audience(&bot, &topics).await.unwrap()
    };
    assert_eq!(audience(&["news"]).await, [0, 3]);
    assert_eq!(audience(&["shoes"]).await, [1, 3]);
    assert_eq!(audience(&["news", "shoes"]).await, [0, 1, 3]);
    assert_eq!(audience(&[]).await, [0, 1, 2, 3]);
    assert_eq!(audience(&["other"]).await, [0; 0]);
    assert_eq!(store.load_audience(&name("page"), &[]).await.unwrap(), [0; 0]);

    // Somebody changes topics, somebody stops, and somebody comes back.
    converse(store, "1", Some(person("1", &["news"])), vec![]).await;
    let mut leaves = person("3", &["news", "shoes"]);
    leaves.standing = Standing::Stopped;
    converse(store, "3", Some(leaves), vec![]).await;
    converse(store, "4", Some(person("4", &["shoes"])), vec![]).await;
    assert_eq!(audience(&["news"]).await, [0, 1]);
    assert_eq!(audience(&["shoes"]).await, [4]);
    assert_eq!(audience(&[]).await, [0, 1, 2, 4]);
}

async fn an_audience_crosses_the_borders_of_its_rows(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    assert_eq!(store.import_subscribers(&bot, people(9_000)).await.unwrap(), 9_000);
    let everybody: Vec<u32> = (0..9_000).collect();
    assert_eq!(store.load_audience(&bot, &[]).await.unwrap(), everybody);
    assert_eq!(store.load_audience(&bot, &[name("news")]).await.unwrap(), everybody);
}

async fn a_post_takes_its_drafts_with_it(home: &mut Home) {
    let store = home.store();
    let one = store.commit_draft(draft(now(), &[1])).await.unwrap();
    let two = store.commit_draft(draft(now(), &[2])).await.unwrap();
    let commit = PostCommit {
        drafts: vec![one, two],
        post: post("hello"),
        audiences: vec![(name("bot"), vec![0, 5, 9]), (name("page"), vec![2])],
    };
    let id = store.commit_post(commit).await.unwrap();
    assert_eq!(id, PostId(1));
    assert_eq!(store.lease_drafts(now(), 10).await.unwrap(), vec![]);
    let counts = Counts { planned: 4, waiting: 4, ..Counts::default() };
    let kept = tidings::model::post::Post { id, counts, ..post("hello") };
    assert_eq!(store.load_post(id).await.unwrap(), Some(kept));
    let waiting = |numbers: &[u32]| {
        numbers.iter().map(|number| (*number, Outcome::Waiting)).collect::<Vec<_>>()
    };
    assert_eq!(store.load_outcomes(id, &name("bot")).await.unwrap(), waiting(&[0, 5, 9]));
    assert_eq!(store.load_outcomes(id, &name("page")).await.unwrap(), waiting(&[2]));
    assert_eq!(store.load_outcomes(id, &name("other")).await.unwrap(), vec![]);
}

async fn a_post_of_a_draft_that_is_gone_is_refused_whole(home: &mut Home) {
    let store = home.store();
    let here = store.commit_draft(draft(now(), &[1])).await.unwrap();
    let commit = PostCommit {
        drafts: vec![here, DraftId(77)],
        post: post("hello"),
        audiences: vec![(name("bot"), vec![0])],
    };
    let error = store.commit_post(commit).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    assert_eq!(store.load_posts(10).await.unwrap(), vec![]);
    assert_eq!(store.lease_drafts(now(), 10).await.unwrap().len(), 1);
    assert_eq!(store.load_outcomes(PostId(1), &name("bot")).await.unwrap(), vec![]);
}

async fn a_refused_operation_does_not_hurt_its_neighbours(home: &mut Home) {
    let store = home.store();
    let drafts = (0..20).map(|_| store.commit_draft(draft(now(), &[1])));
    let refusals = (0..20).map(|number| drop_draft(store, DraftId(1_000 + number)));
    let (ids, errors) = futures_util::future::join(
        futures_util::future::join_all(drafts),
        futures_util::future::join_all(refusals),
    )
    .await;
    let mut ids: Vec<u64> = ids.into_iter().map(|id| id.unwrap().0).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    assert!(errors.iter().all(|error| matches!(error, Err(StoreError::Missing { .. }))));
    assert_eq!(store.lease_drafts(now(), 100).await.unwrap().len(), 20);
}

fn drop_draft(store: &dyn Store, draft: DraftId) -> Reply<'_, ()> {
    store.give_up_drafts(vec![draft], "nobody is to get it".into(), None)
}

async fn a_dropped_draft_is_gone(home: &mut Home) {
    let store = home.store();
    let id = store.commit_draft(draft(now(), &[1])).await.unwrap();
    drop_draft(store, id).await.unwrap();
    assert_eq!(store.lease_drafts(now(), 10).await.unwrap(), vec![]);
    assert!(matches!(drop_draft(store, id).await, Err(StoreError::Missing { .. })));
}

// ── floods ──────────────────────────────────────────────────────────────────────────────────────

async fn flooded(store: &dyn Store) {
    store.commit_draft(held_draft("blog", &[1, 2, 3])).await.unwrap();
    store.commit_draft(held_draft("blog", &[4])).await.unwrap();
    store.commit_draft(held_draft("shop", &[5])).await.unwrap();
}

fn items_of(content: &Content) -> Vec<u8> {
    match content {
        Content::Items { items, .. } => items.iter().map(|told| told.item.0[0]).collect(),
        Content::OneOff { .. } | Content::Correction { .. } => vec![],
    }
}

async fn a_released_flood_is_due_now(home: &mut Home) {
    let store = home.store();
    flooded(store).await;
    let later = now() + seconds(50);
    let touched = store.commit_flood(&name("blog"), FloodWord::Release, later).await.unwrap();
    assert_eq!(touched, 2);
    let due = store.lease_drafts(later, 10).await.unwrap();
    assert_eq!(
        due.iter().map(|d| items_of(&d.content)).collect::<Vec<_>>(),
        [vec![1, 2, 3], vec![4]]
    );
    assert!(due.iter().all(|draft| draft.held.is_none() && draft.due_at == later));
    assert_eq!(store.load_held_drafts().await.unwrap().len(), 1);
}

async fn of_a_flood_only_the_newest_are_sent(home: &mut Home) {
    let store = home.store();
    flooded(store).await;
    store.commit_flood(&name("blog"), FloodWord::Newest(2), now()).await.unwrap();
    let due = store.lease_drafts(now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|d| items_of(&d.content)).collect::<Vec<_>>(), [vec![2, 3], vec![4]]);
}

async fn a_flood_taken_as_known_sends_nothing(home: &mut Home) {
    let store = home.store();
    flooded(store).await;
    let touched = store.commit_flood(&name("blog"), FloodWord::Known, now()).await.unwrap();
    assert_eq!(touched, 2);
    assert_eq!(store.lease_drafts(now() + DAY, 10).await.unwrap(), vec![]);
    assert_eq!(store.load_held_drafts().await.unwrap().len(), 1);
    assert_eq!(store.commit_flood(&name("none"), FloodWord::Known, now()).await.unwrap(), 0);
}

// ── deliver ─────────────────────────────────────────────────────────────────────────────────────

/// A post that tells item 1 and may be corrected for a day.
fn correctable(title: &str) -> Post {
    let state = Corrections::new(vec![told(1)], now() + DAY);
    Post { corrections: Some(Box::new(state)), ..post(title) }
}

/// The receipt of a delivery that arrived as the message of that id.
fn arrived(claim: &Claim, id: i64) -> Receipt {
    let Work::Delivery { revision, .. } = claim.work else { panic!("an answer") };
    let messages = vec![KeptMessage { id, is_media: false, begins: true }];
    Receipt { kept: Some(Kept { revision, messages }), ..done(claim, Outcome::Sent) }
}

/// A poll at that time that says so.
fn correcting(corrections: Vec<Correction>, at: Timestamp) -> PollCommit {
    let mut poll = PollCommit { corrections, ..poll("blog") };
    poll.state.polled_at = Some(at);
    poll
}

fn edited(number: u8) -> Correction {
    Correction::Edited(Box::new(Item { title: "Right".into(), ..item(number) }))
}

/// Corrects the post by way of a draft.
async fn correct(store: &dyn Store, id: PostId, is_taken_back: bool) {
    store.commit_poll(correcting(vec![edited(1)], now())).await.unwrap();
    let due = store.lease_drafts(now(), 10).await.unwrap();
    let [draft] = &due[..] else { panic!("{due:?}") };
    assert_eq!(draft.content, Content::Correction { post: id, retracted: vec![] });
    let commit = CorrectionCommit {
        draft: draft.id,
        post: id,
        title: "right".into(),
        bodies: post("right").bodies,
        personal: None,
        cards: vec![card("right")],
        has_new_media: false,
        retracted: vec![],
        is_taken_back,
        is_deleted: false,
        now: now(),
    };
    assert_eq!(store.commit_correction(commit).await.unwrap(), [name("bot")]);
}

async fn corrections(store: &dyn Store, id: PostId) -> Corrections {
    *store.load_post(id).await.unwrap().unwrap().corrections.unwrap()
}

/// The places and messages of those who are behind.
async fn behind(store: &dyn Store, after: Option<EditAt>, limit: usize) -> Vec<(u16, i64)> {
    let claims = store.lease_edits(&name("bot"), after, limit).await.unwrap();
    claims.iter().map(|claim| (claim.at.index, claim.kept.messages[0].id)).collect()
}

async fn a_correction_drafts_the_posts_whose_window_is_open(home: &mut Home) {
    let store = home.store();
    let open = post_to(store, "bot", 1, correctable("open")).await;
    post_to(store, "bot", 1, post("never corrected")).await;
    let both = vec![edited(1), Correction::Retracted(ItemId([1; 16])), edited(2)];
    store.commit_poll(correcting(both, now())).await.unwrap();
    let due = store.lease_drafts(now(), 10).await.unwrap();
    let retracted = vec![ItemId([1; 16])];
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].content, Content::Correction { post: open, retracted });
    drop_draft(store, due[0].id).await.unwrap();
    store.commit_poll(correcting(vec![edited(1)], now() + DAY)).await.unwrap();
    assert_eq!(store.lease_drafts(now() + 9 * DAY, 10).await.unwrap(), vec![]);
}

async fn an_item_is_withdrawn_or_brought_up_to_date_before_it_is_sent(home: &mut Home) {
    let store = home.store();
    let drafted = draft(now() + DAY, &[1, 2]);
    let first = PollCommit { items: vec![item(1), item(2)], drafts: vec![drafted], ..poll("blog") };
    store.commit_poll(first).await.unwrap();
    let changes = vec![edited(1), Correction::Retracted(ItemId([2; 16])), edited(3)];
    store.commit_poll(correcting(changes, now())).await.unwrap();
    let ids = [1, 2, 3].map(|number| ItemId([number; 16]));
    let items = store.load_items(&ids).await.unwrap();
    assert_eq!(items, [Item { title: "Right".into(), ..item(1) }]);
}

async fn whoever_has_an_older_revision_is_edited(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 4, correctable("a")).await;
    let claims = advance(store, "bot", vec![], 3).await;
    let mut receipts: Vec<_> = claims.iter().zip(10..).map(|(c, id)| arrived(c, id)).collect();
    receipts[1] = done(&claims[1], Outcome::Failed(Reason::Blocked));
    advance(store, "bot", receipts, 0).await;
    assert_eq!(behind(store, None, 9).await, []);
    correct(store, id, false).await;
    // Who still waits gets the new words, and is behind nothing.
    let late = advance(store, "bot", vec![], 9).await;
    assert!(matches!(late[0].work, Work::Delivery { revision: 1, .. }), "{late:?}");
    advance(store, "bot", vec![arrived(&late[0], 13)], 0).await;
    let post = store.load_post(id).await.unwrap().unwrap();
    assert_eq!((post.title.as_str(), &post.cards), ("right", &vec![card("right")]));

    home.reopen();
    let store = home.store();
    assert_eq!(behind(store, None, 9).await, [(0, 10), (2, 12)]);
    let first = store.lease_edits(&name("bot"), None, 1).await.unwrap().remove(0);
    assert_eq!(behind(store, Some(first.at), 9).await, [(2, 12)]);
    let kept = Kept { revision: 1, ..first.kept.clone() };
    let end = EditEnd::Done { kept, is_refused: false };
    let receipt = EditReceipt { at: first.at, end, standing: None };
    store.commit_edits(&name("bot"), vec![receipt]).await.unwrap();
    assert_eq!(behind(store, None, 9).await, [(2, 12)]);
    let gone = EditReceipt {
        at: EditAt { index: 2, ..first.at },
        end: EditEnd::GivenUp,
        standing: Some(Standing::Blocked),
    };
    store.commit_edits(&name("bot"), vec![gone]).await.unwrap();
    assert_eq!(behind(store, None, 9).await, []);
    let state = corrections(store, id).await;
    assert_eq!((state.revision, state.wanted, state.edited, state.given_up), (1, 2, 1, 1));

    correct(store, id, false).await;
    assert_eq!(behind(store, None, 9).await, [(0, 10), (3, 13)]);
    store.stop_edits(id, 1, "an older one".into()).await.unwrap();
    assert_eq!(behind(store, None, 9).await.len(), 2);
    store.stop_edits(id, 2, "refused".into()).await.unwrap();
    assert_eq!(behind(store, None, 9).await, []);
    let who = store.load_corrected(&name("news"), &[ItemId([1; 16])], &name("bot"), now()).await;
    assert_eq!(who.unwrap().into_iter().collect::<Vec<_>>(), [0, 3]);
}

async fn what_was_on_its_way_at_a_correction_is_edited_after_it(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2, correctable("a")).await;
    let claims = advance(store, "bot", vec![], 2).await;
    correct(store, id, false).await;
    assert_eq!(behind(store, None, 9).await, []);
    // One comes back in two parts, the other as a whole.
    let part = Receipt { settled: Settled::Returned { part: 1 }, ..arrived(&claims[0], 10) };
    advance(store, "bot", vec![part, arrived(&claims[1], 12)], 0).await;
    let again = advance(store, "bot", vec![], 2).await;
    advance(store, "bot", vec![arrived(&again[0], 11)], 0).await;
    assert_eq!(behind(store, None, 9).await, [(0, 10), (1, 12)]);
    let claims = store.lease_edits(&name("bot"), None, 9).await.unwrap();
    let ids: Vec<i64> = claims[0].kept.messages.iter().map(|message| message.id).collect();
    assert_eq!(ids, [10, 11]);
    assert_eq!(corrections(store, id).await.wanted, 2);
}

async fn what_is_taken_back_reaches_nobody_who_waits(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 3, correctable("a")).await;
    let claims = advance(store, "bot", vec![], 2).await;
    let receipts = vec![arrived(&claims[0], 10), done(&claims[1], Outcome::Held)];
    advance(store, "bot", receipts, 0).await;
    correct(store, id, true).await;
    let counts = counts(store, id).await;
    assert_eq!((counts.sent, counts.skipped, counts.held, counts.waiting), (1, 2, 0, 0));
    assert_eq!(behind(store, None, 9).await, [(0, 10)]);
}

async fn messages_are_forgotten_with_their_window(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 1, correctable("a")).await;
    let claims = advance(store, "bot", vec![], 1).await;
    advance(store, "bot", vec![arrived(&claims[0], 10)], 0).await;
    correct(store, id, false).await;
    store.prune(now() + DAY).await.unwrap();
    assert_eq!(behind(store, None, 9).await.len(), 1, "the edits of the last minute go on");
    assert!(store.prune(now() + 2 * DAY).await.unwrap() >= 2);
    assert_eq!(behind(store, None, 9).await, []);
    let state = corrections(store, id).await;
    assert_eq!((state.items.len(), state.revision), (0, 1));
    store.commit_poll(correcting(vec![edited(1)], now())).await.unwrap();
    assert_eq!(store.lease_drafts(now() + 9 * DAY, 10).await.unwrap(), vec![]);
}

fn place(claim: &Claim) -> (PostId, u16) {
    match &claim.work {
        Work::Delivery { post, index, .. } => (*post, *index),
        Work::Answer { .. } => panic!("an answer"),
    }
}

async fn claims_come_in_order_and_are_in_flight(home: &mut Home) {
    let id = post_to(home.store(), "bot", 5, post("hello")).await;
    let claims = advance(home.store(), "bot", vec![], 3).await;
    assert_eq!(claims.iter().map(|claim| claim.recipient.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(claims.iter().map(|claim| claim.ticket.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(claims[1].recipient.address, "1001");
    assert_eq!(claims[1].recipient.language.as_deref(), Some("en"));
    assert_eq!(place(&claims[2]), (id, 2));
    // Durable before it is handed out.
    home.reopen();
    let expected = Counts { planned: 5, waiting: 2, in_flight: 3, ..Counts::default() };
    assert_eq!(counts(home.store(), id).await, expected);
    assert_eq!(advance(home.store(), "bot", vec![], 10).await.len(), 2);
    assert_eq!(advance(home.store(), "bot", vec![], 10).await, vec![]);
    assert_eq!(advance(home.store(), "page", vec![], 10).await, vec![]);
}

async fn a_post_to_nobody_is_finished(home: &mut Home) {
    let store = home.store();
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences: vec![] };
    let id = store.commit_post(commit).await.unwrap();
    assert!(counts(store, id).await.is_finished());
    assert_eq!(store.load_status().await.unwrap().unfinished_posts, 0);
}

async fn every_outcome_is_counted_and_shown(home: &mut Home) {
    let store = home.store();
    let ends = [
        Outcome::Sent,
        Outcome::Held,
        Outcome::Uncertain,
        Outcome::Failed(Reason::Blocked),
        Outcome::Failed(Reason::Refused),
        Outcome::Skipped(Reason::PostStopped),
    ];
    let id = post_to(store, "bot", ends.len(), post("hello")).await;
    let claims = advance(store, "bot", vec![], 100).await;
    let receipts = claims.iter().zip(ends).map(|(claim, end)| done(claim, end)).collect();
    assert_eq!(advance(store, "bot", receipts, 100).await, vec![]);
    let expected = Counts {
        planned: 6,
        sent: 1,
        held: 1,
        uncertain: 1,
        failed: 2,
        skipped: 1,
        ..Counts::default()
    };
    assert_eq!(counts(store, id).await, expected);
    let outcomes = store.load_outcomes(id, &name("bot")).await.unwrap();
    assert_eq!(outcomes, (0..).zip(ends).collect::<Vec<_>>());
}

async fn posts_take_fair_turns(home: &mut Home) {
    let store = home.store();
    let one = post_to(store, "bot", 2_500, post("one")).await;
    let two = post_to(store, "bot", 2_500, post("two")).await;
    let claims = advance(store, "bot", vec![], 96).await;
    let of = |id| claims.iter().filter(|claim| place(claim).0 == id).count();
    assert_eq!((of(one), of(two)), (64, 32));
    // The next call goes on with the other one.
    let claims = advance(store, "bot", vec![], 32).await;
    assert!(claims.iter().all(|claim| place(claim).0 == two));

    // Both end, over several batches, with everybody claimed once.
    let rest = advance(store, "bot", vec![], 10_000).await;
    assert_eq!(rest.len(), 5_000 - 128);
    let mut seen: Vec<(PostId, u32)> =
        rest.iter().map(|claim| (place(claim).0, claim.recipient.number)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), rest.len());
    assert_eq!(counts(store, one).await.in_flight, 2_500);
}

async fn a_returned_delivery_waits_again_with_its_part(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 3, post("hello")).await;
    let claims = advance(store, "bot", vec![], 3).await;
    let receipts = vec![done(&claims[0], Outcome::Sent), returned(&claims[1], 2)];
    let again = advance(store, "bot", receipts, 10).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].recipient.number, again[0].part), (1, 2));
    assert_ne!(again[0].ticket, claims[1].ticket);
    // The part is the receipt's, not the one that was known before.
    let again = advance(store, "bot", vec![returned(&again[0], 0)], 10).await;
    assert_eq!((again[0].recipient.number, again[0].part), (1, 0));
    let expected = Counts { planned: 3, sent: 1, in_flight: 2, ..Counts::default() };
    assert_eq!(counts(store, id).await, expected);
}

async fn who_left_is_skipped_at_the_claim(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 4, post("hello")).await;
    for (address, standing) in
        [("1000", Standing::Stopped), ("1001", Standing::Blocked), ("1003", Standing::Gone)]
    {
        let after = Subscriber { standing, ..person(address, &["news"]) };
        converse(store, address, Some(after), vec![]).await;
    }
    let claims = advance(store, "bot", vec![], 10).await;
    assert_eq!(claims.iter().map(|claim| claim.recipient.number).collect::<Vec<_>>(), [2]);
    let outcomes = store.load_outcomes(id, &name("bot")).await.unwrap();
    // Each for what is known of them.
    let why: Vec<Outcome> = [0, 1, 3].map(|at: usize| outcomes[at].1).to_vec();
    let expected = [Reason::Unsubscribed, Reason::Blocked, Reason::NotFound];
    assert_eq!(why, expected.map(Outcome::Skipped));
    assert_eq!(counts(store, id).await.skipped, 3);
}

async fn an_audience_that_left_as_a_whole_is_skipped_to_its_end(home: &mut Home) {
    let store = home.store();
    // Numbers without a record count as people who left.
    let audiences = vec![(name("bot"), (0..20_000).collect())];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    let id = store.commit_post(commit).await.unwrap();
    assert_eq!(advance(store, "bot", vec![], 10).await, vec![]);
    let expected = Counts { planned: 20_000, skipped: 20_000, ..Counts::default() };
    assert_eq!(counts(store, id).await, expected);
}

async fn a_stopped_post_skips_all_that_wait(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2_000, post("hello")).await;
    let claims = advance(store, "bot", vec![], 3).await;
    store.stop_post(id, "five refusals".into()).await.unwrap();
    store.stop_post(id, "again".into()).await.unwrap();
    let receipts = vec![done(&claims[0], Outcome::Sent), returned(&claims[1], 0)];
    assert_eq!(advance(store, "bot", receipts, 10).await, vec![]);
    let kept = store.load_post(id).await.unwrap().unwrap();
    assert_eq!(kept.stopped.as_deref(), Some("five refusals"));
    let expected =
        Counts { planned: 2_000, sent: 1, in_flight: 1, skipped: 1_998, ..Counts::default() };
    assert_eq!(kept.counts, expected);
    let error = store.stop_post(PostId(99), String::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
}

async fn a_receipt_for_a_strange_ticket_is_ignored(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2, post("hello")).await;
    let claims = advance(store, "bot", vec![], 2).await;
    let sent = done(&claims[0], Outcome::Sent);
    let mut strange = done(&claims[0], Outcome::Sent);
    strange.ticket = Ticket(999);
    let twice = done(&claims[0], Outcome::Failed(Reason::Refused));
    advance(store, "bot", vec![sent, strange, twice], 0).await;
    let expected = Counts { planned: 2, sent: 1, in_flight: 1, ..Counts::default() };
    assert_eq!(counts(store, id).await, expected);
}

async fn a_receipt_that_ends_nothing_is_ignored(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2, post("hello")).await;
    let claims = advance(store, "bot", vec![], 2).await;
    let receipts = vec![done(&claims[0], Outcome::Waiting), done(&claims[1], Outcome::InFlight)];
    assert_eq!(advance(store, "bot", receipts, 10).await, vec![]);
    assert_eq!(counts(store, id).await.in_flight, 2);
}

async fn a_receipt_changes_the_subscriber(home: &mut Home) {
    let store = home.store();
    let mut first = people(3);
    first[2].window_until = Some(now() + DAY);
    store.import_subscribers(&name("bot"), first).await.unwrap();
    post_to(store, "bot", 0, post("hello")).await;
    let claims = advance(store, "bot", vec![], 3).await;
    let mut blocked = done(&claims[0], Outcome::Failed(Reason::Blocked));
    blocked.standing = Some(Standing::Blocked);
    let mut moved = done(&claims[1], Outcome::Sent);
    moved.moved_to = Some("-1009".into());
    let mut closed = done(&claims[2], Outcome::Held);
    closed.window_closed = true;
    advance(store, "bot", vec![blocked, moved, closed], 0).await;

    let people = store.load_subscribers(&name("bot")).await.unwrap();
    assert_eq!(people[0].standing, Standing::Blocked);
    assert_eq!(people[1].address, "-1009");
    assert_eq!(people[2].window_until, None);
    assert_eq!(store.load_subscriber(&name("bot"), "1001").await.unwrap(), None);
    let found = store.load_subscriber(&name("bot"), "-1009").await.unwrap();
    assert_eq!(found.as_ref(), Some(&people[1]));
    assert_eq!(store.load_audience(&name("bot"), &[]).await.unwrap(), [1, 2]);
}

async fn who_asked_us_to_stop_stays_stopped(home: &mut Home) {
    let store = home.store();
    post_to(store, "bot", 1, post("hello")).await;
    let claims = advance(store, "bot", vec![], 1).await;
    let stops = Subscriber { standing: Standing::Stopped, ..person("1000", &["news"]) };
    converse(store, "1000", Some(stops), vec![]).await;
    let mut blocked = done(&claims[0], Outcome::Failed(Reason::Blocked));
    blocked.standing = Some(Standing::Blocked);
    advance(store, "bot", vec![blocked], 0).await;
    let person = store.load_subscriber(&name("bot"), "1000").await.unwrap().unwrap();
    assert_eq!(person.standing, Standing::Stopped);
}

async fn a_chat_that_moves_onto_a_known_address_is_gone(home: &mut Home) {
    let store = home.store();
    post_to(store, "bot", 2, post("hello")).await;
    let claims = advance(store, "bot", vec![], 1).await;
    let mut moved = done(&claims[0], Outcome::Sent);
    moved.moved_to = Some("1001".into());
    advance(store, "bot", vec![moved], 0).await;
    let people = store.load_subscribers(&name("bot")).await.unwrap();
    assert_eq!((people[0].address.as_str(), people[0].standing), ("1000", Standing::Gone));
    let there = store.load_subscriber(&name("bot"), "1001").await.unwrap().unwrap();
    assert_eq!(there.number, 1);
}

async fn the_newest_errors_are_kept_once(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 12, post("hello")).await;
    let claims = advance(store, "bot", vec![], 12).await;
    let receipts = claims
        .iter()
        .enumerate()
        .map(|(at, claim)| {
            let mut receipt = done(claim, Outcome::Failed(Reason::Refused));
            receipt.error = Some(if at == 11 { "error 8".into() } else { format!("error {at}") });
            receipt
        })
        .collect();
    advance(store, "bot", receipts, 0).await;
    let errors = store.load_post(id).await.unwrap().unwrap().errors;
    let expected = [8, 10, 9, 7, 6, 5, 4, 3].map(|number| format!("error {number}"));
    assert_eq!(errors, expected);
}

async fn the_channel_state_is_kept(home: &mut Home) {
    let state = ChannelState { quiet_until: Some(now() + DAY), paused: Some("401".into()) };
    home.store().commit_channel(&name("bot"), state.clone()).await.unwrap();
    home.reopen();
    assert_eq!(home.store().load_channel(&name("bot")).await.unwrap(), state);
}

async fn media_are_kept_by_channel_until_they_are_forgotten_or_of_no_use(home: &mut Home) {
    let medium = |id: &str, used_at| KeptMedium {
        id: id.to_owned(),
        form: Form::Picture,
        content: Some(MediaKey([9; 16])),
        kept_at: now(),
        used_at,
    };
    let (bot, page) = (name("bot"), name("page"));
    let keys = [1, 2, 3].map(|at| MediaKey([at; 16]));
    let of = async |home: &Home, channel: &Name| {
        let kept = home.store().load_media(channel, &keys).await.unwrap();
        kept.into_iter().map(|one| one.map(|one| one.id)).collect::<Vec<_>>()
    };
    let some = |id: &str| Some(id.to_owned());
    let keep = vec![
        (keys[2], Some(medium("c", now()))),
        (keys[0], Some(medium("a", now()))),
        (keys[0], Some(medium("b", now() + DAY))),
    ];
    home.store().commit_media(&bot, keep).await.unwrap();
    assert_eq!(of(home, &bot).await, [some("b"), None, some("c")], "the last word counts");
    assert_eq!(of(home, &page).await, [None, None, None], "ids are a channel's own");
    home.reopen();
    let whole = home.store().load_media(&bot, &keys[..1]).await.unwrap();
    assert_eq!(whole, [Some(medium("b", now() + DAY))]);

    // Nothing is forgotten early, and what was forgotten leaves nothing to be pruned.
    assert_eq!(home.store().prune(now() + 89 * DAY).await.unwrap(), 0);
    home.store().commit_media(&bot, vec![(keys[2], None), (keys[1], None)]).await.unwrap();
    assert_eq!(of(home, &bot).await, [some("b"), None, None]);
    assert_eq!(home.store().prune(now() + 91 * DAY).await.unwrap(), 0, "it was of use a day later");
    assert_eq!(home.store().prune(now() + 92 * DAY).await.unwrap(), 1);
    assert_eq!(of(home, &bot).await, [None, None, None]);
}

// ── answers and what is held ────────────────────────────────────────────────────────────────────

/// One event of the address on `bot` and what follows from it.
async fn converse(
    store: &dyn Store,
    address: &str,
    subscriber: Option<Subscriber>,
    answers: Vec<&str>,
) {
    let turn = turn(store, "bot", address).await;
    let answers = answers.into_iter().map(answer).collect();
    store.commit_conversation(ConversationCommit { subscriber, answers, ..turn }).await.unwrap();
}

/// A new event of the address and a turn without consequences for it.
async fn turn(store: &dyn Store, channel: &str, address: &str) -> ConversationCommit {
    static IDS: AtomicU64 = AtomicU64::new(0);
    let id = format!("turn-{}", IDS.fetch_add(1, Ordering::Relaxed));
    store.commit_events(vec![event(channel, &id, address)], None, now()).await.unwrap();
    let (number, _) = store.lease_events(10_000).await.unwrap().pop().unwrap();
    ConversationCommit {
        event: number,
        channel: name(channel),
        subscriber: None,
        consent: None,
        answers: vec![],
        releases_held: false,
    }
}

/// The words of an answer, or what it carries.
fn words(claim: &Claim) -> String {
    match &claim.work {
        Work::Delivery { .. } => panic!("a delivery"),
        Work::Answer { answer, .. } => match &answer.message.modules[..] {
            [Module::Text { text, .. }] => text.plain(),
            [Module::Cards(cards)] => {
                cards.iter().map(|card| card.title.as_str()).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        },
    }
}

async fn answers_come_first_and_one_at_a_time_for_each_person(home: &mut Home) {
    let store = home.store();
    post_to(store, "bot", 2, post("hello")).await;
    converse(store, "1000", None, vec!["a1", "a2"]).await;
    converse(store, "1001", None, vec!["b1"]).await;
    let claims = advance(store, "bot", vec![], 3).await;
    assert_eq!([words(&claims[0]), words(&claims[1])], ["a1", "b1"]);
    assert_eq!(claims[0].recipient.number, 0);
    assert!(matches!(claims[2].work, Work::Delivery { .. }));
    // The second one to the same person comes when the first is settled.
    let next = advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 1).await;
    assert_eq!(words(&next[0]), "a2");
    let status = store.load_status().await.unwrap();
    assert_eq!(status.channels[0].answers, 2);
    let receipts = vec![done(&next[0], Outcome::Sent), done(&claims[1], Outcome::Sent)];
    advance(store, "bot", receipts, 0).await;
    assert_eq!(store.load_status().await.unwrap().channels[0].answers, 0);
}

async fn an_answer_that_was_returned_comes_again_with_its_part(home: &mut Home) {
    let store = home.store();
    converse(store, "1", Some(person("1", &[])), vec!["one", "two"]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(claims.len(), 1);
    let again = advance(store, "bot", vec![returned(&claims[0], 1)], 5).await;
    assert_eq!(again.len(), 1);
    assert_eq!((words(&again[0]).as_str(), again[0].part), ("one", 1));
}

async fn an_answer_finds_somebody_without_a_record(home: &mut Home) {
    let store = home.store();
    converse(store, "55", None, vec!["who are you"]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(claims[0].recipient.address, "55");
    assert_eq!(claims[0].recipient.language.as_deref(), Some("en"));
    advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 0).await;
    assert_eq!(store.load_subscriber(&name("bot"), "55").await.unwrap(), None);
}

/// That many posts, each held for the one subscriber of `bot`, whose address is `1000`.
async fn held_posts(store: &dyn Store, titles: &[&str], on_uncertain: OnUncertain) -> Vec<PostId> {
    let mut ids = Vec::new();
    for title in titles {
        let post = tidings::model::post::Post { on_uncertain, ..post(title) };
        ids.push(post_to(store, "bot", 1, post).await);
        let claims = advance(store, "bot", vec![], 1).await;
        advance(store, "bot", vec![done(&claims[0], Outcome::Held)], 0).await;
    }
    ids
}

async fn release(store: &dyn Store, answers: Vec<&str>) {
    let turn = turn(store, "bot", "1000").await;
    let answers = answers.into_iter().map(answer).collect();
    store
        .commit_conversation(ConversationCommit { answers, releases_held: true, ..turn })
        .await
        .unwrap();
}

async fn outcome(store: &dyn Store, post: PostId) -> Outcome {
    store.load_outcomes(post, &name("bot")).await.unwrap()[0].1
}

async fn what_was_held_comes_as_one_carousel_newest_first(home: &mut Home) {
    let store = home.store();
    let ids = held_posts(store, &["one", "two", "three"], OnUncertain::Skip).await;
    release(store, vec!["welcome back"]).await;
    // A second contact before it is sent does not double it.
    release(store, vec![]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(words(&claims[0]), "welcome back");
    let claims = advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 5).await;
    assert_eq!(claims.len(), 1);
    assert_eq!(words(&claims[0]), "three two one");
    assert_eq!(outcome(store, ids[0]).await, Outcome::Held);
    assert_eq!(advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 5).await, vec![]);
    for id in ids {
        assert_eq!(outcome(store, id).await, Outcome::Sent);
        assert_eq!(counts(store, id).await, Counts { planned: 1, sent: 1, ..Counts::default() });
    }
    release(store, vec![]).await;
    assert_eq!(advance(store, "bot", vec![], 5).await, vec![]);
}

async fn a_carousel_that_failed_leaves_all_held(home: &mut Home) {
    let store = home.store();
    let ids = held_posts(store, &["one", "two"], OnUncertain::Skip).await;
    for end in [Outcome::Held, Outcome::Sent] {
        assert_eq!(outcome(store, ids[0]).await, Outcome::Held);
        release(store, vec![]).await;
        let claims = advance(store, "bot", vec![], 5).await;
        assert_eq!(words(&claims[0]), "two one");
        advance(store, "bot", vec![done(&claims[0], end)], 0).await;
    }
    assert_eq!(outcome(store, ids[1]).await, Outcome::Sent);
}

async fn an_uncertain_carousel_follows_each_post(home: &mut Home) {
    let store = home.store();
    let skip = held_posts(store, &["skip"], OnUncertain::Skip).await[0];
    let resend = held_posts(store, &["resend"], OnUncertain::Resend).await[0];
    release(store, vec![]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    advance(store, "bot", vec![done(&claims[0], Outcome::Uncertain)], 0).await;
    assert_eq!(outcome(store, skip).await, Outcome::Uncertain);
    assert_eq!(outcome(store, resend).await, Outcome::Held);
    release(store, vec![]).await;
    assert_eq!(words(&advance(store, "bot", vec![], 5).await[0]), "resend");
}

async fn a_carousel_holds_no_more_than_its_cards(home: &mut Home) {
    let store = home.store();
    let titles: Vec<String> = (0..12).map(|number| format!("p{number}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let ids = held_posts(store, &titles, OnUncertain::Skip).await;
    release(store, vec![]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(words(&claims[0]), "p11 p10 p9 p8 p7 p6 p5 p4 p3 p2");
    assert_eq!(outcome(store, ids[1]).await, Outcome::Skipped(Reason::Superseded));
    assert_eq!(outcome(store, ids[2]).await, Outcome::Held);
}

async fn held_deliveries_of_a_stopped_post_are_skipped(home: &mut Home) {
    let store = home.store();
    let ids = held_posts(store, &["one", "two"], OnUncertain::Skip).await;
    store.stop_post(ids[0], "wrong".into()).await.unwrap();
    release(store, vec![]).await;
    assert_eq!(words(&advance(store, "bot", vec![], 5).await[0]), "two");
    assert_eq!(outcome(store, ids[0]).await, Outcome::Skipped(Reason::PostStopped));
}

async fn who_stopped_gets_no_carousel(home: &mut Home) {
    let store = home.store();
    let ids = held_posts(store, &["one"], OnUncertain::Skip).await;
    release(store, vec![]).await;
    let stops = Subscriber { standing: Standing::Stopped, ..person("1000", &["news"]) };
    converse(store, "1000", Some(stops), vec!["goodbye"]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(claims.iter().map(words).collect::<Vec<_>>(), ["goodbye"]);
    assert_eq!(outcome(store, ids[0]).await, Outcome::Held);
}

// ── rescue ──────────────────────────────────────────────────────────────────────────────────────

/// Four recipients: all claimed, none settled, and the program gone.
async fn crashed(home: &mut Home, on_uncertain: OnUncertain) -> (PostId, Vec<Claim>) {
    let post = tidings::model::post::Post { on_uncertain, ..post("hello") };
    let id = post_to(home.store(), "bot", 4, post).await;
    let claims = advance(home.store(), "bot", vec![], 4).await;
    home.reopen();
    (id, claims)
}

async fn rescue_returns_what_was_never_begun(home: &mut Home) {
    let (id, _) = crashed(home, OnUncertain::Skip).await;
    let wire = Wire { is_trusted: true, ..Wire::default() };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { returned: 4, ..Rescued::default() });
    assert_eq!(counts(home.store(), id).await.waiting, 4);
    assert_eq!(advance(home.store(), "bot", vec![], 9).await.len(), 4);
}

async fn rescue_makes_uncertain_what_was_begun(home: &mut Home) {
    let (id, claims) = crashed(home, OnUncertain::Skip).await;
    let started = vec![(claims[1].ticket, 0), (claims[2].ticket, 0), (Ticket(555), 0)];
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { returned: 2, uncertain: 2, ..Rescued::default() });
    let expected = Counts { planned: 4, waiting: 2, uncertain: 2, ..Counts::default() };
    assert_eq!(counts(home.store(), id).await, expected);
}

async fn rescue_sends_again_where_the_post_says_so(home: &mut Home) {
    let (id, claims) = crashed(home, OnUncertain::Resend).await;
    let started = vec![(claims[1].ticket, 0), (claims[1].ticket, 1)];
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { returned: 3, resent: 1, ..Rescued::default() });
    assert_eq!(counts(home.store(), id).await.waiting, 4);
    let again = advance(home.store(), "bot", vec![], 9).await;
    // Part 1 was begun, so part 0 had been accepted.
    assert_eq!(again.iter().map(|claim| claim.part).collect::<Vec<_>>(), [0, 1, 0, 0]);
}

async fn rescue_trusts_no_journal_of_another_boot(home: &mut Home) {
    let (id, claims) = crashed(home, OnUncertain::Skip).await;
    let started = vec![(claims[0].ticket, 0)];
    let receipts = vec![done(&claims[0], Outcome::Sent)];
    let wire = Wire { is_trusted: false, started, receipts, parts: vec![] };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { settled: 1, uncertain: 3, ..Rescued::default() });
    assert_eq!(counts(home.store(), id).await.uncertain, 3);
}

async fn rescue_applies_receipts_first(home: &mut Home) {
    let (id, claims) = crashed(home, OnUncertain::Skip).await;
    let started = claims.iter().map(|claim| (claim.ticket, 0)).collect();
    let mut blocked = done(&claims[2], Outcome::Failed(Reason::Blocked));
    blocked.standing = Some(Standing::Blocked);
    let receipts = vec![done(&claims[0], Outcome::Sent), returned(&claims[1], 0), blocked];
    let wire = Wire { is_trusted: true, started, receipts, parts: vec![] };
    let rescued = home.store().rescue(wire.clone()).await.unwrap();
    assert_eq!(rescued, Rescued { settled: 3, uncertain: 1, ..Rescued::default() });
    // A second crash finds the same journal again and nothing more to do.
    home.reopen();
    assert_eq!(home.store().rescue(wire).await.unwrap(), Rescued::default());
    let expected =
        Counts { planned: 4, waiting: 1, sent: 1, failed: 1, uncertain: 1, ..Counts::default() };
    assert_eq!(counts(home.store(), id).await, expected);
    let person = home.store().load_subscriber(&name("bot"), "1002").await.unwrap().unwrap();
    assert_eq!(person.standing, Standing::Blocked);
}

async fn rescue_drops_answers_that_were_begun(home: &mut Home) {
    let ids = held_posts(home.store(), &["one"], OnUncertain::Skip).await;
    converse(home.store(), "1", Some(person("1", &[])), vec!["begun", "after it"]).await;
    converse(home.store(), "2", Some(person("2", &[])), vec!["not begun"]).await;
    release(home.store(), vec![]).await;
    let claims = advance(home.store(), "bot", vec![], 9).await;
    let all: Vec<String> = claims.iter().map(words).collect();
    assert_eq!(all, ["begun", "not begun", "one"]);
    home.reopen();
    let started = vec![(claims[0].ticket, 0), (claims[2].ticket, 0)];
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { returned: 1, uncertain: 2, ..Rescued::default() });
    let claims = advance(home.store(), "bot", vec![], 9).await;
    let all: Vec<String> = claims.iter().map(words).collect();
    assert_eq!(all, ["after it", "not begun"]);
    assert_eq!(outcome(home.store(), ids[0]).await, Outcome::Uncertain);
}

// ── converse ────────────────────────────────────────────────────────────────────────────────────

async fn events_are_kept_once(home: &mut Home) {
    let store = home.store();
    let events = vec![event("bot", "1", "9"), event("bot", "2", "9"), event("bot", "1", "9")];
    assert_eq!(store.commit_events(events.clone(), None, now()).await.unwrap(), 2);
    assert_eq!(store.commit_events(events.clone(), None, now() + DAY).await.unwrap(), 0);
    let other = vec![event("page", "1", "9")];
    assert_eq!(store.commit_events(other, None, now()).await.unwrap(), 1);
    let leased = store.lease_events(2).await.unwrap();
    assert_eq!(leased, vec![(1, events[0].clone()), (2, events[1].clone())]);
    assert_eq!(store.lease_events(10).await.unwrap().len(), 3);
}

async fn an_event_id_counts_again_after_72_hours(home: &mut Home) {
    let store = home.store();
    let again = |at: Timestamp| store.commit_events(vec![event("bot", "1", "9")], None, at);
    assert_eq!(again(now()).await.unwrap(), 1);
    assert_eq!(again(now() + 3 * DAY - seconds(1)).await.unwrap(), 0);
    assert_eq!(again(now() + 3 * DAY).await.unwrap(), 1);
    assert_eq!(again(now() + 4 * DAY).await.unwrap(), 0);
}

async fn the_cursor_moves_with_its_events(home: &mut Home) {
    let bot = name("bot");
    let events = vec![event("bot", "41", "9")];
    home.store().commit_events(events, Some((bot.clone(), 42)), now()).await.unwrap();
    home.store().commit_events(vec![], Some((name("two"), -3)), now()).await.unwrap();
    home.reopen();
    assert_eq!(home.store().load_cursor(&bot).await.unwrap(), Some(42));
    assert_eq!(home.store().load_cursor(&name("two")).await.unwrap(), Some(-3));
    assert_eq!(home.store().lease_events(9).await.unwrap().len(), 1);
}

async fn a_new_person_gets_the_next_number(home: &mut Home) {
    let store = home.store();
    for (number, address) in (0..).zip(["30", "10", "20"]) {
        converse(store, address, Some(person(address, &["news"])), vec![]).await;
        let kept = store.load_subscriber(&name("bot"), address).await.unwrap();
        assert_eq!(kept, Some(Subscriber { number, ..person(address, &["news"]) }));
    }
    let all = store.load_subscribers(&name("bot")).await.unwrap();
    assert_eq!(all.iter().map(|p| p.address.as_str()).collect::<Vec<_>>(), ["30", "10", "20"]);
}

async fn a_person_who_is_known_keeps_the_number(home: &mut Home) {
    let store = home.store();
    converse(store, "10", Some(person("10", &["news"])), vec![]).await;
    converse(store, "20", Some(person("20", &["news"])), vec![]).await;
    converse(store, "10", Some(person("10", &["shoes"])), vec![]).await;
    let kept = store.load_subscriber(&name("bot"), "10").await.unwrap().unwrap();
    assert_eq!(kept, Subscriber { number: 0, ..person("10", &["shoes"]) });
    assert_eq!(store.load_subscribers(&name("bot")).await.unwrap().len(), 2);
}

async fn a_conversation_moves_a_person_to_a_new_address(home: &mut Home) {
    let store = home.store();
    converse(store, "10", Some(person("10", &["news"])), vec![]).await;
    converse(store, "10", Some(person("-100", &["news"])), vec![]).await;
    let moved = store.load_subscriber(&name("bot"), "-100").await.unwrap().unwrap();
    assert_eq!(moved.number, 0);
    assert_eq!(store.load_subscriber(&name("bot"), "10").await.unwrap(), None);
    assert_eq!(store.load_subscribers(&name("bot")).await.unwrap().len(), 1);
}

async fn a_conversation_ends_its_event(home: &mut Home) {
    let store = home.store();
    let turn = turn(store, "bot", "10").await;
    let consent =
        Consent { at: now(), number: 0, given: true, way: "start".into(), wording: "00ff".into() };
    let subscriber = Some(person("10", &["news"]));
    let turn = ConversationCommit { subscriber, consent: Some(consent), ..turn };
    store.commit_conversation(turn).await.unwrap();
    assert_eq!(store.lease_events(10).await.unwrap(), vec![]);
    assert_eq!(store.load_status().await.unwrap().events, 0);
}

async fn an_event_is_answered_once(home: &mut Home) {
    let store = home.store();
    let turn = turn(store, "bot", "10").await;
    let turn = ConversationCommit { answers: vec![answer("hi")], ..turn };
    store.commit_conversation(turn.clone()).await.unwrap();
    let error = store.commit_conversation(turn).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    assert_eq!(advance(store, "bot", vec![], 9).await.len(), 1);
}

// ── admin and upkeep ────────────────────────────────────────────────────────────────────────────

async fn an_import_adds_who_is_not_there(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    assert_eq!(store.import_subscribers(&bot, people(3)).await.unwrap(), 3);
    assert_eq!(store.import_subscribers(&bot, people(5)).await.unwrap(), 2);
    let all = store.load_subscribers(&bot).await.unwrap();
    assert_eq!(all.iter().map(|p| p.number).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(store.import_subscribers(&name("page"), people(1)).await.unwrap(), 1);
}

async fn the_status_counts_everything(home: &mut Home) {
    let store = home.store();
    store.commit_poll(poll("blog")).await.unwrap();
    store.commit_draft(draft(now() + DAY, &[1])).await.unwrap();
    store.commit_draft(held_draft("blog", &[1])).await.unwrap();
    store.commit_events(vec![event("bot", "1", "9")], None, now()).await.unwrap();
    post_to(store, "bot", 3, post("one")).await;
    post_to(store, "bot", 3, post("two")).await;
    let claims = advance(store, "bot", vec![], 6).await;
    let one: Vec<_> = claims.iter().filter(|claim| place(claim).0 == PostId(1)).collect();
    let mut receipts: Vec<_> = one.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    receipts[0].standing = Some(Standing::Blocked);
    advance(store, "bot", receipts, 0).await;

    let status = store.load_status().await.unwrap();
    assert_eq!(status.sources.len(), 1);
    assert_eq!((status.drafts, status.events), (1, 1));
    assert_eq!(status.floods.len(), 1);
    assert_eq!(status.unfinished_posts, 1);
    let expected = Counts { planned: 6, sent: 3, in_flight: 3, ..Counts::default() };
    assert_eq!(status.counts, expected);
    assert_eq!(status.channels.len(), 1);
    let standings = [
        (Standing::Active, 2),
        (Standing::Stopped, 0),
        (Standing::Blocked, 1),
        (Standing::Gone, 0),
    ];
    assert_eq!(status.channels[0].subscribers, standings);
}

async fn posts_come_newest_first(home: &mut Home) {
    let store = home.store();
    for title in ["one", "two", "three"] {
        post_to(store, "bot", 1, post(title)).await;
    }
    let posts = store.load_posts(2).await.unwrap();
    assert_eq!(posts.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["three", "two"]);
}

async fn old_items_go_unless_a_draft_names_them(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    let mut recent = item(3);
    recent.first_seen = now() + 20 * DAY;
    commit.items = vec![item(1), item(2), recent];
    commit.drafts = vec![held_draft("blog", &[2])];
    store.commit_poll(commit).await.unwrap();
    assert_eq!(store.prune(now() + 30 * DAY).await.unwrap(), 0);
    assert_eq!(store.prune(now() + 31 * DAY).await.unwrap(), 1);
    let ids = [1, 2, 3].map(|number| ItemId([number; 16]));
    let left = store.load_items(&ids).await.unwrap();
    assert_eq!(left.iter().map(|item| item.id.0[0]).collect::<Vec<_>>(), [2, 3]);
}

async fn posts_go_90_days_after_they_finished(home: &mut Home) {
    let store = home.store();
    let old = post_to(store, "bot", 2, post("old")).await;
    let claims = advance(store, "bot", vec![], 9).await;
    let unfinished = post_to(store, "bot", 2, post("unfinished")).await;
    // It finishes ten days later, held for one person.
    let receipts = vec![done(&claims[0], Outcome::Sent), done(&claims[1], Outcome::Held)];
    let step = Advance {
        channel: name("bot"),
        receipts,
        claims: 0,
        resting: vec![],
        caps: None,
        ways: Default::default(),
        now: now() + 10 * DAY,
    };
    store.advance(step).await.unwrap();
    assert_eq!(store.prune(now() + 100 * DAY).await.unwrap(), 0);
    assert!(store.load_post(old).await.unwrap().is_some());

    assert!(store.prune(now() + 101 * DAY).await.unwrap() > 0);
    assert_eq!(store.load_post(old).await.unwrap(), None);
    assert_eq!(store.load_outcomes(old, &name("bot")).await.unwrap(), vec![]);
    assert!(store.load_post(unfinished).await.unwrap().is_some());
    assert_eq!(store.prune(now() + 101 * DAY).await.unwrap(), 0);
    // What was held of it is gone too.
    let turn = turn(store, "bot", "1001").await;
    store.commit_conversation(ConversationCommit { releases_held: true, ..turn }).await.unwrap();
    assert_eq!(store.load_status().await.unwrap().channels[0].answers, 0);
}

async fn seen_event_ids_go_after_72_hours(home: &mut Home) {
    let store = home.store();
    let events = (0..5).map(|id| event("bot", &id.to_string(), "9")).collect();
    store.commit_events(events, None, now()).await.unwrap();
    assert_eq!(store.prune(now() + 2 * DAY).await.unwrap(), 0);
    assert_eq!(store.prune(now() + 4 * DAY).await.unwrap(), 5);
    // The events themselves wait for their answer.
    assert_eq!(store.lease_events(10).await.unwrap().len(), 5);
}

async fn everything_is_there_after_opening_again(home: &mut Home) {
    the_status_counts_everything(home).await;
    let before = home.store().load_status().await.unwrap();
    let posts = home.store().load_posts(10).await.unwrap();
    home.reopen();
    assert_eq!(home.store().load_status().await.unwrap(), before);
    assert_eq!(home.store().load_posts(10).await.unwrap(), posts);
    // Numbers go on where they were.
    let id = home.store().commit_draft(draft(now(), &[])).await.unwrap();
    assert_eq!(id, DraftId(3));
}
