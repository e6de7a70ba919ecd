//! Posts that are set for each recipient: all that it takes is kept with the post, so that a
//! changed file or a reload changes nothing of a post that is on its way.

use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::{Personal, Told};
use crate::render::files::{File, Files, Variant};
use crate::render::layout::{Layouts, RenderError};
use crate::render::scene::{Person, Scene, Stage, text_bytes_max};
use crate::render::values::fit;

/// A frozen layout and its items, ready to be set for anybody.
#[derive(Debug)]
pub struct Thawed {
    layouts: Layouts,
    layout: Name,
    stage: Stage,
}

impl Layouts {
    /// What is needed to set these items for each recipient; `None` for a layout that does not name
    /// `subscriber`.
    pub fn freeze(&self, layout: &Name, items: &[Item], scene: &Scene<'_>) -> Option<Personal> {
        if !self.is_personal(layout) {
            return None;
        }
        let mut files: Vec<(String, String)> = Vec::new();
        for (variant, file) in self.files.variants(layout.as_str()) {
            for part in self.files.closure(file, &variant.setting) {
                if !files.iter().any(|(name, _)| *name == part.name) {
                    files.push((part.name.clone(), part.text.clone()));
                }
            }
        }
        // No more of a text than a layout sees.
        let bytes_max = text_bytes_max(items.len());
        let frozen = |item: &Item| Item {
            summary: fit(&item.summary, bytes_max),
            body: fit(&item.body, bytes_max),
            ..item.clone()
        };
        let told: Vec<Told> = scene.told.to_vec();
        let items = items.iter().map(frozen).collect();
        Some(Personal { layout: layout.clone(), files, items, told, now: scene.now })
    }
}

impl Thawed {
    /// Compiles what was frozen. It was checked before, so nothing is checked here.
    pub fn new(frozen: &Personal, campaign: &Name) -> Self {
        let mut files = Files::default();
        for (name, text) in &frozen.files {
            if let Some(variant) = Variant::parse(name) {
                let (name, path, text) = (name.clone(), name.clone(), text.clone());
                files.add(variant, File { name, path, text, is_shipped: false });
            }
        }
        let scene = Scene { campaign, told: &frozen.told, now: frozen.now };
        let stage = Stage::new(&frozen.items.as_slice().into(), &scene);
        Self { layouts: Layouts::open(files), layout: frozen.layout.clone(), stage }
    }

    /// The message for one person, in the best variant for their language.
    ///
    /// # Errors
    /// As [`Layouts::render`]. The post's body for all serves then.
    pub fn render(&self, kind: ChannelKind, person: &Person) -> Result<Message, RenderError> {
        let language = person.language.as_deref();
        self.layouts.render_on(&self.stage, &self.layout, kind, language, Some(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{self, sample};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn layouts(files: &[(&str, &str)]) -> Layouts {
        let files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Layouts::compile(files.collect()).unwrap()
    }

    #[test]
    fn what_was_frozen_is_set_for_each() {
        let ours = layouts(&[
            ("x.html", "<p>{% include '_hello.html' %} {{ item.title }}</p>"),
            ("x.ro.html", "<p>{% include '_hello.html' %} {{ item.title }}</p>"),
            ("_hello.html", "Hello {{ subscriber.first_name or 'you' }},"),
            ("_hello.ro.html", "Salut {{ subscriber.first_name }},"),
            ("y.html", "{{ item.title }}"),
        ]);
        let (campaign, item) = (name("c"), sample(&name("s")));
        let scene = Scene { campaign: &campaign, told: &[], now: sample::NOW };
        let items = std::slice::from_ref(&item);
        assert!(ours.freeze(&name("y"), items, &scene).is_none());
        let frozen = ours.freeze(&name("x"), items, &scene).unwrap();
        assert_eq!(frozen.files.len(), 4);
        let thawed = Thawed::new(&frozen, &campaign);
        let said = |language: Option<&str>, first_name: Option<&str>| {
            let person = Person {
                language: language.map(str::to_owned),
                first_name: first_name.map(str::to_owned),
            };
            let message = thawed.render(ChannelKind::Telegram, &person).unwrap();
            crate::render::preview(&message, 100, false)
        };
        assert_eq!(said(None, None), format!("Hello you, {}\n", item.title));
        assert_eq!(said(Some("ro-md"), Some("<Ana>")), format!("Salut <Ana>, {}\n", item.title));
    }
}
