//! Invitations: links that start a chat, their QR codes, the page that people subscribe on, and the
//! forms that lead there from other sites.
//!
//! Pure: who asks says which topics and channels there are, and what is new. Nothing that settings
//! or feeds hold becomes markup, or code; a page asks nobody for anything: no script, no cookie, no
//! address of others but behind links.

mod link;
pub use link::{TooLong, Way};

pub mod qr;

mod cover;
pub use cover::Cover;

mod language;
pub use language::{Wording, wanted};

mod words;

mod look;
pub use look::{Colour, Logo};

mod form;
pub use form::{Form, Showing};

mod archive;
pub use archive::{ARCHIVE_POSTS_MAX, Archive};

mod page;
pub use page::{Document, Door, Fresh, NEWEST_MAX, Page, missing, notice};
