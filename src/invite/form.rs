//! A form on somebody else's page, as one script: a pop-up, a bar or a button that leads into the
//! chat.
//!
//! Everything stands in it: words, links, style. It builds its parts one by one, without reading
//! any markup, in a closed shadow tree whose style is made by the script: so the page's style does
//! not reach it, and a strict policy of the page has to allow the one address of the script.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::invite::language::Wording;
use crate::invite::look::{self, Colour};
use crate::invite::page::{Door, called};
use crate::invite::words;
use crate::markup::fill;
use crate::model::form::{Shape, Triggers};
use crate::model::name::Name;

const COMMON: &str = include_str!("form/common.js");
const FLOAT: &str = include_str!("form/float.js");
const INLINE: &str = include_str!("form/inline.js");

const COMMON_STYLE: &str = include_str!("form/common.css");
const FLOAT_STYLE: &str = include_str!("form/float.css");
const DIALOG_STYLE: &str = include_str!("form/dialog.css");
const CORNER_STYLE: &str = include_str!("form/corner.css");
const BAR_STYLE: &str = include_str!("form/bar.css");
const INLINE_STYLE: &str = include_str!("form/inline.css");

/// What the editor wrote of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub name: Name,
    pub shape: Shape,
    pub triggers: Triggers,
    /// It does not come again for so long after it was closed, in milliseconds.
    pub again_after: u64,
    /// What the topics are called, in their order.
    pub topics: Vec<Wording>,
    /// Without one, the only topic's, or words of ours; a button has none then.
    pub title: Option<Wording>,
    /// Without one, words of ours; a button has none then.
    pub text: Option<Wording>,
    /// Below the buttons. Without it, words of ours.
    pub consent: Option<Wording>,
    /// The address of a page about privacy.
    pub privacy: Option<String>,
    /// Of the buttons.
    pub colour: Option<Colour>,
}

/// How a form is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing<'a> {
    /// On a site, when its time comes, in the reader's language.
    Live,
    /// At once, and again however often it was closed, in this language.
    Preview(&'a str),
}

impl Form {
    /// The script.
    pub fn script(&self, doors: &[Door], showing: Showing<'_>) -> String {
        let data = script_value(&self.data(doors, showing));
        let style = script_value(&Value::from(squeezed_style(&self.style())));
        let rest = if self.shape.floats() { FLOAT } else { INLINE };
        let code = squeezed(&fill(
            COMMON,
            &[("rest", rest), ("form", "{{form}}"), ("style", "{{style}}")],
        ));
        fill(&code, &[("form", &data), ("style", &style)])
    }

    fn style(&self) -> String {
        let (float, own) = match self.shape {
            Shape::Dialog => (FLOAT_STYLE, DIALOG_STYLE),
            Shape::Corner { .. } => (FLOAT_STYLE, CORNER_STYLE),
            Shape::Bar { .. } => (FLOAT_STYLE, BAR_STYLE),
            Shape::Button => ("", INLINE_STYLE),
        };
        format!("{COMMON_STYLE}{float}{own}{}", look::doors(self.colour))
    }

    /// What the script shows.
    fn data(&self, doors: &[Door], showing: Showing<'_>) -> Value {
        let base = self.words("en");
        let mut languages = Map::new();
        for language in self.languages() {
            let mut own = self.words(&language);
            // What reads the same stands there once.
            own.retain(|key, text| base.get(key) != Some(text));
            languages.insert(language, Value::Object(own));
        }
        let signs: Map<String, Value> = doors
            .iter()
            .map(|door| (door.kind.as_str().to_owned(), look::sign(door.kind).into()))
            .collect();
        let shown = |door: &Door| {
            let kind = door.kind.as_str();
            json!({ "kind": kind, "name": called(door, doors), "link": door.link })
        };
        let mut data = json!({
            "name": self.name,
            "shape": shape_class(self.shape),
            "doors": doors.iter().map(shown).collect::<Vec<_>>(),
            "signs": signs,
            "base": base,
            "words": languages,
        });
        if let Some(data) = data.as_object_mut() {
            let mut add = |key: &str, value: Value| data.insert(key.to_owned(), value);
            if let Some(link) = &self.privacy {
                add("privacy", link.as_str().into());
            }
            if self.shape.floats() {
                let is_bar = matches!(self.shape, Shape::Bar { .. });
                add("role", if is_bar { "region" } else { "dialog" }.into());
                add("again", self.again_after.into());
                let after = self.triggers.after.map(|after| after.as_millis());
                if let Some(after) = after.and_then(|after| u64::try_from(after).ok()) {
                    add("after", after.into());
                }
                if let Some(scroll) = self.triggers.scroll {
                    add("scroll", scroll.into());
                }
                if self.triggers.exit {
                    add("exit", true.into());
                }
            }
            if let Showing::Preview(language) = showing {
                add("preview", true.into());
                add("language", language.into());
            }
        }
        data
    }

    /// Ours and the editor's, in lower case.
    fn languages(&self) -> BTreeSet<String> {
        let written = [&self.title, &self.text, &self.consent].into_iter().flatten();
        let written = written.flat_map(|wording| wording.languages.keys().cloned());
        words::languages().map(str::to_owned).chain(written).collect()
    }

    fn words(&self, language: &str) -> Map<String, Value> {
        let ours = words::words(language);
        let own = |wording: &Option<Wording>| {
            wording.as_ref().map(|wording| wording.in_language(language).to_owned())
        };
        let only_topic = || match self.topics.as_slice() {
            [only] => Some(only.in_language(language).to_owned()),
            _ => None,
        };
        let of_ours = |text: &str| self.shape.floats().then(|| text.to_owned());
        let (before, after) = ours.subscribe;
        let title = own(&self.title)
            .or_else(|| of_ours(&only_topic().unwrap_or_else(|| ours.title.to_owned())));
        let consent = own(&self.consent).unwrap_or_else(|| ours.consent.to_owned());
        let mut words = vec![
            ("title", title),
            ("text", own(&self.text).or_else(|| of_ours(ours.text))),
            ("consent", Some(consent)),
            ("before", Some(before.to_owned())),
            ("after", Some(after.to_owned())),
        ];
        if self.shape.floats() {
            words.push(("close", Some(ours.close.to_owned())));
        }
        if self.privacy.is_some() {
            words.push(("privacy", Some(ours.privacy_link.to_owned())));
        }
        let said = words.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
        said.collect()
    }
}

fn shape_class(shape: Shape) -> &'static str {
    match shape {
        Shape::Dialog => "dialog",
        Shape::Corner { is_left: true } => "corner-left",
        Shape::Corner { is_left: false } => "corner-right",
        Shape::Bar { is_top: true } => "top-bar",
        Shape::Bar { is_top: false } => "bottom-bar",
        Shape::Button => "button",
    }
}

/// JSON that is the same value in a script, wherever that script stands.
fn script_value(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            // These stand in JSON's strings only: an element's end, a comment's, and what old
            // engines take for the end of a line.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// The script without its comments and the space that only people need. It holds no comment but in
/// lines of its own, no template, and no space in a regular expression.
fn squeezed(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines.filter(|line| !line.starts_with("//")) {
        if !out.is_empty() && !out.ends_with([';', ',', '{', '(']) {
            out.push('\n');
        }
        squeeze_line(line, &mut out);
    }
    out
}

fn squeeze_line(line: &str, out: &mut String) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '"';
    let mut is_text = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' && !out.ends_with('\\') {
            is_text = !is_text;
        }
        let is_needed = out.ends_with(is_word) && chars.peek().copied().is_some_and(is_word);
        if c == ' ' && !is_text && !is_needed {
            continue;
        }
        out.push(c);
    }
}

fn squeezed_style(style: &str) -> String {
    style.lines().collect()
}

#[cfg(test)]
mod tests;
