//! Messages set in their layouts, beside a bare render of the same template by the engine.
//!
//! ```text
//! cargo bench --bench render [-- ROUNDS [article|price-drop|digest|personal]]
//! ```
//!
//! Ours escapes, bounds and reads back what a layout prints, and gives the tree that the channels
//! lower. The yardstick only prints texts: minijinja alone, its own escaping, filters that do the
//! least, and items whose texts are HTML already.
//!
//! *plain* is a whole post, for both kinds of channel in every language of its layout, from items
//! to messages; the yardstick makes the engine's values of its items and prints the template as
//! often as there are messages. *personal* is one recipient: to the calls that are sent, for names
//! as people have them, many of them the same; and only to the message, when no name comes twice.
//!
//! By turns of some milliseconds in one process, and the middle of all turns counts, so that what
//! else the machine does falls on both: compare the ratios.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a program that prints")]

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use minijinja::{AutoEscape, Environment, Value, context};
use tidings::channel::{Channel, telegram, wire};
use tidings::deliver::personal::Personal;
use tidings::markup;
use tidings::model::campaign::ChangeKind;
use tidings::model::channel::ChannelKind;
use tidings::model::item::{Item, ItemId};
use tidings::model::name::Name;
use tidings::model::offer::{Amount, Availability, Offer, Sale, Terms};
use tidings::model::post::{PriceMove, Told};
use tidings::model::time::Timestamp;
use tidings::render::{Layouts, Person, Scene, Stage, Thawed, shipped};

/// How often each is measured.
const ROUNDS: usize = 400;
/// Renders of one round.
const RENDERS: u32 = 50;

/// What a post is set for, in each language of its layout.
const KINDS: [ChannelKind; 2] = [ChannelKind::Telegram, ChannelKind::Messenger];

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

const PERSONAL: &str = "<p>{% if subscriber.first_name %}Hello {{ subscriber.first_name }},\
                        {% else %}Hello,{% endif %}</p>\n{% for item in items %}\
                        <img src=\"{{ item.image }}\" alt=\"{{ item.title }}\">\n\
                        <p><b>{{ item.title }}</b></p>\n<p>{{ item.summary | truncate(300) }}</p>\n\
                        <button href=\"{{ item.link }}\">Read more</button>\n{% endfor %}";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS);
    let words: Vec<&String> =
        arguments.iter().filter(|it| it.starts_with(char::is_alphabetic)).collect();
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|it| name.contains(*it));
    println!("{:<30} {:>10} {:>10} {:>7}", "posts a second", "ours", "bare", "ratio");
    for (layout, items) in [("article", 1), ("price-drop", 1), ("digest", 10)] {
        if is_wanted(layout) {
            plain(layout, items, rounds);
        }
    }
    for items in [1, 5] {
        if is_wanted("personal") {
            personal(items, rounds);
        }
    }
}

fn plain(name: &str, count: u8, rounds: usize) {
    let layouts = Layouts::compile(vec![]).unwrap();
    let (items, told): (Arc<[Item]>, _) = (items(count).into(), told(count));
    let (layout, campaign) = (Name::parse(name).unwrap(), Name::parse("news").unwrap());
    let scene = Scene { campaign: &campaign, told: &told, now: NOW };
    let ours = || {
        let stage = Stage::new(&items, &scene);
        black_box(layouts.render_each(&stage, &layout, KINDS));
    };
    let mut environment = bare();
    for (file, text) in shipped(name).chain(shipped("_price")) {
        environment.add_template(file, text).unwrap();
    }
    let languages = std::iter::once(String::new()).chain(layouts.languages(&layout));
    let dotted = |it: String| if it.is_empty() { it } else { format!(".{it}") };
    let files: Vec<String> = languages.map(|it| format!("{name}{}.html", dotted(it))).collect();
    let entries = entries(&items);
    let bare = || {
        let items: Vec<Value> = entries.iter().map(value).collect();
        let context = context! { item => items[0].clone(), items => items, campaign => "news" };
        for file in KINDS.iter().flat_map(|_| &files) {
            black_box(environment.get_template(file).unwrap().render(&context).unwrap());
        }
    };
    compare(&format!("plain {name}, {count}"), rounds, &ours, &bare);
}

fn personal(count: u8, rounds: usize) {
    let layouts = Layouts::compile(vec![("hello.html".to_owned(), PERSONAL.to_owned())]).unwrap();
    let (items, told) = (items(count), told(count));
    let (layout, campaign) = (Name::parse("hello").unwrap(), Name::parse("news").unwrap());
    let scene = Scene { campaign: &campaign, told: &told, now: NOW };
    let frozen = layouts.freeze(&layout, &items, &scene).unwrap();
    let mut environment = bare();
    environment.add_template("hello.html", PERSONAL).unwrap();
    let items: Value = entries(&items).iter().map(value).collect();
    let bare = |name: String| {
        let subscriber = context! { language => "en", first_name => name };
        let context = context! { items => &items, subscriber => subscriber, campaign => "news" };
        black_box(environment.get_template("hello.html").unwrap().render(context).unwrap());
    };
    let person = |name| Person {
        language: Some("en".to_owned()),
        first_name: Some(name),
        timezone: None,
        profile: vec![],
    };

    let channel = Channel::Telegram(
        telegram::api::Client::new(telegram::api::Settings {
            api: "http://127.0.0.1:9".parse().unwrap(),
            token: "1:nobody".to_owned().into(),
            time_max: wire::EXCHANGE_TIME_MAX,
        })
        .unwrap(),
    );
    let (names, bare_names) = (Names::of_people(), Names::of_people());
    let post = RefCell::new(Personal::new(&frozen, &campaign));
    let ours = || {
        black_box(post.borrow_mut().calls_for(&channel, person(names.next())).unwrap());
    };
    compare(&format!("personal, {count}: to its calls"), rounds, &ours, &|| {
        bare(bare_names.next());
    });

    let (names, bare_names) = (Names::all_different(), Names::all_different());
    let thawed = RefCell::new(Thawed::new(&frozen, &campaign));
    let ours = || {
        let person = person(names.next());
        black_box(thawed.borrow_mut().render(ChannelKind::Telegram, &person).unwrap());
    };
    compare(&format!("personal, {count}: no name twice"), rounds, &ours, &|| {
        bare(bare_names.next());
    });
}

/// First names, one after the other.
struct Names {
    /// The shares of the names up to each, ascending; none where all are different.
    shares: Vec<f64>,
    number: Cell<u32>,
}

impl Names {
    /// 20,000 names, the nth as frequent as 1/n: about as names are in a country.
    fn of_people() -> Self {
        let mut sum = 0.0;
        let shares = (1..=20_000u32).map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        });
        Self { shares: shares.collect(), number: Cell::new(0) }
    }

    fn all_different() -> Self {
        Self { shares: vec![], number: Cell::new(0) }
    }

    fn next(&self) -> String {
        let number = self.number.get() + 1;
        self.number.set(number);
        let Some(sum) = self.shares.last() else { return format!("Ana {number}") };
        // Spread evenly, and the same in each run.
        let at = f64::from(number.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX) * sum;
        format!("Ana {}", self.shares.partition_point(|share| *share < at))
    }
}

fn compare(name: &str, rounds: usize, ours: &dyn Fn(), bare: &dyn Fn()) {
    let mut times = [vec![], vec![]];
    let mut ratios = vec![];
    for _ in 0..rounds {
        for (render, times) in [ours, bare].into_iter().zip(&mut times) {
            let started = Instant::now();
            (0..RENDERS).for_each(|_| render());
            times.push(started.elapsed().as_secs_f64());
        }
        ratios.extend(times[1].last().zip(times[0].last()).map(|(bare, ours)| bare / ours));
    }
    let [ours, bare] = times.map(|times| f64::from(RENDERS) / median(times));
    println!("{name:<30} {ours:>10.0} {bare:>10.0} {:>7.2}", median(ratios));
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// The engine with nothing of ours.
fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // What it cuts is HTML already.
    environment.add_filter("truncate", |value: &Value, most: usize| {
        let text = value.as_str().unwrap_or_default();
        let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
        Value::from_safe_string(text[..end].to_owned())
    });
    environment.add_filter("money", |text: &str| text.replacen(".00", "", 1));
    environment
}

/// An item as one would keep it for the engine alone: every text is ready to be printed.
struct Entry {
    title: String,
    link: String,
    image: String,
    summary: String,
    body: String,
    text: String,
    authors: Vec<String>,
    tags: Vec<String>,
    price: &'static str,
    was: &'static str,
    list_price: &'static str,
    on_sale: bool,
    percent_off: u32,
    lowest_30d: &'static str,
    change: &'static str,
}

fn entries(items: &[Item]) -> Vec<Entry> {
    let entry = |item: &Item| Entry {
        title: item.title.clone(),
        link: item.link.clone().unwrap_or_default(),
        image: item.image.clone().unwrap_or_default(),
        summary: markup::to_html(&item.summary),
        body: markup::to_html(&item.body),
        text: item.body.plain(),
        authors: item.authors.clone(),
        tags: item.tags.clone(),
        price: "44.00 EUR",
        was: "59.00 EUR",
        list_price: "59.00 EUR",
        on_sale: true,
        percent_off: 25,
        lowest_30d: "49.50 EUR",
        change: "price-drop",
    };
    items.iter().map(entry).collect()
}

fn value(entry: &Entry) -> Value {
    context! {
        title => &entry.title,
        link => &entry.link,
        image => &entry.image,
        summary => &entry.summary,
        body => &entry.body,
        text => &entry.text,
        authors => &entry.authors,
        tags => &entry.tags,
        price => entry.price,
        was => entry.was,
        list_price => entry.list_price,
        on_sale => entry.on_sale,
        percent_off => entry.percent_off,
        lowest_30d => entry.lowest_30d,
        change => entry.change,
    }
}

fn items(count: u8) -> Vec<Item> {
    let summary = "<p>Some <b>bold</b> words about it, as people write them for a feed, with a \
                   <a href=\"https://blog.example.com/about\">link</a> &amp; a bit more text.</p>";
    let price = |units| Amount::new(units, 2, "EUR".parse().ok());
    let offer = Offer {
        brand: Some("Maker".to_owned()),
        terms: Terms {
            availability: Availability::InStock,
            list: price(59_00),
            sale: price(44_00).map(|price| Sale { price, from: None, until: None }),
            ..Terms::default()
        },
        variants: vec![],
        shelf: None,
    };
    let one = |number: u8| Item {
        id: ItemId([number; 16]),
        source: Name::parse("blog").unwrap(),
        guid: number.to_string(),
        title: format!("A title of the usual length & number {number}"),
        link: Some(format!("https://blog.example.com/2026/11/story-{number}?a=1&b=2")),
        summary: markup::rich(summary, None),
        body: markup::rich(&summary.repeat(20), None),
        published: Some(NOW),
        updated: None,
        first_seen: NOW,
        authors: vec!["Ana".to_owned()],
        tags: vec!["news".to_owned()],
        language: Some("en".to_owned()),
        image: Some(format!("https://blog.example.com/pictures/{number}.jpg")),
        media: vec![],
        offer: Some(offer.clone()),
    };
    (1..=count).map(one).collect()
}

fn told(count: u8) -> Vec<Told> {
    let price = |units| Amount::new(units, 2, "EUR".parse().ok());
    let moved = price(59_00).zip(price(44_00)).map(|(from, to)| PriceMove {
        from,
        to,
        lowest_30d: price(49_50),
    });
    let one =
        |number: u8| Told { item: ItemId([number; 16]), kind: ChangeKind::PriceDrop, price: moved };
    (1..=count).map(one).collect()
}
