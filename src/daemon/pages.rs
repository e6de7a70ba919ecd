//! The pages and forms that people subscribe by: what the settings say of them, as the public door
//! needs it.

use std::collections::BTreeSet;

use crate::config::{Config, Service, Texts};
use crate::invite::{Archive, Colour, Form, Logo, Page, Wording};
use crate::listen::forms::Embed;
use crate::listen::invites::Invite;
use crate::listen::leads::{Entrance, Leads};
use crate::model::campaign::Campaign;
use crate::model::name::Name;
use crate::model::prospect::Selection;

/// All pages, as the settings have them.
pub(super) fn invites(config: &Config) -> Vec<Invite> {
    config.pages.iter().map(|page| invite(page, config)).collect()
}

/// All forms, as the settings have them.
pub(super) fn embeds(config: &Config) -> Vec<Embed> {
    let embed = |form: &crate::config::Form| Embed {
        leads: leads(form.topics.as_ref(), &form.channels, config),
        form: self::form(form, config),
    };
    config.forms.iter().map(embed).collect()
}

/// The bots that pages and forms lead to and of which the settings do not say what they are called.
pub(super) fn nameless(config: &Config) -> BTreeSet<Name> {
    let by_forms = config.forms.iter().flat_map(|form| &form.channels);
    let led_to = config.pages.iter().flat_map(|page| &page.channels).chain(by_forms);
    let is_nameless = |name: &Name| {
        config.channels.iter().any(|channel| {
            channel.name == *name
                && matches!(channel.service, Service::Telegram { username: None, .. })
        })
    };
    led_to.filter(|name| is_nameless(name)).cloned().collect()
}

fn invite(page: &crate::config::Page, config: &Config) -> Invite {
    Invite {
        slug: page.slug.clone(),
        page: Page {
            topics: called(page.topics.as_ref(), config),
            title: page.title.as_ref().map(wording),
            text: page.text.as_ref().map(wording),
            privacy: page.privacy.as_ref().map(wording),
            colour: page.colour.map(Colour),
            logo: page
                .logo
                .as_ref()
                .map(|logo| Logo { mime: logo.mime, bytes: logo.bytes.clone() }),
            frames: config.listen.frame_ancestors.clone(),
            feeds: feeds(page, config),
        },
        leads: leads(page.topics.as_ref(), &page.channels, config),
        selection: selection(config, page.topics.as_deref(), &page.channels),
    }
}

/// The topics of which everybody may read what was sent.
pub(super) fn archives(config: &Config) -> Vec<Archive> {
    let archive = |topic: &Name| {
        let is_its = |page: &&crate::config::Page| {
            page.topics.as_ref().is_some_and(|topics| topics.as_slice() == [topic.clone()])
        };
        let has_it = |page: &&crate::config::Page| {
            page.topics.as_ref().is_none_or(|topics| topics.contains(topic))
        };
        let page = config.pages.iter().find(is_its).or(config.pages.iter().find(has_it));
        Archive {
            topic: topic.clone(),
            title: config.topics.get(topic).map(wording).unwrap_or_default(),
            address: config.archive_of(topic),
            subscribe: page.map(|page| config.address_of(page)),
        }
    };
    config.archives.iter().map(archive).collect()
}

/// The feeds of what was sent to the page's topics.
fn feeds(page: &crate::config::Page, config: &Config) -> Vec<(Wording, String)> {
    let is_its = |archive: &Archive| {
        page.topics.as_ref().is_none_or(|topics| topics.contains(&archive.topic))
    };
    let its = archives(config).into_iter().filter(is_its);
    its.map(|archive| (archive.title.clone(), archive.feed_address())).collect()
}

/// A form as its script is made of.
pub(super) fn form(form: &crate::config::Form, config: &Config) -> Form {
    Form {
        name: form.name.clone(),
        shape: form.shape,
        triggers: form.triggers,
        again_after: u64::try_from(form.again_after.as_millis()).unwrap_or(u64::MAX),
        topics: called(form.topics.as_ref(), config),
        title: form.title.as_ref().map(wording),
        text: form.text.as_ref().map(wording),
        consent: form.consent.as_ref().map(wording),
        privacy: form.privacy.as_ref().map(ToString::to_string),
        colour: form.colour.map(Colour),
    }
}

/// What the topics are called; without any that are named, all.
fn called(topics: Option<&Vec<Name>>, config: &Config) -> Vec<Wording> {
    let shown: Vec<&Name> = match topics {
        Some(topics) => topics.iter().collect(),
        None => config.topics.keys().collect(),
    };
    shown.into_iter().filter_map(|topic| config.topics.get(topic)).map(wording).collect()
}

/// Where links for these topics lead, in the order of the settings.
pub(super) fn leads(topics: Option<&Vec<Name>>, channels: &[Name], config: &Config) -> Leads {
    let led_to = config.channels.iter().filter(|channel| channels.contains(&channel.name));
    Leads {
        topics: topics.cloned().unwrap_or_default(),
        channels: led_to.map(|it| (it.name.clone(), entrance(&it.service))).collect(),
    }
}

fn entrance(service: &Service) -> Entrance {
    match service {
        Service::Telegram { username, .. } => Entrance::Telegram { bot: username.clone() },
        Service::Messenger { page_id, .. } => Entrance::Messenger { page: page_id.clone() },
    }
}

/// What of the newest people of these topics (`None`: of all) are shown on the channels: what the
/// campaigns that they get would tell. What is looked at before it goes out is not shown to
/// everybody first.
pub(super) fn selection(config: &Config, topics: Option<&[Name]>, channels: &[Name]) -> Selection {
    let is_got = |campaign: &&Campaign| {
        let is_wanted = |topic: &Name| topics.is_none_or(|all| all.contains(topic));
        let is_told = campaign.topics.is_empty() || campaign.topics.iter().any(is_wanted);
        let is_there = campaign.channels.iter().any(|channel| channels.contains(channel));
        is_told && is_there && !campaign.timing.review
    };
    Selection::of(config.campaigns.iter().filter(is_got))
}

fn wording(texts: &Texts) -> Wording {
    Wording { default: texts.default.clone(), languages: texts.languages.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::Setup;

    const SETTINGS: &str = r#"
data_dir = "data"
[channels]
bot = { kind = "telegram", token = { env = "TOKEN" } }
other = { kind = "telegram", token = { env = "OTHER" }, username = "other_bot" }
[topics]
news = {}
offers = {}
[sources]
a = { url = "https://example.com/a" }
b = { url = "https://example.com/b" }
c = { url = "https://example.com/c" }
d = { url = "https://example.com/d" }
e = { url = "https://example.com/e" }
[campaigns]
news = { sources = ["a"], topics = ["news"] }
hats = { sources = ["a"], topics = ["offers"], when = "'hats' in item.tags" }
looked-at = { sources = ["b"], topics = ["news"], review = true }
offers = { sources = ["c"], topics = ["offers"] }
everybody = { sources = ["d"], topics = [] }
elsewhere = { sources = ["e"], topics = ["news"], channels = ["other"] }
[pages]
news = { topics = ["news"], channels = ["bot"] }
all = {}
"#;

    fn config() -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.toml");
        std::fs::write(&path, SETTINGS).unwrap();
        let token = |name: &str| Some(if name == "TOKEN" { "1:x" } else { "2:x" }.to_owned());
        match Setup::load(&path, &token) {
            Ok(setup) => Config::clone(&setup.config),
            Err(problems) => panic!("{}", problems.join("\n")),
        }
    }

    fn told<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<&'a str> {
        names.into_iter().map(Name::as_str).collect()
    }

    #[test]
    fn a_page_shows_what_its_people_get_and_nothing_that_is_looked_at_first() {
        let config = config();
        let [news, all] = &invites(&config)[..] else { panic!("two pages") };
        assert_eq!(told(&news.selection.campaigns()), ["everybody", "news"]);
        assert_eq!(told(&all.selection.sources()), ["a", "c", "d", "e"]);
    }

    #[test]
    fn people_are_shown_only_what_a_campaign_of_theirs_would_tell() {
        let config = config();
        let name = |text: &str| Name::parse(text).unwrap();
        let now = crate::render::sample::NOW;
        let item = |source: &str, tag: &str| crate::model::item::Item {
            tags: vec![tag.to_owned()],
            ..crate::render::sample::sample(&name(source))
        };
        let items = [item("a", "hats"), item("a", "shoes"), item("b", "hats"), item("d", "")];
        let shelves = crate::daemon::chat::shelves(&config);
        let offers = selection(&config, Some(&[name("offers")]), &[name("bot")]);
        for (selected, shown) in [
            (offers, [true, false, false, true]),
            (shelves.of(&name("bot"), &[name("offers")]), [true, false, false, true]),
            (shelves.of(&name("bot"), &[name("news"), name("offers")]), [true, true, false, true]),
            (shelves.of(&name("bot"), &[]), [true, true, false, true]),
            (shelves.of(&name("bot"), &[name("gone")]), [false, false, false, true]),
            (shelves.of(&name("gone"), &[]), [false; 4]),
        ] {
            let seen = [0, 1, 2, 3].map(|at: usize| selected.has(&items[at], now));
            assert_eq!(seen, shown, "{:?}", selected.campaigns());
        }
    }

    #[test]
    fn a_page_for_all_names_no_topic_and_shows_each() {
        let config = config();
        let [news, all] = &invites(&config)[..] else { panic!("two pages") };
        assert_eq!((told(&news.leads.topics), news.page.topics.len()), (vec!["news"], 1));
        assert_eq!((told(&all.leads.topics), all.page.topics.len()), (vec![], 2));
        assert_eq!(told(all.leads.channels.iter().map(|(name, _)| name)), ["bot", "other"]);
    }

    #[test]
    fn only_bots_without_a_name_are_asked_for_it() {
        assert_eq!(told(&nameless(&config())), ["bot"]);
    }
}
