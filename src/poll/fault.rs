//! Why a fetch gave nothing, in one line for people.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::poll::egress::Refusal;

/// Longest address in a message, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// Longest text of another's making in a message, in characters.
const WHY_CHARS_MAX: usize = 160;

/// A fetch that gave no document: at which address, and why.
///
/// Shows as `address: why`, the address without its query (it may hold a key).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {fault}")]
pub struct FetchError {
    /// The address of the hop that failed, without query.
    pub address: String,
    pub fault: Fault,
}

/// What went wrong; the caller backs off on each, and on some of them in a way of their own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The guard does not let us ask there; nothing was sent.
    #[error("not asked: {0}")]
    Refused(Refusal),
    /// 410: whoever runs the site says that it is over.
    #[error("the site says it is gone for good (410): remove the source, or give its new address")]
    Gone,
    /// 404.
    #[error("the site has nothing there (404)")]
    NotFound,
    /// 401, 402, 403, 407, 451.
    #[error("the site does not let us read it ({0})")]
    Forbidden(u16),
    /// 429, or 503: not before `after`, if the site said when.
    #[error("the site asks to come back later ({status}{})", Later(*.after))]
    Later { status: u16, after: Option<Duration> },
    /// Another status than a document or a redirect.
    #[error("the site answered {0}")]
    Status(u16),
    /// A redirect without a target that can be read.
    #[error("the redirect leads nowhere ({0})")]
    Misled(u16),
    /// More redirects than are followed.
    #[error("more than {0} redirects")]
    Redirects(u8),
    /// The name server knows no such host, or does not answer.
    #[error("the host was not found: {0}")]
    Dns(String),
    /// No connection came about.
    #[error("no connection: {0}")]
    Connect(String),
    /// The host could not prove who it is, or does not speak TLS with us.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The connection broke, or what came is not HTTP.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// Nothing, or not all of it, came in time.
    #[error("no complete answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// Less than the smallest rate.
    #[error("the answer came slower than {0} bytes a second")]
    Slow(u64),
    #[error("the answer's headers are larger than {0} bytes or more than {1}")]
    Headers(usize, usize),
    #[error("the document is larger than {0} bytes")]
    TooLarge(u64),
    /// It unpacks to more than is believable.
    #[error("the packed document unpacks to more than {0} bytes: taken for a bomb")]
    Bomb(u64),
    #[error("the document is packed in a way that is not read: `{0}`")]
    Coding(String),
    #[error("the packed document cannot be unpacked: {0}")]
    Corrupt(String),
    /// It does not fit on our own disk, or that can't be written to or read from.
    #[error("the document could not be kept while it was read: {0}")]
    Disk(String),
    /// A file or a folder that is read instead of an address.
    #[error("{0}")]
    Local(String),
}

impl Fault {
    pub(crate) fn disk(error: &std::io::Error) -> Self {
        Self::Disk(one_line(&error.to_string()))
    }
}

impl FetchError {
    pub fn new(url: &Url, fault: Fault) -> Self {
        Self { address: shown(url), fault }
    }

    /// How long the site asked us to stay away, as it said it.
    pub fn after(&self) -> Option<Duration> {
        match self.fault {
            Fault::Later { after, .. } => after,
            _ => None,
        }
    }
}

/// The address for people: without query, user and password, cut at 120 characters.
pub fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    // An address that cannot hold a user refuses to change it.
    bare.set_username("").ok();
    bare.set_password(None).ok();
    let whole = &bare[..url::Position::AfterPath];
    let mut shown: String = whole.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    shown
}

/// A text that we did not write, fit for one line.
pub(crate) fn one_line(why: &str) -> String {
    why.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WHY_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}

struct Later(Option<Duration>);

impl fmt::Display for Later {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(after) => write!(out, ", in {} s", after.as_secs()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_without_the_query() {
        let url = Url::parse("https://shop.example/feed.xml?key=hush").unwrap();
        let after = Some(Duration::from_secs(120));
        for (fault, line) in [
            (Fault::NotFound, "https://shop.example/feed.xml: the site has nothing there (404)"),
            (
                Fault::Later { status: 429, after },
                "https://shop.example/feed.xml: the site asks to come back later (429, in 120 s)",
            ),
            (
                Fault::Later { status: 503, after: None },
                "https://shop.example/feed.xml: the site asks to come back later (503)",
            ),
        ] {
            assert_eq!(FetchError::new(&url, fault).to_string(), line);
        }
        assert_eq!(one_line("a\r\nb"), "a  b");
    }

    #[test]
    fn an_address_is_shown_bare_and_cut() {
        let url = Url::parse("https://user:word@shop.example:8443/a?b=c#d").unwrap();
        assert_eq!(shown(&url), "https://shop.example:8443/a");
        let url = Url::parse(&format!("https://shop.example/{}", "a".repeat(500))).unwrap();
        assert_eq!(shown(&url).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
