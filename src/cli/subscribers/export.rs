//! `tidings subscribers export`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::admin::people::{PEOPLE_MAX, PeopleAsk};
use crate::cli::reach::Line;
use crate::cli::report::cell;
use crate::cli::subscribers::table::text_of;
use crate::cli::subscribers::{Whom, page};
use crate::cli::{Done, EX_IOERR, Failure, Settings, output};
use crate::daemon::Absent;

/// The columns of a table.
pub(super) const COLUMNS: [&str; 9] = [
    "channel",
    "number",
    "address",
    "language",
    "first_name",
    "timezone",
    "topics",
    "standing",
    "joined",
];

/// Those that an export has besides; `import` reads them all.
const CONSENT: [&str; 2] = ["consented", "consented_by"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whom: Whom,
    /// A table for spreadsheets; the default.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// A JSON object a line.
    #[arg(long)]
    json: bool,
    /// Into this file, which nobody else may read. Default: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(settings: &Settings, args: Args) -> Done {
    let line = Line::open(settings, Absent::Refuse).await?;
    let Some(path) = &args.out else {
        let mut out = BufWriter::new(io::stdout());
        let written = write(&line, &args, &mut out).await?;
        return match written.and_then(|_| out.flush()) {
            // A reader that has gone away (`| head`) is no fault.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(EX_IOERR, error))
            }
            _ => Ok(()),
        };
    };
    let failed = |error| Failure::new(EX_IOERR, format!("{}: {error}", path.display()));
    // Under another name until it is whole.
    let mut half = path.clone().into_os_string();
    half.push(".part");
    let half = PathBuf::from(half);
    let file = create(&half).map_err(failed)?;
    let mut out = BufWriter::new(file);
    let count = write(&line, &args, &mut out).await?.map_err(failed)?;
    out.flush()
        .and_then(|()| out.get_ref().sync_all())
        .and_then(|()| fs::rename(&half, path))
        .map_err(failed)?;
    output::tell_over("");
    output::complain(&format!("{} in {}", output::count(count, "subscriber"), path.display()));
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes page by page; answers how many they are.
async fn write(
    line: &Line,
    args: &Args,
    out: &mut (dyn Write + Send),
) -> Result<io::Result<usize>, Failure> {
    let mut count = 0;
    let is_csv = args.csv || !args.json;
    if is_csv && let Err(error) = writeln!(out, "{},{}", COLUMNS.join(","), CONSENT.join(",")) {
        return Ok(Err(error));
    }
    let mut asking = Some(args.whom.ask(PEOPLE_MAX, true));
    while let Some(ask) = asking.take() {
        let (people, next) = page(line, &ask).await?;
        for person in &people {
            let text = if is_csv { whole_line_of(person) } else { row_of(person).to_string() };
            if let Err(error) = writeln!(out, "{text}") {
                return Ok(Err(error));
            }
        }
        count += people.len();
        if args.out.is_some() {
            output::tell_over(&format!("{count} written"));
        }
        asking = next.map(|from| PeopleAsk { from: Some(from), ..ask });
    }
    Ok(Ok(count))
}

/// The field of the record that a column shows.
fn field(column: &str) -> &str {
    match column {
        "joined" => "joined_at",
        "consented" => "consented_at",
        other => other,
    }
}

/// A person in the words of the columns.
pub(super) fn cells_of(person: &Value) -> Vec<String> {
    COLUMNS.iter().map(|column| text_of(&person[field(column)])).collect()
}

/// As a line of a table for spreadsheets.
pub(super) fn line_of(person: &Value) -> String {
    line(person, &COLUMNS)
}

fn whole_line_of(person: &Value) -> String {
    format!("{},{}", line(person, &COLUMNS), line(person, &CONSENT))
}

fn line(person: &Value, columns: &[&str]) -> String {
    let cells = columns.iter().map(|column| text_of(&person[field(column)]));
    cells.map(|text| cell(&Value::String(text))).collect::<Vec<_>>().join(",")
}

/// As an object that `import` reads.
fn row_of(person: &Value) -> Value {
    let columns = COLUMNS.iter().chain(&CONSENT);
    let fields = columns.map(|column| ((*column).to_owned(), person[field(column)].clone()));
    Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
}

/// Names in a row.
pub(super) fn words_of(list: &Value) -> String {
    list.as_array().into_iter().flatten().map(text_of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sec_a09_no_cell_is_a_formula() {
        let person = json!({
            "channel": "bot",
            "number": 7,
            "address": "-100123",
            "first_name": "=HYPERLINK(\"http://x\")",
            "topics": ["news", "shop"],
            "standing": "active",
            "joined_at": "2026-11-28T00:00:00Z",
            "consented_by": "start:news",
        });
        assert_eq!(
            whole_line_of(&person),
            "bot,7,\"'-100123\",,\"'=HYPERLINK(\"\"http://x\"\")\",,news shop,active,\
             2026-11-28T00:00:00Z,,start:news"
        );
        assert_eq!(row_of(&person)["joined"], "2026-11-28T00:00:00Z");
        assert_eq!(row_of(&person).get("language"), None);
    }
}
