//! The lanes of the page, by the service's own book: windows, gaps, what was paid, and a page that is
//! blocked.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings::model::lane::Period;
use tidings::model::post::Outcome;
use tidings::sandbox::messenger::MARKETING_GAP;

use crate::books::Audit;
use crate::extras::COST;
use crate::world::name;

/// What arrives so shortly after the begin of a period may have been paid in the one before.
const LATE: Duration = Duration::from_secs(180);

impl Audit<'_> {
    pub fn lanes(&mut self) {
        let Some(lanes) = self.world.extras.lanes.clone() else { return };
        self.windows();
        self.blocks();
        self.gaps();
        if let Some(spend_max) = lanes.spend_max {
            self.spending(spend_max);
        }
    }

    /// Nothing was tried outside of a window that we knew to be closed.
    fn windows(&mut self) {
        for one in self.world.messenger.ledger().requests() {
            let is_refused = one.status == 403 && one.fault.is_none() && one.method == "messages";
            if is_refused && !self.done.surprised.contains(&one.address) {
                self.fault(format!("page/{} was outside of its window at {}", one.address, one.at));
            }
        }
    }

    /// A blocked page goes on with nothing but what was on its way, once a start.
    fn blocks(&mut self) {
        let requests = self.world.messenger.ledger().requests();
        let end = self.world.clock.now();
        for block in &self.done.blocks {
            let until = block.until.unwrap_or(end);
            let within = |at| block.from < at && at < until;
            let refused = requests.iter().filter(|one| {
                let is_send = one.method == "messages" || one.method == "marketing_messages";
                is_send && within(one.at) && one.status == 400 && one.fault.is_none()
            });
            let refused = u64::try_from(refused.count()).unwrap();
            let starts = self.world.started_at.iter().filter(|at| within(**at)).count();
            let resumed = self.done.resumed.iter().filter(|at| within(**at)).count();
            let most = self.world.in_flight * (1 + starts + resumed) as u64;
            if refused > most {
                self.faults.push(format!(
                    "a blocked page sent {refused} times from {} on ({starts} starts)",
                    block.from
                ));
            }
        }
    }

    /// Nobody got two marketing messages within a gap, nor one post twice.
    fn gaps(&mut self) {
        let mut last = BTreeMap::new();
        for paid in self.world.messenger.paid() {
            if let Some(before) = last.insert(paid.psid.clone(), paid.at)
                && paid.at.since(before) < MARKETING_GAP
            {
                self.fault(format!(
                    "page/{} was written to at {before} and {}",
                    paid.psid, paid.at
                ));
            }
        }
        let mails = self.mails("page");
        for told in &self.posts {
            for (address, all) in &mails {
                let times = all.iter().filter(|mail| mail.is_paid && told.is_in(mail)).count();
                if times > 1 {
                    let post = told.post.id;
                    self.faults.push(format!("page/{address} got post {post} {times} times, paid"));
                }
            }
        }
    }

    /// In hundredths.
    fn spending(&mut self, spend_max: u64) {
        let mut by_day = BTreeMap::<i64, u64>::new();
        let mut late = 0;
        let now = self.world.clock.now();
        let today = Period::Day.number(now);
        for paid in self.world.messenger.paid() {
            let day = Period::Day.number(paid.at);
            if Period::Day.number(paid.at - LATE) == day {
                *by_day.entry(day).or_default() += COST;
            } else if day == today {
                late += COST;
            }
        }
        for (day, spent) in &by_day {
            if *spent > spend_max {
                self.fault(format!("{spent} of {spend_max} were spent on day {day}"));
            }
        }
        let state = self.world.store().peek(|store| store.load_market(&name("page")));
        let arrived = by_day.get(&today).copied().unwrap_or(0);
        let counted = if state.period == today { state.spent / 10_000 } else { 0 };
        if counted < arrived || counted > spend_max {
            self.fault(format!("{counted} are counted today; {arrived} (and {late}) were spent"));
        }
    }

    /// Every recipient is somewhere: as many as were planned.
    pub fn sums(&mut self) {
        for told in &self.posts {
            let counts = told.post.counts;
            let ended =
                counts.sent + counts.failed + counts.skipped + counts.held + counts.uncertain;
            let mut found = 0;
            let mut sent = 0;
            for channel in ["bot", "page"] {
                let (store, key) = (self.world.store(), name(channel));
                let outcomes = store.peek(|store| store.load_outcomes(told.post.id, &key));
                found += outcomes.len() as u64;
                let is_sent = |(_, outcome): &&(u32, Outcome)| *outcome == Outcome::Sent;
                sent += outcomes.iter().filter(is_sent).count() as u64;
            }
            if counts.planned != ended || found != ended || sent != counts.sent {
                let post = told.post.id;
                self.faults
                    .push(format!("post {post} has {found} recipients, {sent} sent: {counts:?}"));
            }
        }
    }
}
