//! Where the cached rows' bytes live: packed into blocks under 32-bit ids. A block that is mostly dead is moved together,
//! so that memory follows the live rows and a removal costs no more than its share of one block.

/// A row in the store. Ids of removed rows are used again.
pub type RowId = u32;

#[derive(Debug, Default)]
pub struct RowStore {
    slots: Vec<Slot>,
    free: Vec<RowId>,
    blocks: Vec<Block>,
    free_blocks: Vec<u32>,
    /// The block that grows; `blocks.len()` when there is none.
    tail: usize,
    live_bytes: usize,
    live_rows: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    block: u32,
    offset: u32,
    /// How many deliveries of this row are alive; 0: the slot is free.
    count: u32,
    /// A note of the transaction that is being applied; 0 between transactions.
    mark: u32,
}

/// Records of row id, length, bytes. The id leads back from a record to its slot.
#[derive(Debug, Default)]
struct Block {
    data: Vec<u8>,
    live: usize,
}

impl Block {
    fn is_sparse(&self) -> bool {
        self.live * 2 < self.data.len()
    }
}

const HEADER: usize = 8;
const SMALLEST_BLOCK: usize = 1024;
const LARGEST_BLOCK: usize = 256 * 1024;

impl RowStore {
    /// Adds a row with a count of 1.
    pub fn insert(&mut self, row: &[u8]) -> RowId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { block: 0, offset: 0, count: 0, mark: 0 });
            self.slots.len() as RowId - 1
        });
        let (block, offset) = self.append(id, row);
        self.slots[id as usize] = Slot { block, offset, count: 1, mark: 0 };
        self.live_rows += 1;
        id
    }

    /// Removes rows, and only then moves what is left in blocks that have become sparse: a row on the list may have a
    /// count of 0 already, and would be taken for removed.
    pub fn remove_all(&mut self, ids: impl IntoIterator<Item = RowId>) {
        let mut sparse = Vec::new();
        for id in ids {
            let size = HEADER + self.bytes(id).len();
            let slot = &mut self.slots[id as usize];
            slot.count = 0;
            let index = slot.block as usize;
            self.free.push(id);
            self.live_rows -= 1;
            self.live_bytes -= size;
            let block = &mut self.blocks[index];
            let was_sparse = block.is_sparse();
            block.live -= size;
            if block.is_sparse() && !was_sparse && index != self.tail {
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
    }

    #[inline]
    pub fn bytes(&self, id: RowId) -> &[u8] {
        let slot = self.slots[id as usize];
        let data = &self.blocks[slot.block as usize].data;
        let start = slot.offset as usize + HEADER;
        let length = number(data, start - 4) as usize;
        &data[start..start + length]
    }

    #[inline]
    pub fn count_mut(&mut self, id: RowId) -> &mut u32 {
        &mut self.slots[id as usize].count
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

    /// Live rows with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> + '_ {
        let live = self.slots.iter().enumerate().filter(|(_, slot)| slot.count != 0);
        live.map(|(id, slot)| (self.bytes(id as RowId), slot.count))
    }

    /// Bytes of memory held, for tests and statistics.
    pub fn memory(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(|block| block.data.capacity()).sum();
        blocks + self.slots.capacity() * size_of::<Slot>() + self.free.capacity() * size_of::<RowId>()
    }

    fn append(&mut self, id: RowId, row: &[u8]) -> (u32, u32) {
        let size = HEADER + row.len();
        let room = self.blocks.get(self.tail).map_or(0, |block| block.data.capacity() - block.data.len());
        if room < size {
            self.start_block(size);
        }
        self.live_bytes += size;
        let block = &mut self.blocks[self.tail];
        let offset = block.data.len() as u32;
        block.data.extend_from_slice(&id.to_le_bytes());
        block.data.extend_from_slice(&(row.len() as u32).to_le_bytes());
        block.data.extend_from_slice(row);
        block.live += size;
        (self.tail as u32, offset)
    }

    /// Blocks grow with the table. A row that is larger than any block gets one of its own.
    fn start_block(&mut self, least: usize) {
        let size = (self.live_bytes / 4).clamp(SMALLEST_BLOCK, LARGEST_BLOCK).max(least);
        let block = Block { data: Vec::with_capacity(size), live: 0 };
        let full = self.tail;
        match self.free_blocks.pop() {
            Some(index) => {
                self.blocks[index as usize] = block;
                self.tail = index as usize;
            }
            None => {
                self.blocks.push(block);
                self.tail = self.blocks.len() - 1;
            }
        }
        // Rows may have died in it while it was the tail.
        if full != self.tail && self.blocks.get(full).is_some_and(Block::is_sparse) {
            self.evacuate(full);
        }
    }

    /// Moves the live rows of a block to the tail and lets the block go.
    fn evacuate(&mut self, index: usize) {
        let block = std::mem::take(&mut self.blocks[index]);
        self.live_bytes -= block.live;
        let mut offset = 0;
        while offset < block.data.len() {
            let id = number(&block.data, offset);
            let start = offset + HEADER;
            let end = start + number(&block.data, offset + 4) as usize;
            let slot = self.slots[id as usize];
            if slot.count != 0 && (slot.block as usize, slot.offset as usize) == (index, offset) {
                let (to_block, to_offset) = self.append(id, &block.data[start..end]);
                self.slots[id as usize] = Slot { block: to_block, offset: to_offset, ..slot };
            }
            offset = end;
        }
        self.free_blocks.push(index as u32);
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
                    gone.iter().for_each(|id| *store.count_mut(*id) = 0);
                    store.remove_all(gone);
                } else {
                    let row = vec![byte; size];
                    model.push((store.insert(&row), row));
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
        let ids: Vec<RowId> = (0..100_000).map(|_| store.insert(&[7; 100])).collect();
        let full = store.memory();
        for id in &ids[1..] {
            store.remove_all([*id]);
        }
        // The slots stay until the last row goes: 20 bytes for each row there was.
        assert!(store.memory() < full / 4, "{} of {full} bytes are held by one row", store.memory());
        store.remove_all([ids[0]]);
        assert_eq!(store.memory(), 0);
    }

    #[test]
    fn churn_does_not_grow() {
        let mut store = RowStore::default();
        let mut ids: Vec<RowId> = (0..1000).map(|_| store.insert(&[1; 50])).collect();
        let before = store.memory();
        for round in 0..100_000 {
            let at = round % ids.len();
            store.remove_all([ids[at]]);
            ids[at] = store.insert(&[2; 50]);
        }
        assert!(store.memory() < before * 4, "{} after, {before} before", store.memory());
    }
}
