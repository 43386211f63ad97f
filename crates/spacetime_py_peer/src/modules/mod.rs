//! What a module of a database is here: its logic in Rust, on rows as bytes.

mod chat;
mod context;
mod generic;
mod made_up;
mod mod28;

use std::rc::Rc;
use std::time::Duration;

pub use context::Context;

use crate::database::Identity;
use crate::schema::Schema;
use crate::store::{Row, Tables};

/// Why a function of a module did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module says no, in these words.
    User(String),
    /// The same by a value of its own error type, as BSATN.
    Value(Vec<u8>),
    /// It broke down.
    Fatal(String),
}

impl Failure {
    /// A panic, as clients hear of it.
    pub fn panic() -> Failure {
        Failure::Fatal("The instance encountered a fatal error.".into())
    }

    /// As it is told where there is no place for a value.
    pub fn text(&self) -> &str {
        match self {
            Failure::User(text) | Failure::Fatal(text) => text,
            Failure::Value(_) => "the reducer's error is not a text",
        }
    }
}

pub type Outcome<T = ()> = Result<T, Failure>;

/// A module: a schema, and what its functions do. Arguments were checked against the schema before they come here;
/// what fails leaves no trace.
pub trait Module {
    fn schema(&self) -> Rc<Schema>;

    /// Runs once, when the database is made.
    fn init(&self, _context: &mut Context<'_>) -> Outcome {
        Ok(())
    }

    /// A client has come. Failing turns it away.
    fn connected(&self, _context: &mut Context<'_>) -> Outcome {
        Ok(())
    }

    fn disconnected(&self, _context: &mut Context<'_>) -> Outcome {
        Ok(())
    }

    /// How long a call is held back. Only the client that makes it waits.
    fn delay(&self, _function: &str, _args: &[u8]) -> Duration {
        Duration::ZERO
    }

    /// Runs a reducer; those of scheduled tables get the row as their arguments.
    fn reducer(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome;

    /// Runs a procedure, in a transaction of its own, and gives its result as BSATN.
    fn procedure(&self, name: &str, _args: &[u8], _context: &mut Context<'_>) -> Outcome<Vec<u8>> {
        Err(Failure::Fatal(format!("the procedure {name} is not part of this peer")))
    }

    /// The rows of a view as they are now.
    fn view(&self, _view: usize, _sender: Identity, _tables: &Tables) -> Vec<Row> {
        Vec::new()
    }
}

/// The names of the modules that are built in.
pub const NAMES: [&str; 4] = ["all_types", "chat", "generic", "mod28"];

/// A built-in module by its name.
pub fn built_in(name: &str) -> Option<Result<Rc<dyn Module>, String>> {
    let module: Result<Rc<dyn Module>, String> = match name {
        "all_types" => mod28::Mod28::all_types().map(|module| Rc::new(module) as _),
        "chat" => chat::Chat::new().map(|module| Rc::new(module) as _),
        "generic" => generic::Generic::of_load_tests().map(|module| Rc::new(module) as _),
        "mod28" => mod28::Mod28::new().map(|module| Rc::new(module) as _),
        _ => return None,
    };
    Some(module)
}

/// A module for any schema (JSON, version 9 or 10), whose reducers mean what their names say.
pub fn of_schema(json: &str) -> Result<Rc<dyn Module>, String> {
    generic::Generic::new(json).map(|module| Rc::new(module) as _)
}
