//! Repair: any text becomes one that is no more than a little longer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::repair;

fuzz_target!(|text: &str| {
    let repaired = repair::repair(text);
    assert!(repaired.len() <= text.len() * 16 + 4096, "{} of {}", repaired.len(), text.len());
});
