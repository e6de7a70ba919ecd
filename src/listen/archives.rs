//! What was sent to topics that everybody may read: `/t/<topic>` and `/t/<topic>/feed.xml`.
//!
//! As the pages that people subscribe on, they may be asked as fast as anybody likes: the store is
//! asked for a topic once in `FRESH_FOR`, and what is shown of it is made once of that.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::invite::{ARCHIVE_POSTS_MAX, Archive, Document};
use crate::listen::answers::{asked, etag, is_known, not_now, put};
use crate::listen::invites::{document, languages, missing};
use crate::model::archive::Archived;
use crate::model::name::Name;
use crate::model::post::PostId;
use crate::store::Store;

/// For how long a page shows what was found.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// For how long browsers and readers may show it without asking.
const SHOWN_FOR: &str = "public, max-age=60";

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
    /// Newest first.
    posts: Vec<Archived>,
    /// At most each page in each language.
    shown: HashMap<Wanted, Arc<Shown>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Wanted {
    /// Of the posts from this place on.
    Page {
        language: String,
        from: usize,
    },
    Feed,
}

/// What somebody asks for.
enum Asked {
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
    hall.answer(stand, Asked::Page { language, before: before.map(PostId) }, &headers).await
}

async fn feed(
    State(hall): State<Arc<Hall>>,
    topic: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let stand = topic.ok().and_then(|Path(topic)| hall.stands.get(topic.as_str()));
    let Some(stand) = stand else { return missing(&headers) };
    hall.answer(stand, Asked::Feed, &headers).await
}

impl Hall {
    async fn answer(&self, stand: &Stand, asked: Asked, headers: &HeaderMap) -> Response {
        // Others may wait for the same answer of the store; nobody waits for longer than it may take.
        let shown = tokio::time::timeout(2 * self.patience, self.shown(stand, asked)).await;
        match shown.ok().flatten() {
            Some(shown) => shown.answer(headers),
            None => not_now(),
        }
    }

    /// `None` while the store does not tell.
    async fn shown(&self, stand: &Stand, asked: Asked) -> Option<Arc<Shown>> {
        let mut kept = stand.kept.lock().await;
        let (archive, now) = (&stand.archive, Instant::now());
        if kept.until.is_none_or(|until| until <= now) {
            let asked = self.store.load_archive(&archive.topic);
            // A store that has failed stops the whole daemon: nothing is to be said here.
            let posts = tokio::time::timeout(self.patience, asked).await.ok()?.ok()?;
            *kept = Kept { until: Some(now + FRESH_FOR), posts, shown: HashMap::new() };
        }
        let wanted = match asked {
            Asked::Page { language, before } => {
                let is_newer = |post: &Archived| before.is_some_and(|before| post.post >= before);
                Wanted::Page { language, from: kept.posts.partition_point(is_newer) }
            }
            Asked::Feed => Wanted::Feed,
        };
        if let Some(shown) = kept.shown.get(&wanted) {
            return Some(Arc::clone(shown));
        }
        let shown = Arc::new(match &wanted {
            Wanted::Page { language, from } => {
                let rest = kept.posts.get(*from..).unwrap_or_default();
                let page = rest.get(..ARCHIVE_POSTS_MAX).unwrap_or(rest);
                let document = archive.document(language, page, rest.len() > page.len());
                let body = Bytes::from(document.html.clone());
                Shown { etag: etag(&document.html), body, document: Some(document) }
            }
            Wanted::Feed => {
                let newest = kept.posts.get(..ARCHIVE_POSTS_MAX).unwrap_or(&kept.posts);
                let feed = archive.feed(newest);
                Shown { etag: etag(&feed), body: Bytes::from(feed), document: None }
            }
        });
        kept.shown.insert(wanted, Arc::clone(&shown));
        Some(shown)
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
