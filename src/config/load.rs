//! Loads the settings: reads the files, then checks them together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::config::Config;
use crate::config::check::around::{Checks, Secrets, Surroundings};
use crate::config::check::posts::PostFile;
use crate::config::check::{self, check};
use crate::config::file::{File, Unreadable};
use crate::config::include;
use crate::config::post::read_post;
use crate::config::problem::{Findings, Place, Problem};
use crate::config::raw::{List, Owner, RawFile, RawListen, ReadFile, read_file};
use crate::config::table::{At, Node, key};
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
    load_with(path, env, layouts, rules, Secrets::Needed)
}

/// As [`load`], for those who use no secrets.
///
/// # Errors
/// As [`load`].
pub fn load_with(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    layouts: &mut dyn FnMut(&Path) -> Option<BTreeSet<Name>>,
    rules: &dyn Checks,
    secrets: Secrets,
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
    let around = Surroundings { folder, env, rules, secrets, is_complete };
    let config = check(main.raw, included, &posts, &around, layouts, &mut found);
    if found.has_problems() {
        return Err(found.into_problems(&files));
    }
    Ok(Loaded { config, warnings: found.into_warnings(&files) })
}

/// Where the daemon of these settings listens for commands; `None` when the file can't be read, or
/// does not say.
///
/// Nothing else of the settings is looked at: a daemon that runs answers, whatever has become of
/// them meanwhile.
pub fn admin_socket(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let (file, unreadable) = File::open(path);
    if unreadable.is_some() {
        return None;
    }
    // What a mistake elsewhere leaves of them is as good as ever: at worst nobody listens there.
    let (table, _) = DeTable::parse_recoverable(file.text());
    let (table, root, mut unheard) = (table.into_inner(), Node::root(0), Findings::default());
    let data_dir: Option<At<String>> = key(&table, "data_dir", &root, &mut unheard);
    let listen: Option<RawListen> = key(&table, "listen", &root, &mut unheard);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found = Findings::default();
    let data_dir = check::data_dir(data_dir.as_ref(), folder, env, &mut found);
    if listen.as_ref().is_some_and(|listen| listen.admin.is_some()) {
        // Then it does not matter where the store is.
        found = Findings::default();
    }
    let socket = check::admin(listen.as_ref(), &data_dir, folder, env, &mut found);
    (!found.has_problems()).then_some(socket)
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
