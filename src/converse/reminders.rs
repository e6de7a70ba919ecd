//! People are reminded, now and then, of what they get here and how to stop it.
//!
//! The worker looks through each channel's people over and over, in small bites, and reminds those
//! who came or were reminded last long enough ago. A reminder is an answer like any other; that
//! somebody was reminded is kept with it, in one transaction, so nobody is reminded twice. There is
//! no list of who is due: a million people who are due at once, because the settings have just
//! gained a reminder, are reminded over some days and leave the rate to campaigns.
//!
//! Nobody is woken: reminders come between `DAY`'s hours of the person's own clock, or that of
//! the settings. On Messenger somebody is reminded while their window is open, which the next
//! contact brings.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::converse::layout::{self, Reader};
use crate::converse::replies::{STOP_PAYLOAD, button, say_with};
use crate::converse::words::{Saying, TITLES_MAX, with_topics};
use crate::model::channel::ChannelKind;
use crate::model::day::Days;
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::Wall;
use crate::render::Layouts;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{Store, StoreError};

/// The hours of the day in which people are reminded.
const DAY: Range<i8> = 9..20;

/// People looked at at once.
const BITE: usize = 512;

/// Between two bites.
const BREATH: Duration = Duration::from_millis(200);

/// So many are reminded at once …
const BURST: usize = 20;

/// … and then nobody for so long: two a second, of the thirty that a channel sends.
const BURST_REST: Duration = Duration::from_secs(10);

/// Between two looks through all people.
const ROUND_REST: Duration = Duration::from_secs(1_800);

/// An open window must be open for so long yet.
const WINDOW_SPARE: Duration = Duration::from_secs(300);

/// What the worker is given.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub channels: BTreeMap<Name, ChannelKind>,
    pub every: Duration,
    /// `{topics}` stands for the titles.
    pub say: Saying,
    pub layouts: Arc<Layouts>,
    /// How topics are called.
    pub titles: BTreeMap<Name, Saying>,
    pub stop_label: Saying,
    /// Of who has told no time zone.
    pub days: Days,
}

/// Reminds people until *begin*; ends early only when the store fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    while !stop.begin.is_cancelled() {
        for channel in options.channels.keys() {
            if let Err(error) = look_through(&options, channel, &stop).await {
                tracing::error!(%error, "the reminders stopped: the store did not answer");
                return;
            }
        }
        rest(ROUND_REST, &stop).await;
    }
}

async fn rest(span: Duration, stop: &Stop) {
    tokio::select! {
        () = stop.begin.cancelled() => {}
        () = tokio::time::sleep(span) => {}
    }
}

/// Looks at everybody on a channel once.
async fn look_through(options: &Options, channel: &Name, stop: &Stop) -> Result<(), StoreError> {
    let mut after = None;
    while !stop.begin.is_cancelled() {
        let people = options.store.load_told(channel, after, BITE).await?;
        let Some((last, _)) = people.last() else { return Ok(()) };
        after = Some(last.number);
        let now = options.clock.now();
        let due =
            people.iter().filter(|(person, told)| is_due(options, channel, person, *told, now));
        let due: Vec<(u32, Answer)> = due
            .map(|(person, _)| (person.number, reminder(options, channel, person, now)))
            .collect();
        for some in due.chunks(BURST) {
            let reminded = options.store.commit_reminders(channel, some.to_vec(), now).await?;
            options.wakes.wake_channel(channel);
            tracing::debug!(channel.id = %channel, reminded, "people were reminded");
            rest(BURST_REST, stop).await;
            if stop.begin.is_cancelled() {
                return Ok(());
            }
        }
        rest(BREATH, stop).await;
    }
    Ok(())
}

/// Whether a person is to be reminded now, of whom it was told last at `told` what they get.
fn is_due(
    options: &Options,
    channel: &Name,
    person: &Subscriber,
    told: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    // Groups know what they have, and their members did not ask.
    let is_one = person.is_counted() && !person.is_group();
    let since = told.unwrap_or(person.joined_at).max(person.joined_at);
    let is_open = match options.channels.get(channel) {
        Some(ChannelKind::Telegram) => true,
        _ => person.window_until.is_some_and(|until| until > now + WINDOW_SPARE),
    };
    let clocks = person.timezone.as_ref().and_then(|zone| zone.clocks());
    let wall = clocks.map_or_else(|| options.days.wall(now), |clocks| Wall::at(&clocks, now));
    person.standing == Standing::Active
        && is_one
        && is_open
        && now.since(since) >= options.every
        && DAY.contains(&wall.civil().hour())
        && person.quiet_until(now).is_none()
}

/// The words for a person, before they are set in a layout.
pub fn plain(
    say: &Saying,
    titles: &BTreeMap<Name, Saying>,
    stop_label: &Saying,
    person: &Subscriber,
) -> Answer {
    let titles = person.topics.iter().filter_map(|topic| titles.get(topic));
    let titles: Vec<&str> = titles.take(TITLES_MAX).map(|title| title.to(person)).collect();
    let text = with_topics(say.to(person), &titles, person);
    say_with(&text, vec![button(stop_label, STOP_PAYLOAD, person)])
}

/// What a person is reminded with.
fn reminder(options: &Options, channel: &Name, person: &Subscriber, now: Timestamp) -> Answer {
    let mut answer = plain(&options.say, &options.titles, &options.stop_label, person);
    if let (Some(layout), Some(kind)) = (&options.say.layout, options.channels.get(channel)) {
        let reader = Reader { person, kind: *kind, now };
        answer.message = layout::set(&options.layouts, layout, answer.message, &reader);
    }
    answer
}
