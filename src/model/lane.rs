//! Lanes: the ways in which a post may reach somebody, and which of them it takes.
//!
//! Messenger lets a page write to a person for 24 hours after they last did something. What comes
//! later is held for their next contact, unless a campaign and the page have another way: a utility
//! template for what such are for, or a paid marketing message to who has opted in.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// Before a window closes nothing new is begun.
pub const WINDOW_RESERVE: Duration = Duration::from_secs(5 * 60);

/// Between two marketing messages to one person. Source: Marketing Message API, "Send".
pub const MARKETING_GAP: Duration = Duration::from_secs(12 * 3_600);

/// Before an opt-in ends nothing new is begun.
const OPTIN_RESERVE: Duration = Duration::from_secs(3_600);

/// Most posts that are held for one person; the oldest go first.
pub const HELD_PER_PERSON_MAX: usize = 30;

/// Longest token that is kept, in bytes.
pub const TOKEN_BYTES_MAX: usize = 512;

/// By which way a post reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Their window is open, or their service has none.
    Window,
    /// With what else is held, at their next contact.
    Held,
    /// As an approved template, whenever it is.
    Utility,
    /// As a paid message, whenever it is.
    Marketing,
}

impl Lane {
    pub const ALL: [Self; 4] = [Self::Window, Self::Held, Self::Utility, Self::Marketing];

    /// The word for it in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Held => "held",
            Self::Utility => "utility",
            Self::Marketing => "marketing",
        }
    }
}

/// What a channel can do now. The default is a service without windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// People can be written to only while a window is open that they opened themselves; and what
    /// the channel sends comes back to it as an echo.
    pub has_windows: bool,
    /// How long something is held for somebody.
    pub held_for: Duration,
    /// Utility templates that are approved, by name and language.
    pub templates: BTreeSet<(String, String)>,
    /// `None` while no marketing messages can be sent.
    pub market: Option<Market>,
}

impl Ways {
    /// Whether somebody with this window can be written to, with time enough for it to arrive.
    pub fn is_window_open(&self, window_until: Option<Timestamp>, now: Timestamp) -> bool {
        !self.has_windows || window_until.is_some_and(|until| until > now + WINDOW_RESERVE)
    }
}

/// How marketing messages are sent and paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// The service's id of the campaign that they belong to.
    pub campaign: String,
    /// What one is taken to cost, in millionths of the account's currency.
    pub cost: u64,
    /// The most that is spent in one period, in the same.
    pub spend_max: u64,
    pub per: Period,
}

/// A span of the calendar, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    #[default]
    Day,
    /// Thirty days, counted from the beginning of 1970.
    Month,
}

impl Period {
    /// The number of the period in which the instant lies.
    pub fn number(self, at: Timestamp) -> i64 {
        let days = match self {
            Self::Day => 1,
            Self::Month => 30,
        };
        at.as_millis().div_euclid(86_400_000 * days)
    }
}

/// The ways of a post beyond open windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// What it says as a utility template.
    pub utility: Option<Template>,
    /// It may go as a marketing message.
    pub is_marketing: bool,
}

/// A template with what stands in its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub language: String,
    /// By the names of its places; digits alone name none, and stand in their order.
    pub body: Vec<(String, String)>,
    /// What completes the addresses of its buttons, in order.
    pub buttons: Vec<String>,
}

/// What is known of a person's opt-in to marketing messages on a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optin {
    /// `None` while they have not agreed, or not any more.
    pub token: Option<String>,
    pub expires_at: Option<Timestamp>,
    /// Nothing more is sent before.
    pub next_at: Option<Timestamp>,
    /// When they were asked last.
    pub asked_at: Option<Timestamp>,
    /// When the service told of it last.
    pub told_at: Option<Timestamp>,
}

impl Optin {
    /// The token, if a message may be sent to it now.
    pub fn open_token(&self, now: Timestamp) -> Option<&str> {
        let lasts = self.expires_at.is_none_or(|until| until > now + OPTIN_RESERVE);
        let is_rested = self.next_at.is_none_or(|at| at <= now);
        self.token.as_deref().filter(|_| lasts && is_rested)
    }
}

/// What decides beside the channel's ways.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    pub window_until: Option<Timestamp>,
    /// The post's, unless a part of it has arrived already: the rest goes the same way then.
    pub beyond: Option<&'a Beyond>,
    /// `None` for somebody who was never asked.
    pub optin: Option<&'a Optin>,
    /// What was spent in the period of `now`, in millionths.
    pub spent: u64,
}

/// The lane in which a post goes to somebody now: the first that is open of window, utility and
/// marketing; else it is held.
pub fn lane(reach: Reach<'_>, ways: &Ways, now: Timestamp) -> Lane {
    if ways.is_window_open(reach.window_until, now) {
        return Lane::Window;
    }
    let Some(beyond) = reach.beyond else { return Lane::Held };
    let is_approved = |template: &&Template| {
        ways.templates
            .iter()
            .any(|(name, language)| *name == template.name && *language == template.language)
    };
    if beyond.utility.as_ref().filter(is_approved).is_some() {
        return Lane::Utility;
    }
    let token = reach.optin.and_then(|optin| optin.open_token(now));
    match &ways.market {
        Some(market)
            if beyond.is_marketing
                && token.is_some()
                && reach.spent.saturating_add(market.cost) <= market.spend_max =>
        {
            Lane::Marketing
        }
        _ => Lane::Held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_000);

    fn ways() -> Ways {
        Ways {
            has_windows: true,
            held_for: Duration::from_secs(60),
            templates: BTreeSet::from([("visit".to_owned(), "en".to_owned())]),
            market: Some(Market {
                campaign: "c".into(),
                cost: 20_000,
                spend_max: 50_000,
                per: Period::Day,
            }),
        }
    }

    fn template(name: &str, language: &str) -> Option<Template> {
        let (name, language) = (name.to_owned(), language.to_owned());
        Some(Template { name, language, body: vec![], buttons: vec![] })
    }

    fn optin() -> Optin {
        Optin { token: Some("t".into()), ..Optin::default() }
    }

    #[test]
    fn the_first_open_lane_is_taken() {
        let both = Beyond { utility: template("visit", "en"), is_marketing: true };
        let paid = Beyond { utility: None, is_marketing: true };
        let other = Beyond { utility: template("visit", "ro"), is_marketing: true };
        let neither = Beyond::default();
        let agreed = optin();
        let open = Some(NOW + Duration::from_secs(3_600));
        let closing = Some(NOW + WINDOW_RESERVE);
        for (window_until, beyond, optin, spent, expected) in [
            (open, Some(&both), Some(&agreed), 0, Lane::Window),
            (closing, Some(&both), Some(&agreed), 0, Lane::Utility),
            (None, Some(&both), None, 0, Lane::Utility),
            // Not in that language.
            (None, Some(&other), None, 0, Lane::Held),
            (None, Some(&other), Some(&agreed), 0, Lane::Marketing),
            (None, Some(&paid), Some(&agreed), 30_000, Lane::Marketing),
            (None, Some(&paid), Some(&agreed), 30_001, Lane::Held),
            (None, Some(&paid), Some(&agreed), u64::MAX, Lane::Held),
            (None, Some(&paid), None, 0, Lane::Held),
            (None, Some(&neither), Some(&agreed), 0, Lane::Held),
            (None, None, Some(&agreed), 0, Lane::Held),
        ] {
            let reach = Reach { window_until, beyond, optin, spent };
            assert_eq!(lane(reach, &ways(), NOW), expected, "{reach:?}");
        }
    }

    #[test]
    fn a_service_without_windows_is_always_open() {
        let reach = Reach { window_until: None, beyond: None, optin: None, spent: 0 };
        assert_eq!(lane(reach, &Ways::default(), NOW), Lane::Window);
    }

    #[test]
    fn what_is_not_configured_is_not_taken() {
        let both = Beyond { utility: template("visit", "en"), is_marketing: true };
        let agreed = optin();
        let off = Ways { templates: BTreeSet::new(), market: None, ..ways() };
        let reach =
            Reach { window_until: None, beyond: Some(&both), optin: Some(&agreed), spent: 0 };
        assert_eq!(lane(reach, &off, NOW), Lane::Held);
    }

    #[test]
    fn a_token_rests_and_ends() {
        let rests = |next_at| Optin { next_at, ..optin() }.open_token(NOW).is_some();
        assert!(rests(None) && rests(Some(NOW)));
        assert!(!rests(Some(NOW + Duration::from_millis(1))));
        let ends = |at: Timestamp| Optin { expires_at: Some(at), ..optin() };
        assert!(ends(NOW + Duration::from_secs(3_601)).open_token(NOW).is_some());
        assert!(ends(NOW + Duration::from_secs(3_600)).open_token(NOW).is_none());
        assert!(Optin::default().open_token(NOW).is_none());
    }

    #[test]
    fn periods_follow_each_other() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Period::Day.number(NOW + day), Period::Day.number(NOW) + 1);
        assert_eq!(Period::Month.number(NOW + day * 30), Period::Month.number(NOW) + 1);
    }
}
