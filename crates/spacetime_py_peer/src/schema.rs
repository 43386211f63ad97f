//! What a database knows of its module: the tables and functions as the core compiles them, and what only a server needs.

use std::collections::HashMap;

use _core::sats::{Layout, ModuleDef, TypeId};
use serde_json::{Value, json};

/// A module's schema, read from the JSON that `GET .../schema` gives, version 9 or 10.
pub struct Schema {
    /// Tables, views, reducers and procedures that clients may use, private tables included.
    pub def: ModuleDef,
    /// For each entry of `def.tables` what only the server needs.
    pub tables: Vec<TableInfo>,
    /// All reducers, by the numbers that the server gives them.
    pub reducers: Vec<ReducerInfo>,
    /// The documents that clients may ask for, by version.
    documents: Vec<(u8, String)>,
}

/// Server-side facts about a table or a view.
pub struct TableInfo {
    /// The name in the module's source, which SQL takes too.
    pub accessor: String,
    pub is_public: bool,
    /// None for a table.
    pub view: Option<ViewInfo>,
    /// Columns that the server fills in where the module writes zero.
    pub sequences: Vec<u16>,
    pub schedule: Option<Schedule>,
    /// The columns as SQL answers describe them: `{"elements": [...]}`.
    pub row_type: Value,
}

/// A view's rows are those of a query that the module writes.
#[derive(Clone, Copy)]
pub struct ViewInfo {
    /// Whether its rows are the same for all clients.
    pub is_anonymous: bool,
}

/// The rows of a scheduled table call a reducer.
pub struct Schedule {
    /// The column that says when.
    pub column: u16,
    pub reducer: String,
}

pub struct ReducerInfo {
    pub name: String,
    pub role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Callable,
    /// Called by the server alone; clients are told that there is none.
    Private,
    /// Called by the server at this point of a life: `Init`, `OnConnect` or `OnDisconnect`.
    Lifecycle(&'static str),
}

impl Schema {
    /// Reads one document or several of the same module; the first counts.
    pub fn new(documents: &[&str]) -> Result<Schema, String> {
        let [first, ..] = documents else { return Err("a module without a schema".into()) };
        let description = spacetime_py_codegen::describe(first, true).map_err(|error| error.to_string())?;
        let def = ModuleDef::from_bsatn(&description).map_err(|error| error.to_string())?;
        let raw = RawSchema::new(first)?;
        let tables = def.tables.iter().map(|table| raw.table(&table.name)).collect();
        let reducers = raw.reducers();
        let versioned = |text: &&str| Ok((version_of(text)?, (*text).to_owned()));
        let documents = documents.iter().map(versioned).collect::<Result<_, String>>()?;
        Ok(Schema { def, tables, reducers, documents })
    }

    pub fn layout(&self) -> &Layout {
        &self.def.layout
    }

    /// The document of this version, if there is one.
    pub fn document(&self, version: u8) -> Option<&str> {
        self.documents.iter().find(|(has, _)| *has == version).map(|(_, text)| text.as_str())
    }

    /// Whether others are told who called what, over version 1: so it is for modules of 1.x.
    pub fn tells_of_calls(&self) -> bool {
        self.documents.first().is_some_and(|(version, _)| *version == 9)
    }

    /// A table or view by its name of the wire or of the source.
    pub fn table(&self, name: &str) -> Option<usize> {
        self.def.table(name).or_else(|| self.tables.iter().position(|table| table.accessor == name))
    }

    /// The column of a table by its name.
    pub fn column(&self, table: usize, name: &str) -> Option<u16> {
        let fields = &self.def.layout.product(self.def.tables[table].row)?.fields;
        fields.iter().position(|field| field.name.as_deref() == Some(name)).map(|index| index as u16)
    }

    /// The type of a table's column.
    pub fn column_type(&self, table: usize, column: u16) -> Option<TypeId> {
        let fields = &self.def.layout.product(self.def.tables[table].row)?.fields;
        fields.get(usize::from(column)).map(|field| field.ty)
    }

    /// The name of the reducer for a moment of a life.
    pub fn lifecycle(&self, moment: &str) -> &str {
        let found =
            self.reducers.iter().find(|reducer| matches!(reducer.role, Role::Lifecycle(role) if role == moment));
        found.map_or("", |reducer| &reducer.name)
    }

    /// A reducer and its number.
    pub fn reducer(&self, name: &str) -> Option<(u32, &ReducerInfo)> {
        let index = self.reducers.iter().position(|reducer| reducer.name == name)?;
        Some((index as u32, &self.reducers[index]))
    }
}

fn parse(text: &str) -> Result<Value, String> {
    let mut document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for wrapper in ["V9", "V10"] {
        if let Some(inner) = document.get_mut(wrapper) {
            return Ok(inner.take());
        }
    }
    Ok(document)
}

fn version_of(text: &str) -> Result<u8, String> {
    Ok(if parse(text)?.get("sections").is_some() { 10 } else { 9 })
}

/// The document as it is, with both versions' ways to say the same behind it. `describe` has found its shape right.
struct RawSchema {
    /// Section (version 10) or field (version 9) by name.
    sections: HashMap<String, Value>,
    /// Canonical names by kind and source name.
    names: HashMap<(String, String), String>,
}

impl RawSchema {
    fn new(text: &str) -> Result<RawSchema, String> {
        let mut document = parse(text)?;
        let mut sections = HashMap::new();
        match document.get_mut("sections").map(Value::take) {
            Some(list) => items(&list)
                .iter()
                .filter_map(Value::as_object)
                .for_each(|section| sections.extend(section.iter().map(|(name, value)| (name.clone(), value.clone())))),
            None => {
                for (old, new) in [("typespace", "Typespace"), ("tables", "Tables"), ("reducers", "Reducers")] {
                    sections.insert(new.to_owned(), document[old].take());
                }
            }
        }
        let mut names = HashMap::new();
        for entry in sections.get("ExplicitNames").map(|names| items(&names["entries"])).unwrap_or_default() {
            for (kind, mapping) in entry.as_object().into_iter().flatten() {
                let key = (kind.clone(), text_of(&mapping["source_name"]));
                names.insert(key, text_of(&mapping["canonical_name"]));
            }
        }
        Ok(RawSchema { sections, names })
    }

    fn list(&self, section: &str) -> &[Value] {
        self.sections.get(section).map(items).unwrap_or_default()
    }

    /// (source name, canonical name).
    fn name_of(&self, kind: &str, item: &Value) -> (String, String) {
        let source = text_of(if item["source_name"].is_null() { &item["name"] } else { &item["source_name"] });
        let canonical = self.names.get(&(kind.to_owned(), source.clone())).unwrap_or(&source).clone();
        (source, canonical)
    }

    fn table(&self, name: &str) -> TableInfo {
        let tables = self.list("Tables").iter().map(|table| (self.name_of("Table", table), table));
        if let Some(((accessor, _), table)) = tables.into_iter().find(|((_, canonical), _)| canonical == name) {
            let sequences = items(&table["sequences"]).iter().filter_map(|sequence| sequence["column"].as_u64());
            return TableInfo {
                accessor,
                is_public: table["table_access"].get("Public").is_some(),
                view: None,
                sequences: sequences.map(|column| column as u16).collect(),
                schedule: self.schedule(name, table),
                row_type: self.row_type(&table["product_type_ref"]),
            };
        }
        let views = self.list("Views").iter().map(|view| (self.name_of("Function", view), view));
        let (accessor, view) = views
            .into_iter()
            .find(|((_, canonical), _)| canonical == name)
            .map_or((name.to_owned(), &Value::Null), |((accessor, _), view)| (accessor, view));
        TableInfo {
            accessor,
            is_public: view["is_public"].as_bool().unwrap_or(true),
            view: Some(ViewInfo { is_anonymous: view["is_anonymous"].as_bool().unwrap_or(false) }),
            sequences: Vec::new(),
            schedule: None,
            row_type: find_ref(&view["return_type"]).map_or(Value::Null, |row| self.row_type(row)),
        }
    }

    fn schedule(&self, name: &str, table: &Value) -> Option<Schedule> {
        let of_table = |schedule: &&Value| text_of(&schedule["table_name"]) == name;
        if let Some(schedule) = self.list("Schedules").iter().find(of_table) {
            let column = schedule["schedule_at_col"].as_u64()? as u16;
            return Some(Schedule { column, reducer: text_of(&schedule["function_name"]) });
        }
        let schedule = table["schedule"].get("some")?;
        let column = schedule["scheduled_at_column"].as_u64()? as u16;
        Some(Schedule { column, reducer: text_of(&schedule["reducer_name"]) })
    }

    fn reducers(&self) -> Vec<ReducerInfo> {
        let scheduled: Vec<String> = self
            .list("Tables")
            .iter()
            .filter_map(|table| Some(self.schedule(&self.name_of("Table", table).1, table)?.reducer))
            .collect();
        let define = |reducer: &Value| {
            let name = self.name_of("Function", reducer).1;
            let private = reducer["visibility"].get("Private").is_some() || scheduled.contains(&name);
            let role = match self.lifecycle(&name, reducer) {
                Some(moment) => Role::Lifecycle(moment),
                None if private => Role::Private,
                None => Role::Callable,
            };
            ReducerInfo { name, role }
        };
        self.list("Reducers").iter().map(define).collect()
    }

    fn lifecycle(&self, name: &str, reducer: &Value) -> Option<&'static str> {
        let named = self.list("LifeCycleReducers").iter().find(|item| text_of(&item["function_name"]) == name);
        let moment = named.map(|item| &item["lifecycle_spec"]).or_else(|| reducer["lifecycle"].get("some"))?;
        ["Init", "OnConnect", "OnDisconnect"].into_iter().find(|known| moment.get(known).is_some())
    }

    fn row_type(&self, index: &Value) -> Value {
        let product = self.resolve(&json!({ "Ref": index }), 0);
        product.get("Product").cloned().unwrap_or_else(|| json!({ "elements": [] }))
    }

    /// A type with its references written out, as SQL answers have it; recursive ones stay references.
    fn resolve(&self, ty: &Value, depth: u32) -> Value {
        const ENOUGH: u32 = 32;
        match ty {
            Value::Object(fields) if fields.contains_key("Ref") && depth < ENOUGH => {
                let index = fields["Ref"].as_u64().unwrap_or_default() as usize;
                self.resolve(&self.sections["Typespace"]["types"][index], depth + 1)
            }
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.resolve(value, depth + 1))).collect()
            }
            Value::Array(values) => values.iter().map(|value| self.resolve(value, depth + 1)).collect(),
            other => other.clone(),
        }
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The first reference inside of a view's return type: that to its row type.
fn find_ref(ty: &Value) -> Option<&Value> {
    match ty {
        Value::Object(fields) => fields.get("Ref").or_else(|| fields.values().find_map(find_ref)),
        Value::Array(values) => values.iter().find_map(find_ref),
        _ => None,
    }
}
