//! Selectors, patterns and formats of dates, as an editor may write them, over a small page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::page;
use tidings::model::source::{PageField, PageRules};
use url::Url;

const PAGE: &str = "<main><article class=post id=a><h2><a href=/one>One</a></h2><time datetime=\
    '2026-11-01'>1. November</time><p>Words</p><img src=a.png></article><article class='post top'>\
    <h2><a href=/two>Two</a></h2><p>More</p></article></main>";

fuzz_target!(|text: &str| {
    let base = Url::parse("https://example.com/").expect("an address");
    let mut lines = text.lines();
    let item = lines.next().map(str::to_owned);
    let mut field = || lines.next().map(PageField::parse);
    let mut rules = PageRules {
        item,
        title: field(),
        link: field(),
        date: field(),
        ..PageRules::default()
    };
    if let Some(date) = &mut rules.date {
        date.regex = lines.next().map(str::to_owned);
        date.format = lines.next().map(str::to_owned);
    }
    let is_right = page::check(&rules).is_empty();
    let read = page::read(PAGE.as_bytes(), None, &base, &rules, 100);
    assert!(is_right || read.is_err(), "rules with problems were used");
});
