//! A module's schema as Python sees it, and the classes that generated code declares for its types.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::error::CodegenError;
use super::row::{Payload, RowClass};
use crate::error::Error;
use crate::sats::{Kind, ModuleDef, TypeId};

#[pyclass(frozen, module = "spacetime_py.bindings")]
pub struct Module {
    pub def: Arc<ModuleDef>,
    /// By place in the typespace.
    classes: Vec<Classes>,
}

/// The Python classes of one type: one for a product, one for each variant of a sum, or the members of an Enum.
struct Classes {
    product: PyOnceLock<&'static RowClass>,
    variants: Vec<PyOnceLock<&'static RowClass>>,
    members: PyOnceLock<Enum>,
}

pub struct Enum {
    pub class: Py<PyType>,
    /// By tag.
    pub members: Vec<Py<PyAny>>,
}

#[pymethods]
impl Module {
    #[new]
    fn new(description: &[u8]) -> PyResult<Self> {
        let def = ModuleDef::from_bsatn(description)?;
        let classes = (0..def.layout.len()).map(|index| {
            let variants = def.layout.sum(TypeId(index as u32)).map_or(0, |sum| sum.variants.len());
            let variants = (0..variants).map(|_| PyOnceLock::new()).collect();
            Classes { product: PyOnceLock::new(), variants, members: PyOnceLock::new() }
        });
        Ok(Module { classes: classes.collect(), def: Arc::new(def) })
    }

    #[getter]
    fn table_names(&self) -> Vec<String> {
        self.def.tables.iter().map(|table| table.name.clone()).collect()
    }

    #[getter]
    fn parts(&self) -> usize {
        self.def.parts()
    }

    fn misfits(&self, schema: &str) -> PyResult<Vec<(&'static str, String, String, bool)>> {
        let description =
            spacetime_py_codegen::describe(schema, true).map_err(|error| CodegenError::new_err(error.to_string()))?;
        let misfits = self.def.misfits(&ModuleDef::from_bsatn(&description)?).into_iter();
        Ok(misfits.map(|misfit| (misfit.kind, misfit.name, misfit.problem, misfit.is_missing)).collect())
    }
}

impl Module {
    pub fn product_class(&self, py: Python<'_>, ty: TypeId) -> PyResult<&'static RowClass> {
        self.classes[ty.0 as usize].product.get(py).copied().ok_or_else(|| undeclared("product type", ty))
    }

    pub fn variant_class(&self, py: Python<'_>, ty: TypeId, tag: u8) -> PyResult<&'static RowClass> {
        self.classes[ty.0 as usize].variants[usize::from(tag)]
            .get(py)
            .copied()
            .ok_or_else(|| undeclared("sum type", ty))
    }

    pub fn has_product_class(&self, py: Python<'_>, ty: TypeId) -> bool {
        self.classes[ty.0 as usize].product.get(py).is_some()
    }

    pub fn variants(&self, ty: TypeId) -> usize {
        self.classes[ty.0 as usize].variants.len()
    }

    /// For messages: the classes of a sum type's variants.
    pub fn variant_names(&self, py: Python<'_>, ty: TypeId) -> String {
        let classes = self.classes[ty.0 as usize].variants.iter();
        let names: Vec<&str> = classes.filter_map(|class| Some(class.get(py)?.name())).collect();
        names.join(" or ")
    }

    pub fn plain_enum(&self, py: Python<'_>, ty: TypeId) -> Option<&Enum> {
        self.classes[ty.0 as usize].members.get(py)
    }
}

fn undeclared(what: &str, ty: TypeId) -> PyErr {
    Error::Schema(format!("no class was declared for {what} {}; import the whole generated package", ty.0)).into()
}

/// A decorator that Python calls with the declared class.
#[pyclass(frozen)]
struct Declaration {
    module: Py<Module>,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Product(TypeId),
    Variant(TypeId, u8),
    Enum(TypeId),
}

#[pyfunction]
pub fn product(module: &Bound<'_, Module>, r#ref: u32) -> PyResult<Py<PyAny>> {
    declaration(module, r#ref, Place::Product)
}

#[pyfunction]
pub fn variant(module: &Bound<'_, Module>, r#ref: u32, tag: u8) -> PyResult<Py<PyAny>> {
    declaration(module, r#ref, |ty| Place::Variant(ty, tag))
}

#[pyfunction]
pub fn plain_enum(module: &Bound<'_, Module>, r#ref: u32) -> PyResult<Py<PyAny>> {
    declaration(module, r#ref, Place::Enum)
}

fn declaration(module: &Bound<'_, Module>, index: u32, place: impl FnOnce(TypeId) -> Place) -> PyResult<Py<PyAny>> {
    if module.get().classes.len() <= index as usize {
        return Err(Error::Schema(format!("the schema has no type {index}")).into());
    }
    let declaration = Declaration { module: module.clone().unbind(), place: place(TypeId(index)) };
    Ok(Py::new(module.py(), declaration)?.into_any())
}

#[pymethods]
impl Declaration {
    fn __call__<'py>(&self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let module = self.module.bind(py);
        let def = &module.get().def;
        let (payload, names) = match self.place {
            Place::Enum(ty) => return self.declare_enum(ty, class),
            Place::Product(ty) => {
                let Kind::Product(product) = def.layout.kind(ty) else { return Err(wrong_kind(class, "product")) };
                (Payload::Product(ty), product.fields.len())
            }
            Place::Variant(sum, tag) => {
                let variant = def.layout.sum(sum).and_then(|sum| sum.variants.get(usize::from(tag)));
                let Some(variant) = variant else { return Err(wrong_kind(class, "variant")) };
                let is_unit = def.layout.product(variant.ty).is_some_and(|payload| payload.fields.is_empty());
                let fields = if is_unit && annotations(class)?.is_empty() { 0 } else { 1 };
                (Payload::Variant { sum, tag, ty: variant.ty }, fields)
            }
        };
        let fields: Vec<String> =
            annotations(class)?.keys().iter().map(|name| name.extract()).collect::<PyResult<_>>()?;
        if fields.len() != names {
            let text = format!("class {} declares {} fields and the schema {names}", class.name()?, fields.len());
            return Err(Error::Schema(text).into());
        }
        let row_class = RowClass::build(class, module, payload, fields)?;
        let classes = &module.get().classes;
        let slot = match self.place {
            Place::Variant(sum, tag) => &classes[sum.0 as usize].variants[usize::from(tag)],
            Place::Product(ty) | Place::Enum(ty) => &classes[ty.0 as usize].product,
        };
        slot.set(py, row_class).map_err(|_| declared_twice(class))?;
        Ok(row_class.python_type(py).into_any())
    }
}

impl Declaration {
    fn declare_enum<'py>(&self, ty: TypeId, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let module = self.module.bind(py).get();
        let Some(sum) = module.def.layout.sum(ty) else { return Err(wrong_kind(class, "sum")) };
        // Calling an Enum with a value gives its member, or a ValueError.
        let members = (0..sum.variants.len()).map(|tag| Ok(class.call1((tag,))?.unbind())).collect::<PyResult<_>>()?;
        let declared = Enum { class: class.clone().unbind(), members };
        module.classes[ty.0 as usize].members.set(py, declared).map_err(|_| declared_twice(class))?;
        Ok(class.clone().into_any())
    }
}

/// The names that a class body annotated, in order. `inspect.get_annotations` knows how each Python keeps them.
fn annotations<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyDict>> {
    let inspect = class.py().import("inspect")?;
    Ok(inspect.call_method1("get_annotations", (class,))?.cast_into()?)
}

fn wrong_kind(class: &Bound<'_, PyType>, kind: &str) -> PyErr {
    PyTypeError::new_err(format!("the schema has no {kind} type at the place of {class}"))
}

fn declared_twice(class: &Bound<'_, PyType>) -> PyErr {
    PyTypeError::new_err(format!("the type of {class} has a class already"))
}
