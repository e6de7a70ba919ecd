//! What a layout makes of samples on one kind of channel, as a text to keep beside it.

use std::path::Path;

use url::Url;

use crate::cli::Failure;
use crate::extract::feed;
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::preview::{Shown, text};
use crate::render::sample::{self, Sample};
use crate::render::{Layouts, RenderError, Scene, plain};

/// How wide snapshots are, in columns.
const WIDTH: usize = 72;

/// Most items of one document of an editor's own samples.
const ITEMS_MAX: usize = 3;

/// Largest document of an editor's own samples.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// The layout in one language, on one kind of channel, with each sample; or why it can't be set.
pub(super) fn take(
    layouts: &Layouts,
    layout: &Name,
    language: Option<&str>,
    kind: ChannelKind,
    samples: &[Sample],
) -> Result<String, String> {
    let mut out = String::new();
    for sample in samples {
        let shown = set(layouts, layout, language, kind, &sample.items, &sample.told)
            .map_err(|why| format!("with {}: {why}", sample.name))?;
        let calls: Vec<&str> = shown.calls.iter().map(|call| call.method).collect();
        let title = format!("═══ {} → {} ", sample.name, calls.join(", "));
        out.push_str(&format!(
            "{title}{}\n",
            "═".repeat(WIDTH.saturating_sub(title.chars().count()))
        ));
        for line in text(&shown, WIDTH, false).lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    Ok(out.trim_end().to_owned() + "\n")
}

/// Sets items in a layout, as a channel sends them.
pub(super) fn set(
    layouts: &Layouts,
    layout: &Name,
    language: Option<&str>,
    kind: ChannelKind,
    items: &[Item],
    told: &[Told],
) -> Result<Shown, String> {
    let scene = Scene { campaign: layout, told, now: sample::NOW };
    let message = match layouts.render(layout, kind, language, items, &scene) {
        // As composing does with items of which a layout prints nothing.
        Err(RenderError::Empty { .. }) => plain(items),
        rendered => rendered.map_err(|error| error.to_string())?,
    };
    let shown = Shown::of(kind, &message, items);
    if shown.calls.is_empty() {
        return Err("nothing of it can be sent".to_owned());
    }
    Ok(shown)
}

/// The samples that come with us, and the documents in the folder `fixtures` beside the layouts.
pub(super) fn samples(folder: &Path) -> Result<Vec<Sample>, Failure> {
    let source = Name::parse("example").map_err(|error| Failure::new(1, error))?;
    let mut samples = sample::samples(&source);
    let Ok(entries) = std::fs::read_dir(folder.join("fixtures")) else { return Ok(samples) };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        ["xml", "rss", "atom", "json"].contains(&ending)
    });
    paths.sort();
    for path in paths {
        let failed =
            |why: &dyn std::fmt::Display| Failure::new(1, format!("{}: {why}", path.display()));
        let bytes = path.metadata().map_err(|error| failed(&error))?.len();
        if bytes > DOCUMENT_BYTES_MAX {
            return Err(failed(&"a sample has at most 4 MB"));
        }
        let bytes = std::fs::read(&path).map_err(|error| failed(&error))?;
        let base = Url::parse("https://example.com/").map_err(|error| failed(&error))?;
        let document = feed::read(&bytes, None, &base).map_err(|error| failed(&error))?;
        let items: Vec<Item> = document
            .entries
            .into_iter()
            .take(ITEMS_MAX)
            .map(|entry| entry.into_item(&source, sample::NOW))
            .collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if items.is_empty() {
            return Err(failed(&"there is no item"));
        }
        samples.push(Sample { name, items, told: vec![] });
    }
    Ok(samples)
}
