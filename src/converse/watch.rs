//! Watches in the chat: what is asked for, and what is answered. Pure.
//!
//! What must be looked up (a product, what somebody waits for already) is an argument; the
//! answer comes with what it changes.

use crate::converse::watch::limit::Unusable;
use crate::model::message::{Action, Button, Message, Module};
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::product_token::ProductToken;
use crate::model::rich::RichText;
use crate::model::time::Timestamp;
use crate::model::watch::{
    OnOffer, TITLE_CHARS_MAX, WATCHED_FOR, WATCHES_MAX, Wanted, Watch, below, less_by,
};
use crate::model::watch_link::{self, Aim, Which};
use crate::model::watch_news::{News, Words, label, say, watch_button};
use crate::model::watch_tap::Tap;
use crate::render::written::{day, money};
use crate::store::WatchWord;

mod limit;

mod sayings;

pub use limit::Limit;

/// Watches that one message lists.
pub(super) const LISTED_MAX: usize = 8;

/// Products that are offered to choose from.
pub(super) const CHOICES_MAX: usize = 6;

/// Longest words that products are looked for by, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// By how much less a price is offered to be watched.
const LESS: [u8; 2] = [5, 15];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To be told of a product.
    Make { aim: Aim, of: Of, limit: Option<Limit> },
    /// Not to be told any more.
    Drop { of: ProductToken, wanted: Dropped },
    /// What is waited for, behind the watch with this number.
    List { after: u64 },
    /// How it is done.
    Help,
}

/// Which product is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    Token(ProductToken),
    Id { source: String, id: String },
    Link(String),
    Words(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    Stock,
    Price,
}

/// A product that was found.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub source: Name,
    pub product: u64,
    pub variant: Option<u32>,
    /// Empty where nobody knows.
    pub title: String,
    pub link: Option<String>,
    pub image: Option<String>,
    /// The canonical link, hashed.
    pub link_key: u64,
    pub on: OnOffer,
}

/// What is said, and what changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub message: Message,
    pub words: Vec<WatchWord>,
    /// They have asked to be told: their consent is to be kept.
    pub is_asked: bool,
}

impl Asked {
    /// What the payload of a link asks for; `None` for what is no watch.
    pub(super) fn by_link(payload: &str) -> Option<Self> {
        let (aim, which) = watch_link::parse(payload)?;
        let of = match which {
            Which::Token(token) => Of::Token(token),
            Which::Id { source, id } => Of::Id { source, id },
        };
        Some(Self::Make { aim, of, limit: None })
    }

    /// What a button asks for, of its payload without the version.
    pub(super) fn by_tap(payload: &str) -> Option<Self> {
        let make = |aim, token, limit: Option<Amount>| Self::Make {
            aim,
            of: Of::Token(token),
            limit: limit.map(Limit::Amount),
        };
        Some(match Tap::parse(payload)? {
            Tap::Fitting(token) => make(Aim::Fitting, token, None),
            Tap::Stock(token) => make(Aim::Stock, token, None),
            Tap::Price(token, limit) => make(Aim::Price, token, limit),
            Tap::NoStock(of) => Self::Drop { of, wanted: Dropped::Stock },
            Tap::NoPrice(of) => Self::Drop { of, wanted: Dropped::Price },
            Tap::List(after) => Self::List { after },
        })
    }

    /// What stands behind `/watch`: an address or words, and perhaps the most that it may cost.
    pub(super) fn by_words(text: &str) -> Self {
        let text: String = text.chars().take(WORDS_CHARS_MAX).collect();
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let is_link = |word: &&str| word.contains("://") || word.starts_with("www.");
        if let Some(link) = words.iter().copied().find(is_link) {
            words.retain(|word| !is_link(word));
            let limit = limit::find(&words, true).map(|found| found.limit);
            let aim = if limit.is_some() { Aim::Price } else { Aim::Fitting };
            return Self::Make { aim, of: Of::Link(link.to_owned()), limit };
        }
        // Numbers are in many names: without a currency one is a limit only for who has no luck.
        let (limit, words) = match limit::find(&words, false) {
            Some(found) => (Some(found.limit), found.rest),
            None => (None, words),
        };
        let named = words.iter().filter(|word| word.contains(char::is_alphanumeric));
        let words: Vec<String> = named.map(|word| word.to_lowercase()).collect();
        if words.is_empty() {
            return Self::Help;
        }
        let aim = if limit.is_some() { Aim::Price } else { Aim::Fitting };
        Self::Make { aim, of: Of::Words(words), limit }
    }

    /// The same with the last number of its words as a limit, where it has one: for words that are
    /// the name of no product.
    pub(super) fn limited(&self) -> Option<Self> {
        let Self::Make { of: Of::Words(words), limit: None, .. } = self else { return None };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = limit::find(&words, true)?;
        let words: Vec<String> = found.rest.iter().map(|word| (*word).to_owned()).collect();
        let (aim, limit) = (Aim::Price, Some(found.limit));
        (!words.is_empty()).then_some(Self::Make { aim, of: Of::Words(words), limit })
    }
}

/// To be told of a product, by who waits for `own` already.
pub(super) fn make(
    product: &Product,
    aim: Aim,
    limit: Option<&Limit>,
    own: &[Watch],
    language: Option<&str>,
    now: Timestamp,
) -> Said {
    let on = &product.on;
    let title = product.title(language);
    let fits_stock = aim == Aim::Stock || aim == Aim::Fitting && !on.can_be_got();
    let wanted = if fits_stock {
        Wanted::Stock
    } else {
        let at_most = match limit {
            Some(limit) => limit.amount(on.price),
            None => on.price.and_then(below).ok_or(Unusable::Priceless),
        };
        match at_most {
            Ok(at_most) => Wanted::Price { at_most },
            // What can be had and has no price is there.
            Err(Unusable::Priceless) if aim == Aim::Fitting && on.can_be_had() => Wanted::Stock,
            Err(why) => {
                let text = match why {
                    Unusable::NoPrice => &sayings::NO_PRICE,
                    Unusable::Priceless => &sayings::PRICELESS,
                    Unusable::OtherCurrency => &sayings::OTHER_CURRENCY,
                };
                let price = on.price.map(|price| money(price, language)).unwrap_or_default();
                let filled = [("{title}", title.as_str()), ("{price}", &price)];
                return Said::plain(&fill(text, language, &filled));
            }
        }
    };
    if wanted.is_met(on, None) {
        return product.met(wanted, language);
    }
    let is_like = |watch: &&Watch| {
        watch.source == product.source
            && watch.product == product.product
            && watch.variant == product.variant
            && watch.wanted.is_like(wanted)
    };
    if own.len() >= WATCHES_MAX && !own.iter().any(|watch| is_like(&watch)) {
        let count = own.len().to_string();
        return Said::plain(&fill(&sayings::FULL, language, &[("{count}", &count)]));
    }
    let expires_at = now + WATCHED_FOR;
    let watch = Watch {
        id: 0,
        source: product.source.clone(),
        product: product.product,
        variant: product.variant,
        link: product.link_key,
        wanted,
        title: product.title.chars().take(TITLE_CHARS_MAX).collect(),
        price: on.price,
        made_at: now,
        expires_at,
    };
    let token = product.token();
    let day = day(expires_at, language);
    let (text, no) = match wanted {
        Wanted::Stock => (
            fill(&sayings::STOCK_KEPT, language, &[("{title}", &title), ("{day}", &day)]),
            Tap::NoStock(token),
        ),
        Wanted::Price { at_most } => {
            let limit = money(at_most, language);
            let filled = [("{title}", title.as_str()), ("{limit}", &limit), ("{day}", &day)];
            (fill(&sayings::PRICE_KEPT, language, &filled), Tap::NoPrice(token))
        }
    };
    let costs = on
        .price
        .map(|price| fill(&sayings::COSTS, language, &[("{price}", &money(price, language))]));
    let text = costs.map_or_else(|| text.clone(), |costs| format!("{text}\n{costs}"));
    let mut buttons = Vec::new();
    if let (Wanted::Price { at_most }, Some(price)) = (wanted, on.price) {
        for percent in LESS {
            let less = less_by(price, percent);
            if let Some(less) =
                less.filter(|less| less.compare(at_most).is_some_and(|it| it.is_lt()))
            {
                let label = format!("−{percent} %: {}", money(less, language));
                buttons.push(button(&label, Tap::Price(token, Some(less))));
            }
        }
    } else if wanted == Wanted::Stock && on.price.is_some() {
        buttons.push(watch_button(Tap::Price(token, None), language));
    }
    buttons.push(button(say(&sayings::NO_THANKS, language), no));
    Said {
        message: message(&text, buttons),
        words: vec![WatchWord::Make(Box::new(watch))],
        is_asked: true,
    }
}

/// Several products may be meant. Where labels are `short`, the text names them in full.
pub(super) fn choose(
    products: &[Product],
    limit: Option<&Limit>,
    short: bool,
    language: Option<&str>,
) -> Said {
    let mut lines = vec![say(&sayings::CHOOSE, language).to_owned()];
    let mut buttons = Vec::new();
    for (at, product) in products.iter().take(CHOICES_MAX).enumerate() {
        let price = product.on.price.map(|price| format!(" · {}", money(price, language)));
        let mut named = format!("{}{}", product.title(language), price.unwrap_or_default());
        if short {
            named = format!("{}. {named}", at + 1);
            lines.push(named.clone());
        }
        let at_most = limit.and_then(|limit| limit.amount(product.on.price).ok());
        let tap = match at_most {
            Some(at_most) => Tap::Price(product.token(), Some(at_most)),
            None => Tap::Fitting(product.token()),
        };
        buttons.push(button(&named, tap));
    }
    let text = lines.join("\n");
    Said { message: message(&text, buttons), ..Said::default() }
}

/// Nobody knows the product; or, without any `sources`, nothing can be watched here.
pub(super) fn unknown(sources: &[Name], language: Option<&str>) -> Said {
    Said::plain(say(
        if sources.is_empty() { &sayings::NOTHING_WATCHED } else { &sayings::UNKNOWN },
        language,
    ))
}

pub(super) fn help(sources: &[Name], language: Option<&str>) -> Said {
    Said::plain(say(
        if sources.is_empty() { &sayings::NOTHING_WATCHED } else { &sayings::HELP },
        language,
    ))
}

/// Not to be told any more.
pub(super) fn drop_watch(
    of: ProductToken,
    dropped: Dropped,
    own: &[Watch],
    language: Option<&str>,
) -> Said {
    let is_meant = |watch: &&Watch| {
        let kind = match watch.wanted {
            Wanted::Stock => Dropped::Stock,
            Wanted::Price { .. } => Dropped::Price,
        };
        kind == dropped && ProductToken::new(&watch.source, watch.product) == of
    };
    let meant: Vec<&Watch> = own.iter().filter(is_meant).collect();
    let Some(first) = meant.first() else { return Said::plain(say(&sayings::NOT_THERE, language)) };
    let title = titled(&first.title, language);
    let words = meant.iter().map(|watch| WatchWord::End(watch.id)).collect();
    let text = fill(&sayings::DROPPED, language, &[("{title}", &title)]);
    Said { words, ..Said::plain(&text) }
}

/// What somebody waits for, with how each stands with its shop now; `is_more` follows.
pub(super) fn list(watches: &[(Watch, OnOffer)], is_more: bool, language: Option<&str>) -> Said {
    let Some((last, _)) = watches.last() else { return Said::plain(say(&sayings::NONE, language)) };
    let mut lines = vec![say(&sayings::LISTED, language).to_owned()];
    let mut buttons = Vec::new();
    for (at, (watch, on)) in watches.iter().enumerate() {
        let number = at + 1;
        let wanted = match watch.wanted {
            Wanted::Stock => say(&sayings::WHEN_IN_STOCK, language).to_owned(),
            Wanted::Price { at_most } => format!("≤ {}", money(at_most, language)),
        };
        let state = match (on.availability, on.price) {
            (None, _) => format!(" ({})", say(&sayings::NOT_LISTED, language)),
            (Some(_), Some(price)) => format!(" ({})", money(price, language)),
            (Some(_), None) => String::new(),
        };
        let (title, day) = (titled(&watch.title, language), day(watch.expires_at, language));
        let until = say(&sayings::UNTIL, language);
        lines.push(format!("{number}. {title}: {wanted}{state}, {until} {day}"));
        let token = ProductToken::new(&watch.source, watch.product);
        let tap = match watch.wanted {
            Wanted::Stock => Tap::NoStock(token),
            Wanted::Price { .. } => Tap::NoPrice(token),
        };
        buttons.push(button(&format!("✕ {number}. {title}"), tap));
    }
    if is_more {
        buttons.push(button(say(&sayings::MORE, language), Tap::List(last.id)));
    }
    Said { message: message(&lines.join("\n"), buttons), ..Said::default() }
}

impl Product {
    fn title(&self, language: Option<&str>) -> String {
        titled(&self.title, language)
    }

    pub fn token(&self) -> ProductToken {
        ProductToken::new(&self.source, self.product)
    }

    /// What is waited for has come already. Of a price nothing has changed: it is what it is.
    fn met(&self, wanted: Wanted, language: Option<&str>) -> Said {
        let mut message = self.news(wanted).message(language);
        let price = self.on.price.filter(|_| matches!(wanted, Wanted::Price { .. }));
        if let Some(price) = price {
            let (title, price) = (self.title(language), money(price, language));
            let filled = [("{title}", title.as_str()), ("{price}", &price)];
            let told = fill(&sayings::COSTS_ALREADY, language, &filled);
            for module in &mut message.modules {
                if let Module::Text { text, .. } = module {
                    *text = RichText::from_plain(&told);
                }
            }
        }
        Said { message, ..Said::default() }
    }

    /// What it is called, or where it is from.
    pub fn news_title(&self) -> String {
        self.news(Wanted::Stock).title.to_owned()
    }

    /// What is told once it has come.
    pub fn news(&self, wanted: Wanted) -> News<'_> {
        News {
            token: self.token(),
            title: if self.title.is_empty() { self.source.as_str() } else { &self.title },
            link: self.link.as_deref(),
            image: self.image.as_deref(),
            wanted,
            price: self.on.price,
            was: None,
        }
    }
}

impl Said {
    fn plain(text: &str) -> Self {
        Self { message: message(text, Vec::new()), ..Self::default() }
    }
}

fn titled(title: &str, language: Option<&str>) -> String {
    if title.is_empty() {
        say(&sayings::THIS_PRODUCT, language).to_owned()
    } else {
        title.to_owned()
    }
}

fn message(text: &str, buttons: Vec<Button>) -> Message {
    Message::from(vec![Module::Text { text: RichText::from_plain(text), buttons }])
}

fn button(text: &str, tap: Tap) -> Button {
    Button::new(label(text), Action::Postback { payload: tap.to_string() })
}

/// The words with what stands in their places, each put in once: a title may look like a place.
fn fill(words: &Words, language: Option<&str>, places: &[(&str, &str)]) -> String {
    let mut rest = say(words, language);
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        let place = places.iter().find(|(own, _)| own.trim_matches(['{', '}']) == name);
        text.push_str(place.map_or("", |(_, value)| *value));
        rest = behind;
    }
    text + rest
}

#[cfg(test)]
mod tests;
