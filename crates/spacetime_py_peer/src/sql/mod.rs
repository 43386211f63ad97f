//! The SQL of subscriptions and one-off queries: whole rows of one table, with a condition or without.

mod filter;
mod lexer;
mod literal;
mod parser;

pub use filter::Filter;
pub use parser::{Select, parse};

use crate::schema::Schema;

/// Who asks, and what that allows.
#[derive(Clone, Copy)]
pub struct Reader {
    pub identity: [u8; 32],
    /// The owner of a database sees its private tables.
    pub is_owner: bool,
}

/// A query that can be run: the rows of a table or view that pass the filter.
#[derive(Debug)]
pub struct Plan {
    pub table: usize,
    pub filter: Filter,
    /// Whether the result depends on who asks.
    pub is_personal: bool,
}

/// Plans of one statement: one, or those of all tables for `SELECT * FROM *`, with the statement that stands for each.
pub fn plan(text: &str, schema: &Schema, reader: Reader) -> Result<Vec<(String, Plan)>, String> {
    match parse(text)? {
        Select::Everything => Ok(readable_tables(schema)
            .map(|table| {
                let text = format!("SELECT * FROM {}", schema.def.tables[table].name);
                (text, Plan { table, filter: Filter::All, is_personal: is_personal(schema, table) })
            })
            .collect()),
        Select::Rows { table: name, condition } => {
            let table = find_table(schema, &name, reader)?;
            let filter = match condition {
                Some(condition) => Filter::new(&condition, schema, table, reader.identity)?,
                None => Filter::All,
            };
            let is_personal = is_personal(schema, table) || text.contains(":sender");
            Ok(vec![(text.to_owned(), Plan { table, filter, is_personal })])
        }
    }
}

fn readable_tables(schema: &Schema) -> impl Iterator<Item = usize> {
    (0..schema.tables.len()).filter(|table| {
        let info = &schema.tables[*table];
        info.is_public && info.view.is_none() && !schema.def.tables[*table].is_event
    })
}

fn find_table(schema: &Schema, name: &str, reader: Reader) -> Result<usize, String> {
    let visible = |table: &usize| schema.tables[*table].is_public || reader.is_owner;
    schema
        .table(name)
        .filter(visible)
        .ok_or_else(|| format!("no such table: `{name}`. If the table exists, it may be marked private."))
}

fn is_personal(schema: &Schema, table: usize) -> bool {
    schema.tables[table].view.is_some_and(|view| !view.is_anonymous)
}
