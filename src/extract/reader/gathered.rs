//! The fields of an item while it is read, and which of several values stays.

use crate::extract::date;
use crate::extract::raw::{RawEntry, RawLink, RawMedia, RawText, Role};
use crate::model::time::Timestamp;

/// Most files and addresses of one item that are kept, each.
pub(super) const FILES_MAX: usize = 64;
/// Most authors and tags of one item that are kept, each.
pub(super) const NAMES_MAX: usize = 64;

/// What decides between two values of one field; the better one stays.
pub(super) struct Found<T> {
    pub(super) rank: u8,
    pub(super) value: T,
}

impl<T> Found<T> {
    /// Takes `value` if it stands higher than what is there; of equals the later one.
    pub(super) fn offer(best: &mut Option<Self>, rank: u8, value: T) {
        if best.as_ref().is_none_or(|found| rank <= found.rank) {
            *best = Some(Self { rank, value });
        }
    }
}

/// The fields of an item while it is read: candidates with their rank, 0 the best.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) entry: RawEntry,
    pub(super) title: Option<Found<RawText>>,
    pub(super) summary: Option<Found<RawText>>,
    pub(super) body: Option<Found<RawText>>,
    pub(super) published: Option<Found<Timestamp>>,
    pub(super) updated: Option<Found<Timestamp>>,
    pub(super) links: Vec<(u8, RawLink)>,
    pub(super) authors: Vec<(u8, String)>,
    pub(super) inherited: Vec<String>,
    /// How long what the item gives to hear or see plays; 0 when it does not say.
    pub(super) seconds: u32,
}

impl Gathered {
    pub(super) fn into_entry(mut self) -> RawEntry {
        self.links.sort_by_key(|(rank, _)| *rank);
        for media in &mut self.entry.media {
            if media.role == Role::Enclosure && media.seconds == 0 {
                media.seconds = self.seconds;
            }
        }
        let best = self.authors.iter().map(|(rank, _)| *rank).min();
        self.authors.retain(|(rank, _)| Some(*rank) == best);
        RawEntry {
            title: self.title.map(|found| found.value).unwrap_or_default(),
            summary: self.summary.map(|found| found.value).unwrap_or_default(),
            body: self.body.map(|found| found.value).unwrap_or_default(),
            published: self.published.map(|found| found.value),
            updated: self.updated.map(|found| found.value),
            links: self.links.into_iter().map(|(_, link)| link).take(FILES_MAX).collect(),
            authors: if self.authors.is_empty() {
                self.inherited
            } else {
                self.authors.into_iter().map(|(_, name)| name).collect()
            },
            ..self.entry
        }
    }

    pub(super) fn text(slot: &mut Option<Found<RawText>>, rank: u8, text: RawText) {
        if !text.is_empty() {
            Found::offer(slot, rank, text);
        }
    }

    pub(super) fn published(&mut self, rank: u8, text: &str) {
        if let Some(at) = date::parse(text) {
            Found::offer(&mut self.published, rank, at);
        }
    }

    pub(super) fn updated(&mut self, rank: u8, text: &str) {
        if let Some(at) = date::parse(text) {
            Found::offer(&mut self.updated, rank, at);
        }
    }

    pub(super) fn link(&mut self, rank: u8, link: RawLink) {
        if self.links.len() < FILES_MAX && !link.href.trim().is_empty() {
            self.links.push((rank, link));
        }
    }

    pub(super) fn author(&mut self, rank: u8, name: String) {
        if self.authors.len() < NAMES_MAX && !name.trim().is_empty() {
            self.authors.push((rank, name));
        }
    }

    pub(super) fn tag(&mut self, name: String) {
        if self.entry.tags.len() < NAMES_MAX && !name.trim().is_empty() {
            self.entry.tags.push(name);
        }
    }

    pub(super) fn media(&mut self, media: RawMedia) {
        if self.entry.media.len() < FILES_MAX && !media.link.href.trim().is_empty() {
            self.entry.media.push(media);
        }
    }
}
