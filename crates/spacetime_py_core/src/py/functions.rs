//! `to_bsatn` and `from_bsatn`, called as CPython calls functions of its own: for a row of a few fields PyO3's way of taking
//! arguments apart costs as much as the work. Calls with other arguments than the usual ones go to the functions that PyO3
//! makes, which also know the errors.
//!
//! What the unsafe code relies on: CPython calls with the thread attached and with so many arguments as it says, which live
//! as long as the call.

#![allow(unsafe_code)]

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use super::bsatn::{self, class_of, decode};
use super::slots::{bytes_of, class_of_object, guarded};

type General = PyOnceLock<Py<PyAny>>;

static GENERAL_TO_BSATN: General = PyOnceLock::new();
static GENERAL_FROM_BSATN: General = PyOnceLock::new();

pub fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let to_bsatn = wrap_pyfunction!(bsatn::to_bsatn, module)?.into_any();
    add(module, c"to_bsatn", c"to_bsatn(value)\n--\n\n", quick_to_bsatn, &GENERAL_TO_BSATN, to_bsatn)?;
    let from_bsatn = wrap_pyfunction!(bsatn::from_bsatn, module)?.into_any();
    add(module, c"from_bsatn", c"from_bsatn(cls, data)\n--\n\n", quick_from_bsatn, &GENERAL_FROM_BSATN, from_bsatn)
}

fn add(
    module: &Bound<'_, PyModule>,
    name: &'static CStr,
    doc: &'static CStr,
    quick: ffi::PyCFunctionFastWithKeywords,
    place: &General,
    general: Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = module.py();
    place.get_or_init(py, || general.unbind());
    let def = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: quick },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }));
    // SAFETY: the definition lives as long as the process.
    let function = unsafe {
        let function = ffi::PyCFunction_NewEx(def, module.as_ptr(), module.name()?.as_ptr());
        Bound::from_owned_ptr_or_err(py, function)?
    };
    module.add(function.getattr("__name__")?.extract::<&str>()?, &function)
}

unsafe extern "C" fn quick_to_bsatn(
    _: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as the header says.
    unsafe {
        let py = Python::assume_attached();
        if count == 1 && names.is_null() {
            let value = Borrowed::from_ptr(py, *args);
            if class_of_object(&value).is_some() {
                let bytes = bytes_of(&value);
                return ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t);
            }
        }
        call_general(py, &GENERAL_TO_BSATN, args, count, names)
    }
}

unsafe extern "C" fn quick_from_bsatn(
    _: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as the header says.
    unsafe {
        let py = Python::assume_attached();
        if count == 2 && names.is_null() {
            let (class, data) = (Borrowed::from_ptr(py, *args), Borrowed::from_ptr(py, *args.add(1)));
            if let (Some(class), Ok(data)) = (class_of(&class), data.cast_exact::<PyBytes>()) {
                return guarded(|py| decode(py, class, data.as_bytes()));
            }
        }
        call_general(py, &GENERAL_FROM_BSATN, args, count, names)
    }
}

#[cold]
unsafe fn call_general(
    py: Python<'_>,
    general: &General,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let general = general.get(py).map_or(std::ptr::null_mut(), Py::as_ptr);
    // SAFETY: `add_all` sets the functions before anyone can call; the arguments are passed on as they came.
    unsafe { ffi::PyObject_Vectorcall(general, args, count as usize, names) }
}
