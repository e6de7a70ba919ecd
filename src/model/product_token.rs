//! What stands for a product in buttons and links, for years: its source's name and its id, hashed.
//!
//! Nothing of it depends on the settings but the source's name, and it fits wherever 64 bytes do.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::name::Name;

/// So many bytes of the hash of the source's name: sources are few.
const SOURCE_BYTES: usize = 6;

/// The characters of a token.
pub const TOKEN_CHARS: usize = 19;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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
        let bytes = decode(text)?;
        let (source, product) = bytes.split_first_chunk()?;
        let product = u64::from_be_bytes(product.try_into().ok()?);
        Some(Self { source: *source, product })
    }
}

/// [`TOKEN_CHARS`] of base64url.
impl fmt::Display for ProductToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.source[..], &self.product.to_be_bytes()[..]].concat();
        out.write_str(&encode(&bytes))
    }
}

/// Base64 for addresses, without padding (RFC 4648, section 5).
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for sextet in 0..=chunk.len() {
            let index = (word >> (18 - 6 * sextet) & 63) as usize;
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// The inverse of [`encode`]; it takes the usual alphabet and padding too.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut word = 0_u32;
        for index in 0..4 {
            let sextet = match chunk.get(index) {
                None => 0,
                Some(b'+') => 62,
                Some(b'/') => 63,
                Some(c) => u32::try_from(ALPHABET.iter().position(|known| known == c)?).ok()?,
            };
            word = word << 6 | sextet;
        }
        let [_, first, second, third] = word.to_be_bytes();
        bytes.extend([first, second, third].into_iter().take(chunk.len() - 1));
    }
    Some(bytes)
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

    #[test]
    fn base64_is_read_in_either_alphabet() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")]
        {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        assert_eq!(decode("+/8=").as_deref(), Some(&b"\xfb\xff"[..]));
        assert_eq!(decode("Zm9vY"), None);
        assert_eq!(decode("Zm 9"), None);
    }
}
