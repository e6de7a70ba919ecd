//! Where people came from, counted.

use std::collections::BTreeMap;
use std::time::Duration;

use redb::ReadTransaction;

use crate::model::origin::{Came, Origin, Origins};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::tables::{CONSENTS, CONSENTS_OF, SUBSCRIBERS};

/// Who leaves within so long after coming is counted.
const EARLY: Duration = Duration::from_secs(48 * 60 * 60);

/// Most tags that are counted apart: anybody can write a link with any.
const ORIGINS_MAX: usize = 10_000;

/// See `Store::load_origins`.
pub(super) fn load_origins(read: &ReadTransaction) -> Result<Origins, StoreError> {
    let (subscribers, consents) = (SUBSCRIBERS.open(read)?, CONSENTS.open(read)?);
    let of_whom = CONSENTS_OF.open(read)?;
    let mut tagged: BTreeMap<Origin, Came> = BTreeMap::new();
    let mut origins = Origins::default();
    for row in subscribers.rows(..)? {
        let (key, person) = row?;
        if !has_subscribed(&person) {
            continue;
        }
        let is_active = person.standing == Standing::Active;
        let (channel, number) = key.value();
        let mut left_at = None;
        let mut joined_at: Option<Timestamp> = None;
        if !is_active {
            for key in of_whom.keys((channel, number, 0)..=(channel, number, u64::MAX))? {
                let consent = consents.need(key?.value().2)?;
                match consent.given {
                    true => joined_at = joined_at.or(Some(consent.at)),
                    false => left_at = left_at.or(Some(consent.at)),
                }
            }
        }
        let joined_at = joined_at.unwrap_or(person.joined_at);
        let is_early = left_at.is_some_and(|left_at| left_at.since(joined_at) <= EARLY);
        let count = match person.came_by {
            None => &mut origins.untagged,
            Some(origin) if tagged.len() < ORIGINS_MAX || tagged.contains_key(&origin) => {
                tagged.entry(origin).or_default()
            }
            Some(_) => &mut origins.others,
        };
        count.came += 1;
        count.active += u64::from(is_active);
        count.left_within_48h += u64::from(is_early);
    }
    origins.tagged = tagged.into_iter().collect();
    origins.tagged.sort_by(|(one, a), (two, b)| b.came.cmp(&a.came).then_with(|| one.cmp(two)));
    Ok(origins)
}

/// Somebody who only wrote, or was only named, came from nowhere.
fn has_subscribed(person: &Subscriber) -> bool {
    let did = person.standing != Standing::Stopped || !person.topics.is_empty();
    person.is_counted() && (did || person.came_by.is_some())
}
