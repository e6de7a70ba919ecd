//! A person's topics: shown with a tick where they get them, each a button that changes it.

use crate::converse::choosing::{Chosen, HERE, button, key, ticked, title, topic_of};
use crate::converse::commands::Command;
use crate::converse::replies::Setting;
use crate::converse::settings;
use crate::converse::words::{Texts, say};
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;

/// Topics of one page: with the ways on they are fewer than the 13 quick replies of Messenger.
const PAGE: usize = 8;

/// Bytes of a payload that a topic's name may take.
const KEY_BYTES_MAX: usize = 40;

const HEAD: Texts = [
    ("en", "Your topics. Tap one to get it, or to leave it:"),
    ("ro", "Subiectele tale. Atinge unul ca să-l primești sau să renunți la el:"),
    ("de", "Deine Themen. Tippe auf eines, um es zu bekommen oder abzuwählen:"),
    ("fr", "Vos thèmes. Touchez-en un pour le recevoir ou l’arrêter :"),
    ("es", "Tus temas. Toca uno para recibirlo o dejarlo:"),
    ("it", "I tuoi argomenti. Tocca per riceverne uno o per lasciarlo:"),
    ("ru", "Ваши темы. Нажмите, чтобы получать или не получать:"),
];

const NONE_LEFT: Texts = [
    ("en", "You get none of our topics now. Tap one to get it, or write “stop” to leave."),
    (
        "ro",
        "Acum nu primești niciun subiect. Atinge unul ca să-l primești sau scrie „stop” ca să \
         renunți.",
    ),
    (
        "de",
        "Du bekommst gerade keines unserer Themen. Tippe auf eines oder schreibe „stop“, um dich \
         abzumelden.",
    ),
    (
        "fr",
        "Vous ne recevez aucun thème pour l’instant. Touchez-en un, ou écrivez « stop » pour vous \
         désabonner.",
    ),
    (
        "es",
        "Ahora no recibes ningún tema. Toca uno para recibirlo o escribe «stop» para darte de baja.",
    ),
    ("it", "Ora non ricevi nessun argomento. Toccane uno, oppure scrivi “stop” per disiscriverti."),
    ("ru", "Сейчас вы не получаете ни одной темы. Нажмите на тему или напишите «стоп»."),
];

const NO_TOPICS: Texts = [
    ("en", "There is nothing to choose from here: everybody gets everything."),
    ("ro", "Aici nu este nimic de ales: toți primesc tot."),
    ("de", "Hier gibt es nichts auszuwählen: Alle bekommen alles."),
    ("fr", "Il n’y a rien à choisir ici : tout le monde reçoit tout."),
    ("es", "Aquí no hay nada que elegir: todos reciben todo."),
    ("it", "Qui non c’è nulla da scegliere: tutti ricevono tutto."),
    ("ru", "Здесь нечего выбирать: все получают всё."),
];

pub(super) const GONE: Texts = [
    ("en", "There is no such topic (any more)."),
    ("ro", "Nu (mai) există acest subiect."),
    ("de", "Dieses Thema gibt es nicht (mehr)."),
    ("fr", "Ce thème n’existe pas (ou plus)."),
    ("es", "Ese tema no existe (ya)."),
    ("it", "Questo argomento non esiste (più)."),
    ("ru", "Такой темы (больше) нет."),
];

/// Takes in a choice; answers what there is to choose from.
pub(super) fn take(
    person: &mut Subscriber,
    rest: &str,
    now: Timestamp,
    setting: &Setting<'_>,
) -> Chosen {
    if setting.topics.is_empty() {
        return Chosen::say(&say(&NO_TOPICS, person), vec![]);
    }
    if let Some(from) = rest.strip_prefix('>') {
        return shown(person, from, None, setting);
    }
    if rest.is_empty() || rest == HERE {
        return shown(person, "", None, setting);
    }
    let (wanted, is_wanted) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(name), _) => (name, Some(true)),
        (_, Some(name)) => (name, Some(false)),
        _ => (rest, None),
    };
    let Some(topic) = topic_of(wanted, setting) else {
        return shown(person, "", Some(&say(&GONE, person)), setting);
    };
    let has = has(person, topic);
    let is_wanted = is_wanted.unwrap_or(!has);
    if is_wanted != has {
        change(person, topic, is_wanted, now);
    }
    let mut chosen = shown(person, topic.as_str(), None, setting);
    if is_wanted != has {
        let sign = if is_wanted { '+' } else { '-' };
        let wording = title(topic, person, setting).to_owned();
        chosen.consent = Some((is_wanted, format!("topics:{sign}{topic}"), wording));
    }
    chosen
}

/// Whoever has stopped gets nothing, whatever they had before.
fn has(person: &Subscriber, topic: &Name) -> bool {
    person.standing == Standing::Active && person.topics.binary_search(topic).is_ok()
}

/// To choose a topic is a yes to it; of who had stopped, to it alone.
fn change(person: &mut Subscriber, topic: &Name, is_wanted: bool, now: Timestamp) {
    if is_wanted && person.standing != Standing::Active {
        person.standing = Standing::Active;
        person.topics.clear();
    }
    if is_wanted && !person.has_joined() {
        person.joined_at = now;
    }
    match (person.topics.binary_search(topic), is_wanted) {
        (Ok(at), false) => {
            person.topics.remove(at);
        }
        (Err(at), true) => person.topics.insert(at, topic.clone()),
        _ => {}
    }
}

/// The page on which a topic stands, or would stand.
fn shown(person: &Subscriber, at: &str, above: Option<&str>, setting: &Setting<'_>) -> Chosen {
    let all = setting.topics;
    let at = match topic_of(at, setting) {
        Some(topic) => all.iter().position(|one| one == topic).unwrap_or(0),
        None => all.partition_point(|one| one.as_str() < at).min(all.len().saturating_sub(1)),
    };
    let first = at / PAGE * PAGE;
    let page = all.iter().skip(first).take(PAGE);
    let has_some = all.iter().any(|topic| has(person, topic));
    let mut text = say(if has_some { &HEAD } else { &NONE_LEFT }, person);
    if let Some(above) = above {
        text = format!("{above}\n\n{text}");
    }
    if setting.kind == ChannelKind::Messenger {
        // The labels there are cut short, and gone with the next message.
        let lines = page.clone().map(|topic| {
            let mark = if has(person, topic) { '✓' } else { '–' };
            format!("\n{mark} {}", title(topic, person, setting))
        });
        text.push('\n');
        text.extend(lines);
    }
    let mut buttons: Vec<_> = page
        .map(|topic| {
            let has = has(person, topic);
            let sign = if has { '-' } else { '+' };
            let rest = format!("{sign}{}", key(topic.as_str(), KEY_BYTES_MAX));
            button(ticked(has, title(topic, person, setting)), Command::Topics, &rest)
        })
        .collect();
    let mut turn = |label: &str, to: Option<&Name>| {
        buttons.extend(to.map(|to| {
            button(label, Command::Topics, &format!(">{}", key(to.as_str(), KEY_BYTES_MAX)))
        }));
    };
    turn("◀", first.checked_sub(PAGE).and_then(|before| all.get(before)));
    turn("▶", all.get(first + PAGE));
    buttons.push(settings::back(person));
    Chosen::say(&text, buttons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[&HEAD, &NONE_LEFT, &NO_TOPICS, &GONE]);
    }
}
