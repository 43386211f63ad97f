//! Types compiled to moves over their values, for the pass that nearly every value takes: it only tells whether a value is
//! right, in registers. Who is told that it is not asks `validate.rs`, which is the authority, and knows what is wrong where.

use super::bsatn::MAX_EMPTY;
use super::layout::{Kind, Layout, Node, Special, Sum, TypeId};

/// One move over bytes. Fields that need no check are passed together, and so are the fields of a struct within a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Skip(u32),
    Bool,
    Text,
    /// A count, and elements of so many bytes that need no check.
    Items(u32),
    /// A count and so many texts.
    Texts,
    /// An option of a text.
    OptionalText,
    Array(TypeId),
    Sum(TypeId),
    Product(TypeId),
}

/// The moves over a type's values.
#[derive(Debug, Default)]
pub struct Moves {
    pub all: Box<[Move]>,
    /// Of a product, how to get to its fields.
    pub ways: Box<[Way]>,
    /// Of a sum, the moves over each variant's payload.
    branches: Box<[Box<[Move]>]>,
    /// How many structs the moves are from inside of.
    height: u32,
    /// Set when that is all there is to know of where a value ends.
    one_text: Option<OneText>,
}

/// A value with one text among bytes of fixed size, as many rows are.
#[derive(Clone, Copy, Debug)]
struct OneText {
    before: u32,
    is_optional: bool,
    after: u32,
    /// Whether a bool is the last of those after it; no other ones are known here.
    ends_in_bool: bool,
}

/// How to get to a field: from an offset that is the same for all values by some of the product's moves and some bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    offset: u32,
    moves: (u32, u32),
    rest: u32,
}

impl Way {
    pub fn at(offset: u32) -> Self {
        Way { offset, ..Way::default() }
    }

    /// The field's place, when it is the same for all values.
    pub fn fixed(&self) -> Option<u32> {
        (self.moves.0 == self.moves.1 && self.rest == 0).then_some(self.offset)
    }
}

/// Structs in structs become one run of moves up to this height and length.
const MAX_HEIGHT: u32 = 4;
const MAX_INLINE: usize = 16;

/// Values nested deeper than this are left to the pass that counts their depth. Each level here is at most `MAX_HEIGHT` + 1
/// there, and so within its bound.
const MAX_DEPTH: u32 = 64;

impl Layout {
    /// Past a value that is known to be right or, with `CHECK`, that has to be. None says nothing.
    #[inline]
    pub(super) fn pass<'a, const CHECK: bool>(&self, ty: TypeId, data: &'a [u8]) -> Option<&'a [u8]> {
        self.pass_inside::<CHECK>(&self.node(ty).moves, data, 0)
    }

    #[inline(always)]
    fn pass_inside<'a, const CHECK: bool>(&self, moves: &Moves, data: &'a [u8], depth: u32) -> Option<&'a [u8]> {
        match &moves.one_text {
            Some(one) => one.pass::<CHECK>(data),
            None => self.run::<CHECK>(&moves.all, data, depth),
        }
    }

    /// The bytes of a product that was checked, from a field on. `moves` are the product's.
    #[inline]
    pub fn follow<'a>(&self, way: &Way, moves: &[Move], data: &'a [u8]) -> Option<&'a [u8]> {
        let start = data.get(way.offset as usize..)?;
        if way.moves.0 == way.moves.1 {
            return start.get(way.rest as usize..);
        }
        let end = match moves.get(way.moves.0 as usize..way.moves.1 as usize)? {
            [Move::Text] => text::<false>(start)?,
            [Move::OptionalText] => optional_text::<false>(start)?,
            moves => self.run::<false>(moves, start, 0)?,
        };
        end.get(way.rest as usize..)
    }

    #[inline]
    fn run<'a, const CHECK: bool>(&self, moves: &[Move], mut data: &'a [u8], depth: u32) -> Option<&'a [u8]> {
        for step in moves {
            data = match *step {
                Move::Skip(size) => data.get(size as usize..)?,
                Move::Bool => match data.split_first()? {
                    (0 | 1, rest) => rest,
                    _ => return None,
                },
                Move::Text => text::<CHECK>(data)?,
                Move::Items(size) => counted(data, size)?.1,
                Move::OptionalText => optional_text::<CHECK>(data)?,
                Move::Texts => {
                    let (count, mut rest) = count(data)?;
                    for _ in 0..count {
                        rest = text::<CHECK>(rest)?;
                    }
                    rest
                }
                nested => self.run_nested::<CHECK>(nested, data, depth + 1)?,
            };
        }
        Some(data)
    }

    fn run_nested<'a, const CHECK: bool>(&self, nested: Move, data: &'a [u8], depth: u32) -> Option<&'a [u8]> {
        if depth > MAX_DEPTH {
            return None;
        }
        match nested {
            Move::Sum(ty) => {
                let (tag, rest) = data.split_first()?;
                self.run::<CHECK>(self.node(ty).moves.branches.get(usize::from(*tag))?, rest, depth)
            }
            Move::Array(element) => {
                let node = self.node(element);
                let (count, mut rest) = count(data)?;
                // Also bounds the work, since there are no elements without bytes here.
                if node.min == 0 || (count as u64).checked_mul(node.min)? > rest.len() as u64 {
                    return None;
                }
                for _ in 0..count {
                    rest = self.pass_inside::<CHECK>(&node.moves, rest, depth)?;
                }
                Some(rest)
            }
            Move::Product(ty) => self.pass_inside::<CHECK>(&self.node(ty).moves, data, depth),
            // `run` makes these itself.
            _ => None,
        }
    }
}

impl OneText {
    fn of(moves: &[Move]) -> Option<Self> {
        let skips = moves.iter().map_while(|step| if let Move::Skip(size) = step { Some(*size) } else { None });
        let rest = &moves[skips.clone().count()..];
        let before = skips.into_iter().try_fold(0, u32::checked_add)?;
        let (text, rest) = rest.split_first()?;
        let is_optional = match text {
            Move::Text => false,
            Move::OptionalText => true,
            _ => return None,
        };
        let (after, ends_in_bool) = match rest {
            [] => (0, false),
            [Move::Skip(after)] => (*after, false),
            [Move::Bool] => (1, true),
            [Move::Skip(after), Move::Bool] => (after.checked_add(1)?, true),
            _ => return None,
        };
        Some(OneText { before, is_optional, after, ends_in_bool })
    }

    /// Past a value.
    #[inline(always)]
    fn pass<'a, const CHECK: bool>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        let rest = data.get(self.before as usize..)?;
        let rest = match self.is_optional {
            false => text::<CHECK>(rest)?,
            true => optional_text::<CHECK>(rest)?,
        };
        let (last, rest) = rest.split_at_checked(self.after as usize)?;
        let is_right = !CHECK || !self.ends_in_bool || last.last().is_some_and(|value| *value < 2);
        is_right.then_some(rest)
    }
}

/// Past a text.
#[inline(always)]
fn text<const CHECK: bool>(data: &[u8]) -> Option<&[u8]> {
    let (text, rest) = counted(data, 1)?;
    (!CHECK || is_utf8(text)).then_some(rest)
}

#[inline(always)]
fn optional_text<const CHECK: bool>(data: &[u8]) -> Option<&[u8]> {
    match data.split_first()? {
        (0, rest) => text::<CHECK>(rest),
        (1, rest) => Some(rest),
        _ => None,
    }
}

#[inline]
fn count(data: &[u8]) -> Option<(usize, &[u8])> {
    let (count, rest) = data.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*count) as usize, rest))
}

/// Elements of so many bytes after their count, and what follows.
#[inline]
fn counted(data: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let (count, rest) = count(data)?;
    if size == 0 && count > MAX_EMPTY as usize {
        return None;
    }
    rest.split_at_checked(count.checked_mul(size as usize)?)
}

/// Most texts are short and ASCII, which takes a few words to see.
#[inline]
fn is_utf8(text: &[u8]) -> bool {
    is_ascii(text) || std::str::from_utf8(text).is_ok()
}

/// By its first and last bytes, which may overlap: texts of about one length then take the same way, whatever it is.
#[inline]
pub fn is_ascii(text: &[u8]) -> bool {
    let high = match text.len() {
        8..=16 => ends::<8>(text),
        17..=32 => ends::<16>(text),
        33..=64 => ends::<32>(text),
        _ => return text.is_ascii(),
    };
    high & 0x8080_8080_8080_8080 == 0
}

/// All bits of the first and the last so many bytes.
#[inline(always)]
fn ends<const N: usize>(text: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else { return u64::MAX };
    let word = |bytes: &[u8]| bytes.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
    let words = |bytes: &[u8; N]| bytes.chunks_exact(8).fold(0, |all, bytes| all | word(bytes));
    words(first) | words(last)
}

impl Layout {
    /// Needs sizes and checks to be known.
    pub(super) fn compile_moves(&mut self) {
        for index in 0..self.len() {
            self.moves_of(TypeId(index as u32));
        }
        for index in 0..self.len() {
            let ty = TypeId(index as u32);
            if let Kind::Sum(sum) = self.kind(ty) {
                let branches = sum.variants.iter().map(|variant| self.node(variant.ty).moves.all.clone()).collect();
                self.node_mut(ty).moves.branches = branches;
            }
        }
    }

    /// Goes down into products only, which cannot contain themselves without an array or a sum between.
    fn moves_of(&mut self, ty: TypeId) {
        let node = self.node(ty);
        if !node.moves.all.is_empty() || !node.moves.ways.is_empty() {
            return;
        }
        let one = |step: Move| Moves { all: [step].into(), ..Moves::default() };
        let moves = match &node.kind {
            Kind::Bool => one(Move::Bool),
            Kind::String => one(Move::Text),
            Kind::Bytes => one(Move::Items(1)),
            Kind::Array(element) => one(match self.node(*element) {
                element if element.plain => Move::Items(element.fixed.unwrap_or(0)),
                Node { kind: Kind::String, .. } => Move::Texts,
                _ => Move::Array(*element),
            }),
            Kind::Sum(Sum { special: Some(Special::Option), variants }) if self.is_text(variants[0].ty) => {
                one(Move::OptionalText)
            }
            Kind::Sum(_) => one(Move::Sum(ty)),
            Kind::Product(product) => {
                let fields: Vec<TypeId> = product.fields.iter().map(|field| field.ty).collect();
                fields.iter().for_each(|field| self.moves_of(*field));
                self.product_moves(&fields)
            }
            _ => one(Move::Skip(node.fixed.unwrap_or(0))),
        };
        self.node_mut(ty).moves = moves;
    }

    fn is_text(&self, ty: TypeId) -> bool {
        matches!(self.kind(ty), Kind::String)
    }

    fn product_moves(&self, fields: &[TypeId]) -> Moves {
        let (mut all, mut ways, mut height) = (Vec::new(), Vec::new(), 0);
        // The start of the first field of varying size, before which offsets are fixed; and the first move from there.
        let (mut offset, mut anchor) = (0u32, None);
        for field in fields {
            let node = self.node(*field);
            let fixed = node.fixed.and_then(|size| offset.checked_add(size));
            let first = match anchor {
                None if fixed.is_none() => *anchor.insert(all.len()),
                None => all.len(),
                Some(first) => first,
            };
            ways.push(way_here(offset, first, &all));
            if let (None, Some(end)) = (anchor, fixed) {
                offset = end;
            }
            let is_inline = node.moves.height < MAX_HEIGHT && node.moves.all.len() <= MAX_INLINE;
            if node.plain || is_inline {
                height = height.max(if node.plain { 0 } else { node.moves.height + 1 });
                node.moves.all.iter().for_each(|step| append(&mut all, *step, anchor));
            } else {
                height = height.max(1);
                all.push(Move::Product(*field));
            }
        }
        let one_text = OneText::of(&all);
        Moves { all: all.into(), ways: ways.into(), branches: [].into(), height, one_text }
    }
}

/// The way to the field whose moves come next.
fn way_here(offset: u32, first: usize, all: &[Move]) -> Way {
    let (end, rest) = match all[first..].split_last() {
        Some((Move::Skip(size), before)) => (first + before.len(), *size),
        _ => (all.len(), 0),
    };
    Way { offset, moves: (first as u32, end as u32), rest }
}

/// Adds a move. Bytes without checks join those before, but for those before the first field of varying size.
fn append(all: &mut Vec<Move>, step: Move, anchor: Option<usize>) {
    let joins = anchor.is_none_or(|first| all.len() > first);
    match (step, all.last_mut()) {
        (Move::Skip(0), _) => {}
        (Move::Skip(size), Some(Move::Skip(sum))) if joins && sum.checked_add(size).is_some() => *sum += size,
        _ => all.push(step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sats::types::{AlgebraicType, Element};

    fn product(types: &[AlgebraicType]) -> AlgebraicType {
        AlgebraicType::Product(types.iter().map(|ty| Element { name: None, ty: ty.clone() }).collect())
    }

    #[test]
    fn structs_in_structs_are_one_run() {
        let inner = product(&[AlgebraicType::U32, AlgebraicType::String, AlgebraicType::U8]);
        let outer = product(&[AlgebraicType::U32, inner, AlgebraicType::U16, AlgebraicType::Bool]);
        let (layout, places) = Layout::compile(&[], &[outer]).unwrap();
        let outer = layout.product(places[0]).unwrap();
        assert_eq!(
            *outer.moves,
            [Move::Skip(4), Move::Skip(4), Move::Text, Move::Skip(3), Move::Bool],
            "the struct starts a run of its own, as its offset is the last fixed one"
        );
        let bytes = [&[0; 8][..], &[2, 0, 0, 0, b'a', b'b', 7, 1, 2, 1]].concat();
        layout.validate(places[0], &bytes).unwrap();
        let starts = [0, 1, 2, 3].map(|index| layout.field(outer, index, &bytes).unwrap().position());
        assert_eq!(starts, [0, 4, 15, 17]);
    }

    #[test]
    fn what_is_nested_deeply_is_left_to_the_slow_pass() {
        let list = Element { name: None, ty: AlgebraicType::Array(Box::new(AlgebraicType::Ref(0))) };
        let types = [AlgebraicType::Product(vec![list])];
        let (layout, _) = Layout::compile(&types, &[]).unwrap();
        let nested = |depth: usize| [[1, 0, 0, 0].repeat(depth), vec![0; 4]].concat();
        assert!(layout.pass::<true>(TypeId(0), &nested(10)).is_some());
        assert!(layout.pass::<true>(TypeId(0), &nested(200)).is_none());
        assert!(layout.validate(TypeId(0), &nested(200)).is_ok());
    }

    #[test]
    fn a_long_chain_of_structs_takes_little_space() {
        let twice = |index: u32| product(&[AlgebraicType::Ref(index), AlgebraicType::Ref(index)]);
        let types: Vec<_> = std::iter::once(product(&[AlgebraicType::String])).chain((0..30).map(twice)).collect();
        let (layout, _) = Layout::compile(&types, &[]).unwrap();
        assert!((0..31).all(|index| layout.node(TypeId(index)).moves.all.len() <= 2 * MAX_INLINE));
    }

    #[test]
    fn ascii_is_seen_at_every_length() {
        for length in 0..80 {
            let mut text = vec![b'x'; length];
            assert!(is_ascii(&text));
            for place in 0..length {
                text[place] = 0x80;
                assert!(!is_ascii(&text));
                text[place] = b'x';
            }
        }
    }
}
