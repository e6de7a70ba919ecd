//! The most that a product may cost, as people write it: `40`, `39,90 €`, `EUR 40`, `1.299 lei`.

use crate::model::offer::{Amount, Currency};

/// Digits of a number that is read at most.
const DIGITS_MAX: usize = 15;

/// Signs of currencies; those of several currencies say nothing but that it is an amount.
const SIGNS: [(char, &str); 10] = [
    ('€', "EUR"),
    ('£', "GBP"),
    ('₽', "RUB"),
    ('₴', "UAH"),
    ('₺', "TRY"),
    ('₸', "KZT"),
    ('₾', "GEL"),
    ('₪', "ILS"),
    ('$', ""),
    ('¥', ""),
];

/// Words for currencies that are no codes, in lower case.
const WORDS: [(&str, &str); 11] = [
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("евро", "EUR"),
    ("lei", ""),
    ("leu", ""),
    ("dollar", ""),
    ("dollars", ""),
    ("dólares", ""),
    ("руб", "RUB"),
    ("рублей", "RUB"),
    ("kr", ""),
];

/// The codes that are known in small letters too.
const CODES: [&str; 16] = [
    "eur", "usd", "gbp", "chf", "ron", "mdl", "pln", "czk", "huf", "bgn", "sek", "nok", "dkk",
    "rub", "uah", "rsd",
];

/// The most that it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    Amount(Amount),
    /// As it was written, with a dot; in the product's own currency where none is named.
    Number {
        number: String,
        currency: Option<Currency>,
    },
}

/// Why a limit is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Nothing can cost so little, or so much.
    NoPrice,
    /// Nobody knows what the product costs, or in what.
    Priceless,
    /// It is sold in another currency.
    OtherCurrency,
}

/// What was found among words, and the words that are left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub limit: Limit,
    pub rest: Vec<&'a str>,
}

impl Limit {
    /// The amount, for a product that costs so much.
    pub(super) fn amount(&self, price: Option<Amount>) -> Result<Amount, Unusable> {
        let (number, named) = match self {
            Self::Amount(amount) => return Ok(*amount),
            Self::Number { number, currency } => (number, *currency),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let units: i64 = format!("{whole}{fraction}").parse().map_err(|_| Unusable::NoPrice)?;
        let scale = u8::try_from(fraction.len()).map_err(|_| Unusable::NoPrice)?;
        if units == 0 {
            return Err(Unusable::NoPrice);
        }
        let currency = price.ok_or(Unusable::Priceless)?.currency();
        if named.is_some() && currency.is_some() && named != currency {
            return Err(Unusable::OtherCurrency);
        }
        Amount::new(units, scale, currency).ok_or(Unusable::NoPrice)
    }
}

/// The amount among the words: one with a currency, wherever it stands, else, where `bare` numbers
/// count, the last number.
pub(super) fn find<'a>(words: &[&'a str], bare: bool) -> Option<Found<'a>> {
    let read: Vec<_> = words.iter().map(|word| amount(word)).collect();
    let word_at = |at: Option<usize>| at.and_then(|at| words.get(at));
    let mut best: Option<(usize, Option<usize>, Option<Currency>)> = None;
    for (at, found) in read.iter().enumerate() {
        let Some((_, own)) = found else { continue };
        let before = at.checked_sub(1);
        let behind = word_at(Some(at + 1)).and_then(|word| named(word));
        // "euro 2024" is no amount, "EUR 2024" is.
        let is_word = |word: &str| WORDS.iter().any(|(own, _)| *own == word.to_lowercase());
        let ahead = word_at(before).filter(|word| !is_word(word)).and_then(|word| named(word));
        let (beside, code) = match (own, behind, ahead) {
            (Some(own), ..) => (None, Some(*own)),
            (None, Some(code), _) => (Some(at + 1), Some(code)),
            (None, None, Some(code)) => (before, Some(code)),
            (None, None, None) => (None, None),
        };
        let is_better = code.is_some() || best.is_none_or(|(.., other)| other.is_none());
        if is_better && (bare || code.is_some()) {
            best = Some((at, beside, code.and_then(|code| code.code)));
            if code.is_some() {
                break;
            }
        }
    }
    let (at, beside, currency) = best?;
    let number = read.get(at)?.as_ref()?.0.clone();
    let rest = words.iter().enumerate();
    let rest = rest.filter(|(place, _)| *place != at && Some(*place) != beside);
    let rest = rest.map(|(_, word)| *word).collect();
    Some(Found { limit: Limit::Number { number, currency }, rest })
}

/// A currency that somebody names: its code where the word is of one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named {
    code: Option<Currency>,
}

fn named(word: &str) -> Option<Named> {
    let word = word.trim_matches(['.', ',', ';', '!', '?', '(', ')']);
    let mut chars = word.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(sign), None) => SIGNS.iter().find(|(own, _)| *own == sign).map(|(_, code)| *code),
        _ => None,
    };
    let lower = word.to_lowercase();
    let of_word = || WORDS.iter().find(|(own, _)| *own == lower).map(|(_, code)| *code);
    let own = code.or_else(of_word).map(str::to_owned);
    let own = own.or_else(|| CODES.contains(&lower.as_str()).then(|| lower.to_uppercase()));
    own.map(|code| Named { code: code.parse().ok() })
}

/// A number, and the currency that is written with it.
fn amount(word: &str) -> Option<(String, Option<Named>)> {
    let around = ['.', ',', ';', '!', '?', '(', ')', '<', '=', '≤'];
    let word = word.trim_matches(around);
    let first = word.find(|c: char| c.is_ascii_digit())?;
    let last = word.rfind(|c: char| c.is_ascii_digit())?;
    let (before, number, behind) = (&word[..first], &word[first..=last], &word[last + 1..]);
    let currency = match (before, behind.trim_start_matches('.')) {
        ("", "") => None,
        (sign, "") | ("", sign) => Some(named(sign)?),
        _ => return None,
    };
    Some((plain(number)?, currency))
}

/// The number with nothing but a dot before its cents.
fn plain(number: &str) -> Option<String> {
    let is_between = |c: char| matches!(c, '.' | ',' | '\'' | '’');
    if !number.chars().all(|c| c.is_ascii_digit() || is_between(c)) {
        return None;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    // Three digits behind the last sign are thousands, as nobody writes so many cents.
    let (whole, cents) = match number.rfind(is_between) {
        Some(at) => {
            let cents = number[at..].trim_start_matches(is_between);
            match cents.len() {
                1 | 2 => (digits(&number[..at]), cents),
                3 => (digits(number), ""),
                _ => return None,
            }
        }
        None => (number.to_owned(), ""),
    };
    if whole.len() + cents.len() > DIGITS_MAX {
        return None;
    }
    Some(if cents.is_empty() { whole } else { format!("{whole}.{cents}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_found_wherever_it_stands() {
        for (text, bare, expected) in [
            ("40 kettle", true, Some(("40", "", "kettle"))),
            ("kettle 40 EUR", true, Some(("40", "EUR", "kettle"))),
            ("kettle 40 EUR", false, Some(("40", "EUR", "kettle"))),
            ("EUR 40 kettle", false, Some(("40", "EUR", "kettle"))),
            ("kettle €39,90", false, Some(("39.90", "EUR", "kettle"))),
            ("kettle 39.90€.", false, Some(("39.90", "EUR", "kettle"))),
            ("kettle 200lei", false, Some(("200", "", "kettle"))),
            ("kettle 200 lei", false, Some(("200", "", "kettle"))),
            ("kettle $15", false, Some(("15", "", "kettle"))),
            ("kettle 1.299,00 ron", false, Some(("1299.00", "RON", "kettle"))),
            ("kettle 1'299", true, Some(("1299", "", "kettle"))),
            ("iphone 15 900 eur", false, Some(("900", "EUR", "iphone 15"))),
            ("iphone 15 900", true, Some(("900", "", "iphone 15"))),
            ("40 eur iphone 15", true, Some(("40", "EUR", "iphone 15"))),
            ("kettle 2", false, None),
            ("kettle 2l", true, None),
            ("kettle", true, None),
            ("euro 2024 ball", false, None),
        ] {
            let words: Vec<&str> = text.split_whitespace().collect();
            let found = find(&words, bare).map(|found| match found.limit {
                Limit::Number { number, currency } => {
                    let currency = currency.map(|it| it.to_string()).unwrap_or_default();
                    (number, currency, found.rest.join(" "))
                }
                Limit::Amount(_) => panic!("a number"),
            });
            let own = |text: &str| text.to_owned();
            let expected = expected.map(|(number, code, rest)| (own(number), own(code), own(rest)));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_limit_is_in_the_currency_of_the_product() {
        let eur = Amount::new(4_500, 2, "EUR".parse().ok());
        let limit = |number: &str, currency: &str| Limit::Number {
            number: number.to_owned(),
            currency: currency.parse().ok(),
        };
        assert_eq!(
            limit("40", "").amount(eur),
            Ok(Amount::new(40, 0, "EUR".parse().ok()).unwrap())
        );
        assert_eq!(limit("0.00", "").amount(eur), Err(Unusable::NoPrice));
        assert_eq!(limit("40", "").amount(None), Err(Unusable::Priceless));
        assert_eq!(limit("40", "USD").amount(eur), Err(Unusable::OtherCurrency));
        assert_eq!(limit("40", "EUR").amount(eur), limit("40", "").amount(eur));
    }
}
