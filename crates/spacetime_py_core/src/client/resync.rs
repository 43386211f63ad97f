//! After a reconnect: the new rows come into a cache of their own, out of sight, until every query set has answered.
//! Then they take the place of the old ones at once, and what differs is told.

use std::collections::BTreeSet;

use super::cache::ClientCache;
use super::event::Event;

#[derive(Debug)]
pub struct Resync {
    pub cache: ClientCache,
    /// Numbers on the wire of the query sets that have not answered.
    waiting: BTreeSet<u32>,
    /// Answers that came meanwhile; they are told after the rows, as ever.
    held: Vec<Event>,
    /// Ids of query sets that end with the change, since the user wants them no more.
    pub ended: Vec<u32>,
}

impl Resync {
    pub fn new(cache: ClientCache) -> Self {
        Resync { cache, waiting: BTreeSet::new(), held: Vec::new(), ended: Vec::new() }
    }

    pub fn wait_for(&mut self, wire_id: u32) {
        self.waiting.insert(wire_id);
    }

    /// A query set has answered, or never will.
    pub fn answered(&mut self, wire_id: u32) {
        self.waiting.remove(&wire_id);
    }

    pub fn stop_waiting(&mut self) {
        self.waiting.clear();
    }

    pub fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps an event for later. Changes of cached rows are part of the difference that will be told; rows of event tables
    /// are not.
    pub fn hold(&mut self, mut event: Event) {
        let mut happened = false;
        if let Some(diff) = event.diff_mut() {
            diff.tables.retain(|table| table.is_event);
            happened = !diff.tables.is_empty();
        }
        if happened || event.is_answer() {
            self.held.push(event);
        }
    }

    /// What was held back, once the new rows are in place.
    pub fn into_held(self) -> Vec<Event> {
        self.held
    }

    /// The connection is gone before that. Answers stay true; query sets will be applied by the next connection.
    pub fn into_answers(self) -> Vec<Event> {
        self.held.into_iter().filter(|event| !matches!(event, Event::SubscribeApplied { .. })).collect()
    }
}
