//! Zones of dates, in numbers and letters.

/// Minutes east of UTC for a zone in numbers or letters.
pub(super) fn zone(text: &str) -> Option<i64> {
    let text = text.trim_matches(|c| c == '"' || c == '.');
    let named = text.to_ascii_uppercase();
    for prefix in ["GMT", "UTC", "UT"] {
        if let Some(rest) = named.strip_prefix(prefix) {
            return if rest.is_empty() { Some(0) } else { numeric_zone(rest) };
        }
    }
    if named.starts_with(['+', '-', '−']) {
        return numeric_zone(&named);
    }
    ZONES.iter().find(|(name, _)| *name == named).map(|(_, minutes)| *minutes)
}

/// `+0100`, `+01:00`, `+1`, `-5:30`, `+100`.
fn numeric_zone(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-').or_else(|| text.strip_prefix('−'))?),
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) => {
            {
                // `+00:0` is met, and so are seconds behind.
                let minutes = minutes.get(..2).unwrap_or(minutes);
                (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?)
            }
        }
        None => {
            if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let value: i64 = rest.parse().ok()?;
            if rest.len() <= 2 { (value, 0) } else { (value / 100, value % 100) }
        }
    };
    if !(0..=15).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    Some(sign * (hours * 60 + minutes))
}

/// Names of RFC 822, the military letters of its errata (all UTC but `Z`, since they were
/// defined with the wrong sign), and those that real feeds use.
#[rustfmt::skip]
const ZONES: &[(&str, i64)] = &[
    ("Z", 0),
    ("EST", -300), ("EDT", -240), ("ET", -300),
    ("CST", -360), ("CDT", -300), ("CT", -360),
    ("MST", -420), ("MDT", -360), ("MT", -420),
    ("PST", -480), ("PDT", -420), ("PT", -480),
    ("AKST", -540), ("AKDT", -480), ("HST", -600),
    ("AST", -240), ("ADT", -180), ("NST", -210), ("NDT", -150),
    ("BRT", -180), ("BRST", -120), ("ART", -180), ("CLT", -240),
    ("WET", 0), ("WEST", 60), ("BST", 60), ("IST", 330),
    ("CET", 60), ("CEST", 120), ("MEZ", 60), ("MESZ", 120), ("MET", 60), ("MEST", 120),
    ("EET", 120), ("EEST", 180), ("MSK", 180), ("MSD", 240), ("TRT", 180),
    ("SAST", 120), ("GST", 240), ("PKT", 300), ("ICT", 420), ("WIB", 420),
    ("SGT", 480), ("HKT", 480), ("AWST", 480), ("JST", 540), ("KST", 540),
    ("AEST", 600), ("AEDT", 660), ("ACST", 570), ("NZST", 720), ("NZDT", 780),
    ("A", 0), ("B", 0), ("C", 0), ("D", 0), ("E", 0), ("F", 0), ("G", 0), ("H", 0), ("I", 0),
    ("K", 0), ("L", 0), ("M", 0), ("N", 0), ("O", 0), ("P", 0), ("Q", 0), ("R", 0), ("S", 0),
    ("T", 0), ("U", 0), ("V", 0), ("W", 0), ("X", 0), ("Y", 0),
];
