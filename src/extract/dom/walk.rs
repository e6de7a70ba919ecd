//! Reading within the tree.

use std::ops::Deref;

use scraper::{ElementRef, Node};

use crate::extract::dom::build::is_block;
use crate::markup;

/// Longest text of an element that is read, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// A node of the tree, and what is around it.
pub(super) type NodeRef<'a> = <ElementRef<'a> as Deref>::Target;

/// A step on the way through a part of the tree.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Open(NodeRef<'a>),
    Close(NodeRef<'a>),
}

/// From a node's beginning to its end, through all within it.
pub(super) fn steps(root: NodeRef<'_>) -> impl Iterator<Item = Step<'_>> {
    let mut next = Some(Step::Open(root));
    std::iter::from_fn(move || {
        let step = next.take()?;
        next = match step {
            Step::Open(node) => Some(node.first_child().map_or(Step::Close(node), Step::Open)),
            Step::Close(node) if node.id() == root.id() => None,
            Step::Close(node) => {
                let up = || node.parent().map(Step::Close);
                node.next_sibling().map(Step::Open).or_else(up)
            }
        };
        Some(step)
    })
}

/// The value of an attribute, trimmed; `None` when it is absent or empty.
pub(crate) fn attr<'a>(element: ElementRef<'a>, name: &str) -> Option<&'a str> {
    element.attr(name).map(str::trim).filter(|value| !value.is_empty())
}

/// The words of an element: white space folded, blocks parted by a blank, without scripts and what
/// stands in for them.
pub(crate) fn text(element: ElementRef<'_>) -> String {
    markup::clean(&text_within(element, TEXT_BYTES_MAX))
}

/// The first `bytes_max` of an element's text, as it stands.
pub(crate) fn text_within(element: ElementRef<'_>, bytes_max: usize) -> String {
    let mut out = String::new();
    let mut next = element.first_child();
    while let Some(node) = next {
        match node.value() {
            Node::Text(text) => {
                let left = bytes_max.saturating_sub(out.len());
                out.push_str(text.get(..text.floor_char_boundary(left)).unwrap_or_default());
            }
            Node::Element(it) if is_block(it.name()) => out.push(' '),
            _ => {}
        }
        if out.len() >= bytes_max {
            break;
        }
        let is_silent = node.value().as_element().is_some_and(|it| is_silent(it.name()));
        next = node.first_child().filter(|_| !is_silent);
        // The next sibling, or that of the nearest element that has one.
        let mut up = node;
        while next.is_none() {
            if up.value().as_element().is_some_and(|it| is_block(it.name())) {
                out.push(' ');
            }
            next = up.next_sibling();
            if next.is_none() {
                match up.parent().filter(|parent| parent.id() != element.id()) {
                    Some(parent) => up = parent,
                    None => return out,
                }
            }
        }
    }
    out
}

/// Whether an element's content is not for readers.
fn is_silent(name: &str) -> bool {
    matches!(name, "script" | "style" | "noscript" | "template" | "svg" | "select" | "textarea")
}

/// Whether `element` is `outer` or inside of it.
pub(crate) fn is_within(element: ElementRef<'_>, outer: ElementRef<'_>) -> bool {
    element == outer || element.ancestors().any(|node| node.id() == outer.id())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::extract::dom::Dom;

    #[test]
    fn the_words_of_an_element_are_parted_where_lines_are() {
        let origin = Url::parse("https://e.com/").unwrap();
        for (html, expected) in [
            ("<p>a <b>b</b>c</p>d", "a bc d"),
            ("<div><div>a</div>b</div><ul><li>c<li>d</ul>", "a b c d"),
            ("a<br>b<script>x</script>c<noscript>y</noscript>", "a bc"),
            ("<p></p>", ""),
            ("a&nbsp;&amp;\n b", "a & b"),
        ] {
            let dom = Dom::parse(html, &origin).unwrap();
            assert_eq!(text(dom.root()), expected, "{html}");
        }
    }
}
