//! A place for an object that may become another one. Where there is a GIL it is the lock; a lock of its own cost more than
//! what it guarded, several times for each message.
//!
//! Unsafe code relies on this: whoever uses the place is attached, so that with a GIL nobody else is meanwhile, and nothing
//! that is done with it here runs Python code, detaches, or asks for memory, which could start the collector.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::mem::replace;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// An object's head has further fields where there is no GIL, and in some builds for debugging.
pub const HAS_GIL: bool = size_of::<ffi::PyObject>() == 2 * size_of::<usize>();

pub struct Held<T> {
    object: UnsafeCell<Option<Py<T>>>,
    /// For where there is no GIL.
    lock: Mutex<()>,
}

// SAFETY: see above; without a GIL the lock is held.
unsafe impl<T> Sync for Held<T> {}

impl<T> Held<T> {
    pub fn new(object: Option<Py<T>>) -> Self {
        Held { object: UnsafeCell::new(object), lock: Mutex::new(()) }
    }

    #[inline]
    pub fn get(&self, py: Python<'_>) -> Option<Py<T>> {
        self.with(|object| object.as_ref().map(|object| object.clone_ref(py)))
    }

    /// Gives what was there, to be dropped by the caller.
    #[inline]
    #[must_use = "dropping it runs Python code"]
    pub fn replace(&self, _py: Python<'_>, object: Option<Py<T>>) -> Option<Py<T>> {
        self.with(|place| replace(place, object))
    }

    /// For the collector, which may come while a thread has the lock, and then does without.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let guard = (!HAS_GIL).then(|| self.lock.try_lock());
        match guard {
            Some(Err(_)) => Ok(()),
            // SAFETY: the collector is attached.
            _ => visit.call(unsafe { &*self.object.get() }),
        }
    }

    /// Callers are attached, and `job` is as the header says.
    #[inline]
    fn with<R>(&self, job: impl FnOnce(&mut Option<Py<T>>) -> R) -> R {
        let _guard = (!HAS_GIL).then(|| self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: nobody else is here.
        job(unsafe { &mut *self.object.get() })
    }
}
