//! Requests that wait for an answer, and the query sets that live.

use std::collections::{HashMap, VecDeque};

use crate::wire::message::Cause;

/// Reducer calls in the order of sending.
#[derive(Debug, Default)]
pub struct ReducerCalls(VecDeque<ReducerCall>);

#[derive(Debug)]
struct ReducerCall {
    request_id: u32,
    name: String,
    args: Vec<u8>,
}

impl ReducerCalls {
    pub fn add(&mut self, request_id: u32, name: &str, args: Vec<u8>) {
        self.0.push_back(ReducerCall { request_id, name: name.to_owned(), args });
    }

    /// The call that an answer with our own caller ids belongs to. Servers before 2.2 put request id 0 on failed calls,
    /// all do so on calls that never ran: then name and arguments decide, oldest first.
    /// Gives its id, and whether the answer shows that the reducer ran: a call that never did comes back without arguments.
    pub fn take(&mut self, cause: &Cause) -> Option<(u32, bool)> {
        let by_id = self.0.iter().position(|call| call.request_id == cause.request_id && call.name == cause.reducer);
        let by_name =
            |call: &ReducerCall| call.name == cause.reducer && (call.args == cause.args[..] || cause.args.is_empty());
        let position = by_id.or_else(|| self.0.iter().position(by_name))?;
        let call = self.0.remove(position)?;
        Some((call.request_id, call.args == cause.args[..]))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the client knows of each query set it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    Sent,
    Applied,
    Unsubscribing,
}

#[derive(Debug, Default)]
pub struct Subscriptions(HashMap<u32, SubscriptionState>);

impl Subscriptions {
    pub fn add(&mut self, query_set: u32) {
        self.0.insert(query_set, SubscriptionState::Sent);
    }

    pub fn state(&self, query_set: u32) -> Option<SubscriptionState> {
        self.0.get(&query_set).copied()
    }

    pub fn set(&mut self, query_set: u32, state: SubscriptionState) {
        self.0.insert(query_set, state);
    }

    pub fn end(&mut self, query_set: u32) {
        self.0.remove(&query_set);
    }

    pub fn end_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request_id: u32, reducer: &str, args: &[u8]) -> Cause {
        Cause {
            reducer: reducer.into(),
            args: args.to_vec().into(),
            request_id,
            timestamp: 0,
            caller_identity: [0; 32],
            caller_connection_id: [0; 16],
        }
    }

    #[test]
    fn an_answer_finds_its_call_even_without_an_id() {
        let mut calls = ReducerCalls::default();
        for (id, name, args) in [(1, "add", b"one"), (2, "add", b"two"), (3, "drop", b"one"), (4, "add", b"two")] {
            calls.add(id, name, args.to_vec());
        }
        assert_eq!(calls.take(&answer(0, "add", b"two")), Some((2, true)), "by arguments, the oldest");
        assert_eq!(calls.take(&answer(4, "add", b"two")), Some((4, true)), "by id");
        assert_eq!(calls.take(&answer(0, "drop", b"")), Some((3, false)), "a call that never ran");
        assert_eq!(calls.take(&answer(0, "other", b"")), None);
        assert_eq!(calls.take(&answer(1, "add", b"one")), Some((1, true)));
        assert!(calls.is_empty());
    }
}
