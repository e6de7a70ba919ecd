//! Tokens to a tree.

use std::borrow::Cow;

use markup5ever::interface::TreeSink;
use markup5ever::interface::tree_builder::{ElementFlags, NodeOrText};
use markup5ever::tendril::StrTendril;
use markup5ever::{Attribute, LocalName, Namespace, QualName};
use scraper::{Html, HtmlTreeSink};

use crate::extract::NotADocument;
use crate::extract::dom::{ATTRIBUTES_MAX, DEPTH_MAX, NODES_MAX};
use crate::markup::{self, Scanner, Tag, Token};

/// Most attributes of one tag that are kept.
const TAG_ATTRIBUTES_MAX: usize = 64;
/// Longest name of an element or attribute that is kept, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest list of classes that is kept, in bytes.
const CLASS_BYTES_MAX: usize = 2 << 10;
/// Longest text of a title or field that is kept, in bytes.
const TITLE_BYTES_MAX: usize = 4 << 10;
/// How often open elements are looked at, for ends and what ends by itself; after that only the
/// innermost few are.
const LOOKS_MAX: usize = 4_000_000;
const LOOKS_AFTER: usize = 8;
/// Longest value of another attribute that is kept, in bytes.
const VALUE_BYTES_MAX: usize = 16 << 10;

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// A node of the tree.
pub(crate) type Id = <HtmlTreeSink as TreeSink>::Handle;

/// The tree of a page.
///
/// # Errors
/// [`NotADocument`] when the page has too many nodes or attributes.
pub(super) fn build(text: &str) -> Result<Html, NotADocument> {
    let mut builder = Builder::new(text)?;
    let mut scanner = Scanner::new(text);
    while let Some(token) = scanner.next() {
        match token {
            Token::Text(text) => builder.text(&markup::decode(text))?,
            Token::Open(tag) => builder.open(&tag, &mut scanner)?,
            Token::Close(name) => builder.close(&lower(name)),
        }
    }
    builder.body()?;
    Ok(builder.sink.finish())
}

/// An element whose end has not come.
struct Open {
    id: Id,
    name: LocalName,
    sort: Sort,
}

struct Builder {
    sink: HtmlTreeSink,
    /// From `html` to the innermost open element; never empty.
    stack: Vec<Open>,
    /// How many elements are open that are nested too deep to be kept.
    overflow: usize,
    has_head: bool,
    has_body: bool,
    nodes: usize,
    attributes: usize,
    looks: usize,
    xhtml: Namespace,
    none: Namespace,
}

impl Builder {
    /// With its `html` element, that of the text if it begins with one.
    fn new(text: &str) -> Result<Self, NotADocument> {
        let mut builder = Self {
            sink: HtmlTreeSink::new(Html::new_document()),
            stack: Vec::with_capacity(DEPTH_MAX),
            overflow: 0,
            has_head: false,
            has_body: false,
            nodes: 0,
            attributes: 0,
            looks: 0,
            xhtml: Namespace::from(XHTML),
            none: Namespace::from(""),
        };
        let first = Scanner::new(text).find_map(|token| match token {
            Token::Open(tag) => Some(tag),
            _ => None,
        });
        let tag = first.filter(|tag| tag.name.eq_ignore_ascii_case("html"));
        let document = builder.sink.get_document();
        let attributes = tag.map(|tag| builder.attributes_of(&tag)).transpose()?;
        builder.push(document, "html", attributes.unwrap_or_default())?;
        Ok(builder)
    }

    fn top(&self) -> &Open {
        self.stack.last().unwrap_or_else(|| unreachable!("`html` stays open"))
    }

    fn count(&mut self) -> Result<(), NotADocument> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(NotADocument::TooManyNodes { max: NODES_MAX });
        }
        Ok(())
    }

    /// Appends an element.
    fn element(
        &mut self,
        parent: Id,
        name: &str,
        attributes: Vec<Attribute>,
    ) -> Result<Open, NotADocument> {
        self.count()?;
        let local = LocalName::from(name);
        let qualified = QualName::new(None, self.xhtml.clone(), local.clone());
        let id = self.sink.create_element(qualified, attributes, ElementFlags::default());
        self.sink.append(&parent, NodeOrText::AppendNode(id));
        Ok(Open { id, name: local, sort: sort(name) })
    }

    /// Appends an element and leaves it open.
    fn push(
        &mut self,
        parent: Id,
        name: &str,
        attributes: Vec<Attribute>,
    ) -> Result<(), NotADocument> {
        let open = self.element(parent, name, attributes)?;
        self.stack.push(open);
        Ok(())
    }

    /// Sees to it that the body is open.
    fn body(&mut self) -> Result<(), NotADocument> {
        self.body_with(Vec::new())
    }

    fn body_with(&mut self, attributes: Vec<Attribute>) -> Result<(), NotADocument> {
        if self.has_body {
            return Ok(());
        }
        self.has_body = true;
        self.stack.truncate(1);
        self.overflow = 0;
        let root = self.top().id;
        self.push(root, "body", attributes)
    }

    fn text(&mut self, text: &str) -> Result<(), NotADocument> {
        let is_blank = text.bytes().all(|b| b.is_ascii_whitespace());
        if !self.has_body {
            if is_blank {
                return Ok(());
            }
            self.body()?;
        }
        // Between the parts of lists and tables it says nothing.
        if is_blank
            && matches!(&*self.top().name, "table" | "tbody" | "tr" | "ul" | "ol" | "dl" | "select")
        {
            return Ok(());
        }
        self.append_text(self.top().id, text)
    }

    fn append_text(&mut self, parent: Id, text: &str) -> Result<(), NotADocument> {
        self.count()?;
        self.sink.append(&parent, NodeOrText::AppendText(StrTendril::from_slice(text)));
        Ok(())
    }

    fn open(&mut self, tag: &Tag<'_>, scanner: &mut Scanner<'_>) -> Result<(), NotADocument> {
        let name = lower(tag.name);
        let name = name.as_ref();
        if name.len() > NAME_BYTES_MAX {
            return Ok(());
        }
        match name {
            "html" => return Ok(()),
            "head" => {
                if !self.has_head && !self.has_body {
                    self.has_head = true;
                    let root = self.top().id;
                    self.push(root, "head", Vec::new())?;
                }
                return Ok(());
            }
            "body" => {
                let attributes = self.attributes_of(tag)?;
                return self.body_with(attributes);
            }
            _ => {}
        }
        if !self.has_body {
            if !belongs_to_head(name) {
                self.body()?;
            } else if !self.has_head {
                self.has_head = true;
                let root = self.top().id;
                self.push(root, "head", Vec::new())?;
            }
        }
        if self.overflow == 0 {
            self.end_before(name)?;
        }
        if self.overflow > 0 || self.stack.len() >= DEPTH_MAX {
            // What is inside hangs where this would.
            if is_raw(name) {
                scanner.raw_text(tag.name);
            } else if !(is_void(name) || tag.is_empty) {
                self.overflow += 1;
            }
            return Ok(());
        }
        let holds_nothing = is_void(name) || (tag.is_empty && self.is_within_picture(name));
        let attributes = self.attributes_of(tag)?;
        let open = self.element(self.top().id, name, attributes)?;
        if is_raw(name) {
            let raw = if tag.is_empty { "" } else { scanner.raw_text(tag.name) };
            match name {
                "title" | "textarea" => {
                    let raw = raw.get(..raw.floor_char_boundary(TITLE_BYTES_MAX));
                    self.append_text(open.id, &markup::decode(raw.unwrap_or_default()))?;
                }
                "script" if holds_data(tag) => self.append_text(open.id, raw)?,
                _ => {}
            }
        } else if !holds_nothing {
            self.stack.push(open);
        }
        Ok(())
    }

    /// Ends what the start of `name` ends, and starts what it implies.
    fn end_before(&mut self, name: &str) -> Result<(), NotADocument> {
        match name {
            "li" => self.end_nearest(&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => self.end_nearest(&["dt", "dd"], &["dl"]),
            "option" | "optgroup" => self.end_nearest(&["option"], &["select", "optgroup"]),
            "a" => self.end_nearest(&["a"], &[]),
            "button" => self.end_nearest(&["button"], &[]),
            "tr" => self.end_part(&["tr", "td", "th", "caption"]),
            "td" | "th" => self.end_part(&["td", "th", "caption"]),
            "tbody" | "thead" | "tfoot" => {
                self.end_part(&["tbody", "thead", "tfoot", "tr", "td", "th", "caption"]);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                if matches!(&*self.top().name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") {
                    self.stack.pop();
                }
            }
            _ => {}
        }
        if ends_paragraph(name) {
            self.end_nearest(&["p"], &[]);
        }
        let implied: &[&str] = match (name, &*self.top().name) {
            ("tr", "table") => &["tbody"],
            ("td" | "th", "table") => &["tbody", "tr"],
            ("td" | "th", "tbody" | "thead" | "tfoot") => &["tr"],
            _ => &[],
        };
        for name in implied {
            if self.stack.len() < DEPTH_MAX {
                self.push(self.top().id, name, Vec::new())?;
            }
        }
        Ok(())
    }

    /// Ends the nearest open element of `names`, unless it is outside of a scope or of `walls`.
    fn end_nearest(&mut self, names: &[&str], walls: &[&str]) {
        let far = self.far();
        for (at, open) in self.stack.iter().enumerate().rev().take(far) {
            self.looks += 1;
            if names.contains(&&*open.name) {
                return self.stack.truncate(at);
            }
            if open.sort == Sort::Scope || walls.contains(&&*open.name) {
                return;
            }
        }
    }

    /// How many open elements may be looked at.
    fn far(&self) -> usize {
        if self.looks > LOOKS_MAX { LOOKS_AFTER } else { DEPTH_MAX }
    }

    /// Ends the open elements of `names` within the nearest table, and all within them.
    fn end_part(&mut self, names: &[&str]) {
        let far = self.far();
        let mut nearest = self.stack.iter().enumerate().rev().take(far);
        let table = nearest.find(|(_, open)| &*open.name == "table").map(|(at, _)| at);
        self.looks += self.stack.len() - table.unwrap_or(0);
        let Some(table) = table else { return };
        let part = (table..self.stack.len())
            .find(|at| self.stack.get(*at).is_some_and(|open| names.contains(&&*open.name)));
        if let Some(part) = part {
            self.stack.truncate(part);
        }
    }

    fn close(&mut self, name: &str) {
        if matches!(name, "html" | "body") {
            return;
        }
        if name == "head" {
            if !self.has_body {
                self.stack.truncate(1);
                self.overflow = 0;
            }
            return;
        }
        if is_void(name) {
            return;
        }
        if self.overflow > 0 {
            self.overflow -= 1;
            return;
        }
        let own = sort(name);
        let is_part = matches!(name, "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th");
        let far = self.far();
        for at in (1..self.stack.len()).rev().take(far) {
            self.looks += 1;
            let Some(open) = self.stack.get(at) else { return };
            if &*open.name == "body" {
                return;
            }
            if &*open.name == name {
                return self.stack.truncate(at);
            }
            let stops = match open.sort {
                Sort::Scope => &*open.name == "table" || !is_part,
                Sort::Block => own == Sort::Inline,
                Sort::Formatting | Sort::Inline => false,
            };
            if stops {
                return;
            }
        }
    }

    /// Whether `<name/>` is empty here as in XML.
    fn is_within_picture(&self, name: &str) -> bool {
        matches!(name, "svg" | "math")
            || self.stack.iter().any(|open| matches!(&*open.name, "svg" | "math"))
    }

    fn attributes_of(&mut self, tag: &Tag<'_>) -> Result<Vec<Attribute>, NotADocument> {
        let mut out: Vec<Attribute> = Vec::new();
        for (name, value) in tag.attributes().take(TAG_ATTRIBUTES_MAX) {
            let name = lower(name);
            if name.len() > NAME_BYTES_MAX || out.iter().any(|known| *known.name.local == *name) {
                continue;
            }
            self.attributes += 1;
            if self.attributes > ATTRIBUTES_MAX {
                return Err(NotADocument::TooManyPageAttributes { max: ATTRIBUTES_MAX });
            }
            let max = if name == "class" { CLASS_BYTES_MAX } else { VALUE_BYTES_MAX };
            let value = value.get(..value.floor_char_boundary(max)).unwrap_or_default();
            out.push(Attribute {
                name: QualName::new(None, self.none.clone(), LocalName::from(name.as_ref())),
                value: StrTendril::from_slice(value),
            });
        }
        Ok(out)
    }
}

/// Whether a script holds structured data.
fn holds_data(tag: &Tag<'_>) -> bool {
    tag.attribute("type").is_some_and(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json"))
    })
}

/// What an element means to the ends of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Ends only by its own end tag or that of a table's part; nothing within ends what is around.
    Scope,
    /// A block: a formatting element's end goes through it, any other inline one's does not.
    Block,
    /// Bold and the like.
    Formatting,
    Inline,
}

fn sort(name: &str) -> Sort {
    match name {
        "html" | "table" | "td" | "th" | "caption" | "button" | "object" | "marquee" => Sort::Scope,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike"
        | "strong" | "tt" | "u" => Sort::Formatting,
        name if is_block(name) => Sort::Block,
        _ => Sort::Inline,
    }
}

/// Whether the element stands on lines of its own.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "select"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "textarea"
            | "tfoot"
            | "th"
            | "thead"
            | "title"
            | "tr"
            | "ul"
    )
}

/// Whether the start of the element ends a paragraph.
fn ends_paragraph(name: &str) -> bool {
    is_block(name)
        && !matches!(
            name,
            "body"
                | "br"
                | "caption"
                | "head"
                | "html"
                | "option"
                | "select"
                | "tbody"
                | "td"
                | "textarea"
                | "tfoot"
                | "th"
                | "thead"
                | "title"
                | "tr"
        )
}

pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Whether what is inside the element is no markup.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "textarea"
            | "title"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "template"
    )
}

fn belongs_to_head(name: &str) -> bool {
    matches!(
        name,
        "base" | "link" | "meta" | "noscript" | "script" | "style" | "template" | "title"
    )
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(text: &str) -> String {
        let html = build(text).unwrap().html();
        html.replace("<html><head></head>", "<html>")
            .trim_start_matches("<html>")
            .trim_end_matches("</html>")
            .to_owned()
    }

    #[test]
    fn what_is_left_out_is_put_in() {
        for (text, expected) in [
            ("x", "<body>x</body>"),
            ("<p>a<p>b", "<body><p>a</p><p>b</p></body>"),
            ("<ul><li>a<li>b</ul>c", "<body><ul><li>a</li><li>b</li></ul>c</body>"),
            (
                "<ul><li>a<ul><li>b</ul><li>c</ul>",
                "<body><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul></body>",
            ),
            ("<dl><dt>a<dd>b<dt>c</dl>", "<body><dl><dt>a</dt><dd>b</dd><dt>c</dt></dl></body>"),
            (
                "<table><tr><td>a<td>b<tr><td>c</table>d",
                "<body><table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody>\
                 </table>d</body>",
            ),
            (
                "<title>a &amp; <b></title><p>x",
                "<head><title>a &amp; &lt;b&gt;</title></head><body><p>x</p></body>",
            ),
            ("<p>a<div>b</div>c", "<body><p>a</p><div>b</div>c</body>"),
            ("<a href=x>a<a href=y>b", "<body><a href=\"x\">a</a><a href=\"y\">b</a></body>"),
            ("<br/>a<img src=x>b", "<body><br>a<img src=\"x\">b</body>"),
        ] {
            assert_eq!(built(text), expected, "{text}");
        }
    }

    #[test]
    fn ends_without_a_start_do_no_harm() {
        for (text, expected) in [
            ("</div>a</p>b", "<body>ab</body>"),
            ("<div><span>a</div>b</span>c", "<body><div><span>a</span></div>bc</body>"),
            ("<div><b>a<p>b</b>c</p></div>d", "<body><div><b>a<p>b</p></b>c</div>d</body>"),
            ("<span><div>a</span>b</div>c", "<body><span><div>ab</div>c</span></body>"),
            (
                "<table><tr><td></div>a</td></tr></table>b",
                "<body><table><tbody><tr><td>a</td></tr></tbody></table>b</body>",
            ),
            ("<body><p>a</body></html>b", "<body><p>ab</p></body>"),
        ] {
            assert_eq!(built(text), expected, "{text}");
        }
    }

    #[test]
    fn scripts_stay_only_as_data() {
        let text = "<script>if (a<b) '</p>'</script><script type='Application/LD+json; x'>{\"a\":\"<b>\"}</script><p>a\
            <style>p{}</style><template><p>x</p></template>b";
        assert_eq!(
            built(text),
            "<head><script></script><script type=\"Application/LD+json; x\">{\"a\":\"<b>\"}\
             </script></head><body><p>a<style></style><template></template>b</p></body>"
        );
    }

    #[test]
    fn the_root_keeps_its_attributes() {
        let html = build("<!doctype html><HTML Lang=de><body class='a'>x").unwrap();
        assert_eq!(html.root_element().attr("lang"), Some("de"));
        assert!(html.html().contains("<body class=\"a\">"));
    }

    #[test]
    fn what_is_nested_too_deep_hangs_flat() {
        let text = format!("{}x{}<p>y", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let html = build(&text).unwrap();
        let deepest =
            html.tree.nodes().map(|node| node.ancestors().count()).max().unwrap_or_default();
        assert!(deepest <= DEPTH_MAX + 1, "{deepest}");
        let p = html
            .tree
            .nodes()
            .find(|node| node.value().as_element().is_some_and(|element| element.name() == "p"));
        assert_eq!(p.unwrap().ancestors().count(), 3, "all ends were counted");
    }

    #[test]
    fn a_page_beyond_its_limits_is_refused() {
        let many = "<i></i>".repeat(NODES_MAX);
        assert_eq!(build(&many).err(), Some(NotADocument::TooManyNodes { max: NODES_MAX }));
        let tag = format!("<i {}></i>", (0..60).map(|n| format!("a{n} ")).collect::<String>());
        let flood = tag.repeat(ATTRIBUTES_MAX / 60 + 1);
        assert_eq!(
            build(&flood).err(),
            Some(NotADocument::TooManyPageAttributes { max: ATTRIBUTES_MAX })
        );
        let one = format!("<p {}>x", (0..100_000).map(|n| format!("a{n} ")).collect::<String>());
        assert!(build(&one).is_ok(), "only some of a tag's attributes are kept");
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_a_tree(text in "(</?(p|div|a|b|table|tr|td|li|ul|script|title|svg|x)( a=1)?/?>|\\PC){0,60}") {
            let _ = build(&text).unwrap();
        }
    }
}
