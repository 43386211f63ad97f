//! `__init__.py`: the connection, and everything by one name.

use crate::naming::Names;
use crate::python::File;

pub fn emit(names: &Names, module_name: &str) -> String {
    let mut file = File::default();
    file.imports.add("typing", "TypeAlias");
    file.imports.add("spacetime_py", "bindings");
    for (module, name) in [("._module", "MODULE"), (".reducers", "RemoteReducers"), (".procedures", "RemoteProcedures")]
    {
        file.imports.add(module, name);
    }
    file.imports.add(".tables", "RemoteTables");
    file.imports.add(".queries", "query");
    names.tables.values().for_each(|table| file.imports.add(".tables", table));
    // An alias hides the classes of its variants; users need those to make and to match values.
    names.classes.values().chain(names.variants.values()).for_each(|class| file.imports.add(".types", class));
    emit_connection(&mut file);
    let own = ["DbConnection", "EventContext", "RemoteProcedures", "RemoteReducers", "RemoteTables"];
    let types = names.classes.values().chain(names.variants.values()).chain(names.tables.values());
    file.all(own.into_iter().chain(["query"]).map(str::to_owned).chain(types.cloned()));
    file.finish(&format!("Bindings of module `{module_name}`."))
}

fn emit_connection(file: &mut File) {
    file.blank(2);
    file.class("DbConnection", Some("bindings.DbConnection"), "A connection to a database that runs this module.");
    file.blank(1);
    for line in [
        "    _module = MODULE",
        "    _parts = (RemoteTables, RemoteReducers, RemoteProcedures)",
        "    db: RemoteTables",
        "    reducers: RemoteReducers",
        "    procedures: RemoteProcedures",
    ] {
        file.line(line);
    }
    file.blank(2);
    file.line("EventContext: TypeAlias = bindings.EventContext[DbConnection]");
    file.blank(1);
}
