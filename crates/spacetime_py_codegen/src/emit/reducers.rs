//! `reducers.py`: a class with a method for each reducer that clients may call. Procedures are written by the same function.

use crate::naming::{self, Names};
use crate::python::File;
use crate::raw::Name;
use crate::sats::Element;
use crate::schema::Schema;
use crate::types::{Annotation, Annotations};

pub fn emit(schema: &Schema, names: &Names) -> String {
    let mut file = File::default();
    file.imports.add("__future__", "annotations");
    file.imports.add("spacetime_py.bindings", "Reducers");
    file.blank(2);
    file.class("RemoteReducers", Some("Reducers"), "The reducers of the module: `connection.reducers`.");
    let annotations = Annotations { schema, names, at_home: false };
    let attributes = names.attributes(schema.reducers.iter().map(|reducer| reducer.name.accessor.as_str()));
    for (attribute, reducer) in attributes.iter().zip(&schema.reducers) {
        file.imports.add("spacetime_py.bindings", "ReducerCall");
        let method = Method { kind: "reducer", attribute, name: &reducer.name, params: &reducer.params };
        let call = if reducer.ok.is_unit() {
            Annotation::name("ReducerCall") // of nothing
        } else {
            Annotation::generic("ReducerCall", annotations.of(&reducer.ok, &mut file.imports))
        };
        method.emit(&mut file, &annotations, &call);
    }
    file.finish("Reducers of the module.")
}

pub struct Method<'a> {
    pub kind: &'a str,
    /// The name in Python.
    pub attribute: &'a str,
    pub name: &'a Name,
    pub params: &'a [Element],
}

impl Method<'_> {
    pub fn emit(&self, file: &mut File, annotations: &Annotations<'_>, returns: &Annotation) {
        let names = naming::parameters(self.params);
        let types = self.params.iter().map(|param| annotations.of(&param.ty, &mut file.imports));
        let params: Vec<_> = names.iter().cloned().zip(types).collect();
        file.blank(1);
        file.method(self.attribute, &params, returns);
        file.docstring(2, &format!("Call {} `{}`.", self.kind, self.name.wire));
        file.call(&self.name.wire, &names);
    }
}
