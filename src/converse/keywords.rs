//! An editor's answers to certain words.
//!
//! Words are compared without regard to case, accents and signs, and as wholes: "open" is in "When
//! do you OPEN?" and not in "opening". Commands come first: what is one is never looked up here.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::converse::words::{Choices, Saying};
use crate::model::pattern::Pattern;

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyword {
    /// Folded.
    when: Vec<String>,
    pattern: Option<Pattern>,
    pub say: Saying,
    pub buttons: Choices,
}

impl Keyword {
    /// The answer to texts that hold one of these words or phrases, or that the pattern fits.
    pub fn new(when: &[String], pattern: Option<Pattern>, say: Saying, buttons: Choices) -> Self {
        // Of words that are signs alone nothing is left; they would be in every text.
        let folded = when.iter().map(|words| fold(words)).filter(|words| words != " ");
        Self { when: folded.collect(), pattern, say, buttons }
    }
}

/// The place of the first that answers a text.
pub(super) fn first(replies: &[Keyword], text: &str) -> Option<usize> {
    if replies.is_empty() {
        return None;
    }
    let folded = fold(text);
    let is_held = |words: &String| folded.contains(words.as_str());
    let fits = |pattern: &Pattern| pattern.fits(text);
    replies
        .iter()
        .position(|it| it.when.iter().any(is_held) || it.pattern.as_ref().is_some_and(fits))
}

/// The words in lower case, without accents, with one space before, between and behind them. Where
/// a script has no spaces, each character is a word.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    let part = |folded: &mut String| {
        if !folded.ends_with(' ') {
            folded.push(' ');
        }
    };
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if !c.is_alphanumeric() {
            part(&mut folded);
        } else if has_no_spaces(c) {
            part(&mut folded);
            folded.push(c);
            folded.push(' ');
        } else {
            folded.push(c);
        }
    }
    part(&mut folded);
    folded
}

/// Thai, Lao, Burmese, Khmer, Japanese, Chinese.
fn has_no_spaces(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_wholes_whatever_their_case_and_accents() {
        for (when, text, is_answered) in [
            ("open", "When do you OPEN?", true),
            ("open", "opening", false),
            ("opening hours", "Opening  hours?!", true),
            ("opening hours", "opening of hours", false),
            ("preț", "ce PRET are", true),
            ("pret", "Preț?", true),
            ("größe", "Grosse", false),
            ("Straße", "STRASSE straße", true),
            ("l'heure", "à l’heure", true),
            ("中文", "我说中文吗", true),
            ("ราคา", "ราคาเท่าไหร่", true),
            ("c++", "I like C++", true),
            ("?", "what?", false),
            ("", "", false),
        ] {
            let said =
                Keyword::new(&[when.to_owned()], None, Saying::default(), Choices::default());
            assert_eq!(first(&[said], text).is_some(), is_answered, "{when} in {text}");
        }
    }

    #[test]
    fn the_first_that_fits_answers() {
        let keyword = |when: &[&str], pattern: Option<&str>| {
            let when: Vec<String> = when.iter().map(|word| (*word).to_owned()).collect();
            let pattern = pattern.map(Pattern::plain);
            Keyword::new(&when, pattern, Saying::default(), Choices::default())
        };
        let replies =
            [keyword(&["a", "b"], None), keyword(&[], Some("no. ")), keyword(&["b", "c"], None)];
        for (text, at) in
            [("b", Some(0)), ("c b", Some(0)), ("c", Some(2)), ("no. 7", Some(1)), ("d", None)]
        {
            assert_eq!(first(&replies, text), at, "{text}");
        }
    }
}
