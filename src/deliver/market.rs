//! What a page can do beyond open windows, found out from the service and kept up to date: which of
//! our templates are approved, the campaign that marketing messages belong to, who agreed to them.
//!
//! Nothing is sent to people here. A failure leaves things as they were and is tried again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::channel::messenger::api::{ApiError, Client};
use crate::channel::messenger::market::WARM_UP;
use crate::model::lane::{Market, Period, Ways};
use crate::model::name::Name;
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::store::{MarketCampaign, MarketState, OptinWord, Store, StoreError};

/// Between two looks at templates and the campaign.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Between two readings of all subscription tokens.
const TOKENS_EVERY: Duration = Duration::from_secs(6 * 3_600);

const PAUSE_MIN: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Most pages of a list; beyond them nobody is forgotten for not being told of.
const PAGES_MAX: usize = 4_000;

/// How marketing messages are sent, as configured.
#[derive(Clone, Debug)]
pub struct MarketRule {
    /// One that is there already; else one is made.
    pub campaign: Option<String>,
    pub cost: u64,
    pub spend_max: u64,
    pub per: Period,
}

/// What one channel's look-out is given.
pub struct Options {
    pub name: Name,
    pub client: Client,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub ways: watch::Sender<Ways>,
    pub marketing: Option<MarketRule>,
    /// By name and language.
    pub templates: BTreeSet<(String, String)>,
}

/// Why a look brought nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the channel can do as far as the last run found out.
#[must_use]
pub fn ways_known(
    held_for: Duration,
    marketing: Option<&MarketRule>,
    templates: &BTreeSet<(String, String)>,
    state: &MarketState,
    now: Timestamp,
) -> Ways {
    let approved = state.templates.iter().filter(|it| templates.contains(*it)).cloned().collect();
    let market = marketing.and_then(|rule| {
        let campaign = match &rule.campaign {
            Some(id) => id.clone(),
            None => {
                let made = state.campaign.as_ref()?;
                (now >= made.made_at + WARM_UP).then(|| made.id.clone())?
            }
        };
        let MarketRule { cost, spend_max, per, .. } = *rule;
        Some(Market { campaign, cost, spend_max, per })
    });
    Ways { has_windows: true, held_for, templates: approved, market }
}

/// Looks, and looks again, until *begin*.
///
/// A failure is logged when it begins; a failed store ends the look-out, after saying so.
pub async fn run(options: Options, stop: Stop) {
    let mut pause = PAUSE_MIN;
    let mut tokens_at: Option<Timestamp> = None;
    let mut missing = BTreeSet::new();
    loop {
        let looked = tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            looked = look(&options, &mut tokens_at, &mut missing) => looked,
        };
        let wait = match looked {
            Ok(wait) => {
                pause = PAUSE_MIN;
                wait
            }
            Err(LookError::Store(error)) => {
                tracing::error!(
                    channel.id = %options.name, %error,
                    "the look-out ended: the store did not answer"
                );
                return;
            }
            Err(LookError::Api(error)) => {
                if pause == PAUSE_MIN {
                    tracing::warn!(
                        channel.id = %options.name, %error,
                        "could not find out what goes beyond open windows"
                    );
                }
                let now = pause;
                pause = (pause * 2).min(PAUSE_MAX);
                now
            }
        };
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// One look; answers when the next one is due.
async fn look(
    options: &Options,
    tokens_at: &mut Option<Timestamp>,
    missing: &mut BTreeSet<(String, String)>,
) -> Result<Duration, LookError> {
    let mut state = options.store.load_market(&options.name).await?;
    let now = options.clock.now();
    if !options.templates.is_empty() {
        let approved = templates(options).await?;
        for (name, language) in options.templates.difference(&approved) {
            if missing.insert((name.clone(), language.clone())) {
                tracing::warn!(
                    channel.id = %options.name, template = %name, %language,
                    "the template is not approved: what it was to tell is held"
                );
            }
        }
        missing.retain(|it| !approved.contains(it));
        let approved: Vec<(String, String)> = approved.into_iter().collect();
        if approved != state.templates {
            state.templates = approved;
            options.store.commit_market(&options.name, None, state.templates.clone()).await?;
        }
    }
    let mut wait = LOOK_EVERY;
    if let Some(rule) = &options.marketing {
        if rule.campaign.is_none() && state.campaign.is_none() {
            let id = options.client.make_campaign(&format!("tidings {}", options.name)).await?;
            tracing::info!(
                channel.id = %options.name, campaign = %id,
                "made the campaign for marketing messages; it warms up for an hour"
            );
            let made = MarketCampaign { id, made_at: options.clock.now() };
            let templates = state.templates.clone();
            options.store.commit_market(&options.name, Some(made.clone()), templates).await?;
            state.campaign = Some(made);
        }
        if let (None, Some(made)) = (&rule.campaign, &state.campaign) {
            let left = (made.made_at + WARM_UP).since(now);
            if !left.is_zero() {
                wait = wait.min(left + PAUSE_MIN);
            }
        }
    }
    let held_for = options.ways.borrow().held_for;
    let marketing = options.marketing.as_ref();
    let ways = ways_known(held_for, marketing, &options.templates, &state, options.clock.now());
    options.ways.send_if_modified(|known| {
        let is_new = *known != ways;
        *known = ways;
        is_new
    });
    if options.marketing.is_some() && tokens_at.is_none_or(|at| now >= at + TOKENS_EVERY) {
        read_tokens(options, now).await?;
        *tokens_at = Some(now);
    }
    Ok(wait)
}

async fn templates(options: &Options) -> Result<BTreeSet<(String, String)>, LookError> {
    let (mut approved, mut after) = (BTreeSet::new(), None);
    for _ in 0..PAGES_MAX {
        let page = options.client.templates(after.as_deref()).await?;
        approved.extend(page.rows.into_iter().filter(|it| options.templates.contains(it)));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    Ok(approved)
}

/// Reads who has agreed; who is not told of any more has not.
async fn read_tokens(options: &Options, begun: Timestamp) -> Result<(), LookError> {
    let (mut told, mut known) = (0, 0);
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = options.client.subscriptions(after.as_deref()).await?;
        told += page.rows.len();
        let at = options.clock.now();
        let word = |row: crate::channel::messenger::market::Subscription| {
            let (expires_at, next_at) = (row.expires_at, row.next_at);
            (row.address, OptinWord::Open { token: row.token, expires_at, next_at, at })
        };
        let words = page.rows.into_iter().map(word).collect();
        known += options.store.commit_optins(&options.name, words).await?;
        after = page.after;
        if after.is_none() {
            let gone = options.store.forget_optins(&options.name, begun).await?;
            tracing::info!(
                channel.id = %options.name, told, known, gone,
                "read who agreed to marketing messages"
            );
            return Ok(());
        }
    }
    tracing::warn!(
        channel.id = %options.name, told,
        "more tokens than are read: nobody was taken out"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_of_ours_is_warm_after_an_hour_and_a_configured_one_at_once() {
        let made_at = Timestamp::from_millis(1_900_000_000_000);
        let made = MarketCampaign { id: "7".into(), made_at };
        let state = MarketState {
            campaign: Some(made),
            templates: vec![("a".into(), "en".into()), ("b".into(), "en".into())],
            ..MarketState::default()
        };
        let rule = |campaign: Option<&str>| MarketRule {
            campaign: campaign.map(str::to_owned),
            cost: 1,
            spend_max: 2,
            per: Period::Day,
        };
        let wanted = BTreeSet::from([("a".to_owned(), "en".to_owned())]);
        let known =
            |rule: Option<&MarketRule>, now| ways_known(Duration::ZERO, rule, &wanted, &state, now);
        let id = |ways: Ways| ways.market.map(|market| market.campaign);
        assert_eq!(id(known(Some(&rule(None)), made_at)), None);
        assert_eq!(id(known(Some(&rule(None)), made_at + WARM_UP)), Some("7".into()));
        assert_eq!(id(known(Some(&rule(Some("9"))), made_at)), Some("9".into()));
        let off = known(None, made_at + WARM_UP);
        assert!(off.has_windows && off.market.is_none());
        assert_eq!(off.templates, wanted);
    }
}
