//! What can be written in the chat.

use crate::converse::commands::COMMANDS;
use crate::converse::words::{Texts, say};
use crate::model::subscriber::Subscriber;

const HEAD: Texts = [
    ("en", "You can write to me:"),
    ("ro", "Îmi poți scrie:"),
    ("it", "Puoi scrivermi:"),
    ("de", "Du kannst mir schreiben:"),
    ("fr", "Vous pouvez m’écrire :"),
    ("es", "Puedes escribirme:"),
    ("ru", "Можно написать:"),
];

/// All commands with what they do.
pub(super) fn text(person: &Subscriber) -> String {
    let head = say(&HEAD, person);
    let language = person.language.as_deref().unwrap_or("en");
    let lines = COMMANDS.iter().map(|row| format!("/{} – {}", row.name, row.line(language)));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}
