//! Settings and layouts, read together: all that can be wrong before anything is opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::admin::desk::ReadRule;
use crate::config::{self, Config, Problem, Secrets};
use crate::converse::commands;
use crate::extract::page;
use crate::model::audience::PeopleRule;
use crate::model::channel::ChannelKind;
use crate::model::condition::Condition;
use crate::model::name::Name;
use crate::model::pattern::Pattern;
use crate::model::phrase::Phrase;
use crate::model::rich::RichText;
use crate::model::source::PageRules;
use crate::render::{self, Layouts, expression};

/// Settings and layouts that fit each other.
pub struct Setup {
    pub config: Arc<Config>,
    pub layouts: Arc<Layouts>,
    pub warnings: Vec<String>,
}

impl Setup {
    /// Reads everything that can be wrong before the store is opened.
    ///
    /// # Errors
    /// Every problem of every file, one line or two each.
    pub fn load(
        path: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<String>> {
        Self::load_with(path, environment, Secrets::Needed).map_err(|all| shown(&all))
    }

    /// As [`Setup::load`], for those who use no secrets.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn load_with(
        path: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
        secrets: Secrets,
    ) -> Result<Self, Vec<Problem>> {
        let mut compiled = Err(Vec::new());
        let mut names = |folder: &Path| {
            compiled = compiled_from(folder);
            let layouts = compiled.as_ref().ok()?;
            Some(layouts.names().into_iter().collect())
        };
        let loaded = config::load_with(path, environment, &mut names, &Rules, secrets);
        let (loaded, layouts) = match (loaded, compiled) {
            (Ok(loaded), Ok(layouts)) => (loaded, layouts),
            (loaded, compiled) => {
                let mut problems = loaded.err().unwrap_or_default();
                problems.extend(compiled.err().into_iter().flatten());
                return Err(problems);
            }
        };
        let layouts = layouts.in_zone(loaded.config.days.zone());
        Ok(Self {
            config: Arc::new(loaded.config),
            layouts: Arc::new(layouts),
            warnings: shown(&loaded.warnings),
        })
    }

    pub(crate) fn kinds(&self) -> BTreeMap<Name, ChannelKind> {
        self.config.channels.iter().map(|one| (one.name.clone(), one.kind())).collect()
    }
}

impl Setup {
    /// Reads expressions over subscribers with the topics and channels of the settings.
    pub(crate) fn rules(&self) -> ReadRule {
        let config = Arc::clone(&self.config);
        Arc::new(move |text: &str| {
            let topics: Vec<Name> = config.topics.keys().cloned().collect();
            let channels: Vec<Name> = config.channels.iter().map(|one| one.name.clone()).collect();
            let profile: Vec<Name> = config.profile.iter().map(|one| one.name.clone()).collect();
            let named =
                expression::Named { topics: &topics, channels: &channels, profile: Some(&profile) };
            expression::audience(text, named).map_err(|faults| {
                let line = |(problem, hint): (String, Option<String>)| match hint {
                    Some(hint) => format!("{problem}\n  hint: {hint}"),
                    None => problem,
                };
                told(faults).into_iter().map(line).collect::<Vec<_>>().join("\n")
            })
        })
    }
}

/// What the readers of pages and the judges of conditions say of the settings.
pub(super) struct Rules;

impl config::Checks for Rules {
    fn page(&self, rules: &PageRules) -> Vec<(&'static str, String)> {
        page::check(rules)
    }

    fn condition(
        &self,
        text: &str,
        sources: &[Name],
    ) -> Result<Condition, Vec<(String, Option<String>)>> {
        expression::condition(text, sources).map_err(told)
    }

    fn audience(
        &self,
        text: &str,
        topics: &[Name],
        channels: &[Name],
        profile: Option<&[Name]>,
    ) -> Result<PeopleRule, Vec<(String, Option<String>)>> {
        let named = expression::Named { topics, channels, profile };
        expression::audience(text, named).map_err(told)
    }

    fn html(&self, text: &str) -> RichText {
        render::words(text)
    }

    fn phrase(&self, text: &str) -> Result<Phrase, Vec<(String, Option<String>)>> {
        expression::phrase(text).map_err(told)
    }

    fn pattern(&self, text: &str) -> Result<Pattern, String> {
        expression::pattern(text)
    }

    fn command(&self, name: &str) -> Option<String> {
        commands::payload_of(name)
    }

    fn is_command(&self, words: &str) -> bool {
        commands::is_said(words)
    }
}

/// What is wrong with an expression, each with its hint.
fn told(faults: Vec<expression::Fault>) -> Vec<(String, Option<String>)> {
    faults.into_iter().map(|fault| (fault.problem, fault.hint)).collect()
}

fn shown(problems: &[impl ToString]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// The folder's layouts; a folder that is not there has none, and those that come with us serve.
///
/// # Errors
/// Every problem of every file, one line or two each.
pub fn layouts(folder: &Path) -> Result<Layouts, Vec<String>> {
    compiled_from(folder).map_err(|problems| shown(&problems))
}

fn compiled_from(folder: &Path) -> Result<Layouts, Vec<Problem>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => {
            entries.collect::<Result<Vec<_>, _>>().map_err(|error| unread(folder, &error))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(unread(folder, &error)),
    };
    let mut files = Vec::new();
    for path in entries.iter().map(std::fs::DirEntry::path) {
        if path.extension().is_some_and(|extension| extension == "html") {
            let text = std::fs::read_to_string(&path).map_err(|error| unread(&path, &error))?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Layouts::compile(files).map_err(|problems| problems.into_iter().map(of_layout).collect())
}

fn unread(path: &Path, error: &std::io::Error) -> Vec<Problem> {
    vec![Problem {
        path: path.to_owned(),
        line: 1,
        column: 1,
        key: String::new(),
        problem: error.to_string(),
        hint: None,
    }]
}

fn of_layout(problem: render::Problem) -> Problem {
    let render::Problem { path, line, column, problem, hint } = problem;
    Problem { path: path.into(), line, column, key: String::new(), problem, hint }
}
