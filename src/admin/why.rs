//! Why somebody has an item, or has it not, in sentences.

mod steps;

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk, word};
use crate::admin::why::steps::trace_row;
use crate::model::audience::{Somebody, Whom};
use crate::model::channel::{ChannelKind, ChannelState};
use crate::model::choice::Wait;
use crate::model::item::ItemId;
use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::{Outcome, Post, PostId, Reason};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, Trace};
use crate::store::{Delivery, TraceQuery};

/// Most items that one question shows.
const ITEMS_SHOWN_MAX: usize = 10;

impl Desk {
    /// What became of the items that are meant; of a single one also its posts, and what each of
    /// them was to the subscriber.
    pub(super) async fn why(
        &self,
        item: &str,
        link: Option<u64>,
        subscriber: Option<&str>,
    ) -> Result<Value, AskError> {
        let item = item.trim();
        if item.is_empty() {
            return Err(AskError::Refused(
                "no item is named\n  hint: name one by its id, its address or a part of its title"
                    .to_owned(),
            ));
        }
        let query = match (item_id(item), item.contains("://")) {
            (Some(id), _) => TraceQuery::Item(id),
            (None, true) => TraceQuery::Link(item.to_owned()),
            (None, false) => TraceQuery::Title(item.to_owned()),
        };
        let mut traces = self.store.load_traces(query, ITEMS_SHOWN_MAX).await?;
        // Those that are called just so are meant before those that only hold the words.
        if traces.iter().any(|trace| is_called(trace, item)) {
            traces.retain(|trace| is_called(trace, item));
        }
        let people = match subscriber {
            Some(text) => self.people(text).await?,
            None => Vec::new(),
        };
        let mut rows = Vec::new();
        for trace in &traces {
            let mut posts = Vec::new();
            for id in trace.posts() {
                posts.extend(self.store.load_post(id).await?);
            }
            let mut row = trace_row(trace, &posts);
            if traces.len() == 1 {
                self.tell_posts(trace, &posts, &people, &mut row).await?;
            }
            rows.push(row);
        }
        let mut knowing = Vec::new();
        if let (true, Some(link)) = (traces.is_empty(), link) {
            for (source, last_seen) in self.store.load_knowing(link).await? {
                knowing.push(json!({ "source": source, "last_seen": last_seen.to_string() }));
            }
        }
        if rows.is_empty() && knowing.is_empty() {
            return Err(AskError::Refused(format!(
                "nothing is known of `{item}`: no campaign was to tell it in the last 90 days\n  \
                 hint: name an item by its id, its address or a part of its title"
            )));
        }
        Ok(json!({ "items": rows, "known_to": knowing }))
    }

    /// The subscribers that `channel/address`, or an address alone, names.
    async fn people(&self, text: &str) -> Result<Vec<(Name, Subscriber)>, AskError> {
        let named = text.split_once('/').and_then(|(channel, address)| {
            let known = self.channels.keys().find(|known| known.as_str() == channel)?;
            Some((vec![known.clone()], address))
        });
        let (channels, address) =
            named.unwrap_or_else(|| (self.channels.keys().cloned().collect(), text));
        let mut people = Vec::new();
        for channel in channels {
            if let Some(person) = self.store.load_subscriber(&channel, address).await? {
                people.push((channel, person));
            }
        }
        if people.is_empty() {
            return Err(AskError::Refused(format!(
                "no subscriber `{text}`\n  hint: write `channel/address`; the address is the chat \
                 id on Telegram, the page-scoped id on Messenger"
            )));
        }
        Ok(people)
    }

    async fn tell_posts(
        &self,
        trace: &Trace,
        posts: &[Post],
        people: &[(Name, Subscriber)],
        row: &mut Value,
    ) -> Result<(), AskError> {
        row["posts"] = posts.iter().map(post_row).collect();
        let now = self.clock.now();
        let mut rows = Vec::new();
        for (channel, person) in people {
            let state = self.store.load_channel(channel).await?;
            let mut told = Vec::new();
            for post in posts {
                let found = self.store.load_delivery(post.id, channel, person.number).await?;
                let words = match found {
                    Some(delivery) => {
                        let kind = self.channels.get(channel).copied();
                        ended(post.id, delivery, post, &state, now) + &lane_words(delivery, kind)
                    }
                    None => match self.made_with(posts, post, channel, person).await? {
                        Some(other) => format!(
                            "post {}: not for them: it goes to people whose clocks go otherwise, \
                             theirs is post {other}",
                            post.id
                        ),
                        None => self
                            .unmeant(post, channel, person)
                            .unwrap_or_else(|| left_out(post, person)),
                    },
                };
                told.push(json!({
                    "post": post.id,
                    "outcome": found.map(|found| outcome_word(found.outcome)),
                    "reason": found.and_then(|found| reason(found.outcome)),
                    "at": found.and_then(|found| found.at).map(|at| at.to_string()),
                    "lane": found
                        .and_then(|found| lane_of(found, self.channels.get(channel).copied()))
                        .map(Lane::as_str),
                    "delivered": found.is_some_and(|found| found.is_delivered),
                    "read": found.is_some_and(|found| found.is_read),
                    "words": words,
                }));
            }
            let watches = self.store.load_watches(channel, person.number).await?;
            rows.push(json!({
                "watches": watches.len(),
                "channel": channel,
                "address": person.address,
                "number": person.number,
                "standing": word(&person.standing),
                "topics": person.topics,
                "timezone": person.timezone,
                "joined": person.has_joined().then(|| person.joined_at.to_string()),
                "posts": told,
                "campaigns": self.passed_over(trace, posts, channel, person),
            }));
        }
        row["people"] = rows.into();
        Ok(())
    }
}

fn is_called(trace: &Trace, title: &str) -> bool {
    trace.title.to_lowercase() == title.to_lowercase()
}

impl Desk {
    /// The post that was made together with this one for other clocks, and that is for somebody.
    async fn made_with(
        &self,
        posts: &[Post],
        post: &Post,
        channel: &Name,
        person: &Subscriber,
    ) -> Result<Option<PostId>, AskError> {
        let Some(zoned) = &post.zoned else { return Ok(None) };
        for other in posts.iter().filter(|other| other.id != post.id) {
            if other.zoned.as_ref().is_none_or(|it| it.first != zoned.first) {
                continue;
            }
            let found = self.store.load_delivery(other.id, channel, person.number).await?;
            if found.is_some() {
                return Ok(Some(other.id));
            }
        }
        Ok(None)
    }

    /// Says that the audience of the post's campaign, as it is now, does not mean somebody who is
    /// among its topics; `None` when that is not why they are left out.
    fn unmeant(&self, post: &Post, channel: &Name, person: &Subscriber) -> Option<String> {
        let whom = self.audiences.get(post.campaign.as_ref()?)?;
        let is_late = person.joined_at > post.created_at;
        if !is_of_topic(whom, person) || is_late || person.standing != Standing::Active {
            return None;
        }
        let why = self.unmeant_by(whom, channel, person)?;
        Some(format!("post {}: not for them: {why}", post.id))
    }

    /// Why the rule of an audience leaves somebody out; `None` when it does not.
    fn unmeant_by(&self, whom: &Whom, channel: &Name, person: &Subscriber) -> Option<String> {
        let rule = (self.rules)(whom.rule.as_deref()?).ok()?;
        let kind = *self.channels.get(channel)?;
        let now = self.clock.now();
        let somebody = Somebody { subscriber: person, channel, kind, now };
        match rule.holds(&somebody) {
            Ok(true) => None,
            Ok(false) => {
                let rule = rule.as_str();
                Some(format!("the campaign's audience does not mean them: {rule}"))
            }
            Err(why) => Some(format!("the campaign's audience can't be applied to them: {why}")),
        }
    }

    /// The campaigns that want the item and have made no post of it yet, and whose audience does
    /// not mean somebody.
    fn passed_over(
        &self,
        trace: &Trace,
        posts: &[Post],
        channel: &Name,
        person: &Subscriber,
    ) -> Vec<Value> {
        let has_posted =
            |name: &Name| posts.iter().any(|post| post.campaign.as_ref() == Some(name));
        let wanting = trace.steps.iter().filter_map(|step| match &step.what {
            Happened::Drafted { campaign, .. } | Happened::Held { campaign, .. } => Some(campaign),
            _ => None,
        });
        let mut wanting: Vec<&Name> = wanting.filter(|name| !has_posted(name)).collect();
        wanting.sort_unstable();
        wanting.dedup();
        let row = |name: &Name| {
            let whom = self.audiences.get(name)?;
            let goes_there = whom.channels.is_empty() || whom.channels.contains(channel);
            let why = match (goes_there, is_of_topic(whom, person)) {
                (true, true) => self.unmeant_by(whom, channel, person)?,
                (true, false) => "it goes to other topics".to_owned(),
                (false, _) => "it goes to other channels".to_owned(),
            };
            let words = format!("campaign `{name}`: not for them: {why}");
            Some(json!({ "campaign": name, "words": words }))
        };
        wanting.into_iter().filter_map(row).collect()
    }
}

fn is_of_topic(whom: &Whom, person: &Subscriber) -> bool {
    whom.topics.is_empty() || whom.topics.iter().any(|topic| person.topics.contains(topic))
}

/// 32 hexadecimal digits.
fn item_id(text: &str) -> Option<ItemId> {
    let digits = text.as_bytes();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut id = [0; 16];
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(ItemId(id))
}

fn post_row(post: &Post) -> Value {
    json!({
        "id": post.id,
        "campaign": post.campaign,
        "created": post.created_at.to_string(),
        "counts": post.counts,
        "paused": post.paused,
        "stopped": post.stopped,
    })
}

/// What became of a post for somebody in its audience.
fn ended(
    id: PostId,
    delivery: Delivery,
    post: &Post,
    channel: &ChannelState,
    now: Timestamp,
) -> String {
    let at = delivery.at.map_or_else(String::new, |at| format!(" at {at}"));
    let since = delivery.at.map_or_else(String::new, |at| format!(" since {at}"));
    let quiet = channel.quiet_until.filter(|until| *until > now);
    let opens_at = post.opens_at(now);
    let hour = post.zoned.as_ref().filter(|zoned| zoned.opens_at > now).and_then(|it| it.wall);
    let rollout = post.rollout.as_deref().filter(|rollout| !rollout.is_last());
    match delivery.outcome {
        Outcome::Waiting => match (&post.paused, &channel.paused, quiet) {
            (Some(why), ..) => format!("post {id}: waiting, because it is paused: {why}"),
            (None, Some(why), _) => format!("post {id}: waiting, the channel is paused: {why}"),
            (None, None, Some(until)) => {
                format!("post {id}: waiting until {until} at least, as the service asked")
            }
            (None, None, None) => match (opens_at, rollout) {
                (Some(until), _) if let Some(hour) = hour => {
                    format!(
                        "post {id}: waiting until {until}, when it is {} on their clock",
                        hour.time()
                    )
                }
                (Some(until), _) => {
                    format!(
                        "post {id}: waiting until {until}, when the hours of its campaign begin"
                    )
                }
                (None, Some(rollout)) => {
                    format!("post {id}: waiting for its next stage, it is in {}", rollout.words())
                }
                (None, None) => format!("post {id}: waiting for their turn"),
            },
        },
        Outcome::InFlight => format!("post {id}: on its way"),
        Outcome::Sent => format!("post {id}: sent{at}"),
        Outcome::Held if delivery.wait.is_chosen() => {
            let why = match delivery.wait {
                Wait::Daily => "they get its topics once a day",
                Wait::Weekly => "they get its topics once a week",
                _ => "it came in their quiet hours",
            };
            let at = delivery.carried_until.unwrap_or_default();
            format!(
                "post {id}: held{since}, because {why}; it comes at {at} with what else has waited"
            )
        }
        Outcome::Held if delivery.carried_until.is_some() => format!(
            "post {id}: held{since}, because they had got as much that day as `daily_max` allows; it \
             comes at {} with what else was too much",
            delivery.carried_until.unwrap_or_default()
        ),
        Outcome::Held => format!(
            "post {id}: held{since}, because the 24 hours after their last word are over; it comes \
             with their next contact"
        ),
        Outcome::Uncertain => {
            format!("post {id}: uncertain{since}: the request went out and no answer came back")
        }
        Outcome::Failed(reason) => format!("post {id}: failed{at}: {}", because(reason)),
        Outcome::Skipped(Reason::PostStopped) => {
            let why = post.stopped.as_deref().unwrap_or("no reason given");
            format!("post {id}: skipped{at}, because the post was stopped: {why}")
        }
        Outcome::Skipped(reason) => format!("post {id}: skipped{at}: {}", because(reason)),
    }
}

/// The lane in which somebody was reached, or is to be; only Messenger has several.
fn lane_of(delivery: Delivery, kind: Option<ChannelKind>) -> Option<Lane> {
    match (delivery.outcome, kind) {
        (Outcome::Held, _) => Some(Lane::Held),
        (Outcome::Sent | Outcome::Uncertain | Outcome::Failed(_), Some(ChannelKind::Messenger)) => {
            Some(delivery.lane.unwrap_or(Lane::Window))
        }
        _ => delivery.lane,
    }
}

/// By which way it went, and what is told of its arrival.
fn lane_words(delivery: Delivery, kind: Option<ChannelKind>) -> String {
    let way = match (delivery.outcome, lane_of(delivery, kind)) {
        (Outcome::Held, _) | (_, None) => "",
        (_, Some(Lane::Window)) => ", in their open window",
        (_, Some(Lane::Held)) => ", with what was held for them",
        (_, Some(Lane::Utility)) => ", as a utility template",
        (_, Some(Lane::Marketing)) => ", as a paid marketing message",
    };
    let end = match (delivery.is_delivered, delivery.is_read) {
        (_, true) => "; they have seen it",
        (true, false) => "; it is on their phone",
        (false, false) => "",
    };
    format!("{way}{end}")
}

/// Why somebody is not in a post's audience.
fn left_out(post: &Post, person: &Subscriber) -> String {
    let id = post.id;
    if person.joined_at > post.created_at {
        return format!("post {id}: not for them: they joined only at {}", person.joined_at);
    }
    let since = person.changed_at;
    match person.standing {
        Standing::Active => {
            let topics: Vec<String> =
                person.topics.iter().map(|topic| format!("`{topic}`")).collect();
            let topics = if topics.is_empty() { "no topic".into() } else { topics.join(", ") };
            format!(
                "post {id}: not for them: it goes to other topics or channels (they have {topics} \
                 now)"
            )
        }
        Standing::Stopped => format!("post {id}: not for them: they said stop at {since}"),
        Standing::Blocked => format!("post {id}: not for them: they have blocked us"),
        Standing::Gone => format!("post {id}: not for them: the service knows them no more"),
    }
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Blocked => "they have blocked us",
        Reason::Deactivated => "their account was deleted",
        Reason::NotFound => "the service does not know the address",
        Reason::Unreachable => "the service takes no message to them",
        Reason::NotAllowed => "we may not write there",
        Reason::ContentRefused => "the service refused the message itself",
        Reason::Unsubscribed => "they left before their turn came",
        Reason::PostStopped => "the post was stopped",
        Reason::Superseded => "more was held for them than a carousel takes",
        Reason::Refused => "the service refused it",
        Reason::Expired => "they were not in contact for too long while it was held",
    }
}

pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Waiting => "waiting",
        Outcome::InFlight => "in-flight",
        Outcome::Sent => "sent",
        Outcome::Held => "held",
        Outcome::Uncertain => "uncertain",
        Outcome::Failed(_) => "failed",
        Outcome::Skipped(_) => "skipped",
    }
}

fn reason(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Failed(reason) | Outcome::Skipped(reason) => Some(reason.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_shown() {
        let id = ItemId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(item_id(&id.to_string()), Some(id));
        for wrong in
            ["", "00", "Fresh news of all the things here", "+0000000000000000000000000000000"]
        {
            assert_eq!(item_id(wrong), None, "{wrong}");
        }
    }
}
