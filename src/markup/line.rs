//! One line in the making: runs of text, each with its style, nested when the line ends.

use std::rc::Rc;

use crate::markup::element::Mark;
use crate::markup::glyphs::{Filter, normal};
use crate::model::rich::Inline;

/// Most line breaks after each other.
const BREAKS_MAX: u8 = 2;

#[derive(Default)]
pub(super) struct Line {
    runs: Vec<Run>,
    filter: Filter,
    /// What parts the last run from what comes, if anything does.
    part: Option<Part>,
}

/// How a run looks.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// One bit for each [`Mark`].
    pub marks: u8,
    pub link: Option<Rc<str>>,
}

struct Run {
    style: Style,
    /// Empty in a line break.
    text: String,
}

struct Part {
    kind: PartKind,
    /// What all pieces of it have in common.
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PartKind {
    Gap,
    Cell,
    Breaks(u8),
}

/// The order of nesting.
#[derive(Clone, Copy)]
enum Level {
    Link,
    Mark(Mark),
}

impl Line {
    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Adds a character, folding white space; how many bytes it took.
    pub(super) fn push(&mut self, c: char, style: &Style) -> usize {
        match self.filter.admit(c) {
            None => 0,
            Some(c) if c.is_whitespace() => {
                self.part(PartKind::Gap, style);
                0
            }
            Some(c) => {
                self.close_part(style);
                self.run(style).push(c);
                c.len_utf8()
            }
        }
    }

    /// Adds a text; how many bytes it took.
    pub(super) fn push_str(&mut self, text: &str, style: &Style) -> usize {
        let mut rest = text;
        let mut taken = 0;
        while !rest.is_empty() {
            let length =
                rest.bytes().position(|byte| !byte.is_ascii_graphic()).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            if !word.is_empty() {
                self.close_part(style);
                self.run(style).push_str(word);
                self.filter.pass(word);
                taken += word.len();
            }
            let mut chars = behind.chars();
            if let Some(c) = chars.next() {
                taken += self.push(c, style);
            }
            rest = chars.as_str();
        }
        taken
    }

    /// Begins a cell of a table, parted from the one before if both have words.
    pub(super) fn cell(&mut self, style: &Style) {
        self.part(PartKind::Cell, style);
    }

    /// Begins a row of a table.
    pub(super) fn row(&mut self, style: &Style) {
        self.part(PartKind::Breaks(1), style);
    }

    pub(super) fn line_break(&mut self, style: &Style) {
        let breaks = match &self.part {
            Some(Part { kind: PartKind::Breaks(count), .. }) => count.saturating_add(1),
            _ => 1,
        };
        self.part(PartKind::Breaks(breaks.min(BREAKS_MAX)), style);
    }

    /// The finished line; empty when it has no words. What would part it from more is dropped.
    pub(super) fn into_content(mut self) -> Vec<Inline> {
        nest(&mut self.runs, Level::Link)
    }

    /// Takes note of what parts; the stronger wins. Nothing is to be parted before the first run.
    fn part(&mut self, kind: PartKind, style: &Style) {
        self.filter = Filter::default();
        if self.runs.is_empty() {
            return;
        }
        self.part = Some(match self.part.take() {
            Some(part) => {
                Part { kind: part.kind.max(kind), style: part.style.in_common_with(style) }
            }
            None => Part { kind, style: style.clone() },
        });
    }

    /// Writes what parts the last run from the next one, which has this style.
    fn close_part(&mut self, style: &Style) {
        let (Some(part), Some(last)) = (self.part.take(), self.runs.last()) else { return };
        let between = part.style.in_common_with(style).in_common_with(&last.style);
        match part.kind {
            PartKind::Gap => self.run(&between).push(' '),
            PartKind::Cell => self.run(&between).push_str(" | "),
            PartKind::Breaks(count) => {
                for _ in 0..count {
                    self.runs.push(Run { style: between.clone(), text: String::new() });
                }
            }
        }
    }

    /// The run to write to, which has this style.
    fn run(&mut self, style: &Style) -> &mut String {
        let goes_on = self.runs.last().is_some_and(|last| last.style == *style && !last.is_break());
        if !goes_on {
            self.runs.push(Run { style: style.clone(), text: String::new() });
        }
        let at = self.runs.len() - 1;
        &mut self.runs[at].text
    }
}

impl Run {
    fn is_break(&self) -> bool {
        self.text.is_empty()
    }
}

impl Style {
    fn has(&self, mark: Mark) -> bool {
        self.marks & (1 << mark as usize) != 0
    }

    fn in_common_with(&self, other: &Self) -> Self {
        let link = self.link.clone().filter(|link| other.link.as_ref() == Some(link));
        Self { marks: self.marks & other.marks, link }
    }
}

impl Level {
    fn below(self) -> Self {
        Self::Mark(match self {
            Self::Link => Mark::Spoiler,
            Self::Mark(Mark::Spoiler) => Mark::Bold,
            Self::Mark(Mark::Bold) => Mark::Italic,
            Self::Mark(Mark::Italic) => Mark::Underline,
            Self::Mark(Mark::Underline) => Mark::Strike,
            Self::Mark(Mark::Strike | Mark::Code) => Mark::Code,
        })
    }

    fn joins(self, one: &Style, other: &Style) -> bool {
        match self {
            Self::Link => one.link == other.link,
            Self::Mark(mark) => one.has(mark) == other.has(mark),
        }
    }
}

/// Makes a tree of the runs: neighbours that share a level's style come under one node.
fn nest(runs: &mut [Run], level: Level) -> Vec<Inline> {
    if let Level::Mark(Mark::Code) = level {
        return runs.iter_mut().map(leaf).collect();
    }
    let mut content = Vec::new();
    for group in runs.chunk_by_mut(|one, other| level.joins(&one.style, &other.style)) {
        let inner = nest(group, level.below());
        let Some(Run { style, .. }) = group.first() else { continue };
        match (level, &style.link) {
            (Level::Link, Some(href)) => {
                content.push(Inline::Link { href: href.to_string(), content: inner });
            }
            (Level::Mark(mark), _) if style.has(mark) => content.push(marked(mark, inner)),
            _ => content.extend(inner),
        }
    }
    content
}

fn marked(mark: Mark, content: Vec<Inline>) -> Inline {
    match mark {
        Mark::Spoiler => Inline::Spoiler(content),
        Mark::Bold => Inline::Bold(content),
        Mark::Italic => Inline::Italic(content),
        Mark::Underline => Inline::Underline(content),
        // Code is the level of the leaves and never comes here.
        Mark::Strike | Mark::Code => Inline::Strike(content),
    }
}

fn leaf(run: &mut Run) -> Inline {
    let text = normal(std::mem::take(&mut run.text));
    match run.style.has(Mark::Code) {
        _ if text.is_empty() => Inline::Break,
        true => Inline::Code(text),
        false => Inline::Text(text),
    }
}
