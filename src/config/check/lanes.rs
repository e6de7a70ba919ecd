//! Checks what goes beyond Messenger's window: `held_for` and `marketing` of channels, `utility`
//! and `marketing` of campaigns.

use std::time::Duration;

use crate::config::check::around::Surroundings;
use crate::config::check::value::{choice, got, span};
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawCampaign, RawChannel, RawMarketing, RawUtility};
use crate::config::secret;
use crate::config::table::{At, Entry};
use crate::config::{Channel, Config, Marketing, Service};
use crate::model::campaign::UtilityRule;
use crate::model::channel::ChannelKind;
use crate::model::lane::Period;
use crate::model::phrase::Phrase;
use crate::model::timing::Timing;

const HELD_FOR: Duration = Duration::from_secs(14 * 86_400);
const HELD_FOR_MAX: Duration = Duration::from_secs(90 * 86_400);
/// Of an account, a campaign of the service, a template's name and its language.
const ID_BYTES_MAX: usize = 64;
const TEMPLATE_BYTES_MAX: usize = 512;
/// Most places of a template, and most buttons.
const PLACES_MAX: usize = 20;
const BUTTONS_MAX: usize = 3;
/// Longest title of the request, in characters.
const ASK_CHARS_MAX: usize = 65;
/// Millionths.
const MONEY_PLACES: usize = 6;
const MONEY_MAX: u64 = 1_000_000_000_000_000;

/// How long something is held for somebody.
pub(crate) fn held_for(raw: &RawChannel, path: &str, found: &mut Findings) -> Duration {
    let bounds = Duration::ZERO..=HELD_FOR_MAX;
    span(raw.held_for.as_ref(), &format!("{path}.held_for"), bounds, HELD_FOR, found)
}

/// How a channel sends marketing messages; `None` where it does not.
pub(crate) fn marketing(
    raw: Option<&RawMarketing>,
    at: Place,
    path: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Marketing> {
    let raw = raw?;
    let key = |key: &str| format!("{path}.marketing.{key}");
    let ad_account = match &raw.ad_account {
        Some(id) => {
            let digits = id.value.trim().trim_start_matches("act_");
            if digits.is_empty()
                || digits.len() > ID_BYTES_MAX
                || !digits.bytes().all(|c| c.is_ascii_digit())
            {
                let text = format!("must be the account's number, got {}", got(&id.value));
                found.problem(id.at, &key("ad_account"), text).hint("for example `act_1234567890`");
            }
            Some(digits.to_owned())
        }
        None => {
            let hint = "the number of the ad account that pays, as in `act_1234567890`";
            found.missing(at, &key("ad_account")).hint(hint);
            None
        }
    };
    let token = raw.token.as_ref().and_then(|raw| secret::read(raw, &key("token"), around, found));
    if let Some(campaign) = &raw.campaign {
        let is_id = campaign.value.bytes().all(|c| c.is_ascii_digit());
        if !is_id || campaign.value.is_empty() || campaign.value.len() > ID_BYTES_MAX {
            let text = format!("must be the campaign's number, got {}", got(&campaign.value));
            found.problem(campaign.at, &key("campaign"), text);
        }
    }
    let mut price = |raw: Option<&At<String>>, word: &str, hint: &str| match raw {
        Some(raw) => money(raw, &key(word), found),
        None => {
            found.missing(at, &key(word)).hint(hint);
            None
        }
    };
    let cost = price(
        raw.cost_max.as_ref(),
        "cost_max",
        "what one message costs at most, in the account's currency, such as `\"0.05\"`",
    );
    let spend_max = price(
        raw.spend_max.as_ref(),
        "spend_max",
        "the most that is spent, in the account's currency, such as `\"25\"`",
    );
    if let (Some(cost), Some(spend_max), Some(raw)) = (cost, spend_max, &raw.spend_max)
        && spend_max < cost
    {
        found.warning(raw.at, &key("spend_max"), "is less than one message costs: none is sent");
    }
    let periods = [("day", Period::Day), ("month", Period::Month)];
    let per = raw.spend_per.as_ref();
    let per = per.and_then(|raw| choice(raw, &key("spend_per"), &periods, found));
    if let Some(ask) = &raw.ask {
        let length = ask.value.trim().chars().count();
        if length == 0 || length > ASK_CHARS_MAX {
            let text = format!("must have 1 to {ASK_CHARS_MAX} characters, got {length}");
            found.problem(ask.at, &key("ask"), text);
        }
    }
    Some(Marketing {
        ad_account: ad_account?,
        token,
        campaign: raw.campaign.as_ref().map(|it| it.value.clone()),
        cost: cost?,
        spend_max: spend_max?,
        per: per.unwrap_or_default(),
        ask: raw.ask.as_ref().map(|it| it.value.trim().to_owned()),
    })
}

/// Tells of campaigns with ways that none of their channels has.
pub(crate) fn compare(raw: &[Entry<RawCampaign>], config: &Config, found: &mut Findings) {
    for entry in raw {
        let campaign = config.campaigns.iter().find(|campaign| campaign.name == entry.name);
        let Some(campaign) = campaign else { continue };
        let of_campaign = |channel: &&Channel| campaign.channels.contains(&channel.name);
        let mut channels = config.channels.iter().filter(of_campaign);
        let is_paid = |channel: &Channel| {
            matches!(channel.service, Service::Messenger { marketing: Some(_), .. })
        };
        let path = format!("campaigns.{}", entry.name);
        if let Some(marketing) = entry.value.marketing.as_ref().filter(|it| it.value)
            && !channels.clone().any(is_paid)
        {
            let text = "does nothing: no Messenger channel of the campaign has `marketing`";
            found.warning(marketing.at, &format!("{path}.marketing"), text);
        }
        if campaign.utility.is_some()
            && !channels.any(|channel| channel.kind() == ChannelKind::Messenger)
        {
            let text = "does nothing: the campaign has no Messenger channel";
            found.warning(entry.at, &format!("{path}.utility"), text);
        }
    }
}

/// A price in millionths: digits, perhaps a dot and digits. It is more than nothing.
fn money(raw: &At<String>, key: &str, found: &mut Findings) -> Option<u64> {
    let read = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > MONEY_PLACES {
            return None;
        }
        let part = format!("{part:0<MONEY_PLACES$}");
        let amount = whole.parse::<u64>().ok()?.checked_mul(1_000_000)?;
        amount.checked_add(part.parse().ok()?)
    };
    let amount = read(raw.value.trim()).filter(|amount| (1..=MONEY_MAX).contains(amount));
    if amount.is_none() {
        let text = format!("must be an amount of money, got {}", got(&raw.value));
        found.problem(raw.at, key, text).hint("for example `\"0.05\"` or `\"25\"`");
    }
    amount
}

/// The utility template of a campaign; `None` where it has none.
pub(crate) fn utility(
    raw: &RawCampaign,
    (at, path): (Place, &str),
    timing: &Timing,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<UtilityRule> {
    let raw = raw.utility.as_ref()?;
    let path = format!("{path}.utility");
    if timing.digest.is_some() || timing.group {
        let text = "a template tells one item, and this campaign tells several at once";
        found.problem(at, &path, text).hint("leave out `group`, and send `at-once`");
    }
    let template = id(raw.template.as_ref(), (at, &path), "template", found);
    let language = id(raw.language.as_ref(), (at, &path), "language", found);
    let (body, buttons) = places(raw, &path, around, found);
    Some(UtilityRule { template: template?, language: language?, body, buttons })
}

fn id(
    raw: Option<&At<String>>,
    (at, path): (Place, &str),
    word: &str,
    found: &mut Findings,
) -> Option<String> {
    let key = format!("{path}.{word}");
    let Some(raw) = raw else {
        let hint = match word {
            "template" => "the name under which the template is approved",
            _ => "the language of the approved template, such as `en` or `en_US`",
        };
        found.missing(at, &key).hint(hint);
        return None;
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if raw.value.is_empty()
        || raw.value.len() > TEMPLATE_BYTES_MAX
        || !raw.value.chars().all(is_word)
    {
        let text = format!("must have letters, digits, `_` and `-` only, got {}", got(&raw.value));
        found.problem(raw.at, &key, text);
    }
    Some(raw.value.clone())
}

/// What stands in the places of the body, and at the ends of the buttons' addresses.
fn places(
    raw: &RawUtility,
    path: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> (Vec<(String, Phrase)>, Vec<Phrase>) {
    let mut body: Vec<(String, Phrase)> = Vec::new();
    for (name, words) in raw.body.iter().flat_map(|body| &body.0) {
        let key = format!("{path}.body.{}", crate::config::table::shown(&name.value));
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.value.is_empty()
            || !name.value.chars().all(is_word)
            || name.value.len() > ID_BYTES_MAX
        {
            let hint = "`{{1}}` of the template is `\"1\"` here, `{{order_id}}` is `order_id`";
            found.problem(name.at, &key, "is no name of a place").hint(hint);
        }
        body.extend(phrase(words, &key, around, found).map(|words| (name.value.clone(), words)));
    }
    // TOML sorts nothing: places that are numbered stand in the order of their numbers.
    body.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
    let numbered = body.iter().filter(|(name, _)| name.bytes().all(|c| c.is_ascii_digit())).count();
    if let Some((name, _)) = raw.body.as_ref().and_then(|body| body.0.first())
        && numbered > 0
        && numbered < body.len()
    {
        let text = "names some places and numbers others: a template does one of both";
        found.problem(name.at, &format!("{path}.body"), text);
    }
    let buttons = raw.buttons.as_deref().unwrap_or_default();
    if let Some(first) = buttons.first() {
        for (count, most, word) in [(buttons.len(), BUTTONS_MAX, "buttons")] {
            if count > most {
                let text = format!("must have at most {most}, got {count}");
                found.problem(first.at, &format!("{path}.{word}"), text);
            }
        }
    }
    if body.len() > PLACES_MAX
        && let Some((name, _)) = raw.body.as_ref().and_then(|body| body.0.first())
    {
        let text = format!("must have at most {PLACES_MAX}, got {}", body.len());
        found.problem(name.at, &format!("{path}.body"), text);
    }
    let key = format!("{path}.buttons");
    let ends = buttons.iter().filter_map(|end| phrase(end, &key, around, found)).collect();
    (body, ends)
}

fn phrase(
    raw: &At<String>,
    key: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Phrase> {
    match around.rules.phrase(&raw.value) {
        Ok(phrase) => Some(phrase),
        Err(faults) => {
            found.problems(raw.at, key, faults);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_to_the_millionth() {
        let at = Place { file: 0, offset: 0 };
        for (text, expected) in [
            ("0.05", Some(50_000)),
            ("25", Some(25_000_000)),
            (" 1.000001 ", Some(1_000_001)),
            ("1.", Some(1_000_000)),
            ("0", None),
            ("0.0000001", None),
            ("-1", None),
            (".5", None),
            ("1,5", None),
            ("1e3", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            let mut found = Findings::default();
            let raw = At { value: text.to_owned(), at };
            assert_eq!(money(&raw, "k", &mut found), expected, "{text}");
        }
    }
}
