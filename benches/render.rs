//! Messages set in their layouts, beside a bare render of the same template by the engine.
//!
//! ```text
//! cargo bench --bench render [-- ROUNDS]
//! ```
//!
//! Ours escapes, bounds and reads back what a layout prints, and gives the tree that the channels
//! lower. The yardstick only prints a text: minijinja alone, with a context of ready values, its own
//! escaping, and filters that do the least. *plain* makes its items ready anew for each post, as
//! composing does; *personal* does it once for all recipients, as delivering does. By turns in one
//! process, and the fastest round counts: compare the ratios.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a program that prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use minijinja::{AutoEscape, Environment, Value, context};
use tidings::markup;
use tidings::model::campaign::ChangeKind;
use tidings::model::channel::ChannelKind;
use tidings::model::item::{Item, ItemId};
use tidings::model::name::Name;
use tidings::model::offer::{Amount, Availability, Offer, Sale, Terms};
use tidings::model::post::{PriceMove, Told};
use tidings::model::time::Timestamp;
use tidings::render::{Layouts, Person, Scene, Thawed, shipped};

/// How often each is measured.
const ROUNDS: usize = 15;
/// Renders of one round.
const RENDERS: u32 = 2_000;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

const PERSONAL: &str = "<p>{% if subscriber.first_name %}Hello {{ subscriber.first_name }},\
                        {% else %}Hello,{% endif %}</p>\n{% for item in items %}\
                        <img src=\"{{ item.image }}\" alt=\"{{ item.title }}\">\n\
                        <p><b>{{ item.title }}</b></p>\n<p>{{ item.summary | truncate(300) }}</p>\n\
                        <button href=\"{{ item.link }}\">Read more</button>\n{% endfor %}";

fn main() {
    let argument = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let rounds = argument.unwrap_or(ROUNDS);
    println!("{:<26} {:>10} {:>10} {:>7}", "messages a second", "ours", "bare", "ratio");
    for (layout, items) in [("article", 1), ("price-drop", 1), ("digest", 10)] {
        plain(layout, items, rounds);
    }
    personal(1, rounds);
    personal(5, rounds);
}

fn plain(name: &str, count: u8, rounds: usize) {
    let layouts = Layouts::compile(vec![]).unwrap();
    let (items, told) = (items(count), told(count));
    let (layout, campaign) = (Name::parse(name).unwrap(), Name::parse("news").unwrap());
    let scene = Scene { campaign: &campaign, told: &told, now: NOW };
    let ours = || {
        let kind = ChannelKind::Telegram;
        black_box(layouts.render(&layout, kind, None, &items, &scene).unwrap());
    };
    let mut environment = bare();
    for (file, text) in shipped(name).chain(shipped("_price")) {
        environment.add_template(file, text).unwrap();
    }
    let context = context! { items => values(&items), item => values(&items[..1])[0].clone(), campaign => "news" };
    let file = format!("{name}.html");
    let bare = || {
        black_box(environment.get_template(&file).unwrap().render(context.clone()).unwrap());
    };
    compare(&format!("plain {name}, {count}"), rounds, &ours, &bare);
}

fn personal(count: u8, rounds: usize) {
    let layouts = Layouts::compile(vec![("hello.html".to_owned(), PERSONAL.to_owned())]).unwrap();
    let (items, told) = (items(count), told(count));
    let (layout, campaign) = (Name::parse("hello").unwrap(), Name::parse("news").unwrap());
    let scene = Scene { campaign: &campaign, told: &told, now: NOW };
    let frozen = layouts.freeze(&layout, &items, &scene).unwrap();
    let thawed = Thawed::new(&frozen, &campaign);
    let person = Person { language: Some("en".to_owned()), first_name: Some("Ana".to_owned()) };
    let ours = || {
        black_box(thawed.render(ChannelKind::Telegram, &person).unwrap());
    };
    let mut environment = bare();
    environment.add_template("hello.html", PERSONAL).unwrap();
    let items = Value::from(values(&items));
    let bare = || {
        let subscriber = context! { language => "en", first_name => "Ana" };
        let context = context! { items => &items, subscriber => subscriber, campaign => "news" };
        black_box(environment.get_template("hello.html").unwrap().render(context).unwrap());
    };
    compare(&format!("personal, {count}"), rounds, &ours, &bare);
}

fn compare(name: &str, rounds: usize, ours: &dyn Fn(), bare: &dyn Fn()) {
    let (mut best, mut best_bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        for (render, best) in [(ours, &mut best), (bare, &mut best_bare)] {
            let started = Instant::now();
            (0..RENDERS).for_each(|_| render());
            *best = (*best).min(started.elapsed());
        }
    }
    let speed = |time: Duration| f64::from(RENDERS) / time.as_secs_f64();
    let ratio = best_bare.as_secs_f64() / best.as_secs_f64();
    println!("{name:<26} {:>10.0} {:>10.0} {ratio:>7.2}", speed(best), speed(best_bare));
}

/// The engine with nothing of ours.
fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("truncate", |value: &Value, most: usize| {
        let text = value.as_str().unwrap_or_default();
        if text.chars().count() <= most {
            return value.clone();
        }
        Value::from(text.chars().take(most).collect::<String>())
    });
    environment.add_filter("money", |text: &str| text.replacen(".00", "", 1));
    environment
}

/// Items as values that are ready.
fn values(items: &[Item]) -> Vec<Value> {
    items
        .iter()
        .map(|item| {
            context! {
                title => &item.title,
                link => &item.link,
                image => &item.image,
                summary => Value::from_safe_string(markup::to_html(&item.summary)),
                text => item.summary.plain(),
                price => "44.00 EUR",
                was => "59.00 EUR",
                list_price => "59.00 EUR",
                on_sale => true,
                percent_off => 25,
                lowest_30d => "49.50 EUR",
                change => "price-drop",
            }
        })
        .collect()
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
