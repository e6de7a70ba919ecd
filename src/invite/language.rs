//! Languages: which ones somebody reads, and words in several.

use std::collections::BTreeMap;

/// Longest `Accept-Language` that is looked at, in bytes; the rest says nothing.
const HEADER_BYTES_MAX: usize = 512;

/// Words in one or several languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// For everybody whose language is not there.
    pub default: String,
    /// By BCP 47 tag in lower case.
    pub languages: BTreeMap<String, String>,
}

impl Wording {
    /// In the language itself, in its main language, or as there are.
    pub fn in_language(&self, language: &str) -> &str {
        let main = language.split('-').next().unwrap_or(language);
        let found = self.languages.get(language).or_else(|| self.languages.get(main));
        found.unwrap_or(&self.default)
    }
}

/// The languages of an `Accept-Language`, in lower case, the best first; those that are refused
/// (`q=0`) and `*` are left out.
pub fn wanted(header: &str) -> Vec<String> {
    let mut end = header.len().min(HEADER_BYTES_MAX);
    while !header.is_char_boundary(end) {
        end -= 1;
    }
    let mut wanted: Vec<(u16, String)> = header[..end].split(',').filter_map(range).collect();
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag).collect()
}

/// Weight in thousandths, and tag.
fn range(text: &str) -> Option<(u16, String)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?.to_lowercase();
    let is_tag = !tag.is_empty() && tag.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    let weight = parts.find_map(|part| part.strip_prefix("q=").map(weight)).unwrap_or(1_000);
    (is_tag && weight > 0).then_some((weight, tag))
}

/// `0.7` in thousandths; what is no weight is none at all.
fn weight(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole == "1" {
        return 1_000;
    }
    let digits = part.bytes().take(3).all(|c| c.is_ascii_digit());
    if whole != "0" || !digits || part.len() > 3 {
        return 0;
    }
    format!("{part:0<3}").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first() {
        for (header, expected) in [
            ("", &[] as &[&str]),
            ("ro", &["ro"]),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", &["fr-ch", "fr", "en", "de"]),
            ("en;q=0.3,it;q=0.75,es;q=1.0", &["es", "it", "en"]),
            ("de;q=0, en", &["en"]),
            ("de;q=2, en;q=x, <script>;q=1, ,;;", &[]),
        ] {
            assert_eq!(wanted(header), expected, "{header}");
        }
        assert_eq!(wanted(&"ă,".repeat(1_000)), Vec::<String>::new());
    }

    #[test]
    fn the_main_language_serves_its_regions() {
        let languages = [("en", "news"), ("ro", "știri")];
        let languages = languages.map(|(tag, text)| (tag.to_owned(), text.to_owned())).into();
        let wording = Wording { default: "news".into(), languages };
        assert_eq!(wording.in_language("ro-md"), "știri");
        assert_eq!(wording.in_language("fr"), "news");
    }
}
