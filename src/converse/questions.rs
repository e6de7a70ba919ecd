//! What somebody was asked, and the plain words that answer it.
//!
//! A question stands until it is answered, another is asked, or an hour has passed; commands go
//! before it and leave it as it is. In groups nobody is asked: plain words are not heard there.

use std::time::Duration;

use crate::converse::choosing::Chosen;
use crate::converse::replies::Setting;
use crate::converse::watch::Asked;
use crate::converse::{latest, profile};
use crate::model::choice::About;
use crate::model::event::{Deed, Event};
use crate::model::subscriber::Subscriber;

/// For how long plain words are taken for the answer to what was asked.
pub const ASKED_FOR: Duration = Duration::from_secs(3600);

/// What an answer leads to.
pub(super) enum Told {
    Chosen(Chosen),
    Watch(Asked),
}

/// What the person is asked now; a question that is too old is forgotten.
pub(super) fn open(person: &mut Subscriber, event: &Event) -> Option<About> {
    let question = person.choices.as_deref_mut()?.asked.take()?;
    let is_open = event.at.since(question.at) <= ASKED_FOR;
    let about = is_open.then(|| question.about.clone());
    person.choices_mut().asked = is_open.then_some(question);
    about
}

/// What plain words answer; `None` where they are none, or where they do not fit and an editor has
/// another answer to them.
pub(super) fn answer(
    person: &mut Subscriber,
    about: Option<&About>,
    event: &Event,
    is_keyword: bool,
    setting: &Setting<'_>,
) -> Option<Told> {
    let Deed::Said { text } = &event.deed else { return None };
    match about? {
        About::Field(field) => {
            let chosen = profile::answer(person, field, text, is_keyword, setting)?;
            Some(Told::Chosen(chosen))
        }
        About::Search => {
            person.ask_nothing();
            Some(Told::Chosen(latest::search(person, text)))
        }
        About::Product => {
            person.ask_nothing();
            Some(Told::Watch(product(person, Asked::by_words(text), setting)))
        }
    }
}

/// Who asks how products are watched is asked which one they mean.
pub(super) fn product(person: &mut Subscriber, asked: Asked, setting: &Setting<'_>) -> Asked {
    if asked == Asked::Help && setting.choosing.has_products && !person.is_group() {
        person.ask(About::Product);
    }
    asked
}
