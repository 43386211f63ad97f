//! Own calls in flight, and the way into them: a call is encoded, queued and becomes what its caller awaits in one step.

use std::collections::HashMap;
use std::mem::{replace, take};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::PyVisit;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::connection::{Connection, Sent};
use super::held::{Held, cloned};
use super::pending::Pending;
use super::waiters::Waiters;
use crate::hashing::Hashing;

/// Fewer calls are not worth a write of their own while more may follow.
const WORTH_SENDING: usize = 32;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Calls {
    core: Py<Connection>,
    /// What is awaited: the classes of reducers' calls, procedures' calls and queries.
    classes: [Py<PyType>; 3],
    timeout: Option<f64>,
    /// `prepare(kind, name)` raises what keeps a call from being made. It is asked unless `is_ready`.
    prepare: Py<PyAny>,
    is_ready: AtomicBool,
    /// Of the running event loop, once the connection is entered, if it is asyncio's.
    waiters: OnceLock<Py<Waiters>>,
    state: Held<State>,
}

#[derive(Default)]
struct State {
    in_flight: HashMap<u32, Py<Pending>, Hashing>,
    /// `watch(kind, name)` gives who hears of the end.
    watch: Option<Py<PyAny>>,
    /// `send(at_once)` of the session.
    send: Option<Py<PyAny>>,
}

#[pymethods]
impl Calls {
    #[new]
    fn new(
        core: Py<Connection>,
        classes: (Py<PyType>, Py<PyType>, Py<PyType>),
        timeout: Option<f64>,
        prepare: Py<PyAny>,
    ) -> Self {
        Calls {
            core,
            classes: classes.into(),
            timeout,
            prepare,
            is_ready: AtomicBool::new(false),
            waiters: OnceLock::new(),
            state: Held::default(),
        }
    }

    fn enter(&self, waiters: Option<Py<Waiters>>) {
        _ = waiters.map(|waiters| self.waiters.set(waiters));
    }

    /// A session begins.
    fn send_by(&self, py: Python<'_>, send: Py<PyAny>) {
        drop(self.state.with(py, |state| state.send.replace(send)));
    }

    #[getter]
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_is_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    #[getter]
    fn waiters(&self, py: Python<'_>) -> Option<Py<Waiters>> {
        self.waiters.get().map(|waiters| waiters.clone_ref(py))
    }

    #[getter]
    fn watch(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| cloned(py, &state.watch))
    }

    #[setter]
    fn set_watch(&self, py: Python<'_>, watch: Option<Py<PyAny>>) {
        drop(self.state.with(py, |state| replace(&mut state.watch, watch)));
    }

    #[getter]
    fn timeout(&self) -> Option<f64> {
        self.timeout
    }

    fn call_reducer<'py>(
        &self,
        name: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, Pending>> {
        let kind = intern!(name.py(), "reducer");
        self.begin(0, kind, name, timeout, |core, name| core.request_reducer(name, args))
    }

    fn call_procedure<'py>(
        &self,
        name: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, Pending>> {
        let kind = intern!(name.py(), "procedure");
        self.begin(1, kind, name, timeout, |core, name| core.request_procedure(name, args))
    }

    fn query<'py>(&self, query: &Bound<'py, PyString>, timeout: Option<f64>) -> PyResult<Bound<'py, Pending>> {
        let kind = intern!(query.py(), "query");
        self.begin(2, kind, query, timeout, |core, query| core.request_query(query))
    }

    pub fn pop(&self, py: Python<'_>, request_id: u32) -> Option<Py<Pending>> {
        self.state.with(py, |state| state.in_flight.remove(&request_id))
    }

    /// In the order in which they were made.
    fn values(&self, py: Python<'_>) -> Vec<Py<Pending>> {
        let clone = |(id, call): (&u32, &Py<Pending>)| (*id, call.clone_ref(py));
        in_order(self.state.with(py, |state| state.in_flight.iter().map(clone).collect()))
    }

    fn take_all(&self, py: Python<'_>) -> Vec<Py<Pending>> {
        in_order(self.state.with(py, |state| take(&mut state.in_flight)).into_iter().collect())
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.state.with(py, |state| state.in_flight.len())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.core)?;
        self.classes.iter().try_for_each(|class| visit.call(class))?;
        visit.call(&self.prepare)?;
        visit.call(self.waiters.get())?;
        self.state.traverse(|state| {
            visit.call(&state.watch)?;
            visit.call(&state.send)?;
            state.in_flight.values().try_for_each(|call| visit.call(call))
        })
    }
}

impl Calls {
    #[inline]
    fn begin<'py>(
        &self,
        class: usize,
        kind: &Bound<'py, PyString>,
        name: &Bound<'py, PyString>,
        timeout: Option<f64>,
        request: impl FnOnce(&Connection, &str) -> PyResult<Sent>,
    ) -> PyResult<Bound<'py, Pending>> {
        let py = name.py();
        if !self.is_ready() {
            self.prepare.call1(py, (kind, name))?;
        }
        let Sent { request_id, queued } = request(self.core.get(), name.to_str()?)?;
        let timeout = timeout.or(self.timeout);
        let made = self.classes[class].bind(py).call1((kind, name, self.waiters.get(), timeout))?;
        let call: Bound<'py, Pending> = made.cast_into()?;
        let (count, watch) = self.add(request_id, call.clone().unbind(), py);
        if let Some(watch) = watch {
            call.get().set_on_done(py, Some(watch.call1(py, (kind, name))?));
        }
        // While other calls are in flight, those of one turn of the loop share a write, for which whoever queued first has
        // asked. Of many a quarter leaves before the others are made, so that the server is not idle meanwhile.
        let is_first = count == 1;
        let is_quarter = queued >= WORTH_SENDING && queued * 4 >= count;
        if is_first || is_quarter || queued == 1 {
            self.send(py, is_first || is_quarter)?;
        }
        Ok(call)
    }

    fn send(&self, py: Python<'_>, at_once: bool) -> PyResult<()> {
        let send = self.state.with(py, |state| cloned(py, &state.send));
        send.map_or(Ok(()), |send| send.call1(py, (at_once,)).map(drop))
    }

    /// Gives how many there are now, and who watches.
    fn add(&self, request_id: u32, call: Py<Pending>, py: Python<'_>) -> (usize, Option<Py<PyAny>>) {
        let (_old, count, watch) = self.state.with(py, |state| {
            let old = state.in_flight.insert(request_id, call);
            (old, state.in_flight.len(), cloned(py, &state.watch))
        });
        (count, watch)
    }
}

fn in_order(mut calls: Vec<(u32, Py<Pending>)>) -> Vec<Py<Pending>> {
    calls.sort_unstable_by_key(|(request_id, _)| *request_id);
    calls.into_iter().map(|(_, call)| call).collect()
}
