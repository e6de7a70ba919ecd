//! Checks `priority`.

use crate::config::check::value::got;
use crate::config::problem::Findings;
use crate::config::raw::RawPriority;
use crate::model::control::Priority;

/// The priority; the usual one when it is absent or told to be wrong.
pub(crate) fn priority(raw: Option<&RawPriority>, key: &str, found: &mut Findings) -> Priority {
    let Some(RawPriority(raw)) = raw else { return Priority::default() };
    Priority::parse(&raw.value).unwrap_or_else(|_| {
        let text = format!(
            "must be `low`, `normal`, `high` or a number from 0 to {}, got {}",
            Priority::MAX,
            got(&raw.value)
        );
        found.problem(raw.at, key, text);
        Priority::default()
    })
}
