pub mod api;

mod usage;

pub mod lower;

pub(crate) mod slots;

pub mod errors;

pub mod profile;

pub mod updates;

pub mod market;
