//! Server messages as JSON that can be compared: numbers that mean nothing to a client are left out, rows are sorted.
//! A third decoder beside the client's and the peer's encoder, so that none of them is its own measure.

use std::io::Read;

use _core::error::DecodeError;
use _core::sats::Reader;
use serde_json::{Value, json};

type Decoded<T> = Result<T, DecodeError>;

/// The body behind the compression byte.
pub fn open(payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    match payload[0] {
        0 => body.extend_from_slice(&payload[1..]),
        1 => drop(brotli_decompressor::Decompressor::new(&payload[1..], 4096).read_to_end(&mut body).unwrap()),
        2 => drop(flate2::read::GzDecoder::new(&payload[1..]).read_to_end(&mut body).unwrap()),
        tag => panic!("compression {tag}"),
    }
    body
}

/// Makes rows of two servers comparable.
pub trait Rows {
    fn row(&self, table: &str, row: &[u8]) -> String;
    fn text(&self, text: &str) -> String;
}

pub struct Decoder<'a> {
    pub reader: Reader<'a>,
    pub rows: &'a dyn Rows,
}

impl Decoder<'_> {
    /// All messages of one payload's body.
    pub fn messages(mut self, is_v1: bool) -> Vec<Value> {
        let mut messages = Vec::new();
        while self.reader.left() > 0 {
            messages.push(if is_v1 { self.v1() } else { self.v2() }.unwrap());
        }
        messages
    }

    fn string(&mut self) -> Decoded<String> {
        Ok(self.rows.text(self.reader.str()?))
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Decoded<Value>) -> Decoded<Vec<Value>> {
        let count = self.reader.count(1)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Sorted: the order of rows is free, and so is that of a table's chunks.
    fn sorted(&mut self, item: impl FnMut(&mut Self) -> Decoded<Value>) -> Decoded<Vec<Value>> {
        let mut items = self.list(item)?;
        items.sort_by_cached_key(Value::to_string);
        Ok(items)
    }

    fn row_list(&mut self, table: &str) -> Decoded<Value> {
        let (hint, starts) = match self.reader.tag(2)? {
            0 => {
                let size = usize::from(self.reader.u16()?);
                (format!("fixed {size}"), Err(size))
            }
            _ => {
                let count = self.reader.count(8)?;
                let starts: Vec<usize> = (0..count).map(|_| Ok(self.reader.u64()? as usize)).collect::<Decoded<_>>()?;
                ("offsets".to_owned(), Ok(starts))
            }
        };
        let data = self.reader.bytes()?;
        let starts = starts.unwrap_or_else(|size| (0..data.len() / size).map(|index| index * size).collect());
        let ends = starts.iter().skip(1).copied().chain([data.len()]);
        let mut rows: Vec<String> =
            starts.iter().zip(ends).map(|(start, end)| self.rows.row(table, &data[*start..end])).collect();
        rows.sort();
        Ok(json!({ "hint": hint, "rows": rows }))
    }

    fn v2(&mut self) -> Decoded<Value> {
        Ok(match self.reader.u8()? {
            0 => {
                self.reader.take(48)?;
                self.reader.str()?;
                json!({ "InitialConnection": {} })
            }
            1 => {
                let ids = [self.reader.u32()?, self.reader.u32()?];
                json!({ "SubscribeApplied": ids, "rows": self.query_rows()? })
            }
            2 => {
                let ids = [self.reader.u32()?, self.reader.u32()?];
                let rows = if self.reader.tag(2)? == 0 { json!(self.query_rows()?) } else { Value::Null };
                json!({ "UnsubscribeApplied": ids, "rows": rows })
            }
            3 => {
                let request = self.reader.option(|reader| reader.u32())?;
                json!({ "SubscriptionError": [request, Some(self.reader.u32()?)], "text": self.string()? })
            }
            4 => json!({ "TransactionUpdate": self.query_sets()? }),
            5 => {
                let request = self.reader.u32()?;
                let ok = self.reader.tag(2)? == 0;
                let result = if ok { json!(self.query_rows()?) } else { json!(self.string()?) };
                json!({ "OneOffQueryResult": request, "result": result })
            }
            6 => {
                let request = self.reader.u32()?;
                self.reader.i64()?;
                let outcome = match self.reader.tag(4)? {
                    0 => json!({ "Ok": self.reader.bytes()?, "update": self.query_sets()? }),
                    1 => json!("OkEmpty"),
                    2 => {
                        let error = self.reader.bytes()?;
                        json!({ "Err": self.rows.text(Reader::new(error).str()?) })
                    }
                    _ => json!({ "InternalError": self.string()? }),
                };
                json!({ "ReducerResult": request, "outcome": outcome })
            }
            7 => {
                let ok = self.reader.tag(2)? == 0;
                self.procedure_result(ok)?
            }
            tag => panic!("message {tag}"),
        })
    }

    fn procedure_result(&mut self, ok: bool) -> Decoded<Value> {
        let result = if ok { json!(self.reader.bytes()?) } else { json!(self.string()?) };
        let has_time = self.reader.i64()? != 0;
        self.reader.i64()?;
        Ok(json!({ "ProcedureResult": self.reader.u32()?, "result": result, "has time": has_time }))
    }

    fn query_rows(&mut self) -> Decoded<Vec<Value>> {
        self.sorted(|this| {
            let table = this.string()?;
            Ok(json!({ "rows": this.row_list(&table)?, "table": table }))
        })
    }

    /// Sets and tables in the order in which they came.
    fn query_sets(&mut self) -> Decoded<Vec<Value>> {
        self.list(|this| {
            let set = this.reader.u32()?;
            let tables = this.list(|this| {
                let table = this.string()?;
                let chunks = this.sorted(|this| {
                    Ok(match this.reader.tag(2)? {
                        0 => json!({ "inserts": this.row_list(&table)?, "deletes": this.row_list(&table)? }),
                        _ => json!({ "events": this.row_list(&table)? }),
                    })
                })?;
                Ok(json!({ "table": table, "chunks": chunks }))
            })?;
            Ok(json!({ "set": set, "tables": tables }))
        })
    }

    fn v1(&mut self) -> Decoded<Value> {
        Ok(match self.reader.u8()? {
            0 => {
                let update = self.database_update()?;
                let request = self.reader.u32()?;
                self.reader.i64()?;
                json!({ "InitialSubscription": request, "update": update })
            }
            1 => self.transaction_update()?,
            2 => json!({ "Light": self.reader.u32()?, "update": self.database_update()? }),
            3 => {
                self.reader.take(32)?;
                self.reader.str()?;
                self.reader.take(16)?;
                json!({ "IdentityToken": {} })
            }
            4 => {
                let id = self.reader.bytes()?;
                let error = self.reader.option(|reader| Ok(reader.str()?.to_owned()))?;
                let error = error.map(|error| self.rows.text(&error));
                let rows = self.query_rows()?;
                self.reader.i64()?;
                json!({ "OneOffQueryResponse": id, "error": error, "rows": rows })
            }
            tag @ (5 | 6) => {
                let ids = self.v1_ids()?;
                self.reader.u32()?;
                let name = self.string()?;
                json!({ "Single": tag, "ids": ids, "name": name, "rows": self.table_update()? })
            }
            7 => {
                self.reader.u64()?;
                let mut id = || self.reader.option(|reader| reader.u32());
                let ids = [id()?, id()?, id()?];
                json!({ "SubscriptionError": ids, "text": self.string()? })
            }
            tag @ (8 | 9) => json!({ "Multi": tag, "ids": self.v1_ids()?, "update": self.database_update()? }),
            10 => {
                let ok = self.reader.tag(3)? == 0;
                self.procedure_result(ok)?
            }
            tag => panic!("message {tag}"),
        })
    }

    fn v1_ids(&mut self) -> Decoded<[u32; 2]> {
        let request = self.reader.u32()?;
        self.reader.u64()?;
        Ok([request, self.reader.u32()?])
    }

    fn transaction_update(&mut self) -> Decoded<Value> {
        let status = match self.reader.tag(3)? {
            0 => json!({ "Committed": self.database_update()? }),
            1 => json!({ "Failed": self.string()? }),
            _ => json!("OutOfEnergy"),
        };
        self.reader.i64()?;
        let caller = self.rows.row("", self.reader.take(48)?);
        let reducer = self.string()?;
        let number = self.reader.u32()?;
        let args = self.reader.bytes()?;
        let request = self.reader.u32()?;
        self.reader.take(24)?;
        let call = json!({ "reducer": reducer, "number": number, "args": args, "request": request });
        Ok(json!({ "TransactionUpdate": status, "caller": caller, "call": call }))
    }

    /// One entry for each table and query: how they are grouped is free.
    fn database_update(&mut self) -> Decoded<Vec<Value>> {
        let tables = self.list(|this| this.table_update().map(Value::from))?;
        let mut entries: Vec<Value> = tables.iter().flat_map(|table| table.as_array().unwrap()).cloned().collect();
        entries.sort_by_cached_key(Value::to_string);
        Ok(entries)
    }

    fn table_update(&mut self) -> Decoded<Vec<Value>> {
        self.reader.u32()?;
        let table = self.string()?;
        let claimed = self.reader.u64()?;
        let mut count = 0;
        let updates = self.list(|this| {
            assert_eq!(this.reader.u8()?, 0, "inner compression");
            let (deletes, inserts) = (this.row_list(&table)?, this.row_list(&table)?);
            count += [&deletes, &inserts].map(|list| list["rows"].as_array().unwrap().len()).iter().sum::<usize>();
            Ok(json!({ "table": table, "inserts": inserts, "deletes": deletes }))
        })?;
        assert_eq!(claimed, count as u64, "num_rows of {table}");
        Ok(updates)
    }
}
