//! Nobody gets more posts of campaigns in a day than the cap, and what was too much comes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidings::model::post::Outcome;
use tidings::model::subscriber::Standing;

use crate::books::Audit;
use crate::mail::Mail;
use crate::world::name;

/// What arrives so shortly after a midnight may have been claimed before it.
const LATE: Duration = Duration::from_secs(180);
/// Messages that list what was carried over and come within this time are one.
const ONE_LIST: Duration = Duration::from_secs(60);

impl Audit<'_> {
    /// Looks at each person's days by the service's book.
    pub fn days(&mut self, channel: &'static str) {
        let Some(cap) = self.world.extras.cap.clone() else { return };
        let caps = cap.caps();
        let doubtful = self.doubtful(channel);
        let mails = self.mails(channel);
        let mut by_day = BTreeMap::<(&str, u32), Vec<&Mail>>::new();
        for mail in mails.values().flatten() {
            let day = caps.days.day(mail.one.at);
            if caps.days.day(mail.one.at - LATE) == day {
                by_day.entry((&mail.one.address, day)).or_default().push(mail);
            }
        }
        let mut faults = Vec::new();
        for ((address, day), mails) in by_day {
            // Somebody who writes gets what is held for them at once, beside the cap.
            let has_written = self.done.contacts.contains_key(address);
            let doubts = doubtful.get(address).copied().unwrap_or(0) + self.kills_counted();
            let mut count = 0;
            let mut listed_at = None;
            for mail in mails {
                let is_list = mail.is_gathered() && !has_written;
                let is_same = listed_at.is_some_and(|at| mail.one.at.since(at) < ONE_LIST);
                match mail.mark.as_deref() {
                    _ if is_list && is_same => continue,
                    _ if is_list => {
                        listed_at = Some(mail.one.at);
                        count += 1;
                    }
                    Some("hand") | None => continue,
                    Some(campaign) => {
                        let is_capped = self.is_capped(address, campaign);
                        count += 1;
                        let max = cap.of(campaign).filter(|_| is_capped);
                        if max.is_some_and(|max| count > max + u64::from(doubts)) {
                            faults.push(format!(
                                "{channel}/{address} got {count} messages on day {day}, the last \
                                 of `{campaign}` at {} ({doubts} doubts): {}",
                                mail.one.at, mail.text,
                            ));
                            break;
                        }
                    }
                }
            }
        }
        self.faults.extend(faults);
        self.left_over(channel);
    }

    /// Reviewers are shown what no campaign has sent yet.
    fn is_capped(&self, address: &str, campaign: &str) -> bool {
        !(campaign == "shown" && address == crate::extras::REVIEWER.to_string())
    }

    /// What a kill leaves is sent anew by some campaigns, and counted once.
    fn kills_counted(&self) -> u32 {
        let resends = self.world.rules.iter().any(|rule| rule.resends);
        if resends { u32::try_from(self.world.kills).unwrap() } else { 0 }
    }

    /// On a channel without windows nothing is held for who can be reached.
    fn left_over(&mut self, channel: &'static str) {
        if channel != "bot" {
            return;
        }
        let (store, key) = (self.world.store(), name(channel));
        let people = store.peek(|store| store.load_subscribers(&key));
        let active = people.iter().filter(|person| person.standing == Standing::Active);
        // Who was away at the hour gets it when they write.
        let steady = &self.world.steady[channel];
        let reached: BTreeSet<u32> = active
            .filter(|person| steady.contains(&person.address))
            .map(|person| person.number)
            .collect();
        let mut faults = Vec::new();
        for told in &self.posts {
            for (number, outcome) in store.peek(|store| store.load_outcomes(told.post.id, &key)) {
                if outcome == Outcome::Held && reached.contains(&number) {
                    let post = told.post.id;
                    faults.push(format!("post {post} is still held for {channel}/{number}"));
                }
            }
        }
        self.faults.extend(faults);
    }
}
