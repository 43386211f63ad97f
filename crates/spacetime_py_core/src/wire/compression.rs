//! The envelope of a server's message: one byte tells how the rest is compressed.

use std::io::Read;

use bytes::{Buf, Bytes};

use crate::error::{Error, Result};

/// What the server shall use for messages above about 1 KiB; it may choose otherwise, each message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Brotli,
}

impl Compression {
    /// As the query parameter `compression` spells it.
    pub fn parameter(self) -> &'static str {
        match self {
            Compression::None => "None",
            Compression::Gzip => "Gzip",
            Compression::Brotli => "Brotli",
        }
    }

    pub fn from_tag(tag: u8) -> Option<Compression> {
        match tag {
            0 => Some(Compression::None),
            1 => Some(Compression::Brotli),
            2 => Some(Compression::Gzip),
            _ => None,
        }
    }

    /// The expanded bytes, `limit` at most. Without compression nothing is copied.
    pub fn expand(self, data: Bytes, limit: usize) -> Result<Bytes> {
        match self {
            Compression::None => Ok(data),
            Compression::Gzip => {
                let size = gzip_size(&data).min(limit);
                read_to_limit(flate2::bufread::GzDecoder::new(&data[..]), size, limit, "gzip")
            }
            Compression::Brotli => {
                read_to_limit(brotli_decompressor::Decompressor::new(&data[..], BUFFER), 0, limit, "brotli")
            }
        }
    }
}

const BUFFER: usize = 16 * 1024;

/// What gzip says at its end of the expanded size: a hint from outside, so no more than it can possibly be.
fn gzip_size(data: &[u8]) -> usize {
    const LARGEST_RATIO: usize = 1032;
    let size = data.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    (size as usize).min(data.len().saturating_mul(LARGEST_RATIO))
}

/// Opens the envelope of a message: tag byte, then the body.
pub fn open(mut message: Bytes, limit: usize) -> Result<Bytes> {
    let Some(tag) = message.first() else {
        return Err(Error::Protocol("the server sent an empty message".into()));
    };
    let Some(compression) = Compression::from_tag(*tag) else {
        return Err(Error::Protocol(format!("the server sent a message of unknown compression {tag}")));
    };
    message.advance(1);
    compression.expand(message, limit)
}

/// `size`: what to expect.
fn read_to_limit(source: impl Read, size: usize, limit: usize, name: &str) -> Result<Bytes> {
    let mut expanded = Vec::with_capacity(size);
    let read = source.take(limit as u64 + 1).read_to_end(&mut expanded);
    read.map_err(|error| Error::Protocol(format!("the server sent broken {name} data: {error}")))?;
    if expanded.len() > limit {
        return Err(Error::Protocol(format!(
            "a message expands to more than {limit} bytes; raise `max_message_size` if the database is meant to send that much"
        )));
    }
    Ok(expanded.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(data: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::new();
        brotli::CompressorReader::new(data, 4096, 1, 22).read_to_end(&mut compressed).unwrap();
        compressed
    }

    fn enveloped(tag: u8, body: &[u8]) -> Bytes {
        [&[tag], body].concat().into()
    }

    #[test]
    fn each_kind_expands() {
        let body = b"rows ".repeat(1000);
        assert_eq!(open(enveloped(0, &body), 10_000).unwrap(), body);
        assert_eq!(open(enveloped(1, &brotli(&body)), 10_000).unwrap(), body);
        assert_eq!(open(enveloped(2, &gzip(&body)), 10_000).unwrap(), body);
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = vec![0; 1 << 20];
        for message in [enveloped(1, &brotli(&bomb)), enveloped(2, &gzip(&bomb))] {
            assert!(open(message, 1 << 16).unwrap_err().to_string().contains("max_message_size"));
        }
    }

    #[test]
    fn broken_data_is_an_error() {
        let packed = gzip(&b"rows ".repeat(1000));
        assert!(open(enveloped(2, &packed[..packed.len() / 2]), 10_000).is_err());
        let packed = brotli(&b"rows ".repeat(1000));
        assert!(open(enveloped(1, &packed[..packed.len() / 2]), 10_000).is_err());
        assert!(open(Bytes::new(), 10).is_err());
        assert!(open(enveloped(3, b"?"), 10).is_err());
    }
}
