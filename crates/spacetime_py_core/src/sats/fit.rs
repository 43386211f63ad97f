//! Whether what bindings use is the same in the database: what would be read or written wrongly, in words.

use std::collections::HashSet;

use super::layout::{Field, Kind, Layout, TypeId};
use super::module::{FunctionDef, ModuleDef};

/// A part of the bindings that does not fit the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// "table", "reducer" or "procedure".
    pub kind: &'static str,
    pub name: String,
    pub problem: String,
    /// The database has no such part, so that nothing can be misread.
    pub is_missing: bool,
}

impl ModuleDef {
    /// What is in these bindings and is not so in the database. What only the database has does no harm.
    pub fn misfits(&self, database: &ModuleDef) -> Vec<Misfit> {
        let mut pair = Pair { ours: &self.layout, theirs: &database.layout, equal: HashSet::new() };
        let mut found = Vec::new();
        for table in &self.tables {
            let theirs = database.table(&table.name).map(|number| database.tables[number].row);
            found.extend(misfit("table", &table.name, theirs.map(|row| pair.fields("column", table.row, row))));
        }
        let mut compare = |kind, ours: &FunctionDef, theirs: Option<&FunctionDef>| {
            found.extend(misfit(kind, &ours.name, theirs.map(|theirs| pair.function(ours, theirs))));
        };
        for reducer in &self.reducers {
            compare("reducer", reducer, database.reducer(&reducer.name));
        }
        for procedure in &self.procedures {
            compare("procedure", procedure, database.procedure(&procedure.name));
        }
        found
    }

    /// How many parts bindings of this module have.
    pub fn parts(&self) -> usize {
        self.tables.len() + self.reducers.len() + self.procedures.len()
    }
}

/// `compared` is None for what the database does not have, and holds the problem, if there is one.
fn misfit(kind: &'static str, name: &str, compared: Option<Option<String>>) -> Option<Misfit> {
    let is_missing = compared.is_none();
    let problem = compared.unwrap_or_else(|| Some("is not in the database".into()))?;
    Some(Misfit { kind, name: name.to_owned(), problem, is_missing })
}

/// Types of the bindings against those of the database.
struct Pair<'a> {
    ours: &'a Layout,
    theirs: &'a Layout,
    /// Pairs that are equal, or are being compared further out: a type may contain itself.
    equal: HashSet<(TypeId, TypeId)>,
}

impl Pair<'_> {
    fn function(&mut self, ours: &FunctionDef, theirs: &FunctionDef) -> Option<String> {
        let changed = self.fields("parameter", ours.params, theirs.params);
        changed.or_else(|| (!self.is_equal(ours.returns, theirs.returns)).then(|| "its result has another type".into()))
    }

    /// The first field of two products that differs.
    fn fields(&mut self, what: &str, ours: TypeId, theirs: TypeId) -> Option<String> {
        let (Some(ours), Some(theirs)) = (self.ours.product(ours), self.theirs.product(theirs)) else {
            return Some(format!("its {what}s are others"));
        };
        for (place, field) in ours.fields.iter().enumerate() {
            let name = name_of(field);
            let Some(other) = theirs.fields.get(place) else {
                return Some(format!("{what} `{name}` is not in the database"));
            };
            if !is_same_name(field, other) {
                let place = place + 1;
                return Some(format!("{what} {place} is `{name}` here and `{}` in the database", name_of(other)));
            }
            if !self.is_equal(field.ty, other.ty) {
                return Some(format!("{what} `{name}` has another type in the database"));
            }
        }
        let further = theirs.fields.get(ours.fields.len())?;
        Some(format!("the database has a further {what}, `{}`", name_of(further)))
    }

    fn is_equal(&mut self, ours: TypeId, theirs: TypeId) -> bool {
        if !self.equal.insert((ours, theirs)) {
            return true;
        }
        match (self.ours.kind(ours), self.theirs.kind(theirs)) {
            (Kind::Array(ours), Kind::Array(theirs)) => self.is_equal(*ours, *theirs),
            (Kind::Product(ours), Kind::Product(theirs)) => self.are_equal(&ours.fields, &theirs.fields),
            (Kind::Sum(ours), Kind::Sum(theirs)) => self.are_equal(&ours.variants, &theirs.variants),
            (ours, theirs) => std::mem::discriminant(ours) == std::mem::discriminant(theirs),
        }
    }

    fn are_equal(&mut self, ours: &[Field], theirs: &[Field]) -> bool {
        ours.len() == theirs.len()
            && ours
                .iter()
                .zip(theirs)
                .all(|(ours, theirs)| is_same_name(ours, theirs) && self.is_equal(ours.ty, theirs.ty))
    }
}

fn name_of(field: &Field) -> &str {
    field.name.as_deref().unwrap_or("?")
}

/// Versions of a description spell names in other cases: `ownerId` and `owner_id` are one.
fn is_same_name(ours: &Field, theirs: &Field) -> bool {
    let letters = |field| -> String { name_of(field).chars().filter(|letter| *letter != '_').collect() };
    letters(ours).eq_ignore_ascii_case(&letters(theirs))
}
