//! Where people came from.

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk};
use crate::model::origin::Came;

impl Desk {
    pub(super) async fn origins(&self) -> Result<Value, AskError> {
        let origins = self.store.load_origins().await?;
        let row = |tag: Option<String>, came: Came| {
            json!({
                "tag": tag,
                "came": came.came,
                "active": came.active,
                "left_within_48h": came.left_within_48h,
            })
        };
        let tagged = origins.tagged.into_iter().map(|(tag, came)| row(Some(tag.to_string()), came));
        let mut rows: Vec<Value> = tagged.collect();
        if origins.others != Came::default() {
            rows.push(row(Some("*".to_owned()), origins.others));
        }
        rows.push(row(None, origins.untagged));
        Ok(json!({ "sources": rows }))
    }
}
