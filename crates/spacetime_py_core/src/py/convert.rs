//! BSATN to Python objects. The bytes were checked when they came, so that only Python itself can fail here.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyType};

use super::classes::Module;
use super::fields::FieldKind;
use super::plain::plain;
use super::slots::{common, list, text};
use super::types::{ConnectionId, Identity, TimeDuration, Timestamp};
use crate::sats::{Kind, Reader, Special, TypeId};

pub fn to_python<'py>(
    py: Python<'py>,
    module: &Module,
    ty: TypeId,
    reader: &mut Reader<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = &module.def.layout;
    macro_rules! int {
        ($value:expr) => {
            $value.into_pyobject(py)?.into_any()
        };
    }
    Ok(match layout.kind(ty) {
        Kind::Bool => PyBool::new(py, reader.bool()?).to_owned().into_any(),
        Kind::I8 => int!(reader.i8()?),
        Kind::U8 => int!(reader.u8()?),
        Kind::I16 => int!(reader.i16()?),
        Kind::U16 => int!(reader.u16()?),
        Kind::I32 => int!(reader.i32()?),
        Kind::U32 => int!(reader.u32()?),
        Kind::I64 => int!(reader.i64()?),
        Kind::U64 => int!(reader.u64()?),
        Kind::I128 => int!(reader.i128()?),
        Kind::U128 => int!(reader.u128()?),
        Kind::I256 => wide_int(py, reader.take(32)?, true)?,
        Kind::U256 => wide_int(py, reader.take(32)?, false)?,
        Kind::F32 => PyFloat::new(py, widen(reader.u32()?)).into_any(),
        Kind::F64 => PyFloat::new(py, reader.f64()?).into_any(),
        Kind::String => text(py, reader.bytes()?)?,
        Kind::Bytes => PyBytes::new(py, reader.bytes()?).into_any(),
        Kind::Array(element) => array(py, module, *element, reader)?.into_any(),
        Kind::Product(product) => match product.special {
            Some(special) => special_product(py, special, reader)?,
            None if product.fields.is_empty() && !module.has_product_class(py, ty) => py.None().into_bound(py),
            None => module.product_class(py, ty)?.instance(py, layout.cut(ty, reader)?)?,
        },
        Kind::Sum(_) => sum(py, module, ty, reader)?,
    })
}

fn array<'py>(
    py: Python<'py>,
    module: &Module,
    element: TypeId,
    reader: &mut Reader<'_>,
) -> PyResult<Bound<'py, PyList>> {
    let layout = &module.def.layout;
    let count = reader.count(layout.node(element).min)?;
    let is_row = layout.product(element).is_some_and(|product| product.special.is_none());
    let count = count as usize;
    if !is_row || !module.has_product_class(py, element) {
        if let (Some(kind), Some(size)) = (FieldKind::of(layout, element), layout.node(element).fixed) {
            return list(py, count, || common(py, kind, reader.take(size as usize)?));
        }
        if matches!(layout.kind(element), Kind::String) {
            return list(py, count, || text(py, reader.bytes()?));
        }
        return list(py, count, || to_python(py, module, element, reader));
    }
    let class = module.product_class(py, element)?;
    match layout.node(element).fixed {
        Some(size) => list(py, count, || class.instance(py, reader.take(size as usize)?)),
        None => list(py, count, || class.instance(py, layout.cut(element, reader)?)),
    }
}

fn special_product<'py>(py: Python<'py>, special: Special, reader: &mut Reader<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match special {
        Special::Identity => plain(py, Identity { wire: reader.array()? })?,
        Special::ConnectionId => plain(py, ConnectionId { wire: reader.array()? })?,
        Special::Timestamp => plain(py, Timestamp { micros: reader.i64()? })?,
        Special::TimeDuration => plain(py, TimeDuration { micros: reader.i64()? })?,
        _ => {
            let mut bytes: [u8; 16] = reader.array()?;
            bytes.reverse();
            let none = py.None();
            uuid_class(py)?.call1((&none, PyBytes::new(py, &bytes)))?
        }
    })
}

fn sum<'py>(py: Python<'py>, module: &Module, ty: TypeId, reader: &mut Reader<'_>) -> PyResult<Bound<'py, PyAny>> {
    let layout = &module.def.layout;
    let Kind::Sum(sum) = layout.kind(ty) else { unreachable!("called for sums only") };
    let mut ahead = *reader;
    let tag = ahead.tag(sum.variants.len())?;
    let payload = sum.variants[usize::from(tag)].ty;
    let Some(special) = sum.special else {
        if let Some(declared) = module.plain_enum(py, ty) {
            *reader = ahead;
            return Ok(declared.members[usize::from(tag)].bind(py).clone());
        }
        return module.variant_class(py, ty, tag)?.instance(py, layout.cut(ty, reader)?);
    };
    *reader = ahead;
    if special == Special::Option && tag == 1 {
        return Ok(py.None().into_bound(py));
    }
    let value = to_python(py, module, payload, reader)?;
    match (special, tag) {
        (Special::Option, _) if is_nullable(py, module, payload) => some_class(py)?.call1((value,)),
        (Special::Result, 0) => ok_class(py)?.call1((value,)),
        (Special::Result, _) => err_class(py)?.call1((value,)),
        _ => Ok(value),
    }
}

/// Whether None is a value of the type, so that an option of it needs `Some` to tell its nones apart.
pub fn is_nullable(py: Python<'_>, module: &Module, ty: TypeId) -> bool {
    match module.def.layout.kind(ty) {
        Kind::Sum(sum) => sum.special == Some(Special::Option),
        Kind::Product(product) => product.fields.is_empty() && !module.has_product_class(py, ty),
        _ => false,
    }
}

/// An int from its bytes, least significant first.
pub fn wide_int<'py>(py: Python<'py>, bytes: &[u8], signed: bool) -> PyResult<Bound<'py, PyAny>> {
    if !signed && bytes.len() == 16 {
        let number = u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"));
        return Ok(number.into_pyobject(py)?.into_any());
    }
    let kwargs = pyo3::types::PyDict::new(py);
    kwargs.set_item("signed", signed)?;
    py.get_type::<PyInt>().call_method("from_bytes", (PyBytes::new(py, bytes), "little"), Some(&kwargs))
}

/// f32 to f64 by bits where the processor would change a NaN's payload.
fn widen(bits: u32) -> f64 {
    let narrow = f32::from_bits(bits);
    if !narrow.is_nan() {
        return narrow.into();
    }
    let sign = u64::from(bits >> 31) << 63;
    f64::from_bits(sign | 0x7ff << 52 | u64::from(bits & 0x007f_ffff) << 29)
}

macro_rules! python_classes {
    ($($function:ident: $module:literal, $name:literal);* $(;)?) => { $(
        pub fn $function(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, $module, $name)
        }
    )* };
}

python_classes! {
    uuid_class: "uuid", "UUID";
    some_class: "spacetime_py.sums", "Some";
    ok_class: "spacetime_py.sums", "Ok";
    err_class: "spacetime_py.sums", "Err";
}
