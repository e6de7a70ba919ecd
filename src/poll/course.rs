//! The course of a poll: what its documents lead to, request after request.
//!
//! Each request goes through its host's queue like any other, before those that begin something.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::extract::Document;
use crate::model::source::{SourceKind, SourceState};
use crate::poll::archive;
use crate::poll::catalog::{self, Then, Unfinished, Unread};
use crate::poll::errand::{Errand, Next};
use crate::poll::fault::{Fault, FetchError, shown};
use crate::poll::fetch::{Fetched, Packed};
use crate::poll::read::{self, Compared, Page};
use crate::poll::report::{Outcome, PollReport};
use crate::poll::settle::Poll;
use crate::poll::sitemap;
use crate::poll::spool::{Spool, hash};
use crate::poll::state::{self, Failure};
use crate::poll::wait::Wait;

/// A document of more wire bytes than this is read alone among its like: its listings may be many.
const ALONE_BYTES: u64 = 1024 * 1024;

/// A document that is one whole, once it is read.
enum Whole {
    Compared(Box<Compared>),
    /// More may have come before it than it holds.
    Gap(Box<Document>, u64),
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

    /// A document that is one whole came, of a feed or a page.
    pub(crate) async fn document(
        self,
        last: SourceState,
        fetched: Fetched,
        packed: Packed,
    ) -> Next {
        let known = match self.known(&last).await {
            Ok(known) => known,
            Err(error) => return self.broken_store(last, error),
        };
        let (source, url) = (Arc::clone(&self.source), fetched.url.clone());
        let campaigns = Arc::clone(&self.shared.campaigns);
        let (items_max, now) = (self.shared.items_max, self.now());
        let last_hash = last.document_hash;
        let is_read_again = state::has_turned(&source, &last, now);
        let read = self.read_off_thread(move || {
            let unpacked = packed.unpack().map_err(Unread::Fault)?;
            let hash = hash(&unpacked.bytes);
            if hash == last_hash && !is_read_again {
                return Ok(None);
            }
            let page = Page {
                bytes: &unpacked.bytes,
                content_type: unpacked.content_type.as_deref(),
                url: &url,
                items_max,
            };
            let document = read::document(&page, &source)?;
            drop(unpacked);
            if archive::is_gap(&document, known.as_ref()) {
                return Ok(Some(Whole::Gap(Box::new(document), hash)));
            }
            let known = known.as_ref();
            let compared = read::compare(document, hash, &source, known, &campaigns, now);
            Ok(Some(Whole::Compared(Box::new(compared))))
        });
        match read.await {
            Some(Ok(Some(Whole::Compared(compared)))) => self.visit(last, fetched, *compared).await,
            Some(Ok(Some(Whole::Gap(document, hash)))) => {
                self.go_back(last, fetched, *document, hash).await
            }
            Some(Ok(None)) => Next::Settle(Box::pin(self.unchanged(&last, &fetched))),
            Some(Err(unread)) => {
                let failure = Unread::at(unread, &fetched.url);
                self.passed_over(&last, &failure, &fetched)
            }
            None => {
                let failure = Failure::Reader { address: shown(&fetched.url) };
                self.passed_over(&last, &failure, &fetched)
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
            let windowed = &shared.windowed;
            let wait = Wait { store, handle: &handle, source: &source, windowed };
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
