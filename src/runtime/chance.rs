//! Chance, where many who failed together are not to come back together.

use std::cell::RefCell;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

thread_local! {
    static SEEDED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// A number from 0 up to but not including 1.
pub fn share() -> f64 {
    let seeded = |seeded: &RefCell<Option<StdRng>>| {
        seeded.borrow_mut().as_mut().map(|dice| dice.random::<f64>())
    };
    SEEDED.with(seeded).unwrap_or_else(rand::random)
}

/// From now on this thread draws what follows from the seed: for a simulation that is to be run
/// again.
pub fn seed(seed: u64) {
    SEEDED.with(|seeded| *seeded.borrow_mut() = Some(StdRng::seed_from_u64(seed)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again() {
        let draw = || {
            seed(7);
            [share(), share(), share()]
        };
        let first = draw();
        assert_eq!(first, draw());
        assert!(first.iter().all(|share| (0.0..1.0).contains(share)) && first[0] != first[1]);
    }
}
