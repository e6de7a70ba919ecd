//! The tables, and how they are read and written.
//!
//! Two kinds: a table of *records* holds sealed values (see `store::codec`); an *index* holds keys
//! only and is kept in step with its records by whoever writes them, in the same transaction.

#![expect(clippy::needless_pass_by_value, reason = "keys are small and made where they are used")]

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::ops::RangeBounds;

use redb::{
    AccessGuard, Key, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, Value, WriteTransaction,
};

use crate::model::archive::Archived;
use crate::model::audience::Whom;
use crate::model::channel::ChannelState;
use crate::model::chat::ChatSeen;
use crate::model::correction::Corrections;
use crate::model::event::{Event, PutAside};
use crate::model::item::Item;
use crate::model::known::Known;
use crate::model::lane::{Beyond, Optin};
use crate::model::media::KeptMedium;
use crate::model::pacing::{Halt, Pacing};
use crate::model::post::Draft;
use crate::model::product::ProductName;
use crate::model::proof::{Entry, Pseudonym};
use crate::model::recent::Recent;
use crate::model::shelf::ShelfState;
use crate::model::source::SourceState;
use crate::model::subscriber::Subscriber;
use crate::model::trace::Trace;
use crate::model::watch::Watch;
use crate::model::zone::Gathering;
use crate::store::codec::{self, Place, Record};
use crate::store::redb::chores::Chore;
use crate::store::redb::rows::{
    AnswerRow, Bits, BotName, Counters, Crowd, Cursor, Doubt, EchoRow, Erased, FileRow, Flight,
    Format, HeldRow, LaneRow, LastWatch, Marks, Number, Outcomes, Part, People, Pepper, PostRow,
    PriceRow, Seen, SentRow, ShelfRow, Stars, StoryRow, TakenRow, Tally, TimesRow, ToldOf,
    ToldWatch, Tries, WatchedRow, Wording,
};
use crate::store::{Deletion, MarketState, ShownFacet, StoreError};

type Bytes = &'static [u8];
type Text = &'static str;

macro_rules! tables {
    (
        records { $($(#[$doc:meta])* $field:ident $table:ident: $key:ty => $record:ty;)* }
        indexes { $($(#[$index_doc:meta])* $index:ident $index_table:ident: $index_key:ty;)* }
    ) => {
        $($(#[$doc])* pub(super) const $table: RecordTable<$key, $record> =
            RecordTable::new(stringify!($field));)*
        $($(#[$index_doc])* pub(super) const $index_table: IndexTable<$index_key> =
            IndexTable::new(stringify!($index));)*

        /// All tables within one write transaction.
        pub(super) struct Tables<'t> {
            $(pub $field: Records<Written<'t, $key, Bytes>, $key, $record>,)*
            $(pub $index: Index<Written<'t, $index_key, ()>, $index_key>,)*
        }

        /// The names of all.
        #[cfg(test)]
        pub(super) const TABLE_NAMES: &[&str] = &[$(stringify!($field),)* $(stringify!($index),)*];

        impl<'t> Tables<'t> {
            /// All, each of which is opened by its first use.
            pub fn new(write: &'t WriteTransaction) -> Self {
                Self {
                    $($field: Records {
                        table: Written::new(write, $table.definition()),
                        name: stringify!($field),
                        kind: PhantomData,
                    },)*
                    $($index: Index {
                        table: Written::new(write, $index_table.definition()),
                        key: PhantomData,
                    },)*
                }
            }

            /// Makes those that are not there.
            pub fn make(&self) -> Result<(), StoreError> {
                $(self.$field.table.rows()?;)*
                $(self.$index.table.rows()?;)*
                Ok(())
            }
        }
    };
}

tables! {
    records {
        /// One row: the file's format.
        format FORMAT: () => Format;
        /// One row: the numbers given.
        counters COUNTERS: () => Counters;
        /// By the source's name.
        sources SOURCES: Text => SourceState;
        /// By the source's name.
        known KNOWN: Text => Known;
        /// By the source's name: what is kept of a catalog beside its rows.
        shelf_states SHELF_STATES: Text => ShelfState;
        /// By source, and product and variant of the first row: the blocks of a catalog's shelf.
        shelves SHELVES: (Text, u64, u32) => ShelfRow;
        /// By source, product and variant.
        prices PRICES: (Text, u64, u32) => PriceRow;
        /// By source and product.
        names NAMES: (Text, u64) => ProductName;
        /// By campaign and the hash of a link or a title: by which source it was told.
        stories STORIES: (Text, u64) => StoryRow;
        /// By the item's id.
        items ITEMS: [u8; 16] => Item;
        /// By the draft's id.
        drafts DRAFTS: u64 => Draft;
        /// By the campaign's name: for which hour of its readers' clocks it gathers.
        gatherings GATHERINGS: Text => Gathering;
        /// By the name of a file that plans a post.
        files FILES: Text => FileRow;
        /// By the post's id: whom posts are for that late joiners get, while they are on their way.
        late_rules LATE_RULES: u64 => Whom;
        /// By the post's id: what never changes.
        posts POSTS: u64 => PostRow;
        /// By the post's id: what changes with each delivery.
        tallies TALLIES: u64 => Tally;
        /// By the batch's id.
        people PEOPLE: u64 => People;
        /// By the batch's id.
        outcomes OUTCOMES: u64 => Outcomes;
        /// By the batch's id: when its recipients were settled.
        times TIMES: u64 => TimesRow;
        /// By the post's id: of posts that may be corrected, or were.
        corrections CORRECTIONS: u64 => Corrections;
        /// By the batch's id: the messages that its recipients have, while these may be corrected.
        sent SENT: u64 => SentRow;
        /// By the ticket: all that is claimed and not settled.
        in_flight IN_FLIGHT: u64 => Flight;
        /// By batch and index: of whom waits, failed or is uncertain, the calls that were accepted.
        partial PARTIAL: (u64, u16) => Part;
        /// By channel, subscriber's number and post: held, and not under way in an answer.
        held HELD: (Text, u32, u64) => HeldRow;
        /// By the ticket: echoes of what is in flight.
        echoes ECHOES: u64 => EchoRow;
        /// By the ticket: uncertain, and an echo may yet tell.
        doubts DOUBTS: u64 => Doubt;
        /// By batch and index: who was not reached in the usual way.
        lanes LANES: (u64, u16) => LaneRow;
        /// By the post's id: of posts with ways beyond the window.
        beyonds BEYONDS: u64 => Beyond;
        /// By channel and number: what arrived and was seen, as far as the service tells.
        marks MARKS: (Text, u32) => Marks;
        /// By channel and number: who agreed to marketing messages, or was asked.
        optins OPTINS: (Text, u32) => Optin;
        /// By channel and token.
        tokens TOKENS: (Text, Text) => Number;
        /// By channel.
        markets MARKETS: Text => MarketState;
        /// By channel, address and answer: the queue of each person, claimed ones included.
        answers ANSWERS: (Text, Text, u64) => AnswerRow;
        /// By channel and number.
        subscribers SUBSCRIBERS: (Text, u32) => Subscriber;
        /// By channel and address.
        addresses ADDRESSES: (Text, Text) => Number;
        /// By channel.
        crowds CROWDS: Text => Crowd;
        /// By channel, topic (empty: all) and number / 8,192: who is active there.
        audiences AUDIENCES: (Text, Text, u32) => Bits;
        /// By a number that grows by one: the ledger of consents.
        consents CONSENTS: u64 => Entry;
        /// By channel and number: what ties a person to their entries of the ledger.
        pseudonyms PSEUDONYMS: (Text, u32) => Pseudonym;
        /// By their hash: the words that people were answered with.
        wordings WORDINGS: [u8; 32] => Wording;
        /// One row: what addresses of the erased are digested with.
        pepper PEPPER: () => Pepper;
        /// By the digest of an address: who was erased, and is brought back by nobody but themselves.
        erased ERASED: [u8; 32] => Erased;
        /// By their code: deletions that a service asked for.
        deletions DELETIONS: Text => Deletion;
        /// By channel.
        channels CHANNELS: Text => ChannelState;
        /// By channel: what the service calls its bot.
        bots BOTS: Text => BotName;
        /// By channel and key: how the channel shows itself.
        facets FACETS: (Text, Text) => ShownFacet;
        /// By channel and number: when somebody was told last what they get.
        told_of TOLD_OF: (Text, u32) => ToldOf;
        /// By channel: how fast it was found to be allowed to send.
        pacings PACINGS: Text => Pacing;
        /// By channel: those on which nothing is sent until somebody says so.
        halts HALTS: Text => Halt;
        /// By channel, kind (0: day, 1: post) and day since 1970 or post: tenths of Stars spent.
        stars STARS: (Text, u8, u64) => Stars;
        /// By channel and number / 1,024: how many posts of campaigns each got on a day.
        taken TAKEN: (Text, u32) => TakenRow;
        /// By channel and the key of an address or of bytes.
        media MEDIA: (Text, [u8; 16]) => KeptMedium;
        /// By channel.
        cursors CURSORS: Text => Cursor;
        /// By a number that grows by one: events not yet answered.
        events EVENTS: u64 => Event;
        /// By the event's number: how often it was tried, of those that were not answered at once.
        tries TRIES: u64 => Tries;
        /// By the event's number: those that could not be answered.
        aside ASIDE: u64 => PutAside;
        /// By channel and address: groups and channels that bots were let into.
        chats CHATS: (Text, Text) => ChatSeen;
        /// By channel and number: what people did lately.
        recents RECENTS: (Text, u32) => Recent;
        /// By channel and event id.
        seen SEEN: (Text, Text) => Seen;
        /// By the item's id: what became of it.
        traces TRACES: [u8; 16] => Trace;
        /// By the post's id: what is left of a word on it.
        chores CHORES: u64 => Chore;
        /// By the post's id: what everybody may read of it, under the topics in `archived`.
        archive ARCHIVE: u64 => Archived;
        /// By channel, person's number and watch: what they wait for.
        watches WATCHES: (Text, u32, u64) => Watch;
        /// By source, product and watch: who waits for it, oldest first.
        watched WATCHED: (Text, u64, u64) => WatchedRow;
        /// By the answer: the watch that it tells of, until it has arrived.
        watches_told WATCHES_TOLD: u64 => ToldWatch;
        /// One row: the last watch that was given a number.
        last_watch LAST_WATCH: () => LastWatch;
    }
    indexes {
        /// First seen in milliseconds, item.
        items_by_age ITEMS_BY_AGE: (i64, [u8; 16]);
        /// Told in milliseconds, campaign, hash.
        stories_by_age STORIES_BY_AGE: (i64, Text, u64);
        /// Used last in milliseconds, channel, key.
        media_by_age MEDIA_BY_AGE: (i64, Text, [u8; 16]);
        /// Due in milliseconds, draft: those that are not held.
        drafts_due DRAFTS_DUE: (i64, u64);
        /// Source of the flood (empty: for review), draft: those that are held.
        drafts_held DRAFTS_HELD: (Text, u64);
        /// Draft, post: held drafts that their reviewers were sent, as which post.
        shown SHOWN: (u64, u64);
        /// Channel, number: who subscribed while posts were on their way that late joiners get.
        late LATE: (Text, u32);
        /// Posts that let late joiners in and have not been looked for since they were made.
        unswept UNSWEPT: u64;
        /// Channel, post, batch: batches in which somebody waits.
        open_batches OPEN_BATCHES: (Text, u64, u64);
        /// Channel, rank, post: posts of which somebody may be claimed; see `control`.
        turns TURNS: (Text, u8, u64);
        /// Due in milliseconds, post: posts whose stage is to be judged.
        staged STAGED: (i64, u64);
        /// In milliseconds, post: posts out of the line, and when their hours begin.
        opening OPENING: (i64, u64);
        /// Due in milliseconds, ticket: doubts to be looked at.
        doubts_due DOUBTS_DUE: (i64, u64);
        /// Channel, since in milliseconds, number, post: what is held.
        held_by_age HELD_BY_AGE: (Text, i64, u32, u64);
        /// Item, post: the posts whose corrections the item can make.
        told TOLD: ([u8; 16], u64);
        /// The end of its window in milliseconds, post: posts of which messages are kept.
        correctable CORRECTABLE: (i64, u64);
        /// Channel, post, batch: batches in which somebody has messages older than the post.
        open_edits OPEN_EDITS: (Text, u64, u64);
        /// Finished in milliseconds, post.
        finished FINISHED: (i64, u64);
        /// Channel, answer, address: the first answer of each person's queue, if not in flight.
        ready ANSWERS_READY: (Text, u64, Text);
        /// Seen in milliseconds, channel, event id.
        seen_by_age SEEN_BY_AGE: (i64, Text, Text);
        /// Newest event in milliseconds, channel, number.
        recents_by_age RECENTS_BY_AGE: (i64, Text, u32);
        /// Newest step in milliseconds, item.
        traces_by_age TRACES_BY_AGE: (i64, [u8; 16]);
        /// Channel, due in milliseconds, number: for whom something is carried over.
        carried CARRIED: (Text, i64, u32);
        /// In milliseconds, channel, number: who withdrew when.
        withdrawals WITHDRAWALS: (i64, Text, u32);
        /// Topic, post: what everybody may read.
        archived ARCHIVED: (Text, u64);
        /// The same by post, topic.
        archived_topics ARCHIVED_TOPICS: (u64, Text);
        /// Channel, number, entry of the ledger: whose it is.
        consents_of CONSENTS_OF: (Text, u32, u64);
        /// In milliseconds, code: when a deletion was asked for.
        deletions_by_age DELETIONS_BY_AGE: (i64, Text);
        /// The end in milliseconds, channel, number, watch.
        watches_end WATCHES_END: (i64, Text, u32, u64);
    }
}

/// A table of records, by its name and types.
pub(super) struct RecordTable<K: 'static, T> {
    name: &'static str,
    kind: PhantomData<fn(K) -> T>,
}

impl<K: Key + 'static, T> RecordTable<K, T> {
    const fn new(name: &'static str) -> Self {
        Self { name, kind: PhantomData }
    }

    const fn definition(&self) -> TableDefinition<'static, K, Bytes> {
        TableDefinition::new(self.name)
    }

    /// The table as `read` sees it.
    pub fn open(
        &self,
        read: &ReadTransaction,
    ) -> Result<Records<ReadOnlyTable<K, Bytes>, K, T>, StoreError> {
        let table = read.open_table(self.definition())?;
        Ok(Records { table, name: self.name, kind: PhantomData })
    }
}

/// An index, by its name and key.
pub(super) struct IndexTable<K: 'static> {
    name: &'static str,
    key: PhantomData<fn(K)>,
}

impl<K: Key + 'static> IndexTable<K> {
    const fn new(name: &'static str) -> Self {
        Self { name, key: PhantomData }
    }

    const fn definition(&self) -> TableDefinition<'static, K, ()> {
        TableDefinition::new(self.name)
    }

    /// The index as `read` sees it.
    pub fn open(
        &self,
        read: &ReadTransaction,
    ) -> Result<Index<ReadOnlyTable<K, ()>, K>, StoreError> {
        Ok(Index { table: read.open_table(self.definition())?, key: PhantomData })
    }
}

/// Where the rows of a table are, within a transaction that reads or one that writes.
pub(super) trait Rows<K: Key + 'static, V: Value + 'static> {
    type Table: ReadableTable<K, V>;

    fn rows(&self) -> Result<&Self::Table, StoreError>;
}

impl<K: Key + 'static, V: Value + 'static> Rows<K, V> for ReadOnlyTable<K, V> {
    type Table = Self;

    fn rows(&self) -> Result<&Self, StoreError> {
        Ok(self)
    }
}

/// A table within a write transaction. Most commits touch a few of all tables, and opening one
/// costs as much as a row: it is opened when it is used.
pub(super) struct Written<'t, K: Key + 'static, V: Value + 'static> {
    write: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'t, K, V>>,
}

impl<'t, K: Key + 'static, V: Value + 'static> Written<'t, K, V> {
    fn new(write: &'t WriteTransaction, definition: TableDefinition<'static, K, V>) -> Self {
        Self { write, definition, table: OnceCell::new() }
    }

    fn rows_mut(&mut self) -> Result<&mut Table<'t, K, V>, StoreError> {
        self.rows()?;
        let closed = || StoreError::Failed { what: "a table was not opened".into() };
        self.table.get_mut().ok_or_else(closed)
    }
}

impl<'t, K: Key + 'static, V: Value + 'static> Rows<K, V> for Written<'t, K, V> {
    type Table = Table<'t, K, V>;

    fn rows(&self) -> Result<&Self::Table, StoreError> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = self.write.open_table(self.definition)?;
        Ok(self.table.get_or_init(|| table))
    }
}

/// A table of records.
pub(super) struct Records<H, K: 'static, T> {
    table: H,
    name: &'static str,
    kind: PhantomData<fn(K) -> T>,
}

impl<H, K, T> Records<H, K, T>
where
    H: Rows<K, Bytes>,
    K: Key + 'static,
    T: Record,
{
    pub fn load(&self, key: K::SelfType<'_>) -> Result<Option<T>, StoreError> {
        match self.table.rows()?.get(&key)? {
            Some(bytes) => open_record::<K, T>(self.name, &key, bytes.value()).map(Some),
            None => Ok(None),
        }
    }

    /// A record that another record speaks of.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not there.
    pub fn need(&self, key: K::SelfType<'_>) -> Result<T, StoreError> {
        match self.table.rows()?.get(&key)? {
            Some(bytes) => open_record::<K, T>(self.name, &key, bytes.value()),
            None => Err(StoreError::Damaged { what: format!("`{}` {key:?}: gone", self.name) }),
        }
    }

    /// The rows of the range, in the order of their keys.
    pub fn rows<'a>(
        &'a self,
        range: impl RangeBounds<K::SelfType<'a>> + 'a,
    ) -> Result<
        impl DoubleEndedIterator<Item = Result<(AccessGuard<'a, K>, T), StoreError>>,
        StoreError,
    > {
        let name = self.name;
        Ok(self.table.rows()?.range(range)?.map(move |row| {
            let (key, bytes) = row?;
            let record = open_record::<K, T>(name, &key.value(), bytes.value())?;
            Ok((key, record))
        }))
    }

    /// How many rows there are; costs nothing.
    pub fn len(&self) -> Result<u64, StoreError> {
        Ok(self.table.rows()?.len()?)
    }
}

impl<K: Key + 'static, T: Record> Records<Written<'_, K, Bytes>, K, T> {
    /// Writes over what is there.
    pub fn put(&mut self, key: K::SelfType<'_>, record: &T) -> Result<(), StoreError> {
        let sealed = {
            let bytes = K::as_bytes(&key);
            codec::seal(&Place { table: self.name, key: bytes.as_ref(), shown: &key }, record)?
        };
        self.table.rows_mut()?.insert(&key, sealed.as_slice())?;
        Ok(())
    }

    /// Whether it was there.
    pub fn remove(&mut self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        Ok(self.table.rows_mut()?.remove(&key)?.is_some())
    }
}

fn open_record<K: Key + 'static, T: Record>(
    table: &str,
    key: &K::SelfType<'_>,
    sealed: &[u8],
) -> Result<T, StoreError> {
    let bytes = K::as_bytes(key);
    codec::open(&Place { table, key: bytes.as_ref(), shown: key }, sealed)
}

/// An index.
pub(super) struct Index<H, K: 'static> {
    table: H,
    key: PhantomData<fn(K)>,
}

impl<H: Rows<K, ()>, K: Key + 'static> Index<H, K> {
    /// The keys of the range, in order.
    pub fn keys<'a>(
        &'a self,
        range: impl RangeBounds<K::SelfType<'a>> + 'a,
    ) -> Result<impl DoubleEndedIterator<Item = Result<AccessGuard<'a, K>, StoreError>>, StoreError>
    {
        Ok(self.table.rows()?.range(range)?.map(|row| Ok(row?.0)))
    }

    pub fn len(&self) -> Result<u64, StoreError> {
        Ok(self.table.rows()?.len()?)
    }
}

impl<K: Key + 'static> Index<Written<'_, K, ()>, K> {
    pub fn insert(&mut self, key: K::SelfType<'_>) -> Result<(), StoreError> {
        self.table.rows_mut()?.insert(&key, ())?;
        Ok(())
    }

    /// Whether it was there.
    pub fn remove(&mut self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        Ok(self.table.rows_mut()?.remove(&key)?.is_some())
    }
}

impl From<redb::StorageError> for StoreError {
    fn from(error: redb::StorageError) -> Self {
        match error {
            redb::StorageError::Corrupted(why) => Self::Damaged { what: why },
            other => Self::Failed { what: other.to_string() },
        }
    }
}

impl From<redb::TableError> for StoreError {
    fn from(error: redb::TableError) -> Self {
        match error {
            redb::TableError::Storage(error) => error.into(),
            // Every table is made when the file is: one that is missing or of other types was not
            // written by us.
            other => Self::Damaged { what: other.to_string() },
        }
    }
}
