//! SpacetimeDB's own value types: Identity, ConnectionId, Timestamp, TimeDuration.

#![allow(clippy::wrong_self_convention, reason = "methods that Python calls take `&self`")]

use super::plain::{Micros, Plain, plain_types, slim, slim_micros};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime, PyDelta, PyDeltaAccess, PyType, PyTzInfo};

/// Kept least significant byte first, as on the wire.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $size:literal, $digits:literal) => {
        $(#[$doc])*
        #[pyclass(frozen, eq, ord, hash, module = "spacetime_py")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name {
            pub wire: [u8; $size],
        }

        impl $name {
            fn big_endian(&self) -> [u8; $size] {
                let mut bytes = self.wire;
                bytes.reverse();
                bytes
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.big_endian().cmp(&other.big_endian())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        #[pymethods]
        impl $name {
            #[new]
            fn new(hex: &str) -> PyResult<Self> {
                let digits = hex.strip_prefix("0x").unwrap_or(hex);
                let mut wire = [0; $size];
                if digits.len() != $digits || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    let text = format!(concat!(stringify!($name), " takes ", $digits, " hex digits, not {:?}"), hex);
                    return Err(PyValueError::new_err(text));
                }
                for (byte, at) in wire.iter_mut().rev().zip((0..).step_by(2)) {
                    *byte = u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
                }
                Ok($name { wire })
            }

            #[staticmethod]
            fn from_bytes(data: &[u8]) -> PyResult<Self> {
                let mut wire: [u8; $size] = data.try_into().map_err(|_| {
                    PyValueError::new_err(format!(
                        concat!(stringify!($name), ".from_bytes takes ", $size, " bytes, not {}"),
                        data.len()
                    ))
                })?;
                wire.reverse();
                Ok($name { wire })
            }

            #[getter]
            fn hex(&self) -> String {
                self.big_endian().iter().map(|byte| format!("{byte:02x}")).collect()
            }

            fn __str__(&self) -> String {
                self.hex()
            }

            fn __repr__(&self) -> String {
                format!(concat!(stringify!($name), "({:?})"), self.hex())
            }

            fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                PyBytes::new(py, &self.big_endian())
            }

            fn __int__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                super::convert::wide_int(py, &self.wire, false)
            }

            fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (String,)) {
                (py.get_type::<$name>(), (self.hex(),))
            }
        }
    };
}

id_type!(
    /// A user or database: 256 bits. `str()` is 64 hex digits, as in every SpacetimeDB tool.
    Identity,
    32,
    64
);
id_type!(
    /// One connection of a client: 128 bits. `str()` is 32 hex digits.
    ConnectionId,
    16,
    32
);

plain_types!(Identity, ConnectionId, TimeDuration, Timestamp);

impl Micros for TimeDuration {
    fn micros(self) -> i64 {
        self.micros
    }
}

impl Micros for Timestamp {
    fn micros(self) -> i64 {
        self.micros
    }
}

/// To be called before anything makes one of these.
pub fn slim_all(py: Python<'_>) -> PyResult<()> {
    slim::<Identity>(py)?;
    slim::<ConnectionId>(py)?;
    slim_micros::<TimeDuration>(py)?;
    slim_micros::<Timestamp>(py)
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A signed span of time in whole microseconds.
#[pyclass(frozen, eq, ord, hash, module = "spacetime_py")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeDuration {
    #[pyo3(get)]
    pub micros: i64,
}

#[pymethods]
impl TimeDuration {
    #[new]
    fn new(micros: i64) -> Self {
        TimeDuration { micros }
    }

    #[staticmethod]
    fn from_timedelta(delta: &Bound<'_, PyDelta>) -> PyResult<Self> {
        Ok(TimeDuration { micros: delta_micros(delta)? })
    }

    fn to_timedelta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDelta>> {
        let (days, seconds, micros) = split(self.micros);
        PyDelta::new(py, days, seconds, micros, false)
    }

    fn __repr__(&self) -> String {
        format!("TimeDuration({})", self.micros)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (i64,)) {
        (py.get_type::<Self>(), (self.micros,))
    }
}

/// A moment: microseconds since 1970-01-01 UTC, a signed 64-bit number.
#[pyclass(frozen, eq, ord, hash, module = "spacetime_py")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    #[pyo3(get)]
    pub micros: i64,
}

#[pymethods]
impl Timestamp {
    #[new]
    fn new(micros: i64) -> Self {
        Timestamp { micros }
    }

    #[staticmethod]
    fn from_datetime(moment: &Bound<'_, PyDateTime>) -> PyResult<Self> {
        if moment.call_method0("utcoffset")?.is_none() {
            return Err(PyValueError::new_err(
                "Timestamp.from_datetime takes an aware datetime: give it a time zone, for example tzinfo=timezone.utc",
            ));
        }
        let since = moment.sub(epoch(moment.py())?)?;
        Ok(Timestamp { micros: delta_micros(since.cast::<PyDelta>()?)? })
    }

    fn to_datetime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (days, seconds, micros) = split(self.micros);
        epoch(py)?.add(PyDelta::new(py, days, seconds, micros, false)?)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.to_datetime(py).and_then(|moment| moment.str()) {
            Ok(text) => format!("Timestamp({}: {text})", self.micros),
            Err(_) => format!("Timestamp({})", self.micros),
        }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (i64,)) {
        (py.get_type::<Self>(), (self.micros,))
    }
}

fn epoch(py: Python<'_>) -> PyResult<Bound<'_, PyDateTime>> {
    PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&PyTzInfo::utc(py)?.to_owned()))
}

/// Days, seconds, microseconds, as `timedelta` has them: only the days may be negative.
fn split(micros: i64) -> (i32, i32, i32) {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    (days as i32, seconds.rem_euclid(SECONDS_PER_DAY) as i32, micros.rem_euclid(MICROS_PER_SECOND) as i32)
}

/// `timedelta` reaches ten times further than 64 bits of microseconds.
fn delta_micros(delta: &Bound<'_, PyDelta>) -> PyResult<i64> {
    let seconds = i64::from(delta.get_days()) * SECONDS_PER_DAY + i64::from(delta.get_seconds());
    let micros = i128::from(seconds) * i128::from(MICROS_PER_SECOND) + i128::from(delta.get_microseconds());
    i64::try_from(micros)
        .map_err(|_| PyOverflowError::new_err("more than 292,271 years do not fit a 64-bit number of microseconds"))
}
