//! What the answers of public addresses have in common.

use axum::http::header::{CACHE_CONTROL, IF_NONE_MATCH, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::model::proof::hex;

/// The first value of a key in a query; of what anybody may write.
pub(super) fn asked(query: Option<&str>, key: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(known, _)| known == key).map(|(_, value)| value.into_owned())
}

pub(super) fn put(response: &mut Response, name: HeaderName, value: &str) {
    // All of these are visible ASCII: hashes, tags and words of ours.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Not now: nobody keeps this, and it is asked for again in a minute.
pub(super) fn not_now() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
    put(&mut response, CACHE_CONTROL, "no-store");
    put(&mut response, RETRY_AFTER, "60");
    response
}

/// Half of a SHA-256, in quotes.
pub(super) fn etag(text: &str) -> String {
    format!("\"{}\"", hex(&Sha256::digest(text.as_bytes())[..16]))
}

/// Whoever asks has this document already.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
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

    #[test]
    fn a_query_is_asked_for_a_key() {
        for (query, expected) in [
            (None, None),
            (Some(""), None),
            (Some("from"), Some("")),
            (Some("a=b&from=spring-flyer&from=x"), Some("spring-flyer")),
            (Some("from=%3Cscript%3E"), Some("<script>")),
            (Some("From=x"), None),
        ] {
            assert_eq!(asked(query, "from").as_deref(), expected, "{query:?}");
        }
    }
}
