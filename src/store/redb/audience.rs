//! People by their numbers, and chats that the settings name.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::subscriber::{CHATS_FROM, Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::SUBSCRIBERS;

/// So many rows for each one wanted are read on the way, rather than looked up one by one.
const READ_OVER: u64 = 4;

/// See `Store::load_people`.
pub(super) fn load_people(
    read: &ReadTransaction,
    channel: &Name,
    numbers: &[u32],
) -> Result<Vec<Subscriber>, StoreError> {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        return Ok(Vec::new());
    };
    let channel = channel.as_str();
    let subscribers = SUBSCRIBERS.open(read)?;
    let mut people = Vec::with_capacity(numbers.len());
    if u64::from(last.saturating_sub(*first)) >= READ_OVER * numbers.len() as u64 {
        for number in numbers {
            people.extend(subscribers.load((channel, *number))?);
        }
        return Ok(people);
    }
    let mut wanted = numbers.iter().peekable();
    for row in subscribers.rows((channel, *first)..=(channel, *last))? {
        let (key, person) = row?;
        let number = key.value().1;
        while wanted.next_if(|wanted| **wanted < number).is_some() {}
        if wanted.next_if(|wanted| **wanted == number).is_some() {
            people.push(person);
        }
    }
    Ok(people)
}

/// See `Store::commit_chats`.
pub(super) fn commit_chats(
    writing: &mut Writing<'_>,
    channel: &Name,
    addresses: &[String],
) -> Result<Vec<u32>, StoreError> {
    let mut crowd = Crowded::open(writing, channel)?;
    let mut numbers = Vec::with_capacity(addresses.len());
    for address in addresses {
        let number = match crowd.number_of(writing, address)? {
            Some(number) => {
                let before = writing.tables.subscribers.need((channel.as_str(), number))?;
                let is_lost = matches!(before.standing, Standing::Blocked | Standing::Gone);
                if number >= CHATS_FROM && is_lost {
                    // Somebody may have let us in again, and there is no word of it: it is tried.
                    let after = Subscriber { standing: Standing::Active, ..before.clone() };
                    crowd.change(writing, &before, &after)?;
                }
                number
            }
            None => crowd.add_chat(writing, named_chat(address))?,
        };
        numbers.push(number);
    }
    crowd.close(writing)?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn named_chat(address: &str) -> Subscriber {
    Subscriber {
        number: 0,
        address: address.to_owned(),
        language: None,
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: Vec::new(),
        standing: Standing::Active,
        window_until: None,
        joined_at: Timestamp::default(),
        // Every event of the chat is newer.
        changed_at: Timestamp::default(),
        default_reply_at: None,
        choices: None,
    }
}
