//! Documents of JSON. The rows have what each platform's rows have, so that all take them for theirs.

use super::{Document, Kind, flood, many};

type Trick = (&'static str, fn(usize) -> String);

/// The beginning of a row of any platform; `#` stands for its number.
const ROW: &str = r##""id":#,"id_product":"#","handle":"p#","urlId":"p#","title":"P","name":"P","link":"/p/#","slug":"p","date":"2024-05-06T07:08:09","permalink":"/p/#","price":"1.50","##;

const TRICKS: &[Trick] = &[
    ("rows", |n| rows(n, "\"body_html\":\"<p>words</p>\"")),
    ("tiny rows", |n| list(&flood(n, "{},"), "{}")),
    ("rows of numbers", |n| list(&flood(n, "0,"), "0")),
    ("rows of nothing", |n| list(&flood(n, "null,"), "null")),
    ("rows of names only", |n| list(&many(n, |at| format!("{{\"id\":{at}}},")), "{}")),
    ("commas", |n| list(&flood(n, ","), "{}")),
    ("brackets", |n| flood(n, "[")),
    ("brackets of objects", |n| flood(n, "{\"a\":")),
    ("nesting, 60 deep", |n| {
        let deep = "[".repeat(60) + &"]".repeat(60);
        rows(n, &format!("\"a\":{deep}"))
    }),
    ("numbers", |n| one_row(&format!("\"a\":{}", flood(n, "1")))),
    ("fractions", |n| one_row(&format!("\"price\":0.{}", flood(n, "1")))),
    ("exponents", |n| rows(n, "\"price\":1e308,\"a\":1e-400")),
    ("members", |n| one_row(&(many(n, |at| format!("\"a{at}\":0,")) + "\"b\":0"))),
    ("the same member", |n| one_row(&(flood(n, "\"a\":0,") + "\"b\":0"))),
    ("members of the root", |n| {
        format!("{{{}\"products\":[]}}", many(n, |at| format!("\"a{at}\":0,")))
    }),
    ("a long name", |n| one_row(&format!("\"{}\":0", flood(n, "a")))),
    ("escapes", |n| one_row(&format!("\"body_html\":\"{}\"", flood(n, "\\u0041\\n\\\"")))),
    ("halves of characters", |n| one_row(&format!("\"title\":\"{}\"", flood(n, "\\ud83d")))),
    ("backslashes", |n| one_row(&format!("\"title\":\"{}\"", flood(n, "\\\\")))),
    ("an open string", |n| format!("{{\"products\":[{{\"id\":\"{}", flood(n, "a,[{"))),
    ("open strings of rows", |n| list(&flood(n, "{\"id\":\"},"), "{}")),
    ("a string of markup", |n| one_row(&format!("\"body_html\":\"{}\"", flood(n, "<b>x</b><p>")))),
    ("strings of markup", |n| {
        rows(n, &format!("\"body_html\":\"{0}\",\"description\":\"{0}\"", "<p>x</p>".repeat(100)))
    }),
    ("variants", |n| {
        let all = many(n, |at| format!("{{\"id\":{at},\"title\":\"V{at}\",\"price\":\"1.00\"}},"));
        one_row(&format!("\"variants\":[{all}0]"))
    }),
    ("2000 variants of rows", |n| {
        let all: String =
            (0..2_000).map(|at| format!("{{\"id\":{at},\"price\":\"1\"}},")).collect();
        rows(n, &format!("\"variants\":[{all}0]"))
    }),
    ("images", |n| {
        let all = many(n, |at| format!("{{\"src\":\"/{at}.jpg\"}},"));
        one_row(&format!("\"images\":[{all}0]"))
    }),
    ("2000 images of rows", |n| {
        let all: String = (0..2_000).map(|at| format!("{{\"src\":\"/{at}.jpg\"}},")).collect();
        rows(n, &format!("\"images\":[{all}0],\"variants\":[]"))
    }),
    ("options and attributes", |n| {
        let all: String = (0..1_000)
            .map(|at| format!("{{\"name\":\"o{at}\",\"id\":{at},\"value\":\"v\"}},"))
            .collect();
        rows(n, &format!("\"attributes\":[{all}0],\"options\":[{all}0],\"variations\":[{all}0]"))
    }),
    ("tags", |n| {
        let all = many(n, |at| format!("\"t{at}\","));
        one_row(&format!("\"tags\":[{all}0],\"categories\":[{all}0]"))
    }),
    ("tags in a text", |n| one_row(&format!("\"tags\":\"{}\"", many(n, |at| format!("t{at},"))))),
    ("terms of posts", |n| {
        let all: String = (0..900).map(|at| format!("{{\"id\":{at},\"name\":\"t\"}},")).collect();
        rows(n, &format!("\"_embedded\":{{\"wp:term\":[[{all}0],[{all}0]],\"author\":[{all}0]}}"))
    }),
    ("dates", |n| rows(n, &format!("\"date_gmt\":\"{}\"", "1 May 2024 ".repeat(30)))),
    ("blanks", |n| format!("{{{}\"products\":[]}}", flood(n, " \n"))),
    ("a feed", |n| feed(n, "\"content_html\":\"<p>words</p>\"")),
    ("a feed of unknown members", |n| feed(n, &("\"x\":[{}],".repeat(200) + "\"y\":0"))),
    ("a feed of attachments", |n| {
        let all: String = (0..900).map(|at| format!("{{\"url\":\"/{at}.mp3\"}},")).collect();
        feed(n, &format!("\"attachments\":[{all}0]"))
    }),
    ("a feed of authors", |n| {
        let all: String = (0..900).map(|at| format!("{{\"name\":\"a{at}\"}},")).collect();
        feed(n, &format!("\"authors\":[{all}0]"))
    }),
    ("a feed of one author", |n| {
        let author = flood(n / 2, "Ann ");
        let items = many(n / 2, |at| format!("{{\"id\":{at}}},"));
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"authors\":[{{\"name\":\"{author}\"}}],\"items\":[{items}{{}}]}}"
        )
    }),
    ("a feed of tiny items", |n| {
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}{{}}]}}",
            flood(n, "{},")
        )
    }),
    ("a feed of numbers", |n| {
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}{{}}]}}",
            flood(n, "0,")
        )
    }),
    ("lines", |n| many(n, |at| format!("{{{}\"a\":0}}\n", ROW.replace('#', &at.to_string())))),
    ("lines of nothing", |n| flood(n, "{}\n")),
];

fn rows(length: usize, more: &str) -> String {
    let row = |at: usize| format!("{{{}{more}}},", ROW.replace('#', &at.to_string()));
    list(&many(length, row), "{}")
}

fn one_row(more: &str) -> String {
    list("", &format!("{{{}{more}}}", ROW.replace('#', "1")))
}

/// As the value of all members that a platform may have its rows in.
fn list(rows: &str, last: &str) -> String {
    format!("[{rows}{last}]")
}

fn feed(length: usize, more: &str) -> String {
    let item = |at: usize| format!("{{\"id\":\"{at}\",\"url\":\"/{at}\",{more}}},");
    let items = many(length, item);
    format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{items}{{}}]}}")
}

pub fn all() -> Vec<Document> {
    let mut found = Vec::new();
    for (name, trick) in TRICKS {
        found.push(Document {
            name: format!("json: {name}").leak(),
            kind: Kind::Json,
            make: Box::new(move |length| trick(length).into_bytes()),
        });
        // The same list as the `products` of an object, which other platforms have.
        found.push(Document {
            name: format!("json object: {name}").leak(),
            kind: Kind::Json,
            make: Box::new(move |length| {
                let text = trick(length);
                let wraps = text.starts_with("[{") || text.starts_with("[0");
                let text = if wraps { format!("{{\"products\":{text}}}") } else { text };
                text.into_bytes()
            }),
        });
    }
    found
}
