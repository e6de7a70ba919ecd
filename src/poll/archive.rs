//! Going back through a feed's older pages when something may have been missed.
//!
//! Only when a source that has told something before now tells nothing that is known: then more
//! may have come since the last look than one document holds. Bounded, and never in a circle; a
//! page that can't be had leaves it at what there is.

use url::Url;

use crate::extract::Document;
use crate::model::known::{Keys, Known};
use crate::model::source::SourceState;
use crate::poll::errand::{Back, Errand, Next};
use crate::poll::fetch::{Fetched, Packed};
use crate::poll::read::{self, Page};
use crate::poll::settle::Poll;
use crate::poll::state;

/// Most older pages of a feed that one poll reads.
pub const OLDER_PAGES_MAX: usize = 10;

/// Most items that are gathered from the pages of a feed.
const ITEMS_MAX: usize = 2_000;

/// Whether nothing of the document is known, so that a gap may lie before it.
pub(crate) fn is_gap(document: &Document, known: Option<&Known>) -> bool {
    let Some(known) = known else { return false };
    let is_known = |keys: &Keys| {
        known.entries.iter().any(|row| {
            let is_same = |own: Option<u64>, other: u64| own.is_some_and(|own| own == other);
            is_same(keys.id, row.id)
                || is_same(keys.id_alias, row.id_alias)
                || is_same(keys.link, row.link)
        })
    };
    document.facts.next.is_some()
        && !document.entries.is_empty()
        && !known.entries.is_empty()
        && !document.entries.iter().any(|entry| is_known(&entry.keys))
}

impl Poll {
    /// Asks for the page before, or compares what there is.
    pub(crate) async fn go_back(
        self,
        last: SourceState,
        first: Fetched,
        document: Document,
        hash: u64,
    ) -> Next {
        let asked = vec![first.url.clone()];
        self.back(last, Box::new(Back { first, document, hash, asked })).await
    }

    async fn back(self, last: SourceState, mut back: Box<Back>) -> Next {
        let next = back.document.facts.next.take().and_then(|next| Url::parse(&next).ok());
        let next = next.filter(|next| {
            back.asked.len() <= OLDER_PAGES_MAX
                && back.document.entries.len() < ITEMS_MAX
                && !back.asked.contains(next)
        });
        if let Some(next) = next {
            back.asked.push(next.clone());
            let request = state::request(&self.source, next);
            return Next::Ask(Box::new(request), Errand::Back(back));
        }
        let Back { first, document, hash, .. } = *back;
        self.compared(last, first, document, hash).await
    }

    /// The page before came, or did not.
    pub(crate) async fn older(
        self,
        last: SourceState,
        mut back: Box<Back>,
        answer: Option<(Url, Packed)>,
    ) -> Next {
        let known = match self.known(&last).await {
            Ok(known) => known,
            Err(error) => return self.broken_store(last, error),
        };
        let (source, items_max) = (self.source.clone(), self.shared.items_max);
        let read = self.read_off_thread(move || {
            let (url, packed) = answer?;
            let unpacked = packed.unpack().ok()?;
            let page = Page {
                bytes: &unpacked.bytes,
                content_type: unpacked.content_type.as_deref(),
                url: &url,
                items_max,
            };
            read::document(&page, &source).ok()
        });
        if let Some(Some(older)) = read.await {
            // Where something is known again the gap ends.
            let goes_on = is_gap(&older, known.as_ref());
            back.document.facts.next = older.facts.next.filter(|_| goes_on);
            let entries = &mut back.document.entries;
            for entry in older.entries {
                let is_there = entries.iter().any(|other| other.keys == entry.keys);
                if !is_there && entries.len() < ITEMS_MAX {
                    entries.push(entry);
                }
            }
        }
        self.back(last, back).await
    }
}
