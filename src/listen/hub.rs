//! Hubs at the public door: they ask whether it was us who subscribed, and bring news of feeds.
//!
//! What they bring is not read, it only makes the source due: a hub's word is a hint. It must be
//! signed under the subscription's secret; what is not is answered as if it were and counts for
//! nothing, so that nobody learns from the answer. Source: the WebSub recommendation, §5 and §7.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::listen::server::Limits;
use crate::listen::sha1;
use crate::model::secret::ExposeSecret;
use crate::runtime::clock::Clock;
use crate::runtime::pushes::Pushes;

/// Longest challenge that is given back.
const CHALLENGE_BYTES_MAX: usize = 512;

/// Largest document that a hub brings.
const BODY_BYTES_MAX: usize = 8 << 20;

const SIGNATURE: &str = "x-hub-signature";

/// Where hubs knock: `/hub/<token>`.
pub(crate) fn routes(pushes: Pushes, clock: Clock, limits: Limits) -> Router {
    let door = Arc::new(Door { pushes, clock, limits });
    Router::new().route("/hub/{token}", get(question).post(news)).with_state(door)
}

struct Door {
    pushes: Pushes,
    clock: Clock,
    limits: Limits,
}

#[derive(Deserialize)]
struct Question {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.topic")]
    topic: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
    #[serde(rename = "hub.lease_seconds", default)]
    lease_seconds: String,
}

async fn question(
    State(door): State<Arc<Door>>,
    Path(token): Path<String>,
    query: Result<Query<Question>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let no = || StatusCode::NOT_FOUND.into_response();
    let Ok(Query(asked)) = query else { return no() };
    match asked.mode.as_str() {
        "subscribe" => {
            let is_harmless = !asked.challenge.is_empty()
                && asked.challenge.len() <= CHALLENGE_BYTES_MAX
                && asked.challenge.bytes().all(|c| c.is_ascii_graphic());
            let lease = asked.lease_seconds.parse().ok().map(Duration::from_secs);
            let now = door.clock.now();
            if !is_harmless || !door.pushes.confirm(&token, &asked.topic, lease, now) {
                return no();
            }
            ([(CONTENT_TYPE, "text/plain")], asked.challenge).into_response()
        }
        "denied" if door.pushes.deny(&token, &asked.topic) => StatusCode::OK.into_response(),
        // We never leave a hub by asking: its lease ends.
        _ => no(),
    }
}

async fn news(
    State(door): State<Arc<Door>>,
    Path(token): Path<String>,
    request: Request,
) -> StatusCode {
    let Some(secret) = door.pushes.secret(&token) else { return StatusCode::GONE };
    let signature = signature(request.headers());
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX);
    let body = match tokio::time::timeout(door.limits.body_time_max, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let is_genuine = signature.is_some_and(|(method, claimed)| {
        is_signed(&method, &claimed, secret.expose_secret().as_bytes(), &body)
    });
    if is_genuine {
        door.pushes.ring(&token);
    }
    StatusCode::ACCEPTED
}

/// Method and bytes of `sha256=…`.
fn signature(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let (method, hex) = headers.get(SIGNATURE)?.to_str().ok()?.trim().split_once('=')?;
    let digits = hex.as_bytes();
    if digits.len() % 2 != 0 || digits.len() > 128 {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    Some((method.to_ascii_lowercase(), bytes?))
}

fn is_signed(method: &str, claimed: &[u8], secret: &[u8], body: &[u8]) -> bool {
    // A key of any length will do.
    match method {
        // What most hubs still use. As a signature of a hint it is good enough.
        "sha1" => sha1::hmac(secret, body).ct_eq(claimed).into(),
        "sha256" => Hmac::<Sha256>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(claimed).is_ok()),
        "sha384" => Hmac::<Sha384>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(claimed).is_ok()),
        "sha512" => Hmac::<Sha512>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(claimed).is_ok()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_w01_only_what_is_signed_under_the_secret_is_genuine() {
        // Source: RFC 2202 and RFC 4231, the second test case of each.
        let (secret, body) = (b"Jefe", b"what do ya want for nothing?");
        for (header, is_good) in [
            ("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", true),
            ("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", true),
            ("SHA256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", true),
            ("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c78", false),
            ("sha1=effcdf", false),
            ("sha256=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", false),
            ("md5=750c783e6ab0b503eaa86e310a5db738", false),
            ("sha1=", false),
            ("sha1", false),
            ("sha1=zz", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(SIGNATURE, header.parse().unwrap());
            let found = signature(&headers)
                .is_some_and(|(method, claimed)| is_signed(&method, &claimed, secret, body));
            assert_eq!(found, is_good, "{header}");
        }
    }
}
