//! Tells what is wrong with a file's syntax.
//!
//! A table that stands there twice is one mistake, however many of its keys then come twice: it is
//! told once, by its name and with its first place.

use crate::config::problem::{Findings, Place};
use crate::config::table::shown;

/// How the parser calls a key or table that is there already.
const TWICE: &str = "duplicate key";

/// Tells of every syntax error of a file.
pub(crate) fn report(text: &str, errors: &[toml::de::Error], index: usize, found: &mut Findings) {
    let mut told_until = 0;
    for error in errors {
        let offset = offset(error);
        let at = Place { file: index, offset };
        match error.message().split_once(", expected ") {
            _ if error.message() == TWICE => {
                if offset < told_until {
                    continue;
                }
                let Some(twice) = Twice::find(text, offset) else {
                    found.problem(at, "", TWICE);
                    continue;
                };
                if twice.is_table {
                    told_until = twice.ends_at;
                }
                let finding = found.problem(at, &twice.key, "is defined already");
                if let Some(first) = twice.first {
                    finding.other(Place { file: index, offset: first });
                }
            }
            Some((problem, expected)) => {
                found.problem(at, "", problem).hint(format!("expected {expected}"));
            }
            None => {
                found.problem(at, "", error.message());
            }
        }
    }
}

/// Where the error begins.
pub(crate) fn offset(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// What comes twice.
struct Twice {
    /// With the tables that it is in.
    key: String,
    is_table: bool,
    /// Of a table: where the next one begins.
    ends_at: usize,
    /// Where it stands for the first time, if that is found.
    first: Option<usize>,
}

impl Twice {
    /// What stands at the offset.
    fn find(text: &str, offset: usize) -> Option<Self> {
        let line_at = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
        let headers: Vec<(usize, &str)> = headers(text).collect();
        let own = headers.iter().rev().find(|(at, _)| *at <= offset).copied();
        if let Some((at, header)) = own.filter(|(at, _)| *at >= line_at) {
            let first = headers.iter().find(|(_, one)| *one == header).map(|(first, _)| *first);
            let next = headers.iter().find(|(next, _)| *next > at).map(|(next, _)| *next);
            return Some(Self {
                key: header.to_owned(),
                is_table: true,
                ends_at: next.unwrap_or(text.len()),
                first: first.filter(|first| *first < at),
            });
        }
        let key = text.get(offset..)?.split(['=', '\n']).next()?.trim();
        let (table_at, table) = own.unwrap_or_default();
        let first = lines(text.get(table_at..line_at)?).find_map(|(at, line)| {
            let name = line.split_once('=')?.0;
            let indent = name.len() - name.trim_start().len();
            (name.trim() == key).then_some(table_at + at + indent)
        });
        let key = shown(key);
        let key = if table.is_empty() { key } else { format!("{table}.{key}") };
        Some(Self { key, is_table: false, ends_at: offset, first })
    }
}

/// The headers of tables, each with the place of its name.
fn headers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(text).filter_map(|(at, line)| {
        let inner = line.trim_start().strip_prefix('[')?;
        let name = inner.split(']').next()?;
        let before = line.len() - inner.len() + (name.len() - name.trim_start().len());
        let is_name = |c: char| c.is_alphanumeric() || "_-.\"' ".contains(c);
        let name = name.trim();
        (!name.is_empty() && name.chars().all(is_name)).then_some((at + before, name))
    })
}

/// Lines and where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file::File;

    fn told(text: &str) -> Vec<String> {
        let (file, _) = File::from_bytes(Path::new("a.toml"), text.as_bytes().to_vec());
        let (_, errors) = toml::de::DeTable::parse_recoverable(file.text());
        let mut found = Findings::default();
        report(file.text(), &errors, 0, &mut found);
        found.into_problems(&[file]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_comes_twice_is_told_once_with_both_places() {
        let table = "\
[channels.bot]
kind = \"telegram\"
token = { env = \"A\" }

[topics.news]

[ channels.bot ]
kind = \"telegram\"
token = { env = \"B\" }
";
        let all = told(table);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with("a.toml:7:"), "{all:?}");
        assert!(all[0].ends_with(": channels.bot: is defined already at a.toml:1:2"), "{all:?}");
        let key = "[topics.news]\ntitle = \"a\"\n[topics.b]\n title = \"x\"\n title = \"y\"\n";
        assert_eq!(told(key), ["a.toml:5:2: topics.b.title: is defined already at a.toml:4:2"]);
        assert_eq!(
            told("a = 1\nb = 2\na = 3\n"),
            ["a.toml:3:1: a: is defined already at a.toml:1:1"]
        );
    }

    #[test]
    fn other_mistakes_are_told_beside_it() {
        let all = told("[a]\nx = 1\n[a]\nx = 2\n[b]\ny = \n[a]\n");
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].contains("a: is defined already at a.toml:1:2"), "{all:?}");
        assert!(all[2].contains("a: is defined already at a.toml:1:2"), "{all:?}");
    }
}
