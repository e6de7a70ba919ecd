//! The store in one file of redb.
