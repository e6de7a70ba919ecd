//! Personal watches on products, through the real binary and over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;

mod rig;

use rig::{Rig, soon};
use serde_json::Value;
use site::{Site, status};
use tidings::sandbox::telegram;

/// A Merchant feed of rows of id, stock and price.
fn merchant(rows: &[(&str, bool, &str)]) -> Vec<u8> {
    let rows: String = rows
        .iter()
        .map(|(id, is_in, price)| {
            let stock = if *is_in { "in_stock" } else { "out_of_stock" };
            format!(
                "<item><g:id>{id}</g:id><title>Thing {id}</title>\
                 <link>http://shop.example/things/{id}</link>\
                 <g:availability>{stock}</g:availability><g:price>{price} EUR</g:price></item>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\
         <channel><title>A shop</title>{rows}</channel></rss>"
    )
    .into_bytes()
}

struct World {
    rig: Rig,
    shop: Site,
}

impl World {
    /// A shop that has a thing that is out of stock and one that is not.
    async fn new() -> Self {
        let mut rig = Rig::new(telegram::Rules::default()).await;
        let shop = Site::open("127.0.1.1").await;
        rig.telegram_keys = "username = \"shop_bot\"\n".to_owned();
        rig.campaign_keys = "topics = [\"news\"]\n".to_owned();
        rig.extra = format!(
            "[topics.shop]\ntitle = \"The shop\"\n[sources.shop]\nkind = \"catalog\"\nurl = \"{}\"\n\
             every = \"1s\"\n[campaigns.shop]\nsources = [\"shop\"]\ntopics = [\"shop\"]\n\
             on = [\"out-of-stock\"]\nwatch = true\n",
            shop.url("/products.xml")
        );
        let world = Self { rig, shop };
        world.has(&[("1", false, "20.00"), ("2", true, "20.00")]);
        world
    }

    fn has(&self, rows: &[(&str, bool, &str)]) {
        self.shop.say("/products.xml", status(200, &[], &merchant(rows)));
    }

    /// Until the shop was read as it is now.
    async fn polled(&self) {
        let seen = self.shop.heard("/products.xml").len();
        soon("the shop's polls", self.shop.wait_for("/products.xml", seen + 3)).await;
    }

    fn watches(&self) -> Vec<Value> {
        let output = self.rig.command(&["watches", "list", "--json"]);
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        told["watches"].as_array().unwrap().clone()
    }

    async fn until(&self, count: usize) {
        soon("the watches", async {
            while self.watches().len() != count {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_the_shop_makes_a_watch_and_nothing_else() {
    let world = World::new().await;
    let rig = &world.rig;
    let daemon = rig.start();
    rig.baseline().await;
    world.polled().await;
    let link = rig.command(&["watches", "link", "shop", "1"]);
    let links = String::from_utf8(link.stdout).unwrap();
    assert!(links.contains("https://t.me/shop_bot?start=WATCHshopP1\n"), "{links}");
    assert!(links.contains("https://m.me/") && links.contains("ref=WATCHshopP1"), "{links}");
    let by_address = rig.command(&["watches", "link", "shop", "http://shop.example/things/1"]);
    let by_address = String::from_utf8(by_address.stdout).unwrap();
    let token = by_address.lines().next().unwrap().rsplit_once('=').unwrap().1.to_owned();
    assert!(token.starts_with("WATCHT"), "{by_address}");

    let ada = rig.telegram.person(7, "en");
    ada.starts(Some("WATCHshopP1"));
    let kept = soon("the answer", ada.wait_inbox(1)).await;
    let words = &kept[0].text;
    assert!(words.contains("I’ll tell you when this is in stock: Thing 1."), "{words}");
    assert!(words.contains("It costs €20 now."), "{words}");
    let bob = rig.telegram.person(8, "ro");
    bob.starts(Some(&token));
    let kept = soon("the other answer", bob.wait_inbox(1)).await;
    assert!(kept[0].text.contains("Îți spun când e în stoc: Thing 1."), "{kept:?}");
    let status = String::from_utf8(rig.command(&["status"]).stdout).unwrap();
    assert!(status.contains("watched: 2 times a product"), "{status}");
    let list = String::from_utf8(rig.command(&["watches", "list"]).stdout).unwrap();
    assert!(
        list.contains("bot/7  shop  Thing 1: in stock (now out-of-stock, 20.00 EUR)"),
        "{list}"
    );

    // They have subscribed to nothing.
    rig.site.publish("News", "<p>Words.</p>");
    let cid = rig.telegram.person(9, "en");
    cid.starts(Some("news"));
    soon("the welcome", cid.wait_inbox(1)).await;
    rig.site.publish("More news", "<p>Words.</p>");
    soon("the news", cid.wait_inbox(2)).await;
    assert_eq!((ada.inbox().len(), bob.inbox().len()), (1, 1));

    // It comes, and is told once, in their language.
    world.has(&[("1", true, "21.00"), ("2", true, "20.00")]);
    let told = soon("the news for who waits", ada.wait_inbox(2)).await;
    assert_eq!(told[1].text, "🔔 Thing 1 is in stock: 21.00 EUR");
    assert!(told[1].button("Go to the shop").is_none(), "an address is no tap");
    let told = soon("the other one's", bob.wait_inbox(2)).await;
    assert_eq!(told[1].text, "🔔 Thing 1 este în stoc: 21.00 EUR");
    world.until(0).await;

    // What is there is told at once.
    ada.starts(Some("STOCKshopP1"));
    let at_once = soon("the answer", ada.wait_inbox(3)).await;
    assert_eq!(at_once[2].text, "🔔 Thing 1 is in stock: 21.00 EUR");
    ada.starts(Some("WATCHshopPnever-heard-of"));
    let unknown = soon("the answer", ada.wait_inbox(4)).await;
    assert!(unknown[3].text.starts_with("I don’t know this product"), "{unknown:?}");
    assert!(world.watches().is_empty());
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_below_a_product_watches_it_and_stop_ends_all() {
    let world = World::new().await;
    let rig = &world.rig;
    rig.subscribe("bot", [7]).await;
    rig.telegram.open_chats(7..=7);
    let daemon = rig.start();
    let ada = rig.telegram.person(7, "en");
    ada.starts(Some("shop"));
    soon("the welcome", ada.wait_inbox(1)).await;
    rig.baseline().await;
    world.polled().await;
    world.has(&[("1", false, "20.00"), ("2", false, "20.00")]);
    let posts = soon("the post", ada.wait_inbox(2)).await;
    let tap = posts[1].button("🔔 Tell me when in stock").expect("a button").to_owned();
    assert!(tap.starts_with("1:w:s:") && tap.len() <= 64, "{tap}");
    ada.taps(posts[1].message_id, &tap);
    let kept = soon("the answer", ada.wait_inbox(3)).await;
    assert!(kept[2].text.contains("in stock: Thing 2"), "{kept:?}");

    // By its address and by words, with a price.
    ada.says("/watch http://shop.example/things/2?utm_source=x 15");
    let kept = soon("the answer", ada.wait_inbox(4)).await;
    assert!(kept[3].text.contains("Thing 2: I’ll tell you when it costs €15"), "{kept:?}");
    ada.says("/watch thing");
    let choice = soon("the answer", ada.wait_inbox(5)).await;
    let button = choice[4].button("Thing 1 · €20").expect("a choice").to_owned();
    ada.taps(choice[4].message_id, &button);
    soon("the answer", ada.wait_inbox(6)).await;
    ada.says("/watches");
    let list = soon("the list", ada.wait_inbox(7)).await;
    let text = &list[6].text;
    assert!(text.contains("1. Thing 2: in stock (€20), until "), "{text}");
    assert!(text.contains("2. Thing 2: ≤ €15") && text.contains("3. Thing 1: in stock"));
    let end = list[6].button("✕ 2. Thing 2").expect("a button").to_owned();
    ada.taps(list[6].message_id, &end);
    let ended = soon("the answer", ada.wait_inbox(8)).await;
    assert_eq!(ended[7].text, "All right, I’ll stop looking at Thing 2.");
    assert_eq!(world.watches().len(), 2);

    ada.says("stop");
    soon("the goodbye", ada.wait_inbox(9)).await;
    assert!(world.watches().is_empty());
    // Who has stopped can still ask for one thing, and stop again.
    ada.starts(Some("WATCHshopP1"));
    soon("the answer", ada.wait_inbox(10)).await;
    assert_eq!(world.watches().len(), 1);
    ada.says("stop");
    soon("another goodbye", ada.wait_inbox(11)).await;
    assert!(world.watches().is_empty());
    world.has(&[("1", true, "20.00"), ("2", true, "9.00")]);
    world.polled().await;
    assert_eq!(ada.inbox().len(), 11);
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_messenger_a_closed_window_waits_for_the_next_contact() {
    let world = World::new().await;
    let rig = &world.rig;
    let daemon = rig.start();
    rig.baseline().await;
    world.polled().await;
    let mia = rig.messenger.person("7000000000000007");
    mia.starts(Some("WATCHshopP1"));
    let kept = soon("the answer", mia.wait_inbox(1)).await;
    assert!(format!("{:?}", kept[0]).contains("in stock: Thing 1"), "{kept:?}");
    mia.starts(Some("CHEAPshopP2"));
    soon("the answer", mia.wait_inbox(2)).await;
    rig.messenger.closes_window(mia.psid());
    world.has(&[("1", true, "20.00"), ("2", true, "20.00")]);
    world.polled().await;
    soon("the refusal", async {
        while rig.messenger.ledger().statuses().keys().all(|status| *status < 400) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    world.until(2).await;
    assert_eq!(mia.inbox().len(), 2);
    mia.says("hello");
    let told = soon("what has come", mia.wait_inbox(4)).await;
    assert!(told.iter().any(|one| format!("{one:?}").contains("Thing 1 is in stock")), "{told:?}");
    world.until(1).await;

    // While the window is open it is told as it comes.
    world.has(&[("1", true, "20.00"), ("2", true, "15.00")]);
    let told = soon("the price", mia.wait_inbox(5)).await;
    assert!(format!("{:?}", told[4]).contains("Thing 2 is cheaper: 15.00 EUR"), "{told:?}");
    world.until(0).await;
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_poll_and_the_sending_it_is_told_once() {
    let world = World::new().await;
    let rig = &world.rig;
    let daemon = rig.start();
    rig.baseline().await;
    world.polled().await;
    let people: Vec<_> = (10..14).map(|id| rig.telegram.person(id, "en")).collect();
    for person in &people {
        person.starts(Some("WATCHshopP1"));
        soon("the answer", person.wait_inbox(1)).await;
    }
    // Nothing goes out meanwhile.
    assert!(rig.command(&["channel", "pause", "bot"]).status.success());
    world.has(&[("1", true, "20.00"), ("2", true, "20.00")]);
    world.until(0).await;
    daemon.kill();
    let daemon = rig.start();
    assert!(rig.command(&["channel", "resume", "bot"]).status.success());
    for person in &people {
        let told = soon("the news", person.wait_inbox(2)).await;
        assert_eq!(told[1].text, "🔔 Thing 1 is in stock: 20.00 EUR");
    }
    world.polled().await;
    assert!(people.iter().all(|person| person.inbox().len() == 2), "told once");
    assert_eq!(daemon.terminate().0, Some(0));
}
