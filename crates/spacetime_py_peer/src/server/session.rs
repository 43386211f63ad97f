//! One WebSocket: a client's messages into the database, and what is in its outbox onto the socket.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use crate::database::{ClientId, Database, Function};
use crate::host::Settings;
use crate::http::Upgrade;
use crate::outbox::{Item, Message, Outbox};
use crate::wire::envelope::Compression;
use crate::wire::frame::{self, Fault, Frames, Incoming};
use crate::wire::{Protocol, Request};

/// A client that says nothing for so long, not even to a ping, is gone.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the other side may take to end a connection that this one has closed.
const LINGER: Duration = Duration::from_secs(2);
/// Version 3 puts messages together up to this size.
const PAYLOAD: usize = 512 << 10;
/// What is smaller is copied together before it is written.
const LARGE: usize = 64 << 10;

/// How the sending side came to its end.
#[derive(PartialEq, Eq)]
enum End {
    /// With a close frame.
    Closed,
    /// Without one.
    Dropped,
}

pub async fn run(stream: TcpStream, buffer: BytesMut, upgrade: Upgrade, settings: &Settings) {
    let Upgrade { database, bearer, protocol, compression, connection_id, is_light, .. } = upgrade;
    let outbox = Rc::new(Outbox::default());
    if settings.ping_first {
        outbox.push(Item::Control(frame::ping()));
    }
    let caller = (bearer.identity, connection_id);
    let Some(id) = database.connect(caller, &bearer.token, protocol, is_light, outbox.clone()) else { return };
    outbox.push(Item::Control(frame::ping()));
    let (mut input, output) = stream.into_split();
    let session = Session { database: database.clone(), id, protocol, outbox: outbox.clone() };
    let sender = Sender { output, outbox, protocol, compression, settings };
    let end = {
        let reading = session.read(&mut input, Frames::new(buffer));
        let writing = sender.run();
        tokio::pin!(reading, writing);
        tokio::select! {
            end = &mut writing => end,
            () = &mut reading => timeout(LINGER, writing).await.unwrap_or(End::Dropped),
        }
    };
    database.disconnect(id);
    if end == End::Closed {
        let _ = timeout(LINGER, drain(&mut input)).await;
    }
}

/// Reads to the end: a socket that is closed with something unread in it takes back what was sent.
async fn drain(input: &mut OwnedReadHalf) {
    let mut buffer = [0; 4096];
    while matches!(input.read(&mut buffer).await, Ok(count) if count > 0) {}
}

/// The receiving side.
struct Session {
    database: Rc<Database>,
    id: ClientId,
    protocol: Protocol,
    outbox: Rc<Outbox>,
}

impl Session {
    /// Ends when there is nothing more to read; the last thing it does is to say how the connection ends.
    async fn read(&self, input: &mut OwnedReadHalf, mut frames: Frames) {
        loop {
            match frames.take_message() {
                Ok(Some(message)) => {
                    if !self.receive(message).await {
                        return;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(Fault(code, reason)) => return self.outbox.close(code, reason),
            }
            match timeout(SILENCE, input.read_buf(&mut frames.buffer)).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return self.outbox.drop_connection(),
            }
        }
    }

    /// False when nothing more is to be received.
    async fn receive(&self, message: Incoming) -> bool {
        match message {
            Incoming::Binary(payload) => match self.protocol.requests(&payload) {
                Ok(requests) => {
                    for request in requests {
                        self.handle(request).await;
                    }
                    true
                }
                Err(reason) => {
                    self.outbox.close(1011, &reason);
                    false
                }
            },
            Incoming::Text(_) => {
                self.outbox.close(1011, text_refused(self.protocol));
                false
            }
            Incoming::Ping(payload) => {
                self.outbox.push(Item::Control(frame::pong(&payload)));
                true
            }
            Incoming::Pong => true,
            Incoming::Close(body) => {
                self.outbox.push(Item::Close(body));
                false
            }
        }
    }

    async fn handle(&self, request: Request<'_>) {
        let (database, id) = (&self.database, self.id);
        match request {
            Request::Subscribe { request, set, queries, form } => database.subscribe(id, request, set, &queries, form),
            Request::Unsubscribe { request, set, form, send_rows } => {
                database.unsubscribe(id, request, set, form, send_rows);
            }
            Request::OneOff { id: message, query } => database.one_off(id, &message, query),
            Request::CallReducer { request, name, args, quiet } => {
                self.hold_back(Function::Reducer, name, args).await;
                database.call_reducer(id, request, name, args, quiet);
            }
            Request::CallProcedure { request, name, args } => {
                self.hold_back(Function::Procedure, name, args).await;
                database.call_procedure(id, request, name, args);
            }
        }
    }

    /// What this client sends meanwhile waits too; what it is sent does not.
    async fn hold_back(&self, function: Function, name: &str, args: &[u8]) {
        let delay = self.database.delay(function, name, args);
        if !delay.is_zero() {
            sleep(delay).await;
        }
    }
}

fn text_refused(protocol: Protocol) -> &'static str {
    match protocol {
        // It would be JSON there.
        Protocol::V1 => "expected value at line 1 column 1",
        Protocol::V2 => "v2 websocket does not support text messages",
        Protocol::V3 => "v3 websocket does not support text messages",
    }
}

/// The sending side.
struct Sender<'a> {
    output: OwnedWriteHalf,
    outbox: Rc<Outbox>,
    protocol: Protocol,
    compression: Compression,
    settings: &'a Settings,
}

impl Sender<'_> {
    async fn run(mut self) -> End {
        self.send_all().await.unwrap_or(End::Dropped)
    }

    async fn send_all(&mut self) -> io::Result<End> {
        let mut pings = tokio::time::interval(self.settings.ping_every);
        pings.tick().await; // the first comes at once, and that ping was sent with the greeting
        loop {
            let items = tokio::select! {
                items = self.outbox.take() => items,
                _ = pings.tick() => Some(VecDeque::from([Item::Control(frame::ping())])),
            };
            let Some(mut items) = items else { return Ok(End::Dropped) };
            if !self.settings.coalesce.is_zero() {
                sleep(self.settings.coalesce).await;
                items.extend(self.outbox.take_now());
            }
            if self.send(items).await? {
                return Ok(End::Closed);
            }
        }
    }

    /// True when it was the last.
    async fn send(&mut self, items: VecDeque<Item>) -> io::Result<bool> {
        let mut small = Vec::new();
        let mut together: Vec<Rc<Message>> = Vec::new();
        let mut is_last = false;
        for item in items {
            match item {
                Item::Message(message) if self.protocol == Protocol::V3 => {
                    let size: usize = together.iter().map(|message| message.body.len()).sum();
                    if size + message.body.len() > PAYLOAD {
                        self.flush(&mut together, &mut small).await?;
                    }
                    together.push(message);
                }
                Item::Message(message) => self.write(message.frames(self.compression), &mut small).await?,
                Item::Control(frame) => {
                    self.flush(&mut together, &mut small).await?;
                    small.extend(frame);
                }
                Item::Close(body) => {
                    self.flush(&mut together, &mut small).await?;
                    small.extend(frame::close(&body));
                    is_last = true;
                    break;
                }
            }
        }
        self.flush(&mut together, &mut small).await?;
        self.output.write_all(&small).await?;
        Ok(is_last)
    }

    /// Messages as one payload of version 3.
    async fn flush(&mut self, together: &mut Vec<Rc<Message>>, small: &mut Vec<u8>) -> io::Result<()> {
        match &together[..] {
            [] => return Ok(()),
            [message] => self.write(message.frames(self.compression), small).await?,
            messages => {
                let bodies: Vec<&[u8]> = messages.iter().map(|message| &message.body[..]).collect();
                let frames = frame::message(&self.compression.pack(&bodies.concat()));
                self.write(&frames, small).await?;
            }
        }
        together.clear();
        Ok(())
    }

    async fn write(&mut self, frames: &[u8], small: &mut Vec<u8>) -> io::Result<()> {
        if frames.len() < LARGE {
            small.extend_from_slice(frames);
            return Ok(());
        }
        self.output.write_all(small).await?;
        small.clear();
        self.output.write_all(frames).await
    }
}
