//! What becomes of a claim after one call: a pure, total function.

use crate::channel::Meaning;
use crate::model::campaign::OnUncertain;
use crate::model::post::{Outcome, Reason};
use crate::model::subscriber::Standing;

/// Longest error text that is kept, in characters.
pub const ERROR_CHARS_MAX: usize = 200;

/// What the worker does next with the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// This call arrived; the next one follows, or the claim is sent.
    GoOn,
    /// The same call again, as soon as the pace lets it. No attempt is counted.
    Again,
    /// The same call again at another address.
    Move { to: String },
    /// It is over for this recipient.
    Settle {
        outcome: Outcome,
        standing: Option<Standing>,
        window_closed: bool,
        error: Option<String>,
    },
    /// Nothing can be sent on this channel until a person acts; the claim waits again.
    Pause { why: String },
    /// Nothing is sent on this channel until a person says so; the claim waits again.
    Halt { why: String },
}

/// What `meaning` makes of a claim; `policy` says what becomes of one whose fate is unknown.
///
/// | meaning | act |
/// | --- | --- |
/// | delivered | go on |
/// | later, not sent | again, once the chat or the channel has waited |
/// | moved | again, there |
/// | window closed | held |
/// | gone, refused, unreachable | failed, the subscriber is marked where it is for good |
/// | content refused | failed (the worker stops the post after a few) |
/// | credentials refused | the channel pauses |
/// | blocked | the channel is halted |
/// | unknown | uncertain, or again where the campaign says `resend` |
pub fn judge(meaning: &Meaning, policy: OnUncertain) -> Act {
    let settle = |outcome, standing, why: &str| Act::Settle {
        outcome,
        standing,
        window_closed: false,
        error: Some(why.chars().take(ERROR_CHARS_MAX).collect()),
    };
    match meaning {
        Meaning::Delivered { .. } => Act::GoOn,
        Meaning::Later { .. } | Meaning::NotSent { .. } => Act::Again,
        Meaning::Moved { to } => Act::Move { to: to.clone() },
        Meaning::Gone { standing, reason, why } => {
            settle(Outcome::Failed(*reason), Some(*standing), why)
        }
        Meaning::Unreachable { why } => settle(Outcome::Failed(Reason::Unreachable), None, why),
        Meaning::WindowClosed { .. } => {
            Act::Settle { outcome: Outcome::Held, standing: None, window_closed: true, error: None }
        }
        // A medium has other ways first; this is for when there is none.
        Meaning::ContentRefused { why } | Meaning::MediaRefused { why, .. } => {
            settle(Outcome::Failed(Reason::ContentRefused), None, why)
        }
        Meaning::Refused { reason, why } => settle(Outcome::Failed(*reason), None, why),
        Meaning::CredentialsRefused { why } => Act::Pause { why: why.clone() },
        Meaning::Blocked { why } => Act::Halt { why: why.clone() },
        Meaning::Unknown { why } => match policy {
            OnUncertain::Skip => settle(Outcome::Uncertain, None, why),
            OnUncertain::Resend => Act::Again,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn why() -> String {
        "said so".to_owned()
    }

    fn outcome(meaning: &Meaning, policy: OnUncertain) -> Option<Outcome> {
        match judge(meaning, policy) {
            Act::Settle { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    #[test]
    fn every_meaning_has_its_act() {
        use OnUncertain::{Resend, Skip};
        for policy in [Skip, Resend] {
            assert_eq!(judge(&Meaning::Delivered { id: "1".into() }, policy), Act::GoOn);
            for after in [None, Some(Duration::from_secs(17))] {
                assert_eq!(judge(&Meaning::Later { after }, policy), Act::Again);
            }
            assert_eq!(judge(&Meaning::NotSent { why: why() }, policy), Act::Again);
            assert_eq!(
                judge(&Meaning::Moved { to: "-1001".into() }, policy),
                Act::Move { to: "-1001".into() }
            );
            assert_eq!(
                judge(&Meaning::CredentialsRefused { why: why() }, policy),
                Act::Pause { why: why() }
            );
            assert_eq!(judge(&Meaning::Blocked { why: why() }, policy), Act::Halt { why: why() });
            for (meaning, expected) in [
                (Meaning::WindowClosed { why: why() }, Outcome::Held),
                (Meaning::Unreachable { why: why() }, Outcome::Failed(Reason::Unreachable)),
                (Meaning::ContentRefused { why: why() }, Outcome::Failed(Reason::ContentRefused)),
                (
                    Meaning::MediaRefused { which: None, why: why() },
                    Outcome::Failed(Reason::ContentRefused),
                ),
                (
                    Meaning::Refused { reason: Reason::NotAllowed, why: why() },
                    Outcome::Failed(Reason::NotAllowed),
                ),
                (
                    Meaning::Gone {
                        standing: Standing::Blocked,
                        reason: Reason::Blocked,
                        why: why(),
                    },
                    Outcome::Failed(Reason::Blocked),
                ),
            ] {
                assert_eq!(outcome(&meaning, policy), Some(expected), "{meaning:?}");
            }
        }
    }

    #[test]
    fn sec_d03_the_unknown_is_uncertain_unless_the_campaign_resends() {
        let unknown = Meaning::Unknown { why: why() };
        assert_eq!(outcome(&unknown, OnUncertain::Skip), Some(Outcome::Uncertain));
        assert_eq!(judge(&unknown, OnUncertain::Resend), Act::Again);
    }

    #[test]
    fn only_who_is_gone_is_marked() {
        let gone =
            Meaning::Gone { standing: Standing::Gone, reason: Reason::Deactivated, why: why() };
        let Act::Settle { standing, .. } = judge(&gone, OnUncertain::Skip) else {
            unreachable!("gone settles")
        };
        assert_eq!(standing, Some(Standing::Gone));
        let refused = Meaning::ContentRefused { why: why() };
        let Act::Settle { standing, .. } = judge(&refused, OnUncertain::Skip) else {
            unreachable!("a refusal settles")
        };
        assert_eq!(standing, None);
    }
}
