//! The page on which forms are made: what it may show of the settings, and how it reads lines for
//! them.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use crate::admin::editor::{self, ReadForm};
use crate::config::{self, Config, Texts};
use crate::daemon::pages;
use crate::daemon::setup::Rules;
use crate::invite::{Colour, Door};
use crate::model::form::Shape;
use crate::model::origin::Origin;
use crate::runtime::shutdown::Tasks;

/// What stands in a link while it is not known what the bot is called.
const NAMELESS: &str = "your_bot";

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Binds the editor's address, if there is one.
pub(super) fn bind(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = config.listen.editor else { return Ok(None) };
    let bound =
        TcpListener::bind(address).with_context(|| format!("`listen.editor`: `{address}`"))?;
    Ok(Some(bound))
}

/// Starts the page.
pub(super) fn start(listener: TcpListener, config: &Arc<Config>, tasks: &Tasks) {
    let options = editor::Options { listener, known: known(config), read: reader(config) };
    tasks.spawn("editor", editor::run(options, tasks.stop().clone()));
}

fn reader(config: &Arc<Config>) -> ReadForm {
    let config = Arc::clone(config);
    Arc::new(move |text| {
        let form = config::form_of(text, &config, &Rules)?;
        Ok((pages::form(&form, &config), doors(&form, &config)))
    })
}

fn doors(form: &config::Form, config: &Config) -> Vec<Door> {
    let leads = pages::leads(form.topics.as_ref(), &form.channels, config);
    leads.doors_calling(NAMELESS, &Origin::Form(form.name.clone()))
}

/// What can be chosen, and the forms that there are, as `page.js` wants it.
fn known(config: &Config) -> Value {
    let topics =
        config.topics.iter().map(|(name, title)| json!({ "name": name, "title": title.default }));
    let channels = config.channels.iter().map(|channel| {
        json!({ "name": channel.name, "title": format!("{} ({})", channel.name, channel.kind().as_str()) })
    });
    let script = config.address("");
    json!({
        "address": script.trim_end_matches('/'),
        "topics": topics.collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "forms": config.forms.iter().map(|form| written(form, config)).collect::<Vec<_>>(),
    })
}

/// A form as the page's controls have it.
fn written(form: &config::Form, config: &Config) -> Value {
    let (kind, position) = match form.shape {
        Shape::Dialog => ("popup", Some("center")),
        Shape::Corner { is_left: true } => ("popup", Some("bottom-left")),
        Shape::Corner { is_left: false } => ("popup", Some("bottom-right")),
        Shape::Bar { is_top: true } => ("bar", Some("top")),
        Shape::Bar { is_top: false } => ("bar", Some("bottom")),
        Shape::Button => ("button", None),
    };
    let are_all = form.channels.len() == config.channels.len();
    let colour = form.colour.map(|rgb| Colour(rgb).hex());
    json!({
        "name": form.name,
        "kind": kind,
        "position": position,
        "topics": form.topics,
        "channels": (!are_all).then_some(&form.channels),
        "title": form.title.as_ref().map(texts),
        "text": form.text.as_ref().map(texts),
        "consent": form.consent.as_ref().map(texts),
        "privacy": form.privacy,
        "colour": colour,
        "after": form.triggers.after.map(|after| after.as_secs_f64()),
        "scroll": form.triggers.scroll,
        "exit": form.triggers.exit,
        "again": form.again_after.as_secs().div_ceil(DAY_SECONDS),
    })
}

/// By language; a text that is for all of them counts as English.
fn texts(texts: &Texts) -> Value {
    match texts.languages.is_empty() {
        true => json!({ "en": texts.default }),
        false => json!(texts.languages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::Setup;
    use crate::invite::Form;

    #[test]
    fn a_form_of_the_settings_is_shown_with_all_that_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.toml");
        let settings = r##"
data_dir = "data"
listen = { public = "127.0.0.1:8080", public_url = "https://news.example.com/" }
[channels]
bot = { kind = "telegram", token = { env = "TOKEN" } }
[topics]
news = { title = { en = "News", ro = "Știri" } }
[forms]
bar = { kind = "bar", position = "top", title = "Hello", colour = "#0a7fb5", scroll = 0.5 }
"##;
        std::fs::write(&path, settings).unwrap();
        let token = |name: &str| (name == "TOKEN").then(|| "1:x".to_owned());
        let setup = Setup::load(&path, &token).unwrap_or_else(|all| panic!("{}", all.join("\n")));
        let known = known(&setup.config);
        assert_eq!(known["address"], "https://news.example.com");
        assert_eq!(known["topics"][0], json!({ "name": "news", "title": "News" }));
        let form = &known["forms"][0];
        assert_eq!((&form["kind"], &form["position"]), (&json!("bar"), &json!("top")));
        assert_eq!((&form["title"], &form["channels"]), (&json!({ "en": "Hello" }), &Value::Null));
        assert_eq!((&form["colour"], &form["again"]), (&json!("#0a7fb5"), &json!(30)));
        assert_eq!((&form["scroll"], &form["after"]), (&json!(0.5), &Value::Null));

        let read = reader(&setup.config);
        let (form, doors): (Form, _) = read("[forms.x]\ntopics = ['news']\n").unwrap();
        assert_eq!((form.name.as_str(), form.shape), ("x", Shape::Dialog));
        assert_eq!(doors[0].link, "https://t.me/your_bot?start=newsFROMFORMx");
        for (text, told) in [
            (
                "[forms.x]\ntopics = ['nwes']",
                "forms.x.topics: `nwes` is not defined\nhint: did you mean `news`?",
            ),
            ("[forms.x]\n[forms.y]", "forms: must be one form"),
            ("", "forms: must be one form"),
            ("[forms.x]\nkind = 'button'\nexit = true", "does nothing for a button"),
            ("[fetch]\n[forms.x]", "fetch: may stand in the main settings file only"),
            ("[forms.x", "expected"),
        ] {
            let problems = read(text).err().unwrap().join("\n");
            assert!(problems.contains(told), "{text}: {problems}");
        }
    }
}
