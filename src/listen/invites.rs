//! The pages that people subscribe on: `/s/<slug>`.
//!
//! Anybody may ask for one, as fast as they like: what a page tells is looked up once in
//! `FRESH_FOR`, and each language's document is made once of it. `?from=TAG` has its links say that
//! tag, in place of the page's own. No cookie is set, and nothing of a request is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::invite::{self, Document, Fresh, NEWEST_MAX, Page, wanted};
use crate::listen::answers::{asked, etag, is_known, put};
use crate::listen::leads::{Leads, Ways};
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::model::prospect::Selection;
use crate::runtime::clock::Clock;
use crate::store::{Store, StoreError};

/// For how long a page shows what was found.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The same, while something is missing: the store did not answer, or the bot's name is not known.
const HALF_FRESH_FOR: Duration = Duration::from_secs(3);

/// For how long browsers may show it without asking.
const SHOWN_FOR: &str = "public, max-age=60";

/// Most documents of a page that are kept for their tags: anybody can ask with any.
const TAGGED_MAX: usize = 64;

/// Items that are looked at for those with a title that a campaign would tell.
const ITEMS_MAX: usize = 40 * NEWEST_MAX;

/// A page and what it leads to.
#[derive(Clone, Debug)]
pub struct Invite {
    pub slug: Name,
    pub page: Page,
    pub leads: Leads,
    /// What is told under these topics.
    pub selection: Selection,
}

/// The routes of all pages.
pub(crate) fn routes(
    store: Arc<dyn Store>,
    clock: Clock,
    patience: Duration,
    invites: Vec<Invite>,
) -> Router {
    let stands = invites
        .into_iter()
        .map(|invite| (invite.slug.clone(), Stand { invite, told: Mutex::new(None) }));
    let hall = Arc::new(Hall { store, clock, patience, stands: stands.collect() });
    Router::new()
        .route("/s", get(nothing))
        .route("/s/", get(nothing))
        .route("/s/{slug}", get(page))
        .with_state(hall)
}

struct Hall {
    store: Arc<dyn Store>,
    clock: Clock,
    /// How long the store may take.
    patience: Duration,
    stands: HashMap<Name, Stand>,
}

struct Stand {
    invite: Invite,
    told: Mutex<Option<Told>>,
}

/// What a page tells, until it is looked up anew.
struct Told {
    until: Instant,
    ways: Ways,
    newest: Vec<Fresh>,
    /// By language and what the links say of where they stand.
    shown: HashMap<(String, Origin), Arc<Shown>>,
}

struct Shown {
    document: Document,
    body: Bytes,
    etag: String,
    may_frame: bool,
    /// Somebody can subscribe.
    is_open: bool,
}

/// There is no list of pages.
async fn nothing(headers: HeaderMap) -> Response {
    missing(&headers)
}

async fn page(
    State(hall): State<Arc<Hall>>,
    slug: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let stand = slug.ok().and_then(|Path(slug)| hall.stands.get(slug.as_str()));
    let Some(stand) = stand else { return missing(&headers) };
    let language = stand.invite.page.language(&languages(&headers));
    let tag = asked(query.as_deref(), "from").and_then(|tag| Name::parse(&tag).ok());
    let origin = tag.map_or_else(|| Origin::Page(stand.invite.slug.clone()), Origin::Tag);
    // Others may wait for the same answer of the store; nobody waits for longer than it may take.
    let shown = tokio::time::timeout(2 * hall.patience, hall.shown(stand, language, origin)).await;
    match shown {
        Ok(shown) => shown.answer(&headers),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Hall {
    async fn shown(&self, stand: &Stand, language: String, origin: Origin) -> Arc<Shown> {
        let invite = &stand.invite;
        let mut kept = stand.told.lock().await;
        let now = Instant::now();
        let told = match kept.take() {
            Some(told) if told.until > now => told,
            old => self.look(invite, old, now).await,
        };
        let told = kept.insert(told);
        let key = (language, origin);
        if let Some(shown) = told.shown.get(&key) {
            return Arc::clone(shown);
        }
        let (language, origin) = &key;
        let doors = invite.leads.doors(&told.ways, origin);
        let document = invite.page.document(language, &doors, &told.newest);
        let shown = Arc::new(Shown {
            body: Bytes::from(document.html.clone()),
            etag: etag(&document.html),
            document,
            may_frame: !invite.page.frames.is_empty(),
            is_open: !doors.is_empty(),
        });
        if matches!(origin, Origin::Page(_)) || told.shown.len() < TAGGED_MAX {
            told.shown.insert(key, Arc::clone(&shown));
        }
        shown
    }

    /// Looks up what a page tells. Where the store does not tell, it is what was told before, and
    /// what is known without.
    async fn look(&self, invite: &Invite, old: Option<Told>, now: Instant) -> Told {
        let (ways, are_all) = invite.leads.ways(&*self.store, self.patience).await;
        let newest = self.within(self.newest(invite)).await;
        let is_whole = are_all && newest.is_some();
        let fresh_for = if is_whole { FRESH_FOR } else { HALF_FRESH_FOR };
        let (old_ways, old_newest) = old.map(|old| (old.ways, old.newest)).unwrap_or_default();
        Told {
            until: now + fresh_for,
            ways: if ways.is_empty() { old_ways } else { ways },
            newest: newest.unwrap_or(old_newest),
            shown: HashMap::new(),
        }
    }

    async fn within<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        // A store that has failed stops the whole daemon: nothing is to be said here.
        tokio::time::timeout(self.patience, asked).await.ok()?.ok()
    }

    async fn newest(&self, invite: &Invite) -> Result<Vec<Fresh>, StoreError> {
        let sources = invite.selection.sources();
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let items = self.store.load_newest_items(&sources, ITEMS_MAX).await?;
        let now = self.clock.now();
        let is_shown =
            |item: &Item| !item.title.trim().is_empty() && invite.selection.has(item, now);
        let fresh = items.into_iter().filter(is_shown);
        let fresh = fresh.map(|item| Fresh { title: item.title, link: item.link });
        Ok(fresh.take(NEWEST_MAX).collect())
    }
}

impl Shown {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let mut response = if self.is_open && is_known(headers, &self.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            document(&self.document, self.body.clone(), self.may_frame)
        };
        put(&mut response, ETAG, &self.etag);
        put(&mut response, VARY, ACCEPT_LANGUAGE.as_str());
        if self.is_open {
            put(&mut response, CACHE_CONTROL, SHOWN_FOR);
        } else {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            put(&mut response, CACHE_CONTROL, "no-store");
            put(&mut response, RETRY_AFTER, "60");
        }
        response
    }
}

pub(crate) fn missing(headers: &HeaderMap) -> Response {
    let shown = invite::missing(&languages(headers));
    let body = Bytes::from(shown.html.clone());
    let mut response = document(&shown, body, false);
    *response.status_mut() = StatusCode::NOT_FOUND;
    put(&mut response, VARY, ACCEPT_LANGUAGE.as_str());
    put(&mut response, CACHE_CONTROL, "no-store");
    response
}

pub(crate) fn document(document: &Document, body: Bytes, may_frame: bool) -> Response {
    let mut response = body.into_response();
    put(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    put(&mut response, CONTENT_LANGUAGE, &document.language);
    put(&mut response, CONTENT_SECURITY_POLICY, &document.policy);
    put(&mut response, REFERRER_POLICY, "no-referrer");
    put(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    if !may_frame {
        // For browsers that do not know the policy's word for it.
        put(&mut response, X_FRAME_OPTIONS, "DENY");
    }
    response
}

pub(crate) fn languages(headers: &HeaderMap) -> Vec<String> {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted(header.unwrap_or_default())
}
