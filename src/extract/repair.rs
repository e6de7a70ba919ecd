//! Well-formed pieces out of ill-formed XML.
//!
//! Works on a copy, only after a strict reading failed. What it cannot see (which tags belong
//! together, undeclared prefixes) is left to the tolerant reader. Repairing what has been repaired
//! changes nothing.

use crate::extract::ATTRIBUTES_MAX;
use crate::extract::tokens::character;

/// Longest start tag or document type that is looked for, in bytes.
const TAG_BYTES_MAX: usize = 64 << 10;
/// Longest name of an entity, in bytes.
const ENTITY_BYTES_MAX: usize = 32;

/// A copy of `text` that a tolerant reader of XML can read.
///
/// 1. Everything before the root of a feed, sitemap or OPML list goes, and so do comments, processing instructions and
///    the document type.
/// 2. `&` that begins no reference becomes `&amp;`; references to characters that XML forbids go;
///    two that are the halves of one character are joined.
/// 3. `<` that begins no markup becomes `&lt;`, `]]>` outside CDATA becomes `]]&gt;`.
/// 4. Characters that XML forbids go.
/// 5. CDATA that is not closed before its element ends is closed there.
/// 6. Attributes get quotes, values, and no repetitions.
pub fn repair(text: &str) -> String {
    let start = root_start(text).unwrap_or(0);
    let mut out = mend(text.get(start..).unwrap_or_default());
    // A comment that was none can have hidden the root.
    out.drain(..root_start(&out).unwrap_or(0));
    out
}

/// [`repair`] from the second step on, for a piece that need not hold the root of a feed.
pub(crate) fn mend(text: &str) -> String {
    let mut repair = Repair {
        out: String::with_capacity(text.len() + text.len() / 16),
        rest: text,
        element: "",
        document_type: false,
        last_cdata_end: distance(text, "]]>"),
        next_cdata_end: usize::MAX,
        last_comment_end: distance(text, "-->"),
        last_instruction_end: distance(text, "?>"),
    };
    repair.run();
    repair.out
}

/// Where the root element of a feed, sitemap or OPML list begins, comments and CDATA passed over.
pub(crate) fn root_start(text: &str) -> Option<usize> {
    // An open comment hides nothing, and open CDATA everything.
    let last_comment_end = text.rfind("-->").unwrap_or(0);
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('<')?;
        let rest = text.get(at + 1..)?;
        if rest.starts_with("!--") && at < last_comment_end {
            at += rest.find("-->")? + 4;
        } else if rest.starts_with("![CDATA[") {
            at += rest.find("]]>")? + 4;
        } else if is_root(rest) {
            return Some(at);
        } else {
            at += 1;
        }
    }
}

fn is_root(rest: &str) -> bool {
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b':').count();
    let name = rest.get(..length).unwrap_or_default();
    let local = name.rsplit(':').next().unwrap_or_default();
    let known = ["rss", "feed", "rdf", "urlset", "sitemapindex", "opml"]
        .iter()
        .any(|root| local.eq_ignore_ascii_case(root));
    known
        && rest
            .get(length..)
            .is_some_and(|tail| tail.starts_with(|c: char| c == '>' || c.is_whitespace()))
}

/// How much of the text is left where `needle` begins for the last time; nothing if never.
fn distance(text: &str, needle: &str) -> usize {
    text.rfind(needle).map_or(0, |at| text.len() - at)
}

struct Repair<'a> {
    out: String,
    rest: &'a str,
    /// Name of the element that was opened last.
    element: &'a str,
    /// Whether a document type has been met.
    document_type: bool,
    /// Lengths of `rest` from which on these cannot be found any more: a search that must fail
    /// is not made, so that no input costs a square of its length.
    last_cdata_end: usize,
    /// How much is left where the end of CDATA that was found last begins; CDATA that was closed
    /// before it leaves it the next.
    next_cdata_end: usize,
    last_comment_end: usize,
    last_instruction_end: usize,
}

impl<'a> Repair<'a> {
    fn run(&mut self) {
        while !self.rest.is_empty() {
            let next = self.rest.find(|c| matches!(c, '<' | '&' | ']') || is_forbidden(c));
            let (text, rest) = self.rest.split_at(next.unwrap_or(self.rest.len()));
            self.out.push_str(text);
            self.rest = rest;
            match rest.as_bytes().first() {
                None => {}
                Some(b'<') => self.markup(),
                Some(b'&') => self.rest = reference(rest, &mut self.out),
                Some(b']') if rest.starts_with("]]>") => self.replace(3, "]]&gt;"),
                Some(b']') => self.replace(1, "]"),
                Some(_) => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    self.replace(length, "");
                }
            }
        }
    }

    /// Passes over some bytes and writes something in their place.
    fn replace(&mut self, length: usize, by: &str) {
        self.out.push_str(by);
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn markup(&mut self) {
        let rest = self.rest;
        if rest.starts_with("<![CDATA[") {
            self.cdata();
        } else if rest.starts_with("<!--") {
            let end = self.find("-->", self.last_comment_end);
            self.drop_or_escape(end.map(|end| end + 3));
        } else if rest.starts_with("<?") {
            let end = self.find("?>", self.last_instruction_end);
            self.drop_or_escape(end.map(|end| end + 2));
        } else if rest.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("<!doctype")) {
            // There is one at most; looking for the end of more would cost a hostile text much.
            let end = if self.document_type { None } else { document_type_end(rest) };
            self.document_type = true;
            self.drop_or_escape(end);
        } else if let Some(name) = end_tag(rest) {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
            self.rest =
                rest.get(rest.find('>').map_or(rest.len(), |at| at + 1)..).unwrap_or_default();
        } else if let Some((name, length)) = start_tag(rest, &mut self.out) {
            self.element = name;
            self.rest = rest.get(length..).unwrap_or_default();
        } else {
            self.replace(1, "&lt;");
        }
    }

    fn find(&self, needle: &str, last: usize) -> Option<usize> {
        if self.rest.len() < last || last == 0 { None } else { self.rest.find(needle) }
    }

    fn drop_or_escape(&mut self, length: Option<usize>) {
        match length {
            Some(length) => self.replace(length, ""),
            None => self.replace(1, "&lt;"),
        }
    }

    fn cdata(&mut self) {
        const OPEN: &str = "<![CDATA[";
        let inner = self.rest.get(OPEN.len()..).unwrap_or_default();
        let next = self.rest.len().checked_sub(self.next_cdata_end);
        let end = next.or_else(|| self.find("]]>", self.last_cdata_end));
        self.next_cdata_end = end.map_or(usize::MAX, |end| self.rest.len() - end);
        let end = end.map(|end| end - OPEN.len());
        let own_end = format!("</{}>", self.element);
        // Another CDATA begins before this one ends: if the element ended before that, the end
        // mark was forgotten.
        let reach = match end {
            Some(end) => {
                let content = inner.get(..end).unwrap_or_default();
                content.find(OPEN).unwrap_or(0)
            }
            None => inner.len(),
        };
        let forgotten = inner.get(..reach).and_then(|text| text.find(&own_end));
        let (content, length) = match (forgotten, end) {
            (Some(at), _) => (inner.get(..at), OPEN.len() + at),
            (None, Some(end)) => (inner.get(..end), OPEN.len() + end + 3),
            (None, None) => (Some(inner), self.rest.len()),
        };
        let content = content.unwrap_or_default();
        self.out.push_str(OPEN);
        if content.contains(is_forbidden) {
            self.out.extend(content.chars().filter(|c| !is_forbidden(*c)));
        } else {
            self.out.push_str(content);
        }
        if (forgotten, end) != (None, None) {
            self.out.push_str("]]>");
        }
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

/// Characters that XML 1.0 forbids and that a text can hold.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Writes the reference at the start of `text`, or what stands for it; gives what is behind.
fn reference<'a>(text: &'a str, out: &mut String) -> &'a str {
    let after = text.get(1..).unwrap_or_default();
    let Some(name) = reference_name(after) else {
        out.push_str("&amp;");
        return after;
    };
    let behind = after.get(name.len() + 1..).unwrap_or_default();
    let Some(number) = name.strip_prefix('#') else {
        out.push('&');
        out.push_str(name);
        out.push(';');
        return behind;
    };
    if character(number).is_some() {
        out.push('&');
        out.push_str(name);
        out.push(';');
        return behind;
    }
    // The first half of a character outside the basic plane, with the second behind it.
    let high = code(number).filter(|code| (0xd800..0xdc00).contains(code));
    let low_name = behind.strip_prefix('&').and_then(reference_name);
    let low = low_name.and_then(|name| code(name.strip_prefix('#')?));
    let low = low.filter(|code| (0xdc00..0xe000).contains(code));
    if let (Some(high), Some(low), Some(low_name)) = (high, low, low_name) {
        let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        out.extend(char::from_u32(joined));
        return behind.get(low_name.len() + 2..).unwrap_or_default();
    }
    behind
}

/// What stands between `&` and `;`, if that is a reference by its form.
fn reference_name(after: &str) -> Option<&str> {
    let length = after.bytes().take(ENTITY_BYTES_MAX).position(|b| b == b';')?;
    let name = after.get(..length)?;
    let legal = match name.strip_prefix('#') {
        Some(number) => code(number).is_some(),
        None => {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric())
        }
    };
    legal.then_some(name)
}

fn code(number: &str) -> Option<u32> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // A sign would be accepted by the parser of numbers.
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Where the document type at the start of `rest` is over, if it is of a sensible length.
fn document_type_end(rest: &str) -> Option<usize> {
    let rest = rest.get(..rest.floor_char_boundary(TAG_BYTES_MAX))?;
    let end = rest.find('>')?;
    match rest.get(..end)?.find('[') {
        None => Some(end + 1),
        Some(open) => {
            let close = open + rest.get(open..)?.find(']')?;
            Some(close + rest.get(close..)?.find('>')? + 1)
        }
    }
}

/// The name of the end tag at the start of `rest`.
fn end_tag(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix("</")?;
    let length = name_length(inner)?;
    let tail = inner.get(length..)?.trim_start();
    tail.starts_with('>').then(|| inner.get(..length))?
}

fn name_length(text: &str) -> Option<usize> {
    let starts_well = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')));
    let length = end.unwrap_or(text.len());
    (starts_well && length <= 256).then_some(length)
}

/// Writes the start tag at the start of `rest`; its name and length, or `None` when there is none
/// and nothing was written.
fn start_tag<'a>(rest: &'a str, out: &mut String) -> Option<(&'a str, usize)> {
    let limit = rest.floor_char_boundary(TAG_BYTES_MAX);
    let window = rest.get(1..limit)?;
    let length = name_length(window)?;
    let name = window.get(..length)?;
    let mut tail = window.get(length..)?;
    if !tail.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')) {
        return None;
    }
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    let closed = loop {
        tail = tail.trim_start();
        match tail.chars().next()? {
            '>' => break false,
            '<' => return None,
            '/' if tail.starts_with("/>") => break true,
            '/' | '=' | '"' | '\'' => tail = tail.get(1..)?,
            _ => {
                let end = tail.find(|c: char| {
                    c.is_whitespace() || matches!(c, '=' | '>' | '<' | '/' | '"' | '\'')
                })?;
                let (key, behind) = tail.split_at(end.max(1));
                let (value, behind) = attribute_value(behind)?;
                tail = behind;
                let named = name_length(key) == Some(key.len());
                if named
                    && attributes.len() <= ATTRIBUTES_MAX
                    && !attributes.iter().any(|(known, _)| *known == key)
                {
                    attributes.push((key, value));
                }
            }
        }
    };
    out.push('<');
    out.push_str(name);
    for (key, value) in attributes {
        out.push(' ');
        out.push_str(key);
        out.push_str("=\"");
        write_value(value, out);
        out.push('"');
    }
    out.push_str(if closed { "/>" } else { ">" });
    let used = window.len() - tail.len() + if closed { 2 } else { 1 };
    Some((name, used + 1))
}

/// The value behind an attribute's name, empty if there is none, and what follows.
fn attribute_value(behind: &str) -> Option<(&str, &str)> {
    let Some(value) = behind.trim_start().strip_prefix('=') else { return Some(("", behind)) };
    let value = value.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split_once(quote),
        _ => {
            let end = value.find(|c: char| c.is_whitespace() || matches!(c, '>' | '<'))?;
            // `<a href=x/>`: the slash is the tag's.
            let end = if value.get(..end)?.ends_with('/') && value.get(end..)?.starts_with('>') {
                end - 1
            } else {
                end
            };
            Some(value.split_at(end))
        }
    }
}

fn write_value(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        if c == '&' {
            rest = reference(rest, out);
            continue;
        }
        match c {
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            c if is_forbidden(c) => {}
            c => out.push(c),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_repair() {
        for (broken, expected) in [
            ("Warning: x<br>\n<?xml version='1.0'?><!-- <rss> --><rss >a</rss>", "<rss>a</rss>"),
            (
                "<rss>a & b &amp; c &b=2 &nbsp; &#8217;</rss>",
                "<rss>a &amp; b &amp; c &amp;b=2 &nbsp; &#8217;</rss>",
            ),
            ("<rss>a\u{1}b&#x1;c&#1;</rss>", "<rss>abc</rss>"),
            ("<rss>&#xD83D;&#xDE00;&#xD83D;</rss>", "<rss>😀</rss>"),
            ("<rss>1 < 2 <3 a<b</rss>", "<rss>1 &lt; 2 &lt;3 a&lt;b</rss>"),
            (
                "<rss><t><![CDATA[a</t><u><![CDATA[b]]></u></rss>",
                "<rss><t><![CDATA[a]]></t><u><![CDATA[b]]></u></rss>",
            ),
            ("<rss><t><![CDATA[a</t></rss>", "<rss><t><![CDATA[a]]></t></rss>"),
            (
                "<rss><t><![CDATA[a</t><t><![CDATA[b</t><t><![CDATA[c]]></t><t><![CDATA[d]]></t></rss>",
                "<rss><t><![CDATA[a]]></t><t><![CDATA[b]]></t><t><![CDATA[c]]></t><t><![CDATA[d]]></t></rss>",
            ),
            ("<rss>a]]>b</rss>", "<rss>a]]&gt;b</rss>"),
            (
                "<rss><a href=x?a=1&b=2 href=y b c='\"'/></rss>",
                "<rss><a href=\"x?a=1&amp;b=2\" b=\"\" c=\"&quot;\"/></rss>",
            ),
            (
                "<rss><e url='http://e.com/a.jpg?a=1&b=2<'/></rss>",
                "<rss><e url=\"http://e.com/a.jpg?a=1&amp;b=2&lt;\"/></rss>",
            ),
            ("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss>&a;</rss>", "<rss>&a;</rss>"),
            ("<rss>x<!-- never closed</rss>", "<rss>x&lt;!-- never closed</rss>"),
        ] {
            assert_eq!(repair(broken), expected, "{broken}");
        }
    }

    #[test]
    fn what_is_well_formed_stays() {
        let good = "<rss version=\"2.0\"><channel><title>a &amp; b</title><i><![CDATA[<p>&nbsp;</p>]]></i><e u=\"1\"/></channel></rss>";
        assert_eq!(repair(good), good);
    }

    #[test]
    fn a_tag_cut_off_at_the_end_is_text() {
        assert_eq!(repair("<rss><item><tit"), "<rss><item>&lt;tit");
    }

    proptest::proptest! {
        #[test]
        fn repairing_twice_is_repairing_once(
            text in "(<rss>|<!\\[CDATA\\[|\\]\\]>|<!--|-->|<\\?|\\?>|</?[ab]|[ =\"'/>]|&|#x?|;|D83D|DE00|<!DOCTYPE|\\[|\\PC|[\0-\u{1f}]){0,60}"
        ) {
            let once = repair(&text);
            proptest::prop_assert_eq!(repair(&once), once);
        }
    }
}
