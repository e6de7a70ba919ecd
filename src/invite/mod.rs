//! Invitations: links that start a chat, their QR codes, and the page that people subscribe on.
//!
//! Pure: who asks says which topics and channels there are, and what is new. Nothing that settings
//! or feeds hold becomes markup; a page asks nobody for anything: no script, no cookie, no address
//! of others but behind links.

mod link;
pub use link::{TooLong, Way};

pub mod qr;

mod language;
pub use language::{Wording, wanted};

mod words;

mod look;
pub use look::{Colour, Logo};

mod page;
pub use page::{Document, Door, Fresh, NEWEST_MAX, Page, missing, notice};
