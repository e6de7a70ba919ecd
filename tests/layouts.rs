//! Layouts as files: every problem of every file is told at once, at its place.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::path::Path;

use tidings::render::Layouts;

/// The layouts of a folder, by path and text.
fn files_of(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".html"))
        .map(|name| {
            let text = std::fs::read_to_string(folder.join(&name)).unwrap();
            (format!("layouts/{name}"), text)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let problems = Layouts::compile(files_of("tests/fixtures/layouts")).unwrap_err();
    let told: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    assert_eq!(told, include_str!("fixtures/layouts/problems.txt"));
}

#[test]
fn the_layouts_that_come_with_us_have_no_problem() {
    let layouts = Layouts::compile(files_of("layouts")).unwrap();
    let names: Vec<_> = layouts.names().into_iter().map(|name| name.to_string()).collect();
    let expected = [
        "article",
        "article-short",
        "back-in-stock",
        "digest",
        "digest-carousel",
        "event",
        "plain",
        "podcast-episode",
        "price-drop",
        "product-card",
        "video",
    ];
    assert_eq!(names, expected);
}
