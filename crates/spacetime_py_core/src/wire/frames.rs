//! Finds the binary messages in the bytes of an open WebSocket, which are nearly all that a server sends. Every other frame
//! goes on to `tungstenite` as it came: what it means, and whether it breaks a rule, is decided there alone.

use std::borrow::Cow;

use bytes::Bytes;

/// The first bytes of a server's binary frames: a whole message, or the first, a middle or the last fragment of one.
const WHOLE: u8 = 0x82;
const FIRST: u8 = 0x02;
const MIDDLE: u8 = 0x00;
const LAST: u8 = 0x80;
const MASKED: u8 = 0x80;

#[derive(Debug)]
pub struct Frames {
    reading: Reading,
    /// The beginning of a frame's head.
    head: Vec<u8>,
    /// The beginning of a message.
    message: Vec<u8>,
    fragments: Fragments,
    max_message_size: usize,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Head,
    /// So much of a frame's payload is missing, and whether it ends the message.
    Message(usize, bool),
    /// So much of the frame is still to be passed on.
    Other(u64),
}

/// Who puts the fragments of a message together. Only control frames may come between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fragments {
    None,
    Ours,
    Theirs,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A message that is whole in the data, as nearly all are.
    Whole(&'a [u8]),
    /// One that came in pieces.
    Message(Bytes),
    /// A part of another frame, and nothing of the next one.
    Other(Cow<'a, [u8]>),
    /// Fragments of more bytes than a message may have.
    TooLarge,
}

impl Frames {
    pub fn new(max_message_size: usize) -> Self {
        Frames {
            reading: Reading::Head,
            head: Vec::new(),
            message: Vec::new(),
            fragments: Fragments::None,
            max_message_size,
        }
    }

    /// Takes what comes first from the data; None when more is needed.
    #[inline]
    pub fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            match self.reading {
                Reading::Head if data.is_empty() => return None,
                Reading::Head => {
                    let head = if self.head.is_empty() { Head::read(data) } else { self.complete_head(data) };
                    match head {
                        None => self.head.extend_from_slice(take(data, usize::MAX)),
                        Some(head) if self.is_at_hand(&head, data) => {
                            take(data, head.size);
                            return Some(Piece::Whole(take(data, head.payload as usize)));
                        }
                        Some(head) if self.begin(&head, data) => {}
                        Some(_) => return Some(Piece::TooLarge),
                    }
                }
                Reading::Message(missing, is_last) => {
                    let part = take(data, missing);
                    self.message.extend_from_slice(part);
                    if part.len() != missing {
                        self.reading = Reading::Message(missing - part.len(), is_last);
                        return None;
                    }
                    self.reading = Reading::Head;
                    if is_last {
                        return Some(Piece::Message(std::mem::take(&mut self.message).into()));
                    }
                }
                Reading::Other(left) => return self.pass(left, data),
            }
        }
    }

    #[inline]
    fn is_at_hand(&self, head: &Head, data: &[u8]) -> bool {
        head.first == WHOLE
            && !head.is_masked
            && self.fragments == Fragments::None
            && self.head.is_empty()
            && head.payload <= (data.len() - head.size) as u64
            && head.payload <= self.max_message_size as u64
    }

    /// A head in several pieces is at most 14 bytes: they come one by one.
    #[cold]
    fn complete_head(&mut self, data: &mut &[u8]) -> Option<Head> {
        let mut head = None;
        while let (None, [byte, rest @ ..]) = (&head, *data) {
            self.head.push(*byte);
            *data = rest;
            head = Head::read(&self.head);
        }
        head
    }

    /// Decides who reads the frame. False if it makes a message too large.
    fn begin(&mut self, head: &Head, data: &mut &[u8]) -> bool {
        let room = (self.max_message_size - self.message.len()) as u64;
        match (head.first, self.fragments) {
            (MIDDLE | LAST, Fragments::Ours) if !head.is_masked && head.payload > room => return false,
            (WHOLE | FIRST, Fragments::None) | (MIDDLE | LAST, Fragments::Ours)
                if !head.is_masked && head.payload <= room =>
            {
                let is_last = head.first & LAST != 0;
                self.fragments = if is_last { Fragments::None } else { Fragments::Ours };
                // As much memory as the server names, once and within the limit.
                self.message.reserve(head.payload as usize);
                self.reading = Reading::Message(head.payload as usize, is_last);
                if std::mem::take(&mut self.head).is_empty() {
                    take(data, head.size);
                }
            }
            _ => self.leave(head),
        }
        true
    }

    /// The library reads this frame.
    fn leave(&mut self, head: &Head) {
        let mut size = (head.size as u64).saturating_add(head.payload);
        let is_control = head.first & 0x08 != 0;
        if !is_control {
            if self.fragments == Fragments::Ours {
                // It breaks a rule, which the library sees if it knows that a message has begun.
                self.message.clear();
                self.head.splice(..0, [FIRST, 0]);
                size = size.saturating_add(2);
            }
            let is_open = self.fragments != Fragments::None || head.first & 0x0f != 0;
            self.fragments = if is_open && head.first & LAST == 0 { Fragments::Theirs } else { Fragments::None };
        }
        self.reading = Reading::Other(size);
    }

    fn pass<'a>(&mut self, left: u64, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        let part = match std::mem::take(&mut self.head) {
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
    /// Flags and opcode.
    first: u8,
    is_masked: bool,
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
        (data.len() >= size).then_some(Head { first: *first, is_masked, size, payload })
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
                    Piece::Whole(message) => messages.push(Bytes::copy_from_slice(message)),
                    Piece::Message(message) => messages.push(message),
                    Piece::Other(bytes) => others.extend_from_slice(&bytes),
                    Piece::TooLarge => return (messages, others),
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
                // The last two are one message in fragments with a ping between them, binary and text.
                let parts: &[u8] = [&[0x82][..], &[0x81], &[0x89], &[0x8a], &[0x02, 0x89, 0x00, 0x80], &[0x01, 0x89, 0x80]][kind];
                for first in parts {
                    let frame = frame(*first, &payload);
                    bytes.extend_from_slice(&frame);
                    if ![0, 4].contains(&kind) || *first == 0x89 {
                        others.extend(frame);
                    }
                }
                match kind {
                    0 => messages.push(Bytes::from(payload)),
                    4 => messages.push(payload.repeat(3).into()),
                    _ => {}
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

    #[test]
    fn what_breaks_a_rule_between_fragments_is_for_the_library_which_hears_of_the_message() {
        for bad in [frame(0x82, b"x"), frame(0x01, b"x"), frame(0xc0, b"x"), vec![0x80, 0x81, 1, 2, 3, 4, 5]] {
            let bytes = [frame(0x02, b"begun"), bad.clone()].concat();
            let expected = [vec![0x02, 0x00], bad].concat();
            assert_eq!(read(&mut Frames::new(10), bytes.chunks(1)), (vec![], expected.clone()));
            assert_eq!(read(&mut Frames::new(10), [&bytes[..]].into_iter()), (vec![], expected));
        }
    }

    #[test]
    fn fragments_are_no_way_around_the_limit() {
        let bytes = [frame(0x02, &[0; 6]), frame(0x00, &[0; 4]), frame(0x80, &[0; 1])].concat();
        let mut frames = Frames::new(10);
        let mut data = &bytes[..];
        assert_eq!(frames.next(&mut data), Some(Piece::TooLarge));
    }
}
