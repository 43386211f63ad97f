//! Messages to state and events: the row cache, what is pending, and the connection that ties them together.

pub mod cache;
pub mod connection;
pub mod diff;
pub mod pending;
pub mod rows;
pub mod table;

pub use cache::ClientCache;
pub use connection::{Connection, Options};
pub use diff::{Batch, Diff, RowRef, TableDiff};
pub mod event;
pub use event::Event;
