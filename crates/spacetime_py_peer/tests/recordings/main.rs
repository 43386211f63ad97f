//! Recorded sessions of a real 2.8.3 server, played by a client against the peer: it must answer as the server did.
//! `tests/recordings/README.md` describes the files.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod client;
mod compare;
mod decode;
mod play;

use std::path::PathBuf;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings");

/// What is not played, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    ("multi_query_subscription_with_join", "no joins"),
    ("join_and_several_tables.sdk", "no joins"),
    ("changes_by_sql", "no INSERT, UPDATE and DELETE"),
    ("server_killed", "the peer's end is not its answer"),
    ("server_killed.sdk", "the peer's end is not its answer"),
    ("server_stops", "the peer's end is not its answer"),
];

/// Half a minute of pings.
const SLOW: &str = "server_pings_when_idle";

fn scenarios(folder: &str) -> Vec<(String, PathBuf)> {
    let files = std::fs::read_dir(format!("{RECORDINGS}/{folder}")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".jsonl.gz")?.to_owned();
            let is_left_out = name == SLOW || LEFT_OUT.iter().any(|(left_out, _)| *left_out == name);
            (!is_left_out).then_some((name, path))
        })
        .collect();
    found.sort();
    found
}

/// Plays all scenarios of a folder, and says what became of each that failed.
fn play_all(folder: &str, least_scenarios: usize, least_messages: usize) {
    let only = std::env::var("SCENARIO").ok();
    let mut failed = Vec::new();
    let (mut played, mut messages) = (0, 0);
    for (name, path) in scenarios(folder) {
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        match std::panic::catch_unwind(|| play::play(&path)) {
            Ok(count) => {
                played += 1;
                messages += count;
            }
            Err(_) => failed.push(name),
        }
    }
    assert!(failed.is_empty(), "{folder}: {failed:?}");
    println!("{folder}: {played} scenarios, {messages} messages");
    assert!(only.is_some() || (played >= least_scenarios && messages >= least_messages), "{played}, {messages}");
}

#[test]
fn version_1() {
    play_all("v1-2.8.3", 60, 1800);
}

#[test]
fn version_2() {
    play_all("v2-2.8.3", 59, 1800);
}

#[test]
fn version_3() {
    play_all("v3-2.8.3", 60, 1800);
}
