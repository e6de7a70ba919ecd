//! The words of refusals: whose fault each is.
//!
//! Sources: the open-source server `tdlib/telegram-bot-api`, `tdlib/td` and teloxide's list of
//! errors seen in practice.

use crate::channel::Meaning;
use crate::model::post::Reason;
use crate::model::subscriber::Standing;

/// Whose fault a refusal is.
#[derive(Clone, Copy)]
enum Fault {
    Gone(Standing, Reason),
    NotAllowed,
    Content,
    /// A file of the message: another way may do.
    Media,
    Credentials,
    /// An edit that changes nothing.
    AlreadySo,
}

const BLOCKED: Fault = Fault::Gone(Standing::Blocked, Reason::Blocked);
const DEACTIVATED: Fault = Fault::Gone(Standing::Gone, Reason::Deactivated);
const NOT_FOUND: Fault = Fault::Gone(Standing::Gone, Reason::NotFound);
/// Never started the bot, or is a bot: only an event from there changes it.
const NOT_STARTED: Fault = Fault::Gone(Standing::Gone, Reason::Unreachable);
/// Thrown out of a group or channel: comes back like an unblocking.
const REMOVED: Fault = Fault::Gone(Standing::Blocked, Reason::NotAllowed);

/// Known words of descriptions, in lower case; the first that occurs decides.
const FAULTS: &[(&str, Fault)] = &[
    // The recipient can't be reached.
    ("bot was blocked by the user", BLOCKED),
    ("user_is_blocked", BLOCKED),
    ("user is deactivated", DEACTIVATED),
    ("input_user_deactivated", DEACTIVATED),
    ("group is deactivated", DEACTIVATED),
    ("can't initiate conversation", NOT_STARTED),
    ("can't send messages to the bot", NOT_STARTED),
    ("can't send messages to bots", NOT_STARTED),
    ("user_is_bot", NOT_STARTED),
    ("chat not found", NOT_FOUND),
    ("user not found", NOT_FOUND),
    ("peer_id_invalid", NOT_FOUND),
    ("chat was deleted", NOT_FOUND),
    ("upgraded to a supergroup", NOT_FOUND),
    ("bot was kicked from", REMOVED),
    ("bot is not a member of", REMOVED),
    // The bot may not write there.
    ("need administrator rights", Fault::NotAllowed),
    ("have no write access", Fault::NotAllowed),
    ("chat_write_forbidden", Fault::NotAllowed),
    ("chat_admin_required", Fault::NotAllowed),
    ("not enough rights", Fault::NotAllowed),
    ("message thread not found", Fault::NotAllowed),
    ("topic_closed", Fault::NotAllowed),
    ("topic_deleted", Fault::NotAllowed),
    ("chat_guest_send_forbidden", Fault::NotAllowed),
    ("allow_payment_required", Fault::NotAllowed),
    ("frozen_method_invalid", Fault::Credentials),
    // The message is wrong for everybody.
    ("message is too long", Fault::Content),
    ("message_too_long", Fault::Content),
    ("caption is too long", Fault::Content),
    ("text is too long", Fault::Content),
    ("message text is empty", Fault::Content),
    ("text must be non-empty", Fault::Content),
    ("can't parse entities", Fault::Content),
    ("unsupported parse_mode", Fault::Content),
    ("encoded in utf-8", Fault::Content),
    ("entity_bounds_invalid", Fault::Content),
    ("wrong file identifier", Fault::Media),
    ("wrong remote file identifier", Fault::Media),
    ("invalid file http url", Fault::Media),
    ("can't use file of type", Fault::Media),
    ("wrong http url", Fault::Media),
    ("failed to get http url content", Fault::Media),
    ("wrong type of the web page content", Fault::Media),
    ("can't upload file by url", Fault::Media),
    ("webpage_curl_failed", Fault::Media),
    ("webpage_media_empty", Fault::Media),
    ("media_empty", Fault::Media),
    ("external_url_invalid", Fault::Media),
    ("wc_convert_url_invalid", Fault::Media),
    ("photo_invalid_dimensions", Fault::Media),
    ("photo_thumb_", Fault::Media),
    ("image_process_failed", Fault::Media),
    ("photo has unsupported extension", Fault::Media),
    ("group send failed", Fault::Media),
    ("too many messages to send as an album", Fault::Content),
    ("can't be mixed with other media", Fault::Media),
    ("can't use the media of the specified type", Fault::Media),
    ("file is too big", Fault::Media),
    ("file_reference", Fault::Media),
    ("media_invalid", Fault::Media),
    ("media_file_invalid", Fault::Media),
    ("photo_save_file_invalid", Fault::Media),
    ("photo_ext_invalid", Fault::Media),
    ("video_file_invalid", Fault::Media),
    ("reply markup is too long", Fault::Content),
    ("button_data_invalid", Fault::Content),
    ("button_url_invalid", Fault::Content),
    ("inline keyboard button", Fault::Content),
    ("message to be replied not found", Fault::Content),
    ("button_copy_text_invalid", Fault::Content),
    ("rich_message_", Fault::Content),
    ("can't parse inputrichmessage", Fault::Content),
    ("request entity too large", Fault::Media),
    ("message is not modified", Fault::AlreadySo),
];

/// Of an album the service names the message, counted from 1: `failed to send message #2 with …`.
fn place_in_album(lower: &str) -> Option<usize> {
    let (_, rest) = lower.split_once("failed to send message #")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse::<usize>().ok()?.checked_sub(1)
}

/// What a refusal with these words means.
pub(super) fn refusal(code: i64, why: String) -> Meaning {
    let lower = why.to_lowercase();
    let known = FAULTS.iter().find(|(words, _)| lower.contains(words)).map(|(_, fault)| *fault);
    match (known, code) {
        (Some(Fault::Gone(standing, reason)), _) => Meaning::Gone { standing, reason, why },
        (Some(Fault::NotAllowed), _) => Meaning::Refused { reason: Reason::NotAllowed, why },
        (Some(Fault::Media), _) | (None, 413) => {
            Meaning::MediaRefused { which: place_in_album(&lower), why }
        }
        (Some(Fault::Content), _) => Meaning::ContentRefused { why },
        (Some(Fault::Credentials), _) | (None, 401 | 404) => Meaning::CredentialsRefused { why },
        (Some(Fault::AlreadySo), _) => Meaning::Delivered { id: String::new() },
        (None, _) => Meaning::Refused { reason: Reason::Refused, why },
    }
}
