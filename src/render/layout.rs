//! Layouts: compiled once, checked with sample items, chosen by language and channel.
//!
//! A layout is a template of the [`minijinja`] engine. It sees `items`, `item` (the first one),
//! `campaign`, `language` (of its variant) and `subscriber`, the filters of `filters/`, and other
//! layouts and parts by `include`; no file, no clock, no environment. What it prints is escaped but
//! for `summary` and `body`, which are written from the tree. Each render has fuel for
//! [`FUEL`](crate::render::engine::FUEL) instructions and room for
//! [`OUTPUT_BYTES_MAX`](crate::render::engine::OUTPUT_BYTES_MAX).
//!
//! An editor can still make one render slow or large on its way by joining text to itself; that
//! is caught by the output's limit, not before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Environment;

use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::zone::Zone;
use crate::render::check;
use crate::render::engine;
use crate::render::files::{FILES_MAX, File, Files, Setting, Variant};
use crate::render::filters;
use crate::render::message;
use crate::render::problem::Problem;
use crate::render::scene::{Person, Stage};
use crate::render::shipped::SHIPPED;

pub use crate::render::scene::Scene;

/// The part that has the words of our layouts, in each language.
const WORDING: &str = "_wording";

/// Longest layout file, in bytes.
pub const LAYOUT_BYTES_MAX: usize = 64 << 10;

/// A kind of channel and a language that a variant serves.
type Served = (ChannelKind, Option<String>);

/// All layouts, ready to render. Shared between threads as it is.
#[derive(Debug)]
pub struct Layouts {
    pub(super) environment: Environment<'static>,
    pub(super) files: Arc<Files>,
    /// Layouts that name `subscriber`.
    pub(super) personal: BTreeSet<String>,
    /// By whose clocks dates are shown that name no zone.
    pub(super) zone: Zone,
}

/// Why there is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The settings name a layout that is not there.
    #[error("rendering failed: there is no layout `{layout}`")]
    Unknown { layout: Name },
    /// The layout cannot render these items; neither can it at the next try.
    #[error("rendering with `{file}` failed: line {line}: {why}")]
    Failed { file: String, line: usize, why: String },
    /// The layout prints nothing for these items: there is nothing to send.
    #[error("rendering with `{file}` gave an empty message")]
    Empty { file: String },
}

/// What one kind of channel and language gets (`None`: every language without its own).
pub type Rendered = (ChannelKind, Option<String>, Result<Arc<Message>, RenderError>);

impl Layouts {
    /// Compiles and checks the files: each by its path as it is to be told, and its text. Files
    /// are named `NAME.html`, `NAME.LANGUAGE.html`, `NAME.KIND.html` or `NAME.LANGUAGE.KIND.html`;
    /// those whose name begins with `_` are no layouts, but parts that layouts include. The layouts
    /// that come with us are added where no file has their name. A layout that takes its words from
    /// `_wording.html` is there in each language of that.
    ///
    /// # Errors
    /// All problems of all files, in the order of path and line.
    pub fn compile(texts: Vec<(String, String)>) -> Result<Self, Vec<Problem>> {
        let mut files = Files::default();
        let mut problems = Vec::new();
        for (path, text) in texts {
            if let Err(problem) = add(&mut files, path, text) {
                problems.push(problem);
            }
        }
        add_shipped(&mut files);
        add_languages(&mut files);
        let layouts = Self::open(files, Zone::utc());
        problems.extend(check::check(&layouts));
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(layouts) } else { Err(problems) }
    }

    /// The same layouts with dates by the clocks of this zone, where they name none; without a word
    /// it is UTC.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Self {
        let environment = engine::environment(Arc::clone(&self.files), &zone);
        Self { environment, zone, ..self }
    }

    /// The layouts of these files, unchecked.
    pub(super) fn open(files: Files, zone: Zone) -> Self {
        let files = Arc::new(files);
        let environment = engine::environment(Arc::clone(&files), &zone);
        let personal = files
            .stems()
            .into_iter()
            .filter(|stem| names_subscriber(&environment, &files, stem))
            .map(str::to_owned)
            .collect();
        Self { environment, files, personal, zone }
    }

    /// The names of all layouts, each once.
    pub fn names(&self) -> BTreeSet<Name> {
        self.files.stems().into_iter().filter_map(|stem| Name::parse(stem).ok()).collect()
    }

    pub fn has(&self, layout: &Name) -> bool {
        self.files.has_stem(layout.as_str())
    }

    /// Whether the layout comes with us, and no file took its place.
    pub fn is_shipped(&self, layout: &Name) -> bool {
        self.files.variants(layout.as_str()).any(|(_, file)| file.is_shipped)
    }

    /// Whether the layout names `subscriber`: it is then rendered for each recipient.
    pub fn is_personal(&self, layout: &Name) -> bool {
        self.personal.contains(layout.as_str())
    }

    /// The languages for which the layout has variants of its own, sorted.
    pub fn languages(&self, layout: &Name) -> Vec<String> {
        let variants = self.files.variants(layout.as_str());
        let languages: BTreeSet<String> =
            variants.filter_map(|(variant, _)| variant.setting.language.clone()).collect();
        languages.into_iter().collect()
    }

    /// Renders items with the layout's best variant: for the language and the channel's kind, for
    /// the language, for the kind, for all. `en-GB` is served by `en` too. Of `subscriber` nothing
    /// is known.
    ///
    /// # Errors
    /// [`RenderError`]; none of its texts has words of an item.
    pub fn render(
        &self,
        layout: &Name,
        kind: ChannelKind,
        language: Option<&str>,
        items: &[Item],
        scene: &Scene<'_>,
    ) -> Result<Message, RenderError> {
        self.render_on(&Stage::new(&items.into(), scene), layout, kind, language, None)
    }

    /// Renders items for each kind of channel, for all languages and for each that the layout has a
    /// variant for. What is the same for several is rendered once.
    pub fn render_each(
        &self,
        stage: &Stage,
        layout: &Name,
        kinds: impl IntoIterator<Item = ChannelKind>,
    ) -> Vec<Rendered> {
        let mut languages = vec![None];
        languages.extend(self.languages(layout).into_iter().map(Some));
        let wanted = kinds
            .into_iter()
            .flat_map(|kind| languages.iter().map(move |language| (kind, language.clone())));
        let mut by_variant: BTreeMap<&Variant, (&File, Vec<Served>)> = BTreeMap::new();
        let mut set = Vec::new();
        for (kind, language) in wanted {
            match self.files.best(layout.as_str(), Some(kind), language.as_deref()) {
                Some((variant, file)) => {
                    by_variant.entry(variant).or_insert((file, vec![])).1.push((kind, language));
                }
                None => {
                    let unknown = RenderError::Unknown { layout: layout.clone() };
                    set.push((kind, language, Err(unknown)));
                }
            }
        }
        for (variant, (file, served)) in by_variant {
            let rendered = self.render_variant(stage, variant, file, None).map(Arc::new);
            set.extend(
                served.into_iter().map(|(kind, language)| (kind, language, rendered.clone())),
            );
        }
        set
    }

    /// Renders items that were made ready before for one person.
    ///
    /// # Errors
    /// As [`Layouts::render`].
    pub fn render_on(
        &self,
        stage: &Stage,
        layout: &Name,
        kind: ChannelKind,
        language: Option<&str>,
        person: Option<&Person>,
    ) -> Result<Message, RenderError> {
        let Some((variant, file)) = self.files.best(layout.as_str(), Some(kind), language) else {
            return Err(RenderError::Unknown { layout: layout.clone() });
        };
        self.render_variant(stage, variant, file, person)
    }

    fn render_variant(
        &self,
        stage: &Stage,
        variant: &Variant,
        file: &File,
        person: Option<&Person>,
    ) -> Result<Message, RenderError> {
        let message = message::of(&self.print(stage, variant, file, person)?);
        if message.modules.is_empty() {
            return Err(RenderError::Empty { file: file.name.clone() });
        }
        Ok(message)
    }

    /// The HTML that the variant prints.
    pub(super) fn print(
        &self,
        stage: &Stage,
        variant: &Variant,
        file: &File,
        person: Option<&Person>,
    ) -> Result<String, RenderError> {
        let template = engine::template(&variant.setting, &file.name);
        let context = stage.context(variant.setting.language.as_deref(), person);
        engine::print(&self.environment, &template, context).map_err(|error| {
            let error = engine::innermost(&error);
            RenderError::Failed {
                file: engine::file_of(error.name().unwrap_or(&template)).to_owned(),
                line: error.line().unwrap_or(1),
                // The engine's details may have words of an item.
                why: match error.detail().filter(|_| filters::is_ours(error)) {
                    Some(detail) => detail.to_owned(),
                    None => error.kind().to_string(),
                },
            }
        })
    }
}

fn add(files: &mut Files, path: String, text: String) -> Result<(), Problem> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(&path).to_owned();
    let at_start = |problem: &str| Problem::at(&path, &text, 0, problem.to_owned());
    let Some(variant) = Variant::parse(&name) else {
        let hint = "layouts are named NAME.html, NAME.LANGUAGE.html, NAME.KIND.html or \
                    NAME.LANGUAGE.KIND.html; KIND is telegram or messenger";
        return Err(at_start("this is no name of a layout").with_hint(hint.to_owned()));
    };
    if text.len() > LAYOUT_BYTES_MAX {
        return Err(at_start("a layout has at most 64 kB"));
    }
    if files.has(&variant) {
        return Err(at_start("there is another layout of this name"));
    }
    if files.len() >= FILES_MAX {
        return Err(at_start("there are more than 1,000 layouts"));
    }
    files.add(variant, File { name, path, text, is_shipped: false });
    Ok(())
}

/// An editor's layout is never mixed with variants that are not theirs.
fn add_shipped(files: &mut Files) {
    let variants: Vec<_> = SHIPPED
        .into_iter()
        .filter_map(|(name, text)| Some((Variant::parse(name)?, name, text)))
        .filter(|(variant, ..)| !files.has_stem(&variant.stem))
        .collect();
    for (variant, name, text) in variants {
        let (name, path, text) = (name.to_owned(), name.to_owned(), text.to_owned());
        files.add(variant, File { name, path, text, is_shipped: true });
    }
}

/// A layout that takes its words from [`WORDING`] is there in each language that has such words,
/// but for those for which the layout has files of its own.
fn add_languages(files: &mut Files) {
    let words = files.variants(WORDING).filter(|(words, _)| words.setting.kind.is_none());
    let languages: Vec<String> =
        words.filter_map(|(words, _)| words.setting.language.clone()).collect();
    let mut more = Vec::new();
    for (variant, file) in files.all() {
        let is_for_all = !variant.is_part() && variant.setting.language.is_none();
        let is_wording =
            |part: &&File| Variant::parse(&part.name).is_some_and(|it| it.stem == WORDING);
        if !is_for_all || !files.closure(file, &variant.setting).iter().any(is_wording) {
            continue;
        }
        for language in &languages {
            let is_it = |own: &Variant| own.setting.language.as_ref() == Some(language);
            if !files.variants(&variant.stem).any(|(own, _)| is_it(own)) {
                let setting =
                    Setting { language: Some(language.clone()), ..variant.setting.clone() };
                more.push((Variant { setting, ..variant.clone() }, file.clone()));
            }
        }
    }
    for (variant, file) in more {
        files.add(variant, file);
    }
}

/// Whether a variant of the layout, or what one of them includes, names `subscriber`.
fn names_subscriber(environment: &Environment<'_>, files: &Files, stem: &str) -> bool {
    let names = |file: &File, template: &str| {
        file.text.contains("subscriber")
            && environment
                .get_template(template)
                .is_ok_and(|it| it.undeclared_variables(false).contains("subscriber"))
    };
    files.variants(stem).any(|(variant, file)| {
        files
            .closure(file, &variant.setting)
            .into_iter()
            .any(|part| names(part, &engine::template(&variant.setting, &part.name)))
    })
}

#[cfg(test)]
mod tests;
