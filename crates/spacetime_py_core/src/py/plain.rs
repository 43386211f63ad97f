//! Classes whose instances are a few bytes and refer to nothing, made and freed as CPython does with a float: PyO3 has the
//! garbage collector track every instance of a class, which costs more than everything else that is done with a Timestamp.
//! Comparing, hashing and reading `micros` do not go through PyO3's general way of calling Rust either.
//!
//! What the unsafe code relies on: instances consist of the object's head and the value, which `slim` checks; `slim` comes
//! before the first instance; the classes cannot be subclassed.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_ulong};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::PyClass;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::PyString;

use super::spare;

/// A class that `slim` was called for.
pub trait Plain: PyClass<Frozen = True> + Copy + Sync + Ord + Hash {
    fn home() -> &'static Home;
}

/// What belongs to a plain class: set by `slim`.
pub struct Home(AtomicPtr<ffi::PyTypeObject>);

impl Home {
    pub const fn new() -> Self {
        Home(AtomicPtr::new(ptr::null_mut()))
    }
}

/// A class with the attribute `micros`.
pub trait Micros: Plain {
    fn micros(self) -> i64;
}

macro_rules! plain_types {
    ($($class:ident),*) => { $(
        impl Plain for $class {
            fn home() -> &'static $crate::py::plain::Home {
                static HOME: $crate::py::plain::Home = $crate::py::plain::Home::new();
                &HOME
            }
        }
    )* };
}
pub(super) use plain_types;

/// The interned name.
static MICROS: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

/// Takes a class out of the garbage collector's care.
pub fn slim<T: Plain>(py: Python<'_>) -> PyResult<()> {
    let ty = T::type_object_raw(py);
    // SAFETY: the type exists, and no instance does.
    unsafe {
        if (*ty).tp_basicsize as usize != size_of::<ffi::PyObject>() + size_of::<T>() {
            return Err(PySystemError::new_err(format!("instances of {} have an unknown shape", T::NAME)));
        }
        // By a pointer: where there is no GIL they are an atomic number.
        *(&raw mut (*ty).tp_flags).cast::<c_ulong>() &= !ffi::Py_TPFLAGS_HAVE_GC;
        (*ty).tp_traverse = None;
        (*ty).tp_clear = None;
        (*ty).tp_alloc = Some(alloc::<T>);
        (*ty).tp_free = Some(ffi::PyObject_Free);
        (*ty).tp_dealloc = Some(dealloc::<T>);
        (*ty).tp_richcompare = Some(richcompare::<T>);
        (*ty).tp_hash = Some(hash::<T>);
        ffi::PyType_Modified(ty);
    }
    T::home().0.store(ty, Ordering::Release);
    Ok(())
}

/// The same, and `micros` is found by its interned name before CPython looks for a descriptor.
pub fn slim_micros<T: Micros>(py: Python<'_>) -> PyResult<()> {
    slim::<T>(py)?;
    MICROS.store(PyString::intern(py, "micros").into_ptr(), Ordering::Release);
    // SAFETY: as in `slim`.
    unsafe {
        let ty = T::type_object_raw(py);
        (*ty).tp_getattro = Some(getattro::<T>);
        ffi::PyType_Modified(ty);
    }
    Ok(())
}

/// A new instance; null with an error set.
///
/// # Safety
/// The thread is attached.
#[inline]
pub unsafe fn new_plain<T: Plain>(value: T) -> *mut ffi::PyObject {
    // SAFETY: `slim` has checked where the value is; classes that were not slimmed do not have the trait.
    unsafe {
        let object = unset::<T>(T::home().0.load(Ordering::Acquire));
        if !object.is_null() {
            object.add(1).cast::<T>().write(value);
        }
        object
    }
}

/// An instance whose value is to be written; null with an error set.
#[inline]
unsafe fn unset<T: Plain>(ty: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
    unsafe {
        let memory = spare::take(size_of::<ffi::PyObject>() + size_of::<T>());
        if memory.is_null() {
            return ffi::PyErr_NoMemory();
        }
        ffi::PyObject_Init(memory, ty)
    }
}

/// A new instance.
#[inline]
pub fn plain<T: Plain>(py: Python<'_>, value: T) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the token says that the thread is attached.
    unsafe { Bound::from_owned_ptr_or_err(py, new_plain(value)) }
}

/// The value of an instance; None for any other object.
#[inline]
pub fn plain_value<T: Plain>(object: &Bound<'_, PyAny>) -> Option<T> {
    // SAFETY: an object of the type has its shape.
    unsafe { is_plain::<T>(object.as_ptr()).then(|| value::<T>(object.as_ptr())) }
}

unsafe fn is_plain<T: Plain>(object: *mut ffi::PyObject) -> bool {
    unsafe { ffi::Py_TYPE(object) == T::home().0.load(Ordering::Acquire) }
}

unsafe fn value<T: Plain>(object: *mut ffi::PyObject) -> T {
    unsafe { *object.add(1).cast::<T>() }
}

/// For the constructor that PyO3 makes: `dealloc` frees what `spare` gave, which may be larger than asked for.
unsafe extern "C" fn alloc<T: Plain>(ty: *mut ffi::PyTypeObject, _: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    unsafe {
        let object = unset::<T>(ty);
        if !object.is_null() {
            ptr::write_bytes(object.add(1).cast::<T>(), 0, 1);
        }
        object
    }
}

unsafe extern "C" fn dealloc<T: Plain>(object: *mut ffi::PyObject) {
    unsafe {
        let ty = ffi::Py_TYPE(object);
        spare::free(object, size_of::<ffi::PyObject>() + size_of::<T>());
        ffi::Py_DECREF(ty.cast());
    }
}

unsafe extern "C" fn richcompare<T: Plain>(
    one: *mut ffi::PyObject,
    other: *mut ffi::PyObject,
    op: c_int,
) -> *mut ffi::PyObject {
    unsafe {
        if !is_plain::<T>(one) || !is_plain::<T>(other) {
            return ffi::Py_NewRef(ffi::Py_NotImplemented());
        }
        let (one, other) = (value::<T>(one), value::<T>(other));
        let is_so = match op {
            ffi::Py_EQ => one == other,
            ffi::Py_NE => one != other,
            ffi::Py_LT => one < other,
            ffi::Py_LE => one <= other,
            ffi::Py_GT => one > other,
            _ => one >= other,
        };
        ffi::Py_NewRef(if is_so { ffi::Py_True() } else { ffi::Py_False() })
    }
}

/// As `__hash__`, which PyO3 makes.
unsafe extern "C" fn hash<T: Plain>(object: *mut ffi::PyObject) -> ffi::Py_hash_t {
    let mut hasher = DefaultHasher::new();
    unsafe { value::<T>(object) }.hash(&mut hasher);
    // -1 says that hashing failed.
    match hasher.finish() as ffi::Py_hash_t {
        -1 => -2,
        hash => hash,
    }
}

unsafe extern "C" fn getattro<T: Micros>(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    unsafe {
        if name == MICROS.load(Ordering::Relaxed) {
            return ffi::PyLong_FromLongLong(value::<T>(object).micros());
        }
        ffi::PyObject_GenericGetAttr(object, name)
    }
}
