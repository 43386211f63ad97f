//! The common kinds of fields, read and written without looking at their types again. What is not common, or not right,
//! goes the way of `convert.rs` and `encode.rs`, which know everything.
//!
//! What the unsafe code relies on: callers have the thread attached, and objects are looked into only after their exact type
//! was seen.

#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;

use super::plain::{Plain, new_plain, plain_value};
use super::slots::new_text;
use super::types::{ConnectionId, Identity, TimeDuration, Timestamp};
use crate::sats::{Kind, Layout, Special, TypeId};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Common {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F64,
    Text,
    Bytes,
    Identity,
    ConnectionId,
    Timestamp,
    TimeDuration,
    Other,
}

/// A kind of field, or an option of it.
#[derive(Clone, Copy)]
pub struct FieldKind {
    common: Common,
    is_option: bool,
}

impl FieldKind {
    pub fn of(layout: &Layout, ty: TypeId) -> Self {
        match layout.sum(ty) {
            Some(sum) if sum.special == Some(Special::Option) => {
                FieldKind { common: common(layout, sum.variants[0].ty), is_option: true }
            }
            _ => FieldKind { common: common(layout, ty), is_option: false },
        }
    }

    pub fn is_common(self) -> bool {
        self.common != Common::Other
    }

    /// A new object of the value that the bytes, which were checked, begin with; null with an error of Python's set. None
    /// for kinds that are not common.
    #[inline(always)]
    pub fn read(self, _: Python<'_>, data: &[u8]) -> Option<*mut ffi::PyObject> {
        if self.common == Common::Other {
            return None;
        }
        // SAFETY: the token says that the thread is attached.
        unsafe {
            let data = match (self.is_option, data) {
                (false, data) | (true, [0, data @ ..]) => data,
                (true, _) => return Some(ffi::Py_NewRef(ffi::Py_None())),
            };
            self.common.read(data)
        }
    }

    /// Appends the BSATN of a value of the exact type that goes with the kind. False, and nothing, for all others.
    #[inline]
    pub fn write(self, value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
        if !self.is_option {
            return self.common.write(value, bytes);
        }
        match self.common {
            Common::Other => false,
            _ if value.is_none() => {
                bytes.push(1);
                true
            }
            common => {
                bytes.push(0);
                let is_written = common.write(value, bytes);
                if !is_written {
                    bytes.pop();
                }
                is_written
            }
        }
    }
}

fn common(layout: &Layout, ty: TypeId) -> Common {
    match layout.kind(ty) {
        Kind::Bool => Common::Bool,
        Kind::I8 => Common::I8,
        Kind::U8 => Common::U8,
        Kind::I16 => Common::I16,
        Kind::U16 => Common::U16,
        Kind::I32 => Common::I32,
        Kind::U32 => Common::U32,
        Kind::I64 => Common::I64,
        Kind::U64 => Common::U64,
        Kind::F64 => Common::F64,
        Kind::String => Common::Text,
        Kind::Bytes => Common::Bytes,
        Kind::Product(product) => match product.special {
            Some(Special::Identity) => Common::Identity,
            Some(Special::ConnectionId) => Common::ConnectionId,
            Some(Special::Timestamp) => Common::Timestamp,
            Some(Special::TimeDuration) => Common::TimeDuration,
            _ => Common::Other,
        },
        _ => Common::Other,
    }
}

impl Common {
    #[inline(always)]
    unsafe fn read(self, data: &[u8]) -> Option<*mut ffi::PyObject> {
        macro_rules! int {
            ($type:ty, $make:ident) => {
                ffi::$make(<$type>::from_le_bytes(*data.first_chunk()?).into())
            };
        }
        // SAFETY: the thread is attached; lengths are those of slices.
        unsafe {
            Some(match self {
                Common::Bool => ffi::Py_NewRef(if *data.first()? == 0 { ffi::Py_False() } else { ffi::Py_True() }),
                Common::I8 => int!(i8, PyLong_FromLongLong),
                Common::U8 => int!(u8, PyLong_FromLongLong),
                Common::I16 => int!(i16, PyLong_FromLongLong),
                Common::U16 => int!(u16, PyLong_FromLongLong),
                Common::I32 => int!(i32, PyLong_FromLongLong),
                Common::U32 => int!(u32, PyLong_FromLongLong),
                Common::I64 => int!(i64, PyLong_FromLongLong),
                Common::U64 => int!(u64, PyLong_FromUnsignedLongLong),
                Common::F64 => int!(f64, PyFloat_FromDouble),
                Common::Text => new_text(counted(data)?),
                Common::Bytes => {
                    let bytes = counted(data)?;
                    ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t)
                }
                Common::Identity => new_plain(Identity { wire: *data.first_chunk()? }),
                Common::ConnectionId => new_plain(ConnectionId { wire: *data.first_chunk()? }),
                Common::Timestamp => new_plain(Timestamp { micros: i64::from_le_bytes(*data.first_chunk()?) }),
                Common::TimeDuration => new_plain(TimeDuration { micros: i64::from_le_bytes(*data.first_chunk()?) }),
                Common::Other => return None,
            })
        }
    }

    #[inline]
    fn write(self, value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
        macro_rules! int {
            ($type:ty) => {
                exact_int(value)
                    .and_then(|number| <$type>::try_from(number).ok())
                    .map(|n| bytes.extend(n.to_le_bytes()))
            };
        }
        let written = match self {
            Common::Bool => exact_bool(value).map(|value| bytes.push(value.into())),
            Common::I8 => int!(i8),
            Common::U8 => int!(u8),
            Common::I16 => int!(i16),
            Common::U16 => int!(u16),
            Common::I32 => int!(i32),
            Common::U32 => int!(u32),
            Common::I64 => int!(i64),
            Common::U64 => int!(u64),
            Common::F64 => exact_float(value).map(|value| bytes.extend_from_slice(&value.to_le_bytes())),
            Common::Text => exact_text(value).and_then(|text| append_counted(text.as_bytes(), bytes)),
            Common::Bytes => {
                value.cast_exact::<pyo3::types::PyBytes>().ok().and_then(|data| append_counted(data.as_bytes(), bytes))
            }
            Common::Identity => append_plain(value, bytes, |id: Identity| id.wire),
            Common::ConnectionId => append_plain(value, bytes, |id: ConnectionId| id.wire),
            Common::Timestamp => append_plain(value, bytes, |at: Timestamp| at.micros.to_le_bytes()),
            Common::TimeDuration => append_plain(value, bytes, |span: TimeDuration| span.micros.to_le_bytes()),
            Common::Other => None,
        };
        written.is_some()
    }
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

#[inline]
fn append_plain<T: Plain, const N: usize>(
    value: &Bound<'_, PyAny>,
    bytes: &mut Vec<u8>,
    wire: impl FnOnce(T) -> [u8; N],
) -> Option<()> {
    bytes.extend_from_slice(&wire(plain_value(value)?));
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
