//! Phrases: words with expressions in them, checked as conditions are.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::campaign::ChangeKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::phrase::Phrase;
use crate::model::post::Told;
use crate::model::time::Timestamp;
use crate::render::expression::{
    Fault, RULE, RULE_BYTES_MAX, environment, or_missed, seen, strangers, why,
};
use crate::render::sample::{self, bare_sample, sample};
use crate::render::values::Unknown;

/// Reads and checks words such as `{{ item.title }} at {{ item.published | date }}`.
///
/// # Errors
/// Everything that is wrong with them.
pub fn phrase(text: &str) -> Result<Phrase, Vec<Fault>> {
    if text.trim().is_empty() || text.len() > RULE_BYTES_MAX {
        return Err(vec![Fault::new(format!("must have 1 to {RULE_BYTES_MAX} bytes"))]);
    }
    let unread = |error: &minijinja::Error| {
        let detail = error.detail().unwrap_or("it can't be read");
        vec![Fault::new(format!("can't be read: {detail}")).hint("for example `{{ item.title }}`")]
    };
    let mut environment = environment();
    environment.add_template_owned(RULE, text.to_owned()).map_err(|error| unread(&error))?;
    let asked = {
        let template = environment.get_template(RULE).map_err(|error| unread(&error))?;
        template.undeclared_variables(true)
    };
    let faults = strangers(&asked.into_iter().collect());
    if !faults.is_empty() {
        return Err(faults);
    }
    let faults = tried(&environment);
    if !faults.is_empty() {
        return Err(faults);
    }
    let speak = move |item: &Item, told: &Told, now: Timestamp| {
        let context = seen(Arc::from([item.clone()]), told, now, None);
        let rendered = environment.get_template(RULE).and_then(|it| it.render(context));
        rendered.map_err(|error| why(&error))
    };
    Ok(Phrase::new(text, Arc::new(speak)))
}

/// What goes wrong with items that have everything, or next to nothing.
fn tried(environment: &minijinja::Environment<'_>) -> Vec<Fault> {
    let Ok(source) = Name::parse("sample") else { return Vec::new() };
    let unknown = Unknown::default();
    let mut faults = BTreeSet::new();
    for item in [sample(&source), bare_sample(&source)] {
        let items: Arc<[Item]> = Arc::from([item]);
        let told = Told { kind: ChangeKind::New, price: None, ..sample::told() };
        let context = seen(items, &told, sample::NOW, Some(unknown.clone()));
        if let Err(error) = environment.get_template(RULE).and_then(|it| it.render(context)) {
            faults.insert(Fault::new(why(&error)));
        }
    }
    or_missed(faults, &unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_and_mistakes_are_told() {
        let source = Name::parse("sample").unwrap();
        let (item, told) = (sample(&source), sample::told());
        let said = |text: &str| phrase(text).unwrap().say(&item, &told, sample::NOW).unwrap();
        assert_eq!(said("{{ item.title }}"), item.title);
        assert_eq!(said(" just\n words "), "just words");
        assert!(said("{{ source }}/{{ change }}").starts_with("sample/"));
        for (wrong, words) in [
            ("", "must have"),
            ("{{ item.title", "can't be read"),
            ("{{ item.titel }}", "did you mean `item.title`"),
            ("{{ title }}", "did you mean `item.title`"),
        ] {
            let faults = phrase(wrong).unwrap_err();
            let all: String = faults.iter().map(|fault| fault.problem.clone()).collect();
            assert!(all.contains(words), "{wrong}: {all}");
        }
    }
}
