//! Catalogs as delimited text: Google's and Meta's columns, or those that the settings name.
//!
//! The delimiter is told by the header. Meta's templates begin with a row of comments, whose cells
//! begin with `#`; it is passed over, wherever it stands.

use crate::extract::NotADocument;
use crate::extract::catalog::field::Field;
use crate::extract::catalog::record::{Context, Record, Scratch};
use crate::extract::catalog::records::{Fields, Next, Records};
use crate::extract::catalog::stream::{Stream, unreadable};
use crate::extract::catalog::tally::Tally;
use crate::extract::catalog::{Options, Row, Scan};
use crate::model::listing::Listing;
use crate::model::source::{CatalogFormat, Mapping};

/// What may part two cells, the likeliest first.
const DELIMITERS: [u8; 4] = [b'\t', b',', b';', b'|'];
/// How many rows may stand before the header.
const PREAMBLE_ROWS_MAX: usize = 8;
/// Most columns of a header.
const COLUMNS_MAX: usize = 1_000;
/// Most rows that are told apart as ragged.
const RAGGED_TOLD_MAX: u64 = 5;
/// Fewer known columns are no header of a catalog.
const KNOWN_COLUMNS_MIN: usize = 2;

/// Whether a text is a table of products.
///
/// # Errors
/// [`NotADocument`] says what it is instead.
pub(super) fn recognise(head: &str) -> Result<(), NotADocument> {
    Header::find(head, None).map(|_| ())
}

/// The row that names the columns.
#[derive(Debug)]
struct Header {
    delimiter: u8,
    /// The meaning of each column, in order.
    columns: Vec<Option<Field>>,
    /// The last column that a row must have.
    last: Option<usize>,
    /// Rows before it, and itself.
    rows: u64,
}

impl Header {
    fn find(head: &str, mapping: Option<&Mapping>) -> Result<Self, NotADocument> {
        let mut best: Option<(usize, usize, Self)> = None;
        let mut names = Vec::new();
        for delimiter in DELIMITERS {
            let Some((rows, cells)) = first_row(head, delimiter) else { continue };
            let columns: Vec<Option<Field>> =
                cells.iter().map(|name| meaning(name, mapping)).collect();
            let known = columns.iter().flatten().count();
            let score = (known, cells.len());
            if best.as_ref().is_none_or(|(k, c, _)| score > (*k, *c)) {
                let last = columns.iter().rposition(matters);
                best = Some((known, cells.len(), Self { delimiter, columns, last, rows }));
                names = cells;
            }
        }
        let Some((known, count, header)) = best else { return Err(NotADocument::Empty) };
        let has = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if has("handleId") && has("fieldType") {
            let line = "it is a table exported from Wix, whose rows are products and variants by \
                        turns: give the shop's sitemap or its product pages instead";
            return Err(NotADocument::Unfit(line.into()));
        }
        if let Some(mapping) = mapping {
            let missing = mapping.fields.iter().find(|(key, column)| {
                Field::of_mapping(key).is_some()
                    && !names.iter().any(|name| is_column(name, column))
            });
            if let Some((key, column)) = missing {
                let line = format!("`{key}` names a column that is not there: `{column}`");
                return Err(NotADocument::Unfit(line));
            }
            return Ok(header);
        }
        let is_named =
            [Field::Id, Field::Link].iter().any(|field| header.columns.contains(&Some(*field)));
        if known >= KNOWN_COLUMNS_MIN && is_named {
            return Ok(header);
        }
        if count < 2 {
            return Err(NotADocument::Unfit("it is neither markup, JSON nor a table".into()));
        }
        let shown: Vec<String> = names
            .iter()
            .take(6)
            .map(|name| name.chars().filter(|c| !c.is_control()).take(30).collect())
            .collect();
        let line = format!(
            "a table with the columns `{}`{}: describe it with `format = \"mapped\"`",
            shown.join("`, `"),
            if count > shown.len() { " and more" } else { "" },
        );
        Err(NotADocument::UnknownFormat(line))
    }

    /// Whether the last column that matters is among `count`.
    fn is_covered_by(&self, count: usize) -> bool {
        self.last.is_none_or(|last| last < count)
    }

    fn fill<'a>(&self, fields: Fields<'a>, record: &mut Record<'a>) {
        for (field, text) in self.columns.iter().zip(fields) {
            if let Some(field) = field {
                record.put(*field, text, false);
            }
        }
    }

    fn is_override(&self) -> bool {
        self.columns.contains(&Some(Field::Override))
    }
}

/// Whether a row that breaks off before a column of that meaning is none.
fn matters(field: &Option<Field>) -> bool {
    matches!(
        field,
        Some(Field::Id | Field::Title | Field::Link | Field::Price | Field::Availability)
    )
}

/// The first row that is neither empty, nor a comment, nor what spreadsheets put before a table:
/// its number, from 1, and its cells.
fn first_row(head: &str, delimiter: u8) -> Option<(u64, Vec<String>)> {
    let mut source = std::io::Cursor::new(head.as_bytes());
    let mut records = Records::new(&mut source, delimiter, 0);
    for number in 1..=PREAMBLE_ROWS_MAX {
        let Ok(Next::Record { fields, .. }) = records.next() else { return None };
        let cells: Vec<String> = fields
            .take(COLUMNS_MAX)
            .map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        if !is_preamble(&cells) {
            return Some((u64::try_from(number).unwrap_or(u64::MAX), cells));
        }
    }
    None
}

fn is_preamble(cells: &[String]) -> bool {
    let first = cells.first().map(String::as_str).unwrap_or_default();
    let is_empty = cells.iter().all(String::is_empty);
    let is_hint =
        cells.len() <= 2 && first.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sep="));
    is_empty || is_hint || first.starts_with('#')
}

fn meaning(name: &str, mapping: Option<&Mapping>) -> Option<Field> {
    match mapping {
        Some(mapping) => {
            let mapped = mapping.fields.iter().find(|(_, column)| is_column(name, column));
            mapped.and_then(|(key, _)| Field::of_mapping(key))
        }
        None => Field::of_merchant(name),
    }
}

fn is_column(name: &str, column: &str) -> bool {
    name == column || name.to_lowercase() == column.trim().to_lowercase()
}

/// The header of the document that the stream begins; `mapping` only if its format is that.
fn header(
    stream: &Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
) -> Result<Header, NotADocument> {
    let mapping = options.mapping.filter(|_| format == CatalogFormat::Mapped);
    Header::find(stream.head(), mapping)
}

/// [`scan`](crate::extract::catalog::scan) of delimited text.
pub(super) fn scan(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let header = header(stream, options, format)?;
    if header.is_override() {
        let line = "it is a file of overrides for a country or a language, not of products";
        return Err(NotADocument::Unfit(line.into()));
    }
    let encoding = stream.encoding();
    let start = stream.start();
    stream.seek(start).map_err(unreadable)?;
    let context = context(options);
    let mut scratch = Scratch::default();
    let mut records = Records::new(stream, header.delimiter, start);
    let mut remarks = Vec::new();
    let mut tally = Tally::default();
    let (mut number, mut ragged) = (0u64, 0u64);
    let mut tell_ragged = |number: u64, cells: usize, is_lost: bool| {
        ragged += 1;
        if ragged <= RAGGED_TOLD_MAX {
            let fate = if is_lost { " and was left out" } else { "" };
            let columns = header.columns.len();
            remarks.push(format!("row {number} has {cells} cells for {columns} columns{fate}"));
        }
    };
    let is_whole = loop {
        let (place, fields, is_single) = match records.next()? {
            Next::Record { place, fields, is_single } => (place, fields, is_single),
            Next::Broken => {
                number += 1;
                if number > header.rows {
                    tally.lose();
                }
                continue;
            }
            Next::End { is_whole } => break is_whole,
        };
        number += 1;
        if number <= header.rows || fields.is_blank() || fields.begins_with('#') {
            continue;
        }
        tally.count(options)?;
        let cells = fields.count_filled();
        if cells > header.columns.len() {
            tell_ragged(number, cells, true);
            tally.lost += 1;
            // A quote that was never closed has taken other rows with it.
            if !is_single {
                records.resume_behind_first_line()?;
            }
            continue;
        }
        let all = fields.len();
        if all < header.columns.len() && cells < header.columns.len() {
            let is_lost = !header.is_covered_by(all);
            if is_lost || all > 1 {
                tell_ragged(number, all, is_lost);
            }
            if is_lost {
                tally.lost += 1;
                continue;
            }
        }
        let mut record = Record::default();
        header.fill(fields, &mut record);
        if record.is_hidden {
            tally.hidden += 1;
        } else if record.is_named() {
            record.listings(place, &context, &mut scratch, each);
        } else {
            tally.nameless += 1;
        }
    };
    if ragged > RAGGED_TOLD_MAX {
        remarks.push(format!("{} more rows are ragged", ragged - RAGGED_TOLD_MAX));
    }
    remarks.extend(tally.remarks());
    Ok(Scan {
        format,
        encoding,
        quality: tally.quality(is_whole, false),
        is_window: false,
        rows: tally.rows,
        lost: tally.lost,
        next: None,
        turns_at: scratch.turns_at,
        remarks,
    })
}

/// [`pick`](crate::extract::catalog::pick) from delimited text.
pub(super) fn pick(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let header = header(stream, options, format)?;
    let context = context(options);
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| places.get(*at));
    let mut found: Vec<Option<Row>> = Vec::new();
    found.resize_with(places.len(), || None);
    for at in order {
        let Some(place) = places.get(at).copied() else { continue };
        stream.seek(place).map_err(unreadable)?;
        let mut records = Records::for_one(&mut *stream, header.delimiter, place);
        let Ok(Next::Record { fields, .. }) = records.next() else { continue };
        let mut record = Record::default();
        header.fill(fields, &mut record);
        if let Some(slot) = found.get_mut(at) {
            *slot = Some(record.row(place, &context));
        }
    }
    Ok(found.into_iter().flatten().collect())
}

fn context<'c>(options: &Options<'c>) -> Context<'c> {
    Context { base: options.base, home: None, currency: options.currency, now: options.now }
}
