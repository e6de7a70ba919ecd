//! What every check may look at: what the files lie in, and the names that they give.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::config::problem::Place;
use crate::model::condition::Condition;
use crate::model::name::Name;
use crate::model::phrase::Phrase;
use crate::model::source::PageRules;

/// What only others can tell of the settings.
pub trait Checks {
    /// What is wrong with the rules of a page, which only their reader can tell: the key of each
    /// field below `select`, and one line.
    fn page(&self, rules: &PageRules) -> Vec<(&'static str, String)>;

    /// The condition that a text is, or all that is wrong with it: each in one line, perhaps with a
    /// hint.
    ///
    /// # Errors
    /// What is wrong with it.
    fn condition(&self, text: &str) -> Result<Condition, Vec<(String, Option<String>)>>;

    /// The phrase that a text is, or all that is wrong with it, as for conditions. Who judges none
    /// takes each for plain words.
    ///
    /// # Errors
    /// What is wrong with it.
    fn phrase(&self, text: &str) -> Result<Phrase, Vec<(String, Option<String>)>> {
        Ok(Phrase::plain(text))
    }
}

/// A check of pages alone: no condition is judged, whatever it says it holds.
impl<F: Fn(&PageRules) -> Vec<(&'static str, String)>> Checks for F {
    fn page(&self, rules: &PageRules) -> Vec<(&'static str, String)> {
        self(rules)
    }

    fn condition(&self, text: &str) -> Result<Condition, Vec<(String, Option<String>)>> {
        Ok(Condition::new(text, Arc::new(|_, _, _| Ok(true))))
    }
}

/// See [`Checks`].
pub type PageCheck<'a> = dyn Checks + 'a;

/// What the files lie in.
pub(crate) struct Surroundings<'a> {
    /// The folder of the sysadmin's file; relative paths start here.
    pub folder: &'a Path,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub rules: &'a PageCheck<'a>,
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
