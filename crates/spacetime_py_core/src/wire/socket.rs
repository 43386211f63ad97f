//! WebSocket without I/O: the upgrade request and RFC 6455 frames by `tungstenite`, over buffers in memory. Binary
//! messages take a shorter way, through `frames.rs`.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use bytes::{Buf, Bytes, BytesMut};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::client::{ClientHandshake, Request, generate_key};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Error as WebSocketError, Message, WebSocket};

use super::frames::{Frames, Piece};
use crate::error::{Error, Result};

/// What the socket tells its owner, in the order of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// The upgrade is done; the server chose this subprotocol.
    Opened {
        protocol: String,
    },
    /// The server answered the upgrade with another status.
    Refused {
        status: u16,
        body: String,
    },
    Message(Bytes),
    /// A ping, which was answered, and the answer to one.
    Ping(Bytes),
    Pong(Bytes),
    /// A closing handshake: the other side's code and reason.
    Closed {
        code: Option<u16>,
        reason: String,
        by_us: bool,
    },
    /// The bytes ended, or broke a rule, as told.
    Lost(String),
    Fault(String),
}

pub struct Socket {
    state: State,
    closing: bool,
    /// Received while the response's head or body is incomplete.
    held: BytesMut,
    /// Of the open connection.
    frames: Frames,
    max_message_size: usize,
}

enum State {
    Upgrading(Box<MidHandshake<ClientHandshake<Pipe>>>),
    /// Refused: the body is still to come, this long if that is known.
    Refused {
        status: u16,
        length: Option<usize>,
    },
    Open(Box<WebSocket<Pipe>>),
    /// Nothing more is read; what is left in the pipe may still be sent.
    Ended(Pipe),
}

/// Both directions of the byte stream.
#[derive(Default)]
struct Pipe {
    inbox: BytesMut,
    outbox: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inbox.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(self.inbox.len());
        self.inbox.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.outbox.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A response's head may be this long.
const MAX_HEAD: usize = 64 * 1024;
/// As much of a refusal's body is kept.
const MAX_BODY: usize = 8 * 1024;
/// `tungstenite` clears this much before each read.
const READ_BUFFER: usize = 4 * 1024;

impl Socket {
    /// Queues the upgrade request. `authority` is HOST:PORT, `target` the path with its query, `protocols` the offer.
    pub fn connect(
        authority: &str,
        target: &str,
        protocols: &str,
        headers: impl Iterator<Item = (String, String)>,
        max_message_size: usize,
    ) -> Result<Socket> {
        let mut request = Request::builder()
            .uri(format!("ws://{authority}{target}"))
            .header("Host", authority)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", generate_key())
            .header("Sec-WebSocket-Protocol", protocols);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request =
            request.body(()).map_err(|error| Error::Usage(format!("not a valid address, token or header: {error}")))?;
        // v1 and v2 servers send whole tables in one message, so that a frame may be as large as a message.
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_frame_size(Some(max_message_size))
            .max_message_size(Some(max_message_size));
        let handshake = ClientHandshake::start(Pipe::default(), request, Some(config))
            .map_err(|error| Error::Usage(format!("no valid upgrade request: {error}")))?;
        let mut socket = Socket {
            state: State::Ended(Pipe::default()),
            closing: false,
            held: BytesMut::new(),
            frames: Frames::new(max_message_size),
            max_message_size,
        };
        // Writes the request into the pipe and stops where the response is missing.
        socket.step_handshake(handshake, &mut VecDeque::new());
        Ok(socket)
    }

    pub fn receive(&mut self, data: &[u8], events: &mut VecDeque<SocketEvent>) {
        match &mut self.state {
            State::Open(_) => self.read_messages(data, events),
            State::Upgrading(_) => {
                self.held.extend_from_slice(data);
                self.read_head(events);
            }
            State::Refused { .. } => {
                self.held.extend_from_slice(data);
                self.read_refusal(false, events);
            }
            State::Ended(_) => {}
        }
    }

    pub fn receive_eof(&mut self, events: &mut VecDeque<SocketEvent>) {
        match &self.state {
            State::Open(_) if self.closing => {
                self.end(SocketEvent::Closed { code: None, reason: String::new(), by_us: true }, events);
            }
            State::Open(_) => self.end(SocketEvent::Lost("the connection ended without a close frame".into()), events),
            State::Upgrading(_) => {
                self.end(SocketEvent::Lost("the connection ended before the upgrade was answered".into()), events);
            }
            State::Refused { .. } => self.read_refusal(true, events),
            State::Ended(_) => {}
        }
    }

    /// Queues one binary message. Nothing happens once the socket is closing.
    pub fn send(&mut self, message: Vec<u8>) {
        if let (State::Open(socket), false) = (&mut self.state, self.closing) {
            // Writing to memory cannot fail, and the state was checked.
            let _ = socket.write(Message::Binary(message.into()));
        }
    }

    pub fn ping(&mut self) {
        if let (State::Open(socket), false) = (&mut self.state, self.closing) {
            let _ = socket.send(Message::Ping(Bytes::new()));
        }
    }

    /// Starts the closing handshake, or gives up before the upgrade is done. Tells whether a close frame was queued.
    pub fn close(&mut self, events: &mut VecDeque<SocketEvent>) -> bool {
        match &mut self.state {
            State::Open(socket) if !self.closing => {
                self.closing = true;
                let _ = socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }));
                return true;
            }
            State::Upgrading(_) | State::Refused { .. } => {
                self.end(SocketEvent::Closed { code: None, reason: String::new(), by_us: true }, events);
            }
            State::Open(_) | State::Ended(_) => {}
        }
        false
    }

    /// Everything that is to be written to the byte stream now.
    pub fn take_output(&mut self) -> Vec<u8> {
        let pipe = match &mut self.state {
            State::Open(socket) => {
                let _ = socket.flush();
                socket.get_mut()
            }
            State::Upgrading(handshake) => handshake.get_mut().get_mut(),
            State::Ended(pipe) => pipe,
            State::Refused { .. } => return Vec::new(),
        };
        std::mem::take(&mut pipe.outbox)
    }

    /// Whether `take_output` has something to give.
    pub fn has_output(&self) -> bool {
        let pipe = match &self.state {
            State::Open(socket) => socket.get_ref(),
            State::Upgrading(handshake) => handshake.get_ref().get_ref(),
            State::Ended(pipe) => pipe,
            State::Refused { .. } => return false,
        };
        !pipe.outbox.is_empty()
    }

    /// The response's head goes on whole, since `tungstenite` takes many small reads for an attack.
    fn read_head(&mut self, events: &mut VecDeque<SocketEvent>) {
        let Some(end) = self.held.windows(4).position(|window| window == b"\r\n\r\n") else {
            if self.held.len() > MAX_HEAD {
                self.end(SocketEvent::Fault("the answer to the upgrade has no end".into()), events);
            }
            return;
        };
        let head = self.held.split_to(end + 4);
        let State::Upgrading(mut handshake) = std::mem::replace(&mut self.state, State::Ended(Pipe::default())) else {
            return;
        };
        handshake.get_mut().get_mut().inbox = head;
        self.step_handshake(*handshake, events);
    }

    fn step_handshake(&mut self, handshake: MidHandshake<ClientHandshake<Pipe>>, events: &mut VecDeque<SocketEvent>) {
        match handshake.handshake() {
            Ok((socket, response)) => {
                self.state = State::Open(Box::new(socket));
                let chosen = response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
                events.push_back(SocketEvent::Opened { protocol: chosen.unwrap_or_default().to_owned() });
                let held = std::mem::take(&mut self.held);
                self.read_messages(&held, events);
            }
            Err(HandshakeError::Interrupted(handshake)) => self.state = State::Upgrading(Box::new(handshake)),
            Err(HandshakeError::Failure(WebSocketError::Http(response))) => {
                let length =
                    response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
                self.state = State::Refused { status: response.status().as_u16(), length };
                self.read_refusal(false, events);
            }
            Err(HandshakeError::Failure(error)) => {
                self.end(SocketEvent::Fault(format!("the server's answer to the upgrade is wrong: {error}")), events);
            }
        }
    }

    fn read_refusal(&mut self, ended: bool, events: &mut VecDeque<SocketEvent>) {
        let State::Refused { status, length } = self.state else { return };
        let wanted = length.unwrap_or(MAX_BODY).min(MAX_BODY);
        if self.held.len() >= wanted || ended {
            self.held.truncate(wanted);
            let body = String::from_utf8_lossy(&self.held).into_owned();
            self.end(SocketEvent::Refused { status, body }, events);
        }
    }

    fn read_messages(&mut self, mut data: &[u8], events: &mut VecDeque<SocketEvent>) {
        while let State::Open(socket) = &mut self.state {
            match self.frames.next(&mut data) {
                Some(Piece::Whole(message)) => {
                    events.push_back(SocketEvent::Message(Box::<[u8]>::from(message).into()));
                }
                Some(Piece::Message(message)) => events.push_back(SocketEvent::Message(message)),
                Some(Piece::Other(part)) => {
                    socket.get_mut().inbox.extend_from_slice(&part);
                    self.read_frames(events);
                }
                Some(Piece::TooLarge) => self.refuse_size(events),
                None => return,
            }
        }
    }

    fn refuse_size(&mut self, events: &mut VecDeque<SocketEvent>) {
        let text = format!(
            "the server sent a message of more than {} bytes; raise `max_message_size` if the database is meant to send that much",
            self.max_message_size
        );
        self.fail(CloseCode::Size, &text, events);
    }

    fn read_frames(&mut self, events: &mut VecDeque<SocketEvent>) {
        while let State::Open(socket) = &mut self.state {
            match socket.read() {
                Ok(Message::Binary(data)) => events.push_back(SocketEvent::Message(data)),
                // Pings are answered by tungstenite.
                Ok(Message::Ping(data)) => events.push_back(SocketEvent::Ping(data)),
                Ok(Message::Pong(data)) => events.push_back(SocketEvent::Pong(data)),
                Ok(Message::Frame(_)) => {}
                Ok(Message::Text(_)) => {
                    self.fail(CloseCode::Unsupported, "the server sent a text message on a binary protocol", events);
                }
                Ok(Message::Close(frame)) => self.closed(frame, events),
                Err(WebSocketError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(WebSocketError::Capacity(_)) => self.refuse_size(events),
                Err(error) => {
                    self.fail(
                        CloseCode::Protocol,
                        &format!("the server broke the WebSocket protocol: {error}"),
                        events,
                    );
                }
            }
        }
    }

    fn closed(&mut self, frame: Option<CloseFrame>, events: &mut VecDeque<SocketEvent>) {
        let (code, reason) = match frame {
            Some(frame) => (Some(u16::from(frame.code)), frame.reason.to_string()),
            None => (None, String::new()),
        };
        let by_us = self.closing;
        self.end(SocketEvent::Closed { code, reason, by_us }, events);
    }

    fn fail(&mut self, code: CloseCode, text: &str, events: &mut VecDeque<SocketEvent>) {
        if let State::Open(socket) = &mut self.state {
            let _ = socket.close(Some(CloseFrame { code, reason: "".into() }));
        }
        self.end(SocketEvent::Fault(text.to_owned()), events);
    }

    /// Tells the last event and keeps only what is still to be sent, such as the answer to a close frame.
    fn end(&mut self, event: SocketEvent, events: &mut VecDeque<SocketEvent>) {
        let outbox = self.take_output();
        self.state = State::Ended(Pipe { inbox: BytesMut::new(), outbox });
        events.push_back(event);
    }
}
