//! Checks `[campaigns.*]`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::config::chats::RawChats;
use crate::config::check::around::{Known, Surroundings};
use crate::config::check::lanes;
use crate::config::check::priority::priority;
use crate::config::check::reach::{Around, reach};
use crate::config::check::stages::stages;
use crate::config::check::timing::{Clock, condition, timing};
use crate::config::check::value::{choice, got, span};
use crate::config::nearest::did_you_mean;
use crate::config::problem::Findings;
use crate::config::raw::{List, RawCampaign};
use crate::config::table::{At, Entry};
use crate::model::campaign::{Campaign, ChangeKind, Corrects, OnRetraction, OnUncertain};
use crate::model::name::Name;
use crate::model::schedule::Span;
use crate::model::step::Step;

/// The layouts of campaigns that name none: for what is new or edited, for prices, for stock, for
/// digests, and for products of which several things are told.
const ARTICLE: &str = "article";
const PRICE_DROP: &str = "price-drop";
const BACK_IN_STOCK: &str = "back-in-stock";
const DIGEST: &str = "digest";
const PRODUCT_CARD: &str = "product-card";
/// Messages are kept for no longer than this.
const CORRECT_WITHIN_MAX: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Telegram lets a bot delete its messages for so long.
const DELETED_WITHIN: Duration = Duration::from_secs(48 * 60 * 60);
const SETTLE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a campaign may name.
pub(crate) struct References {
    pub sources: Known,
    pub topics: Known,
    pub channels: Known,
    pub profile: Known,
    /// Those of the channels that are Telegram's.
    pub telegram: Vec<Name>,
    /// `None` when they are not known, because they have problems of their own.
    pub layouts: Option<BTreeSet<Name>>,
}

/// The campaigns; names that are not known are told and left out of them.
pub(crate) fn campaigns(
    raw: &[Entry<RawCampaign>],
    known: &References,
    clock: &Clock,
    reviewers: Option<&RawChats>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Campaign> {
    let mut checked = |entry| campaign(entry, known, clock, reviewers, around, found);
    raw.iter().filter_map(&mut checked).collect()
}

fn campaign(
    entry: &Entry<RawCampaign>,
    known: &References,
    clock: &Clock,
    reviewers: Option<&RawChats>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Campaign> {
    let raw = &entry.value;
    let path = format!("campaigns.{}", entry.name);
    let key = |key: &str| format!("{path}.{key}");
    let mut named = |list: Option<&At<List<String>>>, word: &str, known: &Known, may_be_empty| {
        references(list, &key(word), known, may_be_empty, around, found)
    };
    let sources = named(raw.sources.as_ref(), "sources", &known.sources, false);
    let topics = named(raw.topics.as_ref(), "topics", &known.topics, true);
    let channels = named(raw.channels.as_ref(), "channels", &known.channels, false);
    if around.is_complete && known.channels.names.is_empty() {
        found.warning(entry.at, &path, "sends nothing: there is no channel");
    }
    let on = on(raw.on.as_ref(), &key("on"), found);
    // A source that is not known was told already, and may be the one that is meant.
    let are_known = raw.sources.as_ref().is_none_or(|list| list.value.len() == sources.len());
    let told = if are_known && around.is_complete { &sources[..] } else { &[] };
    let when = condition(raw.when.as_ref(), &key("when"), told, around, found);
    let timing = timing(raw, &path, clock, found);
    let settle = span(
        raw.settle.as_ref(),
        &key("settle"),
        Duration::ZERO..=SETTLE_MAX,
        Duration::ZERO,
        found,
    );
    let choices = [("skip", OnUncertain::Skip), ("resend", OnUncertain::Resend)];
    let on_uncertain = raw.on_uncertain.as_ref();
    let on_uncertain =
        on_uncertain.and_then(|raw| choice(raw, &key("on_uncertain"), &choices, found));
    let corrects = corrects(raw, &path, found);
    let priority = priority(raw.priority.as_ref(), &key("priority"), found);
    let stages = stages(&raw.into(), &path, found);
    let telegram = channels.iter().filter(|name| known.telegram.contains(*name)).cloned().collect();
    let names = Around {
        topics: &known.topics,
        channels: &known.channels,
        profile: &known.profile,
        telegram,
    };
    let reach = reach(raw, &path, &names, reviewers, around, found);
    let utility = lanes::utility(raw, (entry.at, &path), &timing, around, found);
    let is_marketing = raw.marketing.as_ref().is_some_and(|it| it.value);
    let watch = raw.watch.as_ref().is_some_and(|it| it.value);
    let layout = match &raw.layout {
        None if timing.digest.is_some() || timing.group => Name::parse(DIGEST).ok(),
        None => usual_layout(&on),
        Some(raw) => layout(raw, &key("layout"), known.layouts.as_ref(), found),
    };
    Some(Campaign {
        name: entry.name.clone(),
        sources,
        on,
        // See `steps::apply`.
        min_step: Step::default(),
        layout: layout?,
        topics,
        channels,
        settle,
        on_uncertain: on_uncertain.unwrap_or_default(),
        corrects,
        when,
        timing,
        priority,
        stages,
        reach,
        utility,
        is_marketing,
        watch,
    })
}

/// How sent messages are corrected.
fn corrects(raw: &RawCampaign, path: &str, found: &mut Findings) -> Corrects {
    let within_key = format!("{path}.correct_within");
    let bounds = Duration::ZERO..=CORRECT_WITHIN_MAX;
    let within = span(raw.correct_within.as_ref(), &within_key, bounds, Duration::ZERO, found);
    let choices = [
        ("strike", OnRetraction::Strike),
        ("delete", OnRetraction::Delete),
        ("keep", OnRetraction::Keep),
    ];
    let word = raw.on_retraction.as_ref();
    let key = format!("{path}.on_retraction");
    let on_retraction = word.and_then(|raw| choice(raw, &key, &choices, found)).unwrap_or_default();
    if let Some(word) = word
        && within.is_zero()
        && on_retraction != OnRetraction::default()
    {
        found.warning(word.at, &key, "does nothing without `correct_within`");
    }
    if let Some(raw) = &raw.correct_within
        && on_retraction == OnRetraction::Delete
        && within > DELETED_WITHIN
    {
        let text = format!(
            "must be at most {} where `on_retraction` is `delete`, got {}",
            Span(DELETED_WITHIN),
            raw.value.trim()
        );
        found.problem(raw.at, &within_key, text).hint(
            "Telegram lets nobody delete what is older; `strike` works for as long as you like",
        );
    }
    Corrects { within, on_retraction }
}

/// The layout's name, if it is one.
pub(crate) fn layout(
    raw: &At<String>,
    key: &str,
    known: Option<&BTreeSet<Name>>,
    found: &mut Findings,
) -> Option<Name> {
    let name = match Name::parse(&raw.value) {
        Ok(name) => name,
        Err(error) => {
            let text = format!("is no name of a layout: {error}");
            found.problem(raw.at, key, text).hint("the file's name without `.html`");
            return None;
        }
    };
    if let Some(known) = known
        && !known.contains(&name)
    {
        let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let hint = did_you_mean(&raw.value, known.iter().map(Name::as_str))
            .unwrap_or_else(|| format!("there is {}", all.join(", ")));
        found.problem(raw.at, key, format!("no layout is called `{name}`")).hint(hint);
    }
    Some(name)
}

/// The names of a list, each once; all that there are when there is no list.
pub(crate) fn references(
    raw: Option<&At<List<String>>>,
    key: &str,
    known: &Known,
    may_be_empty: bool,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Name> {
    let Some(raw) = raw else { return known.names.clone() };
    if raw.value.is_empty() && !may_be_empty {
        found.problem(raw.at, key, "must name one at least").hint("leave the key out for all");
    }
    let mut names = Vec::with_capacity(raw.value.len());
    let mut seen = HashSet::new();
    for each in &raw.value {
        if let Some(name) = known.get(&each.value) {
            if seen.insert(name) {
                names.push(name.clone());
            }
        } else if around.is_complete {
            let names = known.names.iter().map(Name::as_str);
            let hint = if found.is_full() { None } else { did_you_mean(&each.value, names) };
            let text = format!("{} is not defined", got(&each.value));
            let finding = found.problem(each.at, key, text);
            if let Some(hint) = hint {
                finding.hint(hint);
            }
        }
    }
    names
}

fn on(raw: Option<&At<List<String>>>, key: &str, found: &mut Findings) -> Vec<ChangeKind> {
    let Some(raw) = raw else { return vec![ChangeKind::New] };
    if raw.value.is_empty() {
        found.problem(raw.at, key, "must name one at least").hint("`new`");
    }
    let choices = ChangeKind::ALL.map(|kind| (kind.as_str(), kind));
    let mut kinds = Vec::new();
    for each in &raw.value {
        if let Some(kind) = choice(each, key, &choices, found)
            && !kinds.contains(&kind)
        {
            kinds.push(kind);
        }
    }
    kinds
}

/// The layout of a campaign that names none.
fn usual_layout(on: &[ChangeKind]) -> Option<Name> {
    use ChangeKind::{BackInStock, Gone, New, OutOfStock, PriceDrop, PriceRise, Updated};
    let layout = |kind: &ChangeKind| match kind {
        New | Updated => ARTICLE,
        PriceDrop | PriceRise => PRICE_DROP,
        BackInStock | OutOfStock => BACK_IN_STOCK,
        Gone => PRODUCT_CARD,
    };
    let mut layouts = on.iter().map(layout);
    let first = layouts.next().unwrap_or(ARTICLE);
    Name::parse(if layouts.all(|other| other == first) { first } else { PRODUCT_CARD }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_without_a_layout_gets_the_one_for_what_it_tells() {
        use ChangeKind::{BackInStock, Gone, New, OutOfStock, PriceDrop, PriceRise, Updated};
        let cases = [
            (&[New][..], "article"),
            (&[New, Updated], "article"),
            (&[PriceDrop], "price-drop"),
            (&[PriceRise, PriceDrop], "price-drop"),
            (&[BackInStock, OutOfStock], "back-in-stock"),
            (&[PriceDrop, BackInStock], "product-card"),
            (&[PriceDrop, BackInStock, PriceRise], "product-card"),
            (&[Gone], "product-card"),
            (&[New, PriceDrop], "product-card"),
        ];
        for (on, expected) in cases {
            assert_eq!(usual_layout(on).unwrap().as_str(), expected, "{on:?}");
        }
    }
}
