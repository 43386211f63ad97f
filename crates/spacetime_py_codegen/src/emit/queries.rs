//! `queries.py`: the columns of each table and view that SQL can compare, and a query for each.

use std::collections::BTreeMap;

use crate::naming::Names;
use crate::python::{File, Sorted};
use crate::raw::Name;
use crate::sats::{Element, Scalar, Special, Type};
use crate::schema::Schema;
use crate::types::{Annotation, Annotations};

pub fn emit(schema: &Schema, names: &Names) -> String {
    let mut file = File::default();
    file.imports.add("__future__", "annotations");
    file.imports.add("spacetime_py.bindings", "Queries");
    let tables: Vec<(&Name, u32)> = schema
        .tables
        .iter()
        .filter(|table| !table.is_event)
        .map(|table| (&table.name, table.row))
        .chain(schema.views.iter().map(|view| (&view.name, view.row)))
        .collect();
    let class = |name: &Name| names.columns(&names.tables[&name.wire]);
    let by_class: BTreeMap<Sorted, _> = tables.iter().map(|table| (Sorted(class(table.0)), table)).collect();
    let annotations = Annotations { schema, names, at_home: false };
    for (class, (name, row)) in &by_class {
        emit_columns(&mut file, &class.0, name, *row, &annotations);
    }
    emit_all(&mut file, &tables, &class, &annotations);
    file.finish("Queries of the module's tables and views: `query.TABLE.where(lambda row: row.COLUMN == 1)`.")
}

fn emit_columns(file: &mut File, class: &str, name: &Name, row: u32, annotations: &Annotations<'_>) {
    file.imports.add("spacetime_py.bindings", "Columns");
    file.blank(2);
    file.class(class, Some("Columns"), &format!("Columns of `{}`.", name.wire));
    file.blank(1);
    file.text("_table", &name.wire);
    let columns = annotations.schema.columns(row);
    let attributes = annotations.names.fields(columns);
    let comparable: Vec<(&String, &Element)> =
        attributes.iter().zip(columns).filter(|(_, column)| is_comparable(&column.ty, annotations.schema)).collect();
    let wire = |column: &Element| column.name.clone().unwrap_or_default();
    let entries: Vec<(String, String)> = comparable
        .iter()
        .map(|(attribute, column)| ((*attribute).clone(), crate::python::quoted(&wire(column))))
        .collect();
    file.dict("_names", &entries);
    for (attribute, column) in comparable {
        file.imports.add("spacetime_py.bindings", "Column");
        let ty = annotations.of(&column.ty, &mut file.imports);
        file.field(attribute, &Annotation::generic("Column", ty));
    }
}

/// Whether the server's SQL has literals of the type.
fn is_comparable(ty: &Type, schema: &Schema) -> bool {
    if let Some(special) = ty.special() {
        return matches!(special, Special::Identity | Special::ConnectionId | Special::Timestamp);
    }
    match ty {
        Type::Scalar(_) => true,
        Type::Array(element) => **element == Type::Scalar(Scalar::U8),
        Type::Ref(_) => {
            let resolved = schema.resolve(ty);
            !matches!(resolved, Type::Ref(_)) && is_comparable(resolved, schema)
        }
        Type::Product(_) | Type::Sum(_) => false,
    }
}

fn emit_all(file: &mut File, tables: &[(&Name, u32)], class: &impl Fn(&Name) -> String, annotations: &Annotations<'_>) {
    let attributes = annotations.names.attributes(tables.iter().map(|(name, _)| name.accessor.as_str()));
    let mut entries: Vec<(String, String, u32)> =
        attributes.into_iter().zip(tables).map(|(attribute, (name, row))| (attribute, class(name), *row)).collect();
    entries.sort();
    file.blank(2);
    file.class("RemoteQueries", Some("Queries"), "A query for each table and view, of all its rows.");
    file.blank(1);
    let pairs: Vec<(String, String)> =
        entries.iter().map(|(attribute, columns, _)| (attribute.clone(), columns.clone())).collect();
    file.dict("_tables", &pairs);
    for (attribute, columns, row) in entries {
        file.imports.add("spacetime_py.bindings", "Query");
        let row = annotations.class(&annotations.names.classes[&row], &mut file.imports);
        file.field(&attribute, &Annotation::Generic("Query", vec![row, Annotation::Name(columns)]));
    }
    file.blank(2);
    file.line("query = RemoteQueries()");
}
