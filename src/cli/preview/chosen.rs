//! Which items a preview shows.

use crate::admin::desk::Ask;
use crate::cli::preview::{Args, newest, place_of};
use crate::cli::{Failure, output, reach};
use crate::daemon::Setup;
use crate::model::campaign::Campaign;
use crate::model::item::{Item, ItemId};
use crate::model::name::Name;
use crate::store::redb::FILE_NAME;

/// Most kept items among which one is looked for by its guid or address.
const LOOKED_AT_MAX: usize = 1_000;

/// Where the items come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The store.
    Kept,
    /// A document that was read now.
    Document,
    /// Nowhere: an example.
    Sample,
}

impl Origin {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Document => "document",
            Self::Sample => "sample",
        }
    }
}

/// What is shown; at least one item.
pub(super) struct Chosen {
    pub(super) items: Vec<Item>,
    pub(super) origin: Origin,
}

impl Chosen {
    /// In words: which items, and from where.
    pub(super) fn about(&self) -> String {
        let first = self.items.first().map_or("", |item| item.title.as_str());
        let first: String = first.chars().filter(|c| !c.is_control()).take(80).collect();
        let more = match self.items.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        match self.origin {
            Origin::Kept => {
                let id = self.items.first().map(|item| item.id.to_string()).unwrap_or_default();
                format!("kept item {id}: {first}{more}")
            }
            Origin::Document => format!("item read now: {first}{more}"),
            Origin::Sample => "a sample item: nothing has been kept yet".to_owned(),
        }
    }
}

/// What `--from` or `--item` names, else the newest that were kept of the campaign's sources (of
/// all for a layout), else the newest of the campaign's first source, else a sample.
pub(super) async fn choose(
    args: &Args,
    setup: &Setup,
    campaign: Option<&Campaign>,
    layout: &Name,
) -> Result<Chosen, Failure> {
    let count = usize::from(args.newest.unwrap_or(1));
    let source = campaign.and_then(|campaign| campaign.sources.first());
    let source = setup.config.sources.iter().find(|one| source == Some(&one.name));
    let of = |items, origin| Chosen { items, origin };
    if let Some(place) = &args.from {
        return Ok(of(newest(place, source, count).await?, Origin::Document));
    }
    let sources = campaign.map(|campaign| campaign.sources.clone()).unwrap_or_default();
    if let Some(wanted) = &args.item {
        let item = find(args, setup, wanted, sources).await?;
        return Ok(of(vec![item], Origin::Kept));
    }
    let items = kept(args, setup, Ask::Items { ids: vec![], sources, limit: count }).await?;
    if !items.is_empty() {
        return Ok(of(items, Origin::Kept));
    }
    if let Some(source) = source {
        match newest(&place_of(source), Some(source), count).await {
            Ok(items) => return Ok(of(items, Origin::Document)),
            Err(failure) => output::complain(&failure.words),
        }
    }
    Ok(of(vec![crate::render::sample::sample(layout)], Origin::Sample))
}

async fn find(
    args: &Args,
    setup: &Setup,
    wanted: &str,
    sources: Vec<Name>,
) -> Result<Item, Failure> {
    let ask = match id_of(wanted) {
        Some(id) => Ask::Items { ids: vec![id], sources: vec![], limit: 1 },
        None => Ask::Items { ids: vec![], sources, limit: LOOKED_AT_MAX },
    };
    let is_by_id = id_of(wanted).is_some();
    let is_it =
        |item: &Item| is_by_id || item.guid == wanted || item.link.as_deref() == Some(wanted);
    kept(args, setup, ask).await?.into_iter().find(is_it).ok_or_else(|| {
        let hint = "`tidings posts` shows what was told; `--from` reads a document";
        Failure::new(1, format!("no kept item `{wanted}`\n  hint: {hint}"))
    })
}

/// What the daemon, or the store if there is one, has kept.
async fn kept(args: &Args, setup: &Setup, ask: Ask) -> Result<Vec<Item>, Failure> {
    let config = &setup.config;
    if !config.listen.admin.exists() && !config.data_dir.join(FILE_NAME).exists() {
        return Ok(vec![]);
    }
    let mut answered = reach::ask(&args.settings, ask).await?;
    serde_json::from_value(answered.value["items"].take())
        .map_err(|error| Failure::new(1, format!("the items can't be read: {error}")))
}

/// 32 hexadecimal digits.
fn id_of(text: &str) -> Option<ItemId> {
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(ItemId(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = ItemId([0x0a, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert_eq!(id_of(&id.to_string()), Some(id));
        for text in ["", "https://example.com/", "0aff", "zz000000000000000000000000000000"] {
            assert_eq!(id_of(text), None, "{text}");
        }
    }
}
