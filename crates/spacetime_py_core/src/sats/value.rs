//! Decoded values without Python: what tests and tools look at.

use super::bsatn::{Decoded, Reader, TooLong, Writer};
use super::layout::{Kind, Layout, TypeId};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    /// Numbers as the bytes that stand for them, so that NaNs keep their payload and 256 bits need no type of their own.
    Number(Vec<u8>),
    String(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Product(Vec<Value>),
    Sum(u8, Box<Value>),
}

impl Layout {
    /// Decodes one value. Call `skip` first on input that may be hostile: this one trusts depth.
    pub fn decode(&self, ty: TypeId, reader: &mut Reader<'_>) -> Decoded<Value> {
        let node = self.node(ty);
        Ok(match &node.kind {
            Kind::Bool => Value::Bool(reader.bool()?),
            Kind::String => Value::String(reader.str()?.to_owned()),
            Kind::Bytes => Value::Bytes(reader.bytes()?.to_owned()),
            Kind::Array(element) => {
                let count = reader.count(self.node(*element).min)?;
                Value::Array((0..count).map(|_| self.decode(*element, reader)).collect::<Decoded<_>>()?)
            }
            Kind::Product(product) => {
                let fields = product.fields.iter().map(|field| self.decode(field.ty, reader));
                Value::Product(fields.collect::<Decoded<_>>()?)
            }
            Kind::Sum(sum) => {
                let tag = reader.tag(sum.variants.len())?;
                Value::Sum(tag, Box::new(self.decode(sum.variants[usize::from(tag)].ty, reader)?))
            }
            _ => Value::Number(reader.take(node.min as usize)?.to_owned()),
        })
    }
}

impl Value {
    /// Values carry their tags and counts, so that encoding needs no layout.
    pub fn encode(&self, writer: &mut Writer) -> Result<(), TooLong> {
        match self {
            Value::Bool(value) => writer.bool(*value),
            Value::Number(bytes) => writer.0.extend_from_slice(bytes),
            Value::String(text) => writer.str(text)?,
            Value::Bytes(bytes) => writer.bytes(bytes)?,
            Value::Array(values) => {
                writer.count(values.len())?;
                values.iter().try_for_each(|value| value.encode(writer))?;
            }
            Value::Product(values) => values.iter().try_for_each(|value| value.encode(writer))?,
            Value::Sum(tag, value) => {
                writer.u8(*tag);
                value.encode(writer)?;
            }
        }
        Ok(())
    }
}
