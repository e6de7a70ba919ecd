//! What a poll of several requests has between two of them, and how it goes on.
//!
//! There are four kinds: a catalog's pages and its currency, the parts of a sitemap, a feed's older
//! pages, and the pages of new items.

use std::collections::VecDeque;

use url::Url;

use crate::extract::Document;
use crate::model::source::SourceState;
use crate::poll::catalog;
use crate::poll::fetch::{Fetched, Request};
use crate::poll::read::Compared;
use crate::poll::report::{Outcome, PollReport};
use crate::poll::settle::{Poll, Settling};
use crate::poll::sitemap;
use crate::poll::state::{self, Failure};
use crate::store::StoreError;

/// A poll between two requests.
pub(crate) enum Errand {
    Catalog(Box<catalog::Walk>),
    Sitemap(Box<sitemap::Walk>),
    Items(Box<Visits>),
    Back(Box<Back>),
    /// None of a poll's: a hub is asked to tell of the source.
    Hub,
}

/// How a poll goes on.
pub(crate) enum Next {
    /// With one more request.
    Ask(Box<Request>, Errand),
    /// With what it has.
    Settle(Settling),
}

/// A feed's poll on its way back.
pub(crate) struct Back {
    pub first: Fetched,
    /// The first document with what older pages added to it.
    pub document: Document,
    pub hash: u64,
    /// What was asked already.
    pub asked: Vec<Url>,
}

/// A poll whose document is read, between the pages of its new items.
pub(crate) struct Visits {
    pub first: Fetched,
    pub compared: Compared,
    /// Places in what is told, and their pages.
    pub queue: VecDeque<(usize, Url)>,
    /// The place of the page that is being asked for.
    pub at: Option<usize>,
    /// Pages that gave nothing.
    pub failed: usize,
    /// Pages whose full text was wanted and is too much to be looked for.
    pub too_much: usize,
}

impl Poll {
    pub(crate) fn given_up(self, last: &SourceState, failure: &Failure) -> Next {
        Next::Settle(Box::pin(self.failed(last, failure)))
    }

    /// The store failed, which ends all polling.
    pub(crate) fn broken_store(self, last: SourceState, error: StoreError) -> Next {
        let report = PollReport::new(self.source.name.clone(), Outcome::Failed);
        Next::Settle(Box::pin(std::future::ready(self.settled(last, report, Err(error)))))
    }

    /// The document can't be read. A file of a folder behind which others wait does not keep them
    /// waiting: it is told and not looked at again.
    pub(crate) fn passed_over(
        self,
        last: &SourceState,
        failure: &Failure,
        fetched: &Fetched,
    ) -> Next {
        let (floor, now) = (self.floor(), self.now());
        let mut state = state::failed(&self.source, last, failure, floor, now);
        if fetched.has_more {
            state.etag.clone_from(&fetched.etag);
            state.last_modified.clone_from(&fetched.last_modified);
            state.due_at = now;
        }
        Next::Settle(Box::pin(self.settle(state, Outcome::Failed, None)))
    }
}
