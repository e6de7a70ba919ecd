//! What a link says that watches a product: `t.me/<bot>?start=…`, `m.me/<page>?ref=…`.
//!
//! ```text
//! WATCH shop P 4711        the product's id as it is: letters, digits, `_` and `-`
//! WATCH shop B NDcxMQ      the id in base64url, whatever it is made of
//! WATCH T <token>          as `tidings watch link` prints it, for ids that are too long
//! ```
//!
//! without the spaces. The first word may be `STOCK` or `CHEAP` instead, for who wants to be told
//! when it is in stock, or when it is cheaper, whatever it is now. Names of sources are in lower
//! case, so the first capital behind the word ends the name.

use crate::model::base64;
use crate::model::name::Name;
use crate::model::product_token::ProductToken;

/// Most bytes of what a link says: Telegram's limit, the smaller of both.
pub use crate::model::start::TELEGRAM_BYTES_MAX;

const WORDS: [(&str, Aim); 3] =
    [("WATCH", Aim::Fitting), ("STOCK", Aim::Stock), ("CHEAP", Aim::Price)];

/// What is to be told of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// That it is in stock, if it is not; else that it is cheaper.
    Fitting,
    Stock,
    /// That it is cheaper than now.
    Price,
}

/// Which product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Token(ProductToken),
    /// A product's or a variant's, as the shop's catalog has it.
    Id {
        source: String,
        id: String,
    },
}

/// What the link says; `None` for what is none of a watch.
pub fn parse(payload: &str) -> Option<(Aim, Which)> {
    let (rest, aim) =
        WORDS.iter().find_map(|(word, aim)| Some((payload.strip_prefix(word)?, *aim)))?;
    let (source, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_uppercase())?);
    let (form, id) = rest.split_at(1);
    let which = match form {
        "T" if source.is_empty() => Which::Token(ProductToken::parse(id)?),
        "P" => Which::Id { source: source.to_owned(), id: id.to_owned() },
        "B" => {
            let id = String::from_utf8(base64::decode(id)?).ok()?;
            Which::Id { source: source.to_owned(), id }
        }
        _ => return None,
    };
    Some((aim, which))
}

/// What a link for a product of this id says, in the shortest form that fits; `product` is what
/// the id is hashed to.
pub fn payload(aim: Aim, source: &Name, id: &str, product: u64) -> String {
    let word = word(aim);
    let is_plain = id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
    let plain = format!("{word}{source}P{id}");
    if is_plain && plain.len() <= TELEGRAM_BYTES_MAX {
        return plain;
    }
    let coded = format!("{word}{source}B{}", base64::encode_url(id.as_bytes()));
    if coded.len() <= TELEGRAM_BYTES_MAX { coded } else { of_token(aim, source, product) }
}

/// What a link says that names the product by what it is hashed to.
pub fn of_token(aim: Aim, source: &Name, product: u64) -> String {
    format!("{}T{}", word(aim), ProductToken::new(source, product))
}

fn word(aim: Aim) -> &'static str {
    WORDS.iter().find(|(_, known)| *known == aim).map_or("WATCH", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_fits_a_link() {
        let shop = Name::parse("shop").unwrap();
        let long = Name::parse(&"s".repeat(60)).unwrap();
        let id = |source: &Name, id: &str| Which::Id { source: source.to_string(), id: id.into() };
        let token = |source| Which::Token(ProductToken::new(source, 7));
        for (source, given, text, expected) in [
            (&shop, "4711", "WATCHshopP4711", id(&shop, "4711")),
            (&shop, "AB-12_x", "WATCHshopPAB-12_x", id(&shop, "AB-12_x")),
            (&shop, "a b/ü", "WATCHshopBYSBiL8O8", id(&shop, "a b/ü")),
            (&shop, &"x".repeat(60), "WATCHT", token(&shop)),
            (&long, "4711", "WATCHT", token(&long)),
        ] {
            let payload = payload(Aim::Fitting, source, given, 7);
            assert!(payload.starts_with(text) && payload.len() <= TELEGRAM_BYTES_MAX, "{payload}");
            assert!(payload.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'));
            assert_eq!(parse(&payload), Some((Aim::Fitting, expected)), "{payload}");
        }
    }

    #[test]
    fn topics_and_broken_links_are_no_watches() {
        for other in
            ["news", "newsANDshop", "WATCH", "WATCHshop", "WATCHshopX1", "watchshopP1", "WATCHTx"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(parse("STOCKshopP1").map(|(aim, _)| aim), Some(Aim::Stock));
        assert_eq!(parse("CHEAPshopBMQ==").map(|(aim, _)| aim), Some(Aim::Price));
    }
}
