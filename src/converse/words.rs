//! What the daemon says by itself, in the languages it has.

use std::time::Duration;

use crate::converse::keywords::Keyword;
use crate::model::message::Button;
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;

/// One saying in several languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saying {
    /// Language (BCP 47, lower case) and words; the first serves everybody else.
    pub texts: Vec<(String, String)>,
    /// In which it is set; `None` leaves it plain.
    pub layout: Option<Name>,
}

/// Stands for the titles of a person's topics.
pub(super) const TOPICS: &str = "{topics}";

/// Most titles that are told.
pub(super) const TITLES_MAX: usize = 20;

/// Where there are no topics.
const ALL: Texts = [
    ("en", "all our news"),
    ("ro", "toate noutățile noastre"),
    ("it", "tutte le nostre novità"),
    ("de", "alle unsere Neuigkeiten"),
    ("fr", "toutes nos nouveautés"),
    ("es", "todas nuestras novedades"),
    ("ru", "все наши новости"),
];

/// The words with the titles in their place.
pub(super) fn with_topics(text: &str, titles: &[&str], person: &Subscriber) -> String {
    let topics = match titles.is_empty() {
        true => say(&ALL, person),
        false => titles.join(", "),
    };
    text.replace(TOPICS, &topics)
}

/// A saying of ours: in English, which serves everybody else, and the other languages that we have.
pub(super) type Texts = [(&'static str, &'static str); 7];

/// A saying of ours for somebody.
pub(super) fn say(texts: &Texts, person: &Subscriber) -> String {
    in_language(texts, person.language.as_deref())
}

/// A saying of ours in a language.
pub(super) fn in_language(texts: &Texts, language: Option<&str>) -> String {
    pick(texts, language).map_or("", |text| text).to_owned()
}

/// The buttons below a saying, in several languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// As in [`Saying`].
    pub lists: Vec<(String, Vec<Button>)>,
}

/// All sayings. The editor's words, or the built-in ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// After somebody starts; `{topics}` may stand in it.
    pub welcome: Saying,
    /// Below it, besides the one that stops.
    pub welcome_buttons: Choices,
    /// So many of the newest items follow it.
    pub welcome_items: usize,
    /// After somebody stops.
    pub goodbye: Saying,
    /// To what nobody understands.
    pub default_reply: Saying,
    /// The same, to who has not subscribed.
    pub stranger_reply: Saying,
    /// One person hears it at most this often.
    pub default_reply_every: Duration,
    /// To certain words, the first that fits.
    pub replies: Vec<Keyword>,
    /// On the button that stops.
    pub stop_label: Saying,
    /// On the button that starts again.
    pub start_label: Saying,
    /// Some of what is sent goes by people's own clocks: they are asked for their time zone.
    pub asks_zone: bool,
}

impl Saying {
    pub fn new(texts: &[(&str, &str)]) -> Self {
        let own = |(language, text): &(&str, &str)| ((*language).to_owned(), (*text).to_owned());
        Self { texts: texts.iter().map(own).collect(), layout: None }
    }

    /// The words for a language: exactly it, its main language, or the first there are.
    pub fn in_language(&self, language: Option<&str>) -> &str {
        pick(&self.texts, language).map_or("", String::as_str)
    }

    pub fn to(&self, subscriber: &Subscriber) -> &str {
        self.in_language(subscriber.language.as_deref())
    }
}

impl Choices {
    pub fn to(&self, subscriber: &Subscriber) -> &[Button] {
        pick(&self.lists, subscriber.language.as_deref()).map_or(&[], Vec::as_slice)
    }
}

/// What there is for a language: exactly it, its main language, or the first.
fn pick<'a, L: AsRef<str>, T>(all: &'a [(L, T)], language: Option<&str>) -> Option<&'a T> {
    let main = language.and_then(|language| language.split('-').next());
    let of = |wanted: &str| all.iter().find(|(own, _)| own.as_ref() == wanted);
    let found = language.and_then(of).or_else(|| main.and_then(of));
    found.or_else(|| all.first()).map(|(_, it)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_language_serves_its_regions_and_the_first_serves_the_rest() {
        let saying = Saying::new(&[("en", "hello"), ("ro", "salut")]);
        assert_eq!(saying.in_language(Some("ro")), "salut");
        assert_eq!(saying.in_language(Some("ro-md")), "salut");
        assert_eq!(saying.in_language(Some("fr")), "hello");
        assert_eq!(saying.in_language(None), "hello");
    }
}
