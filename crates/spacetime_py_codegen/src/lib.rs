//! From a module's description (RawModuleDef version 9 or 10, in JSON) to the Python package of its bindings.
//!
//! `raw` reads the description, `schema` brings it into one form with the names of the wire, `names` and `types` say it
//! in Python, `emit` writes one file each, and `describe` packs the schema for the core.

mod describe;
mod emit;
mod layout;
mod names;
mod raw;
mod schema;
mod types;

use std::fmt;

/// What the caller may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// For docstrings: the module's or database's name.
    pub module_name: String,
    /// Private tables too, which only the database's owner can subscribe to.
    pub include_private: bool,
}

/// One file of the generated package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    pub name: String,
    pub text: String,
}

#[derive(Debug)]
pub enum Error {
    /// The text is no JSON, or not that of a module description.
    NotADescription(String),
    /// The description contradicts itself or says what this generator does not know.
    Unsupported { place: String, problem: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotADescription(problem) => write!(
                f,
                "this is no module description: {problem}; expected is what a server gives at \
                 /v1/database/NAME/schema?version=9 (or 10), or what `spacetimedb-standalone extract-schema` prints"
            ),
            Error::Unsupported { place, problem } => write!(f, "{place}: {problem}"),
        }
    }
}

impl std::error::Error for Error {}

/// The files of the package, in a fixed order. The same description gives the same bytes.
pub fn generate(schema_json: &str, options: &Options) -> Result<Vec<OutputFile>, Error> {
    let schema = schema::Schema::from_json(schema_json, options.include_private)?;
    Ok(emit::package(&names::Named::new(&schema), &options.module_name))
}

/// The schema as the core reads it: BSATN of a RawModuleDef, version 10, of what the package exposes.
pub fn describe(schema_json: &str, include_private: bool) -> Result<Vec<u8>, Error> {
    Ok(describe::describe(&schema::Schema::from_json(schema_json, include_private)?))
}
