//! Checks `[forms.*]`, which lead into the chat from other sites, and `listen.editor`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::config::check::around::{Checks, Known, Secrets, Surroundings};
use crate::config::check::campaigns::{References, references};
use crate::config::check::invites::{check_length, colour};
use crate::config::check::texts::texts;
use crate::config::check::value::{choice, got, number, span, url};
use crate::config::file::File;
use crate::config::problem::{Findings, Place, Problem};
use crate::config::raw::{Owner, RawForm, RawTexts, read_file};
use crate::config::table::{At, Entry};
use crate::config::{Config, Form, Listen, Texts};
use crate::model::channel::ChannelKind;
use crate::model::form::{CHANNELS_MAX, Shape, Triggers, WORDS_BYTES_MAX};
use crate::model::name::Name;

const TITLE_CHARS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 500;

const PRIVACY_BYTES_MAX: usize = 200;

/// A pop-up that is told nothing comes after so long.
const POPUP_AFTER: Duration = Duration::from_secs(5);
const AFTER_MAX: Duration = Duration::from_secs(60 * 60);

const AGAIN_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Popup,
    Bar,
    Button,
}

/// The forms; what is not known is told and left out of them.
pub(crate) fn forms(
    raw: &[Entry<RawForm>],
    known: &References,
    listen: &Listen,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Form> {
    let forms = raw.iter().map(|entry| {
        if around.is_complete && listen.public.is_none() {
            let text = "nobody can see it: `listen.public` is not set";
            found.warning(entry.at, &format!("forms.{}", entry.name), text);
        }
        form(entry, known, around, found)
    });
    forms.collect()
}

fn form(
    entry: &Entry<RawForm>,
    known: &References,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Form {
    let raw = &entry.value;
    let path = format!("forms.{}", entry.name);
    let key = |key: &str| format!("{path}.{key}");
    let kinds = [("popup", Kind::Popup), ("bar", Kind::Bar), ("button", Kind::Button)];
    let kind = raw.kind.as_ref().and_then(|raw| choice(raw, &key("kind"), &kinds, found));
    let kind = kind.unwrap_or(Kind::Popup);
    let topics = raw.topics.as_ref().map(|topics| {
        references(Some(topics), &key("topics"), &known.topics, false, around, found)
    });
    let channels =
        references(raw.channels.as_ref(), &key("channels"), &known.channels, false, around, found);
    if let (Some(at), Some(topics)) = (&raw.topics, &topics) {
        check_length(at, &key("topics"), topics, &channels, known, found);
    }
    check_channels(raw, entry.at, &path, &channels, around, found);
    if kind == Kind::Button {
        refuse_floating(raw, &path, found);
    }
    let mut said = |raw: Option<&RawTexts>, word: &str, chars_max: usize| {
        raw.and_then(|raw| texts(raw, &key(word), chars_max, found))
    };
    let title = said(raw.title.as_ref(), "title", TITLE_CHARS_MAX);
    let text = said(raw.text.as_ref(), "text", TEXT_CHARS_MAX);
    let consent = said(raw.consent.as_ref(), "consent", TEXT_CHARS_MAX);
    let words = [&title, &text, &consent];
    let bytes = words.into_iter().flatten().map(bytes_of).sum::<usize>();
    if bytes > WORDS_BYTES_MAX {
        let text = format!(
            "its words come to {bytes} bytes in all languages, the script has room for {WORDS_BYTES_MAX}"
        );
        found.problem(entry.at, &path, text).hint("say less, or in fewer languages");
    }
    let privacy = raw.privacy.as_ref().and_then(|raw| url(raw, &key("privacy"), found));
    if let (Some(raw), Some(url)) = (&raw.privacy, &privacy)
        && url.as_str().len() > PRIVACY_BYTES_MAX
    {
        let text =
            format!("must have at most {PRIVACY_BYTES_MAX} bytes, got {}", url.as_str().len());
        found.problem(raw.at, &key("privacy"), text);
    }
    Form {
        name: entry.name.clone(),
        shape: shape(kind, raw.position.as_ref(), &key("position"), found),
        triggers: triggers(kind, raw, &path, found),
        again_after: span(
            raw.again_after.as_ref(),
            &key("again_after"),
            Duration::ZERO..=AGAIN_AFTER_MAX,
            AGAIN_AFTER,
            found,
        ),
        topics,
        channels,
        title,
        text,
        consent,
        privacy,
        colour: raw.colour.as_ref().and_then(|raw| colour(raw, &key("colour"), found)),
    }
}

fn check_channels(
    raw: &RawForm,
    at: Place,
    path: &str,
    channels: &[Name],
    around: &Surroundings<'_>,
    found: &mut Findings,
) {
    if channels.len() > CHANNELS_MAX {
        let at = raw.channels.as_ref().map_or(at, |raw| raw.at);
        let text = format!("leads to {} channels, must be at most {CHANNELS_MAX}", channels.len());
        found.problem(at, &format!("{path}.channels"), text).hint("name those that it is for");
    }
    if around.is_complete && channels.is_empty() && raw.channels.is_none() {
        found.warning(at, path, "leads nowhere: there is no channel");
    }
}

fn shape(kind: Kind, raw: Option<&At<String>>, key: &str, found: &mut Findings) -> Shape {
    let (choices, default): (&[(&str, Shape)], Shape) = match kind {
        Kind::Popup => (
            &[
                ("center", Shape::Dialog),
                ("bottom-right", Shape::Corner { is_left: false }),
                ("bottom-left", Shape::Corner { is_left: true }),
            ],
            Shape::Dialog,
        ),
        Kind::Bar => (
            &[("bottom", Shape::Bar { is_top: false }), ("top", Shape::Bar { is_top: true })],
            Shape::Bar { is_top: false },
        ),
        Kind::Button => return Shape::Button,
    };
    raw.and_then(|raw| choice(raw, key, choices, found)).unwrap_or(default)
}

fn triggers(kind: Kind, raw: &RawForm, path: &str, found: &mut Findings) -> Triggers {
    let after = raw.after.as_ref().map(|after| {
        let key = format!("{path}.after");
        span(Some(after), &key, Duration::ZERO..=AFTER_MAX, POPUP_AFTER, found)
    });
    let scroll = raw
        .scroll
        .as_ref()
        .map(|scroll| number(Some(scroll), &format!("{path}.scroll"), 0.01..=1.0, 0.5, found));
    let exit = raw.exit.as_ref().is_some_and(|exit| exit.value);
    let is_told = after.is_some() || scroll.is_some() || exit;
    let usual = match kind {
        Kind::Popup => Some(POPUP_AFTER),
        Kind::Bar => Some(Duration::ZERO),
        Kind::Button => None,
    };
    Triggers { after: if is_told { after } else { usual }, scroll, exit }
}

/// A button stands in the page and does not go.
fn refuse_floating(raw: &RawForm, path: &str, found: &mut Findings) {
    let places = [
        ("position", raw.position.as_ref().map(|it| it.at)),
        ("after", raw.after.as_ref().map(|it| it.at)),
        ("scroll", raw.scroll.as_ref().map(|it| it.at)),
        ("exit", raw.exit.as_ref().map(|it| it.at)),
        ("again_after", raw.again_after.as_ref().map(|it| it.at)),
    ];
    for (key, at) in places {
        if let Some(at) = at {
            let text = "does nothing for a button, which stands where its tag does";
            found.problem(at, &format!("{path}.{key}"), text);
        }
    }
}

/// How many bytes the words take in a script.
fn bytes_of(texts: &Texts) -> usize {
    let cost = |c: char| match c {
        '<' | '>' | '&' => 6,
        '"' | '\\' | '\n' | '\t' | '\r' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    };
    let all = texts.languages.values().chain(
        // The default is one of the languages, where there are some.
        texts.languages.is_empty().then_some(&texts.default),
    );
    all.flat_map(|text| text.chars()).map(cost).sum()
}

/// `listen.editor`. Whoever reaches it sees what forms say, and no password is asked for.
pub(crate) fn editor(raw: &At<String>, found: &mut Findings) -> Option<SocketAddr> {
    const KEY: &str = "listen.editor";
    let address = raw.value.parse::<SocketAddr>();
    match address {
        Ok(address) if address.ip().is_loopback() => Some(address),
        Ok(_) => {
            let hint = "for example `127.0.0.1:8991`; reach it from elsewhere through `ssh -L`";
            let text = format!("must be a loopback address, got {}", got(&raw.value));
            found.problem(raw.at, KEY, text).hint(hint);
            None
        }
        Err(_) => {
            let text = format!("must be an address and a port, got {}", got(&raw.value));
            found.problem(raw.at, KEY, text).hint("for example `127.0.0.1:8991`");
            None
        }
    }
}

/// Reads the text of an editors' file for the one form in it, with the topics and channels of the
/// settings.
///
/// # Errors
/// What `tidings check` would say of it, each with its hint in a second line.
pub fn form_of(text: &str, config: &Config, rules: &dyn Checks) -> Result<Form, Vec<String>> {
    let mut found = Findings::default();
    let (file, _) = File::from_bytes(Path::new("form.toml"), text.as_bytes().to_vec());
    let read = read_file(&file, 0, Owner::Editor, &mut found);
    let entries = read.raw.forms.map_or_else(Vec::new, |forms| forms.0);
    let telegram = config.channels.iter().filter(|it| it.kind() == ChannelKind::Telegram);
    let known = References {
        sources: Known::default(),
        profile: Known::default(),
        topics: known(config.topics.keys()),
        channels: known(config.channels.iter().map(|channel| &channel.name)),
        telegram: telegram.map(|channel| channel.name.clone()).collect(),
        layouts: None,
    };
    let folder = Path::new("");
    let (env, secrets, is_complete) = (&|_: &str| None, Secrets::Needed, read.is_whole);
    let around = Surroundings { folder, env, rules, secrets, is_complete };
    let form = entries.first().map(|entry| form(entry, &known, &around, &mut found));
    if entries.len() != 1 && !found.has_problems() {
        let at = Place { file: 0, offset: 0 };
        found.problem(at, "forms", "must be one form");
    }
    let told = |problem: Problem| {
        let hint = problem.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", problem.key) };
        format!("{key}{}{hint}", problem.problem)
    };
    match form {
        Some(form) if !found.has_problems() => Ok(form),
        _ => Err(found.into_problems(&[file]).into_iter().map(told).collect()),
    }
}

fn known<'a>(names: impl Iterator<Item = &'a Name>) -> Known {
    let names: Vec<Name> = names.cloned().collect();
    let at = Place { file: 0, offset: 0 };
    let places = names.iter().map(|name| (name.clone(), at)).collect();
    Known { names, places }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(text: &str) -> At<String> {
        At { value: text.to_owned(), at: Place { file: 0, offset: 0 } }
    }

    #[test]
    fn sec_a10_the_editor_listens_on_this_machine_only() {
        for (address, is_taken) in [
            ("127.0.0.1:8991", true),
            ("[::1]:0", true),
            ("127.8.8.8:80", true),
            ("0.0.0.0:8991", false),
            ("[::]:8991", false),
            ("192.0.2.7:8991", false),
            ("localhost:8991", false),
            ("8991", false),
        ] {
            let mut found = Findings::default();
            assert_eq!(editor(&at(address), &mut found).is_some(), is_taken, "{address}");
            assert_eq!(found.has_problems(), !is_taken);
        }
    }

    #[test]
    fn words_are_counted_as_a_script_has_them() {
        let one = |text: &str| Texts { default: text.to_owned(), languages: BTreeMap::new() };
        assert_eq!(bytes_of(&one("a \"b\" <ă>\n")), 1 + 1 + 5 + 1 + 6 + 2 + 6 + 2);
        let languages = [("en", "abc"), ("ro", "defg")];
        let languages = languages.map(|(tag, text)| (tag.to_owned(), text.to_owned())).into();
        assert_eq!(bytes_of(&Texts { default: "abc".to_owned(), languages }), 7);
    }
}
