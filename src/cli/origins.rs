//! `tidings report --sources`: where people came from.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::{Done, Settings, output, reach};

const COLUMNS: [&str; 4] = ["tag", "came", "active", "left_within_48h"];

/// What stands for people whose link said nothing.
const UNTAGGED: &str = "(no tag)";

pub(super) async fn run(settings: &Settings, is_json: bool, is_csv: bool) -> Done {
    let answer = reach::ask(settings, Ask::Origins).await?.value;
    if is_json {
        output::say_json(&answer);
        return Ok(());
    }
    let rows = answer["sources"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = if is_csv { csv(rows) } else { table(rows) };
    lines.iter().for_each(|line| output::say(line));
    Ok(())
}

/// A tag is a name, perhaps with a colon in it: nothing in it needs quotes.
fn csv(rows: &[Value]) -> Vec<String> {
    let head = std::iter::once(COLUMNS.join(","));
    let line = |row: &Value| {
        let cells = COLUMNS.map(|column| match &row[column] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            number => number.to_string(),
        });
        cells.join(",")
    };
    head.chain(rows.iter().map(line)).collect()
}

fn table(rows: &[Value]) -> Vec<String> {
    let tag = |row: &Value| row["tag"].as_str().unwrap_or(UNTAGGED).to_owned();
    let wide = rows.iter().map(|row| tag(row).chars().count()).max().unwrap_or(0).max(9);
    let head =
        format!("{:wide$}  {:>8}  {:>8}  {:>12}", "came from", "came", "active", "left in 48 h");
    let line = |row: &Value| {
        let number = |key: &str| row[key].as_u64().unwrap_or(0);
        let (came, active, left) = (number("came"), number("active"), number("left_within_48h"));
        format!("{:wide$}  {came:>8}  {active:>8}  {left:>12}", tag(row))
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_tells_a_tag_and_what_became_of_its_people() {
        let rows = [
            json!({ "tag": "web:harbour", "came": 12, "active": 10, "left_within_48h": 1 }),
            json!({ "tag": null, "came": 3, "active": 3, "left_within_48h": 0 }),
        ];
        let expected = ["tag,came,active,left_within_48h", "web:harbour,12,10,1", ",3,3,0"];
        assert_eq!(csv(&rows), expected);
        let table = table(&rows);
        assert_eq!(table[1], "web:harbour        12        10             1");
        assert!(table[2].starts_with("(no tag)   ") && table[0].starts_with("came from  "));
    }
}
