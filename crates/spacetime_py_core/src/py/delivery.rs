//! The short way from a transaction to row callbacks and to who awaits the call, for transactions that nobody else hears of:
//! nearly all messages of a busy connection. Everything else goes through `dispatch.py`, in the same order.

use std::sync::OnceLock;

use bytes::Bytes;
use pyo3::PyVisit;
use pyo3::exceptions::{PyException, PyIndexError};
use pyo3::gc::PyTraverseError;
use pyo3::prelude::*;
use pyo3::types::{PySet, PyString, PyTuple};

use super::answer::Answer;
use super::calls::Calls;
use super::classes::Module;
use super::context::EventContext;
use super::held::Held;
use super::row::RowClass;
use crate::client::{Diff, Event, RowRef, TableDiff};
use crate::wire::message::Cause;

/// What a list of callbacks holds, where the core finds it for each row.
#[pyclass(frozen, subclass, module = "spacetime_py._core")]
pub struct Callbacks {
    callbacks: Held<Option<Py<PyTuple>>>,
    /// For messages: where the callbacks were given.
    place: Py<PyString>,
}

#[pymethods]
impl Callbacks {
    /// `others` is for the class below it.
    #[new]
    #[pyo3(signature = (place, others = None))]
    fn new(py: Python<'_>, place: Py<PyString>, others: Option<&Bound<'_, PySet>>) -> Self {
        _ = others;
        Callbacks { callbacks: Held::new(Some(PyTuple::empty(py).unbind())), place }
    }

    #[getter]
    fn place(&self, py: Python<'_>) -> Py<PyString> {
        self.place.clone_ref(py)
    }

    #[getter]
    fn callbacks(&self, py: Python<'_>) -> Py<PyTuple> {
        self.callbacks.get(py).expect("always some")
    }

    #[setter]
    fn set_callbacks(&self, py: Python<'_>, callbacks: Py<PyTuple>) {
        drop(self.callbacks.replace(py, Some(callbacks)));
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.callbacks.traverse(|held| visit.call(held))
    }
}

/// The row callbacks of one table.
pub struct Listeners<'a, 'py> {
    /// Of inserts, deletes and updates.
    pub lists: [&'a Bound<'py, Callbacks>; 3],
    /// `report(place, callback, error)`
    pub report: &'a Bound<'py, PyAny>,
}

impl<'py> Listeners<'_, 'py> {
    /// Rows are made one after the other, for those who hear of them.
    pub fn tell(
        &self,
        class: &RowClass,
        changes: &TableDiff,
        buffers: &[Bytes],
        context: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let [inserts, deletes, updates] = self.lists;
        let row = |row: &RowRef| class.instance(context.py(), row.bytes(buffers));
        let alone = |callback: &Bound<'py, PyAny>, row: &Bound<'py, PyAny>| callback.call1((context, row));
        self.run(inserts, &changes.inserts, row, alone)?;
        self.run(deletes, &changes.deletes, row, alone)?;
        let pair = |(old, new): &(RowRef, RowRef)| Ok((row(old)?, row(new)?));
        self.run(updates, &changes.updates, pair, |callback, (old, new)| callback.call1((context, old, new)))
    }

    /// A callback that is added or removed meanwhile counts from the next row on.
    fn run<Place, Row>(
        &self,
        list: &Bound<'py, Callbacks>,
        rows: &[Place],
        make: impl Fn(&Place) -> PyResult<Row>,
        call: impl Fn(&Bound<'py, PyAny>, &Row) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = list.py();
        for place in rows {
            let callbacks = list.get().callbacks(py).into_bound(py);
            if callbacks.is_empty() {
                return Ok(()); // and nothing runs here that could add one
            }
            let row = make(place)?;
            for callback in callbacks.iter_borrowed() {
                match call(&callback, &row) {
                    Ok(_) => {}
                    Err(error) if error.is_instance_of::<PyException>(py) => {
                        self.report.call1((list.get().place(py), callback, error))?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// What became of an event.
pub enum Told {
    /// All have heard of it.
    Done(Box<Event>),
    Left(Box<Event>),
}

#[pyclass(frozen, module = "spacetime_py._core")]
pub struct Delivery {
    connection: Held<Option<Py<PyAny>>>,
    /// For each table its lists of callbacks, `inserts`, `deletes`, `updates`, once somebody has asked for them.
    tables: Vec<OnceLock<[Py<Callbacks>; 3]>>,
    /// Who hears of messages in another way. While there is any, messages take the long way.
    others: Py<PySet>,
    /// Own calls in flight, by request id.
    calls: Py<Calls>,
    /// `report(place, callback, error)`
    report: Py<PyAny>,
    /// The context of an earlier transaction, if nobody has kept it: most are told no cause, and theirs are all alike.
    spare: Held<Option<Py<EventContext>>>,
}

#[pymethods]
impl Delivery {
    #[new]
    fn new(connection: Py<PyAny>, tables: usize, others: Py<PySet>, calls: Py<Calls>, report: Py<PyAny>) -> Self {
        let tables = (0..tables).map(|_| OnceLock::new()).collect();
        Delivery { connection: Held::new(Some(connection)), tables, others, calls, report, spare: Held::new(None) }
    }

    fn listen(
        &self,
        table: usize,
        inserts: Py<Callbacks>,
        deletes: Py<Callbacks>,
        updates: Py<Callbacks>,
    ) -> PyResult<()> {
        let lists = self.tables.get(table).ok_or_else(|| PyIndexError::new_err("no such table"))?;
        _ = lists.set([inserts, deletes, updates]);
        Ok(())
    }

    /// What callbacks are given as the connection from now on.
    fn set_connection(&self, py: Python<'_>, connection: Py<PyAny>) {
        drop((self.connection.replace(py, Some(connection)), self.spare.replace(py, None)));
    }

    /// It and its connection hold each other.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.connection.traverse(|held| visit.call(held))?;
        self.spare.traverse(|held| visit.call(held))?;
        self.tables.iter().filter_map(OnceLock::get).flatten().try_for_each(|list| visit.call(list))?;
        visit.call(&self.others)?;
        visit.call(&self.calls)?;
        visit.call(&self.report)
    }
}

impl Delivery {
    /// Tells the event to row callbacks and to who awaits it, or leaves it for the long way.
    pub fn tell(&self, module: &Bound<'_, Module>, mut event: Box<Event>) -> PyResult<Told> {
        match &mut *event {
            Event::Transaction { request_id, cause, error, diff }
                if self.others.bind(module.py()).is_empty() && (request_id.is_none() || error.is_none()) =>
            {
                let answer = request_id.map(|request_id| Answer::new(module, request_id, cause.as_deref()));
                if error.is_none() && !diff.tables.is_empty() {
                    self.run(module, cause.take(), request_id.is_some(), diff)?;
                }
                answer.map_or(Ok(()), |answer| answer.give(module.py(), self.calls.get()))?;
                Ok(Told::Done(event))
            }
            _ => Ok(Told::Left(event)),
        }
    }

    fn run(&self, module: &Bound<'_, Module>, cause: Option<Box<Cause>>, is_own: bool, diff: &Diff) -> PyResult<()> {
        let py = module.py();
        let context = self.context(module, cause, is_own)?;
        for changes in &diff.tables {
            let Some(lists) = self.tables[changes.table].get() else { continue };
            let lists = lists.each_ref().map(|list| list.bind(py));
            let listeners = Listeners { lists, report: self.report.bind(py) };
            listeners.tell(module.get().row_class(py, changes.table)?, changes, &diff.buffers, context.as_any())?;
        }
        #[expect(deprecated, reason = "the other way to see this is not safe code")]
        let is_free = context.get_refcnt() == 1;
        if is_free && context.get().is_blank() {
            drop(self.spare.replace(py, Some(context.unbind())));
        }
        Ok(())
    }

    fn context<'py>(
        &self,
        module: &Bound<'py, Module>,
        cause: Option<Box<Cause>>,
        is_own: bool,
    ) -> PyResult<Bound<'py, EventContext>> {
        let py = module.py();
        if cause.is_none() && !is_own {
            if let Some(spare) = self.spare.replace(py, None) {
                return Ok(spare.into_bound(py));
            }
        }
        let connection = self.connection.get(py).expect("always some");
        Bound::new(py, EventContext::of_transaction(connection, module, cause, is_own))
    }
}
