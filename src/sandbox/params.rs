//! A request's parameters, whichever way they came: query, form or JSON.

use serde_json::{Map, Value};

use crate::sandbox::door::Asked;

/// Why no parameters could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLong,
    NotUtf8,
    NotJson,
    /// A content type that is not known here, such as multipart.
    OtherType,
}

/// The parameters by name; those of the body win over those of the query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub Map<String, Value>);

impl Params {
    pub(crate) fn read(asked: &Asked) -> Result<Self, Unreadable> {
        let mut params = Map::new();
        insert_pairs(&mut params, asked.query.as_bytes());
        let body = asked.body.as_ref().ok_or(Unreadable::TooLong)?;
        if body.is_empty() {
            return Ok(Self(params));
        }
        let content_type = asked
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/x-www-form-urlencoded");
        if content_type.starts_with("application/json") {
            let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
            let object: Map<String, Value> =
                serde_json::from_str(text).map_err(|_| Unreadable::NotJson)?;
            if params.is_empty() {
                params = object;
            } else {
                params.extend(object);
            }
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            insert_pairs(&mut params, body);
        } else {
            return Err(Unreadable::OtherType);
        }
        Ok(Self(params))
    }

    /// A text; numbers and booleans count as their text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "True" | "1"))
    }

    /// An object or array; in queries and forms it comes as its JSON text. `Some(Err(()))`: it is
    /// there, and is no JSON.
    pub(crate) fn object(&self, name: &str) -> Option<Result<Value, ()>> {
        match self.0.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(serde_json::from_str(text).map_err(|_| ())),
            Value::Null => None,
            other => Some(Ok(other.clone())),
        }
    }
}

fn insert_pairs(params: &mut Map<String, Value>, pairs: &[u8]) {
    for (name, value) in url::form_urlencoded::parse(pairs) {
        params.insert(name.into_owned(), Value::String(value.into_owned()));
    }
}
