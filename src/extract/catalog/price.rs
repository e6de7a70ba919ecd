//! Prices as shops write them, read into exact amounts.
//!
//! Promises the amount for every form that is met in practice: a number with its separators, and a
//! currency before, behind or beside it, as a code or a sign. Of a range the lower bound is read.
//! It refuses to guess: what holds no number, or one that a spreadsheet has ruined (`8.8E+12`),
//! gives `None`.

use crate::model::offer::{Amount, Currency, SCALE_MAX};

/// How much of a text is looked at, in bytes.
pub const PRICE_BYTES_MAX: usize = 256;

/// Longest name of a currency, in bytes.
const SIGN_BYTES_MAX: usize = 24;

/// The first amount in `text`; `currency` is for a text that names none, and decides what `$`,
/// `kr` and the like mean if it is one of theirs.
///
/// 1. A lone separator before one or two digits is the decimal sign, and so is one before four or
///    more; before three digits it parts thousands, unless the currency has three decimals, the
///    number begins with 0, or more than three digits stand before it.
/// 2. Of two different separators the last is the decimal sign. Spaces and `'` only part groups
///    of three.
/// 3. A code names the currency before a sign does; `kr` alone names none.
pub fn amount(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let text = text.trim();
    if let Some(plain) = plain(text, currency) {
        return Some(plain);
    }
    let text = text.get(..text.floor_char_boundary(PRICE_BYTES_MAX))?;
    let currency = named(text, currency).or(currency);
    let mut rest = text;
    loop {
        let (number, behind) = next_number(rest)?;
        // `-20 % 15,00 €`: a share is no price.
        if !behind.trim_start().starts_with('%') {
            return number.amount(currency);
        }
        rest = behind;
    }
}

/// The currency that a text names all by itself: `EUR`, `eur`, `€`, `Lei`.
pub fn currency(text: &str) -> Option<Currency> {
    let text = text.trim();
    if text.is_empty() || text.len() > SIGN_BYTES_MAX {
        return None;
    }
    known(text).or_else(|| by_sign(text, None)).or_else(|| known(&text.to_ascii_uppercase()))
}

/// An amount as machines write it: the dot is the decimal sign, however many digits follow.
/// Surrounding white space is ignored; nothing else may stand beside the number.
pub fn decimal(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() > PRICE_BYTES_MAX {
        return None;
    }
    let amount = parts(whole, fraction, currency)?;
    Amount::new(sign * amount.units(), amount.scale(), amount.currency())
}

/// `15.00 USD`, `15 USD`, `15.00`: nearly all amounts of nearly all documents.
fn plain(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let (number, currency) = match text.split_once(' ') {
        Some((number, code)) => (number, Some(known(code)?)),
        None => (text, currency),
    };
    let bytes = number.as_bytes();
    let whole = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let fraction = match bytes.get(whole..)? {
        [] => "",
        [b'.', a] if a.is_ascii_digit() => number.get(whole + 1..)?,
        [b'.', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => number.get(whole + 1..)?,
        _ => return None,
    };
    parts(number.get(..whole).filter(|whole| !whole.is_empty())?, fraction, currency)
}

/// The amount of a whole part and a fraction in ASCII digits; `None` when there are others, or
/// too many.
fn parts(whole: &str, fraction: &str, currency: Option<Currency>) -> Option<Amount> {
    let fraction = match u8::try_from(fraction.len()) {
        Ok(length) if length <= SCALE_MAX => fraction,
        _ => fraction.trim_end_matches('0'),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut units = 0_i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = i64::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        units = units.checked_mul(10)?.checked_add(digit)?;
    }
    Amount::new(units, u8::try_from(fraction.len()).ok()?, currency)
}

/// A number in a text: its digits, and where the separators stood among them.
struct Number {
    digits: String,
    /// Each separator and how many digits were before it.
    separators: Vec<(char, usize)>,
    is_negative: bool,
    is_ruined: bool,
}

/// The next number and what is behind it.
fn next_number(text: &str) -> Option<(Number, &str)> {
    let start = text.find(|c| digit(c).is_some())?;
    let mut before = text.get(..start)?.chars().rev();
    let last = before.next();
    let is_negative = matches!(last, Some('-' | '−'))
        && before.next().is_none_or(|c| !c.is_alphanumeric() && digit(c).is_none());
    let mut number =
        Number { digits: String::new(), separators: vec![], is_negative, is_ruined: false };
    // `.99` without a zero.
    if let Some(point @ ('.' | ',')) = last
        && before_is_open(text, start)
    {
        number.separators.push((point, 0));
    }
    let mut rest = text.get(start..)?;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..)?;
        if let Some(digit) = digit(c) {
            number.digits.push(char::from(b'0' + digit));
        } else if is_separator(c) && behind.starts_with(|c| digit(c).is_some()) {
            number.separators.push((c, number.digits.len()));
        } else if is_gap(c) && number.may_go_on() && is_group(behind) {
            number.separators.push(('\'', number.digits.len()));
        } else {
            number.is_ruined = is_exponent(c, behind);
            break;
        }
        rest = behind;
    }
    Some((number, rest))
}

/// Whether nothing but a `.` or `,` without digits before it stands directly before `start`.
fn before_is_open(text: &str, start: usize) -> bool {
    let before = text.get(..start.saturating_sub(1)).unwrap_or_default();
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric())
}

impl Number {
    /// Whether a gap can part thousands here: one to three digits since the last separator, and
    /// no decimal sign yet.
    fn may_go_on(&self) -> bool {
        let last = self.separators.last().map_or(0, |(_, at)| *at);
        let since = self.digits.len() - last;
        match self.separators.last() {
            None => (1..=3).contains(&since),
            Some(_) => since == 3 && self.separators.iter().all(|(c, _)| *c == '\''),
        }
    }

    fn amount(&self, currency: Option<Currency>) -> Option<Amount> {
        if self.is_ruined {
            return None;
        }
        let point = self.point(currency).unwrap_or(self.digits.len());
        let (whole, fraction) = self.digits.split_at_checked(point)?;
        let amount = parts(whole, fraction, currency)?;
        let sign = if self.is_negative { -1 } else { 1 };
        Amount::new(sign * amount.units(), amount.scale(), amount.currency())
    }

    /// How many digits stand before the decimal sign, if there is one.
    fn point(&self, currency: Option<Currency>) -> Option<usize> {
        let (last, at) = *self.separators.last()?;
        if matches!(last, '\'' | '٬') {
            return None;
        }
        let behind = self.digits.len() - at;
        let same = self.separators.iter().filter(|(c, _)| *c == last).count();
        let has_others = same < self.separators.len();
        let is_point = if last == '٫' {
            true
        } else if same > 1 {
            // `1.299.00` for `1.299,00`.
            behind != 3 && !has_others
        } else if has_others {
            true
        } else {
            let thousands = currency.is_some_and(|currency| currency.digits() == 3);
            let begins_with_zero = at > 0 && self.digits.starts_with('0');
            behind != 3 || thousands || begins_with_zero || at > 3 || at == 0
        };
        is_point.then_some(at)
    }
}

fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        '০'..='৯' => '০',
        '０'..='９' => '０',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero)).ok()
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | ',' | '٫' | '٬')
}

/// White space and apostrophes that part groups.
fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2007}' | '\u{2006}' | '\u{2005}')
        || matches!(c, '\'' | '’' | '`' | '´')
}

/// Whether exactly three digits follow.
fn is_group(text: &str) -> bool {
    text.chars().take_while(|c| digit(*c).is_some()).take(4).count() == 3
}

/// What spreadsheets make of long numbers.
fn is_exponent(c: char, behind: &str) -> bool {
    let power = behind.strip_prefix(['+', '-']).unwrap_or(behind);
    matches!(c, 'e' | 'E') && power.starts_with(|c: char| c.is_ascii_digit())
}

/// The currency that a text names beside its number.
///
/// A code in capitals counts anywhere, one in small letters and a sign only next to a digit.
fn named(text: &str, usual: Option<Currency>) -> Option<Currency> {
    let mut sign = None;
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let before = rest.get(..start)?;
        let word = rest.get(start..)?;
        let word = word.get(..word_length(word))?;
        let behind = rest.get(start + word.len()..)?;
        let is_near = touches(before, behind);
        let capitals = word.bytes().all(|b| b.is_ascii_uppercase());
        let code = known(word).or_else(|| known(word.strip_suffix('$')?));
        if let Some(code) = code.filter(|_| capitals || word.ends_with('$')) {
            return Some(code);
        }
        if sign.is_none() && (is_near || !word.is_ascii()) {
            sign = by_sign(word, usual).or_else(|| known(&word.to_ascii_uppercase()));
        }
        rest = behind;
    }
    sign
}

fn is_word(c: char) -> bool {
    c.is_alphabetic() && digit(c).is_none() || is_sign(c)
}

fn is_sign(c: char) -> bool {
    matches!(c, '$' | '£' | '¥' | '￥' | '৳' | '฿' | '﷼' | '\u{20a0}'..='\u{20cf}')
}

/// The length of the word at the start of `text`: letters and signs, and dots between letters
/// that are not ASCII, as in `د.إ`.
fn word_length(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inner_dot = c == '.'
            && end > 0
            && chars.peek().is_some_and(|(_, next)| next.is_alphabetic() && !next.is_ascii());
        // `€15` and `15€ab`: a sign is a word of its own, unless letters lead to it.
        let ends_sign = end > 0 && !is_sign(c) && text.starts_with(is_sign);
        if !(is_word(c) || inner_dot) || ends_sign {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// Whether a number is next to the word between `before` and `behind`.
fn touches(before: &str, behind: &str) -> bool {
    let between =
        |c: char| c.is_whitespace() || matches!(c, '.' | ',' | '-' | '–' | '—' | ':' | '/' | '\'');
    let is_digit = |c: Option<char>| c.is_some_and(|c| digit(c).is_some());
    is_digit(before.trim_end_matches(between).chars().next_back())
        || is_digit(behind.trim_start_matches(between).chars().next())
}

/// What a sign or a word stands for, by itself or where the source's currency is one of its own.
fn by_sign(word: &str, usual: Option<Currency>) -> Option<Currency> {
    let lower = word.to_lowercase();
    let lower = lower.trim_end_matches('.');
    let row = SIGNS.iter().find(|(signs, _)| signs.split(' ').any(|sign| sign == lower))?;
    let mut codes = row.1.split(' ').filter_map(|code| code.parse::<Currency>().ok());
    let usual = usual.filter(|usual| codes.clone().any(|code| code == *usual));
    usual.or_else(|| if lower == "kr" { None } else { codes.next() })
}

/// Signs and words in small letters, and the currencies they stand for, the likeliest first.
const SIGNS: [(&str, &str); 62] = [
    ("€ euro euros eur евро ευρώ", "EUR"),
    ("$ dollars dollar", "USD CAD AUD NZD MXN SGD HKD TWD ARS CLP COP UYU"),
    ("£", "GBP EGP LBP SYP GIP FKP SHP SSP"),
    ("¥ ￥", "JPY CNY"),
    ("kr", "SEK NOK DKK ISK CZK"),
    ("lei leu лей леев", "RON MDL"),
    ("₽ р руб рубль рубля рублей", "RUB BYN"),
    ("br", "BYN"),
    ("₴ грн гривень гривні", "UAH"),
    ("zł zl złotych", "PLN"),
    ("kč kc", "CZK"),
    ("ft", "HUF"),
    ("₹ rs re रु", "INR PKR LKR NPR MUR"),
    ("₨", "PKR INR LKR NPR"),
    ("د.إ درهم dhs", "AED MAD"),
    ("dh د.م", "MAD AED"),
    ("ر.س ريال sr ﷼", "SAR QAR OMR YER IRR"),
    ("ر.ق qr", "QAR"),
    ("ر.ع", "OMR"),
    ("د.ك kd دينار", "KWD JOD BHD IQD"),
    ("د.ب bd", "BHD"),
    ("د.أ jd", "JOD"),
    ("ج.م جنيه", "EGP"),
    ("د.ت", "TND"),
    ("د.ج", "DZD"),
    ("₺ tl", "TRY"),
    ("₸ тг тенге", "KZT"),
    ("₪ nis", "ILS"),
    ("₩ 원", "KRW"),
    ("₫ đ vnđ", "VND"),
    ("฿", "THB"),
    ("₱", "PHP"),
    ("₦", "NGN"),
    ("₵", "GHS"),
    ("₾", "GEL"),
    ("₼ манат", "AZN"),
    ("֏ դր", "AMD"),
    ("₮", "MNT"),
    ("₲", "PYG"),
    ("₡", "CRC"),
    ("৳", "BDT"),
    ("元 人民币", "CNY"),
    ("円", "JPY"),
    ("лв", "BGN"),
    ("ден", "MKD"),
    ("дин din", "RSD"),
    ("сом", "KGS"),
    ("сум so'm", "UZS"),
    ("fr sfr", "CHF"),
    ("rp", "IDR"),
    ("rm", "MYR"),
    ("r", "ZAR"),
    ("fcfa cfa", "XOF XAF"),
    ("us$ u$s", "USD"),
    ("r$", "BRL"),
    ("c$ ca$ can$", "CAD"),
    ("a$ au$", "AUD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("nt$", "TWD"),
    ("s$", "SGD"),
    ("mx$", "MXN"),
];

/// The currency of a code in capitals that is one.
fn known(code: &str) -> Option<Currency> {
    let letters: &[u8; 3] = code.as_bytes().try_into().ok()?;
    CODES.binary_search(letters).ok()?;
    code.parse().ok()
}

/// The codes in use, and those that old documents still name.
///
/// Source: ISO 4217, list one and list three, 2026-01-01.
#[rustfmt::skip]
static CODES: [[u8; 3]; 171] = [
    *b"AED", *b"AFN", *b"ALL", *b"AMD", *b"ANG", *b"AOA", *b"ARS", *b"AUD", *b"AWG", *b"AZN",
    *b"BAM", *b"BBD", *b"BDT", *b"BGN", *b"BHD", *b"BIF", *b"BMD", *b"BND", *b"BOB", *b"BRL",
    *b"BSD", *b"BTN", *b"BWP", *b"BYN", *b"BYR", *b"BZD", *b"CAD", *b"CDF", *b"CHF", *b"CLF",
    *b"CLP", *b"CNH", *b"CNY", *b"COP", *b"CRC", *b"CUP", *b"CVE", *b"CZK", *b"DJF", *b"DKK",
    *b"DOP", *b"DZD", *b"EEK", *b"EGP", *b"ERN", *b"ETB", *b"EUR", *b"FJD", *b"FKP", *b"GBP",
    *b"GEL", *b"GHS", *b"GIP", *b"GMD", *b"GNF", *b"GTQ", *b"GYD", *b"HKD", *b"HNL", *b"HRK",
    *b"HTG", *b"HUF", *b"IDR", *b"ILS", *b"INR", *b"IQD", *b"IRR", *b"ISK", *b"JMD", *b"JOD",
    *b"JPY", *b"KES", *b"KGS", *b"KHR", *b"KMF", *b"KPW", *b"KRW", *b"KWD", *b"KYD", *b"KZT",
    *b"LAK", *b"LBP", *b"LKR", *b"LRD", *b"LSL", *b"LTL", *b"LVL", *b"LYD", *b"MAD", *b"MDL",
    *b"MGA", *b"MKD", *b"MMK", *b"MNT", *b"MOP", *b"MRU", *b"MUR", *b"MVR", *b"MWK", *b"MXN",
    *b"MYR", *b"MZN", *b"NAD", *b"NGN", *b"NIO", *b"NOK", *b"NPR", *b"NZD", *b"OMR", *b"PAB",
    *b"PEN", *b"PGK", *b"PHP", *b"PKR", *b"PLN", *b"PYG", *b"QAR", *b"RON", *b"RSD", *b"RUB",
    *b"RUR", *b"RWF", *b"SAR", *b"SBD", *b"SCR", *b"SDG", *b"SEK", *b"SGD", *b"SHP", *b"SLE",
    *b"SLL", *b"SOS", *b"SRD", *b"SSP", *b"STN", *b"SVC", *b"SYP", *b"SZL", *b"THB", *b"TJS",
    *b"TMT", *b"TND", *b"TOP", *b"TRY", *b"TTD", *b"TWD", *b"TZS", *b"UAH", *b"UGX", *b"USD",
    *b"UYI", *b"UYU", *b"UYW", *b"UZS", *b"VED", *b"VES", *b"VND", *b"VUV", *b"WST", *b"XAF",
    *b"XAG", *b"XAU", *b"XCD", *b"XCG", *b"XOF", *b"XPF", *b"YER", *b"ZAR", *b"ZMW", *b"ZWG",
    *b"ZWL",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, usual: &str) -> String {
        amount(text, usual.parse().ok()).map_or("none".into(), |amount| amount.to_string())
    }

    #[test]
    fn a_number_is_read_with_whatever_separators_it_has() {
        for (text, expected) in [
            ("15.00 USD", "15.00 USD"),
            ("15 USD", "15.00 USD"),
            ("5100 AED", "5100.00 AED"),
            ("16400000 VND", "16400000 VND"),
            ("0 USD", "0.00 USD"),
            ("15,00 EUR", "15.00 EUR"),
            ("1.299,00 EUR", "1299.00 EUR"),
            ("1,299.00 USD", "1299.00 USD"),
            ("1.299 EUR", "1299.00 EUR"),
            ("1,299,000 USD", "1299000.00 USD"),
            ("1,29,999.50 INR", "129999.50 INR"),
            ("1.299.00 EUR", "1299.00 EUR"),
            ("1 299,50 EUR", "1299.50 EUR"),
            ("1\u{a0}299\u{a0}000,50 UAH", "1299000.50 UAH"),
            ("12\u{202f}500 EUR", "12500.00 EUR"),
            ("1'299.90 CHF", "1299.90 CHF"),
            ("1’299 CHF", "1299.00 CHF"),
            ("0.125 USD", "0.125 USD"),
            ("0,999 EUR", "0.999 EUR"),
            ("1234.567 USD", "1234.567 USD"),
            ("19.990000 EUR", "19.99 EUR"),
            ("18.000 KWD", "18.000 KWD"),
            ("18,5 KWD", "18.500 KWD"),
            ("15.5 USD", "15.50 USD"),
            (".99 USD", "0.99 USD"),
            ("-5.00 USD", "-5.00 USD"),
            ("12,- EUR", "12.00 EUR"),
            ("12.– CHF", "12.00 CHF"),
            ("1.299,- EUR", "1299.00 EUR"),
            ("٢٥٫٥٠ SAR", "25.50 SAR"),
            ("１２３４円", "1234 JPY"),
            ("300 000 MDL", "300000.00 MDL"),
            ("19.99000000000000000000 USD", "19.99 USD"),
        ] {
            assert_eq!(read(text, ""), expected, "{text}");
        }
    }

    #[test]
    fn a_currency_is_known_by_its_code_or_its_sign() {
        for (text, usual, expected) in [
            ("USD 15.00", "", "15.00 USD"),
            ("15USD", "", "15.00 USD"),
            ("EUR15,50", "", "15.50 EUR"),
            ("100 RUR", "", "100.00 RUB"),
            ("15.00 usd", "", "15.00 USD"),
            ("€ 15", "", "15.00 EUR"),
            ("15€", "USD", "15.00 EUR"),
            ("$1,299", "", "1299.00 USD"),
            ("$15.00", "CAD", "15.00 CAD"),
            ("$15.00", "EUR", "15.00 USD"),
            ("$15.00 CAD", "", "15.00 CAD"),
            ("US$15", "", "15.00 USD"),
            ("R$ 15,90", "", "15.90 BRL"),
            ("£9.99", "", "9.99 GBP"),
            ("1 500 ₽", "", "1500.00 RUB"),
            ("1500 руб.", "", "1500.00 RUB"),
            ("12 500 грн", "", "12500.00 UAH"),
            ("₴250", "", "250.00 UAH"),
            ("99 lei", "", "99.00 RON"),
            ("99 Lei", "MDL", "99.00 MDL"),
            ("1.499,99 RON", "", "1499.99 RON"),
            ("49,99 zł", "", "49.99 PLN"),
            ("1 290 Kč", "", "1290.00 CZK"),
            ("12 990 Ft", "", "12990.00 HUF"),
            ("499 kr", "SEK", "499.00 SEK"),
            ("499 kr", "", "499"),
            ("499:-", "SEK", "499.00 SEK"),
            ("¥1,500", "", "1500 JPY"),
            ("¥1,500", "CNY", "1500.00 CNY"),
            ("₹1,29,999", "", "129999.00 INR"),
            ("Rs. 500", "", "500.00 INR"),
            ("د.إ 250", "", "250.00 AED"),
            ("250 ر.س", "", "250.00 SAR"),
            ("R 199.00", "", "199.00 ZAR"),
            ("15.00", "", "15.00"),
            ("15.00", "JPY", "15 JPY"),
            ("15.000", "KWD", "15.000 KWD"),
        ] {
            assert_eq!(read(text, usual), expected, "{text} ({usual})");
        }
    }

    #[test]
    fn of_a_range_the_lower_bound_and_of_words_nothing_is_kept() {
        for (text, expected) in [
            ("10 – 20 USD", "10.00 USD"),
            ("$10.00-$20.00", "10.00 USD"),
            ("from 12 EUR", "12.00 EUR"),
            ("de la 15 lei", "15.00 RON"),
            ("от 1 500 руб.", "1500.00 RUB"),
            ("ab 9,99 € inkl. MwSt.", "9.99 EUR"),
            ("-20 % 15,00 €", "15.00 EUR"),
            ("15,00 € pro Stück", "15.00 EUR"),
            ("Price: 12.50 EUR (was 20.00)", "12.50 EUR"),
        ] {
            assert_eq!(read(text, ""), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", " ", "call", "free", "USD", "8.80609E+12", "1e5", "9999999999999999999999"]
        {
            assert_eq!(read(text, "USD"), "none", "{text}");
        }
    }

    #[test]
    fn a_machine_s_dot_is_always_the_decimal_sign() {
        let read = |text| decimal(text, "EUR".parse().ok()).map(|amount| amount.to_string());
        assert_eq!(read("299.000").as_deref(), Some("299.00 EUR"));
        assert_eq!(read(" 1299 ").as_deref(), Some("1299.00 EUR"));
        assert_eq!(read("-0.5").as_deref(), Some("-0.50 EUR"));
        for wrong in ["", ".", "1,5", "1.2.3", "1e5", "x", "- 1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_codes_are_in_order() {
        assert!(CODES.is_sorted());
        assert!(SIGNS.iter().flat_map(|(_, codes)| codes.split(' ')).all(|c| known(c).is_some()));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,64}") {
            let _ = amount(&text, None);
        }

        #[test]
        fn no_text_that_resembles_a_price_makes_it_panic(
            text in "([0-9]{1,4}|[.,' \u{a0}٫-]|USD|€|lei|kr|\\$|%|E\\+|د.إ){0,12}"
        ) {
            let _ = amount(&text, "KWD".parse().ok());
        }

        #[test]
        fn what_is_printed_is_read_back(units in 0_i64..10_000_000, code in "(USD|JPY|KWD|MDL)") {
            let currency = code.parse().ok();
            let scale = if code == "JPY" { 0 } else { 2 };
            let told = Amount::new(units, scale, currency);
            let printed = told.map(|told| told.to_string()).unwrap_or_default();
            proptest::prop_assert_eq!(amount(&printed, None), told);
        }
    }
}
