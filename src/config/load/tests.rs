//! Whole folders of settings, good and bad.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::*;
use crate::config::check::around::{Checks, NoFaults};
use crate::config::raw::TABLES;
use crate::config::{Fetch, Messages, Service, Updates};
use crate::model::audience::PeopleRule;
use crate::model::campaign::{ChangeKind, OnUncertain};
use crate::model::choice::FieldKind;
use crate::model::condition::Condition;
use crate::model::form::{Shape, Triggers};
use crate::model::rich::RichText;
use crate::model::schedule::Schedule;
use crate::model::secret::ExposeSecret;
use crate::model::source::{PageField, PageRules};

const MAIN: &str = include_str!("../../../config/tidings.toml");
const FEEDS: &str = include_str!("../../../config/feeds.d/blog.toml");
const PAGES: &str = include_str!("../../../config/feeds.d/page.toml");
const SHOPS: &str = include_str!("../../../config/feeds.d/shop.toml");
const POST: &str = include_str!("../../../config/posts/opening.toml.example");
const CANARY: &str = "canary-of-thirty-two-characters-";
const BOT_CANARY: &str = "5123:canary-of-a-bot";

/// A folder with settings files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Loads `tidings.toml`; the folder's path is cut out of what is told.
    fn load(&self) -> Result<Loaded, Vec<String>> {
        load(&self.path("tidings.toml"), &environment, &mut built_in, &Unruled)
            .map_err(|problems| self.told(&problems))
    }

    fn told(&self, problems: &[Problem]) -> Vec<String> {
        let root = format!("{}/", self.0.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
    }
}

/// The layouts of every folder here.
fn built_in(_: &Path) -> Option<BTreeSet<Name>> {
    Some(["article", "card"].iter().map(|name| Name::parse(name).unwrap()).collect())
}

/// Finds fault with one selector only.
struct Unruled;

impl Checks for Unruled {
    fn page(&self, rules: &PageRules) -> Vec<(&'static str, String)> {
        let is_odd = |field: &PageField| field.css == "h2 >";
        let odd = rules.fields().into_iter().filter(|(_, field)| field.is_some_and(is_odd));
        odd.map(|(key, _)| (key, "`h2 >` is no CSS selector".to_owned())).collect()
    }

    fn condition(
        &self,
        text: &str,
        sources: &[Name],
    ) -> Result<Condition, Vec<(String, Option<String>)>> {
        NoFaults.condition(text, sources)
    }

    fn audience(
        &self,
        text: &str,
        topics: &[Name],
        channels: &[Name],
        profile: Option<&[Name]>,
    ) -> Result<PeopleRule, Vec<(String, Option<String>)>> {
        NoFaults.audience(text, topics, channels, profile)
    }

    fn html(&self, text: &str) -> RichText {
        NoFaults.html(text)
    }
}

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "STATE_DIRECTORY" => "/var/lib/tidings",
        "RUNTIME_DIRECTORY" => "/run/tidings",
        "NEWSBOT_TOKEN" => BOT_CANARY,
        "OTHERBOT_TOKEN" => "5124:canary-of-another",
        "PAGE_TOKEN" | "PAGE_APP_SECRET" | "PAGE_VERIFY_TOKEN" | "SHOP_KEY" => CANARY,
        _ => return None,
    };
    Some(value.to_owned())
}

fn load_texts(main: &str, feeds: &str) -> (Folder, Result<Loaded, Vec<String>>) {
    let folder = Folder::new(&[("tidings.toml", main), ("feeds.d/blog.toml", feeds)]);
    let loaded = folder.load();
    (folder, loaded)
}

/// The example with every key that is only shown put in force.
fn with_shown_keys(text: &str) -> String {
    let is_shown = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ")
            && !key.is_empty()
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if is_shown(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_pass_without_a_warning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/tidings.toml");
    let loaded = load(&path, &environment, &mut built_in, &Unruled).unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert_eq!(config.sources.len(), 6);
    assert_eq!(
        config.sources[1].schedule.to_string(),
        "at `0 */15 8-20 * * Mon-Fri` in \
               Europe/Chisinau"
    );
    assert_eq!(config.channels.len(), 2);
    assert_eq!(config.campaigns.len(), 1);
}

#[test]
fn the_examples_show_every_key_with_its_default() {
    let (folder, plain) = load_texts(MAIN, &[FEEDS, PAGES, SHOPS].join("\n"));
    let plain = format!("{:?}", plain.unwrap()).replace(folder.0.path().to_str().unwrap(), "");
    let feeds = [FEEDS, PAGES, SHOPS].map(with_shown_keys).join("\n");
    let (folder, shown) = load_texts(&with_shown_keys(MAIN), &feeds);
    let shown = format!("{:?}", shown.unwrap()).replace(folder.0.path().to_str().unwrap(), "");
    assert_eq!(shown, plain);
}

#[test]
fn the_examples_name_every_key_that_is_known() {
    let mut named = BTreeSet::new();
    for text in [MAIN, FEEDS, PAGES, SHOPS].map(with_shown_keys) {
        collect_keys(&DeTable::parse(&text).unwrap().into_inner(), "", &mut named);
    }
    for (path, keys) in TABLES {
        for key in *keys {
            let in_words = ["path", "currency", "auth", "basic", "bearer", "user", "password"];
            if in_words.contains(key) {
                // Shown in words: it stands instead of another, or has no default.
                assert!(SHOPS.contains(&format!("{key} = ")), "{path}: {key}");
            } else if let Some(file) = match (*path, *key) {
                ("channels.*.marketing", _) | ("channels.*", "marketing") => Some(MAIN),
                ("channels.*", "username") => Some(MAIN),
                ("pages.*" | "forms.*" | "profile.*", _) | ("", "pages" | "forms" | "profile") => {
                    Some(FEEDS)
                }
                ("listen", "editor") => Some(MAIN),
                ("campaigns.*.utility", _) | ("campaigns.*", "utility") => Some(FEEDS),
                ("messages.replies" | "messages.reminder", _) => Some(FEEDS),
                ("messages", "greeting_short" | "ice_breakers" | "replies" | "reminder") => {
                    Some(FEEDS)
                }
                ("messages", "welcome_layout" | "goodbye_layout" | "default_reply_layout") => {
                    Some(FEEDS)
                }
                _ => None,
            } {
                // A table that is off unless it is there.
                let is_told = [
                    format!("#  {key} = "),
                    format!(".{key}]\n"),
                    format!(".{key}]]\n"),
                    format!("[{key}."),
                ];
                assert!(is_told.iter().any(|words| file.contains(words)), "{path}: {key}");
            } else if *path == "secret" {
                assert!(MAIN.contains(&format!("{{ {key} = ")), "secret: {key}");
            } else {
                assert!(named.contains(&((*path).to_owned(), (*key).to_owned())), "{path}: {key}");
            }
        }
    }
}

#[test]
fn words_that_look_as_if_they_were_more_are_warned_of() {
    let main = "data_dir = '/x'\n[messages]\nwelcome = { en = \"Hello {{ name }}\", ro = \"Salut\" }\n\
                 goodbye = \"<b>Bye</b>\"\n[messages.reminder]\nevery = \"90 days\"\n\
                 say = \"{topics} for {name}\"\n";
    let told = Folder::new(&[("tidings.toml", main)]).load().unwrap().warnings;
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    for piece in [
        "messages.welcome: `{{ name }}` is sent as it stands, only {topics} is filled in",
        "messages.goodbye: `<b>` is sent as it stands: these are plain words",
        "messages.reminder.say: `{name}` is sent as it stands, only {topics} is filled in",
    ] {
        assert!(told.iter().any(|line| line.contains(piece)), "{piece}: {told:?}");
    }
}

#[test]
fn the_example_of_a_post_is_one_and_names_every_key() {
    let folder = Folder::new(&[
        ("tidings.toml", MAIN),
        ("feeds.d/blog.toml", FEEDS),
        ("posts/opening.toml", POST),
    ]);
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.warnings, []);
    let [post] = &loaded.config.posts[..] else { panic!("one post") };
    assert_eq!(
        (post.name.as_str(), post.at.to_string()),
        ("opening", "2036-12-01T07:00:00Z".into())
    );
    assert_eq!(post.post.title, "Doors open at nine.");
    for key in crate::config::post::TABLES.iter().flat_map(|(_, keys)| *keys) {
        assert!(POST.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn the_example_of_a_page_is_one() {
    let shown: String = FEEDS
        .lines()
        .skip_while(|line| *line != "#  [pages.news]")
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("#  logo"))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let (_folder, loaded) = load_texts(MAIN, &format!("{FEEDS}\n{shown}"));
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    let [page] = &loaded.config.pages[..] else { panic!("one page") };
    assert_eq!(page.slug.as_str(), "news");
    assert_eq!(page.topics.as_ref().unwrap()[0].as_str(), "news");
    assert_eq!(page.channels[0].as_str(), "newsbot");
    assert_eq!(page.title.as_ref().unwrap().languages["ro"], "Știri din port");
    assert_eq!(page.colour, Some([0x0a, 0x7f, 0xb5]));
}

#[test]
fn the_example_of_what_people_are_asked_is_one() {
    let shown: String = FEEDS
        .lines()
        .skip_while(|line| *line != "#  [profile.city]")
        .take_while(|line| line.starts_with("#  "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let (_folder, loaded) = load_texts(MAIN, &format!("{FEEDS}\n{shown}"));
    let loaded = loaded.unwrap();
    let [field] = &loaded.config.profile[..] else { panic!("one field") };
    assert_eq!((field.name.as_str(), field.kind), ("city", FieldKind::Choice));
    assert_eq!(field.title.languages["ro"], "Oraș");
    assert_eq!(field.options, ["Iași", "București"]);
    assert!(field.at_start);
}

#[test]
fn the_example_of_a_form_is_one() {
    let shown: String = FEEDS
        .lines()
        .skip_while(|line| *line != "#  [forms.popup]")
        .take_while(|line| !line.is_empty())
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let (_folder, loaded) = load_texts(MAIN, &format!("{FEEDS}\n{shown}"));
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    let [form] = &loaded.config.forms[..] else { panic!("one form") };
    assert_eq!((form.name.as_str(), form.shape), ("popup", Shape::Dialog));
    let triggers = Triggers { after: Some(Duration::from_secs(5)), scroll: Some(0.5), exit: true };
    assert_eq!(form.triggers, triggers);
    assert_eq!(form.again_after, Duration::from_secs(30 * 86_400));
    assert_eq!(form.title.as_ref().unwrap().languages["ro"], "Știri din port");
}

#[test]
fn a_form_needs_nothing() {
    let main = "data_dir = '/x'\n[forms]\na = {}\nb = { kind = 'bar' }\nc = { kind = 'button' }\n";
    let loaded = Folder::new(&[("tidings.toml", main)]).load().unwrap();
    let shown: Vec<_> =
        loaded.config.forms.iter().map(|it| (it.shape, it.triggers.after)).collect();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let bar = Shape::Bar { is_top: false };
    assert_eq!(shown, [(Shape::Dialog, seconds(5)), (bar, seconds(0)), (Shape::Button, None)]);
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|it| it.ends_with("`listen.public` is not set")), "{warnings:?}");
    assert!(warnings.iter().any(|it| it.ends_with("there is no channel")), "{warnings:?}");
}

#[test]
fn a_page_needs_nothing_and_says_where_it_leads_nowhere() {
    let main = "data_dir = '/x'\n[pages.all]\n[topics.news]\n";
    let folder = Folder::new(&[("tidings.toml", main)]);
    let loaded = folder.load().unwrap();
    let [page] = &loaded.config.pages[..] else { panic!("one page") };
    assert_eq!((page.topics.as_ref(), page.title.as_ref(), page.colour), (None, None, None));
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|it| it.ends_with("`listen.public` is not set")), "{warnings:?}");
    assert!(warnings.iter().any(|it| it.ends_with("there is no channel")), "{warnings:?}");
}

#[test]
fn a_logo_of_an_editor_lies_where_the_sysadmin_says() {
    let png = "\u{89}"; // Two bytes in UTF-8: no picture.
    let page = "[pages.a]\nlogo = 'brand/logo.svg'\n";
    for (paths, expected) in [
        ("", Some("is not in a folder that the sysadmin opened")),
        ("[fetch]\npaths = ['brand']\n", None),
        ("[fetch]\npaths = ['other']\n", Some("is not in a folder that the sysadmin opened")),
    ] {
        let main = format!("include = ['feeds.d/*.toml']\ndata_dir = '/x'\n{paths}");
        let folder = Folder::new(&[
            ("tidings.toml", main.as_str()),
            ("feeds.d/blog.toml", page),
            ("brand/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("brand/odd.png", png),
        ]);
        let told = folder.load().map(|loaded| loaded.config.pages[0].logo.clone().unwrap().mime);
        match (told, expected) {
            (Ok(mime), None) => assert_eq!(mime, "image/svg+xml"),
            (Err(problems), Some(expected)) => {
                assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
            }
            (told, expected) => panic!("{told:?}, not {expected:?}"),
        }
    }
    let folder = Folder::new(&[
        ("tidings.toml", "data_dir = '/x'\n[pages.a]\nlogo = 'odd.png'\n"),
        ("odd.png", png),
    ]);
    let problems = folder.load().unwrap_err();
    assert!(problems[0].to_string().contains("must be a picture"), "{}", problems[0]);
}

/// Every key with the path of its table, chosen names as `*`.
fn collect_keys(table: &DeTable<'_>, path: &str, out: &mut BTreeSet<(String, String)>) {
    for (key, value) in table.iter() {
        let is_chosen = ["channels", "sources", "topics", "campaigns"].contains(&path);
        let key = if is_chosen { "*" } else { key.get_ref().as_ref() };
        out.insert((path.to_owned(), key.to_owned()));
        if let DeValue::Table(inner) = value.get_ref() {
            let dot = if path.is_empty() { "" } else { "." };
            collect_keys(inner, &format!("{path}{dot}{key}"), out);
        }
    }
}

#[test]
fn the_smallest_setup_is_one_source_one_channel_and_one_campaign() {
    let text = "[channels.bot]\nkind = 'telegram'\ntoken = { env = 'NEWSBOT_TOKEN' }\n\
                [sources.blog]\nurl = 'https://blog.example.com/feed.xml#top'\n\
                [campaigns.all]\n";
    let folder = Folder::new(&[("tidings.toml", text)]);
    let Loaded { config, warnings } = folder.load().unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.data_dir, Path::new("/var/lib/tidings"));
    assert_eq!(config.layouts, folder.path("layouts"));
    assert_eq!(config.listen.admin, Path::new("/run/tidings/admin.sock"));
    assert_eq!((config.listen.public, config.listen.public_url), (None, None));
    assert_eq!(config.fetch, Fetch::default());
    assert_eq!(config.messages, Messages::default());
    assert_eq!(config.grace, Duration::from_secs(20));
    assert!(config.topics.is_empty());

    let [channel] = config.channels.as_slice() else { panic!("one channel") };
    assert_eq!((channel.rate, channel.in_flight), (30.0, 32));
    assert_eq!(channel.api.as_str(), "https://api.telegram.org/");
    let Service::Telegram { token, username: None, updates: Updates::Polling } = &channel.service
    else {
        panic!("a Telegram channel that polls")
    };
    assert_eq!(token.expose_secret(), BOT_CANARY);

    let [source] = config.sources.as_slice() else { panic!("one source") };
    assert_eq!(&*source.url, "https://blog.example.com/feed.xml");
    assert_eq!(source.schedule, Schedule::Every(Duration::from_secs(30 * 60)));
    assert_eq!((source.first_newest, source.flood.items), (0, 20));

    let [campaign] = config.campaigns.as_slice() else { panic!("one campaign") };
    assert_eq!(campaign.sources, std::slice::from_ref(&source.name));
    assert_eq!(campaign.channels, std::slice::from_ref(&channel.name));
    assert_eq!(campaign.on, [ChangeKind::New]);
    assert_eq!(campaign.layout.as_str(), "article");
    assert_eq!((campaign.settle, campaign.on_uncertain), (Duration::ZERO, OnUncertain::Skip));
}

#[test]
fn paths_start_at_the_file_and_the_store_falls_back_to_the_data_home() {
    let folder = Folder::new(&[(
        "tidings.toml",
        "layouts = '../l'\n[listen]\nadmin = 'unix:a.sock'\npublic = '[::]:0'\n",
    )]);
    let path = folder.path("tidings.toml");
    let cases = [
        (vec![("XDG_DATA_HOME", "/data"), ("HOME", "/home/a")], Some("/data/tidings")),
        (
            vec![("XDG_DATA_HOME", "data"), ("HOME", "/home/a")],
            Some("/home/a/.local/share/tidings"),
        ),
        (vec![("STATE_DIRECTORY", "/s:/t"), ("HOME", "/home/a")], Some("/s")),
        (vec![], None),
    ];
    for (variables, expected) in cases {
        let env = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match (load(&path, &env, &mut built_in, &Unruled), expected) {
            (Ok(loaded), Some(expected)) => {
                assert_eq!(loaded.config.data_dir, Path::new(expected));
                assert_eq!(loaded.config.layouts, folder.path("../l"));
                assert_eq!(loaded.config.listen.admin, folder.path("a.sock"));
            }
            (Err(problems), None) => assert_eq!(
                folder.told(&problems),
                ["tidings.toml:1:1: data_dir: is needed here: there is no `$STATE_DIRECTORY`, \
                  `$XDG_DATA_HOME` or `$HOME`"],
            ),
            (result, _) => panic!("{result:?}"),
        }
    }
}

#[test]
fn the_price_last_told_moves_as_finely_as_somebody_wants() {
    let text = "[sources.fine]\nurl = 'https://a.example/'\nmin_step = '5%'\n\
                [sources.plain]\nurl = 'https://b.example/'\n\
                [campaigns.own]\nsources = ['fine']\non = ['price-drop']\n\
                min_step = ['2%', '1 EUR']\n\
                [campaigns.sources]\nsources = ['fine']\non = ['price-rise']\n\
                [campaigns.any]\nsources = ['fine', 'plain']\non = ['new']\nmin_step = '9%'\n";
    let Loaded { config, warnings } = Folder::new(&[("tidings.toml", text)]).load().unwrap();
    let shares = config.campaigns.iter().map(|campaign| campaign.min_step.share);
    assert_eq!(shares.collect::<Vec<_>>(), [200, 500, 900]);
    let shares = config.sources.iter().map(|source| source.price.min_step_share);
    assert_eq!(shares.collect::<Vec<_>>(), [200, 0]);
    assert!(config.sources.iter().all(|source| source.price.min_step.is_none()));
    let told = warnings.iter().filter(|it| it.key == "campaigns.any.min_step");
    let told: Vec<&str> = told.map(|it| it.problem.as_str()).collect();
    assert_eq!(told, ["does nothing: `on` names no price"]);
}

#[test]
fn a_window_that_quiet_hours_cover_is_told() {
    let with = |window: &str, timezone: &str| {
        let text = format!(
            "quiet = '22:00-06:00'\n[sources.a]\nurl = 'https://a.example/'\n[campaigns.a]\n\
             window = '{window}'\ntimezone = '{timezone}'\n"
        );
        match Folder::new(&[("tidings.toml", &text)]).load() {
            Ok(loaded) => {
                let told = loaded.warnings.iter().filter(|it| it.key == "campaigns.a.window");
                told.map(|it| it.problem.clone()).collect()
            }
            Err(told) => told,
        }
    };
    assert_eq!(with("08:00-21:00", "Europe/Chisinau"), Vec::<String>::new());
    let never = with("23:00-02:00", "UTC").join("\n");
    assert!(never.contains("campaigns.a.window: is never open: the quiet hours"), "{never}");
    // It is two hours before UTC in winter, three in summer.
    let in_summer = with("08:00-09:00", "Europe/Chisinau");
    let words = "the quiet hours of the main settings file cover it for a part of the year, such as \
                 from 2026-03-";
    assert!(in_summer.len() == 1 && in_summer[0].starts_with(words), "{in_summer:?}");
    assert!(in_summer[0].contains(" until 2026-10-25: "), "{in_summer:?}");
}

#[test]
fn a_source_in_haste_gets_the_floor_and_a_warning() {
    let cases = [
        ("", "every = '1s'", Some((300, "1s is below `fetch.floor`: taken as 5m"))),
        ("floor = '1h'", "", Some((3_600, ""))),
        (
            "floor = '1s'",
            "every = '1s'",
            Some((1, "1s is often: sites may refuse to be asked\n  hint: 5m or more is polite")),
        ),
        ("floor = '1s'", "every = '5m'", Some((300, ""))),
        ("", "cron = '0 */5 * * * *'", None),
    ];
    for (fetch, source, expected) in cases {
        let main = format!(
            "[fetch]\n{fetch}\n[campaigns.a]\n[channels.a]\nkind = 'telegram'\n\
             token = {{ env = 'NEWSBOT_TOKEN' }}\n[sources.a]\nurl = 'https://a.example'\n{source}"
        );
        let folder = Folder::new(&[("tidings.toml", &main)]);
        let loaded = folder.load().unwrap();
        let told = folder.told(&loaded.warnings).join("\n");
        let (seconds, warning) = expected.unwrap_or((0, ""));
        let prefix = "tidings.toml:9:9: sources.a.every: ";
        assert_eq!(told.strip_prefix(prefix).unwrap_or(&told), warning, "{fetch} {source}");
        match &loaded.config.sources[0].schedule {
            Schedule::Every(every) => assert_eq!(every.as_secs(), seconds),
            schedule => assert_eq!(
                (schedule.to_string().as_str(), expected),
                ("at `0 */5 * * * *` in UTC", None)
            ),
        }
    }
}

const TWO_BOTS: &str = "data_dir = \"d\"\n\
    [channels.one]\nkind = \"telegram\"\ntoken = { env = \"NEWSBOT_TOKEN\" }\n\
    [channels.two]\nkind = \"telegram\"\ntoken = { env = \"OTHERBOT_TOKEN\" }\n\
    [topics.news]\n[sources.blog]\nurl = \"https://example.com/feed\"\n";

#[test]
fn chats_and_reviewers_are_of_one_bot_or_name_theirs() {
    let text = format!(
        "reviewers = [{{ chat = 7, channel = \"one\" }}]\n{TWO_BOTS}\
         [campaigns.a]\nchannels = [\"one\"]\nreview = true\naudience = \" true \"\n\
         chats = [\"@news\", -100123, {{ chat = \"@forum\", thread = 5 }}]\nlate_joiners = \"include\"\n\
         [campaigns.b]\nreview = true\nreviewers = [{{ chat = -5, channel = \"two\" }}]\n\
         audience = \"false\"\n"
    );
    let loaded = Folder::new(&[("tidings.toml", &text)]).load().unwrap();
    let [a, b] = &loaded.config.campaigns[..] else { panic!("two campaigns") };
    let shown = |chats: &[crate::model::audience::FixedChat]| {
        chats.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown(&a.reach.chats), ["one/@news", "one/-100123", "one/@forum/5"]);
    assert_eq!(shown(&a.reach.reviewers), ["one/7"]);
    assert_eq!(a.reach.rule, None, "all are meant");
    assert_eq!(a.reach.late_joiners, crate::model::audience::LateJoiners::Include);
    assert_eq!(shown(&b.reach.reviewers), ["two/-5"]);
    assert_eq!(b.reach.rule.as_ref().unwrap().as_str(), "false");

    let text = format!(
        "{TWO_BOTS}[campaigns.a]\nchats = [\"@news\", {{ chat = 5, channel = \"tow\" }}]\n"
    );
    let told = Folder::new(&[("tidings.toml", &text)]).load().unwrap_err();
    assert_eq!(
        told,
        [
            "tidings.toml:12:10: campaigns.a.chats: must say by which channel\n  hint: for example \
         `{ chat = \"@news\", channel = \"one\" }`",
            "tidings.toml:12:41: campaigns.a.chats: `tow` is not defined\n  hint: did you mean `two`?",
        ]
    );
}

#[test]
fn two_files_of_one_name_plan_one_post() {
    let main = format!("posts = [\"a/*.toml\", \"b/*.toml\"]\n{TWO_BOTS}");
    let post = "at = \"2036-03-30 03:30 Europe/Bucharest\"\ntext = \"x\"\n";
    let files = [("tidings.toml", main.as_str()), ("a/sale.toml", post), ("b/sale.toml", post)];
    let told = Folder::new(&files).load().unwrap_err();
    assert_eq!(
        told,
        [
            "b/sale.toml:1:1: a file of the same name plans a post already: `sale` at a/sale.toml:1:1",
        ]
    );
    let loaded = Folder::new(&files[..2]).load().unwrap();
    let remarks: Vec<String> = loaded.warnings.iter().map(|it| it.problem.clone()).collect();
    assert!(remarks.iter().any(|remark| remark.contains("is skipped when the clocks change")));
    assert_eq!(loaded.config.posts[0].at.to_string(), "2036-03-30T01:30:00Z");
}

#[test]
fn a_layout_that_is_not_there_is_told_with_its_place() {
    let text = "[channels.bot]\nkind = 'telegram'\ntoken = { env = 'NEWSBOT_TOKEN' }\n\
                [sources.blog]\nurl = 'https://blog.example.com/feed.xml'\n\
                [campaigns.a]\nlayout = 'artcle'\n[campaigns.b]\nlayout = 'card'\n";
    let folder = Folder::new(&[("tidings.toml", text)]);
    let told = folder.load().unwrap_err();
    let line = "tidings.toml:7:10: campaigns.a.layout: no layout is called `artcle`\n  \
                hint: did you mean `article`?";
    assert_eq!(told, [line]);
    let path = folder.path("tidings.toml");
    assert!(load(&path, &environment, &mut |_| None, &Unruled).is_ok(), "unchecked");
}

#[test]
fn a_wrong_selector_is_told_with_its_place_and_beside_all_else() {
    let text = "[sources.a]\nkind = 'page'\nurl = 'https://a.example.com/'\n\
                [sources.a.select]\nitem = 'li'\ntitle = 'h2 >'\n\
                [sources.b]\nkind = 'page'\nurl = 'nowhere'\n";
    let folder = Folder::new(&[("tidings.toml", text)]);
    let told = folder.load().unwrap_err();
    assert_eq!(told.len(), 2, "{told:?}");
    let line = "tidings.toml:6:9: sources.a.select.title: `h2 >` is no CSS selector";
    assert_eq!(told[0], line);
    assert!(told[1].starts_with("tidings.toml:9:7: sources.b.url: "), "{told:?}");
}

#[test]
fn haste_of_thousands_is_counted() {
    let mut text = String::from("[fetch]\nfloor = '1s'\n");
    for number in 0..10_000 {
        text.push_str(&format!(
            "[sources.feed-{number}]\nurl = 'https://{number}.example.com/feed.xml'\n\
             every = '1s'\n"
        ));
    }
    let folder = Folder::new(&[("tidings.toml", &text)]);
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.config.sources.len(), 10_000);
    let told = folder.told(&loaded.warnings);
    assert_eq!(told.len(), 22);
    assert_eq!(told[21], "tidings.toml:30002:9: sources: 9980 more are polled as often");
}

#[test]
fn problems_of_thousands_are_counted() {
    let names: String = (0..10_000).map(|number| format!("'feed-{number}',")).collect();
    let text = format!("[sources.fed-0]\nurl = 'x'\n[campaigns.a]\nsources = [{names}]\n");
    let told = Folder::new(&[("tidings.toml", &text)]).load().unwrap_err();
    assert_eq!(told.len(), 501);
    assert_eq!(told[500], "tidings.toml:4:5380: 9501 more are not shown");
}

#[test]
fn sec_f09_an_editor_cannot_open_networks_or_channels() {
    let feeds = "[fetch]\nallow_networks = ['10.0.0.0/8']\n[channels.mine]\nkind = 'telegram'\n";
    let main = "include = ['feeds.d/blog.toml']\n";
    let (_folder, loaded) = load_texts(main, feeds);
    let told = loaded.unwrap_err();
    let hint = "\n  hint: an included file may hold `sources`, `topics`, `campaigns`, `messages`, \
                `pages`, `forms`, `profile`";
    assert_eq!(
        told[0],
        format!(
            "feeds.d/blog.toml:1:2: fetch: may stand in the main settings \
                                 file only{hint}"
        )
    );
    assert_eq!(
        told[1],
        format!(
            "feeds.d/blog.toml:3:2: channels: may stand in the main \
                                 settings file only{hint}"
        )
    );
}

#[test]
fn sec_f09_an_editor_reads_no_file_that_the_sysadmin_did_not_open() {
    let source = |path: &str| format!("[sources.a]\nkind = 'catalog'\npath = '{path}'\n");
    let main = |paths: &str| format!("include = ['feeds.d/blog.toml']\n[fetch]\n{paths}\n");
    let key = "feeds.d/blog.toml:3:8: sources.a.path: ";
    let closed = "is not in a folder that the sysadmin opened\n  hint: ";
    for (paths, path, told) in [
        ("paths = ['/srv/exports']", "/srv/exports/a.csv", None),
        (
            "",
            "/etc/passwd",
            Some("name it in the main settings file: `fetch.paths = [\"/srv/exports\"]`"),
        ),
        (
            "paths = ['/srv/exports']",
            "/srv/exports-of-others/a.csv",
            Some("an included file may name what is in `/srv/exports`"),
        ),
    ] {
        let (_folder, loaded) = load_texts(&main(paths), &source(path));
        match (loaded, told) {
            (Ok(loaded), None) => {
                let local = loaded.config.sources[0].local.as_ref().unwrap();
                assert_eq!(local.path, Path::new(path));
                assert_eq!(local.within.as_deref(), Some(Path::new("/srv/exports")));
            }
            (loaded, Some(hint)) => {
                assert_eq!(loaded.unwrap_err(), [format!("{key}{closed}{hint}")]);
            }
            (loaded, None) => panic!("{loaded:?}"),
        }
    }
    let (_folder, loaded) =
        load_texts(&main("paths = ['/srv/exports']"), &source("/srv/exports/../a.csv"));
    let climbs = "must be a file or a folder, without `..`";
    assert_eq!(loaded.unwrap_err(), [format!("{key}{climbs}")]);
    let folder = Folder::new(&[("tidings.toml", &source("exports"))]);
    let local = folder.load().unwrap().config.sources[0].local.clone().unwrap();
    assert_eq!((local.path.clone(), local.within.clone()), (folder.path("exports"), None));
}

#[test]
fn sec_f12_a_channels_secret_is_not_for_an_editors_site() {
    let main = "include = ['feeds.d/blog.toml']\n[channels.bot]\nkind = 'telegram'\n\
                token = { env = 'NEWSBOT_TOKEN' }\n";
    let source = |headers: &str| {
        format!("[sources.a]\nurl = 'https://a.example/'\nheaders = {{ {headers} }}\n")
    };
    let (_folder, loaded) = load_texts(main, &source("X-Key = { env = 'NEWSBOT_TOKEN' }"));
    assert_eq!(
        loaded.unwrap_err(),
        ["feeds.d/blog.toml:3:21: sources.a.headers.X-Key: is a secret of a channel\n  hint: \
          only the main settings file may use it for a source"]
    );
    let (_folder, loaded) = load_texts(main, &source("X-Key = { env = 'SHOP_KEY' }"));
    let loaded = loaded.unwrap();
    assert!(!format!("{loaded:?}").contains(CANARY));
    let headers = loaded.config.sources[0].headers.clone();
    assert_eq!((headers[0].name.as_str(), headers[0].value.expose_secret()), ("x-key", CANARY));
    for (headers, told) in [
        ("Host = 'b.example'", "sources.a.headers.Host: is a header that is set by the program"),
        ("'a b' = 'c'", "sources.a.headers.\"a b\": is no name of a header"),
        ("A = \"b\\nc\"", "sources.a.headers.A: must be 1 to 8192 visible ASCII characters"),
        ("A = 'b', a = 'c'", "sources.a.headers.a: is given twice"),
    ] {
        let (_folder, loaded) = load_texts(main, &source(headers));
        let problems = loaded.unwrap_err();
        assert!(problems[0].ends_with(told), "{problems:?}");
    }
}

#[test]
fn a_key_of_another_kind_is_told() {
    let text = "[sources.a]\nurl = 'https://a.example/'\nformat = 'csv'\n\
                [sources.b]\nkind = 'catalog'\nurl = 'https://b.example/'\nformat = 'mapped'\n\
                [sources.c]\nkind = 'page'\nurl = 'https://c.example/'\n\
                [sources.c.select]\ntitle = 'h2'\n";
    let told = Folder::new(&[("tidings.toml", text)]).load().unwrap_err();
    assert_eq!(
        told,
        [
            "tidings.toml:3:10: sources.a.format: does not belong to a source of kind `feed`\n  \
             hint: did you mean `kind = \"catalog\"`?",
            "tidings.toml:7:10: sources.b.map: is needed\n  hint: write `[sources.b.map]` with \
             the path of each field",
            "tidings.toml:12:9: sources.c.select.item: is needed\n  hint: the selector of one \
             item, such as `article.post`; the others look in it",
        ]
    );
}

#[test]
fn a_webhook_needs_a_door_an_address_and_a_secret() {
    let main = |listen: &str, secret: &str| {
        format!(
            "[listen]\n{listen}\n[channels.bot]\nkind = 'telegram'\n\
             token = {{ env = 'NEWSBOT_TOKEN' }}\nupdates = 'webhook'\n{secret}"
        )
    };
    let secret = "webhook_secret = { env = 'PAGE_TOKEN' }";
    let door = "public = '0.0.0.0:80'\npublic_url = 'https://a.example/'";
    let load = |text: &str| Folder::new(&[("tidings.toml", text)]).load();
    let loaded = load(&main(door, secret)).unwrap();
    assert!(matches!(
        loaded.config.channels[0].service,
        Service::Telegram { updates: Updates::Webhook { .. }, .. }
    ));
    assert_eq!(
        load(&main("", "")).unwrap_err(),
        [
            "tidings.toml:3:11: channels.bot.webhook_secret: is needed\n  hint: `{ credential = \
             \"…\" }`, `{ file = \"…\" }` or `{ env = \"…\" }`",
            "tidings.toml:6:11: channels.bot.updates: a webhook needs `listen.public`",
            "tidings.toml:6:11: channels.bot.updates: a webhook needs `listen.public_url`",
        ]
    );
    let plain = "public = '0.0.0.0:80'\npublic_url = 'http://a.example/'";
    assert_eq!(
        load(&main(plain, secret)).unwrap_err(),
        ["tidings.toml:7:11: channels.bot.updates: a webhook needs a `listen.public_url` that \
          begins with `https://`"]
    );
}

#[test]
fn sec_w01_a_webhook_secret_that_could_be_guessed_is_refused() {
    let text = "[listen]\npublic = '0.0.0.0:80'\npublic_url = 'https://a.example/'\n\
                [channels.bot]\nkind = 'telegram'\ntoken = { env = 'T' }\nupdates = 'webhook'\n\
                webhook_secret = { env = 'S' }\n";
    let folder = Folder::new(&[("tidings.toml", text)]);
    let cases = [
        ("0123456789abcdefABCDEF_-01234567", true),
        ("0123456789abcdefABCDEF_-0123456", false),
        ("0123456789abcdefABCDEF_-01234567:", false),
    ];
    for (secret, is_good) in cases {
        let env = |name: &str| match name {
            "T" => Some("5123:token".to_owned()),
            "S" => Some(secret.to_owned()),
            _ => environment(name),
        };
        let told = load(&folder.path("tidings.toml"), &env, &mut built_in, &Unruled)
            .err()
            .unwrap_or_default();
        let expected = "tidings.toml:8:18: channels.bot.webhook_secret: must have 32 to 256 of \
                        `A-Z`, `a-z`, `0-9`, `_` and `-`\n  hint: make one with `openssl rand \
                        -hex 32`";
        let expected: &[&str] = if is_good { &[] } else { &[expected] };
        assert_eq!(folder.told(&told), expected, "{}", secret.len());
    }
}

#[test]
fn sec_w03_a_messenger_channel_without_an_app_secret_is_refused() {
    let text = "[channels.page]\nkind = 'messenger'\npage_id = '1'\n\
                page_token = { env = 'PAGE_TOKEN' }\nverify_token = { env = 'PAGE_TOKEN' }\n";
    let told = Folder::new(&[("tidings.toml", text)]).load().unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("tidings.toml:1:11: channels.page.app_secret: is needed"));
}

#[test]
fn what_is_sent_at_most_is_checked_with_its_place() {
    let channel = "[channels.bot]\nkind = 'telegram'\ntoken = { env = 'NEWSBOT_TOKEN' }\n";
    let page = "[channels.page]\nkind = 'messenger'\npage_id = '1'\npage_token = { env = \
                'PAGE_TOKEN' }\napp_secret = { env = 'PAGE_TOKEN' }\nverify_token = { env = \
                'PAGE_TOKEN' }\n";
    let bot = |keys: &str| format!("{channel}{keys}\n");
    let cases = [
        (
            bot("paid_broadcast = { per = 'day' }"),
            "4:26: channels.bot.paid_broadcast.stars_max: is needed\n  hint: the most Stars that \
             may be spent: a message costs 0.1 Star",
        ),
        (
            bot("paid_broadcast = { stars_max = 5, per = 'week' }"),
            "4:41: channels.bot.paid_broadcast.per: must be one of `day`, `post`, got `week`",
        ),
        (
            bot("paid_broadcast = { stars_max = -5 }"),
            "4:32: channels.bot.paid_broadcast.stars_max: must be at least 0, got -5",
        ),
        (
            bot("paid_broadcast = { stars_max = 5, rate = 20 }"),
            "4:42: channels.bot.paid_broadcast.rate: must be more than the free rate, which is 30, \
             got 20",
        ),
        (
            format!("{page}paid_broadcast = {{ stars_max = 5 }}\n"),
            "7:32: channels.page.paid_broadcast: does not belong to a channel of kind `messenger`",
        ),
        ("daily_max = 900\n".to_owned(), "1:13: daily_max: must be at most 200, got 900"),
        (
            "daily_max = 3\ncarry_at = 'nine'\n".to_owned(),
            "2:12: carry_at: must be a time of the day, got `nine`\n  hint: for example `09:00`",
        ),
        (
            "daily_max = 3\nquiet = '22:00-10:00'\n".to_owned(),
            "2:9: carry_at: falls into the quiet hours\n  hint: name an hour at which people may be \
             written to",
        ),
    ];
    for (text, expected) in cases {
        let told = Folder::new(&[("tidings.toml", &text)]).load().unwrap_err();
        assert_eq!(told, [format!("tidings.toml:{expected}")], "{text}");
    }
    let warned = |text: &str| {
        let loaded = Folder::new(&[("tidings.toml", text)]).load().unwrap();
        loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(warned(&bot("rate = 40")).contains("4:8: channels.bot.rate: Telegram grants a bot"));
    assert!(warned(&format!("{page}rate = 40\n")).contains("Meta brakes a page"));
    assert!(warned("carry_at = '08:00'\n").contains("does nothing without `daily_max`"));
    let folder = Folder::new(&[("tidings.toml", &bot("paid_broadcast = { stars_max = 5 }"))]);
    let channel = folder.load().unwrap().config.channels.remove(0);
    assert_eq!(channel.paid.map(|paid| paid.budget.tenths_max), Some(50));
}

#[test]
fn sec_c02_an_unclosed_include_does_not_tell_what_follows_as_files() {
    let text = "include = ['feeds.d/blog.toml'\n[channels.bot]\ntoken = 'canary'\n";
    let (_folder, loaded) = load_texts(text, "sources = 1\n");
    let told = loaded.unwrap_err().concat();
    assert!(!told.contains("canary") && !told.contains("blog.toml"), "{told}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let folder = Folder::new(&[("tidings.toml", "include = ['gone.toml']\n")]);
    assert_eq!(
        folder.load().unwrap_err(),
        ["gone.toml:1:1: cannot be read: there is no such file"]
    );
    let folder = Folder::new(&[]);
    assert_eq!(
        folder.load().unwrap_err(),
        ["tidings.toml:1:1: cannot be read: there is no such file"]
    );
}

proptest! {
    #[test]
    fn sec_c04_damaged_settings_are_told_without_panic_and_without_a_secret(
        cuts in prop::collection::vec((0.0f64..1.0, 0usize..12, "[a-z=\\[\\]{}'\"\n#.0-9]{0,3}"), 1..6),
    ) {
        let mut main = with_shown_keys(MAIN).replace("{ env = \"PAGE_TOKEN\" }", "\"canary\"");
        for (part, length, insert) in cuts {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss,
                clippy::cast_sign_loss, reason = "any place will do")]
            let start = main.floor_char_boundary((main.len() as f64 * part) as usize);
            let end = main.floor_char_boundary(start + length);
            main.replace_range(start..end, &insert);
        }
        let (_folder, loaded) = load_texts(&main, FEEDS);
        let told = match loaded {
            Ok(loaded) => format!("{loaded:?}"),
            Err(told) => told.concat(),
        };
        prop_assert!(!told.contains("canary"), "{}", told);
    }
}

#[test]
fn sec_a08_proxies_are_networks_and_never_everybody() {
    let listen = |proxies: &str| {
        let text = format!("[listen]\ntrusted_proxies = {proxies}\n");
        let folder = Folder::new(&[("tidings.toml", &text)]);
        let data = "data_dir = 'd'\n";
        std::fs::write(folder.path("tidings.toml"), format!("{data}{text}")).unwrap();
        folder.load().map(|loaded| loaded.config.listen.trusted_proxies)
    };
    let networks = listen("['127.0.0.1', '10.1.2.3/8', 'fd00::/8']").unwrap();
    let shown: Vec<String> = networks.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]);
    assert_eq!(
        listen("['0.0.0.0/0', 'proxy']").unwrap_err(),
        [
            "tidings.toml:3:20: listen.trusted_proxies: would believe everybody\n  hint: name the \
             networks of your proxies, for example `127.0.0.1` and `::1`",
            "tidings.toml:3:33: listen.trusted_proxies: must be a network, got `proxy`\n  hint: \
             for example `10.0.0.0/8` or `fd00::/8`",
        ]
    );
}

#[test]
fn the_socket_is_found_whatever_else_is_wrong() {
    let found = |text: &str| {
        let folder = Folder::new(&[("tidings.toml", text)]);
        let path = admin_socket(&folder.path("tidings.toml"), &environment)?;
        Some(path.strip_prefix(folder.0.path()).unwrap_or(&path).display().to_string())
    };
    for (text, expected) in [
        ("", Some("/run/tidings/admin.sock")),
        ("data_dir = 'd'\n[listen]\nadmin = 'unix:a.sock'\n", Some("a.sock")),
        ("nonsense = 1\n[channels.a]\n[listen]\nadmin = 'unix:/x/a'\npublic = 7\n", Some("/x/a")),
        ("[listen]\nadmin = 'unix:/x/a'\n[sources.a\nurl =\n[sources.b]\n", Some("/x/a")),
        ("x = [1\n[listen]\nadmin = 'tcp:1'\n", Some("/run/tidings/admin.sock")),
        ("[listen]\nadmin = 'tcp:1'\n", None),
        ("[listen]\nadmin = 5\n", Some("/run/tidings/admin.sock")),
    ] {
        assert_eq!(found(text).as_deref(), expected, "{text}");
    }
    let nowhere = Folder::new(&[("tidings.toml", "[sources.a]\n")]);
    assert_eq!(admin_socket(&nowhere.path("tidings.toml"), &|_| None), None);
    assert_eq!(admin_socket(&nowhere.path("gone.toml"), &environment), None);
}

#[test]
fn one_bot_is_one_channel_and_its_token_looks_like_one() {
    let bot = |name: &str, token: &str, more: &str| {
        format!("[channels.{name}]\nkind = 'telegram'\ntoken = {{ env = '{token}' }}\n{more}")
    };
    let page = |name: &str, id: &str| {
        format!(
            "[channels.{name}]\nkind = 'messenger'\npage_id = '{id}'\npage_token = {{ env = \
             'PAGE_TOKEN' }}\napp_secret = {{ env = 'PAGE_TOKEN' }}\nverify_token = {{ env = \
             'PAGE_TOKEN' }}\n"
        )
    };
    let env = |name: &str| match name {
        "ODD" => Some("canary".to_owned()),
        "SLASH" => Some("1:canary/x".to_owned()),
        _ => environment(name),
    };
    let told = |text: String, secrets: Secrets| {
        let folder = Folder::new(&[("tidings.toml", &text)]);
        let path = folder.path("tidings.toml");
        let problems = load_with(&path, &env, &mut built_in, &Unruled, secrets).err();
        folder.told(&problems.unwrap_or_default())
    };
    let twins = bot("a", "NEWSBOT_TOKEN", "") + &bot("b", "NEWSBOT_TOKEN", "");
    assert_eq!(
        told(twins.clone(), Secrets::Needed),
        [
            "tidings.toml:6:9: channels.b.token: is that of `channels.a` already\n  hint: one bot is \
          one channel: topics part its people"
        ]
    );
    // Of secrets that nobody reads nobody knows.
    assert_eq!(told(twins, Secrets::LeftAlone), [""; 0]);
    assert_eq!(
        told(bot("a", "NEWSBOT_TOKEN", "") + &bot("b", "OTHERBOT_TOKEN", ""), Secrets::Needed),
        [""; 0]
    );
    let pages = told(page("a", "1") + &page("b", "2") + &page("c", "1"), Secrets::LeftAlone);
    assert_eq!(
        pages,
        ["tidings.toml:15:11: channels.c.page_id: is that of `channels.a` already\n  hint: one \
          page is one channel: topics part its people"]
    );
    let own = "api = 'https://bots.example.com'\n";
    for (token, more, is_good) in [
        ("ODD", "", false),
        // A server of one's own may give out others.
        ("ODD", own, true),
        ("SLASH", own, false),
        ("OTHERBOT_TOKEN", "", true),
    ] {
        let all = told(bot("a", token, more), Secrets::Needed);
        assert_eq!(all.is_empty(), is_good, "{token}: {all:?}");
        let expected = "tidings.toml:3:9: channels.a.token: is no token of a bot\n";
        assert!(all.iter().all(|it| it.starts_with(expected)), "{all:?}");
    }
}

#[test]
fn a_key_that_is_wrong_is_not_told_to_be_missing() {
    let text = "[channels.page]\nkind = 'messenger'\npage_id = 1234567890\npage_token = { env = \
                'PAGE_TOKEN' }\napp_secret = { env = 'PAGE_TOKEN' }\nverify_token = { env = \
                'PAGE_TOKEN' }\n[sources.a]\nurl = 'https://example.com/'\ncron = '0 9 * *'\n";
    let told = Folder::new(&[("tidings.toml", text)]).load().unwrap_err();
    assert_eq!(
        told,
        [
            "tidings.toml:3:11: channels.page.page_id: must be a string, got a whole number",
            "tidings.toml:9:8: sources.a.cron: a cron line has 5, 6 or 7 fields, this one has 4\n  \
             hint: for example `30 9 * * *`: minute, hour, day of the month, month, weekday",
        ]
    );
}
