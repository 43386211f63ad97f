//! The chat of the SpacetimeDB quickstart: users who come and go, and what they say.
use spacetimedb::{reducer, table, Identity, ReducerContext, Table, Timestamp};

#[table(name = user, public)]
pub struct User {
    #[primary_key]
    pub identity: Identity,
    pub name: Option<String>,
    pub online: bool,
}

#[table(name = message, public)]
pub struct Message {
    pub sender: Identity,
    pub sent: Timestamp,
    pub text: String,
}

#[reducer(init)]
pub fn init(_ctx: &ReducerContext) {
    log::info!("the chat is open");
}

#[reducer(client_connected)]
pub fn client_connected(ctx: &ReducerContext) {
    let users = ctx.db.user().identity();
    match users.find(ctx.sender) {
        Some(user) => {
            users.update(User { online: true, ..user });
        }
        None => {
            ctx.db.user().insert(User { identity: ctx.sender, name: None, online: true });
        }
    }
}

#[reducer(client_disconnected)]
pub fn client_disconnected(ctx: &ReducerContext) {
    let users = ctx.db.user().identity();
    match users.find(ctx.sender) {
        Some(user) => {
            users.update(User { online: false, ..user });
        }
        None => log::warn!("{} left without having come", ctx.sender),
    }
}

#[reducer]
pub fn set_name(ctx: &ReducerContext, name: String) -> Result<(), String> {
    let name = not_empty("name", name)?;
    let users = ctx.db.user().identity();
    let user = users.find(ctx.sender).ok_or("only a connected user has a name")?;
    users.update(User { name: Some(name), ..user });
    Ok(())
}

#[reducer]
pub fn send_message(ctx: &ReducerContext, text: String) -> Result<(), String> {
    let text = not_empty("message", text)?;
    ctx.db.message().insert(Message { sender: ctx.sender, sent: ctx.timestamp, text });
    Ok(())
}

fn not_empty(what: &str, text: String) -> Result<String, String> {
    if text.is_empty() {
        return Err(format!("a {what} must not be empty"));
    }
    Ok(text)
}
