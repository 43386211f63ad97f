//! The description of a module that generated packages hold: BSATN of RawModuleDef, version 10, with the names of the wire and
//! what a client needs of it. Sequences and default values are the server's alone and left empty.

use crate::sats::{Element, Scalar, Type};
use crate::schema::{Procedure, Reducer, Schema, Table, View};

/// The tag of version 10 in RawModuleDef.
const V10: u8 = 2;

pub fn describe(schema: &Schema) -> Vec<u8> {
    let mut writer = Writer(vec![V10]);
    writer.u32(7);
    writer.u8(0); // Typespace
    writer.list(&schema.typespace, Writer::ty);
    writer.u8(1); // Types
    let types: Vec<_> = schema.types.iter().collect();
    writer.list(&types, |writer, (index, path)| writer.type_name(**index, path));
    writer.u8(2); // Tables
    writer.list(&schema.tables, Writer::table);
    writer.u8(3); // Reducers
    writer.list(&schema.reducers, Writer::reducer);
    writer.u8(4); // Procedures
    writer.list(&schema.procedures, Writer::procedure);
    writer.u8(5); // Views
    writer.list(&schema.views, Writer::view);
    writer.u8(13); // ViewPrimaryKeys
    let keys: Vec<_> = schema.views.iter().filter_map(|view| Some((view, view.primary_key?))).collect();
    writer.list(&keys, |writer, (view, column)| {
        writer.string(&view.name.wire);
        let name = schema.columns(view.row)[usize::from(*column)].name.as_deref();
        writer.list(&[name.unwrap_or_default()], |writer, name| writer.string(name));
    });
    writer.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: &u16) {
        self.0.extend(value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    fn string(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.0.extend(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.u32(items.len() as u32);
        items.iter().for_each(|item| write(self, item));
    }

    fn nothing(&mut self) {
        self.u32(0);
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Ref(index) => {
                self.u8(0);
                self.u32(*index);
            }
            Type::Sum(variants) => {
                self.u8(1);
                self.elements(variants);
            }
            Type::Product(elements) => {
                self.u8(2);
                self.elements(elements);
            }
            Type::Array(element) => {
                self.u8(3);
                self.ty(element);
            }
            Type::Scalar(scalar) => self.u8(4 + scalar_number(*scalar)),
        }
    }

    fn elements(&mut self, elements: &[Element]) {
        self.list(elements, |writer, element| {
            match &element.name {
                Some(name) => {
                    writer.u8(0);
                    writer.string(name);
                }
                None => writer.u8(1),
            }
            writer.ty(&element.ty);
        });
    }

    fn type_name(&mut self, index: u32, path: &[String]) {
        let (name, scope) = path.split_last().map_or(("", path), |(name, scope)| (name, scope));
        self.list(scope, |writer, part| writer.string(part));
        self.string(name);
        self.u32(index);
        self.bool(true); // the order of columns is the module's own
    }

    fn table(&mut self, table: &Table) {
        self.string(&table.name.wire);
        self.u32(table.row);
        self.list(table.primary_key.as_slice(), Writer::u16);
        let indexes: Vec<_> = table.indexes.iter().collect();
        self.list(&indexes, |writer, (accessor, columns)| {
            writer.u8(1); // no name
            writer.u8(0);
            writer.string(accessor);
            writer.u8(0); // B-tree: clients do not care
            writer.list(columns, Writer::u16);
        });
        let constraints: Vec<_> = table.unique.iter().collect();
        self.list(&constraints, |writer, columns| {
            writer.u8(1); // no name
            writer.u8(0); // unique
            writer.list(columns, Writer::u16);
        });
        self.nothing(); // sequences
        self.bool(table.is_user);
        self.bool(!table.is_public);
        self.nothing(); // default values
        self.bool(table.is_event);
    }

    fn reducer(&mut self, reducer: &Reducer) {
        self.string(&reducer.name.wire);
        self.elements(&reducer.params);
        self.u8(1); // callable by clients
        self.ty(&reducer.ok);
        self.ty(&reducer.err);
    }

    fn procedure(&mut self, procedure: &Procedure) {
        self.string(&procedure.name.wire);
        self.elements(&procedure.params);
        self.ty(&procedure.returns);
        self.u8(1);
    }

    fn view(&mut self, view: &View) {
        self.string(&view.name.wire);
        self.u32(view.index);
        self.bool(view.is_public);
        self.bool(view.is_anonymous);
        self.elements(&view.params);
        self.ty(&view.returns);
    }
}

fn scalar_number(scalar: Scalar) -> u8 {
    scalar as u8
}
