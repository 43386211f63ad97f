//! Rows of a fixed size as one block of memory, for those who look at many of them at once. `arrays.py` is the other half.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyList, PyType};

use super::classes::Module;
use super::connection::Input;
use super::error::DecodeError;
use super::row::RowClass;
use super::slots::class_of_type;
use crate::sats::layout::Sum;
use crate::sats::{Kind, Reader, Special, TypeId};

/// The fields as NumPy's `dtype` takes them: pairs of name and format, or of name and such pairs.
#[pyfunction]
pub fn packed_format<'py>(cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyList>> {
    class_format(cls.py(), row_class(cls)?, row_class(cls)?.name())
}

/// The rows of the BSATN of an array, which is checked, one after the other: in memory that numbers are aligned in, which is
/// twice as fast to compute with.
#[pyfunction]
pub fn packed_rows<'py>(cls: &Bound<'py, PyType>, data: Input<'py>) -> PyResult<Bound<'py, PyByteArray>> {
    let class = row_class(cls)?;
    let layout = class.layout();
    let node = layout.node(class.ty());
    let check = || {
        let mut reader = Reader::new(data.as_bytes());
        let count = reader.count(node.min)?;
        let rows = reader.rest();
        match node.fixed {
            Some(size) if node.plain => drop(reader.take(count as usize * size as usize)?),
            _ => (0..count).try_for_each(|_| layout.skip(class.ty(), &mut reader))?,
        }
        reader.end().map(|()| rows)
    };
    match check() {
        Ok(rows) => Ok(PyByteArray::new(cls.py(), rows)),
        Err(error) => Err(DecodeError::new_err(format!("array of {}: {error}", class.name()))),
    }
}

fn row_class<'a>(cls: &'a Bound<'_, PyType>) -> PyResult<&'a RowClass> {
    class_of_type(cls)
        .filter(|class| class.is_row())
        .ok_or_else(|| PyTypeError::new_err(format!("{cls} is not a class of rows of generated bindings")))
}

/// `way` leads to the class, for messages.
fn class_format<'py>(py: Python<'py>, class: &RowClass, way: &str) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for field in &class.fields {
        let way = format!("{way}.{}", field.name.bind(py));
        list.append((&field.name, field_format(py, class.module(py), field.ty, &way)?))?;
    }
    Ok(list)
}

fn field_format<'py>(py: Python<'py>, module: &Module, ty: TypeId, way: &str) -> PyResult<Bound<'py, PyAny>> {
    let layout = &module.def.layout;
    let format = match layout.kind(ty) {
        Kind::Bool => "?",
        Kind::I8 => "i1",
        Kind::U8 => "u1",
        Kind::I16 => "<i2",
        Kind::U16 => "<u2",
        Kind::I32 => "<i4",
        Kind::U32 => "<u4",
        Kind::I64 => "<i8",
        Kind::U64 => "<u8",
        Kind::F32 => "<f4",
        Kind::F64 => "<f8",
        Kind::I128 | Kind::U128 => "V16",
        Kind::I256 | Kind::U256 => "V32",
        Kind::Product(product) => match product.special {
            Some(Special::Timestamp) => "<M8[us]",
            Some(Special::TimeDuration) => "<m8[us]",
            Some(Special::Identity) => "V32",
            Some(_) => "V16",
            None => return Ok(class_format(py, module.product_class(py, ty)?, way)?.into_any()),
        },
        Kind::Sum(Sum { special: None, .. }) if layout.node(ty).fixed == Some(1) => "u1",
        Kind::String | Kind::Bytes | Kind::Array(_) | Kind::Sum(_) => {
            let text = format!("{way} has no fixed size, so that its rows are no array: read them one by one");
            return Err(PyTypeError::new_err(text));
        }
    };
    Ok(format.into_pyobject(py)?.into_any())
}
