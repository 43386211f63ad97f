//! The bytes of a large message, in which rows stay. To copy each into memory of the table's own took as long as all else
//! that a first subscription of a million rows costs: most of it for memory that was new to the process.
//!
//! A message is one piece of memory, which is given back when the last of its rows has gone. `RowStore` has the rows of a
//! table in pieces, moves what lives out of those that have become sparse, and all out of a message that has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;

use super::rows::RowId;

/// Rows of smaller messages are copied: they fit among others, in memory that is there already.
pub const LEAST: usize = 1024 * 1024;
/// The most bytes of rows in one piece, so that moving them out takes a moment only.
const LARGEST_PIECE: usize = 2 * 1024 * 1024;

#[derive(Debug)]
pub struct Lent {
    bytes: Bytes,
    /// Bytes of rows that live here. Changed by who has the cache to itself only.
    live: AtomicUsize,
}

impl Lent {
    /// For each buffer of a message the bytes that rows may stay in, if it has at least so many. Nothing for most messages.
    pub fn of_all(buffers: &[Bytes], least: usize) -> Vec<Option<Arc<Lent>>> {
        if buffers.iter().all(|bytes| bytes.len() < least) {
            return Vec::new();
        }
        let mut all: Vec<Option<Arc<Lent>>> = Vec::with_capacity(buffers.len());
        for bytes in buffers {
            let known = all.iter().flatten().find(|lent| lent.bytes.as_ptr() == bytes.as_ptr()).cloned();
            let new = || Arc::new(Lent { bytes: bytes.clone(), live: AtomicUsize::new(0) });
            all.push((bytes.len() >= least).then(|| known.unwrap_or_else(new)));
        }
        all
    }

    /// Whether so much of it is of no use that what lives should move out.
    pub fn is_sparse(&self) -> bool {
        self.live.load(Relaxed) < self.bytes.len() / 2
    }

    pub fn is_empty(&self) -> bool {
        self.live.load(Relaxed) == 0
    }

    fn change(&self, change: impl FnOnce(usize) -> usize) {
        self.live.store(change(self.live.load(Relaxed)), Relaxed);
    }
}

/// Rows of one table that follow each other in a message, or nearly so.
#[derive(Debug)]
pub struct Piece {
    lent: Arc<Lent>,
    /// The rows that came with it, as first id and how many follow each other: mostly all.
    ids: Vec<(RowId, u32)>,
    pub total: usize,
    pub live: usize,
}

impl Piece {
    pub fn new(lent: &Arc<Lent>) -> Self {
        Piece { lent: lent.clone(), ids: Vec::new(), total: 0, live: 0 }
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.lent.bytes
    }

    pub fn is_of(&self, lent: &Arc<Lent>) -> bool {
        Arc::ptr_eq(&self.lent, lent)
    }

    pub fn has_room(&self) -> bool {
        self.total < LARGEST_PIECE
    }

    /// Those that came, some of which may be gone and their ids given to others.
    pub fn ids(&self) -> impl Iterator<Item = RowId> + '_ {
        self.ids.iter().flat_map(|(first, count)| *first..first + count)
    }

    pub fn add(&mut self, id: RowId, size: usize) {
        match self.ids.last_mut() {
            Some((first, count)) if *first + *count == id => *count += 1,
            _ => self.ids.push((id, 1)),
        }
        self.total += size;
        self.live += size;
        self.lent.change(|live| live + size);
    }

    pub fn remove(&mut self, size: usize) {
        self.live -= size;
        self.lent.change(|live| live - size);
    }

    /// Bytes of memory held: its share of the message.
    pub fn memory(&self) -> usize {
        self.total + self.ids.capacity() * size_of::<(RowId, u32)>()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.lent.change(|live| live - self.live);
    }
}
