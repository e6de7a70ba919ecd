//! Corrections: a post set anew because what it tells reads otherwise now, or was taken back.
//!
//! Nothing is edited here: the post gets its next revision, and delivery brings it to the messages
//! that show an older one. What reads the same as before is no correction.

use crate::compose::options::Options;
use crate::compose::set::{give_up, of_campaign};
use crate::model::campaign::{Campaign, OnRetraction};
use crate::model::correction::Corrections;
use crate::model::item::ItemId;
use crate::model::message::{Message, Module};
use crate::model::post::{Body, Content, Draft, DraftId, Post, PostId, Told};
use crate::render::struck;
use crate::store::{CorrectionCommit, StoreError};

/// Sets the post of a correction's draft anew.
pub(super) async fn correct(
    options: &Options,
    draft: DraftId,
    id: PostId,
    retracted: Vec<ItemId>,
) -> Result<(), StoreError> {
    let post = options.store.load_post(id).await?;
    let commit = match &post {
        Some(post) => anew(options, draft, post, retracted).await?,
        None => None,
    };
    let Some(commit) = commit else {
        let why = "there is nothing to correct any more";
        return give_up(options, vec![draft], why, options.clock.now()).await;
    };
    let is_taken_back = commit.is_taken_back;
    let channels = options.store.commit_correction(commit).await?;
    tracing::info!(post.id = %id, is_taken_back, "corrected a post");
    channels.iter().for_each(|channel| options.wakes.wake_channel(channel));
    Ok(())
}

/// The post's next revision; `None` when it would say the same.
async fn anew(
    options: &Options,
    draft: DraftId,
    post: &Post,
    new_retracted: Vec<ItemId>,
) -> Result<Option<CorrectionCommit>, StoreError> {
    let (Some(state), Some(campaign)) = (&post.corrections, &post.campaign) else {
        return Ok(None);
    };
    let rule = options.campaigns.iter().find(|rule| rule.name == *campaign);
    let Some(rule) = rule.filter(|rule| rule.corrects.is_on()) else { return Ok(None) };
    let Some((retracted, left)) = left(state, rule, new_retracted) else { return Ok(None) };
    let is_taken_back = left.is_empty();
    let set = if is_taken_back {
        // Where each recipient has their own text, delivery strikes that.
        let strike = |body: &Body| Body { message: struck(&body.message).into(), ..body.clone() };
        let bodies = post.bodies.iter().map(strike).collect();
        Post { bodies, ..post.clone() }
    } else {
        let ids: Vec<ItemId> = left.iter().map(|told| told.item).collect();
        let items = options.store.load_items(&ids).await?;
        if items.len() < ids.len() {
            tracing::warn!(post.id = %post.id, "left a post as it is: its items are not kept");
            return Ok(None);
        }
        of_campaign(options, rule, &items.into(), &left).post
    };
    let Post { title, bodies, personal, cards, .. } = set;
    if bodies == post.bodies && !is_taken_back {
        return Ok(None);
    }
    Ok(Some(CorrectionCommit {
        draft,
        post: post.id,
        title,
        has_new_media: files(&bodies) != files(&post.bodies),
        bodies,
        personal,
        cards,
        retracted,
        is_taken_back,
        is_deleted: is_taken_back && rule.corrects.on_retraction == OnRetraction::Delete,
        now: options.clock.now(),
    }))
}

/// What the source took back up to now, and what is left to tell; `None` when nothing is to be
/// done.
fn left(
    state: &Corrections,
    rule: &Campaign,
    new_retracted: Vec<ItemId>,
) -> Option<(Vec<ItemId>, Vec<Told>)> {
    let mut retracted = state.retracted.clone();
    if rule.corrects.on_retraction != OnRetraction::Keep {
        retracted.extend(new_retracted);
        retracted.sort_unstable();
        retracted.dedup();
    }
    let is_left = |told: &&Told| !retracted.contains(&told.item);
    let left: Vec<Told> = state.items.iter().filter(is_left).copied().collect();
    let is_new = retracted.len() > state.retracted.len();
    // A move of a price is told as it was: the next one is news, and corrects nothing.
    let is_of_price = left.iter().any(|told| told.price.is_some());
    let is_due = is_new || !(left.is_empty() || is_of_price);
    (is_due && !state.items.is_empty()).then_some((retracted, left))
}

/// The addresses of what is sent as a file, by body.
fn files(bodies: &[Body]) -> Vec<Vec<&str>> {
    bodies.iter().map(|body| files_of(&body.message)).collect()
}

fn files_of(message: &Message) -> Vec<&str> {
    let mut files = Vec::new();
    for module in &message.modules {
        match module {
            Module::Media(medium) => files.push(medium.url.as_str()),
            Module::Album(media) => files.extend(media.iter().map(|medium| medium.url.as_str())),
            Module::Text { .. } | Module::Cards(_) => {}
        }
    }
    files
}

/// A poll may have brought an item up to date while its post was made: then that is a correction.
pub(super) async fn look_again(
    options: &Options,
    post: PostId,
    set: &[crate::model::item::Item],
) -> Result<(), StoreError> {
    let ids: Vec<ItemId> = set.iter().map(|item| item.id).collect();
    if *options.store.load_items(&ids).await? == *set {
        return Ok(());
    }
    let now = options.clock.now();
    let content = Content::Correction { post, retracted: vec![] };
    let draft = Draft { id: DraftId(0), created_at: now, due_at: now, content, held: None };
    options.store.commit_draft(draft).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::campaign::{ChangeKind, Corrects};
    use crate::model::message::Medium;
    use crate::model::name::Name;
    use crate::model::offer::Amount;
    use crate::model::post::PriceMove;
    use crate::model::time::Timestamp;

    fn rule(on_retraction: OnRetraction) -> Campaign {
        let name = Name::parse("news").unwrap();
        Campaign {
            name: name.clone(),
            sources: vec![],
            on: vec![ChangeKind::New],
            min_step: Default::default(),
            layout: name,
            topics: vec![],
            channels: vec![],
            settle: Duration::ZERO,
            on_uncertain: Default::default(),
            corrects: Corrects { within: Duration::from_secs(1), on_retraction },
            priority: Default::default(),
            when: None,
            timing: Default::default(),
            stages: None,
            reach: Default::default(),
            utility: None,
            is_marketing: false,
            watch: false,
        }
    }

    fn told(byte: u8) -> Told {
        Told { item: ItemId([byte; 16]), kind: ChangeKind::New, price: None }
    }

    fn of(items: Vec<Told>) -> Corrections {
        Corrections::new(items, Timestamp::default())
    }

    #[test]
    fn what_was_taken_back_is_left_out_of_what_is_told() {
        let both = of(vec![told(1), told(2)]);
        let strike = rule(OnRetraction::Strike);
        let one = vec![ItemId([1; 16])];
        assert_eq!(left(&both, &strike, one.clone()), Some((one.clone(), vec![told(2)])));
        assert_eq!(left(&both, &strike, vec![]), Some((vec![], vec![told(1), told(2)])));
        let keep = rule(OnRetraction::Keep);
        assert_eq!(left(&both, &keep, one.clone()).unwrap().0, []);
        let gone = Corrections { retracted: one.clone(), ..of(vec![told(1)]) };
        assert_eq!(left(&gone, &strike, one), None, "already");
        assert_eq!(left(&of(vec![]), &strike, vec![]), None, "the window is over");
    }

    #[test]
    fn a_move_of_a_price_is_only_taken_back() {
        let amount = |units| Amount::new(units, 0, "EUR".parse().ok()).unwrap();
        let price = PriceMove { from: amount(2), to: amount(1), lowest_30d: None };
        let drop = of(vec![Told { price: Some(price), ..told(1) }]);
        let strike = rule(OnRetraction::Strike);
        assert_eq!(left(&drop, &strike, vec![]), None);
        assert!(left(&drop, &strike, vec![ItemId([1; 16])]).is_some());
    }

    #[test]
    fn files_are_told_by_their_addresses() {
        let image = |url| Module::Media(Medium::image(url, "words"));
        let message = Message::from(vec![
            image("a"),
            Module::Album(vec![Medium::image("b", ""), Medium::image("c", "")]),
        ]);
        assert_eq!(files_of(&message), ["a", "b", "c"]);
    }
}
