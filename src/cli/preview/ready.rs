//! Posts written by hand, and what people are told by itself: what needs no items to be shown.

use serde_json::{Value, json};

use crate::admin::desk::Ask;
use crate::admin::scheduled::Which;
use crate::cli::preview::{Args, kinds_of};
use crate::cli::{Failure, reach};
use crate::daemon::{Automatic, Setup};
use crate::model::name::Name;
use crate::model::one_off::Says;
use crate::preview::Shown;
use crate::render::{Person, Scene, Stage};
use crate::runtime::clock::Clock;

/// Something that is ready to be shown.
pub(super) struct Ready {
    pub name: String,
    /// What it is, in words.
    pub about: String,
    pub layout: Option<Name>,
    pub shown: Vec<Shown>,
}

impl Ready {
    pub(super) fn to_json(&self, args: &Args) -> Value {
        json!({
            "name": self.name,
            "layout": self.layout,
            "language": args.language,
            "title": self.about,
            "shown": self.shown.iter().map(Shown::to_json).collect::<Vec<_>>(),
        })
    }
}

/// What `--post` names, or the name does where no campaign and no other layout has it.
pub(super) async fn find(
    args: &Args,
    setup: &Setup,
    reader: &Person,
) -> Result<Option<Ready>, Failure> {
    if let Some(post) = &args.post {
        return by_hand(args, setup, post, reader).await.map(Some);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let Some(word) = Automatic::parse(name) else { return Ok(None) };
    let is_campaign = setup.config.campaigns.iter().any(|one| one.name.as_str() == name);
    let layout = word.layout(setup);
    // A layout of the same name is meant by itself, unless it is the one that sets the words.
    let is_own = layout.is_some_and(|layout| layout.as_str() == name);
    let is_layout = Name::parse(name).is_ok_and(|name| setup.layouts.has(&name));
    if is_campaign || is_layout && !is_own {
        return Ok(None);
    }
    let now = Clock::system().now();
    let mut shown = Vec::new();
    let channels: Vec<Name> = setup.config.channels.iter().map(|one| one.name.clone()).collect();
    let own = (!channels.is_empty()).then_some(&channels[..]);
    for kind in kinds_of(setup, own, args.channel.as_deref())? {
        if let Some(message) = word.said(setup, reader, kind, now) {
            shown.push(Shown::of(kind, &message, &[]));
        }
    }
    if shown.is_empty() {
        let hint = "`[messages.reminder]` with `every = \"90 days\"` reminds people";
        return Err(Failure::new(1, format!("nobody is told a {name}\n  hint: {hint}")));
    }
    Ok(Some(Ready {
        name: name.to_owned(),
        about: format!("the {}, as people are told it", name.replace('-', " ")),
        layout: layout.cloned(),
        shown,
    }))
}

/// A file's post by its name, or one that waits for its time by its draft.
async fn by_hand(
    args: &Args,
    setup: &Setup,
    post: &str,
    reader: &Person,
) -> Result<Ready, Failure> {
    let name = post.strip_suffix(".toml").unwrap_or(post);
    let file = setup.config.posts.iter().find(|file| file.name.as_str() == name);
    let (title, says, channels) = match (file, Which::parse(post)) {
        (Some(file), _) => {
            let channels = file.post.whom.channels.clone();
            (file.post.title.clone(), file.post.says.clone(), channels)
        }
        (None, Ok(Which::Draft(_) | Which::Either(_))) => waiting(args, post).await?,
        (None, _) => {
            let names: Vec<&str> =
                setup.config.posts.iter().map(|file| file.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let hint = format!("files: {names}; `tidings posts list` has the drafts, such as d7");
            return Err(Failure::new(1, format!("no post `{post}`\n  hint: {hint}")));
        }
    };
    let kinds = kinds_of(setup, Some(&channels), args.channel.as_deref())?;
    let (layout, items) = match &says {
        Says::Message(_) => (None, &[][..]),
        Says::Items { layout, items } => (Some(layout.clone()), &items[..]),
    };
    let mut shown = Vec::new();
    for kind in kinds {
        let message = match &says {
            Says::Message(message) => message.clone(),
            Says::Items { layout, items } => {
                let now = Clock::system().now();
                let scene = Scene { campaign: layout, told: &[], now };
                let stage = Stage::new(&items.as_slice().into(), &scene);
                let language = reader.language.as_deref();
                let set = setup.layouts.render_on(&stage, layout, kind, language, Some(reader));
                set.map_err(|error| Failure::new(1, error))?
            }
        };
        shown.push(Shown::of(kind, &message, items));
    }
    let about = format!("written by hand: {title}");
    Ok(Ready { name: post.to_owned(), about, layout, shown })
}

/// Title, words and channels of what waits.
async fn waiting(args: &Args, post: &str) -> Result<(String, Says, Vec<Name>), Failure> {
    let which = Which::parse(post).map_err(|error| Failure::new(1, error))?;
    let mut answered = reach::ask(&args.settings, Ask::Show { which }).await?;
    let row = &mut answered.value["scheduled"];
    if !row.is_object() {
        let why = format!("post {post} was made already: `tidings posts show {post}` tells of it");
        return Err(Failure::new(1, why));
    }
    let unread = |error| Failure::new(1, format!("the post can't be read: {error}"));
    let says = serde_json::from_value(row["says"].take()).map_err(unread)?;
    let channels = serde_json::from_value(row["channels"].take()).map_err(unread)?;
    Ok((row["title"].as_str().unwrap_or_default().to_owned(), says, channels))
}
