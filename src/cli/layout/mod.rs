//! `tidings layout`.

mod diff;

mod snapshot;

mod test;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::{Done, EX_CONFIG, Failure, Settings, output, reach};
use crate::daemon;
use crate::model::name::Name;
use crate::render::{Layouts, shipped};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings layout list                                    what there is
  tidings layout show article > layouts/article.html     a start for your own
  tidings layout show article.ro
  tidings layout test                                    yours, against what was accepted
  tidings layout test price-drop --accept";

/// List, copy and test layouts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every layout with its languages, and whether it is yours or comes with us.
    List {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the text of a layout: yours, or one that comes with us.
    Show {
        #[command(flatten)]
        place: Place,
        /// A layout, a variant or a part: `article`, `article.ro`, `_price`.
        name: String,
    },
    Test(test::Args),
}

/// Where the layouts are.
#[derive(Clone, Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    settings: Settings,
    /// The folder of the layouts; then no settings are read.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) async fn run(args: Args) -> Done {
    match args.what {
        What::List { place, json } => list(&place, json),
        What::Show { place, name } => show(&place, &name),
        What::Test(args) => test::run(args).await,
    }
}

/// Layouts and their folder, if there is one.
struct Found {
    layouts: Layouts,
    folder: Option<PathBuf>,
}

impl Place {
    /// The layouts of the folder, else of the settings; where there are no settings, those that
    /// come with us.
    fn find(&self) -> Result<Found, Failure> {
        if let Some(folder) = &self.folder {
            if !folder.is_dir() {
                let hint = "`--folder FOLDER` is where your `NAME.html` stand";
                let why = format!("no folder `{}`\n  hint: {hint}", folder.display());
                return Err(Failure::new(EX_CONFIG, why));
            }
            let layouts = daemon::layouts(folder).map_err(|all| Failure::problems(&all))?;
            return Ok(Found { layouts, folder: Some(folder.clone()) });
        }
        if !self.settings.config.exists() {
            let layouts = Layouts::compile(vec![]).map_err(|all| {
                Failure::problems(&all.iter().map(ToString::to_string).collect::<Vec<_>>())
            })?;
            return Ok(Found { layouts, folder: None });
        }
        let config = reach::load(&self.settings)?.config;
        let folder = config.layouts.clone();
        let layouts = daemon::layouts(&folder).map_err(|all| Failure::problems(&all))?;
        let layouts = layouts.in_zone(config.days.zone());
        Ok(Found { layouts, folder: Some(folder) })
    }
}

fn list(place: &Place, as_json: bool) -> Done {
    let Found { layouts, .. } = place.find()?;
    if as_json {
        let all: Vec<Value> = layouts
            .names()
            .iter()
            .map(|name| {
                json!({
                    "name": name,
                    "languages": layouts.languages(name),
                    "is_shipped": layouts.is_shipped(name),
                    "is_personal": layouts.is_personal(name),
                })
            })
            .collect();
        output::say_json(&json!({ "layouts": all }));
        return Ok(());
    }
    let mut rows = vec![["layout", "languages", "", ""].map(str::to_owned).to_vec()];
    for name in layouts.names() {
        let languages = layouts.languages(&name).join(", ");
        let languages =
            if languages.is_empty() { "all".to_owned() } else { format!("all, {languages}") };
        let whose = if layouts.is_shipped(&name) { "comes with tidings" } else { "yours" };
        let personal = if layouts.is_personal(&name) { "names its reader" } else { "" };
        rows.push(vec![name.to_string(), languages, whose.to_owned(), personal.to_owned()]);
    }
    output::say(output::table(&rows).trim_end());
    Ok(())
}

fn show(place: &Place, name: &str) -> Done {
    let file = if name.ends_with(".html") { name.to_owned() } else { format!("{name}.html") };
    let Found { folder, .. } = place.find()?;
    let own = folder.map(|folder| folder.join(&file)).filter(|path| {
        // A name is no path.
        !file.contains(['/', '\\']) && path.is_file()
    });
    if let Some(path) = own {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::new(1, format!("{}: {error}", path.display())))?;
        output::say(text.trim_end());
        return Ok(());
    }
    let stem = file.split('.').next().unwrap_or_default();
    let mut ours = shipped(stem);
    match ours.find(|(found, _)| *found == file) {
        Some((_, text)) => {
            output::say(text.trim_end());
            Ok(())
        }
        None => Err(Failure::new(
            1,
            format!("no layout `{name}`\n  hint: `tidings layout list` shows what there is"),
        )),
    }
}

fn unknown(layouts: &Layouts, name: &Name) -> Failure {
    let names: Vec<String> = layouts.names().iter().map(ToString::to_string).collect();
    Failure::new(1, format!("no layout `{name}`\n  hint: layouts: {}", names.join(", ")))
}
