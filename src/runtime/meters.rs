//! What the daemon counts, in the Prometheus text format. Home of the metrics crate.
//!
//! Labels are names from the settings and fixed words; never an address or a person.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::model::name::Name;

/// How [`Meters::text`] is to be announced.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How something stands right now: `tidings_<name>`, with a figure for each set of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub name: &'static str,
    pub help: &'static str,
    pub rows: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// Counters over all stages since the start. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    polls: Family<SourceResult, Counter>,
    untold: Family<OfSource, Counter>,
    sends: Family<ChannelResult, Counter>,
    posts: Counter,
    late: Counter,
    events: Family<ChannelResult, Counter>,
    refusals: Family<ChannelReason, Counter>,
    pages_held_back: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceResult {
    source: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelResult {
    channel: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelReason {
    channel: String,
    reason: &'static str,
}

impl Meters {
    /// One poll ended: `result` is `new`, `price-drop`, `back-in-stock`, `updated`,
    /// `unchanged`, `held` or `failed`.
    pub fn count_poll(&self, source: &Name, result: &'static str) {
        let label = SourceResult { source: source.to_string(), result };
        self.polls.get_or_create(&label).inc();
    }

    /// `count` changes of a poll are known and were never told: too many at once.
    pub fn count_untold(&self, source: &Name, count: u64) {
        if count > 0 {
            let label = OfSource { source: source.to_string() };
            self.untold.get_or_create(&label).inc_by(count);
        }
    }

    /// One claim was settled, of a post or of an answer: `result` is the outcome's word, or
    /// `returned` when it waits again.
    pub fn count_send(&self, channel: &Name, result: &'static str) {
        self.count_sends(channel, result, 1);
    }

    /// So many deliveries ended in this way.
    pub fn count_sends(&self, channel: &Name, result: &'static str, count: u64) {
        if count > 0 {
            let label = ChannelResult { channel: channel.to_string(), result };
            self.sends.get_or_create(&label).inc_by(count);
        }
    }

    /// One post was made.
    pub fn count_post(&self) {
        self.posts.inc();
    }

    /// One draft was not sent, because it came too late.
    pub fn count_late(&self) {
        self.late.inc();
    }

    /// `count` events came in: `result` is `kept`, `repeated` or `stale`.
    pub fn count_events(&self, channel: &Name, result: &'static str, count: u64) {
        if count > 0 {
            let label = ChannelResult { channel: channel.to_string(), result };
            self.events.get_or_create(&label).inc_by(count);
        }
    }

    /// One request at the public door brought nothing: `reason` is `forged`, `unfit`, `unreadable`
    /// or `unkept`.
    pub fn count_refusal(&self, channel: &Name, reason: &'static str) {
        let label = ChannelReason { channel: channel.to_string(), reason };
        self.refusals.get_or_create(&label).inc();
    }

    /// One request for a page was one too many.
    pub fn count_page_held_back(&self) {
        self.pages_held_back.inc();
    }

    /// The text that a Prometheus server reads, with how everything stands now.
    pub fn text(&self, figures: Vec<Figure>) -> String {
        let mut registry = Registry::with_prefix("tidings");
        registry.register("polls", "Polls ended, by source and result", self.polls.clone());
        registry.register(
            "changes_untold",
            "Changes that were too many at once and never told, by source",
            self.untold.clone(),
        );
        registry.register(
            "deliveries",
            "Claims settled, by channel and result",
            self.sends.clone(),
        );
        registry.register("posts", "Posts made", self.posts.clone());
        registry.register(
            "drafts_late",
            "Drafts not sent because they came later than their campaign allows",
            self.late.clone(),
        );
        registry.register("events", "Events taken in, by channel and result", self.events.clone());
        registry.register(
            "refusals",
            "Requests at the public door that brought nothing, by channel and reason",
            self.refusals.clone(),
        );
        registry.register(
            "pages_held_back",
            "Requests for pages answered with 429, because they were too many",
            self.pages_held_back.clone(),
        );
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", version);
        for Figure { name, help, rows } in figures {
            if let [(labels, figure)] = &rows[..]
                && labels.is_empty()
            {
                let gauge = Gauge::<f64, AtomicU64>::default();
                gauge.set(*figure);
                registry.register(name, help, gauge);
                continue;
            }
            let family = Family::<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>>::default();
            for (labels, figure) in rows {
                family.get_or_create(&labels).set(figure);
            }
            registry.register(name, help, family);
        }
        let mut text = String::new();
        // Writing into a string can't fail; an empty page is the honest answer if it did.
        if encode(&mut text, &registry).is_err() {
            text.clear();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_figures_show_in_the_text() {
        let meters = Meters::default();
        meters.count_poll(&Name::parse("blog").unwrap(), "new");
        let figures = vec![
            Figure { name: "settings_stale", help: "x", rows: vec![(vec![], 1.0)] },
            Figure {
                name: "channel_up",
                help: "y",
                rows: vec![(vec![("channel", "bot".to_owned())], 0.0)],
            },
        ];
        let text = meters.text(figures);
        for line in [
            "tidings_polls_total{source=\"blog\",result=\"new\"} 1\n",
            "# TYPE tidings_channel_up gauge\n",
            "tidings_channel_up{channel=\"bot\"} 0.0\n",
            "tidings_settings_stale 1.0\n",
            concat!("tidings_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n"),
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
