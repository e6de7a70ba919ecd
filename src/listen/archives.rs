//! What was sent to topics that everybody may read: `/t/<topic>` and `/t/<topic>/feed.xml`.
//!
//! As the pages that people subscribe on, they may be asked as fast as anybody likes: what is shown
//! is made once in `FRESH_FOR`, and the store looks at no more than a page of posts each time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::invite::{ARCHIVE_POSTS_MAX, Archive, Document};
use crate::listen::answers::{asked, etag, is_known, put};
use crate::listen::invites::{document, languages, missing};
use crate::model::archive::Archived;
use crate::model::name::Name;
use crate::model::post::PostId;
use crate::store::Store;

/// For how long a page shows what was found.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// For how long browsers and readers may show it without asking.
const SHOWN_FOR: &str = "public, max-age=60";

/// Most pages of a topic that are kept: anybody can ask for those before any post.
const KEPT_MAX: usize = 64;

/// The routes of all archives.
pub(crate) fn routes(store: Arc<dyn Store>, patience: Duration, archives: Vec<Archive>) -> Router {
    let stands = archives
        .into_iter()
        .map(|archive| (archive.topic.clone(), Stand { archive, kept: Mutex::default() }));
    let hall = Arc::new(Hall { store, patience, stands: stands.collect() });
    Router::new()
        .route("/t/{topic}", get(page))
        .route("/t/{topic}/feed.xml", get(feed))
        .with_state(hall)
}

struct Hall {
    store: Arc<dyn Store>,
    /// How long the store may take.
    patience: Duration,
    stands: HashMap<Name, Stand>,
}

struct Stand {
    archive: Archive,
    kept: Mutex<Kept>,
}

/// What was made lately.
#[derive(Default)]
struct Kept {
    until: Option<Instant>,
    shown: HashMap<Wanted, Arc<Shown>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Page { language: String, before: Option<PostId> },
    Feed,
}

struct Shown {
    /// `None` of a feed.
    document: Option<Document>,
    body: Bytes,
    etag: String,
}

async fn page(
    State(hall): State<Arc<Hall>>,
    topic: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let stand = topic.ok().and_then(|Path(topic)| hall.stands.get(topic.as_str()));
    let Some(stand) = stand else { return missing(&headers) };
    let language = stand.archive.language(&languages(&headers));
    let before = asked(query.as_deref(), "before").and_then(|before| before.parse().ok());
    let wanted = Wanted::Page { language, before: before.map(PostId) };
    hall.answer(stand, wanted, &headers).await
}

async fn feed(
    State(hall): State<Arc<Hall>>,
    topic: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let stand = topic.ok().and_then(|Path(topic)| hall.stands.get(topic.as_str()));
    let Some(stand) = stand else { return missing(&headers) };
    hall.answer(stand, Wanted::Feed, &headers).await
}

impl Hall {
    async fn answer(&self, stand: &Stand, wanted: Wanted, headers: &HeaderMap) -> Response {
        // Others may wait for the same answer of the store; nobody waits for longer than it may take.
        let shown = tokio::time::timeout(2 * self.patience, self.shown(stand, wanted)).await;
        match shown.ok().flatten() {
            Some(shown) => shown.answer(headers),
            None => {
                let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                put(&mut response, CACHE_CONTROL, "no-store");
                put(&mut response, RETRY_AFTER, "60");
                response
            }
        }
    }

    /// `None` while the store does not tell.
    async fn shown(&self, stand: &Stand, wanted: Wanted) -> Option<Arc<Shown>> {
        let mut kept = stand.kept.lock().await;
        let now = Instant::now();
        if kept.until.is_none_or(|until| until <= now) {
            *kept = Kept { until: Some(now + FRESH_FOR), shown: HashMap::new() };
        }
        if let Some(shown) = kept.shown.get(&wanted) {
            return Some(Arc::clone(shown));
        }
        let archive = &stand.archive;
        let before = match &wanted {
            Wanted::Page { before, .. } => *before,
            Wanted::Feed => None,
        };
        let (posts, has_more) = self.posts(&archive.topic, before).await?;
        let shown = Arc::new(match &wanted {
            Wanted::Page { language, .. } => {
                let document = archive.document(language, &posts, has_more);
                let body = Bytes::from(document.html.clone());
                Shown { etag: etag(&document.html), body, document: Some(document) }
            }
            Wanted::Feed => {
                let feed = archive.feed(&posts);
                Shown { etag: etag(&feed), body: Bytes::from(feed), document: None }
            }
        });
        let is_newest = !matches!(&wanted, Wanted::Page { before: Some(_), .. });
        if is_newest || kept.shown.len() < KEPT_MAX {
            kept.shown.insert(wanted, Arc::clone(&shown));
        }
        Some(shown)
    }

    /// A page of posts, and whether there are older ones.
    async fn posts(&self, topic: &Name, before: Option<PostId>) -> Option<(Vec<Archived>, bool)> {
        let asked = self.store.load_archive(topic, before, ARCHIVE_POSTS_MAX + 1);
        // A store that has failed stops the whole daemon: nothing is to be said here.
        let mut posts = tokio::time::timeout(self.patience, asked).await.ok()?.ok()?;
        let has_more = posts.len() > ARCHIVE_POSTS_MAX;
        posts.truncate(ARCHIVE_POSTS_MAX);
        Some((posts, has_more))
    }
}

impl Shown {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let mut response = match &self.document {
            _ if is_known(headers, &self.etag) => StatusCode::NOT_MODIFIED.into_response(),
            Some(page) => document(page, self.body.clone(), false),
            None => {
                let mut response = self.body.clone().into_response();
                put(&mut response, CONTENT_TYPE, "application/rss+xml; charset=utf-8");
                put(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
                response
            }
        };
        put(&mut response, ETAG, &self.etag);
        put(&mut response, CACHE_CONTROL, SHOWN_FOR);
        if self.document.is_some() {
            put(&mut response, VARY, "accept-language");
        }
        response
    }
}
