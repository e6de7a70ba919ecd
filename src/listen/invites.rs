//! The pages that people subscribe on: `/s/<slug>`.
//!
//! Anybody may ask for one, as fast as they like: what a page tells is looked up once in
//! `FRESH_FOR`, and each language's document is made once of it. No cookie is set, and nothing of
//! a request is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::invite::{self, Document, Door, Fresh, NEWEST_MAX, Page, Way, wanted};
use crate::model::name::Name;
use crate::store::{Store, StoreError};

/// For how long a page shows what was found.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The same, while something is missing: the store did not answer, or the bot's name is not known.
const HALF_FRESH_FOR: Duration = Duration::from_secs(3);

/// For how long browsers may show it without asking.
const SHOWN_FOR: &str = "public, max-age=60";

/// Items that are looked at for those with a title and a link.
const ITEMS_MAX: usize = 4 * NEWEST_MAX;

/// A page and what it leads to.
#[derive(Clone, Debug)]
pub struct Invite {
    pub slug: Name,
    pub page: Page,
    /// That its links name; none stands for all.
    pub topics: Vec<Name>,
    pub channels: Vec<(Name, Entrance)>,
    /// Whose items are told under these topics.
    pub sources: Vec<Name>,
}

/// Where a channel's links lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Without a name it is the one that the store keeps; see [`crate::listen::naming`].
    Telegram {
        bot: Option<String>,
    },
    Messenger {
        page: String,
    },
}

/// The routes of all pages.
pub(crate) fn routes(store: Arc<dyn Store>, patience: Duration, invites: Vec<Invite>) -> Router {
    let stands = invites
        .into_iter()
        .map(|invite| (invite.slug.clone(), Stand { invite, told: Mutex::new(None) }));
    let hall = Arc::new(Hall { store, patience, stands: stands.collect() });
    Router::new()
        .route("/s", get(nothing))
        .route("/s/", get(nothing))
        .route("/s/{slug}", get(page))
        .with_state(hall)
}

struct Hall {
    store: Arc<dyn Store>,
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
    doors: Vec<Door>,
    newest: Vec<Fresh>,
    /// By language.
    shown: HashMap<String, Arc<Shown>>,
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
    headers: HeaderMap,
) -> Response {
    let stand = slug.ok().and_then(|Path(slug)| hall.stands.get(slug.as_str()));
    let Some(stand) = stand else { return missing(&headers) };
    let language = stand.invite.page.language(&languages(&headers));
    // Others may wait for the same answer of the store; nobody waits for longer than it may take.
    let shown = tokio::time::timeout(2 * hall.patience, hall.shown(stand, language)).await;
    match shown {
        Ok(shown) => shown.answer(&headers),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Hall {
    async fn shown(&self, stand: &Stand, language: String) -> Arc<Shown> {
        let mut kept = stand.told.lock().await;
        let now = Instant::now();
        let told = match kept.take() {
            Some(told) if told.until > now => told,
            old => self.look(&stand.invite, old, now).await,
        };
        let told = kept.insert(told);
        if let Some(shown) = told.shown.get(&language) {
            return Arc::clone(shown);
        }
        let document = stand.invite.page.document(&language, &told.doors, &told.newest);
        let shown = Arc::new(Shown {
            body: Bytes::from(document.html.clone()),
            etag: etag(&document.html),
            document,
            may_frame: !stand.invite.page.frames.is_empty(),
            is_open: !told.doors.is_empty(),
        });
        told.shown.insert(language, Arc::clone(&shown));
        shown
    }

    /// Looks up what a page tells. Where the store does not tell, it is what was told before, and
    /// what is known without.
    async fn look(&self, invite: &Invite, old: Option<Told>, now: Instant) -> Told {
        let (doors, are_all) = match self.within(self.doors(invite)).await {
            Some(found) => found,
            None => (doors_of(invite, &HashMap::new()), false),
        };
        let newest = self.within(self.newest(invite)).await;
        let is_whole = are_all && newest.is_some();
        let fresh_for = if is_whole { FRESH_FOR } else { HALF_FRESH_FOR };
        let (old_doors, old_newest) = old.map(|old| (old.doors, old.newest)).unwrap_or_default();
        Told {
            until: now + fresh_for,
            doors: if doors.is_empty() { old_doors } else { doors },
            newest: newest.unwrap_or(old_newest),
            shown: HashMap::new(),
        }
    }

    async fn within<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        // A store that has failed stops the whole daemon: nothing is to be said here.
        tokio::time::timeout(self.patience, asked).await.ok()?.ok()
    }

    /// The ways in, and whether they are all.
    async fn doors(&self, invite: &Invite) -> Result<(Vec<Door>, bool), StoreError> {
        let mut names = HashMap::new();
        for (channel, entrance) in &invite.channels {
            if *entrance == (Entrance::Telegram { bot: None })
                && let Some(bot) = self.store.load_bot(channel).await?
            {
                names.insert(channel.clone(), bot);
            }
        }
        let doors = doors_of(invite, &names);
        let are_all = doors.len() == invite.channels.len();
        Ok((doors, are_all))
    }

    async fn newest(&self, invite: &Invite) -> Result<Vec<Fresh>, StoreError> {
        if invite.sources.is_empty() {
            return Ok(Vec::new());
        }
        let items = self.store.load_newest_items(&invite.sources, ITEMS_MAX).await?;
        let fresh = items.into_iter().filter(|item| !item.title.trim().is_empty());
        let fresh = fresh.map(|item| Fresh { title: item.title, link: item.link });
        Ok(fresh.take(NEWEST_MAX).collect())
    }
}

/// The ways in of which the links can be made, in the order of the channels.
fn doors_of(invite: &Invite, bots: &HashMap<Name, String>) -> Vec<Door> {
    let door = |(channel, entrance): &(Name, Entrance)| {
        let way = match entrance {
            Entrance::Telegram { bot } => {
                Way::Telegram { bot: bot.as_ref().or_else(|| bots.get(channel))?.clone() }
            }
            Entrance::Messenger { page } => Way::Messenger { page: page.clone() },
        };
        // The settings let none pass that is too long.
        let link = way.chat(&invite.topics).ok()?;
        Some(Door { kind: way.kind(), name: channel.to_string(), link })
    };
    invite.channels.iter().filter_map(door).collect()
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

fn put(response: &mut Response, name: HeaderName, value: &str) {
    // All of these are visible ASCII: hashes, tags and words of ours.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(crate) fn languages(headers: &HeaderMap) -> Vec<String> {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted(header.unwrap_or_default())
}

/// Half of a SHA-256, in quotes.
fn etag(html: &str) -> String {
    let hash = Sha256::digest(html.as_bytes());
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whoever asks has this document already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_its_tag() {
        let tag = etag("x");
        for (header, is) in [
            (tag.clone(), true),
            (format!("W/{tag}"), true),
            (format!("\"other\", {tag}"), true),
            ("*".to_owned(), true),
            (etag("y"), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, header.parse().unwrap());
            assert_eq!(is_known(&headers, &tag), is, "{header}");
        }
    }
}
