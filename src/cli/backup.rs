//! `tidings backup`.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::admin::client::{self, ClientError};
use crate::cli::{Done, EX_IOERR, EX_UNAVAILABLE, Failure, Settings, output, reach};
use crate::daemon::Absent;
use crate::store;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings backup /var/backups/tidings.redb
  tidings backup \"tidings-$(date +%F).redb\"";

/// Copy the store into a file, while the daemon runs or while it does not.
///
/// The copy is whole, and was opened once. In place of the store it is what the store was; see
/// docs/operations.md for what that means. A file of this name is replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Where to; nobody else may read it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(args: Args) -> Done {
    // Under another name until it is whole.
    let half = beside(&args.file, ".half");
    let done = copy(&args, &half).await;
    if done.is_err() {
        // It is of no use to anybody.
        fs::remove_file(&half).ok();
    }
    done
}

async fn copy(args: &Args, half: &Path) -> Done {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(EX_IOERR, format!("{}: {error}", args.file.display()))
    };
    fs::remove_file(half).ok();
    let mut options = OpenOptions::new();
    let out = options.read(true).write(true).create_new(true).mode(0o600).open(half);
    let out = Arc::new(out.map_err(|error| failed(&error))?);
    let is_by_daemon = match client::backup(&reach::socket(&args.settings)?, &out).await {
        Ok(()) => true,
        Err(ClientError::NotRunning { .. }) => {
            let setup = reach::load(&args.settings)?;
            let ground = reach::open(&setup, Absent::Refuse)?;
            let copied = ground.store.copy_to(Arc::clone(&out)).await;
            copied.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
            false
        }
        Err(ClientError::Unwritten(error)) => return Err(failed(&error)),
        Err(error @ ClientError::Told(_)) => return Err(Failure::new(EX_IOERR, error)),
        Err(error) => return Err(Failure::new(EX_UNAVAILABLE, error)),
    };
    out.sync_all().map_err(|error| failed(&error))?;
    drop(out);
    // What was open when it was copied is put in order, and every page is looked at.
    drop(store::redb::open(half).map_err(|error| failed(&error))?);
    fs::rename(half, &args.file).map_err(|error| failed(&error))?;
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder.and_then(|folder| folder.sync_all()).map_err(|error| failed(&error))?;
    let bytes = args.file.metadata().map_err(|error| failed(&error))?.len();
    let whose = if is_by_daemon { "the running daemon's store" } else { "the store" };
    output::complain(&format!("{}: {whose}, {bytes} bytes", args.file.display()));
    Ok(())
}

/// The same path with more at the end of its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
