//! One medium on its way down.

use std::time::Duration;

use tokio::time::Instant;

use crate::channel::slots::Means;
use crate::deliver::media::Turns;
use crate::media::download::Goods;
use crate::media::ladder::Rung;
use crate::model::media::{Form, KeptMedium, MediaKey};

/// One medium.
pub(super) struct Entry {
    pub url: String,
    pub form: Form,
    pub means: Means,
    pub rung: Rung,
    /// Grows whenever the way changes: an answer to an older way tells nothing.
    pub turn: u64,
    pub id: Option<KeptMedium>,
    pub id_refusals: u32,
    /// The id that was refused last: whatever still names it is older than that.
    pub refused_id: Option<String>,
    pub goods: Option<Goods>,
    pub content: Option<MediaKey>,
    /// Nothing is at the address.
    pub is_dead: bool,
    /// Somebody has got it this way.
    pub is_proven: bool,
    pub state: State,
    pub since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Free,
    /// Its first flight is on the wire.
    Scouted,
    /// Loaded, downloaded, converted or uploaded.
    Busy,
}

impl Entry {
    /// Its file was let go, and it has no other way.
    pub fn is_empty_handed(&self) -> bool {
        let is_shown = self.means == Means::AddressOnly;
        self.state == State::Free
            && self.id.is_none()
            && self.goods.is_none()
            && self.rung.needs_bytes()
            && !is_shown
    }

    /// Gives back the memory of a file that is of no use any more.
    pub fn let_go(&mut self, after: Duration, turns: &mut Turns) {
        if self.state == State::Free && self.since.elapsed() > after && self.goods.take().is_some()
        {
            self.turn = turns.next();
        }
    }

    /// It goes some way by which the service could tell an id of it, and has none.
    pub fn lacks_id(&self) -> bool {
        self.id.is_none() && self.rung != Rung::Link && self.means != Means::AddressOnly
    }

    /// A flight may board it now.
    pub fn is_open(&self) -> bool {
        match self.state {
            State::Free => true,
            State::Scouted => self.is_proven,
            State::Busy => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::download::Downloads;

    #[tokio::test]
    async fn a_file_is_let_go_once_nobody_has_taken_it_along_for_long() {
        let downloads = Downloads::new(Arc::new(|_, _| Box::pin(async { Ok(vec![1]) })));
        let goods = downloads.fetch("https://a.example/a.bin", Form::File, 10).await.unwrap();
        let mut entry = Entry {
            url: String::new(),
            form: Form::File,
            means: Means::All,
            rung: Rung::Upload,
            turn: 7,
            id: None,
            id_refusals: 0,
            refused_id: None,
            goods: Some(goods),
            content: None,
            is_dead: false,
            is_proven: false,
            state: State::Scouted,
            since: Instant::now(),
        };
        let turns = &mut Turns(7);
        entry.let_go(Duration::ZERO, turns);
        assert!(entry.goods.is_some() && !entry.is_empty_handed(), "it is on the wire");
        entry.state = State::Free;
        entry.let_go(Duration::from_secs(3600), turns);
        assert!(entry.goods.is_some(), "it was on the wire a moment ago");
        entry.let_go(Duration::ZERO, turns);
        assert!(entry.goods.is_none() && entry.is_empty_handed());
        assert_eq!(entry.turn, 8, "what was made of it is made anew");
    }
}
