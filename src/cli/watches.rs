//! `tidings watches`.

use serde_json::json;

use crate::admin::desk::Ask;
use crate::cli::reach::{self, Line};
use crate::cli::{Done, Failure, Settings, output, qr};
use crate::daemon::Absent;
use crate::extract::{keys, link};
use crate::model::name::Name;
use crate::model::watch_link::{self, Aim};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings watches list
  tidings watches link shop 4711                   by the product's id, as its catalog has it
  tidings watches link shop https://shop.example/kettle --tell stock";

/// What people wait for of products, and the links by which they ask for it.
///
/// Whoever opens such a link is told when the product is in stock, or cheaper; they subscribe to
/// nothing else by it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, clap::Subcommand)]
enum Word {
    /// List who waits for what, who asked first in front.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the links by which a product is watched, one a channel.
    Link {
        /// The catalog.
        source: String,
        /// The product's id, or a form's, as the catalog has it; or its address.
        #[arg(value_name = "ID|URL")]
        product: String,
        /// What is told: what fits, or only one of the two.
        #[arg(long, value_enum, default_value_t = Tell::Any)]
        tell: Tell,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Tell {
    /// That it is in stock, if it is not; else that it is cheaper.
    Any,
    Stock,
    Price,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, word } = args;
    match word {
        Word::List { limit, json } => list(&settings, limit, json).await,
        Word::Link { source, product, tell, json } => {
            let aim = match tell {
                Tell::Any => Aim::Fitting,
                Tell::Stock => Aim::Stock,
                Tell::Price => Aim::Price,
            };
            links(&settings, &source, product.trim(), aim, json).await
        }
    }
}

async fn list(settings: &Settings, limit: usize, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Watches { limit }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let watches = answered.value["watches"].as_array().cloned().unwrap_or_default();
    if watches.is_empty() {
        output::say("nobody waits for anything");
    }
    for watch in watches {
        let cell = |key: &str| watch[key].as_str().unwrap_or("-").to_owned();
        let wanted = match watch["at_most"].as_str() {
            Some(at_most) => format!("at most {at_most}"),
            None => "in stock".to_owned(),
        };
        output::say(&format!(
            "{}/{}  {}  {}: {wanted} (now {}, {}) until {}",
            cell("channel"),
            cell("address"),
            cell("source"),
            cell("title"),
            watch["availability"].as_str().unwrap_or("not listed"),
            watch["price"].as_str().unwrap_or("no price"),
            cell("expires"),
        ));
    }
    Ok(())
}

async fn links(settings: &Settings, source: &str, product: &str, aim: Aim, json: bool) -> Done {
    let setup = qr::settings_for_links(settings)?;
    let known = setup.config.sources.iter().filter(|known| known.watch);
    let names: Vec<&Name> = known.map(|known| &known.name).collect();
    let Some(name) = names.iter().find(|name| name.as_str() == source) else {
        let all: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let hint = match all.is_empty() {
            true => {
                "write `watch = true` at a catalog, or at a campaign that tells of one".to_owned()
            }
            false => format!("the settings have {}", all.join(", ")),
        };
        let words = format!("there is no source `{source}` to be watched\n  hint: {hint}");
        return Err(Failure::new(2, words));
    };
    let payload = match link::absolute(product) {
        Some(url) => {
            let link = keys::link_key(&url, false);
            let question = Ask::Product { source: (*name).clone(), link };
            let value = Line::open(settings, Absent::Refuse).await?.ask(question).await?;
            let found = value["product"].as_str().and_then(|text| text.parse().ok());
            let found = found.ok_or_else(|| Failure::new(1, "no product was named"))?;
            watch_link::of_token(aim, name, found)
        }
        None => {
            let hash = keys::product(product);
            let hash = hash.ok_or_else(|| Failure::new(2, "no product is named"))?;
            watch_link::payload(aim, name, product, hash)
        }
    };
    let mut links = Vec::new();
    for channel in &setup.config.channels {
        let way = qr::way(channel).await?;
        let address = way.saying(&payload).map_err(|error| Failure::new(2, error))?;
        links.push((channel, way.kind().as_str(), address));
    }
    if json {
        output::say_json(&json!({
            "payload": payload,
            "links": links.iter().map(|(channel, service, address)| json!({
                "channel": channel.name,
                "service": service,
                "link": address,
            })).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    links.iter().for_each(|(_, _, address)| output::say(address));
    Ok(())
}
