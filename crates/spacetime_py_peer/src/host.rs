//! Everything that one running peer holds: its databases and its keys.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::database::{Database, Identity};
use crate::http::{Request, Response};
use crate::modules::{self, Module};
use crate::store::Map;
use crate::token::{Bearer, Keys, identity_hex, identity_of, random};
use crate::wire::{PROTOCOLS, Protocol};

/// A database, and what was done to it: `created` or `updated`.
pub type Published = (Rc<Database>, &'static str);

/// How a peer behaves towards its clients.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Send a ping before the greeting too, as the real server does now and then.
    pub ping_first: bool,
    /// The versions that are spoken: older servers know fewer.
    pub protocols: Vec<Protocol>,
    /// Time between two pings.
    pub ping_every: Duration,
    /// Wait so long for more before messages are sent, so that version 3 has something to put together.
    pub coalesce: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            ping_first: false,
            protocols: PROTOCOLS.to_vec(),
            ping_every: Duration::from_secs(15),
            coalesce: Duration::ZERO,
        }
    }
}

pub struct Host {
    pub keys: Keys,
    pub settings: Settings,
    /// The schema that `generic` has here, where it is not that of the load tests.
    generic_schema: Option<String>,
    databases: RefCell<Map<String, Rc<Database>>>,
}

impl Host {
    pub fn new(keys: Keys, settings: Settings, generic_schema: Option<String>) -> Host {
        Host { keys, settings, generic_schema, databases: RefCell::default() }
    }

    /// Who makes a request; somebody new where it does not say.
    pub fn bearer(&self, request: &Request) -> Result<Bearer, Response> {
        let token = match request.header("authorization") {
            Some(header) => {
                let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer "));
                Some(token.ok_or_else(|| Response::text(400, "Authorization is invalid: malformed token"))?)
            }
            None => request.query.get("token").map(String::as_str),
        };
        match token {
            Some(token) => self.keys.verify(token).map_err(|error| Response::text(401, error)),
            None => Ok(self.keys.mint()),
        }
    }

    /// By its name or the digits of its identity.
    pub fn database(&self, name: &str) -> Result<Rc<Database>, Response> {
        let databases = self.databases.borrow();
        let found = databases.get(name).or_else(|| {
            let digits = name.strip_prefix("0x").unwrap_or(name);
            databases.values().find(|database| identity_hex(&database.identity) == digits)
        });
        found.cloned().ok_or_else(|| Response::text(404, format!("`{name}` not found")))
    }

    /// Makes a database with a module of this name. One that is there stays as it is, unless it is to be cleared.
    pub fn publish(&self, name: &str, module: &str, owner: Identity, clear: bool) -> Result<Published, Response> {
        let module = self.module(module).map_err(|error| Response::text(500, error))?;
        let Ok(database) = self.database(name) else {
            let identity = identity_of("database", &identity_hex(&random::<32>()));
            return Ok((self.add(name, identity, owner, module)?, "created"));
        };
        check_owner(&database, owner, "update database")?;
        if !clear {
            return Ok((database, "updated"));
        }
        database.delete();
        Ok((self.add(&database.name, database.identity, owner, module)?, "updated"))
    }

    /// Makes a database of a module.
    fn add(
        &self,
        name: &str,
        identity: Identity,
        owner: Identity,
        module: Rc<dyn Module>,
    ) -> Result<Rc<Database>, Response> {
        let database =
            Database::new(name, identity, owner, module).map_err(|failure| Response::text(500, failure.text()))?;
        self.databases.borrow_mut().insert(name.to_owned(), database.clone());
        Ok(database)
    }

    pub fn delete(&self, name: &str, who: Identity) -> Result<(), Response> {
        let database = self.database(name)?;
        check_owner(&database, who, "delete database")?;
        self.databases.borrow_mut().remove(&database.name);
        database.delete();
        Ok(())
    }

    fn module(&self, name: &str) -> Result<Rc<dyn Module>, String> {
        match &self.generic_schema {
            Some(schema) if name == "generic" => modules::of_schema(schema),
            _ => modules::built_in(name).unwrap_or_else(|| {
                Err(format!("there is no module `{name}`; there are {}", modules::NAMES.join(", ")))
            }),
        }
    }
}

fn check_owner(database: &Database, who: Identity, action: &str) -> Result<(), Response> {
    if database.owner == who {
        return Ok(());
    }
    let (who, database) = (identity_hex(&who), identity_hex(&database.identity));
    Err(Response::text(403, format!("{who} is not authorized to perform action on database {database}: {action}")))
}
