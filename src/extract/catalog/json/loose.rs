//! Values of JSON taken for what they must mean, whatever type a platform's plugin gave them.

use serde_json::Value;

use crate::extract::catalog::price;
use crate::model::offer::{Amount, Currency};

/// What holds the text in an object that wraps one: WordPress's texts, PrestaShop's languages,
/// anybody's named things.
const TEXT_NAMES: [&str; 4] = ["rendered", "value", "name", "language"];
/// Most digits that a fraction of floating point is believed to have.
const FRACTION_DIGITS: usize = 6;

/// A string, a number or a truth value as text, trimmed; the first text of a list or of an object
/// that wraps one. Anything else is empty.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(list) => {
            list.iter().map(text).find(|text| !text.is_empty()).unwrap_or_default()
        }
        Value::Object(object) => {
            let texts = TEXT_NAMES.iter().filter_map(|name| object.get(*name));
            texts.filter(|value| !value.is_object()).map(text).next().unwrap_or_default()
        }
        Value::Null => String::new(),
    }
}

/// [`text`], or `None` where there is none.
pub(crate) fn some_text(value: &Value) -> Option<String> {
    Some(text(value)).filter(|text| !text.is_empty())
}

/// The first of several members that has a text.
pub(crate) fn first_text(object: &Value, names: &[&str]) -> String {
    names.iter().map(|name| text(&object[*name])).find(|text| !text.is_empty()).unwrap_or_default()
}

/// A truth value, also as 0 and 1, in quotes or not.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => match text.trim() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, in quotes or not.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// How many are left: a number below zero counts as none.
pub(crate) fn quantity(value: &Value) -> Option<u32> {
    whole(value).map(|left| u32::try_from(left.max(0)).unwrap_or(u32::MAX))
}

/// A whole number of minor units: 1999 with 2 digits is 19.99.
pub(crate) fn minor(value: &Value, digits: u8, currency: Option<Currency>) -> Option<Amount> {
    Amount::new(whole(value)?, digits, currency)
}

/// A decimal number. What floating point has added to it (28.679999999999996) is rounded away.
pub(crate) fn decimal(value: &Value, currency: Option<Currency>) -> Option<Amount> {
    if value.is_null() {
        return None;
    }
    let text = text(value);
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if value.is_number() && fraction.len() > FRACTION_DIGITS && digits {
        let number = value.as_f64()?;
        return plain(&format!("{number:.FRACTION_DIGITS$}"), currency);
    }
    plain(&text, currency)
}

/// Without the noughts at the end that databases add: `23.900000` is 23.90.
fn plain(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let kept = fraction.trim_end_matches('0');
    let least = fraction.len().min(2);
    let end = text.len() - fraction.len() + kept.len().max(least);
    price::decimal(text.get(..end)?, currency)
}

/// The digits of a GTIN, if it has as many as one has.
pub(crate) fn gtin(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let text: String = text(value).chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let is_gtin = matches!(text.len(), 8 | 12 | 13 | 14)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte != b'0');
    is_gtin.then_some(text)
}

/// What follows a path of names and places in lists, joined by `/`; of a list that is not asked
/// for a place, the first value. A leading `@` of a name is passed over: JSON has no attributes.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let mut found = value;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let name = name.trim_start_matches('@');
        if let (Value::Array(list), Err(_)) = (found, name.parse::<usize>()) {
            found = list.first().unwrap_or(&Value::Null);
        }
        found = match found {
            Value::Array(list) => {
                name.parse::<usize>().ok().and_then(|place| list.get(place)).unwrap_or(&Value::Null)
            }
            other => &other[name],
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_another_type_are_understood() {
        assert_eq!(text(&json!(" a ")), "a");
        assert_eq!(text(&json!(8_121_980_551_277_u64)), "8121980551277");
        assert_eq!(text(&json!([{"id": "1", "value": ""}, {"id": "3", "value": "x"}])), "x");
        assert_eq!(text(&json!({"rendered": "x", "protected": false})), "x");
        assert_eq!(text(&json!(null)), "");
        assert_eq!(flag(&json!("1")), Some(true));
        assert_eq!(flag(&json!("")), None);
        assert_eq!(quantity(&json!(-82)), Some(0));
        assert_eq!(gtin(&json!("0000000000000")), None);
        assert_eq!(gtin(&json!("400638133393-1")), Some("4006381333931".into()));
    }

    #[test]
    fn amounts_are_exact() {
        let decimal = |value| decimal(&value, None).map(Amount::decimal);
        for (value, expected) in [
            (json!("30.00"), Some("30.00")),
            (json!("23.900000"), Some("23.90")),
            (json!("1.125000"), Some("1.125")),
            (json!(23.9), Some("23.9")),
            (json!(28.679999999999996), Some("28.68")),
            (json!(5), Some("5")),
            (json!(""), None),
            (json!("1,5"), None),
            (json!(1e30), None),
            (json!(null), None),
        ] {
            assert_eq!(decimal(value.clone()).as_deref(), expected, "{value}");
        }
        let usd = "USD".parse().ok();
        assert_eq!(minor(&json!("18000"), 3, usd).map(Amount::decimal).as_deref(), Some("18.00"));
        assert_eq!(minor(&json!(1999), 2, None).map(Amount::decimal).as_deref(), Some("19.99"));
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let value = json!({"a": [{"b": 1}, {"b": 2}], "c": {"d": "x"}});
        assert_eq!(at(&value, "a/b"), &json!(1));
        assert_eq!(at(&value, "a/1/b"), &json!(2));
        assert_eq!(at(&value, "c/@d"), &json!("x"));
        assert_eq!(at(&value, "c/d/e"), &Value::Null);
        assert_eq!(at(&value, "a/7"), &Value::Null);
    }
}
