//! The JSON of a module description, as servers write it (typed SATS-JSON). Fields that are not needed are not declared.

use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// The payload of a variant without one: `[]`.
pub type Unit = [(); 0];

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub enum AlgebraicType {
    Ref(u32),
    Sum { variants: Vec<Element> },
    Product(Product),
    Array(Box<AlgebraicType>),
    String(Unit),
    Bool(Unit),
    I8(Unit),
    U8(Unit),
    I16(Unit),
    U16(Unit),
    I32(Unit),
    U32(Unit),
    I64(Unit),
    U64(Unit),
    I128(Unit),
    U128(Unit),
    I256(Unit),
    U256(Unit),
    F32(Unit),
    F64(Unit),
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Product {
    pub elements: Vec<Element>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Element {
    pub name: Maybe<String>,
    pub algebraic_type: AlgebraicType,
}

/// SATS's Option: `{"some": x}` or `{"none": []}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Maybe<T> {
    Some(T),
    None(Unit),
}

impl<T> Maybe<T> {
    pub fn get(&self) -> Option<&T> {
        match self {
            Maybe::Some(value) => Some(value),
            Maybe::None(_) => None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Typespace {
    pub types: Vec<AlgebraicType>,
}

#[derive(Debug, Deserialize)]
pub struct TypeDef {
    #[serde(alias = "source_name")]
    pub name: ScopedName,
    pub ty: u32,
}

#[derive(Debug, Deserialize)]
pub struct ScopedName {
    pub scope: Vec<String>,
    #[serde(alias = "source_name")]
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct Table {
    #[serde(alias = "source_name")]
    pub name: String,
    pub product_type_ref: u32,
    pub primary_key: Vec<u16>,
    pub constraints: Vec<Constraint>,
    /// Version 9 only: `{"some": {"reducer_name": ..}}`.
    #[serde(default)]
    pub schedule: Value,
    pub table_access: Access,
    #[serde(default)]
    pub is_event: bool,
}

#[derive(Debug, Deserialize)]
pub enum Access {
    Public(Unit),
    Private(Unit),
}

#[derive(Debug, Deserialize)]
pub struct Constraint {
    pub data: ConstraintData,
}

#[derive(Debug, Deserialize)]
pub enum ConstraintData {
    Unique { columns: Vec<u16> },
}

/// A reducer, procedure or view; each version and kind has some of the fields.
#[derive(Debug, Deserialize)]
pub struct Function {
    #[serde(alias = "source_name")]
    pub name: String,
    pub params: Product,
    /// Version 9, reducers: `{"some": {"Init": []}}`.
    #[serde(default)]
    pub lifecycle: Value,
    /// Version 10, reducers and procedures.
    pub visibility: Option<Visibility>,
    /// Procedures and views.
    pub return_type: Option<AlgebraicType>,
    /// Views.
    #[serde(default)]
    pub is_public: bool,
}

#[derive(Debug, Deserialize)]
pub enum Visibility {
    #[serde(alias = "Internal")]
    Private(Unit),
    ClientCallable(Unit),
}

/// Both versions, with their parts under the same names.
#[derive(Debug, Default)]
pub struct Description {
    pub types: Vec<AlgebraicType>,
    pub names: Vec<TypeDef>,
    pub tables: Vec<Table>,
    pub reducers: Vec<Function>,
    pub procedures: Vec<Function>,
    pub views: Vec<Function>,
    /// Reducers that a schedule or the server calls.
    pub internal: Vec<String>,
    pub explicit_names: Vec<(NameKind, Mapping)>,
    pub view_keys: Vec<ViewKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Table,
    Function,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Mapping {
    pub source_name: String,
    pub canonical_name: String,
}

#[derive(Debug, Deserialize)]
pub struct ViewKey {
    pub view_source_name: String,
    pub columns: Vec<String>,
}

impl Description {
    pub fn from_json(text: &str) -> Result<Description, Error> {
        let mut value: Value = serde_json::from_str(text).map_err(|error| Error::NotADescription(error.to_string()))?;
        // `extract-schema` wraps the description in its version.
        for version in ["V9", "V10"] {
            if let Some(inner) = value.get_mut(version) {
                value = inner.take();
            }
        }
        if value.get("sections").is_some() {
            return Description::from_v10(value);
        }
        if value.get("typespace").is_some() && value.get("tables").is_some() {
            return Description::from_v9(value);
        }
        Err(Error::NotADescription("it has neither `sections` nor `typespace` and `tables`".into()))
    }

    fn from_v9(mut value: Value) -> Result<Description, Error> {
        let mut description = Description {
            types: part::<Typespace>(&mut value, "typespace")?.types,
            names: part(&mut value, "types")?,
            tables: part(&mut value, "tables")?,
            reducers: part(&mut value, "reducers")?,
            ..Description::default()
        };
        let extras: Vec<Value> = part(&mut value, "misc_exports")?;
        for mut extra in extras {
            if extra.get("Procedure").is_some() {
                description.procedures.push(part(&mut extra, "Procedure")?);
            } else if extra.get("View").is_some() {
                description.views.push(part(&mut extra, "View")?);
            }
        }
        let scheduled = description.tables.iter().filter_map(|table| table.schedule.pointer("/some/reducer_name"));
        description.internal = scheduled.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        let lifecycle = description.reducers.iter().filter(|reducer| reducer.lifecycle.get("some").is_some());
        description.internal.extend(lifecycle.map(|reducer| reducer.name.clone()));
        Ok(description)
    }

    fn from_v10(mut value: Value) -> Result<Description, Error> {
        let sections: Vec<Value> = part(&mut value, "sections")?;
        let mut description = Description::default();
        for mut section in sections {
            let Some(kind) = section.as_object().and_then(|object| object.keys().next().cloned()) else { continue };
            let section = &mut section;
            match kind.as_str() {
                "Typespace" => description.types = part::<Typespace>(section, &kind)?.types,
                "Types" => description.names = part(section, &kind)?,
                "Tables" => description.tables = part(section, &kind)?,
                "Reducers" => description.reducers = part(section, &kind)?,
                "Procedures" => description.procedures = part(section, &kind)?,
                "Views" => description.views = part(section, &kind)?,
                "ViewPrimaryKeys" => description.view_keys = part(section, &kind)?,
                "ExplicitNames" => description.read_names(section)?,
                "Schedules" | "LifeCycleReducers" => {
                    let called: Vec<Value> = part(section, &kind)?;
                    let name = |entry: &Value| Some(entry.get("function_name")?.as_str()?.to_owned());
                    description.internal.extend(called.iter().filter_map(name));
                }
                // Row level security, HTTP handlers and what is to come do not concern clients.
                _ => {}
            }
        }
        Ok(description)
    }

    fn read_names(&mut self, section: &mut Value) -> Result<(), Error> {
        let mut names = section["ExplicitNames"].take();
        let entries: Vec<Value> = part(&mut names, "entries")?;
        for mut entry in entries {
            for (key, kind) in [("Table", NameKind::Table), ("Function", NameKind::Function)] {
                if entry.get(key).is_some() {
                    self.explicit_names.push((kind, part(&mut entry, key)?));
                }
            }
        }
        Ok(())
    }
}

/// Takes a named part out of an object.
fn part<T: serde::de::DeserializeOwned>(value: &mut Value, key: &str) -> Result<T, Error> {
    let inner = value.get_mut(key).map(Value::take).unwrap_or_default();
    serde_json::from_value(inner).map_err(|error| Error::Unsupported {
        place: format!("`{key}` of the module description"),
        problem: format!("{error}; is this schema of a newer server? Then update spacetime-py"),
    })
}
