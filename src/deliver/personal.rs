//! Posts that are set for each recipient, right before they are lowered.

use std::sync::Arc;

use crate::channel::{Call, Channel};
use crate::model::post::{Post, Recipient};
use crate::render::{Person, Thawed};

/// The frozen layout of a post, ready to be set for anybody.
pub(super) struct Personal {
    layout: Thawed,
    /// A failure was told: one line a post, not one a recipient.
    has_failed: bool,
}

impl Personal {
    /// `None` for a post that is the same for everybody of a language.
    pub fn of(post: &Post) -> Option<Self> {
        let frozen = post.personal.as_ref()?;
        // A post without a campaign has no layout; its title would be no worse a name.
        let campaign = post.campaign.as_ref()?;
        Some(Self { layout: Thawed::new(frozen, campaign), has_failed: false })
    }

    /// The calls for one person; `None` when the layout fails for them: the post's body serves then.
    ///
    /// The same person gets the same calls again after a restart, so that sending goes on where it
    /// stood, unless they changed their language meanwhile.
    pub fn calls(&mut self, channel: &Channel, recipient: &Recipient) -> Option<Arc<[Call]>> {
        let person = Person { language: recipient.language.clone(), first_name: None };
        match self.layout.render(channel.kind(), &person) {
            Ok(message) => {
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
