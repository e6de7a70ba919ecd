//! Catalogs over real sockets: pages, files, sales, and what is told of products.

use std::fmt::Write;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::model::campaign::ChangeKind;
use tidings::model::post::{Content, Told};
use tidings::model::source::{CatalogFormat, FloodRule, Header, Source, SourceKind};
use tidings::model::time::Timestamp;
use tidings::poll::worker::{Outcome, poll_once};
use tidings::runtime::clock::Clock;

use crate::site::{Answer, Site, redirect, status};
use crate::world::{World, name};

/// 2026-11-24T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_795_478_400_000);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A Merchant feed of rows of id, price and further fields.
fn merchant(rows: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\
         <channel><title>A shop</title>",
    );
    for (id, price, more) in rows {
        write!(
            xml,
            "<item><g:id>{id}</g:id><title>Thing {id}</title>\
             <link>http://shop.example/{id}</link><description>All about {id}.</description>\
             <g:image_link>http://shop.example/{id}.jpg</g:image_link>\
             <g:availability>in_stock</g:availability><g:price>{price}</g:price>{more}</item>"
        )
        .unwrap();
    }
    xml.push_str("</channel></rss>");
    xml.into_bytes()
}

fn shop(world: &mut World, url: &str) {
    use ChangeKind::{Gone, New, PriceDrop, PriceRise, Updated};
    world.on = vec![New, Updated, PriceDrop, PriceRise, Gone];
    catalog(world.watch("shop", url));
}

fn catalog(source: &mut Source) {
    source.kind = SourceKind::Catalog;
}

async fn told(world: &World) -> Vec<Told> {
    let drafts = world.drafts().await;
    let told = drafts.into_iter().flat_map(|draft| match draft.content {
        Content::Items { items, .. } => items,
        Content::OneOff { .. } | Content::Correction { .. } => vec![],
    });
    told.collect()
}

#[tokio::test]
async fn a_price_that_fell_is_told_with_both_prices_and_the_product() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    let row = ("2", "20.00 EUR", "");
    site.say("/feed.xml", status(200, &[], &merchant(&[("1", "15.00 EUR", ""), row])));
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items, report.new), (Outcome::Fetched, 2, 0), "{report:?}");
    assert!(world.drafts().await.is_empty());
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);

    site.say("/feed.xml", status(200, &[], &merchant(&[("1", "12.00 EUR", ""), row])));
    let report = world.poll().await.remove(0);
    assert_eq!((report.new, report.price_drops), (0, 1), "{report:?}");
    let [told] = told(&world).await[..] else { panic!("one change") };
    let price = told.price.unwrap();
    assert_eq!(told.kind, ChangeKind::PriceDrop);
    assert_eq!(
        (price.from.to_string(), price.to.to_string()),
        ("15.00 EUR".into(), "12.00 EUR".into())
    );
    let item = world.store.load_items(&[told.item]).await.unwrap().remove(0);
    assert_eq!((item.title.as_str(), item.guid.as_str()), ("Thing 1", "1"));
    assert_eq!(item.link.as_deref(), Some("http://shop.example/1"));
    assert!(item.offer.is_some());
}

#[tokio::test]
async fn a_dry_poll_of_a_catalog_writes_nothing() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    site.say("/feed.xml", status(200, &[], &merchant(&[("1", "15.00 EUR", "")])));
    let report = world.poll_with(true).await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 1));
    assert!(world.store.load_shelf_state(&name("shop")).await.unwrap().is_none());
    assert!(world.store.load_sources().await.unwrap().is_empty());
}

fn shopify(ids: std::ops::Range<u32>) -> Vec<u8> {
    let products: Vec<String> = ids
        .map(|id| {
            format!(
                "{{\"id\":{id},\"title\":\"Thing {id}\",\"handle\":\"thing-{id}\",\
                 \"body_html\":\"<p>All about {id}</p>\",\"published_at\":\"2026-01-01T00:00:00Z\",\
                 \"vendor\":\"V\",\"product_type\":\"T\",\"tags\":[],\"variants\":[{{\"id\":9{id},\
                 \"title\":\"Default Title\",\"sku\":\"\",\"available\":true,\"price\":\"10.00\",\
                 \"compare_at_price\":null}}],\"images\":[],\"options\":[]}}"
            )
        })
        .collect();
    format!("{{\"products\":[{}]}}", products.join(",")).into_bytes()
}

const FIRST: &str = "/products.json?limit=250";
const SECOND: &str = "/products.json?limit=250&page=2";

fn shopify_world(site: &Site) -> World {
    let json = [("Content-Type", "application/json")];
    let mut world = World::new();
    shop(&mut world, &site.url("/"));
    world.sources[0].format = CatalogFormat::Shopify;
    site.say("/meta.json", status(200, &json, b"{\"name\":\"Shop\",\"currency\":\"CAD\"}"));
    site.say(FIRST, status(200, &json, &shopify(1001..1251)));
    site.say(SECOND, status(200, &json, &shopify(1251..1256)));
    world
}

#[tokio::test]
async fn all_pages_of_a_shop_are_one_poll_and_a_page_that_fails_fails_it() {
    let json = [("Content-Type", "application/json")];
    let site = Site::open("127.0.0.1").await;
    let world = shopify_world(&site);
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 255), "{report:?}");
    assert_eq!(site.heard("/meta.json").len(), 1);
    let first = world.state("shop").await;
    let currency = first.catalog.as_ref().and_then(|catalog| catalog.currency);
    assert_eq!(currency, "CAD".parse().ok());

    // A new product on the first page, and the second page does not come.
    site.say(FIRST, status(200, &json, &shopify(1000..1250)));
    site.say(SECOND, status(500, &[], b""));
    let report = world.poll().await.remove(0);
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.remark.unwrap().contains("/products.json: the site answered 500"));
    assert!(world.drafts().await.is_empty(), "nothing is told of half a catalog");

    site.say(SECOND, status(200, &json, &shopify(1250..1256)));
    let report = world.poll().await.remove(0);
    assert_eq!((report.new, report.items), (1, 256), "{report:?}");
    assert_eq!(world.titles().await, ["Thing 1000"]);
    assert_eq!(site.heard("/meta.json").len(), 1, "the currency is known");
}

#[tokio::test]
async fn a_poll_that_is_dropped_between_its_pages_starts_over_and_tells_once() {
    let json = [("Content-Type", "application/json")];
    let site = Site::open("127.0.0.1").await;
    let world = shopify_world(&site);
    world.poll().await;
    site.say(FIRST, status(200, &json, &shopify(1000..1250)));
    site.on(SECOND, |_| Answer::Hang);
    let mut tell = |_: &_| {};
    let options = world.options();
    let dropped = tokio::select! {
        _ = poll_once(options, false, &mut tell) => false,
        () = site.wait_for(SECOND, 2) => true,
    };
    assert!(dropped && world.drafts().await.is_empty());
    site.say(SECOND, status(200, &json, &shopify(1250..1256)));
    assert_eq!(world.poll().await[0].new, 1);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    assert_eq!(world.titles().await, ["Thing 1000"]);
}

#[tokio::test]
async fn pages_that_repeat_or_have_no_end_are_left() {
    let json = [("Content-Type", "application/json")];
    let site = Site::open("127.0.0.1").await;
    let mut world = shopify_world(&site);
    site.say(SECOND, status(200, &json, &shopify(1001..1251)));
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 250), "{report:?}");
    assert!(report.remark.unwrap().contains("repeat"));
    world.sources[0].pages_max = 1;
    site.say(FIRST, status(200, &json, &shopify(1002..1252)));
    let report = world.poll().await.remove(0);
    assert!(report.remark.unwrap().contains("it has more pages: 1 were read"));
}

#[tokio::test]
async fn a_shop_that_suspects_us_is_left_for_hours() {
    let site = Site::open("127.0.0.1").await;
    let world = shopify_world(&site);
    site.say(FIRST, status(430, &[], b"Security Rejection"));
    assert_eq!(world.poll().await[0].outcome, Outcome::Failed);
    let waits = crate::world::wait(&world.state("shop").await);
    assert!(waits >= 6 * HOUR && waits < 7 * HOUR, "{waits:?}");
}

#[tokio::test]
async fn a_large_catalog_is_read_from_a_file_however_it_is_packed() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    world.sources[0].flood = FloodRule { items: 1_000_000, share: 1.0 };
    let more = format!("<g:product_type>{}</g:product_type>", "x".repeat(900));
    let document = |price: &str| {
        let ids: Vec<String> = (0..3_000).map(|id| id.to_string()).collect();
        let rows: Vec<_> = ids
            .iter()
            .map(|id| (id.as_str(), if id == "7" { price } else { "10.00 EUR" }, more.as_str()))
            .collect();
        merchant(&rows)
    };
    let plain = document("10.00 EUR");
    assert!(plain.len() > 3_000_000);
    site.say("/feed.xml", status(200, &[], &plain));
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 3_000), "{report:?}");

    let pack = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    for (headers, price) in
        [(&[("Content-Encoding", "gzip")][..], "9.00 EUR"), (&[][..], "8.00 EUR")]
    {
        site.say("/feed.xml", status(200, headers, &pack(&document(price))));
        let report = world.poll().await.remove(0);
        assert_eq!((report.items, report.price_drops), (3_000, 1), "{report:?}");
    }
    world.limits.bulk_wire_bytes = 1_000_000;
    site.say("/feed.xml", status(200, &[], &document("7.00 EUR")));
    let report = world.poll().await.remove(0);
    assert!(report.remark.unwrap().contains("larger than 1000000 bytes"));
}

#[tokio::test]
async fn sec_f12_the_sources_headers_go_to_its_own_origin_only() {
    let site = Site::open("127.0.0.1").await;
    let other = Site::open("127.0.0.2").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    world.sources[0].headers = Arc::from([
        header("x-key", "canary"),
        header("cookie", "a=b"),
        header("authorization", "c"),
    ]);
    site.say("/feed.xml", redirect(302, "/moved.xml"));
    site.say("/moved.xml", redirect(302, &other.url("/feed.xml")));
    other.say("/feed.xml", status(200, &[], &merchant(&[("1", "15.00 EUR", "")])));
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    for path in ["/feed.xml", "/moved.xml"] {
        let heard = site.heard(path).remove(0);
        assert_eq!(heard.header("X-Key"), Some("canary"), "{path}");
        assert_eq!(heard.header("Cookie"), Some("a=b"), "{path}");
    }
    let heard = other.heard("/feed.xml").remove(0);
    assert!(["X-Key", "Cookie", "Authorization"].iter().all(|name| heard.header(name).is_none()));
}

#[tokio::test]
async fn a_sale_begins_at_its_time_without_a_byte_changing() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    world.clock = Clock::starting_at(START);
    let sale = "<g:sale_price>9.00 EUR</g:sale_price><g:sale_price_effective_date>\
                2026-11-24T00:10Z/2026-11-24T06:00Z</g:sale_price_effective_date>";
    let document = merchant(&[("1", "15.00 EUR", sale), ("2", "15.00 EUR", "")]);
    let conditions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&conditions);
    site.on("/feed.xml", move |heard| {
        let condition = heard.header("If-None-Match").map(str::to_owned);
        seen.lock().unwrap().push(condition.clone());
        Answer::Bytes(match condition.as_deref() {
            Some("\"v1\"") => status(304, &[], b""),
            _ => status(200, &[("ETag", "\"v1\"")], &document),
        })
    });
    world.poll().await;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert_eq!(world.state("shop").await.due_at, START + minutes(10), "due when the sale begins");
    world.clock = Clock::starting_at(START + minutes(4));
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    assert_eq!(world.state("shop").await.due_at, START + minutes(10));

    world.clock = Clock::starting_at(START + minutes(11));
    let report = world.poll().await.remove(0);
    assert_eq!(report.price_drops, 1, "{report:?}");
    let [told] = told(&world).await[..] else { panic!("one change") };
    assert_eq!(told.price.unwrap().to.to_string(), "9.00 EUR");
    let conditions = conditions.lock().unwrap().clone();
    assert_eq!(conditions, [None, Some("\"v1\"".to_owned()), None]);
}

#[tokio::test]
async fn what_is_gone_for_a_day_is_told_with_its_name() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    let rows: Vec<(&str, &str, &str)> =
        ["1", "2", "3", "4"].map(|id| (id, "15.00 EUR", "")).to_vec();
    let at = |hours: u32, count: usize, world: &mut World| {
        world.clock = Clock::starting_at(START + hours * HOUR);
        // Bytes that differ each time, so that each is read.
        let mut document = merchant(&rows[..count]);
        document.extend_from_slice(format!("<!-- {hours} -->").as_bytes());
        site.say("/feed.xml", status(200, &[], &document));
    };
    at(0, 4, &mut world);
    world.poll().await;
    for hours in [1, 13] {
        at(hours, 3, &mut world);
        assert_eq!(world.poll().await[0].gone, 0);
    }
    at(26, 3, &mut world);
    let report = world.poll().await.remove(0);
    assert_eq!(report.gone, 1, "{report:?}");
    assert_eq!(world.titles().await, ["Thing 4"]);
    at(27, 3, &mut world);
    assert_eq!(world.poll().await[0].gone, 0, "told once");
}

#[tokio::test]
async fn the_same_bytes_are_read_again_when_the_settings_read_them_otherwise() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    shop(&mut world, &site.url("/feed.xml"));
    let document = status(200, &[("ETag", "\"v1\"")], &merchant(&[("1", "15.00", "")]));
    site.on("/feed.xml", move |heard| {
        Answer::Bytes(match heard.header("If-None-Match") {
            Some(_) => status(304, &[], b""),
            None => document.clone(),
        })
    });
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    world.sources[0].currency = "EUR".parse().ok();
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    assert!(world.drafts().await.is_empty(), "a change of currency is no change of price");
}
