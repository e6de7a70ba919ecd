//! Values of structured data, with the references among them.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Most values of a list that are looked at.
const LIST_MAX: usize = 10_000;

/// So many members are gone over one by one.
const MEMBERS_FEW: usize = 6;

/// The values of a page and who is named what.
pub(crate) struct Graph<'v> {
    /// The fullest object of each `@id`.
    named: HashMap<&'v str, &'v Value>,
    pub roots: &'v [Value],
}

impl<'v> Graph<'v> {
    pub(crate) fn new(roots: &'v [Value]) -> Self {
        let mut named: HashMap<&str, &Value> = HashMap::new();
        let mut stack: Vec<&Value> = roots.iter().collect();
        while let Some(value) = stack.pop() {
            match value {
                Value::Array(all) => stack.extend(all),
                Value::Object(members) => {
                    stack.extend(members.values().filter(|it| it.is_object() || it.is_array()));
                    let Some(id) = members.get("@id").and_then(Value::as_str) else { continue };
                    let size = |value: &Value| value.as_object().map_or(0, Map::len);
                    let known = named.entry(id).or_insert(value);
                    if size(known) < members.len() {
                        *known = value;
                    }
                }
                _ => {}
            }
        }
        Self { named, roots }
    }

    /// The object that is meant: where only an `@id` stands, the one of this name.
    pub(crate) fn resolve(&self, value: &'v Value) -> &'v Value {
        let Some(members) = value.as_object() else { return value };
        let is_reference =
            members.len() <= 2 && members.keys().all(|key| matches!(key.as_str(), "@id" | "@type"));
        let id = members.get("@id").and_then(Value::as_str).filter(|_| is_reference);
        id.and_then(|id| self.named.get(id).copied()).unwrap_or(value)
    }

    /// The values of a member, whether one or a list of them; nulls left out.
    pub(crate) fn all(&self, value: &'v Value, key: &str) -> Vec<&'v Value> {
        match member(value, key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(all)) => {
                let nested = all.iter().flat_map(|one| match one {
                    Value::Array(inner) => inner.as_slice(),
                    one => std::slice::from_ref(one),
                });
                nested
                    .filter(|one| !one.is_null())
                    .take(LIST_MAX)
                    .map(|one| self.resolve(one))
                    .collect()
            }
            Some(one) => vec![self.resolve(one)],
        }
    }

    /// The first value of a member.
    pub(crate) fn first(&self, value: &'v Value, key: &str) -> Option<&'v Value> {
        self.all(value, key).into_iter().next()
    }

    /// The first text of the first of `keys` that has one: a string, a number, or the `name`,
    /// `@value`, `value` or `text` of an object. Trimmed, never empty.
    pub(crate) fn text(&self, value: &'v Value, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.all(value, key).into_iter().find_map(|one| self.words(one)))
    }

    /// The words of a value itself, as for [`Graph::text`].
    pub(crate) fn words(&self, value: &'v Value) -> Option<String> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Object(members) => {
                let inner =
                    ["name", "@value", "value", "text"].iter().find_map(|key| members.get(*key))?;
                return match inner {
                    Value::String(text) => Some(text.trim().to_owned()).filter(|it| !it.is_empty()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                };
            }
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The addresses of a member: strings, or the `url`, `contentUrl` or `@id` of objects.
    pub(crate) fn addresses(&self, value: &'v Value, key: &str) -> Vec<&'v str> {
        self.all(value, key).into_iter().filter_map(address).collect()
    }
}

/// The member of an object. Most objects have few members, and lack most of those that are asked
/// for: then lengths tell before bytes are compared.
fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    if members.len() > MEMBERS_FEW {
        return members.get(key);
    }
    let mut all = members.iter().filter(|(name, _)| name.len() == key.len());
    all.find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// The address that a value is or has.
pub(crate) fn address(value: &Value) -> Option<&str> {
    let text = match value {
        Value::String(text) => text.as_str(),
        Value::Object(members) => {
            let keys = ["url", "contentUrl", "@id"];
            keys.iter().find_map(|key| match members.get(*key) {
                Some(Value::String(text)) if !text.trim().is_empty() => Some(text.as_str()),
                Some(Value::Array(all)) => all.first().and_then(Value::as_str),
                _ => None,
            })?
        }
        _ => return None,
    };
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The types of a value without their vocabulary: `Product` of `https://schema.org/Product`.
pub(crate) fn types(value: &Value) -> impl Iterator<Item = &str> {
    let all = match value.get("@type") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    all.iter()
        .filter_map(Value::as_str)
        .map(|kind| kind.trim().rsplit(['/', '#', ':']).next().unwrap_or(kind))
}

pub(crate) fn is_of(value: &Value, wanted: &str) -> bool {
    types(value).any(|kind| kind == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_stands_for_the_fullest_object_of_its_name() {
        let roots = [json!({"@graph": [
            {"@id": "#a", "@type": "Person"},
            {"@id": "#a", "@type": "Person", "name": "Ann"},
            {"@type": "Article", "author": {"@id": "#a"}, "editor": {"@id": "#b"}},
        ]})];
        let graph = Graph::new(&roots);
        let article = &roots[0]["@graph"][2];
        assert_eq!(graph.text(article, &["author"]).as_deref(), Some("Ann"));
        assert_eq!(graph.text(article, &["editor"]), None);
        assert!(is_of(graph.first(article, "author").unwrap(), "Person"));
    }

    #[test]
    fn types_are_compared_without_their_vocabulary() {
        for kind in
            [json!("Product"), json!("http://schema.org/Product"), json!(["x", "schema:Product"])]
        {
            assert!(is_of(&json!({"@type": kind}), "Product"), "{kind}");
        }
        assert!(!is_of(&json!({"@type": "ProductGroup"}), "Product"));
    }

    #[test]
    fn addresses_are_strings_or_objects() {
        let value = json!({"image": ["/a", {"url": "/b"}, {"contentUrl": "/c"}, null, {"x": 1}]});
        assert_eq!(Graph::new(&[]).addresses(&value, "image"), ["/a", "/b", "/c"]);
    }
}
