//! SpacetimeDB's names in Python: valid, no keywords, no clashes, the same each time.

use std::collections::HashSet;

use crate::schema::{Field, Schema, Shape, Type, pascal};

/// The schema with a Python name for everything in it.
pub struct Named<'a> {
    pub schema: &'a Schema,
    /// For each of `schema.types`.
    pub types: Vec<NamedShape>,
    /// For each of `schema.tables`.
    pub tables: Vec<NamedTable>,
    pub reducers: Vec<NamedFunction>,
    pub procedures: Vec<NamedFunction>,
}

pub struct NamedShape {
    pub name: String,
    pub kind: Kind,
}

pub enum Kind {
    /// The names of the fields.
    Product(Vec<String>),
    /// The names of the members.
    Enum(Vec<String>),
    /// The names of the variants' classes.
    Union(Vec<String>),
}

pub struct NamedTable {
    pub attribute: String,
    pub class: String,
    /// Unique columns by themselves: attribute and column.
    pub unique: Vec<(String, u16)>,
}

pub struct NamedFunction {
    pub method: String,
    pub params: Vec<String>,
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
    "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What annotations in generated files say besides the module's own types. A class attribute of such a name would
/// stand in their way.
const ANNOTATIONS: &[&str] = &[
    "bool", "bytes", "float", "int", "list", "str", "ConnectionId", "Err", "Identity", "Ok", "ProcedureCall",
    "ReducerCall", "ScheduleAt", "Some", "TimeDuration", "Timestamp", "UUID", "UniqueIndex",
];

/// Further names at the top level of generated files.
const TOP_LEVEL: &[&str] = &[
    "DbConnection", "EventContext", "MODULE", "Module", "Never", "Procedures", "Reducers", "RemoteProcedures",
    "RemoteReducers", "RemoteTables", "Table", "Tables", "TypeAlias", "annotations", "bindings", "enum", "plain_enum",
    "procedures", "product", "reducers", "tables", "types", "variant",
];

/// Public attributes of the base class of tables.
const TABLE_MEMBERS: &[&str] = &[
    "count", "iter", "on_delete", "on_insert", "on_update", "remove_on_delete", "remove_on_insert", "remove_on_update",
];

impl<'a> Named<'a> {
    pub fn new(schema: &'a Schema) -> Self {
        let mut top = Scope::new(&[KEYWORDS, ANNOTATIONS, TOP_LEVEL]);
        // Types first, so that a variant's class gives way and not the type that the module named.
        let names: Vec<String> = schema.types.iter().map(|ty| top.take(&class_name(&ty.name))).collect();
        let kinds = schema.types.iter().zip(&names).map(|(ty, name)| match &ty.shape {
            Shape::Sum(variants) if is_enum(variants) => Some(Kind::Enum(members(variants))),
            Shape::Sum(variants) => {
                let class = |variant: &Field| top.take(&format!("{name}{}", class_name(&variant.name)));
                Some(Kind::Union(variants.iter().map(class).collect()))
            }
            Shape::Product(_) => None,
        });
        let kinds: Vec<_> = kinds.collect();
        let classes: Vec<String> =
            schema.tables.iter().map(|table| top.take(&format!("{}Table", class_name(&table.name)))).collect();
        // Attributes of a class hide everything of the same name from the annotations in it.
        let fields = |ty: &[Field]| {
            let mut scope = Scope { taken: top.taken.clone() };
            ty.iter().map(|field| scope.take(&identifier(&field.name))).collect::<Vec<_>>()
        };
        let types = schema.types.iter().zip(names).zip(kinds).map(|((ty, name), kind)| match (&ty.shape, kind) {
            (Shape::Product(product), _) => NamedShape { name, kind: Kind::Product(fields(product)) },
            (Shape::Sum(_), kind) => NamedShape { name, kind: kind.unwrap_or(Kind::Union(Vec::new())) },
        });
        let types = types.collect();
        let mut attributes = Scope { taken: top.taken.clone() };
        let tables = schema.tables.iter().zip(classes).map(|(table, class)| {
            let Shape::Product(columns) = &schema.types[table.row].shape else { unreachable!("rows are products") };
            let mut scope = Scope { taken: top.taken.clone() };
            scope.reserve(TABLE_MEMBERS);
            let mut unique: Vec<u16> = table.unique.iter().filter(|set| set.len() == 1).map(|set| set[0]).collect();
            unique.extend(table.primary_key);
            unique.sort_unstable();
            unique.dedup();
            let name = |column: u16| (scope.take(&identifier(&columns[usize::from(column)].name)), column);
            let unique = unique.into_iter().map(name).collect();
            NamedTable { attribute: attributes.take(&identifier(&table.name)), class, unique }
        });
        let tables = tables.collect();
        let functions = |functions: &[crate::schema::Function]| {
            let mut methods = Scope { taken: top.taken.clone() };
            methods.reserve(&["_call"]);
            let function = |function: &crate::schema::Function| {
                let mut params = Scope::new(&[KEYWORDS, &["self", "timeout"]]);
                NamedFunction {
                    method: methods.take(&identifier(&function.name)),
                    params: function.params.iter().map(|param| params.take(&identifier(&param.name))).collect(),
                }
            };
            functions.iter().map(function).collect()
        };
        let (reducers, procedures) = (functions(&schema.reducers), functions(&schema.procedures));
        Named { schema, types, tables, reducers, procedures }
    }
}

/// At least one variant, and no payload in any.
fn is_enum(variants: &[Field]) -> bool {
    !variants.is_empty() && variants.iter().all(|variant| variant.ty == Type::Unit)
}

fn members(variants: &[Field]) -> Vec<String> {
    // `mro` may not be a member's name, nor the attributes of members.
    let mut scope = Scope::new(&[KEYWORDS, &["mro", "name", "value"]]);
    variants.iter().map(|variant| scope.take(&upper_snake(&identifier(&variant.name)))).collect()
}

/// Names that stand beside each other.
struct Scope {
    taken: HashSet<String>,
}

impl Scope {
    fn new(reserved: &[&[&str]]) -> Self {
        let mut scope = Scope { taken: HashSet::new() };
        reserved.iter().for_each(|names| scope.reserve(names));
        scope
    }

    fn reserve(&mut self, names: &[&str]) {
        self.taken.extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// The name, with underscores behind it until nothing else has it.
    fn take(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// Python takes no other characters. Two leading underscores would be changed by Python inside of a class.
fn identifier(name: &str) -> String {
    let mut valid: String = name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    if valid.starts_with("__") {
        valid = format!("_{}", valid.trim_start_matches('_'));
    }
    if valid.chars().next().is_none_or(|first| first.is_numeric()) {
        valid.insert(0, '_');
    }
    valid
}

fn class_name(name: &str) -> String {
    identifier(&pascal(name))
}

/// `DarkBlue`, `darkBlue`, `dark_blue` to `DARK_BLUE`; `HTTPError` to `HTTP_ERROR`.
fn upper_snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut result = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before != '_' && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            result.push('_');
        }
        result.extend(letter.to_uppercase());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_pythons() {
        assert_eq!(identifier("__x"), "_x");
        assert_eq!(identifier("2nd"), "_2nd");
        assert_eq!(identifier("a.b-c"), "a_b_c");
        assert_eq!(class_name("chat_message"), "ChatMessage");
        assert_eq!(class_name("HTTPError"), "HTTPError");
        assert_eq!(upper_snake("DarkBlue"), "DARK_BLUE");
        assert_eq!(upper_snake("darkBlue"), "DARK_BLUE");
        assert_eq!(upper_snake("HTTPError2"), "HTTP_ERROR2");
        assert_eq!(upper_snake("RED"), "RED");
    }

    #[test]
    fn clashes_get_underscores() {
        let mut scope = Scope::new(&[KEYWORDS]);
        assert_eq!(scope.take("class"), "class_");
        assert_eq!(scope.take("x"), "x");
        assert_eq!(scope.take("x"), "x_");
        assert_eq!(scope.take("x"), "x__");
    }
}
