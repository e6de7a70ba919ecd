//! Links that open the chat and say which topics are wanted.
//!
//! Sources: Telegram, "Deep linking" (`start`, `startgroup`); Messenger Platform, "m.me links".

use url::Url;

use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::start;

/// Where the people of a channel write: what its links are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The bot's user name, without the `@`.
    Telegram { bot: String },
    /// The page's number or its name.
    Messenger { page: String },
}

/// The names of the topics are too long for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the names of these topics come to {bytes} characters, a Telegram link takes {}: fewer topics, \
     or none for all",
    start::TELEGRAM_BYTES_MAX
)]
pub struct TooLong {
    pub bytes: usize,
}

impl Way {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Telegram { .. } => ChannelKind::Telegram,
            Self::Messenger { .. } => ChannelKind::Messenger,
        }
    }

    /// Opens the chat with the person, for these topics or, where none is named, for all.
    ///
    /// # Errors
    /// [`TooLong`], on Telegram.
    pub fn chat(&self, topics: &[Name]) -> Result<String, TooLong> {
        let payload = start::payload(topics);
        match self {
            Self::Telegram { bot } => telegram(bot, "start", payload.as_deref()),
            Self::Messenger { page } => {
                Ok(address("https://m.me/", page, "ref", payload.as_deref()))
            }
        }
    }

    /// Opens the chat with the person, and says this.
    ///
    /// # Errors
    /// [`TooLong`], on Telegram.
    pub fn saying(&self, payload: &str) -> Result<String, TooLong> {
        match self {
            Self::Telegram { bot } => telegram(bot, "start", Some(payload)),
            Self::Messenger { page } => Ok(address("https://m.me/", page, "ref", Some(payload))),
        }
    }

    /// Has the person choose a group that the bot joins; `None` where there are no such links.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn group(&self, topics: &[Name]) -> Option<Result<String, TooLong>> {
        match self {
            // Without something to say the key alone asks for a group.
            Self::Telegram { bot } => {
                Some(telegram(bot, "startgroup", Some(&start::payload(topics).unwrap_or_default())))
            }
            Self::Messenger { .. } => None,
        }
    }
}

fn telegram(bot: &str, key: &str, payload: Option<&str>) -> Result<String, TooLong> {
    let bytes = payload.map_or(0, str::len);
    if bytes > start::TELEGRAM_BYTES_MAX {
        return Err(TooLong { bytes });
    }
    Ok(address("https://t.me/", bot, key, payload))
}

/// The name becomes one segment of the path, whatever is in it.
fn address(base: &str, name: &str, key: &str, payload: Option<&str>) -> String {
    let Ok(mut url) = Url::parse(base) else { return base.to_owned() };
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push(name);
    }
    match payload {
        None => {}
        Some("") => url.set_query(Some(key)),
        Some(payload) => {
            url.query_pairs_mut().append_pair(key, payload);
        }
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::parse(name).unwrap()).collect()
    }

    #[test]
    fn a_link_opens_the_chat_for_its_topics() {
        let telegram = Way::Telegram { bot: "harbour_bot".into() };
        let messenger = Way::Messenger { page: "100200300".into() };
        for (topics, at_telegram, at_messenger) in [
            (vec![], "https://t.me/harbour_bot", "https://m.me/100200300"),
            (
                names(&["news"]),
                "https://t.me/harbour_bot?start=news",
                "https://m.me/100200300?ref=news",
            ),
            (
                names(&["news", "price-drops_2"]),
                "https://t.me/harbour_bot?start=newsANDprice-drops_2",
                "https://m.me/100200300?ref=newsANDprice-drops_2",
            ),
        ] {
            assert_eq!(telegram.chat(&topics).unwrap(), at_telegram);
            assert_eq!(messenger.chat(&topics).unwrap(), at_messenger);
        }
    }

    #[test]
    fn a_group_is_for_telegram_alone() {
        let telegram = Way::Telegram { bot: "harbour_bot".into() };
        let group = |topics: &[&str]| telegram.group(&names(topics)).unwrap().unwrap();
        assert_eq!(group(&["news"]), "https://t.me/harbour_bot?startgroup=news");
        assert_eq!(group(&[]), "https://t.me/harbour_bot?startgroup");
        assert_eq!(Way::Messenger { page: "1".into() }.group(&[]), None);
    }

    #[test]
    fn what_a_link_says_fits_or_is_refused() {
        let (telegram, messenger) =
            (Way::Telegram { bot: "b".into() }, Way::Messenger { page: "1".into() });
        let (full, more) = ("a".repeat(64), "b".to_owned());
        assert!(telegram.chat(&names(&[&full])).is_ok());
        assert_eq!(telegram.chat(&names(&[&full, &more])), Err(TooLong { bytes: 68 }));
        assert_eq!(telegram.group(&names(&[&full, &more])), Some(Err(TooLong { bytes: 68 })));
        assert!(messenger.chat(&names(&[&full, &more])).is_ok());
    }

    #[test]
    fn sec_f10_a_name_stays_one_segment() {
        let odd = Way::Messenger { page: "../evil?x=1#".into() };
        assert_eq!(odd.chat(&[]).unwrap(), "https://m.me/..%2Fevil%3Fx=1%23");
    }
}
