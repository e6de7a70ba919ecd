//! Worlds that once showed a fault: they are always run, before any other.

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub seed: u64,
    /// Of a world without extras.
    pub is_plain: bool,
    /// What it showed.
    pub found: &'static str,
}

pub const KNOWN: [Known; 2] = [
    Known {
        seed: 208,
        is_plain: true,
        found: "an admin's line kept open what answered it, and the daemon outlived its end",
    },
    Known {
        seed: 4224,
        is_plain: false,
        found: "a page rested while claims waited, and their windows had closed when they were tried",
    },
];
