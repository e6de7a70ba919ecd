//! Traces of items: written by the verbs in which something happens to an item, read by `why`.

use redb::ReadTransaction;

use crate::model::item::ItemId;
use crate::model::name::Name;
use crate::model::post::{Content, Draft};
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, Trace, short};
use crate::store::StoreError;
use crate::store::TraceQuery;
use crate::store::redb::ledger::Writing;
use crate::store::redb::poll::named;
use crate::store::redb::tables::{KNOWN, TRACES, TRACES_BY_AGE};

/// How long a trace is kept after its newest step: as long as a finished post.
const TRACES_KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(90 * 86_400);

/// Most traces that one search looks at, newest first.
const SEARCHED_MAX: usize = 100_000;

/// See `Store::load_traces`.
pub(super) fn load_traces(
    read: &ReadTransaction,
    query: &TraceQuery,
    limit: usize,
) -> Result<Vec<Trace>, StoreError> {
    let traces = TRACES.open(read)?;
    let wanted = match query {
        TraceQuery::Item(id) => return Ok(traces.load(id.0)?.into_iter().collect()),
        TraceQuery::Link(link) => bare_link(link),
        TraceQuery::Title(part) => part.to_lowercase(),
    };
    let (mut exact, mut found) = (Vec::new(), Vec::new());
    for key in TRACES_BY_AGE.open(read)?.keys(..)?.rev().take(SEARCHED_MAX) {
        if exact.len() >= limit {
            break;
        }
        let trace = traces.need(key?.value().1)?;
        let title = trace.title.to_lowercase();
        match query {
            TraceQuery::Title(_) if title == wanted => exact.push(trace),
            TraceQuery::Title(_) if found.len() < limit && title.contains(&wanted) => {
                found.push(trace);
            }
            TraceQuery::Title(_) => {}
            _ if trace.link.as_deref().is_some_and(|link| bare_link(link) == wanted) => {
                exact.push(trace);
            }
            _ => {}
        }
    }
    exact.append(&mut found);
    exact.truncate(limit);
    Ok(exact)
}

/// See `Store::load_knowing`.
pub(super) fn load_knowing(
    read: &ReadTransaction,
    link: u64,
) -> Result<Vec<(Name, Timestamp)>, StoreError> {
    let mut knowing = Vec::new();
    for row in KNOWN.open(read)?.rows(..)? {
        let (source, known) = row?;
        let seen = known.entries.iter().filter(|entry| entry.link == link && link != 0);
        if let Some(last_seen) = seen.map(|entry| entry.last_seen).max() {
            knowing.push((named(source.value())?, last_seen));
        }
    }
    Ok(knowing)
}

/// What two ways to write one address have in common.
fn bare_link(link: &str) -> String {
    let link = link.trim();
    let link = link.split_once("://").map_or(link, |(_, rest)| rest);
    let link = link.split_once('#').map_or(link, |(before, _)| before);
    let (host, path) = link.split_once('/').unwrap_or((link, ""));
    let host = host.to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    format!("{host}/{}", path.trim_end_matches('/'))
}

impl Writing<'_> {
    /// Adds a step to the item's trace, which begins with it if it must. An item of which nothing
    /// is kept leaves no trace.
    pub fn trace(&mut self, item: ItemId, at: Timestamp, what: Happened) -> Result<(), StoreError> {
        let mut trace = match self.tables.traces.load(item.0)? {
            Some(trace) => trace,
            None => {
                let Some(item) = self.tables.items.load(item.0)? else { return Ok(()) };
                Trace {
                    item: item.id,
                    source: item.source,
                    title: short(&item.title),
                    link: item.link,
                    first_seen: item.first_seen,
                    steps: Vec::new(),
                }
            }
        };
        if let Some(before) = trace.steps.last().map(|step| step.at) {
            self.tables.traces_by_age.remove((before.as_millis(), item.0))?;
        }
        trace.add(at, what);
        self.tables.traces_by_age.insert((at.as_millis(), item.0))?;
        self.tables.traces.put(item.0, &trace)
    }

    /// Adds the step that a draft is to each of its items.
    pub fn trace_draft(&mut self, draft: &Draft) -> Result<(), StoreError> {
        let Content::Items { campaign, items, .. } = &draft.content else { return Ok(()) };
        for told in items {
            let step = Happened::in_draft(draft, campaign, told.kind);
            self.trace(told.item, draft.created_at, step)?;
        }
        Ok(())
    }

    /// Adds one step to all items of a draft.
    pub fn trace_all(
        &mut self,
        draft: &Draft,
        at: Timestamp,
        what: &dyn Fn(&Name) -> Happened,
    ) -> Result<(), StoreError> {
        let Content::Items { campaign, items, .. } = &draft.content else { return Ok(()) };
        for told in items {
            self.trace(told.item, at, what(campaign))?;
        }
        Ok(())
    }

    /// Forgets at most `limit` traces that are too old to be asked for; answers how many.
    pub fn prune_traces(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - TRACES_KEPT_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.traces_by_age.keys(..(before, [0; 16]))?.take(limit) {
            old.push(key?.value());
        }
        for key in &old {
            self.tables.traces_by_age.remove(*key)?;
            self.tables.traces.remove(key.1)?;
        }
        Ok(old.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_in_each_of_its_forms() {
        let bare = bare_link("https://www.Example.com/a/b?c=D");
        for same in [
            "http://example.com/a/b?c=D",
            "example.com/a/b?c=D#part",
            " https://EXAMPLE.com/a/b?c=D ",
        ] {
            assert_eq!(bare_link(same), bare, "{same}");
        }
        assert_eq!(bare_link("https://example.com"), bare_link("http://www.example.com/"));
        assert_ne!(bare_link("https://example.com/A"), bare_link("https://example.com/a"));
    }
}
