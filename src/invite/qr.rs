//! QR codes of links: as a drawing, as a picture, and in a terminal.
//!
//! With the quiet zone of four squares that the standard asks for (ISO/IEC 18004, 6.3.8), and so
//! much spare that a code of which 15 % is covered is still read.

use std::io::Cursor;

use fast_qr::ECL;
use fast_qr::qr::QRBuilder;
use image::{GrayImage, ImageFormat, Luma};

/// Squares of quiet around the code.
const QUIET: usize = 4;

/// Pixels of a square in a picture: sharp in print up to some centimetres.
const PIXELS: u32 = 12;

const DARK: Luma<u8> = Luma([0]);
const LIGHT: Luma<u8> = Luma([255]);

/// What is to be drawn is too long, or the picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoCode {
    #[error("{bytes} bytes are too many for a QR code")]
    TooLong { bytes: usize },
    #[error("the picture could not be made: {0}")]
    NoPicture(#[from] image::ImageError),
}

/// The squares of a code, with the quiet around them.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    side: usize,
    /// Row by row.
    is_dark: Vec<bool>,
}

impl Code {
    /// The code of a text.
    ///
    /// # Errors
    /// [`NoCode::TooLong`].
    pub fn of(text: &str) -> Result<Self, NoCode> {
        let code = QRBuilder::new(text)
            .ecl(ECL::M)
            .build()
            .map_err(|_| NoCode::TooLong { bytes: text.len() })?;
        let side = code.size + 2 * QUIET;
        let mut is_dark = vec![false; side * side];
        for row in 0..code.size {
            for (column, module) in code[row].iter().enumerate() {
                is_dark[(row + QUIET) * side + column + QUIET] = module.value();
            }
        }
        Ok(Self { side, is_dark })
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        self.is_dark.get(row * self.side + column).is_some_and(|is_dark| *is_dark)
    }

    /// A drawing to stand in a page, black on white whatever the page's colours; `label` says what
    /// it is, and is escaped by the caller.
    pub fn drawing(&self, label: &str) -> String {
        let attributes = format!("role=\"img\" aria-label=\"{label}\"");
        self.svg(&attributes)
    }

    /// The drawing within another one.
    pub(super) fn drawing_at(&self, left: u32, top: u32, side: u32) -> String {
        let place = format!("x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"");
        self.svg(&place)
    }

    /// Squares of a side, with the quiet.
    pub(super) fn side(&self) -> u32 {
        u32::try_from(self.side).unwrap_or(u32::MAX)
    }

    pub(super) fn is_dark_at(&self, column: u32, row: u32) -> bool {
        let place = |at: u32| usize::try_from(at).ok().filter(|at| *at < self.side);
        place(column).zip(place(row)).is_some_and(|(column, row)| self.is_dark(column, row))
    }

    /// The drawing as a file.
    pub fn svg_file(&self) -> String {
        let pixels = self.side * usize::try_from(PIXELS).unwrap_or(1);
        let attributes =
            format!("xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\"");
        format!("{}\n", self.svg(&attributes))
    }

    fn svg(&self, attributes: &str) -> String {
        let side = self.side;
        let mut out = format!(
            "<svg {attributes} viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\""
        );
        for row in 0..side {
            let mut column = 0;
            while column < side {
                let run = (column..side).take_while(|at| self.is_dark(*at, row)).count();
                if run > 0 {
                    out.push_str(&format!("M{column} {row}h{run}v1h-{run}z"));
                }
                column += run.max(1);
            }
        }
        out.push_str("\"/></svg>");
        out
    }

    /// A PNG.
    ///
    /// # Errors
    /// [`NoCode::NoPicture`].
    pub fn png(&self) -> Result<Vec<u8>, NoCode> {
        let side = u32::try_from(self.side).unwrap_or(0) * PIXELS;
        let at = |pixel: u32| usize::try_from(pixel / PIXELS).unwrap_or(0);
        let picture = GrayImage::from_fn(side, side, |x, y| match self.is_dark(at(x), at(y)) {
            true => DARK,
            false => LIGHT,
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }

    /// Lines for a terminal, two rows of squares in each. With `colour` they are black on white
    /// whatever the terminal's colours; without, light on what is taken for a dark terminal.
    pub fn lines(&self, colour: bool) -> Vec<String> {
        let line = |row: usize| {
            let mut line = String::new();
            for column in 0..self.side {
                let pair = (self.is_dark(column, row), self.is_dark(column, row + 1));
                // The ink is the light squares: of a last row without a second one only these show.
                line.push(match pair {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            match colour {
                true => format!("\x1b[38;5;231m\x1b[48;5;16m{line}\x1b[0m"),
                false => line,
            }
        };
        (0..self.side).step_by(2).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The squares in the picture, to look at them apart from how it was drawn.
    fn squares(png: &[u8]) -> Vec<Vec<bool>> {
        let picture = image::load_from_memory(png).unwrap().into_luma8();
        let side = picture.width() / PIXELS;
        let middle = |at: u32| at * PIXELS + PIXELS / 2;
        (0..side)
            .map(|y| {
                (0..side).map(|x| picture.get_pixel(middle(x), middle(y)).0[0] < 128).collect()
            })
            .collect()
    }

    #[test]
    fn every_drawing_shows_the_same_squares() {
        let code = Code::of("https://t.me/harbour_bot?start=news").unwrap();
        let squares = squares(&code.png().unwrap());
        assert_eq!(squares.len(), code.side);
        for (y, row) in squares.iter().enumerate() {
            for (x, is_dark) in row.iter().enumerate() {
                assert_eq!(*is_dark, code.is_dark(x, y), "{x}, {y}");
            }
        }
        let drawn: usize = code
            .svg_file()
            .split('M')
            .filter_map(|run| run.split_once('h')?.1.split_once("v1h-")?.0.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, code.is_dark.iter().filter(|is_dark| **is_dark).count());
        let lines = code.lines(false);
        assert_eq!(lines.len(), code.side.div_ceil(2));
        assert!(lines.iter().all(|line| line.chars().count() == code.side));
    }

    #[test]
    fn a_code_has_its_corners_and_its_quiet() {
        let code = Code::of("https://m.me/1").unwrap();
        let far = code.side - 1;
        for at in 0..code.side {
            for edge in 0..QUIET {
                assert!(!code.is_dark(at, edge) && !code.is_dark(edge, at));
                assert!(!code.is_dark(at, far - edge) && !code.is_dark(far - edge, at));
            }
        }
        // The finder: a ring of 7, a gap, a core of 3.
        for (x, y) in [(QUIET, QUIET), (far - QUIET - 6, QUIET), (QUIET, far - QUIET - 6)] {
            for (dx, is_dark) in [true, false, true, true, true, false, true].iter().enumerate() {
                assert_eq!(code.is_dark(x + dx, y + 3), *is_dark);
            }
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert!(Code::of(&"a".repeat(2_331)).is_ok());
        let error = Code::of(&"a".repeat(2_332)).err().unwrap();
        assert!(matches!(error, NoCode::TooLong { bytes: 2_332 }));
    }
}
