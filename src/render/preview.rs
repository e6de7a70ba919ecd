//! A message in the terminal, about as a channel shows it.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::message::{Action, Button, Card, Message, Module};
use crate::model::rich::{Block, Inline};

/// Narrowest width that is kept to, in columns.
const WIDTH_MIN: usize = 20;

/// The message in lines of at most `width` columns (addresses may be longer): text with its
/// styles if `colour` is set, pictures by their address, buttons in boxes. Ends with a line feed
/// unless the message is empty. No control character of the message reaches the terminal.
pub fn preview(message: &Message, width: usize, colour: bool) -> String {
    let mut page = Sheet::new(width, colour);
    for (at, module) in message.modules.iter().enumerate() {
        if at > 0 {
            page.out.push('\n');
        }
        match module {
            Module::Text { text, buttons } => {
                page.blocks(&text.blocks, &Indent::default(), Spacing::Loose);
                page.buttons(buttons);
            }
            Module::Media(medium) => page.image(&medium.url, &medium.alt),
            Module::Album(media) => {
                media.iter().for_each(|medium| page.image(&medium.url, &medium.alt));
            }
            Module::Cards(cards) => cards.iter().for_each(|card| page.card(card)),
        }
    }
    page.into_text()
}

/// Lines for a terminal, one below the other.
pub(crate) struct Sheet {
    out: String,
    width: usize,
    colour: bool,
}

/// What stands before the lines of a block.
#[derive(Clone, Default)]
pub(crate) struct Indent {
    pub(crate) first: String,
    pub(crate) further: String,
}

/// Whether a blank line parts blocks; in lists none does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    Loose,
    Tight,
}

/// A piece of text and how it looks.
pub(crate) struct Span {
    /// Without control characters; `\n` is a line break.
    pub(crate) text: String,
    /// Bits of the constants below.
    pub(crate) look: u8,
}

pub(crate) const BOLD: u8 = 1;
pub(crate) const ITALIC: u8 = 1 << 1;
pub(crate) const UNDERLINE: u8 = 1 << 2;
pub(crate) const STRIKE: u8 = 1 << 3;
pub(crate) const SPOILER: u8 = 1 << 4;
pub(crate) const CODE: u8 = 1 << 5;
pub(crate) const DIM: u8 = 1 << 6;

/// The terminal's codes (ECMA-48, SGR) for each bit of a look.
const CODES: [(u8, &str); 7] = [
    (BOLD, "1"),
    (ITALIC, "3"),
    (UNDERLINE, "4"),
    (STRIKE, "9"),
    (SPOILER, "7"),
    (CODE, "36"),
    (DIM, "2"),
];

impl Sheet {
    pub(crate) fn new(width: usize, colour: bool) -> Self {
        Self { out: String::new(), width: width.max(WIDTH_MIN), colour }
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }

    pub(crate) fn blocks(&mut self, blocks: &[Block], indent: &Indent, spacing: Spacing) {
        for (at, block) in blocks.iter().enumerate() {
            if at > 0 && spacing == Spacing::Loose {
                self.line(&indent.further);
            }
            let further = Indent { first: indent.further.clone(), further: indent.further.clone() };
            let indent = if at == 0 { indent } else { &further };
            match block {
                Block::Paragraph(content) => self.wrap(&spans(content, 0), indent),
                Block::Heading { content, .. } => self.wrap(&spans(content, BOLD), indent),
                Block::List { start, items } => self.list(*start, items, indent),
                Block::Quote { blocks: inner, .. } => {
                    let first = format!("{}▏ ", indent.first);
                    let further = format!("{}▏ ", indent.further);
                    self.blocks(inner, &Indent { first, further }, spacing);
                }
                Block::Code { text, .. } => {
                    for (at, line) in text.lines().enumerate() {
                        let before = if at == 0 { &indent.first } else { &indent.further };
                        let code = self.painted(&visible(line), CODE);
                        self.line(&format!("{before}{code}"));
                    }
                }
                Block::Table { rows, .. } => {
                    for row in rows {
                        for cell in row {
                            self.wrap(&spans(cell, 0), indent);
                        }
                    }
                }
                Block::Rule => self.line(&format!("{}———", indent.first)),
            }
        }
    }

    fn list(&mut self, start: Option<u32>, items: &[Vec<Block>], indent: &Indent) {
        for (at, item) in (0u32..).zip(items) {
            let bullet = match start {
                Some(first) => format!("{}. ", first.saturating_add(at)),
                None => "• ".to_owned(),
            };
            let before = if at == 0 { &indent.first } else { &indent.further };
            let first = format!("{before}{bullet}");
            let further = format!("{}{}", indent.further, " ".repeat(columns(&bullet)));
            self.blocks(item, &Indent { first, further }, Spacing::Tight);
        }
    }

    fn image(&mut self, url: &str, alt: &str) {
        let named = if alt.is_empty() { "[picture]" } else { &format!("[picture: {alt}]") };
        let named = Span { text: visible(named), look: DIM };
        self.wrap(&[named], &Indent::default());
        self.line(&visible(url));
    }

    fn buttons(&mut self, buttons: &[Button]) {
        for button in buttons {
            let action = match &button.action {
                Action::Open { url } => url.clone(),
                Action::Copy { text } => format!("⧉ {text}"),
                Action::Postback { payload } => format!("↩ {payload}"),
            };
            self.boxes(&[(&button.label, action)]);
        }
    }

    /// Boxes side by side, with what each does behind them.
    pub(crate) fn boxes(&mut self, row: &[(&str, String)]) {
        let labels: Vec<String> = row.iter().map(|(it, _)| format!(" {} ", visible(it))).collect();
        let edges = |left: &str, right: &str| {
            let edge = |label: &String| format!("{left}{}{right}", "─".repeat(columns(label)));
            labels.iter().map(edge).collect::<Vec<_>>().join(" ")
        };
        let shown: Vec<String> =
            labels.iter().map(|label| format!("│{}│", self.painted(label, BOLD))).collect();
        let actions: Vec<String> = row.iter().map(|(_, action)| visible(action)).collect();
        let actions = self.painted(&actions.join("  "), DIM);
        self.line(&edges("╭", "╮"));
        self.line(&format!("{} {actions}", shown.join(" ")));
        self.line(&edges("╰", "╯"));
    }

    /// A line over the whole width, with words in it.
    pub(crate) fn rule(&mut self, words: &str) {
        let rest = self.width.saturating_sub(columns(words) + 4);
        let rule = self.painted(&format!("┈┈ {words} {}", "┈".repeat(rest)), DIM);
        self.line(&rule);
    }

    /// Text in a frame that is open to the right: a card.
    pub(crate) fn framed(&mut self, lines: &[Span]) {
        let indent = Indent { first: "│ ".to_owned(), further: "│ ".to_owned() };
        self.line(&format!("╭{}", "─".repeat(self.width / 2)));
        for line in lines.iter().filter(|line| !line.text.is_empty()) {
            self.wrap(std::slice::from_ref(line), &indent);
        }
        self.line(&format!("╰{}", "─".repeat(self.width / 2)));
    }

    fn card(&mut self, card: &Card) {
        let line = |text: Option<&str>, look| Span { text: visible(text.unwrap_or("")), look };
        self.framed(&[
            line(Some(&card.title), BOLD),
            line(Some(&card.subtitle), 0),
            line(card.image.as_deref(), DIM),
            line(card.link.as_deref(), DIM),
        ]);
        self.buttons(&card.buttons);
    }

    /// Writes spans as lines, broken between words where they get too long.
    pub(crate) fn wrap(&mut self, spans: &[Span], indent: &Indent) {
        let mut line = indent.first.clone();
        let mut used = columns(&line);
        let mut is_fresh = true;
        for span in spans {
            for word in span.text.split_word_bounds() {
                let is_break = word == "\n";
                let room = self.width.saturating_sub(used);
                if is_break || (columns(word) > room && !is_fresh && !word.trim().is_empty()) {
                    let full = std::mem::replace(&mut line, indent.further.clone());
                    self.line(&full);
                    used = columns(&line);
                    is_fresh = true;
                }
                if is_break || (is_fresh && word.trim().is_empty()) {
                    continue;
                }
                line.push_str(&self.painted(word, span.look));
                used += columns(word);
                is_fresh = false;
            }
        }
        self.line(&line);
    }

    pub(crate) fn painted(&self, text: &str, look: u8) -> String {
        if !self.colour || look == 0 {
            return text.to_owned();
        }
        let codes: Vec<_> =
            CODES.iter().filter(|(bit, _)| look & bit != 0).map(|&(_, code)| code).collect();
        format!("\u{1b}[{}m{text}\u{1b}[0m", codes.join(";"))
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }
}

/// A line's content with the addresses of its links behind them.
fn spans(content: &[Inline], look: u8) -> Vec<Span> {
    let mut out = Vec::new();
    for inline in content {
        match inline {
            Inline::Text(text) => out.push(Span { text: visible(text), look }),
            Inline::Code(text) => out.push(Span { text: visible(text), look: look | CODE }),
            Inline::Break => out.push(Span { text: "\n".to_owned(), look }),
            Inline::Bold(inner) => out.extend(spans(inner, look | BOLD)),
            Inline::Italic(inner) => out.extend(spans(inner, look | ITALIC)),
            Inline::Underline(inner) => out.extend(spans(inner, look | UNDERLINE)),
            Inline::Strike(inner) => out.extend(spans(inner, look | STRIKE)),
            Inline::Spoiler(inner) => out.extend(spans(inner, look | SPOILER)),
            Inline::Link { href, content } => {
                let inner = spans(content, look | UNDERLINE);
                let shows_address = inner.iter().map(|it| it.text.as_str()).collect::<String>();
                let shows_address = shows_address == *href;
                out.extend(inner);
                if !shows_address {
                    out.push(Span { text: format!(" ({})", visible(href)), look: DIM });
                }
            }
        }
    }
    out
}

/// Without what could steer a terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// Columns that a text takes: two for the wide characters of East Asia and emoji.
fn columns(text: &str) -> usize {
    let wide = |grapheme: &str| {
        grapheme.contains('\u{fe0f}')
            || grapheme.starts_with(|c| {
                matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}'
                    | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}'
                    | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
                    | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
            })
    };
    text.graphemes(true).map(|grapheme| 1 + usize::from(wide(grapheme))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::item::Item;
    use crate::model::name::Name;
    use crate::render::cards::cards;
    use crate::render::layout::Scene;
    use crate::render::message::read;
    use crate::render::sample::sample;

    fn told(html: &str, width: usize) -> String {
        preview(&read(html).0, width, false)
    }

    #[test]
    fn a_message_is_shown_as_it_will_look() {
        let html = "<img src=https://example.com/a.png alt=A><h1>Title</h1><p>One <a \
                    href=https://example.com/>link</a> and words that go on.</p><ol start=9><li>x\
                    <li>y<ul><li>z</ul></ol><blockquote>q<p>r</blockquote><pre>a\n  b</pre>\
                    <button href=https://example.com/1>Read more</button><button postback=no>No\
                    </button>";
        let expected = "\
[picture: A]
https://example.com/a.png

Title

One link (https://example.com/)
and words that go on.

9. x
10. y
    • z

▏ q
▏
▏ r

a
  b
╭───────────╮
│ Read more │ https://example.com/1
╰───────────╯
╭────╮
│ No │ ↩ no
╰────╯
";
        assert_eq!(told(html, 32), expected);
    }

    #[test]
    fn styles_are_shown_in_colour_only() {
        let message = read("a <b>b <i>c</i></b>").0;
        assert_eq!(preview(&message, 40, false), "a b c\n");
        let coloured = preview(&message, 40, true);
        assert!(coloured.contains("\u{1b}[1mb\u{1b}[0m") && coloured.contains("\u{1b}[1;3mc"));
    }

    #[test]
    fn lines_keep_to_the_width() {
        for html in ["word ".repeat(40), "漢字".repeat(40), "a <b>b</b> 👩 ".repeat(30)] {
            let lines = told(&html, 24);
            assert!(lines.lines().all(|line| columns(line) <= 24), "{lines}");
            assert!(lines.lines().count() > 3);
        }
    }

    #[test]
    fn sec_c06_nothing_steers_the_terminal() {
        let message = Message::from_plain("a\u{1b}]0;x\u{7}b\u{9b}c");
        assert_eq!(preview(&message, 40, false), "a]0;xbc\n");
    }

    #[test]
    fn cards_are_shown_one_below_the_other() {
        let name = Name::parse("example").unwrap();
        let item = Item { offer: None, ..sample(&name) };
        let scene = Scene { campaign: &name, told: &[], now: item.first_seen };
        let message = Message::from(vec![Module::Cards(cards(&[item], &scene))]);
        let shown = preview(&message, 60, false);
        assert!(shown.contains("│ A title with <angles> & an ampersand\n│ The first words"));
        assert_eq!(preview(&Message::default(), 60, true), "");
    }
}
