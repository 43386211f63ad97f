//! The versions of SpacetimeDB's client protocol, and what each does with a payload.

use bytes::Bytes;

use super::message::{ClientMessage, Rows, ServerMessage};
use super::{v1, v2};
use crate::error::{Error, Result};
use crate::sats::Writer;
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

    /// Puts a message behind those that are sent with it, in as few payloads as the version allows.
    pub fn encode(self, message: &ClientMessage<'_>, payloads: &mut Vec<Vec<u8>>) -> Result<()> {
        let joined = if self == Protocol::V3 { payloads.pop() } else { None };
        let mut writer = Writer(joined.unwrap_or_default());
        let start = writer.0.len();
        let encoded = match self {
            Protocol::V1 => v1::encode(message, &mut writer),
            Protocol::V2 | Protocol::V3 => v2::encode(message, &mut writer),
        };
        let mut payload = writer.0;
        if encoded.is_err() {
            payload.truncate(start);
        }
        let next = if start > 0 && payload.len() > LARGEST_BATCH { payload.split_off(start) } else { Vec::new() };
        payloads.extend([payload, next].into_iter().filter(|payload| !payload.is_empty()));
        encoded.map_err(|TooLong| Error::Usage("a message of more than 4 GiB".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_3_joins_messages_and_only_up_to_its_limit() {
        let sizes = |protocol: Protocol| {
            let mut payloads = Vec::new();
            for size in [100, 200, LARGEST_BATCH, 1] {
                let args = vec![0; size];
                let message = ClientMessage::CallReducer { request_id: 1, name: "add", args: &args };
                protocol.encode(&message, &mut payloads).unwrap();
            }
            payloads.iter().map(Vec::len).collect::<Vec<_>>()
        };
        // Of a call without its arguments.
        let alone = 1 + 4 + 1 + (4 + 3) + 4;
        let separate = [100, 200, LARGEST_BATCH, 1].map(|size| alone + size);
        assert_eq!(sizes(Protocol::V1), separate);
        assert_eq!(sizes(Protocol::V2), separate);
        assert_eq!(sizes(Protocol::V3), [2 * alone + 300, alone + LARGEST_BATCH, alone + 1]);
    }
}
