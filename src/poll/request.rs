//! One request of a fetch, and what becomes of it on the way through redirects.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{self, HeaderName, HeaderValue};
use url::Url;

use crate::model::secret::ExposeSecret;
use crate::model::source::Header;

/// One request of a fetch: where to ask, and what we already have.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) url: Url,
    /// As received; sent as `If-None-Match`.
    pub(super) etag: Option<String>,
    /// As received; sent as `If-Modified-Since`.
    pub(super) last_modified: Option<String>,
    /// For the origin of the first address only.
    pub(super) headers: Arc<[Header]>,
    /// The answer may be large, and is kept in a file then.
    pub(super) is_bulk: bool,
    /// Sent as the body of a `POST`.
    form: Option<String>,
    pub(super) redirects: u8,
    /// Where the unbroken run of permanent redirects from the first address has led.
    pub(super) permanent_to: Option<Url>,
    was_temporary: bool,
    pub(super) spent: Duration,
}

impl Request {
    pub fn new(url: Url) -> Self {
        Self {
            url,
            etag: None,
            last_modified: None,
            headers: Arc::from([]),
            is_bulk: false,
            form: None,
            redirects: 0,
            permanent_to: None,
            was_temporary: false,
            spent: Duration::ZERO,
        }
    }

    /// Asks only for what differs from what these describe.
    pub fn unless(mut self, etag: Option<String>, last_modified: Option<String>) -> Self {
        self.etag = etag;
        self.last_modified = last_modified;
        self
    }

    /// These go along as long as the origin stays the same.
    pub fn with_headers(mut self, headers: Arc<[Header]>) -> Self {
        self.headers = headers;
        self
    }

    /// The answer may be as large as catalogs are.
    pub fn in_bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    /// A form to be posted. It is not posted again where a redirect leads.
    pub fn posting(mut self, form: String) -> Self {
        self.form = Some(form);
        self
    }

    /// The address that is asked.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Request {
    pub(super) fn to_http(&self) -> reqwest::Request {
        let method = if self.form.is_some() { Method::POST } else { Method::GET };
        let mut http = reqwest::Request::new(method, self.url.clone());
        if let Some(form) = &self.form {
            *http.body_mut() = Some(form.clone().into());
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            http.headers_mut().insert(header::CONTENT_TYPE, form);
        }
        let headers = http.headers_mut();
        let mut add = |name: HeaderName, value: &Option<String>| {
            if let Some(value) = value.as_deref().and_then(|text| HeaderValue::from_str(text).ok())
            {
                headers.insert(name, value);
            }
        };
        add(header::IF_NONE_MATCH, &self.etag);
        add(header::IF_MODIFIED_SINCE, &self.last_modified);
        for header in self.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_str(header.value.expose_secret());
            // The settings were checked for both.
            if let (Ok(name), Ok(mut value)) = (name, value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        http
    }

    /// The same question at the next address. The validators go along: they were given by the end
    /// of this road, and are no credentials. The source's own headers end with its origin, and do
    /// not come back. Nothing else is ever sent.
    pub(super) fn onward(mut self, to: Url, is_permanent: bool, spent: Duration) -> Self {
        if to.origin() != self.url.origin() {
            self.headers = Arc::from([]);
        }
        self.form = None;
        self.was_temporary |= !is_permanent;
        if !self.was_temporary {
            self.permanent_to = Some(to.clone());
        }
        self.url = to;
        self.redirects += 1;
        self.spent += spent;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_f12_headers_end_with_their_origin_and_do_not_come_back() {
        let url = |text: &str| Url::parse(text).unwrap();
        let header = Header { name: "x-key".to_owned(), value: "canary".into() };
        let asked = Request::new(url("http://a.example/")).with_headers(Arc::from([header]));
        assert!(!format!("{asked:?}").contains("canary"));
        let steps = |to: &[&str]| {
            let request = to
                .iter()
                .fold(asked.clone(), |request, to| request.onward(url(to), false, Duration::ZERO));
            request.to_http().headers().contains_key("x-key")
        };
        assert!(steps(&[]) && steps(&["http://a.example/b", "http://a.example:80/c"]));
        for to in ["https://a.example/", "http://a.example:8080/", "http://b.example/"] {
            assert!(!steps(&[to]), "{to}");
            assert!(!steps(&[to, "http://a.example/"]), "{to}");
        }
    }

    #[test]
    fn a_permanent_move_ends_at_the_first_temporary_redirect() {
        let url = |text: &str| Url::parse(text).unwrap();
        let request = Request::new(url("http://a.example/"))
            .onward(url("http://b.example/"), true, Duration::ZERO)
            .onward(url("http://c.example/"), true, Duration::ZERO)
            .onward(url("http://d.example/"), false, Duration::ZERO)
            .onward(url("http://e.example/"), true, Duration::ZERO);
        assert_eq!(request.permanent_to, Some(url("http://c.example/")));
        assert_eq!(request.url, url("http://e.example/"));
    }
}
