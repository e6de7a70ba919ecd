//! `tidings extract`: a fixed interface, used by others' scripts.

use std::io::Read;

use url::Url;

use crate::cli::{Done, EX_DATAERR, EX_UNAVAILABLE, Failure, output};
use crate::extract::{Document, feed};
use crate::poll::fetch;

/// Longest document that is read.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// Where a document from a file or a pipe is taken to be, when nothing says.
const BASE_DEFAULT: &str = "http://localhost/";

/// Read one document as a source would, and print its items, one JSON object a line.
///
/// Facts about the feed go to standard error. Exits with 65 and one line when it is no feed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to read it as.
    #[arg(long, value_enum, default_value_t = Kind::Feed)]
    kind: Kind,
    /// The address that relative links start from; default: where it was fetched.
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
    /// The `Content-Type` that it was served with.
    #[arg(long, value_name = "CT")]
    content_type: Option<String>,
    /// A file, an http(s) address, or `-` for standard input.
    #[arg(value_name = "FILE|URL|-")]
    document: String,
}

/// The kinds of documents that can be read.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Kind {
    /// RSS, RDF, Atom, JSON Feed.
    Feed,
}

pub(super) async fn run(args: Args) -> Done {
    let loaded = load(&args.document, args.content_type).await?;
    let base = args.base.unwrap_or(loaded.base);
    let Kind::Feed = args.kind;
    let document = feed::read(&loaded.bytes, loaded.content_type.as_deref(), &base)
        .map_err(|error| Failure::new(EX_DATAERR, format!("{}: {error}", args.document)))?;
    tell_facts(&document);
    for entry in document.entries {
        output::say(&crate::extract::show::entry(&entry).to_string());
    }
    Ok(())
}

pub(super) struct Loaded {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: Option<String>,
    pub(super) base: Url,
}

/// The document's bytes, wherever they are.
pub(super) async fn load(place: &str, content_type: Option<String>) -> Result<Loaded, Failure> {
    if place.starts_with("http://") || place.starts_with("https://") {
        let url = Url::parse(place).map_err(|error| Failure::new(2, error))?;
        let fetched = fetch::once(&url)
            .await
            .map_err(|error| Failure::new(EX_UNAVAILABLE, format!("{place}: {error}")))?;
        return Ok(Loaded {
            bytes: fetched.body.to_vec(),
            content_type: content_type.or(fetched.content_type),
            base: fetched.final_url,
        });
    }
    let mut bytes = Vec::new();
    let read = if place == "-" {
        std::io::stdin().lock().take(DOCUMENT_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(place)
            .and_then(|file| file.take(DOCUMENT_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::new(EX_UNAVAILABLE, format!("{place}: {error}")))?;
    let base = Url::parse(BASE_DEFAULT).map_err(|error| Failure::new(1, error))?;
    Ok(Loaded { bytes, content_type, base })
}

fn tell_facts(document: &Document) {
    let facts = &document.facts;
    output::complain(&format!(
        "{} · {} · {} items · {:?} · {}",
        facts.format,
        facts.encoding,
        document.entries.len(),
        document.quality,
        facts.title.as_deref().unwrap_or("no title"),
    ));
}
