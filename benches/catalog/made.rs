//! A shop that does not exist: Merchant catalogs of any size, and their later versions.
//!
//! Deterministic: the same arguments give the same bytes. A product is about 1 kB of XML with what
//! real ones have: variants of one group, CDATA with markup, references, sale prices with dates,
//! shipping with a price of its own. From one version to the next a share of the products changes:
//! prices, stock, words, some go, some come.

use std::io::{self, Write};

/// Words of titles and descriptions.
const WORDS: [&str; 32] = [
    "solar", "garden", "kitchen", "walnut", "ceramic", "linen", "steel", "compact", "outdoor",
    "folding", "vintage", "wireless", "thermal", "cotton", "bamboo", "leather", "lamp", "kettle",
    "chair", "table", "blanket", "backpack", "notebook", "speaker", "heater", "bottle", "shelf",
    "carpet", "mirror", "candle", "basket", "tray",
];
const COLOURS: [&str; 6] = ["black", "white", "olive", "navy", "sand", "red"];
/// Changes and their shares: of so many changed products, so many of each kind.
const KINDS: u64 = 10;
const MILLION: u64 = 1_000_000;

/// What a product is in a version.
struct State {
    cents: u64,
    is_on_sale: bool,
    stock: &'static str,
    edits: u64,
    is_gone: bool,
}

/// Writes version `version` (from 1) of a catalog that began with `products` rows; from version to
/// version `changed` of a million rows change, and a tenth as many are new.
///
/// # Errors
/// Those of `out`.
pub fn write_merchant(
    out: &mut impl Write,
    products: u64,
    version: u64,
    changed: u64,
) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
          xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n<title>Made shop</title>\n\
          <link>https://shop.example</link>\n<description>Everything</description>\n",
    )?;
    let mut item = Vec::with_capacity(2_048);
    for number in 0..products + fresh(products, version, changed) {
        let born = version_of_birth(number, products, changed);
        let state = state_of(number, born, version, changed);
        if state.is_gone {
            continue;
        }
        item.clear();
        write_item(&mut item, number, &state)?;
        out.write_all(&item)?;
    }
    out.write_all(b"</channel>\n</rss>\n")
}

/// The same rows as tab-separated text.
///
/// # Errors
/// Those of `out`.
pub fn write_delimited(out: &mut impl Write, products: u64) -> io::Result<()> {
    out.write_all(
        b"id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tbrand\t\
          gtin\tcondition\titem_group_id\tproduct_type\n",
    )?;
    for number in 0..products {
        let state = state_of(number, 1, 1, 0);
        let sale = if state.is_on_sale { money(state.cents * 8 / 10) } else { String::new() };
        writeln!(
            out,
            "SKU-{number:08}\t{}\t\"{}, \"\"{}\"\" and more\"\t{}\t{}\t{}\t{}\t{sale}\t\
             Maker {}\t{}\tnew\tG{}\tHome & Garden > {}",
            title(number),
            words(number, 40),
            COLOURS[place(number, COLOURS.len())],
            link(number),
            image(number),
            state.stock.replace('_', " "),
            money(state.cents),
            number % 97,
            gtin(number),
            number / 3,
            WORDS[place(mixed(number, 7), WORDS.len())],
        )?;
    }
    Ok(())
}

fn fresh(products: u64, version: u64, changed: u64) -> u64 {
    per_version(products, changed) * version.saturating_sub(1)
}

/// How many rows are new in each version.
fn per_version(products: u64, changed: u64) -> u64 {
    products * changed / MILLION / KINDS
}

fn version_of_birth(number: u64, products: u64, changed: u64) -> u64 {
    match number.checked_sub(products) {
        Some(later) => 2 + later / per_version(products, changed).max(1),
        None => 1,
    }
}

fn state_of(number: u64, born: u64, version: u64, changed: u64) -> State {
    let mut state = State {
        cents: 500 + mixed(number, 1) % 50_000,
        is_on_sale: mixed(number, 2).is_multiple_of(5),
        stock: if mixed(number, 3).is_multiple_of(8) { "out_of_stock" } else { "in_stock" },
        edits: 0,
        is_gone: false,
    };
    for later in born + 1..=version {
        if mixed(number, later * 31) % MILLION >= changed {
            continue;
        }
        match mixed(number, later * 31 + 1) % KINDS {
            0..=3 => state.cents = state.cents * 8 / 10 + 1,
            4 | 5 => state.cents = state.cents * 11 / 10 + 1,
            6 | 7 => {
                let is_there = state.stock == "in_stock";
                state.stock = if is_there { "out_of_stock" } else { "in_stock" };
            }
            8 => state.edits += 1,
            _ => state.is_gone = true,
        }
    }
    state
}

fn write_item(out: &mut Vec<u8>, number: u64, state: &State) -> io::Result<()> {
    writeln!(out, "<item>\n<g:id>SKU-{number:08}</g:id>")?;
    writeln!(out, "<title>{} &amp; {}</title>", title(number), COLOURS[place(number, 6)])?;
    write!(out, "<description><![CDATA[<p>{}</p><ul>", words(number, 28))?;
    for line in 0..3 {
        write!(out, "<li>{}</li>", words(mixed(number, line), 6))?;
    }
    if state.edits > 0 {
        write!(out, "<li>Revised {} times</li>", state.edits)?;
    }
    writeln!(out, "</ul>]]></description>\n<link>{}</link>", link(number).replace('&', "&amp;"))?;
    writeln!(out, "<g:image_link>{}</g:image_link>", image(number))?;
    writeln!(out, "<g:availability>{}</g:availability>", state.stock)?;
    writeln!(out, "<g:price>{}</g:price>", money(state.cents))?;
    if state.is_on_sale {
        writeln!(out, "<g:sale_price>{}</g:sale_price>", money(state.cents * 8 / 10))?;
        writeln!(
            out,
            "<g:sale_price_effective_date>2026-01-01T00:00+0000/2030-12-31T23:59+0000\
             </g:sale_price_effective_date>"
        )?;
    }
    writeln!(out, "<g:brand>Maker {}</g:brand>\n<g:gtin>{}</g:gtin>", number % 97, gtin(number))?;
    writeln!(
        out,
        "<g:condition>new</g:condition>\n<g:item_group_id>G{}</g:item_group_id>",
        number / 3
    )?;
    writeln!(out, "<g:color>{}</g:color>", COLOURS[place(number, 6)])?;
    writeln!(
        out,
        "<g:product_type>Home &amp; Garden &gt; {}</g:product_type>",
        WORDS[place(mixed(number, 7), WORDS.len())]
    )?;
    writeln!(
        out,
        "<g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>\n</item>"
    )
}

fn title(number: u64) -> String {
    let mut title = words(mixed(number / 3, 11), 5);
    title.replace_range(..1, &title[..1].to_uppercase());
    title
}

fn link(number: u64) -> String {
    let group = number / 3;
    format!(
        "https://www.shop.example/products/{}-{group}?variant={number}&utm_source=google",
        words(mixed(group, 11), 3).replace(' ', "-")
    )
}

fn image(number: u64) -> String {
    format!("https://cdn.shop.example/files/{number}_large.jpg?v={}", mixed(number, 5) % 100_000)
}

fn gtin(number: u64) -> String {
    format!("{:013}", 4_000_000_000_000 + number)
}

fn money(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

fn words(seed: u64, count: u64) -> String {
    let mut out = String::new();
    for at in 0..count {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(WORDS[place(mixed(seed, at + 100), WORDS.len())]);
    }
    out
}

fn place(seed: u64, length: usize) -> usize {
    usize::try_from(seed % length as u64).unwrap_or(0)
}

/// SplitMix64 of both numbers.
fn mixed(number: u64, salt: u64) -> u64 {
    let mut z = number
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
