//! Pages made to cost much: each is read, or refused, in a time that grows with its length alone.

use std::time::{Duration, Instant};

use tidings::extract::page::{self, article};
use tidings::extract::structured;
use tidings::model::source::{PageField, PageRules};
use tidings::model::time::Timestamp;
use url::Url;

/// How long one page of a MiB may take, in an unoptimised build on a busy machine: an optimised
/// one on an idle machine takes a twentieth.
const PAGE_TIME_MAX: Duration = Duration::from_secs(15);
const PAGE_BYTES: usize = 1 << 20;

/// Repeats what `part` gives for a growing number until a page is long enough.
fn page_of(part: impl Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(PAGE_BYTES + 1024);
    let mut number = 0;
    while out.len() < PAGE_BYTES {
        out.push_str(&part(number));
        number += 1;
    }
    out
}

fn script(json: &str) -> String {
    format!("<script type='application/ld+json'>{json}</script>")
}

fn pages() -> Vec<(&'static str, String)> {
    let deep = |open: &str| page_of(|_| open.to_owned());
    let offers = vec![r##"{"@id":"#p"}"##; 10_000].join(",");
    let names = (0..60).map(|n| format!("a{n}=b ")).collect::<String>();
    vec![
        ("nested blocks", deep("<div>")),
        ("nested formatting", page_of(|n| format!("<b id={n}>"))),
        ("formatting across paragraphs", page_of(|n| format!("<p><b id={n}>x"))),
        ("nested tables", deep("<table><tr><td>")),
        ("tables without ends", deep("<table><a>")),
        ("nested lists", deep("<ul><li>")),
        ("one tag with all attributes", format!("<p {}>x", page_of(|n| format!("a{n} ")))),
        ("tags with many attributes", page_of(|_| format!("<i {names}>"))),
        ("classes", page_of(|n| format!("<i class='{}'>", format!("c{n} ").repeat(50)))),
        ("unclosed tags", deep("<a href='x")),
        ("unclosed comments", deep("<!-- ")),
        ("only signs", deep("<")),
        ("ends", deep("</div>")),
        ("raw text", deep("<title>")),
        ("links", page_of(|n| format!("<li><a href='/some/page/{n}'>A name that is long {n}</a>"))),
        (
            "titles within titles",
            page_of(|n| format!("<div class='title item'><a href=/{n}>{n}</a>")),
        ),
        (
            "entries within entries",
            page_of(|n| {
                format!("<div class='h-entry hentry'><a class='u-url p-name' href=/{n}>{n}</a>")
            }),
        ),
        ("days", page_of(|n| format!("<p>1 May 20{n} 2 June 1 2024-1 <a href=/{n}>x</a>"))),
        ("entries of one feed", {
            let entries = page_of(|n| format!("<p class=h-entry><a class=u-url href=/{n}>{n}</a>"));
            format!("<div class=h-feed>{entries}")
        }),
        ("categories within categories", {
            let words = "some words, ".repeat(5_000);
            let tags = "<div class='p-category summary title dt-published'>".repeat(190);
            page_of(|n| {
                format!(
                    "<div class='h-entry post'><a class=u-url href=/{n}>{n}</a>{tags}{words}{}",
                    "</div>".repeat(191)
                )
            })
        }),
        ("only references", page_of(|_| "&amp;&lt;&nbsp;".to_owned())),
        (
            "a long base",
            format!(
                "<base href='/{}'>{}",
                "a/".repeat(8_000),
                page_of(|n| format!("<h2><a href={n}>x</a></h2>"))
            ),
        ),
        ("comments in data", script(&format!("{}-->", "<!--{".repeat(PAGE_BYTES / 5)))),
        ("items within items", page_of(|_| "<div itemscope itemprop='a b'>".to_owned())),
        ("properties", page_of(|n| format!("<div itemscope><p itemprop=a{n}>x"))),
        ("brackets", script(&"[".repeat(PAGE_BYTES))),
        ("values", script(&format!("[{}0]", "0,".repeat(PAGE_BYTES / 2)))),
        ("a broken string", script(&format!("{{\"a\": \"{}", "\\'\n".repeat(PAGE_BYTES / 3)))),
        (
            "references in a circle",
            script(&format!(
                r##"{{"@graph":[{{"@type":"Product","@id":"#p","name":"x","hasVariant":[{offers}],"offers":[{offers}]}}]}}"##
            )),
        ),
        (
            "paragraphs",
            page_of(|n| format!("<p>Words, and more words, of number {n}, that nobody reads.")),
        ),
    ]
}

#[test]
fn no_page_takes_long() {
    let base = Url::parse("https://e.com/").unwrap();
    let rules = PageRules {
        item: Some("div, li, p".into()),
        title: Some(PageField::parse("a")),
        link: Some(PageField::parse("div div a@href")),
        ..PageRules::default()
    };
    for (name, html) in pages() {
        let timed = |what: &str, read: &dyn Fn()| {
            let started = Instant::now();
            read();
            let took = started.elapsed();
            println!("{name}: {what}: {took:?}");
            assert!(took < PAGE_TIME_MAX, "{name}: {what}: {took:?}");
        };
        let read =
            |rules: &PageRules| drop(page::read(html.as_bytes(), None, &base, rules, 10_000));
        timed("list", &|| read(&PageRules::default()));
        timed("rules", &|| read(&rules));
        timed("products", &|| drop(structured::rows(&html, &base, Timestamp::default(), None)));
        timed("article", &|| drop(article::of_text(&html, &base)));
    }
}
