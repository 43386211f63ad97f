//! One connection to a database, and those that replace it: bytes in, events and bytes out. No socket, clock, thread or
//! Python.

mod messages;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::cache::ClientCache;
use super::event::{Closed, ClosedKind, Event};
use super::keepalive::{Keepalive, Patience, Verdict};
use super::requests::Requests;
use super::resync::Resync;
use super::stats::{CallKind, Stats};
use super::subscriptions::Subscriptions;
use crate::error::{Error, Result};
use crate::sats::ModuleDef;
use crate::wire::capture::{Capture, Kind};
use crate::wire::compression::{self, Compression};
use crate::wire::message::{ClientMessage, Head};
use crate::wire::protocol::Protocol;
use crate::wire::socket::{Socket, SocketEvent};

#[derive(Clone, Debug)]
pub struct Options {
    /// HOST:PORT, for the request's head.
    pub authority: String,
    /// Name or identity.
    pub database: String,
    pub token: Option<String>,
    /// Further headers of the upgrade request.
    pub headers: Vec<(String, String)>,
    /// What is offered to the server.
    pub protocols: Vec<Protocol>,
    pub compression: Compression,
    /// Whether the server waits with each answer until it is on disk; None leaves that to the server.
    pub confirmed_reads: Option<bool>,
    /// In bytes, after expansion.
    pub max_message_size: usize,
    pub patience: Patience,
}

pub struct Connection {
    options: Options,
    socket: Socket,
    incoming: VecDeque<SocketEvent>,
    /// What follows in a payload of several messages.
    rest: Bytes,
    /// Events to be told before anything more is read.
    ready: VecDeque<Box<Event>>,
    /// The place of an event that was told, for the next one.
    told: Option<Box<Event>>,
    /// Messages of this turn, sent together: their payloads, and how many they are.
    outgoing: Vec<Vec<u8>>,
    queued: usize,
    /// The server's choice, once the upgrade is done.
    protocol: Option<Protocol>,
    /// This client's name on the current connection, once the server has greeted.
    me: Option<Me>,
    /// Who this client is, from the first greeting on: a reconnect has to find it the same.
    identity: Option<[u8; 32]>,
    /// The next greeting may be for somebody else.
    becomes_other: bool,
    /// The token of the last greeting, whomever it greeted.
    token: Option<String>,
    cache: ClientCache,
    resync: Option<Resync>,
    requests: Requests,
    subscriptions: Subscriptions,
    keepalive: Keepalive,
    /// For requests and query sets alike. Starts at 1, since servers answer with 0 where they lost the number.
    next_id: u32,
    head: Head,
    closed: bool,
    capture: Capture,
    stats: Stats,
}

/// The work on a message of so many bytes is always timed: `stats.rs`.
const WORTH_TIMING: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Me {
    identity: [u8; 32],
    connection_id: [u8; 16],
}

impl Connection {
    pub fn new(module: Arc<ModuleDef>, options: Options) -> Result<Connection> {
        if options.protocols.is_empty() {
            return Err(Error::Usage("no protocol to offer: name at least one of v3, v2 and v1".into()));
        }
        Ok(Connection {
            socket: open_socket(&options, options.token.as_deref())?,
            incoming: VecDeque::new(),
            rest: Bytes::new(),
            ready: VecDeque::new(),
            told: None,
            outgoing: Vec::new(),
            queued: 0,
            protocol: None,
            me: None,
            identity: None,
            becomes_other: false,
            token: None,
            cache: ClientCache::new(module),
            resync: None,
            requests: Requests::default(),
            subscriptions: Subscriptions::default(),
            keepalive: Keepalive::new(options.patience),
            next_id: 1,
            head: Head::default(),
            closed: false,
            capture: Capture::default(),
            stats: Stats::default(),
            options,
        })
    }

    /// A new socket in the place of the old one, for the same cache and query sets, as the same identity unless another
    /// one is allowed. Before the first greeting, any is.
    pub fn reconnect(&mut self, token: Option<&str>, may_become_other: bool) -> Result<()> {
        self.lose_socket();
        self.socket = open_socket(&self.options, token)?;
        self.becomes_other = may_become_other;
        self.keepalive = Keepalive::new(self.options.patience);
        (self.protocol, self.closed) = (None, false);
        Ok(())
    }

    /// Any split of the same bytes gives the same events.
    pub fn receive_data(&mut self, data: &[u8]) {
        self.keepalive.hear();
        self.stats.received(data.len());
        self.socket.receive(data, &mut self.incoming);
    }

    pub fn receive_eof(&mut self) {
        self.socket.receive_eof(&mut self.incoming);
    }

    /// Looks after a silent server. `now` is in seconds, of any clock that only goes forward.
    pub fn tick(&mut self, now: f64) {
        if self.me.is_none() || self.closed {
            return;
        }
        match self.keepalive.tick(now) {
            Verdict::Fine => {}
            Verdict::Ping => {
                self.capture.record(true, Kind::Ping, Bytes::new);
                self.stats.pings_sent += 1;
                self.socket.ping();
            }
            Verdict::Gone => {
                let silence = self.options.patience.timeout.unwrap_or_default();
                let reason = format!("no answer to a ping within {silence} s");
                self.end(Closed { kind: ClosedKind::Silent, code: None, reason, by_us: true });
            }
        }
    }

    /// When `tick` has something to do; None for never.
    pub fn next_tick(&self) -> Option<f64> {
        self.keepalive.next_tick()
    }

    /// Applies one message: who handles the event sees the cache as that message left it.
    pub fn next_event(&mut self) -> Option<Box<Event>> {
        self.stats.asked(self.rest.is_empty() && self.next_size() >= WORTH_TIMING);
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.stats.hand_out(&event);
                return Some(event);
            }
            if self.closed {
                return None;
            }
            let taken = match std::mem::take(&mut self.rest) {
                rest if rest.is_empty() => self.take_socket_event()?,
                rest => self.take_message(rest),
            };
            if let Err(error) = taken {
                self.fail(error);
            }
        }
    }

    /// An event that nobody looks at any more: the next message may use its memory.
    pub fn take_back(&mut self, mut event: Box<Event>) {
        if let Event::Transaction { diff, .. } = std::mem::replace(&mut *event, Event::Unasked) {
            self.current().take_back(diff);
        }
        self.told = Some(event);
    }

    /// Bytes of the next message, to judge how long it will take.
    pub fn next_size(&self) -> usize {
        match self.incoming.front() {
            Some(SocketEvent::Message(payload)) => payload.len(),
            _ => self.rest.len(),
        }
    }

    /// Everything to be sent now.
    pub fn data_to_send(&mut self) -> Vec<u8> {
        self.send_outgoing();
        let output = self.socket.take_output();
        self.stats.bytes_sent += output.len() as u64;
        output
    }

    /// Whether `data_to_send` has something to give.
    pub fn has_output(&self) -> bool {
        !self.outgoing.is_empty() || self.socket.has_output()
    }

    pub fn cache(&self) -> &ClientCache {
        &self.cache
    }

    pub fn cache_mut(&mut self) -> &mut ClientCache {
        &mut self.cache
    }

    /// Tables that are not in the database as the bindings have them, by their number, and what to say of them. The
    /// connection ends when rows of one come, or have come.
    pub fn refuse_rows(&mut self, misfits: HashMap<usize, String>) {
        let caches = self.resync.as_mut().map(|resync| &mut resync.cache).into_iter().chain([&mut self.cache]);
        let refused = caches.map(|cache| cache.refuse(misfits.clone())).fold(Ok(()), Result::and);
        if let (Err(error), false) = (refused, self.closed) {
            self.fail(error);
        }
    }

    /// What the server chose of the offer.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// The secret that the last greeting holds, even one that ended the connection.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The head of the message that was applied last.
    pub fn head(&self) -> Head {
        self.head
    }

    pub fn capture(&mut self) -> &mut Capture {
        &mut self.capture
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    pub fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// Messages that wait to be sent.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// How many rows each query set holds, by its id. Looks at every row. None while the sets are being made again, and in
    /// version 1, which names no set for a row.
    pub fn query_set_sizes(&self) -> Option<Vec<(u32, usize)>> {
        if self.resync.is_some() {
            return None;
        }
        let sizes = self.cache.set_sizes();
        if sizes.contains_key(&0) {
            return None;
        }
        let of = |id| Some((id, sizes.get(&self.subscriptions.get(id)?.wire_id).copied().unwrap_or(0)));
        Some(self.subscriptions.ids().into_iter().filter_map(of).collect())
    }

    /// Requests without an answer, and query sets.
    pub fn pending(&self) -> (usize, usize) {
        (self.requests.len(), self.subscriptions.count())
    }

    /// Gives the id of the new query set. While there is no connection, it waits for the next one.
    pub fn subscribe(&mut self, queries: Vec<String>) -> Result<u32> {
        if self.identity.is_none() {
            return Err(not_open());
        }
        let id = self.new_id();
        self.subscriptions.add(id, queries);
        if self.is_open() {
            self.send_subscribe(id, id)?;
        }
        Ok(id)
    }

    /// The event `UnsubscribeApplied` follows, at once or when the query set has been applied.
    pub fn unsubscribe(&mut self, query_set: u32) -> Result<()> {
        match self.subscriptions.leave(query_set) {
            Some(Some(wire_id)) if self.is_open() => self.send_unsubscribe(wire_id),
            Some(_) => Ok(()),
            None => Err(Error::Usage(format!("query set {query_set} is not active"))),
        }
    }

    /// `args`: the BSATN of the parameters' product. Gives the request id.
    pub fn call_reducer(&mut self, name: &str, args: Vec<u8>) -> Result<u32> {
        let request_id =
            self.request(CallKind::Reducer, |request_id| ClientMessage::CallReducer { request_id, name, args: &args })?;
        self.requests.add_reducer(request_id, name, args);
        Ok(request_id)
    }

    pub fn call_procedure(&mut self, name: &str, args: &[u8]) -> Result<u32> {
        let request_id =
            self.request(CallKind::Procedure, |request_id| ClientMessage::CallProcedure { request_id, name, args })?;
        self.requests.add_procedure(request_id, name);
        Ok(request_id)
    }

    pub fn one_off_query(&mut self, query: &str) -> Result<u32> {
        let request_id =
            self.request(CallKind::Query, |request_id| ClientMessage::OneOffQuery { request_id, query })?;
        self.requests.add_query(request_id);
        Ok(request_id)
    }

    /// Starts the closing handshake; the event `Closed` follows.
    pub fn close(&mut self) {
        self.send_outgoing();
        if self.socket.close(&mut self.incoming) {
            self.capture.record(true, Kind::Close, || close_frame(Some(1000), ""));
        }
    }

    fn is_open(&self) -> bool {
        self.me.is_some() && !self.closed
    }

    fn new_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        id
    }

    fn request<'a>(&mut self, kind: CallKind, message: impl FnOnce(u32) -> ClientMessage<'a>) -> Result<u32> {
        if !self.is_open() {
            return Err(not_open());
        }
        let request_id = self.new_id();
        self.send(&message(request_id))?;
        self.stats.call(kind, request_id);
        Ok(request_id)
    }

    fn send(&mut self, message: &ClientMessage<'_>) -> Result<()> {
        let protocol = self.protocol.ok_or_else(not_open)?;
        protocol.encode(message, &mut self.outgoing)?;
        self.queued += 1;
        Ok(())
    }

    fn send_outgoing(&mut self) {
        self.stats.messages_sent += std::mem::take(&mut self.queued) as u64;
        for payload in self.outgoing.drain(..) {
            self.capture.record(true, Kind::Message, || payload.clone().into());
            self.socket.send(payload);
        }
    }

    fn send_subscribe(&mut self, id: u32, wire_id: u32) -> Result<()> {
        let Some(subscription) = self.subscriptions.get(id) else { return Ok(()) };
        let queries = subscription.queries.clone();
        self.send(&ClientMessage::Subscribe { request_id: wire_id, query_set: wire_id, queries: &queries })?;
        self.subscriptions.sent(id, wire_id, wire_id);
        if let Some(resync) = &mut self.resync {
            resync.wait_for(wire_id);
        }
        Ok(())
    }

    fn send_unsubscribe(&mut self, wire_id: u32) -> Result<()> {
        let request_id = self.new_id();
        self.send(&ClientMessage::Unsubscribe { request_id, query_set: wire_id })?;
        self.subscriptions.unsubscribing(wire_id, request_id);
        Ok(())
    }

    /// None when there is nothing to take.
    fn take_socket_event(&mut self) -> Option<Result<()>> {
        let closed = |kind, code, reason, by_us| Closed { kind, code, reason, by_us };
        match self.incoming.pop_front()? {
            SocketEvent::Opened { protocol } => self.protocol = Protocol::from_subprotocol(&protocol),
            SocketEvent::Message(payload) => return Some(self.open_payload(payload)),
            SocketEvent::Ping(data) => {
                self.stats.pings_received += 1;
                self.capture.record(false, Kind::Ping, || data.clone());
                self.capture.record(true, Kind::Pong, || data);
            }
            SocketEvent::Pong(data) => self.capture.record(false, Kind::Pong, || data),
            SocketEvent::Refused { status, body } => {
                self.end(closed(ClosedKind::Refused, Some(status), body, false));
            }
            SocketEvent::Closed { code, reason, by_us } => {
                self.capture.record(false, Kind::Close, || close_frame(code, &reason));
                if !by_us {
                    self.capture.record(true, Kind::Close, || close_frame(code, ""));
                }
                self.end(closed(ClosedKind::Closed, code, reason, by_us));
            }
            SocketEvent::Lost(reason) => {
                self.capture.record(false, Kind::Drop, Bytes::new);
                let unheard = self.protocol.is_some() && self.me.is_none();
                let reason = if unheard { "the connection ended before the server's greeting".into() } else { reason };
                self.end(closed(ClosedKind::Lost, None, reason, false));
            }
            SocketEvent::Fault(reason) => self.end(closed(ClosedKind::Protocol, None, reason, true)),
        }
        Some(Ok(()))
    }

    fn open_payload(&mut self, payload: Bytes) -> Result<()> {
        self.capture.record(false, Kind::Message, || payload.clone());
        let body = compression::open(payload, self.options.max_message_size)?;
        self.stats.bytes_expanded += body.len() as u64;
        if body.is_empty() {
            return Err(Error::Protocol("the server sent a payload without a message".into()));
        }
        self.take_message(body)
    }

    /// The first one that is here; there may be more in one payload.
    fn take_message(&mut self, body: Bytes) -> Result<()> {
        let Some(protocol) = self.protocol else {
            return Err(Error::Protocol("the server chose none of the protocols it was offered".into()));
        };
        let rows = self.current().spare_rows();
        let (message, rest) = protocol.decode(&body, self.options.max_message_size, rows)?;
        self.rest = rest;
        self.head = message.head;
        self.stats.messages_received += 1;
        self.handle(body, message)?;
        self.stats.decoded();
        let warnings = self.current().take_warnings();
        warnings.into_iter().for_each(|warning| self.give(Event::Warning(warning)));
        Ok(())
    }

    /// The cache that the server's messages are about.
    fn current(&mut self) -> &mut ClientCache {
        self.resync.as_mut().map_or(&mut self.cache, |resync| &mut resync.cache)
    }

    fn give(&mut self, event: Event) {
        let mut place = self.place();
        *place = event;
        self.ready.push_back(place);
    }

    /// For an event that will be told.
    #[inline(always)]
    fn place(&mut self) -> Box<Event> {
        self.told.take().unwrap_or_else(|| Box::new(Event::Unasked))
    }

    fn fail(&mut self, error: Error) {
        self.socket.close(&mut VecDeque::new());
        let kind = match error {
            Error::Schema(_) => ClosedKind::Mismatch,
            _ => ClosedKind::Protocol,
        };
        self.end(Closed { kind, code: None, reason: error.to_string(), by_us: true });
    }

    fn end(&mut self, closed: Closed) {
        self.lose_socket();
        self.give(Event::Closed(closed));
    }

    /// The cache, the query sets and what was held back outlive the socket; requests do not.
    fn lose_socket(&mut self) {
        self.closed = true;
        self.me = None;
        self.incoming.clear();
        self.outgoing.clear();
        self.queued = 0;
        self.rest = Bytes::new();
        self.requests.clear();
        self.stats.lose_calls();
        self.subscriptions.lose_connection();
        if let Some(resync) = self.resync.take() {
            resync.into_answers().into_iter().for_each(|event| self.give(event));
        }
    }
}

fn not_open() -> Error {
    Error::Usage("the connection is not open".into())
}

fn open_socket(options: &Options, token: Option<&str>) -> Result<Socket> {
    let confirmed = match options.confirmed_reads {
        None => "",
        Some(true) => "&confirmed=true",
        Some(false) => "&confirmed=false",
    };
    let target = format!(
        "/v1/database/{}/subscribe?compression={}{confirmed}",
        percent_encoded(&options.database),
        options.compression.parameter()
    );
    let offers: Vec<_> = options.protocols.iter().map(|protocol| protocol.subprotocol()).collect();
    let bearer = token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
    let headers = options.headers.iter().cloned().chain(bearer);
    Socket::connect(&options.authority, &target, &offers.join(", "), headers, options.max_message_size)
}

/// The payload of a close frame.
fn close_frame(code: Option<u16>, reason: &str) -> Bytes {
    let code = code.map(u16::to_be_bytes);
    [code.as_ref().map_or(&[][..], |code| &code[..]), reason.as_bytes()].concat().into()
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
