//! Reviewers' buttons: a draft that waits to be looked at is let go, or dropped.
//!
//! Only the chats that the campaign names as its reviewers decide; anybody in such a chat may tap.
//! A button that comes too late, or from elsewhere, does nothing and says so.

use crate::converse::worker::Options;
use crate::model::audience::FixedChat;
use crate::model::control::{DROP_PAYLOAD, RELEASE_PAYLOAD};
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::{Message, Module};
use crate::model::post::{Answer, Content, Draft, DraftId};
use crate::model::rich::RichText;
use crate::model::subscriber::Subscriber;
use crate::store::{ReviewWord, Reviewed, StoreError};

/// The draft and the word of a reviewer's button; `None` for any other deed.
fn word(deed: &Deed) -> Option<(DraftId, ReviewWord)> {
    let Deed::Tapped { payload, .. } = deed else { return None };
    let (draft, word) = match payload.strip_prefix(RELEASE_PAYLOAD) {
        Some(draft) => (draft, ReviewWord::Release),
        None => (payload.strip_prefix(DROP_PAYLOAD)?, ReviewWord::Drop),
    };
    Some((DraftId(draft.parse().ok()?), word))
}

/// Obeys a reviewer's button; answers what is said back, or `None` when it is none.
///
/// The word is durable before the event is done with: after a crash between the two it is said
/// again and finds nothing to do.
pub(super) async fn decide(
    options: &Options,
    event: &Event,
    known: Option<&Subscriber>,
) -> Result<Option<Answer>, StoreError> {
    let Some((id, word)) = word(&event.deed) else { return Ok(None) };
    let draft = options.store.load_draft(id).await?;
    let said = match &draft {
        Some(draft) if is_reviewer(options, draft, event, known).await? => {
            let now = options.clock.now();
            let touched = options.store.commit_review(Reviewed::Draft(id), word, now).await?;
            options.wakes.drafts.notify_one();
            match (touched, word) {
                (0, _) => format!("Draft {id} does not wait any more."),
                (_, ReviewWord::Release) => format!("Draft {id} is let go."),
                (_, ReviewWord::Drop) => format!("Draft {id} is dropped: nobody gets it."),
            }
        }
        Some(_) => format!("Draft {id} is not yours to decide on."),
        None => format!("Draft {id} does not wait any more."),
    };
    tracing::info!(draft.id = %id, channel.id = %event.channel, said, "a reviewer's button");
    let text = RichText::from_plain(&said);
    let message = Message::from(vec![Module::Text { text, buttons: vec![] }]);
    let tap = match &event.deed {
        Deed::Tapped { tap, .. } => tap.as_ref().map(Tap::alone),
        _ => None,
    };
    Ok(Some(Answer { message, tap, ask: None }))
}

/// Whether the tap comes from a chat that reviews the draft's campaign.
async fn is_reviewer(
    options: &Options,
    draft: &Draft,
    event: &Event,
    known: Option<&Subscriber>,
) -> Result<bool, StoreError> {
    let Content::Items { campaign, .. } = &draft.content else { return Ok(false) };
    let Some(reviewers) = options.reviewers.get(campaign) else { return Ok(false) };
    for FixedChat { channel, address } in reviewers {
        if *channel != event.channel {
            continue;
        }
        // A tap does not say in which topic of the chat it was.
        let chat = address.split('/').next().unwrap_or(address);
        if chat == event.address {
            return Ok(true);
        }
        // The chat may have got another number since, or be named by its `@name`.
        let record = options.store.load_subscriber(channel, address).await?;
        if let (Some(record), Some(known)) = (record, known)
            && record.number == known.number
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewers_button_names_a_draft_and_a_word() {
        let tapped = |payload: &str| word(&Deed::Tapped { payload: payload.into(), tap: None });
        assert_eq!(tapped("1:release:41"), Some((DraftId(41), ReviewWord::Release)));
        assert_eq!(tapped("1:drop:41"), Some((DraftId(41), ReviewWord::Drop)));
        for other in ["1:stop", "1:start:news", "1:release:", "1:release:x", "2:drop:1", "drop:1"] {
            assert_eq!(tapped(other), None, "{other}");
        }
        assert_eq!(word(&Deed::Said { text: "1:drop:1".into() }), None);
    }
}
