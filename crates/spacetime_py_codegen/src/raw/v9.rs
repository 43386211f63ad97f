//! Version 9: the schema of 1.x, and the `version=9` answer of 2.x. Its names are those of the wire.

use std::collections::BTreeSet;

use super::{Name, RawModule, RawProcedure, RawReducer};
use crate::error::Error;
use crate::json::Node;
use crate::sats::{Scalar, Type, elements};

pub fn read(node: &Node<'_>) -> Result<RawModule, Error> {
    let tables = node.field("tables")?;
    let scheduled: BTreeSet<String> = tables.list(read_scheduled)?.into_iter().flatten().collect();
    let mut module = RawModule {
        typespace: super::read_typespace(&node.field("typespace")?)?,
        types: node.field("types")?.list(|ty| super::read_type_name(ty, "name"))?,
        tables: tables.list(|table| super::read_table(table, name_of(table)?, false))?,
        reducers: node.field("reducers")?.list(|reducer| read_reducer(reducer, &scheduled))?,
        ..RawModule::default()
    };
    if let Some(exports) = node.optional_field("misc_exports") {
        exports.list(|export| export.variant().map(|(kind, export)| (kind.to_owned(), export)))?.iter().try_for_each(
            |(kind, export)| match kind.as_str() {
                "Procedure" => read_procedure(export, &scheduled).map(|procedure| module.procedures.push(procedure)),
                "View" => super::read_view(export, name_of(export)?, Vec::new()).map(|view| module.views.push(view)),
                _ => Ok(()), // default values of columns, and what later servers add
            },
        )?;
    }
    Ok(module)
}

fn name_of(node: &Node<'_>) -> Result<Name, Error> {
    Ok(Name::plain(node.field("name")?.string()?))
}

/// The reducer or procedure that a table schedules.
fn read_scheduled(table: &Node<'_>) -> Result<Option<String>, Error> {
    let schedule = table.field("schedule")?.option()?;
    schedule.map(|schedule| schedule.field("reducer_name")?.string()).transpose()
}

fn read_reducer(node: &Node<'_>, scheduled: &BTreeSet<String>) -> Result<RawReducer, Error> {
    let name = name_of(node)?;
    let has_lifecycle = node.field("lifecycle")?.option()?.is_some();
    Ok(RawReducer {
        is_callable: !has_lifecycle && !scheduled.contains(&name.wire),
        name,
        params: elements(&node.field("params")?)?,
        ok: Type::unit(),
        err: Type::Scalar(Scalar::String),
    })
}

fn read_procedure(node: &Node<'_>, scheduled: &BTreeSet<String>) -> Result<RawProcedure, Error> {
    let name = name_of(node)?;
    Ok(RawProcedure {
        is_callable: !scheduled.contains(&name.wire),
        name,
        params: elements(&node.field("params")?)?,
        returns: Type::from_json(&node.field("return_type")?)?,
    })
}
