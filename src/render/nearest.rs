//! What somebody meant who wrote a name that is not there.

/// The known name that `name` was probably meant to be: one that it begins, or one of which at
/// most a third differs.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let is_beginning = |one: &&str| name.len() >= 3 && one.starts_with(name);
    if let Some(whole) = known.iter().copied().find(is_beginning) {
        return Some(whole);
    }
    let best = known.iter().copied().min_by_key(|one| steps_between(name, one))?;
    (steps_between(name, best) <= (name.chars().count() / 3).max(1)).then_some(best)
}

/// How many characters must be added, taken, changed or swapped with their neighbour (optimal
/// string alignment).
fn steps_between(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, c) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, d) in other.iter().enumerate() {
            let changed = rows[i][j] + usize::from(c != d);
            let mut steps = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && one[i - 1] == *d && *c == other[j - 1] {
                steps = steps.min(rows[i - 1][j - 1] + 1);
            }
            row.push(steps);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["title", "link", "summary", "tags"];
        let cases = [
            ("tite", Some("title")),
            ("titel", Some("title")),
            ("sum", Some("summary")),
            ("su", None),
            ("sumary", Some("summary")),
            ("lnk", Some("link")),
            ("price", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
