//! The module that was recorded on 2.8.3, so that a recording can be played against this peer: all kinds of tables,
//! functions and views. And `tests/modules/all_types`, which is the same as far as 1.2.0 allows, with reducers more that
//! take each type as an argument.

use std::rc::Rc;

use _core::sats::value::Value;
use _core::sats::{Reader, Writer};

use super::context::{Context, encode};
use super::made_up::zero;
use super::{Failure, Module, Outcome};
use crate::database::Identity;
use crate::schema::Schema;
use crate::store::{Row, Tables, column_range};
use crate::wire::Out;

const SCHEMA_10: &str = include_str!("../../../../tests/codegen/schemas/schema-2.8.3-version10.json");
const SCHEMA_9: &str = include_str!("../../../../tests/codegen/schemas/schema-2.8.3-version9.json");

const ALL_TYPES: &str = include_str!("../../schemas/all_types.json");

pub struct Mod28 {
    schema: Rc<Schema>,
}

impl Mod28 {
    pub fn new() -> Result<Mod28, String> {
        Ok(Mod28 { schema: Rc::new(Schema::new(&[SCHEMA_10, SCHEMA_9])?) })
    }

    /// `tests/modules/all_types`, as a 1.x module.
    pub fn all_types() -> Result<Mod28, String> {
        Ok(Mod28 { schema: Rc::new(Schema::new(&[ALL_TYPES])?) })
    }
}

/// Columns of `item`.
const OWNER: usize = 2;
const KIND: usize = 3;
const LEVEL: usize = 4;
const NOTE: usize = 5;

impl Module for Mod28 {
    fn schema(&self) -> Rc<Schema> {
        self.schema.clone()
    }

    fn init(&self, context: &mut Context<'_>) -> Outcome {
        let gate = context.table("gate")?;
        context.insert(gate, vec![0, 0]).map(drop)
    }

    fn connected(&self, context: &mut Context<'_>) -> Outcome {
        let (gate, presence) = (context.table("gate")?, context.table("presence")?);
        if context.find(gate, &[0]).is_some_and(|row| row[1] != 0) {
            return Err(Failure::User("the gate is closed".into()));
        }
        let Some(connection) = context.connection_id else { return Ok(()) };
        let mut row = Out::default();
        row.raw(&connection);
        row.raw(&context.sender);
        row.i64(context.timestamp);
        context.insert(presence, row.0).map(drop)
    }

    fn disconnected(&self, context: &mut Context<'_>) -> Outcome {
        let presence = context.table("presence")?;
        if let Some(connection) = context.connection_id {
            context.delete_key(presence, &connection);
        }
        Ok(())
    }

    fn reducer(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome {
        let reader = &mut Reader::new(args);
        match name {
            "put_scalars" | "put_containers" => {
                let table = context.table(&name[4..])?;
                context.put(table, self.exact(name, args)?).map(drop)
            }
            "drop_scalars" | "drop_containers" | "drop_item" | "drop_tag" => {
                let table = context.table(&name[5..])?;
                context.delete_key(table, &self.exact(name, args)?);
                Ok(())
            }
            "add_diary" | "emit_spark" | "add_secret" => {
                let table = context.table(name.split_once('_').map_or(name, |(_, table)| table))?;
                context.insert(table, self.exact(name, args)?).map(drop)
            }
            "drop_diary" => {
                let diary = context.table("diary")?;
                context.delete(diary, &self.exact(name, args)?);
                Ok(())
            }
            "add_item" => {
                let head = 8 + 4 + reader.u64().and_then(|_| reader.str()).map_err(broken)?.len();
                let item = context.table("item")?;
                let args = self.exact(name, args)?;
                context.insert(item, [&args[..head], &context.sender, &args[head..]].concat()).map(drop)
            }
            "set_item" | "replace_item" | "touch_item" => self.change_item(name, args, context),
            "add_tag" => {
                let tag = context.table("tag")?;
                context.insert(tag, [&[0; 4], &self.exact(name, args)?[..]].concat()).map(drop)
            }
            "bulk_insert" | "bulk_update" | "bulk_delete" | "dot_insert" => bulk(name, reader, context),
            "set_profile" => {
                let profile = context.table("profile")?;
                let row = [&context.sender[..], &self.exact(name, args)?].concat();
                context.put(profile, row).map(drop)
            }
            "add_marker" => context.table("marker").and_then(|marker| context.insert(marker, Vec::new())).map(drop),
            "drop_marker" => {
                let marker = context.table("marker")?;
                context.delete(marker, &[]);
                Ok(())
            }
            "set_gate" => {
                let gate = context.table("gate")?;
                context.update(gate, vec![0, reader.u8().map_err(broken)?]).map(drop)
            }
            "fail" => Err(Failure::User(reader.str().map_err(broken)?.to_owned())),
            "insert_then_fail" => {
                add_diary(context, reader.str().map_err(broken)?, -1)?;
                Err(Failure::User("rolled back".into()))
            }
            "boom" => {
                add_diary(context, reader.str().map_err(broken)?, -2)?;
                Err(Failure::panic())
            }
            "noop" | "many_args" => Ok(()),
            "set_alarm_in" | "set_alarm_every" => set_alarm(name, reader, context),
            "cancel_alarms" => context.table("alarm").map(|alarm| context.clear(alarm)),
            "ring" => ring(reader, context),
            "emit_sparks" => emit_sparks(reader.u32().map_err(broken)?, context),
            "put_shelf" => {
                let shelf = context.table("ShelfTable")?;
                context.insert(shelf, [&self.exact(name, args)?[..], &[7]].concat()).map(drop)
            }
            "wipe" => wipe(context),
            "set_signed" | "set_unsigned" | "set_floats" | "set_plain" | "set_special" => {
                let scalars = context.table("scalars")?;
                self.set_columns(name, args, scalars, context)
            }
            "set_options" | "set_lists" | "set_user_types" => {
                let containers = context.table("containers")?;
                if reader.u64().map_err(broken)? == 0 {
                    let text = "id 0 would be replaced by the next number of the sequence";
                    return Err(Failure::User(text.into()));
                }
                self.set_columns(name, args, containers, context)
            }
            _ => Err(Failure::panic()),
        }
    }

    fn procedure(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome<Vec<u8>> {
        let reader = &mut Reader::new(args);
        match name {
            "add_numbers" => {
                let (a, b) = (reader.i32().map_err(broken)?, reader.i32().map_err(broken)?);
                Ok((i64::from(a) + i64::from(b)).to_le_bytes().to_vec())
            }
            "make_answer" => {
                let words = reader.list(|reader| reader.str()).map_err(broken)?;
                let total: usize = words.iter().map(|word| word.len()).sum();
                Ok([&(total as i64).to_le_bytes()[..], args].concat())
            }
            "count_items" => {
                let item = context.table("item")?;
                Ok((context.rows(item).len() as u64).to_le_bytes().to_vec())
            }
            "add_diary_by_procedure" => {
                let text = reader.str().map_err(broken)?;
                add_diary(context, text, reader.i32().map_err(broken)?)?;
                let mut out = Out::default();
                out.option(Some(text), Out::str);
                Ok(out.0)
            }
            "give_nothing" => Ok(Vec::new()),
            _ => Err(Failure::Fatal("error while executing at wasm backtrace: this is no wasm".into())),
        }
    }

    fn view(&self, view: usize, sender: Identity, tables: &Tables) -> Vec<Row> {
        let Some(item) = self.schema.table("item") else { return Vec::new() };
        let row_type = self.schema.def.tables[item].row;
        let column = |row: &Row, column: usize| {
            row[column_range(self.schema.layout(), row_type, Some(column as u16), row)].to_vec()
        };
        let items = || tables.table(item).rows();
        match self.schema.def.tables[view].name.as_str() {
            "my_items" => items().filter(|row| column(row, OWNER) == sender).cloned().collect(),
            "my_profile" => {
                let profile = self.schema.table("profile").map(|profile| tables.table(profile));
                profile.and_then(|profile| profile.find(0, &sender)).into_iter().cloned().collect()
            }
            "top_items" => {
                let level = |row: &Row| i32::from_le_bytes(column(row, LEVEL).try_into().unwrap_or_default());
                items().filter(|row| column(row, KIND) == [1] && level(row) >= 10).cloned().collect()
            }
            "summaries" => items()
                .filter(|row| column(row, KIND) == [2])
                .map(|row| [column(row, 1), column(row, LEVEL)].concat().into())
                .collect(),
            "kind_three" => items().filter(|row| column(row, KIND) == [3]).cloned().collect(),
            _ => Vec::new(),
        }
    }
}

impl Mod28 {
    /// The arguments without what may follow them.
    fn exact(&self, name: &str, args: &[u8]) -> Outcome<Vec<u8>> {
        let reducer = self.schema.def.reducer(name).ok_or_else(Failure::panic)?;
        let mut reader = Reader::new(args);
        self.schema.layout().skip(reducer.params, &mut reader).map_err(broken)?;
        Ok(args[..reader.position()].to_vec())
    }

    /// Stores arguments in the columns of the same names, of the row that the first one tells; there may be none yet.
    fn set_columns(&self, name: &str, args: &[u8], table: usize, context: &mut Context<'_>) -> Outcome {
        let reducer = self.schema.def.reducer(name).ok_or_else(Failure::panic)?;
        let layout = self.schema.layout();
        let params = &layout.product(reducer.params).ok_or_else(Failure::panic)?.fields;
        let args = layout.decode(reducer.params, &mut Reader::new(args)).map_err(broken)?;
        let Value::Product(args) = args else { return Err(Failure::panic()) };
        let mut key = Writer::default();
        args[0].encode(&mut key).map_err(broken)?;
        let mut columns = match context.find(table, &key.0) {
            Some(row) => context.decode(table, &row)?,
            None => context.decode(table, &zero(&self.schema, table))?,
        };
        for (param, value) in params.iter().zip(args) {
            let column = param.name.as_deref().and_then(|name| self.schema.column(table, name));
            columns[usize::from(column.ok_or_else(Failure::panic)?)] = value;
        }
        context.put(table, encode(columns)?).map(drop)
    }

    fn change_item(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome {
        let item = context.table("item")?;
        let reducer = self.schema.def.reducer(name).ok_or_else(Failure::panic)?;
        let args = self.schema.layout().decode(reducer.params, &mut Reader::new(args)).map_err(broken)?;
        let Value::Product(mut args) = args else { return Err(Failure::panic()) };
        let Value::Number(id) = args.remove(0) else { return Err(Failure::panic()) };
        let old = context.find(item, &id).ok_or_else(|| {
            Failure::User(format!("no item {}", u64::from_le_bytes(id.try_into().unwrap_or_default())))
        })?;
        let mut columns = context.decode(item, &old)?;
        // `replace_item` has a level, `set_item` a note too.
        for (column, value) in [LEVEL, NOTE].into_iter().zip(args) {
            columns[column] = value;
        }
        context.delete(item, &old);
        context.insert(item, encode(columns)?).map(drop)
    }
}

/// Arguments are checked before they come here.
fn broken<T>(_: T) -> Failure {
    Failure::panic()
}

fn add_diary(context: &mut Context<'_>, text: &str, n: i32) -> Outcome {
    let mut row = Out::default();
    row.str(text);
    row.i32(n);
    let diary = context.table("diary")?;
    context.insert(diary, row.0).map(drop)
}

/// Many rows: `from`, `count`, and for two of them a number more.
fn bulk(name: &str, reader: &mut Reader<'_>, context: &mut Context<'_>) -> Outcome {
    let (from, count) = (reader.u32().map_err(broken)?, reader.u32().map_err(broken)?);
    let more = reader.u64().unwrap_or_default();
    let table = context.table(if name == "dot_insert" { "dot" } else { "bulk" })?;
    let end = from.checked_add(count).ok_or_else(Failure::panic)?;
    for id in from..end {
        match name {
            "bulk_insert" => {
                let value = u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(more);
                context.insert(table, bulk_row(id, value, &format!("row-{id}")))?;
            }
            "bulk_update" => {
                let Some(old) = context.find(table, &id.to_le_bytes()) else { continue };
                let mut row = old.to_vec();
                let value = &mut row[4..12];
                let number = u64::from_le_bytes((&*value).try_into().map_err(broken)?).wrapping_add(more);
                value.copy_from_slice(&number.to_le_bytes());
                context.update(table, row)?;
            }
            "bulk_delete" => {
                context.delete_key(table, &id.to_le_bytes());
            }
            _ => {
                let mut row = Out::default();
                row.u32(id);
                row.f32(id as f32 * 0.5);
                row.f32(-(id as f32));
                context.insert(table, row.0)?;
            }
        }
    }
    Ok(())
}

fn bulk_row(id: u32, value: u64, name: &str) -> Vec<u8> {
    let mut row = Out::default();
    row.u32(id);
    row.u64(value);
    row.str(name);
    row.0
}

fn set_alarm(name: &str, reader: &mut Reader<'_>, context: &mut Context<'_>) -> Outcome {
    let (micros, text) = (reader.i64().map_err(broken)?, reader.str().map_err(broken)?);
    let mut row = Out::default();
    row.u64(0);
    match name {
        "set_alarm_every" => {
            row.u8(0);
            row.i64(micros);
        }
        _ => {
            row.u8(1);
            row.i64(context.timestamp.saturating_add(micros));
        }
    }
    row.str(text);
    let alarm = context.table("alarm")?;
    context.insert(alarm, row.0).map(drop)
}

/// Called with the row of an alarm.
fn ring(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Outcome {
    reader.take(8 + 9).map_err(broken)?; // id, time
    let mut row = Out::default();
    row.u64(0);
    row.str(reader.str().map_err(broken)?);
    row.i64(context.timestamp);
    let note = context.table("ring_note")?;
    context.insert(note, row.0).map(drop)
}

fn emit_sparks(count: u32, context: &mut Context<'_>) -> Outcome {
    let spark = context.table("spark")?;
    for number in 0..count {
        let mut row = Out::default();
        row.u8((number % 3) as u8);
        row.str(&format!("spark-{number}"));
        context.insert(spark, row.0)?;
    }
    add_diary(context, "sparks", count as i32)
}

/// Everything but who is there.
fn wipe(context: &mut Context<'_>) -> Outcome {
    for table in 0..context.schema.def.tables.len() {
        let is_kept = ["presence", "gate"].contains(&&*context.schema.def.tables[table].name);
        if !is_kept && context.schema.tables[table].view.is_none() {
            context.clear(table);
        }
    }
    let gate = context.table("gate")?;
    context.update(gate, vec![0, 0]).map(drop)
}
