//! The readers of markup over documents that others wrote.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidings::markup::{clean, plain, rich, to_html};

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

#[test]
fn real_documents_are_read_once_and_for_all() {
    let Some(corpus) = std::env::var_os("TIDINGS_CORPUS") else {
        println!("left out: TIDINGS_CORPUS names no corpus");
        return;
    };
    let base = url::Url::parse("https://example.com/a/b").unwrap();
    let mut texts = 0;
    for path in files_below(Path::new(&corpus)) {
        let document = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        // A feed holds escaped markup, so what is decoded once is read as well.
        for html in [plain(&document), document] {
            let started = Instant::now();
            let tree = rich(&html, Some(&base));
            let words = plain(&html);
            assert!(started.elapsed() < Duration::from_secs(5), "{}", path.display());
            assert!(rich(&to_html(&tree), None) == tree, "{}", path.display());
            assert_eq!(clean(&words), words, "{}", path.display());
            texts += 1;
        }
    }
    println!("{texts} texts");
    assert!(texts > 0);
}
