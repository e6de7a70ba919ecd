//! Groups and channels in which bots are.

use redb::ReadTransaction;

use crate::model::chat::ChatSeen;
use crate::model::name::Name;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::CHATS;

/// Most chats that are kept; anybody can put a bot into a group.
const CHATS_MAX: u64 = 10_000;

/// See `Store::load_chats`.
pub(super) fn load_chats(
    read: &ReadTransaction,
    channel: &Name,
    limit: usize,
) -> Result<Vec<(String, ChatSeen)>, StoreError> {
    let name = channel.as_str();
    let mut chats = Vec::new();
    for row in CHATS.open(read)?.rows((name, "")..)?.take(limit) {
        let (key, chat) = row?;
        if key.value().0 != name {
            break;
        }
        chats.push((key.value().1.to_owned(), chat));
    }
    Ok(chats)
}

/// See `Store::commit_chat`.
pub(super) fn commit_chat(
    writing: &mut Writing<'_>,
    channel: &Name,
    address: &str,
    chat: Option<&ChatSeen>,
) -> Result<(), StoreError> {
    let key = (channel.as_str(), address);
    let Some(chat) = chat else {
        writing.tables.chats.remove(key)?;
        return Ok(());
    };
    let is_known = writing.tables.chats.load(key)?.is_some();
    if is_known || writing.tables.chats.len()? < CHATS_MAX {
        writing.tables.chats.put(key, chat)?;
    }
    Ok(())
}
