//! Checks `watch` of campaigns, and opens the catalogs that they tell of to who wants to watch.

use crate::config::problem::Findings;
use crate::config::raw::RawCampaign;
use crate::config::table::Entry;
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::source::{Source, SourceKind};

/// A product can be watched of each catalog that says so, or of which a campaign has the buttons.
pub(crate) fn apply(
    raw_campaigns: &[Entry<RawCampaign>],
    sources: &mut [Source],
    campaigns: &[Campaign],
    found: &mut Findings,
) {
    for campaign in campaigns.iter().filter(|campaign| campaign.watch) {
        let own = sources.iter_mut().filter(|source| campaign.sources.contains(&source.name));
        let mut catalogs = 0;
        for source in own.filter(|source| source.kind == SourceKind::Catalog) {
            source.watch = true;
            catalogs += 1;
        }
        let raw = raw_campaigns.iter().find(|entry| entry.name == campaign.name);
        let Some(raw) = raw.and_then(|entry| entry.value.watch.as_ref()) else { continue };
        let key = format!("campaigns.{}.watch", campaign.name);
        if catalogs == 0 && !campaign.sources.is_empty() {
            found
                .problem(raw.at, &key, "none of its sources is a catalog")
                .hint("only products can be watched: a source of `kind = \"catalog\"`");
        } else if campaign.timing.digest.is_some() || campaign.timing.group {
            found
                .warning(raw.at, &key, "a post of several products has no button of its own")
                .hint("put `<button postback=\"{{ item.watch }}\">` in the layout");
        } else if campaign.on == [ChangeKind::Gone] {
            found.warning(raw.at, &key, "does nothing: what is gone can't be watched");
        }
    }
}
