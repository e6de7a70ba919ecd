//! How everything stands, as figures that somebody can be woken by.

use crate::admin::desk::{Desk, word};
use crate::model::name::Name;
use crate::runtime::meters::Figure;
use crate::store::Status;

/// One figure and its labels.
type Row = (Vec<(&'static str, String)>, f64);

impl Desk {
    /// What `tidings status` tells, for alerts; of a store that does not answer, that alone.
    pub async fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![one(
            "settings_stale",
            "1 after a reload whose settings were refused: those before are in force",
            f64::from(u8::from(self.reloads.refused().is_some())),
        )];
        let status = self.store.load_status().await;
        figures.push(one(
            "store_up",
            "1 while the store answers",
            f64::from(u8::from(status.is_ok())),
        ));
        if let Ok(status) = status {
            figures.extend(self.of_channels(&status));
            figures.extend(self.of_sources(&status));
            figures.extend(of_work(&status));
        }
        figures
    }

    fn of_channels(&self, status: &Status) -> Vec<Figure> {
        let label = |name: &Name| vec![("channel", name.to_string())];
        let (mut up, mut paused, mut halted) = (Vec::new(), Vec::new(), Vec::new());
        let (mut answers, mut people) = (Vec::new(), Vec::new());
        for name in self.channels.keys() {
            let known = status.channels.iter().find(|one| one.channel == *name);
            let is_paused = known.is_some_and(|one| one.state.paused.is_some());
            let is_halted = known.is_some_and(|one| one.halt.is_some());
            let is_deaf = self.reception.of(name).is_some_and(|heard| heard.trouble.is_some());
            up.push(flag(label(name), !(is_paused || is_halted || is_deaf)));
            paused.push(flag(label(name), is_paused));
            halted.push(flag(label(name), is_halted));
            answers.push((label(name), figure(known.map_or(0, |one| one.answers))));
            for (standing, count) in known.into_iter().flat_map(|one| &one.subscribers) {
                let mut labels = label(name);
                labels.push(("standing", word(standing)));
                people.push((labels, figure(*count)));
            }
        }
        vec![
            many("channel_up", "1 while the channel sends and hears", up),
            many("channel_paused", "1 while the service refuses the channel", paused),
            many("channel_halted", "1 until somebody resumes the channel", halted),
            many("answers_waiting", "Answers not yet sent, by channel", answers),
            many("subscribers", "Subscribers, by channel and standing", people),
        ]
    }

    fn of_sources(&self, status: &Status) -> Vec<Figure> {
        let now = self.clock.now();
        let (mut ages, mut failures) = (Vec::new(), Vec::new());
        for name in &self.sources {
            let labels = vec![("source", name.to_string())];
            let state = status.sources.iter().find(|(known, _)| known == name);
            if let Some(at) = state.and_then(|(_, state)| state.succeeded_at) {
                ages.push((labels.clone(), now.since(at).as_secs_f64()));
            }
            failures.push((labels, figure(state.map_or(0, |(_, state)| state.failures.into()))));
        }
        vec![
            many("source_success_age_seconds", "Seconds since the last good poll, by source", ages),
            many("source_failures", "Polls failed in a row, by source", failures),
        ]
    }
}

fn of_work(status: &Status) -> Vec<Figure> {
    let counts = &status.counts;
    [
        ("deliveries_waiting", "Recipients who are still to get a post", counts.waiting),
        ("deliveries_in_flight", "Recipients whose message is on the wire", counts.in_flight),
        ("deliveries_held", "Recipients whose post is held for later", counts.held),
        ("deliveries_uncertain", "Recipients of whom nobody knows", counts.uncertain),
        ("posts_unfinished", "Posts that somebody is still to get", status.unfinished_posts),
        ("drafts_waiting", "Drafts that wait for their time", status.drafts),
        ("reviews_waiting", "Drafts that wait for somebody's look", status.reviews),
        ("events_waiting", "Events not yet answered", status.events),
        ("events_aside", "Events that could not be answered", status.events_aside),
    ]
    .into_iter()
    .map(|(name, help, count)| one(name, help, figure(count)))
    .chain([one(
        "floods_held",
        "Polls that are held because too much was new",
        figure(u64::try_from(status.floods.len()).unwrap_or(u64::MAX)),
    )])
    .collect()
}

fn one(name: &'static str, help: &'static str, figure: f64) -> Figure {
    many(name, help, vec![(Vec::new(), figure)])
}

fn many(name: &'static str, help: &'static str, rows: Vec<Row>) -> Figure {
    Figure { name, help, rows }
}

fn flag(labels: Vec<(&'static str, String)>, is_so: bool) -> Row {
    (labels, f64::from(u8::from(is_so)))
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn figure(count: u64) -> f64 {
    count as f64
}
