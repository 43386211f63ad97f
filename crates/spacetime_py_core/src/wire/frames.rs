//! Finds the whole binary messages in the bytes of an open WebSocket, which are nearly all that a server sends. Every other
//! frame goes on to `tungstenite` as it came: what it means, and whether it breaks a rule, is decided there alone.

use std::borrow::Cow;

use bytes::Bytes;

/// A binary frame of the server that begins and ends a message.
const WHOLE_BINARY: u8 = 0x82;
const LAST_FRAME: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;

#[derive(Debug)]
pub struct Frames {
    reading: Reading,
    /// The beginning of a head or of a message.
    held: Vec<u8>,
    /// A message in fragments is on its way, which only control frames may interrupt.
    is_fragmented: bool,
    max_message_size: usize,
}

#[derive(Debug)]
enum Reading {
    Head,
    /// So much of the payload is missing.
    Message(usize),
    /// So much of the frame is still to be passed on.
    Other(u64),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Message(Bytes),
    /// A part of another frame, and nothing of the next one.
    Other(Cow<'a, [u8]>),
}

impl Frames {
    pub fn new(max_message_size: usize) -> Self {
        Frames { reading: Reading::Head, held: Vec::new(), is_fragmented: false, max_message_size }
    }

    /// Takes what comes first from the data; None when more is needed.
    #[inline]
    pub fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            match self.reading {
                Reading::Head if data.is_empty() => return None,
                Reading::Head if !self.held.is_empty() => self.complete_head(data),
                Reading::Head => match Head::read(data) {
                    None => self.held.extend_from_slice(take(data, usize::MAX)),
                    Some(head) if self.is_whole(&head) && head.payload <= (data.len() - head.size) as u64 => {
                        take(data, head.size);
                        return Some(Piece::Message(Bytes::copy_from_slice(take(data, head.payload as usize))));
                    }
                    Some(head) => self.begin(head, data),
                },
                Reading::Message(missing) => {
                    let part = take(data, missing);
                    self.held.extend_from_slice(part);
                    self.reading = Reading::Message(missing - part.len());
                    if part.len() != missing {
                        return None;
                    }
                    self.reading = Reading::Head;
                    return Some(Piece::Message(std::mem::take(&mut self.held).into()));
                }
                Reading::Other(left) => return self.pass(left, data),
            }
        }
    }

    /// A head in several pieces is at most 14 bytes: they come one by one.
    #[cold]
    fn complete_head(&mut self, data: &mut &[u8]) {
        while let [byte, rest @ ..] = *data {
            self.held.push(*byte);
            *data = rest;
            if let Some(head) = Head::read(&self.held) {
                let bytes = std::mem::take(&mut self.held);
                self.begin(head, &mut &bytes[..]);
                if let Reading::Other(_) = self.reading {
                    self.held = bytes;
                }
                return;
            }
        }
    }

    /// The frame with this head comes, from the data on; what is not passed on begins behind the head.
    fn begin(&mut self, head: Head, data: &mut &[u8]) {
        if self.is_whole(&head) {
            take(data, head.size);
            // As much memory as the server names, once and within the limit.
            self.held = Vec::with_capacity(head.payload as usize);
            self.reading = Reading::Message(head.payload as usize);
            return;
        }
        self.is_fragmented = match head.opcode {
            0 => self.is_fragmented && !head.is_last,
            1 | 2 => self.is_fragmented || !head.is_last,
            _ => self.is_fragmented,
        };
        self.reading = Reading::Other((head.size as u64).saturating_add(head.payload));
    }

    fn pass<'a>(&mut self, left: u64, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        let part = match std::mem::take(&mut self.held) {
            head if !head.is_empty() => Cow::Owned(head),
            _ if data.is_empty() => return None,
            _ => Cow::Borrowed(take(data, usize::try_from(left).unwrap_or(usize::MAX))),
        };
        self.reading = match left - part.len() as u64 {
            0 => Reading::Head,
            left => Reading::Other(left),
        };
        Some(Piece::Other(part))
    }

    #[inline]
    fn is_whole(&self, head: &Head) -> bool {
        head.is_whole_binary && !self.is_fragmented && head.payload <= self.max_message_size as u64
    }
}

/// Up to so many bytes from the front.
#[inline]
fn take<'a>(data: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (front, rest) = data.split_at(most.min(data.len()));
    *data = rest;
    front
}

/// The first bytes of a frame (RFC 6455, 5.2).
struct Head {
    is_whole_binary: bool,
    is_last: bool,
    opcode: u8,
    /// Of the head itself.
    size: usize,
    payload: u64,
}

impl Head {
    /// None when there is more of it to come.
    #[inline]
    fn read(data: &[u8]) -> Option<Head> {
        let [first, second, rest @ ..] = data else { return None };
        let (length, payload) = match second & !MASKED {
            126 => (2, u16::from_be_bytes(*rest.first_chunk()?).into()),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            payload => (0, payload.into()),
        };
        let is_masked = second & MASKED != 0;
        let size = 2 + length + if is_masked { 4 } else { 0 };
        (data.len() >= size).then_some(Head {
            is_whole_binary: *first == WHOLE_BINARY && !is_masked,
            is_last: first & LAST_FRAME != 0,
            opcode: first & OPCODE,
            size,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = match payload.len() {
            short @ ..126 => vec![short as u8],
            middle @ ..0x10000 => [&[126][..], &(middle as u16).to_be_bytes()].concat(),
            long => [&[127][..], &(long as u64).to_be_bytes()].concat(),
        };
        [&[first][..], &length, payload].concat()
    }

    /// Messages, and all other bytes in a row.
    fn read<'a>(frames: &mut Frames, parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, Vec<u8>) {
        let (mut messages, mut others) = (Vec::new(), Vec::new());
        for mut data in parts {
            while let Some(piece) = frames.next(&mut data) {
                match piece {
                    Piece::Message(message) => messages.push(message),
                    Piece::Other(bytes) => others.extend_from_slice(&bytes),
                }
            }
            assert!(data.is_empty());
        }
        (messages, others)
    }

    proptest! {
        /// In pieces of any size: whole messages are found, and the frames between them come out as they went in.
        #[test]
        fn any_cut_gives_the_same(
            frames in prop::collection::vec((0usize..6, prop::sample::select(vec![0usize, 1, 125, 126, 300, 70_000])), 1..8),
            size in 1usize..100_000,
        ) {
            let (mut bytes, mut messages, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for (kind, length) in frames {
                let payload = vec![kind as u8; length];
                // The last two are one message in two fragments with a ping between.
                let parts: &[u8] = [&[0x82][..], &[0x81], &[0x89], &[0x8a], &[0x02, 0x89, 0x80], &[0x02, 0x82, 0x80]][kind];
                for first in parts {
                    let frame = frame(*first, &payload);
                    bytes.extend_from_slice(&frame);
                    if *first == 0x82 && kind == 0 { messages.push(Bytes::from(payload.clone())) } else { others.extend(frame) }
                }
            }
            prop_assert_eq!(read(&mut Frames::new(1 << 20), bytes.chunks(size)), (messages, others));
        }
    }

    #[test]
    fn masked_reserved_and_large_frames_are_left_to_the_library() {
        for bytes in [vec![0x82, 0x81, 1, 2, 3, 4, 5], frame(0xc2, b"x"), frame(0x83, b"x"), frame(0x82, &[0; 11])] {
            assert_eq!(read(&mut Frames::new(10), bytes.chunks(1)), (vec![], bytes.clone()));
            assert_eq!(read(&mut Frames::new(10), [&bytes[..]].into_iter()), (vec![], bytes));
        }
    }
}
