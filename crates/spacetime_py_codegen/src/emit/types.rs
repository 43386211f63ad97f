//! `types.py`: a class for each product and each variant, an Enum for each sum without payloads, an alias for other sums.

use std::collections::BTreeMap;

use crate::naming::{self, Names};
use crate::python::{File, Sorted};
use crate::sats::{Element, Type};
use crate::schema::Schema;
use crate::types::{Annotation, Annotations};

pub fn emit(schema: &Schema, names: &Names) -> String {
    let mut emitter =
        Types { annotations: Annotations { schema, names, at_home: true }, file: File::default(), rows: rows(schema) };
    emitter.file.imports.add("__future__", "annotations");
    let by_class: BTreeMap<Sorted, u32> =
        names.classes.iter().map(|(index, class)| (Sorted(class.clone()), *index)).collect();
    for (class, index) in by_class {
        emitter.emit_type(index, &class.0);
    }
    emitter.file.finish("Types of the module.")
}

struct Types<'a> {
    annotations: Annotations<'a>,
    file: File,
    rows: BTreeMap<u32, String>,
}

/// What row types are the rows of: tables, or else views.
fn rows(schema: &Schema) -> BTreeMap<u32, String> {
    let mut rows: BTreeMap<u32, (&str, Vec<String>)> = BTreeMap::new();
    let tables = schema.tables.iter().map(|table| ("table", table.row, &table.name));
    let views = schema.views.iter().map(|view| ("view", view.row, &view.name));
    for (kind, row, name) in tables.chain(views) {
        let (first, names) = rows.entry(row).or_insert((kind, Vec::new()));
        if *first == kind {
            names.push(format!("`{}`", name.wire));
        }
    }
    let text = |(row, (kind, names)): (u32, (&str, Vec<String>))| {
        let plural = if names.len() > 1 { "s" } else { "" };
        (row, format!("Row of {kind}{plural} {}.", names.join(", ")))
    };
    rows.into_iter().map(text).collect()
}

impl Types<'_> {
    fn emit_type(&mut self, index: u32, class: &str) {
        let name = self.annotations.schema.types[&index].join(".");
        match &self.annotations.schema.typespace[index as usize] {
            Type::Product(columns) => self.emit_product(index, class, &name, columns),
            Type::Sum(variants) if naming::is_enum(variants) => self.emit_enum(index, class, &name, variants),
            Type::Sum(variants) => self.emit_sum(index, class, &name, variants),
            _ => unreachable!("only products and sums have classes"),
        }
    }

    fn decorate(&mut self, decorator: &str, arguments: &str) {
        self.file.imports.add("spacetime_py.bindings", decorator);
        self.file.imports.add("._module", "MODULE");
        self.file.blank(2);
        self.file.line(&format!("@{decorator}(MODULE, {arguments})"));
    }

    fn emit_product(&mut self, index: u32, class: &str, name: &str, columns: &[Element]) {
        let docs = self.rows.get(&index).cloned().unwrap_or_else(|| format!("Product type `{name}`."));
        self.decorate("product", &index.to_string());
        self.file.class(class, None, &docs);
        let fields = self.annotations.names.fields(columns);
        if !fields.is_empty() {
            self.file.blank(1);
        }
        for (field, column) in fields.iter().zip(columns) {
            self.emit_field(field, &column.ty);
        }
    }

    fn emit_field(&mut self, field: &str, ty: &Type) {
        let mut imports = std::mem::take(&mut self.file.imports);
        let annotation = self.annotations.of(ty, &mut imports);
        self.file.imports = imports;
        self.file.field(field, &annotation);
    }

    fn emit_enum(&mut self, index: u32, class: &str, name: &str, variants: &[Element]) {
        self.file.imports.add_module("enum");
        self.decorate("plain_enum", &index.to_string());
        self.file.class(class, Some("enum.Enum"), &format!("Sum type `{name}`."));
        self.file.blank(1);
        for (tag, member) in naming::members(variants).iter().enumerate() {
            self.file.member(member, tag);
        }
    }

    fn emit_sum(&mut self, index: u32, class: &str, name: &str, variants: &[Element]) {
        let mut classes = Vec::new();
        for (tag, variant) in variants.iter().enumerate() {
            let variant_class = &self.annotations.names.variants[&(index, tag)];
            let number = tag.to_string();
            let docs = format!("Variant `{}` of `{name}`.", variant.name.as_deref().unwrap_or(&number));
            self.decorate("variant", &format!("{index}, {tag}"));
            self.file.class(variant_class, None, &docs);
            if !self.annotations.is_unit(&variant.ty) {
                self.file.blank(1);
                self.emit_field("value", &variant.ty);
            }
            classes.push(Annotation::name(variant_class));
        }
        if classes.is_empty() {
            self.file.imports.add("typing", "NoReturn");
            classes.push(Annotation::name("NoReturn")); // no value has this type
        }
        self.file.imports.add("typing", "TypeAlias");
        self.file.blank(2);
        self.file.alias(class, &classes);
    }
}
