use std::io::Cursor;

use url::Url;

use super::*;
use crate::extract::XML_DEPTH_MAX;
use crate::extract::catalog::Options;

fn element(name: &str, around: &[&str], nests: bool) -> RowElement {
    let around = around.iter().map(|name| (*name).to_owned()).collect();
    RowElement { name: name.into(), around, nests }
}

/// The rows, each as it stands, and how the document ended.
fn rows(document: &str, element: &RowElement) -> String {
    let base = Url::parse("https://e.com/").unwrap();
    let options = Options::plain(&base);
    let mut source = Cursor::new(document.as_bytes().to_vec());
    let mut stream = Stream::open(&mut source, &options).unwrap();
    let mut rows = match Rows::new(&mut stream, element.clone()) {
        Ok(rows) => rows,
        Err(refusal) => return refusal.to_string(),
    };
    let mut out = String::new();
    let mut places = Vec::new();
    loop {
        match rows.next() {
            Ok(Next::Row { place, bytes }) => {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let at = usize::try_from(place).unwrap();
                assert_eq!(&document[at..at + text.len()], text);
                places.push((place, text.clone()));
                out.push_str(&text);
                out.push('|');
            }
            Ok(Next::Lost) => out.push_str("lost|"),
            Ok(Next::End { is_whole }) => {
                out.push_str(if is_whole { "whole" } else { "cut" });
                break;
            }
            Err(refusal) => return refusal.to_string(),
        }
    }
    // Each row is found again by its place.
    for (place, text) in places.into_iter().rev() {
        let mut again = Rows::at(&mut stream, element.clone(), Some(place)).unwrap();
        let Ok(Next::Row { bytes, .. }) = again.next() else { panic!("no row at {place}") };
        assert_eq!(bytes, text.as_bytes());
    }
    out
}

#[test]
fn rows_are_found_where_they_may_stand_only() {
    let item = || element("item", &[], false);
    for (document, expected) in [
        (
            "<rss><c><item>a</item> <item/><item b='1'>c</item ></c></rss>",
            "<item>a</item>|<item/>|<item b='1'>c</item >|whole",
        ),
        ("<rss><!-- <item>no</item> --><item>a</item></rss>", "<item>a</item>|whole"),
        ("<rss><t><![CDATA[<item>no</item>]]></t><item>a</item></rss>", "<item>a</item>|whole"),
        (
            "<rss><item><![CDATA[</item>]]>a</item><item>b</item></rss>",
            "<item><![CDATA[</item>]]>a</item>|<item>b</item>|whole",
        ),
        ("<rss><item><!--</item>-->a</item></rss>", "<item><!--</item>-->a</item>|whole"),
        ("<rss><items><item>a</item></items><itemx/></rss>", "<item>a</item>|whole"),
        ("<x:rss><x:item>a</x:item></x:rss>", "<x:item>a</x:item>|whole"),
        (
            "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a '<item>'>]><r><item>a</item></r>",
            "<item>a</item>|whole",
        ),
        ("<rss><item a='>'>a</item></rss>", "<item a='>'>a</item>|whole"),
    ] {
        assert_eq!(rows(document, &item()), expected, "{document}");
    }
}

#[test]
fn a_broken_row_costs_one_row() {
    let item = || element("item", &[], false);
    for (document, expected) in [
        ("<rss><item>a<item>b</item></rss>", "<item>a|<item>b</item>|whole"),
        ("<rss><item>a</item><item>b", "<item>a</item>|cut"),
        ("<rss><item>a</item>", "<item>a</item>|cut"),
        (
            "<rss><item><![CDATA[a</item><item><![CDATA[b]]></item></rss>",
            "<item><![CDATA[a</item>|<item><![CDATA[b]]></item>|whole",
        ),
        (
            "<rss><item><![CDATA[a</item><item><![CDATA[b</item><item><![CDATA[</item>]]>c</item></rss>",
            "<item><![CDATA[a</item>|<item><![CDATA[b</item>|<item><![CDATA[</item>]]>c</item>|whole",
        ),
        (
            "<rss><item><!-- a</item><item><!--</item>-->b</item><item><!--</item>-->c</item></rss>",
            "<item><!-- a</item>|<item><!--</item>-->b</item>|<item><!--</item>-->c</item>|whole",
        ),
        (
            "<rss><item><![CDATA[a</item><item>b</item></rss>",
            "<item><![CDATA[a</item>|<item>b</item>|whole",
        ),
        (
            "<br>Warning <b>x</b>\n<?xml version='1.0'?><rss><item>a</item></rss>junk",
            "<item>a</item>|whole",
        ),
        ("<rss><!-- never closed <item>a</item></rss>", "<item>a</item>|whole"),
        ("<rss><item>a</i></item></channel></rss>", "<item>a</i></item>|whole"),
    ] {
        assert_eq!(rows(document, &item()), expected, "{document}");
    }
    let long = format!("<rss><item>{}</item><item>b</item></rss>", "x".repeat(ROW_BYTES_MAX));
    assert_eq!(rows(&long, &item()), "lost|<item>b</item>|whole");
}

#[test]
fn a_path_tells_rows_from_elements_of_the_same_name() {
    let path = element("product", &["products"], true);
    let document = "<shop><product>no</product><products><product><id>1</id><related><product/>\
                    <product>x</product></related></product><product>2</product></products></shop>";
    let expected = "<product><id>1</id><related><product/><product>x</product></related></product>\
                    |<product>2</product>|whole";
    assert_eq!(rows(document, &path), expected);
}

#[test]
fn rows_longer_than_a_block_are_whole() {
    let text = "y".repeat(BLOCK_BYTES / 3);
    let document = format!("<r>{}</r>", format!("<item>{text}</item>").repeat(10));
    let expected = format!("{}whole", format!("<item>{text}</item>|").repeat(10));
    assert!(rows(&document, &element("item", &[], false)) == expected);
}

#[test]
fn sec_l08_nesting_beyond_the_limit_is_refused() {
    let deep = "<a>".repeat(XML_DEPTH_MAX + 1);
    assert_eq!(rows(&deep, &element("item", &[], false)), NotADocument::TooDeep.to_string());
    let deep = format!("<r>{}{}", "<p>".repeat(100), "</p>".repeat(100));
    assert_eq!(rows(&deep, &element("p", &[], true)), NotADocument::TooDeep.to_string());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(<r>|<item( a='[<>]')?/?>|</item>|</r>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<!D|[ a<>&'\"]|\\PC){0,40}",
        nests: bool,
    ) {
        let _ = rows(&format!("<r>{text}"), &element("item", &[], nests));
    }
}
