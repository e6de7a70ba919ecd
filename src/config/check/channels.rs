//! Checks `[channels.*]`.

use url::Url;

use crate::config::check::around::Surroundings;
use crate::config::check::lanes;
use crate::config::check::paid;
use crate::config::check::value::{base_url, choice, number, whole};
use crate::config::problem::{Finding, Findings, Place};
use crate::config::raw::{RawChannel, RawSecret};
use crate::config::secret;
use crate::config::table::{At, Entry};
use crate::config::{Channel, Listen, Service, Updates};
use crate::model::channel::ChannelKind;
use crate::model::secret::{ExposeSecret, SecretString};

/// What Telegram grants a bot. Source: Bots FAQ, "My bot is hitting limits".
const TELEGRAM_RATE: f64 = 30.0;
/// Well below [`MESSENGER_BRAKE`].
const MESSENGER_RATE: f64 = 20.0;
/// Above so many messages a second Meta brakes a page. Source: Messenger Platform, "Rate limits".
const MESSENGER_BRAKE: f64 = 40.0;
const RATE_MIN: f64 = 0.01;
const RATE_MAX: f64 = 100_000.0;
const IN_FLIGHT: usize = 32;
const IN_FLIGHT_MAX: usize = 1_024;

const TELEGRAM_API: &str = "https://api.telegram.org";
const MESSENGER_API: &str = "https://graph.facebook.com";
const MESSENGER_VERSION: &str = "v25.0";

/// Of a bot's user name. Source: Telegram, "Usernames"; the shortest are sold.
const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 4..=32;

/// Telegram takes 1 to 256; below 32 it could be guessed.
const WEBHOOK_SECRET_CHARS: std::ops::RangeInclusive<usize> = 32..=256;

/// The channels; one that has a problem is left out.
pub(crate) fn channels(
    raw: &[Entry<RawChannel>],
    listen: &Listen,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Channel> {
    let channels: Vec<Channel> =
        raw.iter().filter_map(|entry| channel(entry, listen, around, found)).collect();
    refuse_twins(raw, &channels, found);
    channels
}

/// Two channels of one bot or page would take each other's events, and send twice as fast as the
/// service grants.
fn refuse_twins(raw: &[Entry<RawChannel>], channels: &[Channel], found: &mut Findings) {
    let is_twin = |one: &Channel, other: &Channel| match (&one.service, &other.service) {
        (Service::Telegram { token, .. }, Service::Telegram { token: other, .. }) => {
            !secret::is_unread(token) && token.expose_secret() == other.expose_secret()
        }
        (Service::Messenger { page_id, .. }, Service::Messenger { page_id: other, .. }) => {
            page_id == other
        }
        _ => false,
    };
    for (at, channel) in channels.iter().enumerate() {
        let before = channels.get(..at).unwrap_or_default();
        let Some(first) = before.iter().find(|first| is_twin(first, channel)) else { continue };
        let Some(entry) = raw.iter().find(|entry| entry.name == channel.name) else { continue };
        let (key, whose, place) = match &channel.service {
            Service::Telegram { .. } => {
                ("token", "bot", entry.value.token.as_ref().map(|token| token.at))
            }
            Service::Messenger { .. } => {
                ("page_id", "page", entry.value.page_id.as_ref().map(|id| id.at))
            }
        };
        let key = format!("channels.{}.{key}", channel.name);
        let text = format!("is that of `channels.{}` already", first.name);
        found
            .problem(place.unwrap_or(entry.at), &key, text)
            .hint(format!("one {whose} is one channel: topics part its people"));
    }
}

fn channel(
    entry: &Entry<RawChannel>,
    listen: &Listen,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Channel> {
    let raw = &entry.value;
    let table = Table { path: format!("channels.{}", entry.name), at: entry.at, around };
    let kinds = [("telegram", ChannelKind::Telegram), ("messenger", ChannelKind::Messenger)];
    let Some(kind) = &raw.kind else {
        table.missing("kind", found).hint("`telegram` or `messenger`");
        return None;
    };
    let kind = choice(kind, &table.key("kind"), &kinds, found)?;
    refuse_foreign(raw, kind, &table, found);
    let (service, api, rate) = match kind {
        ChannelKind::Telegram => {
            (telegram(raw, listen, &table, found), TELEGRAM_API, TELEGRAM_RATE)
        }
        ChannelKind::Messenger => {
            (messenger(raw, listen, &table, found), MESSENGER_API, MESSENGER_RATE)
        }
    };
    let api = match &raw.api {
        Some(api) => base_url(api, &table.key("api"), found),
        None => Url::parse(api).ok(),
    };
    let rate = number(raw.rate.as_ref(), &table.key("rate"), RATE_MIN..=RATE_MAX, rate, found);
    warn_of_rate(raw, kind, rate, &table, found);
    let in_flight =
        whole(raw.in_flight.as_ref(), &table.key("in_flight"), 1..=IN_FLIGHT_MAX, IN_FLIGHT, found);
    let paid = paid::paid(raw.paid_broadcast.as_ref(), rate, &table, found);
    let name = entry.name.clone();
    let profile = raw.profile.as_ref().is_none_or(|profile| profile.value);
    Some(Channel { name, rate, in_flight, paid, profile, api: api?, service: service? })
}

/// Says so when the rate is above what the service grants.
fn warn_of_rate(
    raw: &RawChannel,
    kind: ChannelKind,
    rate: f64,
    table: &Table<'_>,
    found: &mut Findings,
) {
    let Some(at) = raw.rate.as_ref().map(|rate| rate.at) else { return };
    let text = match kind {
        ChannelKind::Telegram if rate > TELEGRAM_RATE => format!(
            "Telegram grants a bot about {TELEGRAM_RATE} messages a second: what is more it refuses, \
             and the rate falls until it fits"
        ),
        ChannelKind::Messenger if rate >= MESSENGER_BRAKE => format!(
            "from {MESSENGER_BRAKE} messages a second on Meta brakes a page, which then can't send \
             at all for a while"
        ),
        _ => return,
    };
    found.warning(at, &table.key("rate"), text);
}

/// One channel's table, for problems.
pub(super) struct Table<'a> {
    path: String,
    pub(super) at: Place,
    around: &'a Surroundings<'a>,
}

impl Table<'_> {
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn missing<'f>(&self, key: &str, found: &'f mut Findings) -> &'f mut Finding {
        found.missing(self.at, &self.key(key))
    }

    fn secret(
        &self,
        raw: Option<&RawSecret>,
        key: &str,
        found: &mut Findings,
    ) -> Option<SecretString> {
        match raw {
            Some(raw) => secret::read(raw, &self.key(key), self.around, found),
            None => {
                self.missing(key, found)
                    .hint("`{ credential = \"…\" }`, `{ file = \"…\" }` or `{ env = \"…\" }`");
                None
            }
        }
    }
}

/// Tells of keys that belong to the other kind.
fn refuse_foreign(raw: &RawChannel, kind: ChannelKind, table: &Table<'_>, found: &mut Findings) {
    let secret = |raw: &Option<RawSecret>| raw.as_ref().map(|secret| secret.at);
    let text = |raw: &Option<At<String>>| raw.as_ref().map(|text| text.at);
    let telegram = [
        ("token", secret(&raw.token)),
        ("username", text(&raw.username)),
        ("updates", text(&raw.updates)),
        ("paid_broadcast", raw.paid_broadcast.as_ref().and_then(paid::place)),
        ("webhook_secret", secret(&raw.webhook_secret)),
    ];
    let messenger = [
        ("version", text(&raw.version)),
        ("page_id", text(&raw.page_id)),
        ("page_token", secret(&raw.page_token)),
        ("app_secret", secret(&raw.app_secret)),
        ("verify_token", secret(&raw.verify_token)),
        ("held_for", text(&raw.held_for)),
        ("marketing", raw.marketing.as_ref().map(|_| table.at)),
    ];
    let foreign: &[(&str, Option<Place>)] = match kind {
        ChannelKind::Telegram => &messenger,
        ChannelKind::Messenger => &telegram,
    };
    for (key, at) in foreign {
        if let Some(at) = at {
            let text = format!("does not belong to a channel of kind `{}`", kind.as_str());
            found.problem(*at, &table.key(key), text);
        }
    }
}

fn telegram(
    raw: &RawChannel,
    listen: &Listen,
    table: &Table<'_>,
    found: &mut Findings,
) -> Option<Service> {
    let token = table.secret(raw.token.as_ref(), "token", found);
    if let Some(token) = token.as_ref().filter(|token| !secret::is_unread(token)) {
        judge_token(token, raw, table, found);
    }
    let updates = match &raw.updates {
        None => Some(false),
        Some(updates) => {
            choice(updates, &table.key("updates"), &[("polling", false), ("webhook", true)], found)
        }
    };
    let updates = if updates? {
        let at = raw.updates.as_ref().map_or(table.at, |updates| updates.at);
        let key = table.key("updates");
        if listen.public.is_none() {
            found.problem(at, &key, "a webhook needs `listen.public`");
        }
        match &listen.public_url {
            None => {
                found.problem(at, &key, "a webhook needs `listen.public_url`");
            }
            // A Bot API server of one's own calls plain addresses too.
            Some(url) if url.scheme() != "https" && raw.api.is_none() => {
                let text = "a webhook needs a `listen.public_url` that begins with `https://`";
                found.problem(at, &key, text);
            }
            Some(_) => {}
        }
        Updates::Webhook { secret: webhook_secret(raw, table, found)? }
    } else {
        Updates::Polling
    };
    let username = raw.username.as_ref().map(|raw| username(raw, table, found));
    Some(Service::Telegram { token: token?, username, updates })
}

/// A token becomes a part of addresses. Those of Telegram are `digits:letters`; what a server of
/// one's own gives out may differ.
fn judge_token(token: &SecretString, raw: &RawChannel, table: &Table<'_>, found: &mut Findings) {
    let token = token.expose_secret();
    let is_usable = token.bytes().all(|c| c.is_ascii_graphic() && c != b'/');
    let has_shape = token.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit()) && !secret.is_empty()
    });
    if is_usable && (has_shape || raw.api.is_some()) {
        return;
    }
    let at = raw.token.as_ref().map_or(table.at, |token| token.at);
    found
        .problem(at, &table.key("token"), "is no token of a bot")
        .hint("BotFather gives it: digits, `:`, and then letters and digits");
}

/// A bot's user name becomes a part of addresses.
fn username(raw: &At<String>, table: &Table<'_>, found: &mut Findings) -> String {
    let name = raw.value.strip_prefix('@').unwrap_or(&raw.value);
    let is_legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    if !USERNAME_CHARS.contains(&name.len()) || !name.bytes().all(is_legal) {
        found
            .problem(raw.at, &table.key("username"), "must be the bot's user name")
            .hint("for example `harbour_news_bot`; left out, Telegram is asked for it");
    }
    name.to_owned()
}

fn webhook_secret(
    raw: &RawChannel,
    table: &Table<'_>,
    found: &mut Findings,
) -> Option<SecretString> {
    let secret = table.secret(raw.webhook_secret.as_ref(), "webhook_secret", found)?;
    if secret::is_unread(&secret) {
        return Some(secret);
    }
    let text = secret.expose_secret();
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !WEBHOOK_SECRET_CHARS.contains(&text.len()) || !text.chars().all(is_legal) {
        let at = raw.webhook_secret.as_ref().map_or(table.at, |secret| secret.at);
        found
            .problem(
                at,
                &table.key("webhook_secret"),
                "must have 32 to 256 of `A-Z`, `a-z`, `0-9`, `_` and `-`",
            )
            .hint("make one with `openssl rand -hex 32`");
        return None;
    }
    Some(secret)
}

fn messenger(
    raw: &RawChannel,
    listen: &Listen,
    table: &Table<'_>,
    found: &mut Findings,
) -> Option<Service> {
    let page_id = match &raw.page_id {
        None => {
            table.missing("page_id", found).hint("the page's number");
            None
        }
        Some(id) => {
            let is_number = !id.value.is_empty() && id.value.bytes().all(|c| c.is_ascii_digit());
            if !is_number || id.value.len() > 32 {
                found.problem(id.at, &table.key("page_id"), "must be the page's number");
            }
            Some(id.value.clone())
        }
    };
    let page_token = table.secret(raw.page_token.as_ref(), "page_token", found);
    let app_secret = table.secret(raw.app_secret.as_ref(), "app_secret", found);
    let verify_token = table.secret(raw.verify_token.as_ref(), "verify_token", found);
    let version = version(raw.version.as_ref(), table, found);
    let held_for = lanes::held_for(raw, &table.path, found);
    let marketing =
        lanes::marketing(raw.marketing.as_ref(), table.at, &table.path, table.around, found);
    if listen.public.is_none() && table.around.is_complete {
        let text = "nobody can subscribe: Messenger calls us, and `listen.public` is not set";
        found.warning(table.at, &table.path, text);
    }
    Some(Service::Messenger {
        version,
        page_id: page_id?,
        page_token: page_token?,
        app_secret: app_secret?,
        verify_token: verify_token?,
        held_for,
        marketing,
    })
}

/// `v25.0`: it becomes a part of addresses.
fn version(raw: Option<&At<String>>, table: &Table<'_>, found: &mut Findings) -> String {
    let Some(raw) = raw else { return MESSENGER_VERSION.to_owned() };
    let is_number = |text: &str| {
        !text.is_empty() && text.len() <= 3 && text.bytes().all(|c| c.is_ascii_digit())
    };
    let parts = raw.value.strip_prefix('v').and_then(|version| version.split_once('.'));
    if !parts.is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
        let text = format!("must be a version such as `{MESSENGER_VERSION}`");
        found.problem(raw.at, &table.key("version"), text);
    }
    raw.value.clone()
}
