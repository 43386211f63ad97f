//! The common kinds of fields, read and written without looking at their types again. What is not common, or not right,
//! goes the way of `convert.rs` and `encode.rs`, which know everything.
//!
//! What the unsafe code relies on: callers have the thread attached, and objects are looked into only after their exact type
//! was seen.

#![allow(unsafe_code)]

use std::convert::identity;
use std::ptr;
use std::slice;

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::plain::{new_plain, plain_value};
use super::slots::new_text;
use super::types::{ConnectionId, Identity, TimeDuration, Timestamp};
use crate::sats::{Kind, Layout, Special, TypeId};

/// A type whose values are read and written without looking at the schema.
trait Common {
    /// A new object of the value that bytes, which were checked, begin with; null with an error of Python's set. None where
    /// there are too few.
    unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject>;

    /// Appends the BSATN of a value of the exact type that goes with it. None, and nothing, for all others.
    fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()>;
}

/// How fields of a common type are read and written.
#[derive(Clone, Copy)]
pub struct FieldKind {
    /// Of so many bytes. As CPython's own functions, so that it can be the last thing that one of those does.
    read: unsafe extern "C" fn(*const u8, usize) -> *mut ffi::PyObject,
    write: fn(&Bound<'_, PyAny>, &mut Vec<u8>) -> bool,
}

impl FieldKind {
    /// None for types that are not common.
    pub fn of(layout: &Layout, ty: TypeId) -> Option<Self> {
        match layout.sum(ty) {
            Some(sum) if sum.special == Some(Special::Option) => common::<Optional>(layout, sum.variants[0].ty),
            _ => common::<Always>(layout, ty),
        }
    }

    /// A new object of the value that the bytes, which were checked, begin with; null with an error of Python's set.
    #[inline(always)]
    pub fn read(self, _: Python<'_>, data: &[u8]) -> *mut ffi::PyObject {
        // SAFETY: the token says that the thread is attached.
        unsafe { (self.read)(data.as_ptr(), data.len()) }
    }

    /// Appends the BSATN of a value of the exact type that goes with the kind. False, and nothing, for all others.
    #[inline(always)]
    pub fn write(self, value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
        (self.write)(value, bytes)
    }
}

/// A value, or an option of it.
trait Presence {
    fn kind<T: Common>() -> FieldKind;
}

struct Always;

impl Presence for Always {
    fn kind<T: Common>() -> FieldKind {
        unsafe extern "C" fn read<T: Common>(data: *const u8, size: usize) -> *mut ffi::PyObject {
            unsafe { T::read(slice::from_raw_parts(data, size)).unwrap_or_else(too_short) }
        }
        FieldKind { read: read::<T>, write: |value, bytes| T::write(value, bytes).is_some() }
    }
}

struct Optional;

impl Presence for Optional {
    fn kind<T: Common>() -> FieldKind {
        unsafe extern "C" fn read<T: Common>(data: *const u8, size: usize) -> *mut ffi::PyObject {
            unsafe {
                match slice::from_raw_parts(data, size) {
                    [0, data @ ..] => T::read(data).unwrap_or_else(too_short),
                    _ => ffi::Py_NewRef(ffi::Py_None()),
                }
            }
        }
        fn write<T: Common>(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
            if value.is_none() {
                bytes.push(1);
                return true;
            }
            bytes.push(0);
            let is_written = T::write(value, bytes).is_some();
            if !is_written {
                bytes.pop();
            }
            is_written
        }
        FieldKind { read: read::<T>, write: write::<T> }
    }
}

/// Of bytes that were checked none are missing.
#[cold]
fn too_short() -> *mut ffi::PyObject {
    // SAFETY: whoever reads has the thread attached.
    let py = unsafe { Python::assume_attached() };
    PySystemError::new_err("a fault in spacetime_py: a field is not there; please report it").restore(py);
    ptr::null_mut()
}

fn common<P: Presence>(layout: &Layout, ty: TypeId) -> Option<FieldKind> {
    Some(match layout.kind(ty) {
        Kind::Bool => P::kind::<bool>(),
        Kind::I8 => P::kind::<i8>(),
        Kind::U8 => P::kind::<u8>(),
        Kind::I16 => P::kind::<i16>(),
        Kind::U16 => P::kind::<u16>(),
        Kind::I32 => P::kind::<i32>(),
        Kind::U32 => P::kind::<u32>(),
        Kind::I64 => P::kind::<i64>(),
        Kind::U64 => P::kind::<u64>(),
        Kind::F64 => P::kind::<f64>(),
        Kind::String => P::kind::<String>(),
        Kind::Bytes => P::kind::<Vec<u8>>(),
        Kind::Product(product) => match product.special? {
            Special::Identity => P::kind::<Identity>(),
            Special::ConnectionId => P::kind::<ConnectionId>(),
            Special::Timestamp => P::kind::<Timestamp>(),
            Special::TimeDuration => P::kind::<TimeDuration>(),
            _ => return None,
        },
        _ => return None,
    })
}

impl Common for bool {
    #[inline(always)]
    unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject> {
        // SAFETY: the thread is attached.
        unsafe { Some(ffi::Py_NewRef(if *data.first()? == 0 { ffi::Py_False() } else { ffi::Py_True() })) }
    }

    fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()> {
        exact_bool(value).map(|value| bytes.push(value.into()))
    }
}

macro_rules! numbers {
    ($($type:ty: $make:ident, $exact:ident;)*) => { $(
        impl Common for $type {
            #[inline(always)]
            unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject> {
                let number = <$type>::from_le_bytes(*data.first_chunk()?);
                // SAFETY: the thread is attached.
                unsafe { Some(ffi::$make(number.into())) }
            }

            fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()> {
                let number = <$type>::try_from($exact(value)?).ok()?;
                bytes.extend_from_slice(&number.to_le_bytes());
                Some(())
            }
        }
    )* };
}

numbers! {
    i8: PyLong_FromLongLong, exact_int;
    u8: PyLong_FromLongLong, exact_int;
    i16: PyLong_FromLongLong, exact_int;
    u16: PyLong_FromLongLong, exact_int;
    i32: PyLong_FromLongLong, exact_int;
    u32: PyLong_FromLongLong, exact_int;
    i64: PyLong_FromLongLong, exact_int;
    u64: PyLong_FromUnsignedLongLong, exact_int;
    f64: PyFloat_FromDouble, exact_float;
}

impl Common for String {
    #[inline(always)]
    unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject> {
        // SAFETY: the thread is attached.
        unsafe { Some(new_text(counted(data)?)) }
    }

    fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()> {
        append_counted(exact_text(value)?.as_bytes(), bytes)
    }
}

impl Common for Vec<u8> {
    #[inline(always)]
    unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject> {
        let bytes = counted(data)?;
        // SAFETY: the thread is attached; the length is that of the slice.
        unsafe { Some(ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t)) }
    }

    fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()> {
        append_counted(value.cast_exact::<PyBytes>().ok()?.as_bytes(), bytes)
    }
}

macro_rules! marked {
    ($($class:ident: $field:ident, $of:path, $wire:expr;)*) => { $(
        impl Common for $class {
            #[inline(always)]
            unsafe fn read(data: &[u8]) -> Option<*mut ffi::PyObject> {
                // SAFETY: the thread is attached.
                unsafe { Some(new_plain($class { $field: $of(*data.first_chunk()?) })) }
            }

            fn write(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Option<()> {
                bytes.extend_from_slice(&$wire(plain_value::<$class>(value)?.$field));
                Some(())
            }
        }
    )* };
}

marked! {
    Identity: wire, identity, identity;
    ConnectionId: wire, identity, identity;
    Timestamp: micros, i64::from_le_bytes, i64::to_le_bytes;
    TimeDuration: micros, i64::from_le_bytes, i64::to_le_bytes;
}

#[inline]
fn counted(data: &[u8]) -> Option<&[u8]> {
    let (count, rest) = data.split_first_chunk()?;
    rest.get(..u32::from_le_bytes(*count) as usize)
}

#[inline]
fn append_counted(data: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(data.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(data);
    Some(())
}

fn exact_bool(value: &Bound<'_, PyAny>) -> Option<bool> {
    // SAFETY: the two bools live as long as the interpreter.
    let (yes, no) = unsafe { (ffi::Py_True(), ffi::Py_False()) };
    match value.as_ptr() {
        object if object == yes => Some(true),
        object if object == no => Some(false),
        _ => None,
    }
}

/// An int of the type itself that fits 64 bits with a sign.
#[inline]
fn exact_int(value: &Bound<'_, PyAny>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: of an exact int this runs no code of the user's and sets no error.
    unsafe {
        if ffi::PyLong_CheckExact(value.as_ptr()) == 0 {
            return None;
        }
        let number = ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow);
        (overflow == 0).then_some(number)
    }
}

#[inline]
fn exact_float(value: &Bound<'_, PyAny>) -> Option<f64> {
    value.cast_exact::<pyo3::types::PyFloat>().ok().map(|float| float.value())
}

/// None also for lone surrogates, whose error is told elsewhere.
#[inline]
fn exact_text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast_exact::<pyo3::types::PyString>().ok()?.to_str().ok()
}
