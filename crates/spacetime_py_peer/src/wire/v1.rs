//! Version 1, as 2.8.3 speaks it.

use _core::sats::Reader;

use super::Out;
use super::reply::{Outcome, QueryRows, ReducerReply, Reply, SetUpdate};
use super::request::{Form, Request};
use super::rows::EMPTY;

pub fn request(payload: &[u8]) -> Result<Request<'_>, String> {
    let reader = &mut Reader::new(payload);
    let tag = reader.u8().map_err(|error| error.to_string())?;
    let read = match tag {
        0 => call(reader).map(|(name, args, request, flags)| (flags < 2).then_some((name, args, request, flags == 1))),
        7 => call(reader).map(|(name, args, request, flags)| (flags < 1).then_some((name, args, request, false))),
        1..=6 => return other(tag, reader).map_err(|error| error.to_string()),
        tag => return Err(format!("unknown tag {tag:#x} for sum type ClientMessage")),
    };
    match read.map_err(|error| error.to_string())? {
        Some((name, args, request, quiet)) if tag == 0 => Ok(Request::CallReducer { request, name, args, quiet }),
        Some((name, args, request, _)) => Ok(Request::CallProcedure { request, name, args }),
        None => Err("invalid call flag".into()),
    }
}

type Decoded<T> = Result<T, _core::error::DecodeError>;

/// Function, arguments, request id, flags.
fn call<'a>(reader: &mut Reader<'a>) -> Decoded<(&'a str, &'a [u8], u32, u8)> {
    Ok((reader.str()?, reader.bytes()?, reader.u32()?, reader.u8()?))
}

fn other<'a>(tag: u8, reader: &mut Reader<'a>) -> Decoded<Request<'a>> {
    Ok(match tag {
        1 => {
            let queries = reader.list(|reader| reader.str())?;
            Request::Subscribe { queries, request: reader.u32()?, set: 0, form: Form::Legacy }
        }
        2 => Request::OneOff { id: reader.bytes()?.to_vec(), query: reader.str()? },
        3 => {
            let queries = vec![reader.str()?];
            Request::Subscribe { queries, request: reader.u32()?, set: reader.u32()?, form: Form::Single }
        }
        4 => {
            let queries = reader.list(|reader| reader.str())?;
            Request::Subscribe { queries, request: reader.u32()?, set: reader.u32()?, form: Form::Set }
        }
        5 => Request::Unsubscribe { request: reader.u32()?, set: reader.u32()?, form: Form::Single, send_rows: true },
        _ => Request::Unsubscribe { request: reader.u32()?, set: reader.u32()?, form: Form::Set, send_rows: true },
    })
}

/// Durations and energy are part of many messages; here nothing takes time or costs anything.
const NO_TIME: u64 = 0;

pub fn encode(reply: &Reply<'_>) -> Vec<u8> {
    let mut out = Out::default();
    match reply {
        Reply::Greeting { identity, connection_id, token } => {
            out.u8(3);
            out.raw(identity);
            out.str(token);
            out.raw(connection_id);
        }
        Reply::Applied { request, set, form, rows } => applied(&mut out, [0, 5, 8], (*request, *set), *form, rows),
        Reply::Removed { request, set, form, rows } => {
            applied(&mut out, [0, 6, 9], (*request, *set), *form, rows.unwrap_or_default())
        }
        Reply::SubscriptionError { request, set, form, text } => {
            out.u8(7);
            out.u64(NO_TIME);
            out.option(Some(*request), Out::u32);
            out.option((*form != Form::Legacy).then_some(*set), Out::u32);
            out.option(None, Out::u32);
            out.str(text);
        }
        Reply::Transaction { request, update } => {
            out.u8(2);
            out.u32(*request);
            out.raw(update);
        }
        Reply::Reducer(reply) => reducer(&mut out, reply),
        Reply::OneOff { id, result } => {
            out.u8(4);
            out.bytes(id);
            out.option(result.as_ref().err(), |out, text| out.str(text));
            out.count(usize::from(result.is_ok()));
            if let Ok(rows) = result {
                out.str(rows.name);
                out.raw(&rows.list);
            }
            out.u64(NO_TIME);
        }
        Reply::Procedure { request, timestamp, result } => {
            out.u8(10);
            match result {
                Ok(value) => {
                    out.u8(0);
                    out.bytes(value);
                }
                Err(text) => {
                    out.u8(2);
                    out.str(text);
                }
            }
            out.i64(*timestamp);
            out.u64(NO_TIME);
            out.u32(*request);
        }
    }
    out.0
}

/// `tags`: those of the message for the legacy, the single, and the multiple subscription, each for rows that come
/// (as inserts) or go (as deletes).
fn applied(out: &mut Out, tags: [u8; 3], (request, set): (u32, u32), form: Form, rows: &[QueryRows<'_>]) {
    let are_inserts = tags[2] == 8;
    if form == Form::Legacy {
        out.u8(tags[0]);
        database_rows(out, rows, are_inserts);
        out.u32(request);
        out.u64(NO_TIME);
        return;
    }
    out.u8(if form == Form::Single { tags[1] } else { tags[2] });
    out.u32(request);
    out.u64(NO_TIME);
    out.u32(set);
    match rows {
        [rows] if form == Form::Single => {
            out.u32(rows.table as u32);
            out.str(rows.name);
            table_rows(out, rows, are_inserts);
        }
        rows => database_rows(out, rows, are_inserts),
    }
}

fn database_rows(out: &mut Out, rows: &[QueryRows<'_>], are_inserts: bool) {
    out.count(rows.len());
    rows.iter().for_each(|rows| table_rows(out, rows, are_inserts));
}

fn table_rows(out: &mut Out, rows: &QueryRows<'_>, are_inserts: bool) {
    table_head(out, rows.table, rows.name, rows.count, 1);
    let (deletes, inserts): (&[u8], &[u8]) = if are_inserts { (&EMPTY, &rows.list) } else { (&rows.list, &EMPTY) };
    query_update(out, deletes, inserts);
}

fn table_head(out: &mut Out, table: usize, name: &str, count: usize, updates: usize) {
    out.u32(table as u32);
    out.str(name);
    out.u64(count as u64);
    out.count(updates);
}

fn query_update(out: &mut Out, deletes: &[u8], inserts: &[u8]) {
    out.u8(0); // not compressed by itself
    out.raw(deletes);
    out.raw(inserts);
}

/// A DatabaseUpdate: this version knows no sets, so that there is one at most.
pub fn encode_update(sets: &[SetUpdate<'_>]) -> Vec<u8> {
    let mut out = Out::default();
    let tables = sets.first().map(|set| &set.tables[..]).unwrap_or_default();
    out.count(tables.len());
    for table in tables {
        let count = table.queries.iter().map(|query| query.count).sum();
        table_head(&mut out, table.table, table.name, count, table.queries.len());
        for query in &table.queries {
            query_update(&mut out, &query.deletes, &query.inserts);
        }
    }
    out.0
}

fn reducer(out: &mut Out, reply: &ReducerReply<'_>) {
    out.u8(1);
    let mut request = reply.request;
    let mut args = reply.args;
    match reply.outcome {
        Outcome::Committed { update, .. } => {
            out.u8(0);
            out.raw(update);
        }
        Outcome::Failed { text, .. } | Outcome::Fatal(text) => {
            out.u8(1);
            out.str(text);
        }
        // Calls that never ran lose their number and arguments.
        Outcome::NotRun(text) => {
            out.u8(1);
            out.str(text);
            (request, args) = (0, &[]);
        }
    }
    out.i64(reply.timestamp);
    out.raw(&reply.identity);
    out.raw(&reply.connection_id);
    out.str(reply.name);
    out.u32(reply.number);
    out.bytes(args);
    out.u32(request);
    out.u128(0); // energy
    out.u64(NO_TIME);
}
