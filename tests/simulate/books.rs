//! The services' books held against ours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tidings::model::post::{Outcome, Post};
use tidings::model::time::Timestamp;
use tidings::sandbox::ledger::{Accepted, Ledger, Request};

use crate::script::{Done, items_of};
use crate::world::{World, name};

/// In which the stand-in counts what a chat gets.
const CHAT_WINDOW: Duration = Duration::from_secs(5);

/// Everything that does not add up, one line each.
pub fn audit(world: &World, done: &Done) -> Vec<String> {
    let mut audit = Audit { world, done, faults: Vec::new(), posts: Vec::new() };
    audit.posts = audit.load_posts();
    audit.stories();
    audit.by_hand();
    for channel in ["bot", "page"] {
        audit.recipients(channel);
        audit.rates(channel);
        audit.answers(channel);
    }
    audit.faults
}

struct Audit<'a> {
    world: &'a World,
    done: &'a Done,
    faults: Vec<String>,
    posts: Vec<Told>,
}

/// A post with what it tells.
struct Told {
    post: Post,
    campaign: Option<String>,
    tokens: BTreeSet<String>,
}

impl Told {
    /// Whether a message is of this post, but for carousels of what was held.
    fn is_in(&self, text: &str) -> bool {
        let mark = self.campaign.as_deref().unwrap_or("hand");
        let mut told = tokens(text);
        let mut mine = self.tokens.clone();
        if self.post.corrections.is_some() {
            // It was sent as it was then.
            told.retain(|token| !token.starts_with('v'));
            mine.retain(|token| !token.starts_with('v'));
        }
        text.contains(&format!("[{mark}]")) && told == mine
    }
}

/// What was held comes as cards, which tell stories but no campaign.
fn is_carousel(text: &str) -> bool {
    text.contains("\"template_type\":\"generic\"")
}

/// All `i12x`, `o12x` and `s12x` of a text, and the versions, `v2x`.
fn tokens(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_token = |word: &&str| {
        let inner = word.strip_prefix(['i', 'o', 's', 'v']).and_then(|rest| rest.strip_suffix('x'));
        inner.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()))
    };
    words.filter(is_token).map(str::to_owned).collect()
}

impl<'a> Audit<'a> {
    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    fn load_posts(&self) -> Vec<Told> {
        let posts = self.world.store().peek(|store| store.load_posts(10_000));
        let told = |post: Post| {
            let campaign = post.campaign.as_ref().map(ToString::to_string);
            let tokens = tokens(&format!("{:?}", post.bodies));
            Told { post, campaign, tokens }
        };
        posts.into_iter().map(told).collect()
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
        let people = store.peek(|store| store.load_subscribers(&key));
        let addresses: BTreeMap<u32, String> =
            people.into_iter().map(|person| (person.number, person.address)).collect();
        let ledger = self.ledger(channel);
        let mut taken = BTreeMap::<String, Vec<(String, Accepted)>>::new();
        for one in ledger.accepted() {
            let text = one.body.clone().map(Value::Object).unwrap_or_default().to_string();
            taken.entry(one.address.clone()).or_default().push((text, one));
        }
        let mut doubtful = BTreeMap::<String, u32>::new();
        for request in ledger.requests().iter().filter(|request| is_doubtful(request)) {
            *doubtful.entry(request.address.clone()).or_default() += 1;
        }
        let kills = self.world.kills;
        let mut explained = BTreeSet::<(String, usize)>::new();
        let mut faults = Vec::new();
        let mut uncertain = 0_u64;
        for told in &self.posts {
            let resends = self
                .world
                .rules
                .iter()
                .any(|rule| rule.resends && Some(rule.name) == told.campaign.as_deref());
            let outcomes = store.peek(|store| store.load_outcomes(told.post.id, &key));
            if let Some(steady) = self.missing(told, channel, &addresses, &outcomes) {
                faults.push(steady);
            }
            for (number, outcome) in outcomes {
                let address = &addresses[&number];
                let nothing = Vec::new();
                let all = taken.get(address).unwrap_or(&nothing);
                let mine: Vec<usize> = all
                    .iter()
                    .enumerate()
                    .filter(|(_, (text, _))| told.is_in(text))
                    .map(|(at, _)| at)
                    .collect();
                explained.extend(mine.iter().map(|at| (address.clone(), *at)));
                let doubts = doubtful.get(address).copied().unwrap_or(0);
                let times = u32::try_from(mine.len()).unwrap();
                let has_card = all
                    .iter()
                    .any(|(text, _)| is_carousel(text) && !tokens(text).is_disjoint(&told.tokens));
                // A second time is right only where somebody might have missed it.
                let most = if resends { 1 + doubts + u32::try_from(kills).unwrap() } else { 1 };
                let is_right = match outcome {
                    Outcome::Sent if times == 0 => has_card,
                    Outcome::Sent => times <= most,
                    Outcome::Uncertain => times <= most,
                    Outcome::Waiting | Outcome::InFlight => false,
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
        if uncertain > doubts + kills * self.world.in_flight {
            faults.push(format!(
                "{uncertain} are uncertain on {channel}, after {doubts} doubts and {kills} kills"
            ));
        }
        for (address, all) in &taken {
            for (at, (text, _)) in all.iter().enumerate() {
                let is_post = text.contains('[') && !tokens(text).is_empty() && !is_carousel(text);
                if is_post && !explained.contains(&(address.clone(), at)) {
                    faults.push(format!("{channel}/{address} has what no post explains: {text}"));
                }
            }
        }
        self.faults.extend(faults);
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
        if !self.world.is_punctual {
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
            let is_new = self.world.started_at.iter().any(|at| within(*at, CHAT_WINDOW));
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
