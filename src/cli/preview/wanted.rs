//! Whether a campaign's `when` wants the items that are shown, whatever happens to them.

use crate::model::campaign::Campaign;
use crate::model::item::Item;
use crate::model::prospect::Prospect;

/// The items that may not be sent, each with the rule that says so.
#[derive(Default)]
pub(super) struct Judged<'a> {
    pub unwanted: Vec<(&'a Item, String)>,
    /// It depends on how the price moves.
    pub open: Vec<(&'a Item, String)>,
}

/// Asks the campaign's condition about each item, for every kind of change that the campaign is on.
pub(super) fn judge<'a>(campaign: Option<&Campaign>, items: &'a [Item]) -> Judged<'a> {
    let mut judged = Judged::default();
    let rule = campaign.and_then(|campaign| Some((campaign.when.as_ref()?, &campaign.on)));
    let Some((condition, on)) = rule else { return judged };
    let now = crate::runtime::clock::Clock::system().now();
    for item in items {
        match Prospect::of(condition, on, item, now) {
            Prospect::Told => {}
            Prospect::Open(rule) => judged.open.push((item, rule)),
            Prospect::Never(rule) => judged.unwanted.push((item, rule)),
        }
    }
    judged
}
