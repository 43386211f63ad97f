//! Python objects to BSATN. A value that does not fit its type is an error that names the place in the argument.

use pyo3::buffer::PyBuffer;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::classes::Module;
use super::convert::{err_class, is_nullable, ok_class, some_class, uuid_class};
use super::fields::FieldKind;
use super::row::{Payload, RowClass};
use super::slots::{bytes_of, class_of_object};
use super::types::{ConnectionId, Identity, TimeDuration, Timestamp};
use crate::sats::bsatn::{MAX_EMPTY, TooLong};
use crate::sats::layout::Product;
use crate::sats::module::FunctionDef;
use crate::sats::{Kind, Special, TypeId, Writer};

/// What does not fit, and the way to it from the outside in; the way is filled in while the error travels out.
#[derive(Debug)]
pub struct Fault {
    problem: String,
    way: Vec<Place>,
}

#[derive(Debug)]
pub enum Place {
    Name(String),
    Index(usize),
}

impl Fault {
    fn new(problem: impl Into<String>) -> Self {
        Fault { problem: problem.into(), way: Vec::new() }
    }

    pub fn inside(mut self, place: Place) -> Self {
        self.way.push(place);
        self
    }

    /// For example "User.tags[2]: expected str, got int 5".
    pub fn message(&self, root: &str) -> String {
        let mut way = root.to_owned();
        for place in self.way.iter().rev() {
            match place {
                Place::Name(name) => way.push_str(&format!(".{name}")),
                Place::Index(index) => way.push_str(&format!("[{index}]")),
            }
        }
        format!("{way}: {}", self.problem)
    }
}

impl From<TooLong> for Fault {
    fn from(TooLong: TooLong) -> Self {
        Fault::new("longer than 2**32 - 1")
    }
}

type Encoded = Result<(), Fault>;

/// The arguments of a call, as the BSATN of its parameters' product.
pub fn encode_args(
    module: &Module,
    kind: &str,
    function: &FunctionDef,
    args: &Bound<'_, PyTuple>,
) -> PyResult<Vec<u8>> {
    let params = &module.def.layout.product(function.params).expect("parameters are a product").fields;
    let root = || format!("{kind} `{}`", function.name);
    if args.len() != params.len() {
        let text = format!("{} takes {} arguments, {} were given", root(), params.len(), args.len());
        return Err(super::error::EncodeError::new_err(text));
    }
    let mut writer = Writer(Vec::with_capacity(32));
    for (index, (param, value)) in params.iter().zip(args.iter_borrowed()).enumerate() {
        encode(module, param.ty, &value, &mut writer).map_err(|fault| {
            let name = param.name.clone().unwrap_or_else(|| index.to_string());
            super::error::EncodeError::new_err(fault.message(&format!("argument `{name}` of {}", root())))
        })?;
    }
    Ok(writer.0)
}

/// What `Some`, `Ok` and `Err` hold.
fn inner<'py>(value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>, Fault> {
    value.getattr("value").map_err(|error| Fault::new(error.to_string()))
}

pub fn encode(module: &Module, ty: TypeId, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    macro_rules! int {
        ($method:ident: $type:ty) => {
            writer.$method(extract_int::<$type>(value, stringify!($type), <$type>::MIN, <$type>::MAX)?)
        };
    }
    match module.def.layout.kind(ty) {
        Kind::Bool => writer.bool(value.cast::<PyBool>().map_err(|_| expected("bool", value))?.is_true()),
        Kind::I8 => int!(i8: i8),
        Kind::U8 => int!(u8: u8),
        Kind::I16 => int!(i16: i16),
        Kind::U16 => int!(u16: u16),
        Kind::I32 => int!(i32: i32),
        Kind::U32 => int!(u32: u32),
        Kind::I64 => int!(i64: i64),
        Kind::U64 => int!(u64: u64),
        Kind::I128 => int!(i128: i128),
        Kind::U128 => int!(u128: u128),
        Kind::I256 => encode_wide(value, true, writer)?,
        Kind::U256 => encode_wide(value, false, writer)?,
        Kind::F32 => writer.u32(narrow(extract_float(value)?)?),
        Kind::F64 => writer.f64(extract_float(value)?),
        Kind::String => {
            let text = value.cast::<PyString>().map_err(|_| expected("str", value))?;
            writer
                .str(text.to_str().map_err(|_| Fault::new("a str with lone surrogates, which UTF-8 does not have"))?)?;
        }
        Kind::Bytes => encode_bytes(value, writer)?,
        Kind::Array(element) => encode_array(module, *element, value, writer)?,
        Kind::Product(product) => match product.special {
            Some(special) => encode_special(special, value, writer)?,
            None if product.fields.is_empty() && !module.has_product_class(value.py(), ty) => {
                if !value.is_none() {
                    return Err(expected("None", value));
                }
            }
            None => encode_row(module, ty, value, writer)?,
        },
        Kind::Sum(_) => encode_sum(module, ty, value, writer)?,
    }
    Ok(())
}

#[cold]
fn expected(what: &str, value: &Bound<'_, PyAny>) -> Fault {
    let kind = value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    let shown: String =
        value.repr().map_or_else(|_| String::new(), |repr| repr.to_string_lossy().chars().take(80).collect());
    Fault::new(format!("expected {what}, got {kind} {shown}"))
}

/// Any int but a bool, and what has `__index__`, as NumPy's integers do.
fn extract_int<'py, T>(value: &Bound<'py, PyAny>, name: &str, min: T, max: T) -> Result<T, Fault>
where
    T: for<'a> FromPyObject<'a, 'py> + std::fmt::Display,
{
    // A plain int needs no closer look.
    if value.cast_exact::<PyInt>().is_err() && !is_integer(value) {
        return Err(expected(&format!("int ({name})"), value));
    }
    value.extract().map_err(|_| {
        let shown = value.repr().map_or_else(|_| String::new(), |repr| repr.to_string());
        Fault::new(format!("{shown} does not fit {name} ({min} to {max})"))
    })
}

fn is_integer(value: &Bound<'_, PyAny>) -> bool {
    let is_number = value.is_instance_of::<PyInt>() || value.hasattr(intern!(value.py(), "__index__")).unwrap_or(false);
    is_number && !value.is_instance_of::<PyBool>()
}

fn encode_wide(value: &Bound<'_, PyAny>, signed: bool, writer: &mut Writer) -> Encoded {
    let name = if signed { "i256" } else { "u256" };
    if !is_integer(value) {
        return Err(expected(&format!("int ({name})"), value));
    }
    let to_bytes = || {
        let kwargs = pyo3::types::PyDict::new(value.py());
        kwargs.set_item("signed", signed)?;
        let number = value.call_method0("__index__")?;
        number.call_method("to_bytes", (32, "little"), Some(&kwargs))?.extract::<Vec<u8>>()
    };
    let bytes = to_bytes().map_err(|_| Fault::new(format!("does not fit {name}: 256 bits")))?;
    writer.0.extend_from_slice(&bytes);
    Ok(())
}

/// A float, an int, or what has `__float__`; no bool and no str.
fn extract_float(value: &Bound<'_, PyAny>) -> Result<f64, Fault> {
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return Ok(float.value());
    }
    if value.is_instance_of::<PyBool>() {
        return Err(expected("float", value));
    }
    value.extract().map_err(|_| expected("float", value))
}

/// f64 to f32 as bits. NaNs keep as much of their payload as fits.
fn narrow(value: f64) -> Result<u32, Fault> {
    if value.is_nan() {
        let bits = value.to_bits();
        let payload = (bits >> 29) as u32 & 0x007f_ffff;
        let payload = if payload == 0 { 0x0040_0000 } else { payload };
        return Ok((bits >> 63 << 31) as u32 | 0x7f80_0000 | payload);
    }
    let narrowed = value as f32;
    if narrowed.is_infinite() && value.is_finite() {
        return Err(Fault::new(format!("{value} does not fit f32")));
    }
    Ok(narrowed.to_bits())
}

fn encode_bytes(value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(writer.bytes(bytes.as_bytes())?);
    }
    let buffer = PyBuffer::<u8>::get(value).map_err(|_| expected("bytes", value))?;
    let bytes = buffer.to_vec(value.py()).map_err(|_| expected("bytes", value))?;
    Ok(writer.bytes(&bytes)?)
}

/// The class of elements that are rows and have bytes.
fn element_class(module: &Module, py: Python<'_>, element: TypeId) -> Option<&'static RowClass> {
    let node = module.def.layout.node(element);
    let is_row = matches!(node.kind, Kind::Product(Product { special: None, .. }));
    if is_row && node.min != 0 { module.product_class(py, element).ok() } else { None }
}

/// A list whose elements are bytes already: nothing of the user's runs that could change it meanwhile.
fn encode_rows(class: &RowClass, list: &Bound<'_, PyList>, writer: &mut Writer) -> Encoded {
    let class_type = class.type_ptr(list.py());
    encode_items(list, writer, |index, row, writer| {
        if row.get_type_ptr() != class_type {
            return Err(expected(class.name(), row).inside(Place::Index(index)));
        }
        writer.0.extend_from_slice(bytes_of(row));
        Ok(())
    })
}

/// The count, which is that of the items that were there, and the items.
fn encode_items(
    list: &Bound<'_, PyList>,
    writer: &mut Writer,
    mut item: impl FnMut(usize, &Bound<'_, PyAny>, &mut Writer) -> Encoded,
) -> Encoded {
    let start = writer.0.len();
    writer.u32(0);
    let mut count = 0;
    for value in list.iter() {
        item(count, &value, writer)?;
        count += 1;
    }
    let count = u32::try_from(count).map_err(|_| TooLong)?;
    writer.0[start..start + 4].copy_from_slice(&count.to_le_bytes());
    Ok(())
}

/// A list of values of a common kind, of the exact types that go with it. False, and nothing written, for any other.
fn encode_common(kind: FieldKind, list: &Bound<'_, PyList>, writer: &mut Writer) -> bool {
    let start = writer.0.len();
    let written = encode_items(list, writer, |_, value, writer| match kind.write(value, &mut writer.0) {
        true => Ok(()),
        false => Err(Fault { problem: String::new(), way: Vec::new() }),
    });
    if written.is_err() {
        writer.0.truncate(start);
    }
    written.is_ok()
}

fn encode_array(module: &Module, element: TypeId, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    if let Ok(list) = value.cast_exact::<PyList>() {
        if let Some(class) = element_class(module, value.py(), element) {
            return encode_rows(class, list, writer);
        }
        let kind = FieldKind::of(&module.def.layout, element);
        if kind.is_some_and(|kind| encode_common(kind, list, writer)) {
            return Ok(());
        }
    }
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() || value.len().is_err() {
        return Err(expected("list", value));
    }
    let items = value.try_iter().map_err(|_| expected("list", value))?;
    // Items are code of the user's in the general case, so that they are counted as they come.
    let start = writer.0.len();
    writer.u32(0);
    let mut count = 0;
    for item in items {
        let item = item.map_err(|error| Fault::new(format!("iterating it raised {error}")))?;
        encode(module, element, &item, writer).map_err(|fault| fault.inside(Place::Index(count)))?;
        count += 1;
    }
    if module.def.layout.node(element).min == 0 && count > MAX_EMPTY as usize {
        return Err(Fault::new(format!("more than {MAX_EMPTY} elements that take no bytes")));
    }
    let count = u32::try_from(count).map_err(|_| TooLong)?;
    writer.0[start..start + 4].copy_from_slice(&count.to_le_bytes());
    Ok(())
}

fn encode_special(special: Special, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    match special {
        Special::Identity => {
            let identity = value.cast::<Identity>().map_err(|_| expected("Identity", value))?;
            writer.0.extend_from_slice(&identity.get().wire);
        }
        Special::ConnectionId => {
            let id = value.cast::<ConnectionId>().map_err(|_| expected("ConnectionId", value))?;
            writer.0.extend_from_slice(&id.get().wire);
        }
        Special::Timestamp => {
            let hint = "Timestamp (Timestamp.from_datetime makes one)";
            writer.i64(value.cast::<Timestamp>().map_err(|_| expected(hint, value))?.get().micros);
        }
        Special::TimeDuration => {
            let hint = "TimeDuration (TimeDuration.from_timedelta makes one)";
            writer.i64(value.cast::<TimeDuration>().map_err(|_| expected(hint, value))?.get().micros);
        }
        _ => {
            let is_uuid = uuid_class(value.py()).and_then(|class| value.is_instance(class)).unwrap_or(false);
            let number = value.getattr("int").and_then(|number| number.extract::<u128>());
            match number {
                Ok(number) if is_uuid => writer.u128(number),
                _ => return Err(expected("uuid.UUID", value)),
            }
        }
    }
    Ok(())
}

/// An instance of the type's own class is its bytes already.
fn encode_row(module: &Module, ty: TypeId, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    let class = module.product_class(value.py(), ty).map_err(|error| Fault::new(error.to_string()))?;
    if value.get_type_ptr() != class.type_ptr(value.py()) {
        return Err(expected(class.name(), value));
    }
    writer.0.extend_from_slice(bytes_of(value));
    Ok(())
}

fn encode_sum(module: &Module, ty: TypeId, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    let py = value.py();
    let sum = module.def.layout.sum(ty).expect("called for sums only");
    let payload = |tag: usize| sum.variants[tag].ty;
    let is = |class: PyResult<&Bound<'_, pyo3::types::PyType>>| class.is_ok_and(|class| value.get_type().is(class));
    let tagged = |tag: u8, value: &Bound<'_, PyAny>, writer: &mut Writer| {
        writer.u8(tag);
        encode(module, payload(usize::from(tag)), value, writer)
    };
    match sum.special {
        Some(Special::Option) if value.is_none() => {
            writer.u8(1);
            Ok(())
        }
        Some(Special::Option) if is_nullable(py, module, payload(0)) => {
            if !is(some_class(py)) {
                return Err(expected("Some(...) or None", value));
            }
            tagged(0, &inner(value)?, writer)
        }
        Some(Special::Option) => tagged(0, value, writer),
        Some(Special::Result) if is(ok_class(py)) => tagged(0, &inner(value)?, writer),
        Some(Special::Result) if is(err_class(py)) => tagged(1, &inner(value)?, writer),
        Some(Special::Result) => Err(expected("Ok(...) or Err(...)", value)),
        Some(Special::ScheduleAt) if value.is_instance_of::<TimeDuration>() => tagged(0, value, writer),
        Some(Special::ScheduleAt) if value.is_instance_of::<Timestamp>() => tagged(1, value, writer),
        Some(_) => Err(expected("TimeDuration or Timestamp", value)),
        None => encode_variant(module, ty, value, writer),
    }
}

fn encode_variant(module: &Module, ty: TypeId, value: &Bound<'_, PyAny>, writer: &mut Writer) -> Encoded {
    if let Some(declared) = module.plain_enum(value.py(), ty) {
        let Some(tag) = declared.members.iter().position(|member| member.is(value)) else {
            let name = declared.class.bind(value.py()).name().map_or_else(|_| String::new(), |name| name.to_string());
            return Err(expected(&format!("a member of {name}"), value));
        };
        writer.u8(tag as u8);
        return Ok(());
    }
    let class = class_of_object(value);
    let Some(Payload::Variant { tag, .. }) = class.map(RowClass::payload) else {
        return Err(expected(&module.variant_names(value.py(), ty), value));
    };
    // Variants of another sum type, or of another module's, have classes of their own.
    let known =
        (usize::from(tag) < module.variants(ty)).then(|| module.variant_class(value.py(), ty, tag).ok()).flatten();
    match (known, class) {
        (Some(known), Some(class)) if std::ptr::eq(known, class) => writer.0.extend_from_slice(bytes_of(value)),
        _ => return Err(expected(&module.variant_names(value.py(), ty), value)),
    }
    Ok(())
}
