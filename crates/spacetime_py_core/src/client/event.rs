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
        diff: Diff,
    },
    UnsubscribeApplied {
        query_set: u32,
        diff: Diff,
    },
    /// Without a query set: all subscriptions have ended.
    SubscriptionFailed {
        query_set: Option<u32>,
        message: String,
    },
    Transaction {
        /// The id of an own call that this answers.
        request_id: Option<u32>,
        cause: Option<Cause>,
        error: Option<CallError>,
        diff: Diff,
    },
    ProcedureResult {
        request_id: u32,
        name: String,
        result: Result<Bytes, String>,
    },
    /// Something a person should know; nothing was lost.
    Warning(String),
    /// The last event.
    Closed(Closed),
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
}
