//! What editors say by themselves, set in a layout of theirs.

use std::sync::Arc;

use crate::model::channel::ChannelKind;
use crate::model::message::{Message, Module};
use crate::model::name::Name;
use crate::model::one_off::Written;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::render::{Layouts, Person, Scene, Stage};

/// Who is told, by what kind of channel, and when.
pub struct Reader<'a> {
    pub person: &'a Subscriber,
    pub kind: ChannelKind,
    pub now: Timestamp,
}

/// The words of a message as `item.body` of the layout's one item, and its buttons below the
/// layout's last text. Where the layout fails, or shows no text to put them below, the words stand
/// as they were.
pub fn set(layouts: &Layouts, layout: &Name, plain: Message, to: &Reader<'_>) -> Message {
    let [Module::Text { text, buttons }] = plain.modules.as_slice() else { return plain };
    let item = Written { title: Some(String::new()), words: text.clone(), ..Written::default() };
    let scene = Scene { campaign: layout, told: &[], now: to.now };
    let stage = Stage::new(&Arc::from([item.into_item(layout, to.now)]), &scene);
    let language = to.person.language.as_deref();
    let person = person(to.person);
    let mut message = match layouts.render_on(&stage, layout, to.kind, language, Some(&person)) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(
                layout.id = %layout, %error,
                "the layout failed on a message of yours: its words were sent as they are"
            );
            return plain;
        }
    };
    match message.last_buttons() {
        Some(last) => last.extend(buttons.iter().cloned()),
        None if buttons.is_empty() => {}
        None => message.modules.extend(plain.modules),
    }
    message
}

fn person(known: &Subscriber) -> Person {
    let told = known.choices.iter().flat_map(|choices| &choices.profile);
    Person {
        language: known.language.clone(),
        first_name: known.first_name.clone(),
        timezone: known.timezone.as_ref().map(|zone| zone.as_str().to_owned()),
        profile: told.map(|(field, told)| (field.to_string(), told.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::replies::say_with;
    use crate::model::message::{Action, Button};

    #[test]
    fn the_words_stand_in_the_layout_and_the_buttons_below_them() {
        let files = [
            (
                "hello.html",
                "<img src=\"https://e.example/a.png\"><p>{{ subscriber.first_name or \"you\" }}:</p>{{ item.body }}",
            ),
            ("picture.html", "<img src=\"https://e.example/a.png\">"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let layouts = Layouts::compile(files.to_vec()).unwrap();
        let ann = Subscriber {
            first_name: Some("Ann".into()),
            ..crate::converse::privacy::tests::person()
        };
        let reader =
            Reader { person: &ann, kind: ChannelKind::Telegram, now: Timestamp::from_millis(0) };
        let button = Button::new("Stop", Action::Postback { payload: "1:stop".into() });
        let plain = say_with("Welcome.", vec![button.clone()]).message;
        for (layout, texts, media) in
            [("hello", &["Ann:\nWelcome."][..], 1), ("picture", &["Welcome."], 1)]
        {
            let layout = Name::parse(layout).unwrap();
            let message = set(&layouts, &layout, plain.clone(), &reader);
            let mut said = Vec::new();
            for module in &message.modules {
                if let Module::Text { text, buttons } = module {
                    said.push(text.plain());
                    assert_eq!(*buttons, std::slice::from_ref(&button), "{layout}");
                }
            }
            assert_eq!(said, texts, "{layout}");
            assert_eq!(message.modules.len(), texts.len() + media, "{layout}");
        }
        let gone = set(&layouts, &Name::parse("gone").unwrap(), plain.clone(), &reader);
        assert_eq!(gone, plain);
    }
}
