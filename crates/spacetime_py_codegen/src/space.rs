//! The typespace while a schema is made: types are taken in when something exposed leads to them, and inline products and
//! sums move to places of their own at the end, under invented names, so that each has a class.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::raw::RawTypeName;
use crate::sats::{Element, Special, Type};

pub struct Space {
    source: Vec<Type>,
    /// The result. None: nothing has led to it yet.
    taken: Vec<Option<Type>>,
    names: BTreeMap<u32, Vec<String>>,
}

impl Space {
    pub fn new(source: Vec<Type>, names: Vec<RawTypeName>) -> Self {
        let taken = vec![None; source.len()];
        let mut space = Space { source, taken, names: BTreeMap::new() };
        let mut names: Vec<_> = names.into_iter().map(|name| (name.path, name.ty)).collect();
        // Of two names for one type the first by the alphabet is taken.
        names.sort();
        for (path, ty) in names {
            let ty = space.follow(ty, &String::new).unwrap_or(ty);
            space.names.entry(ty).or_insert(path);
        }
        space
    }

    /// The typespace, blank where nothing led to, and the names of the types that are classes.
    pub fn finish(self) -> (Vec<Type>, BTreeMap<u32, Vec<String>>) {
        let Space { taken, mut names, .. } = self;
        names.retain(|index, _| {
            let ty = taken.get(*index as usize).and_then(Option::as_ref);
            ty.is_some_and(|ty| matches!(ty, Type::Product(_) | Type::Sum(_)) && ty.special().is_none())
        });
        (taken.into_iter().map(|ty| ty.unwrap_or_else(Type::unit)).collect(), names)
    }

    /// The number of columns, if the type is a product with a class.
    pub fn row(&self, index: u32) -> Option<usize> {
        match self.taken.get(index as usize)? {
            Some(ty @ Type::Product(columns)) if ty.special().is_none() => Some(columns.len()),
            _ => None,
        }
    }

    pub fn column(&self, row: u32, name: &str) -> Option<u16> {
        let Some(Type::Product(columns)) = self.taken.get(row as usize)? else { return None };
        let column = columns.iter().position(|column| column.name.as_deref() == Some(name))?;
        column.try_into().ok()
    }

    /// Of columns that the row has; one without a name is called by its number.
    pub fn column_names(&self, row: u32, columns: &[u16]) -> Vec<String> {
        let Some(Some(Type::Product(elements))) = self.taken.get(row as usize) else { return Vec::new() };
        let name = |column: &u16| elements[usize::from(*column)].name.clone().unwrap_or_else(|| column.to_string());
        columns.iter().map(name).collect()
    }

    /// Takes in the type at a place; gives the place behind entries that only point to others.
    pub fn reach(&mut self, index: u32, hint: &[&str], place: impl Fn() -> String) -> Result<u32, Error> {
        self.take(index, hint, &place, true)
    }

    pub fn parameters(
        &mut self,
        params: &[Element],
        function: &str,
        place: impl Fn() -> String,
    ) -> Result<Vec<Element>, Error> {
        self.elements(params, &[function], "", &place)
    }

    /// The same type without inline products and sums. `hint` gives the words for the name of one.
    pub fn place(&mut self, ty: &Type, hint: &[&str], place: &dyn Fn() -> String) -> Result<Type, Error> {
        match ty {
            Type::Scalar(scalar) => Ok(Type::Scalar(*scalar)),
            Type::Ref(index) => self.take(*index, hint, place, false).map(Type::Ref),
            Type::Array(element) => Ok(Type::Array(Box::new(self.place(element, hint, place)?))),
            Type::Product(_) | Type::Sum(_) if ty.is_unit() || ty.special().is_some() => self.inside(ty, hint, place),
            Type::Product(_) | Type::Sum(_) => {
                let index = self.taken.len();
                self.taken.push(None);
                let path = hint.iter().map(|word| (*word).to_owned()).collect();
                self.names.insert(index as u32, path);
                let inside = self.inside(ty, hint, place)?;
                self.taken[index] = Some(inside);
                Ok(Type::Ref(index as u32))
            }
        }
    }

    /// `is_row`: an empty product without a name is a row type here, and elsewhere the unit type.
    fn take(&mut self, index: u32, hint: &[&str], place: &dyn Fn() -> String, is_row: bool) -> Result<u32, Error> {
        let index = self.follow(index, place)?;
        let is_source = self.source.get(index as usize);
        let Some(ty) = is_source.cloned() else { return Ok(index) }; // moved there by `place`
        if !self.names.contains_key(&index) && (is_row || !ty.is_unit()) {
            self.names.insert(index, hint.iter().map(|word| (*word).to_owned()).collect());
        }
        if self.taken[index as usize].is_some() {
            return Ok(index);
        }
        // Set before its parts are looked at, since they may lead here again.
        self.taken[index as usize] = Some(ty.clone());
        let path = self.names.get(&index).cloned().unwrap_or_default();
        let owner = path.join(".");
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let inside = match &ty {
            Type::Array(_) => self.place(&ty, &words, &|| format!("type `{owner}`"))?,
            _ => self.inside(&ty, &words, &|| format!("type `{owner}`"))?,
        };
        self.taken[index as usize] = Some(inside);
        Ok(index)
    }

    fn follow(&self, index: u32, place: &dyn Fn() -> String) -> Result<u32, Error> {
        let mut at = index;
        for _ in 0..=self.source.len() {
            match self.source.get(at as usize) {
                Some(Type::Ref(next)) => at = *next,
                None if at as usize >= self.taken.len() => {
                    return Err(Error::DanglingRef { place: place(), index: at, types: self.source.len() });
                }
                _ => return Ok(at),
            }
        }
        Err(Error::EndlessRef { index })
    }

    /// The type itself stays where it is; its parts are placed.
    fn inside(&mut self, ty: &Type, hint: &[&str], place: &dyn Fn() -> String) -> Result<Type, Error> {
        match (ty, ty.special()) {
            (Type::Sum(variants), Some(Special::Option(_) | Special::ScheduleAt)) => {
                // The payload's name is that of the whole: a variant's would tell nothing.
                let payload = |space: &mut Self, variant: &Element| {
                    Ok(Element { name: variant.name.clone(), ty: space.place(&variant.ty, hint, place)? })
                };
                Ok(Type::Sum(variants.iter().map(|variant| payload(self, variant)).collect::<Result<_, Error>>()?))
            }
            (Type::Sum(variants), Some(_)) => Ok(Type::Sum(self.elements(variants, hint, "", place)?)),
            (Type::Sum(variants), None) => Ok(Type::Sum(self.elements(variants, hint, "value", place)?)),
            (Type::Product(elements), _) => Ok(Type::Product(self.elements(elements, hint, "", place)?)),
            _ => Ok(ty.clone()),
        }
    }

    /// `last`: a word that keeps the name of a variant's payload apart from the variant's own.
    fn elements(
        &mut self,
        elements: &[Element],
        hint: &[&str],
        last: &str,
        place: &dyn Fn() -> String,
    ) -> Result<Vec<Element>, Error> {
        let placed = elements.iter().enumerate().map(|(number, element)| {
            let number = number.to_string();
            let name = element.name.as_deref().unwrap_or(&number);
            let mut words = hint.to_vec();
            words.push(name);
            words.extend(Some(last).filter(|word| !word.is_empty()));
            let ty = self.place(&element.ty, &words, &|| format!("{}, `{name}`", place()))?;
            Ok(Element { name: element.name.clone(), ty })
        });
        placed.collect()
    }
}
