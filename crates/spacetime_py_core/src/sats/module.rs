//! A module's schema: the BSATN module description (RawModuleDef, version 10) compiled into tables and functions.
//!
//! `spacetime-py generate` writes the description with the names of the wire and only the sections read here. Descriptions
//! of older versions of it have no indexes.

use super::bsatn::{Decoded, Reader};
use super::layout::{Layout, TypeId};
use super::types::{AlgebraicType, Element, read_product};
use crate::error::{Error, Problem, Result};

#[derive(Debug)]
pub struct ModuleDef {
    pub layout: Layout,
    pub tables: Vec<TableDef>,
    pub reducers: Vec<FunctionDef>,
    pub procedures: Vec<FunctionDef>,
}

/// A table or a view: both are rows under a name.
#[derive(Debug)]
pub struct TableDef {
    pub name: String,
    pub row: TypeId,
    pub primary_key: Option<u16>,
    /// Columns that are unique each by itself, the primary key included.
    pub unique: Vec<u16>,
    pub indexes: Vec<IndexDef>,
    pub is_event: bool,
}

/// An index that the module declares. Clients look rows up by the same columns, whatever algorithm the server uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// The accessor's, or else the index's own; empty when it has neither.
    pub name: String,
    pub columns: Vec<u16>,
}

#[derive(Debug)]
pub struct FunctionDef {
    pub name: String,
    /// A product type: one field per parameter.
    pub params: TypeId,
    pub returns: TypeId,
    /// What it fails with: a value of the module's own for reducers, unit for procedures.
    pub fails: TypeId,
}

impl ModuleDef {
    pub fn from_bsatn(description: &[u8]) -> Result<ModuleDef> {
        let mut reader = Reader::new(description);
        let raw = RawModule::read(&mut reader).and_then(|raw| reader.end().map(|()| raw));
        raw.map_err(|source| {
            Error::Schema(format!(
                "this module description cannot be read: {source}; run `spacetime-py generate` again"
            ))
        })?
        .compile()
    }

    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }

    pub fn reducer(&self, name: &str) -> Option<&FunctionDef> {
        self.reducers.iter().find(|reducer| reducer.name == name)
    }

    pub fn procedure(&self, name: &str) -> Option<&FunctionDef> {
        self.procedures.iter().find(|procedure| procedure.name == name)
    }
}

#[derive(Default)]
struct RawModule {
    typespace: Vec<AlgebraicType>,
    tables: Vec<RawTable>,
    reducers: Vec<RawFunction>,
    procedures: Vec<RawFunction>,
    views: Vec<RawFunction>,
    view_keys: Vec<(String, Vec<String>)>,
}

struct RawTable {
    name: String,
    row: u32,
    primary_key: Vec<u16>,
    unique: Vec<Vec<u16>>,
    indexes: Vec<IndexDef>,
    is_event: bool,
}

struct RawFunction {
    name: String,
    params: Vec<Element>,
    returns: AlgebraicType,
    fails: AlgebraicType,
}

/// The tag of version 10 among the versions of a module description.
const V10: u8 = 2;

impl RawModule {
    fn read(reader: &mut Reader<'_>) -> Decoded<RawModule> {
        let version = reader.tag(3)?;
        if version != V10 {
            return Err(reader.error(Problem::BadTag { tag: version, variants: 3 }));
        }
        let mut module = RawModule::default();
        for _ in 0..reader.count(1)? {
            module.read_section(reader)?;
        }
        Ok(module)
    }

    fn read_section(&mut self, reader: &mut Reader<'_>) -> Decoded<()> {
        match reader.u8()? {
            0 => self.typespace = reader.list(AlgebraicType::read)?,
            1 => drop(reader.list(read_type_name)?),
            2 => self.tables = reader.list(read_table)?,
            3 => self.reducers = reader.list(read_reducer)?,
            4 => self.procedures = reader.list(read_procedure)?,
            5 => self.views = reader.list(read_view)?,
            13 => self.view_keys = reader.list(|r| Ok((string(r)?, r.list(string)?)))?,
            tag => return Err(reader.error(Problem::BadTag { tag, variants: 14 })),
        }
        Ok(())
    }

    fn compile(self) -> Result<ModuleDef> {
        let functions = self.reducers.iter().chain(&self.procedures);
        let further: Vec<_> = functions
            .flat_map(|function| {
                let params = AlgebraicType::Product(function.params.clone());
                [params, function.returns.clone(), function.fails.clone()]
            })
            .collect();
        let (layout, places) = Layout::compile(&self.typespace, &further)?;
        let tables = self.tables.iter().map(|table| table.compile(&layout));
        let views = self.views.iter().map(|view| self.compile_view(view, &layout));
        let tables = tables.chain(views).collect::<Result<_>>()?;
        let mut places = places.chunks_exact(3);
        let mut define = |function: RawFunction| {
            let [params, returns, fails] = places.next().expect("three types were compiled for each function") else {
                unreachable!("chunks of three")
            };
            FunctionDef { name: function.name, params: *params, returns: *returns, fails: *fails }
        };
        let reducers = self.reducers.into_iter().map(&mut define).collect();
        let procedures = self.procedures.into_iter().map(&mut define).collect();
        Ok(ModuleDef { layout, tables, reducers, procedures })
    }

    /// A view returns its rows as an array, an option, or a query over a row type.
    fn compile_view(&self, view: &RawFunction, layout: &Layout) -> Result<TableDef> {
        let row = match &view.returns {
            AlgebraicType::Array(row) => Some(&**row),
            AlgebraicType::Sum(variants) => variants.first().map(|some| &some.ty),
            AlgebraicType::Product(elements) => elements.first().map(|query| &query.ty),
            _ => None,
        };
        let Some(AlgebraicType::Ref(row)) = row else {
            return Err(Error::Schema(format!("view `{}` does not return rows of a named type", view.name)));
        };
        let row = row_type(&view.name, *row, layout)?;
        let key = self.view_keys.iter().find(|(name, _)| *name == view.name).map(|(_, columns)| columns.as_slice());
        let primary_key = match key {
            Some([column]) => {
                let fields = &layout.product(row).expect("row types are products").fields;
                fields.iter().position(|field| field.name.as_ref() == Some(column)).map(|index| index as u16)
            }
            _ => None,
        };
        let unique = primary_key.into_iter().collect();
        let name = view.name.clone();
        Ok(TableDef { name, row, primary_key, unique, indexes: Vec::new(), is_event: false })
    }
}

impl RawTable {
    fn compile(&self, layout: &Layout) -> Result<TableDef> {
        let row = row_type(&self.name, self.row, layout)?;
        let columns = layout.product(row).expect("row types are products").fields.len();
        let primary_key = match self.primary_key[..] {
            [column] => Some(column),
            _ => None,
        };
        let single = |columns: &Vec<u16>| match columns[..] {
            [column] => Some(column),
            _ => None,
        };
        let mut unique: Vec<u16> = self.unique.iter().filter_map(single).chain(primary_key).collect();
        unique.sort_unstable();
        unique.dedup();
        let mut used = unique.iter().chain(self.indexes.iter().flat_map(|index| &index.columns));
        if let Some(column) = used.find(|column| usize::from(**column) >= columns) {
            return Err(Error::Schema(format!("table `{}` has no column number {column}", self.name)));
        }
        let (name, indexes) = (self.name.clone(), self.indexes.clone());
        Ok(TableDef { name, row, primary_key, unique, indexes, is_event: self.is_event })
    }
}

fn row_type(table: &str, row: u32, layout: &Layout) -> Result<TypeId> {
    let row = TypeId(row);
    if (row.0 as usize) < layout.len() && layout.product(row).is_some() {
        return Ok(row);
    }
    Err(Error::Schema(format!("the rows of `{table}` are not of a product type")))
}

fn string(reader: &mut Reader<'_>) -> Decoded<String> {
    reader.str().map(str::to_owned)
}

fn columns(reader: &mut Reader<'_>) -> Decoded<Vec<u16>> {
    reader.list(|reader| reader.u16())
}

/// RawTypeDefV10: names are for people and generators only.
fn read_type_name(reader: &mut Reader<'_>) -> Decoded<()> {
    reader.list(string)?;
    string(reader)?;
    reader.u32()?;
    reader.bool().map(drop)
}

/// RawTableDefV10.
fn read_table(reader: &mut Reader<'_>) -> Decoded<RawTable> {
    let name = string(reader)?;
    let row = reader.u32()?;
    let primary_key = columns(reader)?;
    let indexes = reader.list(read_index)?;
    let unique = reader.list(read_constraint)?;
    reader.list(read_sequence)?;
    reader.tag(2)?; // system or user
    reader.tag(2)?; // public or private
    reader.list(|reader| Ok((reader.u16()?, reader.bytes()?.len())))?; // default values
    let is_event = reader.bool()?;
    Ok(RawTable { name, row, primary_key, unique, indexes, is_event })
}

/// RawIndexDefV10: name, accessor, algorithm.
fn read_index(reader: &mut Reader<'_>) -> Decoded<IndexDef> {
    let (name, accessor) = (reader.option(string)?, reader.option(string)?);
    let columns = match reader.tag(3)? {
        2 => vec![reader.u16()?], // direct
        _ => columns(reader)?,
    };
    Ok(IndexDef { name: accessor.or(name).unwrap_or_default(), columns })
}

fn read_constraint(reader: &mut Reader<'_>) -> Decoded<Vec<u16>> {
    reader.option(string)?;
    reader.tag(1)?; // unique
    columns(reader)
}

fn read_sequence(reader: &mut Reader<'_>) -> Decoded<()> {
    reader.option(string)?;
    reader.u16()?;
    for _ in 0..3 {
        reader.option(|reader| reader.i128())?;
    }
    reader.i128().map(drop)
}

/// RawReducerDefV10: name, parameters, visibility, types of success and failure.
fn read_reducer(reader: &mut Reader<'_>) -> Decoded<RawFunction> {
    let name = string(reader)?;
    let params = read_product(reader)?;
    reader.tag(2)?;
    let (returns, fails) = (AlgebraicType::read(reader)?, AlgebraicType::read(reader)?);
    Ok(RawFunction { name, params, returns, fails })
}

/// RawProcedureDefV10: name, parameters, result, visibility.
fn read_procedure(reader: &mut Reader<'_>) -> Decoded<RawFunction> {
    let (name, params, returns) = (string(reader)?, read_product(reader)?, AlgebraicType::read(reader)?);
    reader.tag(2)?;
    Ok(RawFunction { name, params, returns, fails: unit() })
}

/// RawViewDefV10: name, index, public, anonymous, parameters, result.
fn read_view(reader: &mut Reader<'_>) -> Decoded<RawFunction> {
    let name = string(reader)?;
    reader.u32()?;
    reader.bool()?;
    reader.bool()?;
    let (params, returns) = (read_product(reader)?, AlgebraicType::read(reader)?);
    Ok(RawFunction { name, params, returns, fails: unit() })
}

fn unit() -> AlgebraicType {
    AlgebraicType::Product(Vec::new())
}
