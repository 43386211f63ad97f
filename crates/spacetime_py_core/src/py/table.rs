//! A table's cached rows as Python sees them: a container, lookups by index, an iterator.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyList, PyTuple, PyType};

use super::classes::Module;
use super::connection::Connection;
use super::encode::encode;
use super::error::EncodeError;
use super::row::RowClass;
use super::slots::{bytes_of, class_of_object};
use crate::client;
use crate::client::index::{End, Span, append_ordered};
use crate::client::rows::RowId;
use crate::sats::layout::Field;
use crate::sats::module::TableDef;
use crate::sats::{Reader, Writer};

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct TableCache {
    connection: Py<Connection>,
    index: usize,
    class: &'static RowClass,
}

#[pymethods]
impl TableCache {
    fn __len__(&self, py: Python<'_>) -> usize {
        self.core(py).cache().table(self.index).rows().len()
    }

    fn __iter__(slf: &Bound<'_, Self>) -> Rows {
        let version = slf.get().core(slf.py()).cache().table(slf.get().index).version;
        Rows { table: slf.clone().unbind(), next: AtomicU32::new(0), version }
    }

    fn __contains__(&self, row: &Bound<'_, PyAny>) -> bool {
        let py = row.py();
        let is_row = class_of_object(row).is_some_and(|class| std::ptr::eq(class, self.class));
        let module = self.module(py);
        is_row && self.core(py).cache().table(self.index).contains(&module.def.layout, bytes_of(row))
    }

    fn find<'py>(&self, column: u16, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        if !self.def(py).unique.contains(&column) {
            let text = format!("column {column} of table `{}` is not unique", self.def(py).name);
            return Err(PyValueError::new_err(text));
        }
        let mut key = Writer::default();
        self.encode(column, value, &mut key)?;
        let core = self.core(py);
        let row = core.cache().table(self.index).find(&self.module(py).def.layout, column, &key.0);
        // Making an instance allocates and runs no Python code.
        row.map(|row| self.class.instance(py, row)).transpose()
    }

    fn filter<'py>(&self, columns: Vec<u16>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.check(key.py(), &columns)?;
        let span = Span::prefix(self.key(&columns, key)?);
        self.select(key.py(), &columns, &span, false, usize::MAX)
    }

    fn count(&self, columns: Vec<u16>, key: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = key.py();
        self.check(key.py(), &columns)?;
        let span = Span::prefix(self.key(&columns, key)?);
        self.prepare(py, &columns);
        Ok(self.core(py).cache_mut().ordered(self.index, &columns).select(&span).count())
    }

    #[pyo3(signature = (columns, start, end, *, include_start, include_end, reverse, limit))]
    #[expect(clippy::too_many_arguments, reason = "as `Index.range` has them")]
    fn range<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<u16>,
        start: Option<&Bound<'py, PyAny>>,
        end: Option<&Bound<'py, PyAny>>,
        include_start: bool,
        include_end: bool,
        reverse: bool,
        limit: Option<isize>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.check(py, &columns)?;
        let limit = limit.map_or(Ok(usize::MAX), usize::try_from);
        let limit = limit.map_err(|_| PyValueError::new_err("limit is a number of rows, 0 or more"))?;
        let end_of = |key: Option<&Bound<'py, PyAny>>, included| {
            key.map(|key| Ok::<_, PyErr>(End { key: self.key(&columns, key)?, included })).transpose()
        };
        let span = Span::between(end_of(start, include_start)?, end_of(end, include_end)?);
        self.select(py, &columns, &span, reverse, limit)
    }

    #[getter]
    fn row_type<'py>(&self, py: Python<'py>) -> Bound<'py, PyType> {
        self.class.python_type(py)
    }

    /// All rows, one after the other.
    fn packed<'py>(&self, py: Python<'py>) -> Bound<'py, PyByteArray> {
        let core = self.core(py);
        let rows = core.cache().table(self.index).rows();
        let all: Vec<u8> = rows.iter().fold(Vec::new(), |mut all, (row, _)| {
            all.extend_from_slice(row);
            all
        });
        PyByteArray::new(py, &all)
    }

    #[getter]
    fn missing_deletes(&self, py: Python<'_>) -> u64 {
        self.core(py).cache().table(self.index).missing_deletes
    }
}

impl TableCache {
    pub fn new(connection: Py<Connection>, index: usize, class: &'static RowClass) -> Self {
        TableCache { connection, index, class }
    }

    fn core<'a>(&'a self, py: Python<'a>) -> MutexGuard<'a, client::Connection> {
        self.connection.bind(py).get().lock()
    }

    fn module<'a>(&'a self, py: Python<'a>) -> &'a Module {
        self.connection.bind(py).get().module(py)
    }

    fn def<'a>(&'a self, py: Python<'a>) -> &'a TableDef {
        &self.module(py).def.tables[self.index]
    }

    fn field<'a>(&'a self, py: Python<'a>, column: u16) -> &'a Field {
        let product = self.module(py).def.layout.product(self.def(py).row).expect("row types are products");
        &product.fields[usize::from(column)]
    }

    /// A value of a column, as BSATN.
    fn encode(&self, column: u16, value: &Bound<'_, PyAny>, writer: &mut Writer) -> PyResult<()> {
        let py = value.py();
        let field = self.field(py, column);
        encode(self.module(py), field.ty, value, writer).map_err(|fault| {
            let name = field.name.as_deref().unwrap_or("?");
            EncodeError::new_err(fault.message(&format!("column `{name}` of table `{}`", self.def(py).name)))
        })
    }

    /// Only columns that the module has an index for can be asked for.
    fn check(&self, py: Python<'_>, columns: &[u16]) -> PyResult<()> {
        let def = self.def(py);
        let is_unique = matches!(columns, [column] if def.unique.contains(column));
        if is_unique || def.indexes.iter().any(|index| index.columns == columns) {
            return Ok(());
        }
        Err(PyValueError::new_err(format!("table `{}` has no index over the columns {columns:?}", def.name)))
    }

    /// The place of a key in an ordered index. Of several columns a key is a tuple, of all of them or the first ones.
    fn key(&self, columns: &[u16], key: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let py = key.py();
        let values = match (columns, key.cast::<PyTuple>()) {
            ([_], _) => vec![key.clone()],
            (_, Ok(tuple)) if (1..=columns.len()).contains(&tuple.len()) => tuple.iter().collect(),
            (_, Ok(tuple)) => {
                let (index, most, given) = (self.describe(py, columns), columns.len(), tuple.len());
                return Err(PyValueError::new_err(format!("{index} takes 1 to {most} values, {given} were given")));
            }
            (_, Err(_)) => {
                let (index, given) = (self.describe(py, columns), key.get_type().name()?.to_string());
                return Err(EncodeError::new_err(format!("{index}: expected a tuple of their values, got {given}")));
            }
        };
        let layout = &self.module(py).def.layout;
        let mut ordered = Vec::new();
        for (column, value) in columns.iter().zip(values) {
            let mut bsatn = Writer::default();
            self.encode(*column, &value, &mut bsatn)?;
            let ty = self.field(py, *column).ty;
            layout.validate(ty, &bsatn.0)?; // not deeper than rows may be
            append_ordered(layout, ty, &mut Reader::new(&bsatn.0), &mut ordered)?;
        }
        Ok(ordered)
    }

    /// For messages: "the index over `kind`, `level` of table `item`".
    fn describe(&self, py: Python<'_>, columns: &[u16]) -> String {
        let name = |column: &u16| format!("`{}`", self.field(py, *column).name.as_deref().unwrap_or("?"));
        let names: Vec<String> = columns.iter().map(name).collect();
        format!("the index over {} of table `{}`", names.join(", "), self.def(py).name)
    }

    /// Builds an index that was not asked for before, with the interpreter free: a large table takes a while.
    fn prepare(&self, py: Python<'_>, columns: &[u16]) {
        if !self.core(py).cache().table(self.index).is_ordered(columns) {
            let connection = self.connection.bind(py).get();
            py.detach(|| _ = connection.lock().cache_mut().ordered(self.index, columns));
        }
    }

    fn select<'py>(
        &self,
        py: Python<'py>,
        columns: &[u16],
        span: &Span,
        reverse: bool,
        limit: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        self.prepare(py, columns);
        let rows = {
            let mut core = self.core(py);
            let found = core.cache_mut().ordered(self.index, columns).select(span);
            let ids: Vec<RowId> = match reverse {
                false => found.take(limit).collect(),
                true => found.rev().take(limit).collect(),
            };
            let store = core.cache().table(self.index).rows();
            // Making instances allocates and runs no Python code; making the list could.
            ids.into_iter().map(|id| self.class.instance(py, store.bytes(id))).collect::<PyResult<Vec<_>>>()?
        };
        PyList::new(py, rows)
    }
}

/// An iterator over a table's rows that notices changes, as a dict's does.
#[pyclass(frozen, module = "spacetime_py._core")]
struct Rows {
    table: Py<TableCache>,
    next: AtomicU32,
    version: u64,
}

#[pymethods]
impl Rows {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let table = self.table.bind(py).get();
        let core = table.core(py);
        let cache = core.cache().table(table.index);
        if cache.version != self.version {
            return Err(PyRuntimeError::new_err(
                "the table changed during iteration; iterate over list(table) to keep its rows of now",
            ));
        }
        let Some(id) = cache.rows().next_live(self.next.load(Ordering::Relaxed)) else {
            self.next.store(u32::MAX, Ordering::Relaxed);
            return Ok(None);
        };
        self.next.store(id + 1, Ordering::Relaxed);
        table.class.instance(py, cache.rows().bytes(id)).map(Some)
    }
}
