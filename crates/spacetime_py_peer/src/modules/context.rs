//! What a module's function works with: the transaction, and who calls when.

use std::rc::Rc;

use _core::sats::value::Value;
use _core::sats::{Reader, Writer};

use super::{Failure, Outcome};
use crate::database::{Caller, ConnectionId, Identity};
use crate::schema::Schema;
use crate::store::{Row, Table, Tables, Transaction, column_range};

pub struct Context<'a> {
    transaction: Transaction<'a>,
    pub schema: Rc<Schema>,
    pub sender: Identity,
    /// None where no client calls.
    pub connection_id: Option<ConnectionId>,
    /// Microseconds since 1970.
    pub timestamp: i64,
    /// Of the database.
    pub identity: Identity,
    /// What the reducer gives its caller, as BSATN.
    pub value: Vec<u8>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(transaction: Transaction<'a>, caller: Caller, timestamp: i64, identity: Identity) -> Self {
        let schema = transaction.tables().schema.clone();
        let Caller { identity: sender, connection_id } = caller;
        Context { transaction, schema, sender, connection_id, timestamp, identity, value: Vec::new() }
    }

    pub(crate) fn into_transaction(self) -> Transaction<'a> {
        self.transaction
    }

    pub fn tables(&self) -> &Tables {
        self.transaction.tables()
    }

    /// A table's place by its name.
    pub fn table(&self, name: &str) -> Outcome<usize> {
        self.schema.table(name).ok_or_else(|| Failure::Fatal(format!("the schema has no table {name}")))
    }

    pub fn rows(&self, table: usize) -> &Table {
        self.transaction.tables().table(table)
    }

    /// Inserts a row; a unique value that is taken is a panic, as it is in modules.
    pub fn insert(&mut self, table: usize, row: Vec<u8>) -> Outcome<Row> {
        self.transaction.insert(table, row).map_err(|_| Failure::panic())
    }

    pub fn delete(&mut self, table: usize, row: &[u8]) -> bool {
        self.transaction.delete(table, row)
    }

    pub fn find(&self, table: usize, key: &[u8]) -> Option<Row> {
        let column = self.schema.def.tables[table].primary_key?;
        self.rows(table).find(column, key).cloned()
    }

    /// Deletes the row with this primary key, if there is one.
    pub fn delete_key(&mut self, table: usize, key: &[u8]) -> bool {
        match self.find(table, key) {
            Some(row) => self.delete(table, &row),
            None => false,
        }
    }

    /// Puts a row in the place of the one with the same primary key; without one it is a panic.
    pub fn update(&mut self, table: usize, row: Vec<u8>) -> Outcome<Row> {
        let old = self.rows(table).same_key(self.schema.layout(), &row).cloned().ok_or_else(Failure::panic)?;
        self.delete(table, &old);
        self.insert(table, row)
    }

    /// Inserts a row or puts it in the place of the one with the same primary key.
    pub fn put(&mut self, table: usize, row: Vec<u8>) -> Outcome<Row> {
        if let Some(old) = self.rows(table).same_key(self.schema.layout(), &row).cloned() {
            self.delete(table, &old);
        }
        self.insert(table, row)
    }

    pub fn clear(&mut self, table: usize) {
        let rows: Vec<Row> = self.rows(table).rows().cloned().collect();
        for row in rows {
            self.delete(table, &row);
        }
    }

    /// A row taken apart into its columns.
    pub fn decode(&self, table: usize, row: &[u8]) -> Outcome<Vec<Value>> {
        let row_type = self.schema.def.tables[table].row;
        match self.schema.layout().decode(row_type, &mut Reader::new(row)) {
            Ok(Value::Product(columns)) => Ok(columns),
            _ => Err(Failure::panic()),
        }
    }

    /// The bytes of one column.
    pub fn column<'r>(&self, table: usize, column: u16, row: &'r [u8]) -> &'r [u8] {
        let row_type = self.schema.def.tables[table].row;
        &row[column_range(self.schema.layout(), row_type, Some(column), row)]
    }
}

/// Columns put together.
pub fn encode(columns: Vec<Value>) -> Outcome<Vec<u8>> {
    let mut writer = Writer::default();
    Value::Product(columns).encode(&mut writer).map_err(|_| Failure::panic())?;
    Ok(writer.0)
}
