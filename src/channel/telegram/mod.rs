pub mod api;

pub mod lower;

mod text;

pub mod edit;

pub mod errors;

pub mod updates;
