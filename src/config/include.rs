//! The files that `include` and `posts` name.
//!
//! A pattern is a path with `*` (any characters) and `?` (one character) within its parts; a
//! relative one starts at the folder of the file that names it. Names that begin with a dot are
//! matched only by a pattern that does.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::file::told;
use crate::config::problem::Findings;
use crate::config::raw::List;

/// Most files that one settings file may include.
const FILES_MAX: usize = 1_000;

/// The included files, each once, by pattern and then by name; never `main` itself.
///
/// A file that is named plainly must be there; a pattern that matches nothing is a warning. Both
/// are told of `key`.
pub(crate) fn expand(
    main: &Path,
    key: &str,
    patterns: &List<String>,
    found: &mut Findings,
) -> Vec<PathBuf> {
    let folder = main.parent().unwrap_or(Path::new(""));
    let mut seen: HashSet<PathBuf> = main.canonicalize().into_iter().collect();
    let mut files = Vec::new();
    for pattern in patterns {
        let mut matched = Vec::new();
        let parts: Vec<&str> = pattern.value.split('/').filter(|part| !part.is_empty()).collect();
        let base =
            if pattern.value.starts_with('/') { PathBuf::from("/") } else { folder.to_owned() };
        if parts.is_empty() || parts.contains(&"**") {
            found.problem(pattern.at, key, "is no path with `*` or `?` within its parts");
            continue;
        }
        if let Err(error) = walk(&base, &parts, &mut matched) {
            let text = format!("cannot be followed: {}", told(&error));
            found.problem(pattern.at, key, text);
        }
        if matched.is_empty() && is_wild(&pattern.value) {
            found.warning(pattern.at, key, "no file matches");
        }
        matched.sort();
        for path in matched {
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                files.push(path);
            }
        }
        if files.len() > FILES_MAX {
            let text = format!("more than {FILES_MAX} files match");
            found.problem(pattern.at, key, text);
            files.truncate(FILES_MAX);
            break;
        }
    }
    files
}

/// Collects the files below `base` that match the parts of a pattern.
fn walk(base: &Path, parts: &[&str], out: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        out.push(base.to_owned());
        return Ok(());
    };
    if !is_wild(part) {
        return walk(&base.join(part), rest, out);
    }
    let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| matches(part, name)) else { continue };
        let path = base.join(name);
        // A pattern's last part means files, every other one folders.
        if rest.is_empty() != path.is_dir() {
            walk(&path, rest, out)?;
        }
        if out.len() > FILES_MAX {
            break;
        }
    }
    Ok(())
}

/// Where a file of that name would be found by a pattern: only if no folder on the way there is
/// wild, since it could be any then.
pub(crate) fn place(main: &Path, pattern: &str, name: &str) -> Option<PathBuf> {
    let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let is_plain = !folder.split('/').any(is_wild) && matches(last, name);
    let folder = if pattern.starts_with('/') && folder.is_empty() { "/" } else { folder };
    is_plain.then(|| main.parent().unwrap_or(Path::new("")).join(folder).join(name))
}

fn is_wild(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// Whether a name matches one part of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // After the last `*`, and the first character of the name that it does not cover.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                star = Some((p, n));
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, covered)) => {
                    star = Some((after, covered + 1));
                    p = after;
                    n = covered + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;
    use crate::config::table::At;

    #[test]
    fn stars_and_question_marks_match_within_a_name() {
        let cases = [
            ("*.toml", "blog.toml", true),
            ("*.toml", "blog.toml~", false),
            ("*.toml", ".hidden.toml", false),
            (".*.toml", ".hidden.toml", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("feed-?.toml", "feed-1.toml", true),
            ("feed-?.toml", "feed-12.toml", false),
            ("știri-*.toml", "știri-ș.toml", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    fn expanded(main: &Path, patterns: &[&str]) -> (Vec<PathBuf>, Vec<String>) {
        let at = Place { file: 0, offset: 0 };
        let patterns = patterns.iter().map(|p| At { value: (*p).to_owned(), at }).collect();
        let mut found = Findings::default();
        let files = expand(main, "include", &patterns, &mut found);
        let told = found.into_warnings(&[]).into_iter().map(|w| w.problem).collect();
        (files, told)
    }

    #[test]
    fn files_come_once_and_sorted_and_the_main_file_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a/2.toml", "a/10.toml", "b/1.toml", "b/x.txt", "main.toml"] {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), "").unwrap();
        }
        let main = path("main.toml");
        let (files, warnings) = expanded(&main, &["a/2.toml", "?/*.toml", "*.toml"]);
        assert_eq!(files, [path("a/2.toml"), path("a/10.toml"), path("b/1.toml")]);
        assert_eq!(warnings, [] as [&str; 0]);
        let (files, warnings) = expanded(&main, &["c/*.toml", "missing.toml"]);
        assert_eq!((files, warnings), (vec![path("missing.toml")], vec!["no file matches".into()]));
    }
}
