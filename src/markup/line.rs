//! One line in the making: runs of text, each with its style, nested when the line ends.

use std::rc::Rc;

use crate::markup::element::Mark;
use crate::markup::glyphs::{Filter, normal, tidy_prefix};
use crate::model::rich::Inline;

/// Most line breaks after each other.
const BREAKS_MAX: u8 = 2;

/// What a new run has room for beyond its first words: a blank mostly follows.
const RUN_SPARE: usize = 4;

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
                self.run(style, 0).push(c);
                c.len_utf8()
            }
        }
    }

    /// Adds a text; how many bytes it took.
    pub(super) fn push_str(&mut self, text: &str, style: &Style) -> usize {
        let mut rest = text;
        let mut taken = 0;
        while !rest.is_empty() {
            // Single blanks between words are the same gap as any other within one style.
            let (words, behind) = rest.split_at(tidy_prefix(rest));
            if !words.is_empty() {
                self.close_part(style);
                self.run(style, words.len()).push_str(words);
                self.filter.pass(words);
                taken += words.len();
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

    /// The finished line; empty when it has no words. What would part it from more is dropped, and
    /// another line begins.
    pub(super) fn take_content(&mut self) -> Vec<Inline> {
        (self.filter, self.part) = (Filter::default(), None);
        let mut content = Vec::with_capacity(self.runs.len());
        nest(&mut self.runs, Level::Link, &mut content);
        self.runs.clear();
        content
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
            PartKind::Gap => self.run(&between, 0).push(' '),
            PartKind::Cell => self.run(&between, 0).push_str(" | "),
            PartKind::Breaks(count) => {
                for _ in 0..count {
                    self.runs.push(Run { style: between.clone(), text: String::new() });
                }
            }
        }
    }

    /// The run to write to, which has this style; a new one has room for so many bytes and a little.
    fn run(&mut self, style: &Style, bytes: usize) -> &mut String {
        let goes_on = self.runs.last().is_some_and(|last| last.style == *style && !last.is_break());
        if !goes_on {
            let text = String::with_capacity(bytes + RUN_SPARE);
            self.runs.push(Run { style: style.clone(), text });
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
    /// The next one inwards; `None` below the level of the leaves.
    fn below(self) -> Option<Self> {
        Some(Self::Mark(match self {
            Self::Link => Mark::Spoiler,
            Self::Mark(Mark::Spoiler) => Mark::Bold,
            Self::Mark(Mark::Bold) => Mark::Italic,
            Self::Mark(Mark::Italic) => Mark::Underline,
            Self::Mark(Mark::Underline) => Mark::Strike,
            Self::Mark(Mark::Strike) => Mark::Code,
            Self::Mark(Mark::Code) => return None,
        }))
    }

    /// Whether the style has what makes a node at this level.
    fn is_in(self, style: &Style) -> bool {
        match self {
            Self::Link => style.link.is_some(),
            Self::Mark(mark) => style.has(mark),
        }
    }

    fn joins(self, one: &Style, other: &Style) -> bool {
        match self {
            Self::Link => one.link == other.link,
            Self::Mark(mark) => one.has(mark) == other.has(mark),
        }
    }
}

/// Makes a tree of the runs: neighbours that share a level's style come under one node.
fn nest(runs: &mut [Run], mut level: Level, content: &mut Vec<Inline>) {
    // Most lines have no style but a few: a level that none of the runs has is no level.
    while runs.iter().all(|run| !level.is_in(&run.style)) {
        match level.below() {
            Some(below) => level = below,
            None => break,
        }
    }
    let Some(below) = level.below() else {
        content.extend(runs.iter_mut().map(leaf));
        return;
    };
    for group in runs.chunk_by_mut(|one, other| level.joins(&one.style, &other.style)) {
        let Some(style) = group.first().map(|run| run.style.clone()) else { continue };
        if !level.is_in(&style) {
            nest(group, below, content);
            continue;
        }
        let mut inner = Vec::with_capacity(group.len());
        nest(group, below, &mut inner);
        content.push(match (level, style.link) {
            (Level::Mark(mark), _) => marked(mark, inner),
            (Level::Link, href) => {
                let href = href.map_or_else(String::new, |href| href.to_string());
                Inline::Link { href, content: inner }
            }
        });
    }
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
