//! Looks up what a conversation about watches needs to know, and has the answer made of it.

use tokio::sync::Semaphore;

use crate::converse::replies::{Turn, consent};
use crate::converse::watch::{self, Asked, CHOICES_MAX, LISTED_MAX, Of, Product, Said};
use crate::model::channel::ChannelKind;
use crate::model::event::Event;
use crate::model::message::{Action, Button, Card, Message, Module};
use crate::model::name::Name;
use crate::model::post::{Answer, HELD_CARDS_MAX};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::watch::{OnOffer, Watch};
use crate::store::{FoundProduct, ProductQuery, Store, StoreError, WatchWord};

/// What can be watched.
#[derive(Debug)]
pub struct Watchable {
    /// The catalogs whose products may be watched, sorted.
    pub sources: Vec<Name>,
    pub keys: ProductKeys,
    /// One search through a whole catalog at a time.
    pub searching: Semaphore,
}

/// How consents say that somebody asked to be told of a product.
pub(super) const WATCH: &str = "watch";

/// Who does something, and what they wait for.
pub(super) struct Contact<'a> {
    pub event: &'a Event,
    pub known: Option<&'a Subscriber>,
    pub kind: ChannelKind,
    pub own: Vec<Watch>,
    pub now: Timestamp,
}

/// How catalogs name what is in them, hashed.
#[derive(Clone, Copy, Debug)]
pub struct ProductKeys {
    /// A product's id; `None` for an empty one.
    pub product: fn(&str) -> Option<u64>,
    /// A form's id.
    pub form: fn(&str) -> Option<u32>,
    /// A canonical link; `None` for what is no address.
    pub link: fn(&str) -> Option<u64>,
}

impl Watchable {
    pub fn new(sources: Vec<Name>, keys: ProductKeys) -> Self {
        Self { sources, keys, searching: Semaphore::new(1) }
    }

    /// Answers what is asked of products, and what somebody waits for whom nothing could be sent;
    /// gives what changes of their watches.
    pub(super) async fn attend(
        &self,
        store: &dyn Store,
        contact: Contact<'_>,
        turn: &mut Turn,
    ) -> Result<Vec<WatchWord>, StoreError> {
        let Contact { event, known, kind, mut own, now } = contact;
        let language = turn.subscriber.as_ref().and_then(|person| person.language.clone());
        let language = language.as_deref();
        let mut words = Vec::new();
        if let Some(asked) = turn.watch.take() {
            let said = self.answer(store, &asked, &own, (kind, language), now).await?;
            let said_words: String = said.message.modules.iter().map(said_in).collect();
            match turn.answers.iter_mut().find(|answer| answer.message.modules.is_empty()) {
                // It acknowledges the tap.
                Some(answer) => answer.message = said.message,
                None => {
                    let answer = Answer { message: said.message, tap: None, ask: None };
                    turn.answers.insert(0, answer);
                }
            }
            // Who has not subscribed agrees to this alone.
            if let Some(person) = &turn.subscriber
                && said.is_asked
                && person.standing != Standing::Active
            {
                turn.consent = Some(consent(person, true, WATCH.to_owned(), &said_words, now));
            }
            own.retain(|watch| !said.words.contains(&WatchWord::End(watch.id)));
            words.extend(said.words);
        }
        if turn.ends_watches {
            words.push(WatchWord::EndAll);
        } else if is_contact(known, event, turn.subscriber.as_ref(), kind) && !own.is_empty() {
            let told = self.at_contact(store, &own, language).await?;
            if let Some((answer, ended)) = told {
                turn.answers.push(answer);
                words.extend(ended);
            }
        }
        Ok(words)
    }

    /// The answer to what is asked, by who waits for `own`.
    async fn answer(
        &self,
        store: &dyn Store,
        asked: &Asked,
        own: &[Watch],
        (kind, language): (ChannelKind, Option<&str>),
        now: Timestamp,
    ) -> Result<Said, StoreError> {
        Ok(match asked {
            Asked::Help => watch::help(&self.sources, language),
            Asked::Drop { of, wanted } => watch::drop_watch(*of, *wanted, own, language),
            Asked::List { after } => {
                let mut rest = own.iter().filter(|watch| watch.id > *after);
                let mut shown = Vec::new();
                for watch in rest.by_ref().take(LISTED_MAX) {
                    let found = store.load_product(&watch.source, watch.product).await?;
                    let rows = found.unwrap_or_default().rows;
                    shown.push((watch.clone(), OnOffer::of_rows(&rows, watch.variant)));
                }
                watch::list(&shown, rest.next().is_some(), language)
            }
            Asked::Make { aim, of, limit } => {
                let (mut aim, mut limit) = (*aim, limit.clone());
                let mut products = self.find(store, of).await?;
                if let ([], Some(Asked::Make { aim: limited, of, limit: number })) =
                    (&products[..], asked.limited())
                {
                    (aim, limit) = (limited, number);
                    products = self.find(store, &of).await?;
                }
                let limit = limit.as_ref();
                match &products[..] {
                    [] => watch::unknown(&self.sources, language),
                    [one] => watch::make(one, aim, limit, own, language, now),
                    several => {
                        let is_short = kind == ChannelKind::Messenger;
                        watch::choose(several, limit, is_short, language)
                    }
                }
            }
        })
    }

    async fn find(&self, store: &dyn Store, of: &Of) -> Result<Vec<Product>, StoreError> {
        let found = match of {
            Of::Token(token) => {
                let source = token.source(&self.sources);
                let found = source.map(|source| at(source, token.product, None));
                found.into_iter().collect()
            }
            Of::Id { source, id } => {
                let Some(source) = self.sources.iter().find(|it| it.as_str() == source) else {
                    return Ok(Vec::new());
                };
                let whole = (self.keys.product)(id).map(|product| at(source, product, None));
                if let Some(product) = self.complete(store, whole.as_slice()).await?.pop() {
                    return Ok(vec![product]);
                }
                let Some(form) = (self.keys.form)(id) else { return Ok(Vec::new()) };
                let among = std::slice::from_ref(source);
                self.search(store, among, ProductQuery::Variant(form), 1).await?
            }
            Of::Link(link) => match (self.keys.link)(link) {
                Some(key) => {
                    self.search(store, &self.sources, ProductQuery::Link(key), CHOICES_MAX).await?
                }
                None => Vec::new(),
            },
            Of::Words(words) => {
                let query = ProductQuery::Words(words.clone());
                self.search(store, &self.sources, query, CHOICES_MAX).await?
            }
        };
        self.complete(store, &found).await
    }

    async fn search(
        &self,
        store: &dyn Store,
        sources: &[Name],
        query: ProductQuery,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        // It is never closed.
        let _turn = self.searching.acquire().await.ok();
        store.find_products(sources, query, limit).await
    }

    /// What the shelves have of these; what they don't is left out.
    async fn complete(
        &self,
        store: &dyn Store,
        found: &[FoundProduct],
    ) -> Result<Vec<Product>, StoreError> {
        let mut products = Vec::new();
        for FoundProduct { source, product, variant } in found {
            let Some(now) = store.load_product(source, *product).await? else { continue };
            let name = now.name.unwrap_or_default();
            // Only one of several forms is a form.
            let variant = variant.filter(|_| now.rows.len() > 1);
            let link = now.rows.iter().map(|(row, _)| row.link).find(|link| *link != 0);
            products.push(Product {
                source: source.clone(),
                product: *product,
                variant,
                title: name.title,
                link: name.link,
                image: name.image,
                link_key: link.unwrap_or(0),
                on: OnOffer::of_rows(&now.rows, variant),
            });
        }
        Ok(products)
    }

    /// What has come true of the watches of somebody who could not be written to meanwhile: one
    /// answer, and what it ends. What is no longer true is waited for still.
    async fn at_contact(
        &self,
        store: &dyn Store,
        own: &[Watch],
        language: Option<&str>,
    ) -> Result<Option<(Answer, Vec<WatchWord>)>, StoreError> {
        let (mut cards, mut words) = (Vec::new(), Vec::new());
        for watch in own {
            if cards.len() >= HELD_CARDS_MAX {
                break;
            }
            let found = FoundProduct {
                source: watch.source.clone(),
                product: watch.product,
                variant: watch.variant,
            };
            let Some(product) = self.complete(store, &[found]).await?.pop() else { continue };
            if watch.wanted.is_met(&product.on, watch.price) {
                cards.push(card(&product.news(watch.wanted).message(language), &product));
                words.push(WatchWord::End(watch.id));
            }
        }
        if cards.is_empty() {
            return Ok(None);
        }
        let message = Message::from(vec![Module::Cards(cards)]);
        Ok(Some((Answer { message, tap: None, ask: None }, words)))
    }
}

/// Whether somebody can be written to again, and could not before.
fn is_contact(
    known: Option<&Subscriber>,
    event: &Event,
    person: Option<&Subscriber>,
    kind: ChannelKind,
) -> bool {
    let opens = person.and_then(|person| person.window_until);
    let was_open = known.and_then(|known| known.window_until).is_some_and(|until| until > event.at);
    kind == ChannelKind::Messenger && opens.is_some_and(|until| until > event.at) && !was_open
}

fn said_in(module: &Module) -> String {
    match module {
        Module::Text { text, .. } => text.plain(),
        _ => String::new(),
    }
}

fn at(source: &Name, product: u64, variant: Option<u32>) -> FoundProduct {
    FoundProduct { source: source.clone(), product, variant }
}

fn card(message: &Message, product: &Product) -> Card {
    let text = message.modules.iter().find_map(|module| match module {
        Module::Text { text, buttons } => Some((text.plain(), buttons.clone())),
        _ => None,
    });
    let (subtitle, buttons) = text.unwrap_or_default();
    let opens = |button: &Button| matches!(button.action, Action::Open { .. });
    Card {
        title: product.news_title(),
        subtitle,
        image: product.image.clone(),
        link: product.link.clone(),
        buttons: buttons.into_iter().filter(opens).collect(),
    }
}
