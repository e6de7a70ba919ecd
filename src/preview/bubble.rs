//! One message on a phone, of whichever service: what a terminal shows of it.

use serde_json::Value;

use crate::render::preview::{BOLD, CODE, DIM, ITALIC, SPOILER, STRIKE, Span, UNDERLINE, visible};

/// What arrives as one.
#[derive(Default)]
pub(super) struct Bubble {
    /// Kind and address, above the text.
    pub files: Vec<(String, String)>,
    pub lines: Vec<Line>,
    /// A long message with headings and tables, as HTML.
    pub rich: Option<String>,
    pub cards: Vec<Card>,
    /// Rows of labels and what tapping them does.
    pub keys: Vec<Vec<(String, String)>>,
    pub replies: Vec<(String, String)>,
    pub notes: Vec<String>,
}

/// A line of text.
#[derive(Default)]
pub(super) struct Line {
    pub is_quote: bool,
    pub is_code: bool,
    pub spans: Vec<Span>,
}

/// One of several side by side.
pub(super) struct Card {
    pub title: String,
    pub subtitle: String,
    pub image: String,
    pub link: String,
    pub keys: Vec<(String, String)>,
}

/// The bubbles of a chat's history; the items of an album are one.
pub(super) fn bubbles(entries: &[Value]) -> Vec<Bubble> {
    let mut bubbles: Vec<Bubble> = Vec::new();
    let mut album = &Value::Null;
    for entry in entries {
        if entry["from"] == "page" {
            bubbles.push(of_messenger(entry));
            continue;
        }
        let bubble = of_telegram(entry);
        let is_next = entry["album"].is_string() && entry["album"] == *album;
        album = &entry["album"];
        match bubbles.last_mut().filter(|_| is_next) {
            Some(last) => {
                last.files.extend(bubble.files);
                last.lines.extend(bubble.lines);
            }
            None => bubbles.push(bubble),
        }
    }
    bubbles
}

fn of_telegram(entry: &Value) -> Bubble {
    let mut bubble = Bubble { rich: owned(&entry["rich"]), ..Bubble::default() };
    let preview = &entry["preview"];
    if let Some(url) = preview["url"].as_str() {
        let kind = if preview["show_above_text"] == true { "preview above" } else { "preview" };
        bubble.files.push((kind.to_owned(), url.to_owned()));
    }
    if let Some(address) = entry["media"]["address"].as_str() {
        let kind = match entry["media"]["kind"].as_str() {
            Some("photo") | None => "picture",
            Some("document") => "file",
            Some(kind) => kind,
        };
        bubble.files.push((kind.to_owned(), address.to_owned()));
    }
    bubble.lines = styled(text(&entry["text"]), list(&entry["entities"]));
    for row in list(&entry["keyboard"]) {
        bubble.keys.push(list(row).iter().map(telegram_key).collect());
    }
    bubble.notes = notes(entry);
    bubble
}

fn notes(entry: &Value) -> Vec<String> {
    let words = [("is_silent", "without a sound"), ("is_protected", "can't be forwarded")];
    let said = words.iter().filter(|(name, _)| entry[*name] == true);
    said.map(|(_, words)| (*words).to_owned()).collect()
}

fn telegram_key(key: &Value) -> (String, String) {
    let mut action = if let Some(url) = key["url"].as_str() {
        url.to_owned()
    } else if let Some(copied) = key["copy_text"]["text"].as_str() {
        format!("⧉ {copied}")
    } else {
        format!("↩ {}", text(&key["callback_data"]))
    };
    if let Some(style) = key["style"].as_str() {
        action.push_str(&format!(" ({style})"));
    }
    (text(&key["text"]).to_owned(), action)
}

fn of_messenger(entry: &Value) -> Bubble {
    let message = &entry["message"];
    let mut bubble = Bubble { notes: notes(entry), ..Bubble::default() };
    bubble.lines = styled(text(&message["text"]), &[]);
    let attachment = &message["attachment"];
    for file in list(&message["attachments"]).iter().chain([attachment]) {
        if let (Some(kind), Some(url)) = (file["type"].as_str(), file["payload"]["url"].as_str()) {
            let kind = if kind == "image" { "picture" } else { kind };
            bubble.files.push((kind.to_owned(), url.to_owned()));
        }
    }
    let payload = &attachment["payload"];
    match payload["template_type"].as_str() {
        Some("button") => {
            bubble.lines = styled(text(&payload["text"]), &[]);
            bubble.keys = list(&payload["buttons"]).iter().map(|it| vec![page_key(it)]).collect();
        }
        Some("image_grid") => {
            let grid = &payload["elements"][0];
            for image in list(&grid["images"]) {
                bubble.files.push(("picture".to_owned(), text(&image["url"]).to_owned()));
            }
            bubble.lines = styled(text(&grid["title"]), &[]);
            bubble.lines.iter_mut().flat_map(|line| &mut line.spans).for_each(|it| it.look = BOLD);
            bubble.lines.extend(styled(text(&grid["subtitle"]), &[]));
            bubble.keys = list(&grid["buttons"]).iter().map(|it| vec![page_key(it)]).collect();
        }
        Some("media") => {
            let element = &payload["elements"][0];
            let kind = if element["media_type"] == "image" { "picture" } else { "video" };
            bubble.files.push((kind.to_owned(), text(&element["url"]).to_owned()));
            bubble.keys = list(&element["buttons"]).iter().map(|it| vec![page_key(it)]).collect();
        }
        Some(_) => bubble.cards = list(&payload["elements"]).iter().map(card).collect(),
        None => {}
    }
    bubble.replies = list(&message["quick_replies"]).iter().map(page_key).collect();
    bubble
}

fn card(element: &Value) -> Card {
    Card {
        title: text(&element["title"]).to_owned(),
        subtitle: text(&element["subtitle"]).to_owned(),
        image: text(&element["image_url"]).to_owned(),
        link: text(&element["default_action"]["url"]).to_owned(),
        keys: list(&element["buttons"]).iter().map(page_key).collect(),
    }
}

fn page_key(key: &Value) -> (String, String) {
    let action = match key["url"].as_str() {
        Some(url) => url.to_owned(),
        None => format!("↩ {}", text(&key["payload"])),
    };
    (text(&key["title"]).to_owned(), action)
}

/// An entity: from, to (in UTF-16 units), and what it is.
struct Stretch<'a> {
    from: u64,
    to: u64,
    kind: &'a str,
    url: Option<&'a str>,
}

/// Text with entities as lines of spans; the addresses of links stand behind them.
fn styled(text: &str, entities: &[Value]) -> Vec<Line> {
    let stretches: Vec<Stretch<'_>> = entities
        .iter()
        .filter_map(|entity| {
            let from = entity["offset"].as_u64()?;
            let to = from.saturating_add(entity["length"].as_u64()?);
            Some(Stretch { from, to, kind: entity["type"].as_str()?, url: entity["url"].as_str() })
        })
        .collect();
    if text.is_empty() {
        return vec![];
    }
    let mut lines = vec![Line::default()];
    let mut covered = String::new();
    let mut at = 0;
    for c in text.chars() {
        let next = at + if c.len_utf16() == 2 { 2 } else { 1 };
        let over: Vec<&Stretch<'_>> =
            stretches.iter().filter(|it| it.from <= at && at < it.to).collect();
        let is_of = |kinds: &[&str]| over.iter().any(|it| kinds.contains(&it.kind));
        if let Some(line) = lines.last_mut() {
            line.is_quote |= is_of(&["blockquote", "expandable_blockquote"]);
            line.is_code |= is_of(&["pre"]);
            if c != '\n' {
                push(line, c, over.iter().fold(0, |look, it| look | look_of(it.kind)));
            }
        }
        let link = over.iter().find(|it| it.url.is_some());
        if let Some(link) = link {
            covered.push(c);
            if let Some(url) = link.url.filter(|_| link.to <= next) {
                if covered != url
                    && let Some(line) = lines.last_mut()
                {
                    line.spans.push(Span { text: format!(" ({})", visible(url)), look: DIM });
                }
                covered.clear();
            }
        }
        if c == '\n' {
            lines.push(Line::default());
        }
        at = next;
    }
    lines
}

fn push(line: &mut Line, c: char, look: u8) {
    if c.is_control() && c != '\t' {
        return;
    }
    let c = if c == '\t' { ' ' } else { c };
    match line.spans.last_mut().filter(|span| span.look == look) {
        Some(span) => span.text.push(c),
        None => line.spans.push(Span { text: c.to_string(), look }),
    }
}

fn look_of(kind: &str) -> u8 {
    match kind {
        "bold" => BOLD,
        "italic" => ITALIC,
        "underline" | "text_link" | "url" => UNDERLINE,
        "strikethrough" => STRIKE,
        "spoiler" => SPOILER,
        "code" | "pre" => CODE,
        _ => 0,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
