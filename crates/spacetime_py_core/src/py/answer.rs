//! The answer to an own call that was committed, for who awaits it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

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
    pub fn give(self, calls: &Bound<'py, PyDict>) -> PyResult<()> {
        let py = calls.py();
        let Some(call) = calls.get_item(self.request_id)? else { return Ok(()) };
        calls.del_item(self.request_id)?;
        match self.value {
            Ok(value) => call.call_method1(intern!(py, "resolve"), (value,))?,
            Err(error) if error.is_instance_of::<SpacetimeDBError>(py) => {
                call.call_method1(intern!(py, "fail"), (error,))?
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }
}
