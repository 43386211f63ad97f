//! The schema in one form: names of the wire, sorted, only what clients can use, and every product and sum of the user's
//! behind a reference to a named type.

use std::collections::{BTreeMap, HashMap};

use crate::Error;
use crate::raw::{self, AlgebraicType as Raw, Description, NameKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A place in `Schema::types`.
    Ref(usize),
    Array(Box<Type>),
    Option(Box<Type>),
    Result(Box<Type>, Box<Type>),
    Unit,
    Scalar(Scalar),
    Special(Special),
}

/// In the order of the tags of SATS's type of types, from `String` = 4 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    String,
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    I128,
    U128,
    I256,
    U256,
    F32,
    F64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Identity,
    ConnectionId,
    Timestamp,
    TimeDuration,
    Uuid,
    ScheduleAt,
}

impl Special {
    /// A product of one field whose name marks it.
    pub const PRODUCTS: [(Special, &'static str, Scalar); 5] = [
        (Special::Identity, "__identity__", Scalar::U256),
        (Special::ConnectionId, "__connection_id__", Scalar::U128),
        (Special::Timestamp, "__timestamp_micros_since_unix_epoch__", Scalar::I64),
        (Special::TimeDuration, "__time_duration_micros__", Scalar::I64),
        (Special::Uuid, "__uuid__", Scalar::U128),
    ];
}

#[derive(Debug)]
pub struct NamedType {
    /// As the module calls it, scopes joined.
    pub name: String,
    pub shape: Shape,
}

#[derive(Debug)]
pub enum Shape {
    Product(Vec<Field>),
    Sum(Vec<Field>),
}

/// A field of a product, a variant of a sum, or a parameter.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub ty: Type,
}

#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub row: usize,
    pub primary_key: Option<u16>,
    /// Sets of columns.
    pub unique: Vec<Vec<u16>>,
    pub is_public: bool,
    pub is_event: bool,
    pub is_view: bool,
}

#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub params: Vec<Field>,
    pub returns: Type,
}

#[derive(Debug, Default)]
pub struct Schema {
    pub types: Vec<NamedType>,
    /// Tables and views.
    pub tables: Vec<Table>,
    pub reducers: Vec<Function>,
    pub procedures: Vec<Function>,
}

impl Schema {
    pub fn from_json(text: &str, include_private: bool) -> Result<Schema, Error> {
        let description = Description::from_json(text)?;
        let mut builder = Builder::new(&description);
        let mut schema = Schema::default();
        for table in &description.tables {
            let is_public = matches!(table.table_access, raw::Access::Public(_));
            if is_public || include_private {
                schema.tables.push(builder.table(table, is_public)?);
            }
        }
        for view in description.views.iter().filter(|view| view.is_public || include_private) {
            schema.tables.push(builder.view(view)?);
        }
        let is_internal = |function: &raw::Function| {
            let name = builder.canonical(NameKind::Function, &function.name);
            matches!(function.visibility, Some(raw::Visibility::Private(_))) || description.internal.contains(&name)
        };
        let reducers: Vec<_> = description.reducers.iter().filter(|reducer| !is_internal(reducer)).collect();
        let procedures: Vec<_> = description.procedures.iter().filter(|procedure| !is_internal(procedure)).collect();
        for reducer in reducers {
            schema.reducers.push(builder.function(reducer)?);
        }
        for procedure in procedures {
            schema.procedures.push(builder.function(procedure)?);
        }
        schema.types = builder.finish();
        schema.sort();
        Ok(schema)
    }

    /// By name throughout: servers list tables and types in any order.
    fn sort(&mut self) {
        self.tables.sort_by(|a, b| (a.is_view, &a.name).cmp(&(b.is_view, &b.name)));
        self.reducers.sort_by(|a, b| a.name.cmp(&b.name));
        self.procedures.sort_by(|a, b| a.name.cmp(&b.name));
        let mut order: Vec<usize> = (0..self.types.len()).collect();
        order.sort_by(|a, b| self.types[*a].name.cmp(&self.types[*b].name));
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| place[*old] = new);
        let mut types: Vec<_> = std::mem::take(&mut self.types).into_iter().map(Some).collect();
        self.types = order.iter().filter_map(|old| types[*old].take()).collect();
        let fields = self.types.iter_mut().flat_map(|ty| match &mut ty.shape {
            Shape::Product(fields) | Shape::Sum(fields) => fields,
        });
        let functions = self.reducers.iter_mut().chain(&mut self.procedures);
        let (mut params, mut returns) = (Vec::new(), Vec::new());
        for function in functions {
            params.extend(&mut function.params);
            returns.push(&mut function.returns);
        }
        fields.chain(params).map(|field| &mut field.ty).chain(returns).for_each(|ty| ty.renumber(&place));
        self.tables.iter_mut().for_each(|table| table.row = place[table.row]);
    }
}

impl Type {
    fn renumber(&mut self, place: &[usize]) {
        match self {
            Type::Ref(index) => *index = place[*index],
            Type::Array(inner) | Type::Option(inner) => inner.renumber(place),
            Type::Result(ok, err) => {
                ok.renumber(place);
                err.renumber(place);
            }
            Type::Unit | Type::Scalar(_) | Type::Special(_) => {}
        }
    }
}

/// Turns raw types into `Type`s and collects the named ones that are reached.
struct Builder<'a> {
    description: &'a Description,
    /// Names that the module gives to places in its typespace.
    names: BTreeMap<u32, String>,
    /// Places in the typespace that have become named types.
    known: HashMap<u32, usize>,
    types: Vec<NamedType>,
}

/// Types that only point to others may point this far.
const MAX_DEPTH: u32 = 64;

impl<'a> Builder<'a> {
    fn new(description: &'a Description) -> Self {
        let scoped = |def: &raw::TypeDef| [def.name.scope.concat(), def.name.name.clone()].concat();
        let names = description.names.iter().map(|def| (def.ty, scoped(def))).collect();
        Builder { description, names, known: HashMap::new(), types: Vec::new() }
    }

    fn canonical(&self, kind: NameKind, source: &str) -> String {
        let mut names = self.description.explicit_names.iter();
        let mapping = names.find(|(known, mapping)| *known == kind && mapping.source_name == source);
        mapping.map_or_else(|| source.to_owned(), |(_, mapping)| mapping.canonical_name.clone())
    }

    fn table(&mut self, table: &raw::Table, is_public: bool) -> Result<Table, Error> {
        let name = self.canonical(NameKind::Table, &table.name);
        let unique = table.constraints.iter().map(|constraint| match &constraint.data {
            raw::ConstraintData::Unique { columns } => columns.clone(),
        });
        let primary_key = match table.primary_key[..] {
            [column] => Some(column),
            _ => None,
        };
        let row = self.row(&format!("table `{name}`"), &Raw::Ref(table.product_type_ref), &name)?;
        let table = Table {
            row,
            primary_key,
            unique: unique.collect(),
            is_public,
            is_event: table.is_event,
            is_view: false,
            name,
        };
        self.check_columns(&table)?;
        Ok(table)
    }

    fn check_columns(&self, table: &Table) -> Result<(), Error> {
        let Shape::Product(fields) = &self.types[table.row].shape else { unreachable!("rows are products") };
        let mut columns = table.unique.iter().flatten().chain(&table.primary_key);
        match columns.find(|column| usize::from(**column) >= fields.len()) {
            Some(column) => Err(unsupported(format!("table `{}`", table.name), format!("there is no column {column}"))),
            None => Ok(()),
        }
    }

    /// A view returns an array or an option of its rows, or a query over them.
    fn view(&mut self, view: &raw::Function) -> Result<Table, Error> {
        let name = self.canonical(NameKind::Function, &view.name);
        let place = format!("view `{name}`");
        let row = match &view.return_type {
            Some(Raw::Array(row)) => &**row,
            Some(Raw::Sum { variants }) if is_option(variants) => &variants[0].algebraic_type,
            Some(Raw::Product(product)) if is_query(product) => &product.elements[0].algebraic_type,
            _ => return Err(unsupported(place, "it returns neither rows nor a query")),
        };
        let row = self.row(&place, row, &name)?;
        let key = self.description.view_keys.iter().find(|key| key.view_source_name == view.name);
        let primary_key = key.and_then(|key| match (&key.columns[..], &self.types[row].shape) {
            ([column], Shape::Product(fields)) => fields.iter().position(|field| field.name == *column),
            _ => None,
        });
        let primary_key = primary_key.map(|column| column as u16);
        Ok(Table { name, row, primary_key, unique: Vec::new(), is_public: true, is_event: false, is_view: true })
    }

    fn row(&mut self, place: &str, ty: &Raw, name: &str) -> Result<usize, Error> {
        match self.ty(ty, &pascal(name), 0).map_err(|error| error.inside(place))? {
            Type::Ref(index) if matches!(self.types[index].shape, Shape::Product(_)) => Ok(index),
            _ => Err(unsupported(place, "its rows are not of a product type")),
        }
    }

    fn function(&mut self, function: &raw::Function) -> Result<Function, Error> {
        let name = self.canonical(NameKind::Function, &function.name);
        let place = format!("function `{name}`");
        let params = self.fields(&function.params.elements, &pascal(&name), 0).map_err(|error| error.inside(&place))?;
        let returns = match &function.return_type {
            Some(ty) => self.ty(ty, &format!("{}Result", pascal(&name)), 0).map_err(|error| error.inside(&place))?,
            None => Type::Unit,
        };
        Ok(Function { name, params, returns })
    }

    fn finish(self) -> Vec<NamedType> {
        self.types
    }

    fn fields(&mut self, elements: &[raw::Element], context: &str, depth: u32) -> Result<Vec<Field>, Error> {
        let field = |(index, element): (usize, &raw::Element)| {
            let name = element.name.get().cloned().unwrap_or_else(|| format!("field_{index}"));
            let ty = self.ty(&element.algebraic_type, &format!("{context}{}", pascal(&name)), depth + 1)?;
            Ok(Field { name, ty })
        };
        elements.iter().enumerate().map(field).collect()
    }

    /// `context` names the type if it is a product or sum that the module did not name.
    fn ty(&mut self, ty: &Raw, context: &str, depth: u32) -> Result<Type, Error> {
        if depth > MAX_DEPTH {
            return Err(unsupported("a type", "its references never end"));
        }
        Ok(match ty {
            Raw::Ref(index) => return self.reference(*index, context, depth),
            Raw::Array(element) => Type::Array(Box::new(self.ty(element, context, depth + 1)?)),
            Raw::Sum { variants } if is_option(variants) => {
                Type::Option(Box::new(self.ty(&variants[0].algebraic_type, context, depth + 1)?))
            }
            Raw::Sum { variants } if names(variants) == ["ok", "err"] => Type::Result(
                Box::new(self.ty(&variants[0].algebraic_type, &format!("{context}Ok"), depth + 1)?),
                Box::new(self.ty(&variants[1].algebraic_type, &format!("{context}Err"), depth + 1)?),
            ),
            Raw::Sum { variants } if is_schedule_at(variants) => Type::Special(Special::ScheduleAt),
            Raw::Product(product) if special_product(product).is_some() => {
                special_product(product).map_or(Type::Unit, Type::Special)
            }
            Raw::Product(product) if product.elements.is_empty() => Type::Unit,
            Raw::Sum { .. } | Raw::Product(_) => Type::Ref(self.name_type(context.to_owned(), ty, None, depth)?),
            scalar => Type::Scalar(scalar_type(scalar)),
        })
    }

    fn reference(&mut self, index: u32, context: &str, depth: u32) -> Result<Type, Error> {
        if let Some(known) = self.known.get(&index) {
            return Ok(Type::Ref(*known));
        }
        let Some(target) = self.description.types.get(index as usize) else {
            return Err(unsupported("a type", format!("it refers to type {index}, which the typespace does not have")));
        };
        let is_named = match target {
            Raw::Product(product) => special_product(product).is_none(),
            Raw::Sum { variants } => {
                !is_option(variants) && !is_schedule_at(variants) && names(variants) != ["ok", "err"]
            }
            _ => false,
        };
        if !is_named {
            return self.ty(target, context, depth + 1);
        }
        let name = self.names.get(&index).cloned().unwrap_or_else(|| context.to_owned());
        Ok(Type::Ref(self.name_type(name, target, Some(index), depth)?))
    }

    /// Takes its place before its fields are looked at, since they may lead back to it.
    fn name_type(&mut self, name: String, ty: &Raw, index: Option<u32>, depth: u32) -> Result<usize, Error> {
        let place = self.types.len();
        self.types.push(NamedType { name: name.clone(), shape: Shape::Product(Vec::new()) });
        if let Some(index) = index {
            self.known.insert(index, place);
        }
        // What is named starts counting anew: only unnamed nesting can go on without end.
        let depth = if index.is_some() { 0 } else { depth };
        let described = |error: Error| error.inside(&format!("type `{name}`"));
        self.types[place].shape = match ty {
            Raw::Sum { variants } if variants.len() > 256 => {
                return Err(unsupported(format!("type `{name}`"), "a sum type has 256 variants at most"));
            }
            Raw::Sum { variants } => Shape::Sum(self.fields(variants, &name, depth).map_err(described)?),
            Raw::Product(product) => Shape::Product(self.fields(&product.elements, &name, depth).map_err(described)?),
            _ => unreachable!("only products and sums get names"),
        };
        Ok(place)
    }
}

impl Error {
    fn inside(self, outer: &str) -> Error {
        match self {
            Error::Unsupported { place, problem } => {
                Error::Unsupported { place: format!("{outer}, {place}"), problem }
            }
            other => other,
        }
    }
}

fn unsupported(place: impl Into<String>, problem: impl Into<String>) -> Error {
    Error::Unsupported { place: place.into(), problem: problem.into() }
}

fn names(elements: &[raw::Element]) -> Vec<&str> {
    elements.iter().map(|element| element.name.get().map_or("", String::as_str)).collect()
}

fn is_option(variants: &[raw::Element]) -> bool {
    names(variants) == ["some", "none"]
        && variants[1].algebraic_type == Raw::Product(raw::Product { elements: Vec::new() })
}

fn is_query(product: &raw::Product) -> bool {
    names(&product.elements) == ["__query__"]
}

fn is_schedule_at(variants: &[raw::Element]) -> bool {
    let special = |element: &raw::Element| match &element.algebraic_type {
        Raw::Product(product) => special_product(product),
        _ => None,
    };
    names(variants) == ["Interval", "Time"]
        && special(&variants[0]) == Some(Special::TimeDuration)
        && special(&variants[1]) == Some(Special::Timestamp)
}

fn special_product(product: &raw::Product) -> Option<Special> {
    let [element] = &product.elements[..] else { return None };
    let matches = |(_, name, scalar): &&(Special, &str, Scalar)| {
        element.name.get().is_some_and(|field| field == name)
            && is_scalar(&element.algebraic_type)
            && scalar_type(&element.algebraic_type) == *scalar
    };
    Special::PRODUCTS.iter().find(matches).map(|(special, ..)| *special)
}

fn is_scalar(ty: &Raw) -> bool {
    !matches!(ty, Raw::Ref(_) | Raw::Sum { .. } | Raw::Product(_) | Raw::Array(_))
}

fn scalar_type(ty: &Raw) -> Scalar {
    match ty {
        Raw::Bool(_) => Scalar::Bool,
        Raw::I8(_) => Scalar::I8,
        Raw::U8(_) => Scalar::U8,
        Raw::I16(_) => Scalar::I16,
        Raw::U16(_) => Scalar::U16,
        Raw::I32(_) => Scalar::I32,
        Raw::U32(_) => Scalar::U32,
        Raw::I64(_) => Scalar::I64,
        Raw::U64(_) => Scalar::U64,
        Raw::I128(_) => Scalar::I128,
        Raw::U128(_) => Scalar::U128,
        Raw::I256(_) => Scalar::I256,
        Raw::U256(_) => Scalar::U256,
        Raw::F32(_) => Scalar::F32,
        Raw::F64(_) => Scalar::F64,
        _ => Scalar::String,
    }
}

/// `chat_message` to `ChatMessage`; what is in that form already stays.
pub fn pascal(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    words.map(capital).collect()
}
