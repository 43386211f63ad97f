//! The way of a socket's bytes into the core and on to callbacks, with no Python between: a busy connection takes it for
//! each read.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::PyVisit;
use pyo3::gc::PyTraverseError;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::connection::{Connection, Input, Rest};
use super::delivery::Delivery;
use super::waiters::Waiters;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Receiver {
    core: Py<Connection>,
    delivery: Option<Py<Delivery>>,
    /// `rest(event, error)`
    rest: Py<PyAny>,
    /// Who may go on once the bytes are taken.
    waiters: Option<Py<Waiters>>,
    is_open: AtomicBool,
    is_taking: AtomicBool,
}

#[pymethods]
impl Receiver {
    #[new]
    fn new(
        core: Py<Connection>,
        delivery: Option<Py<Delivery>>,
        rest: Py<PyAny>,
        waiters: Option<Py<Waiters>>,
    ) -> Self {
        let [is_open, is_taking] = [AtomicBool::new(false), AtomicBool::new(false)];
        Receiver { core, delivery, rest, waiters, is_open, is_taking }
    }

    fn take(&self, py: Python<'_>, data: Input<'_>) -> PyResult<()> {
        if !self.is_open() {
            return Ok(());
        }
        let Some(waiters) = &self.waiters else { return self.tell(py, data) };
        waiters.get().begin(py);
        let told = self.tell(py, data);
        Waiters::end(waiters.bind(py))?;
        told
    }

    #[getter]
    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_is_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    #[getter]
    fn is_taking(&self) -> bool {
        self.is_taking.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_is_taking(&self, is_taking: bool) {
        self.is_taking.store(is_taking, Ordering::Relaxed);
    }

    /// It and its session hold each other.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.core)?;
        visit.call(&self.delivery)?;
        visit.call(&self.rest)?;
        visit.call(&self.waiters)
    }
}

impl Receiver {
    fn tell(&self, py: Python<'_>, data: Input<'_>) -> PyResult<()> {
        self.set_is_taking(true);
        let (event, error) = match self.core.get().receive(py, data, self.delivery.as_ref().map(Py::get)) {
            Ok(Rest::Nothing { has_output: false }) => {
                self.set_is_taking(false);
                return Ok(());
            }
            Ok(Rest::Nothing { has_output: true }) => (Some(PyBool::new(py, true).to_owned().into_any()), None),
            Ok(Rest::Event(event)) => (Some(event), None),
            Err(error) => (None, Some(error)),
        };
        self.rest.call1(py, (event, error)).map(drop)
    }
}
