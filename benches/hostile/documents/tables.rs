//! Tables of delimited text.

use super::{Document, Kind, flood, many};

const HEADER: &str = "id\ttitle\tlink\tprice\tavailability\tdescription\n";

type Table = (&'static str, fn(usize) -> String);

const TABLES: &[Table] = &[
    ("rows", |n| {
        table(&many(n, |at| format!("{at}\tName {at}\t/p/{at}\t1.50 EUR\tin stock\tWords\n")))
    }),
    ("tiny rows", |n| table(&flood(n, "a\n"))),
    ("empty lines", |n| table(&flood(n, "\r\n"))),
    ("rows of empty cells", |n| table(&flood(n, "\t\t\t\t\t\n"))),
    ("cells", |n| table(&flood(n, "\t"))),
    ("lines of 9000 cells", |n| table(&flood(n, &("\t".repeat(9_000) + "\n")))),
    ("lines of 20000 cells", |n| table(&flood(n, &("\t".repeat(20_000) + "\n")))),
    ("a cell", |n| table(&flood(n, "words "))),
    ("a quoted cell", |n| table(&format!("\"{}\"", flood(n, "words\n")))),
    ("an open quote", |n| table(&format!("\"{}", flood(n, "words\n")))),
    ("open quotes", |n| table(&flood(n, "1\t\"a\n"))),
    ("odd quotes", |n| table(&flood(n, "1\t\"a\"b\"\n"))),
    ("quotes in threes", |n| table(&flood(n, "\"\"\"\n"))),
    ("doubled quotes", |n| table(&format!("1\t\"{}\"\n", flood(n, "\"\"")))),
    ("doubled quotes of rows", |n| table(&flood(n, &format!("1\t\"{}\"\n", "\"\"".repeat(50))))),
    ("quotes and cells", |n| table(&flood(n, "\"\n\t\"\t"))),
    ("open quotes of many cells", |n| table(&flood(n, &format!("\"\n\"{}", "\t".repeat(10_001))))),
    ("a long header", |n| many(n, |at| format!("id{at}\t")) + "id\ttitle\n1\ta\n"),
    ("a header of 900 columns", |n| {
        let header: String = (0..900).map(|at| format!("x{at}\t")).collect();
        format!("id\ttitle\t{header}\n") + &flood(n, "1\ta\n")
    }),
    ("the same column 900 times", |n| {
        let row = "a\t".repeat(900) + "\n";
        format!("id\ttitle\t{}\n", "additional_image_link\t".repeat(900)) + &flood(n, &row)
    }),
    ("comments", |n| flood(n, "# comment\n")),
    ("comments below a header", |n| table(&flood(n, "# comment\n"))),
    ("returns", |n| table(&flood(n, "\r"))),
    ("pictures", |n| {
        let set = "/a.jpg,".repeat(100);
        format!("id\timage_link\tadditional_image_link\n{}", flood(n, &format!("1\t/a\t{set}\n")))
    }),
    ("dates of sales", |n| {
        format!(
            "id\tprice\tsale_price\tsale_price_effective_date\n{}",
            flood(n, "1\t1.50 EUR\t1 EUR\t2024-01-01T00:00+0100/2030-01-01T00:00+0100\n")
        )
    }),
    ("other delimiters", |n| format!("id|title,link;price\n{}", flood(n, "1|a,b;c\n"))),
    ("letters beyond ASCII", |n| table(&flood(n, "1\tțară\t/ș\n"))),
];

fn table(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

pub fn all() -> Vec<Document> {
    let of = |(name, table): &'static Table| Document {
        name: format!("table: {name}").leak(),
        kind: Kind::Table,
        make: Box::new(move |length| table(length).into_bytes()),
    };
    TABLES.iter().map(of).collect()
}
