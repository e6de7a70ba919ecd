//! What a layout can do with a value.
//!
//! A list of what is allowed, not of what is taken away: the engine's own filters for making text
//! can build gigabytes, so here are ours, which cannot. They work on the words of a value: of a
//! text with markup they see the text. Those that depend on a language take that of the variant.

mod dates;

mod money;

mod texts;

mod web;

pub(super) use dates::by_letters;
pub(super) use money::written;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use minijinja::filters as builtin;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, tests as builtin_tests};

use crate::markup;
use crate::render::values::Anything;

/// Longest text that a filter makes, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// All filters that a layout can use.
pub(super) const FILTERS: [&str; 39] = [
    "truncate",
    "plain",
    "domain",
    "date",
    "money",
    "amount",
    "percent_off",
    "lowest_30d",
    "readtime",
    "hashtags",
    "utm",
    "default",
    "join",
    "replace",
    "upper",
    "lower",
    "capitalize",
    "trim",
    "escape",
    "e",
    "urlencode",
    "length",
    "count",
    "first",
    "last",
    "list",
    "reverse",
    "sort",
    "unique",
    "min",
    "max",
    "round",
    "abs",
    "int",
    "float",
    "select",
    "reject",
    "selectattr",
    "map",
];

/// All tests that a layout can use.
pub(super) const TESTS: [&str; 12] = [
    "defined",
    "none",
    "odd",
    "even",
    "divisibleby",
    "startingwith",
    "endingwith",
    "in",
    "eq",
    "ne",
    "lt",
    "gt",
];

/// All of them; dates are shown by these clocks where no zone is named.
pub(super) fn install(environment: &mut Environment<'_>, clocks: TimeZone) {
    environment.add_filter("truncate", texts::truncate);
    environment.add_filter("plain", |value: &Value| words(value));
    environment.add_filter("domain", web::domain);
    let date = move |state: &State<'_, '_>,
                     value: &Value,
                     format: Option<&str>,
                     timezone: Option<&str>,
                     kwargs: Kwargs| {
        dates::date(&clocks, state, value, format, timezone, kwargs)
    };
    environment.add_filter("date", date);
    environment.add_filter("money", money::money);
    environment.add_filter("amount", money::number);
    environment.add_filter("percent_off", money::percent_off);
    environment.add_filter("lowest_30d", money::lowest_30d);
    environment.add_filter("readtime", texts::readtime);
    environment.add_filter("hashtags", texts::hashtags);
    environment.add_filter("utm", web::utm);
    environment.add_filter("default", texts::default);
    environment.add_filter("join", texts::join);
    environment.add_filter("replace", texts::replace);
    environment.add_filter("upper", |value: &Value| Ok::<_, Error>(words(value)?.to_uppercase()));
    environment.add_filter("lower", |value: &Value| Ok::<_, Error>(words(value)?.to_lowercase()));
    environment.add_filter("capitalize", texts::capitalize);
    environment.add_filter("trim", |value: &Value| Ok::<_, Error>(words(value)?.trim().to_owned()));
    environment.add_filter("escape", builtin::escape);
    environment.add_filter("e", builtin::escape);
    environment.add_filter("urlencode", builtin::urlencode);
    environment.add_filter("length", builtin::length);
    environment.add_filter("count", builtin::length);
    environment.add_filter("first", builtin::first);
    environment.add_filter("last", builtin::last);
    environment.add_filter("list", builtin::list);
    environment.add_filter("reverse", builtin::reverse);
    environment.add_filter("sort", builtin::sort);
    environment.add_filter("unique", builtin::unique);
    environment.add_filter("min", builtin::min);
    environment.add_filter("max", builtin::max);
    environment.add_filter("round", builtin::round);
    environment.add_filter("abs", builtin::abs);
    environment.add_filter("int", builtin::int);
    environment.add_filter("float", builtin::float);
    environment.add_filter("select", builtin::select);
    environment.add_filter("reject", builtin::reject);
    environment.add_filter("selectattr", builtin::selectattr);
    environment.add_filter("map", builtin::map);

    environment.add_test("defined", builtin_tests::is_defined);
    environment.add_test("none", builtin_tests::is_none);
    environment.add_test("odd", builtin_tests::is_odd);
    environment.add_test("even", builtin_tests::is_even);
    environment.add_test("divisibleby", builtin_tests::is_divisibleby);
    environment.add_test("startingwith", builtin_tests::is_startingwith);
    environment.add_test("endingwith", builtin_tests::is_endingwith);
    environment.add_test("in", builtin_tests::is_in);
    environment.add_test("eq", builtin_tests::is_eq);
    environment.add_test("ne", builtin_tests::is_ne);
    environment.add_test("lt", builtin_tests::is_lt);
    environment.add_test("gt", builtin_tests::is_gt);
}

/// The words of a value: of markup its text, of nothing nothing.
pub(super) fn words(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Ok(String::new()),
        ValueKind::String if value.is_safe() => {
            Ok(markup::rich(value.as_str().unwrap_or_default(), None).plain())
        }
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        _ if value.downcast_object_ref::<Anything>().is_some() => Ok(String::new()),
        _ => Err(fault("this is no text, but a list or a group of fields")),
    }
}

/// What a filter of ours can't do, in words of ours.
pub(super) fn fault(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why).with_source(Ours)
}

/// Whether the error's detail is ours, and so has no words of an item.
pub(super) fn is_ours(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|it| it.is::<Ours>())
}

/// Marks the errors of our filters.
#[derive(Debug, thiserror::Error)]
#[error("a filter can't do it")]
struct Ours;

#[cfg(test)]
mod tests;
