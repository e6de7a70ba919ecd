//! The second step of a poll: the pages of new items, for what the document does not tell of them.
//!
//! A page that can't be had leaves its item as the document told it.

use std::collections::VecDeque;
use std::sync::Arc;

use url::Url;

use crate::extract::Document;
use crate::extract::page::article;
use crate::model::campaign::ChangeKind;
use crate::model::source::{Source, SourceKind, SourceState};
use crate::poll::errand::{Errand, Next, Visits};
use crate::poll::fault::shown;
use crate::poll::fetch::{Fetched, Packed};
use crate::poll::read::{self, Compared};
use crate::poll::report::Outcome;
use crate::poll::settle::Poll;
use crate::poll::state::{self, Failure};

/// Most pages of items that one poll fetches; the oldest items go without.
pub const VISITS_MAX: usize = 20;

impl Poll {
    /// A whole document beside what is known; then the pages of what is new, if they are wanted.
    pub(crate) async fn compared(
        self,
        last: SourceState,
        first: Fetched,
        document: Document,
        hash: u64,
    ) -> Next {
        let known = match self.known(&last).await {
            Ok(known) => known,
            Err(error) => return self.broken_store(last, error),
        };
        let (source, campaigns) = (Arc::clone(&self.source), Arc::clone(&self.shared.campaigns));
        let (address, now) = (shown(&first.url), self.now());
        let compared = self.read_off_thread(move || {
            read::compare(document, hash, &source, known.as_ref(), &campaigns, now)
        });
        match compared.await {
            Some(compared) => self.visit(last, first, compared).await,
            None => self.given_up(&last, &Failure::Reader { address }),
        }
    }

    /// Asks for the pages of what is new, if they are wanted.
    pub(crate) async fn visit(self, last: SourceState, first: Fetched, compared: Compared) -> Next {
        let queue = self.pages_of(&compared);
        let visits = Visits { first, compared, queue, at: None, failed: 0, too_much: 0 };
        self.next_visit(last, Box::new(visits)).await
    }

    fn pages_of(&self, compared: &Compared) -> VecDeque<(usize, Url)> {
        let source: &Source = &self.source;
        if !source.full_text && source.kind != SourceKind::Sitemap {
            return VecDeque::new();
        }
        let is_told = |kind: ChangeKind| {
            let own = |name| name == &source.name;
            let mut campaigns = self.shared.campaigns.iter();
            campaigns.any(|campaign| {
                let corrects = kind == ChangeKind::Updated && campaign.corrects.is_on();
                campaign.sources.iter().any(own) && (campaign.on.contains(&kind) || corrects)
            })
        };
        let mut queue: VecDeque<(usize, Url)> = VecDeque::new();
        for (place, (entry, kind)) in compared.told.iter().enumerate() {
            let page = entry.link.as_deref().and_then(|link| Url::parse(link).ok());
            if let Some(page) = page
                && is_told(*kind)
            {
                queue.push_back((place, page));
            }
        }
        // The newest stand at the end.
        queue.split_off(queue.len().saturating_sub(VISITS_MAX))
    }

    /// A page of an item came, or did not.
    pub(crate) async fn visited(
        self,
        last: SourceState,
        mut visits: Box<Visits>,
        answer: Option<(Url, Packed)>,
    ) -> Next {
        let full_text = self.source.full_text;
        let address = shown(&visits.first.url);
        let visits = match answer {
            Some((url, packed)) => {
                let read = self.read_off_thread(move || {
                    visits.take(&url, packed, full_text);
                    visits
                });
                match read.await {
                    Some(visits) => visits,
                    None => return self.given_up(&last, &Failure::Reader { address }),
                }
            }
            None => {
                visits.failed += 1;
                visits
            }
        };
        self.next_visit(last, visits).await
    }

    async fn next_visit(self, last: SourceState, mut visits: Box<Visits>) -> Next {
        if let Some((place, page)) = visits.queue.pop_front() {
            visits.at = Some(place);
            let request = state::request(&self.source, page);
            return Next::Ask(Box::new(request), Errand::Items(visits));
        }
        let Visits { first, mut compared, failed, too_much, .. } = *visits;
        for told in [
            (failed, "can't be read"),
            (too_much, "are too large or too intricate: their full text is left out"),
        ]
        .into_iter()
        .filter(|(pages, _)| *pages > 0)
        .map(|(pages, why)| format!("{pages} pages of new items {why}"))
        {
            let remark = &mut compared.reading.remark;
            *remark = Some(match remark.take() {
                Some(before) => format!("{before}; {told}"),
                None => told,
            });
        }
        let (source, campaigns) = (Arc::clone(&self.source), Arc::clone(&self.shared.campaigns));
        let (address, now) = (shown(&first.url), self.now());
        let planned = self.read_off_thread(move || compared.plan(&source, &campaigns, now));
        match planned.await {
            Some(reading) => {
                let (floor, now) = (self.floor(), self.now());
                let state = state::read(&self.source, &last, &first, &reading, floor, now);
                Next::Settle(Box::pin(self.settle(state, Outcome::Fetched, Some(reading))))
            }
            None => self.given_up(&last, &Failure::Reader { address }),
        }
    }
}

impl Visits {
    /// Fills the item in from its page.
    fn take(&mut self, url: &Url, packed: Packed, wants_body: bool) {
        let entry = self.at.and_then(|at| self.compared.told.get_mut(at));
        let read = packed
            .unpack()
            .ok()
            .and_then(|page| article::read(&page.bytes, page.content_type.as_deref(), url).ok());
        match (entry, read) {
            (Some((entry, _)), Some(article)) => {
                let is_left_out = article.is_too_much && article.body_html.trim().is_empty();
                self.too_much += usize::from(wants_body && is_left_out);
                entry.enrich(article, wants_body);
            }
            _ => self.failed += 1,
        }
    }
}
