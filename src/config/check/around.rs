//! What every check may look at: what the files lie in, and the names that they give.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::config::problem::Place;
use crate::model::audience::PeopleRule;
use crate::model::condition::Condition;
use crate::model::name::Name;
use crate::model::pattern::Pattern;
use crate::model::phrase::Phrase;
use crate::model::rich::RichText;
use crate::model::source::PageRules;

/// What only others can tell of the settings.
pub trait Checks {
    /// What is wrong with the rules of a page, which only their reader can tell: the key of each
    /// field below `select`, and one line.
    fn page(&self, rules: &PageRules) -> Vec<(&'static str, String)>;

    /// The condition that a text is, or all that is wrong with it: each in one line, perhaps with a
    /// hint. It is over items of these sources: of none that are known, of whatever source.
    ///
    /// # Errors
    /// What is wrong with it.
    fn condition(
        &self,
        text: &str,
        sources: &[Name],
    ) -> Result<Condition, Vec<(String, Option<String>)>>;

    /// The rule over subscribers that a text is, as [`Checks::condition`]; it may compare with
    /// these topics and channels, and name these fields of the profile: of `None` any.
    ///
    /// # Errors
    /// What is wrong with it.
    fn audience(
        &self,
        text: &str,
        topics: &[Name],
        channels: &[Name],
        profile: Option<&[Name]>,
    ) -> Result<PeopleRule, Vec<(String, Option<String>)>>;

    /// The text that HTML is.
    fn html(&self, text: &str) -> RichText;

    /// The phrase that a text is, or all that is wrong with it, as for conditions. Who judges none
    /// takes each for plain words.
    ///
    /// # Errors
    /// What is wrong with it.
    fn phrase(&self, text: &str) -> Result<Phrase, Vec<(String, Option<String>)>> {
        Ok(Phrase::plain(text))
    }

    /// The pattern that a text is. Who judges none looks for the text itself.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    fn pattern(&self, text: &str) -> Result<Pattern, String> {
        Ok(Pattern::plain(text))
    }

    /// What a button for a command of the chat says, by the command's name; `None` where there is
    /// no such command.
    fn command(&self, _name: &str) -> Option<String> {
        None
    }

    /// Whether a person who writes this has said a command already, so that no reply of an editor
    /// answers it.
    fn is_command(&self, _words: &str) -> bool {
        false
    }
}

/// Finds fault with nothing.
#[cfg(test)]
pub(crate) struct NoFaults;

#[cfg(test)]
impl Checks for NoFaults {
    fn page(&self, _: &PageRules) -> Vec<(&'static str, String)> {
        vec![]
    }

    fn condition(
        &self,
        text: &str,
        _: &[Name],
    ) -> Result<Condition, Vec<(String, Option<String>)>> {
        Ok(Condition::new(text, std::sync::Arc::new(|_, _, _| Ok(true))))
    }

    fn audience(
        &self,
        text: &str,
        _: &[Name],
        _: &[Name],
        _: Option<&[Name]>,
    ) -> Result<PeopleRule, Vec<(String, Option<String>)>> {
        Ok(PeopleRule::new(text, std::sync::Arc::new(|_| Ok(true))))
    }

    fn html(&self, text: &str) -> RichText {
        RichText::from_plain(text)
    }
}

/// What is done with the secrets that the settings name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are used: one that can't be read is a problem.
    Needed,
    /// Only looked at: that nobody has prepared a folder of credentials here is a warning, and the
    /// secret stays empty. Whatever else is wrong with one is a problem.
    LookedAt,
    /// Nobody needs them: all stay empty.
    LeftAlone,
}

/// What the files lie in.
pub(crate) struct Surroundings<'a> {
    /// The folder of the sysadmin's file; relative paths start here.
    pub folder: &'a Path,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub rules: &'a dyn Checks,
    pub secrets: Secrets,
    /// Every file was read. When one was not, a name that is not known may stand there.
    pub is_complete: bool,
}

impl Surroundings<'_> {
    /// The path from the root; `None` for an empty one and for one that climbs.
    pub fn absolute(&self, path: &str) -> Option<PathBuf> {
        let climbs = Path::new(path).components().any(|part| part == Component::ParentDir);
        if path.is_empty() || path.contains('\0') || climbs {
            return None;
        }
        std::path::absolute(self.folder.join(path)).ok()
    }
}

/// The names of one kind, in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub names: Vec<Name>,
    pub places: HashMap<Name, Place>,
}

impl Known {
    pub fn get(&self, name: &str) -> Option<&Name> {
        self.places.get_key_value(name).map(|(name, _)| name)
    }
}
