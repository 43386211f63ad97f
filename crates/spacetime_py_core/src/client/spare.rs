//! Memory of messages that are done with. Most of a busy connection are small and alike: the next one needs as much.

use super::diff::{Diff, TableDiff};
use crate::wire::message::Rows;

/// All lists here are empty.
#[derive(Debug, Default)]
pub struct Spare {
    diff: Option<Box<Diff>>,
    tables: Vec<TableDiff>,
    rows: Option<Box<Rows>>,
}

impl Spare {
    pub fn diff(&mut self) -> Box<Diff> {
        self.diff.take().unwrap_or_default()
    }

    /// For the rows of one table.
    pub fn table(&mut self, table: usize, is_event: bool) -> TableDiff {
        TableDiff { table, is_event, ..self.tables.pop().unwrap_or_default() }
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
        let room = MOST_TABLES.saturating_sub(self.tables.len());
        for mut table in diff.tables.drain(..).take(room) {
            forget(&mut table.inserts);
            forget(&mut table.deletes);
            forget(&mut table.updates);
            self.tables.push(table);
        }
        forget(&mut diff.buffers);
        forget(&mut diff.sets);
        forget(&mut diff.tables);
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
const MOST_TABLES: usize = 16;
