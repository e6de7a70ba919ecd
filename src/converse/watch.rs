//! Watches in the chat: what is asked for, and what is answered. Pure.
//!
//! What must be looked up (a product, what somebody waits for already) is an argument; the
//! answer comes with what it changes.

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
use crate::store::WatchWord;

mod sayings;

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

/// The most that it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    Amount(Amount),
    /// As it was written, in the product's own currency.
    Number(String),
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
        let is_link = |word: &str| word.contains("://") || word.starts_with("www.");
        let is_number =
            |word: &&str| word.bytes().all(|c| c.is_ascii_digit() || c == b'.' || c == b',');
        let link = words.iter().find(|word| is_link(word)).map(|word| (*word).to_owned());
        if let Some(link) = link {
            let limit = words.last().copied().filter(is_number);
            let limit = limit.map(|number| Limit::Number(number.replace(',', ".")));
            let aim = if limit.is_some() { Aim::Price } else { Aim::Fitting };
            return Self::Make { aim, of: Of::Link(link), limit };
        }
        words.retain(|word| word.chars().any(char::is_alphanumeric));
        if words.is_empty() {
            return Self::Help;
        }
        let words = words.iter().map(|word| word.to_lowercase()).collect();
        Self::Make { aim: Aim::Fitting, of: Of::Words(words), limit: None }
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
        let limit = match limit {
            Some(limit) => limit.amount(on.price),
            None => on.price.and_then(below),
        };
        match limit {
            Some(at_most) => Wanted::Price { at_most },
            // What can be had and has no price is there.
            None if aim == Aim::Fitting && on.can_be_had() => Wanted::Stock,
            None => {
                return Said::plain(&fill(&sayings::PRICELESS, language, &[("{title}", &title)]));
            }
        }
    };
    if wanted.is_met(on, None) {
        return Said { message: product.news(wanted).message(language), ..Said::default() };
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
    let day = day(expires_at);
    let (text, no) = match wanted {
        Wanted::Stock => (
            fill(&sayings::STOCK_KEPT, language, &[("{title}", &title), ("{day}", &day)]),
            Tap::NoStock(token),
        ),
        Wanted::Price { at_most } => {
            let limit = at_most.to_string();
            let filled = [("{title}", title.as_str()), ("{limit}", &limit), ("{day}", &day)];
            (fill(&sayings::PRICE_KEPT, language, &filled), Tap::NoPrice(token))
        }
    };
    let costs =
        on.price.map(|price| fill(&sayings::COSTS, language, &[("{price}", &price.to_string())]));
    let text = costs.map_or_else(|| text.clone(), |costs| format!("{text}\n{costs}"));
    let mut buttons = Vec::new();
    if let (Wanted::Price { at_most }, Some(price)) = (wanted, on.price) {
        for percent in LESS {
            let less = less_by(price, percent);
            if let Some(less) =
                less.filter(|less| less.compare(at_most).is_some_and(|it| it.is_lt()))
            {
                buttons
                    .push(button(&format!("−{percent} %: {less}"), Tap::Price(token, Some(less))));
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

/// Several products may be meant.
pub(super) fn choose(products: &[Product], language: Option<&str>) -> Said {
    let buttons = products.iter().take(CHOICES_MAX).map(|product| {
        let price = product.on.price.map(|price| format!(" · {price}")).unwrap_or_default();
        let text = format!("{}{price}", product.title(language));
        button(&text, Tap::Fitting(product.token()))
    });
    Said { message: message(say(&sayings::CHOOSE, language), buttons.collect()), ..Said::default() }
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
            Wanted::Price { at_most } => format!("≤ {at_most}"),
        };
        let state = match (on.availability, on.price) {
            (None, _) => format!(" ({})", say(&sayings::NOT_LISTED, language)),
            (Some(_), Some(price)) => format!(" ({price})"),
            (Some(_), None) => String::new(),
        };
        let (title, day) = (titled(&watch.title, language), day(watch.expires_at));
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

impl Limit {
    fn amount(&self, price: Option<Amount>) -> Option<Amount> {
        match self {
            Self::Amount(amount) => Some(*amount),
            Self::Number(number) => {
                let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
                let units = format!("{whole}{fraction}").parse().ok()?;
                let scale = u8::try_from(fraction.len()).ok()?;
                let amount = Amount::new(units, scale, price?.currency())?;
                amount.is_positive().then_some(amount)
            }
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

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests;
