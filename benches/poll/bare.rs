//! The least that can be done: fetch, and parse what came; nothing is kept but the validators.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use reqwest::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use tokio::task::JoinSet;

pub fn rounds(count: usize, port: u16) -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let feeds: Arc<Vec<Feed>> = Arc::new(
            (0..count)
                .map(|feed| Feed { url: super::url(feed, port), etag: None.into() })
                .collect(),
        );
        super::run_rounds(port, async || {
            let next = Arc::new(AtomicUsize::new(0));
            let mut workers = JoinSet::new();
            for _ in 0..super::CONNECTIONS {
                let (client, feeds, next) = (client.clone(), feeds.clone(), next.clone());
                workers.spawn(async move {
                    while let Some(feed) = feeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                        feed.poll(&client).await?;
                    }
                    anyhow::Ok(())
                });
            }
            while let Some(ended) = workers.join_next().await {
                ended??;
            }
            Ok(())
        })
        .await
    })
}

struct Feed {
    url: String,
    etag: Mutex<Option<HeaderValue>>,
}

impl Feed {
    async fn poll(&self, client: &reqwest::Client) -> Result<()> {
        let mut request = client.get(&self.url);
        let etag = self.etag.lock().ok().context("the lock")?.clone();
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await?;
        if response.status() == 304 {
            return Ok(());
        }
        let etag = response.headers().get(ETAG).cloned();
        let body = response.error_for_status()?.bytes().await?;
        let feed = feed_rs::parser::parse(&body[..])?;
        ensure!(!feed.entries.is_empty(), "no items");
        *self.etag.lock().ok().context("the lock")? = etag;
        Ok(())
    }
}
