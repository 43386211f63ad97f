//! The classes of rows and other products. An instance is the value's BSATN bytes, kept in the object itself, and a field
//! is decoded when it is read: a row from the cache and one that a user made cannot be told apart, pin nothing, and
//! compare, hash and pickle by their bytes. What CPython calls is in `slots.rs`.

use std::cell::Cell;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple, PyType};

use super::classes::Module;
use super::convert::to_python;
use super::encode::{Fault, Place, encode};
use super::error::EncodeError;
use super::fields::FieldKind;
use super::slots::{Methods, make_type, new_instance};
use crate::sats::moves::{Move, Way};
use crate::sats::{Layout, ModuleDef, Reader, TypeId, Writer};

/// What the bytes of an instance are.
#[derive(Clone, Copy)]
pub enum Payload {
    Product(TypeId),
    /// The whole value of the sum type, its tag first; `ty` is the type of what follows.
    Variant {
        sum: TypeId,
        tag: u8,
        ty: TypeId,
    },
}

impl Payload {
    /// The type of the whole value.
    fn ty(self) -> TypeId {
        match self {
            Payload::Product(ty) => ty,
            Payload::Variant { sum, .. } => sum,
        }
    }
}

thread_local! {
    /// What values are encoded into before it is known how long they are.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A larger buffer is not kept.
const LARGEST_SCRATCH: usize = 128 * 1024;

/// The methods come first: see `Methods`.
#[repr(C)]
pub struct RowClass {
    methods: Methods,
    pub(super) fields: Box<[Field]>,
    /// Of a product's type, which `fields` refer to.
    moves: Box<[Move]>,
    def: Arc<ModuleDef>,
    /// Set once, after the type that it holds was told where to find this.
    class: PyOnceLock<Py<PyType>>,
    module: Py<Module>,
    payload: Payload,
    pub(super) name: String,
    /// Whether values may be nested too deeply, or have too many empty elements: bounds that hold where bytes are read hold
    /// for values made here.
    needs_check: bool,
}

/// A field: its interned name, how to find it in the bytes of an instance, and what it is.
pub struct Field {
    pub name: Py<PyString>,
    index: u32,
    way: Way,
    kind: Option<FieldKind>,
    pub ty: TypeId,
}

impl Field {
    /// The bytes from the field on, and its kind, if it is of a common kind and at the same place in all instances.
    #[inline(always)]
    pub(super) fn at_fixed_place<'a>(&self, bytes: &'a [u8]) -> Option<(FieldKind, &'a [u8])> {
        Some((self.kind?, bytes.get(self.way.fixed()? as usize..)?))
    }
}

impl RowClass {
    /// Builds the class that stands for the declared one.
    pub fn build(
        declared: &Bound<'_, PyType>,
        module: &Bound<'_, Module>,
        payload: Payload,
        fields: Vec<String>,
    ) -> PyResult<&'static RowClass> {
        let py = declared.py();
        let def = &module.get().def;
        let row_class: &'static RowClass = Box::leak(Box::new(RowClass {
            methods: Methods::new(),
            fields: declared_fields(py, &def.layout, payload, &fields),
            moves: def.layout.product(payload.ty()).map_or_else(Box::default, |product| product.moves.clone()),
            def: def.clone(),
            class: PyOnceLock::new(),
            module: module.clone().unbind(),
            payload,
            name: declared.getattr("__name__")?.extract()?,
            needs_check: !def.layout.is_bounded(payload.ty()),
        }));
        let class = make_type(declared, row_class, &fields)?;
        class.setattr("__qualname__", declared.getattr("__qualname__")?)?;
        class.setattr("__match_args__", PyTuple::new(py, &fields)?)?;
        let annotations = py.import("inspect")?.call_method1("get_annotations", (declared,))?;
        class.setattr("__annotations__", annotations)?;
        row_class.class.get_or_init(py, || class.unbind());
        Ok(row_class)
    }

    fn type_object<'a>(&'a self, py: Python<'a>) -> &'a Py<PyType> {
        self.class.get(py).expect("set when the class was built")
    }

    pub fn python_type<'py>(&self, py: Python<'py>) -> Bound<'py, PyType> {
        self.type_object(py).bind(py).clone()
    }

    /// The address of the type, to compare those of objects with.
    pub(super) fn type_ptr(&self, py: Python<'_>) -> *mut ffi::PyTypeObject {
        self.type_object(py).as_ptr().cast()
    }

    pub fn payload(&self) -> Payload {
        self.payload
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of a product, and not of a variant.
    pub fn is_row(&self) -> bool {
        matches!(self.payload, Payload::Product(_))
    }

    /// An instance over bytes that are known to be a value of the class's type.
    #[inline]
    pub fn instance<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        new_instance(py, self.type_object(py), bytes)
    }

    pub(super) fn module<'a>(&'a self, py: Python<'a>) -> &'a Module {
        self.module.bind(py).get()
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.def.layout
    }

    pub(super) fn ty(&self) -> TypeId {
        self.payload.ty()
    }

    /// The bytes from a field on, wherever it is, and its kind, if that is a common one.
    #[inline]
    pub(super) fn at_moved_place<'a>(&self, field: &Field, bytes: &'a [u8]) -> Option<(FieldKind, &'a [u8])> {
        Some((field.kind?, self.def.layout.follow(&field.way, &self.moves, bytes)?))
    }

    /// A field of any kind.
    pub(super) fn field<'py>(&self, py: Python<'py>, bytes: &[u8], field: &Field) -> PyResult<Bound<'py, PyAny>> {
        let layout = &self.def.layout;
        let mut reader = match (layout.follow(&field.way, &self.moves, bytes), self.payload) {
            (Some(rest), _) => Reader::new(rest),
            (None, Payload::Variant { .. }) => Reader::at(bytes, 1),
            (None, Payload::Product(ty)) => {
                layout.field(layout.product(ty).expect("the class of a product"), field.index as usize, bytes)?
            }
        };
        to_python(py, self.module(py), field.ty, &mut reader)
    }

    /// Whether arguments by position and then these names are all fields in order, as most calls have them.
    pub(super) fn is_whole(&self, positional: usize, names: &Bound<'_, PyTuple>) -> bool {
        let rest = self.fields.get(positional..).unwrap_or_default();
        positional <= self.fields.len()
            && names.len() == rest.len()
            && names.iter_borrowed().zip(rest).all(|(name, field)| name.as_ptr() == field.name.as_ptr())
    }

    /// A new instance from one value for each field.
    pub(super) fn construct<'a, 'py: 'a>(
        &self,
        py: Python<'py>,
        values: impl Iterator<Item = Borrowed<'a, 'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let module = self.module.bind(py).get();
        // Encoding may run code of the user's, which makes another instance meanwhile: it finds no buffer, and gets a new one.
        let mut writer = Writer(SCRATCH.take());
        writer.0.clear();
        if let Payload::Variant { tag, .. } = self.payload {
            writer.u8(tag);
        }
        for (index, value) in values.enumerate() {
            let field = &self.fields[index];
            if !field.kind.is_some_and(|kind| kind.write(&value, &mut writer.0)) {
                encode(module, field.ty, &value, &mut writer).map_err(|fault| self.field_error(py, index, fault))?;
            }
        }
        if self.needs_check {
            let checked = module.def.layout.validate(self.ty(), &writer.0);
            checked.map_err(|error| EncodeError::new_err(format!("{}: {error}", self.name)))?;
        }
        let instance = self.instance(py, &writer.0);
        if writer.0.capacity() <= LARGEST_SCRATCH {
            SCRATCH.set(writer.0);
        }
        instance
    }

    #[cold]
    fn field_error(&self, py: Python<'_>, index: usize, fault: Fault) -> PyErr {
        let field = self.fields[index].name.bind(py).to_string_lossy().into_owned();
        EncodeError::new_err(fault.inside(Place::Name(field)).message(&self.name))
    }

    /// Values by position and by name to one for each field, as a function's arguments.
    pub(super) fn bind<'py>(
        &self,
        py: Python<'py>,
        positional: &[Bound<'py, PyAny>],
        named: impl Iterator<Item = (Bound<'py, PyString>, Bound<'py, PyAny>)>,
    ) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
        let count = self.fields.len();
        if positional.len() > count {
            let text = format!("{}() takes {count} arguments but {} were given", self.name, positional.len());
            return Err(PyTypeError::new_err(text));
        }
        let mut values: Vec<Option<_>> = positional.iter().cloned().map(Some).collect();
        values.resize_with(count, || None);
        for (name, value) in named {
            let known = |field: &Field| field.name.is(&name) || field.name.bind(py).as_any().eq(&name).unwrap_or(false);
            let Some(index) = self.fields.iter().position(known) else {
                return Err(PyTypeError::new_err(format!("{}() got an unexpected argument '{name}'", self.name)));
            };
            if values[index].replace(value).is_some() {
                return Err(PyTypeError::new_err(format!("{}() got two values for argument '{name}'", self.name)));
            }
        }
        Ok(values)
    }

    pub(super) fn require_all<'py>(
        &self,
        py: Python<'py>,
        values: Vec<Option<Bound<'py, PyAny>>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let missing = |index: usize| {
            let field = self.fields[index].name.bind(py);
            PyTypeError::new_err(format!("{}() is missing the argument '{field}'", self.name))
        };
        values.into_iter().enumerate().map(|(index, value)| value.ok_or_else(|| missing(index))).collect()
    }
}

fn declared_fields(py: Python<'_>, layout: &Layout, payload: Payload, names: &[String]) -> Box<[Field]> {
    // The tag of a variant comes first.
    let known: Vec<(Way, TypeId)> = match payload {
        Payload::Variant { ty, .. } => vec![(Way::at(1), ty)],
        Payload::Product(ty) => {
            let product = layout.product(ty).expect("the class of a product");
            product.ways.iter().copied().zip(product.fields.iter().map(|field| field.ty)).collect()
        }
    };
    let field = |(index, (name, (way, ty))): (usize, (&String, (Way, TypeId)))| Field {
        name: PyString::intern(py, name).unbind(),
        index: index as u32,
        way,
        kind: FieldKind::of(layout, ty),
        ty,
    };
    names.iter().zip(known).enumerate().map(field).collect()
}
