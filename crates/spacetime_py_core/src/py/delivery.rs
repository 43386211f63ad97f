//! The short way from a transaction to row callbacks and to who awaits the call, for transactions that nobody else hears of:
//! nearly all messages of a busy connection. Everything else goes through `dispatch.py`, in the same order.

use std::sync::{Mutex, PoisonError};

use pyo3::PyVisit;
use pyo3::exceptions::PyException;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyTuple};

use super::classes::Module;
use super::context::EventContext;
use super::error::SpacetimeDBError;
use super::event::returned_value;
use crate::client::{Diff, Event, RowRef};
use crate::wire::message::Cause;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Delivery {
    connection: Mutex<Py<PyAny>>,
    /// For each table its lists of callbacks: `inserts`, `deletes`, `updates`.
    tables: Vec<[Py<PyAny>; 3]>,
    /// Who hears of messages in another way. While there is any, messages take the long way.
    others: Py<PySet>,
    /// Own calls in flight, by request id.
    calls: Py<PyDict>,
    /// `report(place, callback, error)`
    report: Py<PyAny>,
}

#[pymethods]
impl Delivery {
    #[new]
    fn new(
        connection: Py<PyAny>,
        tables: Vec<(Py<PyAny>, Py<PyAny>, Py<PyAny>)>,
        others: Py<PySet>,
        calls: Py<PyDict>,
        report: Py<PyAny>,
    ) -> Self {
        let tables = tables.into_iter().map(|(inserts, deletes, updates)| [inserts, deletes, updates]).collect();
        Delivery { connection: Mutex::new(connection), tables, others, calls, report }
    }

    /// What callbacks are given as the connection from now on.
    fn set_connection(&self, connection: Py<PyAny>) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    /// It and its connection hold each other.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(connection) = self.connection.try_lock() {
            visit.call(&*connection)?;
        }
        self.tables.iter().flatten().try_for_each(|list| visit.call(list))?;
        visit.call(&self.others)?;
        visit.call(&self.calls)?;
        visit.call(&self.report)
    }
}

impl Delivery {
    /// Tells the event to row callbacks and to who awaits it, or gives it back for the long way.
    pub fn tell(&self, module: &Bound<'_, Module>, event: Event) -> PyResult<Option<Event>> {
        match event {
            Event::Transaction { request_id, cause, error, diff }
                if self.others.bind(module.py()).is_empty() && (request_id.is_none() || error.is_none()) =>
            {
                let answer = request_id.map(|request_id| Answer::new(module, request_id, cause.as_ref()));
                if error.is_none() && !diff.tables.is_empty() {
                    self.run(module, cause, request_id.is_some(), &diff)?;
                }
                answer.map_or(Ok(()), |answer| answer.give(self.calls.bind(module.py())))?;
                Ok(None)
            }
            event => Ok(Some(event)),
        }
    }

    fn run(&self, module: &Bound<'_, Module>, cause: Option<Cause>, is_own: bool, diff: &Diff) -> PyResult<()> {
        let py = module.py();
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone_ref(py);
        let context = Bound::new(py, EventContext::of_transaction(connection, module, cause, is_own))?.into_any();
        for table in &diff.tables {
            let [inserts, deletes, updates] = self.tables[table.table].each_ref().map(|list| list.bind(py));
            let class = module.get().row_class(py, table.table)?;
            let row = |row: &RowRef| class.instance(py, row.bytes(&diff.buffers));
            self.run_rows(inserts, &table.inserts, |place| Ok([context.clone(), row(place)?]))?;
            self.run_rows(deletes, &table.deletes, |place| Ok([context.clone(), row(place)?]))?;
            self.run_rows(updates, &table.updates, |(old, new)| Ok([context.clone(), row(old)?, row(new)?]))?;
        }
        Ok(())
    }

    /// A callback that is added or removed meanwhile counts from the next row on.
    fn run_rows<'py, Item, const N: usize>(
        &self,
        list: &Bound<'py, PyAny>,
        rows: &[Item],
        arguments: impl Fn(&Item) -> PyResult<[Bound<'py, PyAny>; N]>,
    ) -> PyResult<()> {
        let py = list.py();
        for row in rows {
            let callbacks = list.getattr(intern!(py, "callbacks"))?.cast_into::<PyTuple>()?;
            if callbacks.is_empty() {
                continue;
            }
            let arguments = arguments(row)?;
            for callback in callbacks.iter_borrowed() {
                match call(&callback, &arguments) {
                    Ok(_) => {}
                    Err(error) if error.is_instance_of::<PyException>(py) => {
                        let place = list.getattr(intern!(py, "place"))?;
                        self.report.call1(py, (place, callback, error))?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// To an own call that was committed. Who awaits it goes on after its row callbacks.
struct Answer<'py> {
    request_id: u32,
    value: PyResult<Bound<'py, PyAny>>,
}

impl<'py> Answer<'py> {
    fn new(module: &Bound<'py, Module>, request_id: u32, cause: Option<&Cause>) -> Self {
        let py = module.py();
        let nothing = || Ok(py.None().into_bound(py));
        Answer { request_id, value: cause.map_or_else(nothing, |cause| returned_value(py, module.get(), cause)) }
    }

    /// A value that the bindings cannot decode is the caller's affair, not the connection's.
    fn give(self, calls: &Bound<'py, PyDict>) -> PyResult<()> {
        let py = calls.py();
        let Some(call) = calls.get_item(self.request_id)? else { return Ok(()) };
        calls.del_item(self.request_id)?;
        match self.value {
            Ok(value) => call.call_method1(intern!(py, "resolve"), (value,))?,
            Err(error) if error.is_instance_of::<SpacetimeDBError>(py) => {
                call.call_method1(intern!(py, "fail"), (error,))?
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

/// Without a tuple in between.
fn call<'py>(callback: &Bound<'py, PyAny>, arguments: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    match arguments {
        [context, row] => callback.call1((context, row)),
        [context, old, new] => callback.call1((context, old, new)),
        _ => unreachable!("rows come alone or in pairs"),
    }
}
