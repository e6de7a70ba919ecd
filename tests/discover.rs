//! `discover`, `import` and `export` by the real binary, against real sites on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use site::{Site, feed, redirect, status};

async fn run(args: &[&str]) -> Output {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(args)
            .stdin(Stdio::null())
            .env_remove("TIDINGS_CONFIG")
            .output()
            .expect("the binary runs")
    })
    .await
    .expect("it was waited for")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The finds of a search in JSON lines.
async fn found(url: &str) -> Vec<Value> {
    let output = run(&["discover", url, "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn html(body: &str) -> Vec<u8> {
    status(200, &[("Content-Type", "text/html")], body.as_bytes())
}

fn rss(titles: &[&str]) -> Vec<u8> {
    // Feeds come under any type.
    status(200, &[("Content-Type", "text/html")], &feed(titles))
}

fn json(body: &str) -> Vec<u8> {
    status(200, &[("Content-Type", "application/json")], body.as_bytes())
}

const PRODUCTS: &str = r#"{"products":[
    {"id":1,"title":"Lamp","handle":"lamp","vendor":"Lux","variants":[
        {"id":11,"title":"Default Title","available":true,"price":"5.00"}]},
    {"id":2,"title":"Desk","handle":"desk","vendor":"Lux","variants":[
        {"id":21,"title":"Default Title","available":true,"price":"7.00"}]}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_blog_leads_to_the_feed_that_it_advertises() {
    let blog = Site::open("127.0.0.1").await;
    let page = "<!doctype html><title>A &amp; B</title>\
        <link rel=alternate type=application/rss+xml href=/comments/feed title='Comments'>\
        <link rel=alternate type=application/rss+xml href=/news.xml>\
        <link rel=alternate type=application/atom+xml href=/gone.xml>";
    blog.say("/", redirect(302, "/home"));
    blog.say("/home", html(page));
    blog.say("/news.xml", rss(&["three", "two", "one"]));
    blog.say("/comments/feed", rss(&["nice"]));
    blog.say("/robots.txt", status(200, &[], b"User-agent: *\nDisallow: /private\n"));
    let finds = found(&blog.url("/")).await;
    assert_eq!(finds[0]["kind"], "feed");
    assert_eq!(finds[0]["url"], blog.url("/news.xml"));
    assert_eq!(finds[0]["format"], "RSS 2.0");
    assert_eq!(finds[0]["items"], 3);
    assert_eq!(finds[0]["newest"], serde_json::json!(["three", "two", "one"]));
    assert_eq!(finds[1]["url"], blog.url("/comments/feed"));
    assert_eq!(finds.len(), 2);
    assert!(blog.heard("/feed").is_empty(), "the usual places are not tried beside a find");
    assert_eq!(blog.most_at_once(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_anchors_and_usual_places_are_tried_in_turn() {
    let by_header = Site::open("127.0.0.1").await;
    let link = "</f>; rel=\"alternate\"; type=\"application/rss+xml\"";
    by_header.say("/", status(200, &[("Link", link)], b"<html><title>x</title>"));
    by_header.say("/f", rss(&["one"]));
    assert_eq!(found(&by_header.url("/")).await[0]["url"], by_header.url("/f"));

    let by_anchor = Site::open("127.0.0.1").await;
    by_anchor.say("/", html("<html><a href='/about'>x</a><a href='/all.rss'>RSS</a>"));
    by_anchor.say("/all.rss", rss(&["one"]));
    assert_eq!(found(&by_anchor.url("/")).await[0]["url"], by_anchor.url("/all.rss"));

    let by_place = Site::open("127.0.0.1").await;
    by_place.say("/", html("<html><title>x</title>"));
    // Another page in place of the feed, as many sites have it, and places that are forbidden.
    by_place.say("/feed", html("<html><title>Not here</title>"));
    by_place.say("/robots.txt", status(200, &[], b"User-agent: *\nDisallow: /rss.xml\n"));
    by_place.say("/rss.xml", rss(&["hidden"]));
    by_place.say("/atom.xml", rss(&["one"]));
    by_place.say("/index.xml", rss(&["later"]));
    let finds = found(&by_place.url("/")).await;
    assert_eq!((finds.len(), &finds[0]["url"]), (1, &Value::from(by_place.url("/atom.xml"))));
    assert!(by_place.heard("/rss.xml").is_empty(), "robots.txt forbids it");
    assert!(by_place.heard("/index.xml").is_empty(), "the first hit ends the search");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_leads_to_its_products_and_a_site_to_its_sitemaps() {
    let shop = Site::open("127.0.0.1").await;
    shop.say("/", html("<html><title>Shop</title><script src='//cdn.shopify.com/x.js'></script>"));
    shop.say("/products.json?limit=250", json(PRODUCTS));
    let robots = format!("Sitemap: {}\n", shop.url("/map.xml"));
    shop.say("/robots.txt", status(200, &[], robots.as_bytes()));
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        shop.url("/map_products.xml")
    );
    shop.say("/map.xml", status(200, &[], index.as_bytes()));
    let finds = found(&shop.url("/")).await;
    let kinds: Vec<_> = finds.iter().map(|find| find["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["catalog", "sitemap"]);
    assert_eq!(finds[0]["format"], "shopify");
    assert_eq!(finds[0]["items"], 2);
    assert_eq!(finds[0]["newest"], serde_json::json!(["Lamp", "Desk"]));
    let toml = finds[0]["toml"].as_str().unwrap();
    assert!(
        toml.contains("[sources.shop]\nkind = \"catalog\"\nformat = \"shopify\"\nurl = \"http://"),
        "{toml}"
    );
    assert!(shop.heard("/sitemap.xml").is_empty(), "robots.txt names another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_feed_is_watched_itself() {
    let site = Site::open("127.0.0.1").await;
    let posts: String = ["three", "two", "one"]
        .iter()
        .map(|name| {
            format!(
                "<article class=post><h2><a href='/{name}'>Post {name}</a></h2>\
                 <time datetime='2026-01-02'>2 January</time><p>About {name}.</p></article>"
            )
        })
        .collect();
    site.say("/", html(&format!("<!doctype html><title>News</title><main>{posts}</main>")));
    let finds = found(&site.url("/")).await;
    assert_eq!((finds.len(), &finds[0]["kind"]), (1, &Value::from("page")));
    assert_eq!(finds[0]["items"], 3);
    site.say("/feed", rss(&["three"]));
    let output = run(&["discover", &site.url("/"), "--json", "--kind", "page"]).await;
    assert!(out(&output).contains("\"kind\":\"page\""), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn products_in_a_page_are_found() {
    let site = Site::open("127.0.0.1").await;
    let data = r#"{"@context":"https://schema.org","@type":"Product","name":"Lamp","sku":"L1",
        "url":"/lamp","offers":{"@type":"Offer","price":"5.00","priceCurrency":"EUR",
        "availability":"https://schema.org/InStock"}}"#;
    let page = format!("<title>Lamp</title><script type='application/ld+json'>{data}</script>");
    site.say("/", html(&format!("<!doctype html><html><head>{page}</head>")));
    let finds = found(&site.url("/")).await;
    assert_eq!((&finds[0]["kind"], &finds[0]["format"]), (&"catalog".into(), &"json-ld".into()));
    assert_eq!(finds[0]["newest"], serde_json::json!(["Lamp"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn wordpress_with_woocommerce_gives_products_and_posts_only_without_a_feed() {
    let site = Site::open("127.0.0.1").await;
    let page = format!(
        "<html><title>W</title><link rel='https://api.w.org/' href='{}'>\
         <link rel=stylesheet href=/wp-content/plugins/woocommerce/x.css>",
        site.url("/wp-json/")
    );
    site.say("/", html(&page));
    site.say(
        "/wp-json/wc/store/v1/products?per_page=100",
        json(r#"[{"id":1,"name":"Tea","permalink":"/tea","prices":{"price":"500","currency_code":"EUR"}}]"#),
    );
    site.say(
        "/wp-json/wp/v2/posts?per_page=100&_embed=1",
        json(r#"[{"id":1,"link":"https://e.com/a","slug":"a","title":{"rendered":"Hello"},"date":"2026-01-02T03:04:05"}]"#),
    );
    let shape = |finds: &[Value]| -> Vec<String> {
        finds.iter().map(|find| find["format"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shape(&found(&site.url("/")).await), ["woocommerce", "wordpress"]);
    site.say("/feed", rss(&["Hello"]));
    let linked = page.replace("</title>", "</title><link rel=feed href=/feed>");
    site.say("/", html(&linked));
    assert_eq!(shape(&found(&site.url("/")).await), ["RSS 2.0", "woocommerce"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_a_document_itself_is_the_find() {
    let site = Site::open("127.0.0.1").await;
    site.say("/f", rss(&["one"]));
    site.say("/p", json(PRODUCTS));
    let map = format!("<urlset><url><loc>{}</loc></url></urlset>", site.url("/a"));
    site.say("/s", status(200, &[], map.as_bytes()));
    for (path, kind) in [("/f", "feed"), ("/p", "catalog"), ("/s", "sitemap")] {
        let finds = found(&site.url(path)).await;
        assert_eq!((finds.len(), &finds[0]["kind"]), (1, &Value::from(kind)));
    }
    assert!(site.heard("/robots.txt").is_empty(), "nothing else is asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_find_is_one_line_and_exit_1() {
    let site = Site::open("127.0.0.1").await;
    site.say("/", html("<html><title>x</title>"));
    site.say("/x", status(200, &[], b"<note/>"));
    let output = run(&["discover", &site.url("/")]).await;
    assert_eq!((output.status.code(), out(&output)), (Some(1), String::new()));
    assert!(
        err(&output).starts_with("nothing to watch was found at 127.0.0.1"),
        "{}",
        err(&output)
    );
    assert_eq!(err(&output).lines().count(), 1);
    let gone = run(&["discover", &site.url("/gone")]).await;
    assert_eq!((gone.status.code(), err(&gone).lines().count()), (Some(69), 1));
    let odd = run(&["discover", "ftp://example.com/"]).await;
    assert_eq!(odd.status.code(), Some(2));
}

/// Settings that are good as they stand, with a place for editors' files.
fn settings(folder: &Path) -> String {
    let main = folder.join("tidings.toml");
    let text = format!("include = [\"feeds.d/*.toml\"]\ndata_dir = \"{}\"\n", folder.display());
    std::fs::write(&main, text).unwrap();
    main.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_or_written_is_good_settings() {
    let site = Site::open("127.0.0.1").await;
    site.say("/", html("<title>My “blog”</title><link rel=feed href='/f?a=1&amp;b=2'>"));
    site.say("/f?a=1&b=2", rss(&["one \\ \"two\""]));
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path());
    let url = site.url("/");
    let args = ["discover", &url, "--config", &config, "--write", "my-blog"];
    let written = run(&args).await;
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    let file = folder.path().join("feeds.d/my-blog.toml");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), out(&written).trim_end());
    assert!(err(&written).contains("the settings with it are good"), "{}", err(&written));
    let check = run(&["check", "--config", &config]).await;
    assert!(out(&check).starts_with("would run: 1 source"), "{}{}", out(&check), err(&check));

    let again = run(&args).await;
    assert_eq!(again.status.code(), Some(78));
    assert!(err(&again).contains("my-blog.toml: there already"), "{}", err(&again));

    let exported = run(&["export", "opml", "--config", &config]).await;
    let list = folder.path().join("list.opml");
    std::fs::write(&list, &exported.stdout).unwrap();
    let list = list.display().to_string();
    let imported = run(&["import", "opml", &list]).await;
    let url = site.url("/f?a=1&b=2");
    let expected = format!(
        "# my-blog\n[sources.my-blog]\nkind = \"feed\"\nurl = \"{url}\"\nevery = \"30m\"\n"
    );
    assert_eq!(out(&imported), expected, "{}", err(&imported));
    let added = run(&["import", "opml", &list, "--write", "others", "--config", &config]).await;
    assert_eq!(added.status.code(), Some(0), "{}", err(&added));
    let check = run(&["check", "--config", &config]).await;
    assert!(out(&check).starts_with("would run: 2 sources"), "{}{}", out(&check), err(&check));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.opml");
    for (text, words) in [
        ("<rss version='2.0'><channel/></rss>", "not an OPML list of feeds"),
        ("<opml><body><outline text='empty'/></body></opml>", "the list names no feed"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = run(&["import", "opml", &file.display().to_string()]).await;
        assert_eq!(output.status.code(), Some(65));
        assert!(err(&output).contains(words) && err(&output).lines().count() == 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_read_as_a_feed_gives_the_hint() {
    let site = Site::open("127.0.0.1").await;
    site.say("/", html("<html><title>Blog</title><link rel=feed href=/feed.xml>"));
    let output = run(&["extract", &site.url("/")]).await;
    assert_eq!(output.status.code(), Some(65));
    let hint = format!("not a feed; it names one: {}", site.url("/feed.xml"));
    assert!(err(&output).contains(&hint), "{}", err(&output));
}
