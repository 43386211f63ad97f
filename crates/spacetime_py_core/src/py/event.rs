//! Events as frozen Python objects. Rows are made when they are looked at.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::classes::Module;
use super::convert::to_python;
use super::delivery::{Callbacks, Listeners};
use super::error::ProtocolError;
use super::types::{ConnectionId, Identity, Timestamp};
use crate::client::event::{CallError, Closed as Ending, ClosedKind};
use crate::client::{Diff, Event, RowRef};
use crate::sats::{Reader, TypeId};
use crate::wire::message::Cause;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct TableDiff {
    module: Py<Module>,
    diff: Arc<Diff>,
    /// Position in the diff's tables.
    index: usize,
}

#[pymethods]
impl TableDiff {
    #[getter]
    fn table(&self) -> usize {
        self.changes().table
    }

    #[getter]
    fn is_event(&self) -> bool {
        self.changes().is_event
    }

    /// Numbers of rows inserted, updated, deleted.
    #[getter]
    fn counts(&self) -> (usize, usize, usize) {
        let changes = self.changes();
        (changes.inserts.len(), changes.updates.len(), changes.deletes.len())
    }

    #[getter]
    fn inserts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.rows(py, &self.changes().inserts)
    }

    #[getter]
    fn deletes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.rows(py, &self.changes().deletes)
    }

    #[getter]
    fn updates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let class = self.module.bind(py).get().row_class(py, self.changes().table)?;
        let row = |row: &RowRef| class.instance(py, row.bytes(&self.diff.buffers));
        let pairs = self.changes().updates.iter().map(|(old, new)| (row(old)?, row(new)?).into_pyobject(py));
        PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
    }

    /// Calls row callbacks, and makes each row just before.
    fn tell<'py>(
        &self,
        inserts: &Bound<'py, Callbacks>,
        deletes: &Bound<'py, Callbacks>,
        updates: &Bound<'py, Callbacks>,
        context: &Bound<'py, PyAny>,
        report: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = context.py();
        let class = self.module.bind(py).get().row_class(py, self.changes().table)?;
        let listeners = Listeners { lists: [inserts, deletes, updates], report };
        listeners.tell(class, self.changes(), &self.diff.buffers, context)
    }
}

impl TableDiff {
    fn changes(&self) -> &crate::client::TableDiff {
        &self.diff.tables[self.index]
    }

    fn rows<'py>(&self, py: Python<'py>, rows: &[RowRef]) -> PyResult<Bound<'py, PyList>> {
        let class = self.module.bind(py).get().row_class(py, self.changes().table)?;
        let instances = rows.iter().map(|row| class.instance(py, row.bytes(&self.diff.buffers)));
        PyList::new(py, instances.collect::<PyResult<Vec<_>>>()?)
    }
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct Connected {
    identity: Py<Identity>,
    connection_id: Py<ConnectionId>,
    token: String,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct SubscribeApplied {
    query_set: u32,
    diff: Py<PyList>,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct UnsubscribeApplied {
    query_set: u32,
    diff: Py<PyList>,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct SubscriptionFailed {
    query_sets: Vec<u32>,
    message: String,
    diff: Py<PyList>,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct Resynced {
    diff: Py<PyList>,
}

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Unasked {}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct TransactionUpdate {
    request_id: Option<u32>,
    reducer: Option<Py<ReducerInfo>>,
    error: Option<(&'static str, String)>,
    diff: Py<PyList>,
}

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct ReducerInfo {
    module: Py<Module>,
    cause: Box<Cause>,
}

impl ReducerInfo {
    pub fn new(module: Py<Module>, cause: Box<Cause>) -> Self {
        ReducerInfo { module, cause }
    }
}

#[pymethods]
impl ReducerInfo {
    #[getter]
    fn name(&self) -> &str {
        self.cause.reducer.as_str()
    }

    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let module = self.module.bind(py).get();
        let Some(reducer) = module.def.reducer(self.cause.reducer.as_str()) else { return Ok(PyTuple::empty(py)) };
        module.def.layout.validate(reducer.params, &self.cause.args)?;
        let params = &module.def.layout.product(reducer.params).expect("parameters are a product").fields;
        let mut reader = Reader::new(&self.cause.args);
        let values = params.iter().map(|param| to_python(py, module, param.ty, &mut reader));
        PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn returned<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        returned_value(py, self.module.bind(py).get(), &self.cause)
    }

    #[getter]
    fn timestamp(&self) -> Timestamp {
        Timestamp { micros: self.cause.timestamp }
    }

    #[getter]
    fn caller_identity(&self) -> Identity {
        Identity { wire: self.cause.caller_identity }
    }

    /// Zero stands for none.
    #[getter]
    fn caller_connection_id(&self) -> Option<ConnectionId> {
        let wire = self.cause.caller_connection_id;
        (wire != [0; 16]).then_some(ConnectionId { wire })
    }
}

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct ProcedureResult {
    module: Py<Module>,
    name: String,
    #[pyo3(get)]
    request_id: u32,
    result: Result<bytes::Bytes, String>,
}

#[pymethods]
impl ProcedureResult {
    #[getter]
    fn error(&self) -> Option<&str> {
        self.result.as_ref().err().map(String::as_str)
    }

    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let module = self.module.bind(py).get();
        let (Some(procedure), Ok(bytes)) = (module.def.procedure(&self.name), &self.result) else {
            return Ok(py.None().into_bound(py));
        };
        result_value(py, module, procedure.returns, bytes, "procedure", &self.name)
    }
}

/// What a reducer gave, or failed with; None where the server does not tell.
pub fn returned_value<'py>(py: Python<'py>, module: &Module, cause: &Cause) -> PyResult<Bound<'py, PyAny>> {
    let (Some(reducer), Some(returned)) = (module.def.reducer(cause.reducer.as_str()), &cause.returned) else {
        return Ok(py.None().into_bound(py));
    };
    let (ty, bytes) = match returned {
        Ok(value) => (reducer.returns, value),
        Err(error) => (reducer.fails, error),
    };
    // Unit without a class of its own is None. Bindings from a description of version 9 do not know of values.
    let is_unit = module.def.layout.product(ty).is_some_and(|product| product.fields.is_empty());
    if is_unit && (!bytes.is_empty() || !module.has_product_class(py, ty)) {
        return Ok(py.None().into_bound(py));
    }
    result_value(py, module, ty, bytes, "reducer", cause.reducer.as_str())
}

/// What a function gave, which may be of another type than the bindings say.
fn result_value<'py>(
    py: Python<'py>,
    module: &Module,
    ty: TypeId,
    bytes: &[u8],
    kind: &str,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    module.def.layout.validate(ty, bytes).map_err(|source| {
        ProtocolError::new_err(format!("the result of {kind} `{name}` is not what these bindings expect: {source}"))
    })?;
    to_python(py, module, ty, &mut Reader::new(bytes))
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct QueryResult {
    request_id: u32,
    error: Option<String>,
    rows: Py<PyList>,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct Warning {
    message: String,
}

#[pyclass(frozen, get_all, module = "spacetime_py._core")]
pub struct Closed {
    kind: &'static str,
    code: Option<u16>,
    reason: String,
    by_us: bool,
}

impl Module {
    /// The class of a table's rows.
    pub fn row_class(&self, py: Python<'_>, table: usize) -> PyResult<&'static super::row::RowClass> {
        let row: TypeId = self.def.tables[table].row;
        self.product_class(py, row)
    }
}

/// The Python object of an event.
pub fn event_object<'py>(module: &Bound<'py, Module>, event: Event) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    Ok(match event {
        Event::Connected { identity, connection_id, token } => {
            let identity = Py::new(py, Identity { wire: identity })?;
            let connection_id = Py::new(py, ConnectionId { wire: connection_id })?;
            Bound::new(py, Connected { identity, connection_id, token })?.into_any()
        }
        Event::SubscribeApplied { query_set, diff } => {
            Bound::new(py, SubscribeApplied { query_set, diff: diff_list(module, diff)? })?.into_any()
        }
        Event::UnsubscribeApplied { query_set, diff } => {
            Bound::new(py, UnsubscribeApplied { query_set, diff: diff_list(module, diff)? })?.into_any()
        }
        Event::SubscriptionFailed { query_sets, message, diff } => {
            Bound::new(py, SubscriptionFailed { query_sets, message, diff: diff_list(module, diff)? })?.into_any()
        }
        Event::Resynced { diff } => Bound::new(py, Resynced { diff: diff_list(module, diff)? })?.into_any(),
        Event::QueryResult { request_id, result } => query_result(module, request_id, result)?,
        Event::Unasked => Bound::new(py, Unasked {})?.into_any(),
        Event::Transaction { request_id, cause, error, diff } => {
            let info = cause.map(|cause| Py::new(py, ReducerInfo { module: module.clone().unbind(), cause }));
            let error = error.map(|error| match error {
                CallError::Sender(text) => ("sender", text),
                CallError::Internal(text) => ("internal", text),
            });
            let diff = diff_list(module, diff)?;
            Bound::new(py, TransactionUpdate { request_id, reducer: info.transpose()?, error, diff })?.into_any()
        }
        Event::ProcedureResult { request_id, name, result } => {
            let module = module.clone().unbind();
            Bound::new(py, ProcedureResult { module, name, request_id, result })?.into_any()
        }
        Event::Warning(message) => Bound::new(py, Warning { message })?.into_any(),
        Event::Closed(Ending { kind, code, reason, by_us }) => {
            let kind = match kind {
                ClosedKind::Refused => "refused",
                ClosedKind::Protocol => "protocol",
                ClosedKind::Mismatch => "mismatch",
                ClosedKind::Closed => "closed",
                ClosedKind::Lost => "lost",
                ClosedKind::Silent => "silent",
                ClosedKind::Identity => "identity",
            };
            Bound::new(py, Closed { kind, code, reason, by_us })?.into_any()
        }
    })
}

fn query_result<'py>(
    module: &Bound<'py, Module>,
    request_id: u32,
    result: Result<Box<Diff>, String>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    let rows = PyList::empty(py);
    let error = match result {
        Ok(diff) => {
            for table in &diff.tables {
                let class = module.get().row_class(py, table.table)?;
                for row in &table.inserts {
                    rows.append(class.instance(py, row.bytes(&diff.buffers))?)?;
                }
            }
            None
        }
        Err(message) => Some(message),
    };
    Ok(Bound::new(py, QueryResult { request_id, error, rows: rows.unbind() })?.into_any())
}

fn diff_list(module: &Bound<'_, Module>, diff: Box<Diff>) -> PyResult<Py<PyList>> {
    let py = module.py();
    let diff: Arc<Diff> = diff.into();
    let table = |index| TableDiff { module: module.clone().unbind(), diff: diff.clone(), index };
    Ok(PyList::new(
        py,
        (0..diff.tables.len()).map(|index| Bound::new(py, table(index))).collect::<PyResult<Vec<_>>>()?,
    )?
    .unbind())
}
