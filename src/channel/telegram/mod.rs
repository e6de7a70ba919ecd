pub mod api;

pub mod lower;

pub mod errors;

pub mod updates;
