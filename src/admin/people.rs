//! Subscribers one by one: listed, shown, taken in, erased; and the ledger of their consents.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk, all_known};
use crate::admin::why::outcome_word;
use crate::model::audience::{PeopleRule, Somebody};
use crate::model::dossier::{dossier, record};
use crate::model::name::Name;
use crate::model::proof::{from_hex, hex};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;
use crate::store::{Arrivals, Erasure, Newcomer, find_out};

/// People of one read.
const PAGE: usize = 4_096;

/// Most people that are looked at for one answer; what it comes to is asked for in the next.
const LOOKED_AT_MAX: usize = 16_384;

/// Most people of one answer.
pub const PEOPLE_MAX: usize = 5_000;

/// So many of the newest posts are looked at for what became of them for somebody.
const POSTS_LOOKED_MAX: usize = 20;

/// Longest source that an import names, in characters.
const SOURCE_CHARS_MAX: usize = 100;

/// Who is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleAsk {
    /// `None`: of all channels.
    pub channel: Option<Name>,
    pub topic: Option<Name>,
    pub standing: Option<Standing>,
    /// An expression over subscribers.
    pub rule: Option<String>,
    /// From whom on: what the answer before called `next`.
    pub from: Option<(Name, u32)>,
    pub limit: usize,
    /// They leave us: the log says so once.
    pub is_export: bool,
}

/// Somebody whom an import brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    pub address: String,
    pub language: Option<String>,
    pub first_name: Option<String>,
    pub timezone: Option<Zone>,
    pub topics: Vec<Name>,
    pub standing: Standing,
    /// When they joined; `None`: with this import.
    pub joined_at: Option<Timestamp>,
    /// When they consented; `None`: when they joined.
    pub consented_at: Option<Timestamp>,
    /// How they did, by the books of whoever kept them before.
    pub consented_by: Option<String>,
}

/// People whom an import brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleBrought {
    pub channel: Name,
    /// Where their consent comes from.
    pub source: String,
    pub people: Vec<PersonRow>,
    pub is_dry_run: bool,
}

impl Desk {
    fn channel_names(&self) -> Vec<Name> {
        self.channels.keys().cloned().collect()
    }

    fn is_channel(&self, channel: &Name) -> Result<(), AskError> {
        all_known("channel", std::slice::from_ref(channel), &self.channel_names())
    }

    /// Some of who is asked for, and where it goes on.
    pub(super) async fn list_people(&self, ask: &PeopleAsk) -> Result<Value, AskError> {
        let PeopleAsk { channel, topic, standing, rule, from, .. } = ask;
        let limit = ask.limit.min(PEOPLE_MAX);
        if let Some(channel) = channel {
            self.is_channel(channel)?;
        }
        if let Some(topic) = topic {
            all_known("topic", std::slice::from_ref(topic), &self.topics)?;
        }
        let rule = rule.as_deref().map(|rule| self.rule(rule)).transpose()?;
        if ask.is_export && from.is_none() {
            tracing::info!("subscribers are exported by the command line");
        }
        let channels = self.channel_names().into_iter();
        let channels = channels.filter(|name| channel.as_ref().is_none_or(|it| it == name));
        let (mut people, mut looked_at) = (Vec::new(), 0);
        let (mut unjudged, mut why) = (0u64, None);
        let is_filtered = topic.is_some() || standing.is_some() || rule.is_some();
        let next = 'found: {
            for name in channels {
                let mut next = match from {
                    Some((of, _)) if *of > name => continue,
                    Some((of, number)) if *of == name => *number,
                    _ => 0,
                };
                loop {
                    let wanted =
                        if is_filtered { PAGE } else { PAGE.min(limit - people.len() + 1) };
                    let page = self.store.load_people_from(&name, next, wanted).await?;
                    for person in &page {
                        if people.len() >= limit || looked_at >= LOOKED_AT_MAX {
                            let next = json!([name, person.number]);
                            break 'found next;
                        }
                        looked_at += 1;
                        let is_meant = topic.as_ref().is_none_or(|it| person.topics.contains(it))
                            && standing.is_none_or(|it| person.standing == it);
                        if !is_meant || !person.is_counted() {
                            continue;
                        }
                        match rule.as_ref().map_or(Ok(true), |it| self.holds(it, &name, person)) {
                            Ok(true) => people.push(record(&name, person)),
                            Ok(false) => {}
                            Err(error) => {
                                unjudged += 1;
                                why.get_or_insert(error);
                            }
                        }
                    }
                    match page.last().and_then(|last| last.number.checked_add(1)) {
                        Some(after) if page.len() == wanted => next = after,
                        _ => break,
                    }
                }
            }
            Value::Null
        };
        if ask.is_export {
            self.add_agreements(&mut people).await?;
        }
        Ok(told(&people, &next, unjudged, why.as_deref()))
    }

    /// Adds to each record when they consented, and how: an import takes it in again.
    async fn add_agreements(&self, people: &mut [Value]) -> Result<(), AskError> {
        for some in people.chunk_by_mut(|one, other| one["channel"] == other["channel"]) {
            let channel = some.first().and_then(|one| one["channel"].as_str());
            let Some(channel) = channel.and_then(|name| Name::parse(name).ok()) else { continue };
            let number = |one: &Value| one["number"].as_u64().and_then(|it| u32::try_from(it).ok());
            let numbers = some.iter().map(|one| number(one).unwrap_or_default()).collect();
            let agreed = self.store.load_agreements(&channel, numbers).await?;
            for (one, agreed) in some.iter_mut().zip(agreed) {
                let Some((at, way)) = agreed else { continue };
                (one["consented_at"], one["consented_by"]) = (at.to_string().into(), way.into());
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        rule: &PeopleRule,
        channel: &Name,
        subscriber: &Subscriber,
    ) -> Result<bool, String> {
        let Some(kind) = self.channels.get(channel).copied() else { return Ok(false) };
        rule.holds(&Somebody { subscriber, channel, kind, now: self.clock.now() })
    }

    /// All that is known of somebody.
    pub(super) async fn person(&self, channel: &Name, who: &str) -> Result<Value, AskError> {
        self.is_channel(channel)?;
        let person = self.find(channel, who).await?;
        let number = person.number;
        let found = find_out(&*self.store, channel, &person).await?;
        let mut all = dossier(channel, &person, &found);
        let mut posts = Vec::new();
        for id in self.store.load_post_ids(None, POSTS_LOOKED_MAX).await? {
            let delivery = self.store.load_delivery(id, channel, number).await?;
            if let (Some(delivery), Some(post)) = (delivery, self.store.load_post(id).await?) {
                posts.push(json!({
                    "post": id,
                    "title": post.title,
                    "outcome": outcome_word(delivery.outcome),
                    "at": delivery.at.map(|at| at.to_string()),
                }));
            }
        }
        all["posts"] = Value::Array(posts);
        Ok(all)
    }

    /// By the address, or by `#` and the number.
    async fn find(&self, channel: &Name, who: &str) -> Result<Subscriber, AskError> {
        if let Some(person) = self.store.load_subscriber(channel, who).await? {
            return Ok(person);
        }
        if let Some(number) = who.strip_prefix('#').and_then(|number| number.parse().ok()) {
            let people = self.store.load_people(channel, vec![number]).await?;
            if let Some(person) = people.into_iter().next() {
                return Ok(person);
            }
        }
        Err(AskError::Refused(format!(
            "nobody is known as `{who}` on `{channel}`: it takes an address, or `#` and a number"
        )))
    }

    pub(super) async fn take_in(&self, brought: PeopleBrought) -> Result<Value, AskError> {
        let PeopleBrought { channel, source, people, is_dry_run } = brought;
        self.is_channel(&channel)?;
        let source: String = source.trim().chars().take(SOURCE_CHARS_MAX).collect();
        if source.is_empty() {
            return Err(AskError::Refused("it must be said where the consent comes from".into()));
        }
        let now = self.clock.now();
        let people = people.into_iter().map(|row| {
            let joined_at = row.joined_at.or(row.consented_at).unwrap_or(now);
            let mut topics = row.topics;
            topics.sort();
            topics.dedup();
            let person = Subscriber {
                number: 0,
                address: row.address,
                language: row.language,
                first_name: row.first_name,
                timezone: row.timezone,
                name_asked_at: None,
                came_by: None,
                topics,
                standing: row.standing,
                window_until: None,
                joined_at,
                // Whatever they do is newer.
                changed_at: Timestamp::default(),
                choices: None,
                default_reply_at: None,
            };
            Newcomer {
                person,
                consented_at: row.consented_at.unwrap_or(joined_at),
                consented_by: row.consented_by,
            }
        });
        let arrivals = Arrivals {
            channel: channel.clone(),
            people: people.collect(),
            way: format!("import:{source}"),
            is_dry: is_dry_run,
        };
        let arrived = self.store.take_in(arrivals).await?;
        if arrived.added > 0 && !is_dry_run {
            self.wakes.drafts.notify_one();
        }
        Ok(json!(arrived))
    }

    pub(super) async fn forget(&self, channel: &Name, who: &str) -> Result<Value, AskError> {
        self.is_channel(channel)?;
        // An address at which nobody is known may have something waiting all the same.
        let known = self.find(channel, who).await;
        let address = match &known {
            Ok(person) => person.address.clone(),
            Err(_) => who.to_owned(),
        };
        let erasure = Erasure {
            channel: channel.clone(),
            address,
            by: "admin",
            event: None,
            farewell: Vec::new(),
            code: None,
            at: self.clock.now(),
        };
        let number = self.store.forget_person(erasure).await?;
        known?;
        tracing::info!(channel.id = %channel, person.number = number, "somebody was erased");
        Ok(json!({ "channel": channel, "number": number, "erased": number.is_some() }))
    }

    /// Whether the ledger of consents is as it was written.
    pub(super) async fn audit(&self, noted: Option<&str>) -> Result<Value, AskError> {
        let wrong = || AskError::Refused("a hash has 64 digits, 0 to 9 and a to f".to_owned());
        let hash = noted.map(|noted| from_hex(noted).ok_or_else(wrong)).transpose()?;
        let audit = self.store.audit_consents(hash).await?;
        let (at, why) = audit.fault.clone().unzip();
        Ok(json!({
            "holds": audit.fault.is_none() && (hash.is_none() || audit.noted.is_some()),
            "entries": audit.entries,
            "of_known_people": audit.known,
            "head": hex(&audit.head),
            "fault": why,
            "fault_at": at,
            "noted": noted,
            "noted_at": audit.noted,
        }))
    }
}

fn told(people: &[Value], next: &Value, unjudged: u64, why: Option<&str>) -> Value {
    json!({ "subscribers": people, "next": next, "unjudged": unjudged, "why": why })
}
