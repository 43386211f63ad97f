//! Classes whose instances are a few bytes and refer to nothing, made and freed as CPython does with a float: PyO3 has the
//! garbage collector track every instance of a class, which costs more than everything else that is done with a Timestamp.
//!
//! What the unsafe code relies on: instances consist of the object's head and the value, which `slim` checks, and `slim`
//! comes before the first instance.

#![allow(unsafe_code)]

use pyo3::PyClass;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;

/// A class that `slim` was called for.
pub trait Plain: PyClass<Frozen = True> + Copy + Sync {}

/// Takes a class out of the garbage collector's care.
pub fn slim<T: Plain>(py: Python<'_>) -> PyResult<()> {
    let ty = T::type_object_raw(py);
    // SAFETY: the type exists, and no instance does.
    unsafe {
        if (*ty).tp_basicsize as usize != size_of::<ffi::PyObject>() + size_of::<T>() {
            return Err(PySystemError::new_err(format!("instances of {} have an unknown shape", T::NAME)));
        }
        (*ty).tp_flags &= !ffi::Py_TPFLAGS_HAVE_GC;
        (*ty).tp_traverse = None;
        (*ty).tp_clear = None;
        (*ty).tp_free = Some(ffi::PyObject_Free);
        (*ty).tp_dealloc = Some(dealloc);
    }
    Ok(())
}

/// A new instance.
#[inline]
pub fn plain<T: Plain>(py: Python<'_>, value: T) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: `slim` has checked where the value is; classes that were not slimmed do not have the trait.
    unsafe {
        let object = ffi::PyObject_New::<ffi::PyObject>(T::type_object_raw(py));
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        object.add(1).cast::<T>().write(value);
        Ok(Bound::from_owned_ptr(py, object))
    }
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    unsafe {
        let ty = ffi::Py_TYPE(object);
        ffi::PyObject_Free(object.cast());
        ffi::Py_DECREF(ty.cast());
    }
}
