//! A small shop beside the blog: two things, whose stock and price whoever plays can change.

use std::fmt::Write;

use crate::sandbox::site::feed::escape;

/// What can be done to the first thing of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    SellOut,
    Restock,
    /// A tenth off.
    Cheapen,
}

impl Deed {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "sell-out" => Some(Self::SellOut),
            "restock" => Some(Self::Restock),
            "cheapen" => Some(Self::Cheapen),
            _ => None,
        }
    }
}

/// One thing on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Product {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    cents: u32,
    is_in_stock: bool,
}

/// What the shop begins with.
pub(super) fn shelf() -> Vec<Product> {
    vec![
        Product {
            id: "kettle",
            title: "The harbour master's kettle",
            about: "Whistles at high tide. Enamel, two litres.",
            cents: 3_900,
            is_in_stock: true,
        },
        Product {
            id: "lantern",
            title: "A lantern for the pier",
            about: "Brass, and brighter than the moon on most nights.",
            cents: 5_400,
            is_in_stock: false,
        },
    ]
}

/// Does it to the first thing; answers what is said of it.
pub(super) fn change(shelf: &mut [Product], deed: Deed) -> String {
    let Some(first) = shelf.first_mut() else { return String::new() };
    match deed {
        Deed::SellOut => first.is_in_stock = false,
        Deed::Restock => first.is_in_stock = true,
        Deed::Cheapen => first.cents = (first.cents - first.cents / 10).max(1),
    }
    format!("{}: {}", first.title, stands(first))
}

fn stands(product: &Product) -> String {
    let stock = if product.is_in_stock { "in stock" } else { "sold out" };
    format!("{}, {stock}", price(product))
}

fn price(product: &Product) -> String {
    format!("{}.{:02} EUR", product.cents / 100, product.cents % 100)
}

/// The catalog, as Google Merchant has it.
pub(super) fn catalog(base: &str, shelf: &[Product]) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n\
         <title>The Harbour Shop</title>\n",
    );
    for product in shelf {
        let (id, title, about) = (product.id, escape(product.title), escape(product.about));
        let stock = if product.is_in_stock { "in_stock" } else { "out_of_stock" };
        // Writing to a text never fails.
        let _ = writeln!(
            xml,
            "<item><g:id>{id}</g:id><title>{title}</title><link>{base}/shop/{id}</link>\
             <description>{about}</description><g:availability>{stock}</g:availability>\
             <g:price>{}</g:price></item>",
            price(product)
        );
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
}

/// A thing's page; `None` where there is none.
pub(super) fn page(shelf: &[Product], id: &str) -> Option<(String, String)> {
    let product = shelf.iter().find(|product| product.id == id)?;
    let (title, about) = (escape(product.title), escape(product.about));
    let body = format!("<h1>{title}</h1><p>{about}</p><p><b>{}</b></p>", stands(product));
    Some((title, body))
}
