//! The border with Python: the only folder that names `pyo3`. Signatures and docstrings are in `_core.pyi`.

mod answer;
mod bsatn;
mod calls;
mod classes;
mod connection;
mod context;
mod convert;
mod delivery;
mod encode;
mod error;
mod event;
mod fields;
mod functions;
mod held;
mod index;
mod packed;
mod pending;
mod plain;
mod receiver;
mod row;
mod slots;
mod spare;
mod stats;
mod table;
mod types;
mod waiters;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Everything that `_core.pyi` declares, in its order.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Python's own seed, which PYTHONHASHSEED sets.
    crate::hashing::seed(PyString::new(module.py(), "spacetime_py").hash()? as u64);
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    types::slim_all(module.py())?;
    module.add_class::<types::Identity>()?;
    module.add_class::<types::ConnectionId>()?;
    module.add_class::<types::TimeDuration>()?;
    module.add_class::<types::Timestamp>()?;
    module.add_class::<classes::Module>()?;
    module.add_function(wrap_pyfunction!(classes::product, module)?)?;
    module.add_function(wrap_pyfunction!(classes::variant, module)?)?;
    module.add_function(wrap_pyfunction!(classes::plain_enum, module)?)?;
    functions::add_all(module)?;
    module.add_function(wrap_pyfunction!(packed::packed_format, module)?)?;
    module.add_function(wrap_pyfunction!(packed::packed_rows, module)?)?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<table::TableCache>()?;
    module.add_class::<index::UniqueColumn>()?;
    module.add_class::<index::OrderedIndex>()?;
    module.add_class::<context::EventContext>()?;
    module.add_class::<waiters::Waiters>()?;
    module.add_class::<waiters::Waiter>()?;
    module.add_class::<pending::Pending>()?;
    module.add_class::<calls::Calls>()?;
    module.add_class::<delivery::Callbacks>()?;
    module.add_class::<delivery::Delivery>()?;
    module.add_class::<receiver::Receiver>()?;
    module.add_class::<event::TableDiff>()?;
    module.add_class::<event::Connected>()?;
    module.add_class::<event::SubscribeApplied>()?;
    module.add_class::<event::UnsubscribeApplied>()?;
    module.add_class::<event::SubscriptionFailed>()?;
    module.add_class::<event::TransactionUpdate>()?;
    module.add_class::<event::ReducerInfo>()?;
    module.add_class::<event::ProcedureResult>()?;
    module.add_class::<event::QueryResult>()?;
    module.add_class::<event::Resynced>()?;
    module.add_class::<event::Unasked>()?;
    module.add_class::<event::Warning>()?;
    module.add_class::<event::Closed>()?;
    module.add_function(wrap_pyfunction!(connection::open_envelope, module)?)?;
    module.add_function(wrap_pyfunction!(generate, module)?)?;
    module.add_function(wrap_pyfunction!(describe, module)?)?;
    module.add_function(wrap_pyfunction!(schema_json, module)?)?;
    Ok(())
}

/// The description that a generated package would hold, private tables included.
#[pyfunction]
fn describe<'py>(py: Python<'py>, schema: &str) -> PyResult<Bound<'py, PyBytes>> {
    let description = spacetime_py_codegen::describe(schema, true)
        .map_err(|error| error::CodegenError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &description))
}

/// A module's own description in the JSON that servers make of it.
#[pyfunction]
fn schema_json(description: &[u8]) -> PyResult<String> {
    spacetime_py_codegen::schema_json(description).map_err(|error| error::CodegenError::new_err(error.to_string()))
}

/// The second flow's door: `spacetime-py generate` calls it.
#[pyfunction]
#[pyo3(signature = (schema, module_name, include_private = false))]
fn generate(schema: &str, module_name: &str, include_private: bool) -> PyResult<Vec<(String, String)>> {
    let options = spacetime_py_codegen::Options { module_name: module_name.to_owned(), include_private };
    let files = spacetime_py_codegen::generate(schema, &options)
        .map_err(|error| error::CodegenError::new_err(error.to_string()))?;
    Ok(files.into_iter().map(|file| (file.name, file.text)).collect())
}
