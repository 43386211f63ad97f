//! Memory of messages that are done with. Most of a busy connection are small and alike: the next one needs as much.

use super::diff::Diff;
use crate::wire::message::Rows;

/// All lists here are empty, but those of tables.
#[derive(Debug, Default)]
pub struct Spare {
    diff: Option<Box<Diff>>,
    rows: Option<Box<Rows>>,
}

impl Spare {
    /// Its tables have no rows, and are there to become others.
    pub fn diff(&mut self) -> Box<Diff> {
        self.diff.take().unwrap_or_default()
    }

    /// What a message's rows are read into.
    pub fn rows(&mut self) -> Option<Box<Rows>> {
        self.rows.take()
    }

    pub fn keep_rows(&mut self, mut rows: Box<Rows>) {
        forget(&mut rows.tables);
        rows.expanded.clear();
        self.rows = Some(rows);
    }

    pub fn keep_diff(&mut self, mut diff: Box<Diff>) {
        diff.tables.truncate(MOST_TABLES);
        for table in &mut diff.tables {
            forget(&mut table.inserts);
            forget(&mut table.deletes);
            forget(&mut table.updates);
        }
        forget(&mut diff.buffers);
        forget(&mut diff.sets);
        self.diff = Some(diff);
    }
}

/// Empties a list and keeps its memory, unless that was for an unusual message.
#[inline]
pub fn forget<T>(list: &mut Vec<T>) {
    list.clear();
    if list.capacity() > LARGEST_KEPT {
        list.shrink_to(LARGEST_KEPT);
    }
}

const LARGEST_KEPT: usize = 1024;
const MOST_TABLES: usize = 4;
