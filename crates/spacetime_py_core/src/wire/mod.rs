//! Bytes to messages and back: the upgrade and frames of WebSocket, compression, the messages of each protocol version.

pub mod capture;
pub mod compression;
mod frames;
pub mod message;
pub mod protocol;
pub mod socket;
mod v1;
mod v2;
