//! No more Stars are spent than the budget, and none that were not counted before.

use tidings::model::day::Days;

use crate::books::Audit;
use crate::world::name;

/// Days that a world touches at most, on each side of its end.
const DAYS_MAX: u32 = 48;

impl Audit<'_> {
    pub fn stars(&mut self) {
        let Some(stars) = self.world.extras.stars else { return };
        let (store, now) = (self.world.store(), self.world.clock.now());
        let max = stars.max * 10;
        let paid = self.world.telegram.stars_paid();
        let mut counted = 0;
        if stars.is_per_day {
            let zone = self.world.extras.cap.as_ref().map_or("UTC", |cap| cap.zone);
            let last = Days::of(zone).unwrap().day(now) + 1;
            for day in last - DAYS_MAX..=last {
                let spent = store.peek(|store| store.load_stars(&name("bot"), day));
                if spent > max {
                    self.faults.push(format!("{spent} of {max} tenths were spent on day {day}"));
                }
                counted += spent;
            }
        } else {
            for told in &self.posts {
                let report = store.peek(|store| store.load_report(told.post.id, now)).unwrap();
                if report.stars_tenths > max {
                    let (post, spent) = (told.post.id, report.stars_tenths);
                    self.faults.push(format!("{spent} of {max} tenths were spent for post {post}"));
                }
                counted += report.stars_tenths;
            }
        }
        if paid > counted {
            self.fault(format!("{paid} tenths of a Star were paid, {counted} counted"));
        }
    }
}
