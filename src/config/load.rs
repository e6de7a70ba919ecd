//! Loads the settings: reads the files, then checks them together.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::Config;
use crate::config::check::around::{Checks, Surroundings};
use crate::config::check::check;
use crate::config::check::posts::PostFile;
use crate::config::file::{File, Unreadable};
use crate::config::include;
use crate::config::post::read_post;
use crate::config::problem::{Findings, Place, Problem};
use crate::config::raw::{List, Owner, RawFile, ReadFile, read_file};
use crate::config::table::At;
use crate::model::name::Name;

/// The files that plan posts, where nothing else is said; relative to the sysadmin's file.
const POSTS: &str = "posts/*.toml";

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
        Some(patterns) => include::expand(path, "include", &patterns.value, &mut found),
        None => Vec::new(),
    };
    let mut included = Vec::with_capacity(paths.len());
    for path in paths {
        let file = read(&path, Owner::Editor, &mut files, &mut found);
        is_complete &= file.is_whole;
        included.push(file.raw);
    }
    let posts = posts(path, main.raw.posts.as_ref(), &mut files, &mut found);
    let folder = path.parent().unwrap_or(Path::new(""));
    let around = Surroundings { folder, env, rules, is_complete };
    let config = check(main.raw, included, &posts, &around, layouts, &mut found);
    if found.has_problems() {
        return Err(found.into_problems(&files));
    }
    Ok(Loaded { config, warnings: found.into_warnings(&files) })
}

/// The files that plan a post each.
fn posts(
    main: &Path,
    patterns: Option<&At<List<String>>>,
    files: &mut Vec<File>,
    found: &mut Findings,
) -> Vec<PostFile> {
    let is_usual =
        |patterns: &&At<List<String>>| matches!(&patterns.value[..], [one] if one.value == POSTS);
    let paths = match patterns.filter(|patterns| !is_usual(patterns)) {
        Some(patterns) => include::expand(main, "posts", &patterns.value, found),
        None => {
            let at = Place { file: 0, offset: 0 };
            let usual = vec![At { value: POSTS.to_owned(), at }];
            // Most have none.
            let mut unheard = Findings::default();
            let paths = include::expand(main, "posts", &usual, &mut unheard);
            match unheard.has_problems() {
                true => include::expand(main, "posts", &usual, found),
                false => paths,
            }
        }
    };
    let mut read = Vec::with_capacity(paths.len());
    for path in paths {
        let index = files.len();
        let (file, unreadable) = File::open(&path);
        let at = Place { file: index, offset: 0 };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let raw = match unreadable {
            None => read_post(&file, index, found),
            Some(Unreadable { why, offset }) => {
                found.problem(Place { file: index, offset }, "", why);
                None
            }
        };
        if let Some(raw) = raw {
            let (stem, digest) = (stem.unwrap_or_default(), digest(file.text()));
            read.push(PostFile { stem, at, digest, raw });
        }
        files.push(file);
    }
    read
}

/// 64 bits that differ where texts do. Source: FNV-1a.
pub(crate) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
