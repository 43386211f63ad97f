//! How rows are found: by one column's bytes, or by all of them.

use std::hash::{BuildHasher, Hasher};

use crate::hashing::Hashing;
use crate::sats::{Layout, TypeId};

#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub layout: &'a Layout,
    pub row: TypeId,
    pub hasher: &'a Hashing,
}

/// A column that rows are found by, and where it is.
#[derive(Clone, Debug)]
pub struct Column {
    pub index: u16,
    /// Start and end, if they are the same in all rows.
    fixed: Option<(usize, usize)>,
}

impl Column {
    pub fn new(layout: &Layout, row: TypeId, index: u16) -> Self {
        let fixed = layout.product(row).and_then(|product| {
            let start = product.ways[usize::from(index)].fixed()? as usize;
            let size = layout.node(product.fields[usize::from(index)].ty).fixed?;
            Some((start, start.checked_add(size as usize)?))
        });
        Column { index, fixed }
    }
}

impl Keys<'_> {
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        // Most keys are numbers of this size.
        match key.try_into() {
            Ok(bytes) => hasher.write_u64(u64::from_le_bytes(bytes)),
            Err(_) => hasher.write(key),
        }
        hasher.finish()
    }

    /// The bytes of a column. Rows were checked when they came, so that this always finds it.
    #[inline]
    pub fn column<'r>(&self, column: &Column, row: &'r [u8]) -> &'r [u8] {
        match column.fixed {
            Some((start, end)) => &row[start..end],
            None => self.find(column.index, row),
        }
    }

    fn find<'r>(&self, column: u16, row: &'r [u8]) -> &'r [u8] {
        let product = self.layout.product(self.row).expect("row types are products");
        let field = &product.fields[usize::from(column)];
        let mut reader = self.layout.field(product, usize::from(column), row).expect("a checked row");
        self.layout.cut(field.ty, &mut reader).expect("a checked row")
    }

    /// The primary key or, in a table without one, the row.
    #[inline]
    pub fn main<'r>(&self, primary_key: Option<&Column>, row: &'r [u8]) -> &'r [u8] {
        match primary_key {
            Some(column) => self.column(column, row),
            None => row,
        }
    }
}
