//! The byte before each message to a client, and the compression that it names.

use std::io::Write;

use flate2::write::GzEncoder;

/// What a client asks for in its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Brotli,
    Gzip,
}

/// Bodies up to this size are never compressed.
const THRESHOLD: usize = 1024;

impl Compression {
    /// As the query parameter has it, exactly.
    pub fn from_name(name: &str) -> Option<Compression> {
        Some(match name {
            "None" => Compression::None,
            "Brotli" => Compression::Brotli,
            "Gzip" => Compression::Gzip,
            _ => return None,
        })
    }

    /// A body as a payload.
    pub fn pack(self, body: &[u8]) -> Vec<u8> {
        let packed = if body.len() <= THRESHOLD { None } else { self.compress(body) };
        packed.unwrap_or_else(|| [&[0], body].concat())
    }

    /// None where nothing is to be compressed. Writing to memory does not fail.
    fn compress(self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Compression::None => None,
            Compression::Brotli => {
                let mut packed = vec![1];
                let params = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
                brotli::BrotliCompress(&mut &*body, &mut packed, &params).ok()?;
                Some(packed)
            }
            Compression::Gzip => {
                let mut encoder = GzEncoder::new(vec![2], flate2::Compression::fast());
                encoder.write_all(body).ok()?;
                encoder.finish().ok()
            }
        }
    }
}
