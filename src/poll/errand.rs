//! A poll of several requests: what it has between two of them, and what it asks for next.
//!
//! Each request goes through its host's queue like any other, before those that begin something.
//! There are four kinds: a catalog's pages and its currency, the parts of a sitemap, a feed's older
//! pages, and the pages of new items.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::model::source::{SourceKind, SourceState};
use crate::poll::archive::Back;
use crate::poll::catalog::{self, Then, Unfinished, Unread, Wait};
use crate::poll::fault::{Fault, FetchError, shown};
use crate::poll::fetch::{Fetched, Packed, Request};
use crate::poll::report::{Outcome, PollReport};
use crate::poll::settle::{Poll, Settling, off_thread};
use crate::poll::sitemap;
use crate::poll::spool::Spool;
use crate::poll::state::{self, Failure};
use crate::poll::visits::Visits;

/// A document of more wire bytes than this is read alone among its like: its listings may be many.
const ALONE_BYTES: u64 = 1024 * 1024;

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

impl Poll {
    /// The first document has come.
    ///
    /// What follows it is another future, because a document takes much room and a commit much
    /// time: while the store commits, others are fetched and read.
    pub async fn begin(self, last: SourceState, fetched: Fetched, packed: Packed) -> Next {
        match self.source.kind {
            SourceKind::Feed | SourceKind::Page => self.document(last, fetched, packed).await,
            SourceKind::Catalog => {
                let url = fetched.url.clone();
                let spool = Spool::new(Arc::clone(self.shared.fetcher.folder()));
                let walk = catalog::Walk::new(fetched, spool, &self.source, &last);
                self.catalog_page(last, Box::new(walk), url, packed).await
            }
            SourceKind::Sitemap => {
                let url = fetched.url.clone();
                let walk = sitemap::Walk::new(fetched);
                self.sitemap_part(last, Box::new(walk), url, packed).await
            }
        }
    }

    /// The answer to one more request has come.
    pub async fn go_on(
        self,
        last: SourceState,
        errand: Errand,
        answer: Result<(Url, Packed), FetchError>,
    ) -> Next {
        match errand {
            Errand::Catalog(walk) if walk.waits_for_currency() => {
                self.catalog_currency(last, walk, answer.ok()).await
            }
            Errand::Catalog(mut walk) => match answer {
                Ok((url, packed)) => self.catalog_page(last, walk, url, packed).await,
                // Some sites have nothing to say about the page behind the last one.
                Err(FetchError { fault: Fault::Status(400) | Fault::NotFound, .. }) => {
                    walk.end();
                    self.catalog_end(last, walk, None).await
                }
                Err(error) => self.given_up(&last, &error.into()),
            },
            Errand::Sitemap(mut walk) => match answer {
                Ok((url, packed)) => self.sitemap_part(last, walk, url, packed).await,
                Err(error) => match walk.passed_over(&error) {
                    true => self.sitemap_on(last, walk).await,
                    false => self.given_up(&last, &error.into()),
                },
            },
            Errand::Hub => Next::Settle(Box::pin(std::future::ready(self.nothing(last)))),
            Errand::Back(back) => self.older(last, back, answer.ok()).await,
            Errand::Items(visits) => self.visited(last, visits, answer.ok()).await,
        }
    }

    pub(crate) fn given_up(self, last: &SourceState, failure: &Failure) -> Next {
        Next::Settle(Box::pin(self.failed(last, failure)))
    }

    async fn catalog_page(
        self,
        last: SourceState,
        mut walk: Box<catalog::Walk>,
        url: Url,
        packed: Packed,
    ) -> Next {
        let address = shown(&url);
        let alone = match packed.wire_bytes() > ALONE_BYTES {
            // The semaphore is never closed.
            true => Arc::clone(&self.shared.alone).acquire_owned().await.ok(),
            false => None,
        };
        let (source, known, now) = (Arc::clone(&self.source), last.clone(), self.now());
        let asked = url.clone();
        let taken = self.read_off_thread(move || {
            let then = walk.take(&asked, packed, &source, &known, now);
            (walk, then)
        });
        match taken.await {
            Some((walk, Ok(then))) => self.catalog_then(last, walk, then, alone).await,
            Some((_, Err(unread))) => self.given_up(&last, &unread.at(&url)),
            None => self.given_up(&last, &Failure::Reader { address }),
        }
    }

    async fn catalog_currency(
        self,
        last: SourceState,
        mut walk: Box<catalog::Walk>,
        answer: Option<(Url, Packed)>,
    ) -> Next {
        let url = walk.first.url.clone();
        let (source, known) = (Arc::clone(&self.source), last.clone());
        let taken = self.read_off_thread(move || {
            let bytes = answer.and_then(|(_, packed)| packed.unpack().ok());
            let bytes = bytes.as_ref().map(|unpacked| unpacked.bytes.as_slice());
            let then = walk.take_currency(bytes, &source, &known);
            (walk, then)
        });
        match taken.await {
            Some((walk, Ok(then))) => self.catalog_then(last, walk, then, None).await,
            Some((_, Err(unread))) => self.given_up(&last, &unread.at(&url)),
            None => self.given_up(&last, &Failure::Reader { address: shown(&url) }),
        }
    }

    async fn catalog_then(
        self,
        last: SourceState,
        walk: Box<catalog::Walk>,
        then: Then,
        alone: Option<OwnedSemaphorePermit>,
    ) -> Next {
        match then {
            Then::Page(url) => {
                let request = state::request(&self.source, url).in_bulk();
                Next::Ask(Box::new(request), Errand::Catalog(walk))
            }
            Then::Currency(url) => {
                let request = state::request(&self.source, url);
                Next::Ask(Box::new(request), Errand::Catalog(walk))
            }
            Then::Unchanged => Next::Settle(Box::pin(self.unchanged(&last, &walk.first))),
            Then::Finish => self.catalog_end(last, walk, alone).await,
        }
    }

    /// Every page is there.
    async fn catalog_end(
        self,
        last: SourceState,
        walk: Box<catalog::Walk>,
        alone: Option<OwnedSemaphorePermit>,
    ) -> Next {
        let url = walk.first.url.clone();
        let handle = Handle::current();
        let (source, shared, known) =
            (Arc::clone(&self.source), Arc::clone(&self.shared), last.clone());
        let is_dry = self.is_dry;
        let finished = self.read_off_thread(move || {
            let (campaigns, store) = (Arc::clone(&shared.campaigns), shared.store.as_ref());
            let wait = Wait { store, handle: &handle, source: &source };
            walk.finish(&known, &campaigns, &wait, is_dry)
        });
        match finished.await {
            Some(Ok((first, reading))) => {
                let (floor, now) = (self.floor(), self.now());
                let state = state::read(&self.source, &last, &first, &reading, floor, now);
                let settling = self.settle(state, Outcome::Fetched, Some(reading));
                Next::Settle(Box::pin(async move {
                    let settled = settling.await;
                    // Until here what changed is in memory.
                    drop(alone);
                    settled
                }))
            }
            Some(Err(Unfinished::Store(error))) => {
                let report = PollReport::new(self.source.name.clone(), Outcome::Failed);
                let settled = self.settled(last, report, Err(error));
                Next::Settle(Box::pin(std::future::ready(settled)))
            }
            Some(Err(Unfinished::None(why))) => self.given_up(&last, &Unread::None(why).at(&url)),
            None => self.given_up(&last, &Failure::Reader { address: shown(&url) }),
        }
    }

    async fn sitemap_part(
        self,
        last: SourceState,
        mut walk: Box<sitemap::Walk>,
        url: Url,
        packed: Packed,
    ) -> Next {
        let (source, known) = (Arc::clone(&self.source), last.clone());
        let asked = url.clone();
        let is_read_again = state::has_turned(&source, &known, self.now());
        let taken = self.read_off_thread(move || {
            let is_new = walk.take(&asked, packed, &source, &known, is_read_again);
            (walk, is_new)
        });
        match taken.await {
            Some((walk, Ok(true))) => self.sitemap_on(last, walk).await,
            Some((walk, Ok(false))) => Next::Settle(Box::pin(self.unchanged(&last, &walk.first))),
            Some((_, Err(unread))) => self.given_up(&last, &unread.at(&url)),
            None => self.given_up(&last, &Failure::Reader { address: shown(&url) }),
        }
    }

    /// The next part, or all of them beside what is known.
    async fn sitemap_on(self, last: SourceState, mut walk: Box<sitemap::Walk>) -> Next {
        if let Some(part) = walk.next_part() {
            let request = state::request(&self.source, part).in_bulk();
            return Next::Ask(Box::new(request), Errand::Sitemap(walk));
        }
        let url = walk.first.url.clone();
        match walk.into_document() {
            Ok((first, document, hash)) => self.compared(last, first, document, hash).await,
            Err(why) => self.given_up(&last, &Unread::None(why).at(&url)),
        }
    }

    /// Runs work that takes the processor, when there is a place for it; `None` when it panicked.
    pub(crate) async fn read_off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _place = self.shared.readers.acquire().await.ok()?;
        off_thread(work).await
    }
}

impl Unread {
    /// As the failure of a poll.
    pub fn at(self, url: &Url) -> Failure {
        match self {
            Self::Fault(fault) => Failure::Fetch(FetchError::new(url, fault)),
            Self::None(why) => Failure::Document { address: shown(url), why: why.to_string() },
        }
    }
}
