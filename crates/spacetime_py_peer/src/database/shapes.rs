//! Clients with the same subscriptions get the same bytes. A shape is what such clients have in common: a transaction costs
//! one message per shape, whatever the number of its members.

use std::rc::Rc;

use super::client::ClientId;
use super::queries::QueryId;
use crate::outbox::Outbox;
use crate::store::{Map, Set};
use crate::wire::Protocol;

pub type ShapeId = u32;

/// How messages about the transactions of others are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Version 1, rows only.
    Light,
    /// Version 1, with the call.
    Full,
    /// Version 2, and 3, which has the same messages.
    Sets,
}

impl Style {
    pub fn new(protocol: Protocol, tells_of_calls: bool) -> Style {
        match protocol {
            Protocol::V1 if tells_of_calls => Style::Full,
            Protocol::V1 => Style::Light,
            Protocol::V2 | Protocol::V3 => Style::Sets,
        }
    }

    pub fn protocol(self) -> Protocol {
        if self == Style::Sets { Protocol::V2 } else { Protocol::V1 }
    }
}

/// (style, the queries of each set).
type Key = (Style, Vec<(u32, Vec<QueryId>)>);

pub struct Shape {
    pub style: Style,
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
        style: Style,
        sets: Vec<(u32, Vec<QueryId>)>,
    ) -> Option<ShapeId> {
        if sets.is_empty() {
            return None;
        }
        let key = (style, sets);
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
        self.shapes.insert(id, Shape { style: key.0, sets: key.1.clone(), members: Map::default() });
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
        self.ids.remove(&(shape.style, shape.sets));
    }
}
