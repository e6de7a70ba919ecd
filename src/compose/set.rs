//! What a draft says: its items in their layout, once a language and kind of channel.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::compose::clocks::Clocks;
use crate::compose::options::Options;
use crate::compose::whom::read;
use crate::model::audience::{PeopleRule, Whom};
use crate::model::campaign::{Campaign, ChangeKind, OnUncertain};
use crate::model::channel::ChannelKind;
use crate::model::control::Priority;
use crate::model::correction::Corrections;
use crate::model::item::{Item, ItemId, MediaKind};
use crate::model::lane::Beyond;
use crate::model::message::{Action, Button, Card, Message, Module};
use crate::model::name::Name;
use crate::model::one_off::{OneOff, Says};
use crate::model::post::{Body, Counts, DraftId, Post, PostId, Told};
use crate::model::rollout::Stages;
use crate::model::time::Timestamp;
use crate::model::watch_news::{button_languages, watch_button};
use crate::model::watch_tap::Tap;
use crate::render::{RenderError, Scene, Stage};
use crate::store::StoreError;

/// Longest title of a post, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// What a draft comes to before it has an audience.
pub(super) struct Composed {
    pub post: Post,
    pub whom: Whom,
    /// Of `whom`, ready to be asked.
    pub rule: Option<PeopleRule>,
    /// Of a post that tells updates only, of a campaign that corrects: whoever has one of the items
    /// in an earlier post has that one edited, and does not get this one.
    pub updates: Option<(Name, Vec<ItemId>)>,
    /// What a post that may be corrected was made of.
    pub items: Arc<[Item]>,
    pub stages: Option<Stages>,
    /// `None` for what goes by one clock.
    pub clocks: Option<Clocks>,
}

/// The drafts came to nothing, all together: what is left of them would tell something else.
pub(super) async fn give_up(
    options: &Options,
    drafts: Vec<DraftId>,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if drafts.is_empty() {
        return Ok(());
    }
    options.store.give_up_drafts(drafts, why.to_owned(), Some(now)).await
}

/// An item that is told twice in one draft is one item of its message.
pub(super) fn each_once(told: &[Told]) -> Vec<ItemId> {
    let mut seen = HashSet::new();
    told.iter().map(|told| told.item).filter(|item| seen.insert(*item)).collect()
}

/// # Errors
/// Why its audience can't be told: nobody gets it then.
pub(super) fn one_off(options: &Options, one: OneOff) -> Result<Composed, String> {
    let OneOff { title, says, whom, priority, stages, .. } = one;
    let rule = whom.rule.as_deref().map(read).transpose()?;
    let mut post = match says {
        Says::Message(message) => {
            let cards = vec![card_of(&title, &message)];
            let shared = Arc::new(message);
            let bodies = kinds(options, &whom.channels)
                .into_iter()
                .map(|kind| Body { kind, language: None, message: Arc::clone(&shared) })
                .collect();
            new_post(options, None, &title, bodies, cards, OnUncertain::Skip)
        }
        Says::Items { layout, items } => {
            let told: Vec<Told> = items
                .iter()
                .map(|item| Told { item: item.id, kind: ChangeKind::New, price: None })
                .collect();
            let set =
                Set { campaign: &layout, layout: &layout, channels: &whom.channels, watch: false };
            let post = set.post(options, &items.into(), &told);
            Post { campaign: None, title: short_title(&title), ..post }
        }
    };
    post.priority = priority;
    post.topics.clone_from(&whom.topics);
    let (updates, items) = (None, Arc::default());
    Ok(Composed { post, whom, rule, updates, items, stages, clocks: None })
}

pub(super) fn of_campaign(
    options: &Options,
    rule: &Campaign,
    items: &Arc<[Item]>,
    told: &[Told],
) -> Composed {
    let (name, layout, channels) = (&rule.name, &rule.layout, &rule.channels);
    let set = Set { campaign: name, layout, channels, watch: rule.watch };
    let mut post = set.post(options, items, told);
    post.priority = rule.priority;
    post.topics.clone_from(&rule.topics);
    post.hours.clone_from(&rule.timing.hours);
    post.on_uncertain = rule.on_uncertain;
    post.beyond = beyond(rule, items, told, options.clock.now());
    let whom = rule.whom();
    let (updates, stages) = (None, rule.stages.clone());
    Composed {
        post,
        whom,
        rule: rule.reach.rule.clone(),
        updates,
        items: Arc::default(),
        stages,
        clocks: Clocks::of(rule),
    }
}

/// Items to be set, in which layout, for which channels.
struct Set<'a> {
    campaign: &'a Name,
    layout: &'a Name,
    channels: &'a [Name],
    /// With a button to watch the product.
    watch: bool,
}

impl Set<'_> {
    fn post(&self, options: &Options, items: &Arc<[Item]>, told: &[Told]) -> Post {
        let scene = Scene { campaign: self.campaign, told, now: options.clock.now() };
        let stage = Stage::new(items, &scene);
        let kinds = kinds(options, self.channels);
        // Of several products nobody could tell which one a button is for.
        let tap = match &items[..] {
            [item] if self.watch => crate::render::watch(item, scene.now),
            _ => None,
        };
        let each = options.layouts.render_each(&stage, self.layout, kinds);
        let set = |(kind, language, rendered)| {
            let message = self.or_plain(items, rendered);
            Body { kind, language, message }
        };
        let bodies: Vec<Body> = each.into_iter().map(set).collect();
        let bodies = match tap {
            Some(tap) => watched_each(bodies, tap),
            None => bodies,
        };
        let title = items.first().map_or("", |item| item.title.as_str());
        let cards = crate::render::cards(items, &scene);
        let name = Some(self.campaign.clone());
        let mut post = new_post(options, name, title, bodies, cards, OnUncertain::Skip);
        post.personal = options.layouts.freeze(self.layout, items, &scene);
        post
    }

    /// What the layout gave, or, when it failed, the items in the plain built-in form.
    fn or_plain(
        &self,
        items: &[Item],
        rendered: Result<Arc<Message>, RenderError>,
    ) -> Arc<Message> {
        rendered.unwrap_or_else(|error| {
            tracing::error!(
                campaign.id = %self.campaign,
                layout.id = %self.layout,
                %error,
                "the layout failed on these items: the plain form was sent instead"
            );
            crate::render::plain(items).into()
        })
    }
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

/// Each body with a button below it, in its language. Who reads a language that the layout has no
/// words of, but the button, has a body of their own for it.
fn watched_each(mut bodies: Vec<Body>, tap: Tap) -> Vec<Body> {
    let for_all: Vec<Body> =
        bodies.iter().filter(|body| body.language.is_none()).cloned().collect();
    for body in for_all {
        for language in button_languages() {
            let is_it =
                |own: &Body| own.kind == body.kind && own.language.as_deref() == Some(language);
            if !bodies.iter().any(is_it) {
                bodies.push(Body { language: Some(language.to_owned()), ..body.clone() });
            }
        }
    }
    for body in &mut bodies {
        body.message = watched(Arc::clone(&body.message), tap, body.language.as_deref());
    }
    bodies
}

/// The message with a button below its last text.
fn watched(message: Arc<Message>, tap: Tap, language: Option<&str>) -> Arc<Message> {
    let own = Action::Postback { payload: tap.to_string() };
    let is_own = |button: &Button| button.action == own;
    let mut message = Arc::unwrap_or_clone(message);
    if let Some(buttons) = message.last_buttons()
        && !buttons.iter().any(is_own)
    {
        buttons.push(watch_button(tap, language));
    }
    message.into()
}

/// The ways beyond Messenger's window that the campaign has for these items. A template tells one.
fn beyond(rule: &Campaign, items: &[Item], told: &[Told], now: Timestamp) -> Option<Box<Beyond>> {
    let utility = match (&rule.utility, items, told.first()) {
        (Some(utility), [item], Some(told)) => match utility.fill(item, told, now) {
            Ok(template) => Some(template),
            Err(error) => {
                tracing::warn!(
                    campaign.id = %rule.name, template = %utility.template, error,
                    "the template can't be filled in for an item: it is held"
                );
                None
            }
        },
        _ => None,
    };
    let is_marketing = rule.is_marketing;
    (utility.is_some() || is_marketing).then(|| Box::new(Beyond { utility, is_marketing }))
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
        title: short_title(title),
        created_at: options.clock.now(),
        topics: vec![],
        bodies,
        personal: None,
        cards,
        on_uncertain,
        priority: Priority::default(),
        rollout: None,
        hours: vec![],
        zoned: None,
        paused: None,
        stopped: None,
        counts: Counts::default(),
        errors: vec![],
        corrections: None,
        beyond: None,
    }
}

fn short_title(title: &str) -> String {
    title.chars().take(TITLE_CHARS_MAX).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::product_token::ProductToken;

    #[test]
    fn the_button_is_in_the_readers_language_whatever_the_layout_is_in() {
        let shop = Name::parse("shop").unwrap();
        let body = |language: Option<&str>, text: &str| Body {
            kind: ChannelKind::Telegram,
            language: language.map(str::to_owned),
            message: Arc::new(Message::from_plain(text)),
        };
        let bodies = vec![body(None, "A kettle"), body(Some("ro"), "Un ceainic")];
        let bodies = watched_each(bodies, Tap::Stock(ProductToken::new(&shop, 7)));
        let told = |language: Option<&str>| {
            let found = bodies.iter().find(|body| body.language.as_deref() == language).unwrap();
            match &found.message.modules[..] {
                [Module::Text { text, buttons }] => (text.plain(), buttons[0].label.clone()),
                other => panic!("{other:?}"),
            }
        };
        let own = |text: &str, label: &str| (text.to_owned(), label.to_owned());
        assert_eq!(told(None), own("A kettle", "🔔 Tell me when in stock"));
        assert_eq!(told(Some("ro")), own("Un ceainic", "🔔 Spune-mi când e în stoc"));
        assert_eq!(told(Some("de")), own("A kettle", "🔔 Sag, wenn es da ist"));
        assert_eq!(bodies.len(), 7, "one a language that the button has, and no more");
    }
}
