//! Products: how one is called once its catalog does not list it any more.

use serde::{Deserialize, Serialize};

/// What is kept of a product so that its end can be told.
///
/// Kept for sources whose losses somebody wants to hear of, and no longer than its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductName {
    pub title: String,
    /// Absolute http or https address, as the document gave it.
    pub link: Option<String>,
    pub image: Option<String>,
}
