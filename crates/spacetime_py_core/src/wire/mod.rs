//! Bytes to messages and back: the upgrade and frames of WebSocket, compression, the messages of each protocol version.

pub mod compression;
pub mod message;
pub mod socket;
pub mod v1;
