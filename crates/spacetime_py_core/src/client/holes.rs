//! Where rows were that are gone, by their size. A new row of that size takes the place, so that a table whose rows change
//! keeps its blocks full and has little to move.

use hashbrown::HashMap;

use crate::hashing::Hashing;

/// A record's place in a block. Blocks come and go under the same number, and each has another serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    pub block: u32,
    pub serial: u32,
    pub offset: u32,
}

#[derive(Debug, Default)]
pub struct Holes {
    by_size: HashMap<usize, Vec<Hole>, Hashing>,
    count: usize,
}

impl Holes {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn add(&mut self, size: usize, hole: Hole) {
        self.by_size.entry(size).or_default().push(hole);
        self.count += 1;
    }

    /// The newest one of this size, whose block may be gone.
    pub fn take(&mut self, size: usize) -> Option<Hole> {
        if self.count == 0 {
            return None;
        }
        let hole = self.by_size.get_mut(&size)?.pop()?;
        self.count -= 1;
        Some(hole)
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let lists: usize = self.by_size.values().map(|holes| holes.capacity() * size_of::<Hole>()).sum();
        lists + self.by_size.allocation_size()
    }
}
