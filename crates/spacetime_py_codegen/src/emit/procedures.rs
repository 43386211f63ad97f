//! `procedures.py`: a class with a method for each procedure that clients may call.

use super::reducers::Method;
use crate::naming::Names;
use crate::python::File;
use crate::schema::Schema;
use crate::types::{Annotation, Annotations};

pub fn emit(schema: &Schema, names: &Names) -> String {
    let mut file = File::default();
    file.imports.add("__future__", "annotations");
    file.imports.add("spacetime_py.bindings", "Procedures");
    file.blank(2);
    file.class("RemoteProcedures", Some("Procedures"), "The procedures of the module: `connection.procedures`.");
    let annotations = Annotations { schema, names, at_home: false };
    let attributes = names.attributes(schema.procedures.iter().map(|procedure| procedure.name.accessor.as_str()));
    for (attribute, procedure) in attributes.iter().zip(&schema.procedures) {
        file.imports.add("spacetime_py.bindings", "ProcedureCall");
        let result = annotations.of(&procedure.returns, &mut file.imports);
        let method = Method { kind: "procedure", attribute, name: &procedure.name, params: &procedure.params };
        method.emit(&mut file, &annotations, &Annotation::generic("ProcedureCall", result));
    }
    file.finish("Procedures of the module.")
}
