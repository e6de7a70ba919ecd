//! Conditions of campaigns: the expressions of `when`.
//!
//! An expression sees `item` with the fields that layouts have, `change` and `source`; it has the
//! filters of layouts and the tests below, no loops, no functions. It is checked whole when it is
//! read: names, fields, filters, tests and patterns by its words, what it gives by items that have
//! everything and one that has next to nothing. Judging has fuel for [`FUEL`] instructions,
//! patterns take time in proportion to the text.

mod scan;

mod people;

mod phrase;

mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
use crate::render::expression::scan::scan;
use crate::render::filters;
use crate::render::nearest::nearest;
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

/// Reads and checks an expression.
///
/// # Errors
/// Everything that is wrong with it.
pub fn condition(text: &str) -> Result<Condition, Vec<Fault>> {
    let text = text.trim();
    if text.is_empty() || text.len() > RULE_BYTES_MAX {
        return Err(vec![Fault::new(format!("must have 1 to {RULE_BYTES_MAX} bytes"))]);
    }
    let mut environment = environment();
    let asked = match environment.compile_expression(text) {
        Ok(expression) => expression.undeclared_variables(true),
        Err(error) => return Err(vec![syntax(&error)]),
    };
    let scanned = scan(text, &mut |literal| {
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
    environment.add_template_owned(RULE, template).map_err(|error| vec![syntax(&error)])
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    filters::install(&mut environment);
    environment.add_filter("amount", amount);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_reload(false);
    environment
}

/// `15.00 EUR` as a number; of no amount zero.
fn amount(value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Number {
        return Ok(value.clone());
    }
    let words = filters::words(value)?;
    let first = words.split_whitespace().next();
    let number = first.map_or(Ok(0.0), str::parse::<f64>);
    number.map(Value::from).map_err(|_| filters::fault("this is no amount such as `15.00 EUR`"))
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

fn syntax(error: &Error) -> Fault {
    let detail = error.detail().unwrap_or("it can't be read");
    let hint = "for example `'rust' in item.tags and not item.title is matching('(?i)sponsored')`";
    Fault::new(format!("is no expression: {detail}")).hint(hint)
}

/// One line without words of an item.
fn why(error: &Error) -> String {
    let error = engine::innermost(error);
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long".to_owned(),
        (ErrorKind::UndefinedError, _) => "something in it has no value for some items".to_owned(),
        (ErrorKind::InvalidOperation, Some(detail)) => detail.to_owned(),
        (kind, _) => kind.to_string(),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
