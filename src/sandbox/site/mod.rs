//! A small blog with a feed, as a real site on a loopback port.
//!
//! It has an index, a page for each post, pictures, and `/feed.xml` (RSS 2.0) that answers
//! conditional requests with 304. It gains a post at every interval, or when told to. Beside it is a
//! shop, `/shop/products.xml` (Google Merchant), with pages of its things.

mod stories;

mod picture;

mod feed;

mod shop;

pub use shop::Deed as ShopDeed;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Tasks;
use crate::sandbox::{Running, door, serve};

/// Most posts that are kept; the oldest go.
const POSTS_MAX: usize = 10_000;
/// Posts in the feed: the newest.
const FEED_POSTS_MAX: usize = 20;

/// How the blog behaves; the default begins empty and gains posts only when told to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// A post appears this often.
    pub interval: Option<Duration>,
    /// So many posts are there from the beginning.
    pub posts: usize,
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, interval: None, posts: 0, clock: Clock::system() }
    }
}

/// One post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Counts from 1; never used again.
    pub number: u64,
    pub title: String,
    /// The body's markup; addresses in it are absolute.
    pub html: String,
    pub language: &'static str,
    pub tags: &'static [&'static str],
    pub at: Timestamp,
    pub has_picture: bool,
}

/// What visitors did and what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub posts: u64,
    pub newest: Option<String>,
    /// How often the feed was asked for, and how often the answer was 304.
    pub polls: u64,
    pub unchanged: u64,
    pub last_poll_at: Option<Timestamp>,
    pub last_poll_status: u16,
}

/// The running blog. Clones are the same blog; it stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct Site {
    inner: Arc<Inner>,
    _running: Arc<Running>,
}

impl Site {
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (listener, address) = door::bind(options.listen).await?;
        let inner = Arc::new(Inner {
            base: format!("http://{address}"),
            clock: options.clock,
            posts: Mutex::default(),
            shelf: Mutex::new(shop::shelf()),
            tally_tx: watch::Sender::default(),
        });
        for _ in 0..options.posts {
            inner.publish_story();
        }
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        let router = Router::new()
            .route("/", get(index))
            .route("/feed.xml", get(feed_xml))
            .route("/posts/{number}", get(post))
            .route("/pictures/{name}", get(picture_png))
            .route("/shop/products.xml", get(shop_xml))
            .route("/shop/{id}", get(shop_page))
            .with_state(Arc::clone(&inner));
        tasks.spawn("sandbox site", serve(listener, router, stop.clone()));
        if let Some(interval) = options.interval {
            let writer = Arc::clone(&inner);
            tasks.spawn("sandbox site writer", async move {
                let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while stop.begin.run_until_cancelled(ticks.tick()).await.is_some() {
                    writer.publish_story();
                }
            });
        }
        Ok(Self { inner, _running: Arc::new(Running(tasks)) })
    }

    /// The index. Without a slash at its end.
    pub fn url(&self) -> &str {
        &self.inner.base
    }

    pub fn feed_url(&self) -> String {
        format!("{}/feed.xml", self.inner.base)
    }

    /// The shop's catalog.
    pub fn shop_url(&self) -> String {
        format!("{}/shop/products.xml", self.inner.base)
    }

    /// Changes the first thing of the shop; answers how it stands now.
    pub fn change_shop(&self, deed: ShopDeed) -> String {
        shop::change(&mut self.inner.shelf(), deed)
    }

    /// Puts a post of that markup into the blog; answers its address.
    pub fn publish(&self, title: &str, html: &str) -> String {
        let number = self.inner.publish(|number, at| Post {
            number,
            title: title.to_owned(),
            html: html.to_owned(),
            language: "en",
            tags: &[],
            at,
            has_picture: false,
        });
        self.inner.post_url(number)
    }

    /// Puts the next of our own stories into the blog; answers its address.
    pub fn publish_story(&self) -> String {
        let number = self.inner.publish_story();
        self.inner.post_url(number)
    }

    /// The posts, oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.inner.lock().clone()
    }

    /// What visitors did and what there is; watch it to wait for either.
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.inner.tally_tx.subscribe()
    }

    /// Waits until the feed was asked for that often in all. Wrap it in a time-out.
    pub async fn wait_polls(&self, count: u64) {
        // The sender lives as long as this.
        let _ = self.tally().wait_for(|tally| tally.polls >= count).await;
    }
}

#[derive(Debug)]
struct Inner {
    base: String,
    clock: Clock,
    posts: Mutex<Vec<Post>>,
    shelf: Mutex<Vec<shop::Product>>,
    tally_tx: watch::Sender<Tally>,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Vec<Post>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<shop::Product>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post_url(&self, number: u64) -> String {
        format!("{}/posts/{number}", self.base)
    }

    fn picture_url(&self, number: u64) -> String {
        format!("{}/pictures/{number}.png", self.base)
    }

    fn publish_story(&self) -> u64 {
        self.publish(|number, at| stories::tell(number, at, &self.base))
    }

    fn publish(&self, write: impl FnOnce(u64, Timestamp) -> Post) -> u64 {
        let mut posts = self.lock();
        let number = posts.last().map_or(1, |post| post.number + 1);
        let post = write(number, self.clock.now());
        self.tally_tx.send_modify(|tally| {
            tally.posts += 1;
            tally.newest = Some(post.title.clone());
        });
        if posts.len() >= POSTS_MAX {
            posts.remove(0);
        }
        posts.push(post);
        number
    }
}

async fn index(State(site): State<Arc<Inner>>) -> Response {
    let posts = site.lock();
    let lines: String = posts
        .iter()
        .rev()
        .take(FEED_POSTS_MAX)
        .map(|post| {
            let (title, at) = (feed::escape(&post.title), post.at);
            format!("<li><a href=\"/posts/{}\">{title}</a> <time>{at}</time></li>", post.number)
        })
        .collect();
    page("The Harbour Gazette", &format!("<h1>The Harbour Gazette</h1><ul>{lines}</ul>"))
}

async fn post(State(site): State<Arc<Inner>>, Path(number): Path<u64>) -> Response {
    let posts = site.lock();
    let Some(post) = posts.iter().find(|post| post.number == number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let title = feed::escape(&post.title);
    let picture = if post.has_picture {
        format!("<img src=\"/pictures/{number}.png\" alt=\"\">")
    } else {
        String::new()
    };
    let (at, html) = (post.at, &post.html);
    page(&title, &format!("<h1>{title}</h1><time>{at}</time>{picture}{html}"))
}

/// A page of the blog; `title` is markup already.
fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <link rel=\"alternate\" type=\"application/rss+xml\" href=\"/feed.xml\">\
         <style>:root{{color-scheme:light dark}}body{{font:1.05rem/1.6 Georgia,serif;\
         max-width:38rem;margin:3rem auto;padding:0 1rem}}img{{max-width:100%;border-radius:8px}}\
         time{{opacity:.6;font-size:.85em}}</style></head><body>{body}</body></html>"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

async fn feed_xml(State(site): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    let posts = site.lock().clone();
    let changed_at = posts.last().map_or_else(|| site.clock.now(), |post| post.at);
    let tag = format!("\"{}-{}\"", posts.last().map_or(0, |post| post.number), posts.len());
    let modified = feed::http_date(changed_at);
    let validators = [
        (ETAG, tag.clone()),
        (LAST_MODIFIED, modified.clone()),
        (CACHE_CONTROL, "no-cache".into()),
    ];
    let sent = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // The tag wins over the date: two posts may have come within one second.
    let is_known = match (sent(&IF_NONE_MATCH), sent(&IF_MODIFIED_SINCE)) {
        (Some(tags), _) => tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag),
        (None, Some(since)) => since == modified,
        (None, None) => false,
    };
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    site.tally_tx.send_modify(|tally| {
        tally.polls += 1;
        tally.unchanged += u64::from(is_known);
        tally.last_poll_at = Some(site.clock.now());
        tally.last_poll_status = status.as_u16();
    });
    if is_known {
        return (status, validators).into_response();
    }
    let newest = posts.iter().rev().take(FEED_POSTS_MAX);
    let xml = feed::write(&site.base, newest, |post| {
        (site.post_url(post.number), post.has_picture.then(|| site.picture_url(post.number)))
    });
    let kind = [(CONTENT_TYPE, "application/rss+xml; charset=utf-8")];
    (status, validators, kind, xml).into_response()
}

async fn shop_xml(State(site): State<Arc<Inner>>) -> Response {
    let xml = shop::catalog(&site.base, &site.shelf());
    ([(CONTENT_TYPE, "application/xml; charset=utf-8")], xml).into_response()
}

async fn shop_page(State(site): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    let found = shop::page(&site.shelf(), &id);
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |(title, body)| page(&title, &body))
}

async fn picture_png(uri: Uri) -> Response {
    let name = uri.path().trim_start_matches("/pictures/");
    let Some(number) = name.strip_suffix(".png").and_then(|number| number.parse().ok()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Pictures never change, and drawing one takes a while in a debug build.
    match tokio::task::spawn_blocking(move || picture::draw(number)).await {
        Ok(png) => {
            ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "max-age=86400")], png).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
