//! Messages as this client thinks of them, whatever protocol version carries them. Each version is a file beside this one.

use bytes::Bytes;

use crate::error::{DecodeError, Problem};
use crate::sats::Reader;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    Subscribe {
        request_id: u32,
        query_set: u32,
        queries: &'a [String],
    },
    /// Its answer brings the rows that leave.
    Unsubscribe {
        request_id: u32,
        query_set: u32,
    },
    OneOffQuery {
        request_id: u32,
        query: &'a str,
    },
    CallReducer {
        request_id: u32,
        name: &'a str,
        args: &'a [u8],
    },
    CallProcedure {
        request_id: u32,
        name: &'a str,
        args: &'a [u8],
    },
}

#[derive(Debug)]
pub struct ServerMessage {
    pub head: Head,
    pub content: Content,
}

/// What a message is called on the wire, and what it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub name: &'static str,
    /// The number of the client's request, where the message has one. Version 1 names it in updates to all clients too.
    pub request_id: Option<u32>,
    pub query_set: Option<u32>,
}

impl Head {
    pub fn named(name: &'static str) -> Self {
        Head { name, ..Head::default() }
    }
}

#[derive(Debug)]
pub enum Content {
    /// The greeting.
    Connected {
        identity: [u8; 32],
        connection_id: [u8; 16],
        token: String,
    },
    /// All rows there are from now on: the answer to the legacy Subscribe, which only recordings hold.
    InitialSubscription {
        rows: Box<Rows>,
    },
    /// All rows of the new query set that the head names.
    SubscribeApplied {
        rows: Box<Rows>,
    },
    /// The rows that left with a query set, as deletes; None where the client must know them itself.
    UnsubscribeApplied {
        rows: Option<Box<Rows>>,
    },
    /// With neither a request nor a query set in the head: every subscription of the connection has ended.
    SubscriptionError {
        message: String,
    },
    Transaction {
        outcome: Outcome,
        /// None where the server does not tell what caused the transaction.
        cause: Option<Box<Cause>>,
    },
    /// The answer to a reducer call, with what the call changed.
    ReducerResult {
        timestamp: i64,
        outcome: Outcome,
        returned: Option<Returned>,
    },
    ProcedureResult {
        result: Result<Bytes, String>,
    },
    OneOffResult {
        result: Result<Box<Rows>, String>,
    },
}

/// What a reducer returned, its value or its error, as BSATN.
pub type Returned = Result<Bytes, Bytes>;

#[derive(Debug)]
pub enum Outcome {
    Committed(Box<Rows>),
    /// The error that the reducer returned.
    Failed(String),
    /// It could not run to its end, for this reason.
    NotRun(String),
}

/// The reducer call behind a transaction.
#[derive(Clone, Debug)]
pub struct Cause {
    pub reducer: Text,
    pub args: Bytes,
    /// The caller's own number: means something only to the caller.
    pub request_id: u32,
    pub timestamp: i64,
    pub caller_identity: [u8; 32],
    pub caller_connection_id: [u8; 16],
    /// None where the server does not tell, or the reducer did not run to its end.
    pub returned: Option<Returned>,
}

/// The rows of a message, which stay where they are: in its body, or in parts of it that were compressed on their own.
#[derive(Debug, Default)]
pub struct Rows {
    pub tables: Vec<TableRows>,
    pub expanded: Vec<Bytes>,
}

impl From<Vec<TableRows>> for Box<Rows> {
    fn from(tables: Vec<TableRows>) -> Self {
        Box::new(Rows { tables, expanded: Vec::new() })
    }
}

/// Rows of one table that came and went, or happened.
#[derive(Debug)]
pub struct TableRows {
    /// Where in the body the table's name is.
    pub table: Span,
    /// The query set that they are delivered for; `NO_SET` where the protocol does not tell.
    pub query_set: u32,
    /// Rows of an event table: they are told and never cached.
    pub is_event: bool,
    /// None: the rows are in the body. Otherwise in this one of the expanded parts.
    pub part: Option<u32>,
    pub inserts: RowList,
    pub deletes: RowList,
}

/// A part of some bytes: its start and end.
pub type Span = (usize, usize);

/// No query set has this number.
pub const NO_SET: u32 = 0;

impl TableRows {
    /// Rows of which the protocol does not tell the query set.
    pub fn of_no_set(table: Span, inserts: RowList, deletes: RowList) -> Self {
        TableRows { table, query_set: NO_SET, is_event: false, part: None, inserts, deletes }
    }
}

/// A part of a message that is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Bytes);

impl Text {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when it was read")
    }

    /// The same as UTF-8, for look-ups.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// Rows back to back, and how to tell them apart. All places are in the bytes that the list was read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowList {
    data: Span,
    hint: SizeHint,
}

#[derive(Clone, Copy, Debug)]
enum SizeHint {
    /// Every row has this size. Zero with empty data means that the count was lost on the way (1.2.0 does that).
    Fixed(u16),
    /// Where each row starts, as `u64`s in their wire form: where the first is, and how many.
    Offsets(usize, usize),
}

impl Default for SizeHint {
    fn default() -> Self {
        SizeHint::Fixed(0)
    }
}

impl RowList {
    #[inline]
    pub fn len(&self) -> usize {
        match self.hint {
            SizeHint::Fixed(0) => 0,
            // Of one row, as most lists are: a division takes longer than all else here.
            SizeHint::Fixed(size) if self.size() == usize::from(size) => 1,
            SizeHint::Fixed(size) => self.size() / usize::from(size),
            SizeHint::Offsets(_, count) => count,
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        match self.hint {
            SizeHint::Fixed(_) => self.size() == 0,
            SizeHint::Offsets(_, count) => count == 0,
        }
    }

    /// Where the bytes of all rows are.
    pub fn data(&self) -> Span {
        self.data
    }

    /// Where each row starts and ends, in the bytes that the list was read from.
    #[inline]
    pub fn ranges<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Span> + 'a {
        let begin = self.data.0;
        (0..self.len()).map(move |index| (begin + self.offset(bytes, index), begin + self.offset(bytes, index + 1)))
    }

    fn size(&self) -> usize {
        self.data.1 - self.data.0
    }

    /// Of a row in the data; of the one behind the last, the data's end.
    #[inline]
    fn offset(&self, bytes: &[u8], index: usize) -> usize {
        match self.hint {
            SizeHint::Fixed(size) => index * usize::from(size),
            SizeHint::Offsets(first, count) if index < count => {
                let at = first + index * 8;
                u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize
            }
            SizeHint::Offsets(..) => self.size(),
        }
    }

    /// Whether the rows cover the data from start to end in order.
    fn is_sound(&self, bytes: &[u8]) -> bool {
        let offset = |index| self.offset(bytes, index);
        match self.hint {
            SizeHint::Fixed(0) | SizeHint::Offsets(_, 0) => self.size() == 0,
            SizeHint::Fixed(row) => self.size() == usize::from(row) || self.size() % usize::from(row) == 0,
            SizeHint::Offsets(_, count) => offset(0) == 0 && (0..count).all(|index| offset(index) <= offset(index + 1)),
        }
    }
}

/// Reads the parts that all versions share out of a message's body.
pub struct MessageReader<'a> {
    pub reader: Reader<'a>,
    body: &'a Bytes,
    rows: Option<Box<Rows>>,
}

impl<'a> MessageReader<'a> {
    /// `rows` are none, with the memory of others.
    pub fn new(body: &'a Bytes, rows: Option<Box<Rows>>) -> Self {
        Self { reader: Reader::new(body), body, rows }
    }

    /// Where rows are to be put.
    pub fn empty_rows(&mut self) -> Box<Rows> {
        self.rows.take().unwrap_or_default()
    }

    pub fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        Ok(self.body.slice_ref(self.reader.bytes()?))
    }

    pub fn string(&mut self) -> Result<String, DecodeError> {
        Ok(self.reader.str()?.to_owned())
    }

    pub fn text(&mut self) -> Result<Text, DecodeError> {
        Ok(Text(self.body.slice_ref(self.reader.str()?.as_bytes())))
    }

    pub fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.reader.count(1)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Where a text is.
    pub fn span_of_text(&mut self) -> Result<Span, DecodeError> {
        let start = self.reader;
        let text = self.reader.bytes()?;
        if !text.is_ascii() {
            self.reader = start;
            self.reader.str()?;
        }
        let size = text.len();
        Ok((self.reader.position() - size, self.reader.position()))
    }

    pub fn row_list(&mut self) -> Result<RowList, DecodeError> {
        let start = self.reader;
        let hint = match self.reader.tag(2)? {
            0 => SizeHint::Fixed(self.reader.u16()?),
            _ => {
                let count = self.reader.count(8)? as usize;
                let first = self.reader.position();
                self.reader.take(count * 8)?;
                SizeHint::Offsets(first, count)
            }
        };
        let size = self.reader.bytes()?.len();
        let end = self.reader.position();
        let rows = RowList { data: (end - size, end), hint };
        if rows.is_sound(self.body) { Ok(rows) } else { Err(start.error(Problem::BadRowList)) }
    }
}
