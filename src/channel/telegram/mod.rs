pub mod api;

pub mod lower;

mod text;

pub(crate) mod slots;

pub mod edit;

pub mod errors;

pub mod profile;

pub mod updates;
