//! The word on a post.

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk};
use crate::model::control::{Obeyed, PostWord, WHY_CHARS_MAX};
use crate::model::post::PostId;

impl Desk {
    /// Says the word to the post, and wakes the senders where there may be work now.
    pub(super) async fn obey(&self, post: PostId, word: PostWord) -> Result<Value, AskError> {
        if let PostWord::Pause { why } | PostWord::Cancel { why } = &word {
            let count = why.chars().count();
            if count > WHY_CHARS_MAX {
                return Err(AskError::Refused(format!(
                    "the reason must be at most {WHY_CHARS_MAX} characters, got {count}"
                )));
            }
        }
        match self.store.commit_word(post, word, self.clock.now()).await? {
            Obeyed::Done { recipients, channels } => {
                channels.iter().for_each(|channel| self.wakes.wake_channel(channel));
                Ok(json!({ "post": post, "recipients": recipients, "channels": channels }))
            }
            Obeyed::Refused { why } => Err(AskError::Refused(format!("post {post}: {why}"))),
        }
    }
}
