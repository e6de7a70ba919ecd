//! XML answers of PrestaShop's web service, as the values that its JSON answers have.

use serde_json::{Map, Value};

use crate::extract::catalog::json::rows::ROW_VALUES_MAX;
use crate::extract::refusal::NotADocument;
use crate::extract::tokens::{Mode, Token, Tokens};

/// The elements that are rows.
const ROWS: [&str; 3] = ["product", "stock_available", "combination"];

/// Whether an XML text is such an answer, by its root.
pub(crate) fn is_answer(root: &str) -> bool {
    matches!(root, "prestashop" | "response")
}

/// Hands each row to `each`, in order; false when the document breaks off.
///
/// # Errors
/// [`NotADocument`] when a limit of XML is passed.
pub(crate) fn rows(text: &str, each: &mut dyn FnMut(Option<Value>)) -> Result<bool, NotADocument> {
    let mut tokens = Tokens::new(text, Mode::Strict, None);
    // The elements that are open within a row, from the row itself on.
    let mut open: Vec<Open> = Vec::new();
    let mut values = 0_usize;
    loop {
        match tokens.next()? {
            Token::Start(tag) => {
                let is_row = ROWS.contains(&tag.local.as_ref());
                if open.is_empty() && !is_row {
                    continue;
                }
                let mut members = Map::new();
                let named = ["id", "href"].into_iter();
                for name in named.filter(|name| tag.attribute(name).is_some()) {
                    let value = tag.attribute(name).unwrap_or_default();
                    members.insert(name.to_owned(), Value::String(value.to_owned()));
                }
                values += 1 + members.len();
                open.push(Open { name: tag.local.into_owned(), members, text: String::new() });
            }
            Token::Text(text) if values <= ROW_VALUES_MAX => {
                if let Some(inner) = open.last_mut() {
                    inner.text.push_str(&text);
                }
            }
            Token::Text(_) => {}
            Token::End => {
                let Some(inner) = open.pop() else { continue };
                let name = inner.name.clone();
                let value = inner.into_value();
                match open.last_mut() {
                    Some(outer) if values <= ROW_VALUES_MAX => add(&mut outer.members, name, value),
                    Some(_) => {}
                    None => {
                        each((values <= ROW_VALUES_MAX).then_some(value));
                        values = 0;
                    }
                }
            }
            Token::Cut => return Ok(false),
            Token::Done => return Ok(true),
        }
    }
}

struct Open {
    name: String,
    members: Map<String, Value>,
    text: String,
}

impl Open {
    /// An element with children is an object, another one its text; a language is both.
    fn into_value(mut self) -> Value {
        let text = self.text.trim();
        if self.members.is_empty() {
            return Value::String(text.to_owned());
        }
        if !text.is_empty() {
            self.members.insert("value".to_owned(), Value::String(text.to_owned()));
        }
        Value::Object(self.members)
    }
}

/// A name that comes again makes a list.
fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => {
            let list = vec![first.take(), value];
            *first = Value::Array(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> (Vec<Option<Value>>, bool) {
        let mut found = Vec::new();
        let is_whole = rows(text, &mut |row| found.push(row)).unwrap();
        (found, is_whole)
    }

    #[test]
    fn rows_come_as_their_json_would() {
        let text = "<prestashop><products><product><id>1</id><name><language id='1'>A</language>\
            <language id='2'>B</language></name><price><![CDATA[23.9]]></price></product>\
            <product id='2'/></products></prestashop>";
        assert_eq!(
            read(text),
            (
                vec![
                    Some(json!({
                        "id": "1",
                        "name": {"language": [{"id": "1", "value": "A"}, {"id": "2", "value": "B"}]},
                        "price": "23.9",
                    })),
                    Some(json!({"id": "2"})),
                ],
                true
            )
        );
    }

    #[test]
    fn what_breaks_off_keeps_its_complete_rows() {
        let text = "<response><stock_available><id>6</id></stock_available><stock_available><id>";
        assert_eq!(read(text), (vec![Some(json!({"id": "6"}))], false));
    }
}
