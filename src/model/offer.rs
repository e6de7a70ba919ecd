//! Offers: what a product costs and whether it can be had.
//!
//! Amounts are exact decimals with their currency, never floats. What holds at an instant (a sale
//! that has begun, or has not) is asked with that instant.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// Most digits after the decimal sign; an amount with more is no price.
pub const SCALE_MAX: u8 = 9;

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency([u8; 3]);

/// The text is no currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no currency code of three letters")]
pub struct NotACurrency;

impl Currency {
    /// How many digits its minor unit has: 2, but for the few with 0, 3 or 4.
    ///
    /// Source: ISO 4217, list one, 2026-01-01. `RUR` is not in it: it is read as `RUB`.
    pub fn digits(self) -> u8 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Five bits a letter: 1 to 26.
    pub fn packed(self) -> u16 {
        self.0.iter().fold(0, |packed, letter| packed << 5 | u16::from(letter & 31))
    }

    /// The inverse of [`Currency::packed`]; `None` for what no currency gives.
    pub fn unpacked(packed: u16) -> Option<Self> {
        let letter = |shift: u16| match packed >> shift & 31 {
            index @ 1..=26 => u8::try_from(index).ok().map(|index| index | 64),
            _ => None,
        };
        Some(Self([letter(10)?, letter(5)?, letter(0)?]))
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    /// Any case; `RUR` is `RUB`.
    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let letters: [u8; 3] = text.trim().as_bytes().try_into().map_err(|_| NotACurrency)?;
        if !letters.iter().all(u8::is_ascii_alphabetic) {
            return Err(NotACurrency);
        }
        match letters.to_ascii_uppercase().as_slice() {
            b"RUR" => Ok(Self(*b"RUB")),
            _ => Ok(Self(letters.map(|letter| letter.to_ascii_uppercase()))),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// An exact amount of money: `units` × 10^-`scale`, in a currency if one is known.
///
/// Always in its shortest form that has at least the digits of its currency: 15 USD is 1500 with a
/// scale of 2. So equal amounts are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    units: i64,
    scale: u8,
    currency: Option<Currency>,
}

impl Amount {
    /// `units` × 10^-`scale`; `None` beyond [`SCALE_MAX`] or when it does not fit.
    ///
    /// Without a currency the digits stay as they are given.
    pub fn new(units: i64, scale: u8, currency: Option<Currency>) -> Option<Self> {
        if scale > SCALE_MAX {
            return None;
        }
        let (mut units, mut scale) = (units, scale);
        if let Some(digits) = currency.map(Currency::digits) {
            while scale > digits && units % 10 == 0 {
                (units, scale) = (units / 10, scale - 1);
            }
            while scale < digits {
                (units, scale) = (units.checked_mul(10)?, scale + 1);
            }
        }
        Some(Self { units, scale, currency })
    }

    pub fn units(self) -> i64 {
        self.units
    }

    pub fn scale(self) -> u8 {
        self.scale
    }

    pub fn currency(self) -> Option<Currency> {
        self.currency
    }

    /// The same number in a currency that was found elsewhere.
    pub fn within(self, currency: Currency) -> Option<Self> {
        Self::new(self.units, self.scale, Some(currency))
    }

    pub fn is_positive(self) -> bool {
        self.units > 0
    }

    /// `None` for amounts of different currencies, which cannot be compared.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        if self.currency != other.currency {
            return None;
        }
        if self.scale == other.scale {
            return Some(self.units.cmp(&other.units));
        }
        let level = |amount: Self| {
            i128::from(amount.units) * 10_i128.pow(u32::from(SCALE_MAX - amount.scale))
        };
        Some(level(self).cmp(&level(other)))
    }

    /// How much smaller it is than `from`, in hundredths of a percent of `from`: 2,500 is a
    /// quarter off. `None` when they cannot be compared or `from` is not positive.
    pub fn off(self, from: Self) -> Option<i64> {
        if self.currency != from.currency || !from.is_positive() {
            return None;
        }
        let level = |amount: Self| {
            i128::from(amount.units) * 10_i128.pow(u32::from(SCALE_MAX - amount.scale))
        };
        i64::try_from((level(from) - level(self)) * 10_000 / level(from)).ok()
    }

    /// The decimal number with all its digits and no currency: `15.00`.
    pub fn decimal(self) -> String {
        let mut text = String::new();
        // Writing to a text never fails.
        let _ = self.write_decimal(&mut text);
        text
    }

    fn write_decimal(self, out: &mut impl fmt::Write) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let (units, width) = (self.units.unsigned_abs(), usize::from(self.scale));
        // The scale is at most SCALE_MAX.
        let one = 10u64.pow(u32::from(self.scale));
        match width {
            0 => write!(out, "{sign}{units}"),
            _ => write!(out, "{sign}{}.{:0>width$}", units / one, units % one),
        }
    }
}

/// `15.00 USD`, or `15.00` without a currency.
impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_decimal(out)?;
        self.currency.map_or(Ok(()), |currency| write!(out, " {currency}"))
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Amount({self})")
    }
}

/// Whether a thing can be had.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    InStock,
    OutOfStock,
    Preorder,
    Backorder,
    /// Will not come back.
    Discontinued,
    /// The document does not say: it is never taken for out of stock.
    #[default]
    Unknown,
}

impl Availability {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InStock => "in-stock",
            Self::OutOfStock => "out-of-stock",
            Self::Preorder => "preorder",
            Self::Backorder => "backorder",
            Self::Discontinued => "discontinued",
            Self::Unknown => "unknown",
        }
    }
}

/// A lower price for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub price: Amount,
    /// `None` has begun already.
    pub from: Option<Timestamp>,
    /// The first instant at which it is over; `None` never ends.
    pub until: Option<Timestamp>,
}

/// What is asked for one thing that can be bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub sku: Option<String>,
    /// Digits only.
    pub gtin: Option<String>,
    pub availability: Availability,
    /// How many are left, where the format tells.
    pub quantity: Option<u32>,
    /// The price outside of any sale; `None` when there is none that can be believed.
    pub list: Option<Amount>,
    pub sale: Option<Sale>,
}

impl Terms {
    /// The effective price: the sale's if it is positive, in the list price's currency, below it,
    /// and in force at `now`; otherwise the list price.
    pub fn price_at(&self, now: Timestamp) -> Option<Amount> {
        let sale = self.sale.filter(|sale| {
            let has_begun = sale.from.is_none_or(|from| from <= now);
            let has_ended = sale.until.is_some_and(|until| until <= now);
            let is_lower = self
                .list
                .is_none_or(|list| sale.price.compare(list).is_some_and(std::cmp::Ordering::is_lt));
            has_begun && !has_ended && is_lower && sale.price.is_positive()
        });
        sale.map(|sale| sale.price).or(self.list).filter(|price| price.is_positive())
    }

    /// The next instant after `now` at which the sale begins or ends.
    pub fn turns_at(&self, now: Timestamp) -> Option<Timestamp> {
        let sale = self.sale?;
        [sale.from, sale.until].into_iter().flatten().filter(|turn| *turn > now).min()
    }
}

/// One of several forms of a product: a size, a colour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The format's own id, trimmed; empty when there is none.
    pub id: String,
    pub title: String,
    /// Absolute http or https address, if it has one of its own.
    pub link: Option<String>,
    pub terms: Terms,
}

/// What an item that is a product offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub brand: Option<String>,
    /// Of the product itself, or the sum of its variants: see [`Offer::gathered`].
    pub terms: Terms,
    /// Empty for a product that comes in one form; in document order.
    pub variants: Vec<Variant>,
    /// What names the product on its catalog's shelf; written by the poll that tells it.
    pub shelf: Option<u64>,
}

impl Offer {
    /// The offer with `terms` summed up from its variants, as of `now`: it can be had if one of
    /// them can, and costs what the cheapest of these costs (of all, if none can be had).
    /// Amounts in another currency than the first one's are left out.
    pub fn gathered(mut self, now: Timestamp) -> Self {
        let best = self.variants.iter().map(|variant| variant.terms.availability).min();
        let Some(availability) = best else { return self };
        let can_be_had = |terms: &Terms| terms.availability == availability;
        let mut cheapest: Option<(Amount, &Terms)> = None;
        for terms in self.variants.iter().map(|variant| &variant.terms) {
            let Some(price) = terms.price_at(now).filter(|_| can_be_had(terms)) else { continue };
            let is_cheaper = cheapest.is_none_or(|(least, _)| {
                price.compare(least).is_some_and(std::cmp::Ordering::is_lt)
            });
            if is_cheaper {
                cheapest = Some((price, terms));
            }
        }
        self.terms.availability = availability;
        if let Some((_, terms)) = cheapest {
            (self.terms.list, self.terms.sale) = (terms.list, terms.sale);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(units: i64, scale: u8) -> Amount {
        Amount::new(units, scale, "usd".parse().ok()).unwrap()
    }

    #[test]
    fn equal_amounts_are_equal_values_and_print_their_currency_s_digits() {
        assert_eq!(usd(15, 0), usd(15_000, 3));
        assert_eq!(usd(15, 0).to_string(), "15.00 USD");
        assert_eq!(usd(1_999, 3).decimal(), "1.999");
        assert_eq!(usd(-5, 2).decimal(), "-0.05");
        assert_eq!(Amount::new(5_100, 0, "VND".parse().ok()).unwrap().to_string(), "5100 VND");
        assert_eq!(Amount::new(180, 1, "KWD".parse().ok()).unwrap().decimal(), "18.000");
        assert_eq!(Amount::new(150, 1, None).unwrap().to_string(), "15.0");
        assert_eq!(Amount::new(1, 10, None), None);
        assert_eq!(Amount::new(i64::MAX, 0, "USD".parse().ok()), None);
    }

    #[test]
    fn only_amounts_of_one_currency_compare() {
        assert_eq!(usd(15, 0).compare(usd(1_499, 2)), Some(Ordering::Greater));
        let eur = Amount::new(15, 0, "EUR".parse().ok()).unwrap();
        assert_eq!(usd(15, 0).compare(eur), None);
        assert_eq!(usd(75, 0).off(usd(100, 0)), Some(2_500));
        assert_eq!(usd(120, 0).off(usd(100, 0)), Some(-2_000));
        assert_eq!(usd(1, 0).off(usd(0, 0)), None);
    }

    #[test]
    fn every_currency_comes_back_from_its_packed_form() {
        for code in ["AAA", "ZZZ", "USD", "MDL", "rur"] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(Currency::unpacked(currency.packed()), Some(currency), "{code}");
        }
        assert_eq!(Currency::unpacked(0), None);
        assert_eq!("RUR".parse(), Ok::<Currency, _>("RUB".parse().unwrap()));
        for wrong in ["", "EU", "EURO", "€", "12A"] {
            assert_eq!(wrong.parse::<Currency>(), Err(NotACurrency), "{wrong}");
        }
    }

    #[test]
    fn a_sale_holds_within_its_time_and_below_the_list_price_only() {
        let at = Timestamp::from_millis;
        let sale = |units, from, until| Terms {
            list: Some(usd(100, 0)),
            sale: Some(Sale { price: usd(units, 0), from, until }),
            ..Terms::default()
        };
        let price = |terms: &Terms, now| terms.price_at(at(now)).unwrap().units() / 100;
        let timed = sale(80, Some(at(10)), Some(at(20)));
        assert_eq!([9, 10, 19, 20].map(|now| price(&timed, now)), [100, 80, 80, 100]);
        assert_eq!(timed.turns_at(at(9)), Some(at(10)));
        assert_eq!(timed.turns_at(at(10)), Some(at(20)));
        assert_eq!(timed.turns_at(at(20)), None);
        assert_eq!(price(&sale(100, None, None), 0), 100, "equal is no sale");
        assert_eq!(price(&sale(0, None, None), 0), 100, "nothing is no price");
        assert_eq!(Terms { list: Some(usd(0, 0)), ..Terms::default() }.price_at(at(0)), None);
    }

    #[test]
    fn a_product_can_be_had_if_a_variant_can_and_costs_what_that_costs() {
        let variant = |availability, units| Variant {
            terms: Terms { availability, list: Some(usd(units, 0)), ..Terms::default() },
            ..Variant::default()
        };
        let offer = Offer {
            variants: vec![
                variant(Availability::OutOfStock, 5),
                variant(Availability::InStock, 9),
                variant(Availability::InStock, 7),
            ],
            ..Offer::default()
        };
        let terms = offer.gathered(Timestamp::default()).terms;
        assert_eq!((terms.availability, terms.list), (Availability::InStock, Some(usd(7, 0))));
    }
}
