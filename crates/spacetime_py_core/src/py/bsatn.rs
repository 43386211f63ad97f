//! `to_bsatn` and `from_bsatn`: of an instance of a generated class, or of a list of rows, which is a BSATN array.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple, PyType};

use super::connection::Input;
use super::error::{DecodeError, EncodeError};
use super::row::{Payload, RowClass};
use super::slots::{bytes_of, class_of_object, class_of_type, list};
use crate::sats::Reader;

#[pyfunction]
pub fn to_bsatn<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match (class_of_object(value), value.cast::<PyList>()) {
        (Some(_), _) => Ok(PyBytes::new(value.py(), bytes_of(value))),
        (None, Ok(rows)) => encode_list(rows),
        (None, Err(_)) => Err(no_class(&value.get_type())),
    }
}

#[pyfunction]
pub fn from_bsatn<'py>(cls: &Bound<'py, PyAny>, data: Input<'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = cls.py();
    if let Some(class) = class_of(cls) {
        return decode(py, class, data.as_bytes());
    }
    match class_in_list(cls)? {
        Some(class) => decode_list(py, class, data.as_bytes()).map(Bound::into_any),
        None => Err(no_class(cls)),
    }
}

/// An instance of bytes that are to be its value.
pub fn decode<'py>(py: Python<'py>, class: &RowClass, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let checked = class.layout().validate(class.ty(), data);
    checked.map_err(|error| DecodeError::new_err(format!("{}: {error}", class.name)))?;
    match class.payload() {
        Payload::Variant { tag, .. } if data[0] != tag => {
            Err(DecodeError::new_err(format!("{}: the bytes are of variant {} and not {tag}", class.name, data[0])))
        }
        _ => class.instance(py, data),
    }
}

/// Each row is made as soon as its bytes are known to be one, so that they are looked at once.
fn decode_list<'py>(py: Python<'py>, class: &RowClass, data: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let (layout, ty) = (class.layout(), class.ty());
    let node = layout.node(ty);
    let wrong = |error| DecodeError::new_err(format!("list[{}]: {error}", class.name));
    let mut reader = Reader::new(data);
    let count = reader.count(node.min).map_err(wrong)? as usize;
    let rows = match node.fixed {
        Some(size) if node.plain => list(py, count, || class.instance(py, reader.take(size as usize).map_err(wrong)?)),
        _ => list(py, count, || {
            let start = reader.position();
            layout.skip(ty, &mut reader).map_err(wrong)?;
            class.instance(py, reader.since(start))
        }),
    }?;
    reader.end().map_err(wrong)?;
    Ok(rows)
}

fn encode_list<'py>(rows: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyBytes>> {
    let (mut bytes, mut count, mut common) = (vec![0; size_of::<u32>()], 0u32, None);
    for row in rows {
        let class = class_of_object(&row).filter(|class| class.is_row()).ok_or_else(|| no_class(&row.get_type()))?;
        let common: &RowClass = common.get_or_insert(class);
        if !std::ptr::eq(common, class) {
            return Err(PyTypeError::new_err(format!("a list of {} with a {}", common.name, class.name)));
        }
        bytes.extend_from_slice(bytes_of(&row));
        count = count.checked_add(1).ok_or_else(|| EncodeError::new_err("a list of more than 4,294,967,295 rows"))?;
    }
    bytes[..size_of::<u32>()].copy_from_slice(&count.to_le_bytes());
    Ok(PyBytes::new(rows.py(), &bytes))
}

/// The class that is this object, if it is one made here.
pub fn class_of(cls: &Bound<'_, PyAny>) -> Option<&'static RowClass> {
    class_of_type(cls.cast::<PyType>().ok()?)
}

/// The class of `list[Row]`.
fn class_in_list(cls: &Bound<'_, PyAny>) -> PyResult<Option<&'static RowClass>> {
    let py = cls.py();
    let Some(origin) = cls.getattr_opt("__origin__")? else { return Ok(None) };
    let arguments = cls.getattr("__args__")?.cast_into::<PyTuple>()?;
    let is_list = origin.is(py.get_type::<PyList>()) && arguments.len() == 1;
    Ok(if is_list { class_of(&arguments.get_item(0)?).filter(|class| class.is_row()) } else { None })
}

fn no_class(cls: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{cls} is not a class of generated bindings, nor a list of rows"))
}
