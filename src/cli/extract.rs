//! `tidings extract`: a fixed interface, used by others' scripts.

pub(super) mod catalog;

use std::io::Read;

use serde_json::json;
use url::Url;

use crate::cli::select::Select;
use crate::cli::{Done, EX_DATAERR, EX_UNAVAILABLE, Failure, output};
use crate::extract::show::item_json;
use crate::extract::sitemap::{self, Sitemap};
use crate::extract::{Document, ITEMS_MAX, NotADocument, feed, page};
use crate::model::name::Name;
use crate::poll::egress::Guard;
use crate::poll::fetch::{Fetcher, Limits, Request};
use crate::runtime::clock::Clock;

/// What a fetch by hand calls itself.
pub(super) const USER_AGENT: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));

/// Longest document that is read.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// Where a document from a file or a pipe is taken to be, when nothing says.
const BASE_DEFAULT: &str = "http://localhost/";

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings extract https://blog.example.com/feed.xml
  curl -s https://blog.example.com/feed.xml | tidings extract - | jq -r .title
  tidings extract --kind catalog https://shop.example.com/google.xml.gz
  tidings extract --kind catalog --format mapped --row SHOP/SHOPITEM \\
      --field id=ITEM_ID --field title=PRODUCTNAME --field price=PRICE_VAT shop.xml";

/// Read one document as a source would, and print its items, one JSON object a line.
///
/// Facts about the document go to standard error. Exits with 65 and one line when it can't be read as
/// what `--kind` says.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to read it as.
    #[arg(long, value_enum, default_value_t = Kind::Feed)]
    kind: Kind,
    #[command(flatten)]
    catalog: catalog::Reading,
    /// The address that relative links start from; default: where it was fetched.
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
    /// The `Content-Type` that it was served with.
    #[arg(long, value_name = "CT")]
    content_type: Option<String>,
    #[command(flatten)]
    select: Select,
    /// A file, an http(s) address, or `-` for standard input.
    #[arg(value_name = "FILE|URL|-")]
    document: String,
}

/// The kinds of documents that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// RSS, RDF, Atom, JSON Feed.
    Feed,
    /// The products of a shop: Merchant or Meta as XML or delimited text, YML, and the shop
    /// platforms' own; one line a product, with its variants.
    Catalog,
    /// A page that lists what is new.
    Page,
    /// The addresses of a site, as XML, text or a feed; an index gives its sitemaps.
    Sitemap,
}

pub(super) async fn run(args: Args) -> Done {
    if args.kind == Kind::Catalog {
        return catalog::run(args).await;
    }
    let loaded = load(&args.document, args.content_type).await?;
    let base = args.base.unwrap_or(loaded.base);
    let content_type = loaded.content_type.as_deref();
    let refused =
        |error: NotADocument| Failure::new(EX_DATAERR, format!("{}: {error}", args.document));
    let document = match args.kind {
        Kind::Feed | Kind::Catalog => {
            feed::read(&loaded.bytes, content_type, &base).map_err(refused)?
        }
        Kind::Page => {
            let rules = args.select.rules()?;
            page::read(&loaded.bytes, content_type, &base, &rules, ITEMS_MAX).map_err(refused)?
        }
        Kind::Sitemap => {
            match sitemap::read(&loaded.bytes, content_type, &base, sitemap::URLS_MAX)
                .map_err(refused)?
            {
                Sitemap::Urls { document, .. } => document,
                Sitemap::Index { children, .. } => {
                    tell_children(&children);
                    return Ok(());
                }
            }
        }
    };
    tell_facts(&document);
    let source = Name::parse("extract").map_err(|error| Failure::new(1, error))?;
    let now = Clock::system().now();
    for entry in document.entries {
        output::say(&item_json(&entry.into_item(&source, now)).to_string());
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
        return fetch(url, content_type).await;
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

/// One fetch as the daemon would make it, but that the person at the keyboard may reach what their
/// machine reaches: the guard is for addresses that come from others.
async fn fetch(url: Url, content_type: Option<String>) -> Result<Loaded, Failure> {
    let lost = |why: &dyn std::fmt::Display| Failure::new(EX_UNAVAILABLE, why);
    let everywhere = ["0.0.0.0/0", "::/0"];
    let guard = Guard {
        allow_networks: everywhere.iter().filter_map(|network| network.parse().ok()).collect(),
        ..Guard::default()
    };
    let fetcher = Fetcher::new(guard, Limits::default(), USER_AGENT, Clock::system())
        .map_err(|error| lost(&error))?;
    let fetched = fetcher.fetch(Request::new(url)).await.map_err(|error| lost(&error))?;
    let base = fetched.url;
    let document = fetched.document.ok_or_else(|| lost(&format!("{base}: no document came")))?;
    let unpacked = document.unpack().map_err(|fault| lost(&format!("{base}: {fault}")))?;
    Ok(Loaded { bytes: unpacked.bytes, content_type: content_type.or(unpacked.content_type), base })
}

/// The sitemaps of an index, in the form of items.
fn tell_children(children: &[sitemap::Child]) {
    output::complain(&format!("index of {}", output::count(children.len(), "sitemap")));
    for child in children {
        let (url, updated) = (child.url.as_str(), child.modified.map(|at| at.to_string()));
        let row = json!({
            "id": url, "link": url, "title": "", "summary": "", "body": "",
            "published": null, "updated": updated, "authors": [], "tags": [],
            "language": null, "image": null, "media": [], "sitemap": true,
        });
        output::say(&row.to_string());
    }
}

fn tell_facts(document: &Document) {
    let facts = &document.facts;
    output::complain(&format!(
        "{:?} · {} · {} items · {:?} · {}",
        facts.format,
        facts.encoding,
        document.entries.len(),
        document.quality,
        if facts.title.is_empty() { "no title" } else { &facts.title },
    ));
}
