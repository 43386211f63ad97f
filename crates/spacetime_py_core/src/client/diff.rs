//! What a message brings, checked against the schema, and what it changed. Both point into the message's bytes.

use bytes::Bytes;

/// Bytes of a row in one of the message's buffers.
#[derive(Clone, Copy, Debug)]
pub struct RowRef {
    pub buffer: u32,
    pub start: u32,
    pub end: u32,
}

/// Before a message is applied, what it brings. Afterwards, its net effect on the cache. Rows are the message's own bytes,
/// which live as long as this.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    pub buffers: Vec<Bytes>,
    /// For each buffer of a message the query set that its rows are delivered for.
    pub sets: Vec<u32>,
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

impl Diff {
    /// The rows as inserts, without having been applied anywhere.
    pub fn into_inserts(mut self: Box<Self>) -> Box<Self> {
        for table in &mut self.tables {
            table.is_event = false;
            table.deletes.clear();
        }
        self
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
