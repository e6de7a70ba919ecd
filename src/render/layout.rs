//! Layouts: compiled once, checked with sample items, chosen by language and channel.
//!
//! A layout is a template of the [`minijinja`] engine. It sees `items`, `item` (the first one) and
//! `campaign`, the filters of `filters.rs`, and other layouts by `include`; no file, no clock, no
//! environment. What it prints is escaped but for `summary` and `body`, which are written from the
//! tree. Each render has fuel for [`FUEL`] instructions and room for [`OUTPUT_BYTES_MAX`].
//!
//! An editor can still make one render slow or large on its way by joining text to itself; that
//! is caught by the output's limit, not before.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, PoisonError};

use minijinja::value::Rest;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::markup;
use crate::model::campaign::ChangeKind;
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::model::time::Timestamp;
use crate::render::filters;
use crate::render::message;
use crate::render::problem::{Problem, find_word, nearest, unknown_filter};
use crate::render::sample::{self, bare_sample, sample};
use crate::render::values::{Anything, FIELDS, ItemValue, Unknown};

/// Longest layout file, in bytes.
pub const LAYOUT_BYTES_MAX: usize = 64 << 10;

/// Longest output of a layout, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// Most instructions of one render; a usual layout needs about twenty for each item.
pub const FUEL: u64 = 50_000;

/// Deepest `include` and the like.
const RECURSION_MAX: usize = 20;

/// Most unknown filters of a layout that are told at once.
const FILTERS_MISSED_MAX: usize = 20;

/// What a layout sees at its top.
const VARIABLES: [&str; 3] = ["items", "item", "campaign"];

/// Layouts that are there without a file: those of the folder `layouts`.
const BUILT_IN: [(&str, &str); 9] = [
    ("article.html", include_str!("../../layouts/article.html")),
    ("article.ro.html", include_str!("../../layouts/article.ro.html")),
    ("plain.html", include_str!("../../layouts/plain.html")),
    ("product-card.html", include_str!("../../layouts/product-card.html")),
    ("product-card.ro.html", include_str!("../../layouts/product-card.ro.html")),
    ("price-drop.html", include_str!("../../layouts/price-drop.html")),
    ("price-drop.ro.html", include_str!("../../layouts/price-drop.ro.html")),
    ("back-in-stock.html", include_str!("../../layouts/back-in-stock.html")),
    ("back-in-stock.ro.html", include_str!("../../layouts/back-in-stock.ro.html")),
];

/// All layouts, ready to render. Shared between threads as it is.
#[derive(Debug)]
pub struct Layouts {
    environment: Environment<'static>,
    /// The file of each variant.
    files: BTreeMap<Variant, String>,
}

/// What a layout knows beside its items.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub campaign: &'a Name,
    /// What happened to the items; one that is not among these is shown as new.
    pub told: &'a [Told],
    /// Decides which sales are in force.
    pub now: Timestamp,
}

impl Scene<'_> {
    /// What happened to the item, if that is known.
    pub fn told_of(&self, item: &Item) -> Option<&Told> {
        self.told.iter().find(|told| told.item == item.id)
    }

    /// What the item costs, in the same words for every reader: `59.00 EUR → 44.00 EUR` where its
    /// move was told. `None` where it can't be bought.
    pub(super) fn price_of(&self, item: &Item) -> Option<String> {
        let told = self.told_of(item);
        if let Some(moved) = told.and_then(|told| told.price) {
            return Some(format!("{} → {}", moved.from, moved.to));
        }
        if told.is_some_and(|told| matches!(told.kind, ChangeKind::Gone | ChangeKind::OutOfStock)) {
            return None;
        }
        Some(item.offer.as_ref()?.terms.price_at(self.now)?.to_string())
    }
}

/// Why there is no message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Variant {
    layout: Name,
    language: Option<String>,
    kind: Option<ChannelKind>,
}

impl Layouts {
    /// Compiles and checks the files: each by its path as it is to be told, and its text. Files
    /// are named `NAME.html`, `NAME.LANGUAGE.html`, `NAME.KIND.html` or `NAME.LANGUAGE.KIND.html`.
    /// The built-in layouts are added where no file has their name: `article`, `plain`,
    /// `product-card`, `price-drop` and `back-in-stock`.
    ///
    /// # Errors
    /// All problems of all files, in the order of path and line.
    pub fn compile(files: Vec<(String, String)>) -> Result<Self, Vec<Problem>> {
        let mut layouts = Self { environment: environment(), files: BTreeMap::new() };
        let mut problems = Vec::new();
        let mut compiled = Vec::new();
        for (path, text) in files {
            match layouts.add(&path, &text) {
                Ok((file, variant)) => compiled.push((path, text, file, variant)),
                Err(problem) => problems.push(problem),
            }
        }
        layouts.add_built_in();
        for (path, text, file, variant) in &compiled {
            problems.extend(layouts.check(path, text, file, variant));
        }
        problems.sort();
        if problems.is_empty() { Ok(layouts) } else { Err(problems) }
    }

    /// The names of all layouts, each once.
    pub fn names(&self) -> BTreeSet<&Name> {
        self.files.keys().map(|variant| &variant.layout).collect()
    }

    pub fn has(&self, layout: &Name) -> bool {
        self.files.keys().any(|variant| variant.layout == *layout)
    }

    /// The languages for which the layout has variants of its own, sorted.
    pub fn languages(&self, layout: &Name) -> Vec<String> {
        let of_layout = self.files.keys().filter(|variant| variant.layout == *layout);
        let languages: BTreeSet<String> =
            of_layout.filter_map(|variant| variant.language.clone()).collect();
        languages.into_iter().collect()
    }

    /// Renders items with the layout's best variant: for the language and the channel's kind, for
    /// the language, for the kind, for all. `en-GB` is served by `en` too.
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
        let Some(file) = self.choose(layout, kind, language) else {
            return Err(RenderError::Unknown { layout: layout.clone() });
        };
        let context = context(items, scene, None);
        let html =
            print(&self.environment, file, context).map_err(|error| RenderError::Failed {
                file: file.to_owned(),
                line: error.line().unwrap_or(1),
                // The engine's details may have words of an item.
                why: error.kind().to_string(),
            })?;
        let (message, _) = message::read(&html);
        if message.modules.is_empty() {
            return Err(RenderError::Empty { file: file.to_owned() });
        }
        Ok(message)
    }

    fn choose(&self, layout: &Name, kind: ChannelKind, language: Option<&str>) -> Option<&str> {
        let whole = language.map(str::to_ascii_lowercase);
        let primary = whole.as_deref().and_then(|it| it.split_once('-')).map(|(it, _)| it);
        let languages = [whole.as_deref(), primary, None];
        let found = |language: Option<&str>, kind| {
            let language = language.map(str::to_owned);
            self.files.get(&Variant { layout: layout.clone(), language, kind })
        };
        let best = |language| found(language, Some(kind)).or_else(|| found(language, None));
        languages.into_iter().find_map(best).map(String::as_str)
    }

    fn add(&mut self, path: &str, text: &str) -> Result<(String, Variant), Problem> {
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
        let at_start = |problem: &str| Problem::at(path, text, 0, problem.to_owned());
        let Some(variant) = Variant::parse(&file) else {
            let hint = "layouts are named NAME.html, NAME.LANGUAGE.html, NAME.KIND.html or \
                        NAME.LANGUAGE.KIND.html; KIND is telegram or messenger";
            return Err(at_start("this is no name of a layout").with_hint(hint.to_owned()));
        };
        if text.len() > LAYOUT_BYTES_MAX {
            return Err(at_start("a layout has at most 64 kB"));
        }
        if self.files.contains_key(&variant) {
            return Err(at_start("there is another layout of this name"));
        }
        self.environment
            .add_template_owned(file.clone(), text.to_owned())
            .map_err(|error| Problem::of_engine(path, text, &error))?;
        self.files.insert(variant.clone(), file.clone());
        Ok((file, variant))
    }

    fn add_built_in(&mut self) {
        let taken: BTreeSet<Name> = self.names().into_iter().cloned().collect();
        for (file, text) in BUILT_IN {
            let Some(variant) = Variant::parse(file) else { continue };
            // An editor's layout is never mixed with variants that are not theirs.
            if !taken.contains(&variant.layout) && self.environment.add_template(file, text).is_ok()
            {
                self.files.insert(variant, file.to_owned());
            }
        }
    }

    /// Everything wrong with one file that parses.
    fn check(&self, path: &str, text: &str, file: &str, variant: &Variant) -> Vec<Problem> {
        let Variant { layout, .. } = variant;
        let mut problems = Vec::new();
        let for_all = Variant { layout: layout.clone(), language: None, kind: None };
        if !self.files.contains_key(&for_all) {
            let problem = format!("layout `{layout}` has no file for all others");
            let hint = format!("write `{layout}.html` too");
            problems.push(Problem::at(path, text, 0, problem).with_hint(hint));
        }

        let undeclared = self
            .environment
            .get_template(file)
            .map(|template| template.undeclared_variables(false))
            .unwrap_or_default();
        let is_stranger = |name: &&str| !VARIABLES.contains(name);
        let strangers: Vec<&str> =
            undeclared.iter().map(String::as_str).filter(is_stranger).collect();
        for &name in &strangers {
            let offset = find_word(text, name, |before| !before.ends_with('.'));
            let hint = match nearest(name, &VARIABLES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "a layout has `items`, `item` and `campaign`".to_owned(),
            };
            let problem = format!("`{name}` is unknown");
            problems.push(Problem::at(path, text, offset, problem).with_hint(hint));
        }

        // One item that has everything and one that has nothing walk most branches.
        let unknown = Unknown::default();
        let mut failures = Vec::new();
        let told = [sample::told()];
        for (item, told) in [(sample(layout), &told[..]), (bare_sample(layout), &[])] {
            let items = [item.clone(), item];
            let scene = Scene { campaign: layout, told, now: sample::NOW };
            let context = context(&items, &scene, Some((&unknown, &strangers)));
            let (printed, filters) = self.print_past_filters(file, &context);
            problems.extend(filters.iter().map(|error| Problem::of_engine(path, text, error)));
            match printed {
                Ok(html) => failures.extend(remarks(path, text, &html)),
                Err(error) => failures.push(Problem::of_engine(path, text, &error)),
            }
        }
        let unknown = unknown.lock().unwrap_or_else(PoisonError::into_inner);
        for name in unknown.iter() {
            let offset =
                find_word(text, name, |before| before.ends_with('.') || before.ends_with("['"));
            let hint = match nearest(name, &FIELDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("an item has {}", FIELDS.map(|it| format!("`{it}`")).join(", ")),
            };
            let problem = format!("an item has no `{name}`");
            problems.push(Problem::at(path, text, offset, problem).with_hint(hint));
        }
        // A wrong name makes errors of its own.
        if problems.is_empty() {
            problems = failures;
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// Prints as if every filter were there, with the errors of those that are not: the engine
    /// stops at the first.
    fn print_past_filters(
        &self,
        file: &str,
        context: &Value,
    ) -> (Result<String, Error>, Vec<Error>) {
        let mut errors = Vec::new();
        let mut printed = print(&self.environment, file, context.clone());
        let mut environment = None;
        while let Err(error) = &printed
            && let Some(filter) = unknown_filter(error).map(str::to_owned)
            && errors.len() < FILTERS_MISSED_MAX
        {
            let environment = environment.get_or_insert_with(|| self.environment.clone());
            environment.add_filter(filter, |value: Value, _: Rest<Value>| value);
            let next = print(environment, file, context.clone());
            errors.extend(std::mem::replace(&mut printed, next).err());
        }
        (printed, errors)
    }
}

impl Variant {
    fn parse(file: &str) -> Option<Self> {
        let mut parts = file.strip_suffix(".html")?.split('.');
        let layout = Name::parse(parts.next()?).ok()?;
        let mut variant = Self { layout, language: None, kind: None };
        for part in parts {
            let kind = [ChannelKind::Telegram, ChannelKind::Messenger]
                .into_iter()
                .find(|kind| kind.as_str() == part);
            match kind {
                Some(_) if variant.kind.is_none() => variant.kind = kind,
                None if is_language(part)
                    && variant.language.is_none()
                    && variant.kind.is_none() =>
                {
                    variant.language = Some(part.to_owned());
                }
                _ => return None,
            }
        }
        Some(variant)
    }
}

/// A language as in `ro`, `pt-br`, `zh-hant-tw`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_primary =
        |it: &str| matches!(it.len(), 2 | 3) && it.bytes().all(|c| c.is_ascii_lowercase());
    let is_further = |it: &str| {
        matches!(it.len(), 2..=8)
            && it.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    parts.next().is_some_and(is_primary) && parts.all(is_further)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    filters::install(&mut environment);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("layout".into()));
    environment.set_formatter(|out, _, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        if value.is_none() {
            return Ok(());
        }
        match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text)?,
            Some(text) => write_escaped(out, text)?,
            None => write_escaped(out, &value.to_string())?,
        }
        Ok(())
    });
    environment
}

fn write_escaped(out: &mut minijinja::Output<'_>, text: &str) -> std::fmt::Result {
    let mut escaped = String::with_capacity(text.len());
    markup::escape_into(text, &mut escaped);
    out.write_str(&escaped)
}

fn print(environment: &Environment<'_>, file: &str, context: Value) -> Result<String, Error> {
    let mut output = Capped(Vec::new());
    environment.get_template(file)?.render_captured_to(context, &mut output)?;
    Ok(String::from_utf8_lossy(&output.0).into_owned())
}

/// What a layout sees; when it is checked, with every name that it asks for and where to note
/// unknown fields.
fn context(items: &[Item], scene: &Scene<'_>, check: Option<(&Unknown, &[&str])>) -> Value {
    // Half the output for the texts of all items; the rest is the layout's.
    let text_bytes_max = OUTPUT_BYTES_MAX / 2 / items.len().max(1);
    let value = |item: &Item| {
        let unknown = check.map(|(unknown, _)| Arc::clone(unknown));
        let told = scene.told_of(item).copied();
        let (item, now) = (item.clone(), scene.now);
        Value::from_object(ItemValue { item, told, now, text_bytes_max, unknown })
    };
    let items: Vec<Value> = items.iter().map(value).collect();
    let first = items.first().cloned().unwrap_or(Value::UNDEFINED);
    let own =
        [("item", first), ("items", items.into()), ("campaign", scene.campaign.as_str().into())];
    let strangers = check.map_or(&[][..], |(_, strangers)| strangers);
    let strangers = strangers.iter().map(|&name| (name, Value::from_object(Anything)));
    Value::from_pairs(own.into_iter().chain(strangers))
}

/// Takes at most [`OUTPUT_BYTES_MAX`].
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("the layout prints more than 64 kB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the message of a sample lacks because of the layout.
fn remarks(path: &str, text: &str, html: &str) -> Vec<Problem> {
    let (message, remarks) = message::read(html);
    let place = |element: &str| text.find(&format!("<{element}")).unwrap_or(0);
    // With a condition or a loop it may print something for other items.
    let is_constant = !text.contains("{%") && !text.contains("{{");
    if message.modules.is_empty() && is_constant {
        return vec![Problem::at(path, text, 0, "this layout prints nothing".to_owned())];
    }
    remarks
        .into_iter()
        .map(|remark| {
            let problem = format!("<{}>: {}", remark.element, remark.why);
            Problem::at(path, text, place(remark.element), problem)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Action, Medium, Module};
    use crate::model::rich::RichText;
    use crate::render::preview::preview;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn compile(files: &[(&str, &str)]) -> Result<Layouts, String> {
        let files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Layouts::compile(files.collect()).map_err(|problems| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })
    }

    fn render_with(text: &str, items: &[Item]) -> Result<Message, RenderError> {
        let layouts = compile(&[("x.html", text)]).unwrap();
        let campaign = name("campaign");
        layouts.render(&name("x"), ChannelKind::Telegram, None, items, &scene(&campaign))
    }

    fn shown(text: &str, items: &[Item]) -> String {
        preview(&render_with(text, items).unwrap(), 200, false)
    }

    fn scene(campaign: &Name) -> Scene<'_> {
        Scene { campaign, told: &[], now: sample::NOW }
    }

    fn item() -> Item {
        sample(&name("example"))
    }

    #[test]
    fn all_wrong_names_of_a_layout_are_told_at_once() {
        let text = "{{ item.titel }}\n{{ item.title | shortn(3) | uper }}\n{{ itm }}\n\
                    {{ item.link | shortn }}";
        let told = compile(&[("x.html", text)]).unwrap_err();
        let places: Vec<&str> =
            told.lines().filter_map(|line| line.strip_prefix("x.html:")).collect();
        let starts = ["1:9: an item has no `titel`", "2:17: there is no filter `shortn`"];
        assert!(starts.iter().zip(&places).all(|(start, told)| told.starts_with(start)), "{told}");
        assert!(told.contains("filter `uper`") && told.contains("3:4: `itm`"), "{told}");
    }

    #[test]
    fn the_built_in_layouts_need_no_file() {
        let layouts = compile(&[]).unwrap();
        let names = ["article", "back-in-stock", "plain", "price-drop", "product-card"];
        assert_eq!(layouts.names().into_iter().map(Name::as_str).collect::<Vec<_>>(), names);
        let render = |layout, language| {
            let kind = ChannelKind::Messenger;
            layouts.render(&name(layout), kind, language, &[item()], &scene(&name("c"))).unwrap()
        };
        let article = render("article", None);
        let [Module::Media(Medium { url, .. }), Module::Text { buttons, .. }] = &*article.modules
        else {
            panic!("{article:?}");
        };
        assert_eq!(url, "https://example.com/picture.jpg");
        assert_eq!(buttons[0].label, "Read more");
        assert_eq!(buttons[0].action, Action::Open { url: "https://example.com/post".to_owned() });
        let romanian = preview(&render("article", Some("ro-MD")), 80, false);
        assert!(romanian.contains("Citește mai departe"), "{romanian}");
        let plain = preview(&render("plain", None), 80, false);
        assert_eq!(plain, "A title with <angles> & an ampersand\nhttps://example.com/post\n");
    }

    #[test]
    fn the_built_in_layouts_serve_an_item_that_has_nothing() {
        let layouts = compile(&[]).unwrap();
        let bare = bare_sample(&name("example"));
        for layout in ["article", "plain", "product-card", "price-drop", "back-in-stock"] {
            let message = layouts
                .render(
                    &name(layout),
                    ChannelKind::Telegram,
                    None,
                    std::slice::from_ref(&bare),
                    &scene(&name("c")),
                )
                .unwrap();
            assert!(preview(&message, 80, false).starts_with("words\n"), "{layout}");
        }
    }

    #[test]
    fn an_own_file_replaces_all_variants_of_a_built_in_layout() {
        let layouts = compile(&[("article.html", "mine")]).unwrap();
        let message = layouts
            .render(
                &name("article"),
                ChannelKind::Telegram,
                Some("ro"),
                &[item()],
                &scene(&name("c")),
            )
            .unwrap();
        assert_eq!(message, Message::from_plain("mine"));
    }

    #[test]
    fn the_best_variant_is_chosen() {
        let layouts = compile(&[
            ("l/x.html", "all"),
            ("l/x.telegram.html", "telegram"),
            ("l/x.ro.html", "ro"),
            ("l/x.ro.telegram.html", "ro telegram"),
            ("l/x.pt-br.html", "pt-br"),
        ])
        .unwrap();
        let cases = [
            (None, ChannelKind::Messenger, "all"),
            (None, ChannelKind::Telegram, "telegram"),
            (Some("ro"), ChannelKind::Messenger, "ro"),
            (Some("RO-ro"), ChannelKind::Telegram, "ro telegram"),
            (Some("pt-BR"), ChannelKind::Telegram, "pt-br"),
            (Some("pt"), ChannelKind::Messenger, "all"),
            (Some("en-GB"), ChannelKind::Telegram, "telegram"),
            (Some(""), ChannelKind::Messenger, "all"),
        ];
        for (language, kind, expected) in cases {
            let message = layouts.render(&name("x"), kind, language, &[item()], &scene(&name("c")));
            assert_eq!(message, Ok(Message::from_plain(expected)), "{language:?} {kind:?}");
        }
        let unknown =
            layouts.render(&name("y"), ChannelKind::Telegram, None, &[], &scene(&name("c")));
        assert_eq!(unknown, Err(RenderError::Unknown { layout: name("y") }));
    }

    #[test]
    fn sec_t09_only_names_of_layouts_are_taken() {
        for file in [
            "X.html",
            "x.htm",
            "x",
            ".html",
            "-x.html",
            "x..html",
            "x.english.html",
            "x.telegram.ro.html",
            "x.ro.en.html",
            "x.telegram.messenger.html",
            "x.RO.html",
        ] {
            let told = compile(&[(file, "words")]).unwrap_err();
            assert!(told.starts_with(&format!("{file}:1:1: this is no name")), "{told}");
        }
        let told = compile(&[("a/x.html", "words"), ("b/x.html", "words")]).unwrap_err();
        assert_eq!(told, "b/x.html:1:1: there is another layout of this name");
    }

    /// Fields that are no text and no list.
    const NUMBERS: [&str; 2] = ["percent_off", "on_sale"];

    #[test]
    fn a_layout_sees_the_offer_and_what_happened_to_it() {
        let layouts = compile(&[(
            "x.html",
            "{{ item.change }} {{ item.was }} {{ item.price }} {{ item.list_price }} \
             {{ item.percent_off }} {{ item.lowest_30d }} {{ item.on_sale }} {{ item.brand }} \
             {{ item.sku }} {{ item.gtin }} {{ item.availability }} {{ item.currency }} \
             {% for one in item.variants %}{{ one.title }} {{ one.price }} {{ one.sku }} \
             {% endfor %}{{ item.price | money }}",
        )])
        .unwrap();
        let shown = |item: Item, told: &[Told]| {
            let (layout, campaign) = (name("x"), name("c"));
            let scene = Scene { told, ..scene(&campaign) };
            let message =
                layouts.render(&layout, ChannelKind::Telegram, None, &[item], &scene).unwrap();
            preview(&message, 400, false)
        };
        assert_eq!(
            shown(item(), &[sample::told()]),
            "price-drop 59.00 EUR 44.00 EUR 59.00 EUR 25 49.50 EUR True A & B AB-7 4006381333931 \
             in-stock EUR Small 44.00 EUR AB-7-S Large 49.00 EUR AB-7-L 44 EUR\n"
        );
        // Without a move it is what the sale takes off.
        assert!(shown(item(), &[]).starts_with("new 44.00 EUR 59.00 EUR 25 True A & B"));
        assert_eq!(shown(bare_sample(&name("example")), &[]), "new 0 False\n");
    }

    #[test]
    fn the_built_in_layouts_tell_a_product() {
        let layouts = compile(&[]).unwrap();
        let shown = |layout, language, told: &[Told]| {
            let (layout, campaign) = (name(layout), name("c"));
            let scene = Scene { told, ..scene(&campaign) };
            let message =
                layouts.render(&layout, ChannelKind::Telegram, language, &[item()], &scene);
            preview(&message.unwrap(), 400, false)
        };
        let told = |kind| [Told { kind, price: None, ..sample::told() }];
        let cases = [
            (shown("price-drop", None, &[sample::told()]), "44 EUR instead of 59 EUR (−25 %)"),
            (shown("price-drop", Some("ro"), &[sample::told()]), "44 EUR în loc de 59 EUR (−25 %)"),
            (shown("price-drop", None, &[sample::told()]), "Lowest of the last 30 days: 49.50 EUR"),
            (shown("back-in-stock", None, &told(ChangeKind::BackInStock)), "Back in stock"),
            (shown("back-in-stock", Some("ro"), &told(ChangeKind::BackInStock)), "din nou în stoc"),
            (shown("product-card", None, &told(ChangeKind::OutOfStock)), "Out of stock"),
            (shown("product-card", Some("ro"), &told(ChangeKind::Gone)), "Nu mai este"),
            (shown("product-card", None, &[]), "44 EUR instead of 59 EUR"),
        ];
        for (shown, expected) in cases {
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
    }

    #[test]
    fn every_field_can_be_printed() {
        for field in FIELDS {
            let length = if NUMBERS.contains(&field) { "int" } else { "length" };
            let layout = format!("{{{{ item.{field} }}}} {{{{ item.{field} | {length} }}}} words");
            assert!(render_with(&layout, &[item()]).is_ok(), "{field}");
        }
        let told = shown(
            "{{ items | length }} {{ campaign }} {{ item.source }} {{ item.tags | join('/') }} \
             {{ item.published | date('%Y') }} {% if item.media %}{{ item.media[1].kind }}{% endif %} {{ item.id }}",
            &[item(), item()],
        );
        assert_eq!(
            told,
            "2 campaign example news/rust 2026 audio 07070707070707070707070707070707\n"
        );
    }

    #[test]
    fn summary_and_body_stand_in_for_each_other() {
        let layout = "{{ item.summary }}{{ item.body }}{{ item.text }}";
        let only = Item { summary: RichText::default(), ..item() };
        let only = Item { body: markup::rich("<b>b</b>", None), ..only };
        assert_eq!(shown(layout, &[only]), "b\n\nb\n\nb\n");
    }

    #[test]
    fn sec_t01_the_texts_of_items_are_values() {
        let hostile = "{{ items }}{% for x in items %}<b>&amp;</b><button href=https://e.com>x";
        let told = Item {
            title: hostile.to_owned(),
            tags: vec![hostile.to_owned()],
            summary: RichText::from_plain(hostile),
            link: Some("https://example.com/'><img src=https://e.com/>".to_owned()),
            ..item()
        };
        let layout = "<p>{{ item.title }}</p><p>{{ item.tags | first | default }}</p>{{ item.summary }}\
                      {{ item.summary | truncate(500) }}<a href='{{ item.link }}'>a</a>";
        let message = render_with(layout, &[told]).unwrap();
        let [Module::Text { text, buttons }] = &*message.modules else { panic!("{message:?}") };
        assert!(buttons.is_empty());
        assert_eq!(text.plain(), [hostile, hostile, hostile, hostile, "a"].join("\n"));
        // Markup joined to text becomes text.
        assert_eq!(
            shown("{{ item.summary ~ '<i>' }}", &[item()]),
            "<p>The <b>first</b> words of a post.</p><i>\n"
        );
    }

    #[test]
    fn sec_t04_no_text_leaves_its_quotes() {
        let hostile = "' src=https://e.com/ x=\" src=https://e.com/ x=><button href=https://e.com>";
        let told = Item { title: hostile.to_owned(), ..item() };
        for quote in ['"', '\''] {
            let alt = format!("alt={quote}{{{{ item.title }}}}{quote}");
            let layout = format!("<img {alt} src={quote}https://example.com/p{quote}>");
            let message = render_with(&layout, std::slice::from_ref(&told)).unwrap();
            let [Module::Media(Medium { url, alt, .. })] = &*message.modules else {
                panic!("{message:?}")
            };
            assert_eq!((url.as_str(), alt.as_str()), ("https://example.com/p", hostile));
        }
    }

    #[test]
    fn sec_t02_a_layout_sees_nothing_but_its_items() {
        for expression in ["debug()", "range(3)", "namespace()", "env", "self", "dict()"] {
            assert!(compile(&[("x.html", &format!("{{{{ {expression} }}}}"))]).is_err());
        }
        let told = compile(&[("x.html", "a\n{% include '/etc/passwd' %}")]).unwrap_err();
        assert!(told.starts_with("x.html:2:"), "{told}");
        let told = compile(&[("x.html", "{{ item.title | safe }}")]).unwrap_err();
        assert!(told.contains("there is no filter `safe`"), "{told}");
    }

    #[test]
    fn sec_t03_a_layout_has_fuel_and_room() {
        let long: Vec<Item> = (0..400).map(|_| item()).collect();
        let nested = "{% for a in items %}{% for b in items %}{{ a.id }}{% endfor %}{% endfor %}";
        let failed = render_with(nested, &long).unwrap_err();
        assert!(matches!(failed, RenderError::Failed { .. }), "{failed}");
        let told = compile(&[("x.html", "{{ 'x' * 65537 }}")]).unwrap_err();
        assert_eq!(told, "x.html:1:1: a layout prints at most 64 kB");
        assert!(compile(&[("x.html", "{{ 'x' * 65536 }}")]).is_ok());
        let recursive = [("x.html", "{% include 'x.html' %}")];
        assert!(compile(&recursive).is_err());
        let told = compile(&[("x.html", &"x".repeat(LAYOUT_BYTES_MAX + 1))]).unwrap_err();
        assert_eq!(told, "x.html:1:1: a layout has at most 64 kB");
    }

    #[test]
    fn a_long_item_does_not_make_a_layout_fail() {
        let html = "<p>many <a href='https://example.com/a?b=c&d'>words</a> & <b>more</b></p>";
        let long = Item {
            title: "title ".repeat(10_000),
            body: markup::rich(&html.repeat(5_000), None),
            tags: vec!["t".repeat(100_000); 50],
            ..item()
        };
        let layout = "{% for item in items %}{{ item.title }}{{ item.body }}{{ item.text }}\
                      {% endfor %}{{ items[0].tags | join }}";
        assert!(render_with(layout, &vec![long; 10]).is_ok());
    }

    #[test]
    fn nothing_printed_is_an_error() {
        let bare = bare_sample(&name("example"));
        let empty = render_with("<img src='{{ item.image }}'>", &[bare]);
        assert_eq!(empty, Err(RenderError::Empty { file: "x.html".to_owned() }));
    }

    #[test]
    fn sec_c06_an_error_has_no_words_of_an_item() {
        let secretive = Item { title: "secret".to_owned(), ..item() };
        let failed = render_with(
            "{% if item.title == 'secret' %}{{ item.title + 1 }}{% endif %}",
            &[secretive],
        );
        let told = failed.unwrap_err().to_string();
        assert_eq!(told, "rendering with `x.html` failed: line 1: invalid operation");
    }

    #[test]
    fn the_same_items_give_the_same_message() {
        let layouts = compile(&[]).unwrap();
        let render = || {
            let kind = ChannelKind::Telegram;
            layouts.render(&name("article"), kind, None, &[item(), item()], &scene(&name("c")))
        };
        assert_eq!(render(), render());
    }
}
