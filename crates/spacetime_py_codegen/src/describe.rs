//! The schema as BSATN of a RawModuleDef, version 10: what the core compiles. Names are those of the wire.

use crate::schema::{Field, Function, Scalar, Schema, Shape, Special, Table, Type};

pub fn describe(schema: &Schema) -> Vec<u8> {
    let mut out = Writer(vec![V10]);
    let (views, tables): (Vec<_>, Vec<_>) = schema.tables.iter().partition(|table| table.is_view);
    out.count(7);
    out.section(0, &schema.types, |out, ty| match &ty.shape {
        Shape::Product(fields) => out.elements(2, fields),
        Shape::Sum(variants) => out.elements(1, variants),
    });
    out.section(1, schema.types.iter().enumerate(), |out, (index, ty)| {
        out.count(0); // scope
        out.text(&ty.name);
        out.count(index);
        out.byte(0); // no ordering of its own
    });
    out.section(2, tables, Writer::table);
    out.section(3, &schema.reducers, Writer::reducer);
    out.section(4, &schema.procedures, Writer::procedure);
    out.section(5, &views, |out, view| out.view(view));
    let keyed: Vec<_> = views.iter().filter_map(|view| Some((view, view.primary_key?))).collect();
    out.section(13, keyed, |out, (view, column)| {
        out.text(&view.name);
        let Shape::Product(fields) = &schema.types[view.row].shape else { unreachable!("rows are products") };
        out.count(1);
        out.text(&fields[usize::from(column)].name);
    });
    out.0
}

/// The tag of version 10 among the versions of a module description.
const V10: u8 = 2;
const NONE: u8 = 1;

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Lengths and places alike: `u32`.
    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u32).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn section<T>(
        &mut self,
        tag: u8,
        items: impl IntoIterator<IntoIter: ExactSizeIterator<Item = T>>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        let items = items.into_iter();
        self.byte(tag);
        self.count(items.len());
        items.for_each(|each| item(self, each));
    }

    fn elements(&mut self, tag: u8, fields: &[Field]) {
        self.byte(tag);
        self.fields(fields);
    }

    fn fields(&mut self, fields: &[Field]) {
        self.count(fields.len());
        for field in fields {
            self.element(&field.name, |out| out.ty(&field.ty));
        }
    }

    fn element(&mut self, name: &str, ty: impl FnOnce(&mut Self)) {
        self.byte(0); // a name follows
        self.text(name);
        ty(self);
    }

    fn columns(&mut self, columns: &[u16]) {
        self.count(columns.len());
        columns.iter().for_each(|column| self.0.extend_from_slice(&column.to_le_bytes()));
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Ref(index) => {
                self.byte(0);
                self.count(*index);
            }
            Type::Array(element) => {
                self.byte(3);
                self.ty(element);
            }
            Type::Option(inner) => self.sum(("some", inner), ("none", &Type::Unit)),
            Type::Result(ok, err) => self.sum(("ok", ok), ("err", err)),
            Type::Unit => self.elements(2, &[]),
            Type::Scalar(scalar) => self.byte(4 + *scalar as u8),
            Type::Special(Special::ScheduleAt) => {
                let (interval, time) = (Type::Special(Special::TimeDuration), Type::Special(Special::Timestamp));
                self.sum(("Interval", &interval), ("Time", &time));
            }
            Type::Special(special) => {
                let (_, name, scalar) =
                    Special::PRODUCTS.iter().find(|known| known.0 == *special).expect("all but ScheduleAt are products");
                self.byte(2);
                self.count(1);
                self.element(name, |out| out.ty(&Type::Scalar(*scalar)));
            }
        }
    }

    fn sum(&mut self, first: (&str, &Type), second: (&str, &Type)) {
        self.byte(1);
        self.count(2);
        for (name, ty) in [first, second] {
            self.element(name, |out| out.ty(ty));
        }
    }

    /// RawTableDefV10. Indexes, sequences and default values are the server's business.
    fn table(&mut self, table: &Table) {
        self.text(&table.name);
        self.count(table.row);
        self.columns(table.primary_key.as_slice());
        self.count(0); // indexes
        self.section_body(&table.unique, |out, columns| {
            out.byte(NONE); // no name
            out.byte(0); // unique
            out.columns(columns);
        });
        self.count(0); // sequences
        self.byte(1); // a user's table
        self.byte(u8::from(!table.is_public));
        self.count(0); // default values
        self.byte(table.is_event.into());
    }

    fn section_body<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|each| item(self, each));
    }

    /// RawReducerDefV10.
    fn reducer(&mut self, reducer: &Function) {
        self.text(&reducer.name);
        self.fields(&reducer.params);
        self.byte(1); // clients may call it
        self.ty(&Type::Unit);
        self.ty(&Type::Scalar(Scalar::String));
    }

    /// RawProcedureDefV10.
    fn procedure(&mut self, procedure: &Function) {
        self.text(&procedure.name);
        self.fields(&procedure.params);
        self.ty(&procedure.returns);
        self.byte(1);
    }

    /// RawViewDefV10: name, index, public, anonymous, parameters, rows.
    fn view(&mut self, view: &Table) {
        self.text(&view.name);
        self.count(0);
        self.byte(1);
        self.byte(0);
        self.count(0);
        self.ty(&Type::Array(Box::new(Type::Ref(view.row))));
    }
}
