//! Answers the questions of the command line, in the daemon or beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::admin::channels::{halt_row, pace_row};
use crate::admin::people::{PeopleAsk, PeopleBrought};
use crate::admin::report::stars;
use crate::admin::scheduled::Which;
use crate::admin::stage::stage_row;
use crate::model::audience::{PeopleRule, Whom};
use crate::model::cap::Caps;
use crate::model::channel::ChannelKind;
use crate::model::chat::ChatSeen;
use crate::model::control::PostWord;
use crate::model::correction::Corrections;
use crate::model::day::Days;
use crate::model::event::EventWord;
use crate::model::item::ItemId;
use crate::model::name::Name;
use crate::model::one_off::OneOff;
use crate::model::pacing::ChannelWord;
use crate::model::post::{Draft, Hold, Post, PostId, Zoned};
use crate::model::time::Timestamp;
use crate::model::timing::Timing;
use crate::runtime::clock::Clock;
use crate::runtime::reception::{Heard, Reception};
use crate::runtime::reloads::Reloads;
use crate::runtime::wakes::Wakes;
use crate::store::{FloodWord, MarketState, ReviewWord, Reviewed, Store, StoreError};

/// Most groups and channels of one bot that the status shows.
const CHATS_MAX: usize = 100;

/// Most posts that one listing shows.
const POSTS_MAX: usize = 1_000;

/// Most watches that one listing shows.
const WATCHES_MAX: usize = 10_000;

/// Most items that one answer has.
const ITEMS_MAX: usize = 1_000;

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// How everything stands.
    Status,
    /// The newest posts with their counts.
    Posts { limit: usize },
    /// Poll now; no source named means all.
    Poll { sources: Vec<Name>, is_dry_run: bool },
    /// Send a post written by hand, at once or at an instant. No topic named: everybody; no channel
    /// named: all channels.
    Send { post: Box<OneOff>, at: Option<Timestamp>, is_dry_run: bool },
    /// Posts written by hand that wait for their time.
    Scheduled { limit: usize },
    /// A post, or one that waits for its time.
    Show { which: Which },
    /// Cancel a post, or one that waits for its time.
    Cancel { which: Which, why: String },
    /// Another time for a post that waits for it.
    Change { which: Which, at: Timestamp },
    /// Who would get a post of a campaign now.
    Audience { campaign: Name },
    /// Items that are kept: those named, or else the newest of some sources (none named: of all).
    Items { ids: Vec<ItemId>, sources: Vec<Name>, limit: usize },
    /// Subscribers, some at a time.
    People(Box<PeopleAsk>),
    /// All that is known of somebody, by their address or by `#` and their number.
    Person { channel: Name, who: String },
    /// Take in people whom a file names.
    TakeIn(Box<PeopleBrought>),
    /// Erase somebody.
    Forget { channel: Name, who: String },
    /// Look through the ledger of consents, and for a hash that was noted.
    Audit { noted: Option<String> },
    /// Drafts that wait, for their time or to be looked at.
    Drafts { limit: usize },
    /// The word on drafts that wait to be looked at.
    Review { of: Reviewed, word: ReviewWord },
    /// Events that could not be answered.
    Events { limit: usize },
    /// The word on events that could not be answered; none named: all.
    Event { events: Vec<u64>, word: EventWord },
    /// Polls that are held because too much was new at once.
    Floods,
    /// The word on one source's held polls.
    Flood { source: Name, word: FloodWord },
    /// The word on one channel.
    Channel { channel: Name, word: ChannelWord },
    /// The word on one post.
    Post { post: PostId, word: PostWord },
    /// What became of a post (by its number), of a campaign's newest posts (by its name), or of the
    /// newest of all.
    Report { of: Option<String>, limit: usize },
    /// How far the unfinished ones of these posts are; costs little, however large they are.
    Progress { of: Option<String>, limit: usize },
    /// Where everybody who ever subscribed came from.
    Origins,
    /// What became of an item (by its id, its address or a part of its title), and of it for one
    /// subscriber (by `channel/address`, or by the address alone). `link` is the address as sources
    /// remember it.
    Why { item: String, link: Option<u64>, subscriber: Option<String> },
    /// What people wait for of products.
    Watches { limit: usize },
    /// The product of a catalog that is known by this link, hashed.
    Product { source: Name, link: u64 },
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A name in the question is not in the settings.
    #[error("no {kind} `{name}`; there is {known}")]
    UnknownName { kind: &'static str, name: Name, known: String },
    #[error("polling failed: {0}")]
    Poll(String),
    /// It can't be done as things stand.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was spent on marketing messages; in the account's currency.
fn market_row(market: &MarketState) -> Value {
    let (whole, part) = (market.spent / 1_000_000, market.spent % 1_000_000);
    json!({
        "campaign": market.campaign.as_ref().map(|campaign| &campaign.id),
        "messages": market.paid,
        "spent_in_period": format!("{whole}.{part:06}"),
    })
}

/// Polls the named sources now; the second word says that nothing may be written.
pub type PollNow =
    Arc<dyn Fn(Vec<Name>, bool) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// Reads the expression of an audience, or says in one line or more what is wrong with it.
pub type ReadRule = Arc<dyn Fn(&str) -> Result<PeopleRule, String> + Send + Sync>;

/// What answers.
pub struct Desk {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub poll: PollNow,
    pub sources: Vec<Name>,
    pub topics: Vec<Name>,
    pub campaigns: Vec<Name>,
    /// Those of whose posts nobody chooses when they come.
    pub urgent: Vec<Name>,
    /// Whom the posts of each campaign are for.
    pub audiences: BTreeMap<Name, Whom>,
    /// When those campaigns send that go by their readers' own clocks.
    pub timings: BTreeMap<Name, Timing>,
    /// Reads the expression of an audience.
    pub rules: ReadRule,
    pub channels: BTreeMap<Name, ChannelKind>,
    /// By which what was spent today is told.
    pub days: Days,
    /// How much one person gets in a day; `None`: however much there is.
    pub caps: Option<Caps>,
    /// How what people do comes in, of a daemon that runs.
    pub reception: Reception,
    /// Whether the newest settings are in force.
    pub reloads: Reloads,
}

impl Desk {
    /// Answers one question; the form of each answer is that command's `--json`.
    ///
    /// # Errors
    /// See [`AskError`]; nothing was changed then.
    pub async fn answer(&self, ask: Ask) -> Result<Value, AskError> {
        match ask {
            Ask::Status => self.status().await,
            Ask::Posts { limit } => self.posts(limit.min(POSTS_MAX)).await,
            Ask::Poll { sources, is_dry_run } => {
                all_known("source", &sources, &self.sources)?;
                let sources = if sources.is_empty() { self.sources.clone() } else { sources };
                (self.poll)(sources, is_dry_run).await.map_err(AskError::Poll)
            }
            Ask::Send { post, at, is_dry_run } => self.send(*post, at, is_dry_run).await,
            Ask::Scheduled { limit } => self.scheduled(limit.min(POSTS_MAX)).await,
            Ask::Show { which } => self.show(which).await,
            Ask::Cancel { which, why } => self.cancel(which, why).await,
            Ask::Change { which, at } => self.change(which, at).await,
            Ask::Audience { campaign } => self.campaign_audience(&campaign).await,
            Ask::Items { ids, sources, limit } => {
                let items = if ids.is_empty() {
                    self.store.load_newest_items(&sources, limit.min(ITEMS_MAX)).await?
                } else {
                    self.store.load_items(&ids).await?
                };
                Ok(json!({ "items": items }))
            }
            Ask::People(asked) => self.list_people(&asked).await,
            Ask::Person { channel, who } => self.person(&channel, &who).await,
            Ask::TakeIn(brought) => self.take_in(*brought).await,
            Ask::Forget { channel, who } => self.forget(&channel, &who).await,
            Ask::Audit { noted } => self.audit(noted.as_deref()).await,
            Ask::Drafts { limit } => self.drafts(limit.min(POSTS_MAX)).await,
            Ask::Review { of, word } => self.review(of, word).await,
            Ask::Events { limit } => self.events(limit.min(POSTS_MAX)).await,
            Ask::Event { events, word } => self.obey_events(events, word).await,
            Ask::Floods => {
                let held = self.store.load_held_drafts().await?;
                Ok(json!({ "floods": held.iter().filter_map(flood_row).collect::<Vec<_>>() }))
            }
            Ask::Flood { source, word } => {
                let drafts = self.store.commit_flood(&source, word, self.clock.now()).await?;
                if drafts == 0 {
                    // A source that left the settings may still have held polls to answer for.
                    all_known("source", std::slice::from_ref(&source), &self.sources)?;
                }
                self.wakes.drafts.notify_one();
                Ok(json!({ "source": source, "drafts": drafts }))
            }
            Ask::Channel { channel, word } => self.obey_channel(&channel, word).await,
            Ask::Post { post, word } => self.obey(post, word).await,
            Ask::Report { of, limit } => self.report(of.as_deref(), limit.min(POSTS_MAX)).await,
            Ask::Progress { of, limit } => self.progress(of.as_deref(), limit.min(POSTS_MAX)).await,
            Ask::Origins => self.origins().await,
            Ask::Why { item, link, subscriber } => {
                self.why(&item, link, subscriber.as_deref()).await
            }
            Ask::Watches { limit } => self.watches(limit.min(WATCHES_MAX)).await,
            Ask::Product { source, link } => self.product(&source, link).await,
        }
    }

    /// The store answers.
    pub async fn is_well(&self) -> bool {
        self.store.next_draft_at().await.is_ok()
    }

    async fn status(&self) -> Result<Value, AskError> {
        let status = self.store.load_status().await?;
        let mut markets = BTreeMap::new();
        for name in self.channels.keys() {
            let market = self.store.load_market(name).await?;
            if market.paid > 0 || market.campaign.is_some() {
                markets.insert(name, market);
            }
        }
        let sources: BTreeMap<&Name, Value> = self
            .sources
            .iter()
            .map(|name| {
                let state = status.sources.iter().find(|(known, _)| known == name);
                (name, state.map_or(json!({ "state": "never polled" }), |(_, s)| source_row(s)))
            })
            .collect();
        let today = self.days.day(self.clock.now());
        let mut spent = BTreeMap::new();
        for name in self.channels.keys() {
            spent.insert(name, self.store.load_stars(name, today).await?);
        }
        let mut chats = BTreeMap::new();
        for (name, kind) in &self.channels {
            if *kind == ChannelKind::Telegram {
                chats.insert(name, self.store.load_chats(name, CHATS_MAX).await?);
            }
        }
        let channels: BTreeMap<&Name, Value> = self
            .channels
            .iter()
            .map(|(name, kind)| {
                let known = status.channels.iter().find(|one| one.channel == *name);
                let standings: BTreeMap<String, u64> = known
                    .iter()
                    .flat_map(|one| &one.subscribers)
                    .map(|(standing, count)| (word(standing), *count))
                    .collect();
                let mut row = json!({
                    "kind": kind,
                    "subscribers": standings,
                    "answers_waiting": known.map_or(0, |one| one.answers),
                    "paused": known.and_then(|one| {
                        one.halt.as_ref().map(|halt| halt.why.clone()).or(one.state.paused.clone())
                    }),
                    "quiet_until": known
                        .and_then(|one| one.state.quiet_until)
                        .filter(|until| *until > self.clock.now())
                        .map(|until| until.to_string()),
                    "halted": known.and_then(|one| one.halt.as_ref()).map(halt_row),
                    "stars": spent
                        .get(name)
                        .filter(|tenths| **tenths > 0)
                        .map(|tenths| json!({ "spent_today": stars(*tenths) })),
                    "pace": known.and_then(|one| pace_row(one.pacing.as_ref()?)),
                    "reception": self.reception.of(name).map(|heard| reception_row(&heard)),
                });
                if let Some(chats) = chats.get(name).filter(|chats| !chats.is_empty()) {
                    row["chats"] = chats.iter().map(chat_row).collect();
                }
                if let Some(market) = markets.get(name) {
                    row["marketing"] = market_row(market);
                }
                (name, row)
            })
            .collect();
        Ok(json!({
            "sources": sources,
            "channels": channels,
            "drafts_waiting": status.drafts,
            "events_waiting": status.events,
            "events_aside": status.events_aside,
            "posts_unfinished": status.unfinished_posts,
            "posts_by_clock": status
                .zoned
                .iter()
                .filter(|(_, zoned)| zoned.opens_at > self.clock.now())
                .map(|(post, zoned)| json!({ "id": post, "words": zoned.words() }))
                .collect::<Vec<_>>(),
            "posts_paused": status
                .paused
                .iter()
                .map(|(post, why)| json!({ "id": post, "paused": why }))
                .collect::<Vec<_>>(),
            "deliveries": status.counts,
            "floods": status.floods,
            "reviews_waiting": status.reviews,
            "watches": status.watches,
            "settings_refused": self.reloads.refused().map(|refused| {
                json!({ "at": refused.at.to_string(), "problems": refused.problems })
            }),
        }))
    }

    async fn posts(&self, limit: usize) -> Result<Value, AskError> {
        let posts = self.store.load_posts(limit).await?;
        let rows: Vec<Value> = posts.iter().map(post_row).collect();
        Ok(json!({ "posts": rows }))
    }
}

pub(super) fn post_row(post: &Post) -> Value {
    json!({
        "id": post.id,
        "campaign": post.campaign,
        "title": post.title,
        "created": post.created_at.to_string(),
        "counts": post.counts,
        "priority": post.priority.to_string(),
        "stage": stage_row(post.rollout.as_deref()),
        "clocks": post.zoned.as_deref().map(clocks_row),
        "paused": post.paused,
        "stopped": post.stopped,
        "errors": post.errors,
        "correction": post.corrections.as_deref().and_then(correction_row),
    })
}

/// By whose clocks a post goes.
pub(super) fn clocks_row(zoned: &Zoned) -> Value {
    let zones = zoned.zones.iter().map(|(zone, people)| json!({ "zone": zone, "people": people }));
    json!({
        "words": zoned.words(),
        "hour": zoned.wall.map(|wall| wall.to_string()),
        "opens_at": zoned.opens_at.to_string(),
        "zones": zones.collect::<Vec<_>>(),
        "first_post": zoned.first,
        "posts": zoned.posts,
    })
}

pub(super) fn all_known(
    kind: &'static str,
    asked: &[Name],
    known: &[Name],
) -> Result<(), AskError> {
    match asked.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Err(AskError::UnknownName { kind, name: name.clone(), known })
        }
    }
}

/// A group or channel that the bot is in.
fn chat_row((address, chat): &(String, ChatSeen)) -> Value {
    json!({
        "address": address,
        "kind": chat.kind,
        "title": chat.title,
        "may_post": chat.may_post,
        "since": chat.at.to_string(),
    })
}

fn reception_row(heard: &Heard) -> Value {
    json!({
        "way": heard.way,
        "looked_at": heard.at.to_string(),
        "pending": heard.pending,
        "trouble": heard.trouble,
    })
}

fn source_row(state: &crate::model::source::SourceState) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "state": if state.failure.is_some() { "failing" } else { "well" },
        "due": state.due_at.to_string(),
        "polled": time(state.polled_at),
        "succeeded": time(state.succeeded_at),
        "changed": time(state.changed_at),
        "items": state.items,
        "failures": state.failures,
        "failure": state.failure,
        "remark": state.remark,
    })
}

/// The newest correction of a post; `None` before the first.
fn correction_row(state: &Corrections) -> Option<Value> {
    Some(json!({
        "at": state.corrected_at?.to_string(),
        "revision": state.revision,
        "wanted": state.wanted,
        "edited": state.edited,
        "given_up": state.given_up,
        "is_deleted": state.is_deleted,
        "stopped": state.stopped,
    }))
}

fn flood_row(draft: &Draft) -> Option<Value> {
    let Some(Hold::Flood(flood)) = &draft.held else { return None };
    Some(json!({
        "campaign": draft.campaign(),
        "since": draft.created_at.to_string(),
        "source": flood.source,
        "kind": flood.kind,
        "items": flood.items,
        "reason": flood.reason,
    }))
}

/// An enum's word as serde writes it.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => "other".to_owned(),
    }
}
