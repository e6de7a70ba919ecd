//! What happens in worlds with extras, beside all else.

use std::collections::BTreeMap;
use std::time::Duration;

use tidings::admin::desk::Ask;
use tidings::model::pacing::ChannelWord;
use tidings::model::post::Outcome;
use tidings::model::time::Timestamp;
use tidings::sandbox::messenger::{Echoes, PageTrouble, Usage};

use crate::extras::{REVIEWER, TEMPLATE};
use crate::script::{Done, FICKLE_PSIDS};
use crate::world::{World, name};

/// What the service answers where nobody has said how marketing messages are paid.
const NO_PAYMENT: u32 = 2_300_011;

/// The page is blocked from an instant on.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub from: Timestamp,
    /// `None`: it still is.
    pub until: Option<Timestamp>,
}

/// One deed, or none.
pub async fn more(world: &mut World, done: &mut Done) {
    if world.extras.is_none() || !world.extras.dice.percent(45) {
        return;
    }
    match world.extras.dice.roll(10) {
        0 => say_channel(world, done).await,
        1 if world.extras.has_reviewer => tap(world, done),
        2 if world.extras.stars.is_some() => {
            let stars = *world.extras.dice.pick(&[None, Some(20_000), Some(9_000), Some(10_000)]);
            world.note(|| format!("the bot has {stars:?} Stars"));
            world.telegram.set_stars(stars);
            done.has_changed_stars = true;
        }
        _ if world.extras.lanes.is_some() => beyond(world, done),
        _ => {}
    }
}

/// An admin's word on a channel.
async fn say_channel(world: &mut World, done: &mut Done) {
    let channel = name(world.extras.dice.pick::<&str>(&["bot", "page"]));
    let word = match world.extras.dice.percent(35) {
        true => ChannelWord::Halt { why: "to look at it".to_owned() },
        false => {
            done.resumed.push(world.clock.now());
            ChannelWord::Resume
        }
    };
    world.note(|| format!("{channel}: {word:?}"));
    world.ask(Ask::Channel { channel, word }).await;
}

/// The reviewer taps a button below something that they got.
fn tap(world: &mut World, done: &mut Done) {
    let person = world.telegram.person(REVIEWER, "en");
    let buttons: Vec<(i64, String)> = person
        .inbox()
        .iter()
        .flat_map(|one| {
            let labels = ["Send it", "Send it", "Send it", "Never send it"];
            let payload = |label| one.button(label).map(|it| (one.message_id, it.to_owned()));
            labels.into_iter().filter_map(payload).collect::<Vec<_>>()
        })
        .collect();
    if buttons.is_empty() {
        return;
    }
    let (message, payload) = world.extras.dice.pick(&buttons).clone();
    done.dropped_reviews |= payload.contains("drop");
    world.note(|| format!("the reviewer taps {payload}"));
    person.taps(message, &payload);
}

/// Something of the page and its people.
fn beyond(world: &mut World, done: &mut Done) {
    let steady: Vec<String> = world.steady["page"].to_vec();
    let psid = world.extras.dice.pick(&steady).clone();
    let fickle = FICKLE_PSIDS.start + i64::try_from(world.extras.dice.roll(4)).unwrap();
    let now = world.clock.now();
    match world.extras.dice.roll(16) {
        0..=3 => {
            world.note(|| format!("{psid} writes"));
            world.messenger.person(&psid).says("what is this?");
            *done.contacts.entry(psid).or_default() += 1;
        }
        4 => {
            world.note(|| format!("the window of {psid} closes"));
            world.messenger.closes_window(&psid);
            done.surprised.insert(psid);
        }
        5..=6 => {
            let agrees = world.messenger.person(&fickle.to_string()).opts_in();
            world.note(|| format!("{fickle} opts in: {agrees}"));
        }
        7 => {
            let psid = if world.extras.dice.percent(50) { fickle.to_string() } else { psid };
            world.note(|| format!("{psid} opts out"));
            world.messenger.person(&psid).opts_out();
        }
        8 => {
            let code = world.extras.dice.percent(40).then_some(NO_PAYMENT);
            world.note(|| format!("marketing messages: {code:?}"));
            world.messenger.set_market_trouble(code);
        }
        9 => {
            let Some(paid) = world.messenger.paid().pop() else { return };
            world.note(|| format!("the last marketing message to {} is lost", paid.psid));
            world.messenger.marketing_fails(&paid.psid, "not delivered");
            done.undelivered.insert(paid.psid);
        }
        10 => {
            let state = *world.extras.dice.pick(&["APPROVED", "APPROVED", "PENDING", "REJECTED"]);
            world.note(|| format!("the template is {state}"));
            world.messenger.add_template(TEMPLATE, "en", 1, state);
        }
        11 => {
            let echoes = *world.extras.dice.pick(&[Echoes::Off, Echoes::On, Echoes::Held]);
            world.note(|| format!("echoes: {echoes:?}"));
            world.messenger.set_echoes(echoes);
        }
        12 => {
            let percent = *world.extras.dice.pick(&[50, 80, 96]);
            let regain_minutes = world.extras.dice.between(0, 5);
            let usage = Usage { percent, app_percent: 10, regain_minutes };
            let usage = world.extras.dice.percent(60).then_some(usage);
            world.note(|| format!("the page's usage: {usage:?}"));
            world.messenger.set_usage(usage);
        }
        13 => block(world, done),
        14 => {
            let is_doubled = world.extras.dice.percent(50);
            world.note(|| format!("events are doubled: {is_doubled}"));
            world.messenger.set_events_doubled(is_doubled);
        }
        _ => {
            let until = now + Duration::from_secs(world.extras.dice.between(0, 600));
            let open_until = world.messenger.person(&psid).window_until();
            // It can't be longer than we know of.
            if open_until.is_some_and(|at| until < at) {
                world.note(|| format!("the window of {psid} ends at {until}"));
                world.messenger.ends_window(&psid, until);
                done.surprised.insert(psid);
            }
        }
    }
}

/// The page is blocked, with or without a word to the webhook, or not any more.
fn block(world: &mut World, done: &mut Done) {
    if done.blocks.last().is_some_and(|block| block.until.is_none()) {
        world.note(|| "the page is not blocked any more".to_owned());
        unblock(world, done);
        if world.extras.dice.percent(50) {
            world.messenger.enforces_policy("unblock", "it was looked at");
        }
        return;
    }
    world.note(|| "the page is blocked".to_owned());
    done.blocks.push(Block { from: world.clock.now(), until: None });
    world.messenger.set_page_trouble(Some(PageTrouble::Blocked));
    if world.extras.dice.percent(50) {
        world.messenger.enforces_policy("block", "too fast");
    }
}

fn unblock(world: &World, done: &mut Done) {
    world.messenger.set_page_trouble(None);
    if let Some(block) = done.blocks.last_mut() {
        block.until.get_or_insert(world.clock.now());
    }
}

/// Everything is well again.
pub fn mend(world: &World, done: &mut Done) {
    unblock(world, done);
    if world.extras.stars.is_some() {
        world.telegram.set_stars(Some(20_000));
    }
    if let Some(lanes) = &world.extras.lanes {
        let usual = if lanes.has_echoes { Echoes::On } else { Echoes::Off };
        // Those that were kept back come either way.
        world.messenger.set_echoes(Echoes::On);
        world.messenger.set_echoes(usual);
        world.messenger.set_usage(None);
        world.messenger.set_market_trouble(None);
        world.messenger.set_events_doubled(false);
        world.messenger.add_template(TEMPLATE, "en", 1, "APPROVED");
    }
}

/// Lets halted channels go on.
pub async fn let_go(world: &mut World) {
    let status = world.store().peek(|store| store.load_status());
    for one in status.channels.into_iter().filter(|one| one.halt.is_some()) {
        world.note(|| format!("{} goes on", one.channel));
        world.ask(Ask::Channel { channel: one.channel, word: ChannelWord::Resume }).await;
    }
}

/// Who is to get on another day what was too much for one, and when; whose is first comes first.
pub fn carried(world: &World) -> Vec<(Timestamp, String)> {
    if world.extras.cap.is_none() {
        return vec![];
    }
    let mut found = BTreeMap::new();
    let store = world.store();
    let posts = store.peek(|store| store.load_posts(10_000));
    for post in posts.iter().filter(|post| post.counts.held > 0) {
        for channel in ["bot", "page"] {
            let key = name(channel);
            let outcomes = store.peek(|store| store.load_outcomes(post.id, &key));
            let held = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Held);
            for (number, _) in held {
                let known = found.entry((channel, *number));
                known.or_insert_with(|| {
                    let one = store.peek(|store| store.load_delivery(post.id, &key, *number));
                    one.and_then(|one| one.carried_until)
                });
            }
        }
    }
    let told = |((channel, number), until): ((&str, u32), Option<Timestamp>)| {
        until.map(|until| (until, format!("{channel}/{number}")))
    };
    let mut all: Vec<_> = found.into_iter().filter_map(told).collect();
    all.sort();
    all
}
