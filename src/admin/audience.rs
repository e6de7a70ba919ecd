//! Who would get a post, and why others would not.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk, all_known};
use crate::model::audience::{PeopleRule, Whom};
use crate::model::clocks::{Told, next, opens, parts};
use crate::model::name::Name;
use crate::model::post::{PostId, Zoned};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::timing::Timing;
use crate::model::zone::Zone;
use crate::store::audience::{Chosen, Place, choose};

/// Most people who are shown as an example.
const SAMPLE_MAX: usize = 10;

/// What is said of a language that is not known.
const UNKNOWN: &str = "unknown";

impl Desk {
    /// Checks the names in `whom`, and names all channels where it names none; answers its rule.
    pub(super) fn complete(&self, whom: &mut Whom) -> Result<Option<PeopleRule>, AskError> {
        let known: Vec<Name> = self.channels.keys().cloned().collect();
        all_known("topic", &whom.topics, &self.topics)?;
        all_known("channel", &whom.channels, &known)?;
        let of_chats: Vec<Name> = whom.chats.iter().map(|chat| chat.channel.clone()).collect();
        all_known("channel", &of_chats, &known)?;
        if whom.channels.is_empty() {
            whom.channels = known;
        }
        for channel in of_chats {
            if !whom.channels.contains(&channel) {
                let words =
                    format!("the chats are of channel `{channel}`, which it does not go to");
                return Err(AskError::Refused(words));
            }
        }
        whom.rule.as_deref().map(|rule| self.rule(rule)).transpose()
    }

    pub(super) fn rule(&self, rule: &str) -> Result<PeopleRule, AskError> {
        (self.rules)(rule).map_err(|why| AskError::Refused(format!("the audience: {why}")))
    }

    /// How many would get it, by channel.
    pub(super) async fn count(
        &self,
        whom: &Whom,
        rule: Option<&PeopleRule>,
    ) -> Result<BTreeMap<String, usize>, AskError> {
        let mut recipients = BTreeMap::new();
        for channel in &whom.channels {
            let Some(place) = self.place(channel, whom) else { continue };
            let mut numbers = choose(self.store.as_ref(), place, rule, None).await?.numbers;
            let chats = self.chats(channel, whom, &mut numbers).await?;
            recipients.insert(channel.to_string(), numbers.len() + chats.new);
        }
        Ok(recipients)
    }

    /// Who would get a post of the campaign now.
    pub(super) async fn campaign_audience(&self, campaign: &Name) -> Result<Value, AskError> {
        let names: Vec<Name> = self.audiences.keys().cloned().collect();
        all_known("campaign", std::slice::from_ref(campaign), &names)?;
        let mut whom = self.audiences.get(campaign).cloned().unwrap_or_default();
        // What the settings name is checked there.
        let rule = whom.rule.as_deref().map(|rule| self.rule(rule)).transpose()?;
        if whom.channels.is_empty() {
            whom.channels = self.channels.keys().cloned().collect();
        }
        let mut told = self.survey(&whom, rule.as_ref(), Some(campaign)).await?;
        told["campaign"] = json!(campaign);
        told["audience"] = json!(whom.rule);
        if let Some(timing) = self.timings.get(campaign) {
            told["clocks"] = self.clocks(campaign, &whom, rule.as_ref(), timing).await?;
        }
        Ok(told)
    }

    /// How many would get it by channel and language, a few of them, and why others would not, or
    /// only later. Without a campaign the post is written by hand.
    pub(super) async fn survey(
        &self,
        whom: &Whom,
        rule: Option<&PeopleRule>,
        campaign: Option<&Name>,
    ) -> Result<Value, AskError> {
        let status = self.store.load_status().await?;
        let mut survey = Survey::default();
        for channel in &whom.channels {
            let Some(place) = self.place(channel, whom) else { continue };
            let mut languages = BTreeMap::<String, u64>::new();
            let sample = &mut survey.sample;
            let (now, is_urgent) =
                (self.clock.now(), campaign.is_some_and(|one| self.urgent.contains(one)));
            let mut rests = BTreeMap::<&'static str, u64>::new();
            let mut look = |person: &Subscriber| {
                let rest = person.rests_until(&whom.topics, now).filter(|_| !is_urgent);
                if let Some((_, wait)) = rest {
                    *rests.entry(wait.as_str()).or_default() += 1;
                }
                let language = person.language.as_deref().unwrap_or(UNKNOWN);
                match languages.get_mut(language) {
                    Some(count) => *count += 1,
                    None => {
                        languages.insert(language.to_owned(), 1);
                    }
                }
                if sample.len() < SAMPLE_MAX {
                    sample.push(row(channel, person));
                }
            };
            let chosen = choose(self.store.as_ref(), place, rule, Some(&mut look)).await?;
            let Chosen { mut numbers, unwanted, unjudged, why } = chosen;
            let meant = numbers.len() as u64;
            let chats = self.chats(channel, whom, &mut numbers).await?;
            let recipients = numbers.len() + chats.new;
            self.cap(channel, campaign, numbers, &mut survey).await?;
            if !rests.is_empty() {
                survey.later.entry(channel.to_string()).or_default().extend(rests);
            }
            survey.languages.insert(channel.to_string(), languages);
            survey.recipients.insert(channel.to_string(), recipients);
            let known = status.channels.iter().find(|one| one.channel == *channel);
            let standing = |wanted: Standing| {
                let counts = known.iter().flat_map(|one| &one.subscribers);
                counts.filter(|(one, _)| *one == wanted).map(|(_, count)| *count).sum::<u64>()
            };
            let active = standing(Standing::Active);
            let mut left_out = BTreeMap::from([
                ("other-topics", active.saturating_sub(meant + unwanted + unjudged)),
                ("audience", unwanted),
                ("unjudged", unjudged),
                ("stopped-chats", chats.stopped),
            ]);
            for out in [Standing::Stopped, Standing::Blocked, Standing::Gone] {
                left_out.insert(standing_word(out), standing(out));
            }
            left_out.retain(|_, count| *count > 0);
            survey.left_out.insert(channel.to_string(), left_out);
            if let Some(why) = why {
                survey
                    .remarks
                    .push(format!("{channel}: the audience can't be applied to all: {why}"));
            }
            if let Some(why) = known.and_then(|one| one.state.paused.as_ref()) {
                survey.remarks.push(format!("{channel} is paused, and so it would wait: {why}"));
            }
        }
        Ok(json!({
            "recipients": survey.recipients,
            "total": survey.recipients.values().sum::<usize>(),
            "languages": survey.languages,
            "sample": survey.sample,
            "left_out": survey.left_out,
            "later": survey.later,
            "later_at": survey.later_at.map(|at| at.to_string()),
            "chats": whom.chats.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "remarks": survey.remarks,
        }))
    }

    /// Says of how many it would be too much for today.
    async fn cap(
        &self,
        channel: &Name,
        campaign: Option<&Name>,
        numbers: Vec<u32>,
        survey: &mut Survey,
    ) -> Result<(), AskError> {
        let Some(caps) = &self.caps else { return Ok(()) };
        let Some(max) = campaign.map_or(caps.usual, |campaign| caps.of(campaign)) else {
            return Ok(());
        };
        let (now, posts) = (self.clock.now(), if max == 1 { "post" } else { "posts" });
        let day = caps.days.day(now);
        let capped = self.store.count_capped(channel, numbers, day, max).await?;
        match campaign {
            _ if capped == 0 => {}
            Some(_) => {
                survey.later.entry(channel.to_string()).or_default().insert("daily-max", capped);
                survey.later_at = Some(caps.carried_until(now));
            }
            None => survey.remarks.push(format!(
                "{capped} on {channel} got {max} {posts} of campaigns today: one by hand goes to \
                 them all the same"
            )),
        }
        Ok(())
    }

    /// When each would get the campaign's next post by their own clock, a line for all whose clocks
    /// go alike.
    async fn clocks(
        &self,
        campaign: &Name,
        whom: &Whom,
        rule: Option<&PeopleRule>,
        timing: &Timing,
    ) -> Result<Value, AskError> {
        let (now, rest) = (self.clock.now(), timing.zone());
        let (mut numbers, mut told) = (Vec::new(), Told::new());
        for channel in &whom.channels {
            let Some(place) = self.place(channel, whom) else { continue };
            let mut found = choose(self.store.as_ref(), place, rule, None).await?.numbers;
            self.chats(channel, whom, &mut found).await?;
            numbers.push((channel.clone(), found));
            told.insert(channel.clone(), self.store.load_zones(channel).await?);
        }
        let zones = told.values().flatten().map(|(zone, _)| zone).chain([&rest]);
        let all: Vec<TimeZone> = zones.filter_map(Zone::clocks).collect();
        let gathering = self.store.load_gathering(campaign).await?;
        let hour = timing.digest.as_ref().and_then(|digest| {
            gathering.next.or_else(|| next(&digest.rule, &all, gathering.decided, now))
        });
        let opens = |of: &TimeZone| opens(hour, &timing.hours, of, now);
        let lines = parts(&numbers, &told, &rest, &opens).into_iter().map(|part| {
            let zoned = Zoned {
                wall: hour,
                opens_at: part.opens_at,
                late_at: part.opens_at,
                zones: part.zones,
                has_rest: part.has_rest,
                first: PostId(0),
                posts: 0,
            };
            zoned.words()
        });
        Ok(lines.collect())
    }

    fn place<'a>(&self, channel: &'a Name, whom: &'a Whom) -> Option<Place<'a>> {
        let kind = self.channels.get(channel).copied()?;
        Some(Place { channel, kind, topics: &whom.topics, now: self.clock.now() })
    }

    /// Adds the chats that are known to the numbers.
    async fn chats(
        &self,
        channel: &Name,
        whom: &Whom,
        numbers: &mut Vec<u32>,
    ) -> Result<Chats, AskError> {
        let mut chats = Chats::default();
        for chat in whom.chats.iter().filter(|chat| chat.channel == *channel) {
            match self.store.load_subscriber(channel, &chat.address).await? {
                None => chats.new += 1,
                Some(person) if person.standing == Standing::Stopped => chats.stopped += 1,
                Some(person) => numbers.push(person.number),
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(chats)
    }
}

/// Chats that are named.
#[derive(Default)]
struct Chats {
    /// Not met before.
    new: usize,
    /// Somebody in them asked us to stop.
    stopped: u64,
}

#[derive(Default)]
struct Survey {
    recipients: BTreeMap<String, usize>,
    languages: BTreeMap<String, BTreeMap<String, u64>>,
    sample: Vec<Value>,
    left_out: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Who would get it, but not at once.
    later: BTreeMap<String, BTreeMap<&'static str, u64>>,
    later_at: Option<Timestamp>,
    remarks: Vec<String>,
}

fn row(channel: &Name, person: &Subscriber) -> Value {
    json!({
        "channel": channel,
        "address": person.address,
        "language": person.language,
        "topics": person.topics,
        "timezone": person.timezone,
        "joined": person.joined_at.to_string(),
    })
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Stopped => "stopped",
        Standing::Blocked => "blocked",
        Standing::Gone => "gone",
    }
}
