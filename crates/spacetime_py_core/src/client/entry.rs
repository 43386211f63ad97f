//! What an ordered index keeps of a row: its key and its id.

use std::borrow::Borrow;
use std::cmp::Ordering;

use super::rows::RowId;

/// A key and its row. The first bytes of a key are compared as one number, in the tree's own memory; what follows them is
/// there too if it is at most `N` bytes. The variants have the same fields at the same places.
#[repr(u8)]
#[derive(Debug)]
pub enum Key<'a, const N: usize> {
    Short {
        length: u8,
        id: RowId,
        head: u64,
        /// With zeros behind it.
        tail: [u8; N],
    },
    Long {
        id: RowId,
        head: u64,
        tail: Box<[u8]>,
    },
    /// As `Long`, and never kept.
    Sought {
        id: RowId,
        head: u64,
        tail: &'a [u8],
    },
}

/// Bytes of a key that are compared as a number.
const HEAD: usize = 8;

impl<'a, const N: usize> Key<'a, N> {
    #[inline]
    pub fn sought(bytes: &'a [u8], id: RowId) -> Self {
        let (head, tail) = split(bytes);
        Key::short(bytes, id).unwrap_or(Key::Sought { id, head, tail })
    }

    #[inline]
    fn short(bytes: &[u8], id: RowId) -> Option<Self> {
        let (head, rest) = split(bytes);
        let mut tail = [0; N];
        tail.get_mut(..rest.len())?.copy_from_slice(rest);
        Some(Key::Short { length: bytes.len() as u8, id, head, tail })
    }

    #[inline]
    pub fn id(&self) -> RowId {
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
            Key::Short { length, .. } => usize::from(*length).min(HEAD),
            Key::Long { .. } | Key::Sought { .. } => HEAD,
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
    pub fn begins_with(&self, start: &Key<'_, N>) -> bool {
        match (self, start) {
            // Most keys that are asked for are whole.
            (Key::Short { length: one, tail, .. }, Key::Short { length: other, tail: start_tail, .. })
                if one == other =>
            {
                self.head() == start.head() && tail == start_tail
            }
            _ => {
                let length = start.head_length();
                let differing = self.head() ^ start.head();
                differing.leading_zeros() as usize >= 8 * length
                    && self.head_length() >= length
                    && self.tail().starts_with(start.tail())
            }
        }
    }

    /// Of keys with the same head. Zeros behind a shorter key are not its own.
    fn compare_rest(&self, other: &Self) -> Ordering {
        let keys = match (self, other) {
            (Key::Short { length: one, tail, .. }, Key::Short { length: other, tail: other_tail, .. }) => {
                words(tail).cmp(words(other_tail)).then(one.cmp(other))
            }
            _ => self.tail().cmp(other.tail()),
        };
        keys.then_with(|| self.id().cmp(&other.id()))
    }
}

/// Numbers that compare as the bytes do: for so few that is quicker than a call.
#[inline]
fn words<const N: usize>(tail: &[u8; N]) -> impl Iterator<Item = u64> + '_ {
    tail.chunks_exact(8).map(|word| u64::from_be_bytes(word.try_into().expect("eight bytes")))
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

impl<const N: usize> Ord for Key<'_, N> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.head().cmp(&other.head()) {
            Ordering::Equal => self.compare_rest(other),
            order => order,
        }
    }
}

impl<const N: usize> PartialOrd for Key<'_, N> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> PartialEq for Key<'_, N> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<const N: usize> Eq for Key<'_, N> {}

/// A key that an index keeps, found by one that it does not.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<const N: usize>(pub Key<'static, N>);

impl<const N: usize> Entry<N> {
    pub fn new(bytes: &[u8], id: RowId) -> Self {
        let (head, tail) = split(bytes);
        Entry(Key::short(bytes, id).unwrap_or_else(|| Key::Long { id, head, tail: tail.into() }))
    }
}

impl<'a, const N: usize> Borrow<Key<'a, N>> for Entry<N> {
    #[inline]
    fn borrow(&self) -> &Key<'a, N> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!((size_of::<Entry<16>>(), size_of::<Entry<24>>()), (32, 40));
    }

    /// Lengths around those of heads and short keys, few bytes, and often one key the beginning of another.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop::sample::select(vec![0u8, 0, 0, 1, 255]);
        (prop::collection::vec(byte, 0..4), prop::sample::select(vec![0usize, 5, 6, 7, 8, 9, 21, 23, 24, 29, 31, 32]))
            .prop_map(|(last, zeros)| {
                let mut bytes = vec![0; zeros];
                bytes.extend(last);
                bytes
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn keys_compare_as_their_bytes(one in bytes(), other in bytes(), ids in (0u32..2, 0u32..2)) {
            compare::<16>(&one, &other, ids)?;
            compare::<24>(&one, &other, ids)?;
        }
    }

    fn compare<const N: usize>(one: &[u8], other: &[u8], ids: (RowId, RowId)) -> Result<(), TestCaseError> {
        let (kept, sought) = (Entry::<N>::new(one, ids.0), Key::sought(other, ids.1));
        prop_assert_eq!(kept.0.cmp(&sought), (one, ids.0).cmp(&(other, ids.1)));
        prop_assert_eq!(kept.cmp(&Entry::new(other, ids.1)), (one, ids.0).cmp(&(other, ids.1)));
        prop_assert_eq!(kept.0.begins_with(&sought), one.starts_with(other));
        Ok(())
    }
}
