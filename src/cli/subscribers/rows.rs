//! A row of a file as somebody to take in.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::admin::people::PersonRow;
use crate::channel::loose;
use crate::cli::subscribers::standing;
use crate::cli::subscribers::table::{Fault, Row};
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::subscriber::{Standing, is_language_tag};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;

/// The columns that are read. `number` is what `export` wrote and counts for nothing.
pub(super) const COLUMNS: [&str; 11] = [
    "address",
    "language",
    "first_name",
    "timezone",
    "topics",
    "standing",
    "joined",
    "consented",
    "consented_by",
    "channel",
    "number",
];

/// Longest word on how somebody consented, in characters.
const WAY_CHARS_MAX: usize = 100;

/// Longest address of Messenger, in digits.
const ADDRESS_DIGITS_MAX: usize = 32;

/// Into what the rows of a file are read.
pub(super) struct Reader<'a> {
    pub channel: &'a Name,
    pub kind: ChannelKind,
    /// All topics of the settings.
    pub known: &'a [Name],
    /// Added to those of each row.
    pub topics: &'a [Name],
    pub now: Timestamp,
}

impl Reader<'_> {
    /// # Errors
    /// Each cell that can't be what it is meant to be.
    pub(super) fn read(&self, row: &Row) -> Result<PersonRow, Vec<Fault>> {
        let mut person = PersonRow {
            address: String::new(),
            language: None,
            first_name: None,
            timezone: None,
            topics: self.topics.to_vec(),
            standing: Standing::Active,
            joined_at: None,
            consented_at: None,
            consented_by: None,
        };
        let mut faults = Vec::new();
        for (column, cell) in &row.cells {
            let cell = cell.trim();
            let taken = match column.as_str() {
                "address" => self.address(cell).map(|it| person.address = it),
                _ if cell.is_empty() => Ok(()),
                "language" => language(cell).map(|it| person.language = Some(it)),
                "first_name" => {
                    person.first_name = loose::first_name(&Value::from(cell));
                    Ok(())
                }
                "timezone" => Zone::read(cell)
                    .map(|it| person.timezone = Some(it))
                    .ok_or_else(|| format!("there is no time zone `{cell}`")),
                "topics" => self.topics(cell).map(|it| person.topics.extend(it)),
                "standing" => standing(cell).map(|it| person.standing = it),
                "joined" => self.instant(cell).map(|it| person.joined_at = Some(it)),
                "consented" => self.instant(cell).map(|it| person.consented_at = Some(it)),
                "consented_by" => {
                    person.consented_by = Some(cell.chars().take(WAY_CHARS_MAX).collect());
                    Ok(())
                }
                "channel" if cell == self.channel.as_str() => Ok(()),
                "channel" => Err(format!("it goes to `{}`, not to `{cell}`", self.channel)),
                "number" => Ok(()),
                _ => Err(format!("no such column; there is {}", COLUMNS.join(", "))),
            };
            if let Err(why) = taken {
                let column = Some(column.clone());
                faults.push(Fault { line: row.line, column, why });
            }
        }
        if person.address.is_empty() && faults.is_empty() {
            let column = Some("address".to_owned());
            let why = "it is not there".to_owned();
            faults.push(Fault { line: row.line, column, why });
        }
        person.topics.sort();
        person.topics.dedup();
        if faults.is_empty() { Ok(person) } else { Err(faults) }
    }

    fn address(&self, cell: &str) -> Result<String, String> {
        if cell.is_empty() {
            return Err("it is empty".to_owned());
        }
        if cell.contains(['.', 'e', 'E']) && cell.parse::<f64>().is_ok() {
            return Err(format!(
                "`{cell}` was made a fraction by a spreadsheet: export it as text"
            ));
        }
        let is_good = match self.kind {
            // As a number, so that no one is there twice.
            ChannelKind::Telegram => {
                cell.parse::<i64>().is_ok_and(|id| id != 0 && id.to_string() == cell)
            }
            ChannelKind::Messenger => {
                cell.len() <= ADDRESS_DIGITS_MAX
                    && cell.bytes().all(|c| c.is_ascii_digit())
                    && cell.bytes().any(|c| c != b'0')
            }
        };
        let what = match self.kind {
            ChannelKind::Telegram => "the number of a chat of Telegram",
            ChannelKind::Messenger => "a page-scoped id of Messenger",
        };
        if is_good { Ok(cell.to_owned()) } else { Err(format!("`{cell}` is not {what}")) }
    }

    fn topics(&self, cell: &str) -> Result<Vec<Name>, String> {
        let words = cell.split([' ', ',', ';', '|']).filter(|word| !word.is_empty());
        let known = |word: &str| {
            let topic = self.known.iter().find(|topic| topic.as_str() == word);
            topic.cloned().ok_or_else(|| format!("there is no topic `{word}` in the settings"))
        };
        words.map(known).collect()
    }

    /// What has been by now.
    fn instant(&self, cell: &str) -> Result<Timestamp, String> {
        match instant(cell)? {
            at if at > self.now => Err(format!("`{cell}` is yet to come")),
            at => Ok(at),
        }
    }
}

fn language(cell: &str) -> Result<String, String> {
    let tag = cell.to_lowercase().replace('_', "-");
    if is_language_tag(&tag) {
        return Ok(tag);
    }
    Err(format!("`{cell}` is no language such as `ro` or `pt-br`"))
}

/// A day, or a day with a time; in UTC where it does not say.
fn instant(cell: &str) -> Result<Timestamp, String> {
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
    let at = cell
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| cell.parse::<DateTime>().ok().and_then(utc))
        .or_else(|| cell.parse::<Date>().ok().and_then(|day| utc(day.at(0, 0, 0, 0))));
    match at.map(Timestamp::from_jiff) {
        Some(at) if at > Timestamp::default() => Ok(at),
        _ => Err(format!("`{cell}` is no day such as 2026-11-28, nor a time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: ChannelKind, cells: &[(&str, &str)]) -> Result<PersonRow, String> {
        let channel = Name::parse("bot").unwrap();
        let known = [Name::parse("news").unwrap(), Name::parse("shop").unwrap()];
        let reader = Reader {
            channel: &channel,
            kind,
            known: &known,
            topics: &known[..1],
            now: Timestamp::from_millis(1_800_000_000_000),
        };
        let own = |(name, cell): &(&str, &str)| ((*name).to_owned(), (*cell).to_owned());
        let row = Row { line: 7, cells: cells.iter().map(own).collect() };
        reader
            .read(&row)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_row_is_somebody() {
        let cells = [
            ("address", " 42 "),
            ("language", "pt_BR"),
            ("first_name", "Ana\nMaria"),
            ("timezone", "Bucharest"),
            ("topics", "shop news"),
            ("standing", "stopped"),
            ("joined", "2026-01-02"),
            ("consented", "2026-01-02T03:04:05Z"),
            ("consented_by", "start:news"),
            ("channel", "bot"),
            ("number", "9"),
        ];
        let person = read(ChannelKind::Telegram, &cells).unwrap();
        assert_eq!(person.address, "42");
        assert_eq!(person.language.as_deref(), Some("pt-br"));
        assert_eq!(person.first_name.as_deref(), Some("Ana Maria"));
        assert_eq!(person.timezone.unwrap().as_str(), "Europe/Bucharest");
        assert_eq!(person.topics.len(), 2);
        assert_eq!(person.standing, Standing::Stopped);
        assert_eq!(person.joined_at.unwrap().to_string(), "2026-01-02T00:00:00Z");
        assert_eq!(person.consented_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn faults_name_line_and_column() {
        use ChannelKind::{Messenger, Telegram};
        for (kind, cells, expected) in [
            (Telegram, &[("language", "en")][..], "line 7, column `address`: it is not there"),
            (Telegram, &[("address", "")], "line 7, column `address`: it is empty"),
            (Telegram, &[("address", "007")], "`007` is not the number of a chat"),
            (Telegram, &[("address", "1.2E+9")], "was made a fraction by a spreadsheet"),
            (Messenger, &[("address", "-5")], "`-5` is not a page-scoped id"),
            (Telegram, &[("address", "1"), ("topics", "sport")], "there is no topic `sport`"),
            (Telegram, &[("address", "1"), ("language", "english")], "`english` is no language"),
            (Telegram, &[("address", "1"), ("timezone", "Nowhere")], "no time zone `Nowhere`"),
            (Telegram, &[("address", "1"), ("standing", "new")], "there is active, stopped"),
            (Telegram, &[("address", "1"), ("joined", "28.11.2026")], "is no day such as"),
            (Telegram, &[("address", "1"), ("consented", "2031-01-01")], "is yet to come"),
            (Telegram, &[("address", "0")], "`0` is not the number of a chat"),
            (Telegram, &[("address", "1"), ("channel", "page")], "it goes to `bot`"),
            (Telegram, &[("address", "1"), ("mail", "x")], "no such column"),
        ] {
            let fault = read(kind, cells).unwrap_err();
            assert!(fault.contains(expected), "{cells:?}: {fault}");
        }
        let two = read(Telegram, &[("address", "x"), ("language", "?")]).unwrap_err();
        assert_eq!(two.lines().count(), 2);
    }
}
