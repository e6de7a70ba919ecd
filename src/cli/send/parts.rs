//! What a post written by hand says, and the chats that it goes to.

use std::io::Read;

use crate::admin::desk::Ask;
use crate::cli::send::Args;
use crate::cli::{EX_IOERR, Failure, reach};
use crate::daemon::Setup;
use crate::model::audience::FixedChat;
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::one_off::{Says, Written, web_address};
use crate::model::rich::RichText;
use crate::runtime::clock::Clock;

/// Most kept items among which one is looked for.
const LOOKED_AT_MAX: usize = 1_000;

/// Most bytes of HTML that are read.
const HTML_BYTES_MAX: u64 = 1 << 20;

/// The title, and what is said.
pub(super) async fn says(args: &Args, setup: &Setup) -> Result<(String, Says), Failure> {
    if let Some(layout) = &args.layout {
        if !setup.layouts.has(layout) {
            let known: Vec<String> =
                setup.layouts.names().iter().map(ToString::to_string).collect();
            let hint = format!("layouts: {}", known.join(", "));
            return Err(Failure::new(2, format!("no layout `{layout}`\n  hint: {hint}")));
        }
        if !args.items.is_empty() {
            let items = items(args).await?;
            let first = items.first().map_or("", |item| item.title.as_str()).to_owned();
            let title = args.title.clone().unwrap_or(first);
            return Ok((title, Says::Items { layout: layout.clone(), items }));
        }
    }
    let words = match (&args.text, html(args)?) {
        (Some(text), _) => RichText::from_plain(text),
        (None, Some(html)) => crate::render::words(&html),
        (None, None) => RichText::default(),
    };
    let wrong = |error: String| Failure::new(2, error);
    if args.layout.is_some() && args.title.is_none() {
        return Err(wrong(
            "a layout sets a title: say it with `--title`, or name items with `--item`".into(),
        ));
    }
    if words.is_empty() && args.layout.is_none() {
        return Err(wrong("there are no words to send".into()));
    }
    let address = |url: &Option<String>| url.as_deref().map(web_address).transpose();
    let written = Written {
        title: args.title.clone(),
        words,
        image: address(&args.image).map_err(wrong)?,
        link: address(&args.link).map_err(wrong)?,
        buttons: args.buttons.clone(),
        layout: args.layout.clone(),
    };
    let source = args.layout.clone().or_else(|| Name::parse("by-hand").ok());
    let source = source.ok_or_else(|| wrong("no name".into()))?;
    Ok(written.says(&source, Clock::system().now()))
}

fn html(args: &Args) -> Result<Option<String>, Failure> {
    let Some(file) = &args.html_file else { return Ok(args.html.clone()) };
    let mut text = String::new();
    let read = match file.as_str() {
        "-" => std::io::stdin().take(HTML_BYTES_MAX).read_to_string(&mut text),
        path => std::fs::File::open(path)
            .and_then(|file| file.take(HTML_BYTES_MAX).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::new(EX_IOERR, format!("`{file}` can't be read: {error}")))?;
    Ok(Some(text))
}

/// The kept items that are named.
async fn items(args: &Args) -> Result<Vec<Item>, Failure> {
    let ask = Ask::Items { ids: vec![], sources: vec![], limit: LOOKED_AT_MAX };
    let mut answered = reach::ask(&args.settings, ask).await?;
    let kept: Vec<Item> = serde_json::from_value(answered.value["items"].take())
        .map_err(|error| Failure::new(1, format!("the items can't be read: {error}")))?;
    let mut items = Vec::with_capacity(args.items.len());
    for wanted in &args.items {
        let is_it = |item: &&Item| {
            item.id.to_string() == *wanted
                || item.guid == *wanted
                || item.link.as_deref() == Some(wanted)
        };
        let item = kept.iter().find(is_it).ok_or_else(|| {
            let hint = "`tidings preview CAMPAIGN --json` shows the newest with their ids";
            Failure::new(1, format!("no kept item `{wanted}`\n  hint: {hint}"))
        })?;
        items.push(item.clone());
    }
    Ok(items)
}

/// The channels that it goes to.
pub(super) fn channels(args: &Args, setup: &Setup) -> Vec<Name> {
    match args.channels.is_empty() {
        true => setup.config.channels.iter().map(|one| one.name.clone()).collect(),
        false => args.channels.clone(),
    }
}

/// The chats that are named, each with its channel.
pub(super) fn chats(
    texts: &[String],
    channels: &[Name],
    setup: &Setup,
) -> Result<Vec<FixedChat>, Failure> {
    let configured = setup.config.channels.iter();
    let telegram: Vec<&Name> = configured
        .filter(|one| one.kind() == ChannelKind::Telegram && channels.contains(&one.name))
        .map(|one| &one.name)
        .collect();
    texts.iter().map(|text| chat(text, &telegram)).collect()
}

fn chat(text: &str, telegram: &[&Name]) -> Result<FixedChat, Failure> {
    let wrong =
        |why: &str, hint: &str| Failure::new(2, format!("`--chat {text}`: {why}\n  hint: {hint}"));
    let named = text.split_once('/').and_then(|(channel, address)| {
        let channel = telegram.iter().find(|known| known.as_str() == channel)?;
        Some(((*channel).clone(), address))
    });
    let (channel, address) = match (named, telegram) {
        (Some(named), _) => named,
        (None, [only]) => ((*only).clone(), text),
        (None, []) => return Err(wrong("a chat needs a Telegram channel", "see `--channel`")),
        (None, [first, ..]) => {
            let hint = format!("for example `--chat {first}/{text}`");
            return Err(wrong("say by which channel", &hint));
        }
    };
    let (chat, thread) = match address.split_once('/') {
        Some((chat, thread)) => (chat, Some(thread)),
        None => (address, None),
    };
    let is_name = chat.strip_prefix('@').is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let is_number = chat.parse::<i64>().is_ok_and(|id| id != 0) && !chat.starts_with('+');
    let is_thread = thread.is_none_or(|thread| thread.parse::<u32>().is_ok_and(|id| id > 0));
    if !(is_name || is_number) || !is_thread {
        let hint = "write `@name` or a number such as -1001234567890, with `/5` for a topic";
        return Err(wrong("it is no chat", hint));
    }
    Ok(FixedChat { channel, address: address.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_a_name_or_a_number_with_its_channel() {
        let (bot, other) = (Name::parse("bot").unwrap(), Name::parse("other").unwrap());
        let read = |text: &str, telegram: &[&Name]| chat(text, telegram).map(|it| it.to_string());
        for (text, told) in
            [("@news", "bot/@news"), ("-1001/5", "bot/-1001/5"), ("bot/-1001/5", "bot/-1001/5")]
        {
            assert_eq!(read(text, &[&bot]).unwrap(), told);
        }
        assert_eq!(read("other/@news", &[&bot, &other]).unwrap(), "other/@news");
        assert!(read("@news", &[&bot, &other]).unwrap_err().words.contains("by which channel"));
        assert!(read("@news", &[]).unwrap_err().words.contains("needs a Telegram channel"));
        for wrong in ["", "news", "@", "0", "-1/0", "-1/x", "@a b"] {
            assert!(read(wrong, &[&bot]).unwrap_err().words.contains("no chat"), "{wrong}");
        }
    }
}
