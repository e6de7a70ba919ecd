//! Pictures for the blog: a bay at some hour of the day, drawn by arithmetic, as PNG.

use std::io::Write;

use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 336;

type Colour = [f32; 3];

/// The hour's colours: sky above, sky at the horizon, sun, water.
const HOURS: [[Colour; 4]; 5] = [
    [[0.16, 0.19, 0.42], [0.98, 0.62, 0.47], [1.00, 0.90, 0.70], [0.23, 0.27, 0.47]],
    [[0.27, 0.56, 0.86], [0.80, 0.92, 0.98], [1.00, 0.98, 0.86], [0.13, 0.46, 0.62]],
    [[0.43, 0.36, 0.66], [0.98, 0.78, 0.62], [1.00, 0.86, 0.55], [0.35, 0.33, 0.56]],
    [[0.05, 0.07, 0.18], [0.20, 0.27, 0.47], [0.93, 0.94, 0.98], [0.05, 0.12, 0.24]],
    [[0.38, 0.62, 0.62], [0.93, 0.91, 0.80], [1.00, 0.96, 0.83], [0.20, 0.45, 0.45]],
];

/// The picture of that number: always the same for the same one.
pub(super) fn draw(number: u64) -> Vec<u8> {
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // A few bits of the seed as a share of 1.
    let share = |shift: u32| f32::from(u8::try_from((seed >> shift) & 0xff).unwrap_or(0)) / 255.0;
    let hour = HOURS[usize::try_from(number).unwrap_or(0) % HOURS.len()];
    let scene = Scene {
        hour,
        sun: (0.2 + 0.6 * share(56), 0.26 + 0.2 * share(48), 0.07),
        phase: share(40) * 6.3,
        slope: 1.5 + 2.0 * share(32),
    };
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        rows.push(0);
        for x in 0..WIDTH {
            rows.extend(scene.at(to_share(x, WIDTH), to_share(y, HEIGHT)).map(to_byte));
        }
    }
    encode(&rows)
}

struct Scene {
    hour: [Colour; 4],
    /// Where it stands across and down, and its radius.
    sun: (f32, f32, f32),
    phase: f32,
    slope: f32,
}

impl Scene {
    /// The colour of a point; both coordinates run from 0 to 1.
    fn at(&self, x: f32, y: f32) -> Colour {
        let [high, low, sun, water] = self.hour;
        let horizon = 0.62;
        if y > horizon {
            let depth = (y - horizon) / (1.0 - horizon);
            let ripple = ((x * 30.0 + (depth * 40.0).sin()).sin() * (depth * 70.0).sin()).max(0.0);
            let glitter = (1.0 - (x - self.sun.0).abs() * 5.0).max(0.0) * ripple * 0.7;
            return mix(mix(water, mix(water, [0.0; 3], 0.5), depth), sun, glitter);
        }
        for (layer, tall, dark) in [(1.0, 0.10, 0.55), (2.3, 0.18, 0.25)] {
            let ridge = (x * self.slope * 2.2 * layer + self.phase * layer).sin()
                + 0.4 * (x * self.slope * 6.1 + self.phase * layer * 2.0).sin();
            if y > horizon - tall * (0.55 + 0.32 * ridge) {
                return mix(water, low, dark);
            }
        }
        let sky = mix(high, low, (y / horizon).powf(1.4));
        let across = (x - self.sun.0) * to_share(WIDTH, HEIGHT);
        let distance = (across.powi(2) + (y - self.sun.1).powi(2)).sqrt() / self.sun.2;
        let glow = (1.0 - (distance - 1.0) / 3.5).clamp(0.0, 1.0).powi(2) * 0.45;
        if distance < 1.0 { sun } else { mix(sky, sun, glow) }
    }
}

fn mix(one: Colour, other: Colour, share: f32) -> Colour {
    std::array::from_fn(|at| one[at] + (other[at] - one[at]) * share)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a picture are small")]
fn to_share(part: u32, whole: u32) -> f32 {
    part as f32 / whole as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of a byte before"
)]
fn to_byte(light: f32) -> u8 {
    (light.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Wraps rows of RGB, each after a filter byte 0, into a PNG file.
fn encode(rows: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = packed.write_all(rows);
    let packed = packed.finish().unwrap_or_default();
    let mut head = Vec::new();
    head.extend(WIDTH.to_be_bytes());
    head.extend(HEIGHT.to_be_bytes());
    // Eight bits a colour, RGB, the only compression and filtering there are, not interlaced.
    head.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &head), (b"IDAT", &packed), (b"IEND", &Vec::new())] {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(data);
        png.extend(length.to_be_bytes());
        png.extend(kind);
        png.extend(data);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_png_of_its_size_and_the_same_every_time() {
        let png = draw(3);
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(png[16..20], WIDTH.to_be_bytes());
        assert_eq!(png[20..24], HEIGHT.to_be_bytes());
        assert_eq!(png, draw(3));
        assert_ne!(png, draw(4));
    }
}
