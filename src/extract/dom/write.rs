//! The tree written out again, and what a parser of others would make of it.
//!
//! Written in one pass: what html5ever writes takes a square of a text's length if it is full of
//! characters that must be escaped.

use scraper::Node;

use crate::extract::dom::build::is_void;
use crate::extract::dom::walk::{NodeRef, Step, steps};

/// The HTML of a node and all within it; without its own tags if `is_inner`.
pub(super) fn html(root: NodeRef<'_>, is_inner: bool) -> String {
    let mut out = String::new();
    let mut raw = false;
    for step in steps(root) {
        match step {
            Step::Open(node) => match node.value() {
                Node::Element(_) if is_inner && node.id() == root.id() => {}
                Node::Element(element) => {
                    out.push('<');
                    out.push_str(element.name());
                    for (name, value) in element.attrs() {
                        out.push(' ');
                        out.push_str(name);
                        out.push_str("=\"");
                        escape(value, &mut out);
                        out.push('"');
                    }
                    out.push('>');
                    raw = element.name() == "script";
                }
                Node::Text(text) if raw => out.push_str(text),
                Node::Text(text) => escape(text, &mut out),
                _ => {}
            },
            Step::Close(node) => match node.value() {
                Node::Element(_) if is_inner && node.id() == root.id() => {}
                Node::Element(element) if !is_void(element.name()) => {
                    raw = false;
                    out.push_str("</");
                    out.push_str(element.name());
                    out.push('>');
                }
                _ => {}
            },
        }
    }
    out
}

/// Writes a text or an attribute's value.
fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\u{a0}']) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let c = behind.chars().next().unwrap_or_default();
        out.push_str(match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            _ => "&nbsp;",
        });
        rest = behind.get(c.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// What parsers that go over a text again and again have to do with a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    pub elements: usize,
    pub attributes: usize,
    /// The bytes of all texts, each as often as there are elements around it.
    pub text: usize,
    /// The bytes that html5ever goes over to escape the texts: from each character that it looks at
    /// to the end of the text, or to the next `<` or `>`.
    pub escapes: usize,
}

pub(super) fn weight(root: NodeRef<'_>) -> Weight {
    let mut weight = Weight::default();
    let mut depth = 0_usize;
    for step in steps(root) {
        match step {
            Step::Open(node) => {
                depth += 1;
                match node.value() {
                    Node::Element(element) => {
                        weight.elements += 1;
                        for (_, value) in element.attrs() {
                            weight.attributes += 1;
                            weight.escapes += escapes(value);
                        }
                    }
                    Node::Text(text) => {
                        weight.text += text.len() * depth;
                        weight.escapes += escapes(text);
                    }
                    _ => {}
                }
            }
            Step::Close(_) => depth -= 1,
        }
    }
    weight
}

fn escapes(text: &str) -> usize {
    let mut sum = 0;
    let mut end = text.len();
    for (at, byte) in text.bytes().enumerate().rev() {
        // The first byte of U+0080 to U+00BF, among them the blank that is escaped.
        if matches!(byte, b'&' | b'<' | b'>' | 0xc2) {
            sum += end - at;
        }
        if matches!(byte, b'<' | b'>') {
            end = at;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use url::Url;

    use crate::extract::dom::Dom;

    fn dom(html: &str) -> Dom {
        Dom::parse(html, &Url::parse("https://e.com/").unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_tree() {
        for html in [
            "<html lang=\"de\"><head><title>a &amp; b</title></head><body><p class=\"x y\">a&nbsp;&lt;b&gt;<br>c</p></body></html>",
            "<html><body><a href=\"?a=1&amp;b=&quot;\"><img src=\"a.png\"></a>d</body></html>",
            "<html><head><script type=\"application/ld+json\">{\"a\": \"<b> & c\"}</script></head><body></body></html>",
        ] {
            let dom = dom(html);
            assert_eq!(dom.to_html(), html);
        }
        let page = dom("<div><p>a<b>c</b></p></div>");
        let p = page.elements().find(|element| element.value().name() == "p").unwrap();
        assert_eq!(super::html(*p, true), "a<b>c</b>");
        assert_eq!(super::html(*p, false), "<p>a<b>c</b></p>");
    }

    #[test]
    fn the_weight_of_a_page_is_that_of_its_nesting_and_its_escapes() {
        let light = dom("<p>abc").weight();
        assert_eq!((light.elements, light.text, light.escapes), (3, 12, 0));
        assert_eq!(dom("<p>&amp;&amp;ab").weight().escapes, 4 + 3);
        assert_eq!(dom("<p>&amp;&lt;ab").weight().escapes, 1 + 3);
        let titled = dom("<p title='&amp;b'>").weight();
        assert_eq!((titled.attributes, titled.escapes), (1, 2));
    }
}
