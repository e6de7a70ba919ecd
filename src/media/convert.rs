//! Pictures made anew, so that every service takes them: JPEG, upright, flat, not too large.
//!
//! Takes processor time and memory: call it off the async threads, one picture at a time.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

use crate::media::sniff::Format;

/// Most pixels of a picture that is decoded.
pub const PIXELS_MAX: u64 = 40_000_000;

/// Most memory that decoding one picture may take, in bytes.
pub const MEMORY_BYTES_MAX: u64 = 200 << 20;

/// The longest side of what comes out, in pixels: services show no more.
pub const SIDE_MAX: u32 = 2_560;

/// The longest side may be so many times the shortest; beyond, margins are added.
/// Source: Bot API, `sendPhoto`: at most 20.
pub const RATIO_MAX: u32 = 20;

/// Quality of what comes out, of 100.
const QUALITY: u8 = 88;

/// Why a picture can't be made anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A format that is not read here.
    #[error("pictures of this format are not read")]
    Format,
    /// More pixels or memory than is given.
    #[error("the picture is too large to be read")]
    TooLarge,
    /// Broken, or cut.
    #[error("the picture can't be read: {0}")]
    Broken(String),
}

/// Whether pictures of the format can be made anew.
pub fn is_readable(format: Format) -> bool {
    library_format(format).is_some()
}

/// The picture as a JPEG within [`SIDE_MAX`] and [`RATIO_MAX`], upright; what is see-through
/// becomes white. Of a picture that moves, the first frame.
///
/// # Errors
/// See [`ConvertError`]; the same bytes always give the same answer.
pub fn to_jpeg(bytes: &[u8], format: Format) -> Result<Vec<u8>, ConvertError> {
    let picture = decode(bytes, format)?;
    let picture = shrink(&picture, SIDE_MAX);
    encode(&with_margins(flatten(&picture)))
}

/// A small JPEG of the picture, for the cover of a sound: at most `side` pixels wide and high.
///
/// # Errors
/// See [`ConvertError`].
pub fn to_thumbnail(bytes: &[u8], format: Format, side: u32) -> Result<Vec<u8>, ConvertError> {
    let picture = decode(bytes, format)?;
    encode(&flatten(&shrink(&picture, side)))
}

fn library_format(format: Format) -> Option<image::ImageFormat> {
    match format {
        Format::Jpeg => Some(image::ImageFormat::Jpeg),
        Format::Png => Some(image::ImageFormat::Png),
        Format::Gif => Some(image::ImageFormat::Gif),
        Format::WebP => Some(image::ImageFormat::WebP),
        _ => None,
    }
}

/// The size is looked at before a pixel is decoded.
fn decode(bytes: &[u8], format: Format) -> Result<DynamicImage, ConvertError> {
    let format = library_format(format).ok_or(ConvertError::Format)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > MEMORY_BYTES_MAX
    {
        return Err(ConvertError::TooLarge);
    }
    // A picture without such a note, or with one that makes no sense, is upright.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error))?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(picture)
}

fn refusal(error: &image::ImageError) -> ConvertError {
    match error {
        image::ImageError::Limits(_) => ConvertError::TooLarge,
        other => {
            let words = other.to_string().replace(char::is_control, " ");
            ConvertError::Broken(words.chars().take(160).collect())
        }
    }
}

fn shrink(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture.clone();
    }
    // Keeps the ratio; a side never becomes nothing.
    picture.resize(side, side, FilterType::Triangle)
}

/// Without what is see-through, on white.
fn flatten(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let mut flat = RgbImage::new(picture.width(), picture.height());
    let on_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u16::from(value), u16::from(alpha));
        u8::try_from((value * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    for (to, from) in flat.pixels_mut().zip(picture.to_rgba8().pixels()) {
        let [red, green, blue, alpha] = from.0;
        *to = Rgb([on_white(red, alpha), on_white(green, alpha), on_white(blue, alpha)]);
    }
    flat
}

fn with_margins(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let wide = width.max(height.div_ceil(RATIO_MAX));
    let high = height.max(width.div_ceil(RATIO_MAX));
    if (wide, high) == (width, height) {
        return picture;
    }
    let mut page = RgbImage::from_pixel(wide, high, Rgb([255; 3]));
    let (left, top) = ((wide - width) / 2, (high - height) / 2);
    imageops::replace(&mut page, &picture, i64::from(left), i64::from(top));
    page
}

fn encode(picture: &RgbImage) -> Result<Vec<u8>, ConvertError> {
    let mut jpeg = Vec::new();
    let (width, height) = picture.dimensions();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| refusal(&error))?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;
    use crate::media::sniff::sniff;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbaImage::from_pixel(width, height, Rgba([200, 10, 10, 255]));
        let picture = DynamicImage::from(picture);
        let picture = match format {
            ImageFormat::Jpeg => DynamicImage::from(picture.to_rgb8()),
            _ => picture,
        };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn size_after(bytes: &[u8]) -> (u32, u32) {
        let jpeg = to_jpeg(bytes, sniff(bytes).format).unwrap();
        let sniffed = sniff(&jpeg);
        assert_eq!(sniffed.format, Format::Jpeg);
        sniffed.size.unwrap()
    }

    #[test]
    fn every_readable_format_becomes_a_jpeg_of_the_same_size() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            assert_eq!(size_after(&picture(64, 48, format)), (64, 48), "{format:?}");
        }
    }

    #[test]
    fn too_many_pixels_are_scaled_down_and_the_ratio_is_kept() {
        assert_eq!(size_after(&picture(6_000, 3_000, ImageFormat::Png)), (2_560, 1_280));
    }

    #[test]
    fn a_strip_gets_margins() {
        assert_eq!(size_after(&picture(1_000, 4, ImageFormat::Png)), (1_000, 50));
        assert_eq!(size_after(&picture(1, 100, ImageFormat::Png)), (5, 100));
        assert_eq!(size_after(&picture(9_000, 2, ImageFormat::Png)), (2_560, 128));
    }

    #[test]
    fn what_is_see_through_becomes_white() {
        let clear = DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])));
        assert_eq!(flatten(&clear).get_pixel(3, 3), &Rgb([255; 3]));
        let half = DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 128])));
        assert_eq!(flatten(&half).get_pixel(3, 3), &Rgb([127; 3]));
    }

    #[test]
    fn sec_l01_pixels_are_counted_before_they_are_decoded() {
        // A head that tells 30,000 × 30,000, and nothing behind it.
        let mut bomb = picture(8, 8, ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let crc = {
            let mut crc = flate2::Crc::new();
            crc.update(&bomb[12..29]);
            crc.sum()
        };
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(to_jpeg(&bomb, Format::Png), Err(ConvertError::TooLarge));
    }

    #[test]
    fn broken_pictures_are_refused_in_one_line() {
        let whole = picture(64, 48, ImageFormat::Png);
        for cut in [0, 8, 20, 40, whole.len() / 2] {
            let refused = to_jpeg(&whole[..cut], Format::Png).unwrap_err();
            assert!(!refused.to_string().contains('\n'), "{refused}");
        }
        assert_eq!(to_jpeg(b"<svg/>", Format::Svg), Err(ConvertError::Format));
    }

    #[test]
    fn a_thumbnail_is_small() {
        let thumbnail = to_thumbnail(&picture(900, 300, ImageFormat::Png), Format::Png, 320);
        assert_eq!(sniff(&thumbnail.unwrap()).size, Some((320, 107)));
    }
}
