//! The messages of protocol versions 2 and 3 (`v2.bsatn.spacetimedb`, `v3.bsatn.spacetimedb`), spoken by 2.x servers.

use bytes::Bytes;

use super::message::{
    ClientMessage, Content, Greeting, Head, MessageReader, NO_SET, Outcome, Returned, Rows, ServerMessage, TableRows,
};
use crate::error::{DecodeError, Error, Result};
use crate::sats::bsatn::TooLong;
use crate::sats::{Reader, Writer};

pub fn encode(message: &ClientMessage<'_>, writer: &mut Writer) -> std::result::Result<(), TooLong> {
    match *message {
        ClientMessage::Subscribe { request_id, query_set, queries } => {
            writer.u8(0);
            writer.u32(request_id);
            writer.u32(query_set);
            writer.count(queries.len())?;
            queries.iter().try_for_each(|query| writer.str(query))?;
        }
        ClientMessage::Unsubscribe { request_id, query_set } => {
            writer.u8(1);
            writer.u32(request_id);
            writer.u32(query_set);
            writer.u8(SEND_DROPPED_ROWS);
        }
        ClientMessage::OneOffQuery { request_id, query } => {
            writer.u8(2);
            writer.u32(request_id);
            writer.str(query)?;
        }
        ClientMessage::CallReducer { request_id, name, args } => write_call(writer, 3, request_id, name, args)?,
        ClientMessage::CallProcedure { request_id, name, args } => write_call(writer, 4, request_id, name, args)?,
    }
    Ok(())
}

const SEND_DROPPED_ROWS: u8 = 1;

fn write_call(
    writer: &mut Writer,
    tag: u8,
    request_id: u32,
    name: &str,
    args: &[u8],
) -> std::result::Result<(), TooLong> {
    writer.0.reserve(1 + 4 + 1 + 4 + name.len() + 4 + args.len());
    writer.u8(tag);
    writer.u32(request_id);
    writer.u8(0); // flags: none are defined
    writer.str(name)?;
    writer.bytes(args)
}

const MESSAGES: [&str; 8] = [
    "InitialConnection",
    "SubscribeApplied",
    "UnsubscribeApplied",
    "SubscriptionError",
    "TransactionUpdate",
    "OneOffQueryResult",
    "ReducerResult",
    "ProcedureResult",
];

/// Decodes the first message of a body; gives how many bytes it took. `rows`: memory for its rows.
#[inline(always)]
pub fn decode(body: &Bytes, rows: Option<Box<Rows>>) -> Result<(ServerMessage, usize)> {
    let name = body.first().and_then(|tag| MESSAGES.get(usize::from(*tag))).unwrap_or(&"message");
    let mut message = MessageReader::new(body, rows);
    let decoded = server_message(&mut message).map_err(Error::decode(format_args!("{name} from the server")))?;
    Ok((decoded, message.reader.position()))
}

type Decoded<T> = std::result::Result<T, DecodeError>;

#[inline(always)]
fn server_message(message: &mut MessageReader<'_>) -> Decoded<ServerMessage> {
    let tag = message.reader.tag(MESSAGES.len())?;
    let mut head = Head::named(MESSAGES[usize::from(tag)]);
    let content = match tag {
        0 => Content::Connected(Box::new(Greeting {
            identity: message.reader.array()?,
            connection_id: message.reader.array()?,
            token: message.string()?,
        })),
        1 => {
            let query_set = set_head(message, &mut head)?;
            Content::SubscribeApplied { rows: query_rows(message, query_set, Direction::In)? }
        }
        2 => {
            let query_set = set_head(message, &mut head)?;
            let has_rows = message.reader.tag(2)? == 0;
            let rows = has_rows.then(|| query_rows(message, query_set, Direction::Out)).transpose()?;
            Content::UnsubscribeApplied { rows }
        }
        3 => {
            head.request_id = message.reader.option(|reader| reader.u32())?;
            head.query_set = Some(message.reader.u32()?);
            Content::SubscriptionError { message: message.string()? }
        }
        4 => Content::Transaction { outcome: Outcome::Committed(transaction_update(message)?), cause: None },
        5 => {
            head.request_id = Some(message.reader.u32()?);
            Content::OneOffResult {
                result: match message.reader.tag(2)? {
                    0 => Ok(query_rows(message, NO_SET, Direction::In)?),
                    _ => Err(message.string()?),
                },
            }
        }
        6 => {
            head.request_id = Some(message.reader.u32()?);
            let timestamp = message.reader.i64()?;
            let (outcome, returned) = reducer_outcome(message)?;
            Content::ReducerResult { timestamp, outcome, returned }
        }
        _ => {
            let result = match message.reader.tag(2)? {
                0 => Ok(message.bytes()?),
                _ => Err(message.string()?),
            };
            message.reader.take(8 + 8)?; // timestamp, duration
            head.request_id = Some(message.reader.u32()?);
            Content::ProcedureResult { result }
        }
    };
    Ok(ServerMessage { head, content })
}

/// Request id and query set id.
fn set_head(message: &mut MessageReader<'_>, head: &mut Head) -> Decoded<u32> {
    head.request_id = Some(message.reader.u32()?);
    let query_set = message.reader.u32()?;
    head.query_set = Some(query_set);
    Ok(query_set)
}

/// What rows without a change of their own mean.
#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

/// QueryRows: whole rows, some tables several times.
fn query_rows(message: &mut MessageReader<'_>, query_set: u32, direction: Direction) -> Decoded<Box<Rows>> {
    let tables = message.list(|message| {
        let table = message.span_of_text()?;
        let rows = message.row_list()?;
        let (inserts, deletes) = match direction {
            Direction::In => (rows, Default::default()),
            Direction::Out => (Default::default(), rows),
        };
        Ok(TableRows { table, query_set, is_event: false, part: None, inserts, deletes })
    })?;
    Ok(tables.into())
}

/// TransactionUpdate: by query set, then by table, then one chunk for each query.
fn transaction_update(message: &mut MessageReader<'_>) -> Decoded<Box<Rows>> {
    let mut rows = message.empty_rows();
    for _ in 0..message.reader.count(8)? {
        let query_set = message.reader.u32()?;
        for _ in 0..message.reader.count(8)? {
            let table = message.span_of_text()?;
            for _ in 0..message.reader.count(1)? {
                let is_event = message.reader.tag(2)? == 1;
                let inserts = message.row_list()?;
                let deletes = if is_event { Default::default() } else { message.row_list()? };
                rows.tables.push(TableRows { table, query_set, is_event, part: None, inserts, deletes });
            }
        }
    }
    Ok(rows)
}

fn reducer_outcome(message: &mut MessageReader<'_>) -> Decoded<(Outcome, Option<Returned>)> {
    Ok(match message.reader.tag(4)? {
        0 => {
            let value = message.bytes()?;
            (Outcome::Committed(transaction_update(message)?), Some(Ok(value)))
        }
        1 => (Outcome::Committed(message.empty_rows()), Some(Ok(Bytes::new()))),
        2 => {
            let error = message.bytes()?;
            (Outcome::Failed(error_text(&error)), Some(Err(error)))
        }
        _ => (Outcome::NotRun(message.string()?), None),
    })
}

/// The error that a reducer returned, as text: up to now servers take only modules where it is a string.
fn error_text(value: &[u8]) -> String {
    let mut reader = Reader::new(value);
    match reader.str() {
        Ok(text) if reader.left() == 0 => text.to_owned(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}
