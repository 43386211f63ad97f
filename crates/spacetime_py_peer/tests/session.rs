//! What a peer does with time: who waits, when it pings, what it puts together.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "recordings/client.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod client;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::{Client, Event, http};
use spacetime_py_peer::{Options, Running, Settings};
use tungstenite::Message;

const TARGET: &str = "/v1/database/load/subscribe?compression=None";

fn peer(settings: Settings) -> Running {
    let databases = vec![("load".to_owned(), "generic".to_owned())];
    Running::start(Options { listen: "127.0.0.1:0".into(), databases, settings, ..Options::default() }).unwrap()
}

/// After its greeting.
fn connect(address: SocketAddr, protocol: &str) -> Client {
    let mut client = Client::connect(address, TARGET, &format!("{protocol}.bsatn.spacetimedb"), None).unwrap();
    assert!(matches!(client.receive(), Event::Payload(_)));
    client
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn call(request: u8, reducer: &str, args: &[u8]) -> Message {
    let mut message = vec![3, request, 0, 0, 0, 0];
    message.extend(text(reducer));
    message.extend((args.len() as u32).to_le_bytes());
    message.extend(args);
    Message::Binary(message.into())
}

fn subscribe(query: &str) -> Message {
    Message::Binary([&[0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0][..], &text(query)].concat().into())
}

fn payload(client: &mut Client) -> Vec<u8> {
    match client.receive() {
        Event::Payload(payload) => payload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_who_waits_keeps_nobody_waiting() {
    let peer = peer(Settings::default());
    let (mut slow, mut fast) = (connect(peer.address, "v2"), connect(peer.address, "v2"));
    slow.send(subscribe("SELECT * FROM counter"));
    payload(&mut slow);
    let start = Instant::now();
    slow.send(call(1, "wait", &400u32.to_le_bytes()));
    slow.send(call(2, "fill_counter", &1u32.to_le_bytes()));
    fast.send(call(1, "fill_counter", &1u32.to_le_bytes()));
    assert_eq!(payload(&mut fast)[1], 6, "a ReducerResult");
    assert!(start.elapsed() < Duration::from_millis(300));
    assert_eq!(payload(&mut slow)[1], 4, "a TransactionUpdate comes meanwhile");
    assert!(start.elapsed() < Duration::from_millis(300));
    assert_eq!(payload(&mut slow)[1..6], [6, 1, 0, 0, 0]);
    assert!(start.elapsed() >= Duration::from_millis(400));
    assert_eq!(payload(&mut slow)[1..6], [6, 2, 0, 0, 0], "its own calls keep their order");
}

#[test]
fn version_3_puts_messages_together() {
    let settings = Settings { coalesce: Duration::from_millis(100), ..Settings::default() };
    let peer = peer(settings);
    let (mut v3, mut v2) = (connect(peer.address, "v3"), connect(peer.address, "v2"));
    for client in [&mut v3, &mut v2] {
        (0..3).for_each(|request| client.send(call(request, "fill_event", &1u32.to_le_bytes())));
    }
    let single = payload(&mut v2).len() - 1;
    assert_eq!(payload(&mut v3).len(), 1 + 3 * single);
}

#[test]
fn pings_before_the_greeting_and_then_by_the_clock() {
    use std::io::{Read, Write};
    let settings = Settings { ping_first: true, ping_every: Duration::from_millis(100), ..Settings::default() };
    let peer = peer(settings);
    let mut stream = std::net::TcpStream::connect(peer.address).unwrap();
    let key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: v2.bsatn.spacetimedb";
    write!(stream, "GET {TARGET} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n{key}\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(350));
    let mut bytes = vec![0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    bytes.truncate(count);
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(bytes[head..head + 3], [0x89, 0, 0x82]);
    assert!(bytes.ends_with(&[0x89, 0]));
}

#[test]
fn what_is_offered_and_what_is_allowed() {
    use spacetime_py_peer::wire::Protocol;
    let settings = Settings { protocols: vec![Protocol::V1, Protocol::V2], ..Settings::default() };
    let peer = peer(settings);
    let all = "v1.bsatn.spacetimedb, v3.bsatn.spacetimedb, v2.bsatn.spacetimedb";
    assert_eq!(Client::connect(peer.address, TARGET, all, None).unwrap().chosen, "v2.bsatn.spacetimedb");
    let refused = Client::connect(peer.address, TARGET, "v3.bsatn.spacetimedb", None).err();
    assert_eq!(refused, Some((400, "no valid protocol selected".to_owned())));
    assert_eq!(http(peer.address, "GET", TARGET, None, "").0, 426);
}
