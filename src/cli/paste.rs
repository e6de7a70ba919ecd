//! Sources as the TOML that editors paste, and the files that hold it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::cli::{EX_CONFIG, EX_IOERR, Failure, Settings, output, reach};
use crate::config::{self, NoPlace, Secrets};
use crate::model::name::{NAME_BYTES_MAX, Name};
use crate::model::source::{CatalogFormat, SourceKind};

/// Names that are tried with a number behind them.
const NUMBERS_MAX: u32 = 100_000;

/// A source to be.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    pub name: Name,
    pub kind: SourceKind,
    /// Of a catalog.
    pub format: Option<CatalogFormat>,
    pub url: String,
    /// As `every` is written.
    pub every: &'static str,
    /// What stands above it, line by line.
    pub remarks: Vec<String>,
}

impl Sketch {
    /// A complete table, its remarks as comments above it.
    pub(super) fn to_toml(&self) -> String {
        let mut out = String::new();
        for remark in &self.remarks {
            let line: String =
                remark.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        }
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("[sources.{}]", self.name));
        line(format!("kind = {}", quoted(kind_name(self.kind))));
        if let Some(format) = self.format {
            line(format!("format = {}", quoted(&format_name(format))));
        }
        line(format!("url = {}", quoted(&self.url)));
        line(format!("every = {}", quoted(self.every)));
        out
    }
}

/// As `kind` is written.
pub(super) fn kind_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Feed => "feed",
        SourceKind::Page => "page",
        SourceKind::Catalog => "catalog",
        SourceKind::Sitemap => "sitemap",
    }
}

/// As `format` is written.
pub(super) fn format_name(format: CatalogFormat) -> String {
    let value = serde_json::to_value(format).unwrap_or_default();
    value.as_str().unwrap_or("auto").to_owned()
}

/// A basic string of TOML. Source: TOML 1.0, string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a string can't fail.
                write!(out, "\\u{:04X}", u32::from(c)).ok();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Names for sources, each given once.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<Name>,
    /// The number that is tried next behind each stem.
    next: HashMap<String, u32>,
}

impl Names {
    /// `taken` are never given.
    pub(super) fn beside(taken: impl IntoIterator<Item = Name>) -> Self {
        Self { taken: taken.into_iter().collect(), next: HashMap::new() }
    }

    /// A name made from the first of `titles` that has letters a name may have, else `source`,
    /// with a number behind it if it is taken.
    pub(super) fn make(&mut self, titles: &[&str]) -> Option<Name> {
        let stem = titles.iter().map(|title| stem(title)).find(|stem| !stem.is_empty());
        let stem = stem.unwrap_or_else(|| "source".to_owned());
        let number = self.next.entry(stem.clone()).or_insert(1);
        while *number < NUMBERS_MAX {
            let end = if *number == 1 { String::new() } else { format!("-{number}") };
            *number += 1;
            let room = NAME_BYTES_MAX.saturating_sub(end.len());
            let head = stem.get(..room).unwrap_or(&stem).trim_end_matches('-');
            let name = Name::parse(&format!("{head}{end}")).ok()?;
            if self.taken.insert(name.clone()) {
                return Some(name);
            }
        }
        None
    }
}

/// The ASCII letters and digits of a title in lower case, accents left away, the rest as `-`.
fn stem(title: &str) -> String {
    let mut out = String::new();
    for c in title.nfkd().flat_map(char::to_lowercase) {
        let plain = match c {
            'ß' => "ss",
            'ø' => "o",
            'ł' => "l",
            'đ' => "d",
            'æ' => "ae",
            'ı' => "i",
            '\'' | '’' | '\u{300}'..='\u{36f}' => continue,
            c if c.is_ascii_alphanumeric() => {
                out.push(c);
                continue;
            }
            _ => "-",
        };
        if plain != "-" || !(out.is_empty() || out.ends_with('-')) {
            out.push_str(plain);
        }
    }
    out.truncate(NAME_BYTES_MAX);
    out.trim_end_matches('-').to_owned()
}

/// Writes `text` as a new file of the editors', then looks at all settings again.
///
/// Gives the file's path. Nothing that is there is overwritten; a file whose settings have a
/// problem stays, and the problems are told.
pub(super) fn write(settings: &Settings, name: &Name, text: &str) -> Result<PathBuf, Failure> {
    let place = config::editors_file(&settings.config, name).map_err(|error| match &error {
        NoPlace::NotIncluded { .. } => {
            let hint = "  hint: `include = [\"feeds.d/*.toml\"]` in it makes a place";
            Failure::new(EX_CONFIG, format!("{error}\n{hint}"))
        }
        NoPlace::Unreadable { .. } | NoPlace::Taken(_) => Failure::new(EX_CONFIG, &error),
    })?;
    let lost = |error: std::io::Error| {
        Failure::new(EX_IOERR, format!("{} was not written: {error}", place.display()))
    };
    create(&place, text).map_err(lost)?;
    output::complain(&format!("written: {}", place.display()));
    let setup = reach::look(settings, Secrets::LeftAlone).map_err(|problems| {
        let words = reach::refusal(settings, &problems).words;
        Failure::new(EX_CONFIG, format!("{words} in the settings with it"))
    })?;
    for warning in &setup.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    output::complain("the settings with it are good: reload the daemon to take it up");
    Ok(place)
}

/// Whole or not at all: a name that is there already is an error.
fn create(place: &Path, text: &str) -> std::io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create_new(place)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // What is left of it would be a problem of the settings.
        std::fs::remove_file(place).ok();
    }
    written
}

/// The names of the sources that the settings have, as far as they can be read.
pub(super) fn known_names(settings: &Settings) -> Vec<Name> {
    let setup = reach::look(settings, Secrets::LeftAlone);
    setup.map_or_else(
        |_problems| Vec::new(),
        |setup| setup.config.sources.iter().map(|source| source.name.clone()).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(titles: &[&str], taken: &[&str]) -> String {
        let taken = taken.iter().map(|name| Name::parse(name).unwrap());
        Names::beside(taken).make(titles).unwrap().to_string()
    }

    #[test]
    fn names_are_made_from_titles() {
        for (titles, taken, expected) in [
            (&["Știri & Noutăți"][..], &[][..], "stiri-noutati"),
            (&["Zażółć gęślą"], &[], "zazolc-gesla"),
            (&["Новости", "news.example.com"], &[], "news-example-com"),
            (&["新闻", ""], &[], "source"),
            (&["  The Author’s Blog!  "], &[], "the-authors-blog"),
            (&["blog"], &["blog", "blog-2"], "blog-3"),
            (&["--x--"], &[], "x"),
        ] {
            assert_eq!(named(titles, taken), expected, "{titles:?}");
        }
        let mut names = Names::default();
        let made: Vec<_> = (0..3).filter_map(|_| names.make(&["a"])).collect();
        assert_eq!(made.iter().map(Name::as_str).collect::<Vec<_>>(), ["a", "a-2", "a-3"]);
        let long = "a".repeat(200);
        assert_eq!(named(&[&long], &[]).len(), NAME_BYTES_MAX);
        let first = "a".repeat(NAME_BYTES_MAX);
        assert_eq!(named(&[&long], &[&first]), format!("{}-2", "a".repeat(NAME_BYTES_MAX - 2)));
    }

    #[test]
    fn a_sketch_is_a_complete_table() {
        let sketch = Sketch {
            name: Name::parse("shop").unwrap(),
            kind: SourceKind::Catalog,
            format: Some(CatalogFormat::Shopify),
            url: "https://e.com/a?b=\"c\\".into(),
            every: "1h",
            remarks: vec!["catalog: 3 items\nx".into(), String::new()],
        };
        assert_eq!(
            sketch.to_toml(),
            "# catalog: 3 items x\n#\n[sources.shop]\nkind = \"catalog\"\nformat = \"shopify\"\n\
             url = \"https://e.com/a?b=\\\"c\\\\\"\nevery = \"1h\"\n"
        );
    }
}
