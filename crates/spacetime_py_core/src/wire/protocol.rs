//! The versions of SpacetimeDB's client protocol, and what each does with a payload.

use bytes::Bytes;

use super::message::{ClientMessage, Rows, ServerMessage};
use super::{v1, v2};
use crate::error::{Error, Result};
use crate::sats::bsatn::TooLong;

/// A WebSocket subprotocol. Servers choose the newest one that they know, whatever the order of the offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// All 1.x servers; 2.x servers still speak it.
    V1,
    /// Servers from 2.0 on.
    V2,
    /// The messages of version 2, several in one payload: servers from 2.2 on.
    V3,
}

/// A payload of version 3 is not grown beyond this many bytes; one message alone may be larger.
const LARGEST_BATCH: usize = 256 * 1024;

impl Protocol {
    pub const ALL: [Protocol; 3] = [Protocol::V3, Protocol::V2, Protocol::V1];

    pub fn subprotocol(self) -> &'static str {
        match self {
            Protocol::V1 => "v1.bsatn.spacetimedb",
            Protocol::V2 => "v2.bsatn.spacetimedb",
            Protocol::V3 => "v3.bsatn.spacetimedb",
        }
    }

    pub fn from_subprotocol(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.subprotocol() == name)
    }

    /// "v1", "v2" or "v3".
    pub fn name(self) -> &'static str {
        &self.subprotocol()[..2]
    }

    pub fn from_name(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    pub fn encode(self, message: &ClientMessage<'_>) -> Result<Vec<u8>> {
        let encoded = match self {
            Protocol::V1 => v1::encode(message),
            Protocol::V2 | Protocol::V3 => v2::encode(message),
        };
        encoded.map_err(|TooLong| Error::Usage("a message of more than 4 GiB".into()))
    }

    /// Decodes the first message of an opened envelope, and gives what follows it: nothing but in version 3.
    /// `limit` bounds what compressed parts may expand to, `rows` is memory for its rows.
    #[inline(always)]
    pub fn decode(self, body: &Bytes, limit: usize, rows: Option<Box<Rows>>) -> Result<(ServerMessage, Bytes)> {
        let (message, read) = match self {
            Protocol::V1 => v1::decode(body, limit, rows)?,
            Protocol::V2 | Protocol::V3 => v2::decode(body, rows)?,
        };
        let rest = body.slice(read..);
        if !rest.is_empty() && self != Protocol::V3 {
            let excess = rest.len();
            return Err(Error::Protocol(format!("{} from the server has {excess} bytes too many", message.head.name)));
        }
        Ok((message, rest))
    }

    /// Joins messages that are sent together into as few payloads as the version allows.
    pub fn payloads(self, messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        if self != Protocol::V3 {
            return messages;
        }
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        for message in messages {
            match payloads.last_mut() {
                Some(payload) if payload.len() + message.len() <= LARGEST_BATCH => payload.extend_from_slice(&message),
                _ => payloads.push(message),
            }
        }
        payloads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_3_joins_messages_and_only_up_to_its_limit() {
        let messages = || vec![vec![1; 100], vec![2; 200], vec![3; LARGEST_BATCH], vec![4; 1]];
        assert_eq!(Protocol::V1.payloads(messages()), messages());
        assert_eq!(Protocol::V2.payloads(messages()), messages());
        let sizes: Vec<_> = Protocol::V3.payloads(messages()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [300, LARGEST_BATCH, 1]);
    }
}
