//! The types of SATS, and those among them that have a meaning of their own.

use crate::error::Error;
use crate::json::Node;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A place in the typespace.
    Ref(u32),
    Sum(Vec<Element>),
    Product(Vec<Element>),
    Array(Box<Type>),
    Scalar(Scalar),
}

/// The types without parts, in the order of their tags in BSATN, where the first is 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    String,
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    I128,
    U128,
    I256,
    U256,
    F32,
    F64,
}

const SCALARS: [(&str, Scalar); 16] = [
    ("String", Scalar::String),
    ("Bool", Scalar::Bool),
    ("I8", Scalar::I8),
    ("U8", Scalar::U8),
    ("I16", Scalar::I16),
    ("U16", Scalar::U16),
    ("I32", Scalar::I32),
    ("U32", Scalar::U32),
    ("I64", Scalar::I64),
    ("U64", Scalar::U64),
    ("I128", Scalar::I128),
    ("U128", Scalar::U128),
    ("I256", Scalar::I256),
    ("U256", Scalar::U256),
    ("F32", Scalar::F32),
    ("F64", Scalar::F64),
];

/// A field of a product, a variant of a sum, or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: Option<String>,
    pub ty: Type,
}

/// Types that SpacetimeDB tells by the names of their parts, exactly; references are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special<'a> {
    Identity,
    ConnectionId,
    Timestamp,
    TimeDuration,
    Uuid,
    ScheduleAt,
    Option(&'a Type),
    Result(&'a Type, &'a Type),
    /// What a query view returns: rows of this type.
    Query(&'a Type),
}

impl Type {
    pub fn unit() -> Self {
        Type::Product(Vec::new())
    }

    pub fn is_unit(&self) -> bool {
        matches!(self, Type::Product(elements) if elements.is_empty())
    }

    pub fn from_json(node: &Node<'_>) -> Result<Self, Error> {
        let (name, payload) = node.variant()?;
        Ok(match name {
            "Ref" => Type::Ref(payload.u32()?),
            "Sum" => Type::Sum(payload.field("variants")?.list(Element::from_json)?),
            "Product" => Type::Product(elements(&payload)?),
            "Array" => Type::Array(Box::new(Type::from_json(&payload)?)),
            name => match SCALARS.iter().find(|(scalar, _)| *scalar == name) {
                Some((_, scalar)) => Type::Scalar(*scalar),
                None => return Err(Error::UnknownType { place: node.place().to_owned(), name: name.to_owned() }),
            },
        })
    }

    pub fn special(&self) -> Option<Special<'_>> {
        match self {
            Type::Product(elements) => special_product(elements),
            Type::Sum(variants) => special_sum(variants),
            _ => None,
        }
    }

    /// The same type in a typespace where `offset` others come first.
    pub fn shifted(self, offset: u32) -> Self {
        let shift = |elements: Vec<Element>| shifted_elements(elements, offset);
        match self {
            Type::Ref(index) => Type::Ref(index.saturating_add(offset)),
            Type::Sum(variants) => Type::Sum(shift(variants)),
            Type::Product(elements) => Type::Product(shift(elements)),
            Type::Array(element) => Type::Array(Box::new(element.shifted(offset))),
            Type::Scalar(scalar) => Type::Scalar(scalar),
        }
    }
}

pub fn shifted_elements(elements: Vec<Element>, offset: u32) -> Vec<Element> {
    let shift = |element: Element| Element { name: element.name, ty: element.ty.shifted(offset) };
    elements.into_iter().map(shift).collect()
}

/// A ProductType, which has no variant's name around it.
pub fn elements(node: &Node<'_>) -> Result<Vec<Element>, Error> {
    node.field("elements")?.list(Element::from_json)
}

impl Element {
    fn from_json(node: &Node<'_>) -> Result<Self, Error> {
        let name = node.field("name")?.option()?.map(|name| name.string()).transpose()?;
        Ok(Element { name, ty: Type::from_json(&node.field("algebraic_type")?)? })
    }

    fn named(&self) -> (&str, &Type) {
        (self.name.as_deref().unwrap_or_default(), &self.ty)
    }
}

fn special_product(elements: &[Element]) -> Option<Special<'_>> {
    let [element] = elements else { return None };
    match element.named() {
        ("__identity__", Type::Scalar(Scalar::U256)) => Some(Special::Identity),
        ("__connection_id__", Type::Scalar(Scalar::U128)) => Some(Special::ConnectionId),
        ("__timestamp_micros_since_unix_epoch__", Type::Scalar(Scalar::I64)) => Some(Special::Timestamp),
        ("__time_duration_micros__", Type::Scalar(Scalar::I64)) => Some(Special::TimeDuration),
        ("__uuid__", Type::Scalar(Scalar::U128)) => Some(Special::Uuid),
        ("__query__", row) => Some(Special::Query(row)),
        _ => None,
    }
}

fn special_sum(variants: &[Element]) -> Option<Special<'_>> {
    let [first, second] = variants else { return None };
    match (first.named(), second.named()) {
        (("some", some), ("none", none)) if none.is_unit() => Some(Special::Option(some)),
        (("ok", ok), ("err", err)) => Some(Special::Result(ok, err)),
        (("Interval", interval), ("Time", time))
            if interval.special() == Some(Special::TimeDuration) && time.special() == Some(Special::Timestamp) =>
        {
            Some(Special::ScheduleAt)
        }
        _ => None,
    }
}
