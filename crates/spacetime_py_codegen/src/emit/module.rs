//! `_module.py`: the schema as bytes.

use crate::bsatn::describe;
use crate::python::{File, bytes_lines};
use crate::schema::Schema;

pub fn emit(schema: &Schema) -> String {
    let mut file = File::default();
    file.imports.add("spacetime_py.bindings", "Module");
    file.blank(1);
    file.line("MODULE = Module(");
    bytes_lines(&describe(schema)).iter().for_each(|line| file.line(line));
    file.line(")");
    file.finish("The schema of the module, as the core compiles it.")
}
