//! What a draft says: its items in their layout, once a language and kind of channel.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::model::campaign::{Campaign, ChangeKind, OnUncertain};
use crate::model::channel::ChannelKind;
use crate::model::control::Priority;
use crate::model::correction::Corrections;
use crate::model::item::{Item, ItemId, MediaKind};
use crate::model::message::{Card, Message, Module};
use crate::model::name::Name;
use crate::model::post::{Body, Counts, DraftId, Post, PostId, Told};
use crate::model::rollout::Stages;
use crate::model::time::Timestamp;
use crate::render::{Layouts, RenderError, Scene, Stage};
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::{Store, StoreError};

/// Longest title of a post, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// What the worker is given.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub meters: Meters,
    pub layouts: Arc<Layouts>,
    pub campaigns: Arc<[Campaign]>,
    pub channels: BTreeMap<Name, ChannelKind>,
}

/// What a draft comes to before it has an audience.
pub(super) struct Composed {
    pub post: Post,
    pub topics: Vec<Name>,
    pub channels: Vec<Name>,
    /// Of a post that tells updates only, of a campaign that corrects: whoever has one of the items
    /// in an earlier post has that one edited, and does not get this one.
    pub updates: Option<(Name, Vec<ItemId>)>,
    /// What a post that may be corrected was made of.
    pub items: Arc<[Item]>,
    pub stages: Option<Stages>,
}

/// The drafts came to nothing.
pub(super) async fn give_up(
    options: &Options,
    drafts: Vec<DraftId>,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for draft in drafts {
        options.store.give_up_draft(draft, why.to_owned(), Some(now)).await?;
    }
    Ok(())
}

/// An item that is told twice in one draft is one item of its message.
pub(super) fn each_once(told: &[Told]) -> Vec<ItemId> {
    let mut seen = HashSet::new();
    told.iter().map(|told| told.item).filter(|item| seen.insert(*item)).collect()
}

pub(super) fn one_off(
    options: &Options,
    title: &str,
    message: &Message,
    topics: Vec<Name>,
    channels: Vec<Name>,
) -> Composed {
    let shared = Arc::new(message.clone());
    let bodies = kinds(options, &channels)
        .into_iter()
        .map(|kind| Body { kind, language: None, message: Arc::clone(&shared) })
        .collect();
    let cards = vec![card_of(title, message)];
    let post = new_post(options, None, title, bodies, cards, OnUncertain::Skip);
    Composed { post, topics, channels, updates: None, items: Arc::default(), stages: None }
}

pub(super) fn of_campaign(
    options: &Options,
    rule: &Campaign,
    items: &Arc<[Item]>,
    told: &[Told],
) -> Composed {
    let scene = Scene { campaign: &rule.name, told, now: options.clock.now() };
    let stage = Stage::new(items, &scene);
    let each = options.layouts.render_each(&stage, &rule.layout, kinds(options, &rule.channels));
    let set = |(kind, language, rendered)| {
        let message = or_plain(rule, items, rendered);
        Body { kind, language, message }
    };
    let bodies = each.into_iter().map(set).collect();
    let title = items.first().map_or("", |item| item.title.as_str());
    let cards = crate::render::cards(items, &scene);
    let name = Some(rule.name.clone());
    let mut post = new_post(options, name, title, bodies, cards, rule.on_uncertain);
    post.priority = rule.priority;
    post.personal = options.layouts.freeze(&rule.layout, items, &scene);
    let (topics, channels) = (rule.topics.clone(), rule.channels.clone());
    let (updates, stages) = (None, rule.stages.clone());
    Composed { post, topics, channels, updates, items: Arc::default(), stages }
}

impl Composed {
    /// The post may be corrected from now on.
    pub fn correctable(&mut self, rule: &Campaign, told: Vec<Told>, items: Arc<[Item]>) {
        if told.iter().all(|told| told.kind == ChangeKind::Updated) {
            self.updates = Some((rule.name.clone(), items.iter().map(|item| item.id).collect()));
        }
        let until = self.post.created_at + rule.corrects.within;
        self.post.corrections = Some(Box::new(Corrections::new(told, until)));
        self.items = items;
    }
}

/// What the campaign's layout gave, or, when it failed, the items in the plain built-in form.
fn or_plain(
    rule: &Campaign,
    items: &[Item],
    rendered: Result<Arc<Message>, RenderError>,
) -> Arc<Message> {
    rendered.unwrap_or_else(|error| {
        tracing::error!(
            campaign.id = %rule.name,
            layout.id = %rule.layout,
            %error,
            "the layout failed on these items: the plain form was sent instead"
        );
        crate::render::plain(items).into()
    })
}

fn kinds(options: &Options, channels: &[Name]) -> BTreeSet<ChannelKind> {
    channels.iter().filter_map(|channel| options.channels.get(channel).copied()).collect()
}

fn new_post(
    options: &Options,
    campaign: Option<Name>,
    title: &str,
    bodies: Vec<Body>,
    cards: Vec<Card>,
    on_uncertain: OnUncertain,
) -> Post {
    Post {
        id: PostId(0),
        campaign,
        title: title.chars().take(TITLE_CHARS_MAX).collect(),
        created_at: options.clock.now(),
        bodies,
        personal: None,
        cards,
        on_uncertain,
        priority: Priority::default(),
        rollout: None,
        paused: None,
        stopped: None,
        counts: Counts::default(),
        errors: vec![],
        corrections: None,
    }
}

/// A message written by hand as a card: its title, its words, its picture, its first link.
fn card_of(title: &str, message: &Message) -> Card {
    let mut card = Card {
        title: title.to_owned(),
        subtitle: String::new(),
        image: None,
        link: None,
        buttons: vec![],
    };
    for module in &message.modules {
        match module {
            Module::Text { text, buttons } => {
                if card.subtitle.is_empty() {
                    card.subtitle = text.plain();
                }
                card.buttons.extend(buttons.iter().cloned());
            }
            Module::Media(medium) if medium.kind == MediaKind::Image => {
                card.image = card.image.or_else(|| Some(medium.url.clone()));
            }
            Module::Album(media) => {
                card.image = card.image.or_else(|| media.first().map(|it| it.url.clone()));
            }
            Module::Media(_) | Module::Cards(_) => {}
        }
    }
    card
}
