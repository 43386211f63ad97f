//! Ordered indexes: rows in the order of some of their columns. Keys are bytes that sort as the values do, so that a prefix
//! of the columns is a prefix of the bytes and every range is a range of bytes.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::entry::{Entry, Key};
use super::keys::Keys;
use super::rows::{RowId, RowStore};
use crate::sats::bsatn::Decoded;
use crate::sats::{Kind, Layout, Reader, TypeId};

#[derive(Debug)]
pub struct OrderedIndex {
    pub columns: Vec<u16>,
    entries: Entries,
    /// The key that is being made; kept for its memory.
    key: Vec<u8>,
}

/// By how long keys can be without memory of their own: up to 24 bytes, or up to 32 as those of identities.
#[derive(Debug)]
enum Entries {
    Slim(Tree<16>),
    Wide(Tree<24>),
}

type Tree<const N: usize> = BTreeSet<Entry<N>>;

macro_rules! on_tree {
    ($entries:expr, $tree:ident => $result:expr) => {
        match $entries {
            Entries::Slim($tree) => $result,
            Entries::Wide($tree) => $result,
        }
    };
}

/// Keys from one place to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    from: Vec<u8>,
    /// The first key behind the span; None: there is no end.
    to: Option<Vec<u8>>,
}

/// One end of a span: a key, whole or only its first columns, and whether what begins with it belongs to the span.
#[derive(Clone, Debug)]
pub struct End {
    pub key: Vec<u8>,
    pub included: bool,
}

impl Span {
    /// None: open on that side.
    pub fn between(start: Option<End>, end: Option<End>) -> Self {
        let from = match start {
            None => Vec::new(),
            Some(End { key, included: true }) => key,
            Some(End { key, included: false }) => match behind(key) {
                Some(key) => key,
                None => return Span { from: Vec::new(), to: Some(Vec::new()) }, // nothing is behind it
            },
        };
        let to = match end {
            None => None,
            Some(End { key, included: true }) => behind(key),
            Some(End { key, included: false }) => Some(key),
        };
        Span { from, to }
    }
}

/// The first key behind all that begin with this one.
fn behind(mut key: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = key.pop() {
        if last != u8::MAX {
            key.push(last + 1);
            return Some(key);
        }
    }
    None
}

impl OrderedIndex {
    pub fn build(columns: &[u16], keys: &Keys<'_>, store: &RowStore) -> Self {
        let entries = match keys.size(columns) {
            Some(25..=32) => Entries::Wide(build(columns, keys, store)),
            _ => Entries::Slim(build(columns, keys, store)),
        };
        OrderedIndex { columns: columns.to_vec(), entries, key: Vec::new() }
    }

    pub fn insert(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        keys.order(&self.columns, row, &mut self.key);
        on_tree!(&mut self.entries, tree => _ = tree.insert(Entry::new(&self.key, id)));
    }

    pub fn remove(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        keys.order(&self.columns, row, &mut self.key);
        on_tree!(&mut self.entries, tree => _ = tree.remove(&Key::sought(&self.key, id)));
    }

    /// Rows in the order of their keys; those of one key in no particular order.
    pub fn select(&self, span: &Span, reverse: bool, limit: usize, found: impl FnMut(RowId)) {
        let is_empty = span.to.as_ref().is_some_and(|to| *to <= span.from);
        match reverse {
            _ if is_empty => {}
            false => on_tree!(&self.entries, tree => between(tree, span).take(limit).for_each(found)),
            true => on_tree!(&self.entries, tree => between(tree, span).rev().take(limit).for_each(found)),
        }
    }

    /// The rows whose keys begin with this one, in their order.
    #[inline]
    pub fn begin_with(&self, key: &[u8], found: impl FnMut(RowId)) {
        on_tree!(&self.entries, tree => begin_with(tree, key).for_each(found));
    }
}

fn build<const N: usize>(columns: &[u16], keys: &Keys<'_>, store: &RowStore) -> Tree<N> {
    let mut key = Vec::new();
    let entry = |id| {
        keys.order(columns, store.bytes(id), &mut key);
        Entry::new(&key, id)
    };
    store.ids().map(entry).collect()
}

fn between<'a, const N: usize>(tree: &'a Tree<N>, span: &'a Span) -> impl DoubleEndedIterator<Item = RowId> + 'a {
    let to = span.to.as_ref().map_or(Unbounded, |to| Excluded(Key::sought(to, 0)));
    tree.range((Included(Key::sought(&span.from, 0)), to)).map(|entry| entry.0.id())
}

#[inline]
fn begin_with<'a, const N: usize>(tree: &'a Tree<N>, key: &'a [u8]) -> impl Iterator<Item = RowId> + 'a {
    let first = Key::sought(key, 0);
    let rest = tree.range((Included(Key::sought(key, 0)), Unbounded));
    rest.take_while(move |entry| entry.0.begins_with(&first)).map(|entry| entry.0.id())
}

impl Keys<'_> {
    /// How long keys are, if all are as long. Not exact for keys of small floats.
    fn size(&self, columns: &[u16]) -> Option<u32> {
        let product = self.layout.product(self.row).expect("row types are products");
        let size = |column: &u16| self.layout.node(product.fields[usize::from(*column)].ty).fixed;
        columns.iter().try_fold(0u32, |sum, column| sum.checked_add(size(column)?))
    }

    fn order(&self, columns: &[u16], row: &[u8], key: &mut Vec<u8>) {
        let product = self.layout.product(self.row).expect("row types are products");
        key.clear();
        for column in columns {
            let mut reader = self.layout.field(product, usize::from(*column), row).expect("a checked row");
            let ty = product.fields[usize::from(*column)].ty;
            append_ordered(self.layout, ty, &mut reader, key).expect("a checked row");
        }
    }
}

/// Turns one value from BSATN into bytes that sort as values do: numbers by size, texts by code points, bytes and lists item
/// by item, products field by field, sums by their tag and then the payload. Zero has no sign, and there is one NaN, last.
/// No value's bytes are the beginning of another's of the same type.
pub fn append_ordered(layout: &Layout, ty: TypeId, reader: &mut Reader<'_>, key: &mut Vec<u8>) -> Decoded<()> {
    let kind = layout.kind(ty);
    match kind {
        Kind::F32 => append_float(reader.f32()?.into(), key),
        Kind::F64 => append_float(reader.f64()?, key),
        Kind::String | Kind::Bytes => append_run(reader.bytes()?, key),
        Kind::Array(element) => {
            for _ in 0..reader.u32()? {
                key.push(1);
                append_ordered(layout, *element, reader, key)?;
            }
            key.push(0);
        }
        Kind::Product(product) => {
            for field in &product.fields {
                append_ordered(layout, field.ty, reader, key)?;
            }
        }
        Kind::Sum(sum) => {
            let tag = reader.tag(sum.variants.len())?;
            key.push(tag);
            append_ordered(layout, sum.variants[usize::from(tag)].ty, reader, key)?;
        }
        Kind::Bool | Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 | Kind::U128 | Kind::U256 => {
            append_number(layout, ty, reader, 0, key)?;
        }
        Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 | Kind::I128 | Kind::I256 => {
            append_number(layout, ty, reader, SIGN, key)?;
        }
    }
    Ok(())
}

const SIGN: u8 = 0x80;

/// The highest byte first, and its sign turned around so that negative numbers come first.
fn append_number(layout: &Layout, ty: TypeId, reader: &mut Reader<'_>, sign: u8, key: &mut Vec<u8>) -> Decoded<()> {
    let size = layout.node(ty).fixed.expect("numbers have a size");
    let bytes = reader.take(size as usize)?;
    let first = key.len();
    key.extend_from_slice(bytes);
    key[first..].reverse();
    key[first] ^= sign;
    Ok(())
}

fn append_float(value: f64, key: &mut Vec<u8>) {
    let bits = match value {
        _ if value.is_nan() => f64::NAN.abs().to_bits(),
        _ if value == 0.0 => 0,
        _ => value.to_bits(),
    };
    let is_negative = bits >> 63 != 0;
    let bits = if is_negative { !bits } else { bits | 1 << 63 };
    key.extend(bits.to_be_bytes());
}

/// Two zeros end a text, so that a zero in it is followed by something larger.
fn append_run(bytes: &[u8], key: &mut Vec<u8>) {
    for byte in bytes {
        key.push(*byte);
        if *byte == 0 {
            key.push(u8::MAX);
        }
    }
    key.extend([0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_behind() {
        assert_eq!(behind(vec![1, 2]), Some(vec![1, 3]));
        assert_eq!(behind(vec![1, 255, 255]), Some(vec![2]));
        assert_eq!(behind(vec![255]), None);
    }
}
