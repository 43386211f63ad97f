//! The short way from a transaction to row callbacks, for transactions of other clients that only row callbacks hear of:
//! nearly all messages of a busy connection. Everything else goes through `dispatch.py`, in the same order.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::PyVisit;
use pyo3::exceptions::PyException;
use pyo3::gc::PyTraverseError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PySet, PyTuple};

use super::classes::Module;
use super::context::EventContext;
use crate::client::{Diff, Event, RowRef};
use crate::wire::message::Cause;

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Delivery {
    connection: Mutex<Py<PyAny>>,
    /// For each table its lists of callbacks: `inserts`, `deletes`, `updates`.
    tables: Vec<[Py<PyAny>; 3]>,
    /// Who hears of messages in another way. While there is any, messages take the long way.
    others: Py<PySet>,
    /// `report(place, callback, error)`
    report: Py<PyAny>,
    /// The context of an earlier transaction, if nobody has kept it: most are told no cause, and theirs are all alike.
    spare: Mutex<Option<Py<EventContext>>>,
}

#[pymethods]
impl Delivery {
    #[new]
    fn new(
        connection: Py<PyAny>,
        tables: Vec<(Py<PyAny>, Py<PyAny>, Py<PyAny>)>,
        others: Py<PySet>,
        report: Py<PyAny>,
    ) -> Self {
        let tables = tables.into_iter().map(|(inserts, deletes, updates)| [inserts, deletes, updates]).collect();
        Delivery { connection: Mutex::new(connection), tables, others, report, spare: Mutex::new(None) }
    }

    /// What callbacks are given as the connection from now on.
    fn set_connection(&self, connection: Py<PyAny>) {
        let old = (std::mem::replace(&mut *locked(&self.connection), connection), locked(&self.spare).take());
        drop(old); // with no lock held
    }

    /// It and its connection hold each other.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(connection) = self.connection.try_lock() {
            visit.call(&*connection)?;
        }
        if let Ok(spare) = self.spare.try_lock() {
            visit.call(&*spare)?;
        }
        self.tables.iter().flatten().try_for_each(|list| visit.call(list))?;
        visit.call(&self.others)?;
        visit.call(&self.report)
    }
}

impl Delivery {
    /// Tells the event to row callbacks, or gives it back for the long way.
    pub fn tell(&self, module: &Bound<'_, Module>, event: Event) -> PyResult<Option<Event>> {
        match event {
            Event::Transaction { request_id: None, cause, error, diff } if self.others.bind(module.py()).is_empty() => {
                if error.is_none() && !diff.tables.is_empty() {
                    self.run(module, cause, &diff)?;
                }
                Ok(None)
            }
            event => Ok(Some(event)),
        }
    }

    fn run(&self, module: &Bound<'_, Module>, cause: Option<Box<Cause>>, diff: &Diff) -> PyResult<()> {
        let py = module.py();
        let context = self.context(module, cause)?;
        for table in &diff.tables {
            let [inserts, deletes, updates] = self.tables[table.table].each_ref().map(|list| list.bind(py));
            let class = module.get().row_class(py, table.table)?;
            let row = |row: &RowRef| class.instance(py, row.bytes(&diff.buffers));
            let context = || context.clone().into_any();
            self.run_rows(inserts, &table.inserts, |place| Ok([context(), row(place)?]))?;
            self.run_rows(deletes, &table.deletes, |place| Ok([context(), row(place)?]))?;
            self.run_rows(updates, &table.updates, |(old, new)| Ok([context(), row(old)?, row(new)?]))?;
        }
        #[expect(deprecated, reason = "the other way to see this is not safe code")]
        let is_free = context.get_refcnt() == 1;
        if is_free && context.get().is_blank() {
            locked(&self.spare).replace(context.unbind());
        }
        Ok(())
    }

    fn context<'py>(
        &self,
        module: &Bound<'py, Module>,
        cause: Option<Box<Cause>>,
    ) -> PyResult<Bound<'py, EventContext>> {
        let py = module.py();
        if cause.is_none() {
            if let Some(spare) = locked(&self.spare).take() {
                return Ok(spare.into_bound(py));
            }
        }
        let connection = locked(&self.connection).clone_ref(py);
        Bound::new(py, EventContext::of_transaction(connection, module, cause))
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

/// Nothing is called while one of these locks is held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without a tuple in between.
fn call<'py>(callback: &Bound<'py, PyAny>, arguments: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    match arguments {
        [context, row] => callback.call1((context, row)),
        [context, old, new] => callback.call1((context, old, new)),
        _ => unreachable!("rows come alone or in pairs"),
    }
}
