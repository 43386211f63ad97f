//! What goes over a WebSocket: messages of all protocol versions, compression, frames. Written for this crate alone, from
//! the other end than the client's code, so that each checks the other.

pub mod envelope;
pub mod frame;
mod out;
pub mod reply;
pub mod request;
pub mod rows;
mod v1;
mod v2;

pub use out::Out;
pub use reply::Reply;
pub use request::Request;

/// The versions of the protocol for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    V1,
    V2,
    /// The messages of version 2, several of them in one payload.
    V3,
}

/// In the order in which a server prefers them.
pub const PROTOCOLS: [Protocol; 3] = [Protocol::V3, Protocol::V2, Protocol::V1];

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Protocol::V1 => "v1.bsatn.spacetimedb",
            Protocol::V2 => "v2.bsatn.spacetimedb",
            Protocol::V3 => "v3.bsatn.spacetimedb",
        }
    }

    /// As in `v3`.
    pub fn from_short_name(name: &str) -> Option<Protocol> {
        PROTOCOLS.into_iter().find(|protocol| &protocol.name()[..2] == name)
    }

    /// The best one of those offered, whatever their order, that is allowed.
    pub fn choose(offered: &str, allowed: &[Protocol]) -> Option<Protocol> {
        let is_offered = |protocol: &Protocol| offered.split(',').any(|name| name.trim() == protocol.name());
        PROTOCOLS.into_iter().filter(|protocol| allowed.contains(protocol)).find(is_offered)
    }

    /// The requests in one payload of a client; the error is a close reason.
    pub fn requests(self, payload: &[u8]) -> Result<Vec<Request<'_>>, String> {
        match self {
            Protocol::V1 => v1::request(payload).map(|request| vec![request]),
            Protocol::V2 => v2::request(&mut _core::sats::Reader::new(payload)).map(|request| vec![request]),
            Protocol::V3 => v2::requests(payload),
        }
    }

    /// The body of a message to the client.
    pub fn encode(self, reply: &Reply<'_>) -> Vec<u8> {
        match self {
            Protocol::V1 => v1::encode(reply),
            Protocol::V2 | Protocol::V3 => v2::encode(reply),
        }
    }

    /// The part of a message that tells of a transaction.
    pub fn encode_update(self, sets: &[reply::SetUpdate<'_>]) -> Vec<u8> {
        match self {
            Protocol::V1 => v1::encode_update(sets),
            Protocol::V2 | Protocol::V3 => v2::encode_update(sets),
        }
    }
}
