//! What somebody may have meant by a word that is not known.

/// Longest word that is compared, in bytes.
const WORD_BYTES_MAX: usize = 64;
/// Most candidates that are compared: a hint is not worth more time.
const CANDIDATES_MAX: usize = 2_000;

/// The candidate that `word` differs from least, if it is near enough to be a slip: about one
/// edit in three characters, where an edit adds, drops or changes one character or swaps two
/// neighbours. Case does not count. Of equally near ones the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let edits_max = (word.len() + 1) / 3;
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= edits_max)
        .map(|candidate| {
            (distance(word.as_bytes(), candidate.to_lowercase().as_bytes()), candidate)
        })
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The hint that goes with an unknown word.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// Edits between two words (optimal string alignment). Bytes serve as characters: the words that
/// are compared here are ASCII but for slips.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = last.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let cases = [
            ("", "", 0),
            ("a", "", 1),
            ("abc", "abd", 1),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ];
        for (a, b, expected) in cases {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_a_near_candidate_is_suggested() {
        let known = ["url", "every", "cron", "timezone", "flood"];
        let cases = [
            ("evry", Some("every")),
            ("EVERY", Some("every")),
            ("time_zone", Some("timezone")),
            ("ulr", Some("url")),
            ("corn", Some("cron")),
            ("schedule", None),
            ("x", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"every".repeat(20), known), None);
    }
}
