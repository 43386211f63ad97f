//! Nothing that a client sends makes the peer panic.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use bytes::BytesMut;
use spacetime_py_peer::modules::built_in;
use spacetime_py_peer::sql::{self, Reader};
use spacetime_py_peer::wire::frame::Frames;
use spacetime_py_peer::wire::{PROTOCOLS, Protocol};

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }
}

/// A sound message of version 2, so that most of what is broken in it is not its first byte.
fn subscribe(query: &str) -> Vec<u8> {
    let length = |length: usize| (length as u32).to_le_bytes();
    [&[0][..], &length(1), &length(2), &length(1), &length(query.len()), query.as_bytes()].concat()
}

#[test]
fn broken_messages() {
    let mut random = Random(7);
    let sound = subscribe("SELECT * FROM item");
    assert_eq!(Protocol::V3.requests(&sound.repeat(3)).map(|requests| requests.len()), Ok(3));
    for _ in 0..20_000 {
        let mut message = sound.clone();
        for _ in 0..1 + random.next(4) {
            let at = random.next(message.len());
            message[at] = random.next(256) as u8;
        }
        message.truncate(random.next(message.len() + 1));
        for protocol in PROTOCOLS {
            let _ = protocol.requests(&message);
        }
    }
}

#[test]
fn broken_frames() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.next(40)).map(|_| random.next(256) as u8).collect();
        let mut frames = Frames::new(BytesMut::from(&bytes[..]));
        while let Ok(Some(_)) = frames.take_message() {}
    }
}

#[test]
fn broken_sql() {
    let module = built_in("mod28").unwrap().unwrap();
    let schema = module.schema();
    let reader = Reader { identity: [0; 32], is_owner: false };
    let pieces = [
        "SELECT",
        "*",
        "FROM",
        "item",
        "WHERE",
        "kind",
        "=",
        "1",
        "'",
        "\"",
        "AND",
        "OR",
        "(",
        ")",
        "0x",
        "X'",
        "-",
        ":sender",
        "owner",
        "<",
        ">",
        "é",
        "1e999",
        ".",
        ";",
        "level",
        "note",
        "!=",
        "TRUE",
        "99999999999999999999999999",
        "''",
    ];
    let mut random = Random(7);
    for _ in 0..50_000 {
        let words: Vec<&str> = (0..random.next(12)).map(|_| pieces[random.next(pieces.len())]).collect();
        let _ = sql::plan(&words.join(" "), &schema, reader);
        let _ = sql::plan(&format!("SELECT * FROM item WHERE {}", words.concat()), &schema, reader);
    }
    let deep = format!("SELECT * FROM item WHERE {}kind = 1", "(".repeat(1_000_000));
    assert!(sql::plan(&deep, &schema, reader).is_err());
    let long = format!("SELECT * FROM item WHERE kind = 1{}", " AND kind = 1".repeat(1_000_000));
    assert!(sql::plan(&long, &schema, reader).is_err());
}
