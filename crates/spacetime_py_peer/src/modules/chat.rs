//! The chat of `tests/modules/chat`: users who come and go, and what they say.

use std::rc::Rc;

use _core::sats::value::Value;

use super::context::{Context, encode};
use super::{Failure, Module, Outcome};
use crate::schema::Schema;
use crate::wire::Out;

const SCHEMA: &str = include_str!("../../../../tests/codegen/schemas/chat.json");

pub struct Chat {
    schema: Rc<Schema>,
}

impl Chat {
    pub fn new() -> Result<Chat, String> {
        Ok(Chat { schema: Rc::new(Schema::new(&[SCHEMA])?) })
    }
}

impl Module for Chat {
    fn schema(&self) -> Rc<Schema> {
        self.schema.clone()
    }

    fn connected(&self, context: &mut Context<'_>) -> Outcome {
        let users = context.table("user")?;
        if context.find(users, &context.sender).is_some() {
            return set_online(context, true);
        }
        let mut user = Out::default();
        user.raw(&context.sender);
        user.u8(1); // no name
        user.u8(1); // online
        context.insert(users, user.0).map(drop)
    }

    fn disconnected(&self, context: &mut Context<'_>) -> Outcome {
        set_online(context, false)
    }

    fn reducer(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome {
        // Both take one string.
        let text = args.get(4..).unwrap_or_default();
        match name {
            "set_name" if text.is_empty() => Err(Failure::User("a name must not be empty".into())),
            "send_message" if text.is_empty() => Err(Failure::User("a message must not be empty".into())),
            "set_name" => {
                let name = String::from_utf8_lossy(text).into_owned();
                change_user(context, 1, Value::Sum(0, Value::String(name).into()))
            }
            "send_message" => {
                let mut message = Out::default();
                message.raw(&context.sender);
                message.i64(context.timestamp);
                message.bytes(text);
                let messages = context.table("message")?;
                context.insert(messages, message.0).map(drop)
            }
            _ => Err(Failure::panic()),
        }
    }
}

fn set_online(context: &mut Context<'_>, online: bool) -> Outcome {
    change_user(context, 2, Value::Bool(online))
}

fn change_user(context: &mut Context<'_>, column: usize, value: Value) -> Outcome {
    let users = context.table("user")?;
    let user = context.find(users, &context.sender);
    let user = user.ok_or_else(|| Failure::User("only a connected user has a name".into()))?;
    let mut columns = context.decode(users, &user)?;
    columns[column] = value;
    context.update(users, encode(columns)?).map(drop)
}
