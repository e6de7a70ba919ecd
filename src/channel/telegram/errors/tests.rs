use super::*;

fn answered(status: u16, body: &str) -> Observed {
    Observed::Answered { status, retry_after: None, body: body.as_bytes().to_vec() }
}

fn refused(code: u16, description: &str) -> Meaning {
    let body = serde_json::json!({
        "ok": false, "error_code": code, "description": description,
    });
    meaning(&answered(code, &body.to_string()))
}

/// A word for a meaning, to keep the tables short.
fn word(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Delivered { id } => format!("delivered {id}"),
        Meaning::Later { after: None } => "later".to_owned(),
        Meaning::Later { after: Some(after) } => format!("later {}", after.as_secs()),
        Meaning::NotSent { .. } => "not sent".to_owned(),
        Meaning::Gone { standing, reason, .. } => format!("{standing:?} {reason:?}"),
        Meaning::Unreachable { .. } => "unreachable".to_owned(),
        Meaning::Moved { to } => format!("moved {to}"),
        Meaning::WindowClosed { .. } => "window".to_owned(),
        Meaning::ContentRefused { .. } => "content".to_owned(),
        Meaning::MediaRefused { which: None, .. } => "media".to_owned(),
        Meaning::MediaRefused { which: Some(at), .. } => format!("media {at}"),
        Meaning::CredentialsRefused { .. } => "credentials".to_owned(),
        Meaning::Blocked { .. } => "blocked".to_owned(),
        Meaning::Refused { reason, .. } => format!("refused {reason:?}"),
        Meaning::Unknown { .. } => "unknown".to_owned(),
    }
}

#[test]
fn the_messages_of_a_call_are_kept_as_what_they_are() {
    let kept = |id, is_media, begins| KeptMessage { id, is_media, begins };
    let album = r#"{"ok":true,"result":[{"message_id":5,"photo":[]},{"message_id":6,"video":{}}]}"#;
    let cases = [
        (r#"{"ok":true,"result":{"message_id":42,"text":"x"}}"#, vec![kept(42, false, true)]),
        (r#"{"ok":true,"result":{"message_id":42,"photo":[{}]}}"#, vec![kept(42, true, true)]),
        (album, vec![kept(5, true, true), kept(6, true, false)]),
        (r#"{"ok":true,"result":true}"#, vec![]),
        (r#"{"ok":false,"error_code":400,"description":"x"}"#, vec![]),
    ];
    for (body, expected) in cases {
        assert_eq!(messages(&answered(200, body)), expected, "{body}");
    }
}

#[test]
fn a_message_that_is_out_of_reach_is_known_by_the_words() {
    let is_so = |description: &str| {
        let body = serde_json::json!({
            "ok": false, "error_code": 400, "description": description,
        });
        is_out_of_reach(&answered(400, &body.to_string()))
    };
    assert!(is_so("Bad Request: message to edit not found"));
    assert!(is_so("Bad Request: MESSAGE_ID_INVALID"));
    assert!(!is_so("Bad Request: message is not modified"));
    assert!(!is_so("Bad Request: message can't be deleted for everyone"));
}

#[test]
fn sec_d04_every_observation_has_one_verdict() {
    let why = || "x".to_owned();
    assert_eq!(word(&meaning(&Observed::NotSent { why: why() })), "not sent");
    assert_eq!(word(&meaning(&Observed::Silence { why: why() })), "unknown");
    let cases = [
        (200, r#"{"ok":true,"result":{"message_id":42,"chat":{"id":7}}}"#, "delivered 42"),
        (200, r#"{"ok":true,"result":{"message_id":0}}"#, "delivered 0"),
        (200, r#"{"ok":true,"result":[{"message_id":5},{"message_id":6}]}"#, "delivered 5"),
        (200, r#"{"ok":true,"result":true}"#, "delivered "),
        // A success needs an integer id.
        (200, r#"{"ok":true,"result":false}"#, "unknown"),
        (200, r#"{"ok":true}"#, "unknown"),
        (200, r#"{"ok":true,"result":null}"#, "unknown"),
        (200, r#"{"ok":true,"result":{}}"#, "unknown"),
        (200, r#"{"ok":true,"result":[]}"#, "unknown"),
        (200, r#"{"ok":true,"result":[{}]}"#, "unknown"),
        (200, r#"{"ok":true,"result":{"message_id":"42"}}"#, "unknown"),
        (200, r#"{"ok":true,"result":{"message_id":4.2}}"#, "unknown"),
        (200, r#"{"ok":true,"result":{"message_id":null}}"#, "unknown"),
        (200, r#"{"ok":true,"result":{"message_id":1,"message_id":2}}"#, "unknown"),
        (200, r#"{"ok":"true","result":{"message_id":42}}"#, "unknown"),
        (200, r#"{"result":{"message_id":42}}"#, "unknown"),
        (200, r#"{"ok":false,"ok":true,"result":{"message_id":42}}"#, "unknown"),
        (200, r#"{"ok":false}"#, "unknown"),
        (400, r#"{"ok":true,"result":{"message_id":42}}"#, "unknown"),
        (200, r#"{"ok":true,"result":{"message_id":42}"#, "unknown"),
        (200, "", "unknown"),
        (200, "<html>Sign in to the network</html>", "unknown"),
        (302, "<html>moved</html>", "unknown"),
        (403, "<html>Forbidden</html>", "unknown"),
        (404, "<html>Not Found</html>", "unknown"),
        (500, r#"{"ok":false,"error_code":500,"description":"Internal"}"#, "unknown"),
        (502, "<html>Bad Gateway</html>", "unknown"),
        (504, "", "unknown"),
        (500, r#"{"ok":true,"result":{"message_id":42}}"#, "unknown"),
        (400, r#"{"ok":false,"error_code":502,"description":"Bad Gateway"}"#, "unknown"),
        (503, r#"{"ok":false,"parameters":{"retry_after":5}}"#, "unknown"),
        // A refusal needs no more than its form.
        (400, r#"{"ok":false}"#, "refused Refused"),
        (400, r#"{"ok":false,"description":null,"parameters":null}"#, "refused Refused"),
        (401, r#"{"ok":false,"error_code":"401"}"#, "credentials"),
        (413, r#"{"ok":false,"error_code":413,"description":"?"}"#, "media"),
    ];
    for (status, body, expected) in cases {
        assert_eq!(word(&meaning(&answered(status, body))), expected, "{status} {body}");
    }
}

#[test]
fn sec_d08_a_pause_is_honoured_in_every_form_and_clamped() {
    let cases = [
        ("17", "later 17"),
        ("1", "later 1"),
        ("60", "later 60"),
        ("86400", "later 3600"),
        ("18446744073709551615", "later 3600"),
        ("1e300", "later 3600"),
        ("\"30\"", "later 30"),
        ("1.5", "later 2"),
        ("0", "later"),
        ("-5", "later"),
        ("\"soon\"", "later"),
        ("null", "later"),
        ("{}", "later"),
    ];
    for (value, expected) in cases {
        let body = format!(
            r#"{{"ok":false,"error_code":429,"description":"Too Many Requests",
                "parameters":{{"retry_after":{value}}}}}"#
        );
        assert_eq!(word(&meaning(&answered(429, &body))), expected, "{value}");
    }
}

#[test]
fn a_throttling_needs_no_parameters_and_no_json() {
    let header = Some(Duration::from_secs(9));
    let cases = [
        (429, None, r#"{"ok":false,"error_code":429}"#, "later"),
        (429, header, r#"{"ok":false,"error_code":429}"#, "later 9"),
        (429, header, r#"{"ok":false,"parameters":{"retry_after":3}}"#, "later 3"),
        (429, header, "<html>", "later 9"),
        (429, None, "", "later"),
        (429, Some(Duration::MAX), "", "later 3600"),
        (429, Some(Duration::ZERO), "", "later"),
        // An enormous number is not even JSON's.
        (429, header, r#"{"ok":false,"parameters":{"retry_after":1e999}}"#, "later 9"),
        (420, None, r#"{"ok":false,"error_code":420}"#, "later"),
        // The parameters decide before the code.
        (400, None, r#"{"ok":false,"parameters":{"retry_after":4}}"#, "later 4"),
    ];
    for (status, retry_after, body, expected) in cases {
        let body = body.as_bytes().to_vec();
        let observed = Observed::Answered { status, retry_after, body };
        assert_eq!(word(&meaning(&observed)), expected, "{observed:?}");
    }
}

#[test]
fn a_chat_that_moved_tells_where() {
    let body = r#"{"ok":false,"error_code":400,
        "description":"Bad Request: group chat was upgraded to a supergroup chat",
        "parameters":{"migrate_to_chat_id":-1001234567890}}"#;
    assert_eq!(word(&meaning(&answered(400, body))), "moved -1001234567890");
    let without = "Bad Request: group chat was upgraded to a supergroup chat";
    assert_eq!(word(&refused(400, without)), "Gone NotFound");
}

#[test]
fn sec_d12_every_documented_refusal_has_its_meaning() {
    let cases = [
        // The recipient is gone or unreachable.
        (403, "Forbidden: bot was blocked by the user", "Blocked Blocked"),
        (403, "Forbidden: user is deactivated", "Gone Deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user", "Gone Unreachable"),
        (401, "Unauthorized: bot can't initiate conversation with a user", "Gone Unreachable"),
        (403, "Forbidden: the bot can't send messages to the bot", "Gone Unreachable"),
        (403, "Forbidden: bot can't send messages to bots", "Gone Unreachable"),
        (400, "Bad Request: chat not found", "Gone NotFound"),
        (400, "Bad Request: private chat not found", "Gone NotFound"),
        (400, "Bad Request: user not found", "Gone NotFound"),
        (400, "Bad Request: PEER_ID_INVALID", "Gone NotFound"),
        (403, "Forbidden: bot was kicked from the group chat", "Blocked NotAllowed"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "Blocked NotAllowed"),
        (403, "Forbidden: bot was kicked from the channel chat", "Blocked NotAllowed"),
        (403, "Forbidden: bot is not a member of the group chat", "Blocked NotAllowed"),
        (403, "Forbidden: bot is not a member of the supergroup chat", "Blocked NotAllowed"),
        (403, "Forbidden: bot is not a member of the channel chat", "Blocked NotAllowed"),
        (403, "Forbidden: the group chat was deleted", "Gone NotFound"),
        (400, "Bad Request: group is deactivated", "Gone Deactivated"),
        // The bot may not post there.
        (400, "Bad Request: need administrator rights in the channel chat", "refused NotAllowed"),
        (400, "Bad Request: have no write access to the chat", "refused NotAllowed"),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", "refused NotAllowed"),
        (400, "Bad Request: CHAT_ADMIN_REQUIRED", "refused NotAllowed"),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            "refused NotAllowed",
        ),
        (400, "Bad Request: not enough rights to send photos to the chat", "refused NotAllowed"),
        (400, "Bad Request: message thread not found", "refused NotAllowed"),
        (400, "Bad Request: TOPIC_CLOSED", "refused NotAllowed"),
        (400, "Bad Request: TOPIC_DELETED", "refused NotAllowed"),
        (400, "Bad Request: CHAT_GUEST_SEND_FORBIDDEN", "refused NotAllowed"),
        (403, "Forbidden: ALLOW_PAYMENT_REQUIRED_5", "refused NotAllowed"),
        (400, "Bad Request: FROZEN_METHOD_INVALID", "credentials"),
        // The content is wrong.
        (400, "Bad Request: message is too long", "content"),
        (400, "Bad Request: MESSAGE_TOO_LONG", "content"),
        (400, "Bad Request: message caption is too long", "content"),
        (400, "Bad Request: text is too long", "content"),
        (400, "Bad Request: message text is empty", "content"),
        (400, "Bad Request: text must be non-empty", "content"),
        (400, "Bad Request: can't parse entities: Unclosed start tag at byte offset 4", "content"),
        (400, "Bad Request: unsupported parse_mode", "content"),
        (400, "Bad Request: strings must be encoded in UTF-8", "content"),
        (400, "Bad Request: ENTITY_BOUNDS_INVALID", "content"),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", "media"),
        (400, "Bad Request: wrong remote file identifier specified: x", "media"),
        (400, "Bad Request: invalid file HTTP URL specified: x", "media"),
        (400, "Bad Request: can't use file of type Photo as Document", "media"),
        (400, "Bad Request: wrong HTTP URL specified", "media"),
        (400, "Bad Request: failed to get HTTP URL content", "media"),
        (400, "Bad Request: wrong type of the web page content", "media"),
        (400, "Bad Request: can't upload file by URL", "media"),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", "media"),
        (400, "Bad Request: IMAGE_PROCESS_FAILED", "media"),
        (400, "Bad Request: photo has unsupported extension. Use one of .jpg", "media"),
        (
            400,
            "Bad Request: failed to send message #2 with the error message \
             \"WEBPAGE_CURL_FAILED\"",
            "media 1",
        ),
        (400, "Bad Request: group send failed", "media"),
        (400, "Bad Request: too many messages to send as an album", "content"),
        (400, "Bad Request: document can't be mixed with other media types", "media"),
        (400, "Bad Request: can't use the media of the specified type in the album", "media"),
        (400, "Bad Request: reply markup is too long", "content"),
        (400, "Bad Request: BUTTON_DATA_INVALID", "content"),
        (400, "Bad Request: BUTTON_URL_INVALID", "content"),
        (
            400,
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed",
            "content",
        ),
        (400, "Bad Request: message to be replied not found", "content"),
        (413, "Request Entity Too Large: too many parameters", "media"),
        // Edits and taps.
        (400, "Bad Request: message is not modified: specified new message", "delivered "),
        (400, "Bad Request: query is too old and response timeout expired", "refused Refused"),
        // The bot itself.
        (401, "Unauthorized", "credentials"),
        (401, "Unauthorized: invalid token specified", "credentials"),
        (404, "Not Found", "credentials"),
        (404, "Not Found: method not found", "credentials"),
        // New words.
        (400, "Bad Request: SOMETHING_NEW", "refused Refused"),
        (403, "Forbidden: something new", "refused Refused"),
        (409, "Conflict: terminated by other getUpdates request", "refused Refused"),
    ];
    for (code, description, expected) in cases {
        assert_eq!(word(&refused(code, description)), expected, "{description}");
        let shouted = description.to_uppercase();
        assert_eq!(word(&refused(code, &shouted)), expected, "{shouted}");
    }
}

#[test]
fn nesting_and_size_are_no_danger() {
    let deep = format!(r#"{{"ok":true,"result":{}"#, "[".repeat(200_000));
    assert_eq!(word(&meaning(&answered(200, &deep))), "unknown");
    let deep = format!(r#"{{"ok":false,"x":{}{}}}"#, "[".repeat(9000), "]".repeat(9000));
    assert!(matches!(
        meaning(&answered(400, &deep)),
        Meaning::Unknown { .. } | Meaning::Refused { .. }
    ));
    let long = format!("Bad Request: {}", "x".repeat(5000));
    let Meaning::Refused { why, .. } = refused(400, &long) else { panic!("not refused") };
    assert_eq!(why.len(), loose::WORDS_CHARS_MAX);
}

#[test]
fn calls_without_a_message_have_errors_of_their_own() {
    let result = |status, body: &str| result::<i64>(&answered(status, body));
    assert_eq!(result(200, r#"{"ok":true,"result":3}"#), Ok(3));
    assert_eq!(
        result(401, r#"{"ok":false,"description":"Unauthorized"}"#),
        Err(ApiError::CredentialsRefused { why: "Unauthorized".into() })
    );
    let why = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook";
    assert_eq!(
        result(409, &format!(r#"{{"ok":false,"error_code":409,"description":"{why}"}}"#)),
        Err(ApiError::Conflict { by_webhook: true, why: why.into() })
    );
    let why = "Conflict: terminated by other getUpdates request";
    assert_eq!(
        result(409, &format!(r#"{{"ok":false,"error_code":409,"description":"{why}"}}"#)),
        Err(ApiError::Conflict { by_webhook: false, why: why.into() })
    );
    assert_eq!(
        result(429, r#"{"ok":false,"parameters":{"retry_after":2}}"#),
        Err(ApiError::Throttled { after: Some(Duration::from_secs(2)) })
    );
    assert!(matches!(result(502, "<html>"), Err(ApiError::Failed { .. })));
    assert!(matches!(result(200, r#"{"ok":true}"#), Err(ApiError::Failed { .. })));
}
