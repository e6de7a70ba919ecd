//! Elements of extensions, the same in items and entries: Dublin Core, Atom in RSS, iTunes, Media
//! RSS, Google Merchant.

use crate::extract::media;
use crate::extract::ns::Ns;
use crate::extract::raw::{Form, RawLink, RawMedia, Role};
use crate::extract::reader::gathered::{FILES_MAX, Gathered};
use crate::extract::reader::{Reader, Step, category_name};
use crate::extract::tokens::{Tag, Token};

impl Reader<'_> {
    pub(super) fn shared_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (tag.ns, tag.local.as_ref()) {
            (Ns::DublinCore, "title") | (Ns::Atom, "title") => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 1, title);
            }
            (Ns::Itunes, "title") => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 2, title);
            }
            (Ns::DublinCore, "description") | (Ns::Terms, "abstract") | (Ns::Atom, "summary") => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 1, text);
            }
            (Ns::Itunes, "summary") => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 2, text);
            }
            (Ns::Atom, "content") => {
                let text = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.body, 1, text);
            }
            (Ns::Atom, "published") | (Ns::Terms, "issued" | "created") => {
                found.published(1, &self.plain()?);
            }
            (Ns::DublinCore, "date") => found.published(3, &self.plain()?),
            (Ns::Atom, "updated") | (Ns::Terms, "modified") => found.updated(0, &self.plain()?),
            (Ns::DublinCore, "creator" | "author") => {
                let name = self.author()?;
                found.author(0, name);
            }
            (Ns::Itunes, "author") => {
                let name = self.author()?;
                found.author(3, name);
            }
            (Ns::Atom, "author") => {
                if let Some(name) = self.person()? {
                    found.author(2, name);
                }
            }
            (Ns::DublinCore, "subject") => {
                let name = self.plain()?;
                found.tag(name);
            }
            (Ns::Atom, "category") => self.atom_category(tag, found)?,
            (Ns::Itunes, "keywords") => {
                for name in self.plain()?.split(',') {
                    found.tag(name.trim().to_owned());
                }
            }
            (Ns::DublinCore, "language") => found.entry.language = self.plain()?,
            (Ns::Itunes, "image") => {
                let link = self.href(tag);
                found.media(RawMedia { link, role: Role::Cover, ..RawMedia::default() });
                self.skip()?;
            }
            (Ns::Itunes, "duration") => found.seconds = media::seconds(&self.plain()?),
            (Ns::Media, _) => self.media(tag, found)?,
            (Ns::Merchant, _) => self.merchant(tag, found)?,
            _ => self.skip()?,
        }
        Ok(())
    }

    /// A product as an item: the names that Google Merchant prints with its own prefix.
    pub(super) fn merchant(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.local.as_ref() {
            "id" => {
                let id = self.plain()?;
                if found.entry.guid.is_empty() {
                    found.entry.guid = id;
                }
            }
            "title" => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 4, title);
            }
            "description" => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 4, text);
            }
            "link" => {
                let link = self.link_text()?;
                found.link(5, link);
            }
            "image_link" => {
                let link = self.link_text()?;
                found.media(RawMedia { link, role: Role::Picture, ..RawMedia::default() });
            }
            _ => self.skip()?,
        }
        Ok(())
    }

    /// An element of Media RSS, and what it holds.
    pub(super) fn media(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.local.as_ref() {
            "group" => loop {
                match self.next()? {
                    Token::Start(inner) if inner.ns == Ns::Media => self.media(&inner, found)?,
                    Token::Start(_) => self.skip()?,
                    Token::Text(_) => {}
                    Token::End | Token::Done | Token::Cut => return Ok(()),
                }
            },
            "content" => self.media_content(tag, found),
            "thumbnail" => {
                let link = self.link_of(tag.attribute("url").unwrap_or_default());
                let (width, height) = size(tag);
                // Some write the address as text.
                let text = self.plain()?;
                let link =
                    if link.href.trim().is_empty() { RawLink { href: text, ..link } } else { link };
                found.media(RawMedia {
                    link,
                    role: Role::Thumbnail,
                    medium: "image".into(),
                    width,
                    height,
                    ..RawMedia::default()
                });
                Ok(())
            }
            "title" => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 3, title);
                Ok(())
            }
            "description" => {
                let text = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.summary, 3, text);
                Ok(())
            }
            "keywords" => {
                for name in self.plain()?.split(',') {
                    found.tag(name.trim().to_owned());
                }
                Ok(())
            }
            "category" => {
                let label = tag.attribute("label").unwrap_or_default().to_owned();
                let text = self.plain()?;
                found.tag(category_name(&text, &label, String::new()));
                Ok(())
            }
            _ => self.skip(),
        }
    }

    pub(super) fn media_content(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let (width, height) = size(tag);
        let mut media = RawMedia {
            link: self.link_of(tag.attribute("url").unwrap_or_default()),
            role: Role::Content,
            mime: tag.attribute("type").unwrap_or_default().to_owned(),
            medium: tag.attribute("medium").unwrap_or_default().to_owned(),
            bytes: tag.attribute("fileSize").and_then(|size| size.trim().parse().ok()),
            width,
            height,
            alt: String::new(),
            title: String::new(),
            seconds: tag.attribute("duration").map_or(0, media::seconds),
        };
        let at = found.entry.media.len();
        let mut title = String::new();
        loop {
            match self.next()? {
                Token::Start(inner) if inner.ns == Ns::Media => match inner.local.as_ref() {
                    "title" => title = self.text(Form::Either)?.text,
                    "description" | "text" => media.alt = self.text(Form::Either)?.text,
                    "player" => {
                        if media.link.href.is_empty() {
                            media.link.href = inner.attribute("url").unwrap_or_default().to_owned();
                            media.medium = "video".into();
                        }
                        self.skip()?;
                    }
                    _ => self.media(&inner, found)?,
                },
                Token::Start(_) => self.skip()?,
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        if media.alt.trim().is_empty() {
            media.alt.clone_from(&title);
        }
        media.title = title;
        if !media.link.href.trim().is_empty() && found.entry.media.len() < FILES_MAX {
            // Before the thumbnails that it holds.
            found.entry.media.insert(at.min(found.entry.media.len()), media);
        }
        Ok(())
    }

    /// `enclosure` of RSS or a link with `rel="enclosure"`.
    pub(super) fn file(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let href = tag.attribute("url").or_else(|| tag.attribute("href")).unwrap_or_default();
        let link = self.link_of(href);
        let text = self.plain()?;
        // Some write the address as text.
        let href = if link.href.trim().is_empty() { text } else { link.href };
        found.media(RawMedia {
            link: RawLink { href, ..link },
            role: Role::Enclosure,
            mime: tag.attribute("type").unwrap_or_default().to_owned(),
            bytes: tag.attribute("length").and_then(|length| length.trim().parse().ok()),
            alt: tag.attribute("title").unwrap_or_default().to_owned(),
            title: tag.attribute("title").unwrap_or_default().to_owned(),
            ..RawMedia::default()
        });
        Ok(())
    }
}

fn size(tag: &Tag<'_>) -> (u32, u32) {
    let side = |name| tag.attribute(name).and_then(|side| side.trim().parse().ok()).unwrap_or(0);
    (side("width"), side("height"))
}
