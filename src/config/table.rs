//! Reads TOML tables into plain structs, with the place of every value.
//!
//! A struct declared by [`tables!`] is a table: its fields are the keys that the table may have,
//! so the list of known keys can't drift from what is read. Nothing stops at the first problem:
//! a value of the wrong type is told and taken as absent, an unknown key is told with the nearest
//! known one. Values are never shown, as a secret may stand anywhere by mistake.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::nearest::did_you_mean;
use crate::config::problem::{Findings, Place};
use crate::model::name::Name;

/// A value's position in the tree: the keys that lead to it, and where the last of them stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'n> {
    pub parent: Option<&'n Node<'n>>,
    pub key: &'n str,
    pub at: Place,
}

impl<'n> Node<'n> {
    /// The file itself.
    pub fn root(file: usize) -> Self {
        Self { parent: None, key: "", at: Place { file, offset: 0 } }
    }

    fn child(&'n self, key: &'n str, offset: usize) -> Node<'n> {
        Node { parent: Some(self), key, at: Place { offset, ..self.at } }
    }

    /// The same key at the place of its value.
    fn at_value(&self, value: &Spanned<DeValue<'_>>) -> Self {
        Self { at: Place { offset: value.span().start, ..self.at }, ..*self }
    }
}

/// The keys with dots between; the root is empty.
impl fmt::Display for Node<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        if parent.parent.is_some() {
            write!(out, "{parent}.")?;
        }
        out.write_str(&shown(self.key))
    }
}

/// A key as it can be shown: quoted where TOML would need it, cut at 64 characters.
pub(crate) fn shown(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.len() <= 64 && key.chars().all(is_bare) {
        return key.to_owned();
    }
    let cut: String = key.chars().take(64).flat_map(char::escape_debug).collect();
    format!("\"{cut}\"")
}

/// What can be read from a TOML value.
pub(crate) trait Read: Sized {
    /// Tells a problem and answers `None` when the value is of another type.
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self>;
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub value: T,
    pub at: Place,
}

impl<T: Read> Read for At<T> {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let at = node.at_value(value).at;
        T::read(value, node, found).map(|value| Self { value, at })
    }
}

impl Read for String {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.clone().into_owned()),
            _ => wrong_type("a string", value, node, found),
        }
    }
}

impl Read for bool {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(is_so) => Some(*is_so),
            _ => wrong_type("true or false", value, node, found),
        }
    }
}

impl Read for i64 {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(number) => {
                let read = Self::from_str_radix(number.as_str(), number.radix());
                if read.is_err() {
                    found.problem(node.at_value(value).at, &node.to_string(), "is far too large");
                }
                read.ok()
            }
            _ => wrong_type("a whole number", value, node, found),
        }
    }
}

impl Read for f64 {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Float(number) => number.as_str(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            _ => return wrong_type("a number", value, node, found),
        };
        match text.parse::<Self>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => wrong_type("a finite number", value, node, found),
        }
    }
}

/// A list; elements of the wrong type are told and left out.
impl<T: Read> Read for Vec<T> {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(list) => {
                Some(list.iter().filter_map(|each| T::read(each, node, found)).collect())
            }
            _ => wrong_type("a list, such as `[\"…\"]`", value, node, found),
        }
    }
}

/// A table whose keys are any texts, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Free<T>(pub Vec<(At<String>, T)>);

/// Entries of the wrong type are told and left out.
impl<T: Read> Read for Free<T> {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let table = as_table(value, node, found)?;
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table.iter() {
            let child = node.child(key.get_ref(), key.span().start);
            if let Some(value) = T::read(value, &child, found) {
                entries.push((At { value: key.get_ref().to_string(), at: child.at }, value));
            }
        }
        Some(Self(entries))
    }
}

/// A table whose keys are names that somebody chose, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Named<T>(pub Vec<Entry<T>>);

/// One of them. `at` is where the name stands.
#[derive(Clone, Debug)]
pub(crate) struct Entry<T> {
    pub name: Name,
    pub at: Place,
    pub value: T,
}

/// Entries with an impossible name are told, looked through and left out.
impl<T: Read> Read for Named<T> {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        if let DeValue::Array(_) = value.get_ref() {
            let hint = format!("write `[{node}.name]`, a table for each");
            let text = "must be a table of tables, got a list";
            found.problem(node.at_value(value).at, &node.to_string(), text).hint(hint);
            return None;
        }
        let table = as_table(value, node, found)?;
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table.iter() {
            let child = node.child(key.get_ref(), key.span().start);
            let name = Name::parse(key.get_ref());
            if let Err(error) = &name {
                let finding =
                    found.problem(child.at, &child.to_string(), format!("is no name: {error}"));
                if let Some(near) = near_name(key.get_ref()) {
                    finding.hint(format!("for example `{near}`"));
                }
            }
            let read = T::read(value, &child, found);
            if let (Ok(name), Some(value)) = (name, read) {
                entries.push(Entry { name, at: child.at, value });
            }
        }
        Some(Self(entries))
    }
}

/// Declares structs that are read from tables: name, path of the table with `*` for chosen
/// names, and the keys with their types. Every key may be absent. `TABLES` lists them all.
macro_rules! tables {
    ($( $(#[$doc:meta])* $name:ident $path:literal { $( $key:ident: $type:ty, )* } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub(crate) struct $name {
                $( pub $key: Option<$type>, )*
            }

            impl $name {
                pub const KEYS: &'static [&'static str] = &[$( stringify!($key) ),*];

                pub fn from_table(
                    table: &toml::de::DeTable<'_>,
                    node: &$crate::config::table::Node<'_>,
                    found: &mut $crate::config::problem::Findings,
                ) -> Self {
                    $crate::config::table::report_unknown(table, Self::KEYS, node, found);
                    Self {
                        $( $key: $crate::config::table::key(table, stringify!($key), node, found), )*
                    }
                }
            }

            impl $crate::config::table::Read for $name {
                fn read(
                    value: &toml::Spanned<toml::de::DeValue<'_>>,
                    node: &$crate::config::table::Node<'_>,
                    found: &mut $crate::config::problem::Findings,
                ) -> Option<Self> {
                    let table = $crate::config::table::as_table(value, node, found)?;
                    Some(Self::from_table(table, node, found))
                }
            }
        )*

        /// Every table's path and known keys.
        #[cfg(test)]
        pub(crate) const TABLES: &[(&str, &[&str])] = &[$( ($path, $name::KEYS) ),*];
    };
}
pub(crate) use tables;

/// The value as a table; another type is told.
pub(crate) fn as_table<'v, 'i>(
    value: &'v Spanned<DeValue<'i>>,
    node: &Node<'_>,
    found: &mut Findings,
) -> Option<&'v DeTable<'i>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => wrong_type("a table", value, node, found),
    }
}

/// Reads one key of a table; `None` when it is absent or of the wrong type, which is told.
pub(crate) fn key<T: Read>(
    table: &DeTable<'_>,
    key: &str,
    node: &Node<'_>,
    found: &mut Findings,
) -> Option<T> {
    let (spanned, value) = table.get_key_value(key)?;
    T::read(value, &node.child(key, spanned.span().start), found)
}

/// Tells of every key that is not among `known`.
pub(crate) fn report_unknown(
    table: &DeTable<'_>,
    known: &[&str],
    node: &Node<'_>,
    found: &mut Findings,
) {
    for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
        let child = node.child(key.get_ref(), key.span().start);
        let hint = did_you_mean(key.get_ref(), known.iter().copied())
            .unwrap_or_else(|| format!("known here: {}", listed(known)));
        found.problem(child.at, &child.to_string(), "unknown key").hint(hint);
    }
}

/// Tells that a value is of another type, naming both types.
pub(crate) fn wrong_type<T>(
    wanted: &str,
    value: &Spanned<DeValue<'_>>,
    node: &Node<'_>,
    found: &mut Findings,
) -> Option<T> {
    let got = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let text = format!("must be {wanted}, got {got}");
    found.problem(node.at_value(value).at, &node.to_string(), text);
    None
}

/// Words in code marks with commas between.
pub(crate) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The name that a key comes nearest to: lower case, `-` for what may not stand in a name.
fn near_name(key: &str) -> Option<Name> {
    let mut near = String::new();
    for c in key.to_lowercase().chars().take(crate::model::name::NAME_BYTES_MAX) {
        if c.is_ascii_alphanumeric() || c == '_' {
            near.push(c);
        } else if !near.is_empty() && !near.ends_with('-') {
            near.push('-');
        }
    }
    Name::parse(near.trim_end_matches('-').trim_start_matches('_')).ok()
}
