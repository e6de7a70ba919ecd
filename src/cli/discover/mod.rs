//! `tidings discover`.

mod look;

mod probe;

use std::time::Duration;

use serde_json::json;
use url::{Host, Url};

use crate::cli::discover::look::{Find, Look, look, of_catalog, of_page};
use crate::cli::discover::probe::{Got, Prober};
use crate::cli::paste::{self, Names, Sketch, kind_name};
use crate::cli::{Done, EX_UNAVAILABLE, Failure, Settings, output};
use crate::extract::discover::{self, Advertised, Page};
use crate::extract::{robots, text};
use crate::model::name::Name;
use crate::model::source::{CatalogFormat, SourceKind};
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;

/// Most feeds that a page advertises, or links to, that are looked at.
const FEEDS_MAX: usize = 6;
/// Most sitemaps that are looked at.
const SITEMAPS_MAX: usize = 3;
/// The pause between two requests, and the longest that can be asked for, in seconds.
const PAUSE: f64 = 0.5;
const PAUSE_MAX: f64 = 60.0;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings discover blog.example.com
  tidings discover https://shop.example.com --json | jq -r .url
  tidings discover blog.example.com --write blog   adds feeds.d/blog.toml";

/// Find what can be watched at an address: feeds, a shop's products, sitemaps.
///
/// Asks for the page, then for what it names and for the few places where such things usually are,
/// one request at a time. What is printed can be pasted into the settings. Exits with 1 when
/// nothing is found.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print one JSON object a line for each find.
    #[arg(long)]
    json: bool,
    /// Look for this kind only.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Add the first find to the editors' files, as source NAME.
    #[arg(long, value_name = "NAME", value_parser = name)]
    write: Option<Name>,
    /// Seconds between two requests; default 0.5, and none on this machine itself.
    #[arg(long, value_name = "SECONDS")]
    pause: Option<f64>,
    /// The site, or one of its pages.
    #[arg(value_name = "URL")]
    url: String,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Feed,
    Page,
    Catalog,
    Sitemap,
}

impl Kind {
    fn is_of(self, kind: SourceKind) -> bool {
        matches!(
            (self, kind),
            (Self::Feed, SourceKind::Feed)
                | (Self::Page, SourceKind::Page)
                | (Self::Catalog, SourceKind::Catalog)
                | (Self::Sitemap, SourceKind::Sitemap)
        )
    }
}

pub(super) fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: Args) -> Done {
    let url = address(&args.url)?;
    let pause = args.pause.unwrap_or(if is_here(&url) { 0.0 } else { PAUSE });
    if !(0.0..=PAUSE_MAX).contains(&pause) {
        return Err(Failure::new(2, format!("`--pause` must be 0 to {PAUSE_MAX} seconds")));
    }
    let mut prober = Prober::new(Duration::from_secs_f64(pause))?;
    let now = Clock::system().now();
    let mut search = match search(&mut prober, &url, args.kind, now).await {
        // Nobody said `https`: a site without it is found by its other door.
        Err(failure) if !args.url.contains("://") => {
            let mut plain = url.clone();
            // It is a web address, whose scheme can be changed to another's.
            plain.set_scheme("http").ok();
            search(&mut prober, &plain, args.kind, now).await.map_err(|_second| failure)?
        }
        searched => searched?,
    };
    if let Some(kind) = args.kind {
        search.finds.retain(|find| kind.is_of(find.kind));
    }
    if search.finds.is_empty() {
        return Err(Failure::new(1, search.nothing(&prober)));
    }
    let sketches = sketches(&search, args.write.as_ref());
    for (find, sketch) in search.finds.iter().zip(&sketches) {
        if args.json {
            output::say(&find_json(find, sketch).to_string());
        } else {
            output::say(&sketch.to_toml());
        }
    }
    if let (Some(name), Some(first)) = (&args.write, sketches.first()) {
        paste::write(&args.settings, name, &first.to_toml())?;
    }
    Ok(())
}

/// The address as people type it: `https` where no scheme stands.
fn address(text: &str) -> Result<Url, Failure> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).map_err(|error| Failure::new(2, format!("{text}: {error}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(Failure::new(2, format!("{text}: only http and https are read")))
    }
}

/// Whether an address is this machine's own, which needs no manners.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What a search came to.
struct Search {
    /// Feeds before products before sitemaps.
    finds: Vec<Find>,
    /// The title of the page; may be empty.
    title: String,
    host: String,
    /// What the address gave instead of a page.
    instead: Option<String>,
}

impl Search {
    fn add(&mut self, find: Find) {
        // An empty shop or blog is no find beside others, and redirects lead to the same place.
        if find.items > 0 && !self.finds.iter().any(|known| known.url == find.url) {
            self.finds.push(find);
        }
    }

    fn has(&self, kind: SourceKind) -> bool {
        self.finds.iter().any(|find| find.kind == kind)
    }

    fn nothing(&self, prober: &Prober) -> String {
        let asked = output::count(prober.requests(), "request");
        match &self.instead {
            Some(what) => format!("nothing to watch was found at {}: {what}", self.host),
            None => format!("nothing to watch was found at {} with {asked}", self.host),
        }
    }
}

/// 1. What the address itself gives. 2. Feeds that the page or its headers advertise. 3. The
///    documents of the platforms whose marks the page bears. 4. Products in the page itself.
///    5. Feeds that the page links to, else the usual places of feeds, up to the first, else the
///    list that the page itself is. 6. The sitemaps that `robots.txt` names, else the usual ones.
async fn search(
    prober: &mut Prober,
    url: &Url,
    wanted: Option<Kind>,
    now: Timestamp,
) -> Result<Search, Failure> {
    let start = prober.get(url).await.map_err(|error| Failure::new(EX_UNAVAILABLE, error))?;
    let host = start.url.host_str().unwrap_or_default().to_owned();
    let mut search = Search { finds: vec![], title: String::new(), host, instead: None };
    match look(&start.bytes, start.content_type.as_deref(), &start.url, now) {
        Look::Found(find) => {
            search.add(*find);
            return Ok(search);
        }
        Look::Nothing(refusal) => search.instead = Some(refusal.to_string()),
        Look::Page => {}
    }
    let page = read_page(&start);
    search.title.clone_from(&page.title);
    let rules = robots_of(prober, &start.url).await;
    let sitemaps = rules.sitemaps();
    prober.obey(rules);

    let headers = discover::in_headers(start.links.iter().map(String::as_str), &start.url);
    let advertised: Vec<Advertised> = page.feeds.into_iter().chain(headers).collect();
    look_at(prober, &mut search, urls(&advertised), now).await;
    for platform in page.platforms {
        // Posts that the feed has already are not worth another source.
        if platform.format == CatalogFormat::Wordpress && search.has(SourceKind::Feed) {
            continue;
        }
        let Some(got) = prober.try_get(&platform.url).await else { continue };
        let content_type = got.content_type.as_deref();
        // The address that was asked is the one to watch: it keeps its parameters.
        let found = of_catalog(&got.bytes, content_type, &got.url, platform.format, now);
        if let Some(find) = found {
            search.add(Find { title: page.title.clone(), ..find });
        }
    }
    if !search.has(SourceKind::Catalog) {
        let content_type = start.content_type.as_deref();
        let found = of_catalog(&start.bytes, content_type, &start.url, CatalogFormat::JsonLd, now);
        if let Some(find) = found {
            search.add(Find { title: page.title.clone(), ..find });
        }
    }
    if !search.has(SourceKind::Feed) {
        look_at(prober, &mut search, urls(&page.linked), now).await;
    }
    if !search.has(SourceKind::Feed) {
        for place in discover::usual_places(&start.url) {
            look_at(prober, &mut search, vec![place], now).await;
            if search.has(SourceKind::Feed) {
                break;
            }
        }
    }
    if !search.has(SourceKind::Feed) || wanted.is_some_and(|kind| kind.is_of(SourceKind::Page)) {
        let content_type = start.content_type.as_deref();
        if let Some(find) = of_page(&start.bytes, content_type, &start.url) {
            search.add(find);
        }
    }
    let usual = ["/sitemap.xml", "/wp-sitemap.xml"];
    let usual = usual.iter().filter_map(|place| start.url.join(place).ok());
    let places: Vec<Url> = if sitemaps.is_empty() { usual.collect() } else { sitemaps };
    for place in places.into_iter().take(SITEMAPS_MAX) {
        look_at(prober, &mut search, vec![place], now).await;
    }
    search.finds.sort_by_key(|find| match find.kind {
        SourceKind::Feed => 0,
        SourceKind::Catalog => 1,
        SourceKind::Page => 2,
        SourceKind::Sitemap => 3,
    });
    Ok(search)
}

async fn look_at(prober: &mut Prober, search: &mut Search, places: Vec<Url>, now: Timestamp) {
    for place in places {
        let Some(got) = prober.try_get(&place).await else { continue };
        let found = look(&got.bytes, got.content_type.as_deref(), &got.url, now);
        if let Look::Found(find) = found {
            search.add(*find);
        }
    }
}

fn urls(advertised: &[Advertised]) -> Vec<Url> {
    advertised.iter().take(FEEDS_MAX).map(|feed| feed.url.clone()).collect()
}

fn read_page(got: &Got) -> Page {
    let content_type = got.content_type.as_deref();
    let decoded = text::decode(&got.bytes, content_type, got.url.host_str());
    discover::page(&decoded.text, &got.url)
}

/// The site's rules; a site without the file has none.
async fn robots_of(prober: &mut Prober, url: &Url) -> robots::Rules {
    let Ok(place) = url.join("/robots.txt") else { return robots::Rules::none() };
    match prober.try_get(&place).await {
        Some(got) => robots::Rules::parse(&got.bytes, probe::AGENT),
        None => robots::Rules::none(),
    }
}

/// The finds as sources. The first one takes the name that is wanted.
fn sketches(search: &Search, wanted: Option<&Name>) -> Vec<Sketch> {
    let mut names = Names::beside(wanted.cloned());
    let mut sketches = Vec::new();
    for (place, find) in search.finds.iter().enumerate() {
        let own = wanted.filter(|_| place == 0).cloned();
        let titles = [find.title.as_str(), search.title.as_str(), search.host.as_str()];
        let Some(name) = own.or_else(|| names.make(&titles)) else { continue };
        sketches.push(Sketch {
            name,
            kind: find.kind,
            format: find.format,
            url: find.url.to_string(),
            every: find.every,
            remarks: remarks(find),
        });
    }
    sketches
}

fn remarks(find: &Find) -> Vec<String> {
    let noun = match find.kind {
        SourceKind::Feed | SourceKind::Page => "item",
        SourceKind::Catalog if find.format == Some(CatalogFormat::Wordpress) => "post",
        SourceKind::Catalog => "product",
        SourceKind::Sitemap if find.has_more => "sitemap",
        SourceKind::Sitemap => "page",
    };
    let more =
        if find.has_more && find.kind == SourceKind::Catalog { ", and more pages" } else { "" };
    let title =
        if find.title.is_empty() { String::new() } else { format!(": “{}”", find.title) };
    let count = output::count(find.items, noun);
    let kind = kind_name(find.kind);
    let form = if find.form == kind { String::new() } else { format!(" ({})", find.form) };
    let mut remarks = vec![format!("{kind}{form}, {count}{more}{title}")];
    for (place, title) in find.newest.iter().enumerate() {
        let label = if place == 0 { "newest:" } else { "       " };
        remarks.push(format!("{label} {title}"));
    }
    remarks
}

fn find_json(find: &Find, sketch: &Sketch) -> serde_json::Value {
    json!({
        "kind": kind_name(find.kind),
        "format": find.form,
        "url": find.url.as_str(),
        "title": find.title,
        "items": find.items,
        "more": find.has_more,
        "newest": find.newest,
        "name": sketch.name.as_str(),
        "every": find.every,
        "toml": sketch.to_toml(),
    })
}
