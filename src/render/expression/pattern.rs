//! Patterns of an editor's replies.

use std::sync::Arc;

use regex::RegexBuilder;

use crate::model::pattern::Pattern;
use crate::render::expression::scan::{PATTERN_BYTES_MAX, reason};

/// Reads a regular expression, which is not told apart by case; matching takes time in proportion
/// to the text.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn pattern(text: &str) -> Result<Pattern, String> {
    let regex = RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| format!("is no pattern: {}", reason(&error)))?;
    Ok(Pattern::new(text, Arc::new(move |words| regex.is_match(words))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_in_any_case_and_mistakes_are_told() {
        let order = pattern(r"order\s+#?\d+").unwrap();
        assert!(order.fits("My ORDER #12?") && !order.fits("my order"));
        assert!(pattern("(a").unwrap_err().starts_with("is no pattern: "));
        assert!(pattern(r"(\w{1000}){1000}").is_err());
    }
}
