//! Posts that are set for each recipient: all that it takes is kept with the post, so that a
//! changed file or a reload changes nothing of a post that is on its way.

use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::{Personal, Told};
use crate::render::files::{File, Files, Variant};
use crate::render::form::{self, Form};
use crate::render::layout::{Layouts, RenderError};
use crate::render::message;
use crate::render::scene::{Person, Scene, Stage, text_bytes_max};
use crate::render::values::fit;

/// Most forms of one post that are kept, one a language and kind of channel.
const FORMS_MAX: usize = 32;

/// A frozen layout and its items, ready to be set for anybody.
#[derive(Debug)]
pub struct Thawed {
    layouts: Layouts,
    layout: Name,
    stage: Stage,
    forms: Vec<KeptForm>,
}

/// What was found out for the readers of a language on a kind of channel.
#[derive(Debug)]
struct KeptForm {
    kind: ChannelKind,
    language: Option<String>,
    /// `None` where each has to be rendered.
    form: Option<Form>,
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
        let (layout, zone) = (layout.clone(), self.zone.clone());
        Some(Personal { layout, files, items, told, now: scene.now, zone })
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
        let forms = Vec::new();
        let layouts = Layouts::open(files, frozen.zone.clone());
        Self { layouts, layout: frozen.layout.clone(), stage, forms }
    }

    /// The message for one person, in the best variant for their language.
    ///
    /// # Errors
    /// As [`Layouts::render`]. The post's body for all serves then.
    pub fn render(&mut self, kind: ChannelKind, person: &Person) -> Result<Message, RenderError> {
        let language = person.language.as_deref();
        if let Some(name) = person.first_name.as_deref().filter(|name| form::takes(name))
            && let Some(message) = self.form(kind, language).and_then(|form| form.fill(name))
        {
            return Ok(message);
        }
        self.layouts.render_on(&self.stage, &self.layout, kind, language, Some(person))
    }

    fn form(&mut self, kind: ChannelKind, language: Option<&str>) -> Option<&Form> {
        let is_it = |kept: &KeptForm| kept.kind == kind && kept.language.as_deref() == language;
        if let Some(at) = self.forms.iter().position(is_it) {
            return self.forms[at].form.as_ref();
        }
        if self.forms.len() == FORMS_MAX {
            return None;
        }
        let form = self.make_form(kind, language);
        self.forms.push(KeptForm { kind, language: language.map(str::to_owned), form });
        self.forms.last()?.form.as_ref()
    }

    fn make_form(&self, kind: ChannelKind, language: Option<&str>) -> Option<Form> {
        let files = &self.layouts.files;
        let (variant, file) = files.best(self.layout.as_str(), Some(kind), language)?;
        let parts = files.closure(file, &variant.setting);
        if !parts.iter().all(|part| form::only_prints_the_name(&part.text)) {
            return None;
        }
        let print = |name: &str| {
            let (language, first_name) = (language.map(str::to_owned), Some(name.to_owned()));
            let person = Person { language, first_name, ..Person::default() };
            self.layouts.print(&self.stage, variant, file, Some(&person)).ok()
        };
        let mark = form::mark_beside(&print("A")?)?;
        let html = print(&mark.to_string())?;
        Form::of(&html, message::of(&html), mark).filter(|form| !form.is_empty())
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
        let mut thawed = Thawed::new(&frozen, &campaign);
        let mut said = |language: Option<&str>, first_name: Option<&str>| {
            let person = Person {
                language: language.map(str::to_owned),
                first_name: first_name.map(str::to_owned),
                ..Person::default()
            };
            let message = thawed.render(ChannelKind::Telegram, &person).unwrap();
            crate::render::preview(&message, 100, false)
        };
        assert_eq!(said(None, None), format!("Hello you, {}\n", item.title));
        assert_eq!(said(Some("ro-md"), Some("<Ana>")), format!("Salut <Ana>, {}\n", item.title));
    }

    #[test]
    fn a_form_that_is_filled_in_reads_as_what_is_rendered() {
        let layouts_of = [
            ("<p>Hello {{ subscriber.first_name }}, {{ item.title }}</p>", true),
            ("<b>{{ subscriber.first_name or 'you' }}</b>: {{ item.summary }}", true),
            (
                "<h1>({{ subscriber.first_name }})</h1><ul><li>{{ subscriber.first_name }}</ul>",
                true,
            ),
            ("{% if subscriber.first_name %}Dear {{ subscriber.first_name }}{% endif %}!", true),
            ("<a href=\"{{ item.link }}\">{{ subscriber.first_name }}</a>", true),
            ("<p>a&{{ subscriber.first_name }}; {{ item.title }}</p>", false),
            ("<p>a&am{{ subscriber.first_name }}; {{ item.title }}</p>", false),
            ("<p>a <{{ subscriber.first_name }}>x</p>", false),
            ("<pre>{{ subscriber.first_name }}</pre>", false),
            (
                "<p>x</p><button href=\"{{ item.link }}\">{{ subscriber.first_name }}</button>",
                false,
            ),
            ("<p>x</p><img src=\"{{ item.image }}\" alt=\"{{ subscriber.first_name }}\">", false),
            ("<p>{{ subscriber.first_name | upper }}</p>", false),
        ];
        let names = [
            "Ana",
            "Ana Maria",
            "O'Neill & <b>",
            "b",
            "amp",
            "José",
            "Анна",
            "王",
            " x ",
            "a  b",
            "e\u{301}",
            "\u{301}",
            "👩\u{200d}👧",
            "\u{202e}x",
            "",
            "&amp;",
        ];
        let (campaign, item) = (name("c"), sample(&name("s")));
        let scene = Scene { campaign: &campaign, told: &[], now: sample::NOW };
        for (text, has_form) in layouts_of {
            let ours = layouts(&[("x.html", text)]);
            let frozen = ours.freeze(&name("x"), std::slice::from_ref(&item), &scene).unwrap();
            let mut thawed = Thawed::new(&frozen, &campaign);
            for first_name in names {
                let person =
                    Person { first_name: Some(first_name.to_owned()), ..Person::default() };
                let kind = ChannelKind::Telegram;
                let filled = thawed.render(kind, &person);
                let rendered = thawed.layouts.render_on(
                    &thawed.stage,
                    &thawed.layout,
                    kind,
                    None,
                    Some(&person),
                );
                assert_eq!(filled, rendered, "{text} {first_name:?}");
            }
            assert_eq!(thawed.forms[0].form.is_some(), has_form, "{text}");
        }
    }
}
