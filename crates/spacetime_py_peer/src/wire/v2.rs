//! Version 2, and 3, which has the same messages.

use _core::sats::Reader;

use super::Out;
use super::reply::{Outcome, QueryRows, Reply, SetUpdate};
use super::request::{Form, Request};

/// All requests of a payload of version 3.
pub fn requests(payload: &[u8]) -> Result<Vec<Request<'_>>, String> {
    let reader = &mut Reader::new(payload);
    let mut requests = vec![request(reader)?];
    while reader.left() > 0 {
        requests.push(request(reader)?);
    }
    Ok(requests)
}

pub fn request<'a>(reader: &mut Reader<'a>) -> Result<Request<'a>, String> {
    let tag = reader.u8().map_err(|error| error.to_string())?;
    match tag {
        0..=4 => decode(tag, reader).map_err(|error| error.to_string()),
        tag => Err(format!("unknown tag {tag:#x} for sum type ClientMessage")),
    }
}

fn decode<'a>(tag: u8, reader: &mut Reader<'a>) -> Result<Request<'a>, _core::error::DecodeError> {
    let request = reader.u32()?;
    Ok(match tag {
        0 => {
            let set = reader.u32()?;
            Request::Subscribe { request, set, queries: reader.list(|reader| reader.str())?, form: Form::Set }
        }
        1 => {
            let set = reader.u32()?;
            Request::Unsubscribe { request, set, form: Form::Set, send_rows: reader.tag(2)? == 1 }
        }
        2 => Request::OneOff { id: request.to_le_bytes().to_vec(), query: reader.str()? },
        tag => {
            reader.tag(1)?; // flags: there are none
            let (name, args) = (reader.str()?, reader.bytes()?);
            match tag {
                3 => Request::CallReducer { request, name, args, quiet: false },
                _ => Request::CallProcedure { request, name, args },
            }
        }
    })
}

pub fn encode(reply: &Reply<'_>) -> Vec<u8> {
    let mut out = Out::default();
    match reply {
        Reply::Greeting { identity, connection_id, token } => {
            out.u8(0);
            out.raw(identity);
            out.raw(connection_id);
            out.str(token);
        }
        Reply::Applied { request, set, rows, .. } => {
            out.u8(1);
            out.u32(*request);
            out.u32(*set);
            query_rows(&mut out, rows);
        }
        Reply::Removed { request, set, rows, .. } => {
            out.u8(2);
            out.u32(*request);
            out.u32(*set);
            out.option(*rows, query_rows);
        }
        Reply::SubscriptionError { request, set, text, .. } => {
            out.u8(3);
            out.option(Some(*request), Out::u32);
            out.u32(*set);
            out.str(text);
        }
        Reply::Transaction { update, .. } => {
            out.u8(4);
            out.raw(update);
        }
        Reply::OneOff { id, result } => {
            out.u8(5);
            out.raw(id);
            match result {
                Ok(rows) => {
                    out.u8(0);
                    query_rows(&mut out, std::slice::from_ref(rows));
                }
                Err(text) => {
                    out.u8(1);
                    out.str(text);
                }
            }
        }
        Reply::Reducer(reply) => {
            out.u8(6);
            out.u32(reply.request);
            out.i64(reply.timestamp);
            outcome(&mut out, &reply.outcome);
        }
        Reply::Procedure { request, timestamp, result } => {
            out.u8(7);
            match result {
                Ok(value) => {
                    out.u8(0);
                    out.bytes(value);
                }
                Err(text) => {
                    out.u8(1);
                    out.str(text);
                }
            }
            out.i64(*timestamp);
            out.u64(0); // duration
            out.u32(*request);
        }
    }
    out.0
}

fn query_rows(out: &mut Out, rows: &[QueryRows<'_>]) {
    out.count(rows.len());
    for rows in rows {
        out.str(rows.name);
        out.raw(&rows.list);
    }
}

fn outcome(out: &mut Out, outcome: &Outcome<'_>) {
    match outcome {
        Outcome::Committed { update, value } => {
            out.u8(0);
            out.bytes(value);
            out.raw(update);
        }
        Outcome::Failed { value: Some(error), .. } => {
            out.u8(2);
            out.bytes(error);
        }
        Outcome::Failed { text, .. } => {
            out.u8(2);
            out.count(4 + text.len());
            out.str(text);
        }
        Outcome::Fatal(text) | Outcome::NotRun(text) => {
            out.u8(3);
            out.str(text);
        }
    }
}

/// The query sets of a TransactionUpdate.
pub fn encode_update(sets: &[SetUpdate<'_>]) -> Vec<u8> {
    let mut out = Out::default();
    out.count(sets.len());
    for set in sets {
        out.u32(set.set);
        out.count(set.tables.len());
        for table in &set.tables {
            out.str(table.name);
            out.count(table.queries.len());
            for query in &table.queries {
                out.u8(u8::from(query.is_event));
                out.raw(&query.inserts);
                if !query.is_event {
                    out.raw(&query.deletes);
                }
            }
        }
    }
    out.0
}
