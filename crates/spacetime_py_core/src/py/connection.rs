//! The connection as a frozen class around a lock. The lock is never held while Python code could run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::classes::Module;
use super::encode::{encode, encode_args};
use super::error::{EncodeError, ProtocolError, SchemaMismatchError};
use super::event::event_object;
use super::row::RowClass;
use super::slots::{bytes_of, class_of_object};
use crate::client::{self, Event, Options};
use crate::sats::Writer;
use crate::wire::compression::Compression;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Connection {
    core: Mutex<client::Connection>,
    module: Py<Module>,
}

/// Work on fewer bytes than this is done before another thread could take the interpreter.
const WORTH_DETACHING: usize = 32 * 1024;

/// Bytes of any buffer. Only `bytes` are used in place, since nobody can change them meanwhile.
pub enum Input<'py> {
    Bytes(Bound<'py, PyBytes>),
    Copy(Vec<u8>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Input<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Input::Bytes(bytes.to_owned()));
        }
        Ok(Input::Copy(PyBuffer::<u8>::get(&object)?.to_vec(object.py())?))
    }
}

impl Input<'_> {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Input::Bytes(bytes) => bytes.as_bytes(),
            Input::Copy(bytes) => bytes,
        }
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (module, *, authority, database, token = None, compression = "gzip", max_message_size = 1 << 30))]
    fn new(
        module: &Bound<'_, Module>,
        authority: String,
        database: String,
        token: Option<String>,
        compression: &str,
        max_message_size: usize,
    ) -> PyResult<Self> {
        let compression = match compression {
            "none" => Compression::None,
            "gzip" => Compression::Gzip,
            "brotli" => Compression::Brotli,
            other => {
                return Err(PyValueError::new_err(format!(
                    "compression is \"none\", \"gzip\" or \"brotli\", not {other:?}"
                )));
            }
        };
        let options = Options { authority, database, token, compression, max_message_size };
        // Options are the caller's values, so that a fault in them is a ValueError.
        let core = client::Connection::new(module.get().def.clone(), &options)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Connection { core: Mutex::new(core), module: module.clone().unbind() })
    }

    fn receive_data(&self, py: Python<'_>, data: Input<'_>) -> PyResult<()> {
        let data = data.as_bytes();
        self.work(py, data.len(), |core| core.receive_data(data))
    }

    fn receive_eof(&self) {
        self.lock().receive_eof();
    }

    fn next_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let size = self.lock().next_size();
        let event: Option<Event> = self.work(py, size, client::Connection::next_event)?;
        event.map(|event| event_object(self.module.bind(py), event)).transpose()
    }

    fn data_to_send<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().data_to_send())
    }

    fn subscribe(&self, queries: Vec<String>) -> PyResult<u32> {
        Ok(self.lock().subscribe(&queries)?)
    }

    fn unsubscribe(&self, query_set: u32) -> PyResult<()> {
        Ok(self.lock().unsubscribe(query_set)?)
    }

    fn call_reducer(&self, name: &str, args: &Bound<'_, PyAny>) -> PyResult<u32> {
        let module = self.module.bind(args.py()).get();
        let reducer = module.def.reducer(name).ok_or_else(|| unknown("reducer", name))?;
        let args = encode_args(module, "reducer", reducer, args)?;
        Ok(self.lock().call_reducer(name, args)?)
    }

    fn call_procedure(&self, name: &str, args: &Bound<'_, PyAny>) -> PyResult<u32> {
        let module = self.module.bind(args.py()).get();
        let procedure = module.def.procedure(name).ok_or_else(|| unknown("procedure", name))?;
        let args = encode_args(module, "procedure", procedure, args)?;
        Ok(self.lock().call_procedure(name, &args)?)
    }

    fn close(&self) {
        self.lock().close();
    }

    fn table(slf: &Bound<'_, Self>, name: &str) -> PyResult<TableCache> {
        let module = slf.get().module.bind(slf.py()).get();
        let index = module.def.table(name).ok_or_else(|| unknown("table", name))?;
        let class = module.row_class(slf.py(), index)?;
        Ok(TableCache { connection: slf.clone().unbind(), index, class })
    }
}

impl Connection {
    fn lock(&self) -> MutexGuard<'_, client::Connection> {
        // A panic in the core left its message half done; the driver ends the connection on that error.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one door that lets other threads run meanwhile, when there is enough to do, and that no panic passes.
    fn work<T: Send>(
        &self,
        py: Python<'_>,
        size: usize,
        job: impl FnOnce(&mut client::Connection) -> T + Send,
    ) -> PyResult<T> {
        let caught = || catch_unwind(AssertUnwindSafe(|| job(&mut self.lock())));
        let result = if size < WORTH_DETACHING { caught() } else { py.detach(caught) };
        result.map_err(|_| ProtocolError::new_err("a message met a fault in spacetime_py itself: please report it"))
    }
}

fn unknown(kind: &str, name: &str) -> PyErr {
    SchemaMismatchError::new_err(format!("these bindings have no {kind} `{name}`; run `spacetime-py generate` again"))
}

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
        Rows { table: slf.clone().unbind(), next: Mutex::new(0), version }
    }

    fn __contains__(&self, row: &Bound<'_, PyAny>) -> bool {
        let py = row.py();
        let is_row = class_of_object(row).is_some_and(|class| std::ptr::eq(class, self.class));
        let module = self.module(py);
        is_row && self.core(py).cache().table(self.index).contains(&module.def.layout, bytes_of(row))
    }

    fn find<'py>(&self, column: u16, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        let module = self.module(py);
        let def = &module.def.tables[self.index];
        let fields = &module.def.layout.product(def.row).expect("row types are products").fields;
        let Some(field) = fields.get(usize::from(column)).filter(|_| def.unique.contains(&column)) else {
            return Err(PyValueError::new_err(format!("column {column} of table `{}` is not unique", def.name)));
        };
        let mut key = Writer::default();
        encode(module, field.ty, value, &mut key).map_err(|fault| {
            let name = field.name.as_deref().unwrap_or("?");
            EncodeError::new_err(fault.message(&format!("column `{name}` of table `{}`", def.name)))
        })?;
        let core = self.core(py);
        let row = core.cache().table(self.index).find(&module.def.layout, column, &key.0);
        // Making an instance allocates and runs no Python code.
        row.map(|row| self.class.instance(py, row)).transpose()
    }

    #[getter]
    fn missing_deletes(&self, py: Python<'_>) -> u64 {
        self.core(py).cache().table(self.index).missing_deletes
    }
}

impl TableCache {
    fn core<'a>(&'a self, py: Python<'a>) -> MutexGuard<'a, client::Connection> {
        self.connection.bind(py).get().lock()
    }

    fn module<'a>(&'a self, py: Python<'a>) -> &'a Module {
        self.connection.bind(py).get().module.bind(py).get()
    }
}

/// An iterator over a table's rows that notices changes, as a dict's does.
#[pyclass(frozen, module = "spacetime_py._core")]
struct Rows {
    table: Py<TableCache>,
    next: Mutex<u32>,
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
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(id) = cache.rows().next_live(*next) else {
            *next = u32::MAX;
            return Ok(None);
        };
        *next = id + 1;
        table.class.instance(py, cache.rows().bytes(id)).map(Some)
    }
}
