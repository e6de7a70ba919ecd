//! Items by the rules of the settings.

use std::collections::HashSet;

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};
use scraper::{ElementRef, Selector};

use crate::extract::dom::{Dom, attr, text};
use crate::extract::page::day;
use crate::extract::page::parts::{Parts, link_in, picture};
use crate::extract::raw::{Form, RawEntry, RawText, cap};
use crate::extract::{NotADocument, date};
use crate::model::source::{PageField, PageRules};
use crate::model::time::Timestamp;

/// Largest compiled pattern, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Longest selector or pattern, in bytes.
const RULE_BYTES_MAX: usize = 2_000;
/// With so many items a field that none of them has is a rule that has lost its page; with fewer
/// it may be chance, but for what every item has.
const ITEMS_SURE: usize = 5;
/// Most children of one element while a rule counts them: it counts anew for each.
const COUNTED_CHILDREN_MAX: usize = 4_000;
/// Most elements of an item that a field's value is looked for in.
const MATCHES_MAX: usize = 32;
/// Within how many other items an item may stand.
const NESTED_MAX: usize = 4;
/// Longest value of a field that a pattern is tried on, in bytes.
const VALUE_BYTES_MAX: usize = 16 << 10;

/// The rules, ready for use.
pub(super) struct Rules {
    item: (String, Selector),
    title: Option<Field>,
    link: Option<Field>,
    date: Option<Field>,
    summary: Option<Field>,
    image: Option<Field>,
    author: Option<Field>,
}

struct Field {
    key: &'static str,
    css: String,
    /// `None` is the item itself.
    selector: Option<Selector>,
    attribute: Option<String>,
    regex: Option<Regex>,
    format: Option<String>,
    zone: Option<TimeZone>,
}

/// Compiles the rules; `None` when they leave the choice to us.
///
/// # Errors
/// Every problem, with the key of its field.
pub(super) fn compile(rules: &PageRules) -> Result<Option<Rules>, Vec<(&'static str, String)>> {
    let mut problems = Vec::new();
    let mut fields = rules.fields().map(|(key, field)| {
        let field = field?;
        compile_field(key, field).map_err(|problem| problems.push((key, problem))).ok()
    });
    let Some(css) = &rules.item else {
        if let Some((key, _)) = rules.fields().iter().find(|(_, field)| field.is_some()) {
            problems
                .push((key, "it needs `item`, the selector of what it is looked for in".into()));
        }
        return if problems.is_empty() { Ok(None) } else { Err(problems) };
    };
    let item = match selector(css) {
        Ok(item) => item,
        Err(problem) => {
            problems.insert(0, ("item", problem));
            return Err(problems);
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let [title, link, date, summary, image, author] = fields.each_mut().map(Option::take);
    Ok(Some(Rules { item: (css.clone(), item), title, link, date, summary, image, author }))
}

fn selector(css: &str) -> Result<Selector, String> {
    if css.trim().is_empty() || css.len() > RULE_BYTES_MAX {
        return Err(format!("a selector has 1 to {RULE_BYTES_MAX} characters"));
    }
    Selector::parse(css).map_err(|error| format!("`{css}` is no CSS selector: {error}"))
}

fn compile_field(key: &'static str, field: &PageField) -> Result<Field, String> {
    let css = field.css.trim();
    let regex = field.regex.as_deref().map(|pattern| {
        if pattern.len() > RULE_BYTES_MAX {
            return Err(format!("a pattern has at most {RULE_BYTES_MAX} characters"));
        }
        let built = RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
        built.map_err(|error| {
            let why = error.to_string();
            let last =
                why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{pattern}` is no regular expression: {last}")
        })
    });
    let zone = field.timezone.as_deref().map(|name| {
        TimeZone::get(name)
            .map_err(|_| format!("`{name}` is no time zone, such as `Europe/Berlin`"))
    });
    if let Some(format) = &field.format {
        let sample = civil::date(2024, 5, 6).at(7, 8, 9, 0).to_zoned(TimeZone::UTC);
        let shown = sample
            .map_err(|error| error.to_string())
            .and_then(|sample| strtime::format(format, &sample).map_err(|error| error.to_string()));
        shown.map_err(|error| format!("`{format}` is no format of a date: {error}"))?;
    }
    if css.is_empty() && field.attribute.is_none() && field.regex.is_none() {
        return Err("it names neither a selector nor an attribute".into());
    }
    Ok(Field {
        key,
        css: css.to_owned(),
        selector: if css.is_empty() { None } else { Some(selector(css)?) },
        attribute: field.attribute.clone(),
        regex: regex.transpose()?,
        format: field.format.clone(),
        zone: zone.transpose()?,
    })
}

impl Rules {
    /// The items of the page. What the rules leave open is found by the usual signs.
    ///
    /// # Errors
    /// [`NotADocument`] names the rule that matches nothing, or tells the limit that is passed.
    pub(super) fn items(&self, dom: &Dom, items_max: usize) -> Result<Vec<RawEntry>, NotADocument> {
        self.check_cost(dom)?;
        let (css, selector) = &self.item;
        let blocks: Vec<ElementRef<'_>> = dom
            .elements()
            .filter(|element| selector.matches(element))
            .take(items_max.saturating_add(1))
            .collect();
        if blocks.len() > items_max {
            return Err(NotADocument::TooManyItems { max: items_max });
        }
        let blocks = not_too_deep(blocks);
        if blocks.is_empty() {
            return Err(NotADocument::NoMatch { field: "item", css: css.clone() });
        }
        let mut hits = [0_usize; 6];
        let fields =
            [&self.title, &self.link, &self.date, &self.summary, &self.image, &self.author];
        let mut entries = Vec::with_capacity(blocks.len());
        for block in &blocks {
            let values = fields.map(|field| field.as_ref().and_then(|field| field.value(*block)));
            for (hit, value) in hits.iter_mut().zip(&values) {
                *hit += usize::from(value.is_some());
            }
            entries.push(self.entry(*block, values, dom));
        }
        for (at, (field, hits)) in fields.into_iter().zip(hits).enumerate() {
            let Some(field) = field.as_ref().filter(|_| hits == 0) else { continue };
            // Title, link and date belong to every item.
            if at < 3 || blocks.len() >= ITEMS_SURE {
                return Err(NotADocument::NoMatch { field: field.key, css: field.css.clone() });
            }
        }
        Ok(entries)
    }

    fn entry(&self, block: ElementRef<'_>, values: [Option<String>; 6], dom: &Dom) -> RawEntry {
        let [title, link, date, summary, image, author] = values;
        let guess = Parts::of(block, dom);
        let title =
            if self.title.is_some() { title.unwrap_or_default() } else { guess.title.clone() };
        let href = if self.link.is_some() { link } else { guess.href.clone() };
        let published = match &self.date {
            Some(field) => date.and_then(|text| field.instant(&text)),
            None => guess.day,
        };
        let picture_of = |href: String| picture(dom, &href);
        let image = if self.image.is_some() { image } else { guess.image.clone() };
        let mut summary = match &self.summary {
            Some(_) => RawText::new(summary.unwrap_or_default(), Form::Plain),
            None => RawText::new(guess.summary, Form::Plain),
        };
        cap(&mut summary.text);
        RawEntry {
            title: RawText::new(title, Form::Plain),
            links: href.iter().map(|href| link_in(dom, href)).collect(),
            summary,
            published,
            authors: author.into_iter().collect(),
            media: image.into_iter().map(picture_of).collect(),
            ..RawEntry::default()
        }
    }

    /// Selectors that count siblings do so for every element: a page with very many in one place is
    /// refused to them.
    fn check_cost(&self, dom: &Dom) -> Result<(), NotADocument> {
        let fields =
            [&self.title, &self.link, &self.date, &self.summary, &self.image, &self.author];
        let all = fields.into_iter().flatten().map(|field| (field.key, field.css.as_str()));
        let costly = [":nth", ":last", ":only", ":has", "~", ":first-of"];
        let found = std::iter::once(("item", self.item.0.as_str()))
            .chain(all)
            .find(|(_, css)| costly.iter().any(|sign| css.contains(sign)));
        let Some((field, css)) = found else { return Ok(()) };
        let mut children = std::collections::HashMap::new();
        for element in dom.elements() {
            let Some(parent) = element.parent() else { continue };
            let count = children.entry(parent.id()).or_insert(0_usize);
            *count += 1;
            if *count > COUNTED_CHILDREN_MAX {
                let problem = format!(
                    "`{css}` counts siblings, and the page has more than {COUNTED_CHILDREN_MAX} in one place"
                );
                return Err(NotADocument::BadRule { field, problem });
            }
        }
        Ok(())
    }
}

/// Without those that stand within more than [`NESTED_MAX`] others.
fn not_too_deep(blocks: Vec<ElementRef<'_>>) -> Vec<ElementRef<'_>> {
    let all: HashSet<_> = blocks.iter().map(|block| block.id()).collect();
    let is_fit = |block: &ElementRef<'_>| {
        block.ancestors().filter(|outer| all.contains(&outer.id())).count() <= NESTED_MAX
    };
    blocks.into_iter().filter(is_fit).collect()
}

impl Field {
    /// The value within an item; `None` when nothing matches or it is empty.
    fn value(&self, block: ElementRef<'_>) -> Option<String> {
        match &self.selector {
            None => self.value_of(block),
            Some(selector) => {
                let mut found = block.select(selector).take(MATCHES_MAX);
                found.find_map(|found| self.value_of(found))
            }
        }
    }

    fn value_of(&self, element: ElementRef<'_>) -> Option<String> {
        let usual: &[&str] = match self.key {
            "link" => &["href"],
            "image" => &["src", "data-src", "content", "href"],
            "date" => &["datetime", "content"],
            _ => &[],
        };
        let stated = match &self.attribute {
            Some(name) if name == "text" && element.attr("text").is_none() => Some(text(element)),
            Some(name) => attr(element, name).map(str::to_owned),
            None => usual.iter().find_map(|name| attr(element, name)).map(str::to_owned),
        };
        // A link or picture has no value in its words.
        let words =
            || matches!(self.key, "title" | "date" | "summary" | "author").then(|| text(element));
        let value = if self.attribute.is_some() { stated? } else { stated.or_else(words)? };
        let value = match &self.regex {
            None => value,
            Some(regex) => {
                let looked = value.get(..value.floor_char_boundary(VALUE_BYTES_MAX))?;
                let found = regex.captures(looked)?;
                found.get(1).or_else(|| found.get(0))?.as_str().to_owned()
            }
        };
        // A first address of `srcset`.
        let value = match self.attribute.as_deref() {
            Some("srcset" | "data-srcset") => {
                value.split([' ', ',']).find(|it| !it.is_empty())?.to_owned()
            }
            _ => value,
        };
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The instant that a value names: by the format, else by all the forms that are known; without
    /// a zone of its own in the zone of the rule.
    fn instant(&self, text: &str) -> Option<Timestamp> {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        if let Some(format) = &self.format
            && let Ok(broken) = strtime::parse(format, text)
        {
            let stamp = broken.to_timestamp().ok().or_else(|| {
                let moment = broken.to_datetime().or_else(|_| {
                    broken.to_date().map(|date| date.to_datetime(civil::Time::midnight()))
                });
                Some(moment.ok()?.to_zoned(zone.clone()).ok()?.timestamp())
            })?;
            return Some(Timestamp::from_millis(stamp.as_millisecond()));
        }
        let stated = date::parse(text);
        let found = stated.or_else(|| day::find(text))?;
        if self.zone.is_none() || (stated.is_some() && has_zone(text, found)) {
            return Some(found);
        }
        let civil = found.to_jiff().to_zoned(TimeZone::UTC).datetime();
        let local = civil.to_zoned(zone).ok()?.timestamp();
        Some(Timestamp::from_millis(local.as_millisecond()))
    }
}

/// Whether the text names a zone: then another one behind it changes nothing.
fn has_zone(text: &str, found: Timestamp) -> bool {
    let changes =
        |tail: &str| date::parse(&format!("{text}{tail}")).is_some_and(|other| other != found);
    !changes(" +0100") && !changes(" 00:00 +0100")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const PAGE: &str = "<div class=post data-id=1><h2><a href='/a'>A</a></h2><i class=d>am 5. März 2024, 10:00 Uhr</i><b class=by>von Ann</b><img data-src=/1.png></div>\
        <div class=post data-id=2><h2><a href='/b'>B</a></h2><i class=d>am 1. Juli 2024, 10:00 Uhr</i></div>";

    fn read(rules: &PageRules) -> Result<Vec<RawEntry>, String> {
        let dom = Dom::parse(PAGE, &Url::parse("https://e.com/").unwrap()).unwrap();
        let rules = compile(rules).map_err(|problems| format!("{problems:?}"))?.unwrap();
        rules.items(&dom, 100).map_err(|error| error.to_string())
    }

    fn field(text: &str) -> Option<PageField> {
        Some(PageField::parse(text))
    }

    #[test]
    fn each_field_is_cut_out_by_its_rule() {
        let day = PageField {
            css: ".d".into(),
            regex: Some(r"(\d+\. \w+ \d{4}), (?:\d+)".into()),
            timezone: Some("Europe/Berlin".into()),
            ..PageField::default()
        };
        let rules = PageRules {
            item: Some("div.post".into()),
            title: field("h2 a"),
            link: field("h2 a@href"),
            date: Some(day),
            image: field("img@data-src"),
            author: Some(PageField { regex: Some("von (.*)".into()), ..PageField::parse(".by") }),
            ..PageRules::default()
        };
        let found = read(&rules).unwrap();
        let first = &found[0];
        assert_eq!((first.title.text.as_str(), first.links[0].href.as_str()), ("A", "/a"));
        assert_eq!(first.published.unwrap().to_string(), "2024-03-04T23:00:00Z");
        assert_eq!(found[1].published.unwrap().to_string(), "2024-06-30T22:00:00Z");
        assert_eq!(first.authors, ["Ann"]);
        assert_eq!(first.media[0].link.href, "/1.png");
        assert!(found[1].media.is_empty() && found[1].authors.is_empty());
    }

    #[test]
    fn what_no_rule_names_is_found_by_its_signs() {
        let found =
            read(&PageRules { item: Some(".post".into()), ..PageRules::default() }).unwrap();
        assert_eq!((found[1].title.text.as_str(), found[1].links[0].href.as_str()), ("B", "/b"));
        assert_eq!(found[1].published.unwrap().to_string(), "2024-07-01T00:00:00Z");
    }

    #[test]
    fn a_rule_that_matches_nothing_is_named() {
        let post = Some(".post".to_owned());
        for (rules, expected) in [
            (
                PageRules { item: Some("article.post".into()), ..PageRules::default() },
                "`select.item` matches nothing: `article.post`",
            ),
            (
                PageRules { item: post.clone(), title: field("h3"), ..PageRules::default() },
                "`select.title` matches nothing: `h3`",
            ),
            (
                PageRules { item: post.clone(), link: field("h2@href"), ..PageRules::default() },
                "`select.link` matches nothing: `h2`",
            ),
            (
                PageRules { item: post.clone(), date: field("time"), ..PageRules::default() },
                "`select.date` matches nothing: `time`",
            ),
        ] {
            assert_eq!(read(&rules).unwrap_err(), expected);
        }
        let few = PageRules { item: post, image: field(".none"), ..PageRules::default() };
        assert!(read(&few).is_ok(), "two items may have no picture");
    }

    #[test]
    fn rules_that_can_t_be_used_are_told_all_at_once() {
        let rules = PageRules {
            item: Some("div[".into()),
            title: Some(PageField { regex: Some("(".into()), ..PageField::parse("h2") }),
            date: Some(PageField { timezone: Some("Mars".into()), ..PageField::parse("time") }),
            summary: field(">>"),
            ..PageRules::default()
        };
        let problems = compile(&rules).err().unwrap();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["item", "title", "date", "summary"]);
        let alone = PageRules { title: field("h2"), ..PageRules::default() };
        assert_eq!(compile(&alone).err().unwrap()[0].0, "title");
        assert!(compile(&PageRules::default()).is_ok_and(|rules| rules.is_none()));
    }

    #[test]
    fn dates_are_read_by_format_and_zone() {
        let at = |format: Option<&str>, zone: Option<&str>, text: &str| {
            let field = PageField {
                css: "x".into(),
                format: format.map(str::to_owned),
                timezone: zone.map(str::to_owned),
                ..PageField::default()
            };
            let found = compile_field("date", &field).unwrap().instant(text);
            found.map_or_else(String::new, |at| at.to_string())
        };
        assert_eq!(at(Some("%m.%d.%Y"), None, "03.05.2024"), "2024-03-05T00:00:00Z");
        assert_eq!(
            at(Some("%d.%m.%Y %H:%M"), Some("Europe/Berlin"), "05.07.2024 10:00"),
            "2024-07-05T08:00:00Z"
        );
        assert_eq!(at(None, Some("Europe/Berlin"), "2024-07-05 10:00"), "2024-07-05T08:00:00Z");
        assert_eq!(at(None, Some("Europe/Berlin"), "2024-07-05T10:00:00Z"), "2024-07-05T10:00:00Z");
        assert_eq!(
            at(None, Some("Europe/Berlin"), "2024-07-05T10:00:00+05:00"),
            "2024-07-05T05:00:00Z"
        );
        assert_eq!(at(Some("%d.%m.%Y"), None, "5 July 2024"), "2024-07-05T00:00:00Z");
    }
}
