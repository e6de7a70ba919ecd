//! Checks the files that plan a post each.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use crate::config::check::around::{Known, Surroundings};
use crate::config::check::campaigns::{References, layout, references};
use crate::config::check::priority::priority;
use crate::config::check::reach::{Around, audience, chats, late_joiners};
use crate::config::check::stages::stages;
use crate::config::check::timing::Clock;
use crate::config::check::value::got;
use crate::config::load::digest;
use crate::config::nearest::did_you_mean;
use crate::config::post::RawPost;
use crate::config::problem::{Findings, Place};
use crate::config::table::At;
use crate::model::audience::Whom;
use crate::model::message::Button;
use crate::model::moment::{Moment, MomentError};
use crate::model::name::Name;
use crate::model::one_off::{FilePost, OneOff, Written, button, web_address};
use crate::model::rich::RichText;

/// A file that was read.
pub(crate) struct PostFile {
    /// Its name without `.toml`.
    pub stem: String,
    /// Where the file begins.
    pub at: Place,
    /// Of its text.
    pub digest: u64,
    pub raw: RawPost,
}

/// The posts of the files.
pub(crate) fn posts(
    files: &[PostFile],
    known: &References,
    clock: &Clock,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<FilePost> {
    let mut seen: HashMap<Name, Place> = HashMap::new();
    let mut posts = Vec::new();
    for file in files {
        let name = match Name::parse(&file.stem) {
            Ok(name) => name,
            Err(error) => {
                let text = format!("the file's name can't name a post: {error}");
                found.problem(file.at, "", text).hint("rename it, for example to `opening.toml`");
                continue;
            }
        };
        if let Some(first) = seen.insert(name.clone(), file.at) {
            let text = format!("a file of the same name plans a post already: `{name}`");
            found.problem(file.at, "", text).other(first);
            continue;
        }
        posts.extend(post(file, name, known, clock, around, found));
    }
    posts
}

fn post(
    file: &PostFile,
    name: Name,
    known: &References,
    clock: &Clock,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<FilePost> {
    let raw = &file.raw;
    let mut named = |list, key: &str, known: &Known, may_be_empty| {
        references(list, key, known, may_be_empty, around, found)
    };
    let topics = match &raw.topics {
        Some(list) => named(Some(list), "topics", &known.topics, true),
        None => Vec::new(),
    };
    let channels = named(raw.channels.as_ref(), "channels", &known.channels, false);
    let telegram = channels.iter().filter(|name| known.telegram.contains(*name)).cloned().collect();
    let names = Around {
        topics: &known.topics,
        channels: &known.channels,
        profile: &known.profile,
        telegram,
    };
    let rule = audience(raw.audience.as_ref(), "audience", &names, around, found);
    let whom = Whom {
        topics,
        channels,
        rule: rule.map(|rule| rule.as_str().to_owned()),
        chats: chats(raw.chats.as_ref(), "chats", &names, around, found),
        late_joiners: late_joiners(raw.late_joiners.as_ref(), "late_joiners", found),
    };
    let priority = priority(raw.priority.as_ref(), "priority", found);
    let stages = stages(&raw.into(), "", found);
    let at = at(file, clock, found);
    let written = written(file, known, around, found)?;
    let at = at?.at;
    let (title, says) = written.says(&name, at);
    let post = OneOff { title, says, whom, priority, stages, file: Some(name.clone()) };
    // The sysadmin's file decides on both where this one is silent.
    let digest = digest(&format!("{:x} {at} {:?}", file.digest, post.whom.channels));
    Some(FilePost { name, at, post, digest })
}

/// When it is sent.
fn at(file: &PostFile, clock: &Clock, found: &mut Findings) -> Option<Moment> {
    let Some(raw) = &file.raw.at else {
        let hint = "for example `at = \"2026-12-01 09:00 Europe/Bucharest\"`; `tidings send` sends at once";
        found.problem(file.at, "at", "is needed: when the post is sent").hint(hint);
        return None;
    };
    let zone = TimeZone::get(clock.zone()).unwrap_or(TimeZone::UTC);
    match Moment::parse(&raw.value, &zone) {
        Ok(moment) => {
            if let Some(remark) = moment.remark() {
                found.warning(raw.at, "at", remark);
            }
            Some(moment)
        }
        Err(error) => {
            let hint = match &error {
                MomentError::Zone(name) => {
                    let zones: Vec<String> =
                        jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
                    did_you_mean(name, zones.iter().map(String::as_str))
                }
                _ => None,
            };
            let hint = hint.unwrap_or_else(|| {
                "for example `2026-12-01 09:00` or `2026-12-01 09:00 Europe/Bucharest`".to_owned()
            });
            let colon = if error == MomentError::Form { "" } else { ":" };
            let text = format!("{}{colon} {error}", got(&raw.value));
            found.problem(raw.at, "at", text).hint(hint);
            None
        }
    }
}

/// What it says.
fn written(
    file: &PostFile,
    known: &References,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Written> {
    let raw = &file.raw;
    if let (Some(_), Some(html)) = (&raw.text, &raw.html) {
        found.problem(html.at, "html", "stands beside `text`: write one of them");
    }
    let words = match (&raw.text, &raw.html) {
        (Some(text), _) => RichText::from_plain(&text.value),
        (None, Some(html)) => around.rules.html(&html.value),
        (None, None) => RichText::default(),
    };
    let layout =
        raw.layout.as_ref().map(|raw| layout(raw, "layout", known.layouts.as_ref(), found));
    let mut address = |raw: Option<&At<String>>, key: &str| {
        let raw = raw?;
        match web_address(&raw.value) {
            Ok(url) => Some(url),
            Err(why) => {
                found.problem(raw.at, key, why);
                None
            }
        }
    };
    let image = address(raw.image.as_ref(), "image");
    let link = address(raw.link.as_ref(), "link");
    let mut buttons: Vec<Button> = Vec::new();
    for raw in raw.buttons.iter().flatten() {
        match button(&raw.value) {
            Ok(button) => buttons.push(button),
            Err(why) => {
                found.problem(raw.at, "buttons", why);
            }
        }
    }
    let title = raw.title.as_ref().map(|title| title.value.trim().to_owned());
    if let Some(layout) = layout {
        if title.is_none() {
            let text = "is needed where a layout sets the post";
            found.problem(file.at, "title", text).hint("for example `title = \"We open at nine\"`");
        }
        if let Some(first) = raw.buttons.iter().flatten().next() {
            let hint = "give it a `link`, or leave the layout out";
            found.problem(first.at, "buttons", "a layout makes its own buttons").hint(hint);
        }
        return Some(Written { title, words, image, link, buttons, layout: Some(layout?) });
    }
    if let Some(raw) = &raw.link {
        let hint = "write a button: `buttons = [\"Read more=https://…\"]`";
        found.problem(raw.at, "link", "is for layouts").hint(hint);
    }
    if words.is_empty() {
        let (at, key) = match (&raw.text, &raw.html) {
            (Some(text), _) => (text.at, "text"),
            (None, Some(html)) => (html.at, "html"),
            (None, None) => (file.at, "text"),
        };
        let hint = "write `text = \"…\"`, `html = \"…\"`, or a `layout` with a `title`";
        found.problem(at, key, "there are no words to send").hint(hint);
    }
    Some(Written { title, words, image, link: None, buttons, layout: None })
}
