//! What a task of asyncio waits on: as much of a future as tasks ask for. asyncio's futures send each task through the loop's
//! queue. Here those whose answers have come in one read go on together, as soon as it has been told to everyone else.

use std::mem::take;

use pyo3::exceptions::PyStopIteration;
use pyo3::exceptions::asyncio::{CancelledError, InvalidStateError};
use pyo3::gc::PyTraverseError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;
use pyo3::{PyVisit, intern};

use super::held::Held;

/// The waiters of one connection.
#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Waiters {
    event_loop: Py<PyAny>,
    /// Else each task has a turn of the loop.
    together: bool,
    due: Held<Due>,
}

/// Who goes on next.
#[derive(Default)]
struct Due {
    waiters: Vec<Py<Waiter>>,
    /// Whether the bytes of a read are being taken, whose end wakes them.
    is_taking: bool,
    /// What a task raised through us: KeyboardInterrupt or SystemExit.
    error: Option<PyErr>,
}

#[pymethods]
impl Waiters {
    #[new]
    fn new(event_loop: Py<PyAny>, together: bool) -> Self {
        Waiters { event_loop, together, due: Held::default() }
    }

    pub fn waiter<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Waiter>> {
        Bound::new(slf.py(), Waiter { waiters: slf.clone().unbind(), state: Held::default() })
    }

    /// The loop calls it.
    #[pyo3(name = "_wake")]
    fn wake(slf: &Bound<'_, Self>) -> PyResult<()> {
        let Some(error) = slf.get().due.with(slf.py(), |due| due.error.take()) else {
            return Self::wake_due(slf);
        };
        Self::wake_soon(slf)?;
        Err(error)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        self.due.traverse(|due| due.waiters.iter().try_for_each(|waiter| visit.call(waiter)))
    }
}

impl Waiters {
    /// Bytes of a read are taken from now on. A callback may run the loop until some tasks have gone on, where it can.
    pub fn begin(&self, py: Python<'_>) {
        self.due.with(py, |due| due.is_taking = self.together);
    }

    /// They are taken. Tasks go on at once, unless one runs already, as where a test plays the network.
    pub fn end(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (this, py) = (slf.get(), slf.py());
        let nobody_waits = this.due.with(py, |due| {
            due.is_taking = false;
            due.waiters.is_empty()
        });
        if nobody_waits {
            Ok(())
        } else if is_between_tasks(py)? {
            Self::wake_due(slf)
        } else {
            Self::wake_soon(slf)
        }
    }

    fn add(slf: &Bound<'_, Self>, waiter: &Bound<'_, Waiter>) -> PyResult<()> {
        let this = slf.get();
        let is_first = this.due.with(slf.py(), |due| {
            due.waiters.push(waiter.clone().unbind());
            due.waiters.len() == 1 && !due.is_taking
        });
        if is_first { Self::wake_soon(slf) } else { Ok(()) }
    }

    fn wake_soon(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let wake = slf.getattr(intern!(py, "_wake"))?;
        slf.get().event_loop.call_method1(py, intern!(py, "call_soon"), (wake,)).map(drop)
    }

    /// What a task raises through us leaves through a turn of the loop of its own: not every loop lets it pass from a socket.
    fn wake_due(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (this, py) = (slf.get(), slf.py());
        // nest_asyncio may have patched the loop meanwhile, to run within its own turns.
        let together = this.together && !this.event_loop.bind(py).hasattr(intern!(py, "_nest_patched"))?;
        let mut waiters = this.due.with(py, |due| take(&mut due.waiters)).into_iter();
        while let Some(waiter) = waiters.next() {
            if !together {
                Waiter::wake_soon(waiter.bind(py))?;
            } else if let Err(error) = Waiter::wake(waiter.bind(py)) {
                this.due.with(py, |due| {
                    due.error = Some(error);
                    due.waiters.splice(..0, waiters);
                });
                return Self::wake_soon(slf);
            }
        }
        Ok(())
    }
}

/// Whether the running loop is in one of its turns, but in no task.
fn is_between_tasks(py: Python<'_>) -> PyResult<bool> {
    static CURRENT_TASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let current_task = CURRENT_TASK.import(py, "asyncio", "current_task")?;
    // It fails when no loop runs.
    Ok(current_task.call0().is_ok_and(|task| task.is_none()))
}

/// One task waits for one outcome. It iterates as `await` does.
#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Waiter {
    waiters: Py<Waiters>,
    state: Held<State>,
}

#[derive(Default)]
struct State {
    /// A task asks whether this is a future that it may wait for.
    is_yielded: bool,
    outcome: Outcome,
    /// The task's own function, and its context.
    task: Option<(Py<PyAny>, Py<PyAny>)>,
}

#[derive(Default)]
enum Outcome {
    #[default]
    None,
    Value(Py<PyAny>),
    Error(Py<PyAny>),
    /// With a message.
    Cancelled(Py<PyAny>),
}

#[pymethods]
impl Waiter {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (this, py) = (slf.get(), slf.py());
        let is_done = this.state.with(py, |state| {
            state.is_yielded = !state.is_done();
            state.is_done()
        });
        if !is_done {
            return Ok(Some(slf.clone().into_any()));
        }
        let value = this.result(py)?;
        // Without a value an iterator just ends.
        if value.is_none(py) { Ok(None) } else { Err(PyStopIteration::new_err((value,))) }
    }

    /// As `next`: tasks send nothing.
    fn send<'py>(slf: &Bound<'py, Self>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::__next__(slf)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (error, value = None, traceback = None))]
    fn throw(
        &self,
        error: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        _ = traceback;
        Err(PyErr::from_value(value.unwrap_or(error)))
    }

    fn close(&self) {}

    #[getter(_asyncio_future_blocking)]
    fn is_yielded(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_yielded)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_yielded(&self, py: Python<'_>, is_yielded: bool) {
        self.state.with(py, |state| state.is_yielded = is_yielded);
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.waiters.get().event_loop.clone_ref(py)
    }

    #[pyo3(signature = (callback, *, context))]
    fn add_done_callback(slf: &Bound<'_, Self>, callback: Py<PyAny>, context: Py<PyAny>) -> PyResult<()> {
        let (this, py) = (slf.get(), slf.py());
        let (_old, is_done) = this.state.with(py, |state| (state.task.replace((callback, context)), state.is_done()));
        if is_done { Waiters::add(this.waiters.bind(py), slf) } else { Ok(()) }
    }

    fn done(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.is_done())
    }

    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.state.with(py, |state| state.outcome.clone(py)) {
            Outcome::Value(value) => Ok(value),
            Outcome::Error(error) => Err(PyErr::from_value(error.into_bound(py))),
            Outcome::Cancelled(message) if message.is_none(py) => Err(CancelledError::new_err(())),
            Outcome::Cancelled(message) => Err(CancelledError::new_err((message,))),
            Outcome::None => Err(InvalidStateError::new_err("there is no result yet")),
        }
    }

    /// The task that waits is cancelled. False when the outcome is there already.
    #[pyo3(signature = (msg = None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        Self::end(slf, Outcome::Cancelled(msg.unwrap_or_else(|| slf.py().None())))
    }

    /// Nothing happens when the outcome is there already: whoever waited has given up.
    pub fn set_result(slf: &Bound<'_, Self>, value: Py<PyAny>) -> PyResult<bool> {
        Self::end(slf, Outcome::Value(value))
    }

    fn set_exception(slf: &Bound<'_, Self>, error: Py<PyAny>) -> PyResult<bool> {
        Self::end(slf, Outcome::Error(error))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.waiters)?;
        self.state.traverse(|state| {
            if let Some((callback, context)) = &state.task {
                visit.call(callback)?;
                visit.call(context)?;
            }
            match &state.outcome {
                Outcome::None => Ok(()),
                Outcome::Value(held) | Outcome::Error(held) | Outcome::Cancelled(held) => visit.call(held),
            }
        })
    }
}

impl Waiter {
    fn end(slf: &Bound<'_, Self>, outcome: Outcome) -> PyResult<bool> {
        let (this, py) = (slf.get(), slf.py());
        // What is too late is dropped here, where Python code may run.
        let (late, is_waited_for) = this.state.with(py, |state| match state.outcome {
            Outcome::None => {
                state.outcome = outcome;
                (None, state.task.is_some())
            }
            _ => (Some(outcome), false),
        });
        if is_waited_for {
            Waiters::add(this.waiters.bind(py), slf)?;
        }
        Ok(late.is_none())
    }

    /// The task goes on now. Fails with what is not for a task to keep.
    fn wake(slf: &Bound<'_, Self>) -> PyResult<()> {
        let Some((callback, context)) = Self::take_task(slf) else { return Ok(()) };
        context.call_method1(intern!(slf.py(), "run"), (callback, slf)).map(drop)
    }

    /// The task goes on in a turn of its own.
    fn wake_soon(slf: &Bound<'_, Self>) -> PyResult<()> {
        let Some((callback, context)) = Self::take_task(slf) else { return Ok(()) };
        let py = slf.py();
        let options = [(intern!(py, "context"), context)].into_py_dict(py)?;
        let event_loop = slf.get().waiters.get().event_loop.bind(py);
        event_loop.call_method(intern!(py, "call_soon"), (callback, slf), Some(&options)).map(drop)
    }

    fn take_task<'py>(slf: &Bound<'py, Self>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let (callback, context) = slf.get().state.with(py, |state| state.task.take())?;
        Some((callback.into_bound(py), context.into_bound(py)))
    }
}

impl State {
    fn is_done(&self) -> bool {
        !matches!(self.outcome, Outcome::None)
    }
}

impl Outcome {
    fn clone(&self, py: Python<'_>) -> Self {
        match self {
            Outcome::None => Outcome::None,
            Outcome::Value(value) => Outcome::Value(value.clone_ref(py)),
            Outcome::Error(error) => Outcome::Error(error.clone_ref(py)),
            Outcome::Cancelled(message) => Outcome::Cancelled(message.clone_ref(py)),
        }
    }
}
