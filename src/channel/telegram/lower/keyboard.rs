//! Inline keyboards.

use serde_json::{Map, Value, json};

use crate::channel::cut::{is_visible, shorten, units};
use crate::channel::flat::clean;
use crate::channel::telegram::lower::NO_WORDS;
use crate::channel::telegram::text::is_address;
use crate::model::message::{Action, Button, ButtonStyle};

/// Longest payload of a button, in bytes.
pub(super) const PAYLOAD_BYTES_MAX: usize = 64;

/// Longest text that a button copies, in UTF-16 units.
pub(super) const COPY_UNITS_MAX: usize = 256;

/// Most buttons of one message; not documented, and more are of no use in a chat.
pub(super) const BUTTONS_MAX: usize = 100;

/// Longest label of a button; clients show less.
const LABEL_UNITS_MAX: usize = 64;

/// Labels up to this length share a row.
const LABEL_UNITS_SHORT: usize = 12;

/// Most buttons that share a row.
const ROW_BUTTONS_MAX: usize = 3;

/// The rows of a keyboard: neighbours with short labels share a row.
pub(super) fn rows(buttons: &[Button]) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut is_row_short = false;
    for (is_short, key) in buttons.iter().filter_map(key).take(BUTTONS_MAX) {
        match rows.last_mut() {
            Some(row) if is_short && is_row_short && row.len() < ROW_BUTTONS_MAX => row.push(key),
            _ => rows.push(vec![key]),
        }
        is_row_short = is_short;
    }
    rows
}

/// Leaves out the rows with the buttons that are too many.
pub(super) fn bound(rows: &mut Vec<Vec<Value>>) {
    let mut count = 0;
    rows.retain(|row| {
        count += row.len();
        count <= BUTTONS_MAX
    });
}

/// The button, and whether its label is short.
fn key(button: &Button) -> Option<(bool, Value)> {
    let (name, value) = match &button.action {
        Action::Open { url } if is_address(url) => ("url", json!(url)),
        Action::Postback { payload } if (1..=PAYLOAD_BYTES_MAX).contains(&payload.len()) => {
            ("callback_data", json!(payload))
        }
        Action::Copy { text } if (1..=COPY_UNITS_MAX).contains(&units(text)) => {
            ("copy_text", json!({ "text": text }))
        }
        _ => return None,
    };
    let label = shorten(&clean(&button.label), LABEL_UNITS_MAX);
    let label = if is_visible(&label) { label } else { NO_WORDS.to_owned() };
    let is_short = units(&label) <= LABEL_UNITS_SHORT;
    let mut key = Map::new();
    key.insert("text".to_owned(), json!(label));
    key.insert(name.to_owned(), value);
    let style = match button.style {
        ButtonStyle::Plain => None,
        ButtonStyle::Primary => Some("primary"),
        ButtonStyle::Success => Some("success"),
        ButtonStyle::Danger => Some("danger"),
    };
    if let Some(style) = style {
        key.insert("style".to_owned(), json!(style));
    }
    Some((is_short, Value::Object(key)))
}
