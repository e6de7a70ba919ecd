//! What a poll leaves behind in a source's state. Pure.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::model::campaign::ChangeKind;
use crate::model::source::{Source, SourceKind, SourceState};
use crate::model::time::Timestamp;
use crate::poll::fault::{Fault, FetchError};
use crate::poll::fetch::{Fetched, Request};
use crate::poll::push;
use crate::poll::read::Reading;
use crate::poll::schedule::{Ended, next_due};

/// A remembered move that fails so often in a row is forgotten: the settings' address is asked
/// again.
const MOVED_FAILURES_MAX: u32 = 3;

/// Longest failure or remark that is kept, in characters.
const LINE_CHARS_MAX: usize = 400;

/// The address to ask: where the source has moved for good, else what the settings say.
pub(crate) fn address<'a>(source: &'a Source, state: &'a SourceState) -> &'a str {
    match (&state.moved_to, &state.moved_from) {
        (Some(to), Some(from)) if **from == *source.url => to,
        _ => &source.url,
    }
}

/// After a 304, or a document of the same bytes.
pub(crate) fn unchanged(
    source: &Source,
    last: &SourceState,
    fetched: &Fetched,
    floor: Duration,
    now: Timestamp,
) -> SourceState {
    let ended = Ended::Well { is_changed: false, fresh_for: fetched.fresh_for, ttl: None };
    let mut state = succeeded(source, last, fetched.permanent_to.as_ref(), now);
    state.due_at = next_due((&source.name, &source.schedule), floor, last, ended, now);
    state.remark.clone_from(&last.remark);
    // A 304 tells its validators only if they changed.
    state.etag = fetched.etag.clone().or_else(|| last.etag.clone());
    state.last_modified = fetched.last_modified.clone().or_else(|| last.last_modified.clone());
    turn(&mut state, floor, now);
    state
}

/// The shortest interval of files and folders: nobody is bothered by looking at them.
const LOCAL_FLOOR: Duration = Duration::from_secs(1);

/// The shortest interval of the source, where `floor` is that of sites.
pub(crate) fn floor(source: &Source, floor: Duration) -> Duration {
    if source.local.is_some() { floor.min(LOCAL_FLOOR) } else { floor }
}

/// Where a sale begins or ends before the source is due, it is due then.
fn turn(state: &mut SourceState, floor: Duration, now: Timestamp) {
    let turns_at = state.catalog.as_ref().and_then(|catalog| catalog.turns_at);
    if let Some(turns_at) = turns_at
        && turns_at < state.due_at
    {
        state.due_at = turns_at.max(now + floor);
    }
}

/// Whether the same bytes say something else than at the last poll: a sale has begun or ended
/// since, the settings would have them read otherwise, or somebody was not told of it yet.
pub(crate) fn has_turned(source: &Source, state: &SourceState, now: Timestamp) -> bool {
    let turns_at = state.catalog.as_ref().and_then(|catalog| catalog.turns_at);
    let is_read_again = state.catalog.as_ref().is_some_and(|catalog| catalog.is_read_again);
    let has_turned = turns_at.is_some_and(|turns_at| turns_at <= now);
    state.rules != rules(source) || is_read_again || has_turned
}

/// The sum of the settings by which the source's document is read.
fn rules(source: &Source) -> u32 {
    let Source { kind, format, mapping, currency, select, watch, .. } = source;
    if *kind == SourceKind::Feed {
        return 0;
    }
    let mut sum = flate2::Crc::new();
    sum.update(format!("{:?}", (kind, format, mapping, currency, select)).as_bytes());
    if *watch {
        // Its names are wanted from now on.
        sum.update(b"watch");
    }
    sum.sum()
}

/// One more request of a source's poll: its own headers go to its own origin only.
pub(crate) fn request(source: &Source, url: Url) -> Request {
    let own = Url::parse(&source.url).is_ok_and(|own| own.origin() == url.origin());
    let request = Request::new(url);
    if own { request.with_headers(Arc::clone(&source.headers)) } else { request }
}

/// After a document that was read.
pub(crate) fn read(
    source: &Source,
    last: &SourceState,
    fetched: &Fetched,
    reading: &Reading,
    floor: Duration,
    now: Timestamp,
) -> SourceState {
    let ended = Ended::Well {
        is_changed: reading.is_changed(),
        fresh_for: fetched.fresh_for,
        ttl: reading.ttl,
    };
    let mut state = succeeded(source, last, fetched.permanent_to.as_ref(), now);
    state.due_at = next_due((&source.name, &source.schedule), floor, last, ended, now);
    state.items = reading.items;
    state.remark = reading.remark.clone().map(|remark| cut(&remark));
    if reading.count(ChangeKind::New) + reading.held > 0 {
        state.changed_at = Some(now);
    }
    state.rules = rules(source);
    state.hub = push::hub(fetched, reading.hub.as_ref()).map(Box::new);
    if let Some(shelved) = &reading.shelved {
        state.catalog = Some(Box::new(shelved.state.clone()));
    }
    turn(&mut state, floor, now);
    if fetched.has_more {
        state.due_at = now;
    }
    // A document that was cut short must be asked for again, whatever its validators say.
    (state.etag, state.last_modified, state.document_hash) = if reading.is_whole {
        (fetched.etag.clone(), fetched.last_modified.clone(), reading.hash)
    } else {
        (None, None, 0)
    };
    state
}

/// After a fetch or a reading that failed: only the failure and the next instant change.
pub(crate) fn failed(
    source: &Source,
    last: &SourceState,
    failure: &Failure,
    floor: Duration,
    now: Timestamp,
) -> SourceState {
    let failures = last.failures.saturating_add(1);
    let (after, is_gone) = match failure {
        Failure::Fetch(error) => (error.after(), matches!(error.fault, Fault::Gone)),
        Failure::Document { .. } | Failure::Reader { .. } => (None, false),
    };
    let ended = Ended::Badly { failures, after, is_gone };
    let mut state = last.clone();
    state.due_at = next_due((&source.name, &source.schedule), floor, last, ended, now);
    state.polled_at = Some(now);
    state.failures = failures;
    state.failure = Some(cut(&failure.to_string()));
    if failures >= MOVED_FAILURES_MAX {
        (state.moved_to, state.moved_from) = (None, None);
    }
    state
}

/// Why a poll gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A document came, but it is none that the source's kind can read.
    #[error("{address}: {why}")]
    Document { address: String, why: String },
    /// The document made the reader itself fail.
    #[error("{address}: the document could not be read: the reader broke")]
    Reader { address: String },
}

fn succeeded(
    source: &Source,
    last: &SourceState,
    permanent_to: Option<&Url>,
    now: Timestamp,
) -> SourceState {
    let mut state = SourceState {
        polled_at: Some(now),
        succeeded_at: Some(now),
        failures: 0,
        failure: None,
        ..last.clone()
    };
    if let Some(to) = permanent_to {
        state.moved_to = Some(to.to_string());
        state.moved_from = Some(source.url.to_string());
    } else if state.moved_from.as_deref().is_some_and(|from| *from != *source.url) {
        (state.moved_to, state.moved_from) = (None, None);
    }
    state
}

fn cut(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LINE_CHARS_MAX).collect()
}
