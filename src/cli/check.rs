//! `tidings check`.

use std::collections::BTreeMap;

use crate::cli::{Done, Settings, output, reach};
use crate::config::{Channel, Service};
use crate::daemon::Setup;
use crate::model::campaign::Campaign;
use crate::model::lane::Period;
use crate::model::schedule::Span;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings check -c config/tidings.toml
  tidings check && systemctl reload tidings";

/// Look at settings, secrets and layouts as `run` does, and tell every problem at once.
///
/// Exits with 0 and a short summary of what would run, or with 78 and the problems.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Done {
    let setup = reach::load(&args.settings)?;
    for warning in &setup.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    if args.json {
        output::say_json(&summary_json(&setup));
    } else {
        output::say(&summary(&setup));
    }
    Ok(())
}

fn summary(setup: &Setup) -> String {
    let config = &setup.config;
    let mut out = format!(
        "would run: {}, {}, {}, {}\n",
        output::count(config.sources.len(), "source"),
        output::count(config.campaigns.len(), "campaign"),
        output::count(config.channels.len(), "channel"),
        output::count(config.topics.len(), "topic"),
    );
    for campaign in &config.campaigns {
        let names = |names: &[crate::model::name::Name]| {
            names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        out.push_str(&format!(
            "  {}: {} of {} in layout {} to {} subscribers on {}\n",
            campaign.name,
            campaign.on.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "),
            names(&campaign.sources),
            campaign.layout,
            if campaign.topics.is_empty() { "all".to_owned() } else { names(&campaign.topics) },
            names(&campaign.channels),
        ));
        if let Some(condition) = &campaign.when {
            out.push_str(&format!("    when {}\n", condition.as_str()));
        }
        out.push_str(&format!("    {}\n", sends(campaign)));
        if let Some(utility) = &campaign.utility {
            out.push_str(&format!(
                "    outside of Messenger's window as template {} in {}\n",
                utility.template, utility.language
            ));
        }
        if campaign.is_marketing {
            out.push_str("    outside of Messenger's window as a paid marketing message\n");
        }
    }
    for channel in &config.channels {
        out.push_str(&lanes(channel));
    }
    out.push_str(&format!("  store: {}\n", config.data_dir.display()));
    out.push_str(&format!("  admin socket: {}", config.listen.admin.display()));
    if let Some(public) = &config.listen.public {
        out.push_str(&format!("\n  public door: {public}"));
    }
    out
}

/// What a Messenger channel does for people whose window is closed.
fn lanes(channel: &Channel) -> String {
    let Service::Messenger { held_for, marketing, .. } = &channel.service else {
        return String::new();
    };
    let mut line = match held_for.is_zero() {
        true => format!("  {}: nothing is held for people outside of their window", channel.name),
        false => format!("  {}: held for {} at most", channel.name, Span(*held_for)),
    };
    if let Some(marketing) = marketing {
        let per = match marketing.per {
            Period::Day => "a day",
            Period::Month => "in 30 days",
        };
        line.push_str(&format!(
            "; marketing messages on account act_{}, at most {} {per} at {} each",
            marketing.ad_account,
            money(marketing.spend_max),
            money(marketing.cost),
        ));
    }
    line.push('\n');
    line
}

/// Millionths as an amount: `0.05`.
fn money(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let (whole, part) = text.split_at(text.len() - 4);
    format!("{whole}{}", part.trim_end_matches('0'))
}

/// When a campaign sends: `after 5m, each item by itself, at once, 08:00-21:00 in UTC`.
fn sends(campaign: &Campaign) -> String {
    match campaign.settle.is_zero() {
        true => campaign.timing.to_string(),
        false => format!("after {}, {}", Span(campaign.settle), campaign.timing),
    }
}

fn summary_json(setup: &Setup) -> serde_json::Value {
    let config = &setup.config;
    serde_json::json!({
        "sources": config.sources.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "campaigns": config.campaigns.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "timing": config
            .campaigns
            .iter()
            .map(|one| (one.name.to_string(), sends(one)))
            .collect::<BTreeMap<_, _>>(),
        "channels": config.channels.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "topics": config.topics.keys().collect::<Vec<_>>(),
        "data_dir": config.data_dir,
        "warnings": setup.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
