//! What stands for a product in buttons and links, for years: its source's name and its id, hashed.
//!
//! Nothing of it depends on the settings but the source's name, and it fits wherever 64 bytes do.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::base64;
use crate::model::name::Name;

/// So many bytes of the hash of the source's name: sources are few.
const SOURCE_BYTES: usize = 6;

/// The characters of a token.
pub const TOKEN_CHARS: usize = 19;

/// A product of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProductToken {
    source: [u8; SOURCE_BYTES],
    /// What names the product on its shelf.
    pub product: u64,
}

impl ProductToken {
    pub fn new(source: &Name, product: u64) -> Self {
        let digest = Sha256::digest(source.as_str().as_bytes());
        Self { source: digest.first_chunk().copied().unwrap_or_default(), product }
    }

    /// The source that is meant, if it is one of these.
    pub fn source<'a>(&self, among: &'a [Name]) -> Option<&'a Name> {
        among.iter().find(|name| Self::new(name, self.product) == *self)
    }

    /// The inverse of its text; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64::decode(text)?;
        let (source, product) = bytes.split_first_chunk()?;
        let product = u64::from_be_bytes(product.try_into().ok()?);
        Some(Self { source: *source, product })
    }
}

/// [`TOKEN_CHARS`] of base64url.
impl fmt::Display for ProductToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.source[..], &self.product.to_be_bytes()[..]].concat();
        out.write_str(&base64::encode_url(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_token_is_the_same_for_ever() {
        let token = ProductToken::new(&name("shop"), 0x0102_0304_0506_0708);
        let text = token.to_string();
        assert_eq!(text, "jZAB0yxqAQIDBAUGBwg");
        assert_eq!(text.len(), TOKEN_CHARS);
        assert_eq!(ProductToken::parse(&text), Some(token));
        let among = [name("other"), name("shop")];
        assert_eq!(token.source(&among), Some(&among[1]));
        assert_eq!(token.source(&among[..1]), None);
        for wrong in ["", "x", "jZAB0yxqAQIDBAUGBwgA", "jZAB0yxqAQIDBAUGBw!", "ü"] {
            assert_eq!(ProductToken::parse(wrong), None, "{wrong}");
        }
    }
}
