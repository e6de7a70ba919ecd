//! Reminders: who was told last what they get, and when.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{AnswerRow, ToldOf};
use crate::store::redb::tables::{SUBSCRIBERS, TOLD_OF};

/// See `Store::load_told`.
pub(super) fn load_told(
    read: &ReadTransaction,
    channel: &Name,
    after: Option<u32>,
    limit: usize,
) -> Result<Vec<(Subscriber, Option<Timestamp>)>, StoreError> {
    let channel = channel.as_str();
    let first = match after {
        None => Some(0),
        Some(after) => after.checked_add(1),
    };
    let Some(first) = first else { return Ok(Vec::new()) };
    let (subscribers, told) = (SUBSCRIBERS.open(read)?, TOLD_OF.open(read)?);
    let mut people = Vec::new();
    for row in subscribers.rows((channel, first)..=(channel, u32::MAX))?.take(limit) {
        let (key, person) = row?;
        let at = told.load(key.value())?.map(|ToldOf(at)| at);
        people.push((person, at));
    }
    Ok(people)
}

/// See `Store::commit_reminders`.
pub(super) fn commit_reminders(
    writing: &mut Writing<'_>,
    channel: &Name,
    reminders: &[(u32, Answer)],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut reminded = 0;
    for (number, answer) in reminders {
        let key = (channel.as_str(), *number);
        let Some(person) = writing.tables.subscribers.load(key)? else { continue };
        let told = writing.tables.told_of.load(key)?;
        if person.standing != Standing::Active || told.is_some_and(|ToldOf(at)| at >= now) {
            continue;
        }
        writing.tables.told_of.put(key, &ToldOf(now))?;
        let row = AnswerRow {
            number: Some(*number),
            language: person.language.clone(),
            answer: answer.clone(),
            part: 0,
            releases: Vec::new(),
        };
        writing.add_answer(channel, &person.address, &row)?;
        reminded += 1;
    }
    Ok(reminded)
}
