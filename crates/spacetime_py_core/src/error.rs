//! Everything that can go wrong in the core, without Python in it.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Bytes that are no value of the expected type. Small, since it is returned by every decoding function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    pub problem: Problem,
    /// Position in the buffer that was decoded.
    pub offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The value needs this many bytes more than there are left.
    Truncated {
        needed: u64,
        left: usize,
    },
    BadBool(u8),
    BadUtf8,
    BadTag {
        tag: u8,
        variants: usize,
    },
    TooDeep,
    /// A count of elements that take no bytes, so that the input does not justify it.
    TooManyEmpty(u32),
    Trailing(usize),
    /// A list of rows whose offsets or sizes contradict its bytes.
    BadRowList,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Truncated { needed, left } => {
                write!(f, "the data ends too early: {needed} bytes needed, {left} left")?
            }
            Problem::BadBool(byte) => write!(f, "a bool is 0 or 1, not {byte}")?,
            Problem::BadUtf8 => write!(f, "a string is not valid UTF-8")?,
            Problem::BadTag { tag, variants } => write!(f, "tag {tag} of a sum type that has {variants} variants")?,
            Problem::TooDeep => write!(f, "values nested too deeply")?,
            Problem::TooManyEmpty(count) => write!(f, "{count} elements that take no bytes")?,
            Problem::Trailing(count) => write!(f, "{count} bytes left over after the value")?,
            Problem::BadRowList => write!(f, "row offsets do not fit the rows' bytes")?,
        }
        write!(f, " (at byte {})", self.offset)
    }
}

impl std::error::Error for DecodeError {}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A value is not what its type says; `place` names what was read.
    Decode { place: String, source: DecodeError },
    /// The peer did what the protocol forbids.
    Protocol(String),
    /// The module's schema cannot be used, or does not fit the database.
    Schema(String),
    /// A caller's mistake: a name the schema does not have, a set that does not exist.
    Usage(String),
}

impl Error {
    /// `place` names what was read.
    pub fn decode(place: impl fmt::Display) -> impl FnOnce(DecodeError) -> Error {
        move |source| Error::Decode { place: place.to_string(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Decode { place, source } => write!(f, "{place}: {source}"),
            Error::Protocol(text) | Error::Schema(text) | Error::Usage(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}
