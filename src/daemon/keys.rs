//! Keys that the daemon makes for itself: random bytes in the data folder, for its own eyes only.
//!
//! A key that is lost is made anew, and what was made from it is asked for again.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::runtime::pushes::KEY_BYTES;

/// The file of the key by which hubs are told from others.
const HUBS: &str = "hubs.key";

/// The key of the addresses and secrets that hubs are given; made at the first call.
///
/// # Errors
/// When the file can't be read or made.
pub(crate) fn hubs(folder: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let path = folder.join(HUBS);
    let doing = || format!("the key in `{}`", path.display());
    match fs::read(&path) {
        Ok(bytes) => {
            // One of another length is half of one: the disk was full, or somebody wrote in it.
            if let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes) {
                return Ok(key);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(doing),
    }
    let key: [u8; KEY_BYTES] = rand::random();
    let new = path.with_extension("new");
    // What an attempt that was cut short has left may have another mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(doing),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .with_context(doing)?;
    file.write_all(&key).and_then(|()| file.sync_all()).with_context(doing)?;
    fs::rename(&new, &path).with_context(doing)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = hubs(folder.path()).unwrap();
        assert_eq!(hubs(folder.path()).unwrap(), key);
        let mode = fs::metadata(folder.path().join(HUBS)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.path().join(HUBS), b"half").unwrap();
        assert_ne!(hubs(folder.path()).unwrap(), key);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
