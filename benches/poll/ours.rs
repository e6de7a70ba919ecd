//! The worker as it runs in the daemon, with its store on the disk.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tidings::model::campaign::{Campaign, ChangeKind, OnUncertain};
use tidings::model::name::Name;
use tidings::model::schedule::Schedule;
use tidings::model::source::{Source, SourceKind};
use tidings::poll::egress::Guard;
use tidings::poll::fetch::Limits;
use tidings::poll::worker::{Ask, Options, Outcome, run};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::store::{Store, redb};
use tokio::sync::{mpsc, oneshot};

/// How long it is left alone before its idle memory is read: connections are closed by then.
const REST: Duration = Duration::from_secs(12);

pub fn rounds(count: usize, port: u16) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let dir = tempfile::tempdir()?;
        let store = Arc::new(redb::open(&dir.path().join("store.redb"))?);
        let (ask_tx, ask_rx) = mpsc::channel(1);
        let options = options(count, port, store, ask_rx)?;
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        let mut options = Some(options);
        super::run_rounds(port, async || {
            if let Some(options) = options.take() {
                tasks.spawn("poll", run(options, stop.clone()));
            }
            let (answer, answered) = oneshot::channel();
            ask_tx.send(Ask { sources: vec![], is_dry: false, answer }).await?;
            let reports = answered.await?;
            ensure!(reports.len() == count, "only {} of {count} were polled", reports.len());
            let failed = reports.iter().find(|report| report.outcome == Outcome::Failed);
            ensure!(failed.is_none(), "a poll failed: {failed:?}");
            Ok(())
        })
        .await?;
        tokio::time::sleep(REST).await;
        super::tell_memory("idle_kib", "VmRSS:")?;
        ensure!(tasks.drain(REST).await.is_none(), "the worker failed");
        Ok(())
    })
}

fn options(
    count: usize,
    port: u16,
    store: Arc<dyn Store>,
    asks: mpsc::Receiver<Ask>,
) -> Result<Options> {
    let name = |text: String| Name::parse(&text).context("a name");
    let sources: Vec<Source> = (0..count)
        .map(|feed| {
            let every = Schedule::Every(Duration::from_secs(3_600));
            let name = name(format!("feed{feed}"))?;
            Ok(Source::new(name, SourceKind::Feed, super::url(feed, port), every))
        })
        .collect::<Result<_>>()?;
    let campaign = Campaign {
        name: name("news".to_owned())?,
        sources: sources.iter().map(|source| source.name.clone()).collect(),
        on: vec![ChangeKind::New],
        min_step: Default::default(),
        layout: name("article".to_owned())?,
        topics: vec![name("news".to_owned())?],
        channels: vec![name("bot".to_owned())?],
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
    Ok(Options {
        store,
        clock: Clock::system(),
        wakes: Wakes::default(),
        meters: Meters::default(),
        sources,
        campaigns: [campaign].into(),
        windowed: vec![],
        guard: Guard { allow_networks: vec!["127.0.0.0/8".parse()?], ..Guard::default() },
        limits: Limits::default(),
        items_max: tidings::extract::ITEMS_MAX,
        user_agent: "tidings-bench".to_owned(),
        connections: super::CONNECTIONS,
        per_host: 1,
        host_pause: Duration::ZERO,
        floor: Duration::from_secs(300),
        folder: Arc::from(std::env::temp_dir()),
        asks: Some(asks),
        push: None,
    })
}
