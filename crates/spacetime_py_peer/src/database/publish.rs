//! From the changes of a transaction to the messages about it.

use std::collections::BTreeMap;

use super::client::ClientId;
use super::queries::QueryId;
use super::shapes::{Shape, Style};
use super::{Call, State};
use crate::modules::Module;
use crate::outbox::{Item, Message};
use crate::store::{Delta, Map, Set};
use crate::wire::Reply;
use crate::wire::reply::{Outcome, QueryUpdate, ReducerReply, SetUpdate, TableUpdate};

impl State {
    /// Tells all subscribers but the caller, whose own part it gives.
    pub(super) fn publish(&mut self, module: &dyn Module, deltas: BTreeMap<usize, Delta>, call: Call<'_>) -> Vec<u8> {
        let updates = self.query_updates(module, &deltas);
        for id in self.shapes.affected(updates.keys()) {
            let Some(shape) = self.shapes.get(id) else { continue };
            let mut others = shape.members.iter().filter(|(client, _)| Some(**client) != call.client).peekable();
            if others.peek().is_none() {
                continue;
            }
            let update = self.encode(shape, &updates);
            let message = Message::new(shape.style.protocol().encode(&self.told(shape.style, call, &update)));
            others.for_each(|(_, outbox)| outbox.push(Item::Message(message.clone())));
        }
        self.part_of(call.client, &updates)
    }

    /// A transaction as others are told of it.
    fn told<'a>(&self, style: Style, call: Call<'a>, update: &'a [u8]) -> Reply<'a> {
        if style != Style::Full {
            return Reply::Transaction { request: call.request, update };
        }
        Reply::Reducer(ReducerReply {
            request: call.request,
            timestamp: self.last_timestamp,
            name: call.reducer,
            number: self.tables.schema.reducer(call.reducer).map_or(0, |(number, _)| number),
            args: call.args,
            identity: call.caller.identity,
            connection_id: call.caller.connection_id.unwrap_or_default(),
            outcome: Outcome::Committed { update, value: &[] },
        })
    }

    /// What the transaction means to the caller; nothing is an empty update too.
    fn part_of(&self, caller: Option<ClientId>, updates: &Map<QueryId, QueryUpdate>) -> Vec<u8> {
        let Some(client) = caller.and_then(|caller| self.clients.get(&caller)) else { return Vec::new() };
        match client.shape.and_then(|shape| self.shapes.get(shape)) {
            Some(shape) => self.encode(shape, updates),
            None => client.protocol.encode_update(&[]),
        }
    }

    fn query_updates(&mut self, module: &dyn Module, deltas: &BTreeMap<usize, Delta>) -> Map<QueryId, QueryUpdate> {
        let mut updates = Map::default();
        for (table, delta) in deltas {
            self.queries.updates((*table, None), delta, &self.tables.schema, &mut updates);
        }
        if !deltas.is_empty() {
            self.update_views(module, &mut updates);
        }
        updates
    }

    /// Views that somebody looks at are made anew and compared with what they were.
    fn update_views(&mut self, module: &dyn Module, updates: &mut Map<QueryId, QueryUpdate>) {
        let views: Vec<_> = self.queries.sources.iter().filter(|(_, source)| source.view_rows.is_some()).collect();
        let views: Vec<_> = views.into_iter().map(|(key, _)| *key).collect();
        for key in views {
            let rows: Set<_> = module.view(key.0, key.1.unwrap_or_default(), &self.tables).into_iter().collect();
            let Some(before) = self.queries.sources.get_mut(&key).and_then(|source| source.view_rows.as_mut()) else {
                continue;
            };
            let delta = Delta {
                inserts: rows.difference(before).cloned().collect(),
                deletes: before.difference(&rows).cloned().collect(),
                events: Vec::new(),
            };
            *before = rows;
            self.queries.updates(key, &delta, &self.tables.schema, updates);
        }
    }

    /// Sets in their order, tables by name, in each the queries that have changes.
    fn encode(&self, shape: &Shape, updates: &Map<QueryId, QueryUpdate>) -> Vec<u8> {
        let mut sets = Vec::new();
        for (set, queries) in &shape.sets {
            let mut tables: BTreeMap<&str, TableUpdate<'_>> = BTreeMap::new();
            for id in queries {
                let (Some(update), Some(query)) = (updates.get(id), self.queries.get(*id)) else { continue };
                let (table, name) = (query.plan.table, &*self.tables.schema.def.tables[query.plan.table].name);
                let entry = tables.entry(name).or_insert(TableUpdate { table, name, queries: Vec::new() });
                entry.queries.push(update);
            }
            if !tables.is_empty() {
                sets.push(SetUpdate { set: *set, tables: tables.into_values().collect() });
            }
        }
        shape.style.protocol().encode_update(&sets)
    }
}
