//! Rows of a file: CSV as spreadsheets write it, or a JSON object a line.

use std::io::BufRead;

use serde_json::Value;

/// Longest row, in bytes.
pub(super) const ROW_BYTES_MAX: usize = 64 << 10;

/// Separators, in the order in which they are believed.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// What stands before a spreadsheet's first byte.
const MARK: &str = "\u{feff}";

/// One row: on which line it begins, and its cells by the names of their columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub line: u64,
    pub cells: Vec<(String, String)>,
}

/// What is wrong with a row, or with one of its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub line: u64,
    pub column: Option<String>,
    pub why: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.column {
            Some(column) => write!(out, "line {}, column `{column}`: {}", self.line, self.why),
            None => write!(out, "line {}: {}", self.line, self.why),
        }
    }
}

/// Reads rows one by one.
pub(super) struct Rows<R> {
    input: R,
    line: u64,
    /// `None` of JSON lines.
    head: Option<(char, Vec<String>)>,
    is_over: bool,
}

impl<R: BufRead> Rows<R> {
    /// Reads the head, if there is one, whose columns must be among `known`; the first of these is
    /// needed.
    ///
    /// # Errors
    /// What is wrong with the head.
    pub(super) fn open(mut input: R, known: &[&str]) -> Result<Self, Fault> {
        let broken = |why: &str| Fault { line: 1, column: None, why: why.to_owned() };
        let first = input.fill_buf().map_err(|error| broken(&error.to_string()))?;
        let first = first.strip_prefix(MARK.as_bytes()).unwrap_or(first);
        let start = first.iter().find(|byte| !byte.is_ascii_whitespace());
        let is_json = start == Some(&b'{');
        let mut rows = Self { input, line: 0, head: None, is_over: false };
        if is_json {
            return Ok(rows);
        }
        let Some((_, text)) = rows.record(true)? else { return Err(broken("the file is empty")) };
        let text = text.strip_prefix(MARK).unwrap_or(&text);
        let most = |separator: &char| text.matches(*separator).count();
        let best = SEPARATORS.iter().rev().max_by_key(|separator| most(separator));
        let separator = *best.unwrap_or(&',');
        let columns: Vec<String> = cells(text, separator)
            .map_err(|why| broken(&why))?
            .iter()
            .map(|name| name.trim().to_lowercase().replace([' ', '-'], "_"))
            .collect();
        for (at, name) in columns.iter().enumerate() {
            let fault = |why: String| Fault { column: Some(name.clone()), ..broken(&why) };
            if !known.contains(&name.as_str()) {
                return Err(fault(format!("no such column; there is {}", known.join(", "))));
            }
            if columns.iter().take(at).any(|other| other == name) {
                return Err(fault("it is there twice".to_owned()));
            }
        }
        if let Some(needed) = known.first().filter(|it| !columns.iter().any(|name| name == *it)) {
            return Err(broken(&format!(
                "there is no column `{needed}`: the first line is the head"
            )));
        }
        rows.head = Some((separator, columns));
        Ok(rows)
    }

    /// The next row; `None` behind the last.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Fault>> {
        loop {
            if self.is_over {
                return None;
            }
            let (line, text) = match self.record(self.head.is_some()) {
                Ok(Some(record)) => record,
                Ok(None) => return None,
                // Nothing behind it can be read.
                Err(fault) => {
                    self.is_over = true;
                    return Some(Err(fault));
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            let read = match &self.head {
                Some((separator, columns)) => of_csv(&text, *separator, columns),
                None => of_json(text.strip_prefix(MARK).unwrap_or(&text)),
            };
            return Some(match read {
                Ok(cells) => Ok(Row { line, cells }),
                Err(why) => Err(Fault { line, column: None, why }),
            });
        }
    }

    /// The lines of one row: a quoted cell of CSV may go over several.
    fn record(&mut self, is_csv: bool) -> Result<Option<(u64, String)>, Fault> {
        let (first, mut bytes) = (self.line + 1, Vec::new());
        loop {
            let fault = |why: &str| Fault { line: first, column: None, why: why.to_owned() };
            let before = bytes.len();
            let mut part = std::io::Read::take(&mut self.input, ROW_BYTES_MAX as u64 + 1);
            part.read_until(b'\n', &mut bytes).map_err(|error| fault(&error.to_string()))?;
            if bytes.len() > ROW_BYTES_MAX {
                return Err(fault("a row is too long: is a quote not closed?"));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            let has_ended = bytes.len() == before;
            self.line += 1;
            let is_open = is_csv && bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            if is_open && has_ended {
                return Err(fault("a quote is not closed"));
            }
            if !is_open {
                let text = String::from_utf8(bytes);
                let text = text.map_err(|_| fault("it is not UTF-8: save the file as such"))?;
                return Ok(Some((first, text.trim_end_matches(['\r', '\n']).to_owned())));
            }
        }
    }
}

fn of_csv(
    text: &str,
    separator: char,
    columns: &[String],
) -> Result<Vec<(String, String)>, String> {
    let cells = cells(text, separator)?;
    if cells.len() > columns.len() {
        return Err(format!("it has {} cells, the head {}", cells.len(), columns.len()));
    }
    let cells = columns.iter().zip(cells);
    Ok(cells.map(|(name, cell)| (name.clone(), unescaped(cell))).collect())
}

/// The cells of a row, as RFC 4180 has them.
fn cells(text: &str, separator: char) -> Result<Vec<String>, String> {
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let (mut is_quoted, mut was_quoted) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if is_quoted => is_quoted = false,
            '"' if cell.trim().is_empty() && !was_quoted => {
                cell.clear();
                (is_quoted, was_quoted) = (true, true);
            }
            '"' => return Err("a quote stands within a cell that does not begin with one".into()),
            letter if letter == separator && !is_quoted => {
                cells.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    Ok(cells)
}

/// What was written so that no spreadsheet takes it for a formula.
fn unescaped(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => cell,
    }
}

fn of_json(text: &str) -> Result<Vec<(String, String)>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let Value::Object(fields) = value else { return Err("it is no JSON object".to_owned()) };
    Ok(fields.into_iter().map(|(name, value)| (name, text_of(&value))).collect())
}

/// A value as a cell.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text_of).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["address", "first_name", "topics"];

    #[test]
    fn a_quote_of_json_is_none_of_csv() {
        let text = "{\"address\":\"7\",\"first_name\":\"a \\\"b\"}\n{\"address\":\"8\"}\n";
        let rows = read(text);
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows.iter().all(Result::is_ok), "{rows:?}");
    }

    fn read(text: &str) -> Vec<Result<(u64, Vec<String>), String>> {
        let mut rows = match Rows::open(text.as_bytes(), &KNOWN) {
            Ok(rows) => rows,
            Err(fault) => return vec![Err(fault.to_string())],
        };
        let mut all = Vec::new();
        while let Some(row) = rows.next_row() {
            let row = row.map(|row| {
                (row.line, row.cells.into_iter().map(|(name, cell)| name + "=" + &cell).collect())
            });
            all.push(row.map_err(|fault| fault.to_string()));
        }
        all
    }

    fn row(line: u64, cells: &[&str]) -> Result<(u64, Vec<String>), String> {
        Ok((line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn spreadsheets_files_are_read() {
        assert_eq!(
            read("\u{feff}Address;First Name\r\n7;\"a \"\"b\"\"\nc\"\r\n\r\n'-8;'x\r\n"),
            [
                row(2, &["address=7", "first_name=a \"b\"\nc"]),
                row(5, &["address=-8", "first_name='x"])
            ]
        );
        assert_eq!(read("address,topics\n7\n"), [row(2, &["address=7"])]);
        assert_eq!(read("address\n\"7\""), [row(2, &["address=7"])]);
    }

    #[test]
    fn lines_of_json_are_read() {
        assert_eq!(
            read("{\"address\":7,\"topics\":[\"a\",\"b\"]}\n\n{\"address\":null}\n[]\n{"),
            [
                row(1, &["address=7", "topics=a b"]),
                row(3, &["address="]),
                Err("line 4: it is no JSON object".into()),
                Err("line 5: no JSON: EOF while parsing an object at line 1 column 1".into()),
            ]
        );
    }

    #[test]
    fn faults_name_their_place() {
        for (text, expected) in [
            ("", "line 1: the file is empty"),
            ("address,adress\n", "line 1, column `adress`: no such column; there is address, "),
            ("address,address\n", "line 1, column `address`: it is there twice"),
            ("topics\n1\n", "line 1: there is no column `address`"),
            ("address\n7,8\n", "line 2: it has 2 cells, the head 1"),
            ("address\n7\"8\n", "line 2: a quote is not closed"),
            ("address\n7\"8\"\n", "line 2: a quote stands within a cell"),
        ] {
            let fault = read(text).into_iter().find_map(Result::err).unwrap();
            assert!(fault.starts_with(expected), "{text:?}: {fault}");
        }
        let long = format!("address\n{}\n", "7".repeat(ROW_BYTES_MAX + 1));
        assert!(read(&long)[0].as_ref().unwrap_err().contains("too long"));
        let mut rows = Rows::open(&b"address\n\xff\n"[..], &KNOWN).ok().unwrap();
        assert!(rows.next_row().unwrap().unwrap_err().why.contains("UTF-8"));
    }
}
