//! `tidings replay` of catalogs, as scripts use it: the lines that it prints.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Products as `(id, title, price, availability)`, written as a Merchant feed.
fn merchant(products: &[(&str, &str, &str, &str)]) -> String {
    let mut items = String::new();
    for (id, title, price, availability) in products {
        write!(
            items,
            "<item><g:id>{id}</g:id><title>{title}</title><link>https://shop.example/{id}</link>\
             <g:price>{price}</g:price><g:availability>{availability}</g:availability></item>"
        )
        .unwrap();
    }
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" \
         xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>Shop</title>\
         {items}</channel></rss>"
    )
}

/// The lines that a replay of the versions prints, and its exit code.
fn replay(versions: &[String], options: &[&str]) -> (Vec<Value>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = versions
        .iter()
        .enumerate()
        .map(|(number, version)| {
            let file = folder.path().join(format!("{number:02}.xml"));
            std::fs::write(&file, version).unwrap();
            file
        })
        .collect();
    let tidings = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .arg("replay")
        .args(options)
        .args(files)
        .output()
        .unwrap();
    let lines = String::from_utf8(tidings.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, tidings.status.code())
}

const CATALOG: [&str; 2] = ["--kind", "catalog"];

#[test]
fn every_kind_of_change_is_one_line() {
    let rest = ("9", "Rest", "1 EUR", "in_stock");
    let versions = [
        merchant(&[
            ("1", "Cheaper", "10 EUR", "in_stock"),
            ("2", "Dearer", "10 EUR", "in_stock"),
            ("3", "Back", "10 EUR", "out_of_stock"),
            ("4", "Sold", "10 EUR", "in_stock"),
            ("5", "Edited", "10 EUR", "in_stock"),
            rest,
        ]),
        merchant(&[
            ("6", "Fresh", "5 EUR", "in_stock"),
            ("1", "Cheaper", "7.50 EUR", "in_stock"),
            ("2", "Dearer", "12 EUR", "in_stock"),
            ("3", "Back", "10 EUR", "in_stock"),
            ("4", "Sold", "10 EUR", "out_of_stock"),
            ("5", "Edited well", "10 EUR", "in_stock"),
            rest,
        ]),
    ];
    let (lines, code) = replay(&versions, &CATALOG);
    assert_eq!(code, Some(0));
    let mut told: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
            assert_eq!(line["poll"], 1);
            assert_eq!(text("link"), format!("https://shop.example/{}", text("id")));
            ["id", "change", "title", "from", "to"].map(text).join(" ")
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "1 price-drop Cheaper 10.00 7.50",
            "2 price-rise Dearer 10.00 12.00",
            "3 back-in-stock Back - -",
            "4 out-of-stock Sold - -",
            "5 updated Edited well - -",
            "6 new Fresh - -",
        ]
    );
}

#[test]
fn what_is_gone_is_told_by_the_last_version_that_had_it() {
    let one = ("1", "One", "10 EUR", "in_stock");
    let two = ("2", "Two", "10 EUR", "in_stock");
    let mut versions = vec![merchant(&[one, two]); 2];
    versions.extend(vec![merchant(&[two]); 26]);
    versions.push(merchant(&[one, two]));
    let (lines, _) = replay(&versions, &CATALOG);
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line["poll"], line["change"], line["title"]))
        .collect();
    assert_eq!(told, ["26 \"gone\" \"One\"", "28 \"back-in-stock\" \"One\""]);
}

#[test]
fn a_held_flood_is_one_line_and_a_version_that_is_no_catalog_is_a_failed_poll() {
    let many: Vec<String> = (0..60).map(|id| id.to_string()).collect();
    let shop = |range: std::ops::Range<usize>| {
        let rows: Vec<_> =
            many[range].iter().map(|id| (id.as_str(), id.as_str(), "1 EUR", "in_stock")).collect();
        merchant(&rows)
    };
    let login = "<html><title>Log in</title></html>".to_owned();
    let versions = [shop(0..5), login.clone(), shop(0..60), shop(0..60)];
    let (lines, code) = replay(&versions, &CATALOG);
    assert_eq!(code, Some(0));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["poll"], &lines[0]["held"]), (&2.into(), &55.into()));
    assert_eq!(replay(&[login], &CATALOG), (vec![], Some(65)));
}
