use crate::model::name::Name;
use crate::render::expression::{Fault, Named, audience, condition};

fn told(faults: Option<Vec<Fault>>) -> String {
    let shown = |fault: Fault| match fault.hint {
        Some(hint) => format!("{} ({hint})", fault.problem),
        None => fault.problem,
    };
    faults.into_iter().flatten().map(shown).collect::<Vec<_>>().join("; ")
}

fn names(words: &[&str]) -> Vec<Name> {
    words.iter().map(|word| Name::parse(word).unwrap()).collect()
}

#[test]
fn what_an_item_can_never_be_is_told() {
    for (text, expected) in [
        (
            "item.title > 5",
            "`item.title` is text, which is not more or less than a number (write `item.title \
             | length > …` for its length)",
        ),
        (
            "item.sku == 5",
            "`item.sku` is text, and never equal to a number (write `item.sku == '…'`, with \
             quotes)",
        ),
        (
            "item.tags == 'port'",
            "`item.tags` is a list, and never equal to one word (write `'port' in item.tags`)",
        ),
        (
            "not ('port' != item.tags)",
            "`item.tags` is a list, and never equal to one word (write `'port' not in \
             item.tags`)",
        ),
        (
            "item.tags in ['port', 'sea']",
            "`item.tags` is a list, and `in` looks for one word (write `'port' in item.tags`)",
        ),
        (
            "item.media > 2",
            "`item.media` is a list, which is not more or less than anything (write \
             `item.media | length > …`)",
        ),
        (
            "item.percent_off == '20'",
            "'20' is text, and `item.percent_off` a number (write `item.percent_off == 7`, \
             without quotes)",
        ),
        (
            "20 > item.price",
            "`price` is text such as `15.00 EUR`, not a number (write `item.price | amount < \
             …`)",
        ),
        (
            "item.price < item.was",
            "`price` is text such as `15.00 EUR`, not a number (write `item.price | amount < \
             …`)",
        ),
        (
            "item.published >= 2026-01-01",
            "`2026-01-01` is a date without quotes (write `'2026-01-01'`)",
        ),
        (
            "item.published > 'yesterday'",
            "`yesterday` is no date as `item.published` has them (for example `item.published \
             >= '2026-01-31'`)",
        ),
        (
            "item.on_sale == 'true'",
            "`item.on_sale` is true or false, and never text (write `item.on_sale` or `not \
             item.on_sale`)",
        ),
        ("source == 'note'", "no source of the campaign is called `note`; did you mean `notes`?"),
        (
            "item.source in ['notes', 'x']",
            "no source of the campaign is called `x` (there is `notes`, `shop`)",
        ),
        (
            "2 * item.price > 20",
            "`price` is text such as `15.00 EUR`, not a number (write `item.price | amount * \
             …`)",
        ),
        ("'gon' == change", "no change is called `gon`; did you mean `gone`?"),
        (
            "item.language == 'RO'",
            "`RO` is never met: languages are in lower case; did you mean `ro`?",
        ),
    ] {
        assert_eq!(told(condition(text, &names(&["notes", "shop"])).err()), expected, "{text}");
    }
    for fine in [
        "item.title | length > 5 and item.title >= 'm'",
        "item.tags == [] or 'port' in item.tags or item.tags | length > 2",
        "item.price | amount < item.was | amount",
        "item.price == '15.00 EUR' or item.price != ''",
        "item.published >= '2026-01' and item.published != ''",
        "(item.title ~ 5) == 'x5' or item.title ~ 5 == 'x5'",
        "item.percent_off + 1 >= 20 and item.percent_off >= -1.5",
        "item.on_sale == true and source in ['notes']",
        "'drop' in change and '-12-' in item.published and 'r' in item.language",
        "item.price + ' now' != 'x' and item.title ~ 5 != 'x'",
        "item.tags | first | default('') == 'port' and item.tags | join(',') == 'a,b'",
        "item.language in ['ro', 'pt-br', '']",
    ] {
        assert_eq!(told(condition(fine, &names(&["notes", "shop"])).err()), "", "{fine}");
    }
}

#[test]
fn what_nobody_can_be_is_told() {
    let (topics, channels) = (names(&["news"]), names(&["bot"]));
    let named = Named { topics: &topics, channels: &channels, profile: None };
    for (text, expected) in [
        ("joined > 2026-01-01", "`2026-01-01` is a date without quotes (write `'2026-01-01'`)"),
        (
            "joined > 20260101",
            "`joined` is a date as text, not a number (write `joined > '2026-01-31'`)",
        ),
        ("days < 'x'", "'x' is text, and `days` a number (write `days < 7`, without quotes)"),
        (
            "topics == 'news'",
            "`topics` is a list, and never equal to one word (write `'news' in topics`)",
        ),
        ("language == 'RO'", "`RO` is never met: languages are in lower case; did you mean `ro`?"),
        (
            "language in ['ro', 'pt_BR']",
            "`pt_BR` is never met: languages are in lower case; did you mean `pt-br`?",
        ),
        (
            "language == 'Romanian'",
            "`Romanian` is no language (write its tag, such as `ro` or `pt-br`)",
        ),
        ("channel in ['bot', 'bat']", "there is no channel `bat`; did you mean `bot`?"),
    ] {
        assert_eq!(told(audience(text, named).err()), expected, "{text}");
    }
    for fine in [
        "profile.age >= 18 and profile.city == 'Cluj' and profile.age == '18'",
        "language | upper == 'RO' and days >= 7",
        "'news' in topics and topics | length == 1 and topics == ['news']",
    ] {
        assert_eq!(told(audience(fine, named).err()), "", "{fine}");
    }
}

#[test]
fn what_other_languages_write_is_told() {
    let hint = |text: &str| told(condition(text, &[]).err());
    for (text, expected) in [
        ("item.title = 'x'", "`==` asks whether two are equal"),
        ("item.title == 'x' AND item.image", "write `and`"),
        ("item.title == 'x' && item.image", "write `and`"),
        ("item.title == 'x' || item.image", "write `or`"),
        ("item.title <> 'x'", "write `!=`"),
        ("NOT item.on_sale and true OR false", "write `not`"),
        ("item.title == ‘x’", "write straight quotes"),
    ] {
        let said = hint(text);
        assert!(said.contains("is no expression") && said.contains(expected), "{text}: {said}");
    }
}
