//! Recorded sessions of real servers, replayed: the events and rows of the truth files must come out, however the bytes
//! are cut. `tests/recordings/README.md` describes the files.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use _core::client::event::{CallError, Closed, ClosedKind};
use _core::client::keepalive::Patience;
use _core::client::{Connection, Diff, Event, Options};
use _core::sats::ModuleDef;
use _core::wire::compression::{self, Compression};
use _core::wire::message::{Content, Head, Outcome};
use _core::wire::protocol::Protocol;
use base64::prelude::*;
use flate2::read::GzDecoder;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand_core::RngCore;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tungstenite::handshake::derive_accept_key;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests");

#[derive(Clone, Copy, Debug)]
enum Cut {
    Whole,
    Bytes,
    Random,
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn module(server: &str) -> Arc<ModuleDef> {
    let version = if server == "1.2.0" { 9 } else { 10 };
    let path = format!("{TESTS}/codegen/schemas/schema-{server}-version{version}.json");
    let schema = std::fs::read_to_string(path).unwrap();
    let description = spacetime_py_codegen::describe(&schema, true).unwrap();
    Arc::new(ModuleDef::from_bsatn(&description).unwrap())
}

/// What happens to one connection, in order.
enum Step {
    Receive(Vec<u8>),
    Close,
    Eof,
}

/// Everything about one connection of a recording.
#[derive(Default)]
struct Session {
    steps: Vec<Step>,
    /// The subprotocol; none that we speak where the recording is of another one.
    protocol: Option<Protocol>,
}

impl Session {
    fn receive(&mut self, bytes: &[u8]) {
        match self.steps.last_mut() {
            Some(Step::Receive(data)) => data.extend_from_slice(bytes),
            _ => self.steps.push(Step::Receive(bytes.to_vec())),
        }
    }
}

/// An unmasked frame, as servers send them.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

fn sessions(recording: &str) -> BTreeMap<u64, Session> {
    let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
    for line in recording.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(conn) = line["conn"].as_u64() else { continue };
        let session = sessions.entry(conn).or_default();
        let data = || BASE64_STANDARD.decode(line["data"].as_str().unwrap()).unwrap();
        match (line["kind"].as_str().unwrap(), line["dir"].as_str()) {
            ("open", _) => session.protocol = Protocol::from_subprotocol(line["chosen"].as_str().unwrap()),
            ("refused", _) => {
                session.protocol = Some(Protocol::V3);
                let body = line["response_body"].as_str().unwrap_or_default();
                let status = line["status"].as_u64().unwrap();
                let head = format!("HTTP/1.1 {status} Refused\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                session.receive(head.as_bytes());
            }
            ("binary", Some("s2c")) => session.receive(&frame(2, &data())),
            ("ping", Some("s2c")) => session.receive(&frame(9, &data())),
            ("pong", Some("s2c")) => session.receive(&frame(10, &data())),
            ("close", Some("s2c")) => {
                let code = line["code"].as_u64().map(|code| (code as u16).to_be_bytes().to_vec()).unwrap_or_default();
                session
                    .receive(&frame(8, &[&code[..], line["reason"].as_str().unwrap_or_default().as_bytes()].concat()));
            }
            ("close", Some("c2s")) => session.steps.push(Step::Close),
            ("drop", _) => session.steps.push(Step::Eof),
            _ => {}
        }
    }
    sessions
}

/// An event with the message that brought it.
struct Told {
    head: Head,
    event: Event,
}

fn options(protocols: Vec<Protocol>) -> Options {
    Options {
        authority: "localhost:3000".into(),
        database: "recorded".into(),
        token: None,
        headers: Vec::new(),
        protocols,
        compression: Compression::Gzip,
        confirmed_reads: None,
        max_message_size: 1 << 30,
        patience: Patience { interval: None, timeout: None },
    }
}

fn events_of(connection: &mut Connection) -> Vec<Told> {
    std::iter::from_fn(|| connection.next_event().map(|event| Told { head: connection.head(), event: *event }))
        .collect()
}

/// Runs a session through a connection of its own.
fn replay(session: &Session, module: &Arc<ModuleDef>, cut: Cut, is_refused: bool) -> (Vec<Told>, Connection) {
    let protocol = session.protocol.unwrap();
    let mut connection = Connection::new(module.clone(), options(Protocol::ALL.to_vec())).unwrap();
    let request = String::from_utf8(connection.data_to_send()).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let upgrade = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {}\r\nsec-websocket-protocol: {}\r\n\r\n",
        derive_accept_key(key.as_bytes()),
        protocol.subprotocol()
    );
    let mut events = Vec::new();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut feed = |connection: &mut Connection, data: &[u8], events: &mut Vec<Told>| {
        let mut rest = data;
        while !rest.is_empty() {
            let size = match cut {
                Cut::Whole => rest.len(),
                Cut::Bytes => 1,
                Cut::Random => 1 + random.next_u32() as usize % 3000.min(rest.len()),
            };
            connection.receive_data(&rest[..size]);
            rest = &rest[size..];
            events.extend(events_of(connection));
        }
    };
    if !is_refused {
        feed(&mut connection, upgrade.as_bytes(), &mut events);
    }
    for step in &session.steps {
        match step {
            Step::Receive(data) => feed(&mut connection, data, &mut events),
            Step::Close => connection.close(),
            Step::Eof => connection.receive_eof(),
        }
        events.extend(events_of(&mut connection));
    }
    (events, connection)
}

/// Tables whose truth the recordings' README excepts, by server and scenario.
fn excepted(server: &str, scenario: &str) -> Option<&'static str> {
    match (server, scenario) {
        ("1.2.0", "zero_size_rows") => Some("marker"), // the number of rows is lost on the wire
        (_, "event_table") => Some("spark"),           // the legacy Subscribe gives events as rows that nobody deletes
        _ => None,
    }
}

fn changes(diff: &Diff, module: &ModuleDef, except: Option<&str>) -> BTreeMap<String, BTreeMap<&'static str, usize>> {
    let mut changes = BTreeMap::new();
    for table in diff.tables.iter().filter(|table| !table.is_event) {
        let name = &module.tables[table.table].name;
        if Some(name.as_str()) == except {
            continue;
        }
        let counts =
            [("inserted", table.inserts.len()), ("updated", table.updates.len()), ("deleted", table.deletes.len())];
        changes.insert(name.clone(), counts.into_iter().filter(|(_, count)| *count > 0).collect());
    }
    changes
}

fn expected_changes(truth: &Value, except: Option<&str>) -> BTreeMap<String, BTreeMap<&'static str, usize>> {
    let mut changes = BTreeMap::new();
    for (table, counts) in truth["changes"].as_object().into_iter().flatten() {
        if Some(table.as_str()) == except {
            continue;
        }
        let count = |key: &'static str| Some((key, counts[key].as_u64()? as usize));
        changes.insert(table.clone(), ["inserted", "updated", "deleted"].into_iter().filter_map(count).collect());
    }
    changes
}

fn check_event(told: &mut Told, truth: &Value, module: &ModuleDef, except: Option<&str>) {
    let text = |key: &str| truth[key].as_str().map(str::to_owned);
    let kind = truth["message"].as_str().unwrap();
    let Told { head, event } = told;
    match (kind, &*event) {
        ("close", Event::Closed(Closed { kind: ClosedKind::Closed, code, reason, .. })) => {
            assert_eq!(truth["code"].as_u64(), code.map(u64::from));
            assert_eq!(text("reason").unwrap_or_default(), *reason);
        }
        ("drop", Event::Closed(Closed { kind: ClosedKind::Lost, .. })) => {}
        ("refused", Event::Closed(Closed { kind: ClosedKind::Refused, .. })) => {}
        (_, Event::Closed(_)) => panic!("{kind} gave {event:?}"),
        _ => {
            assert_eq!(head.name, kind);
            if truth["message_id"].is_null() {
                assert_eq!(head.request_id.map(u64::from), truth["request_id"].as_u64(), "{truth}");
            }
            let set = truth["query"].as_u64().or(truth["set"].as_u64());
            assert_eq!(head.query_set.map(u64::from), set, "{truth}");
        }
    }
    match &*event {
        Event::SubscriptionFailed { message, .. } => assert_eq!(text("error").as_ref(), Some(message)),
        Event::Transaction { cause, error, .. } => {
            if head.name == "TransactionUpdate" && cause.is_some() {
                assert_eq!(text("reducer"), cause.as_ref().map(|cause| cause.reducer.as_str().to_owned()));
            }
            let said = error.as_ref().map(|error| match error {
                CallError::Sender(text) | CallError::Internal(text) => text.clone(),
            });
            assert_eq!(text("error"), said);
        }
        _ => {}
    }
    let diff = told.event.diff_mut().map(std::mem::take).unwrap_or_default();
    // What leaves with a query set whose rows the server does not send is not in the truth.
    if truth["rows"] != "none" {
        assert_eq!(changes(&diff, module, except), expected_changes(truth, except), "{truth}");
    }
}

fn check_cache(connection: &Connection, truth: &Value, module: &ModuleDef, except: Option<&str>) {
    for (index, table) in module.tables.iter().enumerate() {
        if Some(table.name.as_str()) == except {
            continue;
        }
        let mut rows: Vec<(&[u8], u32)> = connection.cache().table(index).rows().iter().collect();
        rows.sort();
        let expected = &truth[&table.name];
        assert_eq!(rows.len() as u64, expected["rows"].as_u64().unwrap_or(0), "rows of {}", table.name);
        if rows.is_empty() {
            continue;
        }
        let mut digest = Sha256::new();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (row, count) in rows {
            digest.update(row);
            *counts.entry(count.to_string()).or_default() += 1;
        }
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(hex.as_str()), expected["sha256_of_sorted_rows"].as_str(), "rows of {}", table.name);
        let expected: BTreeMap<String, u64> = serde_json::from_value(expected["reference_counts"].clone()).unwrap();
        assert_eq!(counts, expected, "counts of {}", table.name);
        assert_eq!(connection.cache().table(index).missing_deletes, 0);
    }
}

/// The server's side of the truth.
fn makes_an_event(truth: &&Value) -> bool {
    truth["dir"] == "s2c" || truth["message"] == "refused" || truth["message"] == "drop"
}

fn replay_file(path: &Path, server: &str, cut: Cut) -> usize {
    let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".jsonl.gz").unwrap();
    let scenario = name.strip_suffix(".sdk").unwrap_or(name);
    let truth: Value = serde_json::from_str(&read(&path.with_file_name(format!("{name}.truth.json.gz")))).unwrap();
    let module = module(server);
    let except = excepted(server, scenario);
    let mut replayed = 0;
    for (conn, session) in sessions(&read(path)).iter().filter(|(_, session)| session.protocol.is_some()) {
        let expected = truth["expected"].as_array().unwrap().iter().filter(|item| item["conn"] == *conn);
        let expected: Vec<&Value> = expected.filter(makes_an_event).collect();
        let is_refused = expected.iter().any(|item| item["message"] == "refused");
        let (events, connection) = replay(session, &module, cut, is_refused);
        let mut events: Vec<_> = events.into_iter().filter(|told| !matches!(told.event, Event::Warning(_))).collect();
        for (told, truth) in events.iter_mut().zip(&expected) {
            check_event(told, truth, &module, except);
        }
        assert_eq!(events.len(), expected.len(), "{name}, connection {conn}");
        check_cache(&connection, &truth["client_cache_at_end"][conn.to_string()], &module, except);
        replayed += 1;
    }
    replayed
}

fn recordings(folder: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(format!("{TESTS}/recordings/{folder}")).unwrap().map(|entry| entry.unwrap().path());
    let is_recording =
        |path: &PathBuf| path.to_str().unwrap().ends_with(".jsonl.gz") || path.to_str().unwrap().ends_with(".jsonl");
    let mut files: Vec<_> = files.filter(is_recording).collect();
    files.sort();
    files
}

fn replay_all(protocol: &str, server: &str, least: usize) {
    for cut in [Cut::Whole, Cut::Random, Cut::Bytes] {
        let mut replayed = 0;
        for path in recordings(&format!("{protocol}-{server}")) {
            println!("{} {cut:?}", path.display());
            replayed += replay_file(&path, server, cut);
        }
        assert!(replayed >= least, "only {replayed} connections were replayed");
    }
}

#[test]
fn sessions_of_version_1_on_1_2_0() {
    replay_all("v1", "1.2.0", 80);
}

#[test]
fn sessions_of_version_1_on_2_8_3() {
    replay_all("v1", "2.8.3", 80);
}

#[test]
fn sessions_of_version_2() {
    replay_all("v2", "2.8.3", 80);
}

#[test]
fn sessions_of_version_3() {
    replay_all("v3", "2.8.3", 80);
}

/// What reducers of 2.8.3 return: nothing when they end well, a string when they refuse.
#[test]
fn what_reducers_return() {
    for protocol in [Protocol::V2, Protocol::V3] {
        let (mut values, mut errors) = (0, 0);
        for path in recordings(&format!("{}-2.8.3", protocol.name())) {
            for payload in payloads(&read(&path)) {
                let mut body = compression::open(payload.into(), 1 << 30).unwrap();
                while !body.is_empty() {
                    let (message, rest) = protocol.decode(&body, 1 << 30, None).unwrap();
                    body = rest;
                    let Content::ReducerResult { outcome, returned, .. } = message.content else { continue };
                    match (outcome, returned) {
                        (Outcome::Committed(_), Some(Ok(value))) => {
                            assert!(value.is_empty());
                            values += 1;
                        }
                        (Outcome::Failed(text), Some(Err(error))) => {
                            let length = (text.len() as u32).to_le_bytes();
                            assert_eq!(error, [&length[..], text.as_bytes()].concat());
                            errors += 1;
                        }
                        (Outcome::NotRun(_), None) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
        assert!(values > 100 && errors > 0, "{values} values and {errors} errors");
    }
}

/// The messages of the server in a recording of one protocol.
fn payloads(recording: &str) -> Vec<Vec<u8>> {
    let lines = recording.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_message = |line: &Value| line["kind"] == "binary" && line["dir"] == "s2c";
    lines.filter(is_message).map(|line| BASE64_STANDARD.decode(line["data"].as_str().unwrap()).unwrap()).collect()
}

/// The bytes of a TCP connection as they came: real heads of answers, and the 4096-byte fragments of 2.8.3.
#[test]
fn tcp_sessions() {
    for (protocol, server) in [("v1", "1.2.0"), ("v1", "2.8.3"), ("v2", "2.8.3"), ("v3", "2.8.3")] {
        let recording = read(Path::new(&format!("{TESTS}/recordings/tcp/tcp-{protocol}-{server}.jsonl.gz")));
        let mut received = Vec::new();
        for line in recording.lines().skip(1) {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["kind"] == "tcp" && line["dir"] == "s2c" {
                received.extend(BASE64_STANDARD.decode(line["data"].as_str().unwrap()).unwrap());
            }
        }
        // Its head answers another key than ours; everything after it is replayed.
        let head = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let steps = vec![Step::Receive(received[head..].to_vec())];
        let session = Session { steps, protocol: Protocol::from_name(protocol) };
        for cut in [Cut::Whole, Cut::Bytes, Cut::Random] {
            let (events, connection) = replay(&session, &module(server), cut, false);
            assert!(matches!(events[0].event, Event::Connected { .. }));
            let rows = |told: &Told| match &told.event {
                Event::SubscribeApplied { diff, .. } => diff.tables.iter().map(|table| table.inserts.len()).sum(),
                _ => 0,
            };
            assert_eq!(events.iter().map(rows).sum::<usize>(), 1000, "{server} {cut:?}");
            let last = events.last().map(|told| &told.event);
            assert!(matches!(last, Some(Event::Closed(Closed { kind: ClosedKind::Closed, .. }))));
            assert!(connection.cache().table(module(server).table("bulk").unwrap()).rows().len() == 1000);
        }
    }
}
