//! A sitemap's poll: the index, its parts, and the addresses of them all as one document.

use std::collections::VecDeque;
use std::time::Duration;

use url::Url;

use crate::extract::sitemap::{self, BYTES_MAX, Sitemap};
use crate::extract::{Document, NotADocument, Quality};
use crate::model::source::{Source, SourceState};
use crate::poll::catalog::Unread;
use crate::poll::fault::{Fault, FetchError, shown};
use crate::poll::fetch::{Fetched, Packed};
use crate::poll::spool::hash;

/// Most addresses of a site, over all parts.
const URLS_MAX: usize = 200_000;

/// A part of which the index says that it is so much older than the last good poll is not asked
/// for: its addresses are known. Generous, since clocks and caches differ.
const SURELY_KNOWN: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A sitemap's poll between its requests.
pub(crate) struct Walk {
    /// The answer to the first request, by which the source's state goes.
    pub first: Fetched,
    /// Of the part that came first; the entries are those of all.
    document: Option<Document>,
    /// Parts still to be asked for.
    parts: VecDeque<Url>,
    /// An index was read.
    has_index: bool,
    hash: u64,
    /// Parts that the site does not give.
    missing: Vec<String>,
}

impl Walk {
    pub fn new(first: Fetched) -> Self {
        let parts = VecDeque::new();
        Self { first, document: None, parts, has_index: false, hash: 0, missing: Vec::new() }
    }

    /// Takes in the first document, or a part; answers whether it may hold anything new. Takes
    /// processor time.
    pub fn take(
        &mut self,
        url: &Url,
        packed: Packed,
        source: &Source,
        last: &SourceState,
        is_read_again: bool,
    ) -> Result<bool, Unread> {
        let unpacked = packed.unpack_within(BYTES_MAX as u64).map_err(Unread::Fault)?;
        let bytes = unpacked.bytes;
        let own = hash(&bytes);
        if !self.has_index && own == last.document_hash && !is_read_again {
            return Ok(false);
        }
        let is_first = self.hash == 0;
        self.hash = if is_first { own } else { self.hash.rotate_left(5) ^ own }.max(1);
        let so_far = self.document.as_ref().map_or(0, |document| document.entries.len());
        let room = URLS_MAX.saturating_sub(so_far).min(sitemap::URLS_MAX);
        match sitemap::read(&bytes, unpacked.content_type.as_deref(), url, room)? {
            // An index within an index is none; its parts would have no end.
            Sitemap::Index { .. } if self.has_index => {}
            Sitemap::Index { children, .. } => {
                self.has_index = true;
                let is_known =
                    |modified| last.succeeded_at.is_some_and(|at| modified < at - SURELY_KNOWN);
                let parts =
                    children.into_iter().filter(|part| !part.modified.is_some_and(is_known));
                let parts: Vec<Url> = parts.map(|part| part.url).collect();
                let beyond = parts.len().saturating_sub(usize::from(source.pages_max));
                if beyond > 0 {
                    self.missing.push(format!("{beyond} parts beyond `pages_max`"));
                }
                // New addresses stand in the last parts as a rule.
                self.parts = parts.into_iter().skip(beyond).collect();
            }
            Sitemap::Urls { document, .. } => match &mut self.document {
                Some(all) => {
                    all.entries.extend(document.entries);
                    all.quality = worse(all.quality, document.quality);
                }
                None => self.document = Some(document),
            },
        }
        Ok(true)
    }

    /// Whether the poll can do without a part that was not given: when the site has none there, or
    /// keeps it to itself.
    pub fn passed_over(&mut self, error: &FetchError) -> bool {
        let is_lasting = matches!(error.fault, Fault::NotFound | Fault::Gone | Fault::Forbidden(_));
        if is_lasting {
            self.missing.push(error.to_string());
        }
        is_lasting
    }

    /// The next part to ask for.
    pub fn next_part(&mut self) -> Option<Url> {
        self.parts.pop_front()
    }

    /// All addresses as one document, and the hash of all that was read.
    ///
    /// # Errors
    /// When no part gave any.
    pub fn into_document(self) -> Result<(Fetched, Document, u64), NotADocument> {
        let none = || {
            let first = shown(&self.first.url);
            let why = self.missing.first().cloned().unwrap_or_else(|| format!("{first} is empty"));
            NotADocument::Unfit(format!("the index names no sitemap that can be read: {why}"))
        };
        match self.document {
            Some(document) => Ok((self.first, document, self.hash)),
            None => Err(none()),
        }
    }
}

fn worse(one: Quality, other: Quality) -> Quality {
    match (one, other) {
        (Quality::Truncated, _) | (_, Quality::Truncated) => Quality::Truncated,
        (Quality::Repaired, _) | (_, Quality::Repaired) => Quality::Repaired,
        _ => Quality::Whole,
    }
}
