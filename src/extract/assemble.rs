//! Raw entries to entries: the meaning of what a reader found, the same for every format.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use url::Url;

use crate::extract::raw::{Form, RawEntry, RawFeed, RawText};
use crate::extract::{Document, Entry, Facts, Format, Quality, keys, link, media, tokens};
use crate::markup;
use crate::model::known::Keys;

/// Longest title, author or tag, in characters; what is beyond is cut.
pub(crate) const NAME_CHARS_MAX: usize = 500;
/// Most authors and tags of one item, each.
const NAMES_MAX: usize = 64;
/// Longest names in all that entries take from their feed, in bytes.
const INHERITED_BYTES_MAX: usize = 2 << 10;
/// Longest name of a tag that is taken for HTML, in bytes.
const TAG_NAME_BYTES_MAX: usize = 12;
/// Longest id that is kept, in bytes.
pub(crate) const GUID_BYTES_MAX: usize = 2_048;

/// Assembles the document that was found at `origin`.
pub(crate) fn assemble(
    raw: RawFeed,
    origin: &Url,
    encoding: &'static str,
    quality: Quality,
) -> Document {
    let home = raw
        .links
        .iter()
        .find_map(|found| link::resolve(&found.href, &[found.base.as_deref(), Some(origin)]));
    let (home_shown, home) = home.map_or((None, None), |(shown, url)| (Some(shown), Some(url)));
    let feed = Feed {
        // Only RSS falls back on the channel's page; Atom and JSON are relative to themselves.
        home: home
            .as_ref()
            .filter(|_| !matches!(raw.format, Format::Atom | Format::Atom03))
            .filter(|home| link::is_base(home)),
        origin,
        language: language(&raw.language),
        authors: inherited(&raw.authors),
    };
    let found: Vec<Assembled> = raw.entries.into_iter().map(|entry| feed.entry(entry)).collect();
    let target = |found: &Option<crate::extract::raw::RawLink>| {
        let found = found.as_ref()?;
        link::resolve(&found.href, &[found.base.as_deref(), Some(origin)]).map(|(shown, _)| shown)
    };
    let facts = Facts {
        format: raw.format,
        encoding,
        title: title(&raw.title),
        link: home_shown,
        language: feed.language,
        ttl: ttl(&raw.ttl).or_else(|| period(&raw.period, &raw.frequency)),
        hub: target(&raw.hub),
        self_link: target(&raw.self_link),
        next: target(&raw.next).or_else(|| raw.is_numbered.then(|| next_number(origin))),
        expired: raw.expired,
        removed: raw.removed.iter().map(|id| keys::hash(id)).collect(),
    };
    Document { facts, entries: without_repetitions(found), quality }
}

/// The address of the page after the one at `url`, where pages are numbered as WordPress does.
fn next_number(url: &Url) -> String {
    let is_number = |key: &str| key == "paged";
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let here =
        pairs.iter().find(|(key, _)| is_number(key)).and_then(|(_, value)| value.parse().ok());
    let next = here.unwrap_or(1_u32).saturating_add(1).to_string();
    let mut url = url.clone();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().filter(|(key, _)| !is_number(key)))
        .append_pair("paged", &next);
    url.into()
}

/// Assembles one entry that stands by itself: a row of a catalog, found at `origin`, whose
/// relative addresses start from `home` if that is known.
pub(crate) fn one(raw: RawEntry, home: Option<&Url>, origin: &Url) -> Entry {
    Feed { home, origin, language: None, authors: vec![] }.entry(raw).entry
}

/// What entries take from their feed.
struct Feed<'a> {
    home: Option<&'a Url>,
    origin: &'a Url,
    language: Option<String>,
    /// Those of entries without one of their own.
    authors: Vec<String>,
}

/// An entry with its parsed address.
struct Assembled {
    entry: Entry,
    url: Option<Url>,
}

impl Feed<'_> {
    fn entry(&self, mut raw: RawEntry) -> Assembled {
        let resolved = raw.links.iter().find_map(|found| {
            link::resolve(&found.href, &[found.base.as_deref(), self.home, Some(self.origin)])
        });
        let resolved = resolved.or_else(|| {
            let url = link::absolute(&raw.guid).filter(|_| raw.guid_is_link)?;
            link::resolve(&raw.guid, &[]).filter(|_| url.has_host())
        });
        let (shown, url) = resolved.map_or((None, None), |(shown, url)| (Some(shown), Some(url)));
        if raw.guid.trim().len() != raw.guid.len() {
            raw.guid = raw.guid.trim().to_owned();
        }
        if raw.guid.len() > GUID_BYTES_MAX {
            raw.guid.truncate(raw.guid.floor_char_boundary(GUID_BYTES_MAX));
        }
        let title = title(&raw.title);
        let base = raw.body.base.take().or(raw.summary.base.take());
        let bases = [base.as_deref(), url.as_ref(), self.home, Some(self.origin)];
        let base = bases.into_iter().flatten().next().cloned();
        let body_html = html(raw.body);
        let summary_html = html(raw.summary);
        let files = media::settle(&raw.media, &[self.home, Some(self.origin)]);
        let around = [base.as_ref()];
        let image = files
            .image
            .or_else(|| media::first_image(&body_html, &around))
            .or_else(|| media::first_image(&summary_html, &around));
        let text = if body_html.is_empty() { &summary_html } else { &body_html };
        let keys = Keys {
            id: (!raw.guid.is_empty()).then(|| keys::hash(&raw.guid)),
            id_alias: keys::id_alias(&raw.guid),
            link: url.as_ref().map(|url| keys::link_key(url, false)),
            title_date: keys::title_date_key(&title, raw.published.or(raw.updated)),
            title: keys::title_key(&title),
            fingerprint: keys::fingerprint(&title, text, image.as_deref()),
        };
        let authors = match raw.authors.as_slice() {
            [] => self.authors.clone(),
            own => names(own.iter().map(|author| author_name(author))),
        };
        let entry = Entry {
            keys,
            title,
            link: shown,
            summary_html,
            body_html,
            published: raw.published,
            updated: raw.updated,
            authors,
            tags: tags(&raw.tags),
            language: language(&raw.language).or_else(|| self.language.clone()),
            image,
            media: files.media,
            offer: None,
            base,
            guid: raw.guid,
        };
        Assembled { entry, url }
    }
}

/// Leaves out repetitions, and takes away the rungs that do not tell items apart here.
///
/// 1. The same id with the same title is one item, whose first address stays. The same id with
///    different titles is no id.
/// 2. The same address without an id and with the same title is one item. Otherwise a shared
///    address is a rung only by its fragments, if these differ.
/// 3. A shared pair of title and date is no rung.
/// 4. Without any rung that tells more than the title, equal texts are one item.
fn without_repetitions(mut found: Vec<Assembled>) -> Vec<Entry> {
    let mut drop = vec![false; found.len()];
    for group in groups(&found, |one| one.entry.keys.id) {
        let title =
            group.first().and_then(|at| found.get(*at)).and_then(|one| one.entry.keys.title);
        let same =
            group.iter().all(|at| found.get(*at).is_some_and(|one| one.entry.keys.title == title));
        for (place, at) in group.iter().enumerate() {
            if same {
                mark(&mut drop, *at, place > 0);
            } else if let Some(one) = found.get_mut(*at) {
                one.entry.keys.id = None;
                one.entry.keys.id_alias = None;
            }
        }
    }
    keep(&mut found, &mut drop);
    for group in groups(&found, |one| one.entry.keys.id_alias) {
        for at in group {
            if let Some(one) = found.get_mut(at) {
                one.entry.keys.id_alias = None;
            }
        }
    }
    for group in groups(&found, |one| one.entry.keys.link) {
        let mut titles = Vec::new();
        let mut left = Vec::new();
        for at in group {
            let Some(one) = found.get(at) else { continue };
            let repeated = one.entry.keys.id.is_none() && titles.contains(&one.entry.keys.title);
            mark(&mut drop, at, repeated);
            if !repeated {
                titles.push(one.entry.keys.title);
                left.push(at);
            }
        }
        if left.len() < 2 {
            continue;
        }
        let full = |at: &usize| found.get(*at)?.url.as_ref().map(|url| keys::link_key(url, true));
        let with_fragments: Vec<Option<u64>> = left.iter().map(full).collect();
        let mut sorted = with_fragments.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let distinct = sorted.len() == with_fragments.len();
        for (at, key) in left.into_iter().zip(with_fragments) {
            if let Some(one) = found.get_mut(at) {
                one.entry.keys.link = key.filter(|_| distinct);
            }
        }
    }
    keep(&mut found, &mut drop);
    for group in groups(&found, |one| one.entry.keys.title_date) {
        for at in group {
            if let Some(one) = found.get_mut(at) {
                one.entry.keys.title_date = None;
            }
        }
    }
    let nameless = |one: &Assembled| {
        let keys = &one.entry.keys;
        // A title alone is never enough.
        let has_text = !(one.entry.body_html.is_empty() && one.entry.summary_html.is_empty());
        (has_text && keys.id.is_none() && keys.link.is_none() && keys.title_date.is_none())
            .then_some(keys.fingerprint)
    };
    for group in groups(&found, nameless) {
        for at in group.into_iter().skip(1) {
            mark(&mut drop, at, true);
        }
    }
    keep(&mut found, &mut drop);
    found.into_iter().map(|one| one.entry).collect()
}

/// The places of the entries that share a key with another one, in document order.
fn groups(found: &[Assembled], key: impl Fn(&Assembled) -> Option<u64>) -> Vec<Vec<usize>> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::with_capacity(found.len());
    for (at, one) in found.iter().enumerate() {
        if let Some(key) = key(one) {
            places.entry(key).or_default().push(at);
        }
    }
    places.into_values().filter(|group| group.len() > 1).collect()
}

fn mark(drop: &mut [bool], at: usize, value: bool) {
    if let Some(slot) = drop.get_mut(at) {
        *slot |= value;
    }
}

/// Removes what is marked, and the marks.
fn keep(found: &mut Vec<Assembled>, drop: &mut Vec<bool>) {
    if drop.contains(&true) {
        let mut marks = drop.iter();
        found.retain(|_| !marks.next().copied().unwrap_or_default());
    }
    drop.clear();
    drop.resize(found.len(), false);
}

/// The words of a title.
pub(crate) fn title(raw: &RawText) -> String {
    let text = mended(&raw.text);
    let words = match raw.form {
        Form::Plain => markup::clean(&markup::decode(&text)),
        Form::Either if !looks_like_html(&text) => markup::clean(&text),
        Form::Html | Form::Either => {
            let words = markup::plain(&text);
            // Escaped once too often.
            if has_closing_tag(&words) { markup::plain(&words) } else { words }
        }
    };
    capped(words)
}

/// A text as HTML.
fn html(raw: RawText) -> String {
    if raw.is_empty() {
        return String::new();
    }
    match html_of(&raw.text, raw.form) {
        Cow::Borrowed(_) => raw.text,
        Cow::Owned(html) => html,
    }
}

/// A text as HTML; borrowed when it is that already.
pub(crate) fn html_of(text: &str, form: Form) -> Cow<'_, str> {
    let text = mended(text);
    match form {
        Form::Plain => Cow::Owned(escaped(&text)),
        Form::Either
            if !text.contains("</") && !looks_like_html(&text) && !text.contains("&lt;") =>
        {
            Cow::Owned(escaped(&text))
        }
        // Escaped once too often: no tags, but tags after one more step.
        Form::Html | Form::Either if !text.contains('<') && text.contains("&lt;") => {
            let once_more = markup::decode(&text);
            if looks_like_html(&once_more) { Cow::Owned(once_more.into_owned()) } else { text }
        }
        Form::Html | Form::Either => text,
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    markup::escape_into(text, &mut out);
    out
}

/// Whether a text is meant as HTML: it closes a tag, has one that needs no closing, or has a
/// character reference. `a < b` and a lone `<blink>` are no signs.
pub(crate) fn looks_like_html(text: &str) -> bool {
    (text.contains('<') && (has_closing_tag(text) || has_void_tag(text))) || has_reference(text)
}

fn has_closing_tag(text: &str) -> bool {
    text.match_indices("</").any(|(at, _)| {
        let name = text.as_bytes().get(at + 2..).unwrap_or_default();
        name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().take(TAG_NAME_BYTES_MAX + 1).any(|b| *b == b'>')
    })
}

fn has_void_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = rest.get(..length).unwrap_or_default();
        let void = ["br", "hr", "img", "p", "wbr"].iter().any(|v| name.eq_ignore_ascii_case(v));
        void && rest.get(length..).is_some_and(|tail| tail.starts_with(['>', ' ', '/']))
    })
}

fn has_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let end = rest.bytes().take(12).position(|b| b == b';');
        let Some(name) = end.and_then(|end| rest.get(..end)) else { return false };
        match name.strip_prefix('#') {
            Some(number) => tokens::character(number).is_some(),
            None => markup::named_entity(name).is_some(),
        }
    })
}

/// Control characters of the C1 range as the windows-1252 characters that were meant.
fn mended(text: &str) -> Cow<'_, str> {
    let suspicious =
        text.as_bytes().contains(&0xc2) && text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}'));
    if suspicious {
        Cow::Owned(text.chars().map(tokens::mend_control).collect())
    } else {
        Cow::Borrowed(text)
    }
}

pub(crate) fn capped(mut words: String) -> String {
    if let Some((end, _)) = words.char_indices().nth(NAME_CHARS_MAX) {
        words.truncate(end);
    }
    words
}

/// The name in `mail@host (Name)`, `Name <mail@host>`, `Name (mail@host)`, or what there is.
fn author_name(raw: &str) -> String {
    let text = if looks_like_html(raw) { markup::plain(raw) } else { markup::clean(raw) };
    let is_mail = |part: &str| part.contains('@') && !part.trim().contains(' ');
    for (open, close) in [('(', ')'), ('<', '>'), ('[', ']')] {
        let Some((outside, rest)) = text.split_once(open) else { continue };
        let inside = rest.split_once(close).map_or(rest, |(inside, _)| inside);
        let outside = outside.trim();
        if is_mail(outside) && !inside.trim().is_empty() && !is_mail(inside) {
            return inside.trim().to_owned();
        }
        if is_mail(inside) && !outside.is_empty() && !is_mail(outside) {
            return outside.trim_matches(['"', ' ']).to_owned();
        }
    }
    match text.split_once(' ') {
        Some((mail, name)) if is_mail(mail) && !name.contains('@') => {
            name.trim_matches([' ', '-', ',', '"']).to_owned()
        }
        _ => text,
    }
}

/// The names of a feed's authors, as many as each of its entries can have a copy of.
fn inherited(all: &[String]) -> Vec<String> {
    let mut left = INHERITED_BYTES_MAX;
    let mut all = names(all.iter().map(|author| author_name(author)));
    all.retain(|name| {
        let is_within = name.len() <= left;
        left = left.saturating_sub(name.len());
        is_within
    });
    all
}

/// Names without empty ones and repetitions, in order.
fn names(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in all.take(NAMES_MAX) {
        let name = capped(name);
        if !name.is_empty() && !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// Tags as words; a single one with commas is a list.
fn tags(raw: &[String]) -> Vec<String> {
    let words =
        |tag: &str| if tag.contains(['&', '<']) { markup::plain(tag) } else { markup::clean(tag) };
    match raw {
        [list] if list.contains(',') => names(list.split(',').map(words)),
        several => names(several.iter().map(|tag| words(tag))),
    }
}

/// A language tag in lower case, if it is one.
pub(crate) fn language(raw: &str) -> Option<String> {
    let tag = raw.trim().to_ascii_lowercase().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next()?;
    let primary = matches!(first.len(), 2 | 3) && first.bytes().all(|b| b.is_ascii_lowercase());
    let rest = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (primary && tag.len() <= 35 && parts.all(rest)).then_some(tag)
}

/// `ttl` in minutes; round numbers of seconds are a known mistake.
fn ttl(raw: &str) -> Option<Duration> {
    let value: u64 = raw.trim().parse().ok().filter(|value| *value > 0)?;
    let seconds = match value {
        1_800 | 3_600 | 7_200 | 21_600 | 43_200 | 86_400 => value,
        minutes => minutes.checked_mul(60)?,
    };
    Some(Duration::from_secs(seconds))
}

/// `sy:updatePeriod` over `sy:updateFrequency`.
fn period(period: &str, frequency: &str) -> Option<Duration> {
    let seconds: u64 = match period.trim().to_ascii_lowercase().as_str() {
        "hourly" => 3_600,
        "daily" => 86_400,
        "weekly" => 7 * 86_400,
        "monthly" => 30 * 86_400,
        "yearly" => 365 * 86_400,
        _ => return None,
    };
    let times = frequency.trim().parse().unwrap_or(1u64).max(1);
    Some(Duration::from_secs(seconds / times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::raw::RawLink;

    fn document(entries: Vec<RawEntry>) -> Document {
        let raw = RawFeed {
            entries,
            links: vec![RawLink::new("https://e.com/blog/")],
            ..RawFeed::new(Format::Rss2)
        };
        assemble(raw, &Url::parse("https://feeds.example/x").unwrap(), "UTF-8", Quality::Whole)
    }

    fn entry(guid: &str, title: &str, href: &str) -> RawEntry {
        RawEntry {
            guid: guid.into(),
            title: RawText::new(title, Form::Either),
            links: vec![RawLink::new(href)],
            ..RawEntry::default()
        }
    }

    fn titled(text: &str, form: Form) -> String {
        title(&RawText::new(text, form))
    }

    #[test]
    fn titles_become_plain_text() {
        for (text, form, expected) in [
            ("AT&amp;T", Form::Either, "AT&T"),
            ("it&#8217;s", Form::Either, "it’s"),
            ("a <i>b</i>\n c", Form::Either, "a b c"),
            ("a < b and c > d", Form::Either, "a < b and c > d"),
            ("the <blink> tag", Form::Either, "the <blink> tag"),
            ("R&D; and more", Form::Either, "R&D; and more"),
            ("<b>x</b>", Form::Plain, "<b>x</b>"),
            ("caf&eacute;", Form::Plain, "café"),
            ("&lt;b&gt;x&lt;/b&gt;", Form::Html, "x"),
            ("don\u{92}t", Form::Plain, "don’t"),
        ] {
            assert_eq!(titled(text, form), expected, "{text}");
        }
    }

    #[test]
    fn html_escaped_twice_is_unescaped_only_if_that_gives_tags() {
        let of = |text: &str| html(RawText::new(text, Form::Either));
        assert_eq!(of("&lt;p&gt;a&lt;/p&gt;"), "<p>a</p>");
        assert_eq!(of("if a &lt; b"), "if a &lt; b");
        assert_eq!(of("<p>use &lt;b&gt;</p>"), "<p>use &lt;b&gt;</p>");
        assert_eq!(of("fish & chips"), "fish &amp; chips");
    }

    #[test]
    fn entries_take_a_feeds_authors_as_far_as_all_can_have_a_copy() {
        let of = |authors: Vec<String>| {
            let raw = RawFeed {
                entries: vec![entry("1", "a", "/x")],
                authors,
                ..RawFeed::new(Format::Atom)
            };
            let base = Url::parse("https://feeds.example/x").unwrap();
            let mut found = assemble(raw, &base, "UTF-8", Quality::Whole).entries;
            found.remove(0).authors
        };
        assert_eq!(of(vec!["Ann".into(), "mail@e.com (Ben)".into()]), ["Ann", "Ben"]);
        let many = (0..64).map(|at| format!("{at}{}", "n".repeat(NAME_CHARS_MAX))).collect();
        let sum: usize = of(many).iter().map(String::len).sum();
        assert!(sum > 0 && sum <= INHERITED_BYTES_MAX, "{sum}");
    }

    #[test]
    fn a_repeated_guid_with_the_same_title_is_one_item() {
        let found =
            document(vec![entry("1", "a", "/x"), entry("1", "a", "/y"), entry("2", "b", "/z")]);
        let links: Vec<_> = found.entries.iter().map(|e| e.link.as_deref().unwrap()).collect();
        assert_eq!(links, ["https://e.com/x", "https://e.com/z"]);
    }

    #[test]
    fn a_guid_shared_by_different_titles_is_no_id() {
        let found = document(vec![entry("1", "a", "/x"), entry("1", "b", "/y")]);
        assert_eq!(found.entries.len(), 2);
        assert!(found.entries.iter().all(|e| e.keys.id.is_none() && e.keys.link.is_some()));
    }

    #[test]
    fn a_link_shared_by_items_of_their_own_is_no_rung() {
        let found = document(vec![entry("1", "a", "/"), entry("2", "b", "/")]);
        assert_eq!(found.entries.len(), 2);
        assert!(found.entries.iter().all(|e| e.keys.id.is_some() && e.keys.link.is_none()));
        let fragments = document(vec![entry("", "a", "/#1"), entry("", "b", "/#2")]);
        assert!(fragments.entries.iter().all(|e| e.keys.link.is_some()));
    }

    #[test]
    fn equal_titles_alone_do_not_merge_items() {
        let found = document(vec![entry("", "Bug fixes", "/1"), entry("", "Bug fixes", "/2")]);
        assert_eq!(found.entries.len(), 2);
    }

    #[test]
    fn a_permanent_guid_stands_in_for_a_missing_link() {
        let mut with = entry("https://e.com/p", "a", "");
        with.guid_is_link = true;
        let without = entry("https://e.com/q", "b", "");
        let found = document(vec![with, without]);
        assert_eq!(found.entries[0].link.as_deref(), Some("https://e.com/p"));
        assert_eq!(found.entries[1].link, None);
    }

    #[test]
    fn an_author_is_called_by_name() {
        for (raw, expected) in [
            ("me@e.com (Ann Bee)", "Ann Bee"),
            ("Ann Bee <me@e.com>", "Ann Bee"),
            ("Ann Bee (me@e.com)", "Ann Bee"),
            ("me@e.com", "me@e.com"),
            ("«Ann»\u{a0}me@e.com", "«Ann» me@e.com"),
            ("me@e.com Ann", "Ann"),
            ("Ann &amp; Bee", "Ann & Bee"),
        ] {
            assert_eq!(author_name(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_single_tag_with_commas_is_a_list() {
        let of = |raw: &[&str]| tags(&raw.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["a, b,a"]), ["a", "b"]);
        assert_eq!(of(&["Food, Drink", "x"]), ["Food, Drink", "x"]);
        assert_eq!(of(&["R&amp;B"]), ["R&B"]);
    }

    #[test]
    fn feeds_say_how_often_they_change() {
        assert_eq!(ttl("60"), Some(Duration::from_secs(3_600)));
        assert_eq!(ttl(" 1800 "), Some(Duration::from_secs(1_800)));
        assert_eq!(ttl("0"), None);
        assert_eq!(period("\n hourly\n", "2"), Some(Duration::from_secs(1_800)));
        assert_eq!(period("sometimes", "1"), None);
    }

    #[test]
    fn only_language_tags_are_languages() {
        assert_eq!(language(" en_US "), Some("en-us".into()));
        assert_eq!(language("english"), None);
        assert_eq!(language(""), None);
    }
}
