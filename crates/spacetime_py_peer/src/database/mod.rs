//! One published database: its rows, the clients that are connected to it, and what they are subscribed to.
//!
//! All of it happens on one thread, one transaction after the other, and nothing in here waits.

mod calls;
mod client;
mod publish;
mod queries;
mod schedule;
mod shapes;
mod subscribe;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

pub use calls::{CallError, Function};
use client::Client;
pub use client::ClientId;
use queries::Queries;
use shapes::{Shapes, Style};

use crate::modules::{Context, Failure, Module};
use crate::outbox::Outbox;
use crate::schema::Schema;
use crate::sql::{self, Plan};
use crate::store::{Map, Row, Tables, Transaction};
use crate::wire::{Protocol, Reply};

pub type Identity = [u8; 32];
pub type ConnectionId = [u8; 16];

pub struct Database {
    pub name: String,
    pub identity: Identity,
    pub owner: Identity,
    pub schema: Rc<Schema>,
    pub module: Rc<dyn Module>,
    state: RefCell<State>,
}

struct State {
    tables: Tables,
    clients: Map<ClientId, Client>,
    queries: Queries,
    shapes: Shapes,
    next_client: ClientId,
    last_timestamp: i64,
    is_deleted: bool,
}

/// Who calls: a client, somebody over HTTP, or the database itself.
#[derive(Clone, Copy)]
pub struct Caller {
    pub identity: Identity,
    pub connection_id: Option<ConnectionId>,
}

/// The call behind a transaction, as version 1 tells others of it.
#[derive(Clone, Copy)]
struct Call<'a> {
    /// The client that is answered with what the transaction did.
    client: Option<ClientId>,
    request: u32,
    caller: Caller,
    /// Empty where it is no reducer.
    reducer: &'a str,
    args: &'a [u8],
}

impl<'a> Call<'a> {
    /// By nobody who waits for an answer.
    fn unanswered(caller: Caller, reducer: &'a str, args: &'a [u8]) -> Self {
        Call { client: None, request: 0, caller, reducer, args }
    }
}

impl Database {
    /// A new database, after the `init` of its module.
    pub fn new(
        name: &str,
        identity: Identity,
        owner: Identity,
        module: Rc<dyn Module>,
    ) -> Result<Rc<Database>, Failure> {
        let schema = module.schema();
        let state = State {
            tables: Tables::new(schema.clone()),
            clients: Map::default(),
            queries: Queries::default(),
            shapes: Shapes::default(),
            next_client: 0,
            last_timestamp: 0,
            is_deleted: false,
        };
        let database = Database { name: name.to_owned(), identity, owner, schema, module, state: RefCell::new(state) };
        let database = Rc::new(database);
        let caller = Caller { identity: owner, connection_id: None };
        database.run(Call::unanswered(caller, "", &[]), |context| database.module.init(context))?;
        Ok(database)
    }

    /// A client comes: it is greeted, or its connection dropped where the module does not want it.
    pub fn connect(
        self: &Rc<Self>,
        caller: (Identity, ConnectionId),
        token: &str,
        protocol: Protocol,
        is_light: bool,
        outbox: Rc<Outbox>,
    ) -> Option<ClientId> {
        let (identity, connection_id) = caller;
        if self.enter(identity, connection_id).is_err() || self.state.borrow().is_deleted {
            outbox.drop_connection();
            return None;
        }
        outbox.message(protocol.encode(&Reply::Greeting { identity, connection_id, token }));
        let state = &mut *self.state.borrow_mut();
        let id = state.next_client;
        state.next_client += 1;
        let style = Style::new(protocol, self.schema.tells_of_calls() && !is_light);
        state.clients.insert(id, Client::new(identity, connection_id, protocol, style, outbox));
        Some(id)
    }

    /// A client has gone.
    pub fn disconnect(self: &Rc<Self>, id: ClientId) {
        let gone = {
            let state = &mut *self.state.borrow_mut();
            let Some(client) = state.clients.remove(&id) else { return };
            state.shapes.leave(id, client.shape);
            client.queries().for_each(|query| state.queries.release(query));
            (client.identity, client.connection_id)
        };
        self.leave(gone.0, gone.1);
    }

    /// Runs the module's `client_connected`.
    pub fn enter(self: &Rc<Self>, identity: Identity, connection_id: ConnectionId) -> Result<(), Failure> {
        let caller = Caller { identity, connection_id: Some(connection_id) };
        let call = Call::unanswered(caller, self.schema.lifecycle("OnConnect"), &[]);
        self.run(call, |context| self.module.connected(context))
    }

    /// Runs the module's `client_disconnected`, whose failure means nothing.
    pub fn leave(self: &Rc<Self>, identity: Identity, connection_id: ConnectionId) {
        let caller = Caller { identity, connection_id: Some(connection_id) };
        let call = Call::unanswered(caller, self.schema.lifecycle("OnDisconnect"), &[]);
        let _ = self.run(call, |context| self.module.disconnected(context));
    }

    /// Sends everybody away: the database is deleted.
    pub fn delete(&self) {
        let state = &mut *self.state.borrow_mut();
        state.is_deleted = true;
        state.clients.values().for_each(|client| client.outbox.close(1001, "module exited"));
    }

    /// A transaction that no client waits for: all subscribers are told.
    fn run<T>(
        self: &Rc<Self>,
        call: Call<'_>,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.transact(call, work).map(|(value, _)| value)
    }

    /// A transaction. The caller, if it is a client, is not told by itself and gets its part of the changes here.
    fn transact<T>(
        self: &Rc<Self>,
        call: Call<'_>,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Vec<u8>), Failure> {
        let state = &mut *self.state.borrow_mut();
        if state.is_deleted {
            return Err(Failure::Fatal("the database was deleted".into()));
        }
        let timestamp = state.timestamp();
        let transaction = Transaction::new(&mut state.tables);
        let mut context = Context::new(transaction, call.caller, timestamp, self.identity);
        match work(&mut context) {
            Ok(value) => {
                let deltas = context.into_transaction().commit();
                self.schedule(&deltas);
                let update = state.publish(&*self.module, deltas, call);
                Ok((value, update))
            }
            Err(failure) => {
                context.into_transaction().roll_back();
                Err(failure)
            }
        }
    }

    /// Runs a query once, for somebody who may be the owner: the table and its rows.
    pub fn query(&self, text: &str, identity: Identity) -> Result<(usize, Vec<Row>), String> {
        let reader = self.reader(identity);
        let plans = sql::plan(text, &self.schema, reader)?;
        let [(_, plan)] = &plans[..] else { return Err(format!("Unsupported: {text}")) };
        Ok((plan.table, self.state.borrow().rows(&*self.module, plan, identity)))
    }

    fn reader(&self, identity: Identity) -> sql::Reader {
        sql::Reader { identity, is_owner: identity == self.owner }
    }
}

impl State {
    /// Now, and later than any time before.
    fn timestamp(&mut self) -> i64 {
        self.last_timestamp = now_micros().max(self.last_timestamp + 1);
        self.last_timestamp
    }

    /// The rows of a query as they are now. Event tables have none at any time.
    fn rows(&self, module: &dyn Module, plan: &Plan, identity: Identity) -> Vec<Row> {
        let schema = &self.tables.schema;
        let (layout, row_type) = (schema.layout(), schema.def.tables[plan.table].row);
        let accepts = |row: &&Row| plan.filter.accepts(layout, row_type, row);
        if schema.tables[plan.table].view.is_some() {
            return module.view(plan.table, identity, &self.tables).iter().filter(accepts).cloned().collect();
        }
        let table = self.tables.table(plan.table);
        match plan.filter.key() {
            Some((column, value)) if schema.def.tables[plan.table].unique.contains(&column) => {
                table.find(column, value).into_iter().filter(accepts).cloned().collect()
            }
            _ => table.rows().filter(accepts).cloned().collect(),
        }
    }
}

pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_micros() as i64).unwrap_or_default()
}
