//! How the stand-in tells the bot what people do: long polling, or posts to a webhook.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sandbox::door::Reply;
use crate::sandbox::outbox::Target;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::{
    Inner, SECRET_HEADER, Webhook, bad_request, refuse, rules, succeed,
};

/// Longest wait of one `getUpdates`, as the open-source server caps it.
const POLL_MAX: Duration = Duration::from_secs(50);
/// Most updates in one answer.
const UPDATES_MAX: i64 = 100;
/// Kinds that come only when they are asked for by name.
const ONLY_NAMED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl Inner {
    /// Queues an update for the bot, if it wants that kind.
    ///
    /// `lane` keeps its order: the chat's id.
    pub(super) fn tell(&self, kind: &str, lane: i64, content: &Value) {
        let is_wanted = match &self.lock().allowed_updates {
            Some(allowed) => allowed.contains(kind),
            None => !ONLY_NAMED.contains(&kind),
        };
        if is_wanted {
            let id = self.next_update();
            let body = json!({ "update_id": id, kind: content });
            self.outbox.push(id, lane.to_string(), body.to_string());
        }
    }

    /// Where the webhook wants a post; `None` while there is no webhook.
    pub(super) fn target(&self, body: &str) -> Option<Target> {
        let state = self.lock();
        let webhook = state.webhook.as_ref()?;
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if !webhook.secret.is_empty() {
            headers.push((SECRET_HEADER, webhook.secret.clone()));
        }
        Some(Target { url: webhook.url.clone(), headers, body: body.to_owned().into() })
    }

    /// 1. Confirms what lies before `offset`. 2. Ends any poll that waits. 3. Answers what there
    ///    is, or waits for it; a later poll or a webhook ends the wait with a conflict.
    pub(super) async fn poll_updates(&self, params: &Params) -> Reply {
        if let Some(allowed) = params.object("allowed_updates") {
            match read_allowed(allowed) {
                Ok(allowed) => self.lock().allowed_updates = allowed,
                Err(why) => return bad_request(why),
            }
        }
        match params.integer("offset") {
            Some(offset) if offset < 0 => {
                self.outbox.keep_newest(usize::try_from(offset.unsigned_abs()).unwrap_or(0));
            }
            Some(offset) if offset > 0 => self.outbox.confirm_before(offset),
            _ => {}
        }
        let limit = params.integer("limit").unwrap_or(UPDATES_MAX).clamp(1, UPDATES_MAX);
        let limit = usize::try_from(limit).unwrap_or(1);
        let timeout = params.integer("timeout").and_then(|seconds| u64::try_from(seconds).ok());
        let deadline = Instant::now() + Duration::from_secs(timeout.unwrap_or(0)).min(POLL_MAX);

        let mine = {
            let mut state = self.lock();
            state.poller += 1;
            state.poller
        };
        self.outbox.ring();
        loop {
            let rung = self.outbox.bell().notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let (is_mine, has_webhook) = {
                let state = self.lock();
                (state.poller == mine, state.webhook.is_some())
            };
            if has_webhook {
                return refuse(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; use \
                     deleteWebhook to delete the webhook first",
                );
            }
            if !is_mine {
                return refuse(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one \
                     bot instance is running",
                );
            }
            let updates = self.outbox.oldest(limit);
            if !updates.is_empty() || Instant::now() >= deadline {
                let body = format!("{{\"ok\":true,\"result\":[{}]}}", updates.join(","));
                return Reply::new(200, "application/json", body);
            }
            let _waiting = Waiting::begin(self);
            tokio::select! {
                () = rung => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    pub(super) fn set_webhook(&self, params: &Params) -> Result<Reply, String> {
        let url = params.text("url").unwrap_or_default();
        if url.is_empty() {
            return Ok(self.delete_webhook(params));
        }
        let secret = params.text("secret_token").unwrap_or_default();
        rules::check_webhook(&url, &secret, self.rules.is_local)?;
        let allowed = params.object("allowed_updates").map(read_allowed).transpose()?;
        let mut state = self.lock();
        state.webhook = Some(Webhook { url, secret });
        if let Some(allowed) = allowed {
            state.allowed_updates = allowed;
        }
        drop(state);
        self.drop_pending(params);
        Ok(succeed(&json!(true)))
    }

    pub(super) fn delete_webhook(&self, params: &Params) -> Reply {
        self.lock().webhook = None;
        self.drop_pending(params);
        succeed(&json!(true))
    }

    pub(super) fn tell_webhook(&self) -> Reply {
        let pending = self.outbox.len();
        let tally = self.outbox.tally().borrow().clone();
        let state = self.lock();
        let url = state.webhook.as_ref().map_or("", |webhook| &webhook.url);
        let mut info = json!({
            "url": url,
            "has_custom_certificate": false,
            "pending_update_count": pending,
        });
        if let Some(refusal) = tally.last_refusal {
            info["last_error_message"] = json!(refusal);
            info["last_error_date"] = json!(self.rules.clock.now().as_millis() / 1000);
        }
        if let Some(allowed) = &state.allowed_updates {
            info["allowed_updates"] = json!(allowed);
        }
        succeed(&info)
    }

    fn drop_pending(&self, params: &Params) {
        if params.flag("drop_pending_updates") {
            self.outbox.clear();
        }
        self.outbox.ring();
    }
}

/// A poll that waits; counted until it is dropped, which happens too when the client leaves.
struct Waiting<'a>(&'a Inner);

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Self {
        inner.lock().polls_waiting += 1;
        inner.ledger.changed();
        Self(inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().polls_waiting -= 1;
    }
}

/// `Ok(None)`: every kind that need not be named.
fn read_allowed(allowed: Result<Value, ()>) -> Result<Option<HashSet<String>>, &'static str> {
    let Ok(Value::Array(kinds)) = allowed else {
        return Err("can't parse allowed updates list");
    };
    let kinds: HashSet<String> =
        kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Some(kinds).filter(|kinds| !kinds.is_empty()))
}
