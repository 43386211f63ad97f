//! The HTTP side: requests read, routed and answered.

mod message;
mod routes;
mod sats_json;
mod upgrade;

pub use message::{Request, Response, read};
pub use routes::answer;
pub use upgrade::{Upgrade, upgrade};
