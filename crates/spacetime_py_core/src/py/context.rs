//! What a callback is told besides the row. Made for each message that somebody hears of, so what caused a transaction
//! becomes an object only when it is asked for.

use std::sync::OnceLock;

use pyo3::PyVisit;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::classes::Module;
use super::event::ReducerInfo;
use crate::wire::message::Cause;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct EventContext {
    connection: Py<PyAny>,
    event: OnceLock<Py<PyAny>>,
    /// What `event` is made of; without one the server did not tell.
    cause: Option<(Py<Module>, Box<Cause>)>,
    is_own: bool,
}

#[pymethods]
impl EventContext {
    #[new]
    fn new(connection: Py<PyAny>, event: Py<PyAny>) -> Self {
        EventContext { connection, event: event.into(), cause: None, is_own: false }
    }

    #[classmethod]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, _of: &Bound<'py, PyAny>) -> Bound<'py, PyType> {
        class.clone()
    }

    #[getter]
    fn connection(&self, py: Python<'_>) -> Py<PyAny> {
        self.connection.clone_ref(py)
    }

    #[getter]
    fn event(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.event.get().is_none() {
            // Making it runs Python code, so that another thread may come first: one event wins.
            _ = self.event.set(self.make_event(py)?);
        }
        Ok(self.event.get().expect("set by now").clone_ref(py))
    }

    #[getter]
    fn db<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.connection.bind(py).getattr(intern!(py, "db"))
    }

    #[getter]
    fn reducers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.connection.bind(py).getattr(intern!(py, "reducers"))
    }

    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.connection.bind(py).getattr(intern!(py, "identity"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        visit.call(self.event.get())
    }
}

impl EventContext {
    /// `is_own`: whether this connection called for it.
    pub fn of_transaction(
        connection: Py<PyAny>,
        module: &Bound<'_, Module>,
        cause: Option<Box<Cause>>,
        is_own: bool,
    ) -> Self {
        let cause = cause.map(|cause| (module.clone().unbind(), cause));
        EventContext { connection, event: OnceLock::new(), cause, is_own }
    }

    /// It is somebody else's transaction, of which nothing was told, nor asked.
    pub fn is_blank(&self) -> bool {
        !self.is_own && self.cause.is_none() && self.event.get().is_none()
    }

    fn make_event(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static OF_CAUSE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let of_cause = OF_CAUSE.get_or_try_init(py, || {
            Ok::<_, PyErr>(py.import("spacetime_py.context")?.getattr("transaction_event")?.unbind())
        })?;
        let info = self.cause.as_ref().map(|(module, cause)| ReducerInfo::new(module.clone_ref(py), cause.clone()));
        of_cause.call1(py, (info, self.is_own))
    }
}
