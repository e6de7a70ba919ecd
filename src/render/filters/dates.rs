//! The filter `date`.

use jiff::Zoned;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use crate::model::zone::Zone;
use crate::render::filters::{fault, words};
use crate::render::locale::Locale;
use crate::render::{engine, locale};

/// Longest format of a date, in bytes.
const FORMAT_BYTES_MAX: usize = 64;

/// An instant as text, by the clocks of `usual` if no zone is named, or an empty one:
/// `date("d MMM yyyy", "Europe/Bucharest")` with letters as calendars have them (Unicode TR 35),
/// names in the variant's language or `language`; or `date("%d.%m.%Y")` as `strftime` has them. A
/// zone may be whatever a reader can tell: `+05:30` too.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over so")]
pub(super) fn date(
    usual: &TimeZone,
    state: &State<'_, '_>,
    value: &Value,
    format: Option<&str>,
    timezone: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let format = match kwargs.get::<Option<&str>>("format")?.or(format).unwrap_or("%Y-%m-%d") {
        format if format.len() <= FORMAT_BYTES_MAX => format,
        _ => return Err(fault("the format of a date has at most 64 bytes")),
    };
    let timezone = kwargs.get::<Option<&str>>("timezone")?.or(timezone);
    let language = kwargs.get::<Option<&str>>("language")?;
    kwargs.assert_all_used()?;
    let text = words(value)?;
    if text.is_empty() {
        return Ok(text);
    }
    let at: jiff::Timestamp =
        text.parse().map_err(|_| fault("`date` needs an instant, such as `item.published`"))?;
    let clocks = match timezone.filter(|name| !name.is_empty()) {
        None => usual.clone(),
        Some(name) => Zone::exactly(name)
            .and_then(|zone| zone.clocks())
            .ok_or_else(|| fault("`date` knows no such time zone"))?,
    };
    let zoned = at.to_zoned(clocks);
    if format.contains('%') {
        return jiff::fmt::strtime::format(format, &zoned)
            .map_err(|_| fault("`date` needs a format such as `%d.%m.%Y %H:%M`"));
    }
    let ways = locale::of(language.unwrap_or_else(|| engine::language(state)));
    by_letters(format, &zoned, ways)
        .ok_or_else(|| fault("`date` needs a format such as `d MMM yyyy, HH:mm` or `%d.%m.%Y`"))
}

/// `None` for a letter that means nothing here. Letters in `'…'` stand for themselves.
pub(in crate::render) fn by_letters(format: &str, at: &Zoned, ways: &Locale) -> Option<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let quoted = &rest[1..];
            let end = quoted.find('\'')?;
            out.push_str(if end == 0 { "'" } else { &quoted[..end] });
            rest = &quoted[end + 1..];
            continue;
        }
        let end = rest.find(|c| c != first).unwrap_or(rest.len());
        let (field, behind) = rest.split_at(end);
        rest = behind;
        if first.is_ascii_alphabetic() {
            out.push_str(&letters(field, at, ways)?);
        } else {
            out.push_str(field);
        }
    }
    Some(out)
}

/// One field, such as `MMM`.
fn letters(field: &str, at: &Zoned, ways: &Locale) -> Option<String> {
    let name = |names: &[&'static str], number: i8| {
        let at = usize::try_from(number - 1).ok()?;
        names.get(at).map(|name| (*name).to_owned())
    };
    let number = |number: i8, field: &str| match field.len() {
        1 => Some(number.to_string()),
        2 => Some(format!("{number:02}")),
        _ => None,
    };
    let half = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let day = at.weekday().to_monday_one_offset();
    match (field.as_bytes().first()?, field.len()) {
        (b'y', 2) => Some(format!("{:02}", at.year().rem_euclid(100))),
        (b'y', 1 | 4) => Some(at.year().to_string()),
        (b'M' | b'L', 4) => name(&ways.months, at.month()),
        (b'M' | b'L', 3) => name(&ways.months_short, at.month()),
        (b'M' | b'L', _) => number(at.month(), field),
        (b'd', _) => number(at.day(), field),
        (b'E', 4) => name(&ways.days, day),
        (b'E', 1..=3) => name(&ways.days_short, day),
        (b'H', _) => number(at.hour(), field),
        (b'h', _) => number(half, field),
        (b'm', _) => number(at.minute(), field),
        (b's', _) => number(at.second(), field),
        (b'a', 1) => Some(if at.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        (b'z', 1..=3) => jiff::fmt::strtime::format("%Z", at).ok(),
        (b'Z' | b'x', 1..=5) => jiff::fmt::strtime::format("%:z", at).ok(),
        _ => None,
    }
}
