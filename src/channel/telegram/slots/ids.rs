//! The service's own names of files, as an accepted call's answer tells them.

use serde_json::Value;

use crate::channel::Observed;
use crate::channel::telegram::slots::{SINGLES, rich};
use crate::model::media::Form;

/// The ids that an accepted call's answer tells, with their forms: one for each message. `wanted`
/// says as which form each was sent.
pub(crate) fn kept_ids(observed: &Observed, wanted: &[Form]) -> Vec<Option<(Form, String)>> {
    let Observed::Answered { body, .. } = observed else { return Vec::new() };
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let result = answer.get("result").unwrap_or(&Value::Null);
    if let Some(message) = result.get("rich_message") {
        return rich::kept_ids(message, wanted.len());
    }
    let messages = match result {
        Value::Array(messages) => messages.as_slice(),
        one => std::slice::from_ref(one),
    };
    messages.iter().zip(wanted).map(|(message, form)| id_in(message, *form)).collect()
}

/// The id of the cover that an accepted video shows: of the message at `place` in an album, or of
/// the only one.
pub(crate) fn cover_id(observed: &Observed, place: usize) -> Option<String> {
    let Observed::Answered { body, .. } = observed else { return None };
    let answer: Value = serde_json::from_slice(body).ok()?;
    let message = match answer.get("result")? {
        Value::Array(messages) => messages.get(place)?,
        only => only,
    };
    let sizes = message.get("video")?.get("cover")?.as_array()?;
    Some(sizes.last()?.get("file_id")?.as_str()?.to_owned())
}

/// What was sent as an animation comes back as that and as a document: the form asked for first.
fn id_in(message: &Value, wanted: Form) -> Option<(Form, String)> {
    let of = |form: Form| {
        let (_, _, field) = SINGLES.iter().find(|(_, one, _)| *one == form)?;
        let file = match message.get(*field)? {
            Value::Array(sizes) => sizes.last()?,
            file => file,
        };
        Some((form, file.get("file_id")?.as_str()?.to_owned()))
    };
    of(wanted).or_else(|| SINGLES.iter().find_map(|(_, form, _)| of(*form)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_read_from_the_answer() {
        let observed = |body: Value| Observed::Answered {
            status: 200,
            retry_after: None,
            body: body.to_string().into_bytes(),
        };
        let photo = observed(json!({ "ok": true, "result": {
            "message_id": 1, "photo": [{ "file_id": "s" }, { "file_id": "l" }],
        }}));
        assert_eq!(kept_ids(&photo, &[Form::Picture]), [Some((Form::Picture, "l".into()))]);
        let gif = observed(json!({ "ok": true, "result": {
            "message_id": 1, "animation": { "file_id": "a" }, "document": { "file_id": "a" },
        }}));
        assert_eq!(kept_ids(&gif, &[Form::Animation]), [Some((Form::Animation, "a".into()))]);
        assert_eq!(kept_ids(&gif, &[Form::File]), [Some((Form::File, "a".into()))]);
        assert_eq!(kept_ids(&gif, &[Form::Picture]), [Some((Form::Animation, "a".into()))]);
        let album = observed(json!({ "ok": true, "result": [
            { "photo": [{ "file_id": "p" }] }, { "text": "?" }, { "video": { "file_id": "v" } },
        ]}));
        let forms = [Form::Picture, Form::Picture, Form::Video];
        let ids = kept_ids(&album, &forms);
        assert_eq!(ids[0], Some((Form::Picture, "p".into())));
        assert_eq!((&ids[1], &ids[2]), (&None, &Some((Form::Video, "v".into()))));
        let video = observed(json!({ "ok": true, "result": {
            "video": { "file_id": "v", "cover": [{ "file_id": "c" }] },
        }}));
        assert_eq!(cover_id(&video, 0), Some("c".into()));
        for body in [json!({}), json!([]), json!({ "result": 5 })] {
            assert!(kept_ids(&observed(body), &[Form::File]).iter().all(Option::is_none));
        }
    }
}
