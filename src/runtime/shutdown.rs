//! Stopping in steps: begin, grace, force.
//!
//! *Begin*: no new lease is taken, what is under way goes on. After the grace comes *force*: what
//! still waits on the outside is dropped, and the store's rescue at the next start sorts it out.
//! A task that ends or panics before *begin* is a fault and begins the stop by itself.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a task looks at to know when to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Take no new work.
    pub begin: CancellationToken,
    /// Drop what you wait for.
    pub force: CancellationToken,
}

/// The daemon's tasks: each has a name, and they end together.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    stop: Stop,
    tracker: TaskTracker,
    fault: Arc<Mutex<Option<String>>>,
    running: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Tasks {
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Starts a task that is expected to run until *begin*.
    pub fn spawn(&self, name: impl Into<String>, work: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let stop = self.stop.clone();
        let fault = Arc::clone(&self.fault);
        let inner = self.tracker.spawn(work);
        if let Ok(mut running) = self.running.lock() {
            running.push(inner.abort_handle());
        }
        self.tracker.spawn(async move {
            let ended = inner.await;
            let is_asked = match &ended {
                Ok(()) => stop.begin.is_cancelled(),
                Err(error) => error.is_cancelled(),
            };
            if is_asked {
                return;
            }
            let why = match ended {
                Ok(()) => format!("task `{name}` ended by itself"),
                Err(_) => format!("task `{name}` panicked"),
            };
            tracing::error!(task = %name, "a task ended when it should not");
            if let Ok(mut first) = fault.lock() {
                first.get_or_insert(why);
            }
            stop.begin.cancel();
        });
    }

    /// Ends every task where it stands, as the end of the process would; what was leased is for the
    /// rescue of the next start.
    pub fn abort(&self) {
        self.stop.begin.cancel();
        if let Ok(mut running) = self.running.lock() {
            running.drain(..).for_each(|task| task.abort());
        }
    }

    /// Begins the stop, waits `grace` for the tasks, then forces, and waits for the rest.
    ///
    /// Answers what went wrong first, if a task ended when it should not.
    pub async fn drain(self, grace: Duration) -> Option<String> {
        self.stop.begin.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_err() {
            self.stop.force.cancel();
            self.tracker.wait().await;
        }
        self.fault.lock().ok().and_then(|mut first| first.take())
    }
}
