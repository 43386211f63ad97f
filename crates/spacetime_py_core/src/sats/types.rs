//! SATS types as the server describes them, before they are compiled.

use super::bsatn::{Decoded, Reader};
use crate::error::Problem;

/// A type of SATS. `Ref` is a place in the module's typespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlgebraicType {
    Ref(u32),
    Sum(Vec<Element>),
    Product(Vec<Element>),
    Array(Box<AlgebraicType>),
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

/// A field of a product or a variant of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: Option<String>,
    pub ty: AlgebraicType,
}

/// Types nest by being written inside of each other; deeper ones than this are refused.
const MAX_DEPTH: u32 = 64;

impl AlgebraicType {
    pub fn unit() -> Self {
        AlgebraicType::Product(Vec::new())
    }

    pub fn read(reader: &mut Reader<'_>) -> Decoded<Self> {
        Self::read_nested(reader, 0)
    }

    /// Tags as in the type of types (SATS `AlgebraicType` as a value).
    fn read_nested(reader: &mut Reader<'_>, depth: u32) -> Decoded<Self> {
        if depth > MAX_DEPTH {
            return Err(reader.error(Problem::TooDeep));
        }
        Ok(match reader.tag(20)? {
            0 => AlgebraicType::Ref(reader.u32()?),
            1 => AlgebraicType::Sum(read_elements(reader, depth)?),
            2 => AlgebraicType::Product(read_elements(reader, depth)?),
            3 => AlgebraicType::Array(Box::new(Self::read_nested(reader, depth + 1)?)),
            4 => AlgebraicType::String,
            5 => AlgebraicType::Bool,
            6 => AlgebraicType::I8,
            7 => AlgebraicType::U8,
            8 => AlgebraicType::I16,
            9 => AlgebraicType::U16,
            10 => AlgebraicType::I32,
            11 => AlgebraicType::U32,
            12 => AlgebraicType::I64,
            13 => AlgebraicType::U64,
            14 => AlgebraicType::I128,
            15 => AlgebraicType::U128,
            16 => AlgebraicType::I256,
            17 => AlgebraicType::U256,
            18 => AlgebraicType::F32,
            _ => AlgebraicType::F64,
        })
    }
}

/// The elements of a product or the variants of a sum: a list of names and types.
pub fn read_product(reader: &mut Reader<'_>) -> Decoded<Vec<Element>> {
    read_elements(reader, 0)
}

fn read_elements(reader: &mut Reader<'_>, depth: u32) -> Decoded<Vec<Element>> {
    reader.list(|reader| {
        Ok(Element {
            name: reader.option(|reader| reader.str().map(str::to_owned))?,
            ty: AlgebraicType::read_nested(reader, depth + 1)?,
        })
    })
}
