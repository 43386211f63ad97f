//! Keeps what goes over the socket, message by message, for somebody who wants to look at it later.

use bytes::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole binary message, the server's with its compression byte.
    Message,
    Ping,
    Pong,
    /// A close frame: its code and reason as on the wire.
    Close,
    /// The bytes ended without a close frame.
    Drop,
}

#[derive(Debug)]
pub struct Record {
    /// From the client to the server.
    pub is_sent: bool,
    pub kind: Kind,
    pub data: Bytes,
}

/// Does nothing until it is started.
#[derive(Debug, Default)]
pub struct Capture(Option<Vec<Record>>);

impl Capture {
    pub fn start(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Forgets what was not taken.
    pub fn stop(&mut self) {
        self.0 = None;
    }

    #[inline]
    pub fn record(&mut self, is_sent: bool, kind: Kind, data: impl FnOnce() -> Bytes) {
        if let Some(records) = &mut self.0 {
            records.push(Record { is_sent, kind, data: data() });
        }
    }

    /// What was recorded since the last time.
    pub fn take(&mut self) -> Vec<Record> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
