//! Settings full of mistakes: all of them are told at once, each with its place and a way out.

use std::path::Path;
use std::sync::Arc;

use tidings::config::Checks;
use tidings::model::audience::PeopleRule;
use tidings::model::condition::Condition;
use tidings::model::name::Name;
use tidings::model::rich::RichText;
use tidings::model::source::PageRules;

/// Finds fault with nothing.
struct Unruled;

impl Checks for Unruled {
    fn page(&self, _: &PageRules) -> Vec<(&'static str, String)> {
        vec![]
    }

    fn condition(
        &self,
        text: &str,
        _: &[Name],
    ) -> Result<Condition, Vec<(String, Option<String>)>> {
        Ok(Condition::new(text, Arc::new(|_, _, _| Ok(true))))
    }

    fn audience(
        &self,
        text: &str,
        _: &[Name],
        _: &[Name],
        _: Option<&[Name]>,
    ) -> Result<PeopleRule, Vec<(String, Option<String>)>> {
        Ok(PeopleRule::new(text, Arc::new(|_| Ok(true))))
    }

    fn html(&self, text: &str) -> RichText {
        RichText::from_plain(text)
    }
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let env = |variable: &str| (variable == "HOME").then(|| "/home/me".to_owned());
    for name in ["mistakes", "syntax"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name);
        let path = folder.join("tidings.toml");
        let problems = tidings::config::load(&path, &env, &mut |_| None, &Unruled).unwrap_err();
        let root = format!("{}/", folder.display());
        let told: String =
            problems.iter().map(|each| format!("{each}\n").replace(&root, "")).collect();
        let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
        assert!(told == expected, "{name}: told:\n{told}");
        assert!(!told.contains("AAHplainly-here") && !told.contains("password@"), "a secret");
    }
}
