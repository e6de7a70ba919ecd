//! The worker: from a due source to what the store holds.

use std::sync::Arc;
use std::time::Duration;

use tidings::model::schedule::Schedule;
use tidings::model::source::FloodRule;
use tidings::poll::worker::{Ask, Options, Outcome, poll_once, run};
use tidings::runtime::shutdown::{Stop, Tasks};
use tokio::sync::{mpsc, oneshot};

use crate::site::{Answer, Site, feed, redirect, status};
use crate::world::{PATIENCE, World, name, wait};

#[tokio::test]
async fn the_first_poll_is_a_baseline_and_a_new_item_becomes_a_draft() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", status(200, &[], &feed(&["Two", "One"])));
    let reports = world.poll().await;
    assert_eq!((reports[0].outcome, reports[0].items, reports[0].new), (Outcome::Fetched, 2, 0));
    assert!(world.drafts().await.is_empty());

    let woken = world.wakes.drafts.notified();
    site.say("/feed", status(200, &[], &feed(&["Three", "Two", "One"])));
    assert_eq!(world.poll().await[0].new, 1);
    tokio::time::timeout(PATIENCE, woken).await.expect("the bell rang");
    assert_eq!(world.titles().await, ["Three"]);
    let state = world.state("blog").await;
    assert_eq!((state.items, state.failures), (3, 0));
    assert_eq!(state.changed_at, state.polled_at);
}

#[tokio::test]
async fn validators_are_remembered_and_a_304_changes_only_the_state() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.on("/feed", |heard| {
        Answer::Bytes(match heard.header("If-None-Match") {
            Some("\"v1\"") => status(304, &[], b""),
            _ => status(200, &[("ETag", "\"v1\"")], &feed(&["One"])),
        })
    });
    world.poll().await;
    let first = world.state("blog").await;
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
    let second = world.state("blog").await;
    assert_eq!(second.etag.as_deref(), Some("\"v1\""));
    assert!(second.polled_at >= first.polled_at);
    assert_eq!((second.items, second.document_hash), (1, first.document_hash));
    assert_eq!(site.heard("/feed").len(), 2);
}

#[tokio::test]
async fn the_same_bytes_are_not_read_again() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", status(200, &[], &feed(&["One"])));
    assert_eq!(world.poll().await[0].outcome, Outcome::Fetched);
    assert_eq!(world.poll().await[0].outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_failed_poll_changes_only_the_state_and_backs_off() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", status(200, &[("ETag", "\"v1\"")], &feed(&["One"])));
    world.poll().await;
    let known = world.store.load_known(&name("blog")).await.unwrap();

    let login = b"<!doctype html><html><head><title>Sign in</title></head><body><form>";
    let html = [("Content-Type", "text/html")];
    let answers = [
        status(404, &[], b""),
        status(200, &html, login),
        status(500, &[], b""),
        status(200, &[("Content-Encoding", "gzip")], b"no gzip"),
    ];
    for (failures, answer) in (1..).zip(answers) {
        site.say("/feed", answer);
        let report = world.poll().await.remove(0);
        assert_eq!(report.outcome, Outcome::Failed);
        let state = world.state("blog").await;
        assert_eq!(state.failures, failures);
        assert!(wait(&state) > Duration::from_secs(25 * 60) * 2_u32.pow(failures));
        let line = state.failure.unwrap();
        assert!(line.starts_with(&format!("{}: ", site.url("/feed"))), "{line}");
        assert_eq!(report.remark.as_ref(), Some(&line));
        assert_eq!((state.etag.as_deref(), state.items), (Some("\"v1\""), 1));
    }
    assert_eq!(world.store.load_known(&name("blog")).await.unwrap(), known);

    site.say("/feed", status(200, &[], &feed(&["Two", "One"])));
    assert_eq!(world.poll().await[0].new, 1);
    let state = world.state("blog").await;
    assert_eq!((state.failures, state.failure), (0, None));
}

#[tokio::test]
async fn what_is_gone_waits_a_day_and_retry_after_is_kept() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("gone", &site.url("/gone"));
    world.watch("busy", &site.url("/busy"));
    site.say("/gone", status(410, &[], b""));
    site.say("/busy", status(429, &[("Retry-After", "7200")], b""));
    world.poll().await;
    assert!(wait(&world.state("gone").await) > Duration::from_secs(21 * 3600));
    let busy = wait(&world.state("busy").await);
    assert!(busy >= Duration::from_secs(7_200) && busy < Duration::from_secs(8_000), "{busy:?}");
}

#[tokio::test]
async fn a_permanent_move_is_remembered_once_it_gave_a_document() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/old"));
    site.say("/old", redirect(301, "/new"));
    site.say("/new", status(500, &[], b""));
    world.poll().await;
    assert_eq!(world.state("blog").await.moved_to, None);

    site.say("/new", status(200, &[], &feed(&["One"])));
    world.poll().await;
    let state = world.state("blog").await;
    assert_eq!(state.moved_to, Some(site.url("/new")));
    assert_eq!(state.moved_from, Some(site.url("/old")));

    world.poll().await;
    assert_eq!((site.heard("/old").len(), site.heard("/new").len()), (2, 3));

    // Another address in the settings ends it.
    world.sources[0].url = site.url("/other").into();
    site.say("/other", status(200, &[], &feed(&["One"])));
    world.poll().await;
    assert_eq!(site.heard("/other").len(), 1);
    assert_eq!(world.state("blog").await.moved_to, None);
}

#[tokio::test]
async fn a_temporary_redirect_is_not_remembered() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/old"));
    site.say("/old", redirect(302, "/new"));
    site.say("/new", status(200, &[], &feed(&["One"])));
    world.poll().await;
    world.poll().await;
    assert_eq!(site.heard("/old").len(), 2);
    assert_eq!(world.state("blog").await.moved_to, None);
}

#[tokio::test]
async fn sec_f11_a_redirect_to_a_private_address_fails_the_poll() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", redirect(301, "http://10.0.0.1/feed"));
    let report = world.poll().await.remove(0);
    assert_eq!(report.outcome, Outcome::Failed);
    let line = report.remark.unwrap();
    assert!(line.contains("10.0.0.1 is not on the public internet"), "{line}");
}

#[tokio::test]
async fn sec_f10_an_address_that_is_refused_fails_its_source_alone() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("bad", "http://user:word@blog.example/feed?key=hush");
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", status(200, &[], &feed(&["One"])));
    let reports = world.poll().await;
    assert_eq!(reports[0].outcome, Outcome::Failed);
    let line = reports[0].remark.clone().unwrap();
    assert!(!line.contains("hush") && !line.contains("word@"), "{line}");
    assert_eq!(reports[1].outcome, Outcome::Fetched);
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed"));
    site.say("/feed", status(200, &[], &feed(&["One"])));
    world.poll().await;
    let before = world.state("blog").await;
    site.say("/feed", status(200, &[], &feed(&["Two", "One"])));
    for _ in 0..2 {
        let report = world.poll_with(true).await.remove(0);
        assert_eq!((report.outcome, report.new), (Outcome::Fetched, 1));
    }
    assert_eq!(world.state("blog").await, before);
    assert!(world.drafts().await.is_empty());
    assert_eq!(world.poll().await[0].new, 1);
}

#[tokio::test]
async fn sec_l11_a_flood_is_held() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).flood = FloodRule { items: 2, share: 0.5 };
    site.say("/feed", status(200, &[], &feed(&["One"])));
    world.poll().await;
    site.say("/feed", status(200, &[], &feed(&["Four", "Three", "Two", "One"])));
    let report = world.poll().await.remove(0);
    assert_eq!((report.new, report.held), (0, 3));
    assert!(world.drafts().await.is_empty());
    assert_eq!(world.store.load_held_drafts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_request_at_a_time_goes_to_a_host() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    for at in 0..20 {
        world.watch(&format!("blog{at}"), &site.url(&format!("/{at}")));
        site.say(&format!("/{at}"), status(200, &[], &feed(&["One"])));
    }
    let reports = world.poll().await;
    assert!(reports.iter().all(|report| report.outcome == Outcome::Fetched));
    assert_eq!(site.most_at_once(), 1);
}

/// Runs the worker until `until` has come, then stops it and waits for its end.
async fn run_until(world: &World, mut options: Options, until: impl Future<Output = ()>) {
    let tasks = Tasks::default();
    let stop: Stop = tasks.stop().clone();
    options.store = Arc::clone(&world.store);
    tasks.spawn("poll", run(options, stop));
    tokio::time::timeout(PATIENCE, until).await.expect("it did not come");
    let fault = tokio::time::timeout(PATIENCE, tasks.drain(PATIENCE)).await.expect("it hangs");
    assert_eq!(fault, None);
}

#[tokio::test]
async fn a_hung_site_delays_nobody_else_and_no_stop() {
    let (hung, site) = (Site::open("127.0.0.2").await, Site::open("127.0.0.1").await);
    let mut world = World::new();
    for at in 0..3 {
        hung.on(&format!("/{at}"), |_| Answer::Hang);
        world.watch(&format!("hung{at}"), &hung.url(&format!("/{at}")));
    }
    for at in 0..10 {
        let title = format!("One of {at}");
        site.say(&format!("/{at}"), status(200, &[], &feed(&[&title])));
        world.watch(&format!("blog{at}"), &site.url(&format!("/{at}"))).first_newest = 1;
    }
    run_until(&world, world.options(), async {
        while world.drafts().await.len() < 10 {
            world.wakes.drafts.notified().await;
        }
    })
    .await;
    assert_eq!(hung.most_at_once(), 1);
}

#[tokio::test]
async fn more_hung_sites_than_connections_delay_nobody_else() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    let mut hung = Vec::new();
    for at in 0..5 {
        let site = Site::open(&format!("127.0.1.{}", at + 1)).await;
        site.on("/", |_| Answer::Hang);
        world.watch(&format!("hung{at}"), &site.url("/"));
        hung.push(site);
    }
    site.say("/", status(200, &[], &feed(&["One"])));
    world.watch("blog", &site.url("/")).first_newest = 1;
    let options = world.options();
    assert!(hung.len() > options.connections);
    run_until(&world, options, world.wakes.drafts.notified()).await;
}

#[tokio::test]
async fn a_source_is_not_polled_before_it_is_due_after_a_restart() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/blog"));
    site.say("/blog", status(200, &[], &feed(&["One"])));
    world.poll().await;
    world.watch("new", &site.url("/new")).first_newest = 1;
    site.say("/new", status(200, &[], &feed(&["One"])));
    run_until(&world, world.options(), world.wakes.drafts.notified()).await;
    assert_eq!((site.heard("/blog").len(), site.heard("/new").len()), (1, 1));
}

#[tokio::test]
async fn a_source_is_polled_again_when_it_is_due() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).schedule = Schedule::Every(Duration::from_millis(50));
    site.say("/feed", status(200, &[], &feed(&["One"])));
    let options = Options { floor: Duration::from_millis(50), ..world.options() };
    run_until(&world, options, site.wait_for("/feed", 4)).await;
}

#[tokio::test]
async fn the_pause_of_a_host_holds_on_redirects_too() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/old"));
    site.say("/old", redirect(302, "/new"));
    site.say("/new", status(200, &[], &feed(&["One"])));
    let pause = Duration::from_millis(300);
    let options = Options { host_pause: pause, ..world.options() };
    let begun = std::time::Instant::now();
    let reports = poll_once(options, false, &mut |_| ()).await.unwrap();
    assert_eq!(reports[0].outcome, Outcome::Fetched);
    assert!(begun.elapsed() >= pause);
}

#[tokio::test]
async fn a_running_worker_polls_what_it_is_asked_for() {
    let site = Site::open("127.0.0.1").await;
    let mut world = World::new();
    world.watch("blog", &site.url("/feed")).first_newest = 1;
    site.say("/feed", status(200, &[], &feed(&["One"])));
    let (ask_tx, ask_rx) = mpsc::channel(4);
    let ask = async |sources: &[&str], is_dry| {
        let (answer, answered) = oneshot::channel();
        let sources = sources.iter().map(|source| name(source)).collect();
        ask_tx.send(Ask { sources, is_dry, answer }).await.unwrap();
        answered.await.unwrap()
    };
    let options = Options { asks: Some(ask_rx), ..world.options() };
    run_until(&world, options, async {
        world.wakes.drafts.notified().await;
        site.say("/feed", status(200, &[], &feed(&["Two", "One"])));
        assert_eq!(ask(&["blog"], true).await[0].new, 1);
        assert_eq!(ask(&["blog"], false).await[0].new, 1);
        assert_eq!(ask(&[], false).await[0].outcome, Outcome::Unchanged);
        let unknown = ask(&["nobody"], false).await.remove(0);
        assert_eq!(unknown.remark.as_deref(), Some("no such source"));
    })
    .await;
    assert_eq!(world.titles().await, ["One", "Two"]);
}
