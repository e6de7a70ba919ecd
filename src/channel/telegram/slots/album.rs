//! Albums, which go on without those of their media that can't be shown in them.

use serde_json::{Map, Value};

use crate::channel::Call;
use crate::channel::slots::{Dressed, Stand, Upload, with_fields};
use crate::channel::telegram::lower::CAPTION_UNITS_MAX;
use crate::channel::telegram::slots::item::{Item, Stands};
use crate::channel::telegram::slots::words::{add_links, text_instead};
use crate::channel::telegram::slots::{ALBUM, form_of_item, items, single_of};
use crate::model::media::Form;

pub(super) fn dress_album(
    call: &Call,
    mut fields: Map<String, Value>,
    stands: &[Stand],
) -> Dressed {
    let mut dressed = Dressed::default();
    let mut kept: Vec<Item> = Vec::new();
    let mut left_out: Vec<(Form, String, Option<String>)> = Vec::new();
    let mut caption = Map::new();
    let mut stands = Stands { stands, slot: 0 };
    for item in items(&fields) {
        let form = form_of_item(item);
        let mut item = Item { form, is_in_album: true, slot: None, fields: item.clone() };
        let url = item.fields.get("media").and_then(Value::as_str).unwrap_or_default().to_owned();
        for name in ["caption", "caption_entities", "show_caption_above_media"] {
            if let Some(value) = item.fields.remove(name) {
                // The first caption is the album's; how it stands is the same on all.
                caption.entry(name).or_insert(value);
            }
        }
        if let Some(ways) = stands.next(&item.fields, "media") {
            match ways.main {
                Stand::Link { words, url } => {
                    left_out.push((form, words.clone(), url.clone()));
                    continue;
                }
                Stand::Kept { form: other, .. } | Stand::Upload(Upload { form: other, .. })
                    if !goes_with(form, *other) =>
                {
                    left_out.push((form, String::new(), Some(url)));
                    continue;
                }
                _ => item.take("media", &ways, &mut dressed.uploads),
            }
        }
        kept.push(item);
    }
    let links: Vec<_> =
        left_out.iter().map(|(form, words, url)| (*form, words.as_str(), url.as_deref())).collect();
    if kept.is_empty() {
        fields.remove("media");
        fields.extend(caption);
        dressed.call = text_instead(call, fields, &links);
        return dressed;
    }
    add_links(&mut caption, "caption", "caption_entities", &links, CAPTION_UNITS_MAX);
    let above = caption.remove("show_caption_above_media");
    if let [_] = kept.as_slice()
        && let Some(mut only) = kept.pop()
    {
        let value = only.fields.remove("media").unwrap_or_default();
        only.fields.remove("type");
        fields.remove("media");
        fields.extend(std::mem::take(&mut only.fields));
        fields.extend(caption);
        fields.extend(above.map(|above| ("show_caption_above_media".to_owned(), above)));
        let (_, field) = single_of(only.form);
        fields.insert(field.to_owned(), value);
        only.fields = fields;
        dressed.call = Some(only.call(call, &mut dressed.shown));
        return dressed;
    }
    if let Some(first) = kept.first_mut() {
        first.fields.extend(caption);
    }
    dressed.shown.extend(kept.iter().filter_map(|item| Some((item.slot?, item.form))));
    let media = kept.into_iter().map(|mut item| {
        if let Some(above) = &above {
            item.fields.insert("show_caption_above_media".to_owned(), above.clone());
        }
        Value::Object(item.fields)
    });
    fields.insert("media".to_owned(), media.collect());
    dressed.call = Some(with_fields(call, ALBUM, fields));
    dressed
}

/// Whether a medium of an album may become another form: photos and videos mix, others don't.
fn goes_with(form: Form, other: Form) -> bool {
    let is_visual = |form| matches!(form, Form::Picture | Form::Video);
    form == other || is_visual(form) && is_visual(other)
}
