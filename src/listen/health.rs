//! What a service says of the way on which it brings us events, and what that means.
//!
//! Pure. Telegram tells of the webhook, with the last failure; Meta, to which events of a page the
//! app is subscribed: it unsubscribes an app that failed for an hour, and tells nobody.

use std::time::Duration;

use url::Url;

use crate::channel::telegram::api::{ALLOWED_UPDATES, WebhookInfo};
use crate::model::time::Timestamp;

/// A failure that is older is over, unless updates still wait.
const FAILURE_FRESH_FOR: Duration = Duration::from_secs(600);

/// So many updates that wait are a sign that we are too slow for them.
const PENDING_MANY: u64 = 1_000;

/// Longest failure that is shown, in characters.
const FAILURE_CHARS_MAX: usize = 200;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    pub pending: Option<u64>,
    pub trouble: Option<String>,
    /// Telling the service again mends it.
    pub is_lost: bool,
}

impl Finding {
    fn lost(trouble: impl Into<String>, pending: Option<u64>) -> Self {
        Self { pending, trouble: Some(trouble.into()), is_lost: true }
    }
}

/// How a webhook stands that was last set at `told_at` to `url`.
pub(crate) fn of_webhook(
    info: &WebhookInfo,
    url: &Url,
    told_at: Timestamp,
    now: Timestamp,
) -> Finding {
    let pending = Some(info.pending_update_count);
    if info.url.is_empty() {
        return Finding::lost("no webhook was set any more", pending);
    }
    // Another spelling of the same address is the same.
    if Url::parse(&info.url).ok().as_ref() != Some(url) {
        let text = "the webhook led elsewhere: somebody else uses this bot's token";
        return Finding::lost(text, pending);
    }
    if let Some(allowed) = &info.allowed_updates {
        let missing: Vec<&str> = ALLOWED_UPDATES
            .into_iter()
            .filter(|kind| !allowed.iter().any(|allowed| allowed == kind))
            .collect();
        if !missing.is_empty() {
            let text = format!("the webhook left out {}", missing.join(", "));
            return Finding::lost(text, pending);
        }
    }
    let failed_at =
        info.last_error_date.map(|date| Timestamp::from_millis(date.saturating_mul(1_000)));
    let is_fresh = failed_at.is_some_and(|at| now.since(at) < FAILURE_FRESH_FOR);
    let waits = info.pending_update_count > 0;
    if let (Some(why), Some(at)) = (&info.last_error_message, failed_at)
        && (is_fresh || waits)
    {
        // We refuse who does not know our secret: the service has another one.
        if at >= told_at && (why.contains("401") || why.contains("403")) {
            return Finding::lost("the webhook had another secret", pending);
        }
        let why: String = why.chars().take(FAILURE_CHARS_MAX).collect();
        let trouble = Some(format!("Telegram could not reach us: {why}"));
        return Finding { pending, trouble, is_lost: false };
    }
    let trouble = (info.pending_update_count >= PENDING_MANY)
        .then(|| "many updates wait at Telegram: they come slower than people write".to_owned());
    Finding { pending, trouble, is_lost: false }
}

/// How a page's subscription stands, to which these fields belong that are `missing` of those that
/// we want, or to no app (`None`).
pub(crate) fn of_subscription(missing: Option<&[String]>) -> Finding {
    match missing {
        None => Finding::lost("the page's events were brought to nobody", None),
        Some([]) => Finding::default(),
        Some(missing) => {
            let text = format!("the page's subscription left out {}", missing.join(", "));
            Finding::lost(text, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const TOLD: Timestamp = Timestamp::from_millis(1_789_999_000_000);

    fn finding(change: impl FnOnce(&mut WebhookInfo)) -> Finding {
        let mut info = WebhookInfo {
            url: "https://news.example.com/telegram/bot".into(),
            pending_update_count: 0,
            last_error_date: None,
            last_error_message: None,
            allowed_updates: Some(ALLOWED_UPDATES.map(str::to_owned).to_vec()),
        };
        change(&mut info);
        let url = Url::parse("https://news.example.com:443/telegram/bot").unwrap();
        of_webhook(&info, &url, TOLD, NOW)
    }

    fn failed(ago: i64, why: &str, pending: u64) -> Finding {
        finding(|info| {
            info.last_error_date = Some(NOW.as_millis() / 1_000 - ago);
            info.last_error_message = Some(why.into());
            info.pending_update_count = pending;
        })
    }

    #[test]
    fn a_webhook_that_is_gone_or_not_as_it_was_set_is_lost() {
        assert_eq!(finding(|_| {}), Finding { pending: Some(0), ..Finding::default() });
        assert!(finding(|info| info.url.clear()).is_lost);
        assert!(finding(|info| info.url = "https://elsewhere.example/".into()).is_lost);
        let narrow = finding(|info| info.allowed_updates = Some(vec!["message".into()]));
        assert!(narrow.is_lost);
        assert!(narrow.trouble.unwrap().ends_with("callback_query, my_chat_member"));
        // What the service does not tell is not missing.
        assert!(!finding(|info| info.allowed_updates = None).is_lost);
    }

    #[test]
    fn a_failure_is_told_while_it_is_fresh_or_something_waits() {
        let gone = "Wrong response from the webhook: 502 Bad Gateway";
        assert!(failed(60, gone, 0).trouble.unwrap().contains("502"));
        assert!(!failed(60, gone, 0).is_lost);
        assert_eq!(failed(3_600, gone, 0).trouble, None);
        assert!(failed(3_600, gone, 3).trouble.is_some());
        assert!(finding(|info| info.pending_update_count = 5_000).trouble.is_some());
    }

    #[test]
    fn another_secret_is_mended_once() {
        let refused = "Wrong response from the webhook: 401 Unauthorized";
        assert!(failed(60, refused, 1).is_lost);
        // From before we told it ours.
        assert!(!failed(2_000, refused, 1).is_lost);
    }

    #[test]
    fn a_subscription_without_a_field_is_lost() {
        assert_eq!(of_subscription(Some(&[])), Finding::default());
        assert!(of_subscription(None).is_lost);
        let missing = of_subscription(Some(&["message_reads".to_owned()]));
        assert!(missing.is_lost && missing.trouble.unwrap().contains("message_reads"));
    }
}
