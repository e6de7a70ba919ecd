//! The store with a hand on it: every transaction is done before anybody else runs, counted, and
//! may be the last thing that the process does.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use futures_util::future::BoxFuture;
use tidings::store::redb::{Gate, RedbStore};
use tidings::store::{Reply, Store};

/// When the process ends, in transactions from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub turns: u64,
    /// The transaction is done and nobody hears of it; otherwise it is not done.
    pub is_done: bool,
}

/// A store whose transactions are done at once, where they are asked.
pub struct Watched {
    pub store: Arc<dyn Store>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    turns: AtomicU64,
    end: Mutex<Option<End>>,
    has_ended: AtomicBool,
    is_peeking: AtomicBool,
}

/// What becomes of one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Answered,
    DoneUnheard,
    Undone,
}

impl Watched {
    pub fn new(store: RedbStore) -> Self {
        let state = Arc::<State>::default();
        let gate = Arc::clone(&state) as Arc<dyn Gate>;
        Self { store: Arc::new(store.behind(gate)), state }
    }

    pub fn turns(&self) -> u64 {
        self.state.turns.load(Ordering::Relaxed)
    }

    /// From the given transaction on nothing is answered any more.
    pub fn end_at(&self, end: Option<End>) {
        *self.state.end.lock().unwrap() = end;
    }

    pub fn has_ended(&self) -> bool {
        self.state.has_ended.load(Ordering::Relaxed)
    }

    /// Looks at the store without being counted.
    pub fn peek<'a, T>(&'a self, ask: impl FnOnce(&'a dyn Store) -> Reply<'a, T>) -> T {
        self.state.is_peeking.store(true, Ordering::Relaxed);
        let answer = wait(ask(self.store.as_ref()));
        self.state.is_peeking.store(false, Ordering::Relaxed);
        answer.unwrap()
    }
}

impl Gate for State {
    fn pass<'a>(&'a self, work: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let turn = self.turn();
            if turn != Turn::Undone {
                wait(work);
            }
            if turn != Turn::Answered {
                pending::<()>().await;
            }
        })
    }
}

impl State {
    fn turn(&self) -> Turn {
        if self.is_peeking.load(Ordering::Relaxed) {
            return Turn::Answered;
        }
        if self.has_ended.load(Ordering::Relaxed) {
            return Turn::Undone;
        }
        self.turns.fetch_add(1, Ordering::Relaxed);
        let mut end = self.end.lock().unwrap();
        let Some(end) = end.as_mut() else { return Turn::Answered };
        end.turns = end.turns.saturating_sub(1);
        if end.turns > 0 {
            return Turn::Answered;
        }
        self.has_ended.store(true, Ordering::Relaxed);
        if end.is_done { Turn::DoneUnheard } else { Turn::Undone }
    }
}

/// Waits for what another thread does.
fn wait<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    // A task that has done much would else be told to wait for its next turn, which never comes.
    let mut work = std::pin::pin!(tokio::task::unconstrained(work));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}
