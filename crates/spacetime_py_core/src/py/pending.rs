//! An answer that comes later: what every call needs of it. All else, as a failure and further waiters, is in `pending.py`.

use std::mem::replace;

use pyo3::PyVisit;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::held::{Held, cloned};
use super::waiters::{Waiter, Waiters};

/// The words of `pending.py` and `reducer.py` for it are its subclasses.
#[pyclass(frozen, subclass, module = "spacetime_py._core")]
pub struct Pending {
    kind: Py<PyString>,
    name: Py<PyString>,
    /// Of the running event loop, if it is asyncio's.
    waiters: Option<Py<Waiters>>,
    timeout: Option<f64>,
    state: Held<State>,
}

#[derive(Default)]
struct State {
    is_done: bool,
    is_watched: bool,
    value: Option<Py<PyAny>>,
    failure: Option<Py<PyAny>>,
    /// Of the task that waits.
    waiter: Option<Py<Waiter>>,
    /// Of all other tasks.
    event: Option<Py<PyAny>>,
    on_done: Option<Py<PyAny>>,
}

#[pymethods]
impl Pending {
    #[new]
    #[pyo3(signature = (kind, name, waiters = None, timeout = None))]
    fn new(kind: Py<PyString>, name: Py<PyString>, waiters: Option<Py<Waiters>>, timeout: Option<f64>) -> Self {
        Pending { kind, name, waiters, timeout, state: Held::default() }
    }

    #[getter(_kind)]
    fn kind(&self, py: Python<'_>) -> Py<PyString> {
        self.kind.clone_ref(py)
    }

    #[getter(_name)]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    #[getter(_waiters)]
    fn waiters(&self, py: Python<'_>) -> Option<Py<Waiters>> {
        cloned(py, &self.waiters)
    }

    #[getter(_timeout)]
    fn timeout(&self) -> Option<f64> {
        self.timeout
    }

    #[getter]
    fn is_done(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_done)
    }

    #[getter(_is_watched)]
    fn is_watched(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_watched)
    }

    #[setter(_is_watched)]
    fn set_watched(&self, py: Python<'_>, is_watched: bool) -> PyResult<()> {
        let failure = self.state.with(py, |state| {
            state.is_watched = is_watched;
            cloned(py, &state.failure)
        });
        failure.map_or(Ok(()), |failure| failure.setattr(py, intern!(py, "is_heard"), is_watched))
    }

    #[getter(_value)]
    fn value(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| cloned(py, &state.value))
    }

    #[getter(_failure)]
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| cloned(py, &state.failure))
    }

    #[getter(_waiter)]
    fn waiter(&self, py: Python<'_>) -> Option<Py<Waiter>> {
        self.state.with(py, |state| cloned(py, &state.waiter))
    }

    #[setter(_waiter)]
    fn set_waiter(&self, py: Python<'_>, waiter: Option<Py<Waiter>>) {
        drop(self.state.with(py, |state| replace(&mut state.waiter, waiter)));
    }

    #[getter(_event)]
    fn event(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| cloned(py, &state.event))
    }

    #[setter(_event)]
    fn set_event(&self, py: Python<'_>, event: Option<Py<PyAny>>) {
        drop(self.state.with(py, |state| replace(&mut state.event, event)));
    }

    #[getter(_on_done)]
    fn on_done(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| cloned(py, &state.on_done))
    }

    #[setter(_on_done)]
    pub fn set_on_done(&self, py: Python<'_>, on_done: Option<Py<PyAny>>) {
        drop(self.state.with(py, |state| replace(&mut state.on_done, on_done)));
    }

    #[pyo3(name = "_resolve")]
    pub fn resolve(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        let (_old, waiter, others) = self.state.with(py, |state| {
            state.is_done = true;
            let old = state.value.replace(value.clone_ref(py));
            (old, cloned(py, &state.waiter), state.others(py))
        });
        if let Some(waiter) = waiter {
            Waiter::set_result(waiter.bind(py), value)?;
        }
        others.tell(py, py.None())
    }

    /// `failure` holds the error, which the task that waits has heard of.
    #[pyo3(name = "_end")]
    fn end(&self, py: Python<'_>, failure: Py<PyAny>, error: Py<PyAny>) -> PyResult<()> {
        let (_old, others) = self.state.with(py, |state| {
            state.is_done = true;
            (state.failure.replace(failure), state.others(py))
        });
        others.tell(py, error)
    }

    /// Nothing of ours stands between the answer and the first task that waits for it, without a timeout, on asyncio.
    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (this, py) = (slf.get(), slf.py());
        match (&this.waiters, this.timeout) {
            (Some(waiters), None) if this.state.with(py, |state| state.is_unasked()) => {
                let waiter = Waiters::waiter(waiters.bind(py))?;
                let _old = this.state.with(py, |state| {
                    state.is_watched = true;
                    state.waiter.replace(waiter.clone().unbind())
                });
                Ok(waiter.into_any())
            }
            _ => slf.call_method0(intern!(py, "_wait"))?.call_method0(intern!(py, "__await__")),
        }
    }

    #[classmethod]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, _of: &Bound<'py, PyAny>) -> Bound<'py, PyType> {
        class.clone()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.waiters)?;
        self.state.traverse(|state| {
            let State { value, failure, waiter, event, on_done, .. } = state;
            visit.call(waiter)?;
            [value, failure, event, on_done].into_iter().try_for_each(|held| visit.call(held))
        })
    }
}

impl State {
    fn is_unasked(&self) -> bool {
        !self.is_done && self.waiter.is_none()
    }

    fn others(&self, py: Python<'_>) -> Others {
        Others { event: cloned(py, &self.event), on_done: cloned(py, &self.on_done) }
    }
}

/// Who hears of the end besides the task that waits.
struct Others {
    event: Option<Py<PyAny>>,
    on_done: Option<Py<PyAny>>,
}

impl Others {
    fn tell(self, py: Python<'_>, error: Py<PyAny>) -> PyResult<()> {
        if let Some(event) = self.event {
            event.call_method0(py, intern!(py, "set"))?;
        }
        if let Some(on_done) = self.on_done {
            on_done.call1(py, (error,))?;
        }
        Ok(())
    }
}
