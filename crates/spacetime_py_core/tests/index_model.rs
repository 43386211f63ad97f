//! Indexes against a sorted list of decoded keys, over every type that a column can have.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use _core::client::diff::{Diff, TableDiff};
use _core::client::index::{End, Span, append_ordered};
use _core::client::key_index::KeyIndex;
use _core::client::{ClientCache, RowRef};
use _core::sats::module::TableDef;
use _core::sats::{AlgebraicType, Layout, ModuleDef, Reader, TypeId, Writer, types::Element};
use proptest::prelude::*;

/// A value as it is compared: the other side of the byte order.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    /// Sign and the halves of the two's complement, the high one first.
    Wide(bool, i128, u128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Product(Vec<Value>),
    Sum(u8, Box<Value>),
}

impl Value {
    fn compare(&self, other: &Value) -> Ordering {
        use Value::*;
        match (self, other) {
            (Bool(one), Bool(other)) => one.cmp(other),
            (Signed(one), Signed(other)) => one.cmp(other),
            (Unsigned(one), Unsigned(other)) => one.cmp(other),
            (Wide(true, high, low), Wide(_, other_high, other_low)) => (high, low).cmp(&(other_high, other_low)),
            (Wide(false, high, low), Wide(_, other_high, other_low)) => {
                (*high as u128, low).cmp(&(*other_high as u128, other_low))
            }
            (Float(one), Float(other)) => one.partial_cmp(other).unwrap_or_else(|| one.is_nan().cmp(&other.is_nan())),
            (Text(one), Text(other)) => one.chars().cmp(other.chars()),
            (Bytes(one), Bytes(other)) => one.cmp(other),
            (List(one), List(other)) | (Product(one), Product(other)) => compare_all(one, other),
            (Sum(tag, one), Sum(other_tag, other)) => tag.cmp(other_tag).then_with(|| one.compare(other)),
            _ => panic!("values of two types"),
        }
    }

    fn write(&self, ty: &AlgebraicType, writer: &mut Writer) {
        use AlgebraicType as T;
        match (self, ty) {
            (Value::Bool(value), _) => writer.bool(*value),
            (Value::Signed(value), _) => writer.0.extend(&value.to_le_bytes()[..size(ty)]),
            (Value::Unsigned(value), _) => writer.0.extend(&value.to_le_bytes()[..size(ty)]),
            (Value::Wide(_, high, low), _) => {
                writer.u128(*low);
                writer.i128(*high);
            }
            (Value::Float(value), T::F32) => writer.f32(*value as f32),
            (Value::Float(value), _) => writer.f64(*value),
            (Value::Text(text), _) => writer.str(text).unwrap(),
            (Value::Bytes(bytes), _) => writer.bytes(bytes).unwrap(),
            (Value::List(values), T::Array(item)) => {
                writer.count(values.len()).unwrap();
                values.iter().for_each(|value| value.write(item, writer));
            }
            (Value::Product(values), T::Product(fields)) => {
                values.iter().zip(fields).for_each(|(value, field)| value.write(&field.ty, writer));
            }
            (Value::Sum(tag, value), T::Sum(variants)) => {
                writer.u8(*tag);
                value.write(&variants[usize::from(*tag)].ty, writer);
            }
            _ => panic!("a value of another type"),
        }
    }
}

fn compare_all(one: &[Value], other: &[Value]) -> Ordering {
    let first = one.iter().zip(other).map(|(one, other)| one.compare(other)).find(|order| order.is_ne());
    first.unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn size(ty: &AlgebraicType) -> usize {
    use AlgebraicType as T;
    match ty {
        T::I8 | T::U8 => 1,
        T::I16 | T::U16 => 2,
        T::I32 | T::U32 => 4,
        T::I64 | T::U64 => 8,
        _ => 16,
    }
}

fn element(name: &str, ty: AlgebraicType) -> Element {
    Element { name: Some(name.into()), ty }
}

fn product(name: &str, ty: AlgebraicType) -> AlgebraicType {
    AlgebraicType::Product(vec![element(name, ty)])
}

fn types() -> impl Strategy<Value = AlgebraicType> {
    use AlgebraicType as T;
    let option = |ty| T::Sum(vec![element("some", ty), element("none", AlgebraicType::unit())]);
    let leaf = prop::sample::select(vec![
        T::Bool,
        T::I8,
        T::U8,
        T::I16,
        T::U16,
        T::I32,
        T::U32,
        T::I64,
        T::U64,
        T::I128,
        T::U128,
        T::I256,
        T::U256,
        T::F32,
        T::F64,
        T::String,
        T::Array(Box::new(T::U8)),
        product("__identity__", T::U256),
        product("__connection_id__", T::U128),
        product("__timestamp_micros_since_unix_epoch__", T::I64),
        product("__time_duration_micros__", T::I64),
        product("__uuid__", T::U128),
        T::Sum(vec![element("red", T::unit()), element("green", T::unit()), element("blue", T::unit())]),
    ]);
    leaf.prop_recursive(3, 8, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(option),
            inner.clone().prop_map(|ty| T::Array(Box::new(ty))),
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|types| T::Product(types.into_iter().map(|ty| element("part", ty)).collect())),
            prop::collection::vec(inner, 1..3)
                .prop_map(|types| T::Sum(types.into_iter().map(|ty| element("choice", ty)).collect())),
        ]
    })
}

/// Few values of each type and most of them at a limit, so that keys are equal, or begin with one another, often.
fn values(ty: &AlgebraicType) -> BoxedStrategy<Value> {
    use AlgebraicType as T;
    match ty {
        T::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        T::I8 | T::I16 | T::I32 | T::I64 | T::I128 => signed(8 * size(ty) as u32).prop_map(Value::Signed).boxed(),
        T::U8 | T::U16 | T::U32 | T::U64 | T::U128 => unsigned(8 * size(ty) as u32).prop_map(Value::Unsigned).boxed(),
        T::I256 => (signed(128), unsigned(128)).prop_map(|(high, low)| Value::Wide(true, high, low)).boxed(),
        T::U256 => (signed(128), unsigned(128)).prop_map(|(high, low)| Value::Wide(false, high, low)).boxed(),
        T::F32 => prop_oneof![special_floats(), any::<f32>().prop_map(f64::from)].prop_map(Value::Float).boxed(),
        T::F64 => prop_oneof![special_floats(), any::<f64>()].prop_map(Value::Float).boxed(),
        T::String => "[a\0\u{1}\u{ff}\u{ffff}\u{10000}]{0,12}".prop_map(Value::Text).boxed(),
        T::Array(item) if **item == T::U8 => {
            prop::collection::vec(prop::sample::select(vec![0, 1, 254, 255]), 0..30).prop_map(Value::Bytes).boxed()
        }
        T::Array(item) => prop::collection::vec(values(item), 0..3).prop_map(Value::List).boxed(),
        T::Product(fields) => {
            fields.iter().map(|field| values(&field.ty)).collect::<Vec<_>>().prop_map(Value::Product).boxed()
        }
        T::Sum(variants) => {
            let variant = |(tag, variant): (usize, &Element)| {
                values(&variant.ty).prop_map(move |value| Value::Sum(tag as u8, Box::new(value)))
            };
            prop::strategy::Union::new(variants.iter().enumerate().map(variant)).boxed()
        }
        T::Ref(_) => unreachable!("no types refer to others here"),
    }
}

fn signed(bits: u32) -> impl Strategy<Value = i128> {
    let shift = 128 - bits;
    prop_oneof![prop::sample::select(vec![-256, -2, -1, 0, 1, 255, 256, i128::MAX, i128::MIN]), any::<i128>(),]
        .prop_map(move |value| if value.unsigned_abs() > 256 { value >> shift } else { value << shift >> shift })
}

fn unsigned(bits: u32) -> impl Strategy<Value = u128> {
    let mask = u128::MAX >> (128 - bits);
    prop_oneof![prop::sample::select(vec![0, 1, 255, 256, u128::MAX]), any::<u128>()]
        .prop_map(move |value| value & mask)
}

fn special_floats() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY])
}

#[derive(Clone, Debug)]
struct Case {
    types: Vec<AlgebraicType>,
    /// Rows are their keys; those up to `kept` stay, the others are deleted again.
    rows: Vec<Vec<Value>>,
    kept: usize,
    /// Ends of a span: a key, of which so many columns are given, and whether it belongs to the span.
    start: Option<(Vec<Value>, usize, bool)>,
    end: Option<(Vec<Value>, usize, bool)>,
}

fn cases() -> impl Strategy<Value = Case> {
    prop::collection::vec(types(), 1..4).prop_flat_map(|types| {
        let row = types.iter().map(values).collect::<Vec<_>>();
        let end = || prop::option::of((row.clone(), 1..=types.len(), any::<bool>()));
        (prop::collection::vec(row.clone(), 0..24), any::<prop::sample::Index>(), end(), end()).prop_map(
            move |(rows, kept, start, end)| {
                let kept = kept.index(rows.len() + 1);
                Case { types: types.clone(), rows, kept, start, end }
            },
        )
    })
}

struct Table {
    layout_types: Vec<AlgebraicType>,
    module: Arc<ModuleDef>,
    columns: Vec<u16>,
}

impl Table {
    /// The indexed columns in reverse, behind a column that is not part of the key.
    fn new(types: &[AlgebraicType]) -> Self {
        let mut elements = vec![element("other", AlgebraicType::String)];
        elements.extend(types.iter().rev().map(|ty| element("column", ty.clone())));
        let layout = Layout::compile(&[AlgebraicType::Product(elements)], &[]).unwrap().0;
        let table = TableDef {
            name: "t".into(),
            row: TypeId(0),
            primary_key: None,
            unique: Vec::new(),
            indexes: Vec::new(),
            is_event: false,
        };
        let module = ModuleDef { layout, tables: vec![table], reducers: Vec::new(), procedures: Vec::new() };
        let columns = (1..=types.len() as u16).rev().collect();
        Table { layout_types: types.to_vec(), module: Arc::new(module), columns }
    }

    fn row(&self, values: &[Value]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.str("x").unwrap();
        values.iter().zip(&self.layout_types).rev().for_each(|(value, ty)| value.write(ty, &mut writer));
        writer.0
    }

    fn batch(&self, inserts: &[Vec<Value>], deletes: &[Vec<Value>]) -> Box<Diff> {
        let mut data = Vec::new();
        let mut place = |row: &Vec<Value>| {
            let start = data.len() as u32;
            data.extend(self.row(row));
            RowRef { buffer: 0, start, end: data.len() as u32 }
        };
        let inserts = inserts.iter().map(&mut place).collect();
        let deletes = deletes.iter().map(&mut place).collect();
        let tables = vec![TableDiff { inserts, deletes, ..TableDiff::default() }];
        Box::new(Diff { buffers: vec![data.into()], sets: vec![1], tables })
    }

    fn end(&self, (key, columns, included): &(Vec<Value>, usize, bool)) -> End {
        let product = self.module.layout.product(TypeId(0)).unwrap();
        let mut bytes = Vec::new();
        for (index, value) in key[..*columns].iter().enumerate() {
            let mut writer = Writer::default();
            value.write(&self.layout_types[index], &mut writer);
            let ty = product.fields[usize::from(self.columns[index])].ty;
            append_ordered(&self.module.layout, ty, &mut Reader::new(&writer.0), &mut bytes).unwrap();
        }
        End { key: bytes, included: *included }
    }

    /// Whether whole keys are found without the tree.
    fn has_keys(&self) -> bool {
        let product = self.module.layout.product(TypeId(0)).unwrap();
        self.columns.iter().all(|column| KeyIndex::takes(&self.module.layout, product.fields[usize::from(*column)].ty))
    }

    fn with_key(&self, cache: &ClientCache, key: &[Value]) -> Vec<Vec<u8>> {
        let mut writer = Writer::default();
        key.iter().zip(&self.layout_types).for_each(|(value, ty)| value.write(ty, &mut writer));
        let table = cache.table(0);
        let ids = table.with_key(&self.module.layout, &self.columns, &writer.0);
        ids.iter().map(|id| table.rows().bytes(*id).to_vec()).collect()
    }

    fn found(&self, cache: &mut ClientCache, span: &Span) -> Vec<Vec<u8>> {
        let index = cache.ordered(0, &self.columns);
        let ids_of = |reverse, limit| {
            let mut ids = Vec::new();
            index.select(span, reverse, limit, |id| ids.push(id));
            ids
        };
        let ids = ids_of(false, usize::MAX);
        assert!(ids.iter().rev().eq(&ids_of(true, usize::MAX)));
        assert!(ids.iter().rev().take(2).eq(&ids_of(true, 2)));
        assert!(ids.iter().take(2).eq(&ids_of(false, 2)));
        ids.into_iter().map(|id| cache.table(0).rows().bytes(id).to_vec()).collect()
    }
}

/// Where a row is seen from an end of a span: its first columns count.
fn beside(row: &[Value], (key, columns, _): &(Vec<Value>, usize, bool)) -> Ordering {
    compare_all(&row[..*columns], &key[..*columns])
}

fn is_inside(case: &Case, row: &[Value]) -> bool {
    let behind_start = case.start.as_ref().is_none_or(|start| match beside(row, start) {
        Ordering::Equal => start.2,
        order => order.is_gt(),
    });
    let before_end = case.end.as_ref().is_none_or(|end| match beside(row, end) {
        Ordering::Equal => end.2,
        order => order.is_lt(),
    });
    behind_start && before_end
}

fn run(case: &Case, built_first: bool) {
    let table = Table::new(&case.types);
    let mut cache = ClientCache::new(table.module.clone());
    if built_first {
        cache.ordered(0, &table.columns);
    }
    if built_first && table.has_keys() {
        cache.find_by_key(0, &table.columns);
    }
    cache.apply(table.batch(&case.rows, &[]));
    cache.apply(table.batch(&[], &case.rows[case.kept..]));
    // Rows of the same bytes are one; of equal keys each row counts.
    let rows: BTreeMap<Vec<u8>, &Vec<Value>> = case.rows[..case.kept].iter().map(|row| (table.row(row), row)).collect();
    let end = |end: &Option<_>| end.as_ref().map(|end| table.end(end));
    let check = |found: &[Vec<u8>], is_expected: &dyn Fn(&[Value]) -> bool| {
        let mut expected: Vec<_> = rows.iter().filter(|(_, row)| is_expected(row)).collect();
        let mut sorted = found.to_vec();
        sorted.sort();
        assert!(sorted.iter().eq(expected.iter().map(|(bytes, _)| *bytes)), "{found:?}, not {expected:?}");
        expected.sort_by(|(_, one), (_, other)| compare_all(one, other));
        let keys = found.iter().map(|bytes| rows[bytes]);
        assert!(keys.zip(&expected).all(|(one, (_, other))| compare_all(one, other).is_eq()), "not in order");
    };
    let span = Span::between(end(&case.start), end(&case.end));
    check(&table.found(&mut cache, &span), &|row| is_inside(case, row));
    check(&table.found(&mut cache, &Span::default()), &|_| true);
    if table.has_keys() {
        cache.find_by_key(0, &table.columns);
        for row in &case.rows {
            check(&table.with_key(&cache, row), &|other| compare_all(other, row).is_eq());
        }
    }
    for row in &case.rows {
        for columns in 1..=row.len() {
            let key = (row.clone(), columns, true);
            let bytes = table.end(&key).key;
            let mut ids = Vec::new();
            cache.ordered(0, &table.columns).begin_with(&bytes, |id| ids.push(id));
            let store = cache.table(0).rows();
            let found: Vec<_> = ids.into_iter().map(|id| store.bytes(id).to_vec()).collect();
            check(&found, &|row| beside(row, &key).is_eq());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_that_follows_the_table(case in cases()) {
        run(&case, true);
    }

    #[test]
    fn an_index_that_is_built_at_last(case in cases()) {
        run(&case, false);
    }
}
