//! How rows are found: by one column's bytes, or by all of them.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use crate::sats::{Layout, TypeId};

#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub layout: &'a Layout,
    pub row: TypeId,
    pub hasher: &'a RandomState,
}

impl Keys<'_> {
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// The bytes of a column. Rows were checked when they came, so that this always finds it.
    #[inline]
    pub fn column<'r>(&self, column: u16, row: &'r [u8]) -> &'r [u8] {
        let product = self.layout.product(self.row).expect("row types are products");
        let field = &product.fields[usize::from(column)];
        let mut reader = self.layout.field(product, usize::from(column), row).expect("a checked row");
        let start = reader.position();
        self.layout.skip(field.ty, &mut reader).expect("a checked row");
        reader.since(start)
    }

    /// The primary key or, in a table without one, the row.
    #[inline]
    pub fn main<'r>(&self, primary_key: Option<u16>, row: &'r [u8]) -> &'r [u8] {
        match primary_key {
            Some(column) => self.column(column, row),
            None => row,
        }
    }
}
