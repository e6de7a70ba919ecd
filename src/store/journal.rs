//! What is on the wire, written beside the store.
