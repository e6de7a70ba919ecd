//! The cover picture of a page or a channel: a title beside a code, in the size that Facebook shows
//! covers in on large screens, twice over.
//!
//! As an SVG it has the title, in the fonts of whoever draws it; as a PNG it has none, because there
//! is no font in the program: colour and code, for words to be put on it elsewhere.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use crate::invite::look::Colour;
use crate::invite::qr::{Code, NoCode};
use crate::markup::escape;

/// Source: Facebook Help, "What are the dimensions of my Page's profile picture and cover photo?":
/// 820 by 312 on computers, of which phones show the middle 640.
const WIDTH: u32 = 1640;
const HEIGHT: u32 = 624;

/// Phones cut off what is further out, on both sides.
const MARGIN: u32 = 180;

/// The side of the code's card.
const CARD: u32 = 440;

/// Longest line of the title, in characters; and most lines.
const LINE_CHARS_MAX: usize = 20;
const LINES_MAX: usize = 3;

/// Where nothing is said of the colour.
const USUAL: Colour = Colour([0x14, 0x74, 0xa8]);

/// What stands on a cover.
#[derive(Clone)]
pub struct Cover<'a> {
    pub title: &'a str,
    /// What is to be done with the code.
    pub hint: &'a str,
    pub colour: Option<Colour>,
    pub code: &'a Code,
}

impl Cover<'_> {
    /// An SVG, with the title.
    pub fn svg(&self) -> String {
        let (paper, ink) = self.colours();
        let (left, top) = place();
        let lines = lines(self.title);
        let size = 88;
        let height = u32::try_from(lines.len()).unwrap_or(1) * 104;
        let first = (HEIGHT - height) / 2 + 60;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\"><path fill=\"{}\" d=\"M0 0h{WIDTH}v{HEIGHT}H0z\"/>\
             <g fill=\"{}\" font-family=\"system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, \
             DejaVu Sans, sans-serif\">",
            paper.hex(),
            ink.hex()
        );
        for (line, at) in lines.iter().zip(0u32..) {
            let y = first + at * 104;
            out.push_str(&format!(
                "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"700\">{}</text>",
                escape(line)
            ));
        }
        let y = first + height;
        out.push_str(&format!(
            "<text x=\"{MARGIN}\" y=\"{}\" font-size=\"34\">{}</text></g>",
            y - 30,
            escape(self.hint)
        ));
        out.push_str(&format!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{CARD}\" height=\"{CARD}\" rx=\"36\" \
             fill=\"#fff\"/>{}</svg>\n",
            self.code.drawing_at(left, top, CARD)
        ));
        out
    }

    /// A PNG, without the title.
    ///
    /// # Errors
    /// [`NoCode::NoPicture`].
    pub fn png(&self) -> Result<Vec<u8>, NoCode> {
        let (Colour(paper), _) = self.colours();
        let mut picture = RgbImage::from_pixel(WIDTH, HEIGHT, Rgb(paper));
        let (left, top) = place();
        let side = self.code.side();
        // Whole pixels a square, so that every square is as large.
        let pixels = (CARD / side).max(1);
        let inset = CARD.saturating_sub(pixels * side) / 2;
        for y in 0..CARD {
            for x in 0..CARD {
                let at = |place: u32| (place >= inset).then(|| (place - inset) / pixels);
                let is_dark = at(x).zip(at(y)).is_some_and(|(x, y)| self.code.is_dark_at(x, y));
                let colour = if is_dark { [0; 3] } else { [255; 3] };
                picture.put_pixel(left + x, top + y, Rgb(colour));
            }
        }
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }

    fn colours(&self) -> (Colour, Colour) {
        let paper = self.colour.unwrap_or(USUAL);
        (paper, paper.ink())
    }
}

/// Where the code's card begins.
fn place() -> (u32, u32) {
    (WIDTH - MARGIN - CARD, (HEIGHT - CARD) / 2)
}

/// The title in lines; what is too long for them ends with `…`.
fn lines(title: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split_whitespace() {
        let fits = |line: &String| line.chars().count() + word.chars().count() < LINE_CHARS_MAX;
        match lines.last_mut() {
            Some(line) if fits(line) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let is_cut = lines.len() > LINES_MAX;
    lines.truncate(LINES_MAX);
    for line in &mut lines {
        if let Some((end, _)) = line.char_indices().nth(LINE_CHARS_MAX) {
            line.replace_range(end.., "…");
        }
    }
    if let (true, Some(last)) = (is_cut, lines.last_mut()) {
        last.push('…');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_has_title_colour_and_code() {
        let code = Code::of("https://t.me/harbour_bot?start=newsFROMcover").unwrap();
        let title = "News from the <harbour> and the islands";
        let cover = Cover {
            title,
            hint: "Scan the code.",
            colour: Some(Colour([255, 204, 0])),
            code: &code,
        };
        let svg = cover.svg();
        assert!(svg.contains("width=\"1640\" height=\"624\"") && svg.contains("fill=\"#ffcc00\""));
        assert!(svg.contains(">News from the</text>") && svg.contains("&lt;harbour&gt; and the"));
        let picture = image::load_from_memory(&cover.png().unwrap()).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
        assert_eq!(picture.get_pixel(5, 5).0, [255, 204, 0]);
        let (left, top) = place();
        assert_eq!(picture.get_pixel(left + 2, top + 2).0, [255; 3], "quiet around the code");
        let pixels = CARD / code.side();
        let inset = (CARD - pixels * code.side()) / 2;
        let at = |square: u32| inset + square * pixels + pixels / 2;
        for (x, y) in [(4, 4), (5, 5), (7, 7), (10, 4)] {
            let is_dark = picture.get_pixel(left + at(x), top + at(y)).0 == [0; 3];
            assert_eq!(is_dark, code.is_dark_at(x, y), "{x}, {y}");
        }
    }

    #[test]
    fn a_long_title_ends_in_its_lines() {
        assert_eq!(lines("Short"), ["Short"]);
        let long = lines(
            "Llanfairpwllgwyngyllgogerychwyrndrobwll one two three four five six seven eight nine ten",
        );
        assert_eq!(long.len(), LINES_MAX);
        assert!(long[0].ends_with('…') && long[2].ends_with('…'));
        assert!(long.iter().all(|line| line.chars().count() <= LINE_CHARS_MAX + 1));
    }
}
