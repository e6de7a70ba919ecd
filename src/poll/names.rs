//! The client's resolver, which gives judged addresses only, and the client's errors by meaning.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::poll::egress::{Guard, Reach, Refusal};
use crate::poll::fault::{Fault, one_line};

/// Most headers of an answer.
pub const HEADERS_MAX: usize = 100;

/// Most bytes of an answer's headers, names and values.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// The name server's answers, judged. The only resolver of the client, so nothing else is dialled.
#[derive(Debug)]
pub(super) struct JudgedNames {
    pub guard: Arc<Guard>,
    pub reach: Reach,
}

impl reqwest::dns::Resolve for JudgedNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (guard, reach) = (Arc::clone(&self.guard), self.reach);
        Box::pin(async move {
            let answer: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(NoAnswer::boxed)?
                .collect();
            let ips: Vec<IpAddr> = answer.iter().map(SocketAddr::ip).collect();
            guard.judge_answer(ips, reach)?;
            Ok(Box::new(answer.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The name server gave no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(String);

impl NoAnswer {
    #[expect(clippy::needless_pass_by_value, reason = "stands where `map_err` gives it")]
    fn boxed(error: std::io::Error) -> Box<dyn Error + Send + Sync> {
        Box::new(Self(error.to_string()))
    }
}

pub(super) fn was_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_canceled()
}

/// Reqwest's error by its meaning; its own text holds the whole address and is not kept.
pub(super) fn classify(error: &reqwest::Error, connect: Duration, total: Duration) -> Fault {
    if let Some(refusal) = find::<Refusal>(error) {
        return Fault::Refused(refusal.clone());
    }
    if let Some(why) = find::<NoAnswer>(error) {
        return Fault::Dns(one_line(&why.0));
    }
    if let Some(why) = find::<rustls::Error>(error) {
        return Fault::Tls(one_line(&why.to_string()));
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse_too_large) {
        return Fault::Headers(HEADER_BYTES_MAX, HEADERS_MAX);
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Fault::Timeout(connect),
        (true, false) => Fault::Connect(deepest(error)),
        (false, true) => Fault::Timeout(total),
        (false, false) => Fault::Broken(deepest(error)),
    }
}

/// The causes from the outermost to the innermost; `io::Error` hides the one it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        wrapped.or_else(|| error.source())
    })
}

pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(|cause| one_line(&cause.to_string())).unwrap_or_default()
}
