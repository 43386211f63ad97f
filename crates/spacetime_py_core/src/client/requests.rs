//! Requests that wait for an answer: reducer calls, procedure calls, one-off queries.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;

use crate::wire::message::{Cause, Text};

#[derive(Debug, Default)]
pub struct Requests {
    /// In the order of sending.
    reducers: VecDeque<ReducerCall>,
    /// The names of procedures, which tell the types of their results.
    procedures: HashMap<u32, String>,
    queries: HashSet<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ReducerCall {
    pub request_id: u32,
    pub name: Text,
    pub args: Bytes,
}

impl Requests {
    pub fn add_reducer(&mut self, request_id: u32, name: &str, args: Vec<u8>) {
        self.reducers.push_back(ReducerCall { request_id, name: name.into(), args: args.into_boxed_slice().into() });
    }

    pub fn add_procedure(&mut self, request_id: u32, name: &str) {
        self.procedures.insert(request_id, name.to_owned());
    }

    pub fn add_query(&mut self, request_id: u32) {
        self.queries.insert(request_id);
    }

    pub fn take_reducer(&mut self, request_id: u32) -> Option<ReducerCall> {
        let position = self.reducers.iter().position(|call| call.request_id == request_id)?;
        self.reducers.remove(position)
    }

    /// The name of the procedure.
    pub fn take_procedure(&mut self, request_id: u32) -> Option<String> {
        self.procedures.remove(&request_id)
    }

    pub fn take_query(&mut self, request_id: u32) -> bool {
        self.queries.remove(&request_id)
    }

    /// The call that a version 1 answer with our own caller ids belongs to. Servers before 2.2 put request id 0 on failed
    /// calls, all do so on calls that never ran: then name and arguments decide, oldest first.
    /// Gives its id, and whether the answer shows that the reducer ran: a call that never did comes back without arguments.
    pub fn take_by_cause(&mut self, cause: &Cause) -> Option<(u32, bool)> {
        let by_id = |call: &ReducerCall| call.request_id == cause.request_id && call.name == cause.reducer;
        let by_name =
            |call: &ReducerCall| call.name == cause.reducer && (call.args == cause.args || cause.args.is_empty());
        let position = self.reducers.iter().position(by_id).or_else(|| self.reducers.iter().position(by_name))?;
        let call = self.reducers.remove(position)?;
        Some((call.request_id, call.args == cause.args))
    }

    /// The connection is gone, and the answers with it.
    pub fn clear(&mut self) {
        *self = Requests::default();
    }

    pub fn len(&self) -> usize {
        self.reducers.len() + self.procedures.len() + self.queries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            returned: None,
        }
    }

    #[test]
    fn an_answer_finds_its_call_even_without_an_id() {
        let mut requests = Requests::default();
        for (id, name, args) in [(1, "add", b"one"), (2, "add", b"two"), (3, "drop", b"one"), (4, "add", b"two")] {
            requests.add_reducer(id, name, args.to_vec());
        }
        assert_eq!(requests.take_by_cause(&answer(0, "add", b"two")), Some((2, true)), "by arguments, the oldest");
        assert_eq!(requests.take_by_cause(&answer(4, "add", b"two")), Some((4, true)), "by id");
        assert_eq!(requests.take_by_cause(&answer(0, "drop", b"")), Some((3, false)), "a call that never ran");
        assert_eq!(requests.take_by_cause(&answer(0, "other", b"")), None);
        assert_eq!(requests.take_by_cause(&answer(1, "add", b"one")), Some((1, true)));
        assert!(requests.is_empty());
    }
}
