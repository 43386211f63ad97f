//! A module for any schema: a reducer's name says what it does.
//!
//! | name | arguments | what it does |
//! | --- | --- | --- |
//! | `insert_TABLE` | the columns, or the row | inserts it |
//! | `update_TABLE` | the columns, or the row | puts it in the place of the row with its primary key |
//! | `delete_TABLE` | the primary key, or else one unique value; without one the columns | deletes it |
//! | `fill_TABLE` | `count: u32` | inserts so many made-up rows |
//! | `rewrite_TABLE` | `first: u64, count: u32, seed: u64` | puts made-up rows at these primary keys |
//! | `clear_TABLE` | | deletes all rows |
//! | `fail` | `message: String` | fails |
//! | `give_ANYTHING` | those of its value's type | gives them back |
//! | `refuse` | those of its error's type | fails with them |
//! | `wait` | `milliseconds`, any integer | is answered so much later |
//!
//! The procedure `echo` gives back its argument. Lifecycle reducers and all others do nothing.
//! The view `all_TABLE` has the rows of that table, `my_TABLE` those with the identity of who looks in a column.

use std::rc::Rc;
use std::time::Duration;

use _core::sats::{Reader, Special};

use super::context::Context;
use super::made_up::made_up;
use super::{Failure, Module, Outcome};
use crate::database::Identity;
use crate::schema::Schema;
use crate::store::{Row, Tables, column_range};

const LOAD_TESTS: &str = include_str!("../../schemas/generic.json");

pub struct Generic {
    schema: Rc<Schema>,
}

impl Generic {
    pub fn new(json: &str) -> Result<Generic, String> {
        Ok(Generic { schema: Rc::new(Schema::new(&[json])?) })
    }

    /// With the schema of this crate: a table of each kind, for load tests.
    pub fn of_load_tests() -> Result<Generic, String> {
        Generic::new(LOAD_TESTS)
    }

    /// Arguments without what may follow them.
    fn exact<'a>(&self, name: &str, args: &'a [u8]) -> Outcome<&'a [u8]> {
        let reducer = self.schema.def.reducer(name).ok_or_else(Failure::panic)?;
        let mut reader = Reader::new(args);
        self.schema.layout().skip(reducer.params, &mut reader).map_err(|_| Failure::panic())?;
        Ok(&args[..reader.position()])
    }

    /// The arguments as a row of the table; a reducer whose parameters are others cannot mean one.
    fn row(&self, name: &str, args: &[u8], table: usize) -> Outcome<Vec<u8>> {
        let args = self.exact(name, args)?;
        let row_type = self.schema.def.tables[table].row;
        self.schema.layout().validate(row_type, args).map_err(|_| unfit(name))?;
        Ok(args.to_vec())
    }

    /// Whether a column holds this identity.
    fn is_of(&self, table: usize, row: &Row, identity: &Identity) -> bool {
        let (layout, row_type) = (self.schema.layout(), self.schema.def.tables[table].row);
        let columns = layout.product(row_type).map(|product| &product.fields[..]).unwrap_or_default();
        columns.iter().enumerate().any(|(column, field)| {
            let is_identity = layout.product(field.ty).is_some_and(|ty| ty.special == Some(Special::Identity));
            is_identity && row[column_range(layout, row_type, Some(column as u16), row)] == identity[..]
        })
    }

    /// The column that the reducer's one argument is a value of.
    fn key_of(&self, name: &str, table: usize) -> Option<u16> {
        let def = &self.schema.def.tables[table];
        let fields = |ty| self.schema.layout().product(ty).map_or(0, |product| product.fields.len());
        let takes_one = self.schema.def.reducer(name).is_some_and(|reducer| fields(reducer.params) == 1);
        let unique = def.unique.first().copied().filter(|_| takes_one && fields(def.row) > 1);
        def.primary_key.or(unique)
    }

    fn delete(&self, name: &str, args: &[u8], table: usize, context: &mut Context<'_>) -> Outcome {
        let found = match self.key_of(name, table) {
            Some(column) => {
                let row = context.rows(table).find(column, self.exact(name, args)?).cloned();
                row.is_some_and(|row| context.delete(table, &row))
            }
            None => context.delete(table, &self.row(name, args, table)?),
        };
        if found { Ok(()) } else { Err(Failure::User("there is no such row".into())) }
    }

    fn insert(&self, table: usize, row: Vec<u8>, context: &mut Context<'_>) -> Outcome {
        context.insert(table, row).map(drop).map_err(|_| Failure::User("a unique value is taken".into()))
    }

    /// The primary keys are chosen by the sequence, as they are for other inserts.
    fn fill_with_sequence(&self, table: usize, count: u32, context: &mut Context<'_>) -> Outcome {
        let start = context.rows(table).len() as u64;
        (0..u64::from(count))
            .try_for_each(|number| self.insert(table, made_up(&self.schema, table, 0, start + number), context))
    }

    fn fill(&self, table: usize, count: u32, context: &mut Context<'_>) -> Outcome {
        let key = self.schema.def.tables[table].primary_key;
        if key.is_some_and(|key| self.schema.tables[table].sequences.contains(&key)) {
            return self.fill_with_sequence(table, count, context);
        }
        let mut number = context.rows(table).len() as u64;
        for _ in 0..count {
            number += 1;
            let mut row = made_up(&self.schema, table, number, number);
            while context.rows(table).same_key(self.schema.layout(), &row).is_some() {
                number += 1;
                row = made_up(&self.schema, table, number, number);
            }
            self.insert(table, row, context)?;
        }
        Ok(())
    }
}

fn unfit(name: &str) -> Failure {
    Failure::Fatal(format!("the parameters of {name} are not those that its name asks for"))
}

impl Module for Generic {
    fn schema(&self) -> Rc<Schema> {
        self.schema.clone()
    }

    fn delay(&self, function: &str, args: &[u8]) -> Duration {
        let mut bytes = [0; 8];
        let count = args.len().min(8);
        bytes[..count].copy_from_slice(&args[..count]);
        Duration::from_millis(if function == "wait" { u64::from_le_bytes(bytes) } else { 0 })
    }

    fn reducer(&self, name: &str, args: &[u8], context: &mut Context<'_>) -> Outcome {
        let mut reader = Reader::new(args);
        if name == "fail" {
            let message = reader.str().map_err(|_| unfit(name))?;
            return Err(Failure::User(message.to_owned()));
        }
        if name.starts_with("give_") {
            context.value = self.exact(name, args)?.to_vec();
            return Ok(());
        }
        if name == "refuse" {
            return Err(Failure::Value(self.exact(name, args)?.to_vec()));
        }
        let Some((verb, table)) = name.split_once('_') else { return Ok(()) };
        let Some(table) = self.schema.table(table) else { return Ok(()) };
        match verb {
            "insert" => self.insert(table, self.row(name, args, table)?, context),
            "update" => {
                let row = self.row(name, args, table)?;
                let updated = context.update(table, row).map(drop);
                updated.map_err(|_| Failure::User("there is no such row, or a unique value is taken".into()))
            }
            "delete" => self.delete(name, args, table, context),
            "clear" => {
                context.clear(table);
                Ok(())
            }
            "fill" => self.fill(table, reader.u32().map_err(|_| unfit(name))?, context),
            "rewrite" => {
                let first = reader.u64().map_err(|_| unfit(name))?;
                let count = reader.u32().map_err(|_| unfit(name))?;
                let seed = reader.u64().map_err(|_| unfit(name))?;
                for number in first..first.saturating_add(count.into()) {
                    context.put(table, made_up(&self.schema, table, number, number ^ seed.rotate_left(32)))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn procedure(&self, name: &str, args: &[u8], _context: &mut Context<'_>) -> Outcome<Vec<u8>> {
        let procedure = self.schema.def.procedure(name).ok_or_else(Failure::panic)?;
        let is_value = self.schema.layout().validate(procedure.returns, args).is_ok();
        if name == "echo" && is_value { Ok(args.to_vec()) } else { Err(unfit(name)) }
    }

    fn view(&self, view: usize, sender: Identity, tables: &Tables) -> Vec<Row> {
        let name = &self.schema.def.tables[view].name;
        let Some((whose, table)) = name.split_once('_') else { return Vec::new() };
        let Some(table) = self.schema.table(table) else { return Vec::new() };
        let rows = tables.table(table).rows();
        match whose {
            "all" => rows.cloned().collect(),
            "my" => rows.filter(|row| self.is_of(table, row, &sender)).cloned().collect(),
            _ => Vec::new(),
        }
    }
}
