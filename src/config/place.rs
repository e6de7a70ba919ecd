//! Where a new file of the editors' belongs.

use std::path::{Path, PathBuf};

use crate::config::file::File;
use crate::config::include;
use crate::config::problem::Findings;
use crate::config::raw::{Owner, read_file};
use crate::model::name::Name;

/// The settings have no place for a new file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    #[error("{}: {why}", .path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: no pattern of `include` would find `{name}`", .path.display())]
    NotIncluded { path: PathBuf, name: String },
    #[error("{}: there already", .0.display())]
    Taken(PathBuf),
}

/// The path of a file `name.toml` that the settings at `main` would include: in the folder of the
/// first pattern that matches it. The file is not there; its folder may not be either.
///
/// # Errors
/// [`NoPlace`] says why there is none.
pub fn editors_file(main: &Path, name: &Name) -> Result<PathBuf, NoPlace> {
    let (file, unreadable) = File::open(main);
    if let Some(unreadable) = unreadable {
        return Err(NoPlace::Unreadable { path: main.to_owned(), why: unreadable.why });
    }
    // Problems are told by whoever loads the settings.
    let read = read_file(&file, 0, Owner::Sysadmin, &mut Findings::default());
    let patterns = read.raw.include.into_iter().flat_map(|patterns| patterns.value);
    let file_name = format!("{name}.toml");
    let place = patterns
        .filter_map(|pattern| include::place(main, &pattern.value, &file_name))
        .next()
        .ok_or_else(|| NoPlace::NotIncluded { path: main.to_owned(), name: file_name })?;
    if place.exists() { Err(NoPlace::Taken(place)) } else { Ok(place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_matches_names_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("tidings.toml");
        let name = Name::parse("shop").unwrap();
        let place = |settings: &str| {
            std::fs::write(&main, settings).unwrap();
            editors_file(&main, &name)
        };
        assert_eq!(
            place("include = [\"main.toml\", \"*/x-*.toml\", \"feeds.d/*.toml\", \"/etc/*.toml\"]"),
            Ok(folder.path().join("feeds.d/shop.toml"))
        );
        assert_eq!(
            place("include = [\"shop.toml\"]"),
            Ok(folder.path().join("shop.toml")),
            "a file that is named and missing"
        );
        for settings in ["", "include = []", "include = [\"feeds.d/a*.toml\", \"*/*.toml\"]"] {
            let found = place(settings);
            assert!(matches!(found, Err(NoPlace::NotIncluded { .. })), "{settings}: {found:?}");
        }
        std::fs::create_dir(folder.path().join("feeds.d")).unwrap();
        std::fs::write(folder.path().join("feeds.d/shop.toml"), "").unwrap();
        let found = place("include = [\"feeds.d/*.toml\"]");
        assert_eq!(found, Err(NoPlace::Taken(folder.path().join("feeds.d/shop.toml"))));
        let gone = editors_file(&folder.path().join("gone.toml"), &name);
        assert!(matches!(gone, Err(NoPlace::Unreadable { .. })));
    }
}
