//! What a connection has done so far, in numbers. A few additions for each message and call, none for a row.
//!
//! Reading a clock takes as long as decoding a small row. So the work on small messages is timed for one in eight, which
//! stands for the others too; that on large ones always, and what the owner does with an event as well.

use std::collections::HashMap;

use super::diff::Diff;
use super::event::Event;
use crate::hashing::Hashing;

/// Gives nanoseconds since some moment. The core has no clock of its own.
pub type Clock = fn() -> u64;

/// Durations in nanoseconds. Four buckets for each doubling: a percentile is right to an eighth.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    pub count: u64,
    pub total: u64,
    pub max: u64,
    /// None until something is added: a connection has many of these, and seldom needs all.
    buckets: Vec<u64>,
}

/// Up to 2 to the 42 nanoseconds, 73 minutes; what is longer counts as that.
const BUCKETS: usize = 160;

impl Timing {
    pub fn add(&mut self, duration: u64) {
        self.add_many(duration, 1);
    }

    fn add_many(&mut self, duration: u64, count: u64) {
        self.count += count;
        self.total += duration * count;
        self.max = self.max.max(duration);
        self.buckets.resize(BUCKETS, 0);
        self.buckets[bucket_of(duration)] += count;
    }

    /// The duration that this share of all, from 0 to 1, did not exceed; 0 when there were none.
    pub fn percentile(&self, share: f64) -> u64 {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle_of(bucket).min(self.max);
            }
        }
        0
    }
}

/// The exponent and the two bits after the leading one.
fn bucket_of(duration: u64) -> usize {
    let duration = duration.max(4);
    let exponent = duration.ilog2() as usize;
    ((exponent - 2) * 4 + (duration >> (exponent - 2)) as usize - 4).min(BUCKETS - 1)
}

fn middle_of(bucket: usize) -> u64 {
    let (exponent, step) = (bucket / 4, bucket as u64 % 4);
    ((4 + step) << exponent) + (1 << exponent) / 2
}

/// Calls of one kind.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    pub sent: u64,
    /// Failures included.
    pub answered: u64,
    pub failed: u64,
    /// From the call to its answer.
    pub latency: Timing,
}

#[derive(Clone, Copy, Debug)]
pub enum CallKind {
    Reducer,
    Procedure,
    Query,
}

#[derive(Debug)]
pub struct Stats {
    clock: Clock,
    /// When the part of the work that is timed now began.
    mark: u64,
    /// For how many messages the time of this one stands; 0 when it is not taken.
    weight: u64,
    /// Its first part is over.
    is_decoded: bool,
    /// When the event that the owner has was handed out; 0 when it has none.
    handed_out: u64,
    sent: HashMap<u32, u64, Hashing>,
    pub bytes_received: u64,
    /// After decompression.
    pub bytes_expanded: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub messages_sent: u64,
    pub rows_received: u64,
    pub rows_inserted: u64,
    pub rows_updated: u64,
    pub rows_deleted: u64,
    /// Of event tables.
    pub rows_happened: u64,
    pub transactions: u64,
    pub greetings: u64,
    pub pings_sent: u64,
    pub pings_received: u64,
    pub reducers: Calls,
    pub procedures: Calls,
    pub queries: Calls,
    /// Decompressing, decoding and checking a message.
    pub decode: Timing,
    /// Putting its rows into the cache.
    pub apply: Timing,
    /// What the owner did with an event until it asked for the next one.
    pub dispatch: Timing,
    /// What the owner measured itself: its frames.
    pub frames: Timing,
}

/// Of small messages one in so many is timed.
const SAMPLE: u64 = 8;

impl Default for Stats {
    fn default() -> Self {
        Stats {
            clock: || 0,
            mark: 0,
            weight: 0,
            is_decoded: false,
            handed_out: 0,
            sent: HashMap::default(),
            bytes_received: 0,
            bytes_expanded: 0,
            bytes_sent: 0,
            messages_received: 0,
            messages_sent: 0,
            rows_received: 0,
            rows_inserted: 0,
            rows_updated: 0,
            rows_deleted: 0,
            rows_happened: 0,
            transactions: 0,
            greetings: 0,
            pings_sent: 0,
            pings_received: 0,
            reducers: Calls::default(),
            procedures: Calls::default(),
            queries: Calls::default(),
            decode: Timing::default(),
            apply: Timing::default(),
            dispatch: Timing::default(),
            frames: Timing::default(),
        }
    }
}

impl Stats {
    /// Without a clock all times are 0.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// Bytes came: what the owner did before is over.
    pub fn received(&mut self, bytes: usize) {
        self.bytes_received += bytes as u64;
        self.handed_out = 0;
    }

    /// The owner asks for the next event, and so has handled the one before.
    pub fn asked(&mut self, is_large: bool) {
        let is_sampled = self.messages_received % SAMPLE == SAMPLE - 1;
        self.weight = if is_large { 1 } else { u64::from(is_sampled) * SAMPLE };
        self.is_decoded = false;
        if self.weight == 0 && self.handed_out == 0 {
            return;
        }
        self.mark = (self.clock)();
        if self.handed_out != 0 {
            self.dispatch.add(self.mark.saturating_sub(self.handed_out));
            self.handed_out = 0;
        }
    }

    /// What is done now is rare and may be long: time it on its own.
    pub fn time_this(&mut self) {
        self.mark = (self.clock)();
        self.weight = 1;
        self.is_decoded = true;
    }

    pub fn checked(&mut self, diff: &Diff) {
        let rows: usize = diff.tables.iter().map(|table| table.inserts.len() + table.deletes.len()).sum();
        self.rows_received += rows as u64;
    }

    /// The message is understood. Again for the same one: nothing happens.
    pub fn decoded(&mut self) {
        if self.weight != 0 && !self.is_decoded {
            let took = self.lap();
            self.decode.add_many(took, self.weight);
        }
        self.is_decoded = true;
    }

    /// The cache has its rows.
    pub fn applied(&mut self) {
        if self.weight != 0 {
            let took = self.lap();
            self.apply.add_many(took, self.weight);
        }
    }

    fn lap(&mut self) -> u64 {
        let now = (self.clock)();
        now.saturating_sub(std::mem::replace(&mut self.mark, now))
    }

    pub fn call(&mut self, kind: CallKind, request_id: u32) {
        self.calls(kind).sent += 1;
        let now = (self.clock)();
        self.sent.insert(request_id, now);
    }

    /// No answer comes any more.
    pub fn lose_calls(&mut self) {
        self.sent.clear();
    }

    /// An event is handed to the owner: what it tells is counted here, once.
    pub fn hand_out(&mut self, event: &Event) {
        // A lap that was taken ended just now.
        if self.weight == 0 {
            self.mark = (self.clock)();
        }
        self.handed_out = self.mark;
        match event {
            Event::Transaction { request_id, error, diff, .. } => {
                self.transactions += u64::from(error.is_none());
                self.count(diff);
                if let Some(request_id) = request_id {
                    self.answered(CallKind::Reducer, *request_id, error.is_some());
                }
            }
            Event::ProcedureResult { request_id, result, .. } => {
                self.answered(CallKind::Procedure, *request_id, result.is_err());
            }
            Event::QueryResult { request_id, result } => {
                self.answered(CallKind::Query, *request_id, result.is_err());
            }
            Event::SubscribeApplied { diff, .. }
            | Event::UnsubscribeApplied { diff, .. }
            | Event::SubscriptionFailed { diff, .. }
            | Event::Resynced { diff } => self.count(diff),
            Event::Connected { .. } => self.greetings += 1,
            Event::Unasked | Event::Warning(_) | Event::Closed(_) => {}
        }
    }

    fn count(&mut self, diff: &Diff) {
        for table in &diff.tables {
            let inserted = if table.is_event { &mut self.rows_happened } else { &mut self.rows_inserted };
            *inserted += table.inserts.len() as u64;
            self.rows_updated += table.updates.len() as u64;
            self.rows_deleted += table.deletes.len() as u64;
        }
    }

    fn answered(&mut self, kind: CallKind, request_id: u32, is_failed: bool) {
        let took = self.sent.remove(&request_id).map(|sent| self.mark.saturating_sub(sent));
        let calls = self.calls(kind);
        calls.answered += 1;
        calls.failed += u64::from(is_failed);
        if let Some(took) = took {
            calls.latency.add(took);
        }
    }

    fn calls(&mut self, kind: CallKind) -> &mut Calls {
        match kind {
            CallKind::Reducer => &mut self.reducers,
            CallKind::Procedure => &mut self.procedures,
            CallKind::Query => &mut self.queries,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::event::CallError;

    proptest! {
        #[test]
        fn a_bucket_is_right_to_an_eighth(duration in 4u64..(1 << 42)) {
            let middle = middle_of(bucket_of(duration));
            prop_assert!(middle.abs_diff(duration) <= duration / 8 + 1, "{duration} counts as {middle}");
        }

        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut durations in prop::collection::vec(4u64..1_000_000, 1..300)) {
            let mut timing = Timing::default();
            durations.iter().for_each(|duration| timing.add(*duration));
            durations.sort_unstable();
            for share in [0.5, 0.99, 1.0] {
                let exact = durations[((share * durations.len() as f64).ceil() as usize).max(1) - 1];
                let found = timing.percentile(share);
                prop_assert!(found.abs_diff(exact) <= exact / 8 + 1, "{share}: {found} instead of {exact}");
            }
            prop_assert_eq!((timing.count, timing.total), (durations.len() as u64, durations.iter().sum()));
            prop_assert_eq!(timing.max, durations[durations.len() - 1]);
        }
    }

    #[test]
    fn the_ends_of_the_scale() {
        let mut timing = Timing::default();
        assert_eq!(timing.percentile(0.5), 0);
        timing.add(0);
        assert_eq!((timing.percentile(0.5), timing.max), (0, 0));
        timing.add(u64::MAX / 4);
        assert!(timing.percentile(0.99) > 1 << 40);
    }

    /// Each reading is one later than that before.
    fn ticking() -> u64 {
        use std::cell::Cell;
        thread_local!(static NOW: Cell<u64> = const { Cell::new(100) });
        NOW.replace(NOW.get() + 1)
    }

    fn stats() -> Stats {
        let mut stats = Stats::default();
        stats.set_clock(ticking);
        stats
    }

    fn transaction(request_id: Option<u32>, error: Option<CallError>) -> Event {
        Event::Transaction { request_id, cause: None, error, diff: Box::default() }
    }

    #[test]
    fn a_large_message_is_timed_in_its_parts() {
        let mut stats = stats();
        stats.asked(true);
        stats.decoded();
        stats.applied();
        stats.decoded();
        stats.hand_out(&transaction(None, None));
        stats.asked(false);
        for timing in [&stats.decode, &stats.apply, &stats.dispatch] {
            assert_eq!((timing.count, timing.total, timing.max), (1, 1, 1));
        }
    }

    #[test]
    fn one_small_message_in_eight_stands_for_all() {
        let mut stats = stats();
        for _ in 0..80 {
            stats.asked(false);
            stats.messages_received += 1;
            stats.decoded();
            stats.hand_out(&transaction(None, None));
        }
        assert_eq!((stats.decode.count, stats.decode.total, stats.decode.max), (80, 80, 1));
        assert_eq!((stats.dispatch.count, stats.apply.count), (79, 0), "the last one is not handled yet");
    }

    #[test]
    fn what_is_done_after_the_last_event_counts_only_until_bytes_come() {
        let mut stats = stats();
        stats.asked(false);
        stats.hand_out(&Event::Unasked);
        stats.received(10);
        stats.asked(false);
        assert_eq!((stats.dispatch.count, stats.bytes_received), (0, 10));
    }

    #[test]
    fn calls_are_counted_by_their_answers() {
        let mut stats = stats();
        for request_id in 1..=4 {
            stats.call(CallKind::Reducer, request_id);
        }
        stats.hand_out(&transaction(Some(1), None));
        stats.hand_out(&transaction(Some(2), Some(CallError::Sender("no".into()))));
        stats.hand_out(&transaction(None, None));
        stats.lose_calls();
        stats.hand_out(&transaction(Some(3), None));
        let Calls { sent, answered, failed, latency } = &stats.reducers;
        assert_eq!((*sent, *answered, *failed), (4, 3, 1));
        assert_eq!(latency.count, 2, "that of a call which was held back over a reconnect is not known");
        assert_eq!(stats.transactions, 3);
    }
}
