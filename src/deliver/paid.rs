//! What goes beyond the free rate, for Stars.
//!
//! A message that finds the free window full may go at once if it is paid for, as long as the
//! budget lasts. Stars are counted as spent in the store before the first message that costs them,
//! a few hundred at a time: a crash can only make us spend less than was counted. What was not used
//! is given back in order.
//!
//! Source: Bot API, `allow_paid_broadcast` and `getMyStarBalance`: up to 1,000 messages a second,
//! 0.1 Star for each beyond the free limit, taken from the bot's own balance, of at least 10,000.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::channel::{Balance, Channel};
use crate::deliver::limiter::pace::Pace;
use crate::deliver::limiter::starts::{STRAY_AFTER, Starts};
use crate::model::day::Days;
use crate::model::name::Name;
use crate::model::pacing::{StarBudget, StarsAsked, StarsPer};
use crate::model::post::PostId;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError};

/// The fastest rate that can be paid for. Source: Bot API, `allow_paid_broadcast`.
pub const PAID_RATE_MAX: f64 = 1_000.0;

/// A bot with fewer Stars can't pay. Source: Bot API, `allow_paid_broadcast`.
pub const STARS_NEEDED: u64 = 10_000;

/// Most that is counted as spent ahead, in tenths of a Star: a quarter of a second's worth.
const TAKEN_MAX: u64 = 256;

/// No more than this part of the budget is counted ahead.
const TAKEN_SHARE: u64 = 20;

/// The balance is asked for again after this.
const BALANCE_GOOD_FOR: Duration = Duration::from_secs(3_600);

/// … where it was too small, or nothing came back; and so long nothing is paid for once the service
/// refused what was.
const OFF_FOR: Duration = Duration::from_secs(600);

/// Most posts of which it is remembered that their budget is spent.
const SPENT_MAX: usize = 1_024;

/// So many paid messages refused in a row show that the service takes no pay.
const REFUSALS_MAX: u32 = 5;

/// What may be spent, and how fast.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Messages a second, free and paid together.
    pub rate: f64,
    pub budget: StarBudget,
    /// By which a day's budget begins.
    pub days: Days,
}

/// What is paid for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fare {
    /// The day on which it counts as spent.
    pub day: u32,
    /// Of a Star.
    pub tenths: u32,
}

/// Stars on their way back.
pub(super) type Returning = BoxFuture<'static, Result<(), StoreError>>;

/// What one message may do that finds the free window full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Go now, once this is paid.
    Now(Fare),
    /// Come again then.
    At(Instant),
    /// Wait for the free window.
    No,
}

/// An answer to the lane's own questions.
pub(super) enum News {
    /// So many tenths may be spent for a post.
    Taken {
        asked: StarsAsked,
        granted: u64,
    },
    Balance(Balance),
}

/// The paid lane of one channel.
pub(super) struct Paid {
    options: Options,
    channel: Name,
    store: Arc<dyn Store>,
    starts: Starts,
    pace: Pace,
    /// Counted as spent and not used: for which day, and how many tenths.
    left: HashMap<PostId, (u32, u64)>,
    /// Posts, and the day, whose budget is spent.
    spent_posts: HashSet<PostId>,
    spent_day: Option<u32>,
    asking: FuturesUnordered<BoxFuture<'static, Result<News, StoreError>>>,
    is_taking: bool,
    is_weighing: bool,
    /// Nothing is paid for before …
    off_until: Option<Instant>,
    /// … and without knowing a balance that is good until then.
    good_until: Option<Instant>,
    refusals: u32,
    is_told: bool,
    /// Requests under way that nobody pays for, and when the last of them was started.
    free_out: u32,
    free_begun: Instant,
}

impl Paid {
    pub fn new(options: Options, channel: Name, store: Arc<dyn Store>, now: Instant) -> Self {
        let rate = options.rate.min(PAID_RATE_MAX);
        Self {
            starts: Starts::new(rate, true, now),
            pace: Pace::new(rate, now),
            options,
            channel,
            store,
            left: HashMap::new(),
            spent_posts: HashSet::new(),
            spent_day: None,
            asking: FuturesUnordered::new(),
            is_taking: false,
            is_weighing: false,
            off_until: None,
            good_until: None,
            refusals: 0,
            is_told: false,
            free_out: 0,
            free_begun: now,
        }
    }

    /// What a message of the post may do that finds the free window full.
    pub fn lane(
        &mut self,
        post: PostId,
        weight: u32,
        (now, wall): (Instant, Timestamp),
        service: &Arc<Channel>,
    ) -> Lane {
        if self.off_until.is_some_and(|until| until > now) {
            return Lane::No;
        }
        if self.good_until.is_none_or(|until| until <= now) {
            if !self.is_weighing {
                self.is_weighing = true;
                let service = Arc::clone(service);
                self.asking
                    .push(Box::pin(async move { Ok(News::Balance(service.star_balance().await)) }));
            }
            return Lane::No;
        }
        let day = self.options.days.day(wall);
        // What was counted for another day is not spent on this one.
        let left = self.left.get(&post).filter(|(of, _)| *of == day).map_or(0, |(_, left)| *left);
        let chunk = (self.options.budget.tenths_max / TAKEN_SHARE).clamp(1, TAKEN_MAX);
        if left < (chunk / 2).max(weight.into()) {
            self.take(post, day, chunk.max(weight.into()));
        }
        if left < weight.into() {
            return Lane::No;
        }
        // A paid message that overtakes a free one on its way fills the free window before it.
        let is_overtaking = self.free_out > 0;
        let overtakes_until = is_overtaking.then(|| self.free_begun + STRAY_AFTER);
        let free_at = self.starts.free_at(weight).max(overtakes_until.unwrap_or(now));
        if free_at > now { Lane::At(free_at) } else { Lane::Now(Fare { day, tenths: weight }) }
    }

    /// So many messages start now, paid or not.
    pub fn note(&mut self, weight: u32, is_paid: bool, now: Instant) {
        self.starts.note(weight, now);
        if !is_paid {
            self.free_out += 1;
            self.free_begun = now;
        }
    }

    /// A request that was noted is over.
    pub fn landed(&mut self, is_paid: bool) {
        if !is_paid {
            self.free_out = self.free_out.saturating_sub(1);
        }
    }

    /// They are paid for.
    pub fn pay(&mut self, post: PostId, fare: Fare) {
        if let Some((_, left)) = self.left.get_mut(&post) {
            *left = left.saturating_sub(fare.tenths.into());
        }
    }

    /// They were not charged: only what arrives is. What was of another day than what is left of
    /// the post now goes back to that day.
    pub fn refund(&mut self, post: PostId, fare: Fare) -> Option<Returning> {
        let tenths = u64::from(fare.tenths);
        match self.left.get_mut(&post) {
            Some((day, left)) if *day == fare.day => {
                *left += tenths;
                None
            }
            _ => Some(self.bring_back(post, fare.day, tenths)),
        }
    }

    /// A paid message arrived.
    pub fn delivered(&mut self) {
        self.refusals = 0;
    }

    /// A paid message was too much; answers whether nothing is paid for any more for a while.
    pub fn refused(&mut self, begun: Instant, after: Duration, now: Instant) -> bool {
        if self.pace.refuse(begun, now, after) {
            self.starts.slow_to(self.pace.rate());
            self.refusals += 1;
        }
        if self.refusals < REFUSALS_MAX {
            return false;
        }
        self.refusals = 0;
        self.off_until = Some(now + OFF_FOR);
        true
    }

    /// Time has passed.
    pub fn recover(&mut self, now: Instant) {
        if self.pace.recover(now) {
            self.starts.slow_to(self.pace.rate());
        }
    }

    /// Something is being asked.
    pub fn is_asking(&self) -> bool {
        !self.asking.is_empty()
    }

    /// The next answer; never resolves without a question.
    pub async fn news(&mut self) -> Result<News, StoreError> {
        match self.asking.next().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Takes in an answer.
    pub fn hear(&mut self, news: &News, now: Instant) {
        match news {
            News::Taken { asked, granted } => self.take_in(asked, *granted),
            News::Balance(balance) => self.weigh(balance, now),
        }
    }

    fn take_in(&mut self, asked: &StarsAsked, granted: u64) {
        self.is_taking = false;
        let StarsAsked { post, day, tenths, budget } = *asked;
        let (of, left) = self.left.entry(post).or_insert((day, 0));
        if *of != day {
            (*of, *left) = (day, 0);
        }
        *left += granted;
        if granted == tenths {
            return;
        }
        match budget.per {
            StarsPer::Post => {
                if self.spent_posts.len() >= SPENT_MAX {
                    // The store is asked again, and says so again.
                    self.spent_posts.clear();
                }
                self.spent_posts.insert(post);
            }
            StarsPer::Day => self.spent_day = Some(day),
        }
        tracing::info!(
            channel.id = %self.channel, post.id = %post,
            "the budget of Stars is spent: the free rate holds"
        );
    }

    /// The service told how many Stars there are.
    fn weigh(&mut self, balance: &Balance, now: Instant) {
        self.is_weighing = false;
        let why = match balance {
            Balance::Stars(stars) if *stars >= STARS_NEEDED => None,
            // An older server of one's own: the settings' word is all there is.
            Balance::Unknown => None,
            Balance::Stars(stars) => {
                Some(format!("the bot has {stars} Stars and needs {STARS_NEEDED}"))
            }
            Balance::Failed(why) => Some(why.clone()),
        };
        let Some(why) = why else {
            self.good_until = Some(now + BALANCE_GOOD_FOR);
            self.is_told = false;
            return;
        };
        self.off_until = Some(now + OFF_FOR);
        if !self.is_told {
            self.is_told = true;
            let channel = &self.channel;
            tracing::warn!(channel.id = %channel, error = %why, "nothing can be paid for: the free rate holds");
        }
    }

    /// What was counted and is of no use any more goes back; nothing of it may be under way.
    pub fn give_back(&mut self) -> Vec<Returning> {
        let left: Vec<_> = self.left.drain().filter(|(_, (_, tenths))| *tenths > 0).collect();
        let back = left.into_iter().map(|(post, (day, tenths))| self.bring_back(post, day, tenths));
        back.collect()
    }

    fn bring_back(&self, post: PostId, day: u32, tenths: u64) -> Returning {
        let (store, channel) = (Arc::clone(&self.store), self.channel.clone());
        Box::pin(async move { store.return_stars(&channel, post, day, tenths).await })
    }

    fn take(&mut self, post: PostId, day: u32, tenths: u64) {
        let is_spent = self.spent_posts.contains(&post) || self.spent_day == Some(day);
        if is_spent || self.is_taking {
            return;
        }
        self.is_taking = true;
        let asked = StarsAsked { post, day, tenths, budget: self.options.budget };
        let (store, channel) = (Arc::clone(&self.store), self.channel.clone());
        // What is left of an earlier day goes back with it.
        let old = self.left.get(&post).copied().filter(|(of, left)| *of != day && *left > 0);
        if old.is_some() {
            self.left.remove(&post);
        }
        self.asking.push(Box::pin(async move {
            if let Some((of, left)) = old {
                store.return_stars(&channel, post, of, left).await?;
            }
            let granted = store.take_stars(&channel, asked).await?;
            Ok(News::Taken { asked, granted })
        }));
    }
}

#[cfg(test)]
mod tests;
