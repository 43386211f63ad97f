//! A value that changes, behind a shared reference. Where there is a GIL it is the lock; a lock of its own cost more than what
//! it guarded, several times for each message.
//!
//! Unsafe code relies on this: whoever uses the value is attached, so that with a GIL nobody else is meanwhile, or meets the
//! mark of who has let go of it in between.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::mem::replace;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::gc::PyTraverseError;
use pyo3::prelude::*;

/// An object's head has further fields where there is no GIL, and in some builds for debugging.
pub const HAS_GIL: bool = size_of::<ffi::PyObject>() == 2 * size_of::<usize>();

#[derive(Default)]
pub struct Held<T> {
    value: UnsafeCell<T>,
    is_used: Cell<bool>,
    /// For where there is no GIL.
    lock: Mutex<()>,
}

// SAFETY: see above; without a GIL the lock is held.
unsafe impl<T: Send> Sync for Held<T> {}

impl<T> Held<T> {
    pub fn new(value: T) -> Self {
        Held { value: UnsafeCell::new(value), is_used: Cell::new(false), lock: Mutex::new(()) }
    }

    /// Use it, for a job that runs no Python code: that could come here again, which panics.
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, job: impl FnOnce(&mut T) -> R) -> R {
        let _guard = (!HAS_GIL).then(|| self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        assert!(!self.is_used.replace(true), "it is used already");
        let _used = Used(&self.is_used);
        // SAFETY: nobody else is here.
        job(unsafe { &mut *self.value.get() })
    }

    /// For the collector, which does without while somebody uses it.
    pub fn traverse(&self, visit: impl FnOnce(&T) -> Result<(), PyTraverseError>) -> Result<(), PyTraverseError> {
        let guard = (!HAS_GIL).then(|| self.lock.try_lock());
        if matches!(guard, Some(Err(_))) || self.is_used.get() {
            return Ok(());
        }
        // SAFETY: the collector is attached, and nobody else is here.
        visit(unsafe { &*self.value.get() })
    }
}

impl<T> Held<Option<Py<T>>> {
    #[inline]
    pub fn get(&self, py: Python<'_>) -> Option<Py<T>> {
        self.with(py, |object| cloned(py, object))
    }

    /// Gives what was there, to be dropped by the caller.
    #[inline]
    #[must_use = "dropping it runs Python code"]
    pub fn replace(&self, py: Python<'_>, object: Option<Py<T>>) -> Option<Py<T>> {
        self.with(py, |place| replace(place, object))
    }
}

#[inline]
pub fn cloned<T>(py: Python<'_>, object: &Option<Py<T>>) -> Option<Py<T>> {
    object.as_ref().map(|object| object.clone_ref(py))
}

struct Used<'a>(&'a Cell<bool>);

impl Drop for Used<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
