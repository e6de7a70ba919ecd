//! One item of RSS or RDF.

use crate::extract::ns::Ns;
use crate::extract::raw::{Form, RawLink, RawMedia, Role};
use crate::extract::reader::gathered::Gathered;
use crate::extract::reader::{Reader, Step, is_alternate, is_page};
use crate::extract::tokens::{Tag, Token};

impl Reader<'_> {
    pub(super) fn item(&mut self, item: &Tag<'_>) -> Step {
        let mut found = Gathered::default();
        // The `rdf:about` of RSS 1.0 is the item's name; a guid of its own outranks it.
        let about = item
            .attributes
            .iter()
            .find(|(name, _)| *name == "about" || name.rsplit(':').next() == Some("about"));
        if let Some((_, about)) = about {
            found.entry.guid = about.trim().to_owned();
            found.entry.guid_is_link = true;
        }
        self.note_item_language(&mut found);
        loop {
            match self.next()? {
                Token::Start(tag) => self.item_child(&tag, &mut found)?,
                Token::End | Token::Done | Token::Cut => break,
                Token::Text(_) => {}
            }
        }
        self.keep(found.into_entry())
    }

    pub(super) fn item_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (tag.ns, tag.local.as_ref()) {
            (Ns::Core, "title") => Gathered::text(&mut found.title, 0, self.text(Form::Either)?),
            (Ns::Core, "link") if tag.attribute("href").is_none() => {
                let link = self.link_text()?;
                found.link(2, link);
            }
            (Ns::Core | Ns::Atom, "link") => {
                self.item_link(tag, found)?;
            }
            (Ns::Feedburner, "origlink") => {
                let link = self.link_text()?;
                found.link(0, link);
            }
            (Ns::Core, "guid") => {
                let permanent = tag.attribute("isPermaLink");
                let guid = self.plain()?;
                if !guid.is_empty() {
                    found.entry.guid = guid;
                    found.entry.guid_is_link =
                        !permanent.is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
                }
            }
            (Ns::Atom, "id") | (Ns::Core, "id") => {
                let id = self.plain()?;
                if found.entry.guid.is_empty() {
                    found.entry.guid = id;
                }
            }
            (Ns::Core, "description") => {
                Gathered::text(&mut found.summary, 0, self.text(Form::Either)?);
            }
            (Ns::Content, "encoded") => Gathered::text(&mut found.body, 0, self.text(Form::Html)?),
            (Ns::Core, "fullitem" | "fulltext" | "content" | "encoded") | (Ns::Xhtml, "body") => {
                Gathered::text(&mut found.body, 2, self.text(Form::Either)?);
            }
            (Ns::Core, "pubdate") => found.published(0, &self.plain()?),
            (Ns::Core, "author") => {
                let name = self.author()?;
                found.author(1, name);
            }
            (Ns::Core, "category") => {
                let name = self.plain()?;
                found.tag(name);
            }
            (Ns::Core, "enclosure") => {
                self.file(tag, found)?;
            }
            (Ns::Core, "image") => self.item_image(tag, found)?,
            (Ns::Core, "updated" | "modified" | "lastbuilddate") => {
                found.updated(1, &self.plain()?);
            }
            (Ns::Core, "published" | "issued" | "date" | "created") => {
                found.published(2, &self.plain()?);
            }
            _ => self.shared_child(tag, found)?,
        }
        Ok(())
    }

    /// A `link` with `href`, of RSS or Atom.
    pub(super) fn item_link(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.attribute("rel").unwrap_or("alternate").trim() {
            "enclosure" => self.file(tag, found),
            rel if is_alternate(rel) => {
                let rank = if is_page(tag.attribute("type")) { 3 } else { 4 };
                let link = self.href(tag);
                let text = self.plain()?;
                // Some write the address as text.
                let href = if link.href.trim().is_empty() { text } else { link.href };
                found.link(rank, RawLink { href, ..link });
                Ok(())
            }
            _ => self.skip(),
        }
    }

    /// `<image>` of an item: an address as text, as `href`, or as a `url` inside.
    pub(super) fn item_image(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let mut link = self.href(tag);
        loop {
            match self.next()? {
                Token::Start(inner) if inner.local == "url" => link = self.link_text()?,
                Token::Start(_) => self.skip()?,
                Token::Text(text) if link.href.trim().is_empty() => {
                    link = RawLink { href: text.trim().to_owned(), ..link };
                }
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        found.media(RawMedia { link, role: Role::Picture, ..RawMedia::default() });
        Ok(())
    }
}
