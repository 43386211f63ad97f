//! The cached rows of one table: a counted multiset of BSATN bytes, found by primary key (or by the whole row) and by
//! unique columns. A row counts as often as the server delivered it, since queries overlap and joins repeat rows.

use std::hash::{BuildHasher, Hasher};

use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::diff::{RowRef, TableBatch, TableDiff};
use super::rows::{RowId, RowStore};
use crate::sats::module::TableDef;
use crate::sats::{Layout, TypeId};

#[derive(Debug)]
pub struct TableCache {
    row: TypeId,
    primary_key: Option<u16>,
    store: RowStore,
    /// All rows, by the hash of their primary key or, without one, of all their bytes.
    rows: HashTable<RowId>,
    /// The unique columns besides the primary key.
    unique: Vec<(u16, HashTable<RowId>)>,
    hasher: RandomState,
    /// Counts the changes, so that iterators notice them.
    pub version: u64,
    /// Deletes of rows that were not there. The server should never send one.
    pub missing_deletes: u64,
}

/// Marks a new row that is the second half of an update.
const PAIRED: u32 = u32::MAX;

impl TableCache {
    pub fn new(def: &TableDef) -> Self {
        let others = def.unique.iter().filter(|column| Some(**column) != def.primary_key);
        TableCache {
            row: def.row,
            primary_key: def.primary_key,
            store: RowStore::default(),
            rows: HashTable::new(),
            unique: others.map(|column| (*column, HashTable::new())).collect(),
            hasher: RandomState::default(),
            version: 0,
            missing_deletes: 0,
        }
    }

    pub fn rows(&self) -> &RowStore {
        &self.store
    }

    /// The row whose unique column has this BSATN value.
    pub fn find(&self, layout: &Layout, column: u16, value: &[u8]) -> Option<&[u8]> {
        let index = if Some(column) == self.primary_key {
            &self.rows
        } else {
            &self.unique.iter().find(|(unique, _)| *unique == column)?.1
        };
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let found = index.find(keys.hash(value), |id| keys.column(column, self.store.bytes(*id)) == value);
        found.map(|id| self.store.bytes(*id))
    }

    /// Whether exactly this row is cached.
    pub fn contains(&self, layout: &Layout, row: &[u8]) -> bool {
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let hash = keys.hash(keys.main(self.primary_key, row));
        self.rows.find(hash, |id| self.store.bytes(*id) == row).is_some()
    }

    /// Applies rows that were checked against the layout: all inserts, then all deletes, then what is left of both is
    /// paired by primary key. Cannot fail half-way.
    pub fn apply(&mut self, layout: &Layout, batch: &TableBatch, buffers: &[Bytes]) -> TableDiff {
        let fresh = self.insert_all(layout, &batch.inserts, buffers);
        let dead = self.delete_all(layout, &batch.deletes, buffers);
        let mut diff = TableDiff { table: batch.table, ..TableDiff::default() };
        for (id, row) in &dead {
            if self.store.mark(*id) != 0 {
                continue; // it came and went in this message, so it was never there
            }
            match self.successor(layout, row.bytes(buffers)) {
                Some(new) => {
                    diff.updates.push((*row, batch.inserts[self.store.mark(new) as usize - 1]));
                    self.store.set_mark(new, PAIRED);
                }
                None => diff.deletes.push(*row),
            }
        }
        self.update_indexes(layout, &dead, &fresh, buffers);
        for id in fresh {
            let mark = self.store.mark(id);
            self.store.set_mark(id, 0);
            if mark != PAIRED && *self.store.count_mut(id) != 0 {
                diff.inserts.push(batch.inserts[mark as usize - 1]);
            }
        }
        self.store.remove_all(dead.into_iter().map(|(id, _)| id));
        self.shrink(layout);
        self.version += u64::from(!diff.is_empty());
        diff
    }

    /// Gives the new rows, each marked with one more than its position in the batch.
    fn insert_all(&mut self, layout: &Layout, inserts: &[RowRef], buffers: &[Bytes]) -> Vec<RowId> {
        let TableCache { row: ty, primary_key, store, rows, hasher, .. } = self;
        let keys = Keys { layout, row: *ty, hasher };
        let mut fresh = Vec::new();
        let rehash = |store: &RowStore, id: RowId| keys.hash(keys.main(*primary_key, store.bytes(id)));
        rows.reserve(inserts.len(), |id| rehash(store, *id));
        for (position, row) in inserts.iter().enumerate() {
            let row = row.bytes(buffers);
            let hash = keys.hash(keys.main(*primary_key, row));
            if let Some(id) = rows.find(hash, |id| store.bytes(*id) == row) {
                *store.count_mut(*id) += 1;
                continue;
            }
            let id = store.insert(row);
            store.set_mark(id, position as u32 + 1);
            rows.insert_unique(hash, id, |id| rehash(store, *id));
            fresh.push(id);
        }
        fresh
    }

    /// Gives the rows whose last delivery went away, with a place where their bytes still are.
    fn delete_all(&mut self, layout: &Layout, deletes: &[RowRef], buffers: &[Bytes]) -> Vec<(RowId, RowRef)> {
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let mut dead = Vec::new();
        for place in deletes {
            let row = place.bytes(buffers);
            let hash = keys.hash(keys.main(self.primary_key, row));
            let Ok(entry) = self.rows.find_entry(hash, |id| self.store.bytes(*id) == row) else {
                self.missing_deletes += 1;
                continue;
            };
            let id = *entry.get();
            let count = self.store.count_mut(id);
            *count -= 1;
            if *count == 0 {
                entry.remove();
                dead.push((id, *place));
            }
        }
        dead
    }

    /// The new row, not paired yet, that has the primary key of a row which died.
    fn successor(&self, layout: &Layout, dead: &[u8]) -> Option<RowId> {
        let column = self.primary_key?;
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let key = keys.column(column, dead);
        let is_new = |id: &RowId| {
            let mark = self.store.mark(*id);
            mark != 0 && mark != PAIRED && keys.column(column, self.store.bytes(*id)) == key
        };
        self.rows.find(keys.hash(key), is_new).copied()
    }

    fn update_indexes(&mut self, layout: &Layout, dead: &[(RowId, RowRef)], fresh: &[RowId], buffers: &[Bytes]) {
        let TableCache { row, store, unique, hasher, .. } = self;
        let keys = Keys { layout, row: *row, hasher };
        for (column, index) in unique {
            for (id, row) in dead {
                let hash = keys.hash(keys.column(*column, row.bytes(buffers)));
                if let Ok(entry) = index.find_entry(hash, |found| found == id) {
                    entry.remove();
                }
            }
            for id in fresh {
                if *store.count_mut(*id) == 0 {
                    continue;
                }
                let hash = |id: RowId| keys.hash(keys.column(*column, store.bytes(id)));
                index.insert_unique(hash(*id), *id, |id| hash(*id));
            }
        }
    }

    /// Gives memory back once most of a table has gone.
    fn shrink(&mut self, layout: &Layout) {
        if self.rows.capacity() < SMALL_TABLE || self.rows.len() * 8 > self.rows.capacity() {
            return;
        }
        let TableCache { row, primary_key, store, rows, unique, hasher, .. } = self;
        let keys = Keys { layout, row: *row, hasher };
        rows.shrink_to(0, |id| keys.hash(keys.main(*primary_key, store.bytes(*id))));
        for (column, index) in unique {
            index.shrink_to(0, |id| keys.hash(keys.column(*column, store.bytes(*id))));
        }
    }
}

/// Hash tables of up to so many rows are not worth shrinking.
const SMALL_TABLE: usize = 1024;

/// How rows are hashed: by one column's bytes, or all of them.
struct Keys<'a> {
    layout: &'a Layout,
    row: TypeId,
    hasher: &'a RandomState,
}

impl Keys<'_> {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// The bytes of a column. Rows were checked when they came, so that this always finds it.
    #[inline]
    fn column<'r>(&self, column: u16, row: &'r [u8]) -> &'r [u8] {
        let product = self.layout.product(self.row).expect("row types are products");
        let field = &product.fields[usize::from(column)];
        let mut reader = self.layout.field(product, usize::from(column), row).expect("a checked row");
        let start = reader.position();
        self.layout.skip(field.ty, &mut reader).expect("a checked row");
        reader.since(start)
    }

    #[inline]
    fn main<'r>(&self, primary_key: Option<u16>, row: &'r [u8]) -> &'r [u8] {
        match primary_key {
            Some(column) => self.column(column, row),
            None => row,
        }
    }
}
