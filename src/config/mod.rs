//! The settings: TOML files to a checked [`Config`], or every problem in them at once.
//!
//! The sysadmin's file may hold every key; the editors' files that it includes hold sources,
//! topics, campaigns, messages, pages, forms and the profile only. What is read has two forms: raw tables, which say no more
//! than TOML can, with the place of every value (`raw`); and [`Config`], in which every value is in
//! bounds, every name is known and every secret is read (`check`).
//!
//! It does not open the store, compile layouts or ask any service. No problem, warning or `Debug`
//! shows a secret. The environment is an argument, so the same files give the same settings.

pub(crate) mod duration;

pub(crate) mod problem;

pub(crate) mod nearest;

pub(crate) mod file;

pub(crate) mod table;

pub(crate) mod chats;

pub(crate) mod syntax;

pub(crate) mod raw;

pub(crate) mod post;

pub(crate) mod include;

pub(crate) mod secret;

pub(crate) mod check;

pub(crate) mod load;

pub(crate) mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::model::campaign::Campaign;
use crate::model::cap::Caps;
use crate::model::channel::ChannelKind;
use crate::model::choice::FieldKind;
use crate::model::day::Days;
use crate::model::form::{Shape, Triggers};
use crate::model::lane::Period;
use crate::model::message::Button;
use crate::model::name::Name;
use crate::model::one_off::FilePost;
use crate::model::pacing::StarBudget;
use crate::model::pattern::Pattern;
use crate::model::secret::SecretString;
use crate::model::source::Source;

pub use crate::config::check::around::{Checks, Secrets};
pub use crate::config::check::forms::form_of;
pub use crate::config::load::{Loaded, admin_socket, load, load_with};
pub use crate::config::place::{NoPlace, editors_file};
pub use crate::config::problem::Problem;
pub use crate::config::secret::is_unread;

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `data_dir`: the folder that holds the store. Default: `$STATE_DIRECTORY`, which systemd
    /// sets, else `tidings` in the XDG data home. A relative path starts at the file.
    pub data_dir: PathBuf,
    /// `layouts`: the folder of the layout files. Default `layouts` beside the file.
    pub layouts: PathBuf,
    pub listen: Listen,
    pub fetch: Fetch,
    /// `delivery.grace`: how long the daemon lets work under way end before it drops it. Default
    /// 20 s, at most 60 s, below what service managers wait before they kill.
    pub grace: Duration,
    /// The civil days of `timezone`.
    pub days: Days,
    /// `daily_max`, of campaigns too, and `carry_at`: how much one person gets in a day. Default
    /// none: however much there is; `carry_at` 09:00.
    pub caps: Option<Caps>,
    /// In the order of the file.
    pub channels: Vec<Channel>,
    /// In the order of the files.
    pub sources: Vec<Source>,
    /// `topics.<name>.title`: what subscribers can choose, and how it is called.
    pub topics: BTreeMap<Name, Texts>,
    /// `profile.<name>`: what people are asked of themselves, in the order of the files.
    pub profile: Vec<ProfileField>,
    /// `topics.<name>.archive`: the topics of which everybody may read what was sent, at `/t/<name>` of
    /// the public door. Default: none.
    pub archives: BTreeSet<Name>,
    /// In the order of the files. Every name in them is one of the above.
    pub campaigns: Vec<Campaign>,
    /// Of the files that `posts` names (default `posts/*.toml` beside the file), each a post that
    /// is sent once. In the order of the files.
    pub posts: Vec<FilePost>,
    pub messages: Messages,
    /// `pages.<slug>`: the pages that people subscribe on, in the order of the files.
    pub pages: Vec<Page>,
    /// `forms.<name>`: what leads there from other sites, in the order of the files.
    pub forms: Vec<Form>,
}

impl Config {
    /// Where the world finds a page: below `public_url`, else as much as is known of it.
    pub fn address_of(&self, page: &Page) -> String {
        self.address(&format!("/s/{}", page.slug))
    }

    /// Where the world finds what was sent to a topic.
    pub fn archive_of(&self, topic: &Name) -> String {
        self.address(&format!("/t/{topic}"))
    }

    /// Where the world finds a form's script.
    pub fn script_of(&self, form: &Name) -> String {
        self.address(&format!("/embed.js?form={form}"))
    }

    /// What Meta's dashboard asks for of a Messenger channel (deletion, deauthorization); `None` of
    /// others, and where the world can't reach us.
    pub fn callbacks_of(&self, channel: &Channel) -> Option<[String; 2]> {
        self.listen.public_url.as_ref().filter(|_| channel.kind() == ChannelKind::Messenger)?;
        let address = |word| self.address(&format!("/meta/{}/{word}", channel.name));
        Some(["delete", "deauthorize"].map(address))
    }

    /// Where the world finds a path of the public door.
    pub fn address(&self, path: &str) -> String {
        match (&self.listen.public_url, &self.listen.public) {
            (Some(url), _) => format!("{}{path}", url.as_str().trim_end_matches('/')),
            (None, Some(public)) => format!("http://{public}{path}"),
            (None, None) => path.to_owned(),
        }
    }
}

/// `[listen]`: the doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `public`: host and port for webhooks. Default none: no public door is opened.
    pub public: Option<String>,
    /// `public_url`: the address at which the world reaches the public door. Default none; needed
    /// for a Telegram webhook.
    pub public_url: Option<Url>,
    /// `admin`: the Unix socket of the command line and the metrics, written `unix:/path`. Default
    /// `admin.sock` in `$RUNTIME_DIRECTORY`, else in `data_dir`.
    pub admin: PathBuf,
    /// `frame_ancestors`: the sites that may show our pages within their own, such as
    /// `https://www.example.com`. Default none.
    pub frame_ancestors: Vec<String>,
    /// `trusted_proxies`: networks of the reverse proxies whose `X-Forwarded-For` (or `Forwarded`)
    /// says who asks. Default none: then only the other end of a connection counts, and this
    /// machine stands for everybody.
    pub trusted_proxies: Vec<IpNet>,
    /// `editor`: host and port of the page on which forms are made, for a browser on this machine:
    /// only a loopback address is taken. Default none.
    pub editor: Option<SocketAddr>,
}

/// `[fetch]`: how sources are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// `allow_networks`: networks outside the public internet that sources may be read from, on
    /// any port. Default none, so that an editor can't reach into the owner's network.
    pub allow_networks: Vec<IpNet>,
    /// `ports`: ports that sources may be read from besides 80 and 443. Default none.
    pub ports: Vec<u16>,
    /// `paths`: folders that the editors' files may name files and folders in. Default none: only
    /// the sysadmin's file names any.
    pub paths: Vec<PathBuf>,
    /// `host_pause`: rest between two requests to one host. Default 1 s, 0 s to 1 h.
    pub host_pause: Duration,
    /// `per_host`: requests under way to one host. Default 1, 1 to 64.
    pub per_host: usize,
    /// `connections`: requests under way altogether. Default 64, 1 to 4,096.
    pub connections: usize,
    /// `floor`: the shortest interval; a source that asks for less gets this. Default 5 min,
    /// 1 s to 1 d. Also the least that a cron line or the source's own wish may come to.
    pub floor: Duration,
    /// `timeout`: longest time for one request with its redirects. Default 30 s, 1 s to 10 min.
    pub timeout: Duration,
    /// `wire_bytes_max`: longest document as it is sent. Default 8 MiB, 1 KiB to 1 GiB.
    pub wire_bytes_max: u64,
    /// `decoded_bytes_max`: longest document once decompressed. Default 32 MiB, 1 KiB to 1 GiB.
    pub decoded_bytes_max: u64,
    /// `items_max`: most items read from one document. Default 10,000, 1 to 1,000,000.
    pub items_max: usize,
    /// `catalog_bytes_max`: longest document of a catalog or a sitemap, as it is sent; it may
    /// unpack to twice as much. Default 2 GiB, 1 KiB to 64 GiB. Such documents are kept in a file
    /// while they are read, so it is the disk that must hold them.
    pub catalog_bytes_max: u64,
    /// `user_agent`: how we introduce ourselves. Default `tidings/` and the version.
    pub user_agent: String,
}

/// `[channels.<name>]`: a way out.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Name,
    /// `rate`: messages per second, at most. Default 30 for Telegram, its documented limit for a
    /// bot; 20 for Messenger, half of what brakes a page; above 0, at most 100,000. What is sent is
    /// less while the service refuses.
    pub rate: f64,
    /// `in_flight`: requests under way at once; also the most deliveries whose fate a crash can
    /// leave uncertain. Default 32, 1 to 1,024.
    pub in_flight: usize,
    /// `paid_broadcast`: what may be spent on Telegram to send faster. Default none: nothing is
    /// ever paid.
    pub paid: Option<Paid>,
    /// `profile`: whether we write how the channel shows itself: greeting, commands, menu. Default
    /// true; without, it stays as it is.
    pub profile: bool,
    /// `api`: base address of the service. Default the service's own. Without a query.
    pub api: Url,
    pub service: Service,
}

/// `[channels.<name>.paid_broadcast]`: a budget of Stars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paid {
    /// `stars_max` and `per`: at most so many Stars, up to 10,000,000, a `"day"` (the default, a
    /// civil day of `timezone`) or a `"post"`.
    pub budget: StarBudget,
    /// `rate`: messages a second, free and paid together. Default and most 1,000.
    pub rate: f64,
}

/// What a channel's `kind` needs.
#[derive(Clone, Debug)]
pub enum Service {
    /// `kind = "telegram"`.
    Telegram {
        /// `token`: of the bot, as BotFather gave it.
        token: SecretString,
        /// `username`: of the bot, for links, without the `@`. Default: the service is asked.
        username: Option<String>,
        updates: Updates,
    },
    /// `kind = "messenger"`.
    Messenger {
        /// `version`: of the Graph API. Default `v25.0`.
        version: String,
        /// `page_id`: digits.
        page_id: String,
        /// `page_token`: a page access token.
        page_token: SecretString,
        /// `app_secret`: proves that a webhook's call comes from Meta; without it anybody could
        /// write, so there is no channel without it.
        app_secret: SecretString,
        /// `verify_token`: what was typed into Meta's webhook form.
        verify_token: SecretString,
        /// `held_for`: how long a post waits for the next contact of somebody whose window is
        /// closed. Default 14 d, 0 s to 90 d; zero drops it.
        held_for: Duration,
        /// `marketing`: paid marketing messages. Default none.
        marketing: Option<Marketing>,
    },
}

/// `[channels.<name>.marketing]`: paid messages to people who agreed to them.
#[derive(Clone, Debug)]
pub struct Marketing {
    /// `ad_account`: digits; the account that pays.
    pub ad_account: String,
    /// `token`: of the onboarding. Default `page_token`.
    pub token: Option<SecretString>,
    /// `campaign`: of the service, if there is one already. Default: one is made.
    pub campaign: Option<String>,
    /// `cost_max`: what one message is taken to cost, in millionths of the account's currency.
    pub cost: u64,
    /// `spend_max`: the most that is spent in a period, in the same.
    pub spend_max: u64,
    /// `spend_per`: `day` (the default) or `month` (30 days), in UTC.
    pub per: Period,
    /// `ask`: the title under which people are asked after they start. Default: nobody is asked.
    pub ask: Option<String>,
}

impl Channel {
    pub fn kind(&self) -> ChannelKind {
        match self.service {
            Service::Telegram { .. } => ChannelKind::Telegram,
            Service::Messenger { .. } => ChannelKind::Messenger,
        }
    }
}

/// `updates`: how a Telegram channel learns what people write.
#[derive(Clone, Debug)]
pub enum Updates {
    /// We ask (the default): works without a public door.
    Polling,
    /// Telegram calls. `webhook_secret` is what it repeats in its header: 32 to 256 of `A-Z`,
    /// `a-z`, `0-9`, `_` and `-`.
    Webhook { secret: SecretString },
}

/// `[messages]`: what people are told without anybody writing it then. The texts have defaults in
/// English, Romanian, Italian, German, French and Spanish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// `greeting`: before the first message; Telegram's description of the bot, Messenger's
    /// greeting. At most 512 characters, the 160 of Messenger's where there is a page.
    pub greeting: Texts,
    /// `greeting_short`: on the bot's profile and where it is shared, at most 120 characters; also
    /// for Messenger, where `greeting` is too long for it. Default the beginning of `greeting`.
    pub greeting_short: Option<Texts>,
    /// `ice_breakers`: questions that Messenger shows before the first message, at most 4. Default:
    /// the titles of the first topics.
    pub ice_breakers: Option<Buttons>,
    /// `menu`: links in Messenger's menu, besides the commands; at most 10. Default none.
    pub menu: Buttons,
    /// `welcome`: after they start.
    pub welcome: Texts,
    /// `welcome_buttons`: below it, besides the one that stops. Default none.
    pub welcome_buttons: Buttons,
    /// `welcome_items`: so many of the newest items of their topics follow it. Default 0, at most 5.
    pub welcome_items: usize,
    /// `welcome_layout`: in which `welcome` is set. Default none.
    pub welcome_layout: Option<Name>,
    /// `goodbye`: after they stop.
    pub goodbye: Texts,
    /// `goodbye_layout`: in which `goodbye` is set. Default none.
    pub goodbye_layout: Option<Name>,
    /// `default_reply`: to anything that is not understood.
    pub default_reply: Texts,
    /// The same to who has not subscribed; `None` where `default_reply` is an editor's.
    pub stranger_reply: Option<Texts>,
    /// `default_reply_layout`: in which `default_reply` is set. Default none.
    pub default_reply_layout: Option<Name>,
    /// `default_reply_every`: one person hears it at most this often. Default 10 s, 0 s to 30 d.
    pub default_reply_every: Duration,
    /// `replies`: to what people write, in the order of the files; the first that fits answers.
    pub replies: Vec<KeywordReply>,
    /// `reminder`: of what they get, and how to stop. Default none.
    pub reminder: Option<Reminder>,
}

/// `[[messages.replies]]`: the answer to certain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordReply {
    /// `when`: words or phrases; what people write holds one of them.
    pub when: Vec<String>,
    /// `pattern`: a regular expression that fits somewhere in it.
    pub pattern: Option<Pattern>,
    /// `say`: the answer.
    pub say: Texts,
    /// `buttons`: below it, at most 6. Default none.
    pub buttons: Buttons,
    /// `layout`: in which `say` is set. Default none.
    pub layout: Option<Name>,
}

/// `[messages.reminder]`: people are reminded of what they subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// `every`: after they came or were reminded last; 7 d to 1,000 d.
    pub every: Duration,
    /// `say`: `{topics}` stands for the titles of theirs.
    pub say: Texts,
    /// `layout`: in which `say` is set. Default none.
    pub layout: Option<Name>,
}

/// Buttons, perhaps in several languages: `"Label=https://…"`, `"Label=topic:news"`,
/// `"Label=/help"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buttons {
    /// For everybody whose language is not among `languages`, as with [`Texts`].
    pub default: Vec<Button>,
    /// By BCP 47 tag in lower case; empty when there is only one list.
    pub languages: BTreeMap<String, Vec<Button>>,
}

/// `[profile.<name>]`: what people are asked of themselves in the chat. At most 16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileField {
    /// By which audiences and layouts name it: `profile.<name>`.
    pub name: Name,
    /// `title`: what it is called where people see what is known. Default its name.
    pub title: Texts,
    /// `ask`: the question.
    pub ask: Texts,
    /// `kind`: what answers it: `text`, a `number`, or a `choice` of the options. Default a choice
    /// where there are options, else text.
    pub kind: FieldKind,
    /// `options`: answers that are offered as buttons, at most 11. Default none.
    pub options: Vec<String>,
    /// `at_start`: it is asked for after the welcome, and not only with `/profile`. Default true.
    pub at_start: bool,
}

/// `[pages.<slug>]`: a page that people subscribe on, at `/s/<slug>` of the public door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last part of its address.
    pub slug: Name,
    /// `topics`: that its links are for. Default: all, also those that come later, which `None`
    /// stands for.
    pub topics: Option<Vec<Name>>,
    /// `channels`: that it leads to. Default all.
    pub channels: Vec<Name>,
    /// `title`: default the only topic's, else words of ours in six languages.
    pub title: Option<Texts>,
    /// `text`: what stands below the title. Default words of ours.
    pub text: Option<Texts>,
    /// `privacy`: words, or the address of a page with them. Default words of ours.
    pub privacy: Option<Texts>,
    /// `colour`: of the buttons, as `#0a7fb5`: red, green and blue. Default: the services' own.
    pub colour: Option<[u8; 3]>,
    /// `logo`: a picture's file, read with the settings. Default none.
    pub logo: Option<Picture>,
}

/// `[forms.<name>]`: a form for the owner's site, at `/embed.js?form=<name>` of the public door.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub name: Name,
    /// `kind`: `popup` (the default), `bar` or `button`. `position`: of a pop-up `center` (the
    /// default), `bottom-right` or `bottom-left`; of a bar `bottom` (the default) or `top`.
    pub shape: Shape,
    /// `after`, `scroll` and `exit`: what makes it come, whichever is first. Default: a pop-up comes
    /// after 5 s, a bar at once. A button is there.
    pub triggers: Triggers,
    /// `again_after`: for how long it does not come again once it was closed. Default 30 d, at most
    /// 365 d.
    pub again_after: Duration,
    /// `topics`: that its links are for. Default: all, which `None` stands for.
    pub topics: Option<Vec<Name>>,
    /// `channels`: that it leads to. Default all; at most 4.
    pub channels: Vec<Name>,
    /// `title`: default the only topic's, else words of ours in six languages; a button has none.
    pub title: Option<Texts>,
    /// `text`: below the title. Default words of ours; a button has none.
    pub text: Option<Texts>,
    /// `consent`: below the buttons, to what people agree. Default words of ours.
    pub consent: Option<Texts>,
    /// `privacy`: the address of a page. Default none.
    pub privacy: Option<Url>,
    /// `colour`: of the buttons. Default: the services' own.
    pub colour: Option<[u8; 3]>,
}

/// A picture that was read with the settings: PNG, JPEG, GIF, WebP or SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub mime: &'static str,
    pub bytes: Arc<[u8]>,
}

/// A text, perhaps in several languages. No text is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// For everybody whose language is not among `languages`: the only text, else the English one,
    /// else the first.
    pub default: String,
    /// By BCP 47 tag in lower case; empty when there is only one text.
    pub languages: BTreeMap<String, String>,
}
