//! Filters of addresses.

use minijinja::value::Kwargs;
use minijinja::{Error, Value};
use url::Url;

use crate::markup;
use crate::render::filters::words;

/// Longest value of one parameter, in bytes; more is cut.
const PARAMETER_BYTES_MAX: usize = 200;

/// The parameters, in the order in which they are added.
const PARAMETERS: [&str; 5] = ["source", "medium", "campaign", "term", "content"];

/// The host of an address without `www.`; empty when it is no address.
pub(super) fn domain(value: &Value) -> Result<String, Error> {
    let text = words(value)?;
    let url = markup::address(&text, None);
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    Ok(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

/// The address with `utm_source` and the like, in place of such that it has; everything else of it
/// stays to the letter. What is no address stays as it is.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over so")]
pub(super) fn utm(value: &Value, kwargs: Kwargs) -> Result<String, Error> {
    let mut added: Vec<(&str, String)> = Vec::new();
    for name in PARAMETERS {
        let given = kwargs.get::<Option<&Value>>(name)?;
        let given = given.map(words).transpose()?.unwrap_or_default();
        if !given.trim().is_empty() {
            added.push((name, given.trim().to_owned()));
        }
    }
    kwargs.assert_all_used()?;
    let text = words(value)?;
    if added.is_empty() || markup::address(&text, None).is_none() {
        return Ok(text);
    }
    let (before, fragment) = text
        .split_once('#')
        .map_or((text.as_str(), None), |(before, fragment)| (before, Some(fragment)));
    let (path, query) = before.split_once('?').unwrap_or((before, ""));
    let is_replaced = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        added.iter().any(|(added, _)| name.strip_prefix("utm_") == Some(*added))
    };
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_replaced(pair));
    let pairs: Vec<String> = kept
        .map(str::to_owned)
        .chain(added.iter().map(|(name, value)| format!("utm_{name}={}", encoded(value))))
        .collect();
    let mut out = format!("{path}?{}", pairs.join("&"));
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    // An address must not get longer than any may be.
    Ok(if out.len() <= markup::ADDRESS_BYTES_MAX { out } else { text })
}

fn encoded(value: &str) -> String {
    let value = &value[..value.floor_char_boundary(PARAMETER_BYTES_MAX)];
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
