use super::quoted;
use crate::layout::{alias, import, line};
use crate::names::{Kind, Named};
use crate::schema::{Field, Shape, Type};
use crate::types::Mentions;

/// `types.py`: a class for each product and variant, an Enum or a union for each sum.
pub fn emit(named: &Named<'_>) -> String {
    let mut mentions = Mentions::default();
    let (mut classes, mut aliases) = (String::new(), String::new());
    let (mut products, mut enums, mut variants) = (false, false, false);
    let mut never = false;
    for (place, (ty, shape)) in named.schema.types.iter().zip(&named.types).enumerate() {
        let (Shape::Product(fields) | Shape::Sum(fields)) = &ty.shape;
        match &shape.kind {
            Kind::Product(names) => {
                products = true;
                classes.push_str(&product(place, named, fields, names, &mut mentions));
            }
            Kind::Enum(members) => {
                enums = true;
                classes.push_str(&plain_enum(place, &shape.name, &ty.name, members));
            }
            Kind::Union(names) => {
                for (tag, (variant, name)) in fields.iter().zip(names).enumerate() {
                    variants = true;
                    classes.push_str(&variant_class(place, tag, name, &ty.name, variant, named, &mut mentions));
                }
                never |= names.is_empty();
                let members = if names.is_empty() { &["Never".to_owned()][..] } else { names };
                aliases.push_str(&format!("\n{}", alias(&shape.name, members)));
            }
        }
    }
    let aliases = if aliases.is_empty() { aliases } else { format!("\n{aliases}") };
    let used = [("plain_enum", enums), ("product", products), ("variant", variants)];
    let used: Vec<String> = used.iter().filter(|(_, used)| *used).map(|(name, _)| (*name).to_owned()).collect();
    let mut text = String::from("\"\"\"The types of the module.\"\"\"\n\nfrom __future__ import annotations\n");
    let mut standard = String::new();
    if enums {
        standard.push_str("import enum\n");
    }
    if !aliases.is_empty() {
        standard.push_str("from typing import TypeAlias\n");
    }
    if mentions.uuid {
        standard.push_str("from uuid import UUID\n");
    }
    let mut third = String::new();
    if !mentions.sdk.is_empty() {
        let names: Vec<String> = mentions.sdk.iter().map(|name| (*name).to_owned()).collect();
        third.push_str(&import("spacetime_py", &names));
    }
    if !used.is_empty() {
        third.push_str(&import("spacetime_py.bindings", &used));
    }
    if never {
        third.push_str("from typing_extensions import Never\n");
    }
    for block in [standard, third] {
        if !block.is_empty() {
            text.push_str(&format!("\n{block}"));
        }
    }
    if !used.is_empty() {
        text.push_str("\nfrom ._module import MODULE\n");
    }
    text + &classes + &aliases
}

fn product(place: usize, named: &Named<'_>, fields: &[Field], names: &[String], mentions: &mut Mentions) -> String {
    let tables = named.schema.tables.iter().filter(|table| table.row == place);
    let tables: Vec<String> = tables.map(|table| quoted(&table.name)).collect();
    let doc = if tables.is_empty() {
        format!("Product type {}.", quoted(&named.schema.types[place].name))
    } else {
        format!("Row of {}.", tables.join(", "))
    };
    let mut text = format!("\n\n@product(MODULE, {place})\nclass {}:\n", named.types[place].name);
    text.push_str(&line(4, &format!("\"\"\"{doc}\"\"\"")));
    if !fields.is_empty() {
        text.push('\n');
    }
    for (field, name) in fields.iter().zip(names) {
        text.push_str(&line(4, &format!("{name}: {}", mentions.annotation(&field.ty, named))));
    }
    text
}

fn plain_enum(place: usize, name: &str, original: &str, members: &[String]) -> String {
    let mut text = format!(
        "\n\n@plain_enum(MODULE, {place})\nclass {name}(enum.Enum):\n    \"\"\"Sum type {}.\"\"\"\n\n",
        quoted(original)
    );
    for (tag, member) in members.iter().enumerate() {
        text.push_str(&format!("    {member} = {tag}\n"));
    }
    text
}

fn variant_class(
    place: usize,
    tag: usize,
    name: &str,
    sum: &str,
    variant: &Field,
    named: &Named<'_>,
    mentions: &mut Mentions,
) -> String {
    let mut text = format!("\n\n@variant(MODULE, {place}, {tag})\nclass {name}:\n");
    text.push_str(&line(4, &format!("\"\"\"Variant {} of {}.\"\"\"", quoted(&variant.name), quoted(sum))));
    if variant.ty != Type::Unit {
        let annotation = mentions.annotation(&variant.ty, named);
        text.push_str(&format!("\n{}", line(4, &format!("value: {annotation}"))));
    }
    text
}
