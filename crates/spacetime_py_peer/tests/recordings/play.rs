//! One recording against a peer of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use _core::sats::{ModuleDef, Reader};
use base64::prelude::*;
use flate2::read::GzDecoder;
use serde_json::Value;
use spacetime_py_peer::{Options, Running};
use tungstenite::Message;

use crate::client::{Client, Event, http};
use crate::compare::{Names, Side};
use crate::decode::{Decoder, open};

/// Steps that went over HTTP and are in the recordings only as words, or in what was there at the start:
/// (scenario, words of the note or nothing for the start, reducer, arguments).
const UNSEEN: [(&str, &str, &str, &str); 18] = [
    ("call_over_http_seen_by_websocket", "add_diary is called", "add_diary", r#"["http", 3]"#),
    ("connect_rejected_by_module", "refuses every connection", "set_gate", "[true]"),
    ("one_off_query", "", "bulk_insert", "[0, 4, 1]"),
    ("subscribe_1_row", "", "bulk_insert", "[0, 1, 1]"),
    ("subscribe_1000_rows_none", "", "bulk_insert", "[0, 1000, 1]"),
    ("subscribe_1000_rows_gzip", "", "bulk_insert", "[0, 1000, 1]"),
    ("subscribe_1000_rows_brotli", "", "bulk_insert", "[0, 1000, 1]"),
    ("subscribe_fixed_size_rows", "", "dot_insert", "[0, 500]"),
    ("zero_size_rows", "", "add_marker", "[]"),
    ("subscribe_all_tables", "", "add_marker", "[]"),
    ("subscribe_all_tables", "", "bulk_insert", "[0, 3, 1]"),
    ("subscribe_all_tables", "", "add_diary", r#"["d", 1]"#),
    ("subscribe_all_tables", "", "add_secret", r#"[1, "private"]"#),
    ("unsubscribe", "", "bulk_insert", "[0, 5, 1]"),
    ("unsubscribe", "", "add_diary", r#"["x", 1]"#),
    ("unsubscribe", "insert into bulk", "bulk_insert", "[10, 1, 1]"),
    ("v1_legacy_and_single_subscriptions", "", "add_diary", r#"["x", 1]"#),
    ("v1_legacy_and_single_subscriptions", "", "bulk_insert", "[0, 2, 1]"),
];

/// Many calls without waiting: the server sends those first that never ran, this peer keeps to the order.
const IN_ANY_ORDER: [&str; 2] = ["calls_in_flight", "procedure_call"];

/// Gives the number of messages that were compared.
pub fn play(path: &Path) -> usize {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".jsonl.gz").unwrap();
    println!("{}", path.display());
    let mut player = Player::new(name, greetings(&lines));
    player.unseen("");
    lines[1..].iter().for_each(|line| player.line(line));
    player.finish()
}

/// The first payload that each connection got.
fn greetings(lines: &[Value]) -> BTreeMap<u64, Vec<u8>> {
    let mut greetings = BTreeMap::new();
    for line in lines.iter().filter(|line| line["kind"] == "binary" && line["dir"] == "s2c") {
        let payload = || BASE64_STANDARD.decode(line["data"].as_str().unwrap()).unwrap();
        greetings.entry(line["conn"].as_u64().unwrap()).or_insert_with(payload);
    }
    greetings
}

struct Player {
    scenario: String,
    greetings: BTreeMap<u64, Vec<u8>>,
    peer: Running,
    module: ModuleDef,
    owner: String,
    clients: BTreeMap<u64, Client>,
    names: Names,
    /// Tokens of the recording and those they are here.
    tokens: BTreeMap<String, String>,
    /// (recorded, ours), by connection.
    messages: BTreeMap<u64, Vec<(Value, Value)>>,
    compared: usize,
}

impl Player {
    fn new(scenario: &str, greetings: BTreeMap<u64, Vec<u8>>) -> Player {
        let options = Options { listen: "127.0.0.1:0".into(), ..Options::default() };
        let peer = Running::start(options).unwrap();
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/codegen/schemas/schema-2.8.3-version10.json");
        let description = spacetime_py_codegen::describe(&std::fs::read_to_string(schema).unwrap(), true).unwrap();
        let module = ModuleDef::from_bsatn(&description).unwrap();
        let (_, identity) = http(peer.address, "POST", "/v1/identity", None, "");
        let identity: Value = serde_json::from_str(&identity).unwrap();
        let owner = identity["token"].as_str().unwrap().to_owned();
        let (status, _) = http(peer.address, "PUT", "/v1/database/recorded", Some(&owner), "native:mod28");
        assert_eq!(status, 200);
        Player {
            scenario: scenario.to_owned(),
            greetings,
            peer,
            module,
            owner,
            clients: BTreeMap::new(),
            names: Names::default(),
            tokens: BTreeMap::new(),
            messages: BTreeMap::new(),
            compared: 0,
        }
    }

    fn line(&mut self, line: &Value) {
        let conn = line["conn"].as_u64().unwrap_or_default();
        let is_ours = line["dir"] == "c2s";
        let data = || BASE64_STANDARD.decode(line["data"].as_str().unwrap()).unwrap();
        match line["kind"].as_str().unwrap() {
            "note" => self.unseen(line["text"].as_str().unwrap()),
            "open" | "refused" => self.open(conn, line),
            "binary" if is_ours => self.client(conn).send(Message::Binary(data().into())),
            "text" if is_ours => self.client(conn).send(Message::text(line["data"].as_str().unwrap())),
            "binary" => self.expect(conn, &data()),
            "close" if is_ours => {
                let code = line["code"].as_u64().map(|code| code as u16);
                let frame = code.map(|code| tungstenite::protocol::CloseFrame { code: code.into(), reason: "".into() });
                // One that answers the server's is sent by itself.
                self.client(conn).close(frame);
            }
            "close" => match self.client(conn).receive() {
                Event::Close(frame) => {
                    let recorded = line["code"].as_u64().map(|code| (code as u16, line["reason"].as_str().unwrap()));
                    assert_eq!(frame.as_ref().map(|(code, reason)| (*code, reason.as_str())), recorded);
                }
                other => panic!("{line} gave {other:?}"),
            },
            "drop" => assert!(matches!(self.client(conn).receive(), Event::Drop)),
            "http" => self.http(line),
            _ => {} // pings and pongs
        }
    }

    fn client(&mut self, conn: u64) -> &mut Client {
        self.clients.get_mut(&conn).unwrap()
    }

    fn open(&mut self, conn: u64, line: &Value) {
        let (path, query) = (line["path"].as_str().unwrap(), line["query"].as_str().unwrap());
        let mut target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        for (recorded, ours) in &self.tokens {
            target = target.replace(recorded, ours);
        }
        let header =
            line["request_headers"]["authorization"].as_str().and_then(|header| header.strip_prefix("Bearer "));
        let token = header.map(|token| self.tokens.get(token).cloned().unwrap_or_else(|| token.to_owned()));
        let token = token.map(|token| self.known(token));
        if let Some((before, unknown)) = target.split_once("token-") {
            let digits = unknown.find('&').unwrap_or(unknown.len());
            let token = self.known(format!("token-{}", &unknown[..digits]));
            target = format!("{before}{token}{}", &unknown[digits..]);
        }
        let offered = line["offered_to_server"].as_array().unwrap_or_else(|| line["offered"].as_array().unwrap());
        let offered: Vec<&str> = offered.iter().map(|name| name.as_str().unwrap()).collect();
        match Client::connect(self.peer.address, &target, &offered.join(", "), token.as_deref()) {
            Ok(client) => {
                assert_eq!(line["chosen"].as_str(), Some(client.chosen.as_str()), "{line}");
                let recorded = line["response_headers"]["spacetime-identity-token"].as_str();
                if let Some(recorded) = recorded {
                    self.tokens.insert(recorded.to_owned(), client.token.clone());
                }
                self.clients.insert(conn, client);
                self.greet(conn);
            }
            Err((status, body)) => {
                assert_eq!(line["status"].as_u64(), Some(status.into()), "{line} gave {body}");
                let recorded = line["response_body"].as_str().unwrap();
                let same = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
                assert_eq!(same(&body), same(recorded));
            }
        }
    }

    /// A token of somebody who was known before the recording began is one of somebody here.
    fn known(&mut self, token: String) -> String {
        if !token.starts_with("token-") {
            return token;
        }
        let owner = &self.owner;
        self.tokens.entry(token).or_insert_with(|| owner.clone()).clone()
    }

    fn http(&mut self, line: &Value) {
        let (status, body) = http(self.peer.address, "POST", line["path"].as_str().unwrap(), Some(&self.owner), "");
        assert_eq!(Some(u64::from(status)), line["status"].as_u64());
        let recorded: Value = serde_json::from_str(line["response_body"].as_str().unwrap()).unwrap();
        let ours: Value = serde_json::from_str(&body).unwrap();
        self.tokens.insert(recorded["token"].as_str().unwrap().into(), ours["token"].as_str().unwrap().into());
    }

    fn unseen(&mut self, note: &str) {
        for (scenario, words, reducer, args) in UNSEEN {
            let is_now = if words.is_empty() { note.is_empty() } else { note.contains(words) };
            if scenario == self.scenario && is_now {
                let path = format!("/v1/database/recorded/call/{reducer}");
                assert_eq!(http(self.peer.address, "POST", &path, Some(&self.owner), args), (200, String::new()));
            }
        }
        let database = "/v1/database/recorded";
        if note.contains("deletes the database") {
            assert_eq!(http(self.peer.address, "DELETE", database, Some(&self.owner), "").0, 200);
        }
        if note.contains("publishes again with clear=true") {
            let target = format!("{database}?clear=true");
            assert_eq!(http(self.peer.address, "PUT", &target, Some(&self.owner), "native:mod28").0, 200);
        }
    }

    /// Takes the greeting at once, if there is to be one: other clients may hear of this one before it is compared.
    fn greet(&mut self, conn: u64) {
        let Some(recorded) = self.greetings.get(&conn).map(|payload| open(payload)) else { return };
        let Event::Payload(payload) = self.client(conn).receive() else { panic!("there was no greeting") };
        let payload = open(&payload);
        let is_v1 = self.client(conn).is_v1();
        let (ours, theirs) = (ids(&payload, is_v1), ids(&recorded, is_v1));
        self.names.add(ours.0, theirs.0);
        self.names.add(ours.1, theirs.1);
        self.take(conn, &payload);
    }

    fn take(&mut self, conn: u64, payload: &[u8]) {
        let is_v1 = self.client(conn).is_v1();
        let side = Side { module: &self.module, names: Some(&self.names) };
        let messages = Decoder { reader: Reader::new(payload), rows: &side }.messages(is_v1);
        self.client(conn).waiting.extend(messages);
    }

    /// The peer must send what the server sent.
    fn expect(&mut self, conn: u64, recorded: &[u8]) {
        let recorded = open(recorded);
        let side = Side { module: &self.module, names: None };
        let is_v1 = self.clients[&conn].is_v1();
        for message in (Decoder { reader: Reader::new(&recorded), rows: &side }).messages(is_v1) {
            while self.client(conn).waiting.is_empty() {
                match self.client(conn).receive() {
                    Event::Payload(payload) => self.take(conn, &open(&payload)),
                    other => panic!("{message} was expected, {other:?} came"),
                }
            }
            let ours = self.client(conn).waiting.pop_front().unwrap();
            self.compared += 1;
            if IN_ANY_ORDER.contains(&self.scenario.as_str()) {
                self.messages.entry(conn).or_default().push((message, ours));
            } else {
                assert_eq!(ours, message, "{}, connection {conn}", self.scenario);
            }
        }
    }

    /// Nothing may be left over.
    fn finish(self) -> usize {
        for (conn, client) in &self.clients {
            assert!(client.waiting.is_empty(), "{}, connection {conn}: {:?}", self.scenario, client.waiting);
        }
        for (conn, messages) in self.messages {
            let (mut recorded, mut ours): (Vec<Value>, Vec<Value>) = messages.into_iter().unzip();
            recorded.sort_by_cached_key(Value::to_string);
            ours.sort_by_cached_key(Value::to_string);
            assert_eq!(ours, recorded, "{}, connection {conn}", self.scenario);
        }
        self.compared
    }
}

/// Identity and connection id of a greeting.
fn ids(greeting: &[u8], is_v1: bool) -> (&[u8], &[u8]) {
    let connection_id = if is_v1 { &greeting[greeting.len() - 16..] } else { &greeting[33..49] };
    (&greeting[1..33], connection_id)
}
