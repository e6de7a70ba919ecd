//! Microdata, as the same values as JSON-LD.
//!
//! Source: HTML standard, section 5 “Microdata”, with what is met beside it: `content` on any
//! element counts before its text.

use std::collections::HashMap;

use scraper::ElementRef;
use scraper::node::Element;
use serde_json::{Map, Value};

use crate::extract::dom::{Dom, attr, text};

/// Most properties of a page.
const PROPERTIES_MAX: usize = 10_000;
/// Most bytes of all values of a page.
const VALUES_BYTES_MAX: usize = 1 << 20;

/// An item while it is read.
#[derive(Default)]
struct Item {
    members: Map<String, Value>,
    /// Items that are values here: the property's name and the item's place.
    items: Vec<(String, usize)>,
    is_property: bool,
}

/// The topmost items, in document order.
///
/// 1. Every element with `itemscope` is an item. 2. Every element with `itemprop` belongs to the
///    item around it, or to that which names an element around it by `itemref`. 3. Items that are
///    values are put into their items, from the last to the first.
pub(super) fn items(dom: &Dom) -> Vec<Value> {
    let mut places = HashMap::new();
    let mut items: Vec<Item> = Vec::new();
    let mut referring: HashMap<&str, usize> = HashMap::new();
    // The elements with a property, and what they name.
    let mut named: Vec<(ElementRef<'_>, &str)> = Vec::new();
    for element in dom.elements() {
        let (mut is_item, mut names) = (false, "");
        for (name, value) in element.value().attrs() {
            match name {
                "itemscope" => is_item = true,
                "itemprop" => names = value.trim(),
                _ => {}
            }
        }
        if !names.is_empty() && named.len() < PROPERTIES_MAX {
            named.push((element, names));
        }
        if !is_item {
            continue;
        }
        let mut item = Item::default();
        if let Some(kinds) = attr(element, "itemtype") {
            let kinds = kinds.split_ascii_whitespace().map(Value::from).collect();
            item.members.insert("@type".into(), Value::Array(kinds));
        }
        if let Some(id) = attr(element, "itemid") {
            item.members.insert("@id".into(), id.into());
        }
        for id in attr(element, "itemref").into_iter().flat_map(str::split_ascii_whitespace) {
            referring.insert(id, items.len());
        }
        places.insert(element.id(), items.len());
        items.push(item);
    }
    if items.is_empty() {
        return Vec::new();
    }
    // Most pages have no references: then ids are not looked at.
    let referred = |id: Option<&str>| referring.get(id?.trim()).copied();
    let by_id = |element: &Element| {
        if referring.is_empty() { None } else { referred(element.attr("id")) }
    };
    let owner = |element: ElementRef<'_>| {
        by_id(element.value()).or_else(|| {
            element.ancestors().find_map(|node| {
                let place = places.get(&node.id()).copied();
                place.or_else(|| node.value().as_element().and_then(by_id))
            })
        })
    };
    let mut bytes = 0;
    for (element, names) in named {
        if bytes > VALUES_BYTES_MAX {
            break;
        }
        let Some(owner) = owner(element) else { continue };
        let inner = places.get(&element.id()).copied();
        let value = if inner.is_none() { value_of(element) } else { String::new() };
        bytes += value.len();
        for name in names.split_ascii_whitespace() {
            match (inner, items.get_mut(owner)) {
                // An item that refers to what is around it is left alone.
                (Some(inner), Some(item)) if inner > owner => {
                    item.items.push((name.to_owned(), inner));
                }
                (None, Some(item)) => add(&mut item.members, name, value.clone().into()),
                _ => {}
            }
        }
        if let Some(item) = inner.filter(|inner| *inner > owner).and_then(|at| items.get_mut(at)) {
            item.is_property = true;
        }
    }
    assembled(items)
}

fn assembled(mut items: Vec<Item>) -> Vec<Value> {
    let mut values: Vec<Option<Value>> = Vec::new();
    values.resize_with(items.len(), || None);
    for at in (0..items.len()).rev() {
        let Some(item) = items.get_mut(at).map(std::mem::take) else { continue };
        let mut members = item.members;
        for (name, inner) in item.items {
            if let Some(value) = values.get_mut(inner).and_then(Option::take) {
                add(&mut members, &name, value);
            }
        }
        if let (Some(slot), Some(place)) = (values.get_mut(at), items.get_mut(at)) {
            *slot = Some(Value::Object(members));
            place.is_property = item.is_property;
        }
    }
    let tops = values.into_iter().zip(items).filter(|(_, item)| !item.is_property);
    tops.filter_map(|(value, _)| value).collect()
}

/// Adds a value to a member: the second one makes it a list.
fn add(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        None => {
            members.insert(name.to_owned(), value);
        }
        Some(Value::Array(all)) => all.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
    }
}

fn value_of(element: ElementRef<'_>) -> String {
    let own = match element.value().name() {
        "a" | "area" | "link" => attr(element, "href"),
        "img" | "audio" | "video" | "source" | "iframe" | "embed" | "track" => attr(element, "src"),
        "object" => attr(element, "data"),
        "time" => attr(element, "datetime"),
        "data" | "meter" => attr(element, "value"),
        _ => None,
    };
    attr(element, "content").or(own).map_or_else(|| text(element), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::*;

    fn read(html: &str) -> Value {
        Value::Array(items(&Dom::parse(html, &Url::parse("https://e.com/").unwrap()).unwrap()))
    }

    #[test]
    fn items_have_the_values_of_their_elements() {
        let html = "<div itemscope itemtype='http://schema.org/Product'><h1 itemprop='name'>A b</h1>\
            <img itemprop=image src=/a.jpg><img itemprop=image src=/b.jpg>\
            <div itemprop=offers itemscope itemtype='https://schema.org/Offer'>\
            <span itemprop=price content='12.50'>12,50 €</span><link itemprop=availability href='InStock'></div></div>";
        assert_eq!(
            read(html),
            json!([{
                "@type": ["http://schema.org/Product"],
                "name": "A b",
                "image": ["/a.jpg", "/b.jpg"],
                "offers": {"@type": ["https://schema.org/Offer"], "price": "12.50", "availability": "InStock"},
            }])
        );
    }

    #[test]
    fn items_take_what_they_refer_to() {
        let html = "<div itemscope itemref='x y'></div><p id=x itemprop=a>1</p>\
            <div id=y><b itemprop=b>2</b></div><div itemscope itemref=z id=z itemprop=c></div>";
        assert_eq!(read(html), json!([{"a": "1", "b": "2"}, {}]));
    }
}
