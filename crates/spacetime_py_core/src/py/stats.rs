//! The core's numbers as Python's, and the clock that they are measured with.

use std::sync::LazyLock;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::client::Connection;
use crate::client::stats::{Calls, Timing};

/// Of a monotonic clock. Measuring is the one use of time that changes nothing.
#[allow(clippy::disallowed_types, reason = "the border has the clock that the core does without")]
pub fn nanoseconds() -> u64 {
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    let elapsed = START.elapsed();
    elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
}

/// The keys are those of `_core.pyi`.
pub fn snapshot<'py>(py: Python<'py>, core: &Connection) -> PyResult<Bound<'py, PyDict>> {
    let (stats, values) = (core.stats(), PyDict::new(py));
    values.set_item("bytes_received", stats.bytes_received)?;
    values.set_item("bytes_expanded", stats.bytes_expanded)?;
    values.set_item("bytes_sent", stats.bytes_sent)?;
    values.set_item("messages_received", stats.messages_received)?;
    values.set_item("messages_sent", stats.messages_sent)?;
    values.set_item("messages_queued", core.queued())?;
    values.set_item("rows_received", stats.rows_received)?;
    values.set_item("rows_inserted", stats.rows_inserted)?;
    values.set_item("rows_updated", stats.rows_updated)?;
    values.set_item("rows_deleted", stats.rows_deleted)?;
    values.set_item("rows_happened", stats.rows_happened)?;
    values.set_item("transactions", stats.transactions)?;
    values.set_item("greetings", stats.greetings)?;
    values.set_item("pings_sent", stats.pings_sent)?;
    values.set_item("pings_received", stats.pings_received)?;
    values.set_item("decode", timing(&stats.decode))?;
    values.set_item("apply", timing(&stats.apply))?;
    values.set_item("dispatch", timing(&stats.dispatch))?;
    values.set_item("frames", timing(&stats.frames))?;
    values.set_item("reducers", calls(&stats.reducers))?;
    values.set_item("procedures", calls(&stats.procedures))?;
    values.set_item("queries", calls(&stats.queries))?;
    values.set_item("tables", core.cache().sizes().collect::<Vec<_>>())?;
    Ok(values)
}

type Seconds = (u64, f64, f64, f64, f64);

fn timing(timing: &Timing) -> Seconds {
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let percentile = |share| seconds(timing.percentile(share));
    (timing.count, seconds(timing.total), seconds(timing.max), percentile(0.5), percentile(0.99))
}

fn calls(calls: &Calls) -> (u64, u64, u64, Seconds) {
    (calls.sent, calls.answered, calls.failed, timing(&calls.latency))
}
