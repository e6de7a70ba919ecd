//! Traces: what became of an item, so that somebody can be told why they have it, or have it not.
//!
//! A trace is an account for people. Nothing is decided by it, and it is kept a while longer than
//! the item itself.

use serde::{Deserialize, Serialize};

use crate::model::campaign::ChangeKind;
use crate::model::item::ItemId;
use crate::model::name::Name;
use crate::model::post::{Draft, DraftId, Hold, PostId};
use crate::model::time::Timestamp;

/// Most steps that are kept of one item: the first one and the newest. Those that decide nothing
/// ([`Happened::is_passing`]) go before the others.
pub const STEPS_MAX: usize = 48;

/// Longest title and reason that are kept, in characters.
pub const TRACE_CHARS_MAX: usize = 160;

/// One item's way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub item: ItemId,
    pub source: Name,
    /// May be empty; cut to [`TRACE_CHARS_MAX`].
    pub title: String,
    pub link: Option<String>,
    pub first_seen: Timestamp,
    /// Oldest first, at most [`STEPS_MAX`].
    pub steps: Vec<Step>,
}

/// Something that happened to an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When it happened last.
    pub at: Timestamp,
    pub what: Happened,
    /// How often the same had happened before.
    pub again: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// A campaign wants it: it waits for its time.
    Drafted { campaign: Name, kind: ChangeKind, draft: DraftId, due_at: Timestamp },
    /// A campaign wants it, and a person is to say whether it goes.
    Held { campaign: Name, kind: ChangeKind, draft: DraftId, why: String },
    /// The admins let it go …
    Released { campaign: Name, draft: DraftId },
    /// … or took it as known: nobody gets it.
    TakenAsKnown { campaign: Name, draft: DraftId },
    /// The campaign has told the same story from another source.
    Merged { campaign: Name },
    /// The campaign does not want it, because of this rule.
    Filtered { campaign: Name, rule: String },
    /// Its draft came to nothing.
    Dropped { draft: DraftId, why: String },
    /// It is in a post.
    Posted { post: PostId },
    /// The source says it otherwise now, and so does the post.
    Corrected { post: PostId },
    /// The source took it back, and the post was corrected.
    TakenBack { post: PostId },
    /// Its draft waits longer than it was to.
    Moved { draft: DraftId, due_at: Timestamp, why: String },
}

impl Trace {
    /// Adds a step. One that only repeats an earlier one takes its place at the end; of too many
    /// the oldest but the very first go, those that decide nothing before the others.
    pub fn add(&mut self, at: Timestamp, what: Happened) {
        let before = self.steps.iter().position(|step| what.repeats(&step.what));
        let again = before.map_or(0, |before| self.steps.remove(before).again.saturating_add(1));
        self.steps.push(Step { at, what, again });
        while self.steps.len() > STEPS_MAX {
            let mut behind = self.steps.iter().skip(1);
            let passing = behind.position(|step| step.what.is_passing());
            self.steps.remove(passing.map_or(1, |at| at + 1));
        }
    }

    /// The posts that the item is in, oldest first.
    pub fn posts(&self) -> Vec<PostId> {
        let mut posts: Vec<PostId> = self
            .steps
            .iter()
            .filter_map(|step| match step.what {
                Happened::Posted { post } => Some(post),
                _ => None,
            })
            .collect();
        posts.dedup();
        posts
    }
}

impl Happened {
    /// It tells how things stand, not how they were decided.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Moved { .. } | Self::Filtered { .. })
    }

    /// It says again what an earlier step has said: a draft that waits on, the rule of a campaign.
    fn repeats(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Moved { draft, .. }, Self::Moved { draft: other, .. }) => draft == other,
            (Self::Filtered { .. }, Self::Filtered { .. }) => self == before,
            _ => false,
        }
    }

    /// What a draft means to an item that it tells.
    pub fn in_draft(draft: &Draft, campaign: &Name, kind: ChangeKind) -> Self {
        let (campaign, due_at) = (campaign.clone(), draft.due_at);
        match &draft.held {
            None => Self::Drafted { campaign, kind, draft: draft.id, due_at },
            Some(hold) => {
                let why = match hold {
                    Hold::Flood(flood) => short(&flood.reason),
                    Hold::Review => "it waits for your review".to_owned(),
                };
                Self::Held { campaign, kind, draft: draft.id, why }
            }
        }
    }
}

/// The text, no longer than what is kept.
pub fn short(text: &str) -> String {
    text.chars().take(TRACE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        Trace {
            item: ItemId([1; 16]),
            source: Name::parse("blog").unwrap(),
            title: "t".into(),
            link: None,
            first_seen: Timestamp::from_millis(0),
            steps: vec![],
        }
    }

    fn moved(draft: u64, due_at: i64) -> Happened {
        let due_at = Timestamp::from_millis(due_at);
        Happened::Moved { draft: DraftId(draft), due_at, why: "w".into() }
    }

    #[test]
    fn a_draft_that_waits_on_is_one_step_with_its_newest_time() {
        let mut trace = trace();
        let at = Timestamp::from_millis;
        trace.add(at(0), Happened::Posted { post: PostId(1) });
        for day in 1..=100 {
            trace.add(at(day), moved(7, day + 1));
            trace.add(at(day), moved(8, 5));
        }
        let steps: Vec<_> = trace.steps.iter().map(|step| (step.at, step.again)).collect();
        assert_eq!(steps, [(at(0), 0), (at(100), 99), (at(100), 99)]);
        assert_eq!(trace.steps[1].what, moved(7, 101));
    }

    #[test]
    fn what_decides_nothing_goes_before_what_does() {
        let mut trace = trace();
        let at = Timestamp::from_millis(0);
        for draft in 0..100 {
            trace.add(at, Happened::Posted { post: PostId(draft) });
            trace.add(at, moved(draft, 1));
        }
        assert_eq!(trace.posts().len(), STEPS_MAX);
        let mut trace = Trace { steps: vec![], ..trace };
        for post in 0..20 {
            trace.add(at, Happened::Posted { post: PostId(post) });
        }
        (0..100).for_each(|draft| trace.add(at, moved(draft, 1)));
        assert_eq!(trace.posts().len(), 20);
    }

    #[test]
    fn of_too_many_steps_the_first_and_the_newest_are_kept() {
        let mut trace = trace();
        for post in 0..100 {
            let at = Timestamp::from_millis(i64::try_from(post).unwrap());
            trace.add(at, Happened::Posted { post: PostId(post) });
        }
        let posts = trace.posts();
        assert_eq!((posts.len(), posts[0], posts[1]), (STEPS_MAX, PostId(0), PostId(53)));
        assert_eq!(posts.last(), Some(&PostId(99)));
    }
}
