//! What the Bot API takes as a rich message: its HTML, read only far enough to refuse it.
//!
//! `markdown` and `blocks` are not known here. Pictures stand at addresses or come in `media`.

use serde_json::{Value, json};
use url::Url;

use crate::sandbox::params::Params;
use crate::sandbox::telegram::Inner;
use crate::sandbox::telegram::files::{FileKind, WRONG_ID, json_file};

/// Longest text, in characters.
pub const CHARS_MAX: usize = 32_768;
/// Most blocks.
pub const BLOCKS_MAX: usize = 500;
/// Deepest nesting of elements.
pub const DEPTH_MAX: usize = 16;
/// Most columns of a table.
pub const COLUMNS_MAX: usize = 20;
/// Most pictures, videos and sounds.
pub const MEDIA_MAX: usize = 50;

/// Elements that stand within a line.
const INLINE: [&str; 24] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "span",
    "tg-spoiler",
    "tg-emoji",
    "tg-time",
    "tg-math",
    "tg-reference",
    "tg-button",
    "a",
    "code",
    "mark",
    "sub",
    "sup",
    "br",
    "cite",
    "summary",
];

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 26] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "hr",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "th",
    "caption",
    "blockquote",
    "aside",
    "details",
    "figure",
    "figcaption",
    "footer",
    "pre",
    "tg-collage",
    "tg-slideshow",
    "tg-math-block",
];

const MEDIA: [&str; 4] = ["img", "video", "audio", "tg-map"];

const VOID: [&str; 4] = ["br", "hr", "img", "tg-map"];

impl Inner {
    /// Checks a `rich_message`, and has its pictures: they stand behind it as blocks, and at
    /// addresses in its HTML.
    pub(super) async fn read_rich(&self, params: &Params) -> Result<Value, String> {
        let mut message = check(params.object("rich_message"))?;
        let mut html = message["html"].as_str().unwrap_or_default().to_owned();
        let mut blocks = Vec::new();
        for written in sources(&html) {
            let src = written.replace("&amp;", "&");
            let given = match src.strip_prefix("tg://photo?id=") {
                None => src.clone(),
                Some(id) => {
                    let media = message["media"].as_array().into_iter().flatten();
                    let named = media.filter(|item| item["id"] == id).map(|item| &item["media"]);
                    let mut photos = named.filter(|item| item["type"] == "photo");
                    let photo = photos.next().and_then(|item| item["media"].as_str());
                    photo.ok_or(WRONG_ID)?.to_owned()
                }
            };
            let file = self.resolve(FileKind::Photo, "", Some(&given), params).await?;
            if given != src {
                html = with_source(&html, &written, &file.address);
            }
            blocks.push(json!({ "type": "photo", "photo": json_file(&file) }));
        }
        message["html"] = json!(html);
        if !blocks.is_empty() {
            message["blocks"] = json!(blocks);
        }
        if let Some(fields) = message.as_object_mut() {
            fields.remove("media");
        }
        Ok(message)
    }
}

/// What the pictures of the HTML are called there, as it is written.
fn sources(html: &str) -> Vec<String> {
    let images = html.split("<img ").skip(1);
    let src = |image: &str| {
        let (_, rest) = image.split_once("src=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    images.filter_map(src).collect()
}

/// The HTML with another address for the pictures that are called so, and for no others.
fn with_source(html: &str, written: &str, address: &str) -> String {
    let address = address.replace('&', "&amp;");
    html.replace(&format!("src=\"{written}\""), &format!("src=\"{address}\""))
}

/// Checks a `rich_message`.
fn check(message: Option<Result<Value, ()>>) -> Result<Value, String> {
    let message = message.ok_or("parameter \"rich_message\" is required")?;
    let message = message.map_err(|()| "can't parse InputRichMessage: expected an Object")?;
    let object = message.as_object().ok_or("can't parse InputRichMessage: expected an Object")?;
    let given = ["html", "markdown", "blocks"].iter().filter(|name| object.contains_key(**name));
    if given.count() != 1 {
        return Err("can't parse InputRichMessage: exactly one content must be specified".into());
    }
    let html = object.get("html").and_then(Value::as_str);
    check_html(html.ok_or("can't parse InputRichMessage: only \"html\" is known here")?)?;
    Ok(message)
}

fn check_html(html: &str) -> Result<(), String> {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.text(&rest[..at]);
        let offset = html.len() - rest.len() + at;
        let end = tag_end(&rest[at..])
            .ok_or_else(|| wrong(&format!("Unclosed start tag at byte offset {offset}")))?;
        reader.tag(&rest[at + 1..at + end - 1], offset)?;
        rest = &rest[at + end..];
    }
    reader.text(rest);
    reader.finish()
}

/// The length of the tag that the text begins with.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Reader {
    open: Vec<String>,
    /// Cells of each row that is open.
    cells: Vec<usize>,
    chars: usize,
    visible: usize,
    blocks: usize,
    media: usize,
}

impl Reader {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let reference = (c == '&')
                .then(|| rest.find(';').filter(|end| *end <= 10))
                .flatten()
                .map_or(c.len_utf8(), |end| end + 1);
            rest = &rest[reference..];
            self.chars += 1;
            self.visible += usize::from(!c.is_whitespace());
        }
    }

    fn tag(&mut self, inside: &str, offset: usize) -> Result<(), String> {
        if let Some(name) = inside.strip_prefix('/') {
            let name = name.trim().to_ascii_lowercase();
            if name == "tr" {
                self.cells.pop();
            }
            return match self.open.pop() {
                Some(open) if open == name => Ok(()),
                Some(open) => Err(wrong(&format!(
                    "Unmatched end tag at byte offset {offset}, expected \"</{open}>\", found \
                     \"</{name}>\""
                ))),
                None => Err(wrong(&format!("Unexpected end tag at byte offset {offset}"))),
            };
        }
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = name.to_ascii_lowercase();
        let is_media = MEDIA.contains(&name.as_str());
        let is_inline = INLINE.contains(&name.as_str());
        if !is_media && !is_inline && !BLOCKS.contains(&name.as_str()) {
            return Err(wrong(&format!(
                "Unsupported start tag \"{name}\" at byte offset {offset}"
            )));
        }
        let is_in_line =
            self.open.iter().any(|open| open == "p" || INLINE.contains(&open.as_str()));
        if !is_inline && is_in_line {
            return Err(wrong(&format!("Block \"{name}\" within a line at byte offset {offset}")));
        }
        if is_media {
            self.media += 1;
            check_address(attributes, "src", &["http", "https", "tg"])?;
        }
        if name == "a" {
            check_address(attributes, "href", &["http", "https", "tg", "mailto", "tel"])?;
        }
        if name == "tr" {
            self.cells.push(0);
        }
        if (name == "td" || name == "th")
            && let Some(cells) = self.cells.last_mut()
        {
            *cells += 1;
            if *cells > COLUMNS_MAX {
                return Err("RICH_MESSAGE_TABLE_TOO_WIDE".into());
            }
        }
        if !is_inline && !matches!(name.as_str(), "td" | "th" | "tr") {
            self.blocks += 1;
        }
        if !VOID.contains(&name.as_str()) {
            self.open.push(name);
            if self.open.len() > DEPTH_MAX {
                return Err("RICH_MESSAGE_TOO_DEEP".into());
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), String> {
        if let Some(open) = self.open.last() {
            let why = format!("Can't find end tag corresponding to start tag \"{open}\"");
            return Err(wrong(&why));
        }
        if self.visible == 0 && self.media == 0 {
            return Err("message text is empty".into());
        }
        if self.chars > CHARS_MAX {
            return Err("message is too long".into());
        }
        if self.blocks > BLOCKS_MAX || self.media > MEDIA_MAX {
            return Err("RICH_MESSAGE_TOO_MANY_BLOCKS".into());
        }
        Ok(())
    }
}

fn check_address(attributes: &str, name: &str, schemes: &[&str]) -> Result<(), String> {
    let value = attributes
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&")));
    let url = value.and_then(|value| Url::parse(&value).ok());
    if url.is_some_and(|url| schemes.contains(&url.scheme())) {
        Ok(())
    } else {
        Err("wrong HTTP URL specified".into())
    }
}

fn wrong(why: &str) -> String {
    format!("can't parse entities: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_html_of_known_elements_passes() {
        for html in [
            "<h1>A</h1><p>b <b>c</b><br>d &amp; e</p>",
            "<img src=\"https://example.com/a.jpg\"/><ul><li><p>a</p></li></ul>",
            "<table><tr><th>a</th><td>b</td></tr></table><hr>",
            "<details><summary>a</summary><p>b</p></details>",
            "<p><a href=\"https://example.com/?a=1&amp;b=2\">a</a></p>",
        ] {
            assert_eq!(check_html(html), Ok(()), "{html}");
        }
    }

    #[test]
    fn a_picture_gets_its_own_address_and_no_longer_name_that_begins_like_it() {
        let html = "<img src=\"tg://photo?id=a1\"><img src=\"tg://photo?id=a10\">\
                    <img src=\"tg://photo?id=b&amp;c\">";
        let names = sources(html);
        assert_eq!(names, ["tg://photo?id=a1", "tg://photo?id=a10", "tg://photo?id=b&amp;c"]);
        let html = names
            .iter()
            .zip(["u:1?a&b", "u:10", "u:b"])
            .fold(html.to_owned(), |html, (name, address)| with_source(&html, name, address));
        let expected = "<img src=\"u:1?a&amp;b\"><img src=\"u:10\"><img src=\"u:b\">";
        assert_eq!(html, expected);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_in_the_services_words() {
        let deep = "<blockquote>".repeat(17);
        let wide = format!("<table><tr>{}</tr></table>", "<td>a</td>".repeat(21));
        let many = "<p>a</p>".repeat(501);
        let long = format!("<p>{}</p>", "a".repeat(32_769));
        for (html, why) in [
            ("<p>a", "Can't find end tag"),
            ("<p>a</b>", "Unmatched end tag"),
            ("a</p>", "Unexpected end tag"),
            ("<div>a</div>", "Unsupported start tag"),
            ("<p>a<p>b</p></p>", "within a line"),
            ("<p><img src=\"https://example.com/\"></p>", "within a line"),
            ("<img src=\"data:x\">", "wrong HTTP URL"),
            ("<p> <br></p>", "message text is empty"),
            (&deep, "TOO_DEEP"),
            (&wide, "TOO_WIDE"),
            (&many, "TOO_MANY_BLOCKS"),
            (&long, "message is too long"),
        ] {
            let refused = check_html(html).unwrap_err();
            assert!(refused.contains(why), "{html}: {refused}");
        }
    }
}
