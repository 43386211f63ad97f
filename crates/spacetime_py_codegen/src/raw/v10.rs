//! Version 10: a list of sections in any order. Names are those of the module's source; another section maps them to those of
//! the wire.

use std::collections::{BTreeMap, BTreeSet};

use super::{Name, RawModule, RawProcedure, RawReducer, RawTable, RawView};
use crate::error::Error;
use crate::json::Node;
use crate::sats::{Type, elements, shifted_elements};

pub fn read(node: &Node<'_>) -> Result<RawModule, Error> {
    let sections = Sections::read(node)?;
    let names = Canonical::read(&sections)?;
    let hidden = read_hidden(&sections)?;
    let keys = sections.list("ViewPrimaryKeys", read_view_key)?;
    let mut module = RawModule {
        typespace: sections.0.get("Typespace").map_or(Ok(Vec::new()), super::read_typespace)?,
        types: sections.list("Types", |ty| super::read_type_name(ty, "source_name"))?,
        tables: sections.list("Tables", |table| {
            let is_event = table.optional_field("is_event").map_or(Ok(false), |flag| flag.bool())?;
            super::read_table(table, names.table(table)?, is_event)
        })?,
        views: sections.list("Views", |view| {
            let name = names.function("view", view)?;
            let key = keys.iter().find(|(view, _)| *view == name.accessor || *view == name.wire);
            super::read_view(view, name, key.map(|(_, columns)| columns.clone()).unwrap_or_default())
        })?,
        reducers: sections.list("Reducers", |reducer| read_reducer(reducer, &names, &hidden))?,
        procedures: sections.list("Procedures", |procedure| read_procedure(procedure, &names, &hidden))?,
    };
    for (namespace, submodule) in sections.list("Submodules", read_submodule)? {
        module.take_in(&namespace, submodule);
    }
    Ok(module)
}

/// The first section of each kind, as the server takes it.
struct Sections<'a>(BTreeMap<&'a str, Node<'a>>);

impl<'a> Sections<'a> {
    fn read(node: &Node<'a>) -> Result<Self, Error> {
        let mut sections = BTreeMap::new();
        for (kind, payload) in node.field("sections")?.list(Node::variant)? {
            sections.entry(kind).or_insert(payload);
        }
        Ok(Sections(sections))
    }

    fn list<T>(&self, kind: &str, read: impl Fn(&Node<'a>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.0.get(kind).map_or(Ok(Vec::new()), |section| section.list(read))
    }
}

/// What the server calls things. Its answers always say so; a module's own description leaves it to the server's rules,
/// which are not repeated here: a name that they would change is an error.
struct Canonical {
    tables: BTreeMap<String, String>,
    functions: BTreeMap<String, String>,
    converts: bool,
}

impl Canonical {
    fn read(sections: &Sections<'_>) -> Result<Self, Error> {
        let policy = sections.0.get("CaseConversionPolicy");
        let converts = policy.map_or(Ok(true), |policy| Ok(!policy.is_variant("None")?))?;
        let mut names = Canonical { tables: BTreeMap::new(), functions: BTreeMap::new(), converts };
        let Some(section) = sections.0.get("ExplicitNames") else { return Ok(names) };
        let entries = section.field("entries")?.list(|entry| {
            let (kind, mapping) = entry.variant()?;
            Ok((kind == "Table", kind == "Function", mapping))
        })?;
        for (is_table, is_function, mapping) in entries {
            let map = match (is_table, is_function) {
                (true, _) => &mut names.tables,
                (_, true) => &mut names.functions,
                _ => continue, // indexes
            };
            map.insert(mapping.field("source_name")?.string()?, mapping.field("canonical_name")?.string()?);
        }
        Ok(names)
    }

    fn table(&self, node: &Node<'_>) -> Result<Name, Error> {
        self.resolve("table", &self.tables, node)
    }

    fn function(&self, kind: &'static str, node: &Node<'_>) -> Result<Name, Error> {
        self.resolve(kind, &self.functions, node)
    }

    fn resolve(&self, kind: &'static str, map: &BTreeMap<String, String>, node: &Node<'_>) -> Result<Name, Error> {
        let accessor = node.field("source_name")?.string()?;
        if let Some(wire) = map.get(&accessor) {
            return Ok(Name { accessor, wire: wire.clone() });
        }
        if self.converts && !is_snake_case(&accessor) {
            return Err(Error::NameNotSettled { kind, name: accessor });
        }
        Ok(Name::plain(accessor))
    }
}

/// Whether the server's conversion to snake case certainly leaves a name alone: words of small letters.
fn is_snake_case(name: &str) -> bool {
    name.split('_').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Lifecycle and scheduled functions. The server names them by their canonical names, modules by those of the source.
fn read_hidden(sections: &Sections<'_>) -> Result<BTreeSet<String>, Error> {
    let function = |node: &Node<'_>| node.field("function_name")?.string();
    let mut hidden = sections.list("Schedules", function)?;
    hidden.extend(sections.list("LifeCycleReducers", function)?);
    Ok(hidden.into_iter().collect())
}

fn is_callable(node: &Node<'_>, name: &Name, hidden: &BTreeSet<String>) -> Result<bool, Error> {
    let is_client_callable = node.field("visibility")?.is_variant("ClientCallable")?;
    Ok(is_client_callable && !hidden.contains(&name.wire) && !hidden.contains(&name.accessor))
}

fn read_reducer(node: &Node<'_>, names: &Canonical, hidden: &BTreeSet<String>) -> Result<RawReducer, Error> {
    let name = names.function("reducer", node)?;
    Ok(RawReducer {
        is_callable: is_callable(node, &name, hidden)?,
        name,
        params: elements(&node.field("params")?)?,
        ok: Type::from_json(&node.field("ok_return_type")?)?,
        err: Type::from_json(&node.field("err_return_type")?)?,
    })
}

fn read_procedure(node: &Node<'_>, names: &Canonical, hidden: &BTreeSet<String>) -> Result<RawProcedure, Error> {
    let name = names.function("procedure", node)?;
    Ok(RawProcedure {
        is_callable: is_callable(node, &name, hidden)?,
        name,
        params: elements(&node.field("params")?)?,
        returns: Type::from_json(&node.field("return_type")?)?,
    })
}

fn read_view_key(node: &Node<'_>) -> Result<(String, Vec<String>), Error> {
    Ok((node.field("view_source_name")?.string()?, node.field("columns")?.list(Node::string)?))
}

fn read_submodule(node: &Node<'_>) -> Result<(String, RawModule), Error> {
    Ok((node.field("namespace")?.string()?, read(&node.field("module")?)?))
}

impl RawModule {
    /// Everything of a submodule under dotted names; its types come after those that are there.
    fn take_in(&mut self, namespace: &str, submodule: RawModule) {
        let offset = self.typespace.len() as u32;
        let dotted = |name: Name| Name {
            accessor: format!("{namespace}.{}", name.accessor),
            wire: format!("{namespace}.{}", name.wire),
        };
        self.typespace.extend(submodule.typespace.into_iter().map(|ty| ty.shifted(offset)));
        self.types.extend(submodule.types.into_iter().map(|mut ty| {
            ty.path.insert(0, namespace.to_owned());
            ty.ty = ty.ty.saturating_add(offset);
            ty
        }));
        self.tables.extend(submodule.tables.into_iter().map(|table| RawTable {
            name: dotted(table.name),
            row: table.row.saturating_add(offset),
            ..table
        }));
        self.views.extend(submodule.views.into_iter().map(|view| RawView {
            name: dotted(view.name),
            params: shifted_elements(view.params, offset),
            returns: view.returns.shifted(offset),
            ..view
        }));
        self.reducers.extend(submodule.reducers.into_iter().map(|reducer| RawReducer {
            name: dotted(reducer.name),
            params: shifted_elements(reducer.params, offset),
            ok: reducer.ok.shifted(offset),
            err: reducer.err.shifted(offset),
            ..reducer
        }));
        self.procedures.extend(submodule.procedures.into_iter().map(|procedure| RawProcedure {
            name: dotted(procedure.name),
            params: shifted_elements(procedure.params, offset),
            returns: procedure.returns.shifted(offset),
            ..procedure
        }));
    }
}
