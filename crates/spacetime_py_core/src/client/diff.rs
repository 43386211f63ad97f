//! What a message brings (a batch of rows, checked) and what it changed (a diff). Both point into the message's bytes.

use bytes::Bytes;

/// Rows of one message, per table, checked against the schema before anything is applied.
#[derive(Debug, Default)]
pub struct Batch {
    pub buffers: Vec<Bytes>,
    pub tables: Vec<TableBatch>,
}

#[derive(Debug)]
pub struct TableBatch {
    /// Position in the schema's tables.
    pub table: usize,
    pub inserts: Vec<RowRef>,
    pub deletes: Vec<RowRef>,
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

#[derive(Clone, Debug, Default)]
pub struct TableDiff {
    pub table: usize,
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

impl TableDiff {
    pub fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.deletes.is_empty() && self.updates.is_empty()
    }
}
