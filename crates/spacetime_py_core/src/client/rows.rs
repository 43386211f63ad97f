//! Where the cached rows' bytes live: packed into blocks under 32-bit ids. A new row takes the place of one of its size that
//! is gone, and a block with too many dead rows is moved together: memory follows the live rows, and a removal costs no more
//! than its share of one block.
//!
//! Beside its bytes a row has how often each query set delivered it. Nearly all rows belong to one set, which the slot
//! names; the others have a list of their sets beside the slots.
//!
//! Rows of a large message are not copied at first: they stay in the message's bytes (`lent.rs`).

use std::sync::Arc;

use hashbrown::HashMap;

use super::diff::RowRef;
use super::holes::{Hole, Holes};
use super::lent::{Lent, Piece};
use crate::hashing::Hashing;

/// A row in the store. Ids of removed rows are used again.
pub type RowId = u32;

#[derive(Debug, Default)]
pub struct RowStore {
    slots: Vec<Slot>,
    free: Vec<RowId>,
    blocks: Vec<Block>,
    free_blocks: Vec<u32>,
    /// The memory of a large block that was let go: the next one comes soon, and asking the system for it each time tears
    /// holes into the heap.
    spare: Vec<u8>,
    /// The block that grows.
    tail: Option<usize>,
    /// The block of rows that stay in the message which is being applied.
    lent: Option<usize>,
    /// Of the newest block.
    serial: u32,
    holes: Holes,
    live_bytes: usize,
    live_rows: usize,
    /// Query sets and their counts, of rows that several sets hold.
    shared: HashMap<RowId, Vec<(u32, u32)>, Hashing>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where the row's bytes are.
    block: u32,
    offset: u32,
    length: u32,
    /// How many deliveries of this row are alive, of all sets; 0: the slot is free.
    count: u32,
    /// The query set of all deliveries, or `SHARED`.
    set: u32,
    /// A note of the transaction that is being applied; 0 between transactions.
    mark: u32,
}

#[derive(Debug, Default)]
struct Block {
    /// Records of row id, length, bytes. The id leads back from a record to its slot.
    data: Vec<u8>,
    live: usize,
    /// 0: there is no block.
    serial: u32,
    /// Instead of data: rows that stay where they came.
    lent: Option<Piece>,
}

impl Block {
    /// A quarter of it is dead. Random changes then leave an eighth of all blocks dead, and move three rows for each that
    /// goes; at a half it would be more than a quarter, and one.
    fn is_sparse(&self) -> bool {
        let (live, total) = self.lent.as_ref().map_or((self.live, self.data.len()), |piece| (piece.live, piece.total));
        live < total / 4 * 3
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match &self.lent {
            None => &self.data,
            Some(piece) => piece.bytes(),
        }
    }
}

/// Instead of a set: see `shared`. A query set that really had this number would be there too.
const SHARED: u32 = u32::MAX;

const HEADER: usize = 8;
const SMALLEST_BLOCK: usize = 1024;
const LARGE_BLOCK: usize = 256 * 1024;
/// Of tables that have at least eight such blocks: a huge page, which comes at once.
const LARGEST_BLOCK: usize = 2 * 1024 * 1024;
/// So many are remembered, and one for each second live row.
const MOST_HOLES: usize = 1024;

impl RowStore {
    /// Makes room for so many new rows.
    pub fn reserve(&mut self, count: usize) {
        self.slots.reserve(count);
    }

    /// Adds a row that this set delivered once.
    pub fn insert(&mut self, row: &[u8], set: u32) -> RowId {
        let id = self.new_slot(set);
        let (block, offset) = self.append(id, row);
        let slot = &mut self.slots[id as usize];
        (slot.block, slot.offset, slot.length) = (block, offset, row.len() as u32);
        id
    }

    /// The same for a row that stays in the bytes of its message. Once all are there, `end_lending`.
    pub fn keep(&mut self, lent: &Arc<Lent>, row: RowRef, set: u32) -> RowId {
        let id = self.new_slot(set);
        let (block, length) = (self.piece_of(lent), row.end - row.start);
        let slot = &mut self.slots[id as usize];
        (slot.block, slot.offset, slot.length) = (block as u32, row.start, length);
        self.live_bytes += length as usize;
        self.blocks[block].lent.iter_mut().for_each(|piece| piece.add(id, length as usize));
        id
    }

    pub fn end_lending(&mut self) {
        self.lent = None;
    }

    fn new_slot(&mut self, set: u32) -> RowId {
        let slot = Slot { block: 0, offset: 0, length: 0, count: 1, set, mark: 0 };
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = slot;
                id
            }
            None => {
                if self.slots.len() == self.slots.capacity() {
                    // Not to twice of it, as a vector would: the rows of a large table rarely double.
                    self.slots.reserve_exact(self.slots.len() / 4 + 4);
                }
                self.slots.push(slot);
                self.slots.len() as RowId - 1
            }
        };
        self.live_rows += 1;
        if set == SHARED {
            self.shared.insert(id, vec![(set, 1)]);
        }
        id
    }

    /// Counts one more delivery.
    #[inline]
    pub fn add(&mut self, id: RowId, set: u32) {
        let slot = &mut self.slots[id as usize];
        if slot.set != set || set == SHARED {
            let one_set = (slot.set, slot.count);
            slot.set = SHARED;
            let holders = self.shared.entry(id).or_insert_with(|| vec![one_set]);
            match holders.iter_mut().find(|(holder, _)| *holder == set) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => holders.push((set, 1)),
            }
        }
        slot.count = slot.count.saturating_add(1);
    }

    /// Takes one delivery back and tells how many are left of all sets; None when this set does not hold the row.
    #[inline]
    pub fn take(&mut self, id: RowId, set: u32) -> Option<u32> {
        let slot = &mut self.slots[id as usize];
        if slot.set == SHARED {
            return self.take_shared(id, set, 1);
        }
        if slot.set != set || slot.count == 0 {
            return None;
        }
        slot.count -= 1;
        Some(slot.count)
    }

    /// Takes up to so many deliveries of a shared row back.
    fn take_shared(&mut self, id: RowId, set: u32, most: u32) -> Option<u32> {
        let slot = &mut self.slots[id as usize];
        let holders = self.shared.get_mut(&id)?;
        let position = holders.iter().position(|(holder, _)| *holder == set)?;
        let taken = holders[position].1.min(most);
        holders[position].1 -= taken;
        slot.count -= taken;
        if holders[position].1 == 0 {
            holders.swap_remove(position);
        }
        match holders[..] {
            [] => drop(self.shared.remove(&id)),
            [(last, _)] if last != SHARED => {
                slot.set = last;
                self.shared.remove(&id);
            }
            _ => {}
        }
        Some(slot.count)
    }

    /// Takes all deliveries of a set back and gives the rows that nothing holds any more, which stay until `remove_all`.
    pub fn take_set(&mut self, set: u32) -> Vec<RowId> {
        let mut sharing: Vec<RowId> = Vec::new();
        sharing
            .extend(self.shared.iter().filter(|(_, holders)| holders.iter().any(|(s, _)| *s == set)).map(|(id, _)| id));
        let mut dead = Vec::new();
        for (id, slot) in self.slots.iter_mut().enumerate() {
            if slot.set == set && set != SHARED && slot.count != 0 {
                slot.count = 0;
                dead.push(id as RowId);
            }
        }
        dead.extend(sharing.into_iter().filter(|id| self.take_shared(*id, set, u32::MAX) == Some(0)));
        dead
    }

    /// Removes rows, and only then moves what is left in blocks that have become sparse: a row on the list may have a
    /// count of 0 already, and would be taken for removed.
    pub fn remove_all(&mut self, ids: impl IntoIterator<Item = RowId>) {
        let mut sparse = Vec::new();
        for id in ids {
            let slot = &mut self.slots[id as usize];
            slot.count = 0;
            let (index, mut size) = (slot.block as usize, slot.length as usize);
            self.free.push(id);
            self.live_rows -= 1;
            let block = &mut self.blocks[index];
            let was_sparse = block.is_sparse();
            match &mut block.lent {
                Some(piece) => piece.remove(size),
                None => {
                    size += HEADER;
                    block.live -= size;
                    let offset = slot.offset - HEADER as u32;
                    self.holes.add(size, Hole { block: slot.block, serial: block.serial, offset });
                }
            }
            self.live_bytes -= size;
            if block.is_sparse() && !was_sparse && self.tail != Some(index) {
                sparse.push(index);
            }
        }
        if self.live_rows == 0 {
            *self = RowStore::default();
            return;
        }
        for index in sparse {
            self.evacuate(index);
        }
        // Of sizes that do not come again, or in blocks that are gone.
        if self.holes.len() > self.live_rows / 2 + MOST_HOLES {
            self.holes = Holes::default();
        }
    }

    #[inline]
    pub fn bytes(&self, id: RowId) -> &[u8] {
        let slot = &self.slots[id as usize];
        &self.blocks[slot.block as usize].bytes()[slot.offset as usize..][..slot.length as usize]
    }

    /// How many deliveries of the row are alive.
    #[inline]
    pub fn count(&self, id: RowId) -> u32 {
        self.slots[id as usize].count
    }

    #[inline]
    pub fn mark(&self, id: RowId) -> u32 {
        self.slots[id as usize].mark
    }

    #[inline]
    pub fn set_mark(&mut self, id: RowId, mark: u32) {
        self.slots[id as usize].mark = mark;
    }

    pub fn len(&self) -> usize {
        self.live_rows
    }

    pub fn is_empty(&self) -> bool {
        self.live_rows == 0
    }

    /// The first live row at or after `id`.
    pub fn next_live(&self, id: RowId) -> Option<RowId> {
        let rest = self.slots.get(id as usize..)?;
        rest.iter().position(|slot| slot.count != 0).map(|skipped| id + skipped as RowId)
    }

    pub fn ids(&self) -> impl Iterator<Item = RowId> + '_ {
        let live = self.slots.iter().enumerate().filter(|(_, slot)| slot.count != 0);
        live.map(|(id, _)| id as RowId)
    }

    /// Live rows with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> + '_ {
        self.ids().map(|id| (self.bytes(id), self.count(id)))
    }

    /// Live rows with the count of each query set that holds them.
    pub fn deliveries(&self) -> impl Iterator<Item = (&[u8], u32, u32)> + '_ {
        self.ids().flat_map(move |id| {
            let slot = self.slots[id as usize];
            let own = (slot.set != SHARED).then_some((slot.set, slot.count));
            let shared = self.shared.get(&id).into_iter().flatten().copied();
            own.into_iter().chain(shared).map(move |(set, count)| (self.bytes(id), set, count))
        })
    }

    /// Bytes of memory held, for tests and statistics.
    pub fn memory(&self) -> usize {
        let memory = |block: &Block| block.data.capacity() + block.lent.as_ref().map_or(0, Piece::memory);
        let blocks: usize = self.blocks.iter().map(memory).sum();
        let lists: usize = self.shared.values().map(|sets| sets.capacity() * size_of::<(u32, u32)>()).sum();
        let lists = lists + self.shared.allocation_size() + self.holes.memory();
        self.spare.capacity()
            + blocks
            + lists
            + self.slots.capacity() * size_of::<Slot>()
            + self.free.capacity() * size_of::<RowId>()
    }

    /// Gives the block, and where in it the row's bytes are.
    fn append(&mut self, id: RowId, row: &[u8]) -> (u32, u32) {
        let size = HEADER + row.len();
        self.live_bytes += size;
        if let Some(hole) = self.take_hole(size) {
            let block = &mut self.blocks[hole.block as usize];
            block.live += size;
            // The record that was here has the same length.
            let record = &mut block.data[hole.offset as usize..][..size];
            record[..4].copy_from_slice(&id.to_le_bytes());
            record[HEADER..].copy_from_slice(row);
            return (hole.block, hole.offset + HEADER as u32);
        }
        let room = |index: &usize| self.blocks[*index].data.capacity() - self.blocks[*index].data.len();
        let index = self.tail.filter(|index| room(index) >= size).unwrap_or_else(|| self.start_block(size));
        let block = &mut self.blocks[index];
        block.data.extend_from_slice(&id.to_le_bytes());
        block.data.extend_from_slice(&(row.len() as u32).to_le_bytes());
        let offset = block.data.len() as u32;
        block.data.extend_from_slice(row);
        block.live += size;
        (index as u32, offset)
    }

    fn take_hole(&mut self, size: usize) -> Option<Hole> {
        loop {
            let hole = self.holes.take(size)?;
            if self.blocks[hole.block as usize].serial == hole.serial {
                return Some(hole);
            }
        }
    }

    /// Blocks grow with the table. A row that is larger than any block gets one of its own.
    fn start_block(&mut self, least: usize) -> usize {
        let size = match self.live_bytes {
            bytes if bytes >= 8 * LARGEST_BLOCK => LARGEST_BLOCK,
            bytes => (bytes / 4).clamp(SMALLEST_BLOCK, LARGE_BLOCK),
        };
        let size = size.max(least);
        let data = if size == self.spare.capacity() { std::mem::take(&mut self.spare) } else { Vec::new() };
        self.serial = self.serial.wrapping_add(1).max(1);
        let mut block = Block { data, serial: self.serial, ..Block::default() };
        block.data.reserve_exact(size);
        let index = self.add_block(block);
        // Rows may have died in it while it was the tail.
        match self.tail.replace(index) {
            Some(full) if full != index && self.blocks[full].is_sparse() => {
                self.evacuate(full);
                // That may have filled this one.
                self.tail.unwrap_or(index)
            }
            _ => index,
        }
    }

    fn add_block(&mut self, block: Block) -> usize {
        match self.free_blocks.pop() {
            Some(index) => {
                self.blocks[index as usize] = block;
                index as usize
            }
            None => {
                self.blocks.push(block);
                self.blocks.len() - 1
            }
        }
    }

    /// The block for the next row that stays in these bytes.
    fn piece_of(&mut self, lent: &Arc<Lent>) -> usize {
        let takes = |index: &usize| {
            self.blocks[*index].lent.as_ref().is_some_and(|piece| piece.is_of(lent) && piece.has_room())
        };
        self.lent.filter(takes).unwrap_or_else(|| {
            let index = self.add_block(Block { lent: Some(Piece::new(lent)), ..Block::default() });
            self.lent = Some(index);
            index
        })
    }

    /// Copies rows that stay in these bytes, until so many bytes were copied or none stays.
    pub fn move_out(&mut self, lent: &Arc<Lent>, most: usize) {
        let mut moved = 0;
        for index in 0..self.blocks.len() {
            match &self.blocks[index].lent {
                Some(piece) if piece.is_of(lent) && moved < most => {
                    moved += piece.live;
                    self.evacuate(index);
                }
                _ => {}
            }
        }
    }

    /// Moves the live rows of a block to the tail and lets the block go.
    fn evacuate(&mut self, index: usize) {
        let mut block = std::mem::take(&mut self.blocks[index]);
        if let Some(piece) = block.lent {
            self.live_bytes -= piece.live;
            for id in piece.ids() {
                let slot = self.slots[id as usize];
                if slot.count != 0 && slot.block as usize == index {
                    let row = &piece.bytes()[slot.offset as usize..][..slot.length as usize];
                    let (block, offset) = self.append(id, row);
                    self.slots[id as usize] = Slot { block, offset, ..slot };
                }
            }
            self.free_blocks.push(index as u32);
            return;
        }
        self.live_bytes -= block.live;
        let mut offset = 0;
        while offset < block.data.len() {
            let id = number(&block.data, offset);
            let start = offset + HEADER;
            let end = start + number(&block.data, offset + 4) as usize;
            let slot = self.slots[id as usize];
            if slot.count != 0 && (slot.block as usize, slot.offset as usize) == (index, start) {
                let (block, offset) = self.append(id, &block.data[start..end]);
                self.slots[id as usize] = Slot { block, offset, ..slot };
            }
            offset = end;
        }
        self.free_blocks.push(index as u32);
        if matches!(block.data.capacity(), LARGE_BLOCK | LARGEST_BLOCK) {
            block.data.clear();
            self.spare = block.data;
        }
    }
}

#[inline]
fn number(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain map: any order of insertions and removals keeps every live row's bytes.
        #[test]
        fn live_rows_keep_their_bytes(steps in prop::collection::vec((any::<bool>(), 0usize..600, any::<u8>()), 1..400)) {
            let mut store = RowStore::default();
            let mut model: Vec<(RowId, Vec<u8>)> = Vec::new();
            for (remove, size, byte) in steps {
                if remove && !model.is_empty() {
                    // Several at once, as a message does, with their counts at 0 before.
                    let first = size % model.len();
                    let last = (first + size % 7 + 1).min(model.len());
                    let gone: Vec<RowId> = model.drain(first..last).map(|(id, _)| id).collect();
                    gone.iter().for_each(|id| assert_eq!(store.take(*id, 1), Some(0)));
                    store.remove_all(gone);
                } else {
                    let row = vec![byte; size];
                    model.push((store.insert(&row, 1), row));
                }
                prop_assert_eq!(store.len(), model.len());
                for (id, row) in &model {
                    prop_assert_eq!(store.bytes(*id), &row[..]);
                }
            }
        }
    }

    #[test]
    fn memory_follows_the_live_rows() {
        let mut store = RowStore::default();
        let ids: Vec<RowId> = (0..100_000).map(|_| store.insert(&[7; 100], 1)).collect();
        let full = store.memory();
        for id in &ids[1..] {
            store.remove_all([*id]);
        }
        // The slots stay until the last row goes, 24 bytes for each row there was, and the memory of one block.
        assert!(store.memory() < full / 3, "{} of {full} bytes are held by one row", store.memory());
        store.remove_all([ids[0]]);
        assert_eq!(store.memory(), 0);
    }

    #[test]
    fn churn_does_not_grow() {
        let mut store = RowStore::default();
        let mut ids: Vec<RowId> = (0..1000).map(|_| store.insert(&[1; 50], 1)).collect();
        let before = store.memory();
        for round in 0..100_000 {
            let at = round % ids.len();
            store.remove_all([ids[at]]);
            ids[at] = store.insert(&[2; 50], 1);
        }
        assert!(store.memory() < before * 4, "{} after, {before} before", store.memory());
    }

    #[test]
    fn rows_of_the_same_size_take_the_places_of_others() {
        let mut store = RowStore::default();
        let mut ids: Vec<RowId> = (0..20_000u32).map(|n| store.insert(&n.to_le_bytes().repeat(25), 1)).collect();
        let before: usize = store.blocks.iter().map(|block| block.data.len()).sum();
        for round in 0..100_000usize {
            let at = round * 7919 % ids.len();
            store.remove_all([ids[at]]);
            ids[at] = store.insert(&(round as u32).to_le_bytes().repeat(25), 1);
        }
        let after: usize = store.blocks.iter().map(|block| block.data.len()).sum();
        assert_eq!((store.len(), after), (20_000, before));
    }
}
