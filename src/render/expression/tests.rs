use super::*;
use crate::model::offer::Amount;
use crate::model::post::PriceMove;

fn condition(text: &str) -> Result<Condition, Vec<Fault>> {
    super::condition(text, &[])
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn told(kind: ChangeKind) -> Told {
    Told { item: crate::model::item::ItemId([7; 16]), kind, price: None }
}

fn holds(text: &str, item: &Item, told: &Told) -> bool {
    use crate::model::condition::Verdict;
    match condition(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).judge(
        item,
        told,
        sample::NOW,
    ) {
        Verdict::Wanted => true,
        Verdict::Unwanted { .. } => false,
        Verdict::Failed { why, .. } => panic!("{text}: {why}"),
    }
}

fn wrong(text: &str) -> Vec<String> {
    let faults = condition(text).err().unwrap_or_default();
    let shown = |fault: Fault| match fault.hint {
        Some(hint) => format!("{} ({hint})", fault.problem),
        None => fault.problem,
    };
    faults.into_iter().map(shown).collect()
}

#[test]
fn a_condition_holds_or_does_not() {
    let item = sample(&name("blog"));
    let amount = |units| Amount::new(units, 2, "EUR".parse().ok()).unwrap();
    let price = PriceMove { from: amount(59_00), to: amount(44_00), lowest_30d: None };
    let drop = Told { price: Some(price), ..told(ChangeKind::PriceDrop) };
    let new = told(ChangeKind::New);
    let cases = [
        ("true", &new, true),
        ("'rust' in item.tags", &new, true),
        ("'rust' in item.tags and not item.title is matching('(?i)SPONSORED')", &new, true),
        ("item.title is matching('(?i)TITLE with')", &new, true),
        ("item.title is matching \"^with\"", &new, false),
        ("item.tags is matching('^ne')", &new, true),
        ("item.tags is not matching('^ne')", &new, false),
        ("item.text is matching('heading\\s')", &new, true),
        ("item.summary is matching('first words')", &new, true),
        ("source == 'blog' and change == 'new'", &new, true),
        ("change in ['price-drop', 'back-in-stock']", &new, false),
        ("change in ['price-drop', 'back-in-stock']", &drop, true),
        ("item.percent_off >= 20", &drop, true),
        ("item.percent_off >= 30", &drop, false),
        ("item.price | amount < 50", &drop, true),
        ("item.was | amount < 50", &drop, false),
        ("item.image and item.price | amount < 50", &drop, true),
        ("item.title | length > 500", &new, false),
        ("item.media | selectattr('kind', 'eq', 'audio') | list | length > 0", &new, true),
        ("item.language == 'ro' or item.availability == 'in-stock'", &new, true),
        ("not item.brand", &new, false),
        ("'%}' in item.title", &new, false),
    ];
    for (text, told, expected) in cases {
        assert_eq!(holds(text, &item, told), expected, "{text}");
    }
}

#[test]
fn an_item_that_has_nothing_is_judged_too() {
    let bare = bare_sample(&name("blog"));
    let new = told(ChangeKind::New);
    for text in ["item.image and item.title", "'rust' in item.tags", "item.price | amount > 0"] {
        // The first gives text for the other sample, and is refused for that.
        if let Ok(condition) = condition(text) {
            let verdict = condition.judge(&bare, &new, sample::NOW);
            let rule = text.to_owned();
            assert_eq!(verdict, crate::model::condition::Verdict::Unwanted { rule });
        }
    }
}

#[test]
fn whatever_is_wrong_is_told_with_a_guess() {
    let cases = [
        ("item.tite == 'x'", "no field `item.tite`; did you mean `item.title`?"),
        ("true or item.tite == 'x'", "no field `item.tite`; did you mean `item.title`?"),
        ("true or itm.title == 'x'", "`itm` is unknown; did you mean `item`?"),
        ("title == 'x'", "`title` is unknown; did you mean `item.title`?"),
        ("true or item.title | uper == 'X'", "there is no filter `uper`; did you mean `upper`?"),
        (
            "true or item.title is matchin('x')",
            "there is no test `is matchin`; did you mean `matching`?",
        ),
        (
            "true or item.title is not startswith('x')",
            "there is no test `is startswith`; did you mean `startingwith`?",
        ),
        ("item.title is matching('(x')", "`(x` is no pattern: unclosed group"),
        (
            "item.title is matching(item.brand)",
            "the pattern of `matching` must be written out (for example `item.title is \
             matching('(?i)sponsored')`)",
        ),
        (
            "item.price < 20",
            "`price` is text such as `15.00 EUR`, not a number (write `item.price | amount < …`)",
        ),
        ("change == 'price_drop'", "no change is called `price_drop`; did you mean `price-drop`?"),
        (
            "change.kind == 'new'",
            "`change.kind`: `change` is a word and has no fields (for example `change == 'new'`)",
        ),
        (
            "item.title",
            "must be true or false, but gives text (compare it with something, as in `item.title \
             != ''` or `item.percent_off >= 20`)",
        ),
        (
            "item.media | selectattr('knd', 'eq', 'audio') | list | length > 0",
            "no field `media.knd`; did you mean `media.kind`?",
        ),
        ("", "must have 1 to 2000 bytes"),
    ];
    for (text, expected) in cases {
        assert_eq!(wrong(text), [expected], "{text}");
    }
    for text in ["item.title ==", "item.title == 'x", "{{ item }}", "a b", "item.title is", "%} {%"]
    {
        let told = wrong(text);
        assert!(told.len() == 1 && told[0].starts_with("is no expression: "), "{text}: {told:?}");
    }
    assert_eq!(wrong("itm == 1 or item.tite == 2 or x | uper").len(), 4);
}

#[test]
fn two_of_the_same_words_are_equal() {
    assert_eq!(condition(" true ").unwrap(), condition("true").unwrap());
    assert_ne!(condition("true").unwrap(), condition("false").unwrap());
}
