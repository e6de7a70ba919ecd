//! Media on their way down: downloaded, converted, and uploaded ahead where the service has that.
//!
//! Runs beside the sending, and is bounded by `media::download` for all channels together.

use std::sync::Arc;
use std::time::Duration;

use crate::channel::slots::{Means, Upload};
use crate::channel::{Channel, Keep, Kept};
use crate::media::download::{Downloads, Goods, Miss};
use crate::media::key_of_bytes;
use crate::media::ladder::{self, Rung};
use crate::model::channel::ChannelKind;
use crate::model::media::{Form, KeptMedium, MediaKey};
use crate::model::message::{content_of, is_ours};
use crate::model::name::Name;
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::store::Store;

/// How often an upload ahead is tried that the service does not answer well.
const TRIES_MAX: u32 = 3;

/// How long such an upload waits at most for its next try.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Messenger forgets an attachment after 90 days; one that will not outlive its post is renewed.
const ATTACHMENT_FOR: Duration = Duration::from_secs(85 * 86_400);

/// The longest side of a thumbnail, in pixels, and its most bytes.
/// Source: Bot API, `sendAudio`.
const THUMBNAIL_SIDE_MAX: u32 = 320;
const THUMBNAIL_BYTES_MAX: usize = 200_000;

/// What is needed to prepare the media of one channel. Cheap to clone.
#[derive(Clone)]
pub(super) struct Kitchen {
    pub name: Name,
    pub channel: Arc<Channel>,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    /// `None`: nothing is downloaded, and what the service can't fetch becomes a link.
    pub downloads: Option<Downloads>,
}

/// A medium that is to be had at a rung, or below.
pub(super) struct Errand {
    pub url: String,
    pub form: Form,
    pub means: Means,
    /// An id that is of no use any more.
    pub refused_id: Option<String>,
    pub rung: Rung,
    pub goods: Option<Goods>,
}

/// What came of it.
pub(super) enum Found {
    /// What the store has of it.
    Kept(Option<KeptMedium>),
    Ready {
        rung: Rung,
        goods: Option<Goods>,
        content: Option<MediaKey>,
        /// The service has it already.
        id: Option<(Form, String)>,
    },
    /// Only a link is left.
    Nothing { is_dead: bool, why: String },
}

impl Kitchen {
    /// Whether the service still knows what is kept.
    pub fn is_fresh(&self, row: &KeptMedium, now: Timestamp) -> bool {
        self.channel.kind() != ChannelKind::Messenger || now.since(row.kept_at) < ATTACHMENT_FOR
    }

    /// What can be had of a medium at a rung, or below.
    pub async fn run(&self, errand: Errand) -> Found {
        match errand.means {
            Means::AddressOnly => self.look(&errand).await,
            Means::Thumbnail => self.make_thumbnail(&errand).await,
            Means::All | Means::Spare | Means::KeptOnly => self.bring(errand).await,
        }
    }

    /// 1. What the service fetches ahead by itself is asked for so. 2. The file is downloaded.
    /// 3. What it is decides at which rung it can stand; a picture is made anew there.
    /// 4. The same bytes may be known already. 5. They are uploaded ahead, or go with their call.
    async fn bring(&self, errand: Errand) -> Found {
        let Errand { url, form, refused_id, mut rung, mut goods, .. } = errand;
        let service = self.channel.kind();
        let mut refusal = String::new();
        if is_ours(&url) {
            rung = rung.max(Rung::Upload);
        }
        if rung == Rung::Address {
            let keep = Keep::Address { url: url.clone(), form };
            match self.keep(&keep).await {
                Ok(id) => {
                    return Found::Ready { rung, goods: None, content: None, id: Some((form, id)) };
                }
                Err(why) => (rung, refusal) = (Rung::Upload, why),
            }
        }
        while rung != Rung::Link {
            let raw = match goods.take() {
                Some(goods) => goods,
                None if is_ours(&url) => match content_of(&url) {
                    Some((name, bytes)) => Goods::ours(name, bytes),
                    None => {
                        let why = "it makes no sense".to_owned();
                        return Found::Nothing { is_dead: true, why };
                    }
                },
                None => match self.fetch(&url, form).await {
                    Ok(goods) => goods,
                    Err(Miss::Dead(why)) => return Found::Nothing { is_dead: true, why },
                    Err(Miss::Away(why)) => return Found::Nothing { is_dead: false, why },
                },
            };
            rung = ladder::settle(rung, service, form, raw.sniffed, raw.bytes.len());
            let ready = match (rung, &self.downloads) {
                (Rung::Link, _) => {
                    let mime = raw.sniffed.format.mime();
                    // A page in the place of a file says that the file is not there.
                    let is_dead = form != Form::File && raw.sniffed.format.form().is_none();
                    let why = match refusal.as_str() {
                        "" => format!("{} bytes of {mime} can't be sent", raw.bytes.len()),
                        why => why.to_owned(),
                    };
                    return Found::Nothing { is_dead, why };
                }
                (Rung::Converted, Some(downloads)) => match downloads.convert(&raw).await {
                    Ok(made) => made,
                    Err(error) => {
                        (rung, refusal) = (rung.below(), error.to_string());
                        goods = Some(raw);
                        continue;
                    }
                },
                _ => raw,
            };
            let sent_as = form_at(form, rung);
            let content = key_of_bytes(sent_as, &ready.bytes);
            let known = self.known(content).await;
            if let Some(row) = known.filter(|row| Some(&row.id) != refused_id.as_ref()) {
                let id = Some((row.form, row.id));
                return Found::Ready { rung, goods: None, content: Some(content), id };
            }
            // What is one person's goes with its message, and the service keeps it for no other.
            if !self.channel.keeps_ahead() || is_ours(&url) {
                let content = Some(content);
                return Found::Ready { rung, goods: Some(ready), content, id: None };
            }
            match self.keep(&Keep::Bytes(upload(form, rung, &ready))).await {
                Ok(id) => {
                    let (content, id) = (Some(content), Some((sent_as, id)));
                    return Found::Ready { rung, goods: None, content, id };
                }
                Err(why) => (rung, refusal) = (rung.below(), why),
            }
            goods = Some(ready);
        }
        Found::Nothing { is_dead: false, why: refusal }
    }

    /// Looks whether there is a picture such as the service takes: it can only be shown by its
    /// address, so that is all that can be done for it.
    async fn look(&self, errand: &Errand) -> Found {
        match self.fetch(&errand.url, errand.form).await {
            Ok(Goods { bytes, sniffed, .. }) => {
                let service = self.channel.kind();
                let rung = ladder::settle(Rung::Upload, service, errand.form, sniffed, bytes.len());
                if rung == Rung::Upload {
                    return Found::Ready { rung, goods: None, content: None, id: None };
                }
                let mime = sniffed.format.mime();
                let why = format!("{} bytes of {mime} can't be shown", bytes.len());
                Found::Nothing { is_dead: false, why }
            }
            Err(miss) => Found::Nothing { is_dead: false, why: miss.to_string() },
        }
    }

    async fn make_thumbnail(&self, errand: &Errand) -> Found {
        let made = async {
            let downloads = self.downloads.as_ref().ok_or("nothing is downloaded here")?;
            let goods = self.fetch(&errand.url, errand.form).await.map_err(|it| it.to_string())?;
            let made = downloads.shrink(goods, THUMBNAIL_SIDE_MAX).await;
            made.map_err(|error| error.to_string())
        };
        match made.await {
            Ok(goods) if goods.bytes.len() <= THUMBNAIL_BYTES_MAX => {
                Found::Ready { rung: Rung::Converted, goods: Some(goods), content: None, id: None }
            }
            Ok(_) => Found::Nothing { is_dead: false, why: "it stays too large".to_owned() },
            Err(why) => Found::Nothing { is_dead: false, why },
        }
    }

    async fn fetch(&self, url: &str, form: Form) -> Result<Goods, Miss> {
        match &self.downloads {
            Some(downloads) => {
                let bytes_max = ladder::upload_bytes_max(self.channel.kind());
                downloads.fetch(url, form, bytes_max).await
            }
            None => Err(Miss::Away("nothing is downloaded here".to_owned())),
        }
    }

    /// What is kept of the same bytes, from whatever address they came.
    async fn known(&self, content: MediaKey) -> Option<KeptMedium> {
        let rows = self.store.load_media(&self.name, &[content]).await.unwrap_or_default();
        let row = rows.into_iter().next().flatten()?;
        self.is_fresh(&row, self.clock.now()).then_some(row)
    }

    async fn keep(&self, what: &Keep) -> Result<String, String> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.channel.keep(what).await {
                Kept::Id(id) => return Ok(id),
                Kept::Refused { why } => return Err(why),
                Kept::Later { why, .. } if tries >= TRIES_MAX => return Err(why),
                Kept::Later { after, .. } => {
                    let wait = after.unwrap_or(Duration::from_secs(1 << tries)).min(WAIT_MAX);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

/// As which form a medium goes at a rung.
fn form_at(form: Form, rung: Rung) -> Form {
    if rung == Rung::File { Form::File } else { form }
}

/// The file as it goes out.
pub(super) fn upload(form: Form, rung: Rung, goods: &Goods) -> Upload {
    let format = goods.sniffed.format;
    let word = match form {
        Form::Picture => "picture",
        Form::Animation => "animation",
        Form::Video => "video",
        Form::Sound => "sound",
        Form::File => "file",
    };
    if let Some(name) = &goods.name {
        return Upload {
            bytes: goods.bytes.clone(),
            form: form_at(form, rung),
            file_name: name.clone(),
            mime: "application/json",
        };
    }
    Upload {
        bytes: goods.bytes.clone(),
        form: form_at(form, rung),
        file_name: format!("{word}.{}", format.extension()),
        mime: format.mime(),
    }
}
