//! Messages in a terminal.

use crate::markup::{self, Scanner, Token};
use crate::model::time::Timestamp;
use crate::preview::bubble::{Bubble, Card, bubbles};
use crate::preview::entries::entries;
use crate::preview::{Facts, Shown};
use crate::render::preview::{BOLD, CODE, DIM, Indent, Sheet, Spacing, Span, visible};

/// The messages in lines of at most `width` columns (addresses may be longer), one below the other
/// and parted by a rule with their number: text with its styles if `colour` is set, files by what
/// is known of them and their address, buttons in boxes. Ends with a line feed unless nothing is
/// sent. No control character reaches the terminal.
pub fn text(shown: &Shown, width: usize, colour: bool) -> String {
    let bubbles = bubbles(&entries(shown.kind, &shown.calls, Timestamp::from_millis(0)));
    let mut sheet = Sheet::new(width, colour);
    for (at, bubble) in bubbles.iter().enumerate() {
        if bubbles.len() > 1 {
            sheet.rule(&format!("message {} of {}", at + 1, bubbles.len()));
        }
        draw(&mut sheet, bubble, &shown.facts);
    }
    sheet.into_text()
}

fn draw(sheet: &mut Sheet, bubble: &Bubble, facts: &Facts) {
    let in_rich = bubble.rich.as_deref().map(files_in).unwrap_or_default();
    for (kind, url) in bubble.files.iter().chain(&in_rich) {
        let words = facts.words(url).map(|words| format!(": {words}")).unwrap_or_default();
        let text = visible(&format!("[{kind}{words}]"));
        sheet.wrap(&[Span { text, look: DIM }], &Indent::default());
        sheet.line(&visible(url));
    }
    if !bubble.files.is_empty() && !bubble.lines.is_empty() {
        sheet.line("");
    }
    for line in &bubble.lines {
        let edge = if line.is_quote { "▏ " } else { "" };
        if line.is_code {
            // Its spaces matter: it is not broken anew.
            let code: String = line.spans.iter().map(|span| span.text.as_str()).collect();
            let code = sheet.painted(&code, CODE);
            sheet.line(&format!("{edge}{code}"));
        } else {
            let indent = Indent { first: edge.to_owned(), further: edge.to_owned() };
            sheet.wrap(&line.spans, &indent);
        }
    }
    if let Some(html) = &bubble.rich {
        let rich = markup::rich(html, None);
        sheet.blocks(&rich.blocks, &Indent::default(), Spacing::Loose);
    }
    bubble.cards.iter().for_each(|card| draw_card(sheet, card, facts));
    for row in &bubble.keys {
        boxes(sheet, row);
    }
    if !bubble.replies.is_empty() {
        let labels: Vec<String> =
            bubble.replies.iter().map(|(label, _)| format!("( {} )", visible(label))).collect();
        sheet.wrap(&[Span { text: labels.join("  "), look: BOLD }], &Indent::default());
    }
    if !bubble.notes.is_empty() {
        let notes = sheet.painted(&format!("({})", bubble.notes.join(", ")), DIM);
        sheet.line(&notes);
    }
}

/// Kind and address of the files that stand between the texts of a rich message.
fn files_in(html: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let scanner = Scanner::new(html);
    for token in scanner {
        let Token::Open(tag) = token else { continue };
        let kind = match tag.name {
            "img" => "picture",
            "video" | "audio" => tag.name,
            _ => continue,
        };
        if let Some(url) = tag.attribute("src") {
            files.push((kind.to_owned(), url.into_owned()));
        }
    }
    files
}

fn draw_card(sheet: &mut Sheet, card: &Card, facts: &Facts) {
    let line = |text: &str, look| Span { text: visible(text), look };
    let picture = facts.words(&card.image).map(|words| format!("[picture: {words}]"));
    sheet.framed(&[
        line(&card.title, BOLD),
        line(&card.subtitle, 0),
        line(&picture.unwrap_or_default(), DIM),
        line(&card.image, DIM),
        line(&card.link, DIM),
    ]);
    card.keys.iter().for_each(|key| boxes(sheet, std::slice::from_ref(key)));
}

fn boxes(sheet: &mut Sheet, row: &[(String, String)]) {
    let row: Vec<(&str, String)> =
        row.iter().map(|(label, action)| (label.as_str(), action.clone())).collect();
    sheet.boxes(&row);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::channel::ChannelKind;
    use crate::model::message::{Action, Button, Medium, Message, Module};

    fn told(kind: ChannelKind, message: &Message) -> String {
        text(&Shown::of(kind, message, &[]), 40, false)
    }

    fn message() -> Message {
        let html = "<p><b>Title</b></p><p>A <a href=https://example.com/>link</a>.</p>\
                    <blockquote>quoted</blockquote>";
        let url = "https://example.com/read".to_owned();
        let buttons = vec![Button::new("Read", Action::Open { url })];
        let picture = Medium::image("https://example.com/a.png", "A bay");
        let text = markup::rich(html, None);
        Message::from(vec![Module::Media(picture), Module::Text { text, buttons }])
    }

    #[test]
    fn a_message_is_shown_as_each_channel_sends_it() {
        let telegram = "\
[picture: A bay]
https://example.com/a.png

Title

A link (https://example.com/).

▏ quoted
╭──────╮
│ Read │ https://example.com/read
╰──────╯
";
        assert_eq!(told(ChannelKind::Telegram, &message()), telegram);
        let messenger = told(ChannelKind::Messenger, &message());
        assert!(messenger.contains("│ Title\n│ A link. quoted\n"), "{messenger}");
        assert!(messenger.contains("│ Read │ https://example.com/read"), "{messenger}");
    }

    #[test]
    fn cuts_are_seen() {
        let message = Message::from_plain(&"word ".repeat(1000));
        let shown = told(ChannelKind::Messenger, &message);
        assert!(shown.starts_with("┈┈ message 1 of 3 ┈"), "{shown}");
        assert_eq!(told(ChannelKind::Telegram, &message).matches("┈┈ message").count(), 2);
    }

    #[test]
    fn styles_are_shown_in_colour_only() {
        let bold = text(&Shown::of(ChannelKind::Telegram, &message(), &[]), 40, true);
        assert!(bold.contains("\u{1b}[1mTitle\u{1b}[0m"), "{bold}");
    }

    #[test]
    fn sec_c06_nothing_steers_the_terminal() {
        let message = Message::from_plain("a\u{1b}]0;x\u{7}b\u{9b}c");
        for kind in [ChannelKind::Telegram, ChannelKind::Messenger] {
            assert_eq!(told(kind, &message), "a]0;xbc\n");
        }
    }
}
