//! reqwest alone: as many tasks as connections, each posting one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::Result;

use crate::CONNECTIONS;
use crate::crowd::TEXT;
use crate::machine;
use crate::service::TOKEN;

pub fn posts(count: u32, url: &str) -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client =
        reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build()?;
    let url: Arc<str> = format!("{url}/bot{TOKEN}/sendMessage").into();
    let next = Arc::new(AtomicU32::new(0));
    let runtime = tokio::runtime::Runtime::new()?;
    let (from, processor) = (Instant::now(), machine::processor());
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (client, url, next) = (client.clone(), Arc::clone(&url), Arc::clone(&next));
            runtime.spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return Result::<()>::Ok(());
                    }
                    let chat = 1_000_000_000 + u64::from(at);
                    let body = serde_json::json!({ "chat_id": chat, "text": TEXT });
                    let answer = client.post(&*url).json(&body).send().await?;
                    answer.error_for_status()?.bytes().await?;
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task)??;
    }
    println!("seconds {}", from.elapsed().as_secs_f64());
    println!("cpu {}", machine::processor() - processor);
    Ok(())
}
