//! Filters of amounts. An amount is a text such as `15.00 EUR`, as `item.price` gives it.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value};

use crate::model::offer::{Amount, Currency};
use crate::render::filters::{fault, words};
use crate::render::locale::Locale;
use crate::render::offers;
use crate::render::values::{Anything, ItemValue};
use crate::render::{engine, locale};

/// An amount as people of the variant's language write it, or of `language`: digits in groups, no
/// cents where there are none. What is no amount stays as it is.
///
/// In a variant for every language the currency is its code: `44 EUR`, `1299.50 USD`.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over so")]
pub(super) fn money(
    state: &State<'_, '_>,
    value: &Value,
    language: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let named = kwargs.get::<Option<&str>>("language")?.or(language);
    kwargs.assert_all_used()?;
    let text = words(value)?;
    Ok(written(&text, locale::of(named.unwrap_or_else(|| engine::language(state)))))
}

/// The amount in a language's ways.
pub(in crate::render) fn written(text: &str, ways: &Locale) -> String {
    let (number, currency) = text.split_once(' ').unwrap_or((text, ""));
    let (whole, cents) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(cents) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let symbol = ways.symbols.iter().find(|(code, _)| *code == currency).map(|(_, it)| *it);
    if ways.is_symbol_first && !currency.is_empty() {
        out.push_str(symbol.unwrap_or(currency));
        if symbol.is_none() {
            out.push('\u{a0}');
        }
    }
    for (at, digit) in whole.chars().enumerate() {
        let is_boundary = at > 0 && (whole.len() - at).is_multiple_of(3);
        if is_boundary && whole.len() >= ways.grouped_from {
            out.push_str(ways.group);
        }
        out.push(digit);
    }
    if cents.bytes().any(|digit| digit != b'0') {
        out.push(ways.decimal);
        out.push_str(cents);
    }
    if !ways.is_symbol_first && !currency.is_empty() {
        out.push('\u{a0}');
        out.push_str(symbol.unwrap_or(currency));
    }
    out
}

/// `15.00 EUR` as a number; of no amount zero.
pub(super) fn number(value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Number {
        return Ok(value.clone());
    }
    let words = words(value)?;
    let first = words.split_whitespace().next();
    let number = first.map_or(Ok(0.0), str::parse::<f64>);
    number.map(Value::from).map_err(|_| fault("this is no amount such as `15.00 EUR`"))
}

/// Whole percents that an item costs less, or that the second amount is below the first:
/// `item | percent_off`, `item.list_price | percent_off(item.price)`. 0 when it is no less.
pub(super) fn percent_off(value: &Value, to: Option<&Value>) -> Result<Value, Error> {
    if let Some(item) = value.downcast_object_ref::<ItemValue>() {
        return Ok(item.field("percent_off").unwrap_or_else(|| Value::from(0)));
    }
    if value.downcast_object_ref::<Anything>().is_some() {
        return Ok(Value::from(0));
    }
    let Some(to) = to.filter(|to| to.kind() != ValueKind::Undefined) else {
        return Err(fault("`percent_off` needs an item, or two amounts"));
    };
    let (from, to) = (amount(&words(value)?), amount(&words(to)?));
    Ok(Value::from(from.zip(to).map_or(0, |(from, to)| offers::percent_off(from, to))))
}

/// The lowest price of the 30 days before an item's price moved; empty when it is not known.
pub(super) fn lowest_30d(value: &Value) -> Result<Value, Error> {
    if let Some(item) = value.downcast_object_ref::<ItemValue>() {
        return Ok(item.field("lowest_30d").unwrap_or_default());
    }
    if value.downcast_object_ref::<Anything>().is_some() {
        return Ok(Value::from(""));
    }
    Err(fault("`lowest_30d` needs an item"))
}

/// The amount of a text as layouts see it.
fn amount(text: &str) -> Option<Amount> {
    let (number, currency) = text.split_once(' ').unwrap_or((text, ""));
    let (whole, cents) = number.split_once('.').unwrap_or((number, ""));
    let scale = u8::try_from(cents.len()).ok()?;
    let units = format!("{whole}{cents}").parse().ok()?;
    let currency: Option<Currency> = currency.parse().ok();
    Amount::new(units, scale, currency)
}
