//! Everything wrong with layouts, found before anybody else sees it.
//!
//! 1. Each file is parsed.
//! 2. Each layout is asked for names that no layout has.
//! 3. Each layout is rendered with items that have everything and with one that has nothing, for
//!    every kind of change, while unknown fields are noted instead of failing, and unknown filters
//!    are passed over: so all of them are told at once.
//! 4. What was printed is read; what it lost on the way is told at its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::model::campaign::ChangeKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::model::zone::Zone;
use crate::render::engine;
use crate::render::expression;
use crate::render::files::{File, Files, Variant};
use crate::render::layout::Layouts;
use crate::render::marks;
use crate::render::message::{self, Remark};
use crate::render::nearest::nearest;
use crate::render::problem::{Problem, find_word, unknown_filter};
use crate::render::sample::{self, bare_sample, sample};
use crate::render::scene::{Check, Person, Scene, Stage, VARIABLES};
use crate::render::values::{FIELDS, Owner, Unknown};

/// Most unknown filters of a layout that are told at once.
const FILTERS_MISSED_MAX: usize = 20;

/// The problems of all files but those that come with us.
pub(super) fn check(layouts: &Layouts) -> Vec<Problem> {
    let checker = Checker { layouts, marked: Marked::of(&layouts.files) };
    let mut problems = Vec::new();
    let mut broken = BTreeSet::new();
    for (variant, file) in layouts.files.all().filter(|(_, file)| !file.is_shipped) {
        let template = engine::template(&variant.setting, &file.name);
        if let Err(error) = layouts.environment.get_template(&template) {
            problems.push(Problem::of_engine(&file.path, &file.text, &error));
            problems.extend(checker.of_elements(file));
            broken.insert(file.name.as_str());
        }
    }
    for (variant, file) in layouts.files.all() {
        let closure = layouts.files.closure(file, &variant.setting);
        let is_ours = closure.iter().all(|part| part.is_shipped);
        let is_broken = closure.iter().any(|part| broken.contains(part.name.as_str()));
        if !variant.is_part() && !is_ours && !is_broken {
            problems.extend(checker.check(variant, file, &closure));
        }
    }
    problems
}

struct Checker<'a> {
    layouts: &'a Layouts,
    marked: Marked,
}

/// The same files with marks on their elements.
struct Marked {
    environment: Environment<'static>,
    /// By the numbers of the marks.
    names: Vec<String>,
    /// What elements each has, whatever they print.
    bare: Vec<String>,
}

impl Marked {
    fn of(files: &Files) -> Self {
        let mut files = files.clone();
        let (mut names, mut bare) = (Vec::new(), Vec::new());
        for file in files.all_mut() {
            file.text = marks::mark(&file.text, names.len());
            bare.push(marks::bare(&file.text));
            names.push(file.name.clone());
        }
        Self { environment: engine::environment(Arc::new(files), &Zone::utc()), names, bare }
    }
}

/// A layout while it is checked.
struct Checked<'a> {
    file: &'a File,
    template: String,
    closure: &'a [&'a File],
    check: Check,
    language: Option<&'a str>,
    problems: Vec<Problem>,
    /// Told only if there are no wrong names, which make errors of their own.
    failures: Vec<Problem>,
    /// Elements that are not what they should be: told beside all else.
    remarks: Vec<Problem>,
}

impl Checker<'_> {
    fn check(&self, variant: &Variant, file: &File, closure: &[&File]) -> Vec<Problem> {
        let template = engine::template(&variant.setting, &file.name);
        let strangers = self.strangers(&template);
        let mut checked = Checked {
            file,
            template,
            closure,
            check: Check { unknown: Unknown::default(), strangers: strangers.clone().into() },
            language: variant.setting.language.as_deref(),
            problems: Vec::new(),
            failures: Vec::new(),
            remarks: Vec::new(),
        };
        let for_all = Variant { stem: variant.stem.clone(), ..Variant::for_all() };
        if !self.layouts.files.has(&for_all) {
            let problem = format!("layout `{}` has no file for all others", variant.stem);
            let hint = format!("write `{}.html` too", variant.stem);
            let problem = Problem::at(&file.path, &file.text, 0, problem).with_hint(hint);
            checked.problems.push(problem);
        }
        checked.problems.extend(strangers.iter().map(|name| stranger(file, name)));
        for part in closure.iter().filter(|part| !part.is_shipped) {
            let template = engine::template(&variant.setting, &part.name);
            checked.problems.extend(self.of_lists(part, &template));
            checked.problems.extend(self.compared(part));
        }
        let Ok(layout) = Name::parse(&variant.stem) else { return checked.problems };
        let mut people = vec![Person::default(), sample::person()];
        if closure.iter().any(|part| part.text.contains("timezone")) {
            people.push(sample::distant_person());
        }
        for (items, told) in scenes(&layout) {
            let scene = Scene { campaign: &layout, told: &told, now: sample::NOW };
            let stage = Stage::with(&items.into(), &scene, Some(checked.check.clone()));
            for person in &people {
                self.print(&mut checked, &stage, person);
            }
        }
        for (owner, field) in checked.check.unknown.noted() {
            checked.problems.push(no_field(checked.closure, owner, &field));
        }
        if checked.problems.is_empty() {
            checked.problems = checked.failures;
        }
        checked.problems.extend(checked.remarks);
        checked.problems
    }

    /// Names that the layout asks for and that no layout has.
    fn strangers(&self, template: &str) -> Vec<String> {
        let asked = self.layouts.environment.get_template(template);
        let asked = asked.map(|it| it.undeclared_variables(false)).unwrap_or_default();
        let is_stranger = |name: &String| !VARIABLES.contains(&name.as_str());
        let mut strangers: Vec<String> = asked.into_iter().filter(is_stranger).collect();
        strangers.sort();
        strangers
    }

    fn print(&self, checked: &mut Checked<'_>, stage: &Stage, person: &Person) {
        let context = stage.context(checked.language, Some(person));
        let (printed, missed) = self.print_past_filters(&checked.template, &context);
        for error in &missed {
            let problem = self.of_engine(checked, error);
            checked.problems.push(problem);
        }
        let html = match printed {
            Ok(html) => html,
            Err(error) => {
                let problem = self.of_engine(checked, &error);
                if checked.failures.is_empty() {
                    let parts = checked.closure.iter();
                    let elements: Vec<Problem> =
                        parts.flat_map(|part| self.of_elements(part)).collect();
                    checked.remarks.extend(elements);
                }
                return checked.failures.push(problem);
            }
        };
        let (message, remarks) = message::read(&html);
        let text = &checked.file.text;
        // With a condition or a loop it may print something for other items.
        let is_constant = !text.contains("{%") && !text.contains("{{");
        if remarks.is_empty() && message.modules.is_empty() && is_constant {
            let problem = "this layout prints nothing".to_owned();
            checked.failures.push(Problem::at(&checked.file.path, text, 0, problem));
        } else if !remarks.is_empty() {
            let marked = engine::print(&self.marked.environment, &checked.template, context);
            let remarks = marked.map_or(remarks, |html| message::read(&html).1);
            let problems = remarks.iter().filter_map(|remark| self.of_remark(checked.file, remark));
            checked.remarks.extend(problems.collect::<Vec<_>>());
        }
    }

    /// What is wrong with the names of a file's elements and of what stands in them, where it can't
    /// be printed.
    fn of_elements(&self, file: &File) -> Vec<Problem> {
        let number = self.marked.names.iter().position(|name| *name == file.name);
        let Some(bare) = number.and_then(|number| self.marked.bare.get(number)) else {
            return Vec::new();
        };
        let remarks = message::read(bare).1.into_iter().filter(|remark| remark.is_of_name);
        remarks.filter_map(|remark| self.of_remark(file, &remark)).collect()
    }

    /// Fields of an item that are asked of all items.
    fn of_lists(&self, file: &File, template: &str) -> Vec<Problem> {
        let asked = self.layouts.environment.get_template(template);
        let asked = asked.map(|it| it.undeclared_variables(true)).unwrap_or_default();
        let mut fields: Vec<&str> = asked
            .iter()
            .filter_map(|path| path.strip_prefix("items.")?.split('.').next())
            .filter(|field| FIELDS.contains(field))
            .collect();
        fields.sort_unstable();
        let of_items = |before: &str| before.ends_with("items.");
        let problem = |field: &str| {
            let at = find_word(&file.text, field, of_items)?.saturating_sub("items.".len());
            let problem = format!("`items` is a list; did you mean `item.{field}`?");
            let hint = "`{% for item in items %} … {% endfor %}` goes through all of them";
            Some(Problem::at(&file.path, &file.text, at, problem).with_hint(hint.to_owned()))
        };
        fields.into_iter().filter_map(problem).collect()
    }

    /// Comparisons that can't be meant, and sums with what is no number.
    fn compared(&self, file: &File) -> Vec<Problem> {
        let environment = &self.layouts.environment;
        let mut text_of = |literal: &str| {
            let value = environment.compile_expression(literal).and_then(|it| it.eval(()));
            value.ok().and_then(|value| value.as_str().map(str::to_owned))
        };
        let mut problems = Vec::new();
        for (at, expression) in marks::expressions(&file.text) {
            for fault in expression::in_layout(expression, &mut text_of) {
                let problem = Problem::at(&file.path, &file.text, at, fault.problem);
                problems.push(problem.with_hint(fault.hint));
            }
        }
        problems
    }

    /// Prints as if every filter were there, with the errors of those that are not: the engine
    /// stops at the first.
    fn print_past_filters(
        &self,
        template: &str,
        context: &Value,
    ) -> (Result<String, Error>, Vec<Error>) {
        let mut errors = Vec::new();
        let mut printed = engine::print(&self.layouts.environment, template, context.clone());
        let mut environment = None;
        while let Err(error) = &printed
            && let Some(filter) = unknown_filter(engine::innermost(error)).map(str::to_owned)
            && errors.len() < FILTERS_MISSED_MAX
        {
            let environment = environment.get_or_insert_with(|| self.layouts.environment.clone());
            environment.add_filter(filter, |value: Value, _: Rest<Value>| value);
            let next = engine::print(environment, template, context.clone());
            errors.extend(std::mem::replace(&mut printed, next).err());
        }
        (printed, errors)
    }

    /// The engine's error, in the file where it began.
    fn of_engine(&self, checked: &Checked<'_>, error: &Error) -> Problem {
        let error = engine::innermost(error);
        let name = error.name().map(engine::file_of).unwrap_or_default();
        let file = checked.closure.iter().find(|file| file.name == name);
        let file = file.copied().unwrap_or(checked.file);
        if error.kind() == ErrorKind::TemplateNotFound {
            return missing(&self.layouts.files, checked.file, checked.closure, error);
        }
        Problem::of_engine(&file.path, &file.text, error)
    }

    /// `None` for what depends on the item.
    fn of_remark(&self, of: &File, remark: &Remark) -> Option<Problem> {
        let marked = remark.at.and_then(|(number, offset)| {
            let file = self.layouts.files.named(self.marked.names.get(number)?)?;
            Some((file, offset))
        });
        let (file, offset) = marked.unwrap_or_else(|| {
            let open = format!("<{}", remark.element);
            (of, of.text.find(&open).unwrap_or(0))
        });
        if remark.is_of_constant {
            let rest = file.text.get(offset..).unwrap_or_default();
            let end = rest.find(&format!("</{}", remark.element)).unwrap_or(rest.len());
            if rest[..end].contains("{%") {
                return None;
            }
        }
        let problem = format!("<{}>: {}", remark.element, remark.why);
        Some(Problem::at(&file.path, &file.text, offset, problem))
    }
}

/// Items and what happened to them that walk most branches of a layout.
fn scenes(layout: &Name) -> Vec<(Vec<Item>, Vec<Told>)> {
    let whole = sample(layout);
    let two = |item: &Item| vec![item.clone(), item.clone()];
    let mut scenes = vec![
        (two(&whole), vec![sample::told()]),
        (two(&bare_sample(layout)), vec![]),
        (vec![whole.clone()], vec![]),
    ];
    scenes.extend(ChangeKind::ALL.into_iter().map(|kind| {
        let price = sample::told().price.filter(|_| kind.is_of_price());
        (vec![whole.clone()], vec![Told { kind, price, ..sample::told() }])
    }));
    scenes
}

fn stranger(file: &File, name: &str) -> Problem {
    let offset = find_word(&file.text, name, |before| !before.ends_with('.')).unwrap_or(0);
    match nearest(name, &VARIABLES) {
        Some(near) => {
            let problem = format!("`{name}` is unknown; did you mean `{near}`?");
            Problem::at(&file.path, &file.text, offset, problem)
        }
        None => {
            let known: Vec<_> = VARIABLES.iter().map(|it| format!("`{it}`")).collect();
            let problem = format!("`{name}` is unknown");
            Problem::at(&file.path, &file.text, offset, problem)
                .with_hint(format!("a layout has {}", known.join(", ")))
        }
    }
}

/// A field that nothing has, at the expression that asks for it.
fn no_field(closure: &[&File], owner: Owner, field: &str) -> Problem {
    let is_asked =
        |before: &str| before.ends_with('.') || before.ends_with("['") || before.ends_with("[\"");
    let is_named = |before: &str| before.ends_with(['"', '\'']);
    let find = |fit: fn(&str) -> bool| {
        closure.iter().find_map(|file| Some((*file, find_word(&file.text, field, fit)?)))
    };
    let Some((file, at)) = find(is_asked)
        .or_else(|| find(is_named))
        .or_else(|| closure.first().map(|file| (*file, 0)))
    else {
        return Problem::at("", "", 0, format!("no field `{field}`"));
    };
    let before = &file.text[..at];
    let is_chain = |c: char| c.is_alphanumeric() || "_.[]'\"".contains(c);
    let start = before.trim_end_matches(is_chain).len();
    let base = before[start..].trim_end_matches(['\'', '"', '[', '.']);
    // What follows a function or a bracket has no name of its own.
    let is_name = |c: char| c.is_alphanumeric() || "_.[]".contains(c);
    let (base, start) = match base {
        "" => (owner.word(), at),
        base if base.chars().all(is_name) => (base, start),
        _ => (owner.word(), at),
    };
    let problem = |more: &str| {
        let problem = format!("no field `{base}.{field}`{more}");
        Problem::at(&file.path, &file.text, start, problem)
    };
    match nearest(field, owner.fields()) {
        Some(near) => problem(&format!("; did you mean `{base}.{near}`?")),
        None => {
            let known: Vec<_> = owner.fields().iter().map(|it| format!("`{it}`")).collect();
            problem("").with_hint(format!("`{base}` has {}", known.join(", ")))
        }
    }
}

/// An include of a file that is not there.
fn missing(files: &Files, file: &File, closure: &[&File], error: &Error) -> Problem {
    let detail = error.detail().unwrap_or_default();
    let quoted = detail.split(['"', '\'', '`']).nth(1).unwrap_or_default();
    let name = engine::file_of(quoted);
    let place = closure.iter().find_map(|file| Some((*file, file.text.find(name)?)));
    let (file, at) = place.filter(|_| !name.is_empty()).unwrap_or((file, 0));
    let known: Vec<&str> = files.all().map(|(_, file)| file.name.as_str()).collect();
    let problem = match nearest(name, &known) {
        Some(near) => format!("there is no layout or part `{name}`; did you mean `{near}`?"),
        None => format!("there is no layout or part `{name}`"),
    };
    Problem::at(&file.path, &file.text, at, problem)
}
