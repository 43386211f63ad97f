//! Module descriptions as they are served, read into one form for both versions.

mod v10;
mod v9;

use serde_json::Value;

use crate::error::Error;
use crate::json::Node;
use crate::sats::{Element, Type};

/// What both versions say, with the names settled and with what clients may call already known.
#[derive(Debug, Default)]
pub struct RawModule {
    pub typespace: Vec<Type>,
    pub types: Vec<RawTypeName>,
    pub tables: Vec<RawTable>,
    pub views: Vec<RawView>,
    pub reducers: Vec<RawReducer>,
    pub procedures: Vec<RawProcedure>,
}

/// The name in the module's source, and the canonical one: that of the wire and of SQL.
#[derive(Clone, Debug)]
pub struct Name {
    pub accessor: String,
    pub wire: String,
}

#[derive(Debug)]
pub struct RawTypeName {
    /// The scope, from the outside in, and the name.
    pub path: Vec<String>,
    pub ty: u32,
}

#[derive(Debug)]
pub struct RawTable {
    pub name: Name,
    pub row: u32,
    pub primary_key: Vec<u16>,
    pub unique: Vec<Vec<u16>>,
    pub indexes: Vec<RawIndex>,
    pub is_user: bool,
    pub is_public: bool,
    pub is_event: bool,
}

#[derive(Debug)]
pub struct RawIndex {
    /// What the module's source calls it. None: nobody asked for it by name.
    pub accessor: Option<String>,
    pub columns: Vec<u16>,
}

#[derive(Debug)]
pub struct RawView {
    pub name: Name,
    pub index: u32,
    pub is_public: bool,
    pub is_anonymous: bool,
    pub params: Vec<Element>,
    pub returns: Type,
    /// Names of columns.
    pub primary_key: Vec<String>,
}

#[derive(Debug)]
pub struct RawReducer {
    pub name: Name,
    pub params: Vec<Element>,
    pub ok: Type,
    pub err: Type,
    pub is_callable: bool,
}

#[derive(Debug)]
pub struct RawProcedure {
    pub name: Name,
    pub params: Vec<Element>,
    pub returns: Type,
    pub is_callable: bool,
}

impl Name {
    /// Where the two names are the same.
    fn plain(name: String) -> Self {
        Name { accessor: name.clone(), wire: name }
    }
}

impl RawModule {
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| Error::NotJson { problem: error.to_string() })?;
        let root = Node::root(&document);
        if let Some(module) = Self::recognised(&root)? {
            return Ok(module);
        }
        match root.variant() {
            Ok(("V9" | "V10", inner)) => Self::recognised(&inner)?.ok_or(Error::NotASchema),
            Ok((version, _)) if version.starts_with('V') => {
                Err(Error::UnsupportedVersion { version: version.to_owned() })
            }
            _ => Err(Error::NotASchema),
        }
    }

    /// Version 8 has a typespace and tables too, and no list of types.
    fn recognised(node: &Node<'_>) -> Result<Option<Self>, Error> {
        let has = |field| node.optional_field(field).is_some();
        if has("sections") {
            return v10::read(node).map(Some);
        }
        if has("typespace") && has("tables") && has("types") {
            return v9::read(node).map(Some);
        }
        Ok(None)
    }
}

fn read_typespace(node: &Node<'_>) -> Result<Vec<Type>, Error> {
    node.field("types")?.list(Type::from_json)
}

/// `name_field` is "name" in version 9 and "source_name" in version 10.
fn read_type_name(node: &Node<'_>, name_field: &str) -> Result<RawTypeName, Error> {
    let name = node.field(name_field)?;
    let mut path = name.field("scope")?.list(Node::string)?;
    path.push(name.field(name_field)?.string()?);
    Ok(RawTypeName { path, ty: node.field("ty")?.u32()? })
}

fn read_columns(node: &Node<'_>) -> Result<Vec<u16>, Error> {
    node.list(Node::u16)
}

fn read_constraint(node: &Node<'_>) -> Result<Vec<u16>, Error> {
    let (_, unique) = node.field("data")?.variant()?;
    read_columns(&unique.field("columns")?)
}

fn read_index(node: &Node<'_>) -> Result<RawIndex, Error> {
    let (algorithm, columns) = node.field("algorithm")?.variant()?;
    Ok(RawIndex {
        accessor: node.field("accessor_name")?.option()?.map(|name| name.string()).transpose()?,
        columns: match algorithm {
            "Direct" => vec![columns.u16()?],
            _ => read_columns(&columns)?,
        },
    })
}

/// What tables of both versions have in common.
fn read_table(node: &Node<'_>, name: Name, is_event: bool) -> Result<RawTable, Error> {
    Ok(RawTable {
        name,
        row: node.field("product_type_ref")?.u32()?,
        primary_key: read_columns(&node.field("primary_key")?)?,
        unique: node.field("constraints")?.list(read_constraint)?,
        indexes: node.field("indexes")?.list(read_index)?,
        is_user: node.field("table_type")?.is_variant("User")?,
        is_public: node.field("table_access")?.is_variant("Public")?,
        is_event,
    })
}

fn read_view(node: &Node<'_>, name: Name, primary_key: Vec<String>) -> Result<RawView, Error> {
    Ok(RawView {
        name,
        index: node.field("index")?.u32()?,
        is_public: node.field("is_public")?.bool()?,
        is_anonymous: node.field("is_anonymous")?.bool()?,
        params: crate::sats::elements(&node.field("params")?)?,
        returns: Type::from_json(&node.field("return_type")?)?,
        primary_key,
    })
}
