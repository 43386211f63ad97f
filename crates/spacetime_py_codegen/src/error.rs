use std::fmt;

/// What is wrong with a module description. The message names the place in the document and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    NotJson {
        problem: String,
    },
    /// What is wrong with a description in BSATN, and after how many bytes.
    Binary {
        position: usize,
        what: String,
    },
    /// JSON, and no module description.
    NotASchema,
    UnsupportedVersion {
        version: String,
    },
    MissingField {
        place: String,
        field: String,
    },
    WrongShape {
        place: String,
        expected: &'static str,
        found: &'static str,
    },
    UnknownType {
        place: String,
        name: String,
    },
    DanglingRef {
        place: String,
        index: u32,
        types: usize,
    },
    EndlessRef {
        index: u32,
    },
    RowNotProduct {
        table: String,
    },
    NoSuchColumn {
        table: String,
        column: u16,
    },
    ViewWithoutRows {
        view: String,
    },
    /// A name that the server will convert by rules of its own.
    NameNotSettled {
        kind: &'static str,
        name: String,
    },
    DuplicateName {
        kind: &'static str,
        name: String,
    },
}

/// What to do when a document is broken in a way that no server of SpacetimeDB makes it.
const SAVE_AGAIN: &str = "save the schema again from GET /v1/database/NAME/schema?version=9";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotJson { problem } => write!(f, "the schema is not JSON: {problem}; {SAVE_AGAIN}"),
            Error::Binary { position, what } => write!(
                f,
                "this is no description of a module in BSATN: after {position} bytes there is {what}; build the module \
                 again, with a current SpacetimeDB or spacetime-py"
            ),
            Error::NotASchema => write!(
                f,
                "this JSON is not a module's schema: it has neither \"sections\" (version 10) nor \"typespace\" and \
                 \"tables\" (version 9); {SAVE_AGAIN}"
            ),
            Error::UnsupportedVersion { version } => write!(
                f,
                "the schema is of version {version}, and this generator reads V9 and V10; publish the module with a \
                 current SpacetimeDB, or install a newer spacetime-py"
            ),
            Error::MissingField { place, field } => write!(f, "{place}: \"{field}\" is missing; {SAVE_AGAIN}"),
            Error::WrongShape { place, expected, found } => {
                write!(f, "{place}: expected {expected}, found {found}; {SAVE_AGAIN}")
            }
            Error::UnknownType { place, name } => {
                write!(f, "{place}: unknown kind of type \"{name}\"; install a newer spacetime-py")
            }
            Error::DanglingRef { place, index, types } => {
                write!(f, "{place}: refers to type {index}, and there are {types} types; {SAVE_AGAIN}")
            }
            Error::EndlessRef { index } => {
                write!(f, "typespace.types[{index}]: refers to nothing but itself; {SAVE_AGAIN}")
            }
            Error::RowNotProduct { table } => {
                write!(f, "table `{table}`: its rows are not of a product type; {SAVE_AGAIN}")
            }
            Error::NoSuchColumn { table, column } => {
                write!(f, "table `{table}`: there is no column number {column}; {SAVE_AGAIN}")
            }
            Error::ViewWithoutRows { view } => write!(
                f,
                "view `{view}`: it returns neither an array, nor an option, nor a query of rows of a product type; \
                 install a newer spacetime-py"
            ),
            Error::NameNotSettled { kind, name } => write!(
                f,
                "{kind} `{name}`: the server converts this name, and the schema does not say to what; take the schema \
                 of the published module, from GET /v1/database/NAME/schema?version=10"
            ),
            Error::DuplicateName { kind, name } => write!(f, "there are two of {kind} `{name}`; {SAVE_AGAIN}"),
        }
    }
}

impl std::error::Error for Error {}
