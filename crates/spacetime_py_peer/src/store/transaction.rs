//! A transaction changes the tables at once and remembers how to take it back; what it remembers is also what subscribers
//! are told.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Set;
use super::table::{Row, Tables, Taken};

/// The net changes of one table.
#[derive(Default)]
pub struct Delta {
    pub inserts: Set<Row>,
    pub deletes: Set<Row>,
    /// Rows of an event table: told and never stored, equal ones as often as they happened.
    pub events: Vec<Row>,
}

impl Delta {
    pub fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.deletes.is_empty() && self.events.is_empty()
    }
}

/// Changes in the making. Dropping it keeps them; `roll_back` undoes them.
pub struct Transaction<'a> {
    tables: &'a mut Tables,
    deltas: BTreeMap<usize, Delta>,
}

impl<'a> Transaction<'a> {
    pub fn new(tables: &'a mut Tables) -> Self {
        Transaction { tables, deltas: BTreeMap::new() }
    }

    pub fn tables(&self) -> &Tables {
        self.tables
    }

    /// Inserts a row, with the numbers of its sequences filled in, and gives it as it is stored.
    /// A row that is there already changes nothing.
    pub fn insert(&mut self, table: usize, mut row: Vec<u8>) -> Result<Row, Taken> {
        let schema = self.tables.schema.clone();
        let layout = schema.layout();
        let delta = self.deltas.entry(table).or_default();
        let stored = self.tables.table_mut(table);
        stored.fill_sequences(layout, &mut row);
        if schema.def.tables[table].is_event {
            let row: Row = row.into();
            delta.events.push(row.clone());
            return Ok(row);
        }
        if let Some(there) = stored.get(layout, &row) {
            return Ok(there.clone());
        }
        stored.check(layout, &row)?;
        let row = delta.deletes.take(&row[..]).unwrap_or_else(|| {
            let row: Row = row.into();
            delta.inserts.insert(row.clone());
            row
        });
        stored.add(layout, &row);
        Ok(row)
    }

    /// Deletes the row with these bytes; false if there is none.
    pub fn delete(&mut self, table: usize, row: &[u8]) -> bool {
        let schema = self.tables.schema.clone();
        let stored = self.tables.table_mut(table);
        let Some(row) = stored.get(schema.layout(), row).cloned() else { return false };
        stored.remove(schema.layout(), &row);
        let delta = self.deltas.entry(table).or_default();
        if !delta.inserts.remove(&row) {
            delta.deletes.insert(row);
        }
        true
    }

    /// Ends it with its changes kept, and says what they are, by table.
    pub fn commit(self) -> BTreeMap<usize, Delta> {
        let mut deltas = self.deltas;
        deltas.retain(|_, delta| !delta.is_empty());
        deltas
    }

    /// Ends it as if it had never been, but for the numbers of sequences.
    pub fn roll_back(self) {
        let schema = Rc::clone(&self.tables.schema);
        for (table, delta) in &self.deltas {
            let stored = self.tables.table_mut(*table);
            delta.inserts.iter().for_each(|row| stored.remove(schema.layout(), row));
            delta.deletes.iter().for_each(|row| stored.add(schema.layout(), row));
        }
    }
}
