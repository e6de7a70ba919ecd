//! A request's parameters, whichever way they came: query, form, JSON or multipart.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::sandbox::door::Asked;

/// Why no parameters could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLong,
    NotUtf8,
    NotJson,
    /// A content type that is not known here, or multipart that is broken.
    OtherType,
}

/// The parameters by name, where those of the body win over those of the query; and the files that
/// came along by the names of their parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub Map<String, Value>, pub BTreeMap<String, Upload>);

/// A file that came along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    /// As its sender calls it.
    pub name: String,
    pub bytes: Bytes,
}

/// Most parts of a multipart body.
const PARTS_MAX: usize = 256;

impl Params {
    pub(crate) fn read(asked: &Asked) -> Result<Self, Unreadable> {
        let mut params = Map::new();
        insert_pairs(&mut params, asked.query.as_bytes());
        let body = asked.body.as_ref().ok_or(Unreadable::TooLong)?;
        if body.is_empty() {
            return Ok(Self(params, BTreeMap::new()));
        }
        let mut files = BTreeMap::new();
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
        } else if content_type.starts_with("multipart/form-data") {
            let boundary =
                content_type.split(';').find_map(|it| it.trim().strip_prefix("boundary="));
            let boundary = boundary.map(|it| it.trim_matches('"')).ok_or(Unreadable::OtherType)?;
            insert_parts(&mut params, &mut files, body, boundary)?;
        } else {
            return Err(Unreadable::OtherType);
        }
        Ok(Self(params, files))
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

fn insert_parts(
    params: &mut Map<String, Value>,
    files: &mut BTreeMap<String, Upload>,
    body: &Bytes,
    boundary: &str,
) -> Result<(), Unreadable> {
    let opening = format!("--{boundary}");
    let delimiter = format!("\r\n{opening}");
    if !body.starts_with(opening.as_bytes()) {
        return Err(Unreadable::OtherType);
    }
    let mut at = opening.len();
    for _ in 0..PARTS_MAX {
        if body[at..].starts_with(b"--") {
            return Ok(());
        }
        let head_end = find(body, b"\r\n\r\n", at).ok_or(Unreadable::OtherType)?;
        let start = head_end + 4;
        let end = find(body, delimiter.as_bytes(), start).ok_or(Unreadable::OtherType)?;
        let head = String::from_utf8_lossy(&body[at..head_end]);
        let name = quoted(&head, " name=").ok_or(Unreadable::OtherType)?;
        let bytes = body.slice(start..end);
        match quoted(&head, " filename=") {
            Some(file) => {
                files.insert(name, Upload { name: file, bytes });
            }
            None => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| Unreadable::NotUtf8)?;
                params.insert(name, Value::String(text));
            }
        }
        at = end + delimiter.len();
    }
    Err(Unreadable::OtherType)
}

/// The quoted value behind `name` in a part's head.
fn quoted(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(name)?;
    let (value, _) = rest.strip_prefix('"')?.split_once('"')?;
    Some(value.to_owned())
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = wanted.first()?;
    let mut at = from;
    while let Some(step) = body.get(at..)?.iter().position(|byte| byte == first) {
        at += step;
        if body[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(content_type: &str, body: &'static [u8]) -> Asked {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("content-type", content_type.parse().unwrap());
        Asked {
            method: hyper::Method::POST,
            path: String::new(),
            query: "a=1".into(),
            headers,
            body: Some(Bytes::from_static(body)),
        }
    }

    #[test]
    fn texts_and_files_of_a_multipart_body_are_told_apart() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
            --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89\r\n\xff\r\n--x--\r\n";
        let params = Params::read(&asked("multipart/form-data; boundary=x", body)).unwrap();
        assert_eq!(params.text("a").as_deref(), Some("1"));
        assert_eq!(params.integer("chat_id"), Some(7));
        let upload = Upload { name: "a.png".into(), bytes: Bytes::from_static(b"\x89\r\n\xff") };
        assert_eq!(params.1.get("photo"), Some(&upload));
    }

    #[test]
    fn a_broken_multipart_body_is_refused() {
        for body in [&b"--x"[..], b"", b"--y--", b"--x\r\nno end", b"--x\r\na: b\r\n\r\nc\r\n--x"] {
            let whole = Params::read(&asked("multipart/form-data; boundary=x", body));
            assert!(whole.is_err() || body.is_empty(), "{body:?}");
        }
    }
}
