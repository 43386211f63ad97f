//! The routes that tests and tools use, answered as a server does.

use std::rc::Rc;

use _core::sats::Reader;

use super::message::{Request, Response};
use super::sats_json;
use crate::database::{CallError, Caller, Database, Function, now_micros};
use crate::host::Host;
use crate::token::{Bearer, identity_hex, random_connection_id};

/// Answers one request. Every answer about a database names the identity that asked for it.
pub async fn answer(host: &Host, request: &Request) -> Response {
    route(host, request).await.unwrap_or_else(|refusal| refusal)
}

type Answer = Result<Response, Response>;

async fn route(host: &Host, request: &Request) -> Answer {
    let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    match (request.method.as_str(), &path[..]) {
        ("OPTIONS", _) => Ok(preflight()),
        ("GET", ["v1", "ping"]) => host.bearer(request).map(|_| Response::empty(200)),
        ("GET", ["v1", "health"]) => Ok(Response::json(health())),
        ("POST", ["v1", "identity"]) => {
            let Bearer { identity, token, .. } = host.keys.mint();
            Ok(Response::json(serde_json::json!({ "identity": identity_hex(&identity), "token": token }).to_string()))
        }
        ("POST", ["v1", "identity", "websocket-token"]) => {
            if request.header("authorization").is_none() {
                return Err(Response::text(401, "Authorization required"));
            }
            let token = host.keys.mint_short_lived(&host.bearer(request)?).token;
            Ok(Response::json(serde_json::json!({ "token": token }).to_string()))
        }
        (_, ["v1", "database", name, rest @ ..]) => {
            let bearer = host.bearer(request)?;
            let answered = of_database(host, request, &bearer, name, rest).await;
            let mut response = answered.unwrap_or_else(|refusal| refusal);
            response.headers.push(("spacetime-identity", identity_hex(&bearer.identity)));
            response.headers.push(("spacetime-identity-token", bearer.token));
            Ok(response)
        }
        _ => Err(Response::empty(404)),
    }
}

fn preflight() -> Response {
    let mut response = Response::empty(200);
    response.headers.push(("access-control-allow-methods", "*".into()));
    response.headers.push(("access-control-allow-headers", "authorization, accept, content-type".into()));
    response
}

fn health() -> String {
    r#"{"nodes":[0],"package_name":"spacetime_py_peer","schedulable":true,"version":"2.8.3-peer"}"#.into()
}

async fn of_database(host: &Host, request: &Request, bearer: &Bearer, name: &str, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("PUT", []) => publish(host, request, bearer, name),
        ("DELETE", []) => {
            host.delete(name, bearer.identity)?;
            Ok(Response::empty(200))
        }
        ("GET", ["schema"]) => schema(&*host.database(name)?, request),
        ("GET", ["identity"]) => Ok(Response::text(200, identity_hex(&host.database(name)?.identity))),
        ("POST", ["call", function]) => call(&host.database(name)?, request, bearer, function).await,
        ("POST", ["sql"]) => sql(&host.database(name)?, request, bearer),
        _ => Err(Response::empty(404)),
    }
}

fn publish(host: &Host, request: &Request, bearer: &Bearer, name: &str) -> Answer {
    let module = std::str::from_utf8(&request.body).ok().and_then(|text| text.trim().strip_prefix("native:"));
    let module = module.ok_or_else(|| {
        Response::text(500, "failed to parse WebAssembly module: this peer takes `native:NAME` in its place")
    })?;
    let clear = request.query.get("clear").is_some_and(|clear| clear == "true");
    let (database, op) = host.publish(name, module, bearer.identity, clear)?;
    let success = serde_json::json!({ "Success": {
        "domain": name, "database_identity": identity_hex(&database.identity), "op": op,
    } });
    Ok(Response::json(success.to_string()))
}

fn schema(database: &Database, request: &Request) -> Answer {
    let refused = |text: String| Response::text(400, format!("Failed to deserialize query string: {text}"));
    let version = request.query.get("version").ok_or_else(|| refused("missing field `version`".into()))?;
    let document = version.parse().ok().and_then(|version| database.schema.document(version));
    document.map(Response::json).ok_or_else(|| refused(format!("unknown variant `{version}`")))
}

/// The module sees a client who comes for the call and leaves after it.
async fn call(database: &Rc<Database>, request: &Request, bearer: &Bearer, name: &str) -> Answer {
    match request.header("content-type") {
        Some("application/json") => {}
        Some(_) => return Err(Response::text(415, "Expected request with `Content-Type: application/json`")),
        None => return Err(Response::text(400, "Header of type `content-type` was missing")),
    }
    let is_reducer = database.schema.reducer(name).is_some();
    let (function, kind) = if is_reducer { (Function::Reducer, "reducer") } else { (Function::Procedure, "procedure") };
    let params = database.params(function, name).map_err(|error| refusal(error, kind, name))?;
    let json = std::str::from_utf8(&request.body).map_err(|error| Response::text(400, error.to_string()))?;
    let args = sats_json::encode(database.schema.layout(), params, json)
        .map_err(|error| refusal(CallError::BadArguments(error), kind, name))?;
    tokio::time::sleep(database.delay(function, name, &args)).await;
    within_a_visit(database, bearer, |caller| match function {
        Function::Reducer => {
            database.reducer(caller, name, &args).map_err(|error| refusal(error, kind, name))?;
            Ok(Response::empty(200))
        }
        Function::Procedure => {
            let value = database.procedure(caller, name, &args).map_err(|error| refusal(error, kind, name))?;
            result(database, name, &value)
        }
    })
}

fn within_a_visit(database: &Rc<Database>, bearer: &Bearer, work: impl FnOnce(Caller) -> Answer) -> Answer {
    let connection_id = random_connection_id();
    database.enter(bearer.identity, connection_id).map_err(|failure| Response::text(403, failure.text()))?;
    let answer = work(Caller { identity: bearer.identity, connection_id: Some(connection_id) });
    database.leave(bearer.identity, connection_id);
    answer
}

fn result(database: &Database, name: &str, value: &[u8]) -> Answer {
    let broken = || Response::text(500, "the procedure's result is not of its type");
    let procedure = database.schema.def.procedure(name).ok_or_else(broken)?;
    let mut json = String::new();
    sats_json::decode(database.schema.layout(), procedure.returns, &mut Reader::new(value), &mut json)
        .map_err(|_| broken())?;
    Ok(Response::json(json))
}

fn refusal(error: CallError, kind: &str, name: &str) -> Response {
    let status = match &error {
        CallError::NoSuchFunction => return Response::text(404, "No such procedure"),
        CallError::Special(_) | CallError::BadArguments(_) => 400,
        CallError::Failed(_) if kind == "procedure" => 500,
        CallError::Failed(_) => 530,
    };
    // The words of version 1, which repeats its causes, are those of HTTP too.
    Response::text(status, error.text(kind, name, crate::wire::Protocol::V1))
}

fn sql(database: &Rc<Database>, request: &Request, bearer: &Bearer) -> Answer {
    let text = std::str::from_utf8(&request.body).map_err(|error| Response::text(400, error.to_string()))?;
    if text.trim().is_empty() {
        return Err(Response::text(400, "Empty SQL query"));
    }
    let start = now_micros();
    within_a_visit(database, bearer, |_| {
        let (table, rows) = database.query(text, bearer.identity).map_err(|text| Response::text(400, text))?;
        let row_type = database.schema.def.tables[table].row;
        let mut json = String::new();
        for row in &rows {
            json += if json.is_empty() { "" } else { "," };
            sats_json::decode(database.schema.layout(), row_type, &mut Reader::new(row), &mut json)
                .map_err(|error| Response::text(500, error.to_string()))?;
        }
        let schema = &database.schema.tables[table].row_type;
        let stats = r#"{"rows_inserted":0,"rows_deleted":0,"rows_updated":0}"#;
        let micros = now_micros() - start;
        Ok(Response::json(format!(
            r#"[{{"schema":{schema},"rows":[{json}],"total_duration_micros":{micros},"stats":{stats}}}]"#
        )))
    })
}
