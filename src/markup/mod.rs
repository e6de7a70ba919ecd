//! Markup that others wrote: read into our own tree, into plain text, and written back as HTML.
//!
//! Promises: whatever comes in, nothing comes out but the elements of [`RichText`], visible
//! characters in normal form, and absolute http or https addresses; time and memory grow with the
//! length of the input and with nothing else, however it is nested or broken. There is no document
//! tree on the way: one scanner cuts the input into texts and tags, and each reader keeps only the
//! few things that it needs. Knows no channel, no store, no network and no clock.
//!
//! Limits: [`TEXT_BYTES_MAX`], [`PIECES_MAX`], [`ADDRESS_BYTES_MAX`], [`MARKS_MAX`] and
//! [`DEPTH_MAX`](crate::model::rich::DEPTH_MAX). What goes beyond is left out or flattened, never
//! an error.
//!
//! [`RichText`]: crate::model::rich::RichText

mod rich;
pub(crate) use rich::RichBuilder;
pub use rich::{PIECES_MAX, TEXT_BYTES_MAX, rich};

mod table;

mod plain;
pub use plain::{plain, words};

mod line;

mod html;
pub use html::{escape_into, escaped, to_html};

mod document;
pub use document::{base64, escape, fill, policy_hash};

mod glyphs;
pub(crate) use glyphs::is_tidy;
pub use glyphs::{MARKS_MAX, clean};

mod address;
pub use address::{ADDRESS_BYTES_MAX, address, address_text};

mod entity;
pub use entity::{decode, named_entity};

mod element;
pub(crate) use element::Element;

mod scan;
pub(crate) use scan::{Scanner, Tag, Token};
