//! The scripts of forms that stand on other sites: `/embed.js?form=<name>`.
//!
//! Each visitor of a site asks for one, so each is made once in `FRESH_FOR`. Any site may load it;
//! no cookie is set, and nothing of a request is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::invite::{Form, Showing};
use crate::listen::answers::{asked, etag, is_known, put};
use crate::listen::leads::Leads;
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::store::Store;

/// For how long a script says what was found.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The same, while it is not known where all of its channels lead.
const HALF_FRESH_FOR: Duration = Duration::from_secs(3);

/// For how long browsers may use it without asking.
const SHOWN_FOR: &str = "public, max-age=300";

const CROSS_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A form and where it leads.
#[derive(Clone, Debug)]
pub struct Embed {
    pub form: Form,
    pub leads: Leads,
}

/// The route of all forms.
pub(crate) fn routes(store: Arc<dyn Store>, patience: Duration, embeds: Vec<Embed>) -> Router {
    let stands = embeds
        .into_iter()
        .map(|embed| (embed.form.name.clone(), Stand { embed, made: Mutex::new(None) }));
    let shelf = Arc::new(Shelf { store, patience, stands: stands.collect() });
    Router::new().route("/embed.js", get(script)).with_state(shelf)
}

struct Shelf {
    store: Arc<dyn Store>,
    /// How long the store may take.
    patience: Duration,
    stands: HashMap<Name, Stand>,
}

struct Stand {
    embed: Embed,
    made: Mutex<Option<Made>>,
}

/// A script, until it is made anew.
#[derive(Clone)]
struct Made {
    until: Instant,
    body: Bytes,
    etag: String,
}

async fn script(
    State(shelf): State<Arc<Shelf>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let name = asked(query.as_deref(), "form").unwrap_or_default();
    let Some(stand) = shelf.stands.get(name.as_str()) else {
        let mut response = answer(Bytes::from_static(b"// There is no such form.\n"), "no-store");
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    // Others may wait for the same answer of the store; nobody waits for longer than it may take.
    match tokio::time::timeout(2 * shelf.patience, shelf.made(stand)).await {
        Ok(Some(made)) if is_known(&headers, &made.etag) => {
            let mut response = answer(Bytes::new(), SHOWN_FOR);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            put(&mut response, ETAG, &made.etag);
            response
        }
        Ok(Some(made)) => {
            let mut response = answer(made.body, SHOWN_FOR);
            put(&mut response, ETAG, &made.etag);
            response
        }
        // It is not known yet where any of its channels leads.
        _ => {
            let words = Bytes::from_static(b"// Nobody can subscribe just now.\n");
            let mut response = answer(words, "no-store");
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            put(&mut response, RETRY_AFTER, "60");
            response
        }
    }
}

impl Shelf {
    /// `None` while there is no way in.
    async fn made(&self, stand: &Stand) -> Option<Made> {
        let mut kept = stand.made.lock().await;
        let now = Instant::now();
        if let Some(made) = kept.as_ref().filter(|made| made.until > now) {
            return Some(made.clone());
        }
        let Embed { form, leads } = &stand.embed;
        let (ways, are_all) = leads.ways(&*self.store, self.patience).await;
        let doors = leads.doors(&ways, &Origin::Form(form.name.clone()));
        let until = now + if are_all { FRESH_FOR } else { HALF_FRESH_FOR };
        // What is known only in part does not take the place of what was known.
        match kept.as_mut() {
            Some(old) if !are_all => old.until = until,
            _ if doors.is_empty() => return None,
            _ => {
                let script = form.script(&doors, Showing::Live);
                *kept = Some(Made { until, etag: etag(&script), body: Bytes::from(script) });
            }
        }
        kept.clone()
    }
}

fn answer(body: Bytes, cached: &str) -> Response {
    let mut response = body.into_response();
    put(&mut response, CONTENT_TYPE, "text/javascript; charset=utf-8");
    put(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut response, CACHE_CONTROL, cached);
    // It holds what everybody may see, and stands on sites that let in only what says so.
    put(&mut response, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(&mut response, CROSS_ORIGIN, "cross-origin");
    response
}
