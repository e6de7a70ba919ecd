//! How channels show themselves, as it was written to the services last.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::FACETS;
use crate::store::{ShownFacet, StoreError};

/// See `Store::load_shown_facets`.
pub(super) fn load(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Vec<(String, ShownFacet)>, StoreError> {
    let facets = FACETS.open(read)?;
    let mut found = Vec::new();
    for row in facets.rows((channel.as_str(), "")..)? {
        let (key, facet) = row?;
        let (of, key) = key.value();
        if of != channel.as_str() {
            break;
        }
        found.push((key.to_owned(), facet));
    }
    Ok(found)
}

/// See `Store::commit_shown_facets`.
pub(super) fn commit(
    writing: &mut Writing<'_>,
    channel: &Name,
    facets: &[(String, Option<ShownFacet>)],
) -> Result<(), StoreError> {
    for (key, facet) in facets {
        let key = (channel.as_str(), key.as_str());
        match facet {
            Some(facet) => writing.tables.facets.put(key, facet)?,
            None => {
                writing.tables.facets.remove(key)?;
            }
        }
    }
    Ok(())
}
