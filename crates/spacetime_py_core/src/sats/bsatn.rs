//! BSATN primitives: little-endian numbers, `u32` lengths, nothing that describes itself.

use crate::error::{DecodeError, Problem};

pub type Decoded<T> = Result<T, DecodeError>;

/// A cursor over bytes that never reads past their end.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => { $(
        #[inline]
        pub fn $name(&mut self) -> Decoded<$type> {
            Ok(<$type>::from_le_bytes(self.array()?))
        }
    )* };
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// Starts in the middle, so that errors name positions in the whole of `data`.
    pub fn at(data: &'a [u8], position: usize) -> Self {
        Self { data, position }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn left(&self) -> usize {
        self.data.len() - self.position
    }

    /// Everything that was not read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    /// Continues where only these bytes, the end of `rest`, are left.
    #[inline]
    pub(super) fn continue_at(&mut self, rest: &[u8]) {
        self.position = self.data.len() - rest.len();
    }

    /// What was read since the earlier position `start`.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.data[start..self.position]
    }

    pub fn error(&self, problem: Problem) -> DecodeError {
        DecodeError { problem, offset: self.position }
    }

    #[cold]
    fn truncated(&self, needed: u64) -> DecodeError {
        self.error(Problem::Truncated { needed, left: self.left() })
    }

    #[inline]
    pub fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let Some(bytes) = self.rest().get(..count) else { return Err(self.truncated(count as u64)) };
        self.position += count;
        Ok(bytes)
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let Some(bytes) = self.rest().first_chunk() else { return Err(self.truncated(N as u64)) };
        self.position += N;
        Ok(*bytes)
    }

    numbers!(u8: u8, u16: u16, u32: u32, u64: u64, u128: u128, i8: i8, i16: i16, i32: i32, i64: i64, i128: i128,
        f32: f32, f64: f64);

    #[inline]
    pub fn bool(&mut self) -> Decoded<bool> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [byte] => Err(DecodeError { problem: Problem::BadBool(byte), offset: self.position - 1 }),
        }
    }

    /// The tag of a sum type with so many variants.
    #[inline]
    pub fn tag(&mut self, variants: usize) -> Decoded<u8> {
        let tag = self.u8()?;
        if usize::from(tag) < variants {
            return Ok(tag);
        }
        Err(DecodeError { problem: Problem::BadTag { tag, variants }, offset: self.position - 1 })
    }

    /// A length-prefixed run of bytes.
    #[inline]
    pub fn bytes(&mut self) -> Decoded<&'a [u8]> {
        let count = self.u32()?;
        self.take(count as usize)
    }

    #[inline]
    pub fn str(&mut self) -> Decoded<&'a str> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|error| DecodeError {
            problem: Problem::BadUtf8,
            offset: self.position - bytes.len() + error.valid_up_to(),
        })
    }

    /// The count of an array whose elements take at least `min_size` bytes each.
    #[inline]
    pub fn count(&mut self, min_size: u64) -> Decoded<u32> {
        let count = self.u32()?;
        let needed = u64::from(count).saturating_mul(min_size);
        if needed > self.left() as u64 {
            return Err(self.truncated(needed));
        }
        if min_size == 0 && count > MAX_EMPTY {
            return Err(self.error(Problem::TooManyEmpty(count)));
        }
        Ok(count)
    }

    /// `u32` count, then the items, each read by `item`. For message structures; their items take a byte or more.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Decoded<T>) -> Decoded<Vec<T>> {
        let count = self.count(1)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub fn option<T>(&mut self, item: impl FnOnce(&mut Self) -> Decoded<T>) -> Decoded<Option<T>> {
        Ok(match self.tag(2)? {
            0 => Some(item(self)?),
            _ => None,
        })
    }

    pub fn end(&self) -> Decoded<()> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.error(Problem::Trailing(left))),
        }
    }
}

/// The most elements of size zero that an array may claim to have: nothing in the input pays for them.
pub const MAX_EMPTY: u32 = 1 << 16;

/// Appends BSATN to a vector.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

macro_rules! number_writers {
    ($($name:ident: $type:ty),*) => { $(
        #[inline]
        pub fn $name(&mut self, value: $type) {
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    )* };
}

impl Writer {
    number_writers!(u8: u8, u16: u16, u32: u32, u64: u64, u128: u128, i8: i8, i16: i16, i32: i32, i64: i64, i128: i128,
        f32: f32, f64: f64);

    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// A length or count. Returns an error's text when it does not fit the format.
    pub fn count(&mut self, count: usize) -> Result<(), TooLong> {
        self.u32(u32::try_from(count).map_err(|_| TooLong)?);
        Ok(())
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.count(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    pub fn str(&mut self, text: &str) -> Result<(), TooLong> {
        self.bytes(text.as_bytes())
    }
}

/// A string, byte string or array longer than 2**32 - 1, which BSATN cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place() {
        let mut reader = Reader::new(&[1, 2, 3]);
        reader.u16().unwrap();
        let error = reader.u32().unwrap_err();
        assert_eq!(error, DecodeError { problem: Problem::Truncated { needed: 4, left: 1 }, offset: 2 });
        assert!(error.to_string().contains("4 bytes needed, 1 left (at byte 2)"));
    }

    #[test]
    fn bools_and_tags_are_strict() {
        assert_eq!(Reader::new(&[2]).bool().unwrap_err().problem, Problem::BadBool(2));
        assert_eq!(Reader::new(&[3]).tag(3).unwrap_err().problem, Problem::BadTag { tag: 3, variants: 3 });
    }

    #[test]
    fn bad_utf8_is_placed_at_the_byte() {
        let error = Reader::new(&[3, 0, 0, 0, b'a', 0xff, b'b']).str().unwrap_err();
        assert_eq!(error, DecodeError { problem: Problem::BadUtf8, offset: 5 });
    }

    #[test]
    fn huge_counts_are_refused_before_anything_is_allocated() {
        let data = u32::MAX.to_le_bytes();
        assert!(matches!(Reader::new(&data).count(8).unwrap_err().problem, Problem::Truncated { .. }));
        assert!(matches!(Reader::new(&data).count(0).unwrap_err().problem, Problem::TooManyEmpty(_)));
        assert!(Reader::new(&data).list(|reader| reader.u8()).is_err());
    }
}
