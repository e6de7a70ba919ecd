//! A page to a file, and to the browser.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::{Done, EX_IOERR, Failure, output};

/// Writes the page to `file` (`-`: prints it), or to a new temporary file that only we can read;
/// opens it if that is wanted.
pub(super) fn write(page: &str, file: Option<&str>, is_opened: bool) -> Done {
    let path = match file {
        Some("-") => {
            output::say(page);
            return Ok(());
        }
        Some(file) => {
            let path = PathBuf::from(file);
            fs::write(&path, page).map_err(|error| failed(&path, &error))?;
            path
        }
        None => temporary(page)?,
    };
    if is_opened && is_shown(&path) {
        output::complain(&format!("opened {}", path.display()));
    } else {
        output::complain(&format!("wrote {}", path.display()));
    }
    Ok(())
}

fn temporary(page: &str) -> Result<PathBuf, Failure> {
    let name = format!("tidings-preview-{:08x}.html", rand::random::<u32>());
    let path = std::env::temp_dir().join(name);
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(page.as_bytes()))
        .map_err(|error| failed(&path, &error))?;
    Ok(path)
}

/// Hands the file to the desktop; `false` when there is none.
fn is_shown(path: &Path) -> bool {
    let mut opener = Command::new("xdg-open");
    opener.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It hands the file over and ends.
    opener.status().is_ok_and(|status| status.success())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(EX_IOERR, format!("the page can't be written to `{}`: {error}", path.display()))
}
