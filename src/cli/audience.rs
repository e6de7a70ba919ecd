//! Who would get a post, in lines.

use serde_json::Value;

use crate::cli::output;

/// Languages of a channel that are shown.
const LANGUAGES_MAX: usize = 12;

/// Shows what a dry run told.
pub(super) fn tell(value: &Value) {
    lines(value).iter().for_each(|line| output::say(line));
}

fn lines(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (channel, languages) in value["languages"].as_object().into_iter().flatten() {
        let mut counts: Vec<(&String, u64)> = languages
            .as_object()
            .into_iter()
            .flatten()
            .map(|(language, count)| (language, count.as_u64().unwrap_or(0)))
            .collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let more = counts.len().saturating_sub(LANGUAGES_MAX);
        let shown: Vec<String> = counts
            .iter()
            .take(LANGUAGES_MAX)
            .map(|(language, count)| format!("{count} {language}"))
            .collect();
        if !shown.is_empty() {
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            lines.push(format!("  {channel}, by language: {}{more}", shown.join(", ")));
        }
    }
    let chats: Vec<&str> =
        value["chats"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !chats.is_empty() {
        lines.push(format!("  chats: {}", chats.join(", ")));
    }
    for (channel, reasons) in value["left_out"].as_object().into_iter().flatten() {
        let reasons: Vec<String> = reasons
            .as_object()
            .into_iter()
            .flatten()
            .map(|(reason, count)| format!("{count} {}", words(reason)))
            .collect();
        if !reasons.is_empty() {
            lines.push(format!("  {channel}, without: {}", reasons.join(", ")));
        }
    }
    for (channel, reasons) in value["later"].as_object().into_iter().flatten() {
        if let Some(count) = reasons["daily-max"].as_u64() {
            let at = value["later_at"].as_str().unwrap_or("the next day");
            lines.push(format!(
                "  {channel}, later: {count} who got as much today as `daily_max` allows, at {at}"
            ));
        }
        for (word, words) in CHOSEN {
            if let Some(count) = reasons[word].as_u64() {
                lines.push(format!("  {channel}, later: {count} {words}"));
            }
        }
    }
    let stages: Vec<String> = value["stages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|stage| format!("{} to {}", stage["share"].as_str().unwrap_or("?"), stage["total"]))
        .collect();
    if !stages.is_empty() {
        lines.push(format!("  in stages: {}", stages.join(", ")));
    }
    for words in value["clocks"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("  {words}"));
    }
    let sample: Vec<String> = value["sample"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|person| {
            let of = |key: &str| person[key].as_str().unwrap_or("?").to_owned();
            format!("{}/{} ({})", of("channel"), of("address"), of("language"))
        })
        .collect();
    if !sample.is_empty() {
        lines.push(format!("  for example: {}", sample.join(", ")));
    }
    for remark in value["remarks"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("  {remark}"));
    }
    lines
}

/// Why people get it later than others, by their own choice.
const CHOSEN: [(&str, &str); 3] = [
    ("daily", "who get such once a day"),
    ("weekly", "who get such once a week"),
    ("quiet-hours", "whose quiet hours it is in"),
];

/// Why people are not among those who would get it.
fn words(reason: &str) -> &str {
    match reason {
        "other-topics" => "of other topics",
        "audience" => "whom the audience does not mean",
        "unjudged" => "to whom the audience can't be applied",
        "stopped" => "who stopped",
        "blocked" => "who blocked us",
        "gone" => "who are gone",
        "stopped-chats" => "of the chats, where we were stopped",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_a_few_lines() {
        let told = serde_json::json!({
            "languages": { "bot": { "en": 1, "ro": 5 } },
            "chats": ["bot/@news"],
            "left_out": { "bot": { "audience": 3, "blocked": 1 } },
            "later": { "bot": { "daily-max": 2, "weekly": 1 } },
            "later_at": "2026-12-01T07:00:00Z",
            "stages": [{ "share": "50%", "total": 3 }, { "share": "100%", "total": 6 }],
            "sample": [{ "channel": "bot", "address": "7", "language": "ro" }],
            "remarks": ["bot is paused, and so it would wait: x"],
        });
        assert_eq!(
            lines(&told),
            [
                "  bot, by language: 5 ro, 1 en",
                "  chats: bot/@news",
                "  bot, without: 3 whom the audience does not mean, 1 who blocked us",
                "  bot, later: 2 who got as much today as `daily_max` allows, at \
                 2026-12-01T07:00:00Z",
                "  bot, later: 1 who get such once a week",
                "  in stages: 50% to 3, 100% to 6",
                "  for example: bot/7 (ro)",
                "  bot is paused, and so it would wait: x",
            ]
        );
    }
}
