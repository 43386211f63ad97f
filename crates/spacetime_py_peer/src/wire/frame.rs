//! WebSocket frames: those of clients taken apart, those for clients made (RFC 6455).

use bytes::{Buf, BytesMut};

/// 2.8.3 cuts its messages into frames of this size.
const FRAGMENT: usize = 4096;
/// Clients may not send larger messages.
const MAX_MESSAGE: usize = 32 << 20;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Binary(Vec<u8>),
    Text(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// With the body of its frame: nothing, or a code and a reason.
    Close(Vec<u8>),
}

/// Why a client cannot be understood: the code and the reason of the close frame for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(pub u16, pub &'static str);

/// Takes the bytes of a connection and gives messages.
#[derive(Default)]
pub struct Frames {
    pub buffer: BytesMut,
    /// The message that is under way: its kind, and what there is of it.
    partial: Option<(u8, Vec<u8>)>,
}

impl Frames {
    /// What has come already.
    pub fn new(buffer: BytesMut) -> Frames {
        Frames { buffer, partial: None }
    }

    /// The next message; None until more bytes have come.
    pub fn take_message(&mut self) -> Result<Option<Incoming>, Fault> {
        while let Some((is_final, opcode, payload)) = self.frame()? {
            let message = match opcode {
                CLOSE => Incoming::Close(payload),
                PING => Incoming::Ping(payload),
                PONG => Incoming::Pong,
                _ => {
                    self.join(opcode, payload)?;
                    match is_final {
                        true => self.finish(),
                        false => continue,
                    }
                }
            };
            return Ok(Some(message));
        }
        Ok(None)
    }

    fn join(&mut self, opcode: u8, payload: Vec<u8>) -> Result<(), Fault> {
        match (&mut self.partial, opcode) {
            (Some((_, message)), CONTINUATION) if message.len() + payload.len() > MAX_MESSAGE => {
                Err(Fault(1009, "message too big"))
            }
            (Some((_, message)), CONTINUATION) => {
                message.extend(payload);
                Ok(())
            }
            (partial @ None, TEXT | BINARY) => {
                *partial = Some((opcode, payload));
                Ok(())
            }
            _ => Err(Fault(1002, "unexpected frame")),
        }
    }

    fn finish(&mut self) -> Incoming {
        match self.partial.take().unwrap_or_default() {
            (TEXT, message) => Incoming::Text(message),
            (_, message) => Incoming::Binary(message),
        }
    }

    /// (last of its message, opcode, payload without its mask).
    fn frame(&mut self) -> Result<Option<(bool, u8, Vec<u8>)>, Fault> {
        let &[first, second, ..] = &self.buffer[..] else { return Ok(None) };
        let is_control = first & 8 != 0;
        if first & 0x70 != 0 || second & 0x80 == 0 || (is_control && (first & 0x80 == 0 || second & 0x7f > 125)) {
            return Err(Fault(1002, "malformed frame"));
        }
        let Some((head, length)) = self.length(second & 0x7f) else { return Ok(None) };
        if length > MAX_MESSAGE as u64 {
            return Err(Fault(1009, "message too big"));
        }
        let length = length as usize;
        if self.buffer.len() < head + 4 + length {
            return Ok(None);
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.buffer[head..head + 4]);
        let mut payload = self.buffer[head + 4..head + 4 + length].to_vec();
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        self.buffer.advance(head + 4 + length);
        Ok(Some((first & 0x80 != 0, first & 0x0f, payload)))
    }

    /// (size of the head without the mask, length of the payload).
    fn length(&self, short: u8) -> Option<(usize, u64)> {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        match short {
            126 => Some((4, number(self.buffer.get(2..4)?))),
            127 => Some((10, number(self.buffer.get(2..10)?))),
            short => Some((2, short.into())),
        }
    }
}

/// A binary message, cut into frames as the real server does it.
pub fn message(payload: &[u8]) -> Vec<u8> {
    let mut frames = Vec::with_capacity(payload.len() + 4 * (payload.len() / FRAGMENT + 1));
    let mut pieces = payload.chunks(FRAGMENT).peekable();
    let mut opcode = BINARY;
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() { 0x80 } else { 0 };
        frame(&mut frames, last | opcode, piece);
        opcode = CONTINUATION;
    }
    frames
}

pub fn ping() -> Vec<u8> {
    control(PING, &[])
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    control(PONG, payload)
}

/// A close frame with this body.
pub fn close(body: &[u8]) -> Vec<u8> {
    control(CLOSE, body)
}

/// The body of a close frame.
pub fn close_body(code: u16, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    [&code.to_be_bytes()[..], &reason.as_bytes()[..end]].concat()
}

fn control(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame(&mut bytes, 0x80 | opcode, payload);
    bytes
}

fn frame(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match payload.len() {
        length @ 0..126 => out.push(length as u8),
        // No piece is larger than a fragment.
        length => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(bytes: &[u8]) -> Frames {
        Frames::new(bytes.into())
    }

    #[test]
    fn fragments_are_joined_and_unmasked() {
        let mut frames = fed(&[0x02, 0x81, 1, 1, 1, 1, 7 ^ 1, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 8]);
        assert_eq!(frames.take_message(), Ok(Some(Incoming::Ping(vec![]))));
        assert_eq!(frames.take_message(), Ok(Some(Incoming::Binary(vec![7, 8]))));
        assert_eq!(frames.take_message(), Ok(None));
    }

    #[test]
    fn what_clients_must_not_send() {
        assert!(fed(&[0x82, 0x01, 0]).take_message().is_err(), "without a mask");
        assert!(fed(&[0x80, 0x80, 0, 0, 0, 0]).take_message().is_err(), "a continuation of nothing");
        assert!(fed(&[0x82, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).take_message().is_err(), "too large");
        assert_eq!(fed(&[0x82, 0xfe, 0]).take_message(), Ok(None), "not all of the head is there");
    }

    #[test]
    fn large_messages_are_cut() {
        let frames = message(&[5; 5000]);
        assert_eq!((frames[0], &frames[1..4]), (0x02, &[126, 0x10, 0][..]));
        assert_eq!(&frames[4 + 4096..4 + 4096 + 4], &[0x80, 126, 3, 0x88]);
        assert_eq!(message(&[5])[..], [0x82, 1, 5]);
    }
}
