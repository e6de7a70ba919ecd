//! The services' books held against ours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tidings::model::lane::HELD_PER_PERSON_MAX;
use tidings::model::post::Outcome;
use tidings::model::time::Timestamp;
use tidings::sandbox::ledger::{Ledger, Request};

use crate::mail::{Mail, Told, tokens};
use crate::rules::Rule;
use crate::script::{Done, items_of};
use crate::world::{World, name};

/// In which the stand-in counts what a chat gets, and a group.
const CHAT_WINDOW: Duration = Duration::from_secs(5);
const GROUP_WINDOW: Duration = Duration::from_secs(60);

/// After a power cut all are uncertain who were claimed: so many times as may be on the wire at
/// once, as chats at rest do not keep the others from being claimed.
const CLAIMED_SHARE: u64 = 12;

/// Everything that does not add up, one line each.
pub fn audit(world: &World, done: &Done) -> Vec<String> {
    let mut audit = Audit { world, done, faults: Vec::new(), posts: Vec::new() };
    audit.posts = audit.load_posts();
    audit.stories();
    audit.by_hand();
    audit.sums();
    for channel in ["bot", "page"] {
        audit.recipients(channel);
        audit.rates(channel);
        audit.answers(channel);
        audit.days(channel);
    }
    audit.lanes();
    audit.stars();
    audit.faults
}

pub struct Audit<'a> {
    pub world: &'a World,
    pub done: &'a Done,
    pub faults: Vec<String>,
    pub posts: Vec<Told>,
}

impl<'a> Audit<'a> {
    pub fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    fn load_posts(&self) -> Vec<Told> {
        let posts = self.world.store().peek(|store| store.load_posts(10_000));
        posts.into_iter().map(Told::of).collect()
    }

    /// What each address got, oldest first.
    pub fn mails(&self, channel: &str) -> BTreeMap<String, Vec<Mail>> {
        let marks = self.world.rules.iter().map(|rule| rule.name).chain(["hand"]);
        let marks: Vec<&str> = marks.collect();
        let mut mails = BTreeMap::<String, Vec<Mail>>::new();
        for one in self.ledger(channel).accepted() {
            mails.entry(one.address.clone()).or_default().push(Mail::of(one, &marks));
        }
        mails
    }

    /// How many requests for each address had no end that we know.
    pub fn doubtful(&self, channel: &str) -> BTreeMap<String, u32> {
        let mut doubtful = BTreeMap::new();
        for request in self.ledger(channel).requests().iter().filter(|it| is_doubtful(it)) {
            *doubtful.entry(request.address.clone()).or_default() += 1;
        }
        doubtful
    }

    /// Each story is told once by each campaign of its source, or waits in one draft.
    fn stories(&mut self) {
        let drafts = self.world.store().peek(|store| store.load_drafts(10_000));
        let mut waiting = BTreeMap::<(String, String), u32>::new();
        for draft in &drafts {
            let Some((campaign, ids)) = items_of(&draft.content) else { continue };
            let items = self.world.store().peek(|store| store.load_items(&ids));
            for token in items.iter().flat_map(|item| tokens(&item.title)) {
                *waiting.entry((campaign.to_owned(), token)).or_default() += 1;
            }
        }
        for rule in self.world.rules.clone() {
            for feed in &self.world.feeds {
                for story in feed.stories() {
                    let token = story.token;
                    let is_old = self.done.old[feed.source].contains(&token);
                    let is_wanted = rule.sources.contains(&feed.source) && !is_old;
                    let told = self.posts.iter().filter(|told| {
                        told.campaign.as_deref() == Some(rule.name) && told.tokens.contains(&token)
                    });
                    let told = u32::try_from(told.count()).unwrap();
                    let key = (rule.name.to_owned(), token.clone());
                    let waits = waiting.get(&key).copied().unwrap_or(0);
                    let edits = self.done.edits.get(&token).copied().unwrap_or(0);
                    let (least, most) = match (is_wanted, rule.tells_updates) {
                        _ if !rule.sources.contains(&feed.source) => (0, 0),
                        (false, true) => (0, edits),
                        (false, false) => (0, 0),
                        (true, true) => (1, 1 + edits),
                        (true, false) => (1, 1),
                    };
                    let least =
                        if rule.is_reviewed && self.done.dropped_reviews { 0 } else { least };
                    if !(least..=most).contains(&(told + waits)) {
                        self.fault(format!(
                            "{token} of {} is in {told} posts and {waits} drafts of `{}`",
                            feed.source, rule.name
                        ));
                    }
                }
            }
        }
    }

    fn by_hand(&mut self) {
        for (title, is_sure) in &self.done.by_hand.clone() {
            let told = self.posts.iter().filter(|told| told.tokens.contains(title)).count();
            if told > 1 || (*is_sure && told == 0) {
                self.fault(format!("{title}, sent by hand, is in {told} posts (sure: {is_sure})"));
            }
        }
    }

    /// Each recipient of each post, against what the service took in.
    fn recipients(&mut self, channel: &'static str) {
        let store = self.world.store();
        let key = name(channel);
        let taken = self.mails(channel);
        let doubtful = self.doubtful(channel);
        let kills = self.world.kills;
        let mut explained = BTreeSet::<(String, usize)>::new();
        let mut faults = Vec::new();
        let mut uncertain = 0_u64;
        for told in &self.posts {
            let resends = self.resends(told);
            let outcomes = store.peek(|store| store.load_outcomes(told.post.id, &key));
            let mut numbers: Vec<u32> = outcomes.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            let people = store.peek(|store| store.load_people(&key, numbers));
            let addresses: BTreeMap<u32, String> =
                people.into_iter().map(|person| (person.number, person.address)).collect();
            if let Some(steady) = self.missing(told, channel, &addresses, &outcomes) {
                faults.push(steady);
            }
            for (number, outcome) in outcomes {
                let address = &addresses[&number];
                let nothing = Vec::new();
                let all = taken.get(address).unwrap_or(&nothing);
                let is_mine = |(_, mail): &(usize, &Mail)| told.is_in(mail);
                let mine: Vec<usize> =
                    all.iter().enumerate().filter(is_mine).map(|(at, _)| at).collect();
                explained.extend(mine.iter().map(|at| (address.clone(), *at)));
                let doubts = doubtful.get(address).copied().unwrap_or(0);
                let times = u32::try_from(mine.len()).unwrap();
                let has_card = all
                    .iter()
                    .any(|mail| mail.is_gathered() && !mail.tokens.is_disjoint(&told.tokens));
                // A second time is right only where somebody might have missed it.
                let most = if resends { 1 + doubts + u32::try_from(kills).unwrap() } else { 1 };
                // The service took it, and said later that it did not arrive.
                let is_undelivered = told.campaign.as_deref() == Some("offers")
                    && self.done.undelivered.contains(address);
                let is_right = match outcome {
                    Outcome::Sent if times == 0 => has_card,
                    Outcome::Sent => times <= most,
                    Outcome::Uncertain => times <= most,
                    Outcome::Waiting | Outcome::InFlight => false,
                    Outcome::Failed(_) if is_undelivered => times <= most,
                    // What was sent and is to be tried again may have arrived before.
                    Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Held if resends => {
                        times <= doubts + u32::try_from(kills).unwrap()
                    }
                    Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Held => times == 0,
                };
                uncertain += u64::from(outcome == Outcome::Uncertain);
                if !is_right {
                    faults.push(format!(
                        "post {} (`{}`, {:?}) is {outcome:?} for {channel}/{address}, who has it {times} \
                         times ({doubts} doubts, {kills} kills)",
                        told.post.id,
                        told.campaign.as_deref().unwrap_or("hand"),
                        told.tokens,
                    ));
                }
            }
        }
        let doubts: u64 = doubtful.values().map(|count| u64::from(*count)).sum();
        // One message may tell many posts.
        let each = if self.world.extras.is_none() { 1 } else { HELD_PER_PERSON_MAX as u64 };
        let at_ends = kills + self.world.power_cuts * CLAIMED_SHARE;
        if uncertain > (doubts + at_ends * self.world.in_flight) * each {
            faults.push(format!(
                "{uncertain} are uncertain on {channel}, after {doubts} doubts and {kills} kills"
            ));
        }
        for (address, all) in &taken {
            for (at, mail) in all.iter().enumerate() {
                if mail.is_single() && !explained.contains(&(address.clone(), at)) {
                    let text = &mail.text;
                    faults.push(format!("{channel}/{address} has what no post explains: {text}"));
                }
            }
        }
        self.faults.extend(faults);
    }

    /// Whether somebody of whom nobody knows may get the post again.
    fn resends(&self, told: &Told) -> bool {
        let is_of = |rule: &&Rule| rule.name == told.mark();
        let by_rule = self.world.rules.iter().find(is_of).is_some_and(|rule| rule.resends);
        by_rule || self.done.retried.contains(&told.post.id)
    }

    /// Who subscribed from the beginning is in the audience of every post of the channel.
    fn missing(
        &self,
        told: &Told,
        channel: &str,
        addresses: &BTreeMap<u32, String>,
        outcomes: &[(u32, Outcome)],
    ) -> Option<String> {
        let rule =
            self.world.rules.iter().find(|rule| Some(rule.name) == told.campaign.as_deref())?;
        if rule.tells_updates || !rule.channels.contains(&channel) {
            return None;
        }
        let planned: BTreeSet<&String> =
            outcomes.iter().map(|(number, _)| &addresses[number]).collect();
        let missing = self.world.steady[channel].iter().find(|one| !planned.contains(one))?;
        Some(format!("post {} (`{}`) leaves out {channel}/{missing}", told.post.id, rule.name))
    }

    /// The service had never to brake us by itself.
    fn rates(&mut self, channel: &'static str) {
        // What can't be paid for any more is braked, and shows it.
        if !self.world.is_punctual || (channel == "bot" && self.done.has_changed_stars) {
            return;
        }
        let accepted = self.ledger(channel).accepted();
        let requests = self.ledger(channel).requests();
        let rate = if channel == "bot" { self.world.rates.0 } else { self.world.rates.1 };
        for one in requests.iter().filter(|one| one.status == 429 && one.fault.is_none()) {
            let within = |at: Timestamp, span: Duration| at <= one.at && one.at.since(at) < span;
            let in_all = accepted.iter().filter(|it| within(it.at, Duration::from_secs(1))).count();
            let is_chat = (in_all as u64) < rate;
            // A new process does not know to whom the last one has just written.
            let is_group = one.address.starts_with('-');
            let span = if is_group { GROUP_WINDOW } else { CHAT_WINDOW };
            let is_new = self.world.started_at.iter().any(|at| within(*at, span));
            if is_chat && is_new {
                continue;
            }
            self.fault(format!(
                "{channel} was braked: {} to {} at {}, {in_all} in the last second of {rate}",
                one.method, one.address, one.at
            ));
        }
    }

    /// Nobody is welcomed more often than they wrote.
    fn answers(&mut self, channel: &'static str) {
        let mut welcomes = BTreeMap::<String, u32>::new();
        for one in self.ledger(channel).accepted() {
            let text = one.body.clone().map(Value::Object).unwrap_or_default().to_string();
            if ["WELCOME", "GOODBYE", "DEFAULT"].iter().any(|word| text.contains(word)) {
                *welcomes.entry(one.address).or_default() += 1;
            }
        }
        for (address, count) in welcomes {
            // Who has not started and writes starts first; so one act may be two.
            let contacts = 2 * self.done.contacts.get(&address).copied().unwrap_or(0);
            if count > contacts {
                self.fault(format!("{channel}/{address} got {count} answers to {contacts} words"));
            }
        }
    }

    fn ledger(&self, channel: &str) -> &'a Ledger {
        if channel == "bot" { self.world.telegram.ledger() } else { self.world.messenger.ledger() }
    }
}

/// Whoever sent it can't know what became of it.
fn is_doubtful(request: &Request) -> bool {
    request.status == 0 || request.fault.is_some_and(|fault| fault != "slow")
}
