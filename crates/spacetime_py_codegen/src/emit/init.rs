use super::quoted;
use crate::layout::{bracketed, import};
use crate::names::{Kind, Named};

/// `__init__.py`: the typed connection, and everything that programs import from the package.
pub fn emit(named: &Named<'_>, module_name: &str) -> String {
    let tables: Vec<String> = named.tables.iter().map(|table| table.class.clone()).collect();
    let variants = |kind: &Kind| match kind {
        Kind::Union(variants) => variants.clone(),
        Kind::Product(_) | Kind::Enum(_) => Vec::new(),
    };
    let mut types: Vec<String> = named.types.iter().flat_map(|ty| variants(&ty.kind)).collect();
    types.extend(named.types.iter().map(|ty| ty.name.clone()));
    let mut text = format!("\"\"\"Bindings of {}.\"\"\"\n\n", quoted(module_name));
    text.push_str("from typing import TypeAlias\n\nfrom spacetime_py import bindings\n\nfrom ._module import MODULE\n");
    text.push_str("from .procedures import RemoteProcedures\nfrom .reducers import RemoteReducers\n");
    let remote = ["RemoteTables".to_owned()];
    text.push_str(&import(".tables", &[&tables[..], &remote].concat()));
    if !types.is_empty() {
        text.push_str(&import(".types", &types));
    }
    text.push_str(
        "\n\nclass DbConnection(bindings.DbConnection):\n    \
         \"\"\"A connection to a database that runs this module.\"\"\"\n\n    \
         _module = MODULE\n    _parts = (RemoteTables, RemoteReducers, RemoteProcedures)\n    \
         db: RemoteTables\n    reducers: RemoteReducers\n    procedures: RemoteProcedures\n\n\n\
         EventContext: TypeAlias = bindings.EventContext[DbConnection]\n\n",
    );
    let own = ["DbConnection", "EventContext", "RemoteProcedures", "RemoteReducers", "RemoteTables"];
    let mut all: Vec<String> = own.iter().map(|name| (*name).to_owned()).chain(tables).chain(types).collect();
    all.sort_by_key(|name| crate::layout::export_order(name));
    let all: Vec<String> = all.iter().map(|name| format!("\"{name}\"")).collect();
    text.push_str(&bracketed(0, "__all__ = [", &all, "]\n"));
    text
}
