//! The cached rows of one table: a counted multiset of BSATN bytes, found by primary key (or by the whole row) and by
//! unique columns. A row counts as often as the server delivered it to each query set, since queries overlap and joins
//! repeat rows.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::diff::{Gathered, RowRef, TableDiff};
use super::index::OrderedIndex;
use super::key_index::KeyIndex;
use super::keys::{Column, Keys};
use super::lent::Lent;
use super::rows::{RowId, RowStore};
use super::spare::forget;
use crate::hashing::Hashing;
use crate::sats::module::TableDef;
use crate::sats::{Layout, TypeId};

#[derive(Debug)]
pub struct TableCache {
    row: TypeId,
    primary_key: Option<Column>,
    store: RowStore,
    /// All rows, by the hash of their primary key or, without one, of all their bytes.
    rows: HashTable<RowId>,
    /// The unique columns besides the primary key.
    unique: Vec<(Column, HashTable<RowId>)>,
    /// Those that something was asked of.
    keyed: Vec<KeyIndex>,
    ordered: Vec<OrderedIndex>,
    hasher: Hashing,
    /// Counts the changes, so that iterators notice them.
    pub version: u64,
    /// Deletes of rows that their query set did not hold. The server should never send one.
    pub missing_deletes: u64,
    /// Of the message that is being applied; kept for their memory.
    fresh: Vec<RowId>,
    dead: Vec<(RowId, RowRef)>,
}

/// Marks a new row that is the second half of an update.
const PAIRED: u32 = u32::MAX;

impl TableCache {
    pub fn new(layout: &Layout, def: &TableDef) -> Self {
        let others = def.unique.iter().filter(|column| Some(**column) != def.primary_key);
        let place = |column: u16| Column::new(layout, def.row, column);
        TableCache {
            row: def.row,
            primary_key: def.primary_key.map(place),
            store: RowStore::default(),
            rows: HashTable::new(),
            unique: others.map(|column| (place(*column), HashTable::new())).collect(),
            keyed: Vec::new(),
            ordered: Vec::new(),
            hasher: Hashing::default(),
            version: 0,
            missing_deletes: 0,
            fresh: Vec::new(),
            dead: Vec::new(),
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
        let main = self.primary_key.as_ref().map(|column| (column, &self.rows));
        let others = self.unique.iter().map(|(column, index)| (column, index));
        let (column, index) = main.into_iter().chain(others).find(|(known, _)| known.index == column)?;
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let found = index.find(keys.hash(value), |id| keys.column(column, self.store.bytes(*id)) == value);
        found.map(|id| self.store.bytes(*id))
    }

    /// The rows of a whole key of these columns, which is its BSATN: of a table that has such keys.
    #[inline]
    pub fn with_key(&self, layout: &Layout, columns: &[u16], key: &[u8]) -> &[RowId] {
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let index = self.keyed.iter().find(|index| index.is_over(columns));
        index.map_or(&[], |index| index.find(&keys, key, &self.store))
    }

    #[inline]
    pub fn has_keys(&self, columns: &[u16]) -> bool {
        self.keyed.iter().any(|index| index.is_over(columns))
    }

    /// Makes whole keys of these columns to be found, and keeps that up to date from then on. `KeyIndex` takes their types.
    pub fn find_by_key(&mut self, layout: &Layout, columns: &[u16]) {
        if !self.has_keys(columns) {
            let keys = Keys { layout, row: self.row, hasher: &self.hasher };
            self.keyed.push(KeyIndex::build(columns, &keys, &self.store));
        }
    }

    /// The ordered index over these columns, if it was asked for before.
    #[inline]
    pub fn built(&self, columns: &[u16]) -> Option<&OrderedIndex> {
        self.ordered.iter().find(|index| index.columns == columns)
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
        let hash = keys.hash(keys.main(self.primary_key.as_ref(), row));
        self.rows.find(hash, |id| self.store.bytes(*id) == row).is_some()
    }

    /// Applies rows that were checked against the layout: all inserts, then all deletes, then what is left of both is
    /// paired by primary key. What the message brought becomes what it changed. `sets` has the query set of each buffer.
    /// Rows stay in buffers that are lent. Cannot fail half-way.
    pub fn apply(
        &mut self,
        layout: &Layout,
        rows: &mut TableDiff,
        buffers: &[Bytes],
        sets: &[u32],
        lent: &[Option<Arc<Lent>>],
    ) {
        if rows.is_event {
            rows.deletes.clear();
            return;
        }
        self.fresh.clear();
        self.dead.clear();
        if rows.deletes.is_empty() {
            self.insert_all::<false>(layout, &mut rows.inserts, buffers, sets, lent);
            self.update_indexes(layout);
        } else {
            self.insert_all::<true>(layout, &mut rows.inserts, buffers, sets, &[]);
            self.delete_all(layout, &rows.deletes, buffers, sets);
            self.pair(layout, rows, buffers);
            self.update_indexes(layout);
            self.settle(&mut rows.inserts);
            self.store.remove_all(self.dead.iter().map(|(id, _)| *id));
            self.shrink(layout);
        }
        forget(&mut self.fresh);
        forget(&mut self.dead);
        self.version += u64::from(!rows.is_empty());
    }

    /// Finds the new rows. With deletes to come, each is marked with one more than its position in the message; without,
    /// only their places are left.
    fn insert_all<const MARK: bool>(
        &mut self,
        layout: &Layout,
        inserts: &mut Vec<RowRef>,
        buffers: &[Bytes],
        sets: &[u32],
        lent: &[Option<Arc<Lent>>],
    ) {
        let TableCache { row: ty, primary_key, store, rows, unique, keyed, ordered, hasher, fresh, .. } = self;
        let (keys, primary_key) = (Keys { layout, row: *ty, hasher }, primary_key.as_ref());
        rows.reserve(inserts.len(), |id| keys.hash(keys.main(primary_key, store.bytes(*id))));
        if store.is_empty() {
            store.reserve(inserts.len());
        }
        let is_listed = MARK || !unique.is_empty() || !keyed.is_empty() || !ordered.is_empty();
        let mut count = 0;
        for position in 0..inserts.len() {
            let place = inserts[position];
            let (row, set) = (place.bytes(buffers), sets[place.buffer as usize]);
            let hash = keys.hash(keys.main(primary_key, row));
            let is_same = |id: &RowId| store.bytes(*id) == row;
            match rows.entry(hash, is_same, |id| keys.hash(keys.main(primary_key, store.bytes(*id)))) {
                Entry::Occupied(known) => store.add(*known.get(), set),
                Entry::Vacant(vacant) => {
                    let id = match lent.get(place.buffer as usize) {
                        Some(Some(lent)) => store.keep(lent, place, set),
                        _ => store.insert(row, set),
                    };
                    vacant.insert(id);
                    if MARK {
                        store.set_mark(id, position as u32 + 1);
                    } else {
                        inserts[count] = place;
                        count += 1;
                    }
                    if is_listed {
                        fresh.push(id);
                    }
                }
            }
        }
        if !MARK {
            inserts.truncate(count);
        }
        store.end_lending();
    }

    /// Copies rows that stay in these bytes, until so many bytes were copied or none stays.
    pub fn move_out(&mut self, lent: &Arc<Lent>, most: usize) {
        self.store.move_out(lent, most);
    }

    /// Finds the rows whose last delivery went away, each with a place where its bytes still are.
    fn delete_all(&mut self, layout: &Layout, deletes: &[RowRef], buffers: &[Bytes], sets: &[u32]) {
        let TableCache { row: ty, primary_key, store, rows, hasher, dead, .. } = self;
        let (keys, primary_key) = (Keys { layout, row: *ty, hasher }, primary_key.as_ref());
        for place in deletes {
            let (row, set) = (place.bytes(buffers), sets[place.buffer as usize]);
            let hash = keys.hash(keys.main(primary_key, row));
            let entry = rows.find_entry(hash, |id| store.bytes(*id) == row).ok();
            let Some((left, entry)) = entry.and_then(|entry| Some((store.take(*entry.get(), set)?, entry))) else {
                self.missing_deletes += 1;
                continue;
            };
            if left == 0 {
                dead.push((entry.remove().0, *place));
            }
        }
    }

    /// What died is an update or a delete.
    fn pair(&mut self, layout: &Layout, rows: &mut TableDiff, buffers: &[Bytes]) {
        rows.deletes.clear();
        for index in 0..self.dead.len() {
            let (id, row) = self.dead[index];
            if self.store.mark(id) != 0 {
                continue; // it came and went in this message, so it was never there
            }
            match self.successor(layout, row.bytes(buffers), self.fresh.get(index).copied()) {
                Some(new) => {
                    rows.updates.push((row, rows.inserts[self.store.mark(new) as usize - 1]));
                    self.store.set_mark(new, PAIRED);
                }
                None => rows.deletes.push(row),
            }
        }
    }

    /// Leaves the places of new rows that stay and are no second half of an update, and no marks.
    fn settle(&mut self, inserts: &mut Vec<RowRef>) {
        let mut count = 0;
        for id in &self.fresh {
            let mark = self.store.mark(*id);
            self.store.set_mark(*id, 0);
            if mark != PAIRED && self.store.count(*id) != 0 {
                // Marks grow, so that this place has been looked at.
                inserts[count] = inserts[mark as usize - 1];
                count += 1;
            }
        }
        inserts.truncate(count);
    }

    /// The new row, not paired yet, that has the primary key of a row which died. `guess` is looked at first: of a single
    /// update it is the other half.
    fn successor(&self, layout: &Layout, dead: &[u8], guess: Option<RowId>) -> Option<RowId> {
        let column = self.primary_key.as_ref()?;
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        let key = keys.column(column, dead);
        let is_new = |id: &RowId| {
            let mark = self.store.mark(*id);
            mark != 0 && mark != PAIRED && keys.column(column, self.store.bytes(*id)) == key
        };
        // A row that came and went in this message is none, and no longer in `rows`.
        let guess = guess.filter(|id| self.store.count(*id) != 0 && is_new(id));
        guess.or_else(|| self.rows.find(keys.hash(key), is_new).copied())
    }

    /// Brings all indexes but the main one up to date with what died and what is fresh; the bytes of dead rows are still
    /// there.
    fn update_indexes(&mut self, layout: &Layout) {
        let TableCache { row, store, unique, keyed, ordered, hasher, fresh, dead, .. } = self;
        let keys = Keys { layout, row: *row, hasher };
        let dead = dead.iter().map(|(id, _)| *id);
        let fresh = fresh.iter().copied().filter(|id| store.count(*id) != 0);
        for (column, index) in unique {
            let hash = |id: RowId| keys.hash(keys.column(column, store.bytes(id)));
            for id in dead.clone() {
                if let Ok(entry) = index.find_entry(hash(id), |found| *found == id) {
                    entry.remove();
                }
            }
            for id in fresh.clone() {
                index.insert_unique(hash(id), id, |id| hash(*id));
            }
        }
        for index in keyed {
            dead.clone().for_each(|id| index.remove(&keys, id, store));
            fresh.clone().for_each(|id| index.insert(&keys, id, store));
        }
        for index in ordered {
            dead.clone().for_each(|id| index.remove(&keys, id, store.bytes(id)));
            fresh.clone().for_each(|id| index.insert(&keys, id, store.bytes(id)));
        }
    }

    /// Gives memory back once most of a table has gone.
    fn shrink(&mut self, layout: &Layout) {
        let keys = Keys { layout, row: self.row, hasher: &self.hasher };
        self.keyed.iter_mut().for_each(|index| index.shrink(&keys, &self.store));
        if self.rows.capacity() < SMALL_TABLE || self.rows.len() * 8 > self.rows.capacity() {
            return;
        }
        let TableCache { row, primary_key, store, rows, unique, hasher, .. } = self;
        let keys = Keys { layout, row: *row, hasher };
        rows.shrink_to(0, |id| keys.hash(keys.main(primary_key.as_ref(), store.bytes(*id))));
        for (column, index) in unique {
            index.shrink_to(0, |id| keys.hash(keys.column(column, store.bytes(*id))));
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
                let hash = keys.hash(keys.main(primary_key.as_ref(), store.bytes(*id)));
                if let Ok(entry) = rows.find_entry(hash, |found| found == id) {
                    entry.remove();
                }
            }
            self.dead = dead.iter().copied().zip(diff.deletes.iter().copied()).collect();
            self.update_indexes(layout);
            forget(&mut self.dead);
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
        self.keyed.clear();
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
            match new.successor(layout, row, None) {
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
