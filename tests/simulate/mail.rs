//! What arrived at somebody, and which post it is of.

use std::collections::BTreeSet;

use serde_json::Value;
use tidings::model::post::Post;
use tidings::sandbox::ledger::Accepted;

/// How the titles of posts to reviewers begin.
const SHOWN: &str = "to be looked at: ";

/// A post with what it tells.
pub struct Told {
    pub post: Post,
    pub campaign: Option<String>,
    pub tokens: BTreeSet<String>,
    /// It shows a draft to its reviewers.
    pub is_shown: bool,
}

impl Told {
    pub fn of(post: Post) -> Self {
        let campaign = post.campaign.as_ref().map(ToString::to_string);
        let tokens = tokens(&format!("{:?}", post.bodies));
        let is_shown = post.title.starts_with(SHOWN);
        Self { post, campaign, tokens, is_shown }
    }

    /// What its messages begin with.
    pub fn mark(&self) -> &str {
        match &self.campaign {
            Some(campaign) => campaign,
            None if self.is_shown => "shown",
            None => "hand",
        }
    }

    /// Whether a message is of this post, but for what tells several posts at once.
    pub fn is_in(&self, mail: &Mail) -> bool {
        let mut told = mail.tokens.clone();
        let mut mine = self.tokens.clone();
        if self.post.corrections.is_some() || mail.is_paid {
            // It was sent as it was then; cards tell more than the layout.
            told.retain(|token| !token.starts_with('v'));
            mine.retain(|token| !token.starts_with('v'));
        }
        let mark = if mail.is_paid { Some("offers") } else { mail.mark.as_deref() };
        mark == Some(self.mark()) && told == mine
    }
}

/// A message as the service has it.
pub struct Mail {
    pub one: Accepted,
    pub text: String,
    pub tokens: BTreeSet<String>,
    /// What stands between its brackets: a campaign, or `hand`.
    pub mark: Option<String>,
    /// A marketing message.
    pub is_paid: bool,
}

impl Mail {
    pub fn of(one: Accepted, marks: &[&str]) -> Self {
        let text = one.body.clone().map(Value::Object).unwrap_or_default().to_string();
        let is_cards = text.contains("\"template_type\":\"generic\"");
        let is_marked = |mark: &&&str| {
            let mark = format!("[{mark}]");
            // A card may have the title of a post by hand.
            one.text().map_or_else(|| !is_cards && text.contains(&mark), |it| it.starts_with(&mark))
        };
        let mark = marks.iter().find(is_marked).map(|mark| (*mark).to_owned());
        let (tokens, is_paid) = (tokens(&text), one.method == "marketing_messages");
        Self { one, tokens, mark, is_paid, text }
    }

    /// Of one post.
    pub fn is_single(&self) -> bool {
        !self.tokens.is_empty() && (self.mark.is_some() || self.is_paid)
    }

    /// What was held comes as cards or a list, which tell stories but no campaign.
    pub fn is_gathered(&self) -> bool {
        !self.tokens.is_empty() && !self.is_single()
    }
}

/// All `i12x`, `o12x` and `s12x` of a text, and the versions, `v2x`.
pub fn tokens(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_token = |word: &&str| {
        let inner = word.strip_prefix(['i', 'o', 's', 'v']).and_then(|rest| rest.strip_suffix('x'));
        inner.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()))
    };
    words.filter(is_token).map(str::to_owned).collect()
}
