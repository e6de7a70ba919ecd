//! What the daemon says by itself, in the languages it has.

use crate::model::subscriber::Subscriber;

/// One saying in several languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saying {
    /// Language (BCP 47, lower case) and words; the first serves everybody else.
    pub texts: Vec<(String, String)>,
}

/// All sayings. The editor's words, or the built-in ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// After somebody starts.
    pub welcome: Saying,
    /// After somebody stops.
    pub goodbye: Saying,
    /// To what nobody understands.
    pub default_reply: Saying,
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
        Self { texts: texts.iter().map(own).collect() }
    }

    /// The words for a language: exactly it, its main language, or the first there are.
    pub fn in_language(&self, language: Option<&str>) -> &str {
        let main = language.and_then(|language| language.split('-').next());
        let of = |wanted: &str| self.texts.iter().find(|(own, _)| own == wanted);
        language
            .and_then(of)
            .or_else(|| main.and_then(of))
            .or_else(|| self.texts.first())
            .map_or("", |(_, text)| text)
    }

    pub fn to(&self, subscriber: &Subscriber) -> &str {
        self.in_language(subscriber.language.as_deref())
    }
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
