//! `tables.py`: a class for each table and view, and one that has them all.

use std::collections::BTreeMap;

use crate::naming::Names;
use crate::python::{File, Sorted};
use crate::raw::Name;
use crate::schema::{Schema, Table, View};
use crate::types::{Annotation, Annotations};

pub fn emit(schema: &Schema, names: &Names) -> String {
    let mut file = File::default();
    file.imports.add("__future__", "annotations");
    file.imports.add("spacetime_py.bindings", "Tables");
    let tables: Vec<Remote> =
        schema.tables.iter().map(Remote::of_table).chain(schema.views.iter().map(Remote::of_view)).collect();
    let by_class: BTreeMap<Sorted, &Remote> =
        tables.iter().map(|table| (Sorted(names.tables[&table.name.wire].clone()), table)).collect();
    for (class, table) in &by_class {
        emit_table(&mut file, &class.0, table, &Annotations { schema, names, at_home: false });
    }
    emit_all(&mut file, &tables, names);
    file.finish("Tables and views of the module.")
}

/// A table or a view: to a client there is little difference.
struct Remote<'a> {
    name: &'a Name,
    docs: String,
    row: u32,
    /// Columns that are unique by themselves.
    unique: Vec<u16>,
    /// Accessors and columns of further indexes.
    indexes: Vec<&'a (String, Vec<u16>)>,
}

impl<'a> Remote<'a> {
    fn of_table(table: &'a Table) -> Self {
        let single = |columns: &Vec<u16>| <[u16; 1]>::try_from(&columns[..]).ok().map(|[column]| column);
        let name = &table.name.wire;
        let docs = match table.is_event {
            true => format!("Event table `{name}`: rows come to `on_insert` and are not kept."),
            false => format!("Table `{name}`."),
        };
        let unique = table.unique.iter().filter_map(single).collect();
        Remote { name: &table.name, docs, row: table.row, unique, indexes: table.indexes.iter().collect() }
    }

    fn of_view(view: &'a View) -> Self {
        let docs = format!("View `{}`.", view.name.wire);
        let unique = view.primary_key.into_iter().collect();
        Remote { name: &view.name, docs, row: view.row, unique, indexes: Vec::new() }
    }
}

fn emit_table(file: &mut File, class: &str, table: &Remote<'_>, annotations: &Annotations<'_>) {
    file.imports.add("spacetime_py.bindings", "Table");
    let row = annotations.class(&annotations.names.classes[&table.row], &mut file.imports);
    file.blank(2);
    file.class(class, Some(&format!("Table[{row}]")), &table.docs);
    file.blank(1);
    file.text("_name", &table.name.wire);
    emit_indexes(file, &row, table, annotations);
}

fn emit_indexes(file: &mut File, row: &Annotation, table: &Remote<'_>, annotations: &Annotations<'_>) {
    let columns = annotations.schema.columns(table.row);
    let unique: Vec<_> = table.unique.iter().map(|column| &columns[usize::from(*column)]).collect();
    let accessors: Vec<_> = table.indexes.iter().map(|(accessor, _)| accessor.as_str()).collect();
    let (unique_names, names) = annotations.names.indexes(&unique, &accessors);
    if !unique.is_empty() {
        file.imports.add("spacetime_py.bindings", "UniqueIndex");
        let numbers = table.unique.iter().map(ToString::to_string);
        file.dict("_unique", &unique_names.iter().cloned().zip(numbers).collect::<Vec<_>>());
    }
    if !names.is_empty() {
        file.imports.add("spacetime_py.bindings", "Index");
        let numbers = table.indexes.iter().map(|(_, columns)| tuple(columns));
        file.dict("_indexes", &names.iter().cloned().zip(numbers).collect::<Vec<_>>());
    }
    for (name, column) in unique_names.iter().zip(unique) {
        let key = annotations.of(&column.ty, &mut file.imports);
        file.field(name, &Annotation::Generic("UniqueIndex", vec![row.clone(), key]));
    }
    for (name, (_, numbers)) in names.iter().zip(&table.indexes) {
        let ty = |column: &u16| annotations.of(&columns[usize::from(*column)].ty, &mut file.imports);
        let key = key_of(numbers.iter().map(ty).collect());
        file.field(name, &Annotation::Generic("Index", vec![row.clone(), key]));
    }
}

/// The key of one column is its value; of several it is a tuple, whole or of the first ones.
fn key_of(mut types: Vec<Annotation>) -> Annotation {
    if types.len() == 1 {
        return types.remove(0);
    }
    Annotation::Union((1..=types.len()).map(|count| Annotation::Generic("tuple", types[..count].to_vec())).collect())
}

fn tuple(columns: &[u16]) -> String {
    let numbers: Vec<_> = columns.iter().map(ToString::to_string).collect();
    format!("({}{})", numbers.join(", "), if numbers.len() == 1 { "," } else { "" })
}

fn emit_all(file: &mut File, tables: &[Remote<'_>], names: &Names) {
    let attributes = names.attributes(tables.iter().map(|table| table.name.accessor.as_str()));
    let classes = tables.iter().map(|table| names.tables[&table.name.wire].clone());
    let mut entries: Vec<(String, String)> = attributes.into_iter().zip(classes).collect();
    entries.sort();
    file.blank(2);
    file.class("RemoteTables", Some("Tables"), "The tables and views of the module: `connection.db`.");
    file.blank(1);
    file.dict("_tables", &entries);
    for (attribute, class) in entries {
        file.field(&attribute, &Annotation::Name(class));
    }
}
