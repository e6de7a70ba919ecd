//! One medium with its cover and its thumbnail, on its way into a call.

use serde_json::{Map, Value, json};

use crate::channel::Call;
use crate::channel::slots::{Means, Slot, Stand, Upload, is_address, with_fields};
use crate::channel::telegram::slots::{OWN_FIELDS, SOUND_FIELDS, single_of};
use crate::model::media::Form;

/// A medium, and what is shown for it where it does not move.
pub(super) fn slots_of(
    fields: &Map<String, Value>,
    form: Form,
    field: &str,
    slots: &mut Vec<Slot>,
) {
    let means = [(Means::All, field), (Means::Spare, "cover"), (Means::Thumbnail, "thumbnail")];
    for (means, field) in means {
        match fields.get(field).and_then(Value::as_str).filter(|url| is_address(url)) {
            Some(url) => {
                let form = if means == Means::All { form } else { Form::Picture };
                slots.push(Slot { url: url.to_owned(), form, means });
            }
            None if means == Means::All => return,
            None => {}
        }
    }
}

/// The ways of a call's media, as far as they were not taken.
pub(super) struct Stands<'a> {
    pub stands: &'a [Stand],
    pub slot: usize,
}

/// The ways of one medium.
pub(super) struct Ways<'a> {
    slot: usize,
    pub main: &'a Stand,
    cover: Option<&'a Stand>,
    thumbnail: Option<&'a Stand>,
}

impl<'a> Stands<'a> {
    /// Reads what [`slots_of`] reads.
    pub fn next(&mut self, fields: &Map<String, Value>, field: &str) -> Option<Ways<'a>> {
        let slot = self.slot;
        let mut take = |field: &str| {
            fields.get(field).and_then(Value::as_str).filter(|url| is_address(url))?;
            let stand = self.stands.get(self.slot)?;
            self.slot += 1;
            Some(stand)
        };
        let main = take(field)?;
        Some(Ways { slot, main, cover: take("cover"), thumbnail: take("thumbnail") })
    }
}

/// One medium on its way into a call.
pub(super) struct Item {
    pub form: Form,
    /// One of several, whose captions are the album's.
    pub is_in_album: bool,
    pub slot: Option<usize>,
    pub fields: Map<String, Value>,
}

impl Item {
    /// Puts the medium into its field, and its pictures beside it; another form loses what only
    /// the old one knew.
    pub fn take(&mut self, field: &str, ways: &Ways<'_>, uploads: &mut Vec<(String, Upload)>) {
        self.slot = Some(ways.slot);
        let (value, form) = match ways.main {
            Stand::Kept { id, form } => (Some(id.clone()), *form),
            Stand::Upload(upload) => (Some(attach(uploads, upload)), upload.form),
            Stand::Address | Stand::Link { .. } => (None, self.form),
        };
        // It counts only beside a file that comes along.
        let goes_along = matches!(ways.main, Stand::Upload(_));
        let thumbnail = ways.thumbnail.filter(|stand| matches!(stand, Stand::Upload(_)));
        let thumbnail = thumbnail.filter(|_| goes_along);
        if form != self.form {
            let title = self.title().filter(|_| !self.is_in_album);
            let own = OWN_FIELDS.iter().chain(&SOUND_FIELDS);
            for name in own {
                self.fields.remove(*name);
            }
            self.form = form;
            let (_, word) = single_of(form);
            let named = if field == "media" { "media" } else { word };
            if field == "media" {
                self.fields.insert("type".to_owned(), json!(word));
            }
            self.fields.insert(named.to_owned(), json!(value));
            if let Some(title) = title {
                self.fields.entry("caption").or_insert(json!(title));
            }
            if form == Form::File {
                self.take_picture("thumbnail", thumbnail, false, uploads);
            }
            return;
        }
        if let Some(value) = value {
            self.fields.insert(field.to_owned(), json!(value));
        }
        self.take_picture("cover", ways.cover, true, uploads);
        self.take_picture("thumbnail", thumbnail, false, uploads);
    }

    /// What a sound is called in fields of its own, which other forms lack.
    fn title(&self) -> Option<String> {
        let text = |name: &str| self.fields.get(name).and_then(Value::as_str);
        match (text("title")?, text("performer")) {
            (title, Some(performer)) => Some(format!("{performer} – {title}")),
            (title, None) => Some(title.to_owned()),
        }
    }

    /// A picture that may be missing.
    fn take_picture(
        &mut self,
        field: &str,
        stand: Option<&Stand>,
        may_stay: bool,
        uploads: &mut Vec<(String, Upload)>,
    ) {
        let value = match stand {
            Some(Stand::Address) => return,
            None if may_stay => return,
            Some(Stand::Kept { id, form: Form::Picture }) => Some(id.clone()),
            Some(Stand::Upload(upload)) if upload.form == Form::Picture => {
                Some(attach(uploads, upload))
            }
            None | Some(Stand::Kept { .. } | Stand::Upload(_) | Stand::Link { .. }) => None,
        };
        match value {
            Some(value) => drop(self.fields.insert(field.to_owned(), json!(value))),
            None => drop(self.fields.remove(field)),
        }
    }

    pub fn call(self, call: &Call, shown: &mut Vec<(usize, Form)>) -> Call {
        shown.extend(self.slot.map(|slot| (slot, self.form)));
        let (method, _) = single_of(self.form);
        with_fields(call, method, self.fields)
    }
}

pub(super) fn attach(uploads: &mut Vec<(String, Upload)>, upload: &Upload) -> String {
    let name = format!("file{}", uploads.len());
    let value = format!("attach://{name}");
    uploads.push((name, upload.clone()));
    value
}
