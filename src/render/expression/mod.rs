//! Conditions of campaigns: the expressions of `when`.
//!
//! An expression sees `item` with the fields that layouts have, `change` and `source`; it has the
//! filters of layouts and the tests below, no loops, no functions. It is checked whole when it is
//! read: names, fields, filters, tests and patterns by its words, what it gives by items that have
//! everything and one that has next to nothing. Judging has fuel for [`FUEL`] instructions,
//! patterns take time in proportion to the text.

mod scan;

mod compare;

mod people;

mod phrase;

mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use regex::Regex;

use crate::model::campaign::ChangeKind;
use crate::model::condition::Condition;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::model::time::Timestamp;
use crate::render::engine::{self, FUEL};
use crate::render::expression::compare::{Fields, Kind, Words, compared};
use crate::render::expression::scan::{scan, slip, tokens};
use crate::render::filters;
use crate::render::nearest::nearest;
use crate::render::problem::plain;
use crate::render::sample::{self, bare_sample, sample};
use crate::render::scene::text_bytes_max;
use crate::render::values::{FIELDS, ItemValue, Owner, Unknown};

pub use crate::render::expression::pattern::pattern;
pub use crate::render::expression::people::{Named, audience};
pub use crate::render::expression::phrase::phrase;

/// Longest expression, in bytes.
pub const RULE_BYTES_MAX: usize = 2_000;

/// What an expression sees.
const VARIABLES: [&str; 3] = ["item", "change", "source"];

/// The name of the one template.
const RULE: &str = "when";

/// What a rule prints when it holds.
const YES: &str = "yes";

/// Something wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub problem: String,
    pub hint: Option<String>,
}

impl Fault {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With the known word that was probably meant, or all that there are.
    fn near(problem: String, word: &str, known: &[&str]) -> Self {
        match nearest(word, known) {
            Some(near) => Self::new(format!("{problem}; did you mean `{near}`?")),
            None => Self::new(problem).hint(format!("there is {}", listed(known))),
        }
    }
}

/// Reads and checks an expression over items of these sources; without any, of whatever source.
///
/// # Errors
/// Everything that is wrong with it.
pub fn condition(text: &str, sources: &[Name]) -> Result<Condition, Vec<Fault>> {
    let text = text.trim();
    if text.is_empty() || text.len() > RULE_BYTES_MAX {
        return Err(vec![Fault::new(format!("must have 1 to {RULE_BYTES_MAX} bytes"))]);
    }
    let mut environment = environment();
    let asked = match environment.compile_expression(text) {
        Ok(expression) => expression.undeclared_variables(true),
        Err(error) => return Err(vec![syntax(&error, text)]),
    };
    let sources: Vec<&str> = sources.iter().map(Name::as_str).collect();
    let words = |path: &str| words_of(path, &sources);
    let scanned = scan(text, &Fields { kind: &kind_of, words: &words }, &mut |literal| {
        let value = environment.compile_expression(literal).and_then(|it| it.eval(()));
        value.ok().and_then(|value| value.as_str().map(str::to_owned))
    });
    let mut faults = strangers(&asked.into_iter().collect());
    faults.extend(scanned.faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    add_matching(&mut environment, scanned.patterns);
    let faults = tried(&environment, text);
    if !faults.is_empty() {
        return Err(faults);
    }
    add_rule(&mut environment, text)?;
    let judge = move |item: &Item, told: &Told, now: Timestamp| {
        let context = seen(Arc::from([item.clone()]), told, now, None);
        let rendered = environment.get_template(RULE).and_then(|rule| rule.render(context));
        rendered.map(|words| words == YES).map_err(|error| why(&error))
    };
    Ok(Condition::new(text, Arc::new(judge)))
}

/// The template that prints [`YES`] where the expression holds.
fn add_rule(environment: &mut Environment<'static>, text: &str) -> Result<(), Vec<Fault>> {
    let template = format!("{{% if {text} %}}{YES}{{% endif %}}");
    environment.add_template_owned(RULE, template).map_err(|error| vec![syntax(&error, text)])
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    filters::install(&mut environment, TimeZone::UTC);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_reload(false);
    environment
}

/// `is matching(PATTERN)`: whether it is found in the words, or in those of one of a list.
fn add_matching(environment: &mut Environment<'_>, patterns: BTreeMap<String, Regex>) {
    environment.add_test("matching", move |value: &Value, pattern: &str| {
        let Some(pattern) = patterns.get(pattern) else {
            return Err(filters::fault("a pattern must be written out"));
        };
        if value.kind() != ValueKind::Seq {
            return filters::words(value).map(|words| pattern.is_match(&words));
        }
        for one in value.try_iter()? {
            if pattern.is_match(&filters::words(&one)?) {
                return Ok(true);
            }
        }
        Ok(false)
    });
}

/// What an expression sees of an item and of what happened to it.
fn seen(items: Arc<[Item]>, told: &Told, now: Timestamp, unknown: Option<Unknown>) -> Value {
    let source = items.first().map_or("", |item| item.source.as_str()).to_owned();
    let item = ItemValue::new(items, 0, Some(*told), now, text_bytes_max(1), unknown);
    context! { item => Value::from_object(item), change => told.kind.as_str(), source }
}

/// What a field of an item is.
fn kind_of(path: &str) -> Kind {
    let Some(field) = path.strip_prefix("item.") else {
        return if matches!(path, "change" | "source") { Kind::Text } else { Kind::Open };
    };
    match field {
        "price" | "list_price" | "was" | "lowest_30d" => Kind::Amount,
        "published" | "updated" | "first_seen" => Kind::Date,
        "authors" | "tags" | "media" | "variants" => Kind::List,
        "percent_off" => Kind::Number,
        "on_sale" => Kind::Flag,
        "language" => Kind::Language,
        field if FIELDS.contains(&field) => Kind::Text,
        _ => Kind::Open,
    }
}

/// The words that a field of an item can be.
fn words_of<'a>(path: &str, sources: &[&'a str]) -> Option<Words<'a>> {
    match path {
        "change" | "item.change" => {
            Some(("no change is called", ChangeKind::ALL.map(ChangeKind::as_str).to_vec()))
        }
        "source" | "item.source" => Some(("no source of the campaign is called", sources.to_vec())),
        _ => None,
    }
}

/// What an expression of a layout compares, or works out, in vain.
pub(super) fn in_layout(text: &str, text_of: &mut dyn FnMut(&str) -> Option<String>) -> Vec<Fault> {
    let kind = |path: &str| match path {
        "language" | "subscriber.language" => Kind::Language,
        "campaign" | "subscriber.first_name" | "subscriber.timezone" => Kind::Text,
        path => kind_of(path),
    };
    let words = |path: &str| words_of(path, &[]);
    compared(&tokens(text), &Fields { kind: &kind, words: &words }, text_of)
}

/// Names and fields that are not there.
fn strangers(asked: &BTreeSet<String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in asked {
        let mut parts = path.split('.');
        let (name, field) = (parts.next().unwrap_or_default(), parts.next());
        match (name, field) {
            ("item", Some(field)) if !FIELDS.contains(&field) => {
                faults.push(no_field("item", field, &FIELDS));
            }
            ("change" | "source", Some(_)) => {
                let example = if name == "change" { "change == 'new'" } else { "source == 'blog'" };
                let problem = format!("`{path}`: `{name}` is a word and has no fields");
                faults.push(Fault::new(problem).hint(format!("for example `{example}`")));
            }
            (name, _) if !VARIABLES.contains(&name) => {
                let of_item = FIELDS.contains(&name);
                let problem = format!("`{name}` is unknown");
                faults.push(if of_item {
                    Fault::new(format!("{problem}; did you mean `item.{name}`?"))
                } else {
                    Fault::near(problem, name, &VARIABLES)
                });
            }
            _ => {}
        }
    }
    faults
}

fn no_field(owner: &str, field: &str, known: &[&str]) -> Fault {
    let problem = format!("no field `{owner}.{field}`");
    match nearest(field, known) {
        Some(near) => Fault::new(format!("{problem}; did you mean `{owner}.{near}`?")),
        None => Fault::new(problem).hint(format!("`{owner}` has {}", listed(known))),
    }
}

/// What goes wrong with the samples: fields of files and variants that are not there, what can't
/// be worked out, what is neither true nor false.
fn tried(environment: &Environment<'_>, text: &str) -> Vec<Fault> {
    let Ok(source) = Name::parse("sample") else { return Vec::new() };
    let unknown = Unknown::default();
    let mut faults = BTreeSet::new();
    for item in [sample(&source), bare_sample(&source)] {
        let items: Arc<[Item]> = Arc::from([item]);
        for kind in ChangeKind::ALL {
            let price = sample::told().price.filter(|_| kind.is_of_price());
            let told = Told { kind, price, ..sample::told() };
            let context = seen(Arc::clone(&items), &told, sample::NOW, Some(unknown.clone()));
            match environment.compile_expression(text).and_then(|it| it.eval(context)) {
                Ok(value) => faults.extend(no_answer(&value)),
                Err(error) => {
                    faults.insert(Fault::new(why(&error)));
                }
            }
        }
    }
    or_missed(faults, &unknown)
}

/// Fields that nothing has, in place of the faults that follow from them.
fn or_missed(faults: BTreeSet<Fault>, unknown: &Unknown) -> Vec<Fault> {
    let missed = unknown.noted();
    if missed.is_empty() {
        return faults.into_iter().collect();
    }
    let told = |(owner, field): &(Owner, String)| no_field(owner.word(), field, owner.fields());
    missed.iter().map(told).collect()
}

/// Empty text stands for what an item lacks, and is as good as false.
fn no_answer(value: &Value) -> Option<Fault> {
    let what = match value.kind() {
        ValueKind::Bool | ValueKind::None | ValueKind::Undefined => return None,
        _ if !value.is_true() => return None,
        ValueKind::String => "text",
        ValueKind::Number => "a number",
        _ => "a list or a group of fields",
    };
    let hint = "compare it with something, as in `item.title != ''` or `item.percent_off >= 20`";
    Some(Fault::new(format!("must be true or false, but gives {what}")).hint(hint))
}

fn syntax(error: &Error, text: &str) -> Fault {
    const EXAMPLE: &str =
        "for example `'rust' in item.tags and not item.title is matching('(?i)sponsored')`";
    let detail = error.detail().unwrap_or("it can't be read");
    Fault::new(format!("is no expression: {detail}")).hint(slip(text).unwrap_or(EXAMPLE))
}

/// One line without words of an item.
fn why(error: &Error) -> String {
    let error = engine::innermost(error);
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long".to_owned(),
        (ErrorKind::UndefinedError, _) => "something in it has no value for some items".to_owned(),
        (ErrorKind::InvalidOperation, Some(detail)) => plain(detail),
        (kind, _) => kind.to_string(),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
