//! One entry of Atom.

use crate::extract::ns::Ns;
use crate::extract::raw::Form;
use crate::extract::reader::gathered::{Gathered, NAMES_MAX};
use crate::extract::reader::{Reader, Step, Stop, category_name};
use crate::extract::tokens::{Tag, Token};

impl Reader<'_> {
    pub(super) fn entry(&mut self) -> Step {
        let mut found = Gathered::default();
        self.note_item_language(&mut found);
        loop {
            match self.next()? {
                Token::Start(tag) => self.entry_child(&tag, &mut found)?,
                Token::End | Token::Done | Token::Cut => break,
                Token::Text(_) => {}
            }
        }
        self.keep(found.into_entry())
    }

    pub(super) fn entry_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (self.atom_ns(tag), tag.local.as_ref()) {
            (Ns::Atom, "id") => {
                let id = self.plain()?;
                if !id.is_empty() {
                    found.entry.guid = id;
                    found.entry.guid_is_link = true;
                }
            }
            (Ns::Atom, "title") => {
                let title = self.typed_text(tag, Form::Plain)?;
                Gathered::text(&mut found.title, 0, title);
            }
            (Ns::Atom, "link") => {
                self.item_link(tag, found)?;
            }
            (Ns::Feedburner, "origlink") => {
                let link = self.link_text()?;
                found.link(0, link);
            }
            (Ns::Atom, "summary") => {
                let summary = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.summary, 0, summary);
            }
            (Ns::Atom, "content") => {
                let source = tag.attribute("src").map(|_| ());
                let body = self.typed_text(tag, Form::Either)?;
                if source.is_none() {
                    Gathered::text(&mut found.body, 0, body);
                }
            }
            (Ns::Atom, "published" | "issued" | "pubdate") => found.published(0, &self.plain()?),
            (Ns::Atom, "created") => found.published(1, &self.plain()?),
            (Ns::Atom, "updated" | "modified") => found.updated(0, &self.plain()?),
            (Ns::Atom, "author") => {
                if let Some(name) = self.person()? {
                    found.author(0, name);
                }
            }
            (Ns::Atom, "category") => {
                self.atom_category(tag, found)?;
            }
            (Ns::Atom, "source") => self.source(found)?,
            _ => self.shared_child(tag, found)?,
        }
        Ok(())
    }

    pub(super) fn atom_category(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let term = tag.attribute("term").unwrap_or_default().trim().to_owned();
        let label = tag.attribute("label").unwrap_or_default().trim().to_owned();
        let text = self.plain()?;
        found.tag(category_name(&term, &label, text));
        Ok(())
    }

    /// The feed that an entry was copied from: its authors are the entry's, if that has none.
    pub(super) fn source(&mut self, found: &mut Gathered) -> Step {
        loop {
            match self.next()? {
                Token::Start(tag) if tag.local == "author" => {
                    let name = self.person()?;
                    if found.inherited.len() < NAMES_MAX {
                        found.inherited.extend(name);
                    }
                }
                Token::Start(_) => self.skip()?,
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => return Ok(()),
            }
        }
    }

    /// Name, or else address, of an author; Atom's parts or plain text.
    pub(super) fn person(&mut self) -> Result<Option<String>, Stop> {
        let (mut name, mut email, mut text) = (String::new(), String::new(), String::new());
        loop {
            match self.next()? {
                Token::Start(tag) if tag.local == "name" => name = self.plain()?,
                Token::Start(tag) if tag.local == "email" => email = self.plain()?,
                Token::Start(_) => self.skip()?,
                Token::Text(piece) => text.push_str(&piece),
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        Ok([name, email, text.trim().to_owned()].into_iter().find(|name| !name.is_empty()))
    }
}
