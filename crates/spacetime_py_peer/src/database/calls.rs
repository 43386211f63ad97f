//! Calls of reducers and procedures, from clients and over HTTP.

use std::rc::Rc;
use std::time::Duration;

use _core::sats::{Reader, TypeId};

use super::{Call, Caller, ClientId, Database};
use crate::check;
use crate::modules::Failure;
use crate::schema::Role;
use crate::wire::reply::{Outcome, ReducerReply};
use crate::wire::{Protocol, Reply};

/// What the server calls no reducer.
const NO_REDUCER: u32 = u32::MAX;

/// Why a call did not run, in the words for each protocol; or how it failed.
pub enum CallError {
    NoSuchFunction,
    /// A lifecycle reducer.
    Special(String),
    BadArguments(String),
    Failed(Failure),
}

/// What can be called by name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Reducer,
    Procedure,
}

impl Database {
    /// How long the function lets its client, and nobody else, wait before it runs.
    pub fn delay(&self, function: Function, name: &str, args: &[u8]) -> Duration {
        match self.params(function, name) {
            Ok(params) if check::check(self.schema.layout(), params, &mut Reader::new(args)).is_ok() => {
                self.module.delay(name, args)
            }
            _ => Duration::ZERO,
        }
    }

    /// The parameters of a function that clients may call.
    pub fn params(&self, function: Function, name: &str) -> Result<TypeId, CallError> {
        if function == Function::Procedure {
            let found = self.schema.def.procedure(name).ok_or(CallError::NoSuchFunction)?;
            return Ok(found.params);
        }
        match self.schema.reducer(name).map(|(_, reducer)| reducer.role) {
            None | Some(Role::Private) => Err(CallError::NoSuchFunction),
            Some(Role::Lifecycle(moment)) => {
                Err(CallError::Special(format!("can't directly call special {moment} lifecycle reducer")))
            }
            Some(Role::Callable) => {
                self.schema.def.reducer(name).map(|found| found.params).ok_or(CallError::NoSuchFunction)
            }
        }
    }

    fn check(&self, function: Function, name: &str, args: &[u8]) -> Result<(), CallError> {
        let params = self.params(function, name)?;
        check::check(self.schema.layout(), params, &mut Reader::new(args)).map_err(CallError::BadArguments)
    }

    /// A client's call of a reducer, answered unless the client wants to hear only of others.
    pub fn call_reducer(self: &Rc<Self>, id: ClientId, request: u32, name: &str, args: &[u8], quiet: bool) {
        let Some((caller, protocol)) = self.caller(id) else { return };
        let number = self.schema.reducer(name).map_or(NO_REDUCER, |(number, _)| number);
        let mut reply = ReducerReply {
            request,
            timestamp: super::now_micros(),
            name,
            number,
            args,
            identity: caller.identity,
            connection_id: caller.connection_id.unwrap_or_default(),
            outcome: Outcome::NotRun("no such reducer"),
        };
        // A client that wants no answer is told like any other.
        let call = Call { client: (!quiet).then_some(id), request, caller, reducer: name, args };
        let not_run;
        let ended;
        match self.check(Function::Reducer, name, args) {
            Ok(()) => {
                ended = self.transact(call, |context| {
                    self.module.reducer(name, args, context)?;
                    Ok((context.timestamp, std::mem::take(&mut context.value)))
                });
                if quiet {
                    return;
                }
                match &ended {
                    Ok(((timestamp, value), update)) => {
                        reply.timestamp = *timestamp;
                        reply.outcome = Outcome::Committed { update, value };
                    }
                    Err(Failure::Fatal(text)) => reply.outcome = Outcome::Fatal(text),
                    Err(failure) => {
                        let value = if let Failure::Value(value) = failure { Some(&value[..]) } else { None };
                        reply.outcome = Outcome::Failed { text: failure.text(), value };
                    }
                }
            }
            Err(error) => {
                not_run = error.text("reducer", name, protocol);
                reply.outcome = Outcome::NotRun(&not_run);
            }
        }
        let state = self.state.borrow();
        state.send(id, state.encode_for(id, &Reply::Reducer(reply)));
    }

    /// A client's call of a procedure. What it changes reaches the client too, before the result.
    pub fn call_procedure(self: &Rc<Self>, id: ClientId, request: u32, name: &str, args: &[u8]) {
        let Some((caller, protocol)) = self.caller(id) else { return };
        let ended = self.procedure(caller, name, args);
        let text = ended.as_ref().err().map(|error| error.text("procedure", name, protocol));
        let (timestamp, result) = match (&ended, &text) {
            (Ok(value), _) => (super::now_micros(), Ok(&value[..])),
            (Err(_), text) => (0, Err(text.as_deref().unwrap_or_default())),
        };
        let state = self.state.borrow();
        state.send(id, state.encode_for(id, &Reply::Procedure { request, timestamp, result }));
    }

    /// Runs a procedure in a transaction of its own.
    pub fn procedure(self: &Rc<Self>, caller: Caller, name: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.check(Function::Procedure, name, args)?;
        let call = Call::unanswered(caller, "", &[]);
        self.run(call, |context| self.module.procedure(name, args, context)).map_err(CallError::Failed)
    }

    /// Runs a reducer for somebody who is not connected.
    pub fn reducer(self: &Rc<Self>, caller: Caller, name: &str, args: &[u8]) -> Result<(), CallError> {
        self.check(Function::Reducer, name, args)?;
        let call = Call::unanswered(caller, name, args);
        self.run(call, |context| self.module.reducer(name, args, context)).map_err(CallError::Failed)
    }

    fn caller(&self, id: ClientId) -> Option<(Caller, Protocol)> {
        let state = self.state.borrow();
        let client = state.clients.get(&id)?;
        let caller = Caller { identity: client.identity, connection_id: Some(client.connection_id) };
        Some((caller, client.protocol))
    }
}

impl CallError {
    /// As a server puts it. Version 1 repeats its causes.
    pub fn text(&self, kind: &str, name: &str, protocol: Protocol) -> String {
        match self {
            CallError::NoSuchFunction if kind == "reducer" => "no such reducer".into(),
            CallError::NoSuchFunction => "No such procedure".into(),
            CallError::Special(text) => text.clone(),
            CallError::BadArguments(text) if protocol == Protocol::V1 && kind == "reducer" => format!(
                "invalid arguments for {kind} {name}: {text}: invalid arguments for function {name}: {text}: {text}"
            ),
            CallError::BadArguments(text) => format!("invalid arguments for {kind} {name}: {text}"),
            CallError::Failed(Failure::Fatal(text)) if kind == "procedure" => {
                format!("The module instance encountered a fatal error: {text}")
            }
            CallError::Failed(failure) => failure.text().to_owned(),
        }
    }
}
