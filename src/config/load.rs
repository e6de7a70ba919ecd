//! Loads the settings: reads the files, then checks them together.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::Config;
use crate::config::check::around::{Checks, Surroundings};
use crate::config::check::check;
use crate::config::file::{File, Unreadable};
use crate::config::include;
use crate::config::problem::{Findings, Place, Problem};
use crate::config::raw::{Owner, RawFile, ReadFile, read_file};
use crate::model::name::Name;

/// Settings that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// What works, but perhaps not as somebody expects.
    pub warnings: Vec<Problem>,
}

/// Reads `path` and the files that it includes; `env` looks up environment variables.
///
/// `layouts` is asked once for the names of the layouts in a folder, so that a campaign that names
/// none of them is told here with its place; `None` leaves that unchecked. `rules` tells what only
/// others can, as [`Checks`] says.
///
/// # Errors
/// Every problem of every file, in the order of the files and of the places in them. Nothing in
/// them shows a secret.
pub fn load(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    layouts: &mut dyn FnMut(&Path) -> Option<BTreeSet<Name>>,
    rules: &dyn Checks,
) -> Result<Loaded, Vec<Problem>> {
    let mut found = Findings::default();
    let mut files = Vec::new();
    let main = read(path, Owner::Sysadmin, &mut files, &mut found);
    let mut is_complete = main.is_whole;
    // Where the layouts are is not known for sure then.
    let mut unasked = |_: &Path| None;
    let layouts = if main.is_whole { layouts } else { &mut unasked };
    let paths = match &main.raw.include {
        Some(patterns) => include::expand(path, &patterns.value, &mut found),
        None => Vec::new(),
    };
    let mut included = Vec::with_capacity(paths.len());
    for path in paths {
        let file = read(&path, Owner::Editor, &mut files, &mut found);
        is_complete &= file.is_whole;
        included.push(file.raw);
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let around = Surroundings { folder, env, rules, is_complete };
    let config = check(main.raw, included, &around, layouts, &mut found);
    if found.has_problems() {
        return Err(found.into_problems(&files));
    }
    Ok(Loaded { config, warnings: found.into_warnings(&files) })
}

fn read(path: &Path, owner: Owner, files: &mut Vec<File>, found: &mut Findings) -> ReadFile {
    let index = files.len();
    let (file, unreadable) = File::open(path);
    let read = match unreadable {
        None => read_file(&file, index, owner, found),
        Some(Unreadable { why, offset }) => {
            found.problem(Place { file: index, offset }, "", why);
            ReadFile { raw: RawFile::empty(), is_whole: false }
        }
    };
    files.push(file);
    read
}

#[cfg(test)]
mod tests;
