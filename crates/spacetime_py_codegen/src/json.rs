//! A walk over the JSON document that knows where it is, for the messages of errors.

use serde_json::Value;

use crate::error::Error;

/// A value of the document and its place, for example `sections[2].Tables[0].primary_key`.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    place: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Self {
        Node { value, place: String::new() }
    }

    pub fn place(&self) -> &str {
        if self.place.is_empty() { "the schema" } else { &self.place }
    }

    fn inside(&self, value: &'a Value, name: &str) -> Node<'a> {
        let dot = if self.place.is_empty() { "" } else { "." };
        Node { value, place: format!("{}{dot}{name}", self.place) }
    }

    pub fn wrong(&self, expected: &'static str) -> Error {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number of another range",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let found =
            if matches!(self.value, Value::Number(_)) && !expected.contains("number") { "a number" } else { found };
        Error::WrongShape { place: self.place().to_owned(), expected, found }
    }

    pub fn optional_field(&self, name: &str) -> Option<Node<'a>> {
        Some(self.inside(self.value.get(name)?, name))
    }

    pub fn field(&self, name: &str) -> Result<Node<'a>, Error> {
        if !self.value.is_object() {
            return Err(self.wrong("an object"));
        }
        self.optional_field(name)
            .ok_or_else(|| Error::MissingField { place: self.place().to_owned(), field: name.to_owned() })
    }

    pub fn list<T>(&self, read: impl Fn(&Node<'a>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("an array"))?;
        let node = |(index, value)| Node { value, place: format!("{}[{index}]", self.place) };
        items.iter().enumerate().map(node).map(|item| read(&item)).collect()
    }

    pub fn string(&self) -> Result<String, Error> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a string"))
    }

    pub fn bool(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.wrong("a boolean"))
    }

    pub fn u32(&self) -> Result<u32, Error> {
        self.value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(|| self.wrong("a number below 2^32"))
    }

    pub fn u16(&self) -> Result<u16, Error> {
        self.value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(|| self.wrong("a number below 2^16"))
    }

    /// A sum value: an object with one key, the variant's name.
    pub fn variant(&self) -> Result<(&'a str, Node<'a>), Error> {
        let mut entries = self.value.as_object().into_iter().flatten();
        match (entries.next(), entries.next()) {
            (Some((name, payload)), None) => Ok((name, self.inside(payload, name))),
            _ => Err(self.wrong("an object with one key")),
        }
    }

    pub fn option(&self) -> Result<Option<Node<'a>>, Error> {
        match self.variant()? {
            ("some", payload) => Ok(Some(payload)),
            ("none", _) => Ok(None),
            _ => Err(self.wrong("{\"some\": ...} or {\"none\": []}")),
        }
    }

    pub fn is_variant(&self, name: &str) -> Result<bool, Error> {
        Ok(self.variant()?.0 == name)
    }
}
