//! One table: its rows as BSATN, found by their bytes or by a unique column.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use _core::sats::{Layout, TypeId};

use super::Set;
use crate::schema::Schema;

/// A row's BSATN, shared by the table, the indexes and the changes of a transaction.
pub type Row = Rc<[u8]>;

/// A row under the bytes of one of its columns, or under all of its bytes.
struct Keyed {
    row: Row,
    start: u32,
    end: u32,
}

impl Borrow<[u8]> for Keyed {
    fn borrow(&self) -> &[u8] {
        &self.row[self.start as usize..self.end as usize]
    }
}

impl Hash for Keyed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Borrow::<[u8]>::borrow(self).hash(state);
    }
}

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        Borrow::<[u8]>::borrow(self) == Borrow::<[u8]>::borrow(other)
    }
}

impl Eq for Keyed {}

/// All rows by one unique column; without a column by themselves.
struct Index {
    column: Option<u16>,
    entries: Set<Keyed>,
}

/// The rows of one table, and its counters.
pub struct Table {
    row: TypeId,
    /// The first one has every row under its primary key, or under itself where there is none.
    indexes: Vec<Index>,
    /// Columns that are filled in, and the next value of each.
    sequences: Vec<(u16, u64)>,
}

/// Why a row cannot be inserted: another one has the value of this unique column.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub column: u16,
}

impl Table {
    fn new(schema: &Schema, table: usize) -> Table {
        let def = &schema.def.tables[table];
        let identity = def.primary_key;
        let others = def.unique.iter().copied().filter(|column| Some(*column) != identity).map(Some);
        let index = |column| Index { column, entries: Set::default() };
        let indexes = std::iter::once(identity).chain(others).map(index).collect();
        let sequences = schema.tables[table].sequences.iter().map(|column| (*column, 1)).collect();
        Table { row: def.row, indexes, sequences }
    }

    pub fn len(&self) -> usize {
        self.indexes[0].entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.indexes[0].entries.iter().map(|entry| &entry.row)
    }

    /// The row with this value (in BSATN) in a unique column.
    pub fn find(&self, column: u16, value: &[u8]) -> Option<&Row> {
        let index = self.indexes.iter().find(|index| index.column == Some(column))?;
        index.entries.get(value).map(|entry| &entry.row)
    }

    /// The row of the table that has the same bytes.
    pub fn get(&self, layout: &Layout, row: &[u8]) -> Option<&Row> {
        let key = &self.indexes[0];
        let found = key.entries.get(&row[column_range(layout, self.row, key.column, row)])?;
        (*found.row == *row).then_some(&found.row)
    }

    /// The row that has the same primary key; without one that with the same bytes.
    pub fn same_key(&self, layout: &Layout, row: &[u8]) -> Option<&Row> {
        let key = &self.indexes[0];
        key.entries.get(&row[column_range(layout, self.row, key.column, row)]).map(|found| &found.row)
    }

    /// Writes the next number into each sequence's column that holds zero.
    pub(super) fn fill_sequences(&mut self, layout: &Layout, row: &mut [u8]) {
        for (column, next) in &mut self.sequences {
            let range = column_range(layout, self.row, Some(*column), row);
            let value = &mut row[range];
            if value.iter().all(|byte| *byte == 0) {
                let number = next.to_le_bytes();
                let count = value.len().min(number.len());
                value[..count].copy_from_slice(&number[..count]);
                *next += 1;
            }
        }
    }

    /// Whether a row may come in, given that it is not there yet.
    pub(super) fn check(&self, layout: &Layout, row: &[u8]) -> Result<(), Taken> {
        for index in &self.indexes {
            let Some(column) = index.column else { continue };
            if index.entries.contains(&row[column_range(layout, self.row, Some(column), row)]) {
                return Err(Taken { column });
            }
        }
        Ok(())
    }

    pub(super) fn add(&mut self, layout: &Layout, row: &Row) {
        for index in &mut self.indexes {
            let range = column_range(layout, self.row, index.column, row);
            index.entries.insert(Keyed { row: row.clone(), start: range.start as u32, end: range.end as u32 });
        }
    }

    pub(super) fn remove(&mut self, layout: &Layout, row: &[u8]) {
        for index in &mut self.indexes {
            index.entries.remove(&row[column_range(layout, self.row, index.column, row)]);
        }
    }
}

/// Where a column's bytes are in a row; all of it without a column. Rows were checked before they came here.
pub fn column_range(layout: &Layout, row_type: TypeId, column: Option<u16>, row: &[u8]) -> std::ops::Range<usize> {
    let found = column.and_then(|column| {
        let product = layout.product(row_type)?;
        let mut reader = layout.field(product, column.into(), row).ok()?;
        let start = reader.position();
        layout.skip(product.fields[usize::from(column)].ty, &mut reader).ok()?;
        Some(start..reader.position())
    });
    found.unwrap_or(0..row.len())
}

/// All tables of a database, by their place in the schema. Views have a place here too and hold nothing.
pub struct Tables {
    pub schema: Rc<Schema>,
    tables: Vec<Table>,
}

impl Tables {
    pub fn new(schema: Rc<Schema>) -> Tables {
        let tables = (0..schema.def.tables.len()).map(|table| Table::new(&schema, table)).collect();
        Tables { schema, tables }
    }

    pub fn table(&self, table: usize) -> &Table {
        &self.tables[table]
    }

    pub(super) fn table_mut(&mut self, table: usize) -> &mut Table {
        &mut self.tables[table]
    }
}
