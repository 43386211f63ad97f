//! What clients are told, whatever version of the protocol they speak.

use super::request::Form;

pub enum Reply<'a> {
    Greeting {
        identity: [u8; 32],
        connection_id: [u8; 16],
        token: &'a str,
    },
    Applied {
        request: u32,
        set: u32,
        form: Form,
        rows: &'a [QueryRows<'a>],
    },
    Removed {
        request: u32,
        set: u32,
        form: Form,
        rows: Option<&'a [QueryRows<'a>]>,
    },
    SubscriptionError {
        request: u32,
        set: u32,
        form: Form,
        text: &'a str,
    },
    /// A transaction of somebody else; `update` is from `Protocol::encode_update`.
    Transaction {
        request: u32,
        update: &'a [u8],
    },
    Reducer(ReducerReply<'a>),
    OneOff {
        id: &'a [u8],
        result: Result<QueryRows<'a>, &'a str>,
    },
    Procedure {
        request: u32,
        timestamp: i64,
        result: Result<&'a [u8], &'a str>,
    },
}

/// The rows of one query.
pub struct QueryRows<'a> {
    /// Its place in the schema: the table's number in version 1.
    pub table: usize,
    pub name: &'a str,
    pub count: usize,
    /// From `rows::encode`.
    pub list: Vec<u8>,
}

/// How a client's own call ended.
pub struct ReducerReply<'a> {
    pub request: u32,
    pub timestamp: i64,
    pub name: &'a str,
    pub number: u32,
    pub args: &'a [u8],
    pub identity: [u8; 32],
    pub connection_id: [u8; 16],
    pub outcome: Outcome<'a>,
}

pub enum Outcome<'a> {
    /// With what it changed for this client, from `Protocol::encode_update`, and what the reducer gave.
    Committed { update: &'a [u8], value: &'a [u8] },
    /// The reducer's own error, and the same as a value unless it is only a text. Version 1 has no place for values.
    Failed { text: &'a str, value: Option<&'a [u8]> },
    /// It broke down.
    Fatal(&'a str),
    /// It never ran.
    NotRun(&'a str),
}

/// What a transaction changed for one query set.
pub struct SetUpdate<'a> {
    pub set: u32,
    pub tables: Vec<TableUpdate<'a>>,
}

/// By query; tables are sorted by name.
pub struct TableUpdate<'a> {
    pub table: usize,
    pub name: &'a str,
    pub queries: Vec<&'a QueryUpdate>,
}

/// What a transaction changed for one query: encoded once, sent to all who have the query.
pub struct QueryUpdate {
    pub inserts: Vec<u8>,
    pub deletes: Vec<u8>,
    pub count: usize,
    /// Rows of an event table, all of them in `inserts`.
    pub is_event: bool,
}
