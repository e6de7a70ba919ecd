//! The one thread that writes.
//!
//! 1. It takes every operation that waits (at most [`GROUP_MAX`]) and runs them in one transaction.
//! 2. If one of them fails, the transaction is aborted, that one is told why, and the rest run
//!    again in a new transaction: nobody pays for another's mistake.
//! 3. After the commit, which is durable, all are told.
//!
//! The first error of the disk ends it: from then on everybody is told [`StoreError::Failed`],
//! because after a failed sync nobody knows what the disk holds. A panic has the same effect.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;
use crate::store::redb::ledger::{Memory, Writing};
use crate::store::redb::tables::Tables;

/// Most operations of one transaction.
const GROUP_MAX: usize = 512;

/// Most operations that wait for the thread; who comes later waits for a place.
const QUEUE_MAX: usize = 1024;

/// The way to the thread. Dropping it ends the thread after what is queued, and waits for that.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Operation>>>,
    thread: Option<JoinHandle<()>>,
    fault: Arc<Fault>,
}

impl Writer {
    /// # Errors
    /// [`StoreError::Failed`] when the machine gives no thread.
    pub fn start(db: Arc<RwLock<Database>>, fault: Arc<Fault>) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let inner = Arc::clone(&fault);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write_all(&db, waiting, &inner))
            .map_err(|error| StoreError::Failed { what: format!("starting a thread: {error}") })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), fault })
    }

    /// Runs `work` in a transaction and answers once that is durable.
    ///
    /// `work` may run more than once; only its last run counts.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.fault.check()?;
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job { work, value: None, reply });
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(job).await.map_err(|_| self.why_ended())?;
        answer.await.map_err(|_| self.why_ended())?
    }

    fn why_ended(&self) -> StoreError {
        self.fault.trip(&ended());
        self.fault.check().err().unwrap_or_else(ended)
    }
}

impl Writer {
    /// Ends the thread after what is queued, and waits for that.
    pub fn end(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told to everybody who waited for it.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

fn ended() -> StoreError {
    StoreError::Failed { what: "the writer has ended".into() }
}

/// Whether the store has failed, and why: set once, never cleared.
#[derive(Default)]
pub(super) struct Fault {
    first: OnceLock<String>,
    /// The file that tells the next start to write the store anew.
    marker: Option<PathBuf>,
}

impl Fault {
    pub fn new(marker: Option<PathBuf>) -> Self {
        Self { first: OnceLock::new(), marker }
    }

    /// # Errors
    /// [`StoreError::Failed`] with the first failure, when there was one.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.first.get() {
            Some(what) => Err(StoreError::Failed { what: what.clone() }),
            None => Ok(()),
        }
    }

    /// Takes note of `error` if it is one of the disk's.
    pub fn trip(&self, error: &StoreError) {
        let StoreError::Failed { what } = error else { return };
        if self.first.set(what.clone()).is_ok()
            && let Some(path) = &self.marker
        {
            // The disk has just refused something else; if it refuses this too, the next start
            // repairs without rewriting.
            let _ = File::create(path).and_then(|mut file| {
                writeln!(file, "{what}")?;
                file.sync_all()?;
                path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
            });
        }
    }
}

/// Something to be done in a transaction.
trait Operation: Send {
    fn apply(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError>;

    fn answer(self: Box<Self>, ended: Result<(), StoreError>);
}

struct Job<T, F> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Operation for Job<T, F>
where
    T: Send,
    F: FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send,
{
    fn apply(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        self.value = Some((self.work)(writing)?);
        Ok(())
    }

    fn answer(self: Box<Self>, ended: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        let answer = ended.and_then(|()| value.ok_or_else(self::ended));
        // Whoever asked may have stopped waiting; what was committed stays committed.
        let _ = reply.send(answer);
    }
}

/// Why a group did not come through.
enum Stumble {
    /// The operation at this place failed; the others are to run again.
    At(usize, StoreError),
    /// The transaction failed.
    All(StoreError),
}

fn write_all(
    db: &RwLock<Database>,
    mut waiting: mpsc::Receiver<Box<dyn Operation>>,
    fault: &Fault,
) {
    let mut memory = Memory::default();
    let mut group = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while group.len() < GROUP_MAX
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        // Waits while the file is packed.
        let db = db.read().unwrap_or_else(PoisonError::into_inner);
        write_group(&db, &mut memory, &mut group, fault);
    }
}

/// Leaves `group` empty.
fn write_group(
    db: &Database,
    memory: &mut Memory,
    group: &mut Vec<Box<dyn Operation>>,
    fault: &Fault,
) {
    while !group.is_empty() {
        let error = match fault.check() {
            Err(error) => error,
            Ok(()) => match attempt(db, memory, group) {
                Ok(()) => {
                    memory.trim();
                    group.drain(..).for_each(|operation| operation.answer(Ok(())));
                    return;
                }
                Err(Stumble::At(at, error)) => {
                    memory.forget();
                    fault.trip(&error);
                    group.remove(at).answer(Err(error));
                    continue;
                }
                Err(Stumble::All(error)) => {
                    memory.forget();
                    // Whatever a commit ran into, nobody can say what is on the disk now.
                    let error = StoreError::Failed { what: error.to_string() };
                    fault.trip(&error);
                    error
                }
            },
        };
        group.drain(..).for_each(|operation| operation.answer(Err(error.clone())));
    }
}

fn attempt(
    db: &Database,
    memory: &mut Memory,
    group: &mut [Box<dyn Operation>],
) -> Result<(), Stumble> {
    let mut transaction = db.begin_write().map_err(failed)?;
    transaction.set_durability(Durability::Immediate).map_err(failed)?;
    // Two-phase commit, and no walk through the whole file after a crash.
    transaction.set_quick_repair(true);
    {
        let mut writing = Writing { tables: Tables::new(&transaction), memory };
        for (at, operation) in group.iter_mut().enumerate() {
            operation.apply(&mut writing).map_err(|error| Stumble::At(at, error))?;
        }
        writing.flush().map_err(Stumble::All)?;
    }
    transaction.commit().map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Stumble {
    Stumble::All(StoreError::Failed { what: error.to_string() })
}
