//! The query sets that the user wants, through all connections that serve them.

use std::collections::BTreeMap;

/// One query set. It keeps its id for life; on each connection it has a number of its own on the wire.
#[derive(Debug)]
pub struct Subscription {
    pub queries: Vec<String>,
    pub wire_id: u32,
    state: State,
    /// The user wants it no more.
    is_leaving: bool,
    /// The user was told that it is applied.
    is_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no connection that knows of it.
    Wanted,
    Sent {
        request_id: u32,
    },
    Applied,
    Unsubscribing {
        request_id: u32,
    },
}

/// What is to be done about a query set whose rows have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub id: u32,
    /// The user was not told before.
    pub is_news: bool,
    pub is_leaving: bool,
}

#[derive(Debug, Default)]
pub struct Subscriptions(BTreeMap<u32, Subscription>);

impl Subscriptions {
    pub fn add(&mut self, id: u32, queries: Vec<String>) {
        let subscription =
            Subscription { queries, wire_id: id, state: State::Wanted, is_leaving: false, is_told: false };
        self.0.insert(id, subscription);
    }

    pub fn get(&self, id: u32) -> Option<&Subscription> {
        self.0.get(&id)
    }

    pub fn ids(&self) -> Vec<u32> {
        self.0.keys().copied().collect()
    }

    pub fn sent(&mut self, id: u32, wire_id: u32, request_id: u32) {
        if let Some(subscription) = self.0.get_mut(&id) {
            subscription.wire_id = wire_id;
            subscription.state = State::Sent { request_id };
        }
    }

    /// The rows of a query set have come. None for one that this client did not ask for.
    pub fn applied(&mut self, wire_id: u32) -> Option<Applied> {
        let (id, subscription) = self.by_wire_id(wire_id)?;
        subscription.state = State::Applied;
        Some(Applied { id, is_news: !subscription.is_told, is_leaving: subscription.is_leaving })
    }

    /// The user hears now that it is applied.
    pub fn told(&mut self, id: u32) {
        if let Some(subscription) = self.0.get_mut(&id) {
            subscription.is_told = true;
        }
    }

    /// The user wants it no more. Gives its number on the wire where the server can be told at once; otherwise its
    /// turn comes when it is applied, or when there is a connection again. None when nobody knows it, or knew already.
    pub fn leave(&mut self, id: u32) -> Option<Option<u32>> {
        let subscription = self.0.get_mut(&id)?;
        if std::mem::replace(&mut subscription.is_leaving, true) {
            return None;
        }
        Some((subscription.state == State::Applied).then_some(subscription.wire_id))
    }

    pub fn unsubscribing(&mut self, wire_id: u32, request_id: u32) {
        if let Some((_, subscription)) = self.by_wire_id(wire_id) {
            subscription.state = State::Unsubscribing { request_id };
        }
    }

    /// Whether the server's answer to this request is still to come.
    pub fn awaits(&self, wire_id: u32, request: u32) -> bool {
        self.0.values().any(|subscription| {
            subscription.wire_id == wire_id
                && matches!(subscription.state, State::Sent { request_id } | State::Unsubscribing { request_id } if request_id == request)
        })
    }

    /// Its id, if it is one of ours.
    pub fn id_of(&self, wire_id: u32) -> Option<u32> {
        self.0.iter().find(|(_, subscription)| subscription.wire_id == wire_id).map(|(id, _)| *id)
    }

    /// Whether there was such a one.
    pub fn remove(&mut self, id: u32) -> bool {
        self.0.remove(&id).is_some()
    }

    /// Ends all; gives their ids.
    pub fn remove_all(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.0).into_keys().collect()
    }

    /// The connection is gone: what lives is wanted on the next one.
    pub fn lose_connection(&mut self) {
        self.0.values_mut().for_each(|subscription| subscription.state = State::Wanted);
    }

    /// Whether the user wants it no more.
    pub fn is_leaving(&self, id: u32) -> bool {
        self.0.get(&id).is_some_and(|subscription| subscription.is_leaving)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn by_wire_id(&mut self, wire_id: u32) -> Option<(u32, &mut Subscription)> {
        let found = self.0.iter_mut().find(|(_, subscription)| subscription.wire_id == wire_id);
        found.map(|(id, subscription)| (*id, subscription))
    }
}
