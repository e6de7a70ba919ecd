//! Posts that are set for each recipient, right before they are lowered.

use std::sync::Arc;

use crate::channel::{Call, Channel};
use crate::model::post::{Post, Recipient};
use crate::render::{Person, Thawed, struck};

/// The frozen layout of a post, ready to be set for anybody.
pub(super) struct Personal {
    layout: Thawed,
    /// The source took it back.
    is_struck: bool,
    /// A failure was told: one line a post, not one a recipient.
    has_failed: bool,
}

impl Personal {
    /// `None` for a post that is the same for everybody of a language.
    pub fn of(post: &Post) -> Option<Self> {
        let frozen = post.personal.as_ref()?;
        // A post without a campaign has no layout; its title would be no worse a name.
        let campaign = post.campaign.as_ref()?;
        let is_struck = post.corrections.as_ref().is_some_and(|state| state.is_taken_back());
        Some(Self { layout: Thawed::new(frozen, campaign), is_struck, has_failed: false })
    }

    /// The calls for one person; `None` when the layout fails for them: the post's body serves then.
    ///
    /// The same person gets the same calls again after a restart, so that sending goes on where it
    /// stood, unless they changed their language or their name meanwhile.
    pub fn calls(&mut self, channel: &Channel, recipient: &Recipient) -> Option<Arc<[Call]>> {
        let Recipient { language, first_name, .. } = recipient.clone();
        let person = Person { language, first_name };
        match self.layout.render(channel.kind(), &person) {
            Ok(message) => {
                let message = if self.is_struck { struck(&message) } else { message };
                let calls = channel.lower(&message, None);
                (!calls.is_empty()).then(|| Arc::from(calls))
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::error!(%error, "the layout failed for a recipient: the form for all was sent");
                }
                self.has_failed = true;
                None
            }
        }
    }
}
