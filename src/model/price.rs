//! Price histories: what a variant cost when, as far back as anybody may ask.
//!
//! A variant whose price never moved has no history: it costs what was told since its shelf was
//! begun.

use std::time::Duration;

use crate::model::offer::{Amount, Currency};
use crate::model::shelf::ShelfKey;
use crate::model::step::Step;
use crate::model::time::Timestamp;

/// How far back the lowest price is looked for.
pub const LOWEST_WITHIN: Duration = Duration::from_secs(30 * 86_400);

/// How far back prices are kept, so that what somebody was told last is known who hears of large
/// moves only. A price that creeps more slowly than that moves no step for them. A move costs
/// [`POINT_BYTES`]; what never moved costs nothing.
pub const KEPT_WITHIN: Duration = Duration::from_secs(180 * 86_400);

/// The encoded width of one [`PricePoint`].
pub const POINT_BYTES: usize = 15;

/// Most points of one variant; beyond it the oldest go, and with them the claim to 30 days.
pub const POINTS_MAX: usize = 1_024;

/// From `at` on it cost `price`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePoint {
    /// Kept in whole seconds.
    pub at: Timestamp,
    pub price: Amount,
}

/// A price that a poll saw and that is not the one told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceSeen {
    pub key: ShelfKey,
    /// What it cost before, if its history does not tell; `None` for a variant seen first now.
    pub from: Option<Amount>,
    pub to: Amount,
}

/// The prices of one variant, ascending by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceHistory {
    points: Vec<PricePoint>,
}

/// The bytes are no price history.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price history is damaged: {bytes} bytes")]
pub struct NotAHistory {
    pub bytes: usize,
}

impl PriceHistory {
    pub fn points(&self) -> &[PricePoint] {
        &self.points
    }

    /// Takes in what a poll at `now` saw; answers whether that changed anything.
    ///
    /// `begun_at` is when its shelf was begun: from then on it cost `seen.from`. Points older than
    /// [`KEPT_WITHIN`] are dropped, but for the one that was in force then.
    pub fn record(&mut self, seen: &PriceSeen, begun_at: Timestamp, now: Timestamp) -> bool {
        if self.points.is_empty()
            && let Some(price) = seen.from
        {
            self.points.push(PricePoint { at: begun_at, price });
        }
        if self.points.last().is_some_and(|last| last.price == seen.to) {
            return false;
        }
        self.points.push(PricePoint { at: now, price: seen.to });
        let in_force = self.in_force(now - KEPT_WITHIN).unwrap_or(0);
        let surplus = self.points.len().saturating_sub(POINTS_MAX);
        self.points.drain(..in_force.max(surplus));
        true
    }

    /// The lowest price of the 30 days before `now`, of a variant that costs `before` until then.
    ///
    /// `None` when it was not watched so long, or cost another currency meanwhile. A price of
    /// `now` itself does not count.
    pub fn lowest_30d(
        &self,
        before: Amount,
        begun_at: Timestamp,
        now: Timestamp,
    ) -> Option<Amount> {
        let window = now - LOWEST_WITHIN;
        if self.points.is_empty() {
            return (begun_at <= window).then_some(before);
        }
        let from = self.in_force(window)?;
        let seen = self.points.iter().skip(from).filter(|point| point.at < now);
        seen.map(|point| point.price).try_fold(before, |lowest, price| {
            price.compare(lowest).map(|order| if order.is_lt() { price } else { lowest })
        })
    }

    /// The point that was in force at `at`.
    fn in_force(&self, at: Timestamp) -> Option<usize> {
        self.points.partition_point(|point| point.at <= at).checked_sub(1)
    }

    /// The price that was told last to who hears of moves by `coarse` only, where every move by
    /// `fine` is told to somebody: so a price that creeps adds up. `None` where nothing is known.
    pub fn told_last(&self, fine: Step, coarse: Step) -> Option<Amount> {
        let mut prices = self.points.iter().map(|point| point.price);
        let first = prices.next()?;
        let (mut heard, mut told) = (first, first);
        for price in prices {
            if price.compare(heard).is_none() {
                // Another currency: it begins anew.
                (heard, told) = (price, price);
            } else if fine.is_passed(heard, price) {
                heard = price;
                if coarse.is_passed(told, price) {
                    told = price;
                }
            }
        }
        Some(told)
    }

    /// Nothing is left to ask: the price is the one told, and is so for [`KEPT_WITHIN`].
    pub fn is_settled(&self, told: Amount, now: Timestamp) -> bool {
        match self.points.as_slice() {
            [] => true,
            [.., last] => last.price == told && last.at <= now - KEPT_WITHIN,
        }
    }

    /// [`POINT_BYTES`] a point, little-endian: seconds 4, units 8, currency 2, scale 1.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.points.len() * POINT_BYTES);
        for point in &self.points {
            let seconds = point.at.as_millis().div_euclid(1_000).max(0);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            let currency = point.price.currency().map_or(0, Currency::packed);
            out.extend_from_slice(&seconds.to_le_bytes());
            out.extend_from_slice(&point.price.units().to_le_bytes());
            out.extend_from_slice(&currency.to_le_bytes());
            out.push(point.price.scale());
        }
        out
    }

    /// The inverse of [`PriceHistory::encode`].
    ///
    /// # Errors
    /// [`NotAHistory`] when a point is cut or has a price that none is.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAHistory> {
        let wrong = || NotAHistory { bytes: bytes.len() };
        let (points, rest) = bytes.as_chunks::<POINT_BYTES>();
        if !rest.is_empty() {
            return Err(wrong());
        }
        let points: Option<Vec<_>> = points.iter().map(decode_point).collect();
        points.map(|points| Self { points }).ok_or_else(wrong)
    }
}

fn decode_point(bytes: &[u8; POINT_BYTES]) -> Option<PricePoint> {
    let (seconds, rest) = bytes.split_first_chunk()?;
    let (units, rest) = rest.split_first_chunk()?;
    let (currency, rest) = rest.split_first_chunk()?;
    let currency = Currency::unpacked(u16::from_le_bytes(*currency));
    let price = Amount::new(i64::from_le_bytes(*units), *rest.first()?, currency)?;
    let at = Timestamp::from_millis(i64::from(u32::from_le_bytes(*seconds)) * 1_000);
    Some(PricePoint { at, price })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const BEGUN: Timestamp = Timestamp::from_millis(1_780_000_000_000);

    fn eur(units: i64) -> Amount {
        Amount::new(units, 0, "EUR".parse().ok()).unwrap()
    }

    fn seen(from: Option<i64>, to: i64) -> PriceSeen {
        PriceSeen { key: ShelfKey::default(), from: from.map(eur), to: eur(to) }
    }

    #[test]
    fn the_lowest_of_30_days_is_that_of_what_was_in_force_in_them() {
        let mut history = PriceHistory::default();
        let day = |days: u32| BEGUN + DAY * days;
        assert_eq!(history.lowest_30d(eur(100), BEGUN, day(29)), None);
        assert_eq!(history.lowest_30d(eur(100), BEGUN, day(30)), Some(eur(100)));
        assert!(history.record(&seen(Some(100), 80), BEGUN, day(40)));
        assert!(history.record(&seen(Some(80), 120), BEGUN, day(41)));
        assert!(!history.record(&seen(Some(100), 120), BEGUN, day(42)));
        assert_eq!(history.lowest_30d(eur(120), BEGUN, day(42)), Some(eur(80)));
        assert_eq!(history.lowest_30d(eur(120), BEGUN, day(70)), Some(eur(80)));
        assert_eq!(history.lowest_30d(eur(120), BEGUN, day(72)), Some(eur(120)));
        // Of what is older than is kept, only the one in force then stays.
        assert!(history.record(&seen(Some(120), 110), BEGUN, day(230)));
        assert_eq!(history.points().len(), 2);
        assert!(!history.is_settled(eur(110), day(409)));
        assert!(history.is_settled(eur(110), day(410)));
    }

    #[test]
    fn a_price_that_creeps_adds_up_for_who_hears_of_large_moves_only() {
        let step = |share| Step { share, amount: None };
        let told = |prices: &[i64]| {
            let mut history = PriceHistory::default();
            for (day, pair) in (1..).zip(prices.windows(2)) {
                history.record(&seen(Some(pair[0]), pair[1]), BEGUN, BEGUN + DAY * day);
            }
            history.told_last(step(200), step(1_000))
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[1_000, 970, 940, 910]), Some(eur(1_000)));
        assert_eq!(told(&[1_000, 970, 940, 910, 890, 870]), Some(eur(890)));
        assert_eq!(told(&[1_000, 970, 1_000, 970]), Some(eur(1_000)));
        // What nobody was told of was told to nobody.
        assert_eq!(told(&[1_000, 910, 899]), Some(eur(1_000)));
    }

    #[test]
    fn a_variant_that_came_later_has_no_30_days_until_they_have_passed() {
        let mut history = PriceHistory::default();
        let first = BEGUN + DAY * 50;
        assert!(history.record(&seen(None, 10), BEGUN, first));
        assert_eq!(history.lowest_30d(eur(10), BEGUN, first + DAY * 29), None);
        assert_eq!(history.lowest_30d(eur(10), BEGUN, first + DAY * 30), Some(eur(10)));
    }

    #[test]
    fn another_currency_within_the_30_days_leaves_nothing_to_compare() {
        let mut history = PriceHistory::default();
        history.record(&seen(Some(10), 9), BEGUN, BEGUN + DAY * 40);
        let leu = Amount::new(45, 0, "RON".parse().ok()).unwrap();
        assert_eq!(history.lowest_30d(leu, BEGUN, BEGUN + DAY * 50), None);
    }

    #[test]
    fn a_history_takes_15_bytes_a_point_stays_bounded_and_comes_back_equal() {
        let mut history = PriceHistory::default();
        for minute in 0..2_000 {
            let at = BEGUN + Duration::from_secs(60) * minute;
            history.record(&seen(Some(1), i64::from(minute % 7) + 1), BEGUN, at);
        }
        assert_eq!(history.points().len(), POINTS_MAX);
        let bytes = history.encode();
        assert_eq!(bytes.len(), POINTS_MAX * POINT_BYTES);
        assert_eq!(PriceHistory::decode(&bytes), Ok(history));
        assert_eq!(PriceHistory::decode(&bytes[1..]), Err(NotAHistory { bytes: bytes.len() - 1 }));
    }
}
