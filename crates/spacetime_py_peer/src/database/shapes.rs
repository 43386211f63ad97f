//! Clients with the same subscriptions get the same bytes. A shape is what such clients have in common: a transaction costs
//! one message per shape, whatever the number of its members.

use std::rc::Rc;

use super::client::ClientId;
use super::queries::QueryId;
use crate::outbox::Outbox;
use crate::store::{Map, Set};
use crate::wire::Protocol;

pub type ShapeId = u32;

/// (protocol, the queries of each set).
type Key = (Protocol, Vec<(u32, Vec<QueryId>)>);

pub struct Shape {
    pub protocol: Protocol,
    pub sets: Vec<(u32, Vec<QueryId>)>,
    pub members: Map<ClientId, Rc<Outbox>>,
}

#[derive(Default)]
pub struct Shapes {
    ids: Map<Key, ShapeId>,
    shapes: Map<ShapeId, Shape>,
    /// Where each query occurs.
    by_query: Map<QueryId, Set<ShapeId>>,
    next: ShapeId,
}

impl Shapes {
    pub fn get(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(&id)
    }

    /// The shapes that have one of these queries.
    pub fn affected<'a>(&'a self, queries: impl Iterator<Item = &'a QueryId>) -> Set<ShapeId> {
        queries.filter_map(|query| self.by_query.get(query)).flatten().copied().collect()
    }

    /// Makes a client a member of the shape of these sets; there is none for no sets.
    pub fn join(
        &mut self,
        client: ClientId,
        outbox: &Rc<Outbox>,
        protocol: Protocol,
        sets: Vec<(u32, Vec<QueryId>)>,
    ) -> Option<ShapeId> {
        if sets.is_empty() {
            return None;
        }
        // Messages of version 3 are those of version 2.
        let protocol = if protocol == Protocol::V3 { Protocol::V2 } else { protocol };
        let key = (protocol, sets);
        let id = match self.ids.get(&key) {
            Some(id) => *id,
            None => self.add(key),
        };
        self.shapes.get_mut(&id)?.members.insert(client, outbox.clone());
        Some(id)
    }

    fn add(&mut self, key: Key) -> ShapeId {
        let id = self.next;
        self.next += 1;
        for query in key.1.iter().flat_map(|(_, queries)| queries) {
            self.by_query.entry(*query).or_default().insert(id);
        }
        self.shapes.insert(id, Shape { protocol: key.0, sets: key.1.clone(), members: Map::default() });
        self.ids.insert(key, id);
        id
    }

    /// A client has another shape from now on. One without members is no more.
    pub fn leave(&mut self, client: ClientId, id: Option<ShapeId>) {
        let Some(shape) = id.and_then(|id| self.shapes.get_mut(&id)) else { return };
        shape.members.remove(&client);
        if !shape.members.is_empty() {
            return;
        }
        let Some((id, shape)) = id.and_then(|id| self.shapes.remove_entry(&id)) else { return };
        for query in shape.sets.iter().flat_map(|(_, queries)| queries) {
            if let Some(shapes) = self.by_query.get_mut(query) {
                shapes.remove(&id);
                if shapes.is_empty() {
                    self.by_query.remove(query);
                }
            }
        }
        self.ids.remove(&(shape.protocol, shape.sets));
    }
}
