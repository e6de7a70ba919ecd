//! Files that plan a post each, as they are written.

use toml::de::DeTable;

use crate::config::chats::RawChats;
use crate::config::file::File;
use crate::config::problem::Findings;
use crate::config::raw::{List, RawPriority};
use crate::config::syntax;
use crate::config::table::{At, Node, tables};

tables! {
    /// One file.
    RawPost "post" {
        at: At<String>,
        text: At<String>,
        html: At<String>,
        layout: At<String>,
        title: At<String>,
        link: At<String>,
        image: At<String>,
        buttons: List<String>,
        topics: At<List<String>>,
        channels: At<List<String>>,
        chats: RawChats,
        audience: At<String>,
        late_joiners: At<String>,
        priority: RawPriority,
        stages: At<List<String>>,
        stage_wait: At<String>,
        stop_when_failed: At<String>,
        stop_when_left: At<String>,
    }
}

/// Reads a file; `None` when its syntax is wrong, which is told.
pub(crate) fn read_post(file: &File, index: usize, found: &mut Findings) -> Option<RawPost> {
    let (table, errors) = DeTable::parse_recoverable(file.text());
    if errors.is_empty() {
        return Some(RawPost::from_table(table.get_ref(), &Node::root(index), found));
    }
    syntax::report(file.text(), &errors, index, found);
    None
}
