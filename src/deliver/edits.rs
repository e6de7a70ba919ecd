//! Edits of what was sent: after answers and posts, under the same limits.
//!
//! The store knows which revision everybody's messages show, so a pass needs no memory of its own:
//! it goes through those who are behind, round by round, and begins anew until nobody is. An edit
//! that is made twice does no harm, so nothing of it is noted before it goes out, and whatever is
//! under way at the end of a run is made again by the next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::channel::telegram::edit::Aim;
use crate::channel::{Call, Channel, Meaning, Observed};
use crate::deliver::judge::{Act, judge};
use crate::deliver::personal::Personal;
use crate::deliver::waiting::Flight;
use crate::deliver::worker::{CONTENT_REFUSALS_MAX, Worker, body_for, lowered_bodies};
use crate::model::campaign::OnUncertain;
use crate::model::correction::{EditAt, EditClaim, EditEnd, EditReceipt, Kept, KeptMessage};
use crate::model::lane::Lane;
use crate::model::post::{Post, PostId, Ticket};
use crate::model::subscriber::Standing;
use crate::store::StoreError;

/// So many edits without a telling answer give one recipient up.
const TRIES_MAX: u32 = 5;

/// Posts whose new words are kept, beyond those that are being edited.
const PASSES_KEPT: usize = 8;

/// How far one recipient's edit has come.
pub(super) struct Editing {
    at: EditAt,
    revision: u32,
    /// What is left of each message once all calls have come through.
    leaves: Vec<Option<KeptMessage>>,
    /// By call.
    steps: Vec<Step>,
    /// By message: as it was before.
    before: Vec<KeptMessage>,
    is_refused: bool,
    tries: u32,
}

/// One call of an edit.
struct Step {
    /// The message that it is about.
    message: usize,
    /// What is done where the service refuses it.
    otherwise: Option<(Call, KeptMessage)>,
    /// It puts a file into the message, which may stay as it is.
    is_media: bool,
}

/// The edits of one channel.
#[derive(Default)]
pub(super) struct Edits {
    /// The last one that was handed out in this round.
    after: Option<EditAt>,
    /// The round has handed out all there were.
    is_at_end: bool,
    /// Nobody is behind, as far as known.
    is_idle: bool,
    /// Handed out, and not told to the store.
    under_way: usize,
    done: Vec<EditReceipt>,
    pub asking: Option<BoxFuture<'static, Result<Round, StoreError>>>,
    passes: HashMap<PostId, Pass>,
}

/// A post's newest revision as this channel sends it.
struct Pass {
    revision: u32,
    media_revision: u32,
    is_deleted: bool,
    bodies: Vec<(Option<String>, Arc<[Call]>)>,
    personal: Option<Personal>,
    refusals: u32,
}

/// What the store answered.
pub(super) struct Round {
    told: usize,
    asked: usize,
    claims: Vec<EditClaim>,
    posts: Vec<Post>,
}

impl Edits {
    /// There may be something to edit.
    pub fn rouse(&mut self) {
        self.is_idle = false;
    }

    pub fn is_home(&self) -> bool {
        self.asking.is_none() && self.done.is_empty()
    }

    /// A flight is given back: the next round finds its recipient again.
    pub fn forget(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        (self.after, self.is_at_end) = (None, false);
    }

    fn end(&mut self, at: EditAt, end: EditEnd, standing: Option<Standing>) {
        self.done.push(EditReceipt { at, end, standing });
    }

    /// Begins a new round once the last one has come home; a round that finds nobody is the last.
    fn turn_round(&mut self) {
        if !self.is_at_end || self.under_way > 0 {
            return;
        }
        self.is_idle = self.after.is_none();
        (self.after, self.is_at_end) = (None, false);
    }
}

impl Worker {
    /// Tells the store what was edited, and asks it for more once there is nothing else to do;
    /// `most` is how many may wait here.
    pub(super) fn edit_if_useful(&mut self, most: usize) {
        if self.edits.asking.is_some() {
            return;
        }
        self.edits.turn_round();
        let may_begin = self.is_at_rest() && !self.edits.is_idle && !self.edits.is_at_end;
        let limit = if may_begin { most.saturating_sub(self.edits.under_way) } else { 0 };
        if limit == 0 && self.edits.done.is_empty() {
            return;
        }
        let done = std::mem::take(&mut self.edits.done);
        let known: HashMap<PostId, u32> =
            self.edits.passes.iter().map(|(post, pass)| (*post, pass.revision)).collect();
        let (store, channel) = (Arc::clone(&self.options.store), self.options.name.clone());
        let after = self.edits.after;
        self.edits.asking = Some(Box::pin(async move {
            let told = done.len();
            if told > 0 {
                store.commit_edits(&channel, done).await?;
            }
            let mut round = Round { told, asked: limit, claims: vec![], posts: vec![] };
            if limit == 0 {
                return Ok(round);
            }
            round.claims = store.lease_edits(&channel, after, limit).await?;
            let mut asked = HashSet::new();
            for EditClaim { at, revision, .. } in &round.claims {
                let is_known = known.get(&at.post).is_some_and(|known| known >= revision);
                if !is_known && asked.insert(at.post) {
                    round.posts.extend(store.load_post(at.post).await?);
                }
            }
            Ok(round)
        }));
    }

    /// The store answered.
    pub(super) fn take_edits(&mut self, round: Round) {
        self.edits.asking = None;
        self.edits.under_way = self.edits.under_way.saturating_sub(round.told);
        if self.edits.passes.len() > PASSES_KEPT {
            self.edits.passes.clear();
        }
        for post in &round.posts {
            if let Some(pass) = pass(&self.options.channel, post) {
                self.edits.passes.insert(post.id, pass);
            }
        }
        if round.asked > 0 {
            self.edits.is_at_end = round.claims.len() < round.asked;
        }
        self.edits.under_way += round.claims.len();
        for claim in round.claims {
            self.edits.after = Some(claim.at);
            self.begin_edit(claim);
        }
    }

    fn begin_edit(&mut self, claim: EditClaim) {
        let EditClaim { at, kept, recipient, .. } = claim;
        if !self.may_send() {
            return self.edits.forget();
        }
        let Some(pass) = self.edits.passes.get_mut(&at.post) else { return self.edits.forget() };
        let Some(recipient) = recipient else {
            return self.edits.end(at, EditEnd::GivenUp, None);
        };
        let aim =
            Aim { has_new_media: kept.revision < pass.media_revision, is_deleted: pass.is_deleted };
        let channel = &self.options.channel;
        let own = pass.personal.as_mut().and_then(|it| it.calls(channel, &recipient));
        let language = recipient.language.as_deref();
        let calls = own.or_else(|| body_for(&pass.bodies, language)).unwrap_or_default();
        let Some(edits) = channel.edits(&calls, &kept.messages, aim) else {
            return self.edits.end(at, EditEnd::GivenUp, None);
        };
        let mut editing = Editing {
            at,
            revision: pass.revision,
            leaves: Vec::with_capacity(edits.len()),
            steps: Vec::new(),
            before: kept.messages,
            is_refused: false,
            tries: 0,
        };
        let mut calls = Vec::new();
        for (message, edit) in edits.into_iter().enumerate() {
            editing.leaves.push(edit.leaves);
            if let Some(call) = edit.call {
                calls.push(call);
                let (otherwise, is_media) = (edit.otherwise, edit.is_media);
                editing.steps.push(Step { message, otherwise, is_media });
            }
        }
        if calls.is_empty() {
            return self.end_edit(&editing);
        }
        self.waiting.put_last(Flight {
            ticket: Ticket(0),
            post: None,
            calls: Arc::from(calls),
            part: 0,
            is_said: false,
            address: recipient.address,
            has_moved: false,
            policy: OnUncertain::Resend,
            begun: Instant::now(),
            paid: None,
            revision: 0,
            keeps: false,
            kept: Vec::new(),
            edit: Some(Box::new(editing)),
            lane: Lane::Window,
            window_until: None,
            toll: None,
        });
    }

    /// One call of an edit came home.
    pub(super) fn land_edit(
        &mut self,
        mut flight: Flight,
        mut editing: Box<Editing>,
        observed: &Observed,
        meaning: &Meaning,
    ) -> Result<(), StoreError> {
        match judge(meaning, OnUncertain::Resend) {
            Act::GoOn => {
                if let Some(pass) = self.edits.passes.get_mut(&editing.at.post) {
                    pass.refusals = 0;
                }
                self.next_step(flight, editing);
            }
            Act::Again if self.is_stopping() => self.edits.forget(),
            Act::Again => {
                editing.tries += u32::from(matches!(meaning, Meaning::Unknown { .. }));
                if editing.tries >= TRIES_MAX {
                    self.edits.end(editing.at, EditEnd::GivenUp, None);
                } else {
                    flight.edit = Some(editing);
                    self.waiting.put_first(flight);
                }
            }
            // In its new place the chat has no message by these ids.
            Act::Move { .. } => self.edits.end(editing.at, EditEnd::GivenUp, None),
            Act::Settle { standing: standing @ Some(_), .. } => {
                self.edits.end(editing.at, EditEnd::GivenUp, standing);
            }
            Act::Settle { error, .. } => self.refused(flight, editing, observed, error),
            Act::Pause { why } => {
                self.edits.forget();
                self.pause(&why)?;
            }
            Act::Halt { why } => {
                self.edits.forget();
                self.halt(&why)?;
            }
        }
        Ok(())
    }

    fn refused(
        &mut self,
        mut flight: Flight,
        mut editing: Box<Editing>,
        observed: &Observed,
        error: Option<String>,
    ) {
        let Some(step) = editing.steps.get_mut(flight.part) else {
            return self.edits.end(editing.at, EditEnd::GivenUp, None);
        };
        let (message, is_media) = (step.message, step.is_media);
        // What can't take a file may take words: those tell whether it is there at all.
        let is_lost = !is_media && self.options.channel.is_out_of_reach(observed);
        let otherwise = step.otherwise.take_if(|_| !is_lost);
        if is_lost {
            // The person may have deleted it; there may be others.
            editing.leaves[message] = None;
        } else if let Some((call, leaves)) = otherwise {
            Arc::make_mut(&mut flight.calls)[flight.part] = call;
            step.is_media = false;
            editing.leaves[message] = Some(leaves);
            flight.edit = Some(editing);
            return self.waiting.put_first(flight);
        } else {
            editing.leaves[message] = editing.before.get(message).copied();
            if !is_media {
                editing.is_refused = true;
                self.mind_edits(editing.at.post, error);
            }
        }
        self.next_step(flight, editing);
    }

    /// The file that a call was to put into its message can't be had: the words go alone, or the
    /// message stays.
    pub(super) fn pass_over(&mut self, mut flight: Flight) {
        let Some(mut editing) = flight.edit.take() else { return };
        let Some(step) = editing.steps.get_mut(flight.part) else {
            return self.edits.end(editing.at, EditEnd::GivenUp, None);
        };
        let message = step.message;
        step.is_media = false;
        let Some((call, leaves)) = step.otherwise.take() else {
            editing.leaves[message] = editing.before.get(message).copied();
            return self.next_step(flight, editing);
        };
        Arc::make_mut(&mut flight.calls)[flight.part] = call;
        editing.leaves[message] = Some(leaves);
        flight.edit = Some(editing);
        self.waiting.put_first(flight);
    }

    fn next_step(&mut self, mut flight: Flight, editing: Box<Editing>) {
        flight.part += 1;
        if flight.part < flight.calls.len() {
            flight.edit = Some(editing);
            self.waiting.put_first(flight);
        } else {
            self.end_edit(&editing);
        }
    }

    fn end_edit(&mut self, editing: &Editing) {
        let messages: Vec<KeptMessage> = editing.leaves.iter().flatten().copied().collect();
        let is_deleted =
            self.edits.passes.get(&editing.at.post).is_some_and(|pass| pass.is_deleted);
        let end = if messages.is_empty() && !is_deleted {
            EditEnd::GivenUp
        } else {
            let kept = Kept { revision: editing.revision, messages };
            EditEnd::Done { kept, is_refused: editing.is_refused }
        };
        self.edits.end(editing.at, end, None);
    }

    /// Stops a pass whose content is refused again and again.
    fn mind_edits(&mut self, post: PostId, error: Option<String>) {
        let Some(pass) = self.edits.passes.get_mut(&post) else { return };
        pass.refusals += 1;
        if pass.refusals != CONTENT_REFUSALS_MAX {
            return;
        }
        let why = format!("the service refuses the edit: {}", error.unwrap_or_default());
        tracing::error!(channel.id = %self.options.name, post.id = %post, error = %why, "stopped the edits of a post");
        let (store, revision) = (Arc::clone(&self.options.store), pass.revision);
        self.do_beside(Box::pin(async move { store.stop_edits(post, revision, why).await }));
    }
}

fn pass(channel: &Channel, post: &Post) -> Option<Pass> {
    let state = post.corrections.as_deref()?;
    Some(Pass {
        revision: state.revision,
        media_revision: state.media_revision,
        is_deleted: state.is_deleted,
        bodies: lowered_bodies(channel, post),
        personal: Personal::of(post),
        refusals: 0,
    })
}
