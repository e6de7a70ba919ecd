//! The editor's colour and logo, so that what is written stays legible and nobody else is asked.

use std::sync::Arc;

use crate::markup::base64;

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
    fn a_logo_stands_in_its_address() {
        let logo = Logo { mime: "image/png", bytes: Arc::from(&b"foobar"[..]) };
        assert_eq!(logo.address(), "data:image/png;base64,Zm9vYmFy");
    }
}
