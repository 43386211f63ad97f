//! The Python names of everything in a schema. All classes of a package share one namespace, since its `__init__.py` has them
//! all; columns, indexes, reducers and so on have one for each class. Who comes too late gets an underscore.

use std::collections::{BTreeMap, BTreeSet};

use crate::sats::{Element, Type};
use crate::schema::Schema;
use crate::words;

/// What generated files import or define, whether or not this one does: a type keeps its name when others come and go.
const IMPORTED: [&str; 31] = [
    "Column",
    "Columns",
    "ConnectionId",
    "DbConnection",
    "Err",
    "EventContext",
    "Identity",
    "Index",
    "MODULE",
    "Module",
    "NoReturn",
    "Ok",
    "ProcedureCall",
    "Procedures",
    "Queries",
    "Query",
    "ReducerCall",
    "Reducers",
    "RemoteProcedures",
    "RemoteQueries",
    "RemoteReducers",
    "RemoteTables",
    "ScheduleAt",
    "Some",
    "Table",
    "Tables",
    "TimeDuration",
    "Timestamp",
    "TypeAlias",
    "UUID",
    "UniqueIndex",
];

/// Letters that look like digits: linters refuse them as names of classes and methods.
const AMBIGUOUS: [&str; 3] = ["I", "O", "l"];

/// The builtins with a capital first; those that are keywords are kept from names anyway.
const BUILTINS: [&str; 65] = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "ExceptionGroup",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "PythonFinalizationError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnicodeError",
    "UserWarning",
    "ValueError",
    "Warning",
];

/// Types in annotations, which a class body's own names would hide from type checkers.
const ANNOTATIONS: [&str; 6] = ["bool", "bytes", "float", "int", "list", "str"];

/// The public attributes of `Table` in spacetime_py; `tests/codegen/test_generate.py` compares them.
const TABLE_ATTRIBUTES: [&str; 10] = [
    "changes",
    "count",
    "iter",
    "live",
    "on_delete",
    "on_insert",
    "on_update",
    "remove_on_delete",
    "remove_on_insert",
    "remove_on_update",
];

#[derive(Debug)]
pub struct Names {
    /// Classes and aliases of types, by place in the typespace.
    pub classes: BTreeMap<u32, String>,
    /// Classes of variants, by place and tag.
    pub variants: BTreeMap<(u32, usize), String>,
    /// Classes of tables and views, by their names on the wire.
    pub tables: BTreeMap<String, String>,
    /// All of them, and what is imported beside them.
    all: BTreeSet<String>,
}

impl Names {
    pub fn new(schema: &Schema) -> Self {
        let reserved = IMPORTED.iter().chain(&BUILTINS).chain(&AMBIGUOUS);
        let mut scope = Scope::new(reserved.copied());
        let class = |(index, path): (&u32, &Vec<String>)| {
            let words: Vec<&str> = path.iter().map(String::as_str).collect();
            (*index, path.join("."), words::class(&words))
        };
        let classes = scope.assign_all(schema.types.iter().map(class));
        let mut variants = Vec::new();
        for (index, class) in &classes {
            let Type::Sum(sum) = &schema.typespace[*index as usize] else { continue };
            if is_enum(sum) {
                continue;
            }
            let name = |(tag, variant): (usize, &Element)| {
                let name = words::class(&[class, &given(variant, tag)]);
                ((*index, tag), name.clone(), name)
            };
            variants.extend(sum.iter().enumerate().map(name));
        }
        let variants = scope.assign_all(variants);
        let tables = schema.tables.iter().map(|table| &table.name).chain(schema.views.iter().map(|view| &view.name));
        let tables = scope.assign_all(tables.map(|name| {
            let class = format!("{}Table", words::class(&[&name.accessor]));
            (name.wire.clone(), name.accessor.clone(), class)
        }));
        let imported = IMPORTED.iter().map(|name| (*name).to_owned());
        let all = classes.values().chain(variants.values()).chain(tables.values()).cloned().chain(imported).collect();
        Names { classes, variants, tables, all }
    }

    /// The class of a table's columns in queries, by the class of the table.
    pub fn columns(&self, table: &str) -> String {
        let mut name = format!("{table}Columns");
        while self.all.contains(&name) {
            name.push('_');
        }
        name
    }

    /// Fields of a product's class, in order.
    pub fn fields(&self, columns: &[Element]) -> Vec<String> {
        self.members(["self"], columns.iter().enumerate().map(|(index, column)| given(column, index)))
    }

    /// Attributes of a table's class, for its unique columns and then its other indexes.
    pub fn indexes(&self, columns: &[&Element], accessors: &[&str]) -> (Vec<String>, Vec<String>) {
        let columns = columns.iter().enumerate().map(|(index, column)| given(column, index));
        let accessors = accessors.iter().map(|accessor| (*accessor).to_owned());
        let given: Vec<_> = columns.clone().chain(accessors).collect();
        let mut unique = self.members(TABLE_ATTRIBUTES, given.into_iter());
        let others = unique.split_off(columns.len());
        (unique, others)
    }

    /// Tables, reducers or procedures: attributes of one class, from the names in the module's source.
    pub fn attributes<'a>(&self, accessors: impl Iterator<Item = &'a str>) -> Vec<String> {
        self.members(AMBIGUOUS, accessors.map(str::to_owned))
    }

    fn members<const N: usize>(&self, reserved: [&str; N], given: impl Iterator<Item = String>) -> Vec<String> {
        let classes = self.all.iter().map(String::as_str);
        let mut scope = Scope::new(classes.chain(ANNOTATIONS).chain(reserved));
        scope.assign(given.map(|given| (words::member(&given), given)))
    }
}

/// Parameters of a reducer or procedure, in order.
pub fn parameters(params: &[Element]) -> Vec<String> {
    let names = params.iter().enumerate().map(|(index, param)| given(param, index));
    Scope::new(["self", "timeout"]).assign(names.map(|given| (words::member(&given), given)))
}

/// Members of an Enum, in order.
pub fn members(variants: &[Element]) -> Vec<String> {
    let names = variants.iter().enumerate().map(|(tag, variant)| given(variant, tag));
    Scope::new([]).assign(names.map(|given| (words::constant(&given), given)))
}

/// Whether a sum type becomes an Enum: there are variants, and none has a payload.
pub fn is_enum(variants: &[Element]) -> bool {
    !variants.is_empty() && variants.iter().all(|variant| variant.ty.is_unit())
}

fn given(element: &Element, index: usize) -> String {
    element.name.clone().unwrap_or_else(|| index.to_string())
}

/// A namespace. Names that need no change come before those that do, and then the alphabet counts.
struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    fn new<'a>(reserved: impl IntoIterator<Item = &'a str>) -> Self {
        Scope { taken: reserved.into_iter().map(str::to_owned).collect() }
    }

    /// A name for each (wanted, given), in the order given.
    fn assign(&mut self, names: impl Iterator<Item = (String, String)>) -> Vec<String> {
        let names = names.enumerate().map(|(index, (wanted, given))| (index, given, wanted));
        self.assign_all(names).into_values().collect()
    }

    /// A name for each (key, given, wanted).
    fn assign_all<K: Ord>(&mut self, names: impl IntoIterator<Item = (K, String, String)>) -> BTreeMap<K, String> {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by(|(_, given, wanted), (_, other, other_wanted)| {
            (given != wanted, given).cmp(&(other != other_wanted, other))
        });
        names.into_iter().map(|(key, _, wanted)| (key, self.take(wanted))).collect()
    }

    fn take(&mut self, mut name: String) -> String {
        while words::is_keyword(&name) || self.taken.contains(&name) {
            name.push('_');
        }
        self.taken.insert(name.clone());
        name
    }
}
