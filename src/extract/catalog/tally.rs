//! What a pass over a document's rows counts, and what that says of the document.

use crate::extract::catalog::Options;
use crate::extract::{NotADocument, Quality};

/// The rows of a document, by what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// All of them.
    pub rows: u64,
    /// Those that could not be read.
    pub lost: u64,
    /// Those without id and link.
    pub nameless: u64,
    /// Those that the shop does not show.
    pub hidden: u64,
}

impl Tally {
    /// One row more.
    ///
    /// # Errors
    /// [`NotADocument::TooManyItems`] beyond what the options allow.
    pub(super) fn count(&mut self, options: &Options<'_>) -> Result<(), NotADocument> {
        self.rows += 1;
        if usize::try_from(self.rows).is_ok_and(|rows| rows > options.items_max) {
            return Err(NotADocument::TooManyItems { max: options.items_max });
        }
        Ok(())
    }

    /// One row that can't even be told from its neighbours.
    pub(super) fn lose(&mut self) {
        self.rows += 1;
        self.lost += 1;
    }

    /// What the document was like.
    pub(super) fn quality(&self, is_whole: bool, is_mended: bool) -> Quality {
        if !is_whole {
            Quality::Truncated
        } else if is_mended || self.lost > 0 {
            Quality::Repaired
        } else {
            Quality::Whole
        }
    }

    /// What people should know about rows that are not there.
    pub(super) fn remarks(&self) -> Vec<String> {
        let kinds = [
            (self.lost, "could not be read"),
            (self.nameless, "without id and link left out"),
            (self.hidden, "marked as hidden left out"),
        ];
        let told = kinds.into_iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{count} row{} {what}", if count == 1 { "" } else { "s" }))
            .collect()
    }
}
