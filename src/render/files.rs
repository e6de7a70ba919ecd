//! The files of layouts: what their names say, and which of several serves whom.
//!
//! ```text
//! NAME.html  NAME.LANGUAGE.html  NAME.KIND.html  NAME.LANGUAGE.KIND.html    a layout's variants
//! _NAME.html …                                                              a part to include
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::model::channel::ChannelKind;
use crate::model::name::Name;

/// Most files of layouts.
pub(super) const FILES_MAX: usize = 1_000;

/// Whom a variant serves; nothing set serves everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Setting {
    pub language: Option<String>,
    pub kind: Option<ChannelKind>,
}

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variant {
    /// The name before the first dot; a part's begins with `_`.
    pub stem: String,
    pub setting: Setting,
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Without its folder.
    pub name: String,
    /// As it is to be told.
    pub path: String,
    pub text: String,
    /// Comes with us.
    pub is_shipped: bool,
}

/// All files, by what their names say.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// By stem; those of one stem are in the order of their settings.
    by_stem: BTreeMap<String, Vec<(Variant, File)>>,
}

impl Setting {
    /// `ro.telegram`, `ro`, `telegram` or nothing.
    pub fn to_prefix(&self) -> String {
        match (&self.language, self.kind) {
            (None, None) => String::new(),
            (Some(language), None) => language.clone(),
            (None, Some(kind)) => kind.as_str().to_owned(),
            (Some(language), Some(kind)) => format!("{language}.{}", kind.as_str()),
        }
    }

    /// The inverse of [`Setting::to_prefix`].
    pub fn of_prefix(prefix: &str) -> Self {
        let mut setting = Self::default();
        for part in prefix.split('.').filter(|part| !part.is_empty()) {
            match kind(part) {
                Some(kind) => setting.kind = Some(kind),
                None => setting.language = Some(part.to_owned()),
            }
        }
        setting
    }
}

impl Variant {
    /// `None` for what is no name of a layout or part.
    pub fn parse(file: &str) -> Option<Self> {
        let mut parts = file.strip_suffix(".html")?.split('.');
        let stem = parts.next()?;
        Name::parse(stem.strip_prefix('_').unwrap_or(stem)).ok()?;
        let mut setting = Setting::default();
        for part in parts {
            match kind(part) {
                Some(kind) if setting.kind.is_none() => setting.kind = Some(kind),
                None if is_language(part)
                    && setting.language.is_none()
                    && setting.kind.is_none() =>
                {
                    setting.language = Some(part.to_owned());
                }
                _ => return None,
            }
        }
        Some(Self { stem: stem.to_owned(), setting })
    }

    /// Without a name yet, for everybody.
    pub fn for_all() -> Self {
        Self { stem: String::new(), setting: Setting::default() }
    }

    /// Only there to be included.
    pub fn is_part(&self) -> bool {
        self.stem.starts_with('_')
    }
}

impl Files {
    pub fn has(&self, variant: &Variant) -> bool {
        self.exact(variant).is_some()
    }

    pub fn has_stem(&self, stem: &str) -> bool {
        self.by_stem.contains_key(stem)
    }

    pub fn add(&mut self, variant: Variant, file: File) {
        let variants = self.by_stem.entry(variant.stem.clone()).or_default();
        match variants.binary_search_by(|(known, _)| known.cmp(&variant)) {
            Ok(at) => variants[at].1 = file,
            Err(at) => variants.insert(at, (variant, file)),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = (&Variant, &File)> {
        self.by_stem.values().flatten().map(|(variant, file)| (variant, file))
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut File> {
        self.by_stem.values_mut().flatten().map(|(_, file)| file)
    }

    pub fn len(&self) -> usize {
        self.by_stem.values().map(Vec::len).sum()
    }

    /// The names of the layouts, without the parts.
    pub fn stems(&self) -> BTreeSet<&str> {
        self.all().filter(|(variant, _)| !variant.is_part()).map(|(it, _)| &*it.stem).collect()
    }

    /// The variants of one name.
    pub fn variants(&self, stem: &str) -> impl Iterator<Item = (&Variant, &File)> {
        let variants = self.by_stem.get(stem).map_or(&[][..], Vec::as_slice);
        variants.iter().map(|(variant, file)| (variant, file))
    }

    /// By the name without its folder.
    pub fn named(&self, name: &str) -> Option<&File> {
        self.exact(&Variant::parse(name)?)
    }

    fn exact(&self, variant: &Variant) -> Option<&File> {
        self.variants(&variant.stem).find(|(known, _)| *known == variant).map(|(_, file)| file)
    }

    /// The variant for the language and the kind, for the language, for the kind, for all. `en-GB`
    /// is served by `en` too.
    pub fn best(
        &self,
        stem: &str,
        kind: Option<ChannelKind>,
        language: Option<&str>,
    ) -> Option<(&Variant, &File)> {
        let whole = language.unwrap_or_default();
        let primary = whole.split('-').next().unwrap_or_default();
        let fit = |setting: &Setting| {
            let of_language = match setting.language.as_deref() {
                None => 0,
                Some(own) if own.eq_ignore_ascii_case(whole) => 2,
                Some(own) if own.eq_ignore_ascii_case(primary) => 1,
                Some(_) => return None,
            };
            let of_kind = setting.kind.is_some();
            (setting.kind.is_none() || setting.kind == kind).then_some((of_language, of_kind))
        };
        self.variants(stem)
            .max_by_key(|(variant, _)| fit(&variant.setting))
            .filter(|(variant, _)| fit(&variant.setting).is_some())
    }

    /// What `{% include "NAME" %}` means in a variant for `setting`: the best variant of a name
    /// for all, otherwise the file itself.
    pub fn included(&self, name: &str, setting: &Setting) -> Option<&File> {
        let variant = Variant::parse(name)?;
        if variant.setting != Setting::default() {
            return self.exact(&variant);
        }
        let best = self.best(&variant.stem, setting.kind, setting.language.as_deref());
        best.map(|(_, file)| file)
    }

    /// The file and all files that it may include, nearest first: those whose names stand in
    /// quotes in one of them.
    pub fn closure<'a>(&'a self, file: &'a File, setting: &Setting) -> Vec<&'a File> {
        let mut found = vec![file];
        let mut at = 0;
        while let Some(file) = found.get(at) {
            for name in quoted(&file.text) {
                if let Some(included) = self.included(name, setting)
                    && !found.iter().any(|known| known.name == included.name)
                {
                    found.push(included);
                }
            }
            at += 1;
        }
        found
    }
}

/// The texts in quotes that are names of layouts or parts.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(".html").filter_map(|(at, ending)| {
        let end = at + ending.len();
        let start = text[..at].rfind(['"', '\''])? + 1;
        let quote = &text[start - 1..start];
        text[end..].starts_with(quote).then(|| &text[start..end])
    })
}

fn kind(text: &str) -> Option<ChannelKind> {
    [ChannelKind::Telegram, ChannelKind::Messenger].into_iter().find(|kind| kind.as_str() == text)
}

/// A language as in `ro`, `pt-br`, `zh-hant-tw`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_primary =
        |it: &str| matches!(it.len(), 2 | 3) && it.bytes().all(|c| c.is_ascii_lowercase());
    let is_further = |it: &str| {
        matches!(it.len(), 2..=8)
            && it.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    parts.next().is_some_and(is_primary) && parts.all(is_further)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, &str)]) -> Files {
        let mut files = Files::default();
        for &(name, text) in names {
            let (name, path) = (name.to_owned(), name.to_owned());
            let variant = Variant::parse(&name).unwrap();
            files.add(variant, File { name, path, text: text.to_owned(), is_shipped: false });
        }
        files
    }

    #[test]
    fn a_prefix_is_read_as_it_was_written() {
        for prefix in ["", "ro", "telegram", "pt-br.messenger"] {
            assert_eq!(Setting::of_prefix(prefix).to_prefix(), prefix);
        }
    }

    #[test]
    fn a_part_is_chosen_by_the_variant_that_includes_it() {
        let files =
            files(&[("_foot.html", ""), ("_foot.ro.html", ""), ("_foot.messenger.html", "")]);
        let chosen = |prefix, name| {
            files.included(name, &Setting::of_prefix(prefix)).map(|file| file.name.as_str())
        };
        assert_eq!(chosen("", "_foot.html"), Some("_foot.html"));
        assert_eq!(chosen("ro", "_foot.html"), Some("_foot.ro.html"));
        assert_eq!(chosen("ro-md.telegram", "_foot.html"), Some("_foot.ro.html"));
        assert_eq!(chosen("it", "_foot.html"), Some("_foot.html"));
        assert_eq!(chosen("it.messenger", "_foot.html"), Some("_foot.messenger.html"));
        assert_eq!(chosen("it", "_foot.ro.html"), Some("_foot.ro.html"));
        assert_eq!(chosen("", "../_foot.html"), None);
    }

    #[test]
    fn a_closure_has_what_is_included_and_ends() {
        let files = files(&[
            ("a.html", "{% include '_b.html' %}{# \"a.html\" #}"),
            ("_b.html", "{% import \"_c.html\" as c %}{% include '_b.html' %}"),
            ("_c.html", ""),
            ("d.html", ""),
        ]);
        let names: Vec<_> = files
            .closure(files.named("a.html").unwrap(), &Setting::default())
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(names, ["a.html", "_b.html", "_c.html"]);
    }
}
