//! Errors of the core as the exceptions that `spacetime_py.exceptions` defines.

use pyo3::PyErr;
use pyo3::exceptions::PyRuntimeError;

use crate::error::{DecodeError as Decode, Error};

pyo3::import_exception!(spacetime_py.exceptions, CodegenError);
pyo3::import_exception!(spacetime_py.exceptions, DecodeError);
pyo3::import_exception!(spacetime_py.exceptions, EncodeError);
pyo3::import_exception!(spacetime_py.exceptions, ProtocolError);
pyo3::import_exception!(spacetime_py.exceptions, SchemaMismatchError);
pyo3::import_exception!(spacetime_py.exceptions, SpacetimeDBError);

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        let text = error.to_string();
        match error {
            Error::Decode { .. } => DecodeError::new_err(text),
            Error::Protocol(_) => ProtocolError::new_err(text),
            Error::Schema(_) => SchemaMismatchError::new_err(text),
            Error::Usage(_) => PyRuntimeError::new_err(text),
        }
    }
}

impl From<Decode> for PyErr {
    fn from(error: Decode) -> PyErr {
        DecodeError::new_err(error.to_string())
    }
}
