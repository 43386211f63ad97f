//! A live SpacetimeDB peer: it speaks versions 1, 2 and 3 of the client protocol over WebSockets, and the HTTP routes that
//! tools need, with tables in memory and modules written in Rust.
//!
//! It is the other side in tests and under load. From the outside in: `server` has the sockets, `http` the routes, `wire`
//! the messages; `host` has the databases, `database` one of them with its subscriptions, `store` its rows, `sql` its
//! queries, and `modules` what reducers do. Encoding and decoding of messages is written for this crate alone: only the
//! types of rows come from the client's core.

pub mod check;
pub mod database;
pub mod host;
pub mod http;
pub mod modules;
pub mod numbers;
pub mod outbox;
pub mod running;
pub mod schema;
pub mod server;
pub mod sql;
pub mod store;
pub mod token;
pub mod wire;

pub use host::Settings;
pub use running::{Options, Running, run};
