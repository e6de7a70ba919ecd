//! `tidings check`.

mod says;

use std::collections::BTreeMap;

use crate::cli::{Done, Settings, output, reach};
use crate::config::{Channel, Problem, Secrets, Service};
use crate::daemon::{self, Setup, facets};
use crate::model::audience::{FixedChat, LateJoiners};
use crate::model::campaign::Campaign;
use crate::model::choice::FieldKind;
use crate::model::form::Shape;
use crate::model::lane::Period;
use crate::model::pacing::StarsPer;
use crate::model::schedule::Span;
use crate::runtime::clock::Clock;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings check -c config/tidings.toml
  tidings check && systemctl reload tidings
  CREDENTIALS_DIRECTORY=/etc/tidings/secrets tidings check   the secrets too";

/// Look at settings, secrets and layouts as `run` does, and tell every problem at once.
///
/// Exits with 0 and a short summary of what would run, or with 78 and the problems. Credentials of a
/// systemd unit are looked at where CREDENTIALS_DIRECTORY names their folder; elsewhere a warning says
/// that they were not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print the summary, or the problems, as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Done {
    let mut looked = reach::look(&args.settings, Secrets::LookedAt);
    if let Ok(setup) = &mut looked {
        let folder = setup.config.data_dir.clone();
        setup.warnings.extend(daemon::cautions(&folder));
        match daemon::try_folder(&folder) {
            Ok(None) => {}
            Ok(Some(doubt)) => setup.warnings.push(doubt),
            Err(problem) => looked = Err(vec![of_folder(&args.settings, problem)]),
        }
    }
    let setup = match looked {
        Ok(setup) => setup,
        Err(problems) => {
            if args.json {
                output::say_json(&problems_json(&problems));
            }
            return Err(reach::refusal(&args.settings, &problems));
        }
    };
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

/// The daemon could not keep anything.
fn of_folder(settings: &Settings, problem: String) -> Problem {
    Problem {
        path: settings.config.clone(),
        line: 1,
        column: 1,
        key: "data_dir".to_owned(),
        problem,
        hint: Some("the folder of the store must be the daemon's own".to_owned()),
    }
}

fn problems_json(problems: &[Problem]) -> serde_json::Value {
    let rows = problems.iter().map(|it| {
        serde_json::json!({
            "file": it.path,
            "line": it.line,
            "column": it.column,
            "key": it.key,
            "text": it.problem,
            "hint": it.hint,
        })
    });
    serde_json::json!({ "problems": rows.collect::<Vec<_>>() })
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
        if let Some(rule) = &campaign.reach.rule {
            out.push_str(&format!("    audience {}\n", rule.as_str()));
        }
        let chats = |chats: &[FixedChat]| {
            chats.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        if !campaign.reach.chats.is_empty() {
            out.push_str(&format!("    and to {}\n", chats(&campaign.reach.chats)));
        }
        if campaign.reach.late_joiners == LateJoiners::Include {
            out.push_str("    and to who subscribes while it is on its way\n");
        }
        out.push_str(&format!("    {}\n", sends(campaign)));
        if let Some(max) = config.caps.as_ref().and_then(|caps| caps.of(&campaign.name)) {
            out.push_str(&format!(
                "    to nobody who got {} that day; they get it on the next\n",
                output::count(usize::try_from(max).unwrap_or(usize::MAX), "post")
            ));
        }
        if let Some(stages) = &campaign.stages {
            out.push_str(&format!("    {stages}\n"));
        }
        if !campaign.reach.reviewers.is_empty() {
            out.push_str(&format!("    looked at by {}\n", chats(&campaign.reach.reviewers)));
        }
        if let Some(utility) = &campaign.utility {
            out.push_str(&format!(
                "    outside of Messenger's window as template {} in {}\n",
                utility.template, utility.language
            ));
        }
        if campaign.is_marketing {
            out.push_str("    outside of Messenger's window as a paid marketing message\n");
        }
        if campaign.watch {
            out.push_str("    with a button to watch the product\n");
        }
    }
    for source in config.sources.iter().filter(|source| source.watch) {
        out.push_str(&format!("  source {}: its products can be watched\n", source.name));
    }
    for channel in &config.channels {
        out.push_str(&format!("  channel {}: {}\n", channel.name, pace(channel)));
        out.push_str(&lanes(channel));
        out.push_str(&shows(setup, channel));
        if let Some([delete, deauthorize]) = config.callbacks_of(channel) {
            out.push_str(&format!("  {}: data deletion at {delete}\n", channel.name));
            out.push_str(&format!("  {}: deauthorization at {deauthorize}\n", channel.name));
        }
    }
    out.push_str(&says::lines(&config.messages));
    let now = Clock::system().now();
    for file in &config.posts {
        let past = if file.at < now { ", which is past" } else { "" };
        out.push_str(&format!(
            "  {}.toml: `{}` at {}{past}\n",
            file.name, file.post.title, file.at
        ));
        if let Some(stages) = &file.post.stages {
            out.push_str(&format!("    {}\n", stages));
        }
    }
    for page in &config.pages {
        let names = |names: &[crate::model::name::Name]| {
            names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        out.push_str(&format!(
            "  page {}: {} on {} at {}\n",
            page.slug,
            page.topics.as_deref().map_or_else(|| "all topics".to_owned(), names),
            names(&page.channels),
            config.address_of(page),
        ));
    }
    for field in &config.profile {
        let kind = match field.kind {
            FieldKind::Text => "a text".to_owned(),
            FieldKind::Number => "a number".to_owned(),
            FieldKind::Choice => format!("one of {}", field.options.join(", ")),
        };
        let when = if field.at_start { "after the welcome" } else { "with /profile" };
        out.push_str(&format!("  profile {}: {kind}, asked for {when}\n", field.name));
    }
    for topic in &config.archives {
        out.push_str(&format!(
            "  everybody may read what is sent to {topic}, at {}\n",
            config.archive_of(topic)
        ));
    }
    for form in &config.forms {
        out.push_str(&format!(
            "  form {}: {}, by <script async src=\"{}\"></script>\n",
            form.name,
            shape(form.shape),
            config.script_of(&form.name),
        ));
    }
    out.push_str(&format!("  store: {}\n", config.data_dir.display()));
    out.push_str(&format!("  admin socket: {}", config.listen.admin.display()));
    if let Some(public) = &config.listen.public {
        out.push_str(&format!("\n  public door: {public}"));
    }
    if let Some(editor) = &config.listen.editor {
        out.push_str(&format!("\n  editor of forms: http://{editor}"));
    }
    out
}

/// What a form is, and where.
fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Dialog => "a pop-up in the middle",
        Shape::Corner { is_left: true } => "a pop-up in the left corner",
        Shape::Corner { is_left: false } => "a pop-up in the right corner",
        Shape::Bar { is_top: true } => "a bar at the top",
        Shape::Bar { is_top: false } => "a bar at the bottom",
        Shape::Button => "a button where its tag stands",
    }
}

/// What the service shows of a channel, in the words for everybody.
fn shows(setup: &Setup, channel: &Channel) -> String {
    let listed = |list: &serde_json::Value, field: &str, before: &str| {
        let all = list.as_array().into_iter().flatten();
        let words = all.filter_map(|one| one[field].as_str());
        words.map(|word| format!("{before}{word}")).collect::<Vec<_>>().join(", ")
    };
    let mut out = String::new();
    for facet in facets(&setup.config, channel) {
        let (value, everybody) = (&facet.value, &facet.value[0]["call_to_actions"]);
        let line = match facet.key.as_str() {
            "description" => format!("greets: {}", value.as_str().unwrap_or_default()),
            "greeting" => format!("greets: {}", value[0]["text"].as_str().unwrap_or_default()),
            "short_description" => {
                format!("says on its profile: {}", value.as_str().unwrap_or_default())
            }
            "commands" => format!("lists {}", listed(value, "command", "/")),
            "ice_breakers" => format!("asks: {}", listed(everybody, "question", "")),
            "persistent_menu" => format!("has in its menu: {}", listed(everybody, "title", "")),
            _ => continue,
        };
        out.push_str(&format!("  {} {line}\n", channel.name));
    }
    out
}

/// How fast a channel sends: `at most 30 a second, up to 1000 for at most 5000 Stars a day`.
fn pace(channel: &Channel) -> String {
    let mut words = format!("at most {} a second", channel.rate);
    if let Some(paid) = &channel.paid {
        let per = match paid.budget.per {
            StarsPer::Day => "day",
            StarsPer::Post => "post",
        };
        let stars = paid.budget.tenths_max / 10;
        words.push_str(&format!(", up to {} for at most {stars} Stars a {per}", paid.rate));
    }
    words
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
        "posts": config
            .posts
            .iter()
            .map(|one| (one.name.to_string(), one.at.to_string()))
            .collect::<BTreeMap<_, _>>(),
        "channels": config.channels.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "shows": config
            .channels
            .iter()
            .map(|one| {
                let shown = facets(config, one).into_iter().map(|facet| (facet.key, facet.value));
                (one.name.to_string(), shown.collect::<BTreeMap<_, _>>())
            })
            .collect::<BTreeMap<_, _>>(),
        "topics": config.topics.keys().collect::<Vec<_>>(),
        "profile": config.profile.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "pages": config
            .pages
            .iter()
            .map(|one| (one.slug.to_string(), config.address_of(one)))
            .collect::<BTreeMap<_, _>>(),
        "archives": config
            .archives
            .iter()
            .map(|topic| (topic.to_string(), config.archive_of(topic)))
            .collect::<BTreeMap<_, _>>(),
        "forms": config
            .forms
            .iter()
            .map(|one| (one.name.to_string(), config.script_of(&one.name)))
            .collect::<BTreeMap<_, _>>(),
        "meta": config
            .channels
            .iter()
            .filter_map(|one| {
                let [delete, deauthorize] = config.callbacks_of(one)?;
                let urls = serde_json::json!({ "delete": delete, "deauthorize": deauthorize });
                Some((one.name.to_string(), urls))
            })
            .collect::<BTreeMap<_, _>>(),
        "messages": says::json(&config.messages),
        "data_dir": config.data_dir,
        "warnings": setup.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
