//! The client cache: all tables of the schema. A message is checked whole before any of it is applied.

use std::collections::HashMap;
use std::sync::Arc;

use super::diff::{Batch, Diff, RowRef, TableBatch};
use super::table::TableCache;
use crate::error::{DecodeError, Error, Problem, Result};
use crate::sats::{ModuleDef, TypeId};
use crate::wire::message::{RowList, TableRows};

#[derive(Debug)]
pub struct ClientCache {
    module: Arc<ModuleDef>,
    tables: Vec<TableCache>,
    names: HashMap<String, usize>,
    /// Tables that the server sent rows of and the schema does not have, each once.
    unknown: Vec<String>,
}

impl ClientCache {
    pub fn new(module: Arc<ModuleDef>) -> Self {
        let names = module.tables.iter().enumerate().map(|(index, table)| (table.name.clone(), index)).collect();
        let tables = module.tables.iter().map(TableCache::new).collect();
        ClientCache { module, tables, names, unknown: Vec::new() }
    }

    pub fn table(&self, index: usize) -> &TableCache {
        &self.tables[index]
    }

    /// Checks every row of a message against the schema. Nothing is applied, so that a fault leaves the cache as it was.
    pub fn check(&mut self, rows: Vec<TableRows>) -> Result<Batch> {
        let mut batch = Batch::default();
        for rows in rows {
            let name = rows.table.as_str();
            let Some(&table) = self.names.get(name) else {
                if !self.unknown.iter().any(|known| known == name) {
                    self.unknown.push(name.to_owned());
                }
                continue;
            };
            let ty = self.module.tables[table].row;
            let inserts = self.check_list(name, ty, rows.inserts, &mut batch)?;
            let deletes = self.check_list(name, ty, rows.deletes, &mut batch)?;
            match batch.tables.iter_mut().find(|known| known.table == table) {
                Some(known) => {
                    known.inserts.extend(inserts);
                    known.deletes.extend(deletes);
                }
                None => batch.tables.push(TableBatch { table, inserts, deletes }),
            }
        }
        Ok(batch)
    }

    fn check_list(&self, table: &str, ty: TypeId, rows: RowList, batch: &mut Batch) -> Result<Vec<RowRef>> {
        let buffer = batch.buffers.len() as u32;
        let mut places = Vec::with_capacity(rows.len());
        for (start, end) in rows.ranges() {
            let mismatch = |source: DecodeError| {
                Error::Schema(format!(
                    "a row of table `{table}` is not what these bindings expect: {source}; \
                     the database's schema differs, run `spacetime-py generate` again"
                ))
            };
            self.module.layout.validate(ty, &rows.data[start..end]).map_err(mismatch)?;
            let too_large = |_| mismatch(DecodeError { problem: Problem::BadRowList, offset: start });
            places.push(RowRef {
                buffer,
                start: u32::try_from(start).map_err(too_large)?,
                end: u32::try_from(end).map_err(too_large)?,
            });
        }
        if !places.is_empty() {
            batch.buffers.push(rows.data);
        }
        Ok(places)
    }

    /// Applies a checked batch to all of its tables.
    pub fn apply(&mut self, batch: Batch) -> Diff {
        let Batch { buffers, tables } = batch;
        let apply = |table: &TableBatch| self.tables[table.table].apply(&self.module.layout, table, &buffers);
        let tables = tables.iter().map(apply).filter(|diff| !diff.is_empty()).collect();
        Diff { buffers, tables }
    }

    pub fn clear(&mut self) {
        self.tables = self.module.tables.iter().map(TableCache::new).collect();
    }

    /// The names of unknown tables that were not told yet.
    pub fn unknown_tables(&self) -> &[String] {
        &self.unknown
    }
}
