//! Who of a channel's subscribers a post is for: those of its topics whom its rule wants.

use crate::model::audience::{PeopleRule, Somebody};
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError};

/// People looked at in one read.
const PAGE: usize = 8_192;

/// Where somebody is looked for, and when.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub channel: &'a Name,
    pub kind: ChannelKind,
    /// None named: everybody.
    pub topics: &'a [Name],
    pub now: Timestamp,
}

/// Who was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Ascending.
    pub numbers: Vec<u32>,
    /// Of the topics, but not wanted by the rule.
    pub unwanted: u64,
    /// The rule could not be applied to them: they are not meant either.
    pub unjudged: u64,
    /// Why not, for the first of these.
    pub why: Option<String>,
}

/// Chooses; `look` sees each who is chosen, where there is one. Without a rule and `look` nobody's
/// record is read.
///
/// # Errors
/// What the store says.
pub async fn choose(
    store: &dyn Store,
    place: Place<'_>,
    rule: Option<&PeopleRule>,
    mut look: Option<&mut (dyn FnMut(&Subscriber) + Send)>,
) -> Result<Chosen, StoreError> {
    let Place { channel, kind, topics, now } = place;
    let mut chosen = Chosen::default();
    let all = store.load_audience(channel, topics).await?;
    // Nobody needs to be read for what holds for nobody.
    if rule.is_some_and(|rule| rule.as_str() == "false") {
        return Ok(Chosen { unwanted: all.len() as u64, ..chosen });
    }
    if rule.is_none() && look.is_none() {
        return Ok(Chosen { numbers: all, ..chosen });
    }
    for page in all.chunks(PAGE) {
        let people = store.load_people(channel, page.to_vec()).await?;
        for subscriber in &people {
            let somebody = Somebody { subscriber, channel, kind, now };
            match rule.map_or(Ok(true), |rule| rule.holds(&somebody)) {
                Ok(true) => {
                    chosen.numbers.push(subscriber.number);
                    if let Some(look) = look.as_mut() {
                        look(subscriber);
                    }
                }
                Ok(false) => chosen.unwanted += 1,
                Err(why) => {
                    chosen.unjudged += 1;
                    chosen.why.get_or_insert(why);
                }
            }
        }
        // Judging a page may take some milliseconds.
        tokio::task::yield_now().await;
    }
    Ok(chosen)
}
