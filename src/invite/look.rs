//! The editor's colour and logo, so that what is written stays legible and nobody else is asked.

use std::sync::Arc;

use crate::markup::base64;
use crate::model::channel::ChannelKind;

/// What buttons look like where the editor says nothing: the services' own colours, dark enough to
/// be read on.
const TELEGRAM: Colour = Colour([0x14, 0x74, 0xa8]);
const MESSENGER: Colour = Colour([0x0a, 0x5c, 0xe0]);

/// A paper plane, in a square of 24.
const TELEGRAM_SIGN: &str = "M22 3 1.5 11.2l6.2 2.2L19 5.8l-8.6 9v6l3.2-3.9 5 3.7z";

/// A bubble with a flash, filled by the rule `evenodd`.
const MESSENGER_SIGN: &str = "M12 2C6.3 2 2 6.2 2 11.6c0 2.9 1.2 5.4 3.2 7.1V22l3-1.7c1.2.3 2.4.5 \
                              3.8.5 5.7 0 10-4.2 10-9.2S17.7 2 12 2zm1 12.5-2.6-2.7-5 2.7 \
                              5.5-5.8 2.6 2.7 4.9-2.7z";

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// A picture that stands in the page itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub mime: &'static str,
    pub bytes: Arc<[u8]>,
}

impl Colour {
    pub const BLACK: Self = Self([0; 3]);
    pub const WHITE: Self = Self([255; 3]);

    /// Reads `#0a7fb5`.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let part = |at: usize| {
            let digits =
                text.strip_prefix('#').filter(|digits| digits.len() == 6)?.get(at..at + 2)?;
            let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| is_plain)
        };
        match (part(0), part(2), part(4)) {
            (Some(red), Some(green), Some(blue)) => Ok(Self([red, green, blue])),
            _ => Err("must be a colour, for example `#0a7fb5`"),
        }
    }

    /// `#0a7fb5`.
    pub fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Black or white, whichever is read better on it: on every colour one of them has a contrast
    /// of 4.5 at least.
    pub fn ink(self) -> Self {
        match self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) {
            true => Self::WHITE,
            false => Self::BLACK,
        }
    }

    /// From 1 to 21. Source: Web Content Accessibility Guidelines 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// From 0 to 1. Source: as above, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// A service's sign, as the outline of an SVG.
pub(super) fn sign(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Telegram => TELEGRAM_SIGN,
        ChannelKind::Messenger => MESSENGER_SIGN,
    }
}

/// The style of the services' buttons.
pub(super) fn doors(colour: Option<Colour>) -> String {
    let of = |class: &str, colour: Colour| {
        let (paper, ink) = (colour.hex(), colour.ink().hex());
        format!(".{class}{{background:{paper};color:{ink}}}")
    };
    let (telegram, messenger) = (colour.unwrap_or(TELEGRAM), colour.unwrap_or(MESSENGER));
    format!("{}{}", of("telegram", telegram), of("messenger", messenger))
}

impl Logo {
    /// The picture as an address.
    pub fn address(&self) -> String {
        format!("data:{};base64,{}", self.mime, base64(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        let grey = Colour([0x77; 3]).contrast(Colour::WHITE);
        assert!((grey - 4.48).abs() < 0.01, "{grey}");
    }

    #[test]
    fn on_every_colour_something_is_legible() {
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(15) {
                    let colour = Colour([red, green, blue]);
                    assert!(colour.contrast(colour.ink()) >= 4.5, "{}", colour.hex());
                }
            }
        }
    }

    #[test]
    fn a_colour_is_read_as_it_is_written() {
        assert_eq!(Colour::parse("#0a7FB5"), Ok(Colour([0x0a, 0x7f, 0xb5])));
        for odd in ["", "#", "0a7fb5", "#0a7fb", "#0a7fb5f", "#0a7f+5", "#ăă2", "blue"] {
            assert!(Colour::parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_logo_stands_in_its_address() {
        let logo = Logo { mime: "image/png", bytes: Arc::from(&b"foobar"[..]) };
        assert_eq!(logo.address(), "data:image/png;base64,Zm9vYmFy");
    }
}
