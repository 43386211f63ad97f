//! The cache against the simplest thing that could be right: a map from rows and query sets to counts.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use _core::client::diff::TableDiff;
use _core::client::index::Span;
use _core::client::{ClientCache, Diff, RowRef};
use _core::sats::module::TableDef;
use _core::sats::{AlgebraicType, Layout, ModuleDef, TypeId, types::Element};
use bytes::Bytes;
use proptest::prelude::*;

/// Rows of a key, a unique column and a text: few of each, so that they meet.
type Row = (u8, u8, u8);
/// A row, and the position of its query set in `SETS`.
type Delivery = (Row, usize);

/// The last number is one that the cache uses for itself.
const SETS: [u32; 4] = [0, 1, 7, u32::MAX];

#[derive(Clone, Debug)]
enum Step {
    Message {
        inserts: Vec<Delivery>,
        deletes: Vec<Delivery>,
    },
    DropSet(usize),
    DropAll,
    /// A reconnect: what the new cache got before it took the place of the old one.
    Replace(Vec<Delivery>),
}

fn module(primary_key: Option<u16>, is_event: bool) -> Arc<ModuleDef> {
    let element = |name: &str, ty| Element { name: Some(name.into()), ty };
    let row = AlgebraicType::Product(vec![
        element("text", AlgebraicType::String),
        element("key", AlgebraicType::U8),
        element("code", AlgebraicType::U8),
    ]);
    let layout = Layout::compile(&[row], &[]).unwrap().0;
    let table =
        TableDef { name: "t".into(), row: TypeId(0), primary_key, unique: vec![1, 2], indexes: Vec::new(), is_event };
    Arc::new(ModuleDef { layout, tables: vec![table], reducers: Vec::new(), procedures: Vec::new() })
}

fn bsatn((key, code, text): Row) -> Vec<u8> {
    [&u32::from(text).to_le_bytes()[..], &vec![b'x'; text.into()], &[key, code]].concat()
}

/// A message with a buffer for each query set.
fn batch(inserts: &[Delivery], deletes: &[Delivery]) -> Box<Diff> {
    let mut data = [const { Vec::new() }; SETS.len()];
    let mut place = |(row, set): &Delivery| {
        let data: &mut Vec<u8> = &mut data[*set];
        let start = data.len() as u32;
        data.extend(bsatn(*row));
        RowRef { buffer: *set as u32, start, end: data.len() as u32 }
    };
    let inserts = inserts.iter().map(&mut place).collect();
    let deletes = deletes.iter().map(&mut place).collect();
    let tables = vec![TableDiff { inserts, deletes, ..TableDiff::default() }];
    Box::new(Diff { buffers: data.into_iter().map(Bytes::from).collect(), sets: SETS.to_vec(), tables })
}

/// Counts by row and query set, and how many deletes were of rows that their set did not hold.
#[derive(Clone, Default)]
struct Model {
    counts: BTreeMap<(Vec<u8>, u32), u32>,
    missing: u64,
}

impl Model {
    fn apply(&mut self, inserts: &[Delivery], deletes: &[Delivery]) {
        for (row, set) in inserts {
            *self.counts.entry((bsatn(*row), SETS[*set])).or_default() += 1;
        }
        for (row, set) in deletes {
            match self.counts.get_mut(&(bsatn(*row), SETS[*set])) {
                Some(count) if *count > 0 => *count -= 1,
                _ => self.missing += 1,
            }
        }
        self.counts.retain(|_, count| *count > 0);
    }

    fn rows(&self) -> BTreeMap<Vec<u8>, u32> {
        let mut rows = BTreeMap::new();
        self.counts.iter().for_each(|((row, _), count)| *rows.entry(row.clone()).or_default() += count);
        rows
    }
}

/// The events turn the rows of before into the rows of after, and say nothing about rows that stayed.
fn check_diff(diff: &Diff, before: &Model, after: &Model, keyed: bool) {
    assert!(diff.tables.len() <= 1 && diff.tables.iter().all(|table| !table.is_empty()));
    let table = diff.tables.first().cloned().unwrap_or_default();
    let bytes = |row: &RowRef| row.bytes(&diff.buffers).to_vec();
    let key = |row: &[u8]| row[row.len() - 2];
    let mut rows: BTreeSet<Vec<u8>> = before.rows().into_keys().collect();
    for (old, new) in &table.updates {
        assert!(keyed && key(&bytes(old)) == key(&bytes(new)) && bytes(old) != bytes(new));
        assert!(rows.remove(&bytes(old)));
    }
    for row in &table.deletes {
        assert!(rows.remove(&bytes(row)), "a delete of a row that was not there");
        assert!(!after.rows().contains_key(&bytes(row)), "a delete of a row that stayed");
    }
    for row in table.inserts.iter().chain(table.updates.iter().map(|(_, new)| new)) {
        assert!(rows.insert(bytes(row)), "an insert of a row that was there");
        assert!(!before.rows().contains_key(&bytes(row)), "an insert of a row that was there before");
    }
    assert_eq!(rows, after.rows().into_keys().collect());
    // Of one key, no delete and insert stay apart while both could be paired.
    if keyed {
        let deleted: Vec<u8> = table.deletes.iter().map(|row| key(&bytes(row))).collect();
        assert!(table.inserts.iter().all(|row| !deleted.contains(&key(&bytes(row)))));
    }
}

type KeyOf = fn(&[u8]) -> Vec<u8>;

/// Rows are found by whole keys: of one column, of two, and of a text.
fn check_keys(module: &ModuleDef, cache: &mut ClientCache, model: &Model) {
    let keys: [(&[u16], KeyOf); 3] = [
        (&[2], |row| row[row.len() - 1..].to_vec()),
        (&[2, 1], |row| vec![row[row.len() - 1], row[row.len() - 2]]),
        (&[0], |row| row[..row.len() - 2].to_vec()),
    ];
    let all_rows: Vec<Vec<u8>> = (0..48).map(|n| bsatn((n % 4, n / 4 % 4, n / 16))).collect();
    for (columns, key_of) in keys {
        cache.find_by_key(0, columns);
        let table = cache.table(0);
        for key in all_rows.iter().map(|row| key_of(row)).collect::<BTreeSet<_>>() {
            let ids = table.with_key(&module.layout, columns, &key);
            let found: BTreeSet<Vec<u8>> = ids.iter().map(|id| table.rows().bytes(*id).to_vec()).collect();
            assert_eq!(found.len(), ids.len());
            assert_eq!(found, model.rows().into_keys().filter(|row| key_of(row) == key).collect());
        }
    }
}

fn check_table(module: &ModuleDef, cache: &mut ClientCache, model: &Model) {
    check_keys(module, cache, model);
    let mut ids = Vec::new();
    cache.ordered(0, &[2, 1]).select(&Span::default(), false, usize::MAX, |id| ids.push(id));
    let table = cache.table(0);
    let cached: BTreeMap<_, _> = table.rows().iter().map(|(row, count)| (row.to_vec(), count)).collect();
    assert_eq!(cached, model.rows());
    assert_eq!(table.rows().len(), cached.len());
    let deliveries: BTreeMap<_, _> =
        table.rows().deliveries().map(|(row, set, count)| ((row.to_vec(), set), count)).collect();
    assert_eq!(deliveries, model.counts);
    for value in 0..4u8 {
        for (column, from_end) in [(1, 2), (2, 1)] {
            let expected = cached.keys().any(|row| row[row.len() - from_end] == value);
            let found = table.find(&module.layout, column, &[value]);
            assert_eq!(found.is_some(), expected, "column {column}, value {value}");
            assert!(found.is_none_or(|row| row[row.len() - from_end] == value));
        }
    }
    assert!(cached.keys().all(|row| table.contains(&module.layout, row)));
    let order = |row: &&[u8]| (row[row.len() - 1], row[row.len() - 2]);
    let ordered: Vec<&[u8]> = ids.iter().map(|id| table.rows().bytes(*id)).collect();
    assert!(ordered.is_sorted_by_key(order));
    assert_eq!(ordered.iter().map(|row| row.to_vec()).collect::<BTreeSet<_>>(), cached.into_keys().collect());
    assert_eq!(ordered.len(), table.rows().len());
    assert_eq!(table.missing_deletes, model.missing);
}

fn take(cache: &mut ClientCache, model: &mut Model, step: &Step) -> Box<Diff> {
    match step {
        Step::Message { inserts, deletes } => {
            model.apply(inserts, deletes);
            cache.apply(batch(inserts, deletes))
        }
        Step::DropSet(set) => {
            model.counts.retain(|(_, holder), _| *holder != SETS[*set]);
            cache.drop_set(SETS[*set])
        }
        Step::DropAll => {
            model.counts.clear();
            cache.drop_all()
        }
        Step::Replace(inserts) => {
            model.counts.clear();
            model.apply(inserts, &[]);
            let mut new = cache.new_empty_like();
            new.apply(batch(inserts, &[]));
            cache.replace(new)
        }
    }
}

fn run(steps: &[Step], primary_key: Option<u16>, is_lent: bool) {
    let module = module(primary_key, false);
    let mut cache = ClientCache::new(module.clone());
    if is_lent {
        cache.lend_from(1);
    }
    let mut model = Model::default();
    for step in steps {
        let (before, version) = (model.clone(), cache.table(0).version);
        let diff = take(&mut cache, &mut model, step);
        check_diff(&diff, &before, &model, primary_key.is_some());
        check_table(&module, &mut cache, &model);
        let changed = !diff.tables.is_empty() || matches!(step, Step::Replace(_));
        assert_eq!(cache.table(0).version, version + u64::from(changed));
        assert_eq!(cache.take_warnings().is_empty(), before.missing == model.missing);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..4u8, 0..4u8, 0..3u8);
    let rows = || prop::collection::vec((row.clone(), 0..SETS.len()), 0..16);
    let step = prop_oneof![
        8 => (rows(), rows()).prop_map(|(inserts, deletes)| Step::Message { inserts, deletes }),
        2 => (0..SETS.len()).prop_map(Step::DropSet),
        1 => Just(Step::DropAll),
        2 => rows().prop_map(Step::Replace),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_with_a_primary_key(steps in steps(), is_lent in any::<bool>()) {
        run(&steps, Some(1), is_lent);
    }

    #[test]
    fn a_table_without_one(steps in steps(), is_lent in any::<bool>()) {
        run(&steps, None, is_lent);
    }
}

#[test]
fn a_delete_for_a_set_that_does_not_hold_the_row_changes_nothing_and_is_told_once() {
    let mut cache = ClientCache::new(module(Some(1), false));
    let (one, other) = ((1, 1, 1), (2, 2, 2));
    let diff = cache.apply(batch(&[(one, 1)], &[(one, 2), (other, 1), (other, 1)]));
    assert_eq!((diff.tables[0].inserts.len(), diff.tables[0].deletes.len()), (1, 0));
    assert_eq!((cache.table(0).missing_deletes, cache.table(0).rows().len()), (3, 1));
    let warnings = cache.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("3 rows of table `t`") && warnings[0].contains("goes on"), "{warnings:?}");
    assert!(cache.take_warnings().is_empty());
}

#[test]
fn rows_of_an_event_table_are_told_and_not_kept() {
    let mut cache = ClientCache::new(module(Some(1), false));
    let mut events = batch(&[((1, 1, 1), 1), ((1, 1, 1), 1)], &[((2, 2, 2), 1)]);
    events.tables[0].is_event = true;
    let diff = cache.apply(events);
    assert!(diff.tables[0].is_event);
    assert_eq!((diff.tables[0].inserts.len(), diff.tables[0].deletes.len()), (2, 0));
    assert_eq!((cache.table(0).rows().len(), cache.table(0).version), (0, 0));
    assert!(cache.take_warnings().is_empty());
}

/// Of an id and a text.
fn large_cache() -> ClientCache {
    let row = AlgebraicType::Product(vec![
        Element { name: Some("id".into()), ty: AlgebraicType::U32 },
        Element { name: Some("text".into()), ty: AlgebraicType::String },
    ]);
    let layout = Layout::compile(&[row], &[]).unwrap().0;
    let table = TableDef {
        name: "t".into(),
        row: TypeId(0),
        primary_key: Some(0),
        unique: vec![0],
        indexes: Vec::new(),
        is_event: false,
    };
    let module = ModuleDef { layout, tables: vec![table], reducers: Vec::new(), procedures: Vec::new() };
    ClientCache::new(Arc::new(module))
}

/// Of 100 bytes.
fn large_row(id: u32) -> Vec<u8> {
    [&id.to_le_bytes()[..], &92u32.to_le_bytes(), &[b'x'; 92]].concat()
}

/// A message of rows that follow each other, and where each is.
fn large_rows(ids: Range<u32>) -> (Bytes, Vec<RowRef>) {
    let data = ids.clone().flat_map(large_row).collect::<Vec<u8>>();
    let place = |row: u32| RowRef { buffer: 0, start: row * 100, end: row * 100 + 100 };
    (data.into(), (0..ids.len() as u32).map(place).collect())
}

/// A message of these rows for a query set; gives its bytes.
fn bring(cache: &mut ClientCache, ids: Range<u32>, set: u32) -> Bytes {
    let (data, inserts) = large_rows(ids);
    let tables = vec![TableDiff { inserts, ..TableDiff::default() }];
    cache.apply(Box::new(Diff { buffers: vec![data.clone()], sets: vec![set], tables }));
    data
}

#[test]
fn a_cached_row_costs_little_more_than_its_bytes() {
    let mut cache = large_cache();
    bring(&mut cache, 0..100_000, 1);
    let memory = cache.table(0).memory() / 100_000;
    assert!(memory <= 180, "{memory} bytes for each row of 100 bytes");
}

#[test]
fn a_large_message_is_given_back_when_less_than_half_of_it_is_left() {
    let mut cache = large_cache();
    let data = bring(&mut cache, 0..60_000, 1);
    let full = cache.table(0).memory();
    let mut given_back = None;
    for gone in (0..60_000).step_by(1000) {
        assert_eq!(given_back.is_some(), data.is_unique());
        let (buffer, deletes) = large_rows(gone..gone + 1000);
        let tables = vec![TableDiff { deletes, ..TableDiff::default() }];
        cache.apply(Box::new(Diff { buffers: vec![buffer], sets: vec![1], tables }));
        if data.is_unique() && given_back.is_none() {
            given_back = Some(gone + 1000);
        }
        let left: BTreeSet<Vec<u8>> = cache.table(0).rows().iter().map(|(row, _)| row.to_vec()).collect();
        assert!(
            left.len() == 59_000 - gone as usize
                && left.into_iter().eq((gone + 1000..60_000).map(large_row).collect::<BTreeSet<_>>())
        );
        let memory = cache.table(0).memory();
        assert!(memory <= full / 8 * 9, "{memory} of {full} bytes after {gone} rows");
    }
    // Of three pieces of 2 MB the second is left when a quarter of it has gone, and the third with it.
    assert_eq!(given_back, Some(27_000));
    assert_eq!(cache.take_warnings(), [""; 0]);
}

#[test]
fn a_large_message_that_brings_little_is_not_kept() {
    let mut cache = large_cache();
    for (ids, is_kept) in [(0..20_000, true), (8_000..24_000, false), (30_000..50_000, true)] {
        let data = bring(&mut cache, ids, 2);
        assert_eq!(data.is_unique(), !is_kept);
    }
    let rows: BTreeSet<Vec<u8>> = cache.table(0).rows().iter().map(|(row, _)| row.to_vec()).collect();
    assert!(rows.into_iter().eq((0..24_000).chain(30_000..50_000).map(large_row).collect::<BTreeSet<_>>()));
}

#[test]
fn a_large_message_is_given_back_with_the_last_of_its_rows() {
    let mut cache = large_cache();
    let data = bring(&mut cache, 0..20_000, 1);
    cache.drop_set(1);
    assert!(data.is_unique());
    assert_eq!(cache.table(0).memory(), 0);
}
