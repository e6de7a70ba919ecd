//! Posts that files plan: each once by the name of its file.

use std::collections::BTreeMap;

use crate::model::name::Name;
use crate::model::one_off::{FilePost, FilesTaken};
use crate::model::post::{Content, Draft, DraftId};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::poll::named;
use crate::store::redb::rows::FileRow;

/// See `Store::plan_files`.
pub(super) fn plan_files(
    writing: &mut Writing<'_>,
    files: &[FilePost],
    now: Timestamp,
) -> Result<FilesTaken, StoreError> {
    let mut known = BTreeMap::<Name, FileRow>::new();
    for row in writing.tables.files.rows(..)? {
        let (name, row) = row?;
        known.insert(named(name.value())?, row);
    }
    let mut taken = FilesTaken::default();
    for file in files {
        match known.remove(&file.name) {
            None if file.at < now => taken.late.push(file.name.clone()),
            None => {
                let draft = writing.add_draft(&draft(file, now))?;
                writing.keep_file(file, draft)?;
                taken.planned.push(file.name.clone());
            }
            Some(row) if row.digest == file.digest => {}
            Some(row) => match writing.tables.drafts.load(row.draft)? {
                None => taken.over.push(file.name.clone()),
                Some(_) if file.at < now => {
                    writing.take_draft(DraftId(row.draft))?;
                    writing.keep_file(file, DraftId(row.draft))?;
                    taken.cancelled.push(file.name.clone());
                }
                Some(before) => {
                    writing.take_draft(before.id)?;
                    let created_at = before.created_at;
                    writing.put_draft(&Draft { id: before.id, created_at, ..draft(file, now) })?;
                    writing.keep_file(file, before.id)?;
                    taken.changed.push(file.name.clone());
                }
            },
        }
    }
    for (name, row) in known {
        writing.tables.files.remove(name.as_str())?;
        if writing.tables.drafts.load(row.draft)?.is_some() {
            writing.take_draft(DraftId(row.draft))?;
            taken.cancelled.push(name);
        }
    }
    Ok(taken)
}

fn draft(file: &FilePost, now: Timestamp) -> Draft {
    let content = Content::OneOff(Box::new(file.post.clone()));
    Draft { id: DraftId(0), created_at: now, due_at: file.at, content, held: None }
}

impl Writing<'_> {
    fn keep_file(&mut self, file: &FilePost, draft: DraftId) -> Result<(), StoreError> {
        let row = FileRow { digest: file.digest, draft: draft.0 };
        self.tables.files.put(file.name.as_str(), &row)
    }
}
