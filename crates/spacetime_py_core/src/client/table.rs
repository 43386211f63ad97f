//! The cached rows of one table: a counted multiset of BSATN bytes, found by primary key (or by the whole row) and by
//! unique columns. A row counts as often as the server delivered it to each query set, since queries overlap and joins
//! repeat rows.

use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::diff::{Gathered, RowRef, TableBatch, TableDiff};
use super::index::OrderedIndex;
use super::keys::Keys;
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
    /// Those that something was asked of.
    ordered: Vec<OrderedIndex>,
    hasher: RandomState,
    /// Counts the changes, so that iterators notice them.
    pub version: u64,
    /// Deletes of rows that their query set did not hold. The server should never send one.
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
            ordered: Vec::new(),
            hasher: RandomState::default(),
            version: 0,
            missing_deletes: 0,
        }
    }

    pub fn rows(&self) -> &RowStore {
        &self.store
    }

    /// Bytes of memory held without ordered indexes, for tests and statistics.
    pub fn memory(&self) -> usize {
        let unique: usize = self.unique.iter().map(|(_, index)| index.allocation_size()).sum();
        self.store.memory() + self.rows.allocation_size() + unique
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

    /// Whether `ordered` has something to build.
    pub fn is_ordered(&self, columns: &[u16]) -> bool {
        self.ordered.iter().any(|index| index.columns == columns)
    }

    /// The ordered index over these columns. Built when it is first asked for, and kept up to date from then on.
    pub fn ordered(&mut self, layout: &Layout, columns: &[u16]) -> &OrderedIndex {
        let position = self.ordered.iter().position(|index| index.columns == columns).unwrap_or_else(|| {
            let keys = Keys { layout, row: self.row, hasher: &self.hasher };
            self.ordered.push(OrderedIndex::build(columns, &keys, &self.store));
            self.ordered.len() - 1
        });
        &self.ordered[position]
    }

    /// Whether exactly this row is cached.
    pub fn contains(&self, layout: &Layout, row: &[u8]) -> bool {
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let hash = keys.hash(keys.main(self.primary_key, row));
        self.rows.find(hash, |id| self.store.bytes(*id) == row).is_some()
    }

    /// Applies rows that were checked against the layout: all inserts, then all deletes, then what is left of both is
    /// paired by primary key. `sets` has the query set of each buffer. Cannot fail half-way.
    pub fn apply(&mut self, layout: &Layout, batch: &TableBatch, buffers: &[Bytes], sets: &[u32]) -> TableDiff {
        let mut diff = TableDiff { table: batch.table, is_event: batch.is_event, ..TableDiff::default() };
        if batch.is_event {
            diff.inserts.clone_from(&batch.inserts);
            return diff;
        }
        let fresh = self.insert_all(layout, &batch.inserts, buffers, sets);
        let dead = self.delete_all(layout, &batch.deletes, buffers, sets);
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
        let gone = dead.iter().map(|(id, _)| *id);
        self.update_indexes(layout, gone.clone(), &fresh);
        for id in fresh {
            let mark = self.store.mark(id);
            self.store.set_mark(id, 0);
            if mark != PAIRED && self.store.count(id) != 0 {
                diff.inserts.push(batch.inserts[mark as usize - 1]);
            }
        }
        self.store.remove_all(gone);
        self.shrink(layout);
        self.version += u64::from(!diff.is_empty());
        diff
    }

    /// Gives the new rows, each marked with one more than its position in the batch.
    fn insert_all(&mut self, layout: &Layout, inserts: &[RowRef], buffers: &[Bytes], sets: &[u32]) -> Vec<RowId> {
        let TableCache { row: ty, primary_key, store, rows, hasher, .. } = self;
        let keys = Keys { layout, row: *ty, hasher };
        let mut fresh = Vec::new();
        let rehash = |store: &RowStore, id: RowId| keys.hash(keys.main(*primary_key, store.bytes(id)));
        rows.reserve(inserts.len(), |id| rehash(store, *id));
        for (position, place) in inserts.iter().enumerate() {
            let (row, set) = (place.bytes(buffers), sets[place.buffer as usize]);
            let hash = keys.hash(keys.main(*primary_key, row));
            if let Some(id) = rows.find(hash, |id| store.bytes(*id) == row) {
                store.add(*id, set);
                continue;
            }
            let id = store.insert(row, set);
            store.set_mark(id, position as u32 + 1);
            rows.insert_unique(hash, id, |id| rehash(store, *id));
            fresh.push(id);
        }
        fresh
    }

    /// Gives the rows whose last delivery went away, with a place where their bytes still are.
    fn delete_all(
        &mut self,
        layout: &Layout,
        deletes: &[RowRef],
        buffers: &[Bytes],
        sets: &[u32],
    ) -> Vec<(RowId, RowRef)> {
        let TableCache { row: ty, primary_key, store, rows, hasher, .. } = self;
        let keys = Keys { layout, row: *ty, hasher };
        let mut dead = Vec::new();
        for place in deletes {
            let (row, set) = (place.bytes(buffers), sets[place.buffer as usize]);
            let hash = keys.hash(keys.main(*primary_key, row));
            let entry = rows.find_entry(hash, |id| store.bytes(*id) == row).ok();
            let Some((left, entry)) = entry.and_then(|entry| Some((store.take(*entry.get(), set)?, entry))) else {
                self.missing_deletes += 1;
                continue;
            };
            if left == 0 {
                dead.push((entry.remove().0, *place));
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

    /// Brings all indexes but the main one up to date; the bytes of dead rows are still there.
    fn update_indexes(&mut self, layout: &Layout, dead: impl Iterator<Item = RowId> + Clone, fresh: &[RowId]) {
        let TableCache { row, store, unique, ordered, hasher, .. } = self;
        let keys = Keys { layout, row: *row, hasher };
        let fresh = fresh.iter().copied().filter(|id| store.count(*id) != 0);
        for (column, index) in unique {
            let hash = |id: RowId| keys.hash(keys.column(*column, store.bytes(id)));
            for id in dead.clone() {
                if let Ok(entry) = index.find_entry(hash(id), |found| *found == id) {
                    entry.remove();
                }
            }
            for id in fresh.clone() {
                index.insert_unique(hash(id), id, |id| hash(*id));
            }
        }
        for index in ordered {
            dead.clone().for_each(|id| index.remove(&keys, id, store.bytes(id)));
            fresh.clone().for_each(|id| index.insert(&keys, id, store.bytes(id)));
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

    /// Takes all deliveries of a query set back.
    pub fn drop_set(&mut self, layout: &Layout, set: u32, gathered: &mut Gathered) -> TableDiff {
        let dead = self.store.take_set(set);
        let deletes = dead.iter().map(|id| gathered.add(self.store.bytes(*id))).collect();
        let diff = TableDiff { deletes, ..TableDiff::default() };
        if dead.len() == self.store.len() {
            self.clear();
        } else {
            let TableCache { row, primary_key, store, rows, hasher, .. } = &mut *self;
            let keys = Keys { layout, row: *row, hasher };
            for id in &dead {
                let hash = keys.hash(keys.main(*primary_key, store.bytes(*id)));
                if let Ok(entry) = rows.find_entry(hash, |found| found == id) {
                    entry.remove();
                }
            }
            self.update_indexes(layout, dead.iter().copied(), &[]);
            self.store.remove_all(dead);
            self.shrink(layout);
        }
        self.version += u64::from(!diff.is_empty());
        diff
    }

    pub fn drop_all(&mut self, gathered: &mut Gathered) -> TableDiff {
        let deletes = self.store.iter().map(|(row, _)| gathered.add(row)).collect();
        let diff = TableDiff { deletes, ..TableDiff::default() };
        self.clear();
        self.version += u64::from(!diff.is_empty());
        diff
    }

    fn clear(&mut self) {
        self.store = RowStore::default();
        self.rows = HashTable::new();
        self.unique.iter_mut().for_each(|(_, index)| *index = HashTable::new());
        self.ordered.clear();
    }

    /// Puts `new` in the place of this table and tells what that changes: rows that both have are not told.
    pub fn replace(&mut self, layout: &Layout, mut new: TableCache, gathered: &mut Gathered) -> TableDiff {
        let mut diff = TableDiff::default();
        let ids: Vec<RowId> = new.store.ids().collect();
        for id in &ids {
            new.store.set_mark(*id, u32::from(!self.contains(layout, new.store.bytes(*id))));
        }
        for (row, _) in self.store.iter() {
            if new.contains(layout, row) {
                continue;
            }
            let old = gathered.add(row);
            match new.successor(layout, row) {
                Some(id) => {
                    diff.updates.push((old, gathered.add(new.store.bytes(id))));
                    new.store.set_mark(id, PAIRED);
                }
                None => diff.deletes.push(old),
            }
        }
        for id in ids {
            if new.store.mark(id) == 1 {
                diff.inserts.push(gathered.add(new.store.bytes(id)));
            }
            new.store.set_mark(id, 0);
        }
        // Rows have other ids now, so that iterators have to stop even when no row differs.
        new.version = self.version + 1;
        new.missing_deletes += self.missing_deletes;
        *self = new;
        diff
    }
}

/// Hash tables of up to so many rows are not worth shrinking.
const SMALL_TABLE: usize = 1024;
