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
    assert_eq!(layouts.names(), Layouts::compile(vec![]).unwrap().names());
}

/// What `tidings layout …` prints, and its exit code.
fn layout(args: &[&str]) -> (i32, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tidings"))
        .arg("layout")
        .args(args)
        .args(["--config", "/nowhere/tidings.toml"])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), printed + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_layouts_that_come_with_us_look_as_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts");
    let (code, told) = layout(&["test", "--folder", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{told}\n`tidings layout test --folder layouts --accept` accepts it");
}

#[test]
fn a_layout_is_compared_with_what_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("mine.html"), text).unwrap();
    write("<p>{{ item.title }}</p>");
    let test = |more: &[&str]| layout(&[&["test", "--folder", path], more].concat());
    let (code, told) = test(&[]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("new       mine.telegram.txt"), "{told}");
    assert!(told.contains("new       mine.messenger.txt"), "{told}");

    write("<p>{{ item.title or item.text }}</p>");
    assert_eq!(test(&["--accept"]).0, 0);
    let kept = std::fs::read_to_string(folder.path().join("snapshots/mine.telegram.txt")).unwrap();
    assert!(kept.contains("A title with <angles> & an ampersand"), "{kept}");
    let (code, told) = test(&[]);
    assert_eq!((code, told.trim()), (0, "1 layout: 2 snapshots, 2 as accepted"));

    write("<p>New: {{ item.title or item.text }}</p>");
    let (code, told) = test(&["mine"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("-A title with <angles>"), "{told}");
    assert!(told.contains("+New: A title with <angles>"), "{told}");
    let (code, told) = test(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["faults"]), (1, &serde_json::json!(2)));

    std::fs::create_dir(folder.path().join("fixtures")).unwrap();
    let feed = "<rss version='2.0'><channel><item><title>Our own</title></item></channel></rss>";
    std::fs::write(folder.path().join("fixtures/own.xml"), feed).unwrap();
    assert_eq!(test(&["--accept"]).0, 0);
    let kept = std::fs::read_to_string(folder.path().join("snapshots/mine.telegram.txt")).unwrap();
    assert!(kept.contains("═══ own.xml") && kept.contains("New: Our own"), "{kept}");

    std::fs::remove_file(folder.path().join("mine.html")).unwrap();
    let (code, told) = test(&[]);
    assert!(code == 1 && told.contains("unused    mine.messenger.txt"), "{told}");
}

#[test]
fn where_there_is_nothing_to_test_the_folder_is_named() {
    for what in [&["test"][..], &["list"], &["show", "article"]] {
        let (code, told) = layout(&[what, &["--folder", "/nowhere/layouts"]].concat());
        assert!(code == 78 && told.contains("no folder `/nowhere/layouts`"), "{code} {told}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, told) = layout(&["test", "--folder", path]);
    assert!(code == 1 && told.contains(path) && told.contains("article.ro.html"), "{code} {told}");
}

#[test]
fn a_layout_that_comes_with_us_can_be_copied() {
    let (code, told) = layout(&["show", "article.ro"]);
    assert_eq!((code, told.as_str()), (0, include_str!("../layouts/article.ro.html")));
    let (code, told) = layout(&["show", "no-such"]);
    assert!(code == 1 && told.contains("no layout `no-such`"), "{told}");
    let (code, told) = layout(&["list"]);
    assert!(code == 0 && told.contains("podcast-episode"), "{told}");
}
