//! Files and folders, pages, sitemaps, and the pages of new items.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tidings::model::source::{Local, PageField, PageRules, Source, SourceKind};
use tidings::poll::worker::Outcome;

use crate::site::{Site, feed, status};
use crate::world::World;

/// Writes a file that was finished so many seconds ago.
fn put(path: &Path, bytes: &[u8], seconds_ago: u64) {
    fs::write(path, bytes).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    #[expect(clippy::disallowed_methods, reason = "files have the machine's time")]
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds_ago)).unwrap();
}

fn watch<'w>(world: &'w mut World, path: &Path, within: Option<&Path>) -> &'w mut Source {
    let local = Local { path: path.to_owned(), within: within.map(Path::to_owned) };
    let source = world.watch("files", &format!("file://{}", path.display()));
    source.local = Some(Arc::new(local));
    source
}

fn csv(rows: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::from("id,title,link,price,availability\n");
    for (id, price) in rows {
        text.push_str(&format!("{id},Thing {id},https://shop.example/{id},{price},in stock\n"));
    }
    text.into_bytes()
}

#[tokio::test]
async fn a_file_is_read_again_only_when_it_changed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("feed.xml");
    let mut world = World::new();
    watch(&mut world, &path, None);
    let report = world.poll().await.remove(0);
    assert_eq!(report.outcome, Outcome::Failed);
    let told = format!("{}: there is no such file or folder", path.display());
    assert_eq!(report.remark.as_deref(), Some(told.as_str()));

    put(&path, &feed(&["One"]), 60);
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    put(&path, &feed(&["Two", "One"]), 30);
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.new), (Outcome::Fetched, 1));
    assert_eq!(world.titles().await, ["Two"]);
}

#[tokio::test]
async fn a_file_that_was_just_written_is_waited_for() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("feed.xml");
    put(&path, &feed(&["One"]), 0);
    let mut world = World::new();
    watch(&mut world, &path, None);
    let begun = std::time::Instant::now();
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert!(begun.elapsed() > Duration::from_millis(1_500));
}

#[tokio::test]
async fn the_newest_file_of_a_folder_is_the_whole_catalog() {
    let dir = TempDir::new().unwrap();
    let mut world = World::new();
    watch(&mut world, dir.path(), None).kind = SourceKind::Catalog;
    let report = world.poll().await.remove(0);
    assert!(report.remark.unwrap().contains("there is no document in the folder"));
    put(&dir.path().join("a.csv"), &csv(&[("1", "15.00 EUR"), ("2", "5.00 EUR")]), 90);
    put(&dir.path().join(".hidden.csv"), b"nothing", 10);
    put(&dir.path().join("notes.md"), b"nothing", 10);
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 2), "{report:?}");
    put(
        &dir.path().join("b.csv"),
        &csv(&[("3", "9.00 EUR"), ("1", "15.00 EUR"), ("2", "5.00 EUR")]),
        60,
    );
    let report = world.poll().await.remove(0);
    assert_eq!((report.items, report.new), (3, 1), "{report:?}");
    assert_eq!(world.titles().await, ["Thing 3"]);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn every_file_of_a_folder_of_news_is_read_once() {
    let dir = TempDir::new().unwrap();
    let mut world = World::new();
    watch(&mut world, dir.path(), None);
    put(&dir.path().join("1.xml"), &feed(&["Old"]), 90);
    put(&dir.path().join("2.xml"), &feed(&["One"]), 80);
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    put(&dir.path().join("4.xml"), &feed(&["Three"]), 60);
    put(&dir.path().join("3.xml"), &feed(&["Two"]), 70);
    assert_eq!(world.poll().await[0].new, 1);
    let state = world.state("files").await;
    assert_eq!(Some(state.due_at), state.polled_at, "the other file waits");
    assert_eq!(world.poll().await[0].new, 1);
    assert_eq!(world.titles().await, ["Two", "Three"]);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn an_unreadable_file_of_a_folder_does_not_block_those_behind_it() {
    let dir = TempDir::new().unwrap();
    let mut world = World::new();
    watch(&mut world, dir.path(), None);
    put(&dir.path().join("1.xml"), &feed(&["Old"]), 90);
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    put(&dir.path().join("2.xml"), b"<html><body>Please sign in</body></html>", 80);
    put(&dir.path().join("3.xml"), &feed(&["One"]), 70);
    let report = world.poll().await.remove(0);
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.remark.unwrap().contains("2.xml"));
    let state = world.state("files").await;
    assert_eq!(Some(state.due_at), state.polled_at, "the other file waits");
    assert_eq!(world.poll().await[0].new, 1);
    assert_eq!(world.titles().await, ["One"]);
    // The last one is told until another comes.
    put(&dir.path().join("4.xml"), b"nothing", 60);
    assert_eq!(world.poll().await[0].outcome, Outcome::Failed);
    assert_eq!(world.poll().await[0].outcome, Outcome::Failed);
}

#[tokio::test]
async fn older_pages_of_wordpress_are_asked_by_number_where_something_may_be_missed() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/?feed=rss2"));
    let say = |path: &str, titles: &[&str]| {
        let made = "<channel><generator>https://wordpress.org/?v=6.8</generator>";
        let text = String::from_utf8(feed(titles)).unwrap().replacen("<channel>", made, 1);
        site.say(path, status(200, &[], text.as_bytes()));
    };
    say("/?feed=rss2", &["Two", "One"]);
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    say("/?feed=rss2", &["Three", "Two"]);
    assert_eq!(world.poll().await[0].new, 1);
    assert_eq!(site.heard("/?feed=rss2&paged=2").len(), 0, "no gap");
    say("/?feed=rss2", &["Seven", "Six"]);
    say("/?feed=rss2&paged=2", &["Five", "Four"]);
    say("/?feed=rss2&paged=3", &["Three", "Two"]);
    assert_eq!(world.poll().await[0].new, 4);
    // What is not there ends it.
    say("/?feed=rss2", &["Nine", "Eight"]);
    site.say("/?feed=rss2&paged=2", status(404, &[], b""));
    assert_eq!(world.poll().await[0].new, 2);
}

#[tokio::test]
async fn sec_f09_a_link_out_of_the_open_folder_is_not_followed() {
    let dir = TempDir::new().unwrap();
    let (open, closed) = (dir.path().join("open"), dir.path().join("closed"));
    fs::create_dir(&open).unwrap();
    fs::create_dir(&closed).unwrap();
    put(&closed.join("secret.xml"), &feed(&["Secret"]), 60);
    std::os::unix::fs::symlink(closed.join("secret.xml"), open.join("link.xml")).unwrap();
    std::os::unix::fs::symlink(&closed, open.join("folder")).unwrap();
    for path in [open.join("link.xml"), open.join("folder"), open.join("folder/secret.xml")] {
        let mut world = World::new();
        watch(&mut world, &path, Some(&open));
        let report = world.poll().await.remove(0);
        assert!(report.remark.unwrap().contains("it leads out of"), "{path:?}");
    }
    let mut world = World::new();
    watch(&mut world, &open, Some(&open));
    assert_eq!(world.poll().await[0].items, 0, "what leads out is not among its files");
}

fn sitemap(urls: &[String]) -> Vec<u8> {
    let urls: String = urls.iter().map(|url| format!("<url><loc>{url}</loc></url>")).collect();
    let xmlns = "http://www.sitemaps.org/schemas/sitemap/0.9";
    format!("<?xml version=\"1.0\"?><urlset xmlns=\"{xmlns}\">{urls}</urlset>").into_bytes()
}

#[tokio::test]
async fn the_parts_of_a_sitemap_are_one_poll_and_new_addresses_are_visited() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("map", &site.url("/sitemap.xml")).kind = SourceKind::Sitemap;
    let parts: String = ["/a.xml", "/lost.xml", "/b.xml"]
        .map(|part| format!("<sitemap><loc>{}</loc></sitemap>", site.url(part)))
        .concat();
    let index = format!(
        "<?xml version=\"1.0\"?><sitemapindex \
         xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{parts}</sitemapindex>"
    );
    site.say("/sitemap.xml", status(200, &[], index.as_bytes()));
    let pages = |from: usize, to: usize| {
        (from..to).map(|page| site.url(&format!("/page-{page}"))).collect::<Vec<_>>()
    };
    site.say("/a.xml", status(200, &[], &sitemap(&pages(0, 30))));
    site.say("/b.xml", status(200, &[], &sitemap(&pages(30, 60))));
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items, report.new), (Outcome::Fetched, 60, 0), "{report:?}");
    assert!(site.heard("/page-1").is_empty());

    site.say("/b.xml", status(200, &[], &sitemap(&pages(30, 62))));
    let page = b"<!doctype html><html><head><title>The title</title>\
                 <meta property=\"og:title\" content=\"A new page\"></head><body><p>Words</p>";
    site.say("/page-60", status(200, &[("Content-Type", "text/html")], page));
    let report = world.poll().await.remove(0);
    assert_eq!((report.items, report.new), (62, 2), "{report:?}");
    assert_eq!(site.heard("/page-60").len() + site.heard("/page-61").len(), 2);
    assert!(report.remark.unwrap().contains("1 pages of new items can't be read"));
    let mut titles = world.titles().await;
    titles.sort();
    assert_eq!(titles.len(), 2);
    assert_eq!(titles[1], "A new page");
}

#[tokio::test]
async fn a_page_is_read_by_its_rules_and_a_rule_that_matches_nothing_fails_by_name() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    let source = world.watch("page", &site.url("/news"));
    source.kind = SourceKind::Page;
    source.select = Some(Arc::new(PageRules {
        item: Some("article.post".to_owned()),
        title: Some(PageField::parse("h2 a")),
        link: Some(PageField::parse("h2 a@href")),
        ..PageRules::default()
    }));
    let html = [("Content-Type", "text/html; charset=utf-8")];
    let page = |class: &str, names: &[&str]| {
        let items: String = names
            .iter()
            .map(|name| {
                format!(
                    "<article class=\"{class}\"><h2><a href=\"/{name}\">{name}</a></h2></article>"
                )
            })
            .collect();
        let whole = format!("<!doctype html><html><body><main>{items}</main></body></html>");
        status(200, &html, whole.as_bytes())
    };
    site.say("/news", page("post", &["Two", "One"]));
    let report = world.poll().await.remove(0);
    assert_eq!((report.outcome, report.items), (Outcome::Fetched, 2), "{report:?}");
    site.say("/news", page("post", &["Three", "Two", "One"]));
    assert_eq!(world.poll().await[0].new, 1);
    assert_eq!(world.titles().await, ["Three"]);
    site.say("/news", page("entry", &["Three", "Two", "One"]));
    let report = world.poll().await.remove(0);
    assert_eq!(report.outcome, Outcome::Failed);
    let remark = report.remark.unwrap();
    assert!(remark.contains("select.item") && remark.contains("article.post"), "{remark}");
}

#[tokio::test]
async fn the_page_of_a_new_item_gives_its_full_text_and_one_that_fails_costs_nothing() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).full_text = true;
    let at_home = |titles: &[&str]| {
        let text = String::from_utf8(feed(titles)).unwrap();
        text.replace("http://blog.example", &site.url("")).into_bytes()
    };
    site.say("/feed", status(200, &[], &at_home(&["One"])));
    world.poll().await;
    assert!(site.heard("/One").is_empty(), "nothing is new at the first poll");

    let words = "A sentence with quite a few words in it, so that it is worth reading. ".repeat(20);
    let page = format!(
        "<!doctype html><html><head><title>Two</title></head><body><article><h1>Two</h1>\
         <p>{words}</p><p>{words}</p></article></body></html>"
    );
    site.say("/Two", status(200, &[("Content-Type", "text/html")], page.as_bytes()));
    site.say("/feed", status(200, &[], &at_home(&["Three", "Two", "One"])));
    let report = world.poll().await.remove(0);
    assert_eq!(report.new, 2, "{report:?}");
    assert!(report.remark.unwrap().contains("1 pages of new items can't be read"));
    let mut bodies = Vec::new();
    for draft in world.drafts().await {
        if let tidings::model::post::Content::Items { items, .. } = draft.content {
            let items = world.store.load_items(&[items[0].item]).await.unwrap();
            bodies.push((items[0].title.clone(), format!("{:?}", items[0].body)));
        }
    }
    bodies.sort();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[1].1.contains("worth reading"), "{bodies:?}");
    assert!(!bodies[0].1.contains("worth reading"));

    let many = format!("<p>{words}</p>{}", "<i>x</i>".repeat(20_000));
    site.say("/Four", status(200, &[("Content-Type", "text/html")], many.as_bytes()));
    site.say("/feed", status(200, &[], &at_home(&["Four", "Three", "Two", "One"])));
    let report = world.poll().await.remove(0);
    let remark = report.remark.unwrap();
    assert!(remark.contains("1 pages of new items are too large or too intricate"), "{remark}");
}

/// A feed that names its next page.
fn paged(titles: &[&str], next: &str) -> Vec<u8> {
    let text = String::from_utf8(feed(titles)).unwrap();
    let link = format!(
        "<channel><atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"{next}\"/>"
    );
    text.replace("<channel>", &link).into_bytes()
}

#[tokio::test]
async fn older_pages_of_a_feed_are_read_only_where_something_may_be_missed() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).flood.items = 100;
    let say = |path: &str, titles: &[&str], next: &str| {
        site.say(path, status(200, &[], &paged(titles, &site.url(next))));
    };
    say("/feed", &["One"], "/feed?page=2");
    world.poll().await;
    say("/feed", &["Two", "One"], "/feed?page=2");
    assert_eq!(world.poll().await[0].new, 1);
    assert!(site.heard("/feed?page=2").is_empty(), "nothing can be missed");

    say("/feed", &["Six", "Five"], "/feed?page=2");
    say("/feed?page=2", &["Four", "Three"], "/feed?page=3");
    say("/feed?page=3", &["Two", "One"], "/feed?page=4");
    assert_eq!(world.poll().await[0].new, 4);
    assert!(site.heard("/feed?page=4").is_empty(), "the gap ends where something is known");
    let mut titles = world.titles().await;
    titles.sort();
    assert_eq!(titles, ["Five", "Four", "Six", "Three", "Two"]);

    // In a circle, and with a page that does not come.
    say("/feed", &["Eight", "Seven"], "/feed?page=5");
    say("/feed?page=5", &["Seven", "Extra"], "/feed");
    assert_eq!(world.poll().await[0].new, 3);
    say("/feed", &["Ten", "Nine"], "/lost");
    assert_eq!(world.poll().await[0].new, 2);
}

#[tokio::test]
async fn a_hub_is_asked_to_tell_and_its_word_makes_the_source_due() {
    use tidings::poll::push::Push;
    use tidings::runtime::pushes::Pushes;
    use tidings::runtime::shutdown::{Stop, Tasks};

    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).first_newest = 1;
    let self_link = format!("<{}>; rel=\"self\"", site.url("/feed"));
    let hub_link = format!("<{}>; rel=\"hub\"", site.url("/hub"));
    site.say("/feed", status(200, &[("Link", &self_link), ("Link", &hub_link)], &feed(&["One"])));
    site.say("/hub", status(202, &[], b""));
    let (pushes, rings) = Pushes::new([7; 32]);
    let callback = "https://news.example/base".parse().unwrap();
    let mut options = world.options();
    let pause = Duration::from_millis(10);
    options.push = Some(Push { pushes: pushes.clone(), rings, callback, pause });
    let tasks = Tasks::default();
    let stop: Stop = tasks.stop().clone();
    tasks.spawn("poll", tidings::poll::worker::run(options, stop));
    site.wait_for("/hub", 1).await;

    let asked = site.heard("/hub").remove(0);
    assert!(asked.head.starts_with("POST "), "{}", asked.head);
    let state = world.state("blog").await;
    let hub = state.hub.unwrap();
    assert_eq!((hub.url, hub.topic.clone()), (site.url("/hub"), site.url("/feed")));
    let again =
        pushes.subscribe(&crate::world::name("blog"), &site.url("/hub"), &hub.topic, state.due_at);
    assert!(again.is_none(), "asked once");

    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    assert_eq!((form["hub.mode"].as_str(), &form["hub.topic"]), ("subscribe", &hub.topic));
    let token = form["hub.callback"].strip_prefix("https://news.example/base/hub/").unwrap();
    assert!(token.len() >= 32 && form["hub.secret"].len() >= 32);
    assert!(pushes.confirm(token, &hub.topic, None, state.due_at));
    pushes.ring(token);
    site.wait_for("/feed", 2).await;
    tasks.drain(Duration::from_secs(5)).await;
}
