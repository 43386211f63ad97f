//! Subscriptions come and go, and queries are answered once.

use super::client::SetKey;
use super::queries::QueryId;
use super::{ClientId, Database, State};
use crate::numbers::to_hex;
use crate::sql;
use crate::store::{Row, Set};
use crate::wire::reply::QueryRows;
use crate::wire::request::Form;
use crate::wire::{Protocol, Reply, rows};

const NEEDS_V2: &str = "Subscribing to event tables requires WebSocket v2. \
                        Please upgrade your client SDK and regenerate your module bindings.";

impl Database {
    pub fn subscribe(&self, id: ClientId, request: u32, set: u32, queries: &[&str], form: Form) {
        let planned = self.plan(id, set, queries, form);
        let state = &mut *self.state.borrow_mut();
        let reply = match planned {
            Ok(plans) => {
                let rows = self.apply(state, id, key_of(form, set), plans, form);
                let rows = self.query_rows(&rows, form != Form::Single);
                state.encode_for(id, &Reply::Applied { request, set, form, rows: &rows })
            }
            Err(text) => state.encode_for(id, &Reply::SubscriptionError { request, set, form, text: &text }),
        };
        state.send(id, reply);
    }

    fn plan(&self, id: ClientId, set: u32, queries: &[&str], form: Form) -> Result<Vec<(String, sql::Plan)>, String> {
        let state = self.state.borrow();
        let Some(client) = state.clients.get(&id) else { return Err(String::new()) };
        let key = key_of(form, set);
        if key != SetKey::Legacy && client.sets.contains_key(&key) {
            let who = format!("(Identity({}), ConnectionId({}))", hex(&client.identity), hex(&client.connection_id));
            return Err(format!("Subscription with id QuerySetId {{ id: {set} }} already exists for client: {who}"));
        }
        let mut plans = Vec::new();
        for text in queries {
            let planned = sql::plan(text, &self.schema, self.reader(client.identity));
            plans.extend(planned.map_err(|error| format!("{error}, executing: `{text}`"))?);
        }
        let has_events = plans.iter().any(|(_, plan)| self.schema.def.tables[plan.table].is_event);
        if has_events && client.protocol == Protocol::V1 && form != Form::Legacy {
            return Err(NEEDS_V2.into());
        }
        Ok(plans)
    }

    /// Makes the subscription, and gives the rows that are new with it, by query.
    fn apply(
        &self,
        state: &mut State,
        id: ClientId,
        key: SetKey,
        plans: Vec<(String, sql::Plan)>,
        form: Form,
    ) -> Vec<(usize, Vec<Row>)> {
        let Some(identity) = state.clients.get(&id).map(|client| client.identity) else { return Vec::new() };
        state.take_set(id, key);
        let had = state.known_queries(id);
        let mut queries: Vec<QueryId> = Vec::new();
        let mut found = Vec::new();
        for (text, plan) in plans {
            let table = plan.table;
            let is_view = self.schema.tables[table].view.is_some();
            let query = state.queries.hold(text, plan, identity, is_view);
            if queries.contains(&query) {
                state.queries.release(query);
                continue;
            }
            queries.push(query);
            let rows = state.rows_of(&*self.module, query, identity);
            if form == Form::Single || !had.contains(&query) {
                found.push((table, rows));
            }
        }
        if let Some(client) = state.clients.get_mut(&id) {
            client.sets.insert(key, queries);
        }
        state.reshape(id);
        found
    }

    pub fn unsubscribe(&self, id: ClientId, request: u32, set: u32, form: Form, send_rows: bool) {
        let state = &mut *self.state.borrow_mut();
        let Some(client) = state.clients.get(&id) else { return };
        let identity = client.identity;
        let Some(queries) = client.sets.get(&SetKey::Numbered(set)).cloned() else {
            let who = format!("(Identity({}), ConnectionId({}))", hex(&client.identity), hex(&client.connection_id));
            let text = format!("Subscription not found: ({who}, QuerySetId {{ id: {set} }})");
            let reply = state.encode_for(id, &Reply::SubscriptionError { request, set, form, text: &text });
            return state.send(id, reply);
        };
        // The rows are read while the queries are still held.
        let rows = queries.iter().filter_map(|query| Some((*query, state.queries.get(*query)?.plan.table)));
        let rows: Vec<_> = rows.collect();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(query, table)| (query, table, state.rows_of(&*self.module, query, identity)))
            .collect();
        state.take_set(id, SetKey::Numbered(set));
        state.reshape(id);
        let still_has = state.known_queries(id);
        let gone = rows.into_iter().filter(|(query, ..)| !still_has.contains(query));
        let gone: Vec<_> = gone.map(|(_, table, rows)| (table, rows)).collect();
        let rows = self.query_rows(&gone, form != Form::Single);
        let rows = send_rows.then_some(&rows[..]);
        let reply = state.encode_for(id, &Reply::Removed { request, set, form, rows });
        state.send(id, reply);
    }

    pub fn one_off(&self, id: ClientId, request: &[u8], query: &str) {
        let Some(identity) = self.state.borrow().clients.get(&id).map(|client| client.identity) else { return };
        let found = self.query(query, identity);
        let found = found.map(|rows| self.query_rows(&[rows], false).remove(0));
        let state = self.state.borrow();
        let result = found.as_ref().map_err(|text| text.as_str());
        let result = result.map(|rows| QueryRows { list: rows.list.clone(), ..*rows });
        let reply = state.encode_for(id, &Reply::OneOff { id: request, result });
        state.send(id, reply);
    }

    /// As messages carry them, without those that found nothing if so wished.
    fn query_rows(&self, found: &[(usize, Vec<Row>)], only_with_rows: bool) -> Vec<QueryRows<'_>> {
        let wanted = found.iter().filter(|(_, rows)| !(only_with_rows && rows.is_empty()));
        let rows = wanted.map(|(table, rows)| QueryRows {
            table: *table,
            name: &self.schema.def.tables[*table].name,
            count: rows.len(),
            list: rows::encode(rows.iter().map(|row| &**row)),
        });
        rows.collect()
    }
}

impl State {
    /// A message in the client's version of the protocol; None if it has gone.
    pub(super) fn encode_for(&self, id: ClientId, reply: &Reply<'_>) -> Option<Vec<u8>> {
        self.clients.get(&id).map(|client| client.protocol.encode(reply))
    }

    pub(super) fn send(&self, id: ClientId, body: Option<Vec<u8>>) {
        if let (Some(client), Some(body)) = (self.clients.get(&id), body) {
            client.outbox.message(body);
        }
    }

    /// The queries whose rows a client has anyway: version 1 counts rows by query, the others by set and query.
    fn known_queries(&self, id: ClientId) -> Set<QueryId> {
        match self.clients.get(&id) {
            Some(client) if client.protocol == Protocol::V1 => client.queries().collect(),
            _ => Set::default(),
        }
    }

    /// The rows of a held query, remembered where it is a view's.
    fn rows_of(&mut self, module: &dyn crate::modules::Module, query: QueryId, identity: super::Identity) -> Vec<Row> {
        let Some(query) = self.queries.get(query) else { return Vec::new() };
        let source = query.source;
        let rows = self.rows(module, &query.plan, identity);
        if self.tables.schema.tables[source.0].view.is_some() {
            let all = module.view(source.0, identity, &self.tables);
            if let Some(source) = self.queries.sources.get_mut(&source) {
                source.view_rows.get_or_insert_with(|| all.into_iter().collect());
            }
        }
        rows
    }

    fn take_set(&mut self, id: ClientId, key: SetKey) {
        let queries = self.clients.get_mut(&id).and_then(|client| client.sets.remove(&key)).unwrap_or_default();
        queries.into_iter().for_each(|query| self.queries.release(query));
    }

    /// After the subscriptions of a client have changed.
    fn reshape(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let before = client.shape.take();
        client.shape = self.shapes.join(id, &client.outbox, client.style, client.update_sets());
        if client.shape != before {
            self.shapes.leave(id, before);
        }
    }
}

fn key_of(form: Form, set: u32) -> SetKey {
    match form {
        Form::Legacy => SetKey::Legacy,
        Form::Set | Form::Single => SetKey::Numbered(set),
    }
}

fn hex(id: &[u8]) -> String {
    to_hex(&id.iter().rev().copied().collect::<Vec<_>>())
}
