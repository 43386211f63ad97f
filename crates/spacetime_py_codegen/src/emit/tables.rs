use super::{literal, quoted};
use crate::layout::{bracketed, import, line};
use crate::names::{Named, NamedTable};
use crate::schema::{Shape, Table};
use crate::types::Mentions;

/// `tables.py`: a handle class for each table and view, and `RemoteTables` with one attribute for each.
pub fn emit(named: &Named<'_>) -> String {
    let mut mentions = Mentions::default();
    let mut classes = String::new();
    for (table, names) in named.schema.tables.iter().zip(&named.tables) {
        classes.push_str(&handle(table, names, named, &mut mentions));
    }
    let entries: Vec<String> =
        named.tables.iter().map(|table| format!("{}: {}", literal(&table.attribute), table.class)).collect();
    classes.push_str("\n\nclass RemoteTables(Tables):\n");
    classes.push_str("    \"\"\"The tables and views of the module: `connection.db`.\"\"\"\n\n");
    classes.push_str(&bracketed(4, "_tables = {", &entries, "}\n"));
    for table in &named.tables {
        classes.push_str(&line(4, &format!("{}: {}", table.attribute, table.class)));
    }
    let mut used = vec!["Tables".to_owned()];
    if !named.tables.is_empty() {
        used.push("Table".into());
    }
    if named.tables.iter().any(|table| !table.unique.is_empty()) {
        used.push("UniqueIndex".into());
    }
    let mut text = String::from("\"\"\"The tables of the module.\"\"\"\n\nfrom __future__ import annotations\n\n");
    if mentions.uuid {
        text.push_str("from uuid import UUID\n\n");
    }
    if !mentions.sdk.is_empty() {
        let names: Vec<String> = mentions.sdk.iter().map(|name| (*name).to_owned()).collect();
        text.push_str(&import("spacetime_py", &names));
    }
    text.push_str(&import("spacetime_py.bindings", &used));
    if !mentions.own.is_empty() {
        let names: Vec<String> = mentions.own.into_iter().collect();
        text.push_str(&format!("\n{}", import(".types", &names)));
    }
    text + &classes
}

fn handle(table: &Table, names: &NamedTable, named: &Named<'_>, mentions: &mut Mentions) -> String {
    let row = named.types[table.row].name.clone();
    mentions.own.insert(row.clone());
    let kind = if table.is_view { "View" } else { "Table" };
    let mut text = format!("\n\nclass {}(Table[{row}]):\n", names.class);
    text.push_str(&line(4, &format!("\"\"\"{kind} {}.\"\"\"", quoted(&table.name))));
    text.push_str(&format!("\n    _name = {}\n", literal(&table.name)));
    if names.unique.is_empty() {
        return text;
    }
    let entries: Vec<String> =
        names.unique.iter().map(|(name, column)| format!("{}: {column}", literal(name))).collect();
    text.push_str(&bracketed(4, "_unique = {", &entries, "}\n"));
    let Shape::Product(columns) = &named.schema.types[table.row].shape else { unreachable!("rows are products") };
    for (name, column) in &names.unique {
        let key = mentions.annotation(&columns[usize::from(*column)].ty, named);
        text.push_str(&line(4, &format!("{name}: UniqueIndex[{row}, {key}]")));
    }
    text
}
