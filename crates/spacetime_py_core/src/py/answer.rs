//! The answer to an own call that was committed, for who awaits it.

use pyo3::intern;
use pyo3::prelude::*;

use super::calls::Calls;
use super::classes::Module;
use super::error::SpacetimeDBError;
use super::event::returned_value;
use crate::wire::message::Cause;

pub struct Answer<'py> {
    request_id: u32,
    value: PyResult<Bound<'py, PyAny>>,
}

impl<'py> Answer<'py> {
    pub fn new(module: &Bound<'py, Module>, request_id: u32, cause: Option<&Cause>) -> Self {
        let py = module.py();
        let nothing = || Ok(py.None().into_bound(py));
        Answer { request_id, value: cause.map_or_else(nothing, |cause| returned_value(py, module.get(), cause)) }
    }

    /// Who awaits it goes on after its row callbacks. A value that the bindings cannot decode is the caller's affair, not the
    /// connection's.
    pub fn give(self, py: Python<'py>, calls: &Calls) -> PyResult<()> {
        let Some(call) = calls.pop(py, self.request_id) else { return Ok(()) };
        match self.value {
            Ok(value) => call.get().resolve(py, value.unbind()),
            Err(error) if error.is_instance_of::<SpacetimeDBError>(py) => {
                call.call_method1(py, intern!(py, "_fail"), (error,)).map(drop)
            }
            Err(error) => Err(error),
        }
    }
}
