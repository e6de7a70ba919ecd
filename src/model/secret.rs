//! Secrets: tokens and keys that never show themselves.

pub use secrecy::{ExposeSecret, SecretString};
