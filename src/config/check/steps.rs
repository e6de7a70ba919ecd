//! Checks `min_step`, which a source and a campaign may have, and brings the two together.

use std::collections::BTreeMap;

use crate::config::check::value::got;
use crate::config::problem::Findings;
use crate::config::raw::{RawCampaign, RawSource, RawSteps};
use crate::config::table::Entry;
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::name::Name;
use crate::model::offer::{Amount, Currency};
use crate::model::source::Source;
use crate::model::step::Step;

/// A whole, in hundredths of a percent.
const WHOLE: u32 = 10_000;

/// The step of `min_step`: a share, an amount, or one of each.
pub(crate) fn steps(raw: &RawSteps, key: &str, found: &mut Findings) -> Step {
    let mut step = Step::default();
    let (mut has_share, mut has_amount) = (false, false);
    for each in &raw.0 {
        let text = each.value.trim();
        let is_twice = match (share(text), amount(text)) {
            (Some(share), _) if share > WHOLE => {
                found.problem(each.at, key, format!("must be at most 100%, got {}", got(text)));
                false
            }
            (Some(share), _) => {
                step.share = share;
                std::mem::replace(&mut has_share, true)
            }
            (None, Some(amount)) => {
                step.amount = Some(amount);
                std::mem::replace(&mut has_amount, true)
            }
            (None, None) => {
                let problem = format!("must be a share or an amount, got {}", got(text));
                let hint = "for example `5%`, `2 EUR` or `[\"5%\", \"2 EUR\"]`";
                found.problem(each.at, key, problem).hint(hint);
                false
            }
        };
        if is_twice {
            let problem = "has at most one share and one amount";
            found.problem(each.at, key, problem).hint("both must be passed");
        }
    }
    step
}

/// `5%`, `2.5 %`, in hundredths of a percent.
pub(crate) fn share(text: &str) -> Option<u32> {
    let number = decimal(text.strip_suffix('%')?.trim_end(), None)?;
    let missing = 2_u32.checked_sub(u32::from(number.scale()))?;
    u32::try_from(number.units()).ok()?.checked_mul(10_u32.pow(missing))
}

/// `2 EUR`, `0.50 usd`.
fn amount(text: &str) -> Option<Amount> {
    let (number, currency) = text.rsplit_once(char::is_whitespace)?;
    decimal(number.trim_end(), Some(currency.parse().ok()?)).filter(|amount| amount.is_positive())
}

fn decimal(text: &str, currency: Option<Currency>) -> Option<Amount> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Amount::new(digits.parse().ok()?, u8::try_from(fraction.len()).ok()?, currency)
}

/// Gives the campaigns and the sources their steps.
///
/// A campaign without one takes the smallest of its sources. A source takes the smallest of the
/// campaigns that hear of its prices, since the price last told moves as finely as somebody wants;
/// without such campaigns its own.
pub(crate) fn apply(
    raw_sources: &[Entry<RawSource>],
    raw_campaigns: &[Entry<RawCampaign>],
    sources: &mut [Source],
    campaigns: &mut [Campaign],
    found: &mut Findings,
) {
    let mut own: BTreeMap<Name, Step> = BTreeMap::new();
    for entry in raw_sources {
        if let Some(raw) = &entry.value.min_step {
            let key = format!("sources.{}.min_step", entry.name);
            own.insert(entry.name.clone(), steps(raw, &key, found));
        }
    }
    let of_source = |name: &Name| own.get(name).copied().unwrap_or_default();
    let mut named: BTreeMap<&Name, Step> = BTreeMap::new();
    for entry in raw_campaigns {
        if let Some(raw) = &entry.value.min_step {
            let key = format!("campaigns.{}.min_step", entry.name);
            named.insert(&entry.name, steps(raw, &key, found));
        }
    }
    let hears = |campaign: &Campaign| campaign.on.iter().any(|kind| kind.is_of_price());
    for campaign in campaigns.iter_mut() {
        let smallest = || campaign.sources.iter().map(of_source).reduce(Step::or_smaller);
        let step = named.get(&campaign.name).copied();
        campaign.min_step = step.or_else(smallest).unwrap_or_default();
    }
    for source in sources {
        let of_campaigns = campaigns
            .iter()
            .filter(|campaign| hears(campaign) && campaign.sources.contains(&source.name))
            .map(|campaign| campaign.min_step)
            .reduce(Step::or_smaller);
        let step = of_campaigns.unwrap_or_else(|| of_source(&source.name));
        (source.price.min_step_share, source.price.min_step) = (step.share, step.amount);
    }
    for entry in raw_campaigns {
        let campaign = campaigns.iter().find(|campaign| campaign.name == entry.name);
        if let (Some(campaign), Some(raw)) = (campaign, &entry.value.min_step)
            && !hears(campaign)
            && let Some(first) = raw.0.first()
        {
            let key = format!("campaigns.{}.min_step", entry.name);
            let words = [ChangeKind::PriceDrop, ChangeKind::PriceRise].map(ChangeKind::as_str);
            let hint = format!("`on` may name `{}` and `{}`", words[0], words[1]);
            found.warning(first.at, &key, "does nothing: `on` names no price").hint(hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;
    use crate::config::table::At;

    fn read(texts: &[&str]) -> Result<Step, String> {
        let at = Place { file: 0, offset: 0 };
        let each = |text: &&str| At { value: (*text).to_owned(), at };
        let mut found = Findings::default();
        let step = steps(&RawSteps(texts.iter().map(each).collect()), "k", &mut found);
        match found.into_problems(&[]).pop() {
            Some(problem) => Err(problem.problem),
            None => Ok(step),
        }
    }

    #[test]
    fn a_step_is_a_share_an_amount_or_both() {
        let money = |units, currency: &str| Amount::new(units, 2, currency.parse().ok());
        let cases = [
            (&["5%"][..], 500, None),
            (&["0.5 %"], 50, None),
            (&["100%"], 10_000, None),
            (&["2 EUR"], 0, money(200, "EUR")),
            (&["0.50 mdl", "12.25%"], 1_225, money(50, "MDL")),
        ];
        for (texts, share, amount) in cases {
            assert_eq!(read(texts), Ok(Step { share, amount }), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_step_is_told() {
        let none = |text: &str| format!("must be a share or an amount, got `{text}`");
        for text in ["5", "five%", "-5%", "2 EURO", "EUR 2", "0 EUR", "1,5%", "0.125%", "%"] {
            assert_eq!(read(&[text]), Err(none(text)));
        }
        assert_eq!(read(&["101%"]), Err("must be at most 100%, got `101%`".to_owned()));
        let twice = "has at most one share and one amount";
        assert_eq!(read(&["5%", "6%"]), Err(twice.to_owned()));
        assert_eq!(read(&["5 EUR", "6 USD"]), Err(twice.to_owned()));
    }
}
