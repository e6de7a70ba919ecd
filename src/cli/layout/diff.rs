//! The lines that differ between two texts, as `diff -u` shows them.

/// Lines around a change.
const AROUND: usize = 3;

/// Most lines of either text that are compared; longer ones are only said to differ.
const LINES_MAX: usize = 4_000;

/// One line of either text or of both.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// A unified diff from `old` to `new`; empty when they are equal.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let head = format!("--- {name}\n+++ {name} (now)\n");
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if before.len().max(after.len()) > LINES_MAX {
        return format!("{head}@@ the texts are too long to compare line by line @@\n");
    }
    let lines = lines(&before, &after);
    let is_change = |line: &Line<'_>| !matches!(line, Line::Both(_));
    let mut out = head;
    let mut at = 0;
    while let Some(found) = lines[at..].iter().position(is_change) {
        let start = (at + found).saturating_sub(AROUND).max(at);
        let mut end = at + found + 1;
        // Changes near to each other stand in one piece.
        while let Some(next) = lines[end..].iter().take(2 * AROUND).position(is_change) {
            end += next + 1;
        }
        end = (end + AROUND).min(lines.len());
        hunk(&lines, start, end, &mut out);
        at = end;
    }
    out
}

fn hunk(lines: &[Line<'_>], start: usize, end: usize, out: &mut String) {
    let count = |lines: &[Line<'_>], is_new: bool| {
        let counts = |line: &&Line<'_>| match line {
            Line::Both(_) => true,
            Line::Old(_) => !is_new,
            Line::New(_) => is_new,
        };
        lines.iter().filter(counts).count()
    };
    let (before, piece) = (&lines[..start], &lines[start..end]);
    out.push_str(&format!(
        "@@ -{},{} +{},{} @@\n",
        count(before, false) + 1,
        count(piece, false),
        count(before, true) + 1,
        count(piece, true),
    ));
    for line in piece {
        let (sign, text) = match line {
            Line::Both(text) => (' ', text),
            Line::Old(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(sign);
        out.push_str(text);
        out.push('\n');
    }
}

/// By the longest common subsequence, after what is equal at both ends was put aside.
fn lines<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let same = |(old, new): &(&&str, &&str)| old == new;
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(same).count();
    let (old_mid, new_mid) =
        (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let width = new_mid.len() + 1;
    // Lengths of what is common from each pair of places on.
    let mut common = vec![0_u16; (old_mid.len() + 1) * width];
    for i in (0..old_mid.len()).rev() {
        for j in (0..new_mid.len()).rev() {
            common[i * width + j] = if old_mid[i] == new_mid[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut out: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Both(line)).collect();
    let (mut i, mut j) = (0, 0);
    while i < old_mid.len() || j < new_mid.len() {
        if i < old_mid.len() && j < new_mid.len() && old_mid[i] == new_mid[j] {
            out.push(Line::Both(old_mid[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new_mid.len()
            || (i < old_mid.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            out.push(Line::Old(old_mid[i]));
            i += 1;
        } else {
            out.push(Line::New(new_mid[j]));
            j += 1;
        }
    }
    out.extend(old_rest[old_rest.len() - tail..].iter().map(|line| Line::Both(line)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_what_is_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n";
        let expected = "--- x\n+++ x (now)\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n\
                        @@ -14,3 +14,4 @@\n 14\n 15\n 16\n+17\n";
        assert_eq!(unified("x", old, new), expected);
        assert_eq!(unified("x", old, old), "");
        assert_eq!(unified("x", "", "a\n"), "--- x\n+++ x (now)\n@@ -1,0 +1,1 @@\n+a\n");
        assert_eq!(unified("x", "a\nb\n", "b\n"), "--- x\n+++ x (now)\n@@ -1,2 +1,1 @@\n-a\n b\n");
    }

    #[test]
    fn every_line_of_both_is_shown() {
        let (old, new) = (["a", "b", "c", "d"], ["b", "x", "d", "y"]);
        let found = lines(&old, &new);
        let side = |is_new: bool| {
            let of = |line: &Line<'static>| match *line {
                Line::Both(text) => Some(text),
                Line::Old(text) => (!is_new).then_some(text),
                Line::New(text) => is_new.then_some(text),
            };
            found.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert_eq!((side(false), side(true)), (old.to_vec(), new.to_vec()));
    }
}
