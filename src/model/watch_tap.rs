//! What buttons about watches say.
//!
//! ```text
//! 1:w:f:<token>                 tell me what fits: that it is in stock, else that it is cheaper
//! 1:w:s:<token>                 tell me when it is in stock
//! 1:w:p:<token>                 tell me when it is cheaper than now
//! 1:w:p:<token>:1999.2.EUR      tell me when it costs 19.99 EUR or less
//! 1:w:x:s:<token>               don't tell me (s: that it is in stock, p: that it is cheaper)
//! 1:w:l                         show me what I wait for
//! 1:w:l:<watch>                 and go on behind this one
//! ```
//!
//! Buttons are tapped years later: nothing in them names a place in a list of settings.

use std::fmt;

use crate::model::offer::Amount;
use crate::model::product_token::ProductToken;

/// Behind the version of our payloads.
const VERB: &str = "w:";

/// What is tapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tap {
    Fitting(ProductToken),
    Stock(ProductToken),
    /// Without an amount: less than now.
    Price(ProductToken, Option<Amount>),
    NoStock(ProductToken),
    NoPrice(ProductToken),
    /// Behind the watch with this number.
    List(u64),
}

impl Tap {
    /// What a payload without its version means; `None` for what is none of ours.
    pub fn parse(payload: &str) -> Option<Self> {
        let rest = payload.strip_prefix(VERB)?;
        let (verb, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let token = ProductToken::parse;
        Some(match verb {
            "f" => Self::Fitting(token(rest)?),
            "s" => Self::Stock(token(rest)?),
            "p" => match rest.split_once(':') {
                Some((of, amount)) => Self::Price(token(of)?, Some(parse_amount(amount)?)),
                None => Self::Price(token(rest)?, None),
            },
            "x" => match rest.split_once(':')? {
                ("s", of) => Self::NoStock(token(of)?),
                ("p", of) => Self::NoPrice(token(of)?),
                _ => return None,
            },
            "l" if rest.is_empty() => Self::List(0),
            "l" => Self::List(rest.parse().ok()?),
            _ => return None,
        })
    }
}

/// The payload of a button, at most 64 bytes.
impl fmt::Display for Tap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "1:{VERB}")?;
        match self {
            Self::Fitting(token) => write!(out, "f:{token}"),
            Self::Stock(token) => write!(out, "s:{token}"),
            Self::Price(token, None) => write!(out, "p:{token}"),
            Self::Price(token, Some(amount)) => {
                write!(out, "p:{token}:{}.{}", amount.units(), amount.scale())?;
                amount.currency().map_or(Ok(()), |currency| write!(out, ".{currency}"))
            }
            Self::NoStock(token) => write!(out, "x:s:{token}"),
            Self::NoPrice(token) => write!(out, "x:p:{token}"),
            Self::List(0) => out.write_str("l"),
            Self::List(after) => write!(out, "l:{after}"),
        }
    }
}

fn parse_amount(text: &str) -> Option<Amount> {
    let mut parts = text.split('.');
    let units = parts.next()?.parse().ok()?;
    let scale = parts.next()?.parse().ok()?;
    let currency = match parts.next() {
        Some(code) => Some(code.parse().ok()?),
        None => None,
    };
    Amount::new(units, scale, currency).filter(|amount| amount.is_positive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    #[test]
    fn what_a_button_says_is_read_again_and_fits() {
        let token = ProductToken::new(&Name::parse("shop").unwrap(), u64::MAX);
        let most = Amount::new(i64::MAX, 9, None);
        let price = Amount::new(1_999, 2, "EUR".parse().ok());
        for tap in [
            Tap::Fitting(token),
            Tap::Stock(token),
            Tap::Price(token, None),
            Tap::Price(token, price),
            Tap::Price(token, most),
            Tap::NoStock(token),
            Tap::NoPrice(token),
            Tap::List(0),
            Tap::List(u64::MAX),
        ] {
            let payload = tap.to_string();
            assert!(payload.len() <= 64, "{payload}");
            assert_eq!(Tap::parse(payload.strip_prefix("1:").unwrap()), Some(tap), "{payload}");
        }
        for other in ["w", "w:", "w:s", "w:s:x", "w:z:x", "stop", "w:l:x", "w:x:z:a"] {
            assert_eq!(Tap::parse(other), None, "{other}");
        }
    }
}
