//! What a message brings (a batch of rows, checked) and what it changed (a diff). Both point into the message's bytes.

use bytes::Bytes;

use crate::wire::message::Span;

/// Rows of one message, per table, checked against the schema before anything is applied.
#[derive(Debug, Default)]
pub struct Batch {
    pub buffers: Vec<Bytes>,
    /// For each buffer the query set that its rows are delivered for.
    pub sets: Vec<u32>,
    pub tables: Vec<TableDiff>,
}

/// Bytes of a row in one of the message's buffers.
#[derive(Clone, Copy, Debug)]
pub struct RowRef {
    pub buffer: u32,
    pub start: u32,
    pub end: u32,
}

/// The net effect of a message on the cache. Rows are the message's own bytes, which live as long as the diff.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    pub buffers: Vec<Bytes>,
    pub tables: Vec<TableDiff>,
}

/// Before a message is applied, what it brings for one table: no updates yet. Afterwards, what that changed.
#[derive(Clone, Debug, Default)]
pub struct TableDiff {
    /// Position in the schema's tables.
    pub table: usize,
    /// Rows that happened: inserts only, told and not cached.
    pub is_event: bool,
    pub inserts: Vec<RowRef>,
    pub deletes: Vec<RowRef>,
    /// Old and new row of one primary key.
    pub updates: Vec<(RowRef, RowRef)>,
}

impl RowRef {
    pub fn bytes<'a>(&self, buffers: &'a [Bytes]) -> &'a [u8] {
        &buffers[self.buffer as usize][self.start as usize..self.end as usize]
    }
}

impl Batch {
    /// The buffer for rows of a query set that are in this part of these bytes, and where in them it begins. Lists that
    /// follow each other in one message mostly share one.
    pub fn buffer_of(&mut self, bytes: &Bytes, part: Span, set: u32) -> (u32, usize) {
        // Places are 32 bits wide: in a larger message each list is a buffer of its own.
        let base = if u32::try_from(part.1).is_ok() { 0 } else { part.0 };
        let is_known = base == 0
            && self.sets.last() == Some(&set)
            && self.buffers.last().is_some_and(|last| std::ptr::eq(&last[..], &bytes[..]));
        if !is_known {
            self.buffers.push(bytes.slice(base..));
            self.sets.push(set);
        }
        (self.buffers.len() as u32 - 1, base)
    }

    /// The rows as inserts, without having been applied anywhere.
    pub fn into_diff(self) -> Diff {
        let of = |rows: TableDiff| TableDiff { table: rows.table, inserts: rows.inserts, ..TableDiff::default() };
        Diff { buffers: self.buffers, tables: self.tables.into_iter().map(of).collect() }
    }
}

impl TableDiff {
    pub fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.deletes.is_empty() && self.updates.is_empty()
    }
}

/// Copies of cached rows for a diff that no message brought.
#[derive(Debug, Default)]
pub struct Gathered {
    full: Vec<Bytes>,
    data: Vec<u8>,
}

impl Gathered {
    pub fn add(&mut self, row: &[u8]) -> RowRef {
        // Places are 32 bits wide, and rows are no longer than that.
        if u32::try_from(self.data.len() + row.len()).is_err() {
            self.full.push(std::mem::take(&mut self.data).into());
        }
        let start = self.data.len() as u32;
        self.data.extend_from_slice(row);
        RowRef { buffer: self.full.len() as u32, start, end: self.data.len() as u32 }
    }

    pub fn into_buffers(mut self) -> Vec<Bytes> {
        self.full.push(self.data.into());
        self.full
    }
}
