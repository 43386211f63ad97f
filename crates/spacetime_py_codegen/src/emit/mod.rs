//! The seven files of a package, one module for each.

mod init;
mod module;
mod procedures;
mod queries;
mod reducers;
mod tables;
mod types;

use crate::OutputFile;
use crate::naming::Names;
use crate::schema::Schema;

pub fn package(schema: &Schema, names: &Names, module_name: &str) -> Vec<OutputFile> {
    let file = |name: &str, text| OutputFile { name: name.to_owned(), text };
    vec![
        file("__init__.py", init::emit(names, module_name)),
        file("_module.py", module::emit(schema)),
        file("procedures.py", procedures::emit(schema, names)),
        file("queries.py", queries::emit(schema, names)),
        file("reducers.py", reducers::emit(schema, names)),
        file("tables.py", tables::emit(schema, names)),
        file("types.py", types::emit(schema, names)),
    ]
}
