//! Rows and fields where the settings say they are, in XML.

use crate::extract::NotADocument;
use crate::extract::catalog::field::Field;
use crate::extract::catalog::recognise;
use crate::extract::catalog::record::Record;
use crate::extract::catalog::rows::RowElement;
use crate::extract::catalog::sheet::Element;
use crate::model::offer::Availability;
use crate::model::source::Mapping;

/// The paths of the fields, taken apart.
#[derive(Debug)]
pub(super) struct Paths {
    pub row: RowElement,
    fields: Vec<Path>,
}

#[derive(Debug)]
struct Path {
    field: Field,
    /// Names of the elements from the row's child on; empty for the row itself.
    steps: Vec<String>,
    attribute: Option<String>,
    /// The name of what is read says that it counts days until the thing is sent.
    counts_days: bool,
}

impl Paths {
    /// # Errors
    /// [`NotADocument::Unfit`] without a row.
    pub(super) fn of(mapping: &Mapping) -> Result<Self, NotADocument> {
        let mut row = mapping.row.split('/').filter(|step| !step.is_empty());
        let Some(name) = row.next_back() else {
            return Err(NotADocument::Unfit("it is XML, and the mapping has no `row`".into()));
        };
        let row = RowElement {
            name: recognise::local(name).to_owned(),
            around: row.map(|step| recognise::local(step).to_owned()).collect(),
            nests: true,
        };
        let fields = mapping.fields.iter().filter_map(|(key, path)| {
            let field = Field::of_mapping(key)?;
            let mut steps: Vec<String> = path
                .split('/')
                .map(str::trim)
                .filter(|step| !step.is_empty() && *step != ".")
                .map(ToOwned::to_owned)
                .collect();
            let attribute = steps
                .pop_if(|last| last.starts_with('@'))
                .map(|last| last.trim_start_matches('@').to_owned());
            let last = attribute.as_ref().or(steps.last());
            let counts_days = last.is_some_and(|last| last.eq_ignore_ascii_case("delivery_date"));
            Some(Path { field, steps, attribute, counts_days })
        });
        Ok(Self { row, fields: fields.collect() })
    }

    /// Takes what the elements of a row say.
    pub(super) fn fill<'a>(
        &self,
        elements: impl Iterator<Item = Element<'a>>,
        record: &mut Record<'a>,
    ) {
        let mut trail: Vec<&str> = Vec::new();
        for element in elements {
            let depth = element.depth();
            trail.truncate(depth.saturating_sub(1));
            if depth > 0 {
                trail.push(element.name());
            }
            for path in self.fields.iter().filter(|path| path.leads_to(&trail)) {
                let text = match &path.attribute {
                    Some(name) => element.attribute(name).unwrap_or_default(),
                    None if path.field == Field::Summary => element.markup().into(),
                    None => element.text().into(),
                };
                if path.counts_days {
                    record.stock = within_days(&text);
                } else {
                    record.put(path.field, text, false);
                }
            }
        }
    }
}

impl Path {
    fn leads_to(&self, trail: &[&str]) -> bool {
        self.steps.len() == trail.len()
            && self.steps.iter().zip(trail).all(|(step, name)| {
                step == name || !step.contains(':') && step == recognise::local(name)
            })
    }
}

/// Heureka's `DELIVERY_DATE`: days until it is sent, or the day on which it can be had.
fn within_days(text: &str) -> Availability {
    match text.parse::<u32>() {
        Ok(0) => Availability::InStock,
        Ok(_) => Availability::Backorder,
        Err(_) if text.is_empty() => Availability::Unknown,
        Err(_) => Availability::Preorder,
    }
}
