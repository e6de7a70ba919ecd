//! Which way a medium is sent next. Pure: the table of rules that `deliver` follows.
//!
//! ```text
//! address ─▶ upload ─▶ converted ─▶ file ─▶ link
//!    (a refusal goes one down; what can't be at a rung passes on at once)
//! ```
//!
//! The last rung is words and an address: no service can refuse it. So every medium comes to an
//! end after at most [`Rung::ALL`]'s length of refusals.

use crate::media::convert::{self, PIXELS_MAX};
use crate::media::sniff::{Format, Sniffed};
use crate::model::channel::ChannelKind;
use crate::model::media::Form;

/// How a medium is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// The service fetches it.
    Address,
    /// We fetched it, and hand it over as it is.
    Upload,
    /// We fetched it, and made a picture of it that the service takes.
    Converted,
    /// We fetched it, and hand it over as a file to be opened.
    File,
    /// Its words and its address.
    Link,
}

impl Rung {
    pub const ALL: [Self; 5] =
        [Self::Address, Self::Upload, Self::Converted, Self::File, Self::Link];

    /// The rung below.
    pub fn below(self) -> Self {
        match self {
            Self::Address => Self::Upload,
            Self::Upload => Self::Converted,
            Self::Converted => Self::File,
            Self::File | Self::Link => Self::Link,
        }
    }

    /// Whether we need the bytes.
    pub fn needs_bytes(self) -> bool {
        matches!(self, Self::Upload | Self::Converted | Self::File)
    }
}

/// What a service takes of one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub bytes_max: usize,
    pub formats: &'static [Format],
}

/// Most bytes of any upload to the service.
/// Sources: Bot API, "Sending files"; Messenger Platform, "Attachment Upload API".
pub fn upload_bytes_max(service: ChannelKind) -> usize {
    match service {
        ChannelKind::Telegram => 50 << 20,
        ChannelKind::Messenger => 25 << 20,
    }
}

/// What the service takes as an upload of this form, as far as it says so.
pub fn taken(service: ChannelKind, form: Form) -> Taken {
    use Format::{Aac, Avi, Gif, Jpeg, M4a, Mov, Mp3, Mp4, Ogg, Png, Wav, WebM};
    let all = upload_bytes_max(service);
    let (bytes_max, formats): (usize, &[Format]) = match (service, form) {
        (ChannelKind::Telegram, Form::Picture) => (10 << 20, &[Jpeg, Png, Gif]),
        (ChannelKind::Telegram, Form::Animation) => (all, &[Gif, Mp4]),
        (ChannelKind::Telegram, Form::Video) => (all, &[Mp4]),
        (ChannelKind::Telegram, Form::Sound) => (all, &[Mp3, M4a]),
        (ChannelKind::Messenger, Form::Picture | Form::Animation) => (8 << 20, &[Jpeg, Png, Gif]),
        (ChannelKind::Messenger, Form::Video) => (all, &[Mp4, Mov, WebM, Avi, Ogg]),
        (ChannelKind::Messenger, Form::Sound) => (all, &[Mp3, M4a, Aac, Wav, Mp4]),
        (_, Form::File) => (all, &[]),
    };
    Taken { bytes_max, formats }
}

/// Telegram's limits of a photo. Source: Bot API, `sendPhoto`.
const PHOTO_SIDES_MAX: u32 = 10_000;

/// Where a medium whose bytes we have comes to stand: `rung`, or the first one below it that can
/// work at all.
pub fn settle(
    rung: Rung,
    service: ChannelKind,
    form: Form,
    sniffed: Sniffed,
    bytes: usize,
) -> Rung {
    let mut rung = rung;
    while !can_stand(rung, service, form, sniffed, bytes) {
        rung = rung.below();
    }
    rung
}

fn can_stand(rung: Rung, service: ChannelKind, form: Form, sniffed: Sniffed, bytes: usize) -> bool {
    match rung {
        Rung::Address | Rung::Link => true,
        // A file as a file: the rung of its own below would be the same again.
        Rung::Upload if form == Form::File => bytes > 0 && bytes <= upload_bytes_max(service),
        Rung::Upload => {
            let taken = taken(service, form);
            taken.formats.contains(&sniffed.format)
                && bytes <= taken.bytes_max
                && (form != Form::Picture || has_good_sides(sniffed))
        }
        Rung::Converted => {
            let pixels = |(width, height)| u64::from(width) * u64::from(height);
            form == Form::Picture
                && convert::is_readable(sniffed.format)
                && sniffed.size.is_none_or(|size| pixels(size) <= PIXELS_MAX)
        }
        // What came instead of a file, such as a page that says that it is gone, is none.
        Rung::File => {
            form != Form::File
                && sniffed.format.form().is_some()
                && bytes <= upload_bytes_max(service)
        }
    }
}

fn has_good_sides(sniffed: Sniffed) -> bool {
    let Some((width, height)) = sniffed.size else { return true };
    let (long, short) = (width.max(height), width.min(height));
    width.saturating_add(height) <= PHOTO_SIDES_MAX
        && long <= short.saturating_mul(convert::RATIO_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn of(format: Format) -> Sniffed {
        Sniffed { format, size: None }
    }

    fn sized(format: Format, width: u32, height: u32) -> Sniffed {
        Sniffed { format, size: Some((width, height)) }
    }

    #[test]
    fn what_can_not_be_at_a_rung_passes_on() {
        use ChannelKind::{Messenger, Telegram};
        use Form::{Animation, File, Picture, Sound, Video};
        let cases = [
            (Telegram, Picture, sized(Format::Jpeg, 800, 600), MIB, Rung::Upload),
            (Telegram, Picture, sized(Format::WebP, 800, 600), MIB, Rung::Converted),
            (Telegram, Picture, sized(Format::Png, 9_000, 1_000), MIB, Rung::Upload),
            (Telegram, Picture, sized(Format::Png, 9_001, 1_000), MIB, Rung::Converted),
            (Telegram, Picture, sized(Format::Png, 2_000, 99), MIB, Rung::Converted),
            (Telegram, Picture, sized(Format::Png, 800, 600), 11 * MIB, Rung::Converted),
            (Telegram, Picture, sized(Format::Png, 20_000, 20_000), MIB, Rung::File),
            (Telegram, Picture, of(Format::Avif), MIB, Rung::File),
            (Telegram, Picture, of(Format::Svg), MIB, Rung::File),
            (Telegram, Picture, of(Format::Html), MIB, Rung::Link),
            (Telegram, Picture, of(Format::Unknown), MIB, Rung::Link),
            (Telegram, Picture, of(Format::Avif), 51 * MIB, Rung::Link),
            (Telegram, Animation, sized(Format::Gif, 300, 200), MIB, Rung::Upload),
            (Telegram, Animation, of(Format::WebM), MIB, Rung::File),
            (Telegram, Video, of(Format::Mp4), 49 * MIB, Rung::Upload),
            (Telegram, Video, of(Format::WebM), MIB, Rung::File),
            (Telegram, Video, of(Format::Html), MIB, Rung::Link),
            (Telegram, Sound, of(Format::Mp3), MIB, Rung::Upload),
            (Telegram, Sound, of(Format::Ogg), MIB, Rung::File),
            (Telegram, File, of(Format::Unknown), MIB, Rung::Upload),
            (Telegram, File, of(Format::Text), 0, Rung::Link),
            (Messenger, Picture, sized(Format::WebP, 800, 600), MIB, Rung::Converted),
            (Messenger, Picture, sized(Format::Png, 800, 600), 9 * MIB, Rung::Converted),
            (Messenger, Video, of(Format::WebM), MIB, Rung::Upload),
            (Messenger, Sound, of(Format::Mp3), 26 * MIB, Rung::Link),
        ];
        for (service, form, sniffed, bytes, expected) in cases {
            let stands = settle(Rung::Upload, service, form, sniffed, bytes);
            assert_eq!(stands, expected, "{service:?} {form:?} {sniffed:?} {bytes}");
        }
    }

    #[test]
    fn every_refusal_leads_down_to_the_link() {
        let forms = [Form::Picture, Form::Animation, Form::Video, Form::Sound, Form::File];
        let formats = [Format::Jpeg, Format::WebP, Format::Avif, Format::Mp4, Format::Html];
        for service in [ChannelKind::Telegram, ChannelKind::Messenger] {
            for form in forms {
                for format in formats {
                    let mut rung = Rung::Address;
                    let mut refusals = 0;
                    while rung != Rung::Link {
                        let next = settle(rung.below(), service, form, of(format), 1_000);
                        assert!(next > rung);
                        rung = next;
                        refusals += 1;
                    }
                    assert!(refusals < Rung::ALL.len());
                }
            }
        }
        assert_eq!(Rung::Link.below(), Rung::Link);
    }
}
