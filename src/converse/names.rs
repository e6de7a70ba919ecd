//! First names of people on services that tell none with their events.
//!
//! A name is a nicety: it is asked for once a person, anew after [`NAME_REST`], and only of active
//! subscribers. Answers do not wait for it longer than [`PATIENCE`]: a question that takes longer
//! goes on beside them ([`Names::hear_late`]), and the name comes into the record with the person's
//! next event. A service that does not tell names is left alone for a while, so that a page without
//! leave to read profiles costs a call an hour.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc};

use crate::channel::{Channel, Profile};
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;

/// How long a name is believed.
const NAME_REST: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long an answer to a person waits for their name.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long one question may take, and how long it may wait for its turn.
const QUESTION_TIME_MAX: Duration = Duration::from_secs(2);

/// Questions of one channel at a time.
const QUESTIONS_MAX: usize = 16;

/// Questions that go on beside the answers; what is beyond is dropped.
const LATE_MAX: usize = 256;

/// Names of one channel that were told late and wait for the person's next event.
const LATE_NAMES_MAX: usize = 1_000;

/// A service that withholds names is asked again after so long.
const WITHHELD_REST: Duration = Duration::from_secs(3600);

/// A service that did not answer is asked again after so long.
const FAILED_REST: Duration = Duration::from_secs(60);

/// The channels that are asked for names.
pub(crate) struct Names {
    desks: BTreeMap<Name, Arc<Desk>>,
    late_tx: mpsc::Sender<Late>,
}

/// A question that took longer than answers wait.
type Late = BoxFuture<'static, ()>;

/// The questions that go on; for [`Names::hear_late`].
pub(crate) struct LateQuestions(mpsc::Receiver<Late>);

struct Desk {
    name: Name,
    channel: Arc<Channel>,
    turns: Semaphore,
    rest: Mutex<Rest>,
    /// Questions that go on beside the answers.
    late: AtomicUsize,
    /// By address: what was told too late.
    told: Mutex<BTreeMap<String, Told>>,
}

/// What a service told of a person.
struct Told {
    first_name: Option<String>,
    at: Timestamp,
}

#[derive(Default)]
struct Rest {
    until: Option<Timestamp>,
    /// That names are withheld was told: one line a run.
    was_told: bool,
}

impl Names {
    pub(crate) fn new(channels: &BTreeMap<Name, Arc<Channel>>) -> (Self, LateQuestions) {
        let asked = channels.iter().filter(|(_, channel)| channel.is_asked_for_names());
        let desk = |name: &Name, channel: &Arc<Channel>| Desk {
            name: name.clone(),
            channel: Arc::clone(channel),
            turns: Semaphore::new(QUESTIONS_MAX),
            rest: Mutex::default(),
            late: AtomicUsize::new(0),
            told: Mutex::default(),
        };
        let desks = asked.map(|(name, it)| (name.clone(), Arc::new(desk(name, it)))).collect();
        let (late_tx, late_rx) = mpsc::channel(LATE_MAX);
        (Self { desks, late_tx }, LateQuestions(late_rx))
    }

    /// Puts the person's name into their record, where it is to be asked for and can be had now.
    ///
    /// Takes [`PATIENCE`] at most, and no time at all while another question to the same service
    /// is late.
    pub(crate) async fn complete(&self, channel: &Name, person: &mut Subscriber, now: Timestamp) {
        let is_due = person.name_asked_at.is_none_or(|at| now.since(at) >= NAME_REST);
        if !is_due || person.standing != Standing::Active {
            return;
        }
        let Some(desk) = self.desks.get(channel) else { return };
        let told = desk.told().remove(&person.address);
        let told = match told {
            None if desk.late.load(Ordering::Relaxed) == 0 => {
                self.ask(desk, &person.address, now).await
            }
            told => told,
        };
        if let Some(Told { first_name, at }) = told {
            person.first_name = first_name;
            person.name_asked_at = Some(at);
        }
    }

    /// `None` when it was not told by now.
    async fn ask(&self, desk: &Arc<Desk>, address: &str, now: Timestamp) -> Option<Told> {
        let asked = Arc::clone(desk);
        let person = address.to_owned();
        let mut question: BoxFuture<'static, Option<Told>> =
            Box::pin(async move { asked.ask(&person, now).await });
        if let Ok(told) = tokio::time::timeout(PATIENCE, &mut question).await {
            return told;
        }
        let desk = Arc::clone(desk);
        let address = address.to_owned();
        desk.late.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&desk));
        let late = Box::pin(async move {
            let _counted = counted;
            if let Some(told) = question.await {
                let mut names = desk.told();
                if names.len() < LATE_NAMES_MAX {
                    names.insert(address, told);
                }
            }
        });
        // Beyond the limit the question is dropped: the person's next event asks anew.
        let _ = self.late_tx.try_send(late);
        None
    }

    /// Goes on with the questions that are late, side by side. Ends with the [`Names`] they are of.
    pub(crate) async fn hear_late(mut questions: LateQuestions) {
        let late = futures_util::stream::poll_fn(|context| questions.0.poll_recv(context));
        pin!(late).for_each_concurrent(None, |question| question).await;
    }
}

/// Counts a late question for as long as it goes on.
struct Counted(Arc<Desk>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.late.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Desk {
    /// `None` when it was not asked, or not answered.
    async fn ask(&self, address: &str, now: Timestamp) -> Option<Told> {
        let turn = tokio::time::timeout(QUESTION_TIME_MAX, self.turns.acquire());
        let _turn = turn.await.ok()?.ok()?;
        // Looked at behind the queue: a service that went silent stops those who wait, too.
        if self.rest().until.is_some_and(|until| now < until) {
            return None;
        }
        let profile = self.channel.profile(address, QUESTION_TIME_MAX).await;
        let mut rest = self.rest();
        match profile {
            Profile::Told { first_name } => {
                rest.until = None;
                Some(Told { first_name, at: now })
            }
            Profile::Failed => {
                rest.until = Some(now + FAILED_REST);
                None
            }
            Profile::Withheld => {
                rest.until = Some(now + WITHHELD_REST);
                if !std::mem::replace(&mut rest.was_told, true) {
                    tracing::info!(
                        channel.id = %self.name,
                        "the service tells the page no names: layouts do without them"
                    );
                }
                None
            }
        }
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;
    use crate::channel::messenger::api::{Client, Settings, VERSION};

    fn person(address: &str) -> Subscriber {
        Subscriber {
            number: 0,
            address: address.to_owned(),
            language: None,
            first_name: None,
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: Vec::new(),
            standing: Standing::Active,
            window_until: None,
            joined_at: Timestamp::from_millis(0),
            changed_at: Timestamp::from_millis(0),
            default_reply_at: None,
            choices: None,
        }
    }

    #[tokio::test]
    async fn a_name_that_comes_late_holds_nobody_up_and_is_there_the_next_time() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings {
            api: format!("http://{}/", server.local_addr().unwrap()).parse().unwrap(),
            version: VERSION.into(),
            page_id: "1".into(),
            page_token: "token".into(),
            app_secret: "secret".into(),
            time_max: Duration::from_secs(10),
        };
        let channel = Arc::new(Channel::Messenger(Client::new(settings).unwrap()));
        let page = Name::parse("page").unwrap();
        let (names, late) = Names::new(&BTreeMap::from([(page.clone(), channel)]));
        let may_answer = Notify::new();
        let service = async {
            let (mut stream, _) = server.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            may_answer.notified().await;
            let body = r#"{"first_name":"Ana","id":"7"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let now = Timestamp::from_millis(1_000);
        let conversation = async {
            let names = names;
            let (mut one, mut other) = (person("7"), person("8"));
            names.complete(&page, &mut one, now).await;
            assert_eq!(one.name_asked_at, None, "not told yet");
            names.complete(&page, &mut other, now).await;
            assert_eq!(other.name_asked_at, None, "not asked while another question is late");
            may_answer.notify_one();
            while names.desks[&page].late.load(Ordering::Relaxed) > 0 {
                tokio::task::yield_now().await;
            }
            names.complete(&page, &mut one, now).await;
            assert_eq!(one.first_name.as_deref(), Some("Ana"));
            assert_eq!(one.name_asked_at, Some(now));
        };
        // Ends when the names are gone with the conversation.
        tokio::join!(service, conversation, Names::hear_late(late));
    }
}
