//! A table's cached rows as Python sees them: a container, an iterator, the way to its indexes.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyType};

use super::classes::Module;
use super::connection::Connection;
use super::index::{OrderedIndex, UniqueColumn};
use super::row::RowClass;
use super::slots::{bytes_of, class_of_object};
use crate::client;
use crate::sats::layout::Field;
use crate::sats::module::TableDef;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct TableCache {
    pub(super) connection: Py<Connection>,
    pub(super) index: usize,
    pub(super) class: &'static RowClass,
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

    fn unique(slf: &Bound<'_, Self>, column: u16) -> UniqueColumn {
        UniqueColumn::new(slf, column)
    }

    fn ordered(slf: &Bound<'_, Self>, columns: Vec<u16>) -> OrderedIndex {
        OrderedIndex::new(slf, columns)
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

    pub(super) fn core<'a>(&'a self, py: Python<'a>) -> MutexGuard<'a, client::Connection> {
        self.connection.bind(py).get().lock()
    }

    pub(super) fn module<'a>(&'a self, py: Python<'a>) -> &'a Module {
        self.connection.bind(py).get().module(py)
    }

    pub(super) fn def<'a>(&'a self, py: Python<'a>) -> &'a TableDef {
        &self.module(py).def.tables[self.index]
    }

    pub(super) fn field<'a>(&'a self, py: Python<'a>, column: u16) -> &'a Field {
        let product = self.module(py).def.layout.product(self.def(py).row).expect("row types are products");
        &product.fields[usize::from(column)]
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
