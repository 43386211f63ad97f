//! A module's own description, BSATN of a RawModuleDef, as the JSON that servers make of it.
//!
//! The shapes are those of versions 9 and 10, in the order of the encoding. Source: the module ABI's
//! `__describe_module__`.

use serde_json::{Map, Number, Value, json};

use crate::error::Error;

/// Types may be nested so deep, and modules in modules: what is deeper is no description but an attack on the stack.
const MAX_DEPTH: usize = 200;

enum Shape {
    Bool,
    U16,
    U32,
    I128,
    Text,
    /// Hexadecimal in JSON.
    Bytes,
    Option(&'static Shape),
    Array(&'static Shape),
    Product(&'static [(&'static str, &'static Shape)]),
    Sum(&'static [(&'static str, &'static Shape)]),
}

use Shape::{Array, Bool, Bytes, I128, Option as Maybe, Product, Sum, Text, U16, U32};

static UNIT: Shape = Product(&[]);
static NAME: Shape = Maybe(&Text);
static NAMES: Shape = Array(&Text);
static COLUMNS: Shape = Array(&U16);
static MAYBE_I128: Shape = Maybe(&I128);

static ELEMENT: Shape = Product(&[("name", &NAME), ("algebraic_type", &TYPE)]);
static ELEMENTS: Shape = Product(&[("elements", &Array(&ELEMENT))]);
static TYPE: Shape = Sum(&[
    ("Ref", &U32),
    ("Sum", &Product(&[("variants", &Array(&ELEMENT))])),
    ("Product", &ELEMENTS),
    ("Array", &TYPE),
    ("String", &UNIT),
    ("Bool", &UNIT),
    ("I8", &UNIT),
    ("U8", &UNIT),
    ("I16", &UNIT),
    ("U16", &UNIT),
    ("I32", &UNIT),
    ("U32", &UNIT),
    ("I64", &UNIT),
    ("U64", &UNIT),
    ("I128", &UNIT),
    ("U128", &UNIT),
    ("I256", &UNIT),
    ("U256", &UNIT),
    ("F32", &UNIT),
    ("F64", &UNIT),
]);
static TYPESPACE: Shape = Product(&[("types", &Array(&TYPE))]);

static TABLE_TYPE: Shape = Sum(&[("System", &UNIT), ("User", &UNIT)]);
static TABLE_ACCESS: Shape = Sum(&[("Public", &UNIT), ("Private", &UNIT)]);
static ALGORITHM: Shape = Sum(&[("BTree", &COLUMNS), ("Hash", &COLUMNS), ("Direct", &U16)]);
static CONSTRAINT: Shape = Sum(&[("Unique", &Product(&[("columns", &COLUMNS)]))]);
static LIFECYCLE: Shape = Sum(&[("Init", &UNIT), ("OnConnect", &UNIT), ("OnDisconnect", &UNIT)]);
static ROW_LEVEL_SECURITY: Shape = Product(&[("sql", &Text)]);

static VERSION_9: Shape = Product(&[
    ("typespace", &TYPESPACE),
    ("tables", &Array(&TABLE_9)),
    ("reducers", &Array(&Product(&[("name", &Text), ("params", &ELEMENTS), ("lifecycle", &Maybe(&LIFECYCLE))]))),
    ("types", &Array(&Product(&[("name", &SCOPED_9), ("ty", &U32), ("custom_ordering", &Bool)]))),
    ("misc_exports", &Array(&MISC_9)),
    ("row_level_security", &Array(&ROW_LEVEL_SECURITY)),
]);
static SCOPED_9: Shape = Product(&[("scope", &NAMES), ("name", &Text)]);
static TABLE_9: Shape = Product(&[
    ("name", &Text),
    ("product_type_ref", &U32),
    ("primary_key", &COLUMNS),
    ("indexes", &Array(&Product(&[("name", &NAME), ("accessor_name", &NAME), ("algorithm", &ALGORITHM)]))),
    ("constraints", &Array(&Product(&[("name", &NAME), ("data", &CONSTRAINT)]))),
    ("sequences", &Array(&SEQUENCE_9)),
    ("schedule", &Maybe(&Product(&[("name", &NAME), ("reducer_name", &Text), ("scheduled_at_column", &U16)]))),
    ("table_type", &TABLE_TYPE),
    ("table_access", &TABLE_ACCESS),
]);
static SEQUENCE_9: Shape = Product(&[
    ("name", &NAME),
    ("column", &U16),
    ("start", &MAYBE_I128),
    ("min_value", &MAYBE_I128),
    ("max_value", &MAYBE_I128),
    ("increment", &I128),
]);
static MISC_9: Shape = Sum(&[
    ("ColumnDefaultValue", &Product(&[("table", &Text), ("col_id", &U16), ("value", &Bytes)])),
    ("Procedure", &Product(&[("name", &Text), ("params", &ELEMENTS), ("return_type", &TYPE)])),
    ("View", &VIEW_9),
]);
static VIEW_9: Shape = Product(&[
    ("name", &Text),
    ("index", &U32),
    ("is_public", &Bool),
    ("is_anonymous", &Bool),
    ("params", &ELEMENTS),
    ("return_type", &TYPE),
]);

static VERSION_10: Shape = Product(&[("sections", &Array(&SECTION))]);
static SECTION: Shape = Sum(&[
    ("Typespace", &TYPESPACE),
    ("Types", &Array(&Product(&[("source_name", &SCOPED_10), ("ty", &U32), ("custom_ordering", &Bool)]))),
    ("Tables", &Array(&TABLE_10)),
    ("Reducers", &Array(&REDUCER_10)),
    ("Procedures", &Array(&PROCEDURE_10)),
    ("Views", &Array(&VIEW_10)),
    ("Schedules", &Array(&SCHEDULE_10)),
    ("LifeCycleReducers", &Array(&Product(&[("lifecycle_spec", &LIFECYCLE), ("function_name", &Text)]))),
    ("RowLevelSecurity", &Array(&ROW_LEVEL_SECURITY)),
    ("CaseConversionPolicy", &Sum(&[("None", &UNIT), ("SnakeCase", &UNIT)])),
    ("ExplicitNames", &Product(&[("entries", &Array(&EXPLICIT_NAME))])),
    ("HttpHandlers", &Array(&Product(&[("source_name", &Text)]))),
    ("HttpRoutes", &Array(&Product(&[("handler_function", &Text), ("method", &METHOD_OR_ANY), ("path", &Text)]))),
    ("ViewPrimaryKeys", &Array(&Product(&[("view_source_name", &Text), ("columns", &NAMES)]))),
    ("Submodules", &Array(&Product(&[("namespace", &Text), ("module", &VERSION_10)]))),
]);
static SCOPED_10: Shape = Product(&[("scope", &NAMES), ("source_name", &Text)]);
static TABLE_10: Shape = Product(&[
    ("source_name", &Text),
    ("product_type_ref", &U32),
    ("primary_key", &COLUMNS),
    ("indexes", &Array(&Product(&[("source_name", &NAME), ("accessor_name", &NAME), ("algorithm", &ALGORITHM)]))),
    ("constraints", &Array(&Product(&[("source_name", &NAME), ("data", &CONSTRAINT)]))),
    ("sequences", &Array(&SEQUENCE_10)),
    ("table_type", &TABLE_TYPE),
    ("table_access", &TABLE_ACCESS),
    ("default_values", &Array(&Product(&[("col_id", &U16), ("value", &Bytes)]))),
    ("is_event", &Bool),
]);
static SEQUENCE_10: Shape = Product(&[
    ("source_name", &NAME),
    ("column", &U16),
    ("start", &MAYBE_I128),
    ("min_value", &MAYBE_I128),
    ("max_value", &MAYBE_I128),
    ("increment", &I128),
]);
static VISIBILITY: Shape = Sum(&[("Private", &UNIT), ("ClientCallable", &UNIT)]);
static REDUCER_10: Shape = Product(&[
    ("source_name", &Text),
    ("params", &ELEMENTS),
    ("visibility", &VISIBILITY),
    ("ok_return_type", &TYPE),
    ("err_return_type", &TYPE),
]);
static PROCEDURE_10: Shape =
    Product(&[("source_name", &Text), ("params", &ELEMENTS), ("return_type", &TYPE), ("visibility", &VISIBILITY)]);
static VIEW_10: Shape = Product(&[
    ("source_name", &Text),
    ("index", &U32),
    ("is_public", &Bool),
    ("is_anonymous", &Bool),
    ("params", &ELEMENTS),
    ("return_type", &TYPE),
]);
static SCHEDULE_10: Shape =
    Product(&[("source_name", &NAME), ("table_name", &Text), ("schedule_at_col", &U16), ("function_name", &Text)]);
static NAME_PAIR: Shape = Product(&[("source_name", &Text), ("canonical_name", &Text)]);
static EXPLICIT_NAME: Shape = Sum(&[("Table", &NAME_PAIR), ("Function", &NAME_PAIR), ("Index", &NAME_PAIR)]);
static METHOD_OR_ANY: Shape = Sum(&[("Any", &UNIT), ("Method", &METHOD)]);
static METHOD: Shape = Sum(&[
    ("Get", &UNIT),
    ("Head", &UNIT),
    ("Post", &UNIT),
    ("Put", &UNIT),
    ("Delete", &UNIT),
    ("Connect", &UNIT),
    ("Options", &UNIT),
    ("Trace", &UNIT),
    ("Patch", &UNIT),
    ("Extension", &Text),
]);

/// The description as JSON, in the form `{"V9": ...}` or `{"V10": ...}`.
pub fn to_json(data: &[u8]) -> Result<Value, Error> {
    let mut reader = Reader { data, position: 0 };
    let (name, shape) = match reader.take(1)?[0] {
        1 => ("V9", &VERSION_9),
        2 => ("V10", &VERSION_10),
        version => return Err(reader.wrong(&format!("version tag {version}, which is not 9 or 10"))),
    };
    let body = reader.value(shape, 0)?;
    if reader.position != data.len() {
        return Err(reader.wrong("bytes after the end"));
    }
    Ok(json!({ name: body }))
}

struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> Error {
        Error::Binary { position: self.position, what: what.to_owned() }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let rest = &self.data[self.position..];
        let taken = rest.get(..count).ok_or_else(|| self.wrong("the end of the data"))?;
        self.position += count;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn sized(&mut self) -> Result<&'a [u8], Error> {
        let count = self.u32()? as usize;
        self.take(count)
    }

    fn value(&mut self, shape: &Shape, depth: usize) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("too many types in types"));
        }
        let depth = depth + 1;
        Ok(match shape {
            Bool => match self.take(1)?[0] {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                byte => return Err(self.wrong(&format!("byte {byte} for a boolean"))),
            },
            U16 => self.take(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))?.into(),
            U32 => self.u32()?.into(),
            I128 => self.i128()?,
            Text => {
                let bytes = self.sized()?;
                let text = std::str::from_utf8(bytes).map_err(|_| self.wrong("text that is not UTF-8"))?;
                text.into()
            }
            Bytes => self.sized()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
            Maybe(inner) => match self.take(1)?[0] {
                0 => json!({ "some": self.value(inner, depth)? }),
                1 => json!({ "none": [] }),
                tag => return Err(self.wrong(&format!("tag {tag} for an option"))),
            },
            Array(inner) => {
                let count = self.u32()?;
                Value::Array((0..count).map(|_| self.value(inner, depth)).collect::<Result<_, _>>()?)
            }
            Product([]) => json!([]),
            Product(fields) => {
                let field = |(name, shape): &(&str, &Shape)| Ok(((*name).to_owned(), self.value(shape, depth)?));
                Value::Object(fields.iter().map(field).collect::<Result<Map<_, _>, Error>>()?)
            }
            Sum(variants) => {
                let tag = self.take(1)?[0];
                let found = variants.get(usize::from(tag)).ok_or_else(|| self.wrong(&format!("tag {tag}")))?;
                json!({ found.0: self.value(found.1, depth)? })
            }
        })
    }

    /// Sequences are within the numbers that JSON has; what is not is kept as text.
    fn i128(&mut self) -> Result<Value, Error> {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(self.take(16)?);
        let number = i128::from_le_bytes(bytes);
        Ok(Number::from_i128(number).map_or_else(|| number.to_string().into(), Value::Number))
    }
}
