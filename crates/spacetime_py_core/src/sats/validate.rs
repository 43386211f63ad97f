//! One pass over a value: is it exactly one of its type, and where does it end?

use super::bsatn::{Decoded, Reader};
use super::layout::{Kind, Layout, Product, Step, TypeId};
use crate::error::Problem;

/// Values of recursive types nest as deep as their input is long; deeper ones than this are refused.
const MAX_DEPTH: u32 = 512;

impl Layout {
    /// Moves past one value of type `ty`. What passes here decodes without errors and encodes to the same bytes.
    #[inline]
    pub fn skip(&self, ty: TypeId, reader: &mut Reader<'_>) -> Decoded<()> {
        self.skip_as::<true>(ty, reader)
    }

    /// The same for a value that has passed before: texts are not looked at again.
    #[inline]
    pub fn skip_known(&self, ty: TypeId, reader: &mut Reader<'_>) -> Decoded<()> {
        self.skip_as::<false>(ty, reader)
    }

    /// The same, and the value's bytes.
    #[inline]
    pub fn cut<'a>(&self, ty: TypeId, reader: &mut Reader<'a>) -> Decoded<&'a [u8]> {
        let start = reader.position();
        self.skip_known(ty, reader)?;
        Ok(reader.since(start))
    }

    #[inline]
    fn skip_as<const CHECK: bool>(&self, ty: TypeId, reader: &mut Reader<'_>) -> Decoded<()> {
        match self.pass::<CHECK>(ty, reader.rest()) {
            Some(rest) => {
                debug_assert_eq!(self.end_of(ty, *reader), Ok(rest.len()), "the quick pass is no more than quick");
                reader.continue_at(rest);
                Ok(())
            }
            None => self.skip_slowly::<CHECK>(ty, reader),
        }
    }

    /// For values that are wrong, or nested deeply.
    #[cold]
    fn skip_slowly<const CHECK: bool>(&self, ty: TypeId, reader: &mut Reader<'_>) -> Decoded<()> {
        self.skip_nested::<CHECK>(ty, reader, 0)
    }

    /// How many bytes follow the value.
    fn end_of(&self, ty: TypeId, mut reader: Reader<'_>) -> Decoded<usize> {
        self.skip_slowly::<true>(ty, &mut reader).map(|()| reader.left())
    }

    /// `data` is one value and nothing else.
    pub fn validate(&self, ty: TypeId, data: &[u8]) -> Decoded<()> {
        let mut reader = Reader::new(data);
        self.skip(ty, &mut reader)?;
        reader.end()
    }

    /// A reader at field `index` of a valid product value.
    #[inline]
    pub fn field<'a>(&self, product: &Product, index: usize, data: &'a [u8]) -> Decoded<Reader<'a>> {
        let rest = self.follow(&product.ways[index], &product.moves, data);
        rest.map_or_else(
            || self.field_slowly(product, index, data),
            |rest| Ok(Reader::at(data, data.len() - rest.len())),
        )
    }

    #[cold]
    fn field_slowly<'a>(&self, product: &Product, index: usize, data: &'a [u8]) -> Decoded<Reader<'a>> {
        let mut reader = Reader::new(data);
        product.fields[..index].iter().try_for_each(|field| self.skip_known(field.ty, &mut reader))?;
        Ok(reader)
    }

    fn skip_nested<const CHECK: bool>(&self, ty: TypeId, reader: &mut Reader<'_>, depth: u32) -> Decoded<()> {
        let node = self.node(ty);
        if let (true, Some(size)) = (node.plain, node.fixed) {
            return reader.take(size as usize).map(drop);
        }
        if depth > MAX_DEPTH {
            return Err(reader.error(Problem::TooDeep));
        }
        match &node.kind {
            Kind::Bool => reader.bool().map(drop),
            Kind::String if CHECK => reader.str().map(drop),
            Kind::String => reader.bytes().map(drop),
            Kind::Bytes => reader.bytes().map(drop),
            Kind::Array(element) => self.skip_array::<CHECK>(*element, reader, depth),
            Kind::Product(product) => {
                for step in &product.steps {
                    match step {
                        Step::Skip(size) => drop(reader.take(*size as usize)?),
                        Step::Check(ty) => self.skip_nested::<CHECK>(*ty, reader, depth + 1)?,
                    }
                }
                Ok(())
            }
            Kind::Sum(sum) => {
                let tag = reader.tag(sum.variants.len())?;
                self.skip_nested::<CHECK>(sum.variants[usize::from(tag)].ty, reader, depth + 1)
            }
            // Every other kind is plain.
            _ => Ok(()),
        }
    }

    fn skip_array<const CHECK: bool>(&self, element: TypeId, reader: &mut Reader<'_>, depth: u32) -> Decoded<()> {
        let node = self.node(element);
        let count = reader.count(node.min)?;
        if let (true, Some(size)) = (node.plain, node.fixed) {
            // `count` has checked that so many bytes are there.
            return reader.take(count as usize * size as usize).map(drop);
        }
        for _ in 0..count {
            self.skip_nested::<CHECK>(element, reader, depth + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sats::types::{AlgebraicType, Element};

    #[test]
    fn nesting_without_end_is_an_error_and_no_stack_overflow() {
        let child = Element { name: Some("c".into()), ty: AlgebraicType::Array(Box::new(AlgebraicType::Ref(0))) };
        let (layout, _) = Layout::compile(&[AlgebraicType::Product(vec![child])], &[]).unwrap();
        let deep: Vec<u8> = [1u8, 0, 0, 0].repeat(100_000);
        assert_eq!(layout.validate(TypeId(0), &deep).unwrap_err().problem, Problem::TooDeep);
    }

    #[test]
    fn elements_without_bytes_are_bounded() {
        let (layout, places) = Layout::compile(&[], &[AlgebraicType::Array(Box::new(AlgebraicType::unit()))]).unwrap();
        assert!(layout.validate(places[0], &5u32.to_le_bytes()).is_ok());
        let error = layout.validate(places[0], &u32::MAX.to_le_bytes()).unwrap_err();
        assert_eq!(error.problem, Problem::TooManyEmpty(u32::MAX));
    }
}
