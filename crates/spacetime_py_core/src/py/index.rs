//! A table's indexes: each is looked up once and knows from then on how keys are written and where the rows are.

use std::cell::Cell;
use std::sync::MutexGuard;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::encode::encode;
use super::error::EncodeError;
use super::fields::FieldKind;
use super::row::RowClass;
use super::slots::list;
use super::table::TableCache;
use crate::client::index::{End, OrderedIndex as Ordered, Span, append_ordered};
use crate::client::key_index::KeyIndex;
use crate::client::rows::{RowId, RowStore};
use crate::client::table::TableCache as Cached;
use crate::client::{ClientCache, Connection};
use crate::sats::{Reader, TypeId, Writer};

/// The unique column of a table that it was asked for, if it is one.
#[pyclass(frozen, module = "spacetime_py._core")]
pub struct UniqueColumn {
    table: Py<TableCache>,
    number: u16,
    column: Option<Column>,
}

/// An ordered index over the columns that it was asked for, if the module has one.
#[pyclass(frozen, module = "spacetime_py._core")]
pub struct OrderedIndex {
    table: Py<TableCache>,
    numbers: Vec<u16>,
    columns: Option<Vec<Column>>,
    /// Whether whole keys are found without the tree.
    has_keys: bool,
}

/// A column that keys have a value of.
struct Column {
    number: u16,
    ty: TypeId,
    kind: Option<FieldKind>,
    /// See `RowClass`.
    needs_check: bool,
}

#[pymethods]
impl UniqueColumn {
    fn find<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, table) = (value.py(), self.table.get());
        let column = self.column.as_ref().ok_or_else(|| self.unknown(py))?;
        let mut scratch = Scratch::take();
        column.write(table, value, &mut scratch.bsatn)?;
        let row = {
            let core = table.core(py);
            let row = core.cache().table(table.index).find(&table.module(py).def.layout, self.number, &scratch.bsatn.0);
            // Making an instance allocates and runs no Python code.
            row.map(|row| table.class.instance(py, row)).transpose()
        };
        scratch.keep();
        row
    }
}

impl UniqueColumn {
    pub fn new(table: &Bound<'_, TableCache>, number: u16) -> Self {
        let def = table.get().def(table.py());
        let column = def.unique.contains(&number).then(|| Column::new(table, number));
        UniqueColumn { table: table.clone().unbind(), number, column }
    }

    #[cold]
    fn unknown(&self, py: Python<'_>) -> PyErr {
        PyValueError::new_err(format!(
            "column {} of table `{}` is not unique",
            self.number,
            self.table.get().def(py).name
        ))
    }
}

#[pymethods]
impl OrderedIndex {
    fn filter<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (py, class) = (key.py(), self.table.get().class);
        let rows = self.with_key(key, |ids, store| instances(py, class, ids, store))??;
        list_of(py, rows)
    }

    fn count(&self, key: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.with_key(key, |ids, _| ids.len())
    }

    #[pyo3(signature = (start, end, *, include_start, include_end, reverse, limit))]
    #[expect(clippy::too_many_arguments, reason = "as `Index.range` has them")]
    fn range<'py>(
        &self,
        py: Python<'py>,
        start: Option<&Bound<'py, PyAny>>,
        end: Option<&Bound<'py, PyAny>>,
        include_start: bool,
        include_end: bool,
        reverse: bool,
        limit: Option<isize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let columns = self.columns(py)?;
        let limit = limit.map_or(Ok(usize::MAX), usize::try_from);
        let limit = limit.map_err(|_| PyValueError::new_err("limit is a number of rows, 0 or more"))?;
        let end_of = |key: Option<&Bound<'py, PyAny>>, included| {
            key.map(|key| Ok::<_, PyErr>(End { key: self.key(columns, key)?, included })).transpose()
        };
        let span = Span::between(end_of(start, include_start)?, end_of(end, include_end)?);
        let class = self.table.get().class;
        let rows = self.ordered(py, |index, store| {
            let mut ids = Vec::new();
            index.select(&span, reverse, limit, |id| ids.push(id));
            instances(py, class, &ids, store)
        })?;
        list_of(py, rows)
    }
}

impl OrderedIndex {
    pub fn new(table: &Bound<'_, TableCache>, numbers: Vec<u16>) -> Self {
        let def = table.get().def(table.py());
        let is_unique = matches!(&numbers[..], [column] if def.unique.contains(column));
        let is_known = is_unique || def.indexes.iter().any(|index| index.columns == numbers);
        let columns = is_known.then(|| numbers.iter().map(|number| Column::new(table, *number)).collect::<Vec<_>>());
        let layout = &table.get().module(table.py()).def.layout;
        let has_keys = columns.iter().flatten().all(|column| KeyIndex::takes(layout, column.ty));
        OrderedIndex { table: table.clone().unbind(), numbers, columns, has_keys }
    }

    /// Only columns that the module has an index for can be asked for.
    #[inline]
    fn columns(&self, py: Python<'_>) -> PyResult<&[Column]> {
        self.columns.as_deref().ok_or_else(|| {
            let (table, numbers) = (&self.table.get().def(py).name, &self.numbers);
            PyValueError::new_err(format!("table `{table}` has no index over the columns {numbers:?}"))
        })
    }

    fn key(&self, columns: &[Column], key: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let mut scratch = Scratch::default();
        self.write(columns, key, &mut scratch)?;
        Ok(scratch.key)
    }

    /// The place of a key in the index. Of several columns a key is a tuple, of all of them or the first ones.
    fn write(&self, columns: &[Column], key: &Bound<'_, PyAny>, scratch: &mut Scratch) -> PyResult<()> {
        let table = self.table.get();
        if let [column] = columns {
            return column.order(table, key, scratch);
        }
        let tuple = key.cast::<PyTuple>().map_err(|_| self.no_tuple(key))?;
        if !(1..=columns.len()).contains(&tuple.len()) {
            let (index, most, given) = (self.describe(key.py()), columns.len(), tuple.len());
            return Err(PyValueError::new_err(format!("{index} takes 1 to {most} values, {given} were given")));
        }
        let mut values = columns.iter().zip(tuple.iter_borrowed());
        values.try_for_each(|(column, value)| column.order(table, &value, scratch))
    }

    #[cold]
    fn no_tuple(&self, key: &Bound<'_, PyAny>) -> PyErr {
        let index = self.describe(key.py());
        match key.get_type().name() {
            Ok(given) => EncodeError::new_err(format!("{index}: expected a tuple of their values, got {given}")),
            Err(error) => error,
        }
    }

    /// For messages: "the index over `kind`, `level` of table `item`".
    fn describe(&self, py: Python<'_>) -> String {
        let table = self.table.get();
        let name = |column: &u16| format!("`{}`", table.field(py, *column).name.as_deref().unwrap_or("?"));
        let names: Vec<String> = self.numbers.iter().map(name).collect();
        format!("the index over {} of table `{}`", names.join(", "), table.def(py).name)
    }

    /// Does something with the rows whose keys are this one, or begin with it.
    #[inline]
    fn with_key<T>(&self, key: &Bound<'_, PyAny>, found: impl FnOnce(&[RowId], &RowStore) -> T) -> PyResult<T> {
        let (py, columns) = (key.py(), self.columns(key.py())?);
        let mut scratch = Scratch::take();
        let result = if self.write_whole(columns, key, &mut scratch.bsatn)? {
            let (table, key) = (self.table.get(), &scratch.bsatn.0);
            let layout = &table.module(py).def.layout;
            let core = self.core(
                py,
                |table| table.has_keys(&self.numbers),
                |cache, table| cache.find_by_key(table, &self.numbers),
            );
            let cached = core.cache().table(table.index);
            found(cached.with_key(layout, &self.numbers, key), cached.rows())
        } else {
            self.write(columns, key, &mut scratch)?;
            let Scratch { key, ids, .. } = &mut *scratch;
            self.ordered(py, |index, store| {
                index.begin_with(key, |id| ids.push(id));
                found(ids, store)
            })
        };
        scratch.keep();
        Ok(result)
    }

    /// Appends a key that is found without the tree; false, and nothing that counts, for any other one.
    #[inline]
    fn write_whole(&self, columns: &[Column], key: &Bound<'_, PyAny>, bsatn: &mut Writer) -> PyResult<bool> {
        let table = self.table.get();
        match (columns, key.cast::<PyTuple>()) {
            _ if !self.has_keys => return Ok(false),
            ([column], _) => column.write(table, key, bsatn)?,
            (columns, Ok(values)) if values.len() == columns.len() => {
                let mut values = columns.iter().zip(values.iter_borrowed());
                values.try_for_each(|(column, value)| column.write(table, &value, bsatn))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Does something with the tree and the rows that it is over.
    fn ordered<T>(&self, py: Python<'_>, job: impl FnOnce(&Ordered, &RowStore) -> T) -> T {
        let is_built = |table: &Cached| table.built(&self.numbers).is_some();
        let core = self.core(py, is_built, |cache, table| _ = cache.ordered(table, &self.numbers));
        let cached = core.cache().table(self.table.get().index);
        job(cached.built(&self.numbers).expect("built"), cached.rows())
    }

    /// The core, with an index that was not asked for before. That is built with the interpreter free: a large table takes
    /// a while.
    #[inline]
    fn core<'a>(
        &'a self,
        py: Python<'a>,
        is_built: impl Fn(&Cached) -> bool,
        build: impl Fn(&mut ClientCache, usize) + Sync,
    ) -> MutexGuard<'a, Connection> {
        let table = self.table.get();
        loop {
            let core = table.core(py);
            if is_built(core.cache().table(table.index)) {
                return core;
            }
            drop(core);
            let connection = table.connection.get();
            py.detach(|| build(connection.lock().cache_mut(), table.index));
        }
    }
}

/// Making instances allocates and runs no Python code; making a list of them could, and is not for a cache that is locked.
fn instances<'py>(
    py: Python<'py>,
    class: &RowClass,
    ids: &[RowId],
    store: &RowStore,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut rows = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut found: [&[u8]; AT_ONCE] = [&[]; AT_ONCE];
        found.iter_mut().zip(ids).for_each(|(row, id)| *row = store.bytes(*id));
        for row in &found[..ids.len()] {
            rows.push(class.instance(py, row)?);
        }
    }
    Ok(rows)
}

fn list_of<'py>(py: Python<'py>, rows: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyList>> {
    let (count, mut rows) = (rows.len(), rows.into_iter());
    list(py, count, || Ok(rows.next().expect("so many")))
}

/// The memory of so many rows is waited for at the same time.
const AT_ONCE: usize = 8;

impl Column {
    fn new(table: &Bound<'_, TableCache>, number: u16) -> Self {
        let (py, table) = (table.py(), table.get());
        let (layout, ty) = (&table.module(py).def.layout, table.field(py, number).ty);
        Column { number, ty, kind: FieldKind::of(layout, ty), needs_check: !layout.is_bounded(ty) }
    }

    /// Appends a value as BSATN.
    #[inline]
    fn write(&self, table: &TableCache, value: &Bound<'_, PyAny>, bsatn: &mut Writer) -> PyResult<()> {
        if self.kind.is_some_and(|kind| kind.write(value, &mut bsatn.0)) {
            Ok(())
        } else {
            self.encode(table, value, bsatn)
        }
    }

    fn encode(&self, table: &TableCache, value: &Bound<'_, PyAny>, bsatn: &mut Writer) -> PyResult<()> {
        let py = value.py();
        encode(table.module(py), self.ty, value, bsatn).map_err(|fault| {
            let name = table.field(py, self.number).name.as_deref().unwrap_or("?");
            EncodeError::new_err(fault.message(&format!("column `{name}` of table `{}`", table.def(py).name)))
        })
    }

    /// Appends a value to the place of a key.
    fn order(&self, table: &TableCache, value: &Bound<'_, PyAny>, scratch: &mut Scratch) -> PyResult<()> {
        let layout = &table.module(value.py()).def.layout;
        scratch.bsatn.0.clear();
        self.write(table, value, &mut scratch.bsatn)?;
        if self.needs_check {
            layout.validate(self.ty, &scratch.bsatn.0)?; // not deeper than rows may be
        }
        Ok(append_ordered(layout, self.ty, &mut Reader::new(&scratch.bsatn.0), &mut scratch.key)?)
    }
}

/// What keys are written into, and what is found by them.
#[derive(Default)]
struct Scratch {
    bsatn: Writer,
    key: Vec<u8>,
    ids: Vec<RowId>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Larger ones are not kept.
const LARGEST_SCRATCH: usize = 16 * 1024;

impl Scratch {
    /// Writing a key may run code of the user's, which looks something up meanwhile: it gets a new one.
    fn take() -> Box<Scratch> {
        let mut scratch = SCRATCH.take().unwrap_or_default();
        scratch.bsatn.0.clear();
        scratch.key.clear();
        scratch.ids.clear();
        scratch
    }

    fn keep(self: Box<Self>) {
        if self.bsatn.0.capacity().max(self.key.capacity()).max(self.ids.capacity()) <= LARGEST_SCRATCH {
            SCRATCH.set(Some(self));
        }
    }
}
