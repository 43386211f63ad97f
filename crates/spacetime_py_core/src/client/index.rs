//! Ordered indexes: rows in the order of some of their columns. Keys are bytes that sort as the values do, so that a prefix
//! of the columns is a prefix of the bytes and every range is a range of bytes.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::keys::Keys;
use super::rows::{RowId, RowStore};
use crate::sats::bsatn::Decoded;
use crate::sats::{Kind, Layout, Reader, TypeId};

#[derive(Debug)]
pub struct OrderedIndex {
    pub columns: Vec<u16>,
    entries: BTreeSet<Entry>,
    /// The key that is being made; kept for its memory.
    key: Vec<u8>,
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
        let mut key = Vec::new();
        let entries = store.ids().map(|id| {
            keys.order(columns, store.bytes(id), &mut key);
            Entry::new(&key, id)
        });
        OrderedIndex { columns: columns.to_vec(), entries: entries.collect(), key }
    }

    pub fn insert(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        keys.order(&self.columns, row, &mut self.key);
        self.entries.insert(Entry::new(&self.key, id));
    }

    pub fn remove(&mut self, keys: &Keys<'_>, id: RowId, row: &[u8]) {
        keys.order(&self.columns, row, &mut self.key);
        self.entries.remove(&Key::sought(&self.key, id));
    }

    /// Rows in the order of their keys; those of one key in no particular order.
    pub fn select(&self, span: &Span) -> impl DoubleEndedIterator<Item = RowId> + '_ {
        let is_empty = span.to.as_ref().is_some_and(|to| *to <= span.from);
        let to = span.to.as_ref().map_or(Unbounded, |to| Excluded(Key::sought(to, 0)));
        let found = (!is_empty).then(|| self.entries.range((Included(Key::sought(&span.from, 0)), to)));
        found.into_iter().flatten().map(|entry| entry.0.id())
    }

    /// The rows whose keys begin with this one, in their order.
    #[inline]
    pub fn begin_with<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = RowId> + 'a {
        let first = Key::sought(key, 0);
        let rest = self.entries.range((Included(Key::sought(key, 0)), Unbounded));
        rest.take_while(move |entry| entry.0.begins_with(&first)).map(|entry| entry.0.id())
    }
}

impl Keys<'_> {
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

/// A key and its row. The first bytes of a key are compared as one number, in the tree's own memory; what follows them is
/// there too if it is short. The variants have the same fields at the same places.
#[repr(u8)]
#[derive(Debug)]
enum Key<'a> {
    Short {
        length: u8,
        id: RowId,
        head: u64,
        tail: [u8; SHORT - HEAD],
    },
    Long {
        id: RowId,
        head: u64,
        tail: Box<[u8]>,
    },
    /// Never kept.
    Sought {
        /// That of the head.
        length: u8,
        id: RowId,
        head: u64,
        tail: &'a [u8],
    },
}

/// Bytes of a key that are compared as a number.
const HEAD: usize = 8;
/// So that an entry takes 32 bytes.
const SHORT: usize = 24;

impl Key<'_> {
    #[inline]
    fn sought(bytes: &[u8], id: RowId) -> Key<'_> {
        let (head, tail) = split(bytes);
        Key::Sought { length: bytes.len().min(HEAD) as u8, id, head, tail }
    }

    #[inline]
    fn id(&self) -> RowId {
        let (Key::Short { id, .. } | Key::Long { id, .. } | Key::Sought { id, .. }) = self;
        *id
    }

    /// The first bytes, the first one highest, and zeros behind a shorter key.
    #[inline]
    fn head(&self) -> u64 {
        let (Key::Short { head, .. } | Key::Long { head, .. } | Key::Sought { head, .. }) = self;
        *head
    }

    /// How many of the head's bytes are the key's.
    #[inline]
    fn head_length(&self) -> usize {
        match self {
            Key::Short { length, .. } | Key::Sought { length, .. } => usize::from(*length).min(HEAD),
            Key::Long { .. } => HEAD,
        }
    }

    #[inline]
    fn tail(&self) -> &[u8] {
        match self {
            Key::Short { length, tail, .. } => &tail[..usize::from(*length).saturating_sub(HEAD)],
            Key::Long { tail, .. } => tail,
            Key::Sought { tail, .. } => tail,
        }
    }

    #[inline]
    fn begins_with(&self, start: &Key<'_>) -> bool {
        let length = start.head_length();
        let differing = self.head() ^ start.head();
        let is_same_head = differing.leading_zeros() as usize >= 8 * length && self.head_length() >= length;
        is_same_head && (start.tail().is_empty() || self.tail().starts_with(start.tail()))
    }

    /// Of keys with the same head. Zeros behind a shorter key are not its own.
    fn compare_rest(&self, other: &Self) -> Ordering {
        let tails = self.tail().cmp(other.tail());
        tails.then_with(|| self.head_length().cmp(&other.head_length())).then_with(|| self.id().cmp(&other.id()))
    }
}

#[inline]
fn split(bytes: &[u8]) -> (u64, &[u8]) {
    match bytes.split_first_chunk::<HEAD>() {
        Some((head, tail)) => (u64::from_be_bytes(*head), tail),
        None => {
            let mut head = [0; HEAD];
            head[..bytes.len()].copy_from_slice(bytes);
            (u64::from_be_bytes(head), &[])
        }
    }
}

impl Ord for Key<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.head().cmp(&other.head()) {
            Ordering::Equal => self.compare_rest(other),
            order => order,
        }
    }
}

impl PartialOrd for Key<'_> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key<'_> {}

/// A key that an index keeps, found by one that it does not.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(Key<'static>);

impl Entry {
    fn new(bytes: &[u8], id: RowId) -> Self {
        let (head, rest) = split(bytes);
        if bytes.len() > SHORT {
            return Entry(Key::Long { id, head, tail: rest.into() });
        }
        let mut tail = [0; SHORT - HEAD];
        tail[..rest.len()].copy_from_slice(rest);
        Entry(Key::Short { length: bytes.len() as u8, id, head, tail })
    }
}

impl<'a> Borrow<Key<'a>> for Entry {
    #[inline]
    fn borrow(&self) -> &Key<'a> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 32);
    }

    /// Lengths around those of heads and short keys, few bytes, and often one key the beginning of another.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop::sample::select(vec![0u8, 0, 0, 1, 255]);
        (prop::collection::vec(byte, 0..4), prop::sample::select(vec![0usize, 5, 6, 7, 8, 9, 21, 23, 24, 25])).prop_map(
            |(last, zeros)| {
                let mut bytes = vec![0; zeros];
                bytes.extend(last);
                bytes
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn keys_compare_as_their_bytes(one in bytes(), other in bytes(), ids in (0u32..2, 0u32..2)) {
            let (kept, sought) = (Entry::new(&one, ids.0), Key::sought(&other, ids.1));
            prop_assert_eq!(kept.0.cmp(&sought), (&one, ids.0).cmp(&(&other, ids.1)));
            prop_assert_eq!(kept.cmp(&Entry::new(&other, ids.1)), (&one, ids.0).cmp(&(&other, ids.1)));
            prop_assert_eq!(kept.0.begins_with(&sought), one.starts_with(&other));
        }
    }

    #[test]
    fn the_key_behind() {
        assert_eq!(behind(vec![1, 2]), Some(vec![1, 3]));
        assert_eq!(behind(vec![1, 255, 255]), Some(vec![2]));
        assert_eq!(behind(vec![255]), None);
    }
}
