use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::markup::address;
use crate::markup::to_html;
use crate::model::rich::Inline;

/// What comes of `html`, written back.
fn told(html: &str) -> String {
    let base = Url::parse("https://example.com/blog/").ok();
    to_html(&rich(html, base.as_ref()))
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(told(html), *expected, "{html}");
    }
}

#[test]
fn words_become_paragraphs() {
    check(&[
        ("", ""),
        (" \n <p> </p><div>&nbsp;<br></div>", ""),
        ("one\n two", "<p>one two</p>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("one<div>two</div>three", "<p>one</p><p>two</p><p>three</p>"),
        ("<br>one <br/> two<br><br><br>three<br>", "<p>one<br>two<br><br>three</p>"),
        ("a &lt;b&gt; &amp;amp;", "<p>a &lt;b&gt; &amp;amp;</p>"),
        ("<h1>A</h1>x<h9>y</h9>", "<h1>A</h1><p>xy</p>"),
        ("<h2><p>A</p></h2><h3>B<p>C</p>", "<h2>A</h2><h3>B</h3><p>C</p>"),
        ("a<hr><hr/>b<hr>", "<p>a</p><hr><p>b</p>"),
        ("<html><head><title>t</title></head><body>x</body></html>", "<p>x</p>"),
        ("<figure><img src=x><figcaption>F</figcaption></figure>", "<p>F</p>"),
    ]);
}

#[test]
fn styles_are_kept_whatever_their_order() {
    check(&[
        ("<strong>a</strong><b>b</b>", "<p><b>ab</b></p>"),
        ("<i><b>a</b></i><b><i>b</i></b>", "<p><b><i>ab</i></b></p>"),
        ("<b>a<i>b</b>c</i>d", "<p><b>a<i>b</i></b><i>c</i>d</p>"),
        ("a<b> b </b>c", "<p>a <b>b</b> c</p>"),
        ("<b></b><i> </i>", ""),
        ("<b><p>a</p><p>b</p></b>c", "<p><b>a</b></p><p><b>b</b></p><p>c</p>"),
        ("<u>u</u><ins>i</ins><s>s</s><del>d</del>", "<p><u>ui</u><s>sd</s></p>"),
        ("<code>a</code> <code>b</code>", "<p><code>a</code> <code>b</code></p>"),
        ("<kbd>a  b</kbd>", "<p><code>a b</code></p>"),
        ("<code>a<b>b</b></code>", "<p><code>a</code><b><code>b</code></b></p>"),
        (
            "<span class=\"x spoiler\"><span>a</span>b</span>c",
            "<p><tg-spoiler>ab</tg-spoiler>c</p>",
        ),
        ("<q>a</q> x<sup>2</sup> 1<sup>st</sup> 10<sup>-6</sup>", "<p>“a” x² 1st 10⁻⁶</p>"),
        ("<b/>a<a/>b", "<p>ab</p>"),
        ("<font color=red><small>a</small></font><x-y>b</x-y>", "<p>ab</p>"),
    ]);
}

#[test]
fn sec_t06_links_are_web_addresses_or_text() {
    check(&[
        (
            "<a href='../x?a=1&amp;b=2'>a <b>b</b></a>",
            "<p><a href=\"https://example.com/x?a=1&amp;b=2\">a <b>b</b></a></p>",
        ),
        ("<a href=javascript:x>a</a><a href=tg://x>b</a><a>c</a>", "<p>abc</p>"),
        ("<a href='java&#10;script:x'>a</a><a href='https://u:p@x/'>b</a>", "<p>ab</p>"),
        ("<a href=/x></a><a href=/y><img src=z></a>", ""),
        (
            "<a href=/x>a<a href=/y>b</a>c",
            "<p><a href=\"https://example.com/x\">a</a>\
             <a href=\"https://example.com/y\">b</a>c</p>",
        ),
        (
            "<a href=/x><h2>A</h2>b</a>",
            "<h2><a href=\"https://example.com/x\">A</a></h2>\
             <p><a href=\"https://example.com/x\">b</a></p>",
        ),
    ]);
    assert_eq!(to_html(&rich("<a href=/x>a</a>", None)), "<p>a</p>");
}

#[test]
fn lists_and_quotes_nest() {
    check(&[
        ("<ul><li>a<li>b</ul>", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        (
            "<ol start=3><li>a<ul><li>b</ul>c</ol>",
            "<ol start=\"3\"><li><p>a</p><ul><li><p>b</p></li></ul><p>c</p></li></ol>",
        ),
        ("<ol start=-3><li>a</ol>", "<ol start=\"1\"><li><p>a</p></li></ol>"),
        (
            "<ul><li>a</li><ul><li>b</li></ul></ul>",
            "<ul><li><p>a</p><ul><li><p>b</p></li></ul></li></ul>",
        ),
        ("<ul>a<li></li><li><hr></li></ul>", "<ul><li><p>a</p></li></ul>"),
        ("<li>a</li><li>b</li>c", "<ul><li><p>a</p></li><li><p>b</p></li></ul><p>c</p>"),
        (
            "<blockquote>a<blockquote><p>b</p></blockquote></blockquote>c",
            "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>",
        ),
        ("<blockquote><hr></blockquote><ul><li> </ul></blockquote></ul></li>", ""),
        (
            "<ul><li><b>a</li><li>b</li></ul>c",
            "<ul><li><p><b>a</b></p></li><li><p>b</p></li></ul><p>c</p>",
        ),
        (
            "<b><blockquote>a</b></blockquote>b</b>c",
            "<blockquote><p><b>a</b></p></blockquote><p><b>b</b>c</p>",
        ),
        (
            "<dl><dt>a</dt><dd>b</dd><dt>c<dd>d</dl>",
            "<p><b>a</b></p><p>b</p><p><b>c</b></p><p>d</p>",
        ),
    ]);
}

#[test]
fn tables_keep_their_rows_and_cells() {
    check(&[
        (
            "<table><thead><tr><th>a</th><th>b</th></tr></thead>\n<tbody>\n<tr>\n<td>1</td>\n\
             <td>2</td>\n</tr><tr><td></td><td>3</td></tr></tbody></table>x",
            "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr>\
             <tr><td></td><td>3</td></tr></table><p>x</p>",
        ),
        (
            "<table><caption>C</caption><tr><td><p>a</p><p>b<td><b>c<tr><td>d<td>e</table>f",
            "<p>C</p><table><tr><td>a<br>b</td><td><b>c</b></td></tr>\
             <tr><td>d</td><td>e</td></tr></table><p>f</p>",
        ),
        (
            "<ul><li><table><tr><th>a<td>b<tr><td>c<td></li>d</table></ul>",
            "<ul><li><table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>\
             </li></ul>",
        ),
    ]);
}

#[test]
fn tables_that_lay_out_a_page_become_lines() {
    check(&[
        ("<table><tr><td>a<td><p>b</p></table>", "<p>a</p><p>b</p>"),
        ("<table><tr><td>a<tr><td>b<tr><td> <td></table>", "<p>a<br>b</p>"),
        ("<table><tr><td>a<td>b</table>", "<p>a | b</p>"),
        (
            "<table><tr><td>a<td><ul><li>b</ul><tr><td>c<td>d</table>",
            "<p>a</p><ul><li><p>b</p></li></ul><p>c | d</p>",
        ),
        (
            "<table><tr><td><table><tr><td>a<td>b<tr><td>c<td>d</table></table>",
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        ),
    ]);
    let long = "x".repeat(300);
    assert!(told(&format!("<table><tr><td>{long}<td>a<tr><td>b<td>c</table>")).starts_with("<p>"));
}

#[test]
fn details_are_an_expandable_quote_under_their_summary() {
    check(&[
        (
            "<details><summary>S</summary>a<p>b</p></details>c",
            "<blockquote expandable><p><b>S</b></p><p>a</p><p>b</p></blockquote><p>c</p>",
        ),
        ("<blockquote expandable>a</blockquote>", "<blockquote expandable><p>a</p></blockquote>"),
        ("<mark>a</mark><spoiler>b</spoiler>", "<p><b>a</b><tg-spoiler>b</tg-spoiler></p>"),
    ]);
}

#[test]
fn code_keeps_its_white_space() {
    check(&[
        ("<pre>\n\n  a\r\n\t<b>b</b>  \n\n</pre>c", "<pre>  a\n\tb</pre><p>c</p>"),
        (
            "<pre class=x><code class='hl language-C++'>a&lt;b<br>c</code></pre>",
            "<pre><code class=\"language-c++\">a&lt;b\nc</code></pre>",
        ),
        ("<pre><div>a</div><div>b</div></pre>", "<pre>a\nb</pre>"),
        ("<pre> \n </pre>a<pre/>b", "<p>a</p><p>b</p>"),
        ("<pre class='lang-\"x'>a", "<pre>a</pre>"),
    ]);
}

#[test]
fn sec_t05_what_acts_is_dropped_with_its_content() {
    check(&[
        ("a<script>alert(1)</script>b<style>x</style>c", "<p>abc</p>"),
        ("a<iframe src=x>y</iframe><noscript><p>n</p></noscript>b", "<p>ab</p>"),
        ("a<svg onload=x><text>t</text></svg><template><b>t</b></template>b", "<p>ab</p>"),
        ("a<form><input value=x><button>go</button><textarea>t</textarea></form>", "<p>a</p>"),
        ("a<video><p>Get a browser</p></video><select><option>o</select>b", "<p>ab</p>"),
        ("<p onclick=x style=y>a</p>", "<p>a</p>"),
    ]);
}

#[test]
fn sec_t07_hidden_characters_do_not_come_through() {
    check(&[
        ("<b>a\u{202e}b</b>&#x200b;&#8238;c&#0;", "<p><b>ab</b>c\u{fffd}</p>"),
        ("<pre>a\u{2066}b\u{1b}</pre>", "<pre>ab</pre>"),
        ("e&#x301;<b>\u{301}</b>", "<p>é<b>\u{301}</b></p>"),
    ]);
}

#[test]
fn sec_l01_text_and_pieces_are_bounded() {
    let text = rich(&"word ".repeat(400_000), None).plain();
    assert!(text.len() <= TEXT_BYTES_MAX && text.len() > TEXT_BYTES_MAX * 3 / 4);
    let blocks = rich(&"<p>a".repeat(400_000), None).blocks;
    assert!(blocks.len() <= PIECES_MAX);
    let href = format!("<a href=http://x/{}>a</a> ", "y".repeat(2_000));
    let linked = rich(&href.repeat(5_000), None);
    assert!(to_html(&linked).len() < 2 * TEXT_BYTES_MAX);
}

#[test]
fn sec_l12_hostile_input_takes_linear_time() {
    let unit_counts = [
        ("<div>", 1_600_000),
        ("<blockquote>", 700_000),
        ("<ul><li>", 1_000_000),
        ("<b><i><a href=/x>", 450_000),
        ("<span class=spoiler><blockquote></blockquote>", 180_000),
        ("<table><tr><td>", 550_000),
        ("<p>a</b></ul></blockquote>", 320_000),
        ("<a a=\"", 1_100_000),
        ("&ampx&#x41", 800_000),
        ("<!--", 2_000_000),
        ("</script", 1_000_000),
        ("<script>", 1_000_000),
        ("<svg>", 1_600_000),
        ("\u{301}", 4_000_000),
    ];
    for (unit, count) in unit_counts {
        let html = unit.repeat(count / 4);
        let started = Instant::now();
        let tree = rich(&html, None);
        assert!(depth(&tree.blocks) <= DEPTH_MAX, "{unit}");
        // Far above what it takes on a busy machine: only a square shows.
        assert!(started.elapsed().as_secs() < 20, "{unit}: {:?}", started.elapsed());
    }
    let attributes: String = (0..250_000).map(|at| format!(" a{at}")).collect();
    let started = Instant::now();
    assert!(!rich(&format!("<a{attributes} href=http://x/>a</a>"), None).is_empty());
    assert!(started.elapsed().as_secs() < 20);
}

fn depth(blocks: &[Block]) -> usize {
    let of = |block: &Block| match block {
        Block::Paragraph(content) | Block::Heading { content, .. } => inline_depth(content),
        Block::List { items, .. } => items.iter().map(|it| depth(it)).max().unwrap_or(0),
        Block::Quote { blocks, .. } => depth(blocks),
        Block::Table { rows, .. } => {
            rows.iter().flatten().map(|cell| inline_depth(cell)).max().unwrap_or(0)
        }
        Block::Code { .. } | Block::Rule => 0,
    };
    blocks.iter().map(|block| 1 + of(block)).max().unwrap_or(0)
}

fn inline_depth(content: &[Inline]) -> usize {
    content.iter().map(|it| 1 + it.content().map_or(0, inline_depth)).max().unwrap_or(0)
}

/// Every rule of the tree that its documentation states.
fn assert_well_formed(blocks: &[Block]) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => {
                assert_line(content);
                assert_ne!(content.first(), Some(&Inline::Break));
                assert_ne!(content.last(), Some(&Inline::Break));
            }
            Block::List { items, .. } => {
                assert!(!items.is_empty());
                items.iter().for_each(|item| assert_well_formed(item));
                assert!(items.iter().all(|item| !item.is_empty()));
            }
            Block::Quote { blocks: inner, .. } => {
                assert!(!inner.is_empty());
                assert_well_formed(inner);
            }
            Block::Code { text, .. } => assert!(!text.trim().is_empty()),
            Block::Table { rows, .. } => {
                assert!(rows.len() >= 2);
                let cells = rows.iter().flatten().filter(|cell| !cell.is_empty());
                cells.for_each(|cell| assert_line(cell));
            }
            Block::Rule => {}
        }
    }
}

fn assert_line(content: &[Inline]) {
    assert!(!content.is_empty());
    for inline in content {
        match inline {
            Inline::Text(text) | Inline::Code(text) => {
                assert!(!text.is_empty() && !text.contains('\n') && !text.contains("  "));
            }
            Inline::Link { href, .. } => assert!(address(href, None).is_some()),
            _ => {}
        }
        inline.content().into_iter().for_each(assert_line);
    }
    let pairs = content.windows(2);
    let is_split = |pair: &[Inline]| {
        matches!(pair, [Inline::Text(_), Inline::Text(_)] | [Inline::Bold(_), Inline::Bold(_)])
    };
    assert!(!pairs.into_iter().any(is_split), "{content:?}");
}

fn soup() -> impl Strategy<Value = String> {
    let names = "(b|i|u|s|code|a|span|p|div|h2|ul|ol|li|blockquote|pre|br|hr|tr|td|th|table|q|sup\
                 |dt|dd|details|summary|script|svg|xyz)";
    let tag = |regex: &str| prop::string::string_regex(regex).unwrap();
    let pieces = prop_oneof![
        tag(&format!("<{names}( class=\"(spoiler|language-x)\")?>")),
        tag(&format!("</{names}>")),
        tag(&format!("<{names}/>")),
        "<a href=\"(https://example.com/[a-z&<' ]{0,4}|/x|javascript:x|//u@h/)\">",
        "[ a-z\n]{1,6}",
        "&(amp|lt|nbsp|#8203|#x301|copy)?;?",
        "[<>&\"'=/!-]{1,3}",
        "(\\PC|\\p{M}|[\u{200c}\u{200d}\u{fe0f}\u{344}\u{212a}\u{a0}]){1,4}",
        "\\PC{1,5}",
    ]
    .boxed();
    let cell = (0..5usize, "<t[dh]>", prop::collection::vec(pieces.clone(), 0..3)).prop_map(
        |(row, cell, content)| {
            let row = if row == 0 { "<tr>" } else { "" };
            format!("{row}{cell}{}", content.concat())
        },
    );
    let table = prop::collection::vec(cell, 0..12)
        .prop_map(|cells| format!("<table>{}</table>", cells.concat()));
    let pieces = prop_oneof![12 => pieces, 1 => table];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_html_gives_a_tree_that_keeps_its_rules(html in soup()) {
        let base = Url::parse("https://example.com/").ok();
        let tree = rich(&html, base.as_ref());
        prop_assert!(depth(&tree.blocks) <= DEPTH_MAX);
        assert_well_formed(&tree.blocks);
        let written = to_html(&tree);
        prop_assert_eq!(rich(&written, None), tree, "{}", written);
    }

    #[test]
    fn any_text_gives_a_tree(text in "\\PC*") {
        assert_well_formed(&rich(&text, None).blocks);
    }
}
