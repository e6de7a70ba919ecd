//! What media are called, where only words are left of them.

use crate::deliver::media::{Desk, ENTRIES_KEPT};
use crate::model::message::{Medium, Message, Module};
use crate::model::post::Post;

impl Desk {
    /// Remembers what the media of a post are called.
    pub fn read_words(&mut self, post: &Post) {
        if self.words.len() > ENTRIES_KEPT {
            self.words.clear();
        }
        let kind = self.kitchen.channel.kind();
        for body in post.bodies.iter().filter(|body| body.kind == kind) {
            for medium in media_of(&body.message) {
                let words = words_of(medium);
                if !words.is_empty() {
                    self.words.insert(medium.url.clone(), words);
                }
            }
        }
    }
}

fn media_of(message: &Message) -> impl Iterator<Item = &Medium> {
    message.modules.iter().flat_map(|module| match module {
        Module::Media(medium) => std::slice::from_ref(medium),
        Module::Album(media) => media.as_slice(),
        Module::Text { .. } | Module::Cards(_) => &[],
    })
}

fn words_of(medium: &Medium) -> String {
    match (medium.title.trim(), medium.performer.trim()) {
        ("", _) => medium.alt.trim().to_owned(),
        (title, "") => title.to_owned(),
        (title, performer) => format!("{performer} – {title}"),
    }
}
