//! The heap types of generated classes, made through the C API, and the functions that CPython calls on them.
//!
//! All unsafe code of the border is here, in `plain.rs`, `spare.rs`, `fields.rs` and `functions.rs`. What it relies on:
//! - instances are only made by `new_instance`, with bytes that were checked against the class's type;
//! - the types cannot be subclassed, so that an object of one of them has its layout;
//! - a class, its getters and their names live as long as the process, as classes of modules do.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::AssertUnwindSafe;
use std::ptr;

use pyo3::exceptions::{PyMemoryError, PySystemError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};

use super::fields::FieldKind;
use super::row::{Field, RowClass};
use super::spare;
use crate::sats::moves::is_ascii;

/// What CPython hands to the getter of a field.
struct Getter {
    class: &'static RowClass,
    index: usize,
}

/// The head of an instance; its bytes follow. As `PyVarObject`, whose size is the number of bytes.
type Head = ffi::PyVarObject;

/// An object of a class over bytes that are known to be a value of its type.
#[inline]
pub fn new_instance<'py>(py: Python<'py>, class_type: &Py<PyType>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let size = bytes.len() as ffi::Py_ssize_t;
    // SAFETY: the type's basic size is that of `Head` and its item size is 1, and so much memory there is.
    unsafe {
        let memory = spare::take(size_of::<Head>() + bytes.len());
        if memory.is_null() {
            return Err(PyMemoryError::new_err(()));
        }
        let object: *mut Head = ffi::PyObject_InitVar(memory.cast(), class_type.as_ptr().cast(), size);
        copy(bytes, object.add(1).cast());
        Ok(Bound::from_owned_ptr(py, object.cast()))
    }
}

/// A str from UTF-8.
#[inline]
pub fn text<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the token says that the thread is attached.
    unsafe { Bound::from_owned_ptr_or_err(py, new_text(utf8)) }
}

/// The same; null with an error set. What is not ASCII CPython checks.
///
/// # Safety
/// The thread is attached.
#[inline]
pub unsafe fn new_text(utf8: &[u8]) -> *mut ffi::PyObject {
    let size = utf8.len() as ffi::Py_ssize_t;
    // SAFETY: so many bytes are there. A new str of more than one character is nobody else's yet.
    unsafe {
        if size < 2 || !is_ascii(utf8) {
            return ffi::PyUnicode_FromStringAndSize(utf8.as_ptr().cast(), size);
        }
        let text = ffi::PyUnicode_New(size, 127);
        if !text.is_null() {
            copy(utf8, ffi::PyUnicode_1BYTE_DATA(text));
        }
        text
    }
}

/// Most rows and texts are so short that a call takes longer than to copy them: by their first and last bytes, which may
/// overlap.
///
/// # Safety
/// There is room for so many bytes, apart from them.
#[inline(always)]
unsafe fn copy(bytes: &[u8], to: *mut u8) {
    unsafe {
        let (from, size) = (bytes.as_ptr(), bytes.len());
        let block = |at: usize| to.add(at).cast::<[u8; 16]>().write(from.add(at).cast::<[u8; 16]>().read());
        let word = |at: usize| to.add(at).cast::<[u8; 8]>().write(from.add(at).cast::<[u8; 8]>().read());
        match size {
            8..16 => {
                word(0);
                word(size - 8);
            }
            16..=32 => {
                block(0);
                block(size - 16);
            }
            33..=64 => {
                block(0);
                block(16);
                block(size - 32);
                block(size - 16);
            }
            _ => ptr::copy_nonoverlapping(from, to, size),
        }
    }
}

/// An object of a common kind, from bytes that are known to be its value.
#[inline]
pub fn common<'py>(py: Python<'py>, kind: FieldKind, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: it is a new object, or null with an error set.
    unsafe { Bound::from_owned_ptr_or_err(py, kind.read(py, bytes)) }
}

/// A list of so many objects, each made by a call.
pub fn list<'py>(
    py: Python<'py>,
    count: usize,
    mut item: impl FnMut() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    // SAFETY: the list is nobody else's yet, and has places for all; those that are not filled are null, as CPython allows.
    unsafe {
        let list = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(count as ffi::Py_ssize_t))?;
        for index in 0..count {
            ffi::PyList_SET_ITEM(list.as_ptr(), index as ffi::Py_ssize_t, item()?.into_ptr());
        }
        Ok(list.cast_into_unchecked())
    }
}

/// The class of an object, if it is an instance of one made here.
pub fn class_of_object(object: &Bound<'_, PyAny>) -> Option<&'static RowClass> {
    // SAFETY: an object has a type.
    unsafe { checked_class(ffi::Py_TYPE(object.as_ptr())) }
}

/// The class that a Python type stands for, if it was made here.
pub fn class_of_type(ty: &Bound<'_, PyType>) -> Option<&'static RowClass> {
    // SAFETY: it is a type.
    unsafe { checked_class(ty.as_ptr().cast()) }
}

/// Only the types made here have a first method with this documentation.
unsafe fn checked_class(ty: *mut ffi::PyTypeObject) -> Option<&'static RowClass> {
    unsafe {
        let methods = (*ty).tp_methods;
        (!methods.is_null() && ptr::eq((*methods).ml_doc, FIRST_DOC.as_ptr().cast())).then(|| class_of(ty))
    }
}

/// The bytes of an instance.
pub fn bytes_of<'a>(object: &'a Bound<'_, PyAny>) -> &'a [u8] {
    debug_assert!(class_of_object(object).is_some());
    // SAFETY: callers have checked the type; the bytes live and stay the same as long as the object.
    unsafe { raw_bytes(object.as_ptr()) }
}

unsafe fn raw_bytes<'a>(object: *mut ffi::PyObject) -> &'a [u8] {
    unsafe {
        let head: *mut Head = object.cast();
        std::slice::from_raw_parts(head.add(1).cast::<u8>(), (*head).ob_size as usize)
    }
}

/// The class that a type made here stands for: its methods are the start of it.
#[inline]
unsafe fn class_of(ty: *mut ffi::PyTypeObject) -> &'static RowClass {
    unsafe { &*(*ty).tp_methods.cast::<RowClass>() }
}

pub fn make_type<'py>(
    declared: &Bound<'py, PyType>,
    class: &'static RowClass,
    fields: &[String],
) -> PyResult<Bound<'py, PyType>> {
    let py = declared.py();
    let leaked = |text: String| -> PyResult<*const c_char> { Ok(CString::new(text)?.into_raw()) };
    let mut getset = Vec::with_capacity(fields.len() + 1);
    let getters: &'static [Getter] = Vec::leak((0..fields.len()).map(|index| Getter { class, index }).collect());
    for (field, getter) in fields.iter().zip(getters) {
        let closure = ptr::from_ref(getter).cast_mut().cast::<c_void>();
        getset.push(ffi::PyGetSetDef {
            name: leaked(field.clone())?,
            get: Some(get),
            set: None,
            doc: ptr::null(),
            closure,
        });
    }
    getset.push(ffi::PyGetSetDef {
        name: ptr::null(),
        get: None,
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    });
    let doc = declared.getattr("__doc__")?.extract::<Option<String>>()?.unwrap_or_default();
    let doc = leaked(format!("{}({})\n--\n\n{doc}", class.name, fields.join(", ")))?;
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(ffi::Py_tp_getattro, getattro as *mut c_void),
        slot(ffi::Py_tp_hash, hash as *mut c_void),
        slot(ffi::Py_tp_richcompare, richcompare as *mut c_void),
        slot(ffi::Py_tp_repr, repr as *mut c_void),
        slot(ffi::Py_tp_getset, Vec::leak(getset).as_mut_ptr().cast()),
        slot(ffi::Py_tp_methods, ptr::from_ref(class).cast_mut().cast()),
        slot(ffi::Py_tp_doc, doc.cast_mut().cast()),
        slot(0, ptr::null_mut()),
    ];
    let module_name: String = declared.getattr("__module__")?.extract()?;
    let mut spec = ffi::PyType_Spec {
        name: leaked(format!("{module_name}.{}", class.name))?,
        basicsize: size_of::<Head>() as c_int,
        itemsize: 1,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION) as _,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec is well formed, and what CPython keeps of it was leaked above.
    unsafe {
        let ty = Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))?;
        (*ty.as_ptr().cast::<ffi::PyTypeObject>()).tp_vectorcall = Some(call);
        Ok(ty.cast_into_unchecked())
    }
}

/// The methods of a class. They are the first thing in its `RowClass`, so that it is one step away from the type.
#[expect(dead_code, reason = "CPython reads it")]
pub struct Methods([ffi::PyMethodDef; 4]);

/// Its address tells the types made here from all others. A static of its own: constants may share theirs with equal ones.
static FIRST_DOC: [u8; 33] = *b"The BSATN, as to_bsatn() has it.\0";

impl Methods {
    pub const fn new() -> Self {
        Methods([
            ffi::PyMethodDef {
                ml_doc: FIRST_DOC.as_ptr().cast(),
                ..method(c"__bytes__", ffi::PyMethodDefPointer { PyCFunction: to_bytes }, ffi::METH_NOARGS)
            },
            method(c"__reduce__", ffi::PyMethodDefPointer { PyCFunction: reduce }, ffi::METH_NOARGS),
            method(
                c"__replace__",
                ffi::PyMethodDefPointer { PyCFunctionWithKeywords: replace },
                ffi::METH_VARARGS | ffi::METH_KEYWORDS,
            ),
            ffi::PyMethodDef::zeroed(),
        ])
    }
}

// SAFETY: nobody writes to it; its pointers are to constants.
unsafe impl Send for Methods {}
unsafe impl Sync for Methods {}

const fn method(name: &'static CStr, meth: ffi::PyMethodDefPointer, flags: c_int) -> ffi::PyMethodDef {
    ffi::PyMethodDef { ml_name: name.as_ptr(), ml_meth: meth, ml_flags: flags, ml_doc: ptr::null() }
}

/// Runs what CPython called: an error becomes Python's, and a panic too, instead of an abort.
pub(super) unsafe fn guarded<'py>(body: impl FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>) -> *mut ffi::PyObject {
    // SAFETY: CPython calls these functions with the thread attached.
    let py = unsafe { Python::assume_attached() };
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| body(py)))
        .unwrap_or_else(|_| Err(PySystemError::new_err("a fault in spacetime_py: please report it")));
    match result {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    unsafe {
        let ty = ffi::Py_TYPE(object);
        spare::free(object, size_of::<Head>() + raw_bytes(object).len());
        ffi::Py_DECREF(ty.cast());
    }
}

/// Finds fields by their interned names, which is what code that was compiled asks for: CPython's own way to a getter costs
/// more than most fields. Anything else goes that way, and so do names that are not interned.
unsafe extern "C" fn getattro(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    unsafe {
        let class = class_of(ffi::Py_TYPE(object));
        match class.fields.iter().find(|field| field.name.as_ptr() == name) {
            Some(field) => read_field(class, field, raw_bytes(object)),
            None => ffi::PyObject_GenericGetAttr(object, name),
        }
    }
}

unsafe extern "C" fn get(object: *mut ffi::PyObject, closure: *mut c_void) -> *mut ffi::PyObject {
    unsafe {
        let getter = &*closure.cast::<Getter>();
        read_field(getter.class, &getter.class.fields[getter.index], raw_bytes(object))
    }
}

/// Most fields that are read are before the first of varying size: nothing more is needed for them than to call their
/// function.
#[inline(always)]
unsafe fn read_field(class: &RowClass, field: &Field, bytes: &[u8]) -> *mut ffi::PyObject {
    unsafe {
        match field.at_fixed_place(bytes) {
            Some((kind, data)) => kind.read(Python::assume_attached(), data),
            None => read_moved_field(class, field, bytes),
        }
    }
}

#[inline(never)]
unsafe fn read_moved_field(class: &RowClass, field: &Field, bytes: &[u8]) -> *mut ffi::PyObject {
    unsafe {
        match class.at_moved_place(field, bytes) {
            Some((kind, data)) => kind.read(Python::assume_attached(), data),
            None => read_any_field(class, field, bytes),
        }
    }
}

/// A panic is possible only here.
#[cold]
unsafe fn read_any_field(class: &RowClass, field: &Field, bytes: &[u8]) -> *mut ffi::PyObject {
    unsafe { guarded(|py| class.field(py, bytes, field)) }
}

unsafe extern "C" fn hash(object: *mut ffi::PyObject) -> ffi::Py_hash_t {
    // -1 says that hashing failed.
    match crate::hashing::hash(unsafe { raw_bytes(object) }) as ffi::Py_hash_t {
        -1 => -2,
        hash => hash,
    }
}

unsafe extern "C" fn richcompare(one: *mut ffi::PyObject, other: *mut ffi::PyObject, op: c_int) -> *mut ffi::PyObject {
    unsafe {
        if ffi::Py_TYPE(one) != ffi::Py_TYPE(other) || !matches!(op, ffi::Py_EQ | ffi::Py_NE) {
            return ffi::Py_NewRef(ffi::Py_NotImplemented());
        }
        let equal = raw_bytes(one) == raw_bytes(other);
        ffi::PyBool_FromLong((equal == (op == ffi::Py_EQ)).into())
    }
}

unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    unsafe {
        let (class, bytes) = (class_of(ffi::Py_TYPE(object)), raw_bytes(object));
        guarded(|py| {
            let mut parts = Vec::new();
            for field in &class.fields {
                parts.push(format!("{}={}", field.name.bind(py), class.field(py, bytes, field)?.repr()?));
            }
            Ok(PyString::new(py, &format!("{}({})", class.name, parts.join(", "))).into_any())
        })
    }
}

unsafe extern "C" fn to_bytes(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    unsafe { guarded(|py| Ok(PyBytes::new(py, raw_bytes(object)).into_any())) }
}

unsafe extern "C" fn reduce(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    unsafe {
        let class = class_of(ffi::Py_TYPE(object));
        guarded(|py| {
            let rebuild = py.import("spacetime_py._core")?.getattr("from_bsatn")?;
            let arguments = (class.python_type(py), PyBytes::new(py, raw_bytes(object)));
            Ok((rebuild, arguments).into_pyobject(py)?.into_any())
        })
    }
}

unsafe extern "C" fn replace(
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    unsafe {
        let (class, bytes) = (class_of(ffi::Py_TYPE(object)), raw_bytes(object));
        guarded(|py| {
            let args = Bound::from_borrowed_ptr(py, args).cast_into::<PyTuple>()?;
            if !args.is_empty() {
                return Err(PyTypeError::new_err("__replace__() takes keyword arguments only"));
            }
            let changes = match Bound::from_borrowed_ptr_or_opt(py, kwargs) {
                Some(changes) => changes.cast_into::<PyDict>()?,
                None => PyDict::new(py),
            };
            let named = changes.iter().map(|(name, value)| Ok((name.cast_into::<PyString>()?, value)));
            let named: Vec<_> = named.collect::<PyResult<_>>()?;
            let values = class.bind(py, &[], named.into_iter())?;
            let keep = |(value, field): (Option<_>, _)| value.map_or_else(|| class.field(py, bytes, field), Ok);
            let values: Vec<_> = values.into_iter().zip(&class.fields).map(keep).collect::<PyResult<_>>()?;
            class.construct(py, values.iter().map(Bound::as_borrowed))
        })
    }
}

/// Calling the class: fields by position or by name.
unsafe extern "C" fn call(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    unsafe {
        let class = class_of(class.cast());
        guarded(|py| {
            let count = ffi::PyVectorcall_NARGS(nargsf) as usize;
            let names = match Bound::from_borrowed_ptr_or_opt(py, names) {
                None => PyTuple::empty(py),
                Some(names) => names.cast_into::<PyTuple>()?,
            };
            if class.is_whole(count, &names) {
                return class
                    .construct(py, (0..class.fields.len()).map(|index| Borrowed::from_ptr(py, *args.add(index))));
            }
            let argument = |index: usize| Bound::from_borrowed_ptr(py, *args.add(index));
            let positional: Vec<_> = (0..count).map(argument).collect();
            let named = names
                .iter()
                .enumerate()
                .map(|(index, name)| Ok((name.cast_into::<PyString>()?, argument(count + index))));
            let named: Vec<_> = named.collect::<PyResult<_>>()?;
            let values = class.bind(py, &positional, named.into_iter())?;
            let values = class.require_all(py, values)?;
            class.construct(py, values.iter().map(Bound::as_borrowed))
        })
    }
}
