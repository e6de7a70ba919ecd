//! Google Merchant and Meta in RSS and Atom: which element of an item says what.
//!
//! The vocabulary of products has its own prefix, whatever it is called, or none; the carrier's
//! elements (`title`, `link`, `guid`) say the same things in other words. Only the item's own
//! children count: `shipping`, `installment` and the like have prices of their own.

use url::Url;

use crate::extract::catalog::field::{Field, Names};
use crate::extract::catalog::price;
use crate::extract::catalog::recognise::{self, Kind, Tags};
use crate::extract::catalog::record::Record;
use crate::extract::catalog::sheet::{Element, attributes_of};
use crate::extract::link;
use crate::extract::ns::{self, Ns};

/// Most tags of the head that are looked at.
const TAGS_MAX: usize = 2_000;

/// What the head of a document says about the rest.
#[derive(Debug)]
pub(super) struct Merchant {
    /// The element that is a row.
    pub row: String,
    /// The shop's page, if the carrier is RSS and names it.
    pub home: Option<Url>,
    /// Prefixes of the vocabulary of products.
    own: Vec<String>,
    /// Prefixes of others.
    foreign: Vec<String>,
    is_atom: bool,
}

impl Merchant {
    pub(super) fn of(head: &str) -> Self {
        let mut found = Self {
            row: String::new(),
            home: None,
            own: vec!["g".into()],
            foreign: vec!["c".into()],
            is_atom: false,
        };
        let mut open: Vec<&str> = Vec::new();
        let mut row_of_own: Option<&str> = None;
        let mut has_root = false;
        for tag in Tags::new(head).take(TAGS_MAX) {
            let name = recognise::local(tag.name);
            if tag.kind == Kind::End {
                if let Some(at) = open.iter().rposition(|known| *known == name) {
                    open.truncate(at);
                }
                continue;
            }
            if !has_root {
                has_root = true;
                found.is_atom = name.eq_ignore_ascii_case("feed");
            }
            for (name, address) in attributes_of(tag.rest.trim_end_matches('/')) {
                let Some(prefix) = name.strip_prefix("xmlns:") else { continue };
                let is_own = ns::by_address(address) == Ns::Merchant;
                let list = if is_own { &mut found.own } else { &mut found.foreign };
                if !list.iter().any(|known| known == prefix) {
                    list.push(prefix.to_owned());
                }
            }
            if open.last() == Some(&"channel") && name == "link" && found.home.is_none() {
                let text = head.get(tag.end..).unwrap_or_default();
                let text = text.split('<').next().unwrap_or_default();
                found.home = link::absolute(text).filter(link::is_base);
            }
            if found.row.is_empty() && matches!(name, "item" | "entry") {
                name.clone_into(&mut found.row);
            }
            let is_own = tag
                .name
                .split_once(':')
                .is_some_and(|(prefix, _)| found.own.iter().any(|known| known == prefix));
            if is_own && row_of_own.is_none() {
                row_of_own = open.last().copied();
            }
            if tag.kind == Kind::Start {
                open.push(name);
            }
        }
        if found.row.is_empty() {
            let usual = if found.is_atom { "entry" } else { "item" };
            row_of_own.unwrap_or(usual).clone_into(&mut found.row);
        }
        found
    }

    /// Takes what the elements of an item say.
    pub(super) fn fill<'a>(
        &self,
        elements: impl Iterator<Item = Element<'a>>,
        names: &mut Names,
        record: &mut Record<'a>,
    ) {
        for element in elements {
            if element.depth() != 1 {
                continue;
            }
            let name = element.name();
            let Some(field) = names.meaning(name, |name| self.meaning(name)) else { continue };
            match field {
                Field::Link if element.text().is_empty() => {
                    let rel = element.attribute("rel").unwrap_or_default();
                    if (rel.is_empty() || rel == "alternate")
                        && let Some(href) = element.attribute("href")
                    {
                        record.put(field, href, false);
                    }
                    continue;
                }
                Field::Price | Field::Sale if !element.attributes().is_empty() => {
                    let named = ["currency", "unit", "currencyId"];
                    let named = named.iter().find_map(|name| element.attribute(name));
                    record.currency_made = named.and_then(|named| price::currency(&named));
                }
                _ => {}
            }
            let text = match field {
                Field::Summary | Field::Body => element.markup(),
                _ => element.text(),
            };
            record.put(field, text, name.contains(':'));
        }
    }

    fn meaning(&self, name: &str) -> Option<Field> {
        let Some((prefix, local)) = name.split_once(':') else {
            return match name {
                "id" if self.is_atom => Some(Field::Guid),
                "category" => Some(Field::Tags),
                // Files that Facebook's own tools write have `<enclosure>` and `<image>` with
                // children; only plain texts are pictures.
                name => Field::of_merchant(name),
            };
        };
        let is_own = self.own.iter().any(|own| own == prefix)
            || !self.foreign.iter().any(|foreign| foreign == prefix)
                && ns::by_prefix(prefix) == Ns::Other;
        match (is_own, prefix, local) {
            (true, _, local) => Field::of_merchant(local),
            (false, "content", "encoded") => Some(Field::Body),
            _ => None,
        }
    }
}
