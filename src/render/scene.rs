//! What a layout sees at its top: the items, the campaign, the language, the person.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Object;

use crate::model::campaign::ChangeKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::model::time::Timestamp;
use crate::render::engine::OUTPUT_BYTES_MAX;
use crate::render::values::{Anything, ItemValue, PersonValue, Unknown};

/// What a layout sees at its top.
pub(super) const VARIABLES: [&str; 5] = ["items", "item", "campaign", "language", "subscriber"];

/// What a layout knows beside its items.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub campaign: &'a Name,
    /// What happened to the items; one that is not among these is shown as new.
    pub told: &'a [Told],
    /// Decides which sales are in force.
    pub now: Timestamp,
}

/// For whom a layout is rendered. What is not known is empty to the layout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Person {
    /// BCP 47, lower case.
    pub language: Option<String>,
    pub first_name: Option<String>,
    /// An IANA name, or a distance from UTC.
    pub timezone: Option<String>,
    /// What they have told of themselves, by the field's name.
    pub profile: Vec<(String, String)>,
}

impl Scene<'_> {
    /// What happened to the item, if that is known.
    pub fn told_of(&self, item: &Item) -> Option<&Told> {
        self.told.iter().find(|told| told.item == item.id)
    }

    /// What the item costs, in the same words for every reader: `59.00 EUR → 44.00 EUR` where its
    /// move was told. `None` where it can't be bought.
    pub(super) fn price_of(&self, item: &Item) -> Option<String> {
        let told = self.told_of(item);
        if let Some(moved) = told.and_then(|told| told.price) {
            return Some(format!("{} → {}", moved.from, moved.to));
        }
        if told.is_some_and(|told| matches!(told.kind, ChangeKind::Gone | ChangeKind::OutOfStock)) {
            return None;
        }
        Some(item.offer.as_ref()?.terms.price_at(self.now)?.to_string())
    }
}

/// Items made ready for any number of renders: their texts are written as HTML once.
#[derive(Clone, Debug)]
pub struct Stage {
    items: Value,
    first: Value,
    campaign: Value,
    check: Option<Check>,
}

/// While a layout is checked: where to note unknown fields, and the unknown names it asks for.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub unknown: Unknown,
    pub strangers: Arc<[String]>,
}

impl Stage {
    pub fn new(items: &Arc<[Item]>, scene: &Scene<'_>) -> Self {
        Self::with(items, scene, None)
    }

    pub(super) fn with(items: &Arc<[Item]>, scene: &Scene<'_>, check: Option<Check>) -> Self {
        let text_bytes_max = text_bytes_max(items.len());
        let value = |(at, item): (usize, &Item)| {
            let unknown = check.as_ref().map(|check| check.unknown.clone());
            let told = scene.told_of(item).copied();
            let (items, now) = (Arc::clone(items), scene.now);
            Value::from_object(ItemValue::new(items, at, told, now, text_bytes_max, unknown))
        };
        let items: Vec<Value> = items.iter().enumerate().map(value).collect();
        let first = items.first().cloned().unwrap_or(Value::UNDEFINED);
        Self { items: items.into(), first, campaign: scene.campaign.as_str().into(), check }
    }

    /// What a layout sees, for one reader.
    pub(super) fn context(&self, language: Option<&str>, person: Option<&Person>) -> Value {
        let unknown = self.check.as_ref().map(|check| check.unknown.clone());
        let person = PersonValue { person: person.cloned().unwrap_or_default(), unknown };
        Value::from_object(Top {
            stage: self.clone(),
            language: language.unwrap_or_default().into(),
            subscriber: Value::from_object(person),
        })
    }
}

/// Longest `summary`, `body` and `text` of one of so many items, in bytes: half the output for the
/// texts of all; the rest is the layout's.
pub(super) fn text_bytes_max(items: usize) -> usize {
    OUTPUT_BYTES_MAX / 2 / items.max(1)
}

#[derive(Debug)]
struct Top {
    stage: Stage,
    language: Value,
    subscriber: Value,
}

impl Object for Top {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "items" => Some(self.stage.items.clone()),
            "item" => Some(self.stage.first.clone()),
            "campaign" => Some(self.stage.campaign.clone()),
            "language" => Some(self.language.clone()),
            "subscriber" => Some(self.subscriber.clone()),
            _ => {
                let strangers = &self.stage.check.as_ref()?.strangers;
                strangers.iter().any(|it| it == key).then(|| Value::from_object(Anything))
            }
        }
    }
}
