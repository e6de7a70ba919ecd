//! What people are asked of themselves: one field after the other, each of which may be left out.
//!
//! The record holds which field was asked for last, so that plain words answer it: see `questions`.

use crate::converse::choosing::{Chosen, button, fold, hashed, key, menu, ticked};
use crate::converse::commands::Command;
use crate::converse::replies::Setting;
use crate::converse::settings;
use crate::converse::words::{Saying, Texts, say};
use crate::model::choice::{About, FIELD_CHARS_MAX, FieldKind};
use crate::model::message::{Button, Message};
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;

/// Bytes of a payload that a field's name may take.
const KEY_BYTES_MAX: usize = 32;

/// Behind a field and `=`: what was told is to be forgotten.
const FORGET: &str = "!";

/// A field of a person's profile, as the settings have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: Name,
    /// What it is called in the list of what is known.
    pub title: Saying,
    /// The question.
    pub ask: Saying,
    pub kind: FieldKind,
    /// Answers that are offered, at most 11; the only ones that count of a choice.
    pub options: Vec<String>,
    /// It is asked for after the welcome, and not only when somebody wants to tell it.
    pub at_start: bool,
}

const HEAD: Texts = [
    ("en", "What you have told me. Tap to tell it, or to tell it anew:"),
    ("ro", "Ce mi-ai spus despre tine. Atinge ca să-mi spui sau să schimbi:"),
    ("de", "Was du mir gesagt hast. Tippe, um es zu sagen oder zu ändern:"),
    ("fr", "Ce que vous m’avez dit. Touchez pour le dire ou le changer :"),
    ("es", "Lo que me has contado. Toca para contarlo o cambiarlo:"),
    ("it", "Che cosa mi hai detto. Tocca per dirlo o cambiarlo:"),
    ("ru", "Что вы мне рассказали. Нажмите, чтобы рассказать или изменить:"),
];

const NOTHING_ASKED: Texts = [
    ("en", "There is nothing that I ask you."),
    ("ro", "Nu te întreb nimic."),
    ("de", "Ich frage dich nach nichts."),
    ("fr", "Je ne vous demande rien."),
    ("es", "No te pregunto nada."),
    ("it", "Non ti chiedo nulla."),
    ("ru", "Я вас ни о чём не спрашиваю."),
];

const THANKS: Texts = [
    ("en", "Thank you, that is noted."),
    ("ro", "Mulțumesc, am notat."),
    ("de", "Danke, das ist notiert."),
    ("fr", "Merci, c’est noté."),
    ("es", "Gracias, anotado."),
    ("it", "Grazie, ho preso nota."),
    ("ru", "Спасибо, записано."),
];

const SKIPPED: Texts = [
    ("en", "All right. You can tell me any time: /profile"),
    ("ro", "Bine. Îmi poți spune oricând: /profile"),
    ("de", "In Ordnung. Du kannst es mir jederzeit sagen: /profile"),
    ("fr", "D’accord. Vous pouvez me le dire à tout moment : /profile"),
    ("es", "De acuerdo. Puedes contármelo cuando quieras: /profile"),
    ("it", "Va bene. Puoi dirmelo quando vuoi: /profile"),
    ("ru", "Хорошо. Расскажете в любой момент: /profile"),
];

const FORGOTTEN: Texts = [
    ("en", "That is forgotten."),
    ("ro", "Am uitat."),
    ("de", "Das ist vergessen."),
    ("fr", "C’est oublié."),
    ("es", "Olvidado."),
    ("it", "Dimenticato."),
    ("ru", "Забыто."),
];

const NO_NUMBER: Texts = [
    ("en", "That is no number."),
    ("ro", "Acesta nu este un număr."),
    ("de", "Das ist keine Zahl."),
    ("fr", "Ce n’est pas un nombre."),
    ("es", "Eso no es un número."),
    ("it", "Questo non è un numero."),
    ("ru", "Это не число."),
];

const NO_OPTION: Texts = [
    ("en", "Please choose one of these."),
    ("ro", "Te rog să alegi una dintre acestea."),
    ("de", "Bitte wähle eines davon."),
    ("fr", "Choisissez l’une de ces réponses."),
    ("es", "Elige una de estas, por favor."),
    ("it", "Scegli una di queste, per favore."),
    ("ru", "Выберите одно из этого."),
];

const SKIP_LABEL: Texts = [
    ("en", "Skip"),
    ("ro", "Sari peste"),
    ("de", "Überspringen"),
    ("fr", "Passer"),
    ("es", "Omitir"),
    ("it", "Salta"),
    ("ru", "Пропустить"),
];

const FORGET_LABEL: Texts = [
    ("en", "Forget it"),
    ("ro", "Uită"),
    ("de", "Vergessen"),
    ("fr", "Oublier"),
    ("es", "Olvidar"),
    ("it", "Dimentica"),
    ("ru", "Забыть"),
];

/// Why an answer is none.
enum Mistake {
    NoNumber,
    NoOption,
}

impl Field {
    /// The answer as it is kept.
    fn read(&self, told: &str) -> Result<String, Mistake> {
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        let told: String = told.chars().take(FIELD_CHARS_MAX).collect();
        match self.kind {
            FieldKind::Text => Ok(self.option(&told).map_or(told.clone(), str::to_owned)),
            FieldKind::Number => number(&told).ok_or(Mistake::NoNumber),
            FieldKind::Choice => self.option(&told).map(str::to_owned).ok_or(Mistake::NoOption),
        }
    }

    /// The option that somebody writes, whatever the case and the accents, or a payload names.
    fn option(&self, told: &str) -> Option<&str> {
        let wanted = fold(told);
        let is_it = |option: &&String| fold(option) == wanted || hashed(option) == wanted;
        self.options.iter().find(is_it).map(String::as_str)
    }
}

/// A whole number or one with a fraction, with a dot.
fn number(told: &str) -> Option<String> {
    let told = told.replace(',', ".");
    let (whole, fraction) = told.split_once('.').unwrap_or((&told, "0"));
    let digits =
        |text: &str| (1..=15).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    (digits(whole.strip_prefix('-').unwrap_or(whole)) && digits(fraction)).then_some(told)
}

/// Takes in a choice: a field, a field with an answer, or nothing.
pub(super) fn take(person: &mut Subscriber, rest: &str, setting: &Setting<'_>) -> Chosen {
    let fields = &setting.choosing.fields;
    if fields.is_empty() {
        return Chosen::say(&say(&NOTHING_ASKED, person), vec![]);
    }
    let (named, answer) = match (rest.split_once('='), rest.split_once(char::is_whitespace)) {
        (Some((named, answer)), _) => (named, Some(answer)),
        (None, Some((named, told))) => (named, Some(told)),
        (None, None) => (rest, None),
    };
    let wanted = fold(named);
    let is_it =
        |field: &&Field| field.name.as_str() == wanted || hashed(field.name.as_str()) == wanted;
    let Some(field) = fields.iter().find(is_it) else {
        return list(person, None, setting);
    };
    match answer {
        None => ask(person, field, None),
        Some("") => {
            answered(person, field);
            next(person, field, say(&SKIPPED, person), setting)
        }
        Some(FORGET) => {
            answered(person, field);
            person.choices_mut().tell(&field.name, None);
            list(person, Some(say(&FORGOTTEN, person)), setting)
        }
        Some(told) => keep(person, field, told, setting),
    }
}

/// Takes plain words for the answer to what was asked; `None` for a field that is gone, and for words
/// that do not fit where they are `keyword`s, which have another answer.
pub(super) fn answer(
    person: &mut Subscriber,
    asked: &Name,
    told: &str,
    is_keyword: bool,
    setting: &Setting<'_>,
) -> Option<Chosen> {
    let field = setting.choosing.fields.iter().find(|field| field.name == *asked)?;
    let is_answer = !is_keyword || field.read(told).is_ok();
    is_answer.then(|| keep(person, field, told, setting))
}

/// The first question after the welcome, if there is any left.
pub(super) fn first(person: &mut Subscriber, setting: &Setting<'_>) -> Option<Message> {
    let is_open = |field: &&Field| field.at_start && !is_told(person, field);
    let field = setting.choosing.fields.iter().find(is_open)?;
    ask(person, field, None).message
}

fn is_told(person: &Subscriber, field: &Field) -> bool {
    person.choices.as_ref().is_some_and(|choices| choices.told(field.name.as_str()).is_some())
}

fn keep(person: &mut Subscriber, field: &Field, told: &str, setting: &Setting<'_>) -> Chosen {
    match field.read(told) {
        Ok(told) => {
            person.choices_mut().tell(&field.name, Some(&told));
            answered(person, field);
            next(person, field, say(&THANKS, person), setting)
        }
        Err(Mistake::NoNumber) => ask(person, field, Some(say(&NO_NUMBER, person))),
        Err(Mistake::NoOption) => ask(person, field, Some(say(&NO_OPTION, person))),
    }
}

/// Of the field nothing is asked any more.
fn answered(person: &mut Subscriber, field: &Field) {
    let asked = person.choices.as_ref().and_then(|choices| choices.asked.as_ref());
    if asked.is_some_and(|asked| asked.about == About::Field(field.name.clone())) {
        person.ask_nothing();
    }
}

/// Goes on with the next field that is asked for and not told yet.
fn next(person: &mut Subscriber, field: &Field, above: String, setting: &Setting<'_>) -> Chosen {
    let behind = setting.choosing.fields.iter().skip_while(|one| one.name != field.name).skip(1);
    let mut open = behind.filter(|field| field.at_start && !is_told(person, field));
    match open.next() {
        Some(field) => ask(person, field, Some(above)),
        None => Chosen::say(&above, vec![settings::way(person, Command::Profile)]),
    }
}

/// Asks for a field, and remembers that it did.
fn ask(person: &mut Subscriber, field: &Field, above: Option<String>) -> Chosen {
    person.ask(About::Field(field.name.clone()));
    let key = key(field.name.as_str(), KEY_BYTES_MAX);
    let own = person.choices.as_ref().and_then(|choices| choices.told(field.name.as_str()));
    let mut buttons: Vec<Button> = field
        .options
        .iter()
        .map(|option| {
            let label = ticked(own == Some(option.as_str()), option);
            button(label, Command::Profile, &format!("{key}={}", hashed(option)))
        })
        .collect();
    if own.is_some() {
        let label = say(&FORGET_LABEL, person);
        buttons.push(button(label, Command::Profile, &format!("{key}={FORGET}")));
    } else {
        let label = say(&SKIP_LABEL, person);
        buttons.push(button(label, Command::Profile, &format!("{key}=")));
    }
    let question = field.ask.to(person);
    let text = match above {
        Some(above) => format!("{above}\n\n{question}"),
        None => question.to_owned(),
    };
    Chosen { message: Some(menu(&text, buttons)), ..Chosen::default() }
}

/// What is known, and a button for each field.
fn list(person: &Subscriber, above: Option<String>, setting: &Setting<'_>) -> Chosen {
    let mut lines: Vec<String> = above.into_iter().chain([say(&HEAD, person)]).collect();
    let mut buttons = Vec::new();
    for field in &setting.choosing.fields {
        let told = person.choices.as_ref().and_then(|it| it.told(field.name.as_str()));
        let title = field.title.to(person);
        lines.push(format!("{title}: {}", told.unwrap_or("–")));
        let key = key(field.name.as_str(), KEY_BYTES_MAX);
        buttons.push(button(title, Command::Profile, &key));
    }
    // Of the quick replies of Messenger one is for the way back.
    buttons.truncate(12);
    buttons.push(settings::back(person));
    Chosen::say(&lines.join("\n"), buttons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[
            &HEAD,
            &NOTHING_ASKED,
            &THANKS,
            &SKIPPED,
            &FORGOTTEN,
            &NO_NUMBER,
            &NO_OPTION,
            &SKIP_LABEL,
            &FORGET_LABEL,
        ]);
    }

    #[test]
    fn an_answer_is_read_by_what_is_asked() {
        let field = |kind| Field {
            name: Name::parse("x").unwrap(),
            title: Saying::default(),
            ask: Saying::default(),
            kind,
            options: vec!["București".into(), "Iași".into()],
            at_start: true,
        };
        for (kind, told, expected) in [
            (FieldKind::Text, "  Satu\n Mare ", Some("Satu Mare")),
            (FieldKind::Text, "iasi", Some("Iași")),
            (FieldKind::Choice, "BUCUREȘTI", Some("București")),
            (FieldKind::Choice, "Cluj", None),
            (FieldKind::Number, "38", Some("38")),
            (FieldKind::Number, "38,5", Some("38.5")),
            (FieldKind::Number, "-1", Some("-1")),
            (FieldKind::Number, "1.", None),
            (FieldKind::Number, "1e9", None),
        ] {
            assert_eq!(field(kind).read(told).ok().as_deref(), expected, "{told:?}");
        }
        assert_eq!(field(FieldKind::Choice).option(&hashed("Iași")), Some("Iași"));
    }
}
