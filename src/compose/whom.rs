//! Who gets a post: subscribers whom its topics and its rule mean, chats that are named, and people
//! who come while it is on its way.

use std::collections::BTreeMap;

use crate::compose::set::{Composed, Options};
use crate::model::audience::{FixedChat, PeopleRule, Somebody, Whom};
use crate::model::name::Name;
use crate::model::post::PostId;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::render::expression::{Named, audience};
use crate::store::audience::{Chosen, Place, choose};
use crate::store::{LateCommit, LateLook, StoreError};

/// Late joiners looked at together.
const LATE_MAX: usize = 1_024;

/// The audience of a post.
#[derive(Default)]
pub(super) struct Audience {
    /// By channel, those that are not empty.
    pub numbers: Vec<(Name, Vec<u32>)>,
    /// Why it is not larger, a line for people each.
    pub told: Vec<String>,
    /// How many its rule did not want.
    pub unwanted: u64,
}

/// Finds the audience of what was composed of a draft of `since`.
pub(super) async fn find(
    options: &Options,
    composed: &Composed,
    since: Timestamp,
) -> Result<Audience, StoreError> {
    let store = options.store.as_ref();
    let now = options.clock.now();
    let Composed { whom, rule, updates, .. } = composed;
    let mut found = Audience::default();
    for channel in &whom.channels {
        let Some(kind) = options.channels.get(channel).copied() else { continue };
        let place = Place { channel, kind, topics: &whom.topics, now };
        let Chosen { mut numbers, unwanted, unjudged, why } =
            choose(store, place, rule.as_ref(), None).await?;
        found.unwanted += unwanted;
        if let Some(why) = why {
            let told = format!(
                "the audience can't be applied to {unjudged} on {channel}, who don't get it: {why}"
            );
            tracing::warn!(channel.id = %channel, people = unjudged, why, "left people out");
            found.told.push(told);
        }
        let named = addresses(&whom.chats, channel);
        if !named.is_empty() {
            numbers.extend(store.commit_chats(channel, named).await?);
            numbers.sort_unstable();
            numbers.dedup();
        }
        if let Some((campaign, items)) = updates {
            let edited = store.load_corrected(campaign, items, channel, since).await?;
            numbers.retain(|number| !edited.contains(number));
        }
        if !numbers.is_empty() {
            found.numbers.push((channel.clone(), numbers));
        }
    }
    Ok(found)
}

/// The addresses of chats on a channel.
pub(super) fn addresses(chats: &[FixedChat], channel: &Name) -> Vec<String> {
    let own = chats.iter().filter(|chat| chat.channel == *channel);
    own.map(|chat| chat.address.clone()).collect()
}

/// Reads a rule that was checked when it was written; names that have gone since are no fault.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(rule: &str) -> Result<PeopleRule, String> {
    audience(rule, Named::default()).map_err(|faults| {
        let problems: Vec<String> = faults.into_iter().map(|fault| fault.problem).collect();
        problems.join("; ")
    })
}

/// Lets people who subscribed meanwhile into the posts on their way that are for them.
pub(super) async fn let_in(options: &Options) -> Result<(), StoreError> {
    loop {
        let LateLook { people, rules, unswept } = options.store.lease_late(LATE_MAX).await?;
        for (post, whom) in &unswept {
            // The program ended right after the post was made.
            let known = whom_it_has(options, *post, whom).await?;
            sweep(options, *post, whom, &known).await?;
        }
        if people.is_empty() {
            return Ok(());
        }
        let now = options.clock.now();
        let seen = people.iter().map(|(channel, one)| (channel.clone(), one.number)).collect();
        let mut joining = Vec::new();
        for (post, whom) in rules {
            let numbers = meant(options, post, &whom, &people, now);
            joining.extend(numbers.into_iter().map(|(channel, numbers)| (post, channel, numbers)));
        }
        let channels: Vec<Name> = joining.iter().map(|(_, channel, _)| channel.clone()).collect();
        let commit = LateCommit { seen, joining, swept: vec![] };
        let joined = options.store.commit_late(commit).await?;
        if joined > 0 {
            tracing::info!(people = joined, "let late joiners into posts on their way");
            channels.iter().for_each(|channel| options.wakes.wake_channel(channel));
        }
    }
}

/// Lets in who subscribed after the audience was found and before the post was made: the store did
/// not know of the post yet. `before` is who gets it already, ascending. The store remembers until
/// then that it is to be done.
pub(super) async fn sweep(
    options: &Options,
    post: PostId,
    whom: &Whom,
    before: &[(Name, Vec<u32>)],
) -> Result<(), StoreError> {
    let mut joining = Vec::new();
    // It could be read when the post was made.
    let rule = whom.rule.as_deref().map(read).transpose();
    for channel in whom.channels.iter().filter(|_| rule.is_ok()) {
        let Some(kind) = options.channels.get(channel).copied() else { continue };
        let place = Place { channel, kind, topics: &whom.topics, now: options.clock.now() };
        let rule = rule.as_ref().ok().and_then(Option::as_ref);
        let mut numbers = choose(options.store.as_ref(), place, rule, None).await?.numbers;
        let known = before.iter().find(|(known, _)| known == channel).map(|(_, numbers)| numbers);
        numbers.retain(|number| known.is_none_or(|known| known.binary_search(number).is_err()));
        if !numbers.is_empty() {
            joining.push((post, channel.clone(), numbers));
        }
    }
    let channels: Vec<Name> = joining.iter().map(|(_, channel, _)| channel.clone()).collect();
    options.store.commit_late(LateCommit { seen: vec![], joining, swept: vec![post] }).await?;
    channels.iter().for_each(|channel| options.wakes.wake_channel(channel));
    Ok(())
}

/// The numbers of those who get a post that was made, ascending.
async fn whom_it_has(
    options: &Options,
    post: PostId,
    whom: &Whom,
) -> Result<Vec<(Name, Vec<u32>)>, StoreError> {
    let mut known = Vec::new();
    for channel in &whom.channels {
        let outcomes = options.store.load_outcomes(post, channel).await?;
        let mut numbers: Vec<u32> = outcomes.into_iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        known.push((channel.clone(), numbers));
    }
    Ok(known)
}

/// The numbers of those for whom a post is.
fn meant(
    options: &Options,
    post: PostId,
    whom: &Whom,
    people: &[(Name, Subscriber)],
    now: Timestamp,
) -> BTreeMap<Name, Vec<u32>> {
    let mut numbers = BTreeMap::<Name, Vec<u32>>::new();
    let rule = match whom.rule.as_deref().map(read).transpose() {
        Ok(rule) => rule,
        Err(why) => {
            tracing::error!(post.id = %post, why, "let nobody in: its audience can't be read");
            return numbers;
        }
    };
    for (channel, subscriber) in people {
        let Some(kind) = options.channels.get(channel).copied() else { continue };
        let is_of_topic = whom.topics.is_empty()
            || whom.topics.iter().any(|topic| subscriber.topics.contains(topic));
        if !whom.channels.contains(channel) || !is_of_topic || !subscriber.is_counted() {
            continue;
        }
        let somebody = Somebody { subscriber, channel, kind, now };
        if rule.as_ref().is_none_or(|rule| rule.holds(&somebody) == Ok(true)) {
            numbers.entry(channel.clone()).or_default().push(subscriber.number);
        }
    }
    numbers
}
