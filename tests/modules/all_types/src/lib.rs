//! A module with every SATS type, in every kind of table and as the argument of a reducer.
//!
//! `tables.rs` and `types.rs` are also the schema of recorded sessions: keep the layouts as they are.
#![allow(clippy::too_many_arguments)]
mod arguments;
mod reducers;
mod tables;
mod types;

use spacetimedb::{reducer, ReducerContext, Table};
use tables::{gate, presence, Gate, Presence};

#[reducer(init)]
pub fn on_init(ctx: &ReducerContext) {
    log::info!("init");
    ctx.db.gate().insert(Gate { id: 0, closed: false });
}

#[reducer(client_connected)]
pub fn on_connect(ctx: &ReducerContext) -> Result<(), String> {
    if ctx.db.gate().id().find(0).is_some_and(|g| g.closed) {
        return Err("the gate is closed".into());
    }
    if let Some(conn) = ctx.connection_id {
        ctx.db.presence().insert(Presence { conn, who: ctx.sender, since: ctx.timestamp });
    }
    Ok(())
}

#[reducer(client_disconnected)]
pub fn on_disconnect(ctx: &ReducerContext) {
    if let Some(conn) = ctx.connection_id {
        ctx.db.presence().conn().delete(conn);
    }
}
