//! People who are brought by others, page by page.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::subscriber::{Consent, Standing, Subscriber};
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::SUBSCRIBERS;
use crate::store::{Arrivals, Arrived, Newcomer, StoreError};

/// Most people that one transaction takes in: others get their turn between two.
pub(super) const TAKEN_IN_MAX: usize = 4_096;

/// See `Store::load_people_from`.
pub(super) fn load_people_from(
    read: &ReadTransaction,
    channel: &Name,
    from: u32,
    limit: usize,
) -> Result<Vec<Subscriber>, StoreError> {
    let channel = channel.as_str();
    let subscribers = SUBSCRIBERS.open(read)?;
    let rows = subscribers.rows((channel, from)..=(channel, u32::MAX))?;
    rows.take(limit).map(|row| row.map(|(_, person)| person)).collect()
}

/// A part of `Store::take_in`.
pub(super) fn take_in(
    writing: &mut Writing<'_>,
    arrivals: &Arrivals,
) -> Result<Arrived, StoreError> {
    let Arrivals { channel, people, way, is_dry } = arrivals;
    let mut arrived = Arrived::default();
    let mut crowd = Crowded::open(writing, channel)?;
    for Newcomer { person, consented_at, consented_by } in people {
        if let Some(number) = crowd.number_of(writing, &person.address)? {
            let known = writing.tables.subscribers.need((channel.as_str(), number))?;
            match known.standing {
                Standing::Active => arrived.known += 1,
                _ => arrived.kept_out += 1,
            }
            continue;
        }
        if writing.erased_at(channel, &person.address)?.is_some() {
            arrived.erased += 1;
            continue;
        }
        arrived.added += 1;
        if *is_dry {
            continue;
        }
        let number = crowd.add(writing, person.clone())?;
        if person.standing == Standing::Active {
            let consent = Consent {
                at: *consented_at,
                number,
                given: true,
                way: match consented_by {
                    Some(before) => format!("{way} ({before})"),
                    None => way.clone(),
                },
                wording: String::new(),
            };
            let pseudonym = writing.name_in_ledger(channel, number, person.address.clone())?;
            writing.add_entry(channel, &consent, &pseudonym, Some(number))?;
        }
    }
    crowd.close(writing)?;
    Ok(arrived)
}
