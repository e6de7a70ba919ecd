//! Dates with words in them, and numbers that do not begin with the year.

use crate::extract::date::zone::zone;
use crate::extract::date::{Cursor, Moment, time_of_day, twelve_hours};

/// Everything with words in it, and numeric forms that do not begin with the year.
///
/// 1. Comments in parentheses go, and every character that only separates becomes a space.
/// 2. Each token is put where it belongs by its own shape: time, zone, month, year, day.
/// 3. What has no meaning here (weekdays, "at", "of", "г.") is passed over.
pub(super) fn words(text: &str) -> Option<Moment> {
    let text = without_comments(text);
    let mut moment = Moment::default();
    let mut found = Found::default();
    let mut afternoon = None;
    for token in text.split(|c: char| c.is_whitespace() || c == ',' || c == ';') {
        let token = token.trim_matches(|c: char| c == '.' || c == '\'' || c == '’');
        let Some(first) = token.chars().next() else { continue };
        if first.is_ascii_digit() {
            numeric_token(token, &mut moment, &mut found, &mut afternoon)?;
        } else if (first == '+' || first == '-') && found.time && token.len() > 1 {
            if let Some(offset) = zone(token) {
                moment.offset = offset;
                found.zone = true;
            }
        } else {
            let lower = token.to_lowercase();
            // A weekday can look like a month (`mar.` for mardi): the last one before the time counts.
            if let Some(month) = month_name(&lower).filter(|_| !(found.month && found.time)) {
                moment.month = month;
                found.month = true;
            } else if matches!(lower.as_str(), "am" | "a.m" | "오전" | "上午" | "午前" | "πμ")
            {
                afternoon = Some(false);
            } else if matches!(lower.as_str(), "pm" | "p.m" | "오후" | "下午" | "午後" | "μμ")
            {
                afternoon = Some(true);
            } else if found.time && !found.zone {
                if let Some(offset) = zone(&lower) {
                    moment.offset = offset;
                    found.zone = true;
                }
            } else if lower.contains('-') {
                // 01-Jan-04 glued to a weekday, or 31-Dec-2003 with the month first.
                dashed(&lower, &mut moment, &mut found);
            }
        }
    }
    if let Some(afternoon) = afternoon {
        moment.seconds = twelve_hours(moment.seconds, afternoon);
    }
    (found.day && found.month && found.year).then_some(moment)
}

/// Which parts have been seen.
#[derive(Debug, Default)]
struct Found {
    day: bool,
    month: bool,
    year: bool,
    time: bool,
    zone: bool,
}

fn numeric_token(
    token: &str,
    moment: &mut Moment,
    found: &mut Found,
    afternoon: &mut Option<bool>,
) -> Option<()> {
    if token.contains(':') {
        let mut at = Cursor { bytes: token.as_bytes(), pos: 0 };
        time_of_day(&mut at, moment)?;
        found.time = true;
        let rest = token.get(at.pos..)?.to_lowercase();
        match rest.as_str() {
            "" => {}
            "am" | "a" => *afternoon = Some(false),
            "pm" | "p" => *afternoon = Some(true),
            zone_text => {
                if let Some(offset) = zone(zone_text) {
                    moment.offset = offset;
                    found.zone = true;
                }
            }
        }
        return Some(());
    }
    if let Some(rest) = cjk(token, moment, found) {
        return rest;
    }
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    let value: i64 = token.get(..digits)?.parse().ok()?;
    let tail = token.get(digits..)?;
    if tail.starts_with(['-', '/', '.']) {
        dashed(&token.to_lowercase(), moment, found);
        return Some(());
    }
    if digits >= 3 || (found.day && !found.year) {
        if !found.year {
            moment.year = full_year(value, digits)?;
            found.year = true;
        }
    } else if !found.day && (tail.is_empty() || is_ordinal(tail)) {
        moment.day = u8::try_from(value).ok()?;
        found.day = true;
    }
    Some(())
}

fn is_ordinal(tail: &str) -> bool {
    matches!(tail.to_lowercase().as_str(), "st" | "nd" | "rd" | "th" | "er" | "º" | "ª" | "-го")
}

/// `31-Dec-2003`, `31/12/2003`, `31.12.2003`, `12/31/2003`, `2003/12/31`.
fn dashed(token: &str, moment: &mut Moment, found: &mut Found) {
    let slashes = token.contains('/');
    let parts: Vec<&str> = token.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
    let [first, second, third] = parts.as_slice() else { return };
    if let Some(month) = month_name(second) {
        let year = third.parse().ok().and_then(|year| full_year(year, third.len()));
        if let (Ok(day), Some(year)) = (first.parse::<u8>(), year) {
            (moment.day, moment.month, moment.year) = (day, month, year);
            (found.day, found.month, found.year) = (true, true, true);
        }
        return;
    }
    let (Ok(a), Ok(b), Ok(c)) = (first.parse::<i64>(), second.parse::<i64>(), third.parse::<i64>())
    else {
        return;
    };
    let (day, month, year) = if first.len() == 4 {
        (c, b, full_year(a, 4))
    } else if slashes && a <= 12 {
        // The American order; a first number over 12 shows the other one.
        (b, a, full_year(c, third.len()))
    } else {
        (a, b, full_year(c, third.len()))
    };
    let (Ok(day), Ok(month), Some(year)) = (u8::try_from(day), u8::try_from(month), year) else {
        return;
    };
    (moment.day, moment.month, moment.year) = (day, month, year);
    (found.day, found.month, found.year) = (true, true, true);
}

/// `2004年05月28日`, `2004년` and so on; the outer `None` when the token has none of these signs.
#[expect(clippy::option_option, reason = "outer: another form; inner: a broken one")]
fn cjk(token: &str, moment: &mut Moment, found: &mut Found) -> Option<Option<()>> {
    if !token.contains(['年', '月', '日', '년', '월', '일']) {
        return None;
    }
    let mut value: i64 = 0;
    for c in token.chars() {
        match c {
            '0'..='9' => value = value * 10 + i64::from(c.to_digit(10)?),
            '年' | '년' => {
                moment.year = i32::try_from(value).ok()?;
                (found.year, value) = (true, 0);
            }
            '月' | '월' => {
                moment.month = u8::try_from(value).ok()?;
                (found.month, value) = (true, 0);
            }
            '日' | '일' => {
                moment.day = u8::try_from(value).ok()?;
                (found.day, value) = (true, 0);
            }
            _ => return Some(None),
        }
        if value > 9999 {
            return Some(None);
        }
    }
    Some(Some(()))
}

/// Two digits lie between 1970 and 2069; three are years since 1900, a fault of old scripts.
fn full_year(value: i64, digits: usize) -> Option<i32> {
    let year = match digits {
        0 => return None,
        1 | 2 if value < 70 => value + 2000,
        1..=3 => value + 1900,
        _ => value,
    };
    i32::try_from(year).ok().filter(|year| *year < 10_000)
}

/// The month a word names: English by its first three letters, other languages by prefixes that
/// no other month of ours shares.
fn month_name(lower: &str) -> Option<u8> {
    let word = lower.trim_matches(|c: char| !c.is_alphabetic());
    if word.chars().count() < 3 {
        return match word {
            "מאי" => Some(5),
            _ => None,
        };
    }
    if word.starts_with("červen") {
        // Czech has June and July with the same beginning.
        return Some(if word.starts_with("červenec") || word.starts_with("července") {
            7
        } else {
            6
        });
    }
    MONTHS
        .iter()
        .find(|(prefixes, _)| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .map(|(_, month)| *month)
}

/// English, German, French, Spanish, Portuguese, Italian, Dutch, Romanian, Polish, Czech, Hungarian,
/// Russian, Ukrainian, Greek, Turkish, Scandinavian, Arabic. Longer prefixes stand first where one
/// contains another.
#[rustfmt::skip]
const MONTHS: &[(&[&str], u8)] = &[
    (&["jan", "jän", "janv", "ene", "gen", "ian", "sty", "led", "янв", "січ", "ιαν", "γεν", "oca", "يناير", "كانون الثاني"], 1),
    (&["feb", "fév", "fev", "lut", "úno", "uno", "фев", "лют", "φεβ", "şub", "sub", "فبراير"], 2),
    (&["mar", "mär", "mrz", "maa", "mrt", "bře", "bre", "már", "мар", "бер", "μαρ", "μάρ", "مارس"], 3),
    (&["apr", "avr", "abr", "kwi", "dub", "ápr", "апр", "кві", "απρ", "nis", "أبريل", "ابريل"], 4),
    (&["may", "mai", "maj", "mag", "mei", "mayo", "kvě", "kve", "máj", "май", "мая", "тра", "μαι", "μαϊ", "μάι", "mayıs", "مايو"], 5),
    (&["jun", "juin", "giu", "iun", "cze", "jún", "июн", "чер", "ιουν", "ιούν", "haz", "يونيو"], 6),
    (&["jul", "juil", "lug", "iul", "lip", "júl", "июл", "лип", "ιουλ", "ιούλ", "tem", "يوليو"], 7),
    (&["aug", "aoû", "aou", "ago", "sie", "srp", "авг", "сер", "αυγ", "αύγ", "ağu", "agu", "أغسطس"], 8),
    (&["sep", "set", "wrz", "zář", "zar", "sze", "сен", "вер", "σεπ", "eyl", "سبتمبر"], 9),
    (&["oct", "okt", "out", "ott", "paź", "paz", "říj", "rij", "окт", "жов", "οκτ", "eki", "أكتوبر"], 10),
    (&["nov", "noi", "lis", "ноя", "лис", "νοε", "νοέ", "kas", "نوفمبر"], 11),
    (&["dec", "dez", "déc", "dic", "gru", "pro", "дек", "гру", "δεκ", "ara", "ديسمبر"], 12),
];

fn without_comments(text: &str) -> String {
    let mut depth = 0u32;
    text.chars()
        .filter(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}
