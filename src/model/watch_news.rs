//! What is said when a watch comes true, in the languages that we have.

use crate::model::message::{Action, Button, Medium, Message, Module};
use crate::model::offer::Amount;
use crate::model::product_token::ProductToken;
use crate::model::rich::{Block, Inline, RichText};
use crate::model::watch::{Wanted, below};
use crate::model::watch_tap::Tap;

/// Words in the languages that we have; the first serves everybody else.
pub type Words = [(&'static str, &'static str); 7];

/// Longest label of a button, in characters.
const LABEL_CHARS_MAX: usize = 40;

const IN_STOCK: Words = [
    ("en", "is in stock"),
    ("ro", "este în stoc"),
    ("it", "è disponibile"),
    ("de", "ist wieder da"),
    ("fr", "est en stock"),
    ("es", "está disponible"),
    ("ru", "есть в наличии"),
];

const CHEAPER: Words = [
    ("en", "is cheaper"),
    ("ro", "s-a ieftinit"),
    ("it", "costa meno"),
    ("de", "ist günstiger"),
    ("fr", "coûte moins cher"),
    ("es", "ha bajado de precio"),
    ("ru", "стоит дешевле"),
];

const WAS: Words = [
    ("en", "it was"),
    ("ro", "era"),
    ("it", "era"),
    ("de", "vorher"),
    ("fr", "c’était"),
    ("es", "antes"),
    ("ru", "было"),
];

const OPEN: Words = [
    ("en", "Go to the shop"),
    ("ro", "Spre magazin"),
    ("it", "Vai al negozio"),
    ("de", "Zum Shop"),
    ("fr", "Voir la boutique"),
    ("es", "Ir a la tienda"),
    ("ru", "В магазин"),
];

const CHEAPER_STILL: Words = [
    ("en", "🔔 Tell me if it falls further"),
    ("ro", "🔔 Spune-mi dacă scade mai mult"),
    ("it", "🔔 Avvisami se scende ancora"),
    ("de", "🔔 Sag, wenn es weiter fällt"),
    ("fr", "🔔 Dites-moi s’il baisse encore"),
    ("es", "🔔 Avísame si baja más"),
    ("ru", "🔔 Сообщить, если ещё дешевле"),
];

/// On the buttons of posts.
const TELL_STOCK: Words = [
    ("en", "🔔 Tell me when in stock"),
    ("ro", "🔔 Spune-mi când e în stoc"),
    ("it", "🔔 Avvisami quando c’è"),
    ("de", "🔔 Sag, wenn es da ist"),
    ("fr", "🔔 Prévenir quand il est là"),
    ("es", "🔔 Avísame cuando esté"),
    ("ru", "🔔 Сообщить о наличии"),
];

const TELL_CHEAPER: Words = [
    ("en", "🔔 Tell me if cheaper"),
    ("ro", "🔔 Spune-mi dacă se ieftinește"),
    ("it", "🔔 Avvisami se costa meno"),
    ("de", "🔔 Sag, wenn günstiger"),
    ("fr", "🔔 Prévenir si le prix baisse"),
    ("es", "🔔 Avísame si baja"),
    ("ru", "🔔 Сообщить о снижении"),
];

/// The languages of [`watch_button`], but the one that serves everybody else.
pub fn button_languages() -> impl Iterator<Item = &'static str> {
    TELL_STOCK.iter().skip(1).map(|(language, _)| *language)
}

/// The button that watches a product, below whatever tells of it.
pub fn watch_button(tap: Tap, language: Option<&str>) -> Button {
    let words = if matches!(tap, Tap::Stock(_)) { TELL_STOCK } else { TELL_CHEAPER };
    Button::new(label(say(&words, language)), Action::Postback { payload: tap.to_string() })
}

/// A product as it is told.
#[derive(Clone, Debug)]
pub struct News<'a> {
    pub token: ProductToken,
    pub title: &'a str,
    /// Absolute http or https addresses.
    pub link: Option<&'a str>,
    pub image: Option<&'a str>,
    pub wanted: Wanted,
    pub price: Option<Amount>,
    /// What it cost when the watch was made, if all who are told have that in common.
    pub was: Option<Amount>,
}

impl News<'_> {
    /// The message in each language.
    pub fn messages(&self) -> Vec<(String, Message)> {
        let languages = IN_STOCK.iter().map(|(language, _)| *language);
        languages.map(|language| (language.to_owned(), self.message(Some(language)))).collect()
    }

    /// The message in the language that is nearest.
    pub fn message(&self, language: Option<&str>) -> Message {
        let told = match self.wanted {
            Wanted::Stock => IN_STOCK,
            Wanted::Price { .. } => CHEAPER,
        };
        let mut words = vec![
            Inline::Text("🔔 ".to_owned()),
            Inline::Bold(vec![Inline::Text(self.title.to_owned())]),
            Inline::Text(format!(" {}", say(&told, language))),
        ];
        if let Some(price) = self.price {
            let was = self.was.filter(|was| *was != price);
            let was = was.map(|was| format!(" ({} {was})", say(&WAS, language)));
            words.push(Inline::Text(format!(": {price}{}", was.unwrap_or_default())));
        }
        let mut buttons = Vec::new();
        if let Some(link) = self.link {
            let action = Action::Open { url: link.to_owned() };
            buttons.push(Button::new(say(&OPEN, language), action));
        }
        if let (Wanted::Price { .. }, Some(less)) = (self.wanted, self.price.and_then(below)) {
            let payload = Tap::Price(self.token, Some(less)).to_string();
            let label = label(say(&CHEAPER_STILL, language));
            buttons.push(Button::new(label, Action::Postback { payload }));
        }
        let text = RichText { blocks: vec![Block::Paragraph(words)] };
        let mut modules = Vec::new();
        modules.extend(self.image.map(|image| Module::Media(Medium::image(image, self.title))));
        modules.push(Module::Text { text, buttons });
        Message::from(modules)
    }
}

/// The words for a language: exactly it, its main language, or the first there are.
pub fn say(words: &Words, language: Option<&str>) -> &'static str {
    let main = language.and_then(|language| language.split('-').next());
    let found = main.and_then(|main| words.iter().find(|(own, _)| *own == main));
    found.or(words.first()).map_or("", |(_, text)| *text)
}

/// A button's label.
pub fn label(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(LABEL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    #[test]
    fn what_has_come_true_is_told_in_each_language() {
        let eur = |cents| Amount::new(cents, 2, "EUR".parse().ok());
        let news = News {
            token: ProductToken::new(&Name::parse("shop").unwrap(), 7),
            title: "Kettle",
            link: Some("https://shop.example/kettle"),
            image: None,
            wanted: Wanted::Price { at_most: eur(1_999).unwrap() },
            price: eur(1_500),
            was: eur(2_000),
        };
        let text = |message: &Message| match &message.modules[..] {
            [Module::Text { text, buttons }] => (text.plain(), buttons.len()),
            other => panic!("{other:?}"),
        };
        let told = text(&news.message(Some("en-gb")));
        assert_eq!(told, ("🔔 Kettle is cheaper: 15.00 EUR (it was 20.00 EUR)".into(), 2));
        let stock = News { wanted: Wanted::Stock, was: None, ..news };
        let told = text(&stock.message(Some("ro")));
        assert_eq!(told, ("🔔 Kettle este în stoc: 15.00 EUR".into(), 1));
        let messages = stock.messages();
        assert_eq!(messages.len(), 7);
        assert!(messages.iter().all(|(_, message)| !message.modules.is_empty()));
    }
}
