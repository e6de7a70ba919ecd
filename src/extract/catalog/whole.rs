//! Documents that are read whole: JSON and pages, which are small.

use std::io::{Read, SeekFrom};

use crate::extract::NotADocument;
use crate::extract::catalog::Text;

/// Longest such document, in bytes.
pub(super) const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// All bytes of the document.
///
/// # Errors
/// [`NotADocument`] when it can't be read or is too long.
pub(super) fn read(document: &mut dyn Text) -> Result<Vec<u8>, NotADocument> {
    let unread = |error: std::io::Error| NotADocument::Unreadable(error.to_string());
    document.seek(SeekFrom::Start(0)).map_err(unread)?;
    let mut bytes = Vec::new();
    document.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > DOCUMENT_BYTES_MAX {
        let max = DOCUMENT_BYTES_MAX >> 20;
        return Err(NotADocument::Unfit(format!("it has more than {max} MiB")));
    }
    Ok(bytes)
}
