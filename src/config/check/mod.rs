//! Turns raw settings into checked ones: defaults, bounds, names that must be known, secrets.
//!
//! Every check goes on after a problem with the default, or without the thing in question, so that
//! all problems are found; what comes out is used only when there was none.

pub(crate) mod around;

pub(crate) mod value;

mod watches;

pub(crate) mod fetch;

pub(crate) mod channels;

pub(crate) mod paid;

pub(crate) mod sources;

pub(crate) mod asking;

pub(crate) mod catalogs;

pub(crate) mod pages;

pub(crate) mod priority;

pub(crate) mod stages;

pub(crate) mod timing;

pub(crate) mod texts;

pub(crate) mod messages;

pub(crate) mod reach;

pub(crate) mod campaigns;

pub(crate) mod caps;

pub(crate) mod posts;

pub(crate) mod steps;

pub(crate) mod lanes;

pub(crate) mod invites;

pub(crate) mod profile;

pub(crate) mod forms;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::config::check::around::{Known, Surroundings};
use crate::config::check::posts::PostFile;
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawFile, RawListen};
use crate::config::table::{At, Entry, Named};
use crate::config::{Config, Listen};
use crate::model::channel::ChannelKind;
use crate::model::name::Name;

/// Where something that the sysadmin's file lacks is told.
const START: Place = Place { file: 0, offset: 0 };
/// The folder of the layouts, beside the sysadmin's file.
const LAYOUTS: &str = "layouts";
/// Grace when stopping: default and longest.
const GRACE: Duration = Duration::from_secs(20);
const GRACE_MAX: Duration = Duration::from_secs(60);
/// Longest path of a Unix socket on Linux: `sun_path` has 108 bytes with the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Checks the sysadmin's file, the included ones and the files of posts together.
pub(crate) fn check(
    mut main: RawFile,
    mut included: Vec<RawFile>,
    posts: &[PostFile],
    around: &Surroundings<'_>,
    layouts: &mut dyn FnMut(&Path) -> Option<BTreeSet<Name>>,
    found: &mut Findings,
) -> Config {
    let mut files: Vec<&mut RawFile> =
        std::iter::once(&mut main).chain(included.iter_mut()).collect();
    let (raw_sources, sources) = joined(&mut files, "sources", |file| &mut file.sources, found);
    let (raw_topics, topics) = joined(&mut files, "topics", |file| &mut file.topics, found);
    let (raw_campaigns, _) = joined(&mut files, "campaigns", |file| &mut file.campaigns, found);
    let (raw_profile, profile) = joined(&mut files, "profile", |file| &mut file.profile, found);
    let (raw_pages, _) = joined(&mut files, "pages", |file| &mut file.pages, found);
    let (raw_forms, _) = joined(&mut files, "forms", |file| &mut file.forms, found);
    let (raw_channels, channels) = joined(&mut files, "channels", |file| &mut file.channels, found);
    let raw_messages: Vec<_> = files.iter_mut().filter_map(|file| file.messages.take()).collect();

    let data_dir = data_dir(main.data_dir.as_ref(), around.folder, around.env, found);
    let listen = listen(main.listen.as_ref(), &data_dir, around, found);
    let fetch = fetch::fetch(main.fetch.as_ref(), around, found);
    let grace = main.delivery.as_ref().and_then(|delivery| delivery.grace.as_ref());
    let grace = value::span(grace, "delivery.grace", Duration::ZERO..=GRACE_MAX, GRACE, found);
    let folder = main.layouts.as_ref().map_or(LAYOUTS, |path| path.value.as_str());
    let folder = around.folder.join(folder);
    let layouts = layouts(&folder);
    let telegram = raw_channels.iter().filter(|entry| {
        entry.value.kind.as_ref().is_some_and(|kind| kind.value == ChannelKind::Telegram.as_str())
    });
    let telegram: Vec<Name> = telegram.map(|entry| entry.name.clone()).collect();
    let known = campaigns::References { sources, topics, channels, profile, telegram, layouts };
    let names = reach::Around {
        topics: &known.topics,
        channels: &known.channels,
        profile: &known.profile,
        telegram: known.telegram.clone(),
    };
    let reviewers = main.reviewers.as_ref();
    reach::reviewers(reviewers, &names, around, found);
    let clock = timing::clock(&main, found);
    let messages = messages::messages(&raw_messages, &known, around, found);

    let mut config = Config {
        data_dir,
        layouts: folder,
        days: clock.days(),
        caps: caps::caps(&main, &raw_campaigns, &clock, found),
        channels: channels::channels(&raw_channels, &listen, around, found),
        sources: sources::sources(&raw_sources, &raw_channels, &fetch, around, found),
        archives: texts::archives(&raw_topics, &listen, around, found),
        topics: texts::topics(&raw_topics, found),
        profile: profile::fields(&raw_profile, found),
        campaigns: campaigns::campaigns(&raw_campaigns, &known, &clock, reviewers, around, found),
        posts: posts::posts(posts, &known, &clock, around, found),
        pages: invites::pages(&raw_pages, &known, &listen, &fetch, around, found),
        forms: forms::forms(&raw_forms, &known, &listen, around, found),
        listen,
        fetch,
        grace,
        messages,
    };
    let (sources, campaigns) = (&mut config.sources, &mut config.campaigns);
    steps::apply(&raw_sources, &raw_campaigns, sources, campaigns, found);
    watches::apply(&raw_campaigns, &mut config.sources, &config.campaigns, found);
    if around.is_complete {
        lanes::compare(&raw_campaigns, &config, found);
    }
    if around.is_complete && config.campaigns.is_empty() && !config.sources.is_empty() {
        found.warning(START, "campaigns", "there is none: nothing of the sources is sent");
    }
    config
}

/// The entries of all files; a name that is there already is told with both places and left out.
fn joined<T>(
    files: &mut [&mut RawFile],
    key: &str,
    take: impl Fn(&mut RawFile) -> &mut Option<Named<T>>,
    found: &mut Findings,
) -> (Vec<Entry<T>>, Known) {
    let mut known = Known::default();
    let mut entries = Vec::new();
    for entry in files.iter_mut().filter_map(|file| take(file).take()).flat_map(|named| named.0) {
        if let Some(first) = known.places.get(&entry.name) {
            let key = format!("{key}.{}", entry.name);
            found.problem(entry.at, &key, "is defined already").other(*first);
            continue;
        }
        known.places.insert(entry.name.clone(), entry.at);
        known.names.push(entry.name.clone());
        entries.push(entry);
    }
    (entries, known)
}

/// Where the store is kept.
pub(crate) fn data_dir(
    raw: Option<&At<String>>,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    found: &mut Findings,
) -> PathBuf {
    if let Some(path) = raw {
        if path.value.is_empty() {
            found.problem(path.at, "data_dir", "must not be empty");
        }
        return folder.join(&path.value);
    }
    if let Some(path) = folder_from(env, "STATE_DIRECTORY") {
        return path;
    }
    if let Some(path) = folder_from(env, "XDG_DATA_HOME") {
        return path.join("tidings");
    }
    if let Some(path) = folder_from(env, "HOME") {
        return path.join(".local/share/tidings");
    }
    let text = "is needed here: there is no `$STATE_DIRECTORY`, `$XDG_DATA_HOME` or `$HOME`";
    found.problem(START, "data_dir", text);
    PathBuf::new()
}

/// An absolute folder from a variable; of several, as systemd may give them, the first.
fn folder_from(env: &dyn Fn(&str) -> Option<String>, variable: &str) -> Option<PathBuf> {
    let value = env(variable)?;
    let first = PathBuf::from(value.split(':').next()?);
    first.is_absolute().then_some(first)
}

fn listen(
    raw: Option<&RawListen>,
    data_dir: &Path,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Listen {
    let public = raw.and_then(|raw| raw.public.as_ref()).and_then(|public| {
        if !value::is_host_and_port(&public.value) {
            let hint = "for example `0.0.0.0:8080`, `[::]:8080` or `localhost:8080`";
            found.problem(public.at, "listen.public", "must be a host and a port").hint(hint);
            return None;
        }
        Some(public.value.clone())
    });
    let public_url = raw
        .and_then(|raw| raw.public_url.as_ref())
        .and_then(|url| value::base_url(url, "listen.public_url", found));
    let admin = admin(raw, data_dir, around.folder, around.env, found);
    let frames = raw.and_then(|raw| raw.frame_ancestors.as_deref()).unwrap_or_default();
    let frame_ancestors = invites::frame_ancestors(frames, found);
    let trusted_proxies = trusted_proxies(raw, found);
    let editor = raw.and_then(|raw| raw.editor.as_ref());
    let editor = editor.and_then(|raw| forms::editor(raw, found));
    Listen { public, public_url, admin, frame_ancestors, trusted_proxies, editor }
}

/// Where the daemon listens for commands.
pub(crate) fn admin(
    raw: Option<&RawListen>,
    data_dir: &Path,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    found: &mut Findings,
) -> PathBuf {
    let default = folder_from(env, "RUNTIME_DIRECTORY")
        .unwrap_or_else(|| data_dir.to_owned())
        .join("admin.sock");
    let raw_admin = raw.and_then(|raw| raw.admin.as_ref());
    let admin = match raw_admin.map(|admin| (admin, admin.value.strip_prefix("unix:"))) {
        None => default,
        Some((_, Some(path))) if !path.is_empty() => folder.join(path),
        Some((admin, _)) => {
            let hint = "for example `unix:/run/tidings/admin.sock`";
            found.problem(admin.at, "listen.admin", "must be `unix:` and a path").hint(hint);
            default
        }
    };
    let bytes = admin.as_os_str().len();
    if bytes > SOCKET_PATH_BYTES_MAX {
        let at = raw_admin.map_or(START, |admin| admin.at);
        let text = format!(
            "a socket's path has at most {SOCKET_PATH_BYTES_MAX} bytes, `{}` has {bytes}",
            admin.display()
        );
        found.problem(at, "listen.admin", text).hint("name a shorter path here");
    }
    admin
}

fn trusted_proxies(raw: Option<&RawListen>, found: &mut Findings) -> Vec<IpNet> {
    const KEY: &str = "listen.trusted_proxies";
    let raw = raw.and_then(|raw| raw.trusted_proxies.as_deref()).unwrap_or_default();
    for network in raw.iter().filter(|network| network.value.ends_with("/0")) {
        found
            .problem(network.at, KEY, "would believe everybody")
            .hint("name the networks of your proxies, for example `127.0.0.1` and `::1`");
    }
    fetch::networks(raw, KEY, found)
}
