//! A settings file's text, and where its lines start.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Longest settings file.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One file, read whole.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    text: String,
    /// Offset of each line's first byte.
    lines: Vec<usize>,
}

/// Why a file's text can't be used, for people, and the byte at which it begins to be unusable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub why: String,
    pub offset: usize,
}

impl File {
    /// Reads the file. What can't be read leaves an empty text, or the text up to there, so that
    /// the problem has a place.
    pub fn open(path: &Path) -> (Self, Option<Unreadable>) {
        match read(path) {
            Ok(bytes) => Self::from_bytes(path, bytes),
            Err(why) => (Self::from_bytes(path, Vec::new()).0, Some(Unreadable { why, offset: 0 })),
        }
    }

    /// A byte order mark is put aside.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> (Self, Option<Unreadable>) {
        let (mut text, broken) = match String::from_utf8(bytes) {
            Ok(text) => (text, false),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                (String::from_utf8(bytes).unwrap_or_default(), true)
            }
        };
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let broken = broken.then(|| Unreadable {
            why: "the text is not UTF-8 from here on".to_owned(),
            offset: text.len(),
        });
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        (Self { path: path.to_owned(), text, lines }, broken)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1, the column in characters. An offset past the end
    /// is the end.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |part| part.chars().count());
        (line, column + 1)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {}", told(&error)))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(format!("is longer than {} MiB", FILE_BYTES_MAX / 1024 / 1024));
    }
    Ok(bytes)
}

/// An error of the file system in a few words.
pub(crate) fn told(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (File, Option<Unreadable>) {
        File::from_bytes(Path::new("a.toml"), bytes.to_vec())
    }

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let (file, broken) = file("a = 1\nтест = 2\r\n\nend".as_bytes());
        assert_eq!(broken, None);
        let cases = [
            (0, (1, 1)),
            (4, (1, 5)),
            (5, (1, 6)),
            (6, (2, 1)),
            (8, (2, 2)),
            (15, (2, 6)),
            (20, (3, 1)),
            (21, (4, 1)),
            (24, (4, 4)),
            (999, (4, 4)),
        ];
        for (offset, expected) in cases {
            assert_eq!(file.position(offset), expected, "{offset}");
        }
    }

    #[test]
    fn a_byte_order_mark_does_not_count() {
        let (file, broken) = file("\u{feff}a = 1".as_bytes());
        assert_eq!((file.text(), file.position(4), broken), ("a = 1", (1, 5), None));
    }

    #[test]
    fn bytes_that_are_no_text_have_a_place() {
        let (file, broken) = file(b"a = 1\nb = '\xff'\n");
        let broken = broken.unwrap();
        assert_eq!(file.position(broken.offset), (2, 6));
        assert_eq!(broken.why, "the text is not UTF-8 from here on");
    }

    #[test]
    fn an_empty_file_has_one_line() {
        let (file, _) = file(b"");
        assert_eq!(file.position(0), (1, 1));
    }
}
