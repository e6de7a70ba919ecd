//! The products and articles among the values of a page, and what they are to the page.

use std::collections::HashSet;

use serde_json::Value;

use crate::extract::structured::graph::{Graph, is_of, types};

/// Most values that are looked at.
const STEPS_MAX: usize = 200_000;

/// Where things stand within others, and what they are there; `None` is what the outer one is. The
/// last is looked at first.
const INSIDE: [(&str, Option<Place>); 11] = [
    ("dataFeedElement", Some(Place::Listed)),
    ("hasPart", Some(Place::Listed)),
    ("itemOffered", None),
    ("item", None),
    ("itemListElement", Some(Place::Listed)),
    ("blogPosts", Some(Place::Listed)),
    ("blogPost", Some(Place::Listed)),
    ("hasOfferCatalog", Some(Place::Listed)),
    ("mainEntityOfPage", None),
    ("mainEntity", Some(Place::Main)),
    ("@graph", Some(Place::Top)),
];

/// Something that the page tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thing<'v> {
    pub value: &'v Value,
    pub kind: Kind,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Product,
    Article,
    /// A list's element with an address and perhaps a name.
    Link,
}

/// What a thing is to its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The page is about it.
    Main,
    /// Stands by itself.
    Top,
    /// One of a list.
    Listed,
}

/// All things, in document order, each once. Forms of a product are no things of their own, and
/// what a product only points to (related ones) is none.
pub(crate) fn things<'v>(graph: &Graph<'v>) -> Vec<Thing<'v>> {
    let mut found: Vec<Thing<'v>> = Vec::new();
    let mut seen: HashSet<*const Value> = HashSet::new();
    let mut forms: HashSet<*const Value> = HashSet::new();
    let mut stack: Vec<(&'v Value, Place)> =
        graph.roots.iter().rev().map(|root| (root, Place::Top)).collect();
    let mut steps = 0;
    while let Some((value, place)) = stack.pop() {
        steps += 1;
        if steps > STEPS_MAX {
            break;
        }
        if let Value::Array(all) = value {
            stack.extend(all.iter().rev().map(|one| (one, place)));
            continue;
        }
        if let Value::String(_) = value {
            if place == Place::Listed && seen.insert(value) {
                found.push(Thing { value, kind: Kind::Link, place });
            }
            continue;
        }
        let value = graph.resolve(value);
        if !value.is_object() {
            continue;
        }
        let first_time = seen.insert(value);
        if let Some(kind) = kind(value) {
            if first_time {
                found.push(Thing { value, kind, place });
            } else if place == Place::Main {
                // Met before at the top of a graph.
                let known = found.iter_mut().find(|known| std::ptr::eq(known.value, value));
                if let Some(known) = known {
                    known.place = Place::Main;
                }
            }
            if kind == Kind::Product {
                forms.extend(graph.all(value, "hasVariant").into_iter().map(std::ptr::from_ref));
            }
            continue;
        }
        if !first_time {
            continue;
        }
        if types(value).any(|kind| {
            matches!(kind, "BreadcrumbList" | "SiteNavigationElement" | "FAQPage" | "HowTo")
        }) {
            continue;
        }
        if is_of(value, "ListItem") && graph.first(value, "item").is_none_or(is_bare) {
            found.push(Thing { value, kind: Kind::Link, place: Place::Listed });
            continue;
        }
        for (key, inner) in INSIDE {
            let Some(member) = value.get(key) else { continue };
            // Strings are elements of lists only.
            if member.is_string() {
                continue;
            }
            let inner = if place == Place::Listed { Place::Listed } else { inner.unwrap_or(place) };
            stack.push((member, inner));
        }
    }
    found.retain(|thing| !forms.contains(&std::ptr::from_ref(thing.value)));
    found
}

fn kind(value: &Value) -> Option<Kind> {
    types(value).find_map(|kind| match kind {
        "Product" | "ProductGroup" | "ProductModel" | "IndividualProduct" | "SomeProducts"
        | "Vehicle" | "Car" => Some(Kind::Product),
        "Book" if value.get("offers").is_some() => Some(Kind::Product),
        "BlogPosting"
        | "SocialMediaPosting"
        | "DiscussionForumPosting"
        | "LiveBlogPosting"
        | "Report" => Some(Kind::Article),
        kind if kind.ends_with("Article") => Some(Kind::Article),
        _ => None,
    })
}

/// Whether a list's item is an address or an object without a kind that is known.
fn is_bare(item: &Value) -> bool {
    kind(item).is_none() && !is_of(item, "ItemList")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(roots: &[Value]) -> Vec<String> {
        let graph = Graph::new(roots);
        things(&graph)
            .into_iter()
            .map(|thing| {
                let name = graph.text(thing.value, &["name", "headline", "url"]);
                let name = name.or_else(|| graph.words(thing.value)).unwrap_or_default();
                format!("{:?} {:?} {name}", thing.place, thing.kind)
            })
            .collect()
    }

    #[test]
    fn things_are_found_wherever_pages_put_them() {
        for (value, expected) in [
            (
                json!({"@type": "Product", "name": "a", "isRelatedTo": [{"@type": "Product", "name": "b"}]}),
                vec!["Top Product a"],
            ),
            (
                json!({"@graph": [{"@type": "WebPage", "mainEntity": {"@id": "#p"}}, {"@type": "Product", "@id": "#p", "name": "a"}]}),
                vec!["Main Product a"],
            ),
            (
                json!({"@graph": [{"@type": "Product", "@id": "#p", "name": "a"}, {"@type": "WebPage", "mainEntity": {"@id": "#p"}}]}),
                vec!["Main Product a"],
            ),
            (
                json!({"@type": "ItemList", "itemListElement": [
                    {"@type": "ListItem", "item": {"@type": "Product", "name": "a"}},
                    {"@type": "ListItem", "url": "/b"},
                    {"@type": "ListItem", "item": "/c", "name": "c"},
                    "/d",
                ]}),
                vec!["Listed Product a", "Listed Link /b", "Listed Link c", "Listed Link /d"],
            ),
            (
                json!({"@type": "BreadcrumbList", "itemListElement": [{"@type": "ListItem", "item": "/c", "name": "c"}]}),
                vec![],
            ),
            (
                json!({"@type": "Blog", "name": "x", "blogPost": [{"@type": "BlogPosting", "headline": "a"}, {"@type": "BlogPosting", "headline": "b"}]}),
                vec!["Listed Article a", "Listed Article b"],
            ),
            (
                json!([{"@type": "ProductGroup", "name": "g", "hasVariant": [{"@id": "#v"}]}, {"@type": "Product", "@id": "#v", "name": "v"}]),
                vec!["Top Product g"],
            ),
            (
                json!({"@type": "CollectionPage", "mainEntity": {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "name": "a", "url": "/a"}]}}),
                vec!["Listed Link a"],
            ),
            (json!({"@type": "Organization", "name": "x"}), vec![]),
        ] {
            assert_eq!(told(std::slice::from_ref(&value)), expected, "{value}");
        }
    }
}
