//! Copies of files at others' addresses: few at a time, bounded in bytes and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::media::convert::{self, ConvertError};
use crate::media::sniff::{Format, Sniffed, sniff};
use crate::model::media::Form;

/// Most bytes of a picture that is downloaded.
pub const PICTURE_BYTES_MAX: usize = 20 << 20;

/// Most bytes of anything that is downloaded.
pub const BYTES_MAX: usize = 50 << 20;

/// How long one download may take as a whole.
pub const DOWNLOAD_TIME_MAX: Duration = Duration::from_secs(60);

/// Downloads at the same time, of all channels together.
pub const DOWNLOADS_MAX: usize = 2;

/// Memory for what is downloaded and not handed over yet, of all channels together.
pub const MEMORY_BYTES_MAX: usize = 100 << 20;

/// How long a download waits for its place and its memory.
const PLACE_TIME_MAX: Duration = Duration::from_secs(90);

/// The memory is given out in pieces of so many bytes.
const PIECE_BYTES: usize = 1 << 16;

/// Reads an address, at most so many bytes. The only way in which this module reaches out: it has
/// to be the guarded client for addresses that others chose.
pub type Fetch =
    Arc<dyn Fn(String, usize) -> BoxFuture<'static, Result<Vec<u8>, Miss>> + Send + Sync>;

/// Why there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// There is nothing for people at that address: they need not be led there.
    #[error("{0}")]
    Dead(String),
    /// Not here and now, or not of such a size; who has the address may get it.
    #[error("{0}")]
    Away(String),
}

/// A copy of a file, and what it is. Gives its memory back when it is dropped.
#[derive(Clone, Debug)]
pub struct Goods {
    pub bytes: Bytes,
    pub sniffed: Sniffed,
    /// Of a file of ours: what it is called.
    pub name: Option<String>,
    memory: Option<Arc<OwnedSemaphorePermit>>,
}

impl Goods {
    /// A file of our own making, which takes no memory of those that are downloaded.
    pub fn ours(name: String, bytes: Vec<u8>) -> Self {
        let sniffed = sniff(&bytes);
        Self { bytes: bytes.into(), sniffed, name: Some(name), memory: None }
    }
}

/// Everybody's downloads. Cheap to clone.
#[derive(Clone)]
pub struct Downloads {
    fetch: Fetch,
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    conversions: Arc<Semaphore>,
    time_max: Duration,
}

impl Downloads {
    pub fn new(fetch: Fetch) -> Self {
        Self {
            fetch,
            places: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
            memory: Arc::new(Semaphore::new(MEMORY_BYTES_MAX / PIECE_BYTES)),
            conversions: Arc::new(Semaphore::new(1)),
            time_max: DOWNLOAD_TIME_MAX,
        }
    }

    /// A copy of what stands at `url`, at most `bytes_max`.
    ///
    /// # Errors
    /// See [`Miss`].
    pub async fn fetch(&self, url: &str, form: Form, bytes_max: usize) -> Result<Goods, Miss> {
        let most = if form == Form::Picture { PICTURE_BYTES_MAX } else { BYTES_MAX };
        let bytes_max = bytes_max.min(most);
        let full = || Miss::Away("too much is being downloaded".to_owned());
        let place = async {
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            let memory =
                Arc::clone(&self.memory).acquire_many_owned(pieces(bytes_max)).await.ok()?;
            Some((place, memory))
        };
        let (_place, mut memory) =
            timeout(PLACE_TIME_MAX, place).await.ok().flatten().ok_or_else(full)?;
        let read = timeout(self.time_max, (self.fetch)(url.to_owned(), bytes_max)).await;
        let late = |_| Miss::Away(format!("not here in {} s", self.time_max.as_secs()));
        let bytes = read.map_err(late)??;
        if bytes.is_empty() {
            return Err(Miss::Dead("it is empty".to_owned()));
        }
        if bytes.len() > bytes_max {
            return Err(Miss::Away(format!("it has more than {bytes_max} bytes")));
        }
        give_back(&mut memory, bytes.len());
        let sniffed = sniff(&bytes);
        Ok(Goods { bytes: bytes.into(), sniffed, name: None, memory: Some(Arc::new(memory)) })
    }

    /// The picture as every service takes it.
    ///
    /// # Errors
    /// See [`ConvertError`].
    pub async fn convert(&self, goods: &Goods) -> Result<Goods, ConvertError> {
        let format = goods.sniffed.format;
        let jpeg =
            self.at_work(goods.bytes.clone(), move |it| convert::to_jpeg(it, format)).await?;
        let size = sniff(&jpeg).size;
        let sniffed = Sniffed { format: Format::Jpeg, size };
        // It is smaller than what it was made of, whose memory it goes on to hold.
        Ok(Goods { bytes: jpeg.into(), sniffed, name: None, memory: goods.memory.clone() })
    }
}

impl Downloads {
    /// A small JPEG of the picture, at most `side` pixels wide and high.
    ///
    /// # Errors
    /// See [`ConvertError`].
    pub async fn shrink(&self, goods: Goods, side: u32) -> Result<Goods, ConvertError> {
        let jpeg = self
            .at_work(goods.bytes.clone(), move |bytes| {
                convert::to_thumbnail(bytes, goods.sniffed.format, side)
            })
            .await?;
        let Goods { bytes, mut memory, .. } = goods;
        drop(bytes);
        // What the large one needed goes back, unless somebody else holds it.
        if let Some(held) = memory.as_mut().and_then(Arc::get_mut) {
            give_back(held, jpeg.len());
        }
        let sniffed = sniff(&jpeg);
        Ok(Goods { bytes: jpeg.into(), sniffed, name: None, memory })
    }

    /// One picture at a time, off the async threads.
    async fn at_work(
        &self,
        bytes: Bytes,
        work: impl FnOnce(&[u8]) -> Result<Vec<u8>, ConvertError> + Send + 'static,
    ) -> Result<Vec<u8>, ConvertError> {
        let broken = || ConvertError::Broken("the converter broke".to_owned());
        let place = Arc::clone(&self.conversions).acquire_owned().await.map_err(|_| broken())?;
        let made = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&bytes)
        });
        made.await.map_err(|_| broken())?
    }
}

impl std::fmt::Debug for Downloads {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Downloads").finish_non_exhaustive()
    }
}

/// What was reserved and not needed goes back.
fn give_back(memory: &mut OwnedSemaphorePermit, needed_bytes: usize) {
    let kept = usize::try_from(pieces(needed_bytes)).unwrap_or(usize::MAX);
    drop(memory.num_permits().checked_sub(kept).and_then(|spare| memory.split(spare)));
}

fn pieces(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn giving(answer: Result<Vec<u8>, Miss>) -> Downloads {
        Downloads::new(Arc::new(move |_, _| {
            let answer = answer.clone();
            Box::pin(async move { answer })
        }))
    }

    #[tokio::test]
    async fn a_copy_holds_only_the_memory_that_it_needs() {
        let downloads = giving(Ok(b"GIF89a\x02\0\x02\0".to_vec()));
        let all = downloads.memory.available_permits();
        let goods = downloads.fetch("http://a.example/", Form::Picture, 1 << 20).await.unwrap();
        assert_eq!(goods.sniffed.size, Some((2, 2)));
        assert_eq!(downloads.memory.available_permits(), all - 1);
        drop(goods);
        assert_eq!(downloads.memory.available_permits(), all);
    }

    #[tokio::test]
    async fn too_much_or_nothing_is_a_miss() {
        let fetch = async |answer| {
            giving(answer).fetch("http://a.example/", Form::File, 10).await.map(drop)
        };
        assert!(matches!(fetch(Ok(vec![1; 10])).await, Ok(())));
        assert!(matches!(fetch(Ok(vec![1; 11])).await, Err(Miss::Away(_))));
        assert!(matches!(fetch(Ok(vec![])).await, Err(Miss::Dead(_))));
        let gone = Miss::Dead("not there".to_owned());
        assert_eq!(fetch(Err(gone.clone())).await, Err(gone));
    }

    #[tokio::test]
    async fn one_that_never_ends_is_given_up() {
        let mut downloads = Downloads::new(Arc::new(|_, _| Box::pin(std::future::pending())));
        downloads.time_max = Duration::from_millis(10);
        let missed = downloads.fetch("http://a.example/", Form::File, 10).await;
        assert!(matches!(missed, Err(Miss::Away(_))));
    }
}
