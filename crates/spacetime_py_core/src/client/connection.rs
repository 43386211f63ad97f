//! One connection to a database: bytes in, events and bytes out. No socket, clock, thread or Python.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::cache::ClientCache;
use super::diff::Diff;
use super::event::{CallError, Closed, ClosedKind, Event};
use super::pending::{ReducerCalls, SubscriptionState, Subscriptions};
use crate::error::{Error, Result};
use crate::sats::ModuleDef;
use crate::wire::compression::{self, Compression};
use crate::wire::message::{Cause, ClientMessage, Outcome, ServerMessage, TableRows};
use crate::wire::socket::{Socket, SocketEvent};
use crate::wire::v1;

#[derive(Clone, Debug)]
pub struct Options {
    /// HOST:PORT, for the request's head.
    pub authority: String,
    /// Name or identity.
    pub database: String,
    pub token: Option<String>,
    pub compression: Compression,
    /// In bytes, after expansion.
    pub max_message_size: usize,
}

pub struct Connection {
    socket: Socket,
    incoming: VecDeque<SocketEvent>,
    cache: ClientCache,
    calls: ReducerCalls,
    /// Procedure calls in flight: their names tell the types of their results.
    procedures: HashMap<u32, String>,
    subscriptions: Subscriptions,
    /// For requests and query sets alike. Starts at 1, since servers answer with 0 where they lost the number.
    next_id: u32,
    /// The upgrade is done.
    opened: bool,
    /// Identity and connection id, once the server has greeted.
    me: Option<([u8; 32], [u8; 16])>,
    warnings_told: usize,
    closed: bool,
    max_message_size: usize,
}

impl Connection {
    pub fn new(module: Arc<ModuleDef>, options: &Options) -> Result<Connection> {
        let target = format!(
            "/v1/database/{}/subscribe?compression={}",
            percent_encoded(&options.database),
            options.compression.parameter()
        );
        let limit = options.max_message_size;
        let socket = Socket::connect(&options.authority, &target, v1::SUBPROTOCOL, options.token.as_deref(), limit)?;
        Ok(Connection {
            socket,
            incoming: VecDeque::new(),
            cache: ClientCache::new(module),
            calls: ReducerCalls::default(),
            procedures: HashMap::new(),
            subscriptions: Subscriptions::default(),
            next_id: 1,
            opened: false,
            me: None,
            warnings_told: 0,
            closed: false,
            max_message_size: limit,
        })
    }

    /// Any split of the same bytes gives the same events.
    pub fn receive_data(&mut self, data: &[u8]) {
        self.socket.receive(data, &mut self.incoming);
    }

    pub fn receive_eof(&mut self) {
        self.socket.receive_eof(&mut self.incoming);
    }

    /// Applies one message: who handles the event sees the cache as that message left it. A fault is the last event.
    pub fn next_event(&mut self) -> Option<Event> {
        while !self.closed {
            if let Some(warning) = self.warning() {
                return Some(warning);
            }
            let event = match self.incoming.pop_front()? {
                SocketEvent::Opened { .. } => {
                    self.opened = true; // only v1 was offered, and the upgrade checked the answer
                    None
                }
                SocketEvent::Message(payload) => match self.handle(payload) {
                    Ok(event) => event,
                    Err(error) => Some(self.fail(error)),
                },
                SocketEvent::Refused { status, body } => Some(self.end(ClosedKind::Refused, Some(status), body, false)),
                SocketEvent::Closed { code, reason, by_us } => Some(self.end(ClosedKind::Closed, code, reason, by_us)),
                SocketEvent::Lost(reason) => {
                    let opened = self.opened && self.me.is_none();
                    let reason =
                        if opened { "the connection ended before the server's greeting".into() } else { reason };
                    Some(self.end(ClosedKind::Lost, None, reason, false))
                }
                SocketEvent::Fault(reason) => Some(self.end(ClosedKind::Protocol, None, reason, true)),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Bytes of the next message, to judge how long it will take.
    pub fn next_size(&self) -> usize {
        match self.incoming.front() {
            Some(SocketEvent::Message(payload)) => payload.len(),
            _ => 0,
        }
    }

    /// Everything to be sent now.
    pub fn data_to_send(&mut self) -> Vec<u8> {
        self.socket.take_output()
    }

    pub fn cache(&self) -> &ClientCache {
        &self.cache
    }

    /// Gives the id of the new query set.
    pub fn subscribe(&mut self, queries: &[String]) -> Result<u32> {
        let query_set = self.new_id()?;
        self.send(&ClientMessage::Subscribe { request_id: query_set, query_set, queries })?;
        self.subscriptions.add(query_set);
        Ok(query_set)
    }

    pub fn unsubscribe(&mut self, query_set: u32) -> Result<()> {
        if self.subscriptions.state(query_set) != Some(SubscriptionState::Applied) {
            return Err(Error::Usage(format!("query set {query_set} is not active")));
        }
        let request_id = self.new_id()?;
        self.send(&ClientMessage::Unsubscribe { request_id, query_set })?;
        self.subscriptions.set(query_set, SubscriptionState::Unsubscribing);
        Ok(())
    }

    /// `args`: the BSATN of the parameters' product. Gives the request id.
    pub fn call_reducer(&mut self, name: &str, args: Vec<u8>) -> Result<u32> {
        let request_id = self.new_id()?;
        self.send(&ClientMessage::CallReducer { request_id, name, args: &args })?;
        self.calls.add(request_id, name, args);
        Ok(request_id)
    }

    pub fn call_procedure(&mut self, name: &str, args: &[u8]) -> Result<u32> {
        let request_id = self.new_id()?;
        self.send(&ClientMessage::CallProcedure { request_id, name, args })?;
        self.procedures.insert(request_id, name.to_owned());
        Ok(request_id)
    }

    /// Starts the closing handshake; the event `Closed` follows.
    pub fn close(&mut self) {
        self.socket.close(&mut self.incoming);
    }

    fn new_id(&mut self) -> Result<u32> {
        if self.me.is_none() || self.closed {
            return Err(Error::Usage("the connection is not open".into()));
        }
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        Ok(id)
    }

    fn send(&mut self, message: &ClientMessage<'_>) -> Result<()> {
        self.socket.send(v1::encode(message)?);
        Ok(())
    }

    fn handle(&mut self, payload: Bytes) -> Result<Option<Event>> {
        let body = compression::open(payload, self.max_message_size)?;
        Ok(Some(match v1::decode(&body, self.max_message_size)? {
            ServerMessage::Connected { identity, connection_id, token } => {
                self.me = Some((identity, connection_id));
                Event::Connected { identity, connection_id, token }
            }
            ServerMessage::InitialSubscription { rows } => {
                let batch = self.cache.check(rows)?;
                self.cache.clear();
                Event::SubscribeApplied { query_set: 0, diff: self.cache.apply(batch) }
            }
            ServerMessage::SubscribeApplied { query_set, rows } => {
                let diff = self.apply(rows)?;
                self.subscriptions.set(query_set, SubscriptionState::Applied);
                Event::SubscribeApplied { query_set, diff }
            }
            ServerMessage::UnsubscribeApplied { query_set, rows } => {
                let diff = self.apply(rows)?;
                self.subscriptions.end(query_set);
                Event::UnsubscribeApplied { query_set, diff }
            }
            ServerMessage::SubscriptionError { query_set, message } => {
                match query_set {
                    Some(query_set) => self.subscriptions.end(query_set),
                    None => self.subscriptions.end_all(),
                }
                Event::SubscriptionFailed { query_set, message }
            }
            ServerMessage::Transaction { outcome, cause } => self.transaction(outcome, cause)?,
            ServerMessage::ProcedureResult { request_id, result } => {
                let Some(name) = self.procedures.remove(&request_id) else { return Ok(None) };
                Event::ProcedureResult { request_id, name, result }
            }
            ServerMessage::OneOffResult { .. } => return Ok(None),
        }))
    }

    fn transaction(&mut self, outcome: Outcome, cause: Option<Cause>) -> Result<Event> {
        let (diff, error) = match outcome {
            Outcome::Committed(rows) => (self.apply(rows)?, None),
            Outcome::Failed(message) => (Diff::default(), Some(CallError::Sender(message))),
            Outcome::NotRun(message) => (Diff::default(), Some(CallError::Internal(message))),
        };
        let is_mine = |cause: &&Cause| self.me == Some((cause.caller_identity, cause.caller_connection_id));
        let call = cause.as_ref().filter(is_mine).and_then(|cause| self.calls.take(cause));
        let error = match (error, call) {
            // The server did not give the arguments back: it never came to run the reducer.
            (Some(CallError::Sender(message)), Some((_, false))) => Some(CallError::Internal(message)),
            (error, _) => error,
        };
        Ok(Event::Transaction { request_id: call.map(|(request_id, _)| request_id), cause, error, diff })
    }

    fn apply(&mut self, rows: Vec<TableRows>) -> Result<Diff> {
        let batch = self.cache.check(rows)?;
        Ok(self.cache.apply(batch))
    }

    fn warning(&mut self) -> Option<Event> {
        let name = self.cache.unknown_tables().get(self.warnings_told)?;
        self.warnings_told += 1;
        Some(Event::Warning(format!(
            "the database sent rows of table `{name}`, which these bindings do not know: they are left out; \
             `spacetime-py generate` makes new bindings (with --include-private for private tables)"
        )))
    }

    fn fail(&mut self, error: Error) -> Event {
        self.socket.close(&mut VecDeque::new());
        let kind = match error {
            Error::Schema(_) => ClosedKind::Mismatch,
            _ => ClosedKind::Protocol,
        };
        self.end(kind, None, error.to_string(), true)
    }

    fn end(&mut self, kind: ClosedKind, code: Option<u16>, reason: String, by_us: bool) -> Event {
        self.closed = true;
        self.incoming.clear();
        self.subscriptions.end_all();
        Event::Closed(Closed { kind, code, reason, by_us })
    }
}

/// For one segment of a path (RFC 3986, unreserved characters stay).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
