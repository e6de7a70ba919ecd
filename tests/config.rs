//! Settings full of mistakes: all of them are told at once, each with its place and a way out.

use std::path::Path;

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let env = |variable: &str| (variable == "HOME").then(|| "/home/me".to_owned());
    for name in ["mistakes", "syntax"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name);
        let path = folder.join("tidings.toml");
        let problems = tidings::config::load(
            &path,
            &env,
            &mut |_| None,
            &|_: &tidings::model::source::PageRules| vec![],
        )
        .unwrap_err();
        let root = format!("{}/", folder.display());
        let told: String =
            problems.iter().map(|each| format!("{each}\n").replace(&root, "")).collect();
        let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
        assert!(told == expected, "{name}: told:\n{told}");
        assert!(!told.contains("AAHplainly-here") && !told.contains("password@"), "a secret");
    }
}
