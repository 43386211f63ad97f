//! Protocol version 1 (`v1.bsatn.spacetimedb`), spoken by all 1.x servers and still by 2.x ones.

use bytes::Bytes;

use super::compression::Compression;
use super::message::{
    Cause, ClientMessage, Content, Greeting, Head, MessageReader, Outcome, RowList, Rows, ServerMessage, Span,
    TableRows,
};
use crate::error::{DecodeError, Error, Problem, Result};
use crate::sats::Writer;
use crate::sats::bsatn::TooLong;

pub fn encode(message: &ClientMessage<'_>, writer: &mut Writer) -> std::result::Result<(), TooLong> {
    match *message {
        ClientMessage::CallReducer { request_id, name, args } => {
            writer.u8(0);
            write_call(writer, name, args, request_id)
        }
        // SubscribeMulti
        ClientMessage::Subscribe { request_id, query_set, queries } => {
            writer.u8(4);
            writer.count(queries.len())?;
            queries.iter().try_for_each(|query| writer.str(query))?;
            writer.u32(request_id);
            writer.u32(query_set);
            Ok(())
        }
        // UnsubscribeMulti
        ClientMessage::Unsubscribe { request_id, query_set } => {
            writer.u8(6);
            writer.u32(request_id);
            writer.u32(query_set);
            Ok(())
        }
        // The server gives the message id back as it is.
        ClientMessage::OneOffQuery { request_id, query } => {
            writer.u8(2);
            writer.bytes(&request_id.to_le_bytes())?;
            writer.str(query)
        }
        ClientMessage::CallProcedure { request_id, name, args } => {
            writer.u8(7);
            write_call(writer, name, args, request_id)
        }
    }
}

fn write_call(writer: &mut Writer, name: &str, args: &[u8], request_id: u32) -> std::result::Result<(), TooLong> {
    writer.str(name)?;
    writer.bytes(args)?;
    writer.u32(request_id);
    writer.u8(0); // flags: the full answer
    Ok(())
}

const MESSAGES: [&str; 11] = [
    "InitialSubscription",
    "TransactionUpdate",
    "TransactionUpdateLight",
    "IdentityToken",
    "OneOffQueryResponse",
    "SubscribeApplied",
    "UnsubscribeApplied",
    "SubscriptionError",
    "SubscribeMultiApplied",
    "UnsubscribeMultiApplied",
    "ProcedureResult",
];

/// Decodes the message of an opened envelope; gives how many bytes it took. `limit` bounds what compressed parts may
/// expand to; `rows` is memory for its rows.
pub fn decode(body: &Bytes, limit: usize, rows: Option<Box<Rows>>) -> Result<(ServerMessage, usize)> {
    let name = body.first().and_then(|tag| MESSAGES.get(usize::from(*tag))).unwrap_or(&"message");
    let mut decoder = Decoder { message: MessageReader::new(body, rows), limit, fault: None };
    let decoded = decoder.server_message();
    if let Some(fault) = decoder.fault {
        return Err(fault);
    }
    let message = decoded.map_err(Error::decode(format_args!("{name} from the server")))?;
    Ok((message, decoder.message.reader.position()))
}

type Decoded<T> = std::result::Result<T, DecodeError>;

struct Decoder<'a> {
    message: MessageReader<'a>,
    limit: usize,
    /// What went wrong inside of a compressed part, where positions in this body mean nothing.
    fault: Option<Error>,
}

impl Decoder<'_> {
    fn server_message(&mut self) -> Decoded<ServerMessage> {
        let tag = self.message.reader.tag(MESSAGES.len())?;
        let mut head = Head::named(MESSAGES[usize::from(tag)]);
        let content = match tag {
            0 => {
                let rows = self.database_update()?;
                head.request_id = Some(self.message.reader.u32()?);
                self.message.reader.i64()?; // duration
                Content::InitialSubscription { rows }
            }
            1 => self.transaction_update(&mut head)?,
            2 => {
                head.request_id = Some(self.message.reader.u32()?); // the caller's, without the caller
                Content::Transaction { outcome: Outcome::Committed(self.database_update()?), cause: None }
            }
            3 => Content::Connected(Box::new(Greeting {
                identity: self.message.reader.array()?,
                token: self.message.string()?,
                connection_id: self.message.reader.array()?,
            })),
            4 => self.one_off_result(&mut head)?,
            5 | 6 => {
                self.answer_head(&mut head)?;
                self.message.reader.u32()?; // table id
                self.message.text()?;
                let mut rows = self.message.empty_rows();
                self.table_update(&mut rows)?;
                applied(tag == 5, rows)
            }
            7 => self.subscription_error(&mut head)?,
            8 | 9 => {
                self.answer_head(&mut head)?;
                applied(tag == 8, self.database_update()?)
            }
            _ => self.procedure_result(&mut head)?,
        };
        Ok(ServerMessage { head, content })
    }

    /// Request id, duration, query id.
    fn answer_head(&mut self, head: &mut Head) -> Decoded<()> {
        head.request_id = Some(self.message.reader.u32()?);
        self.message.reader.u64()?;
        head.query_set = Some(self.message.reader.u32()?);
        Ok(())
    }

    fn transaction_update(&mut self, head: &mut Head) -> Decoded<Content> {
        let mut outcome = match self.message.reader.tag(3)? {
            0 => Outcome::Committed(self.database_update()?),
            1 => failed(self.message.string()?),
            _ => Outcome::NotRun("the reducer ran out of energy".into()),
        };
        let timestamp = self.message.reader.i64()?;
        let caller_identity = self.message.reader.array()?;
        let caller_connection_id = self.message.reader.array()?;
        let reducer = self.message.text()?;
        let reducer_id = self.message.reader.u32()?;
        let args = self.message.bytes()?;
        let request_id = self.message.reader.u32()?;
        self.message.reader.take(16 + 8)?; // energy, duration
        outcome = match outcome {
            Outcome::Failed(message) if reducer_id == NO_REDUCER => Outcome::NotRun(message),
            outcome => outcome,
        };
        head.request_id = Some(request_id);
        let cause =
            Cause { reducer, args, request_id, timestamp, caller_identity, caller_connection_id, returned: None };
        Ok(Content::Transaction { outcome, cause: Some(Box::new(cause)) })
    }

    fn one_off_result(&mut self, head: &mut Head) -> Decoded<Content> {
        let id = self.message.bytes()?;
        head.request_id = id[..].try_into().ok().map(u32::from_le_bytes);
        let error = self.message.reader.option(|reader| Ok(reader.str()?.to_owned()))?;
        let tables = self.message.list(|message| {
            let table = message.span_of_text()?;
            Ok(TableRows::of_no_set(table, message.row_list()?, Default::default()))
        })?;
        self.message.reader.i64()?; // duration
        Ok(Content::OneOffResult { result: error.map_or(Ok(tables.into()), Err) })
    }

    fn subscription_error(&mut self, head: &mut Head) -> Decoded<Content> {
        self.message.reader.u64()?; // duration
        head.request_id = self.message.reader.option(|reader| reader.u32())?;
        head.query_set = self.message.reader.option(|reader| reader.u32())?;
        self.message.reader.option(|reader| reader.u32())?; // table id
        Ok(Content::SubscriptionError { message: self.message.string()? })
    }

    fn procedure_result(&mut self, head: &mut Head) -> Decoded<Content> {
        let result = match self.message.reader.tag(3)? {
            0 => Ok(self.message.bytes()?),
            1 => Err("the procedure ran out of energy".to_owned()),
            _ => Err(self.message.string()?),
        };
        self.message.reader.take(8 + 8)?; // timestamp, duration
        head.request_id = Some(self.message.reader.u32()?);
        Ok(Content::ProcedureResult { result })
    }

    fn database_update(&mut self) -> Decoded<Box<Rows>> {
        let count = self.message.reader.count(1)?;
        let mut rows = self.message.empty_rows();
        for _ in 0..count {
            self.table_update(&mut rows)?;
        }
        Ok(rows)
    }

    /// One entry for each query that has rows of the table.
    fn table_update(&mut self, rows: &mut Rows) -> Decoded<()> {
        self.message.reader.u32()?; // table id
        let table = self.message.span_of_text()?;
        self.message.reader.u64()?; // number of rows
        let count = self.message.reader.count(1)?;
        for _ in 0..count {
            self.query_update(table, rows)?;
        }
        Ok(())
    }

    /// Servers before 1.2 compress each of these by itself.
    fn query_update(&mut self, table: Span, rows: &mut Rows) -> Decoded<()> {
        let tag = self.message.reader.tag(3)?;
        if tag == 0 {
            let (inserts, deletes) = read_query_update(&mut self.message)?;
            rows.tables.push(TableRows::of_no_set(table, inserts, deletes));
            return Ok(());
        }
        let kind = if tag == 1 { Compression::Brotli } else { Compression::Gzip };
        let position = self.message.reader.position();
        let packed = self.message.bytes()?;
        let unpacked = kind.expand(packed, self.limit).and_then(|body| {
            let mut inner = MessageReader::new(&body, None);
            let lists = read_query_update(&mut inner).and_then(|lists| inner.reader.end().map(|()| lists));
            let lists = lists.map_err(Error::decode("compressed rows from the server"))?;
            Ok((body, lists))
        });
        let (body, (inserts, deletes)) = unpacked.map_err(|error| {
            self.fault = Some(error);
            DecodeError { problem: Problem::BadRowList, offset: position }
        })?;
        let part = Some(rows.expanded.len() as u32);
        rows.tables.push(TableRows { part, ..TableRows::of_no_set(table, inserts, deletes) });
        rows.expanded.push(body);
        Ok(())
    }
}

/// The number that servers give to a reducer they do not have.
const NO_REDUCER: u32 = u32::MAX;

/// v1 has one kind of failure for errors of the reducer and for traps. Their texts: 2.x, then 1.x.
fn failed(message: String) -> Outcome {
    let traps = ["The instance encountered a fatal error.", "The Wasm instance encountered a fatal error."];
    if traps.contains(&message.as_str()) { Outcome::NotRun(message) } else { Outcome::Failed(message) }
}

/// Inserts and deletes.
fn read_query_update(message: &mut MessageReader<'_>) -> Decoded<(RowList, RowList)> {
    let deletes = message.row_list()?;
    Ok((message.row_list()?, deletes))
}

fn applied(subscribed: bool, rows: Box<Rows>) -> Content {
    if subscribed { Content::SubscribeApplied { rows } } else { Content::UnsubscribeApplied { rows: Some(rows) } }
}
