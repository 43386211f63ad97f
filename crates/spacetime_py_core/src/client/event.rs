//! What the core tells its owner: one event for each message, with everything it changed.

use bytes::Bytes;

use super::diff::Diff;
use crate::wire::message::Cause;

#[derive(Debug)]
pub enum Event {
    Connected {
        identity: [u8; 32],
        connection_id: [u8; 16],
        token: String,
    },
    SubscribeApplied {
        query_set: u32,
        diff: Box<Diff>,
    },
    UnsubscribeApplied {
        query_set: u32,
        diff: Box<Diff>,
    },
    /// The server refused these query sets or ended them; none of them where it was no request of this client.
    SubscriptionFailed {
        query_sets: Vec<u32>,
        message: String,
        diff: Box<Diff>,
    },
    Transaction {
        /// The id of an own call that this answers.
        request_id: Option<u32>,
        cause: Option<Box<Cause>>,
        error: Option<CallError>,
        diff: Box<Diff>,
    },
    ProcedureResult {
        request_id: u32,
        name: String,
        result: Result<Bytes, String>,
    },
    QueryResult {
        request_id: u32,
        /// The rows as inserts of one table.
        result: Result<Box<Diff>, String>,
    },
    /// An answer to no request of this client.
    Unasked,
    /// After a reconnect the cache holds what the server holds; this is the difference.
    Resynced {
        diff: Box<Diff>,
    },
    /// Something a person should know; nothing was lost.
    Warning(String),
    /// The last event of a connection. `Connection::reconnect` may start another one.
    Closed(Closed),
}

impl Event {
    pub fn diff_mut(&mut self) -> Option<&mut Diff> {
        match self {
            Event::SubscribeApplied { diff, .. }
            | Event::UnsubscribeApplied { diff, .. }
            | Event::SubscriptionFailed { diff, .. }
            | Event::Transaction { diff, .. }
            | Event::Resynced { diff } => Some(diff),
            _ => None,
        }
    }

    /// Whether somebody may wait for it.
    pub fn is_answer(&self) -> bool {
        match self {
            Event::Transaction { request_id, .. } => request_id.is_some(),
            Event::SubscribeApplied { .. }
            | Event::SubscriptionFailed { .. }
            | Event::ProcedureResult { .. }
            | Event::QueryResult { .. } => true,
            _ => false,
        }
    }
}

/// Why a reducer's transaction was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The reducer returned this error.
    Sender(String),
    /// It could not run, trapped, or ran out of energy.
    Internal(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub kind: ClosedKind,
    /// The HTTP status of a refusal, or the code of a close frame.
    pub code: Option<u16>,
    pub reason: String,
    pub by_us: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedKind {
    /// The server answered the upgrade with another status than 101.
    Refused,
    /// The peer broke the protocol.
    Protocol,
    /// The bindings and the database differ.
    Mismatch,
    /// A closing handshake.
    Closed,
    /// The bytes ended without one.
    Lost,
    /// The server was silent for too long.
    Silent,
    /// A reconnect was greeted as somebody else.
    Identity,
}
