//! Who gets a post: subscribers whom its topics and its rule mean, chats that are named, and people
//! who come while it is on its way.

use std::collections::BTreeMap;

use crate::compose::options::Options;
use crate::model::audience::{FixedChat, PeopleRule, Somebody, Whom};
use crate::model::name::Name;
use crate::model::post::{PostId, Zoned};
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::zone::Zone;
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

/// Finds whom a post is for.
pub(super) async fn find(
    options: &Options,
    whom: &Whom,
    rule: Option<&PeopleRule>,
) -> Result<Audience, StoreError> {
    let store = options.store.as_ref();
    let now = options.clock.now();
    let mut found = Audience::default();
    for channel in &whom.channels {
        let Some(kind) = options.channels.get(channel).copied() else { continue };
        let place = Place { channel, kind, topics: &whom.topics, now };
        let Chosen { mut numbers, unwanted, unjudged, why } =
            choose(store, place, rule, None).await?;
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
        let mut swept = Vec::new();
        for (post, whom, zoned) in &unswept {
            // The program ended right after they were made.
            let posts = zoned.as_ref().map_or_else(|| vec![*post], |zoned| zoned.together());
            if !swept.contains(post) {
                let known = whom_they_have(options, &posts, whom).await?;
                sweep(options, &posts, whom, &known).await?;
                swept.extend(posts);
            }
        }
        if people.is_empty() {
            return Ok(());
        }
        let now = options.clock.now();
        let seen = people.iter().map(|(channel, one)| (channel.clone(), one.number)).collect();
        let mut joining = Joining::new();
        let mut together: BTreeMap<PostId, Vec<(PostId, Box<Zoned>)>> = BTreeMap::new();
        let mut alone = Vec::new();
        for (post, whom, zoned) in rules {
            match zoned {
                None => alone.push((post, whom, Vec::new())),
                Some(zoned) => {
                    let others = together.entry(zoned.first).or_default();
                    // They are all for the same people.
                    if others.is_empty() {
                        alone.push((zoned.first, whom, Vec::new()));
                    }
                    others.push((post, zoned));
                }
            }
        }
        for (post, _, zoned) in &mut alone {
            *zoned = together.remove(post).unwrap_or_default();
        }
        for (post, whom, zoned) in alone {
            for (channel, one) in meant(options, post, &whom, &people, now) {
                let post = if zoned.is_empty() { Some(post) } else { by_clock(&zoned, one) };
                if let Some(post) = post {
                    joining.entry((post, channel.clone())).or_default().push(one.number);
                }
            }
        }
        let channels: Vec<Name> = joining.keys().map(|(_, channel)| channel.clone()).collect();
        let joining = listed(joining);
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
    posts: &[PostId],
    whom: &Whom,
    before: &[(Name, Vec<u32>)],
) -> Result<(), StoreError> {
    let mut joining = Joining::new();
    // It could be read when the post was made.
    let rule = whom.rule.as_deref().map(read).transpose();
    for channel in whom.channels.iter().filter(|_| rule.is_ok()) {
        let Some(kind) = options.channels.get(channel).copied() else { continue };
        let place = Place { channel, kind, topics: &whom.topics, now: options.clock.now() };
        let rule = rule.as_ref().ok().and_then(Option::as_ref);
        let mut numbers = choose(options.store.as_ref(), place, rule, None).await?.numbers;
        let known = before.iter().find(|(known, _)| known == channel).map(|(_, numbers)| numbers);
        numbers.retain(|number| known.is_none_or(|known| known.binary_search(number).is_err()));
        match posts {
            _ if numbers.is_empty() => {}
            [post] => {
                joining.insert((*post, channel.clone()), numbers);
            }
            _ => {
                let mut zoned = Vec::new();
                for post in posts {
                    let made = options.store.load_post(*post).await?;
                    zoned.extend(made.and_then(|made| Some((*post, made.zoned?))));
                }
                for one in options.store.load_people(channel, numbers).await? {
                    if let Some(post) = by_clock(&zoned, &one) {
                        joining.entry((post, channel.clone())).or_default().push(one.number);
                    }
                }
            }
        }
    }
    let channels: Vec<Name> = joining.keys().map(|(_, channel)| channel.clone()).collect();
    let (joining, swept) = (listed(joining), posts.to_vec());
    options.store.commit_late(LateCommit { seen: vec![], joining, swept }).await?;
    channels.iter().for_each(|channel| options.wakes.wake_channel(channel));
    Ok(())
}

/// The numbers of those who get one of these posts, ascending.
async fn whom_they_have(
    options: &Options,
    posts: &[PostId],
    whom: &Whom,
) -> Result<Vec<(Name, Vec<u32>)>, StoreError> {
    let mut known = Vec::new();
    for channel in &whom.channels {
        let mut numbers: Vec<u32> = Vec::new();
        for post in posts {
            let outcomes = options.store.load_outcomes(*post, channel).await?;
            numbers.extend(outcomes.into_iter().map(|(number, _)| number));
        }
        numbers.sort_unstable();
        known.push((channel.clone(), numbers));
    }
    Ok(known)
}

/// Who is let into which post, by channel.
type Joining = BTreeMap<(PostId, Name), Vec<u32>>;

fn listed(joining: Joining) -> Vec<(PostId, Name, Vec<u32>)> {
    joining.into_iter().map(|((post, channel), numbers)| (post, channel, numbers)).collect()
}

/// Those for whom a post is.
fn meant<'a>(
    options: &Options,
    post: PostId,
    whom: &Whom,
    people: &'a [(Name, Subscriber)],
    now: Timestamp,
) -> Vec<(&'a Name, &'a Subscriber)> {
    let mut meant = Vec::new();
    let rule = match whom.rule.as_deref().map(read).transpose() {
        Ok(rule) => rule,
        Err(why) => {
            tracing::error!(post.id = %post, why, "let nobody in: its audience can't be read");
            return meant;
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
            meant.push((channel, subscriber));
        }
    }
    meant
}

/// Of posts that were made together, the one whose readers' clocks go as those of somebody; else
/// the one that goes first.
fn by_clock(posts: &[(PostId, Box<Zoned>)], person: &Subscriber) -> Option<PostId> {
    let clocks = person.timezone.as_ref().and_then(Zone::clocks);
    let goes_alike = |zoned: &Zoned| match &clocks {
        None => zoned.has_rest,
        Some(clocks) => {
            let at = zoned.opens_at.to_jiff();
            let of_post = zoned.zones.first().and_then(|(zone, _)| zone.clocks());
            of_post.is_some_and(|of_post| of_post.to_offset(at) == clocks.to_offset(at))
        }
    };
    let alike = posts.iter().find(|(_, zoned)| goes_alike(zoned));
    let found = alike.or_else(|| posts.iter().min_by_key(|(_, zoned)| zoned.opens_at));
    found.map(|(post, _)| *post)
}
