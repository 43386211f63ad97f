//! An answer that comes later: what every call needs of it. All else, as a failure and further waiters, is in `pending.py`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::PyVisit;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// The words of `pending.py` and `reducer.py` for it are its subclasses.
#[pyclass(frozen, subclass, module = "spacetime_py._core")]
pub struct Pending {
    kind: Py<PyString>,
    name: Py<PyString>,
    new_event: Py<PyAny>,
    /// Makes a future of the running event loop, if it is asyncio's.
    new_future: Option<Py<PyAny>>,
    timeout: Option<f64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_done: bool,
    is_watched: bool,
    value: Option<Py<PyAny>>,
    failure: Option<Py<PyAny>>,
    /// Of the task that waits.
    future: Option<Py<PyAny>>,
    /// Of all other tasks.
    event: Option<Py<PyAny>>,
    on_done: Option<Py<PyAny>>,
}

#[pymethods]
impl Pending {
    #[new]
    #[pyo3(signature = (kind, name, new_event, new_future = None, timeout = None))]
    fn new(
        kind: Py<PyString>,
        name: Py<PyString>,
        new_event: Py<PyAny>,
        new_future: Option<Py<PyAny>>,
        timeout: Option<f64>,
    ) -> Self {
        Pending { kind, name, new_event, new_future, timeout, state: Mutex::default() }
    }

    #[getter(_kind)]
    fn kind(&self, py: Python<'_>) -> Py<PyString> {
        self.kind.clone_ref(py)
    }

    #[getter(_name)]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    #[getter(_new_event)]
    fn new_event(&self, py: Python<'_>) -> Py<PyAny> {
        self.new_event.clone_ref(py)
    }

    #[getter(_new_future)]
    fn new_future(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.new_future.as_ref().map(|new_future| new_future.clone_ref(py))
    }

    #[getter(_timeout)]
    fn timeout(&self) -> Option<f64> {
        self.timeout
    }

    #[getter]
    fn is_done(&self) -> bool {
        self.state().is_done
    }

    #[getter(_is_watched)]
    fn is_watched(&self) -> bool {
        self.state().is_watched
    }

    #[setter(_is_watched)]
    fn set_watched(&self, py: Python<'_>, is_watched: bool) -> PyResult<()> {
        let mut state = self.state();
        state.is_watched = is_watched;
        let failure = clone(py, &state.failure);
        drop(state);
        failure.map_or(Ok(()), |failure| failure.setattr(py, intern!(py, "is_heard"), is_watched))
    }

    #[getter(_value)]
    fn value(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        clone(py, &self.state().value)
    }

    #[getter(_failure)]
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        clone(py, &self.state().failure)
    }

    #[getter(_future)]
    fn future(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        clone(py, &self.state().future)
    }

    #[setter(_future)]
    fn set_future(&self, future: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut self.state().future, future);
        drop(old); // with no lock held
    }

    #[getter(_event)]
    fn event(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        clone(py, &self.state().event)
    }

    #[setter(_event)]
    fn set_event(&self, event: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut self.state().event, event);
        drop(old);
    }

    #[getter(_on_done)]
    fn on_done(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        clone(py, &self.state().on_done)
    }

    #[setter(_on_done)]
    pub fn set_on_done(&self, on_done: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut self.state().on_done, on_done);
        drop(old);
    }

    #[pyo3(name = "_resolve")]
    pub fn resolve(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        let mut state = self.state();
        state.is_done = true;
        let old = state.value.replace(value.clone_ref(py));
        let (future, event, on_done) = (clone(py, &state.future), clone(py, &state.event), clone(py, &state.on_done));
        drop(state);
        drop(old);
        if let Some(future) = future {
            let future = future.bind(py);
            if let Err(error) = future.call_method1(intern!(py, "set_result"), (value,)) {
                // Whoever waited has given up.
                if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
                    return Err(error);
                }
            }
        }
        tell_others(py, event, on_done, py.None())
    }

    /// `failure` holds the error, which who waits for the future has heard of.
    #[pyo3(name = "_end")]
    fn end(&self, py: Python<'_>, failure: Py<PyAny>, error: Py<PyAny>) -> PyResult<()> {
        let mut state = self.state();
        state.is_done = true;
        let old = state.failure.replace(failure);
        let (event, on_done) = (clone(py, &state.event), clone(py, &state.on_done));
        drop(state);
        drop(old);
        tell_others(py, event, on_done, error)
    }

    /// Nothing of ours stands between the answer and the first task that waits for it, without a timeout, on asyncio.
    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (this, py) = (slf.get(), slf.py());
        match (&this.new_future, this.timeout) {
            (Some(new_future), None) if this.state().is_unasked() => {
                let future = new_future.bind(py).call0()?;
                let mut state = this.state();
                state.is_watched = true;
                let old = state.future.replace(future.clone().unbind());
                drop(state);
                drop(old);
                // The same as its `__await__`, which takes longer to find.
                Ok(future.try_iter()?.into_any())
            }
            _ => slf.call_method0(intern!(py, "_wait"))?.call_method0(intern!(py, "__await__")),
        }
    }

    #[classmethod]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, _of: &Bound<'py, PyAny>) -> Bound<'py, PyType> {
        class.clone()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.new_event)?;
        visit.call(&self.new_future)?;
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        let State { value, failure, future, event, on_done, .. } = &*state;
        [value, failure, future, event, on_done].into_iter().try_for_each(|held| visit.call(held))
    }
}

impl State {
    fn is_unasked(&self) -> bool {
        !self.is_done && self.future.is_none()
    }
}

impl Pending {
    /// Nothing is called while it is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clone(py: Python<'_>, held: &Option<Py<PyAny>>) -> Option<Py<PyAny>> {
    held.as_ref().map(|held| held.clone_ref(py))
}

fn tell_others(py: Python<'_>, event: Option<Py<PyAny>>, on_done: Option<Py<PyAny>>, error: Py<PyAny>) -> PyResult<()> {
    if let Some(event) = event {
        event.call_method0(py, intern!(py, "set"))?;
    }
    if let Some(on_done) = on_done {
        on_done.call1(py, (error,))?;
    }
    Ok(())
}
