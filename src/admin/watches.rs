//! What people wait for of products.

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk, all_known};
use crate::model::name::Name;
use crate::model::watch::{OnOffer, Wanted, Watch};
use crate::store::ProductQuery;

impl Desk {
    /// All watches, each with how its product stands with the shop now.
    pub(super) async fn watches(&self, limit: usize) -> Result<Value, AskError> {
        let all = self.store.list_watches(limit).await?;
        let mut rows = Vec::with_capacity(all.len());
        for (channel, address, watch) in all {
            let found = self.store.load_product(&watch.source, watch.product).await?;
            let on = OnOffer::of_rows(&found.unwrap_or_default().rows, watch.variant);
            rows.push(row(&channel, &address, &watch, &on));
        }
        Ok(json!({ "watches": rows }))
    }

    /// What names a product on its shelf.
    pub(super) async fn product(&self, source: &Name, link: u64) -> Result<Value, AskError> {
        all_known("source", std::slice::from_ref(source), &self.sources)?;
        let among = std::slice::from_ref(source);
        let found = self.store.find_products(among, ProductQuery::Link(link), 1).await?;
        match found.first() {
            // As text: it is more than what JSON's numbers hold for certain.
            Some(found) => Ok(json!({ "product": found.product.to_string() })),
            None => Err(AskError::Refused(format!(
                "`{source}` has no product at this address\n  hint: it is known once the source was \
                 polled, under the address that its catalog gives"
            ))),
        }
    }
}

fn row(channel: &Name, address: &str, watch: &Watch, on: &OnOffer) -> Value {
    let at_most = match watch.wanted {
        Wanted::Stock => None,
        Wanted::Price { at_most } => Some(at_most.to_string()),
    };
    json!({
        "channel": channel,
        "address": address,
        "source": watch.source,
        "title": watch.title,
        "wanted": if at_most.is_some() { "price" } else { "stock" },
        "at_most": at_most,
        "availability": on.availability,
        "price": on.price.map(|price| price.to_string()),
        "made": watch.made_at.to_string(),
        "expires": watch.expires_at.to_string(),
    })
}
