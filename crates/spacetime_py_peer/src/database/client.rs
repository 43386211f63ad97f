//! What a database knows of one connected client.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::queries::QueryId;
use super::shapes::{ShapeId, Style};
use super::{ConnectionId, Identity};
use crate::outbox::Outbox;
use crate::wire::Protocol;

pub type ClientId = u64;

/// The name of a client's subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetKey {
    /// The only one of its kind, of version 1.
    Legacy,
    Numbered(u32),
}

pub struct Client {
    pub identity: Identity,
    pub connection_id: ConnectionId,
    pub protocol: Protocol,
    pub style: Style,
    pub outbox: Rc<Outbox>,
    /// The queries of each subscription; each one holds its queries, even if another one has the same.
    pub sets: BTreeMap<SetKey, Vec<QueryId>>,
    pub shape: Option<ShapeId>,
}

impl Client {
    pub fn new(
        identity: Identity,
        connection_id: ConnectionId,
        protocol: Protocol,
        style: Style,
        outbox: Rc<Outbox>,
    ) -> Client {
        Client { identity, connection_id, protocol, style, outbox, sets: BTreeMap::new(), shape: None }
    }

    pub fn queries(&self) -> impl Iterator<Item = QueryId> {
        self.sets.values().flatten().copied()
    }

    /// What updates are made of: by set, or, in version 1, all different queries under one roof.
    pub fn update_sets(&self) -> Vec<(u32, Vec<QueryId>)> {
        if self.protocol == Protocol::V1 {
            let mut queries: Vec<QueryId> = self.queries().collect();
            queries.sort_unstable();
            queries.dedup();
            return if queries.is_empty() { Vec::new() } else { vec![(0, queries)] };
        }
        let number = |key: &SetKey| match key {
            SetKey::Legacy => 0,
            SetKey::Numbered(number) => *number,
        };
        self.sets.iter().map(|(key, queries)| (number(key), queries.clone())).collect()
    }
}
