//! Posts that are set for each recipient, right before they are lowered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::{Call, Channel};
use crate::model::name::Name;
use crate::model::post::{self, Post, PostId, Recipient};
use crate::render::{Person, Thawed, struck};

/// Most bytes of calls that are kept for readers who share what a layout sees of them (most people
/// share their first name with many), of all posts on all channels together.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// How much of it is taken.
static KEPT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// The frozen layout of a post, ready to be set for anybody.
pub struct Personal {
    layout: Thawed,
    /// Whose it is, for the log.
    post: Option<PostId>,
    campaign: Name,
    /// The source took it back.
    is_struck: bool,
    /// It may name the reader's time zone: readers who differ in nothing else differ then.
    names_zone: bool,
    /// It may name what the reader has told of themselves.
    names_profile: bool,
    made: HashMap<Person, Arc<[Call]>>,
    /// What they take of [`KEPT_BYTES`].
    kept_bytes: usize,
    /// A failure was told: one line a post, not one a recipient.
    has_failed: bool,
}

impl Personal {
    /// `None` for a post that is the same for everybody of a language.
    pub(super) fn of(post: &Post) -> Option<Self> {
        let frozen = post.personal.as_ref()?;
        // To a post by hand its layout is what a campaign is to others.
        let mut own = Self::new(frozen, post.campaign.as_ref().unwrap_or(&frozen.layout));
        own.post = Some(post.id);
        own.is_struck = post.corrections.as_ref().is_some_and(|state| state.is_taken_back());
        Some(own)
    }

    pub fn new(frozen: &post::Personal, campaign: &Name) -> Self {
        let layout = Thawed::new(frozen, campaign);
        let names = |word: &str| frozen.files.iter().any(|(_, text)| text.contains(word));
        Self {
            layout,
            post: None,
            campaign: campaign.clone(),
            is_struck: false,
            names_zone: names("timezone"),
            names_profile: names("profile"),
            made: HashMap::new(),
            kept_bytes: 0,
            has_failed: false,
        }
    }

    /// The calls for a recipient; `None` when the layout fails for them: the post's body serves
    /// then.
    ///
    /// The same person gets the same calls again after a restart, so that sending goes on where it
    /// stood, unless they changed their language or their name meanwhile.
    pub(super) fn calls(
        &mut self,
        channel: &Channel,
        recipient: &Recipient,
    ) -> Option<Arc<[Call]>> {
        let Recipient { language, first_name, timezone, profile, .. } = recipient.clone();
        let timezone = timezone.filter(|_| self.names_zone).map(|zone| zone.as_str().to_owned());
        let told = profile.into_iter().filter(|_| self.names_profile);
        let profile = told.map(|(field, told)| (field.to_string(), told)).collect();
        let person = Person { language, first_name, timezone, profile };
        self.calls_for(channel, person)
    }

    /// The calls for a person.
    pub fn calls_for(&mut self, channel: &Channel, person: Person) -> Option<Arc<[Call]>> {
        if let Some(made) = self.made.get(&person) {
            return Some(Arc::clone(made));
        }
        match self.layout.render(channel.kind(), &person) {
            Ok(message) => {
                let message = if self.is_struck { struck(&message) } else { message };
                let calls = channel.lower(&message, None);
                let calls: Arc<[Call]> = (!calls.is_empty()).then(|| Arc::from(calls))?;
                self.keep(person, &calls);
                Some(calls)
            }
            Err(error) => {
                if !self.has_failed {
                    let what = "the layout failed for a recipient: the form for all was sent";
                    let post = self.post.map(|post| post.to_string()).unwrap_or_default();
                    tracing::error!(post.id = post, campaign.id = %self.campaign, %error, "{what}");
                }
                self.has_failed = true;
                None
            }
        }
    }

    /// Who comes early is likely to be like many: nothing is given up for those who come later.
    fn keep(&mut self, person: Person, calls: &Arc<[Call]>) {
        let bytes: usize = calls.iter().map(|call| size_of::<Call>() + call.rest.len()).sum();
        let bytes = bytes + 2 * size_of::<Person>();
        let add = |kept: usize| Some(kept + bytes).filter(|sum| *sum <= KEPT_BYTES_MAX);
        if KEPT_BYTES.fetch_update(Relaxed, Relaxed, add).is_ok() {
            self.kept_bytes += bytes;
            self.made.insert(person, Arc::clone(calls));
        }
    }
}

impl Drop for Personal {
    fn drop(&mut self) {
        KEPT_BYTES.fetch_sub(self.kept_bytes, Relaxed);
    }
}
