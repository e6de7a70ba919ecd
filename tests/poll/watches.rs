//! Watches beside the polls of a catalog: who is told of what, when, and in which order.

use std::time::Duration;

use tidings::model::event::{Deed, Event};
use tidings::model::lane::Ways;
use tidings::model::message::Module;
use tidings::model::name::Name;
use tidings::model::offer::Amount;
use tidings::model::post::{Claim, Outcome, Reason, Receipt, Settled, Work};
use tidings::model::source::SourceKind;
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::model::watch::{WATCHED_FOR, Wanted, Watch};
use tidings::poll::worker::Outcome as Polled;
use tidings::store::{
    Advance, Beside, ConversationCommit, ProductQuery, Store, StoreError, WatchWord,
};

use crate::site::{Site, status};
use crate::world::{World, name};

/// A row: id, whether it is in stock, price in cents, and more fields.
type Row<'a> = (&'a str, bool, u32, &'a str);

fn merchant(rows: &[Row<'_>]) -> Vec<u8> {
    let rows: String = rows
        .iter()
        .map(|(id, is_in, cents, more)| {
            let stock = if *is_in { "in_stock" } else { "out_of_stock" };
            format!(
                "<item><g:id>{id}</g:id><title>Thing {id}</title>\
                 <link>http://shop.example/{id}</link><g:availability>{stock}</g:availability>\
                 <g:price>{}.{:02} EUR</g:price>{more}</item>",
                cents / 100,
                cents % 100
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\
         <channel><title>A shop</title>{rows}</channel></rss>"
    )
    .into_bytes()
}

struct Shop {
    site: Site,
    world: World,
    events: u64,
}

impl Shop {
    async fn open(rows: &[Row<'_>]) -> Self {
        let site = Site::open("127.0.0.1").await;
        let mut world = World::new();
        let source = world.watch("shop", &site.url("/feed.xml"));
        (source.kind, source.watch) = (SourceKind::Catalog, true);
        world.on = vec![];
        let shop = Self { site, world, events: 0 };
        shop.has(rows).await;
        shop
    }

    async fn has(&self, rows: &[Row<'_>]) {
        self.site.say("/feed.xml", status(200, &[], &merchant(rows)));
        let report = self.world.poll().await.remove(0);
        assert_eq!(report.outcome, Polled::Fetched, "{report:?}");
    }

    async fn product(&self, id: &str) -> u64 {
        let query = ProductQuery::Words(vec!["thing".into(), id.into()]);
        let found = self.world.store.find_products(&[name("shop")], query, 5).await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].product
    }

    /// Somebody is there, and waits for something.
    async fn watch(&mut self, channel: &str, person: &str, id: &str, wanted: Wanted) {
        let made = self.try_watch(channel, person, id, wanted).await;
        made.unwrap();
    }

    async fn try_watch(
        &mut self,
        channel: &str,
        person: &str,
        id: &str,
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        let (store, now) = (&self.world.store, self.world.clock.now());
        self.events += 1;
        let event = Event {
            channel: name(channel),
            id: self.events.to_string(),
            at: now,
            address: person.to_owned(),
            language: Some("en".into()),
            first_name: None,
            deed: Deed::Said { text: "x".into() },
        };
        store.commit_events(vec![event], None, now).await.unwrap();
        let (number, event) = store.lease_events(1).await.unwrap().remove(0);
        let known = store.load_subscriber(&event.channel, person).await.unwrap();
        let person = known.unwrap_or_else(|| someone(person, now));
        let watch = Watch {
            id: 0,
            source: name("shop"),
            product: self.product(id).await,
            variant: None,
            link: 0,
            wanted,
            title: format!("Thing {id}"),
            price: Some(eur(2_000)),
            made_at: now,
            expires_at: now + WATCHED_FOR,
        };
        let turn = ConversationCommit {
            event: number,
            channel: event.channel,
            subscriber: Some(person),
            consent: None,
            answers: vec![],
            releases_held: false,
        };
        let words = vec![WatchWord::Make(Box::new(watch))];
        self.world.store.commit_turn(turn, Beside { watching: words, ..Beside::default() }).await
    }

    /// The answers that wait on a channel: to whom, and their words. They all arrive so.
    async fn told(&self, channel: &str, outcome: Outcome) -> Vec<(String, String)> {
        let mut told = Vec::new();
        let mut receipts = Vec::new();
        loop {
            let step = Advance {
                channel: name(channel),
                receipts: std::mem::take(&mut receipts),
                claims: 100,
                resting: vec![],
                caps: None,
                ways: Ways::default(),
                now: self.world.clock.now(),
            };
            let claims = self.world.store.advance(step).await.unwrap();
            if claims.is_empty() {
                return told;
            }
            for claim in claims {
                told.push((claim.recipient.address.clone(), words(&claim)));
                receipts.push(receipt(&claim, outcome));
            }
        }
    }

    async fn left(&self) -> Vec<String> {
        let all = self.world.store.list_watches(100).await.unwrap();
        all.into_iter().map(|(_, address, _)| address).collect()
    }
}

fn receipt(claim: &Claim, outcome: Outcome) -> Receipt {
    Receipt {
        ticket: claim.ticket,
        settled: Settled::Done(outcome),
        part: 1,
        standing: None,
        moved_to: None,
        window_closed: outcome != Outcome::Sent,
        error: None,
        kept: None,
    }
}

fn words(claim: &Claim) -> String {
    let Work::Answer { answer, .. } = &claim.work else { panic!("an answer") };
    let text = answer.message.modules.iter().find_map(|module| match module {
        Module::Text { text, .. } => Some(text.plain()),
        _ => None,
    });
    text.unwrap_or_default()
}

fn someone(address: &str, now: Timestamp) -> Subscriber {
    Subscriber {
        number: 0,
        address: address.to_owned(),
        language: Some("en".into()),
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![],
        standing: Standing::Stopped,
        window_until: Some(now + Duration::from_secs(24 * 3_600)),
        joined_at: now,
        changed_at: now,
        choices: None,
        default_reply_at: None,
    }
}

fn eur(cents: i64) -> Amount {
    Amount::new(cents, 2, "EUR".parse().ok()).unwrap()
}

fn at_most(cents: i64) -> Wanted {
    Wanted::Price { at_most: eur(cents) }
}

#[tokio::test]
async fn who_waits_is_told_once_when_it_comes_and_nobody_else() {
    let mut shop = Shop::open(&[("1", false, 2_000, ""), ("2", true, 2_000, "")]).await;
    shop.watch("bot", "7", "1", Wanted::Stock).await;
    shop.watch("bot", "8", "2", at_most(1_999)).await;
    shop.watch("bot", "9", "2", at_most(1_000)).await;
    assert_eq!(shop.world.store.load_status().await.unwrap().watches, 3);
    shop.has(&[("1", false, 1_900, ""), ("2", true, 2_100, "")]).await;
    assert!(shop.told("bot", Outcome::Sent).await.is_empty());

    shop.has(&[("1", true, 1_900, ""), ("2", true, 1_999, "")]).await;
    let told = shop.told("bot", Outcome::Sent).await;
    let expected = [
        ("7".to_owned(), "🔔 Thing 1 is in stock: 19.00 EUR".to_owned()),
        ("8".to_owned(), "🔔 Thing 2 is cheaper: 19.99 EUR (it was 20.00 EUR)".to_owned()),
    ];
    let mut told_sorted = told.clone();
    told_sorted.sort();
    assert_eq!(told_sorted, expected);
    assert_eq!(shop.left().await, ["9"]);

    shop.has(&[("1", false, 1_900, ""), ("2", false, 900, "")]).await;
    shop.has(&[("1", true, 1_900, ""), ("2", false, 900, "")]).await;
    assert!(shop.told("bot", Outcome::Sent).await.is_empty(), "cheap, but not to be had");
    shop.has(&[("1", true, 1_900, ""), ("2", true, 900, "")]).await;
    assert_eq!(shop.told("bot", Outcome::Sent).await.len(), 1);
    assert!(shop.left().await.is_empty());
}

#[tokio::test]
async fn a_little_stock_is_told_to_who_asked_first() {
    let out = |more| [("1", false, 2_000, more)];
    let mut shop = Shop::open(&out("")).await;
    for person in 100..125 {
        shop.watch("bot", &person.to_string(), "1", Wanted::Stock).await;
    }
    // Who asks again keeps their turn.
    shop.watch("bot", "100", "1", Wanted::Stock).await;
    let one = "<g:quantity>1</g:quantity>";
    shop.has(&[("1", true, 2_000, one)]).await;
    let told = shop.told("bot", Outcome::Sent).await;
    let first: Vec<String> = (100..120).map(|person| person.to_string()).collect();
    let people: Vec<String> = told.into_iter().map(|(person, _)| person).collect();
    assert_eq!(people, first, "twenty a piece, oldest first");
    assert_eq!(shop.left().await.len(), 5);
    // Nobody has bought it: the others are told at the next poll, though the document is the same.
    let report = shop.world.poll().await.remove(0);
    assert_eq!(report.outcome, Polled::Fetched);
    assert_eq!(shop.told("bot", Outcome::Sent).await.len(), 5);
    assert_eq!(shop.world.poll().await[0].outcome, Polled::Unchanged);
}

#[tokio::test]
async fn whose_window_is_closed_waits_on() {
    let mut shop = Shop::open(&[("1", false, 2_000, "")]).await;
    shop.watch("page", "7", "1", Wanted::Stock).await;
    shop.watch("page", "8", "1", Wanted::Stock).await;
    let mut closed = shop.world.store.load_subscriber(&name("page"), "7").await.unwrap().unwrap();
    closed.window_until = Some(shop.world.clock.now());
    let number = closed.number;
    shop.keep(closed).await;
    shop.has(&[("1", true, 2_000, "")]).await;
    // The service says that the other one's is closed too.
    let told = shop.told("page", Outcome::Failed(Reason::Unreachable)).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "8");
    assert_eq!(shop.left().await, ["7", "8"]);
    let watches = shop.world.store.load_watches(&name("page"), number).await.unwrap();
    assert_eq!(watches[0].wanted, Wanted::Stock);
}

#[tokio::test]
async fn a_flood_is_no_news_until_the_next_poll_shows_it() {
    let ids: Vec<String> = (0..100).map(|id| format!("{id:03}x")).collect();
    let rows =
        |is_in| -> Vec<Row<'_>> { ids.iter().map(|id| (id.as_str(), is_in, 2_000, "")).collect() };
    let mut shop = Shop::open(&rows(false)).await;
    shop.watch("bot", "7", "007x", Wanted::Stock).await;
    shop.has(&rows(true)).await;
    assert!(shop.told("bot", Outcome::Sent).await.is_empty(), "all at once: may be a mistake");
    shop.world.poll().await;
    assert_eq!(shop.told("bot", Outcome::Sent).await.len(), 1);
}

#[tokio::test]
async fn a_product_under_another_id_is_found_by_its_address() {
    let mut shop = Shop::open(&[("1", false, 2_000, ""), ("2", true, 500, "")]).await;
    let row = shop.world.store.load_product(&name("shop"), shop.product("1").await).await.unwrap();
    let link = row.unwrap().rows[0].0.link;
    shop.watch_by_link("bot", "7", "1", link).await;
    let renamed = "<item><g:id>new-1</g:id><title>Thing 1</title><link>http://shop.example/1</link>\
         <g:availability>in_stock</g:availability><g:price>20.00 EUR</g:price></item></channel>";
    let document = String::from_utf8(merchant(&[("2", true, 500, "")])).unwrap();
    let document = document.replace("</channel>", renamed);
    shop.site.say("/feed.xml", status(200, &[], document.as_bytes()));
    shop.world.poll().await;
    let told = shop.told("bot", Outcome::Sent).await;
    assert_eq!(told, [("7".to_owned(), "🔔 Thing 1 is in stock: 20.00 EUR".to_owned())]);
}

#[tokio::test]
async fn what_has_come_meanwhile_is_not_waited_for() {
    let mut shop = Shop::open(&[("1", true, 2_000, "")]).await;
    let made = shop.try_watch("bot", "7", "1", Wanted::Stock).await;
    assert!(matches!(made, Err(StoreError::Stale { .. })), "{made:?}");
    assert!(shop.left().await.is_empty());
    assert_eq!(shop.world.store.lease_events(5).await.unwrap().len(), 1, "to be answered anew");
}

#[tokio::test]
async fn watches_end_with_their_time_and_with_who_leaves() {
    let mut shop = Shop::open(&[("1", false, 2_000, "")]).await;
    for person in ["7", "8", "9"] {
        shop.watch("bot", person, "1", Wanted::Stock).await;
    }
    let store = &shop.world.store;
    let mut blocked = store.load_subscriber(&name("bot"), "7").await.unwrap().unwrap();
    blocked.standing = Standing::Blocked;
    shop.keep(blocked).await;
    assert_eq!(shop.left().await, ["8", "9"]);
    let later = shop.world.clock.now() + WATCHED_FOR + Duration::from_secs(60);
    shop.world.store.prune(shop.world.clock.now()).await.unwrap();
    assert_eq!(shop.left().await.len(), 2);
    shop.world.store.prune(later).await.unwrap();
    assert!(shop.left().await.is_empty());
    assert!(shop.world.store.load_watched(&name("shop")).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_has_more_than_fits() {
    let ids: Vec<String> = (0..52).map(|id| format!("{id:03}x")).collect();
    let rows: Vec<Row<'_>> = ids.iter().map(|id| (id.as_str(), false, 2_000, "")).collect();
    let mut shop = Shop::open(&rows).await;
    for id in &ids {
        shop.watch("bot", "7", id, Wanted::Stock).await;
    }
    assert_eq!(shop.left().await.len(), 50);
}

impl Shop {
    /// Writes somebody's record.
    async fn keep(&mut self, person: Subscriber) {
        let (store, now) = (&self.world.store, self.world.clock.now());
        let channel = self.channel_of(&person).await;
        self.events += 1;
        let event = Event {
            channel: channel.clone(),
            id: self.events.to_string(),
            at: now,
            address: person.address.clone(),
            language: None,
            first_name: None,
            deed: Deed::Reacted,
        };
        store.commit_events(vec![event], None, now).await.unwrap();
        let (number, _) = store.lease_events(1).await.unwrap().remove(0);
        let turn = ConversationCommit {
            event: number,
            channel,
            subscriber: Some(person),
            consent: None,
            answers: vec![],
            releases_held: false,
        };
        store.commit_conversation(turn).await.unwrap();
    }

    async fn channel_of(&self, person: &Subscriber) -> Name {
        for channel in ["bot", "page"] {
            let known = self.world.store.load_subscriber(&name(channel), &person.address).await;
            if known.unwrap().is_some() {
                return name(channel);
            }
        }
        panic!("nobody")
    }

    async fn watch_by_link(&mut self, channel: &str, person: &str, id: &str, link: u64) {
        self.watch(channel, person, id, Wanted::Stock).await;
        let known = self.world.store.load_subscriber(&name(channel), person).await.unwrap();
        let number = known.as_ref().unwrap().number;
        let watch = self.world.store.load_watches(&name(channel), number).await.unwrap().remove(0);
        let now = self.world.clock.now();
        self.events += 1;
        let event = Event {
            channel: name(channel),
            id: self.events.to_string(),
            at: now,
            address: person.to_owned(),
            language: None,
            first_name: None,
            deed: Deed::Reacted,
        };
        self.world.store.commit_events(vec![event], None, now).await.unwrap();
        let (event, _) = self.world.store.lease_events(1).await.unwrap().remove(0);
        let turn = ConversationCommit {
            event,
            channel: name(channel),
            subscriber: None,
            consent: None,
            answers: vec![],
            releases_held: false,
        };
        let words = vec![WatchWord::Make(Box::new(Watch { link, ..watch }))];
        self.world
            .store
            .commit_turn(turn, Beside { watching: words, ..Beside::default() })
            .await
            .unwrap();
    }
}
