//! Packed documents to plain ones.
