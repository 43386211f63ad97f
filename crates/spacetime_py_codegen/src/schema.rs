//! What a client may use of a module: sorted, complete, and every product and sum a type with a name.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::raw::{Name, RawIndex, RawModule, RawProcedure, RawReducer, RawTable, RawView};
use crate::sats::{Element, Special, Type};
use crate::space::Space;

#[derive(Debug)]
pub struct Schema {
    /// As the server numbers it; inline types follow at the end, and what no client meets is blank.
    pub typespace: Vec<Type>,
    /// The types that are classes, by their place in the typespace, and their names from the outside in.
    pub types: BTreeMap<u32, Vec<String>>,
    pub tables: Vec<Table>,
    pub views: Vec<View>,
    pub reducers: Vec<Reducer>,
    pub procedures: Vec<Procedure>,
}

#[derive(Debug)]
pub struct Table {
    pub name: Name,
    pub row: u32,
    pub primary_key: Option<u16>,
    /// Unique constraints, the primary key's among them.
    pub unique: BTreeSet<Vec<u16>>,
    /// Further indexes, by accessor and columns.
    pub indexes: BTreeSet<(String, Vec<u16>)>,
    pub is_user: bool,
    pub is_public: bool,
    pub is_event: bool,
}

#[derive(Debug)]
pub struct View {
    pub name: Name,
    pub row: u32,
    pub primary_key: Option<u16>,
    pub index: u32,
    pub is_public: bool,
    pub is_anonymous: bool,
    pub params: Vec<Element>,
    pub returns: Type,
}

#[derive(Debug)]
pub struct Reducer {
    pub name: Name,
    pub params: Vec<Element>,
    pub ok: Type,
    pub err: Type,
}

#[derive(Debug)]
pub struct Procedure {
    pub name: Name,
    pub params: Vec<Element>,
    pub returns: Type,
}

impl Schema {
    pub fn new(mut raw: RawModule, include_private: bool) -> Result<Schema, Error> {
        raw.tables.retain(|table| include_private || table.is_public);
        raw.views.retain(|view| include_private || view.is_public);
        raw.reducers.retain(|reducer| reducer.is_callable);
        raw.procedures.retain(|procedure| procedure.is_callable);
        sort("table or view", &mut raw.tables, |table| &table.name)?;
        sort("table or view", &mut raw.views, |view| &view.name)?;
        sort("reducer", &mut raw.reducers, |reducer| &reducer.name)?;
        sort("procedure", &mut raw.procedures, |procedure| &procedure.name)?;
        let mut space = Space::new(raw.typespace, raw.types);
        // In this order always: it decides the places and the names of inline types.
        let tables = collect(raw.tables, |table| read_table(table, &mut space))?;
        let views = collect(raw.views, |view| read_view(view, &mut space))?;
        let reducers = collect(raw.reducers, |reducer| read_reducer(reducer, &mut space))?;
        let procedures = collect(raw.procedures, |procedure| read_procedure(procedure, &mut space))?;
        let (typespace, types) = space.finish();
        Ok(Schema { typespace, types, tables, views, reducers, procedures })
    }

    /// The type behind references. They were all followed when the schema was made.
    pub fn resolve<'a>(&'a self, mut ty: &'a Type) -> &'a Type {
        while let Type::Ref(index) = ty {
            ty = &self.typespace[*index as usize];
        }
        ty
    }

    /// Whether None is a value of the type, so that an option of it needs `Some` to tell its nones apart.
    pub fn is_nullable(&self, ty: &Type) -> bool {
        if matches!(ty, Type::Ref(index) if self.types.contains_key(index)) {
            return false; // an instance of its class
        }
        let ty = self.resolve(ty);
        ty.is_unit() || matches!(ty.special(), Some(Special::Option(_)))
    }

    /// The columns of a row type.
    pub fn columns(&self, row: u32) -> &[Element] {
        match &self.typespace[row as usize] {
            Type::Product(columns) => columns,
            _ => unreachable!("rows were found to be products"),
        }
    }
}

fn collect<T, U>(items: Vec<T>, read: impl FnMut(T) -> Result<U, Error>) -> Result<Vec<U>, Error> {
    items.into_iter().map(read).collect()
}

/// By the name of the wire, which must be the only one.
fn sort<T>(kind: &'static str, items: &mut [T], name: impl Fn(&T) -> &Name) -> Result<(), Error> {
    items.sort_by(|one, other| name(one).wire.cmp(&name(other).wire));
    match items.windows(2).find(|pair| name(&pair[0]).wire == name(&pair[1]).wire) {
        Some(pair) => Err(Error::DuplicateName { kind, name: name(&pair[0]).wire.clone() }),
        None => Ok(()),
    }
}

fn single(columns: &[u16]) -> Option<u16> {
    match columns {
        [column] => Some(*column),
        _ => None,
    }
}

fn read_table(raw: RawTable, space: &mut Space) -> Result<Table, Error> {
    let name = &raw.name.wire;
    let row = space.reach(raw.row, &[&raw.name.accessor], || format!("table `{name}`"))?;
    let Some(columns) = space.row(row) else { return Err(Error::RowNotProduct { table: name.clone() }) };
    let indexed = raw.indexes.iter().flat_map(|index| &index.columns);
    let used = raw.primary_key.iter().chain(raw.unique.iter().flatten()).chain(indexed);
    if let Some(column) = used.copied().find(|column| usize::from(*column) >= columns) {
        return Err(Error::NoSuchColumn { table: name.clone(), column });
    }
    let primary_key = single(&raw.primary_key);
    let mut unique: BTreeSet<Vec<u16>> = raw.unique.into_iter().collect();
    unique.extend(primary_key.map(|column| vec![column]));
    // A unique column has an index of its own, which is the better one.
    let is_further = |index: &RawIndex| !(index.columns.len() == 1 && unique.contains(&index.columns));
    let indexes = raw.indexes.into_iter().filter(is_further).map(|index| named_index(index, row, space)).collect();
    Ok(Table {
        indexes,
        row,
        primary_key,
        unique,
        is_user: raw.is_user,
        is_public: raw.is_public,
        is_event: raw.is_event,
        name: raw.name,
    })
}

/// An index without an accessor is called after its columns.
fn named_index(index: RawIndex, row: u32, space: &Space) -> (String, Vec<u16>) {
    let columns = index.columns;
    (index.accessor.unwrap_or_else(|| space.column_names(row, &columns).join("_")), columns)
}

fn read_view(raw: RawView, space: &mut Space) -> Result<View, Error> {
    let name = &raw.name.wire;
    let accessor = &raw.name.accessor;
    let place = || format!("view `{name}`");
    let params = space.parameters(&raw.params, accessor, place)?;
    let returns = space.place(&raw.returns, &[accessor, "row"], &place)?;
    let Type::Ref(row) = rows_of(&returns) else {
        return Err(Error::ViewWithoutRows { view: name.clone() });
    };
    let row = space.reach(row, &[accessor], place)?;
    if space.row(row).is_none() {
        return Err(Error::ViewWithoutRows { view: name.clone() });
    }
    let primary_key = match &raw.primary_key[..] {
        [column] => space.column(row, column),
        _ => None,
    };
    Ok(View {
        row,
        primary_key,
        index: raw.index,
        is_public: raw.is_public,
        is_anonymous: raw.is_anonymous,
        params,
        returns,
        name: raw.name,
    })
}

/// What the rows of a view are; unit if it has none.
fn rows_of(returns: &Type) -> Type {
    match (returns, returns.special()) {
        (Type::Array(row), _) => (**row).clone(),
        (_, Some(Special::Option(row) | Special::Query(row))) => row.clone(),
        _ => Type::unit(),
    }
}

fn read_reducer(raw: RawReducer, space: &mut Space) -> Result<Reducer, Error> {
    let place = || format!("reducer `{}`", raw.name.wire);
    let accessor = &raw.name.accessor;
    Ok(Reducer {
        params: space.parameters(&raw.params, accessor, place)?,
        ok: space.place(&raw.ok, &[accessor, "ok"], &place)?,
        err: space.place(&raw.err, &[accessor, "err"], &place)?,
        name: raw.name,
    })
}

fn read_procedure(raw: RawProcedure, space: &mut Space) -> Result<Procedure, Error> {
    let place = || format!("procedure `{}`", raw.name.wire);
    let accessor = &raw.name.accessor;
    Ok(Procedure {
        params: space.parameters(&raw.params, accessor, place)?,
        returns: space.place(&raw.returns, &[accessor, "result"], &place)?,
        name: raw.name,
    })
}
