//! The client core of spacetime-py: bytes of a socket in, events and rows out. No sockets, clocks or threads.
//!
//! In the order that data meets them: `wire` turns bytes into messages, `sats` knows what their values mean,
//! `client` applies them to the row cache and tells what changed, `py` (feature `python`) is the border with Python.

#![deny(unsafe_code)]

pub mod client;
pub mod error;
mod hashing;
#[cfg(all(feature = "python", target_os = "linux"))]
mod memory;
#[cfg(feature = "python")]
mod py;
pub mod sats;
pub mod wire;

pub use error::{DecodeError, Error, Problem, Result};

#[cfg(all(feature = "python", target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::Allocator;
