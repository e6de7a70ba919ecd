//! What a layout can do with a value.
//!
//! A list of what is allowed, not of what is taken away: the engine's own filters for making text
//! can build gigabytes, so here are ours, which cannot. They work on the words of a value: of a
//! text with markup they see the text.

use std::borrow::Cow;

use minijinja::filters as builtin;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value, tests as builtin_tests};
use url::Url;

use crate::markup;
use crate::render::shorten::{shorten, shorten_rich};
use crate::render::values::Anything;

/// Longest text that a filter makes, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Longest format of a date, in bytes.
const FORMAT_BYTES_MAX: usize = 64;

/// All filters that a layout can use.
pub(super) const FILTERS: [&str; 33] = [
    "truncate",
    "plain",
    "domain",
    "date",
    "money",
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

pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("truncate", truncate);
    environment.add_filter("plain", |value: &Value| words(value));
    environment.add_filter("domain", domain);
    environment.add_filter("date", date);
    environment.add_filter("money", money);
    environment.add_filter("default", default);
    environment.add_filter("join", join);
    environment.add_filter("replace", replace);
    environment.add_filter("upper", |value: &Value| Ok::<_, Error>(words(value)?.to_uppercase()));
    environment.add_filter("lower", |value: &Value| Ok::<_, Error>(words(value)?.to_lowercase()));
    environment.add_filter("capitalize", capitalize);
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
fn words(value: &Value) -> Result<String, Error> {
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

fn fault(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// At most that many graphemes, cut at a word; markup stays markup.
fn truncate(value: &Value, graphemes_max: usize) -> Result<Value, Error> {
    if value.is_safe() {
        let text = markup::rich(value.as_str().unwrap_or_default(), None);
        let short = shorten_rich(&text, graphemes_max);
        return Ok(Value::from_safe_string(markup::to_html(&short)));
    }
    Ok(Value::from(shorten(&words(value)?, graphemes_max)))
}

/// The host of an address without `www.`; empty when it is no address.
fn domain(value: &Value) -> Result<String, Error> {
    let text = words(value)?;
    let url = markup::address(&text, None);
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    Ok(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

/// An instant as text: `date("%d.%m.%Y", timezone="Europe/Bucharest")`, in UTC if no zone is named.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over so")]
fn date(
    value: &Value,
    format: Option<&str>,
    timezone: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let format = match kwargs.get::<Option<&str>>("format")?.or(format).unwrap_or("%Y-%m-%d") {
        format if format.len() <= FORMAT_BYTES_MAX => format,
        _ => return Err(fault("the format of a date has at most 64 bytes")),
    };
    let timezone = kwargs.get::<Option<&str>>("timezone")?.or(timezone).unwrap_or("UTC");
    kwargs.assert_all_used()?;
    let text = words(value)?;
    if text.is_empty() {
        return Ok(text);
    }
    let at: jiff::Timestamp =
        text.parse().map_err(|_| fault("`date` needs an instant, such as `item.published`"))?;
    let zoned = at.in_tz(timezone).map_err(|_| fault("`date` knows no such time zone"))?;
    jiff::fmt::strtime::format(format, &zoned)
        .map_err(|_| fault("`date` needs a format such as `%d.%m.%Y %H:%M`"))
}

/// An amount such as `item.price` as people write it: thousands apart, no cents where there are
/// none. What is no amount stays as it is.
fn money(value: &Value) -> Result<String, Error> {
    let text = words(value)?;
    let (number, currency) = text.split_once(' ').unwrap_or((&text, ""));
    let (whole, cents) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(cents) {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && whole.len() > 4 && (whole.len() - at).is_multiple_of(3) {
            // No line ends within a number.
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    if cents.bytes().any(|digit| digit != b'0') {
        out.push('.');
        out.push_str(cents);
    }
    if !currency.is_empty() {
        out.push('\u{a0}');
        out.push_str(currency);
    }
    Ok(out)
}

/// `other` in place of what is missing or empty.
fn default(value: &Value, other: Option<Value>) -> Value {
    if value.is_true() { value.clone() } else { other.unwrap_or_else(|| Value::from("")) }
}

fn join(value: &Value, joiner: Option<&str>) -> Result<String, Error> {
    let mut out = String::new();
    for (at, part) in value.try_iter()?.enumerate() {
        if at > 0 {
            out.push_str(joiner.unwrap_or_default());
        }
        out.push_str(&words(&part)?);
        if out.len() > TEXT_BYTES_MAX {
            return Err(fault("`join` makes a text that is too long"));
        }
    }
    Ok(out)
}

fn replace(value: &Value, from: &str, to: &str) -> Result<String, Error> {
    let text = words(value)?;
    let grown = text.matches(from).count().saturating_mul(to.len());
    if text.len().saturating_add(grown) > TEXT_BYTES_MAX {
        return Err(fault("`replace` makes a text that is too long"));
    }
    Ok(text.replace(from, to))
}

fn capitalize(value: &Value) -> Result<String, Error> {
    let text = words(value)?;
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    Ok(first.chain(chars.as_str().chars().flat_map(char::to_lowercase)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(expression: &str) -> Result<String, String> {
        let mut environment = Environment::empty();
        install(&mut environment);
        let context = minijinja::context! {
            html => Value::from_safe_string("<p>a <b>b &amp; c</b></p><p>d</p>".to_owned()),
            text => "a <b> tale of two words",
            at => "2026-11-23T22:30:00Z",
            list => vec!["x", "y", "z"],
            long => "x".repeat(60_000),
            nothing => "",
        };
        let source = format!("{{{{ {expression} }}}}");
        environment.render_str(&source, context).map_err(|error| error.to_string())
    }

    #[test]
    fn filters_do_what_they_say() {
        let cases = [
            ("text | truncate(12)", "a <b> tale…"),
            ("html | truncate(6)", "<p>a <b>b &amp;…</b></p>"),
            ("html | plain", "a b & c\nd"),
            ("html | upper", "A B & C\nD"),
            ("'https://www.Example.com/x' | domain", "example.com"),
            ("'mailto:x' | domain", ""),
            ("at | date", "2026-11-23"),
            ("at | date('%d.%m.%Y %H:%M', 'Europe/Bucharest')", "24.11.2026 00:30"),
            ("at | date(timezone='America/New_York', format='%H')", "17"),
            ("nothing | date", ""),
            ("'1299.00 MDL' | money", "1299\u{a0}MDL"),
            ("'12345678.50 VND' | money", "12\u{a0}345\u{a0}678.50\u{a0}VND"),
            ("'15.00' | money", "15"),
            ("'on request' | money", "on request"),
            ("nothing | money", ""),
            ("nothing | default('-')", "-"),
            ("list | join(', ')", "x, y, z"),
            ("list | first | upper", "X"),
            ("text | replace('tale', 'story') | capitalize", "A <b> story of two words"),
            ("(list | length) is eq(3)", "True"),
        ];
        for (expression, expected) in cases {
            assert_eq!(printed(expression).as_deref(), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn sec_t03_no_filter_makes_text_without_bounds() {
        for expression in [
            "long | replace('x', 'yyyyyyyyyy')",
            "[long, long] | join",
            "'%0999999999d' | format(1)",
            "at | date('%Y' * 33)",
            "list | batch(999999999)",
            "text | indent(999999999)",
            "list | pprint",
        ] {
            assert!(printed(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn every_filter_that_is_told_is_there() {
        let mut environment = Environment::empty();
        install(&mut environment);
        for name in FILTERS {
            let found = environment.empty_state().apply_filter(name, &[]);
            let is_unknown = found.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter);
            assert!(!is_unknown, "{name}");
        }
    }
}
