//! Files of the data folder: nobody else may read them, and they belong to whom the folder belongs.
//!
//! What people told is in them. The daemon runs as a user of its own, and a command that root gives
//! while it is stopped must not leave a file behind that it can't open.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

/// For its owner alone.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// What lets people in who are neither the owner nor of the owner's group.
const OTHERS: u32 = 0o007;

const ROOT: u32 = 0;

/// Makes the data folder, and those above it, where there is none.
///
/// # Errors
/// What the file system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Opens a file of the data folder to be read and written; an empty one is made where there is none.
///
/// # Errors
/// What the file system says.
pub(crate) fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file =
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
    // What an attempt that was cut short has left may have another mode.
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    give_to_owner(&file, path)?;
    Ok(file)
}

/// What root makes is given to the owner of the folder.
fn give_to_owner(file: &File, path: &Path) -> io::Result<()> {
    let made = file.metadata()?;
    if made.uid() != ROOT {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).metadata()?;
    if (folder.uid(), folder.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    fchown(file, Some(folder.uid()), Some(folder.gid()))
}

/// Whether everybody on the machine may read this file of this folder.
pub fn is_open_to_all(folder: &Path, name: &str) -> bool {
    let is_open =
        |path: &Path| path.metadata().is_ok_and(|found| found.permissions().mode() & OTHERS != 0);
    is_open(folder) && is_open(&folder.join(name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        make_folder(&folder).unwrap();
        make_folder(&folder).unwrap();
        assert_eq!((mode(&folder), mode(&home.path().join("a"))), (FOLDER_MODE, FOLDER_MODE));
        let file = folder.join("store.redb");
        open_or_make(&file).unwrap();
        assert_eq!(mode(&file), FILE_MODE);
        // One that was left half made, by another program perhaps.
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        open_or_make(&file).unwrap();
        assert_eq!(mode(&file), FILE_MODE);
    }

    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("wire.journal");
        // Only root may give anything away: another user finds what they made to be theirs.
        let is_root = std::os::unix::fs::chown(home.path(), Some(4_242), Some(4_243)).is_ok();
        let made = open_or_make(&file).unwrap().metadata().unwrap();
        let folder = home.path().metadata().unwrap();
        assert_eq!(made.uid(), folder.uid());
        assert!(!is_root || (made.uid(), made.gid()) == (4_242, 4_243));
    }

    #[test]
    fn a_file_is_open_when_its_folder_is_too() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("x");
        fs::write(&file, b"").unwrap();
        for (folder_mode, file_mode, expected) in [
            (0o755, 0o644, true),
            (0o700, 0o644, false),
            (0o755, 0o600, false),
            (0o750, 0o640, false),
        ] {
            fs::set_permissions(home.path(), Permissions::from_mode(folder_mode)).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(file_mode)).unwrap();
            assert_eq!(is_open_to_all(home.path(), "x"), expected, "{folder_mode:o} {file_mode:o}");
        }
        assert!(!is_open_to_all(home.path(), "gone"));
    }
}
