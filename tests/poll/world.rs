//! A store, sources and a campaign, and a worker that polls them on request.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidings::model::campaign::{Campaign, ChangeKind, OnUncertain};
use tidings::model::name::Name;
use tidings::model::post::{Content, Draft};
use tidings::model::schedule::Schedule;
use tidings::model::source::{Source, SourceKind, SourceState};
use tidings::model::step::Step;
use tidings::model::time::Timestamp;
use tidings::poll::egress::Guard;
use tidings::poll::fetch::Limits;
use tidings::poll::worker::{Options, PollReport, poll_once};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::wakes::Wakes;
use tidings::store::{Store, redb};

/// Longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub sources: Vec<Source>,
    pub limits: Limits,
    /// What campaigns are on.
    pub on: Vec<ChangeKind>,
    dir: TempDir,
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl World {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let path: &Path = dir.path();
        let store = Arc::new(redb::open(&path.join("store.redb")).unwrap());
        Self {
            store,
            clock: Clock::system(),
            wakes: Wakes::default(),
            sources: vec![],
            limits: Limits::default(),
            on: vec![ChangeKind::New],
            dir,
        }
    }

    pub fn watch(&mut self, source: &str, url: &str) -> &mut Source {
        let every = Schedule::Every(Duration::from_secs(30 * 60));
        self.sources.push(Source::new(name(source), SourceKind::Feed, url, every));
        self.sources.last_mut().unwrap()
    }

    pub fn options(&self) -> Options {
        let campaign = Campaign {
            name: name("blog-posts"),
            sources: self.sources.iter().map(|source| source.name.clone()).collect(),
            on: self.on.clone(),
            min_step: Step::default(),
            layout: name("article"),
            topics: vec![name("news")],
            channels: vec![name("bot")],
            settle: Duration::ZERO,
            on_uncertain: OnUncertain::Skip,
            corrects: Default::default(),
            priority: Default::default(),
            when: None,
            timing: Default::default(),
            stages: None,
            reach: Default::default(),
            utility: None,
            is_marketing: false,
            watch: false,
        };
        Options {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            wakes: self.wakes.clone(),
            meters: Meters::default(),
            sources: self.sources.clone(),
            campaigns: [campaign].into(),
            windowed: vec![name("page")],
            guard: Guard {
                allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
                ..Guard::default()
            },
            limits: self.limits,
            items_max: tidings::extract::ITEMS_MAX,
            user_agent: "tidings-test".to_owned(),
            connections: 4,
            per_host: 1,
            host_pause: Duration::ZERO,
            floor: Duration::from_secs(300),
            folder: Arc::from(self.dir.path()),
            asks: None,
            push: None,
        }
    }

    /// Polls all once, and answers the reports by the order of the sources.
    pub async fn poll(&self) -> Vec<PollReport> {
        self.poll_with(false).await
    }

    pub async fn poll_with(&self, is_dry: bool) -> Vec<PollReport> {
        let mut told = Vec::new();
        let mut tell = |report: &PollReport| told.push(report.clone());
        let reports = poll_once(self.options(), is_dry, &mut tell);
        let reports = tokio::time::timeout(PATIENCE, reports).await.expect("it hangs");
        let mut reports = reports.unwrap();
        assert_eq!(told, reports);
        reports.sort_by_key(|report| {
            self.sources.iter().position(|source| source.name == report.source)
        });
        reports
    }

    pub async fn state(&self, source: &str) -> SourceState {
        let states = self.store.load_sources().await.unwrap();
        states
            .into_iter()
            .find(|(found, _)| found.as_str() == source)
            .map(|(_, state)| state)
            .unwrap()
    }

    pub async fn drafts(&self) -> Vec<Draft> {
        self.store.lease_drafts(Timestamp::from_millis(i64::MAX), 100).await.unwrap()
    }

    /// The titles of what is drafted, in the order of the drafts.
    pub async fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for draft in self.drafts().await {
            let Content::Items { items, .. } = draft.content else { continue };
            let ids: Vec<_> = items.iter().map(|told| told.item).collect();
            let items = self.store.load_items(&ids).await.unwrap();
            titles.extend(items.into_iter().map(|item| item.title));
        }
        titles
    }
}

/// How long after the poll the next one is.
pub fn wait(state: &SourceState) -> Duration {
    state.due_at.since(state.polled_at.unwrap())
}
