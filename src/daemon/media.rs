//! The downloads of media, wired to the guarded client that reads sources.

use std::sync::Arc;

use crate::config::Config;
use crate::daemon::ground::{Ground, poll_options};
use crate::media::download::{BYTES_MAX, DOWNLOAD_TIME_MAX, Downloads, Fetch, Miss};
use crate::poll::fault::Fault;
use crate::poll::fetch::{Fetcher, Limits, Request};
use crate::runtime::wakes::Wakes;

/// Everybody's downloads: the same guard, name and certificates as for sources.
///
/// # Errors
/// When the machine has no root certificates.
pub(super) fn downloads(ground: &Ground, config: &Config) -> anyhow::Result<Downloads> {
    let polling = poll_options(ground, config, Wakes::default());
    let limits = Limits { total: DOWNLOAD_TIME_MAX, wire_bytes: BYTES_MAX, ..Limits::default() };
    let limits = Limits { decoded_bytes: u64::try_from(BYTES_MAX).unwrap_or(u64::MAX), ..limits };
    let fetcher =
        Fetcher::new(polling.guard, limits, &config.fetch.user_agent, ground.clock.clone())?;
    let fetch: Fetch = Arc::new(move |url, bytes_max| {
        let fetcher = fetcher.clone();
        Box::pin(async move { read(&fetcher, &url, bytes_max).await })
    });
    Ok(Downloads::new(fetch))
}

async fn read(fetcher: &Fetcher, url: &str, bytes_max: usize) -> Result<Vec<u8>, Miss> {
    let url = fetcher.guard().read(url, None).map_err(|refusal| Miss::Dead(refusal.to_string()))?;
    let fetched = fetcher.fetch(Request::new(url)).await.map_err(|error| {
        let why = error.to_string();
        match error.fault {
            Fault::Refused(_) | Fault::Gone | Fault::NotFound | Fault::Dns(_) => Miss::Dead(why),
            _ => Miss::Away(why),
        }
    })?;
    let Some(packed) = fetched.document else {
        return Err(Miss::Away("nothing came".to_owned()));
    };
    let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let unpacked = tokio::task::spawn_blocking(move || packed.unpack_within(bytes_max)).await;
    match unpacked {
        Ok(Ok(unpacked)) => Ok(unpacked.bytes),
        Ok(Err(fault)) => Err(Miss::Away(fault.to_string())),
        Err(_) => Err(Miss::Away("the unpacker broke".to_owned())),
    }
}
