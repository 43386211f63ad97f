//! Messages to state and events: the row cache, what is pending, and the connection that ties them together.

pub mod cache;
pub mod connection;
pub mod diff;
mod entry;
pub mod event;
mod holes;
pub mod index;
pub mod keepalive;
pub mod key_index;
mod keys;
mod lent;
pub mod requests;
pub mod resync;
pub mod rows;
mod spare;
pub mod stats;
pub mod subscriptions;
pub mod table;

pub use cache::ClientCache;
pub use connection::{Connection, Options};
pub use diff::{Diff, RowRef, TableDiff};
pub use event::Event;
