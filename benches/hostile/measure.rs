//! The processor's time and the peak of memory of one reading, as the kernel counts them.

use std::fmt;
use std::fs;
use std::hint::black_box;
use std::time::Duration;

use tidings::extract::text;

const MIB: f64 = 1_048_576.0;
/// A shorter time is not told from none.
const CPU_MS_MIN: f64 = 40.0;
/// Most readings of one document, in one process.
const READINGS_MAX: f64 = 100.0;

/// What a reading cost.
pub struct Cost {
    /// Of the document, as it was given or as it was unpacked, whichever is more.
    pub mib: f64,
    pub cpu_ms: f64,
    /// The peak of resident memory beyond what was there before.
    pub extra_mib: f64,
    /// A word or two about what came out.
    pub outcome: String,
}

impl Cost {
    pub fn too_long(took: Duration, mib: usize) -> Self {
        let mib = u32::try_from(mib).map_or(1.0, f64::from);
        let cpu_ms = took.as_secs_f64() * 1_000.0;
        Self { mib, cpu_ms, extra_mib: 0.0, outcome: "stopped".into() }
    }

    /// Reads what is written by [`fmt::Display`].
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim().splitn(4, ' ');
        let mut number = || parts.next()?.parse().ok();
        let (mib, cpu_ms, extra_mib) = (number()?, number()?, number()?);
        Some(Self { mib, cpu_ms, extra_mib, outcome: parts.next().unwrap_or_default().to_owned() })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {} {}", self.mib, self.cpu_ms, self.extra_mib, self.outcome)
    }
}

/// Measures one reading.
pub fn of(bytes: &[u8], read: fn(&[u8]) -> String) -> Cost {
    // Sets the peak back to what there is now.
    let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = resident("VmRSS:");
    let started = processor_ms();
    let mut outcome = read(black_box(bytes));
    let mut cpu_ms = processor_ms() - started;
    let mut readings = 1.0;
    // The kernel counts in steps of some milliseconds: what is short is read again and again.
    while cpu_ms < CPU_MS_MIN && readings < READINGS_MAX {
        outcome = read(black_box(bytes));
        cpu_ms = processor_ms() - started;
        readings += 1.0;
    }
    let cpu_ms = cpu_ms / readings;
    let peak = if is_reset { resident("VmHWM:") } else { before };
    // What is refused as a bomb counts as it was sent.
    let length = text::unpack(bytes).map_or(bytes.len(), |plain| plain.len().max(bytes.len()));
    Cost {
        mib: float(length) / MIB,
        cpu_ms,
        extra_mib: (peak - before).max(0.0),
        outcome: outcome.chars().take(60).collect::<String>().replace('\n', " "),
    }
}

/// The time that this thread has had of the processor, in milliseconds.
fn processor_ms() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e6
}

/// A line of `/proc/self/status` in MiB.
fn resident(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1_024.0
}

#[expect(clippy::cast_precision_loss, reason = "a document is far from 2^52 bytes")]
fn float(length: usize) -> f64 {
    length as f64
}
