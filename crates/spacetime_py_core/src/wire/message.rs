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
    Connected(Box<Greeting>),
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

/// The first message. In a box, since its bytes would make all others slow to move.
#[derive(Debug)]
pub struct Greeting {
    pub identity: [u8; 32],
    pub connection_id: [u8; 16],
    pub token: String,
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
    count: usize,
    /// Of every row; 0 where they differ.
    row_size: usize,
    /// Where they differ: where the `u64`s are, in their wire form, that tell where each row starts.
    offsets: usize,
}

impl RowList {
    /// Rows of one size. Zero with empty data means that the count was lost on the way (1.2.0 does that). None if they do
    /// not fill the data.
    #[inline]
    fn of_size(row_size: usize, data: Span) -> Option<Self> {
        let size = data.1 - data.0;
        // Most lists have one row or none, and a division takes longer than all else here.
        let (count, excess) = match size {
            0 => (0, 0),
            _ if size == row_size => (1, 0),
            _ => (size.checked_div(row_size)?, size % row_size),
        };
        (excess == 0).then_some(RowList { data, count, row_size, offsets: 0 })
    }

    /// Rows that start where the numbers at `offsets` say. None if they do not cover the data from start to end in order.
    #[inline]
    fn of_offsets(offsets: usize, count: usize, data: Span, bytes: &[u8]) -> Option<Self> {
        let rows = RowList { data, count, row_size: 0, offsets };
        let offset = |index| rows.offset(bytes, index);
        let is_sound = match count {
            0 => data.0 == data.1,
            _ => offset(0) == 0 && (0..count).all(|index| offset(index) <= offset(index + 1)),
        };
        is_sound.then_some(rows)
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where the bytes of all rows are.
    #[inline]
    pub fn data(&self) -> Span {
        self.data
    }

    /// Where each row starts and ends, in the bytes that the list was read from.
    #[inline]
    pub fn ranges<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Span> + 'a {
        let begin = self.data.0;
        (0..self.count).map(move |index| (begin + self.offset(bytes, index), begin + self.offset(bytes, index + 1)))
    }

    /// Of a row in the data; of the one behind the last, the data's end.
    #[inline]
    fn offset(&self, bytes: &[u8], index: usize) -> usize {
        if self.row_size != 0 {
            index * self.row_size
        } else if index < self.count {
            let at = self.offsets + index * 8;
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize
        } else {
            self.data.1 - self.data.0
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
    #[inline(always)]
    pub fn span_of_text(&mut self) -> Result<Span, DecodeError> {
        let start = self.reader;
        let (from, to) = self.span()?;
        if !self.body[from..to].is_ascii() {
            self.reader = start;
            self.reader.str()?;
        }
        Ok((from, to))
    }

    #[inline(always)]
    pub fn row_list(&mut self) -> Result<RowList, DecodeError> {
        let start = self.reader;
        let rows = if self.reader.tag(2)? == 0 {
            let row_size = self.reader.u16()?;
            RowList::of_size(row_size.into(), self.span()?)
        } else {
            let count = self.reader.count(8)? as usize;
            let offsets = self.reader.position();
            self.reader.take(count * 8)?;
            RowList::of_offsets(offsets, count, self.span()?, self.body)
        };
        rows.ok_or_else(|| start.error(Problem::BadRowList))
    }

    /// Where a run of bytes is.
    #[inline]
    fn span(&mut self) -> Result<Span, DecodeError> {
        let size = self.reader.bytes()?.len();
        Ok((self.reader.position() - size, self.reader.position()))
    }
}
