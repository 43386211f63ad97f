//! The client cache: all tables of the schema. A message is checked whole before any of it is applied.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::diff::{Diff, Gathered, RowRef, TableDiff};
use super::index::OrderedIndex;
use super::lent::{self, Lent};
use super::spare::Spare;
use super::table::TableCache;
use crate::error::{DecodeError, Error, Problem, Result};
use crate::hashing::Hashing;
use crate::sats::module::TableDef;
use crate::sats::{Layout, ModuleDef};
use crate::wire::message::{NO_SET, RowList, Rows, TableRows};

#[derive(Debug)]
pub struct ClientCache {
    module: Arc<ModuleDef>,
    tables: Vec<TableCache>,
    /// By name, as bytes: a message's names need no second look at their characters.
    names: HashMap<Vec<u8>, usize, Hashing>,
    /// Tables that the server sent rows of and the schema does not have: each is told once.
    unknown: HashSet<String>,
    /// Tables whose rows the bindings would misread, and why.
    misfits: HashMap<usize, String>,
    warnings: Vec<String>,
    spare: Spare,
    /// Messages in whose bytes rows stay, and of how many bytes such a message is at least.
    lent: Vec<Arc<Lent>>,
    least_lent: usize,
}

impl ClientCache {
    pub fn new(module: Arc<ModuleDef>) -> Self {
        let names =
            module.tables.iter().enumerate().map(|(index, table)| (table.name.clone().into_bytes(), index)).collect();
        let tables = module.tables.iter().map(|table| TableCache::new(&module.layout, table)).collect();
        let (unknown, misfits, warnings, spare, lent) = Default::default();
        ClientCache { module, tables, names, unknown, misfits, warnings, spare, lent, least_lent: lent::LEAST }
    }

    /// For the same module, to be filled and to `replace` this one.
    pub fn new_empty_like(&self) -> Self {
        let (unknown, misfits, least_lent) = (self.unknown.clone(), self.misfits.clone(), self.least_lent);
        ClientCache { unknown, misfits, least_lent, ..ClientCache::new(self.module.clone()) }
    }

    /// Rows stay in messages of at least so many bytes, instead of being copied. For tests.
    pub fn lend_from(&mut self, bytes: usize) {
        self.least_lent = bytes;
    }

    /// From now on, rows of these tables are a fault; so are those that are here already. Replaces what was said before.
    pub fn refuse(&mut self, misfits: HashMap<usize, String>) -> Result<()> {
        self.misfits = misfits;
        match self.misfits.iter().find(|(table, _)| !self.tables[**table].rows().is_empty()) {
            Some((_, problem)) => Err(Error::Schema(problem.clone())),
            None => Ok(()),
        }
    }

    pub fn table(&self, index: usize) -> &TableCache {
        &self.tables[index]
    }

    /// The ordered index of a table over these columns, built now if nothing needed it before.
    pub fn ordered(&mut self, table: usize, columns: &[u16]) -> &OrderedIndex {
        self.tables[table].ordered(&self.module.layout, columns)
    }

    /// Makes whole keys of these columns of a table to be found: `TableCache::with_key`.
    pub fn find_by_key(&mut self, table: usize, columns: &[u16]) {
        self.tables[table].find_by_key(&self.module.layout, columns);
    }

    /// Checks every row of a message against the schema. Nothing is applied, so that a fault leaves the cache as it was.
    pub fn check(&mut self, body: Bytes, rows: Box<Rows>) -> Result<Box<Diff>> {
        let mut diff = self.spare.diff();
        let Diff { buffers, sets, tables } = &mut *diff;
        let mut places = Places::new(&rows, buffers, sets);
        let mut count = 0; // of tables that are this message's
        for list in &rows.tables {
            let name = &body[list.table.0..list.table.1];
            let Some(&table) = self.names.get(name) else {
                self.warn_of_unknown(&String::from_utf8_lossy(name));
                continue;
            };
            if let Some(problem) = self.misfits.get(&table) {
                return Err(Error::Schema(problem.clone()));
            }
            let def = &self.module.tables[table];
            let is_event = list.is_event || def.is_event;
            let known = tables[..count].iter().position(|known| (known.table, known.is_event) == (table, is_event));
            let changes = known.unwrap_or_else(|| {
                count += 1;
                if tables.len() < count {
                    tables.push(TableDiff::default());
                }
                (tables[count - 1].table, tables[count - 1].is_event) = (table, is_event);
                count - 1
            });
            let changes = &mut tables[changes];
            let bytes = list.part.map_or(&body, |part| &rows.expanded[part as usize]);
            for (rows, found) in [(&list.inserts, &mut changes.inserts), (&list.deletes, &mut changes.deletes)] {
                if !rows.is_empty() {
                    check_list(&self.module.layout, def, rows, bytes, places.of(list, rows, bytes), found)?;
                }
            }
        }
        tables.truncate(count);
        buffers[0] = body;
        self.spare.keep_rows(rows);
        Ok(diff)
    }

    /// Memory for the rows of the next message.
    pub fn spare_rows(&mut self) -> Option<Box<Rows>> {
        self.spare.rows()
    }

    /// What was told, and now is of use for its memory only.
    pub fn take_back(&mut self, diff: Box<Diff>) {
        self.spare.keep_diff(diff);
    }

    /// Applies checked rows to all of their tables.
    pub fn apply(&mut self, mut diff: Box<Diff>) -> Box<Diff> {
        let Diff { buffers, sets, tables } = &mut *diff;
        let lent = Lent::of_all(buffers, self.least_lent);
        for rows in &mut *tables {
            let table = &mut self.tables[rows.table];
            let missing = table.missing_deletes;
            table.apply(&self.module.layout, rows, buffers, sets, &lent);
            let missing = table.missing_deletes - missing;
            if missing != 0 {
                self.warn_of_missing(rows.table, missing);
            }
        }
        tables.retain(|table| !table.is_empty());
        if !self.lent.is_empty() || !lent.is_empty() {
            self.look_after_lent(lent);
        }
        diff
    }

    /// A message that brought little is not kept for it; one of which little is left is given back bit by bit.
    #[inline(never)]
    fn look_after_lent(&mut self, new: Vec<Option<Arc<Lent>>>) {
        for lent in self.lent.iter().filter(|lent| lent.is_sparse()) {
            self.tables.iter_mut().for_each(|table| table.move_out(lent, AT_ONCE));
        }
        self.lent.retain(|lent| !lent.is_empty());
        for lent in new.into_iter().flatten() {
            if lent.is_sparse() {
                self.tables.iter_mut().for_each(|table| table.move_out(&lent, usize::MAX));
            } else if !self.lent.iter().any(|known| Arc::ptr_eq(known, &lent)) {
                self.lent.push(lent);
            }
        }
    }

    /// Takes all deliveries of a query set back: of one that failed, or that left without its rows.
    pub fn drop_set(&mut self, set: u32) -> Box<Diff> {
        self.change_all(|table, layout, gathered| table.drop_set(layout, set, gathered))
    }

    pub fn drop_all(&mut self) -> Box<Diff> {
        self.change_all(|table, _, gathered| table.drop_all(gathered))
    }

    /// Puts the rows of another cache of the same module in the place of these, and tells the exact difference: after a
    /// reconnect, what happened meanwhile. Statistics and warnings of both are kept.
    pub fn replace(&mut self, new: ClientCache) -> Box<Diff> {
        let ClientCache { tables, unknown, warnings, lent, .. } = new;
        self.lent = lent;
        self.unknown.extend(unknown);
        self.warnings.extend(warnings);
        let mut tables = tables.into_iter();
        self.change_all(|table, layout, gathered| match tables.next() {
            Some(new) => table.replace(layout, new, gathered),
            None => TableDiff::default(),
        })
    }

    /// The diff of a change that no message brought, over all tables in the order of the schema.
    fn change_all(
        &mut self,
        mut change: impl FnMut(&mut TableCache, &Layout, &mut Gathered) -> TableDiff,
    ) -> Box<Diff> {
        let mut gathered = Gathered::default();
        let mut diffs = Vec::new();
        for (index, table) in self.tables.iter_mut().enumerate() {
            let diff = change(table, &self.module.layout, &mut gathered);
            if !diff.is_empty() {
                diffs.push(TableDiff { table: index, ..diff });
            }
        }
        self.look_after_lent(Vec::new());
        Box::new(Diff { buffers: gathered.into_buffers(), sets: Vec::new(), tables: diffs })
    }

    /// How many rows each query set holds. Looks at every row.
    pub fn set_sizes(&self) -> HashMap<u32, usize> {
        let mut sizes = HashMap::new();
        for (_, set, _) in self.tables.iter().flat_map(|table| table.rows().deliveries()) {
            *sizes.entry(set).or_default() += 1;
        }
        sizes
    }

    /// Name, number of rows and bytes of memory of each table, in the order of the schema.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        let tables = self.module.tables.iter().zip(&self.tables);
        tables.map(|(def, table)| (def.name.as_str(), table.rows().len(), table.memory()))
    }

    /// What a person should know and was not told yet.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn warn_of_unknown(&mut self, table: &str) {
        if !self.unknown.insert(table.to_owned()) {
            return;
        }
        self.warnings.push(format!(
            "the database sent rows of table `{table}`, which these bindings do not know: they are left out; \
             `spacetime-py generate` makes new bindings (with --include-private for private tables)"
        ));
    }

    fn warn_of_missing(&mut self, table: usize, count: u64) {
        let name = &self.module.tables[table].name;
        self.warnings.push(format!(
            "the database took {count} rows of table `{name}` away that it had not sent before: that changes nothing, \
             and the cache goes on"
        ));
    }
}

/// So many bytes of rows are moved out of a message with each change.
const AT_ONCE: usize = 1024 * 1024;

/// The buffers of a message's rows. The first one is the body, for the query set of its first rows.
struct Places<'a> {
    buffers: &'a mut Vec<Bytes>,
    sets: &'a mut Vec<u32>,
    /// Lists that follow each other mostly share one: in which part of the message it is, and its query set.
    last: (Option<u32>, u32),
    buffer: u32,
}

impl<'a> Places<'a> {
    fn new(rows: &Rows, buffers: &'a mut Vec<Bytes>, sets: &'a mut Vec<u32>) -> Self {
        let set = rows.tables.first().map_or(NO_SET, |list| list.query_set);
        let mut places = Places { buffers, sets, last: (None, set), buffer: 0 };
        places.add(Bytes::new(), set); // the body takes this place when all rows were looked at
        places
    }

    fn add(&mut self, bytes: Bytes, set: u32) -> u32 {
        self.buffers.push(bytes);
        self.sets.push(set);
        self.buffers.len() as u32 - 1
    }

    /// The buffer for these rows, and where in the bytes it begins.
    fn of(&mut self, list: &TableRows, rows: &RowList, bytes: &Bytes) -> (u32, usize) {
        let (begin, end) = rows.data();
        // Places are 32 bits wide: in a larger message each list is a buffer of its own.
        if u32::try_from(end).is_err() {
            return (self.add(bytes.slice(begin..), list.query_set), begin);
        }
        if self.last != (list.part, list.query_set) {
            self.last = (list.part, list.query_set);
            self.buffer = self.add(bytes.clone(), list.query_set);
        }
        (self.buffer, 0)
    }
}

/// `from`: the buffer of the rows, and where in the bytes it begins.
fn check_list(
    layout: &Layout,
    def: &TableDef,
    rows: &RowList,
    bytes: &[u8],
    (buffer, base): (u32, usize),
    places: &mut Vec<RowRef>,
) -> Result<()> {
    places.reserve(rows.len());
    for (start, end) in rows.ranges(bytes) {
        let mismatch = |source: DecodeError| {
            Error::Schema(format!(
                "a row of table `{}` is not what these bindings expect: {source}; \
                 the database's schema differs, run `spacetime-py generate` again",
                def.name
            ))
        };
        layout.validate(def.row, &bytes[start..end]).map_err(mismatch)?;
        let offset = start - rows.data().0;
        let too_large = |_| mismatch(DecodeError { problem: Problem::BadRowList, offset });
        places.push(RowRef {
            buffer,
            start: u32::try_from(start - base).map_err(too_large)?,
            end: u32::try_from(end - base).map_err(too_large)?,
        });
    }
    Ok(())
}
