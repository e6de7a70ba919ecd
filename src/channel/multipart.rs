//! Forms with files, as one piece: the wire hands a body over whole or not at all.
//!
//! Source: RFC 7578.

use bytes::{BufMut, Bytes, BytesMut};
use reqwest::header::HeaderValue;

use crate::channel::slots::Upload;
use crate::channel::wire::Posted;

/// Letters and digits of the line between parts: so many that none of them occurs in a file.
const BOUNDARY_CHARS: usize = 48;

/// One part of a form.
pub(crate) struct Part {
    head: String,
    bytes: Bytes,
}

impl Part {
    /// A field; its name is one of ours.
    pub(crate) fn field(name: &str, value: String) -> Self {
        let name = plain(name);
        let head = format!("Content-Disposition: form-data; name=\"{name}\"\r\n");
        Self { head, bytes: value.into() }
    }

    pub(crate) fn file(name: &str, upload: &Upload) -> Self {
        let (name, file_name) = (plain(name), plain(&upload.file_name));
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: {}\r\n",
            upload.mime
        );
        Self { head, bytes: upload.bytes.clone() }
    }
}

/// The form's bytes and what they are called.
pub(crate) fn form(parts: impl IntoIterator<Item = Part>) -> Posted {
    let boundary: String = std::iter::repeat_with(|| {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        char::from(LETTERS[usize::from(rand::random::<u8>() & 31)])
    })
    .take(BOUNDARY_CHARS)
    .collect();
    let parts: Vec<Part> = parts.into_iter().collect();
    let room: usize = parts.iter().map(|part| part.head.len() + part.bytes.len() + 64).sum();
    let mut bytes = BytesMut::with_capacity(room + 64);
    for part in parts {
        bytes.put_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
        bytes.put_slice(&part.bytes);
        bytes.put_slice(b"\r\n");
    }
    bytes.put_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
        .unwrap_or_else(|_| HeaderValue::from_static("multipart/form-data"));
    Posted { content_type, bytes: bytes.freeze() }
}

/// A name without what could end it.
fn plain(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().filter(is_plain).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::media::Form;

    #[test]
    fn a_form_has_its_fields_and_files_between_lines() {
        let upload = Upload {
            bytes: Bytes::from_static(b"\x89PNG\r\n--"),
            form: Form::Picture,
            file_name: "a\"\r\nb.png".to_owned(),
            mime: "image/png",
        };
        let parts = [Part::field("chat_id", "7".to_owned()), Part::file("file0", &upload)];
        let posted = form(parts);
        let named = posted.content_type.to_str().unwrap();
        let boundary = named.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(boundary.len(), BOUNDARY_CHARS);
        let expected = [
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n"
            ),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file0\"; \
                 filename=\"ab.png\"\r\nContent-Type: image/png\r\n\r\n"
            ),
        ]
        .concat();
        let end = format!("--{boundary}--\r\n");
        let expected = [expected.as_bytes(), b"\x89PNG\r\n--\r\n", end.as_bytes()];
        assert_eq!(posted.bytes, expected.concat());
    }
}
