//! Where people come from: the link that brought somebody is noted once, when they first subscribe.

use crate::model::event::{Deed, Event};
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::model::start;
use crate::model::subscriber::{Standing, Subscriber};

/// Notes where the person comes from, if they start for the first time: the first link counts,
/// also where it does not say where it stood.
pub(super) fn note(person: &mut Subscriber, event: &Event, topics: &[Name]) {
    // Topics stay with whoever stops.
    let is_first = person.standing != Standing::Active && person.topics.is_empty();
    if is_first && person.came_by.is_none() {
        person.came_by = told(event, topics);
    }
}

/// What the link says of where it stands.
fn told(event: &Event, topics: &[Name]) -> Option<Origin> {
    let payload = match &event.deed {
        Deed::Started { payload } | Deed::Referred { payload } => payload.as_deref()?,
        Deed::Said { text } => text.trim().split_once(char::is_whitespace)?.1,
        _ => return None,
    };
    start::read(payload.trim(), topics).origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn person(standing: Standing, topics: &[Name]) -> Subscriber {
        Subscriber {
            number: 0,
            address: "7".into(),
            language: None,
            first_name: None,
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: topics.to_vec(),
            standing,
            window_until: None,
            joined_at: Timestamp::from_millis(1),
            changed_at: Timestamp::from_millis(1),
            choices: None,
            default_reply_at: None,
        }
    }

    fn event(deed: Deed) -> Event {
        Event {
            channel: Name::parse("bot").unwrap(),
            id: "1".into(),
            at: Timestamp::from_millis(1),
            address: "7".into(),
            language: None,
            first_name: None,
            deed,
        }
    }

    #[test]
    fn the_first_link_counts_whichever_way_it_comes() {
        let topics = [Name::parse("news").unwrap()];
        let said = |text: &str| Deed::Said { text: text.to_owned() };
        let link = |payload: &str| Deed::Started { payload: Some(payload.to_owned()) };
        let referred = |payload: &str| Deed::Referred { payload: Some(payload.to_owned()) };
        for (deed, expected) in [
            (link("newsFROMflyer"), Some("flyer")),
            (referred("FROMWEBharbour"), Some("web:harbour")),
            (said("/start newsFROMFORMpopup"), Some("form:popup")),
            (said("/start@news_bot newsFROMflyer"), Some("flyer")),
            (link("news"), None),
            (said("start"), None),
            (Deed::Started { payload: None }, None),
        ] {
            let mut new = person(Standing::Stopped, &[]);
            note(&mut new, &event(deed.clone()), &topics);
            assert_eq!(new.came_by.map(|it| it.to_string()).as_deref(), expected, "{deed:?}");
        }
        for known in [person(Standing::Active, &[]), person(Standing::Stopped, &topics)] {
            let mut person = known.clone();
            note(&mut person, &event(link("newsFROMflyer")), &topics);
            assert_eq!(person, known, "somebody who came otherwise");
        }
    }
}
