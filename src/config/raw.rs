//! The settings as they are written: every known table and key with its TOML type and place, no
//! default, no bound, no name looked up.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::chats::RawChats;
use crate::config::file::File;
use crate::config::problem::{Findings, Place};
use crate::config::syntax;
use crate::config::table::{
    At, Free, Named, Node, Read, key, listed, report_unknown, tables, wrong_type,
};

/// A list with the place of each element.
pub(crate) type List<T> = Vec<At<T>>;

tables! {
    /// A settings file.
    RawFile "" {
        include: At<List<String>>,
        layouts: At<String>,
        data_dir: At<String>,
        timezone: At<String>,
        quiet: At<String>,
        daily_max: At<i64>,
        carry_at: At<String>,
        posts: At<List<String>>,
        reviewers: RawChats,
        listen: RawListen,
        fetch: RawFetch,
        delivery: RawDelivery,
        channels: Named<RawChannel>,
        sources: Named<RawSource>,
        topics: Named<RawTopic>,
        campaigns: Named<RawCampaign>,
        messages: RawMessages,
        pages: Named<RawInvite>,
        profile: Named<RawProfileField>,
        forms: Named<RawForm>,
    }

    RawListen "listen" {
        public: At<String>,
        public_url: At<String>,
        admin: At<String>,
        frame_ancestors: List<String>,
        trusted_proxies: List<String>,
        editor: At<String>,
    }

    RawFetch "fetch" {
        allow_networks: List<String>,
        ports: List<i64>,
        paths: List<String>,
        host_pause: At<String>,
        per_host: At<i64>,
        connections: At<i64>,
        floor: At<String>,
        timeout: At<String>,
        wire_bytes_max: At<i64>,
        decoded_bytes_max: At<i64>,
        items_max: At<i64>,
        catalog_bytes_max: At<i64>,
        user_agent: At<String>,
    }

    RawDelivery "delivery" {
        grace: At<String>,
    }

    RawChannel "channels.*" {
        kind: At<String>,
        api: At<String>,
        rate: At<f64>,
        in_flight: At<i64>,
        profile: At<bool>,
        paid_broadcast: RawPaid,
        token: RawSecret,
        username: At<String>,
        updates: At<String>,
        webhook_secret: RawSecret,
        version: At<String>,
        page_id: At<String>,
        page_token: RawSecret,
        app_secret: RawSecret,
        verify_token: RawSecret,
        held_for: At<String>,
        marketing: RawMarketing,
    }

    RawMarketing "channels.*.marketing" {
        ad_account: At<String>,
        token: RawSecret,
        campaign: At<String>,
        cost_max: At<String>,
        spend_max: At<String>,
        spend_per: At<String>,
        ask: At<String>,
    }

    /// What is paid for beyond the free rate.
    RawPaid "channels.*.paid_broadcast" {
        stars_max: At<i64>,
        per: At<String>,
        rate: At<f64>,
    }

    RawSource "sources.*" {
        kind: At<String>,
        url: At<String>,
        path: At<String>,
        format: At<String>,
        map: RawMap,
        select: RawSelect,
        currency: At<String>,
        pages_max: At<i64>,
        full_text: At<bool>,
        websub: At<bool>,
        headers: Free<RawValue>,
        auth: RawAuth,
        cookies: Free<RawValue>,
        every: At<String>,
        cron: At<String>,
        timezone: At<String>,
        first: RawFirst,
        flood: RawFlood,
        min_step: RawSteps,
        min_quantity: At<i64>,
        watch: At<bool>,
    }

    RawMap "sources.*.map" {
        row: At<String>,
        id: At<String>,
        title: At<String>,
        link: At<String>,
        summary: At<String>,
        image: At<String>,
        published: At<String>,
        tags: At<String>,
        group: At<String>,
        sku: At<String>,
        gtin: At<String>,
        brand: At<String>,
        availability: At<String>,
        quantity: At<String>,
        price: At<String>,
        list_price: At<String>,
        currency: At<String>,
    }

    RawSelect "sources.*.select" {
        item: At<String>,
        title: RawField,
        link: RawField,
        date: RawField,
        summary: RawField,
        image: RawField,
        author: RawField,
    }

    /// One field of a page; `RawField` takes care that it may be written as a string too.
    RawFieldTable "sources.*.select.date" {
        css: At<String>,
        attr: At<String>,
        regex: At<String>,
        format: At<String>,
        timezone: At<String>,
    }

    RawAuth "sources.*.auth" {
        basic: RawBasic,
        bearer: RawSecret,
    }

    RawBasic "sources.*.auth.basic" {
        user: At<String>,
        password: RawSecret,
    }

    RawFirst "sources.*.first" {
        newest: At<i64>,
    }

    RawFlood "sources.*.flood" {
        items: At<i64>,
        share: At<f64>,
    }

    RawTopic "topics.*" {
        title: RawTexts,
        archive: At<bool>,
    }

    RawCampaign "campaigns.*" {
        sources: At<List<String>>,
        on: At<List<String>>,
        when: At<String>,
        min_step: RawSteps,
        layout: At<String>,
        topics: At<List<String>>,
        channels: At<List<String>>,
        audience: At<String>,
        chats: RawChats,
        late_joiners: At<String>,
        send: RawSend,
        timezone: At<String>,
        window: At<String>,
        misfire: At<String>,
        daily_max: At<i64>,
        review: bool,
        reviewers: RawChats,
        order: At<String>,
        max_items: At<i64>,
        group: bool,
        settle: At<String>,
        on_uncertain: At<String>,
        correct_within: At<String>,
        on_retraction: At<String>,
        priority: RawPriority,
        stages: At<List<String>>,
        stage_wait: At<String>,
        stop_when_failed: At<String>,
        stop_when_left: At<String>,
        marketing: At<bool>,
        watch: At<bool>,
        utility: RawUtility,
    }

    RawUtility "campaigns.*.utility" {
        template: At<String>,
        language: At<String>,
        body: Free<At<String>>,
        buttons: List<String>,
    }

    RawMessages "messages" {
        greeting: RawTexts,
        greeting_short: RawTexts,
        ice_breakers: RawButtons,
        menu: RawButtons,
        welcome: RawTexts,
        welcome_buttons: RawButtons,
        welcome_items: At<i64>,
        welcome_layout: At<String>,
        goodbye: RawTexts,
        goodbye_layout: At<String>,
        default_reply: RawTexts,
        default_reply_layout: At<String>,
        default_reply_every: At<String>,
        replies: List<RawReply>,
        reminder: RawReminder,
    }

    RawReply "messages.replies" {
        when: RawWords,
        pattern: At<String>,
        say: RawTexts,
        buttons: RawButtons,
        layout: At<String>,
    }

    RawReminder "messages.reminder" {
        every: At<String>,
        say: RawTexts,
        layout: At<String>,
    }

    RawProfileField "profile.*" {
        title: RawTexts,
        ask: RawTexts,
        kind: At<String>,
        options: At<List<String>>,
        at_start: bool,
    }

    /// A page that people subscribe on.
    RawInvite "pages.*" {
        topics: At<List<String>>,
        channels: At<List<String>>,
        title: RawTexts,
        text: RawTexts,
        privacy: RawTexts,
        colour: At<String>,
        logo: At<String>,
    }

    RawForm "forms.*" {
        kind: At<String>,
        position: At<String>,
        topics: At<List<String>>,
        channels: At<List<String>>,
        title: RawTexts,
        text: RawTexts,
        consent: RawTexts,
        privacy: At<String>,
        colour: At<String>,
        after: At<String>,
        scroll: At<f64>,
        exit: At<bool>,
        again_after: At<String>,
    }

    /// Where a secret is kept; `RawSecret` takes care that it is no plain string.
    RawSecretPlace "secret" {
        credential: At<String>,
        file: At<String>,
        env: At<String>,
    }
}

impl RawFile {
    /// A file without any key.
    pub fn empty() -> Self {
        Self::from_table(&DeTable::new(), &Node::root(0), &mut Findings::default())
    }
}

/// The tables and keys that an editors' file may have.
pub(crate) const EDITOR_KEYS: [&str; 7] =
    ["sources", "topics", "campaigns", "messages", "pages", "forms", "profile"];

/// Where a secret is kept.
#[derive(Clone, Debug)]
pub(crate) struct RawSecret {
    /// Where the value stands.
    pub at: Place,
    /// `None` when it was no table: that is told already.
    pub place: Option<RawSecretPlace>,
}

impl Read for RawSecret {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let at = Place { offset: value.span().start, ..node.at };
        if let DeValue::Table(_) = value.get_ref() {
            return Some(Self { at, place: RawSecretPlace::read(value, node, found) });
        }
        found
            .problem(at, &node.to_string(), "a secret can't stand in the file itself")
            .hint("write `{ credential = \"…\" }`, `{ file = \"…\" }` or `{ env = \"…\" }`");
        Some(Self { at, place: None })
    }
}

/// A field of a page: a selector, or a table with more.
#[derive(Clone, Debug)]
pub(crate) enum RawField {
    Short(At<String>),
    Long { at: Place, table: RawFieldTable },
}

impl Read for RawField {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(Self::Short),
            DeValue::Table(_) => {
                let at = Place { offset: value.span().start, ..node.at };
                let table = RawFieldTable::read(value, node, found)?;
                Some(Self::Long { at, table })
            }
            _ => wrong_type("a string such as `h2 a@href`, or a table", value, node, found),
        }
    }
}

/// A text that may be a secret: as it is, or where it is kept.
#[derive(Clone, Debug)]
pub(crate) enum RawValue {
    Plain(At<String>),
    Kept(RawSecret),
}

impl Read for RawValue {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(Self::Plain),
            DeValue::Table(_) => RawSecret::read(value, node, found).map(Self::Kept),
            _ => wrong_type("a string, or a table that says where a secret is", value, node, found),
        }
    }
}

/// One text, or a list of them.
#[derive(Clone, Debug)]
pub(crate) struct RawSteps(pub List<String>);

impl Read for RawSteps {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(|text| Self(vec![text])),
            DeValue::Array(_) => List::read(value, node, found).map(Self),
            _ => wrong_type("a string such as `\"5%\"`, or a list of such", value, node, found),
        }
    }
}

/// Words, or a list of such.
#[derive(Clone, Debug)]
pub(crate) struct RawWords(pub List<String>);

impl Read for RawWords {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(|text| Self(vec![text])),
            DeValue::Array(_) => List::read(value, node, found).map(Self),
            _ => wrong_type(
                "words such as `\"opening hours\"`, or a list of such",
                value,
                node,
                found,
            ),
        }
    }
}

/// A word, or a number, as text.
#[derive(Clone, Debug)]
pub(crate) struct RawPriority(pub At<String>);

impl Read for RawPriority {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(Self),
            DeValue::Integer(_) => At::<i64>::read(value, node, found)
                .map(|At { value, at }| Self(At { value: value.to_string(), at })),
            _ => wrong_type("`low`, `normal`, `high` or a whole number", value, node, found),
        }
    }
}

/// A word, or a digest.
#[derive(Clone, Debug)]
pub(crate) enum RawSend {
    Word(At<String>),
    Digest(Box<RawDigest>),
}

/// When a digest goes, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct RawDigest {
    /// Where the table stands.
    pub at: Place,
    pub digest: Option<At<String>>,
    pub timezone: Option<At<String>>,
    pub min_items: Option<At<i64>>,
    pub max_items: Option<At<i64>>,
}

impl Read for RawSend {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(Self::Word),
            DeValue::Table(table) => {
                let known = ["digest", "timezone", "min_items", "max_items"];
                report_unknown(table, &known, node, found);
                Some(Self::Digest(Box::new(RawDigest {
                    at: Place { offset: value.span().start, ..node.at },
                    digest: key(table, "digest", node, found),
                    timezone: key(table, "timezone", node, found),
                    min_items: key(table, "min_items", node, found),
                    max_items: key(table, "max_items", node, found),
                })))
            }
            _ => wrong_type("`at-once`, or a table such as `{ digest = … }`", value, node, found),
        }
    }
}

/// One text, or a text per language.
#[derive(Clone, Debug)]
pub(crate) struct RawTexts {
    /// Where the key stands.
    pub at: Place,
    pub form: RawTextsForm,
}

#[derive(Clone, Debug)]
pub(crate) enum RawTextsForm {
    One(At<String>),
    /// Language and text, in the order of the file.
    ByLanguage(Vec<(At<String>, At<String>)>),
}

impl Read for RawTexts {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let form = match value.get_ref() {
            DeValue::String(_) => RawTextsForm::One(At::read(value, node, found)?),
            DeValue::Table(table) if table.is_empty() => {
                let text = "must have a text in one language at least";
                found.problem(node.at, &node.to_string(), text);
                return None;
            }
            DeValue::Table(table) => {
                let mut texts = Vec::with_capacity(table.len());
                for (language, _) in table.iter() {
                    let at = Place { offset: language.span().start, ..node.at };
                    let name = language.get_ref().as_ref();
                    if let Some(text) = key(table, name, node, found) {
                        texts.push((At { value: name.to_owned(), at }, text));
                    }
                }
                RawTextsForm::ByLanguage(texts)
            }
            _ => {
                return wrong_type(
                    "a string, or a table with a string per language",
                    value,
                    node,
                    found,
                );
            }
        };
        Some(Self { at: node.at, form })
    }
}

/// A list of buttons, or a list per language.
#[derive(Clone, Debug)]
pub(crate) enum RawButtons {
    One(List<String>),
    /// Language and buttons, in the order of the file.
    ByLanguage(Vec<(At<String>, List<String>)>),
}

impl Read for RawButtons {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(_) => List::read(value, node, found).map(Self::One),
            DeValue::Table(_) => {
                Free::read(value, node, found).map(|Free(entries)| Self::ByLanguage(entries))
            }
            _ => wrong_type(
                "a list of buttons, or a table with a list per language",
                value,
                node,
                found,
            ),
        }
    }
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// May hold every key.
    Sysadmin,
    /// May hold [`EDITOR_KEYS`].
    Editor,
}

/// What was read from a file.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub raw: RawFile,
    /// Nothing is left out. A file with syntax errors gives only its `include`, of what could be
    /// recovered.
    pub is_whole: bool,
}

/// Reads a file's tables. All syntax errors are told; if there are any, nothing else of this file
/// is, as what was recovered may not be what was meant.
pub(crate) fn read_file(file: &File, index: usize, owner: Owner, found: &mut Findings) -> ReadFile {
    let (table, errors) = DeTable::parse_recoverable(file.text());
    let (table, root) = (table.into_inner(), Node::root(index));
    let first_error = errors.iter().map(syntax::offset).min();
    if let Some(first_error) = first_error {
        syntax::report(file.text(), &errors, index, found);
        let raw = RawFile { include: recovered_include(&table, first_error), ..RawFile::empty() };
        return ReadFile { raw, is_whole: false };
    }
    if owner == Owner::Editor {
        report_sysadmins(&table, index, found);
    }
    ReadFile { raw: RawFile::from_table(&table, &root, found), is_whole: true }
}

/// The `include` of a file with syntax errors, if it ends before the first of them: an unclosed
/// list would take in what follows, and secrets would be told as names of files.
fn recovered_include(table: &DeTable<'_>, first_error: usize) -> Option<At<List<String>>> {
    let is_before = table.get("include")?.span().end <= first_error;
    let (root, mut unheard) = (Node::root(0), Findings::default());
    if is_before { key(table, "include", &root, &mut unheard) } else { None }
}

fn report_sysadmins(table: &DeTable<'_>, index: usize, found: &mut Findings) {
    for (key, _) in table.iter() {
        let text = key.get_ref().as_ref();
        if RawFile::KEYS.contains(&text) && !EDITOR_KEYS.contains(&text) {
            let at = Place { file: index, offset: key.span().start };
            let hint = format!("an included file may hold {}", listed(&EDITOR_KEYS));
            found.problem(at, text, "may stand in the main settings file only").hint(hint);
        }
    }
}
