//! From a request for `.../subscribe` to a WebSocket.

use std::rc::Rc;

use tungstenite::handshake::derive_accept_key;

use super::message::{Request, Response};
use crate::database::{ConnectionId, Database};
use crate::host::Host;
use crate::numbers::from_hex;
use crate::token::{Bearer, identity_hex, random_connection_id};
use crate::wire::Protocol;
use crate::wire::envelope::Compression;

/// All that was agreed on.
pub struct Upgrade {
    pub database: Rc<Database>,
    pub bearer: Bearer,
    pub protocol: Protocol,
    pub compression: Compression,
    pub connection_id: ConnectionId,
    /// Version 1: nothing of the calls of others.
    pub is_light: bool,
    /// To be sent before the first frame.
    pub response: Response,
}

/// None if the request is for something else.
pub fn upgrade(host: &Host, request: &Request) -> Option<Result<Upgrade, Response>> {
    let name = request.path.strip_prefix("/v1/database/")?.strip_suffix("/subscribe")?;
    (request.method == "GET").then(|| agree(host, name, request))
}

fn agree(host: &Host, name: &str, request: &Request) -> Result<Upgrade, Response> {
    let refused = |text: &str| Response::text(400, text);
    let compression = compression(request).map_err(|text| refused(&text))?;
    let connection_id = connection_id(request).map_err(refused)?;
    let bearer = host.bearer(request)?;
    let database = host.database(name)?;
    let is_upgrade = request.has_word("connection", "upgrade") && request.has_word("upgrade", "websocket");
    let Some(key) = request.header("sec-websocket-key").filter(|_| is_upgrade) else {
        return Err(Response::text(426, "This service requires use of the websocket protocol"));
    };
    let offered = request.header("sec-websocket-protocol").unwrap_or_default();
    let protocol =
        Protocol::choose(offered, &host.settings.protocols).ok_or_else(|| refused("no valid protocol selected"))?;
    let is_light = request.query.get("light").is_some_and(|light| light == "true");
    let headers = vec![
        ("connection", "upgrade".to_owned()),
        ("upgrade", "websocket".to_owned()),
        ("sec-websocket-accept", derive_accept_key(key.as_bytes())),
        ("sec-websocket-protocol", protocol.name().to_owned()),
        ("spacetime-identity", identity_hex(&bearer.identity)),
        ("spacetime-identity-token", bearer.token.clone()),
    ];
    let response = Response { status: 101, headers, body: Vec::new() };
    Ok(Upgrade { database, bearer, protocol, compression, connection_id, is_light, response })
}

fn compression(request: &Request) -> Result<Compression, String> {
    let Some(name) = request.query.get("compression") else { return Ok(Compression::Brotli) };
    Compression::from_name(name).ok_or_else(|| {
        let expected = "expected one of `None`, `Brotli`, `Gzip`";
        format!("Failed to deserialize query string: unknown variant `{name}`, {expected}")
    })
}

fn connection_id(request: &Request) -> Result<ConnectionId, &'static str> {
    let Some(text) = request.query.get("connection_id") else { return Ok(random_connection_id()) };
    let bytes = from_hex(text).and_then(|bytes| ConnectionId::try_from(bytes).ok());
    let mut id = bytes.ok_or("Failed to deserialize query string: invalid connection ID")?;
    id.reverse();
    match id {
        [0, rest @ ..] if rest == [0; 15] => Err("Invalid connection ID: the all-zeros ConnectionId is reserved."),
        id => Ok(id),
    }
}
