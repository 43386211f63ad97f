//! Ordered indexes: rows in the order of some of their columns. Keys are bytes that sort as the values do, so that a prefix
//! of the columns is a prefix of the bytes and every range is a range of bytes.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::keys::Keys;
use super::rows::{RowId, RowStore};
use crate::sats::bsatn::Decoded;
use crate::sats::{Kind, Layout, Reader, TypeId};

#[derive(Debug)]
pub struct OrderedIndex {
    pub columns: Vec<u16>,
    entries: BTreeSet<(Key, RowId)>,
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
    /// All keys that begin with this one.
    pub fn prefix(key: Vec<u8>) -> Self {
        let end = || Some(End { key: key.clone(), included: true });
        Span::between(end(), end())
    }

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
        let entries = store.ids().map(|id| (keys.ordered(columns, store.bytes(id)), id)).collect();
        OrderedIndex { columns: columns.to_vec(), entries }
    }

    pub fn insert(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        self.entries.insert((keys.ordered(&self.columns, row), id));
    }

    pub fn remove(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        self.entries.remove(&(keys.ordered(&self.columns, row), id));
    }

    /// Rows in the order of their keys; those of one key in no particular order.
    pub fn select(&self, span: &Span) -> impl DoubleEndedIterator<Item = RowId> + '_ {
        use std::ops::Bound::{Excluded, Unbounded};
        let is_empty = span.to.as_ref().is_some_and(|to| *to <= span.from);
        let from = (Key::new(&span.from), 0);
        let to = span.to.as_ref().map_or(Unbounded, |to| Excluded((Key::new(to), 0)));
        let found = (!is_empty).then(|| self.entries.range((std::ops::Bound::Included(from), to)));
        found.into_iter().flatten().map(|(_, id)| *id)
    }
}

impl Keys<'_> {
    fn ordered(&self, columns: &[u16], row: &[u8]) -> Key {
        let product = self.layout.product(self.row).expect("row types are products");
        let mut key = Vec::with_capacity(2 * SHORT);
        for column in columns {
            let mut reader = self.layout.field(product, usize::from(*column), row).expect("a checked row");
            let ty = product.fields[usize::from(*column)].ty;
            append_ordered(self.layout, ty, &mut reader, &mut key).expect("a checked row");
        }
        Key::new(&key)
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
    key.extend(bytes.iter().rev());
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

/// Most keys are short and need no memory of their own.
#[derive(Clone, Debug)]
enum Key {
    Short(u8, [u8; SHORT]),
    Long(Box<[u8]>),
}

/// So that an entry, with its row id, takes 32 bytes.
const SHORT: usize = 22;

impl Key {
    fn new(bytes: &[u8]) -> Self {
        if bytes.len() > SHORT {
            return Key::Long(bytes.into());
        }
        let mut short = [0; SHORT];
        short[..bytes.len()].copy_from_slice(bytes);
        Key::Short(bytes.len() as u8, short)
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Key::Short(length, bytes) => &bytes[..usize::from(*length)],
            Key::Long(bytes) => bytes,
        }
    }
}

impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<(Key, RowId)>(), 32);
    }

    #[test]
    fn the_key_behind() {
        assert_eq!(behind(vec![1, 2]), Some(vec![1, 3]));
        assert_eq!(behind(vec![1, 255, 255]), Some(vec![2]));
        assert_eq!(behind(vec![255]), None);
    }
}
