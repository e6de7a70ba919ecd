//! Amounts and days as people of a language write them, for words that no layout sets.

use jiff::tz::TimeZone;

use crate::model::offer::Amount;
use crate::model::time::Timestamp;
use crate::render::filters;
use crate::render::locale;

/// An amount; without a language, with the currency's code.
pub fn money(amount: Amount, language: Option<&str>) -> String {
    filters::written(&amount.to_string(), locale::of(language.unwrap_or_default()))
}

/// A day in UTC: `22 February 2027`, `22 de febrero de 2027`.
pub fn day(at: Timestamp, language: Option<&str>) -> String {
    let language = language.unwrap_or_default();
    let form = match language.split('-').next() {
        Some("es") => "d 'de' MMMM 'de' yyyy",
        Some("de") => "d. MMMM yyyy",
        _ => "d MMMM yyyy",
    };
    let zoned = at.to_jiff().to_zoned(TimeZone::UTC);
    filters::by_letters(form, &zoned, locale::of(language)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_its_own_way() {
        let price = Amount::new(129_950, 2, "EUR".parse().ok()).unwrap();
        let at = Timestamp::from_jiff("2027-02-22T10:00:00Z".parse().unwrap());
        for (language, amount, date) in [
            (None, "1299.50 EUR", "22 February 2027"),
            (Some("en"), "€1,299.50", "22 February 2027"),
            (Some("de-at"), "1.299,50 €", "22. Februar 2027"),
            (Some("es"), "1299,50 €", "22 de febrero de 2027"),
            (Some("ru"), "1 299,50 €", "22 февраля 2027"),
        ] {
            assert_eq!(money(price, language).replace('\u{a0}', " "), amount);
            assert_eq!(day(at, language), date);
        }
    }
}
