//! The campaigns of one seed: some of each kind, so that posts of all kinds are under way together.

use std::time::Duration;

use jiff::tz::TimeZone;
use tidings::model::time::Timestamp;

use crate::dice::Dice;
use crate::extras::{BROADCAST, Extras, GROUP, REVIEWER, TEMPLATE};

pub const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Chisinau",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Pacific/Auckland",
];

/// What we have to know of a campaign to check what it did.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: &'static str,
    pub sources: Vec<&'static str>,
    pub channels: Vec<&'static str>,
    /// Sends again where nobody knows.
    pub resends: bool,
    /// Tells only what somebody has released.
    pub is_reviewed: bool,
    /// An updated story is told again.
    pub tells_updates: bool,
    /// The keys of its table.
    keys: String,
    /// What its layout prints behind its name.
    layout: &'static str,
}

const LIST: &str = "{% for item in items %}{{ item.title }}; {% endfor %}";
const PERSONAL: &str = "Dear {{ subscriber.first_name or \"reader\" }}: {% for item in items %}\
                        {{ item.title }}; {% endfor %}";
const WORDS: &str = "{% for item in items %}{{ item.title }}; {{ item.summary }}{% endfor %}";

impl Rule {
    /// The text by which a message of this campaign is known.
    pub fn mark(&self) -> String {
        format!("[{}]", self.name)
    }

    /// The layout's file and what is in it.
    pub fn layout(&self) -> (String, String) {
        let picture = match self.name {
            "photo" => "{% for item in items %}<img src=\"{{ item.image }}\" alt=\"\">{% endfor %}",
            _ => "",
        };
        let text = format!("{picture}<p>{} {}</p>\n", self.mark(), self.layout);
        (format!("{}.html", self.name), text)
    }

    pub fn toml(&self) -> String {
        format!(
            "[campaigns.{name}]\nlayout = \"{name}\"\nsources = {:?}\nchannels = {:?}\n{}\n",
            self.sources,
            self.channels,
            self.keys,
            name = self.name,
        )
    }
}

/// A campaign that sends at once on these channels.
pub fn at_once(channels: &[&'static str], resends: bool) -> Rule {
    let keys = if resends { "on_uncertain = \"resend\"" } else { "" };
    Rule {
        name: "once",
        sources: vec!["a"],
        channels: channels.to_vec(),
        resends,
        is_reviewed: false,
        tells_updates: false,
        keys: keys.to_owned(),
        layout: LIST,
    }
}

/// Draws the campaigns; hours lie soon after `start`.
pub fn draw(dice: &mut Dice, start: Timestamp) -> Vec<Rule> {
    let zone = *dice.pick(&ZONES);
    let clock = |minutes: u64| {
        let at = (start + Duration::from_secs(minutes * 60)).to_jiff();
        at.to_zoned(TimeZone::get(zone).unwrap()).strftime("%H:%M").to_string()
    };
    let kinds: Vec<(&'static str, String, &'static str)> = vec![
        ("once", String::new(), LIST),
        ("minute", "send = { digest = \"0 * * * * *\", max_items = 3 }".to_owned(), LIST),
        (
            "daily",
            format!(
                "send = {{ digest = \"{}\", timezone = \"{zone}\", max_items = 100 }}",
                clock(dice.between(3, 8))
            ),
            LIST,
        ),
        ("settled", "settle = \"45s\"".to_owned(), LIST),
        (
            "window",
            format!(
                "window = \"{}-{}\"\ntimezone = \"{zone}\"",
                clock(dice.between(2, 6)),
                clock(dice.between(90, 200))
            ),
            LIST,
        ),
        ("review", "review = true".to_owned(), LIST),
        ("staged", "stages = [\"10%\", \"50%\", \"100%\"]\nstage_wait = \"1m\"".to_owned(), LIST),
        ("person", String::new(), PERSONAL),
        ("group", "group = true".to_owned(), LIST),
        ("photo", String::new(), LIST),
        ("right", "correct_within = \"1d\"".to_owned(), WORDS),
        ("again", "on = [\"new\", \"updated\"]".to_owned(), WORDS),
    ];
    let mut rules = Vec::new();
    for (name, mut keys, layout) in kinds {
        let (is_drawn, resends) = (dice.percent(45), dice.percent(25));
        let sources = dice.pick(&[vec!["a"], vec!["b"], vec!["a", "b"]]).clone();
        let channels = dice.pick(&[vec!["bot"], vec!["bot", "page"], vec!["page"]]).clone();
        let priority = *dice.pick(&["normal", "normal", "high", "low"]);
        if !is_drawn && name != "once" {
            continue;
        }
        keys.push_str(&format!("\npriority = \"{priority}\""));
        if resends {
            keys.push_str("\non_uncertain = \"resend\"");
        }
        rules.push(Rule {
            name,
            sources,
            channels,
            resends,
            is_reviewed: name == "review",
            tells_updates: name == "again",
            keys,
            layout,
        });
    }
    rules
}

/// Adds the campaigns of the extras.
pub fn add(rules: &mut Vec<Rule>, extras: &mut Extras) {
    let mut more: Vec<(&'static str, Vec<&'static str>, String)> = Vec::new();
    if extras.has_reviewer {
        let keys = format!("review = true\nreviewers = [{REVIEWER}]");
        more.push(("shown", vec!["bot"], keys));
    }
    if extras.has_chats {
        let keys = format!("chats = [{{ chat = {GROUP}, channel = \"bot\" }}, {BROADCAST}]");
        more.push(("chats", vec!["bot"], keys));
    }
    if extras.has_late {
        let keys = "late_joiners = \"include\"\nstages = [\"20%\", \"100%\"]\nstage_wait = \"1m\"";
        more.push(("late", vec!["bot", "page"], keys.to_owned()));
    }
    if let Some(lanes) = &extras.lanes {
        let keys = format!(
            "utility = {{ template = \"{TEMPLATE}\", language = \"en\", \
             body = {{ what = \"[visits] {{{{ item.title }}}}\" }} }}"
        );
        more.push(("visits", vec!["page"], keys));
        if lanes.spend_max.is_some() {
            more.push(("offers", vec!["page"], "marketing = true".to_owned()));
        }
    }
    for (name, channels, mut keys) in more {
        let resends = extras.dice.percent(25);
        if resends {
            keys.push_str("\non_uncertain = \"resend\"");
        }
        rules.push(Rule {
            name,
            sources: extras.dice.pick(&[vec!["a"], vec!["b"], vec!["a", "b"]]).clone(),
            channels,
            resends,
            is_reviewed: name == "shown",
            tells_updates: false,
            keys,
            layout: LIST,
        });
    }
    if let Some(max) = extras.cap.as_ref().and_then(|cap| cap.once_max)
        && let Some(once) = rules.iter_mut().find(|rule| rule.name == "once")
    {
        once.keys.push_str(&format!("\ndaily_max = {max}"));
    }
}
