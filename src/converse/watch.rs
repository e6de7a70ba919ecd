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

/// Watches that one message lists.
pub(super) const LISTED_MAX: usize = 8;

/// Products that are offered to choose from.
pub(super) const CHOICES_MAX: usize = 6;

/// Longest words that products are looked for by, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// By how much less a price is offered to be watched.
const LESS: [u8; 2] = [5, 15];

const STOCK_KEPT: Words = [
    ("en", "🔔 I’ll tell you when this is in stock: {title}. I’ll look until {day}."),
    ("ro", "🔔 Îți spun când e în stoc: {title}. Urmăresc până la {day}."),
    ("it", "🔔 Ti avviso quando è disponibile: {title}. Controllo fino al {day}."),
    ("de", "🔔 Ich sage Bescheid, wenn es da ist: {title}. Ich schaue bis {day}."),
    ("fr", "🔔 Je vous préviens dès que c’est en stock : {title}. Je surveille jusqu’au {day}."),
    ("es", "🔔 Te aviso cuando esté disponible: {title}. Miro hasta el {day}."),
    ("ru", "🔔 Сообщу, когда появится в наличии: {title}. Слежу до {day}."),
];

const PRICE_KEPT: Words = [
    ("en", "🔔 {title}: I’ll tell you when it costs {limit} or less. I’ll look until {day}."),
    ("ro", "🔔 {title}: îți spun când costă {limit} sau mai puțin. Urmăresc până la {day}."),
    ("it", "🔔 {title}: ti avviso quando costa {limit} o meno. Controllo fino al {day}."),
    (
        "de",
        "🔔 {title}: Ich sage Bescheid, wenn es {limit} oder weniger kostet. Ich schaue bis {day}.",
    ),
    (
        "fr",
        "🔔 {title} : je vous préviens dès que le prix est de {limit} ou moins. Je surveille jusqu’au {day}.",
    ),
    ("es", "🔔 {title}: te aviso cuando cueste {limit} o menos. Miro hasta el {day}."),
    ("ru", "🔔 {title}: сообщу, когда цена будет {limit} или ниже. Слежу до {day}."),
];

const COSTS: Words = [
    ("en", "It costs {price} now."),
    ("ro", "Acum costă {price}."),
    ("it", "Ora costa {price}."),
    ("de", "Jetzt kostet es {price}."),
    ("fr", "Il coûte {price} actuellement."),
    ("es", "Ahora cuesta {price}."),
    ("ru", "Сейчас стоит {price}."),
];

const PRICELESS: Words = [
    ("en", "I don’t know what {title} costs, so I can’t tell when it is cheaper."),
    ("ro", "Nu știu cât costă {title}, așa că nu pot spune când se ieftinește."),
    ("it", "Non so quanto costa {title}, quindi non posso dire quando costa meno."),
    ("de", "Ich weiß nicht, was {title} kostet, also auch nicht, wann es günstiger ist."),
    ("fr", "Je ne connais pas le prix de {title} : je ne peux pas dire quand il baisse."),
    ("es", "No sé cuánto cuesta {title}, así que no puedo decir cuándo baja."),
    ("ru", "Я не знаю, сколько стоит {title}, и не смогу сказать, когда подешевеет."),
];

const UNKNOWN: Words = [
    ("en", "I don’t know this product (any more). You can send me its link: /watch https://…"),
    ("ro", "Nu (mai) cunosc acest produs. Poți să-mi trimiți linkul lui: /watch https://…"),
    ("it", "Non conosco (più) questo prodotto. Puoi mandarmi il suo link: /watch https://…"),
    ("de", "Dieses Produkt kenne ich nicht (mehr). Schick mir seinen Link: /watch https://…"),
    ("fr", "Je ne connais pas (ou plus) ce produit. Envoyez-moi son lien : /watch https://…"),
    ("es", "No conozco (ya) este producto. Puedes enviarme su enlace: /watch https://…"),
    ("ru", "Я не знаю такого товара (больше). Пришлите ссылку на него: /watch https://…"),
];

const HELP: Words = [
    (
        "en",
        "I can watch a product and tell you when it is in stock or cheaper. Send me its link, or words of its name: /watch https://… or /watch red kettle. /watches shows what you wait for.",
    ),
    (
        "ro",
        "Pot urmări un produs și îți spun când e în stoc sau se ieftinește. Trimite-mi linkul sau cuvinte din nume: /watch https://… sau /watch ceainic roșu. /watches arată ce aștepți.",
    ),
    (
        "it",
        "Posso seguire un prodotto e dirti quando è disponibile o costa meno. Mandami il link o parole del nome: /watch https://… o /watch bollitore rosso. /watches mostra cosa aspetti.",
    ),
    (
        "de",
        "Ich kann ein Produkt beobachten und sagen, wenn es da oder günstiger ist. Schick mir den Link oder Wörter des Namens: /watch https://… oder /watch roter Kessel. /watches zeigt, worauf du wartest.",
    ),
    (
        "fr",
        "Je peux surveiller un produit et vous dire quand il est en stock ou moins cher. Envoyez-moi son lien ou des mots de son nom : /watch https://… ou /watch bouilloire rouge. /watches montre ce que vous attendez.",
    ),
    (
        "es",
        "Puedo vigilar un producto y avisarte cuando esté disponible o más barato. Envíame su enlace o palabras de su nombre: /watch https://… o /watch tetera roja. /watches muestra lo que esperas.",
    ),
    (
        "ru",
        "Я могу следить за товаром и сообщить, когда он появится или подешевеет. Пришлите ссылку или слова из названия: /watch https://… или /watch красный чайник. /watches покажет, чего вы ждёте.",
    ),
];

const NOTHING_WATCHED: Words = [
    ("en", "Products can’t be watched here."),
    ("ro", "Aici nu se pot urmări produse."),
    ("it", "Qui non si possono seguire prodotti."),
    ("de", "Hier lassen sich keine Produkte beobachten."),
    ("fr", "On ne peut pas surveiller de produits ici."),
    ("es", "Aquí no se pueden vigilar productos."),
    ("ru", "Здесь нельзя следить за товарами."),
];

const CHOOSE: Words = [
    ("en", "Which one do you mean?"),
    ("ro", "Pe care îl vrei?"),
    ("it", "Quale intendi?"),
    ("de", "Welches meinst du?"),
    ("fr", "Lequel voulez-vous ?"),
    ("es", "¿Cuál quieres?"),
    ("ru", "Какой из них?"),
];

const FULL: Words = [
    (
        "en",
        "You wait for {count} things already, and more is too much for me. End one first: /watches",
    ),
    ("ro", "Aștepți deja {count} lucruri, mai multe nu pot ține. Renunță întâi la unul: /watches"),
    ("it", "Aspetti già {count} cose, di più non ne tengo. Togline prima una: /watches"),
    (
        "de",
        "Du wartest schon auf {count} Dinge, mehr kann ich nicht behalten. Beende erst eines: /watches",
    ),
    (
        "fr",
        "Vous attendez déjà {count} choses, je ne peux en garder plus. Retirez-en une d’abord : /watches",
    ),
    ("es", "Ya esperas {count} cosas y no puedo con más. Quita antes una: /watches"),
    ("ru", "Вы уже ждёте {count} товаров, больше не могу. Сначала уберите один: /watches"),
];

const DROPPED: Words = [
    ("en", "All right, I’ll stop looking at {title}."),
    ("ro", "Bine, nu mai urmăresc {title}."),
    ("it", "Va bene, non seguo più {title}."),
    ("de", "Gut, {title} beobachte ich nicht mehr."),
    ("fr", "D’accord, je ne surveille plus {title}."),
    ("es", "Vale, ya no vigilo {title}."),
    ("ru", "Хорошо, больше не слежу: {title}."),
];

const NOT_THERE: Words = [
    ("en", "I’m not looking at this any more."),
    ("ro", "Nu mai urmăresc acest produs."),
    ("it", "Non lo seguo più."),
    ("de", "Das beobachte ich nicht mehr."),
    ("fr", "Je ne le surveille plus."),
    ("es", "Ya no lo vigilo."),
    ("ru", "За этим я больше не слежу."),
];

const NONE: Words = [
    ("en", "You wait for nothing. /watch tells how to."),
    ("ro", "Nu aștepți nimic. /watch îți spune cum."),
    ("it", "Non aspetti nulla. /watch spiega come."),
    ("de", "Du wartest auf nichts. /watch sagt, wie es geht."),
    ("fr", "Vous n’attendez rien. /watch explique comment faire."),
    ("es", "No esperas nada. /watch explica cómo."),
    ("ru", "Вы ничего не ждёте. /watch подскажет, как."),
];

const LISTED: Words = [
    ("en", "What you wait for:"),
    ("ro", "Ce aștepți:"),
    ("it", "Cosa aspetti:"),
    ("de", "Darauf wartest du:"),
    ("fr", "Ce que vous attendez :"),
    ("es", "Lo que esperas:"),
    ("ru", "Чего вы ждёте:"),
];

const WHEN_IN_STOCK: Words = [
    ("en", "in stock"),
    ("ro", "în stoc"),
    ("it", "disponibile"),
    ("de", "vorrätig"),
    ("fr", "en stock"),
    ("es", "disponible"),
    ("ru", "в наличии"),
];

const UNTIL: Words = [
    ("en", "until"),
    ("ro", "până la"),
    ("it", "fino al"),
    ("de", "bis"),
    ("fr", "jusqu’au"),
    ("es", "hasta el"),
    ("ru", "до"),
];

const NOT_LISTED: Words = [
    ("en", "not in the shop now"),
    ("ro", "acum nu e în magazin"),
    ("it", "ora non è nel negozio"),
    ("de", "zurzeit nicht im Shop"),
    ("fr", "absent de la boutique"),
    ("es", "ahora no está en la tienda"),
    ("ru", "сейчас нет в магазине"),
];

const THIS_PRODUCT: Words = [
    ("en", "this product"),
    ("ro", "acest produs"),
    ("it", "questo prodotto"),
    ("de", "dieses Produkt"),
    ("fr", "ce produit"),
    ("es", "este producto"),
    ("ru", "этот товар"),
];

const NO_THANKS: Words = [
    ("en", "No, thanks"),
    ("ro", "Nu, mulțumesc"),
    ("it", "No, grazie"),
    ("de", "Nein, danke"),
    ("fr", "Non, merci"),
    ("es", "No, gracias"),
    ("ru", "Не надо"),
];

const MORE: Words = [
    ("en", "More"),
    ("ro", "Mai multe"),
    ("it", "Altri"),
    ("de", "Mehr"),
    ("fr", "Plus"),
    ("es", "Más"),
    ("ru", "Ещё"),
];

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
            None => return Said::plain(&fill(&PRICELESS, language, &[("{title}", &title)])),
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
        return Said::plain(&fill(&FULL, language, &[("{count}", &count)]));
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
            fill(&STOCK_KEPT, language, &[("{title}", &title), ("{day}", &day)]),
            Tap::NoStock(token),
        ),
        Wanted::Price { at_most } => {
            let limit = at_most.to_string();
            let filled = [("{title}", title.as_str()), ("{limit}", &limit), ("{day}", &day)];
            (fill(&PRICE_KEPT, language, &filled), Tap::NoPrice(token))
        }
    };
    let costs = on.price.map(|price| fill(&COSTS, language, &[("{price}", &price.to_string())]));
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
    buttons.push(button(say(&NO_THANKS, language), no));
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
    Said { message: message(say(&CHOOSE, language), buttons.collect()), ..Said::default() }
}

/// Nobody knows the product; or, without any `sources`, nothing can be watched here.
pub(super) fn unknown(sources: &[Name], language: Option<&str>) -> Said {
    Said::plain(say(if sources.is_empty() { &NOTHING_WATCHED } else { &UNKNOWN }, language))
}

pub(super) fn help(sources: &[Name], language: Option<&str>) -> Said {
    Said::plain(say(if sources.is_empty() { &NOTHING_WATCHED } else { &HELP }, language))
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
    let Some(first) = meant.first() else { return Said::plain(say(&NOT_THERE, language)) };
    let title = titled(&first.title, language);
    let words = meant.iter().map(|watch| WatchWord::End(watch.id)).collect();
    let text = fill(&DROPPED, language, &[("{title}", &title)]);
    Said { words, ..Said::plain(&text) }
}

/// What somebody waits for, with how each stands with its shop now; `is_more` follows.
pub(super) fn list(watches: &[(Watch, OnOffer)], is_more: bool, language: Option<&str>) -> Said {
    let Some((last, _)) = watches.last() else { return Said::plain(say(&NONE, language)) };
    let mut lines = vec![say(&LISTED, language).to_owned()];
    let mut buttons = Vec::new();
    for (at, (watch, on)) in watches.iter().enumerate() {
        let number = at + 1;
        let wanted = match watch.wanted {
            Wanted::Stock => say(&WHEN_IN_STOCK, language).to_owned(),
            Wanted::Price { at_most } => format!("≤ {at_most}"),
        };
        let state = match (on.availability, on.price) {
            (None, _) => format!(" ({})", say(&NOT_LISTED, language)),
            (Some(_), Some(price)) => format!(" ({price})"),
            (Some(_), None) => String::new(),
        };
        let (title, day) = (titled(&watch.title, language), day(watch.expires_at));
        let until = say(&UNTIL, language);
        lines.push(format!("{number}. {title}: {wanted}{state}, {until} {day}"));
        let token = ProductToken::new(&watch.source, watch.product);
        let tap = match watch.wanted {
            Wanted::Stock => Tap::NoStock(token),
            Wanted::Price { .. } => Tap::NoPrice(token),
        };
        buttons.push(button(&format!("✕ {number}. {title}"), tap));
    }
    if is_more {
        buttons.push(button(say(&MORE, language), Tap::List(last.id)));
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
    if title.is_empty() { say(&THIS_PRODUCT, language).to_owned() } else { title.to_owned() }
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
mod tests {
    use super::*;
    use crate::model::offer::Availability;

    const NOW: Timestamp = Timestamp::from_millis(1_795_478_400_000);

    fn eur(cents: i64) -> Amount {
        Amount::new(cents, 2, "EUR".parse().ok()).unwrap()
    }

    fn product(availability: Option<Availability>, cents: Option<i64>) -> Product {
        Product {
            source: Name::parse("shop").unwrap(),
            product: 7,
            variant: None,
            title: "Kettle".into(),
            link: Some("https://shop.example/kettle".into()),
            image: None,
            link_key: 9,
            on: OnOffer { availability, price: cents.map(eur), left: None },
        }
    }

    fn text(said: &Said) -> (String, Vec<String>) {
        match &said.message.modules[..] {
            [Module::Text { text, buttons }] => {
                let payload = |button: &Button| match &button.action {
                    Action::Postback { payload } => payload.clone(),
                    Action::Open { url } => url.clone(),
                    Action::Copy { text } => text.clone(),
                };
                (text.plain(), buttons.iter().map(payload).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    fn made(said: &Said) -> Option<Wanted> {
        match &said.words[..] {
            [WatchWord::Make(watch)] => Some(watch.wanted),
            [] => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_fits_is_watched_and_what_has_come_is_told_at_once() {
        use Availability::{InStock, OutOfStock, Preorder};
        let price = |cents| Wanted::Price { at_most: eur(cents) };
        for (aim, availability, cents, expected, words) in [
            (Aim::Fitting, Some(OutOfStock), Some(2_000), Some(Wanted::Stock), "in stock: Kettle"),
            (Aim::Fitting, None, None, Some(Wanted::Stock), "in stock: Kettle"),
            (
                Aim::Fitting,
                Some(InStock),
                Some(2_000),
                Some(price(1_999)),
                "costs 19.99 EUR or less",
            ),
            (Aim::Fitting, Some(InStock), None, None, "Kettle is in stock"),
            (
                Aim::Fitting,
                Some(Preorder),
                Some(2_000),
                Some(price(1_999)),
                "It costs 20.00 EUR now.",
            ),
            (Aim::Stock, Some(InStock), Some(2_000), None, "Kettle is in stock: 20.00 EUR"),
            (Aim::Stock, Some(Preorder), Some(2_000), Some(Wanted::Stock), "in stock: Kettle"),
            (Aim::Price, Some(OutOfStock), Some(2_000), Some(price(1_999)), "19.99 EUR"),
            (Aim::Price, Some(OutOfStock), None, None, "I don’t know what Kettle costs"),
        ] {
            let said = make(&product(availability, cents), aim, None, &[], None, NOW);
            let (told, _) = text(&said);
            assert_eq!(made(&said), expected, "{told}");
            assert_eq!(said.is_asked, expected.is_some());
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn a_limit_is_in_the_products_currency() {
        let shop = product(Some(Availability::InStock), Some(2_000));
        let asked = |text| match Asked::by_words(text) {
            Asked::Make { aim, limit, .. } => make(&shop, aim, limit.as_ref(), &[], None, NOW),
            other => panic!("{other:?}"),
        };
        let said = asked("https://shop.example/kettle 15,5");
        assert_eq!(made(&said), Some(Wanted::Price { at_most: eur(1_550) }));
        let (_, buttons) = text(&said);
        assert!(buttons.iter().all(|it| it.len() <= 64) && buttons.len() == 1, "{buttons:?}");
        let said = asked("https://shop.example/kettle 25");
        assert_eq!(made(&said), None);
        assert!(text(&said).0.contains("Kettle is cheaper: 20.00 EUR"));
        let said = asked("https://shop.example/kettle");
        assert_eq!(text(&said).1.len(), 3, "two lower prices, and no");
    }

    #[test]
    fn words_and_links_are_told_apart() {
        let words = |words: &[&str]| Asked::Make {
            aim: Aim::Fitting,
            of: Of::Words(words.iter().map(|&word| word.to_owned()).collect()),
            limit: None,
        };
        assert_eq!(Asked::by_words("Red  Kettle 2"), words(&["red", "kettle", "2"]));
        assert_eq!(Asked::by_words(" ! "), Asked::Help);
        assert_eq!(Asked::by_words(""), Asked::Help);
        assert_eq!(Asked::by_link("news"), None);
        let by_link = Asked::by_link("STOCKshopP1").unwrap();
        assert!(matches!(by_link, Asked::Make { aim: Aim::Stock, of: Of::Id { .. }, .. }));
    }

    #[test]
    fn nobody_waits_for_more_than_fits_and_the_same_again_is_no_more() {
        let out = product(Some(Availability::OutOfStock), Some(2_000));
        let said = make(&out, Aim::Stock, None, &[], None, NOW);
        let [WatchWord::Make(watch)] = &said.words[..] else { panic!("one watch") };
        let others: Vec<Watch> =
            (0..50).map(|id| Watch { id, product: id, ..(**watch).clone() }).collect();
        let again = make(&out, Aim::Stock, None, &others, None, NOW);
        assert_eq!(made(&again), Some(Wanted::Stock));
        let full = make(&Product { product: 99, ..out }, Aim::Stock, None, &others, None, NOW);
        assert_eq!(made(&full), None);
        assert!(text(&full).0.contains("50 things"), "{full:?}");
    }

    #[test]
    fn what_is_waited_for_is_listed_with_its_end() {
        let out = product(Some(Availability::OutOfStock), Some(2_000));
        let said = make(&out, Aim::Stock, None, &[], None, NOW);
        let [WatchWord::Make(watch)] = &said.words[..] else { panic!("one watch") };
        let gone =
            Watch { id: 5, wanted: Wanted::Price { at_most: eur(100) }, ..(**watch).clone() };
        let own = [((**watch).clone(), out.on), (gone.clone(), OnOffer::default())];
        let (told, buttons) = text(&list(&own, true, None));
        assert!(told.contains("1. Kettle: in stock (20.00 EUR), until 2027-02-22"), "{told}");
        assert!(told.contains("2. Kettle: ≤ 1.00 EUR (not in the shop now)"), "{told}");
        let token = out.token();
        let expected = [format!("1:w:x:s:{token}"), format!("1:w:x:p:{token}"), "1:w:l:5".into()];
        assert_eq!(buttons, expected);
        assert!(text(&list(&[], false, Some("de"))).0.contains("auf nichts"));

        let dropped = drop_watch(token, Dropped::Price, &[(**watch).clone(), gone], None);
        assert_eq!(dropped.words, [WatchWord::End(5)]);
        let again = drop_watch(token, Dropped::Price, &[(**watch).clone()], None);
        assert!(again.words.is_empty() && text(&again).0.contains("not looking"), "{again:?}");
    }

    #[test]
    fn a_title_is_no_place_to_be_filled() {
        let shop = Product {
            title: "{limit} {day}".into(),
            ..product(Some(Availability::InStock), Some(2_000))
        };
        let (told, _) = text(&make(&shop, Aim::Price, None, &[], None, NOW));
        assert!(told.contains("{limit} {day}: I’ll tell you"), "{told}");
    }
}
