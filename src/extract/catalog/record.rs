//! What a row says, whatever its format: from there to a listing, or to the row in full.
//!
//! Both ways give the same keys. The one to a listing takes the fields as they stand when they are
//! written the way nearly all are, and goes over the full row otherwise.

use std::borrow::Cow;

use url::Url;

use crate::extract::assemble;
use crate::extract::catalog::field::Field;
use crate::extract::catalog::{Row, availability, effective, listing, price};
use crate::extract::raw::{Form, RawEntry, RawLink, RawMedia, RawText, Role};
use crate::extract::{date, keys, link};
use crate::markup;
use crate::model::listing::Listing;
use crate::model::offer::{Amount, Availability, Currency, Offer, Sale, Terms, Variant};
use crate::model::time::Timestamp;

/// Most pictures of one row.
const IMAGES_MAX: usize = 32;
/// Most tags of one row, and the longest in characters.
const TAGS_MAX: usize = 64;
const TAG_CHARS_MAX: usize = 500;
/// Digits of an article number: GTIN-8 to GTIN-14.
const GTIN_DIGITS: std::ops::RangeInclusive<usize> = 8..=14;

/// What all rows of a document have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub base: &'a Url,
    /// The shop's page, which relative addresses of RSS are relative to.
    pub home: Option<&'a Url>,
    pub currency: Option<Currency>,
    pub now: Timestamp,
}

/// The fields of a row; empty where it has none. Texts are trimmed.
#[derive(Clone, Debug, Default)]
pub(super) struct Record<'a> {
    pub id: Cow<'a, str>,
    /// The carrier's own id, for want of a product's.
    pub guid: Cow<'a, str>,
    pub group: Cow<'a, str>,
    pub title: Cow<'a, str>,
    pub summary: Cow<'a, str>,
    pub body: Cow<'a, str>,
    pub link: Cow<'a, str>,
    pub other_link: Cow<'a, str>,
    pub image: Cow<'a, str>,
    pub images: Vec<Cow<'a, str>>,
    pub availability: Cow<'a, str>,
    /// What is known of it otherwise, if the words say nothing.
    pub stock: Availability,
    pub quantity: Cow<'a, str>,
    pub price: Cow<'a, str>,
    pub sale: Cow<'a, str>,
    pub sale_dates: Cow<'a, str>,
    pub former: Cow<'a, str>,
    pub currency: Cow<'a, str>,
    /// The currency as an attribute of the price.
    pub currency_made: Option<Currency>,
    pub brand: Cow<'a, str>,
    pub gtin: Cow<'a, str>,
    pub sku: Cow<'a, str>,
    pub kinds: Vec<Cow<'a, str>>,
    pub categories: Vec<Cow<'a, str>>,
    pub tags: Vec<Cow<'a, str>>,
    pub published: Cow<'a, str>,
    pub updated: Cow<'a, str>,
    pub is_hidden: bool,
    pub variants: Vec<Variant>,
    /// One bit for each field that was said in the vocabulary of products itself.
    certain: u64,
}

impl<'a> Record<'a> {
    /// Takes what a field says. The first of several counts, and one `is_certain` before others;
    /// pictures and tags add up.
    pub(super) fn put(&mut self, field: Field, text: impl Into<Cow<'a, str>>, is_certain: bool) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        match field {
            Field::Image | Field::Images => self.put_images(text),
            Field::Kind => push(&mut self.kinds, text),
            Field::Category => push(&mut self.categories, text),
            Field::Tags => push(&mut self.tags, text),
            Field::Status => {
                let hidden = ["archived", "hidden", "deleted", "draft", "staging", "inactive"];
                self.is_hidden |= hidden.iter().any(|word| text.eq_ignore_ascii_case(word));
            }
            _ => {
                let bit = 1u64 << (field as u8 & 63);
                let is_first_certain = is_certain && self.certain & bit == 0;
                let Some(slot) = self.slot(field) else { return };
                if slot.is_empty() || is_first_certain {
                    *slot = text;
                    self.certain |= if is_certain { bit } else { 0 };
                }
            }
        }
    }

    fn slot(&mut self, field: Field) -> Option<&mut Cow<'a, str>> {
        Some(match field {
            Field::Id => &mut self.id,
            Field::Guid => &mut self.guid,
            Field::Group => &mut self.group,
            Field::Title => &mut self.title,
            Field::Summary => &mut self.summary,
            Field::Body => &mut self.body,
            Field::Link => &mut self.link,
            Field::OtherLink => &mut self.other_link,
            Field::Availability => &mut self.availability,
            Field::Quantity => &mut self.quantity,
            Field::Price => &mut self.price,
            Field::Sale => &mut self.sale,
            Field::SaleDates => &mut self.sale_dates,
            Field::Former => &mut self.former,
            Field::Currency => &mut self.currency,
            Field::Brand => &mut self.brand,
            Field::Gtin => &mut self.gtin,
            Field::Sku => &mut self.sku,
            Field::Published => &mut self.published,
            Field::Updated => &mut self.updated,
            _ => return None,
        })
    }

    fn put_images(&mut self, text: Cow<'a, str>) {
        match text {
            Cow::Borrowed(text) => {
                for image in addresses(text) {
                    self.put_image(Cow::Borrowed(image));
                }
            }
            Cow::Owned(text) => {
                for image in addresses(&text) {
                    self.put_image(Cow::Owned(image.to_owned()));
                }
            }
        }
    }

    fn put_image(&mut self, image: Cow<'a, str>) {
        if self.image.is_empty() {
            self.image = image;
        } else if self.images.len() < IMAGES_MAX {
            self.images.push(image);
        }
    }

    fn id(&self) -> &str {
        if self.id.is_empty() { &self.guid } else { &self.id }
    }

    /// Whether anything names it.
    pub(super) fn is_named(&self) -> bool {
        !(self.id().is_empty()
            && self.group.is_empty()
            && self.link.is_empty()
            && self.other_link.is_empty())
    }

    /// Hands the row's listings to `each`.
    pub(super) fn listings(
        &self,
        place: u64,
        context: &Context<'_>,
        scratch: &mut Scratch,
        each: &mut dyn FnMut(Listing),
    ) {
        match self.listing(place, context, scratch) {
            Some(listing) => {
                scratch.note_turn(self.terms(context).turns_at(context.now));
                each(listing);
            }
            None => {
                let row = self.row(place, context);
                if let Some(offer) = &row.entry.offer {
                    scratch.note_turn(offer.terms.turns_at(context.now));
                    for variant in &offer.variants {
                        scratch.note_turn(variant.terms.turns_at(context.now));
                    }
                }
                listing::listings(&row, context.now, each);
            }
        }
    }

    /// The one listing of a row that is written as most are; `None` for any other.
    fn listing(&self, place: u64, context: &Context<'_>, scratch: &mut Scratch) -> Option<Listing> {
        let id = self.id();
        let is_plain = self.variants.is_empty()
            && id.len() <= assemble::GUID_BYTES_MAX
            && is_trimmed(id)
            && is_trimmed(&self.group);
        let has_link = !self.link.is_empty();
        // An id that is an address stands in for a link.
        let is_word = id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !id.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http"));
        let is_addressed = has_link || (self.other_link.is_empty() && is_word);
        if !is_plain || !is_addressed {
            return None;
        }
        if has_link && !link::canonical_if_plain(&self.link, &mut scratch.link) {
            return None;
        }
        let link_key = if has_link { keys::hash(&scratch.link) } else { 0 };
        let image = match self.image.as_ref() {
            "" if has_picture(&self.body) || has_picture(&self.summary) => return None,
            "" => None,
            image if link::canonical_if_plain(image, &mut scratch.link) => Some(image),
            _ => return None,
        };
        let group = keys::product(&self.group);
        let own = keys::product(id);
        let made;
        let title = if is_tidy(&self.title) && self.title.len() <= assemble::NAME_CHARS_MAX {
            self.title.as_ref()
        } else {
            made = assemble::title(&RawText::new(self.title.as_ref(), Form::Either));
            &made
        };
        keys::normal_into(title, &mut scratch.title);
        let text = if self.body.is_empty() { &self.summary } else { &self.body };
        let fingerprint = if is_tidy(text) {
            keys::fingerprint_of(&scratch.title, text, image)
        } else {
            let html = assemble::html_of(text, Form::Either);
            keys::fingerprint_of(&scratch.title, &markup::plain(&html), image)
        };
        let terms = self.terms(context);
        let variant = match (group, own) {
            (Some(_), Some(own)) => keys::narrow(own),
            _ => 0,
        };
        Some(Listing {
            product: group.or(own).or((link_key != 0).then_some(link_key))?,
            variant,
            link: link_key,
            title: if title.is_empty() { 0 } else { keys::narrow(keys::hash(&scratch.title)) },
            fingerprint: keys::narrow(fingerprint),
            price: terms.price_at(context.now),
            availability: terms.availability,
            quantity: terms.quantity.map(|left| u16::try_from(left).unwrap_or(u16::MAX)),
            page: 0,
            place,
        })
    }

    /// The row in full.
    pub(super) fn row(&self, place: u64, context: &Context<'_>) -> Row {
        let links = [&self.link, &self.other_link].into_iter().filter(|link| !link.is_empty());
        let picture = |href: &str, role| RawMedia {
            link: RawLink::new(href),
            role,
            medium: "image".into(),
            ..RawMedia::default()
        };
        let first = Some(&self.image).filter(|image| !image.is_empty());
        let raw = RawEntry {
            guid: self.id().to_owned(),
            guid_is_link: true,
            title: RawText::new(self.title.as_ref(), Form::Either),
            links: links.map(|link| RawLink::new(link.as_ref())).collect(),
            summary: RawText::new(self.summary.as_ref(), Form::Either),
            body: RawText::new(self.body.as_ref(), Form::Either),
            published: date::parse(&self.published),
            updated: date::parse(&self.updated),
            media: first
                .into_iter()
                .map(|href| picture(href, Role::Picture))
                .chain(self.images.iter().map(|href| picture(href, Role::Content)))
                .collect(),
            ..RawEntry::default()
        };
        let mut entry = assemble::one(raw, context.home, context.base);
        entry.tags = self.tags();
        let terms = Terms { sku: owned(&self.sku), gtin: gtin(&self.gtin), ..self.terms(context) };
        let variants = self.variants.clone();
        let offer = Offer { brand: owned(&self.brand), terms, variants, shelf: None };
        let offer = if offer.variants.is_empty() { offer } else { offer.gathered(context.now) };
        entry.offer = Some(offer);
        let group = self.group.trim();
        Row { entry, group: (!group.is_empty()).then(|| group.to_owned()), place }
    }

    /// What is asked for it, without its numbers.
    fn terms(&self, context: &Context<'_>) -> Terms {
        let usual = self.currency_made.or_else(|| price::currency(&self.currency));
        let usual = usual.or(context.currency);
        let amount = |text: &str, usual| {
            if text.is_empty() { None } else { price::amount(text, usual) }
        };
        let positive = |amount: Option<Amount>| amount.filter(|amount| amount.is_positive());
        let asked = positive(amount(&self.price, usual));
        let usual = asked.and_then(Amount::currency).or(usual);
        let is_below = |one: Amount, other: Option<Amount>| {
            other.is_none_or(|other| one.compare(other).is_some_and(std::cmp::Ordering::is_lt))
        };
        let (list, sale) = match positive(amount(&self.former, usual)) {
            Some(former) => match asked {
                Some(asked) if is_below(asked, Some(former)) => {
                    (Some(former), Some(Sale { price: asked, from: None, until: None }))
                }
                Some(asked) => (Some(asked), None),
                None => (Some(former), None),
            },
            None => {
                let sale =
                    positive(amount(&self.sale, usual)).filter(|sale| is_below(*sale, asked));
                let sale = sale.map(|price| {
                    let (from, until) = effective::range(&self.sale_dates);
                    Sale { price, from, until }
                });
                (asked, sale)
            }
        };
        let quantity = quantity(&self.quantity);
        let availability = match availability::parse(&self.availability) {
            Availability::Unknown => match (quantity, self.stock) {
                (Some(0), _) => Availability::OutOfStock,
                (Some(_), Availability::Unknown) => Availability::InStock,
                (_, stock) => stock,
            },
            said => said,
        };
        Terms { availability, quantity, list, sale, ..Terms::default() }
    }

    /// The steps of the paths of categories, then what is a tag by itself.
    fn tags(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let paths = if self.kinds.is_empty() { &self.categories } else { &self.kinds };
        let steps = paths.iter().flat_map(|path| {
            let is_number = path.bytes().all(|b| b.is_ascii_digit());
            let path = if is_number { "" } else { path.as_ref() };
            // Escaped once too often, as titles are.
            path.split('>').flat_map(|part| part.split("&gt;"))
        });
        let lists = self.tags.iter().flat_map(|list| list.split(['|', ';']));
        for word in steps.chain(lists) {
            let word: String = markup::plain(word).chars().take(TAG_CHARS_MAX).collect();
            if !word.is_empty() && out.len() < TAGS_MAX && !out.contains(&word) {
                out.push(word);
            }
        }
        out
    }
}

fn push<'a>(list: &mut Vec<Cow<'a, str>>, text: Cow<'a, str>) {
    if list.len() < TAGS_MAX {
        list.push(text);
    }
}

fn owned(text: &str) -> Option<String> {
    let text = if is_tidy(text) { text.to_owned() } else { markup::plain(text) };
    (!text.is_empty()).then_some(text)
}

/// What is used again for every row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    link: String,
    title: String,
    /// The first instant after the poll at which a sale begins or ends.
    pub turns_at: Option<Timestamp>,
}

impl Scratch {
    fn note_turn(&mut self, turn: Option<Timestamp>) {
        self.turns_at = [self.turns_at, turn].into_iter().flatten().min();
    }
}

/// Whether a text is its own words: visible ASCII without markup, and single blanks inside.
fn is_tidy(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_other =
        bytes.iter().fold(false, |found, b| found | !(0x20..0x7f).contains(b) | (*b == b'<'));
    !has_other
        && memchr::memchr(b'&', bytes).is_none()
        && memchr::memmem::find(bytes, b"  ").is_none()
        && !bytes.starts_with(b" ")
        && !bytes.ends_with(b" ")
}

fn is_trimmed(text: &str) -> bool {
    text.trim().len() == text.len()
}

/// Whether a text may hold a picture.
fn has_picture(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    // `&lt;img` is one too, once it is read as HTML.
    memchr::memmem::find_iter(text.as_bytes(), b"im")
        .chain(memchr::memmem::find_iter(text.as_bytes(), b"IM"))
        .chain(memchr::memmem::find_iter(text.as_bytes(), b"Im"))
        .any(|at| text.as_bytes().get(at + 2).is_some_and(|b| b.eq_ignore_ascii_case(&b'g')))
}

/// The addresses in a list that commas, semicolons, bars or blanks part. Commas and semicolons
/// stand inside addresses as well.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let begins = |rest: &str| {
        let rest = rest.trim_start();
        ["http", "//"]
            .iter()
            .any(|sign| rest.get(..sign.len()).is_some_and(|s| s.eq_ignore_ascii_case(sign)))
    };
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        loop {
            let Some(found) = rest.get(from..).and_then(|tail| tail.find([',', ';', '|', ' ']))
            else {
                return Some(std::mem::take(&mut rest));
            };
            let at = from + found;
            let (before, behind) = rest.split_at(at);
            let behind = behind.get(1..).unwrap_or_default();
            if begins(behind) {
                rest = behind.trim_start();
                return Some(before.trim_end());
            }
            from = at + 1;
        }
    })
}

/// The digits of an article number; `None` for what is none, or what a spreadsheet has ruined.
pub(super) fn gtin(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('\'');
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-'));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_real = is_number && GTIN_DIGITS.contains(&digits.len()) && digits.contains(|c| c != '0');
    is_real.then_some(digits)
}

/// How many are left: a whole number, of which decimals are cut; none below 0.
fn quantity(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let (is_below, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let whole = digits.split(['.', ',']).next().unwrap_or_default();
    let count: u32 = whole.parse().ok().filter(|_| whole.bytes().all(|b| b.is_ascii_digit()))?;
    Some(if is_below { 0 } else { count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(base: &Url) -> Context<'_> {
        Context { base, home: None, currency: "USD".parse().ok(), now: Timestamp::from_millis(0) }
    }

    #[test]
    fn a_listing_is_the_same_whichever_way_it_was_made() {
        let base = Url::parse("https://e.com/").unwrap();
        let context = context(&base);
        let link = "https://www.e.com/p/1?utm_source=x&variant=2";
        let plain = Record {
            id: "1".into(),
            title: "A plain title".into(),
            link: link.into(),
            ..Record::default()
        };
        for (record, is_plain) in [
            (plain.clone(), true),
            (Record { group: "G".into(), summary: "Some words.".into(), ..plain.clone() }, true),
            (
                Record {
                    image: "https://e.com/a.jpg?v=2".into(),
                    price: "15.00 USD".into(),
                    ..plain.clone()
                },
                true,
            ),
            (
                Record {
                    title: "Țară &amp; <b>x</b>".into(),
                    summary: "<p>a</p>".into(),
                    ..plain.clone()
                },
                true,
            ),
            (Record { summary: "&lt;p&gt;a &amp;amp; b&lt;/p&gt;".into(), ..plain.clone() }, true),
            (
                Record {
                    summary: "a  \u{a0} b".into(),
                    body: "caf&eacute;".into(),
                    ..plain.clone()
                },
                true,
            ),
            (Record { id: "https://www.e.com/1".into(), ..plain.clone() }, true),
            (Record { id: "".into(), guid: "tag:x".into(), ..plain.clone() }, true),
            (Record { id: "".into(), ..plain.clone() }, true),
            (Record { title: "".into(), ..plain.clone() }, true),
            (Record { link: "".into(), ..plain.clone() }, true),
            (Record { link: "".into(), id: "https://e.com/1".into(), ..plain.clone() }, false),
            (Record { link: "/p/1".into(), ..plain.clone() }, false),
            (
                Record { link: "".into(), other_link: "https://e.com/x".into(), ..plain.clone() },
                false,
            ),
            (Record { summary: "<img src='https://e.com/x.jpg'>".into(), ..plain.clone() }, false),
            (Record { summary: "&lt;img src=x&gt;".into(), ..plain.clone() }, false),
            (Record { image: "a.jpg".into(), ..plain.clone() }, false),
        ] {
            let row = record.row(7, &context);
            let mut expected = Vec::new();
            listing::listings(&row, context.now, &mut |listing| expected.push(listing));
            let found = record.listing(7, &context, &mut Scratch::default());
            assert_eq!(found.is_some(), is_plain, "{record:?}");
            if let Some(found) = found {
                assert_eq!(vec![found], expected, "{record:?}");
            }
        }
    }

    #[test]
    fn a_sale_is_one_only_below_the_price() {
        let base = Url::parse("https://e.com/").unwrap();
        let terms = |price: &'static str, sale: &'static str, former: &'static str| {
            let (price, sale, former) =
                (Cow::Borrowed(price), Cow::Borrowed(sale), Cow::Borrowed(former));
            let record = Record { price, sale, former, ..Record::default() };
            let terms = record.terms(&context(&base));
            let shown = |amount: Option<Amount>| amount.map_or("-".into(), |a| a.to_string());
            format!("{} {}", shown(terms.list), shown(terms.sale.map(|sale| sale.price)))
        };
        assert_eq!(terms("15.00 EUR", "12.00 EUR", ""), "15.00 EUR 12.00 EUR");
        assert_eq!(terms("15.00 EUR", "12", ""), "15.00 EUR 12.00 EUR");
        assert_eq!(terms("15.00 EUR", "15.00 EUR", ""), "15.00 EUR -");
        assert_eq!(terms("15.00 EUR", "12.00 USD", ""), "15.00 EUR -");
        assert_eq!(terms("15.00", "0", ""), "15.00 USD -");
        assert_eq!(terms("0", "", ""), "- -");
        assert_eq!(terms("", "12", ""), "- 12.00 USD");
        assert_eq!(terms("90", "", "100"), "100.00 USD 90.00 USD");
        assert_eq!(terms("100", "", "90"), "100.00 USD -");
        assert_eq!(terms("", "", "90"), "90.00 USD -");
    }

    #[test]
    fn a_ruined_article_number_is_none() {
        for (text, expected) in [
            ("4006381333931", Some("4006381333931")),
            (" 0 12345-67890 5", Some("012345678905")),
            ("'96385074", Some("96385074")),
            ("8.80609E+12", None),
            ("0000000000000", None),
            ("123", None),
            ("ABC12345678", None),
        ] {
            assert_eq!(gtin(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_quantity_speaks_where_the_availability_does_not() {
        let base = Url::parse("https://e.com/").unwrap();
        let of = |availability: &str, quantity: &str| {
            let (availability, quantity) = (availability.into(), quantity.into());
            let record = Record { availability, quantity, ..Record::default() };
            record.terms(&context(&base)).availability
        };
        assert_eq!(of("", "0"), Availability::OutOfStock);
        assert_eq!(of("", "-3"), Availability::OutOfStock);
        assert_eq!(of("", "5.00"), Availability::InStock);
        assert_eq!(of("preorder", "0"), Availability::Preorder);
        assert_eq!(of("", "many"), Availability::Unknown);
    }

    #[test]
    fn several_addresses_in_one_field_are_parted() {
        let list = |text| addresses(text).collect::<Vec<_>>();
        assert_eq!(list("http://e.com/a,b.jpg"), ["http://e.com/a,b.jpg"]);
        assert_eq!(list("http://e.com/a, http://e.com/b"), ["http://e.com/a", "http://e.com/b"]);
        assert_eq!(list("http://e.com/a|//e.com/b;http://e.com/c http://e.com/d").len(), 4);
        assert_eq!(list(" "), Vec::<&str>::new());
    }

    #[test]
    fn what_is_said_in_the_own_vocabulary_counts_before_the_rest() {
        let mut record = Record::default();
        record.put(Field::Title, "first", false);
        record.put(Field::Title, "second", false);
        record.put(Field::Title, "own", true);
        record.put(Field::Title, "again", true);
        assert_eq!(record.title, "own");
        record.put(Field::Kind, "Home &amp; Garden > Kitchen", true);
        record.put(Field::Category, "505", true);
        assert_eq!(record.tags(), ["Home & Garden", "Kitchen"]);
        record.put(Field::Status, "Archived", false);
        assert!(record.is_hidden);
    }
}
