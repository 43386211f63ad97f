//! What each of the server's messages does to the cache, and what is told of it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Connection, Me};
use crate::client::cache::ClientCache;
use crate::client::diff::Diff;
use crate::client::event::{CallError, Closed, ClosedKind, Event};
use crate::client::resync::Resync;
use crate::error::{Error, Result};
use crate::wire::message::{Cause, Content, Greeting, Head, Outcome, Returned, Rows, ServerMessage};

impl Connection {
    fn apply(&mut self, body: Bytes, rows: Box<Rows>) -> Result<Box<Diff>> {
        let diff = self.current().check(body, rows)?;
        self.stats.checked(&diff);
        self.stats.decoded();
        let diff = self.current().apply(diff);
        self.stats.applied();
        Ok(diff)
    }

    /// Rows leave that the message does not name.
    fn drop_rows(&mut self, change: impl FnOnce(&mut ClientCache) -> Box<Diff>) -> Box<Diff> {
        self.stats.time_this();
        let diff = change(self.current());
        self.stats.applied();
        diff
    }

    pub(super) fn handle(&mut self, body: Bytes, ServerMessage { head, content }: ServerMessage) -> Result<()> {
        let event = match content {
            Content::Connected(greeting) => {
                let Greeting { identity, connection_id, token } = *greeting;
                return self.greeted(Me { identity, connection_id }, token);
            }
            Content::InitialSubscription { rows } => self.replaced(body, rows)?,
            Content::SubscribeApplied { rows } => return self.subscribe_applied(body, head, rows),
            Content::UnsubscribeApplied { rows } => return self.unsubscribe_applied(body, head, rows),
            Content::SubscriptionError { message } => self.subscription_failed(head, message),
            Content::Transaction { outcome, cause } => return self.transaction(body, outcome, cause),
            Content::ReducerResult { timestamp, outcome, returned } => {
                return self.reducer_result(body, head, timestamp, outcome, returned);
            }
            Content::ProcedureResult { result } => {
                let request_id = head.request_id.unwrap_or_default();
                match self.requests.take_procedure(request_id) {
                    Some(name) => Event::ProcedureResult { request_id, name, result },
                    None => Event::Unasked,
                }
            }
            Content::OneOffResult { result } => self.query_result(body, head, result)?,
        };
        self.tell(event);
        Ok(())
    }

    /// The first greeting, or that of a reconnect.
    fn greeted(&mut self, me: Me, token: String) -> Result<()> {
        self.token = Some(token.clone());
        if self.me.replace(me).is_some() {
            return Err(Error::Protocol("the server greeted twice".into()));
        }
        let is_reconnect = self.identity.is_some();
        let is_other = self.identity.is_some_and(|identity| identity != me.identity);
        if is_other && !self.becomes_other {
            let reason = "the server took this client for somebody else on reconnecting".to_owned();
            self.socket.close(&mut VecDeque::new());
            self.end(Closed { kind: ClosedKind::Identity, code: None, reason, by_us: true });
            return Ok(());
        }
        self.identity = Some(me.identity);
        self.give(Event::Connected { identity: me.identity, connection_id: me.connection_id, token });
        if is_reconnect { self.start_resync() } else { Ok(()) }
    }

    fn start_resync(&mut self) -> Result<()> {
        self.resync = Some(Resync::new(self.cache.new_empty_like()));
        for id in self.subscriptions.ids() {
            if self.subscriptions.is_leaving(id) {
                self.resync.iter_mut().for_each(|resync| resync.ended.push(id));
            } else {
                let wire_id = self.new_id();
                self.send_subscribe(id, wire_id)?;
            }
        }
        self.finish_resync();
        Ok(())
    }

    /// Hands an event on, or keeps it until the new rows are in place.
    fn tell(&mut self, event: Event) {
        let Some(resync) = &mut self.resync else {
            return self.release(event);
        };
        resync.hold(event);
        self.finish_resync();
    }

    /// The same for what nearly all messages are.
    #[inline(always)]
    fn tell_transaction(
        &mut self,
        request_id: Option<u32>,
        cause: Option<Box<Cause>>,
        error: Option<CallError>,
        diff: Box<Diff>,
    ) {
        if self.resync.is_some() {
            return self.tell(Event::Transaction { request_id, cause, error, diff });
        }
        let mut place = self.place();
        // It is made in its place: moving it costs more than all else here. Of `Unasked` there is nothing to drop.
        std::mem::forget(std::mem::replace(&mut *place, Event::Transaction { request_id, cause, error, diff }));
        self.ready.push_back(place);
    }

    fn release(&mut self, event: Event) {
        if let Event::SubscribeApplied { query_set, .. } = &event {
            self.subscriptions.told(*query_set);
        }
        self.give(event);
    }

    fn finish_resync(&mut self) {
        let Some(mut resync) = self.resync.take_if(|resync| resync.is_complete()) else { return };
        let fresh = std::mem::replace(&mut resync.cache, self.cache.new_empty_like());
        self.stats.time_this();
        let diff = self.cache.replace(fresh);
        self.stats.applied();
        self.give(Event::Resynced { diff });
        let ended = std::mem::take(&mut resync.ended);
        for event in resync.into_held() {
            self.release(event);
        }
        // Last, since one may have been applied before it ended; or the server has ended it already, which was told.
        for query_set in ended {
            if self.subscriptions.remove(query_set) {
                self.give(Event::UnsubscribeApplied { query_set, diff: Box::default() });
            }
        }
    }

    /// The answer to the legacy Subscribe of version 1, which only recordings hold: its rows are all there are.
    fn replaced(&mut self, body: Bytes, rows: Box<Rows>) -> Result<Event> {
        let mut fresh = self.current().new_empty_like();
        let diff = fresh.check(body, rows)?;
        let diff = fresh.apply(diff);
        self.current().replace(fresh);
        Ok(Event::SubscribeApplied { query_set: 0, diff })
    }

    fn subscribe_applied(&mut self, body: Bytes, head: Head, rows: Box<Rows>) -> Result<()> {
        let diff = self.apply(body, rows)?;
        let wire_id = head.query_set.unwrap_or_default();
        let Some(applied) = self.subscriptions.applied(wire_id) else {
            self.tell(Event::SubscribeApplied { query_set: wire_id, diff });
            return Ok(());
        };
        if applied.is_leaving {
            self.send_unsubscribe(wire_id)?;
        }
        if let Some(resync) = &mut self.resync {
            resync.answered(wire_id);
        }
        if applied.is_news {
            self.tell(Event::SubscribeApplied { query_set: applied.id, diff });
        } else {
            self.finish_resync();
        }
        Ok(())
    }

    fn unsubscribe_applied(&mut self, body: Bytes, head: Head, rows: Option<Box<Rows>>) -> Result<()> {
        let wire_id = head.query_set.unwrap_or_default();
        let known = self.subscriptions.id_of(wire_id);
        let diff = match rows {
            Some(rows) => self.apply(body, rows)?,
            None if known.is_some() => self.drop_rows(|cache| cache.drop_set(wire_id)),
            // Somebody else's request, in a replay: who asks for no rows keeps them.
            None => Box::default(),
        };
        let id = known.unwrap_or(wire_id);
        match &mut self.resync {
            // Its old rows are still to be seen, so that it ends with them.
            Some(resync) => resync.ended.push(id),
            None => {
                self.subscriptions.remove(id);
                self.give(Event::UnsubscribeApplied { query_set: id, diff });
            }
        }
        Ok(())
    }

    fn subscription_failed(&mut self, head: Head, message: String) -> Event {
        let (query_sets, diff) = match (head.request_id, head.query_set) {
            (None, None) => {
                self.resync.iter_mut().for_each(Resync::stop_waiting);
                (self.subscriptions.remove_all(), self.drop_rows(ClientCache::drop_all))
            }
            (Some(request_id), Some(wire_id)) if self.subscriptions.awaits(wire_id, request_id) => self.ended(wire_id),
            (None, Some(wire_id)) => self.ended(wire_id),
            // The answer to what this client did not ask: nothing ends.
            (Some(_), _) => (Vec::new(), Box::default()),
        };
        Event::SubscriptionFailed { query_sets, message, diff }
    }

    /// The server has no such query set, or has it no more: neither has the cache.
    fn ended(&mut self, wire_id: u32) -> (Vec<u32>, Box<Diff>) {
        let diff = self.drop_rows(|cache| cache.drop_set(wire_id));
        self.resync.iter_mut().for_each(|resync| resync.answered(wire_id));
        let id = self.subscriptions.id_of(wire_id);
        (id.into_iter().filter(|id| self.subscriptions.remove(*id)).collect(), diff)
    }

    fn transaction(&mut self, body: Bytes, outcome: Outcome, cause: Option<Box<Cause>>) -> Result<()> {
        let (diff, error) = self.outcome(body, outcome)?;
        let is_mine = |cause: &&Cause| {
            let caller = Me { identity: cause.caller_identity, connection_id: cause.caller_connection_id };
            self.me == Some(caller)
        };
        let call = cause.as_deref().filter(is_mine).and_then(|cause| self.requests.take_by_cause(cause));
        let error = match (error, call) {
            // The server did not give the arguments back: it never came to run the reducer.
            (Some(CallError::Sender(message)), Some((_, false))) => Some(CallError::Internal(message)),
            (error, _) => error,
        };
        self.tell_transaction(call.map(|(request_id, _)| request_id), cause, error, diff);
        Ok(())
    }

    fn reducer_result(
        &mut self,
        body: Bytes,
        head: Head,
        timestamp: i64,
        outcome: Outcome,
        returned: Option<Returned>,
    ) -> Result<()> {
        let (diff, error) = self.outcome(body, outcome)?;
        let call = head.request_id.and_then(|request_id| self.requests.take_reducer(request_id));
        let request_id = call.as_ref().map(|call| call.request_id);
        let cause = call.zip(self.me).map(|(call, me)| {
            Box::new(Cause {
                reducer: call.name,
                args: call.args,
                request_id: call.request_id,
                timestamp,
                caller_identity: me.identity,
                caller_connection_id: me.connection_id,
                returned,
            })
        });
        self.tell_transaction(request_id, cause, error, diff);
        Ok(())
    }

    fn outcome(&mut self, body: Bytes, outcome: Outcome) -> Result<(Box<Diff>, Option<CallError>)> {
        Ok(match outcome {
            Outcome::Committed(rows) => (self.apply(body, rows)?, None),
            Outcome::Failed(message) => (Box::default(), Some(CallError::Sender(message))),
            Outcome::NotRun(message) => (Box::default(), Some(CallError::Internal(message))),
        })
    }

    fn query_result(
        &mut self,
        body: Bytes,
        head: Head,
        result: std::result::Result<Box<Rows>, String>,
    ) -> Result<Event> {
        let Some(request_id) = head.request_id.filter(|request_id| self.requests.take_query(*request_id)) else {
            return Ok(Event::Unasked);
        };
        let result = match result {
            Ok(rows) => {
                let diff = self.cache.check(body, rows)?;
                self.stats.checked(&diff);
                Ok(diff.into_inserts())
            }
            Err(message) => Err(message),
        };
        Ok(Event::QueryResult { request_id, result })
    }
}
