//! The cache of a table against the simplest thing that could be right: a map from rows to counts.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, HashMap};

use _core::client::diff::TableBatch;
use _core::client::table::TableCache;
use _core::client::{RowRef, TableDiff};
use _core::sats::module::TableDef;
use _core::sats::{AlgebraicType, Layout, TypeId, types::Element};
use bytes::Bytes;
use proptest::prelude::*;

/// Rows of a key, a unique column and a text: few of each, so that they meet.
type Row = (u8, u8, u8);
/// What a message inserts and deletes, as rows.
type Message = (Vec<Row>, Vec<Row>);

fn layout() -> Layout {
    let element = |name: &str, ty| Element { name: Some(name.into()), ty };
    let row = AlgebraicType::Product(vec![
        element("text", AlgebraicType::String),
        element("key", AlgebraicType::U8),
        element("code", AlgebraicType::U8),
    ]);
    Layout::compile(&[row], &[]).unwrap().0
}

fn bsatn((key, code, text): Row) -> Vec<u8> {
    [&u32::from(text).to_le_bytes()[..], &vec![b'x'; text.into()], &[key, code]].concat()
}

fn batch((inserts, deletes): &Message) -> (TableBatch, Vec<Bytes>) {
    let mut data = Vec::new();
    let mut place = |row: &Row| {
        let start = data.len() as u32;
        data.extend(bsatn(*row));
        RowRef { buffer: 0, start, end: data.len() as u32 }
    };
    let inserts = inserts.iter().map(&mut place).collect();
    let deletes = deletes.iter().map(&mut place).collect();
    (TableBatch { table: 0, inserts, deletes }, vec![data.into()])
}

/// Keeps only deletes of rows that are there, each counted, as a server does.
fn sensible(model: &BTreeMap<Vec<u8>, u32>, (inserts, deletes): Message) -> Message {
    let mut counts = model.clone();
    inserts.iter().for_each(|row| *counts.entry(bsatn(*row)).or_default() += 1);
    let there = |row: &Row| match counts.get_mut(&bsatn(*row)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    (
        inserts,
        deletes
            .into_iter()
            .filter({
                let mut there = there;
                move |row| there(row)
            })
            .collect(),
    )
}

fn apply(model: &mut BTreeMap<Vec<u8>, u32>, (inserts, deletes): &Message) {
    inserts.iter().for_each(|row| *model.entry(bsatn(*row)).or_default() += 1);
    for row in deletes {
        let row = bsatn(*row);
        *model.get_mut(&row).unwrap() -= 1;
        if model[&row] == 0 {
            model.remove(&row);
        }
    }
}

/// The events turn the rows of before into the rows of after, and say nothing about rows that stayed.
fn check_diff(
    diff: &TableDiff,
    buffers: &[Bytes],
    before: &BTreeMap<Vec<u8>, u32>,
    after: &BTreeMap<Vec<u8>, u32>,
    keyed: bool,
) {
    let bytes = |row: &RowRef| row.bytes(buffers).to_vec();
    let key = |row: &[u8]| row[row.len() - 2];
    let mut rows: HashMap<Vec<u8>, ()> = before.keys().map(|row| (row.clone(), ())).collect();
    for (old, new) in &diff.updates {
        assert!(keyed && key(&bytes(old)) == key(&bytes(new)) && bytes(old) != bytes(new));
        assert!(rows.remove(&bytes(old)).is_some());
    }
    for row in &diff.deletes {
        assert!(rows.remove(&bytes(row)).is_some(), "a delete of a row that was not there");
    }
    for row in diff.inserts.iter().chain(diff.updates.iter().map(|(_, new)| new)) {
        assert!(rows.insert(bytes(row), ()).is_none(), "an insert of a row that was there");
    }
    assert_eq!(rows.len(), after.len());
    assert!(after.keys().all(|row| rows.contains_key(row)));
    // Of one key, no delete and insert stay apart while both could be paired.
    if keyed {
        let deleted: Vec<u8> = diff.deletes.iter().map(|row| key(&bytes(row))).collect();
        assert!(diff.inserts.iter().all(|row| !deleted.contains(&key(&bytes(row)))));
    }
}

fn run(messages: Vec<Message>, primary_key: Option<u16>) {
    let layout = layout();
    let def = TableDef { name: "t".into(), row: TypeId(0), primary_key, unique: vec![1, 2], is_event: false };
    let mut table = TableCache::new(&def);
    let mut model = BTreeMap::new();
    for message in messages {
        let message = sensible(&model, message);
        let before = model.clone();
        apply(&mut model, &message);
        let (batch, buffers) = batch(&message);
        let diff = table.apply(&layout, &batch, &buffers);
        check_diff(&diff, &buffers, &before, &model, primary_key.is_some());
        let cached: BTreeMap<Vec<u8>, u32> = table.rows().iter().map(|(row, count)| (row.to_vec(), count)).collect();
        assert_eq!(cached, model);
        for value in 0..4u8 {
            for (column, from_end) in [(1, 2), (2, 1)] {
                let expected = model.keys().any(|row| row[row.len() - from_end] == value);
                let found = table.find(&layout, column, &[value]);
                assert_eq!(found.is_some(), expected, "column {column}, value {value}");
                assert!(found.is_none_or(|row| row[row.len() - from_end] == value));
            }
        }
        assert!(model.keys().all(|row| table.contains(&layout, row)));
        assert_eq!(table.missing_deletes, 0);
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let row = (0..4u8, 0..4u8, 0..3u8);
    let rows = || prop::collection::vec(row.clone(), 0..12);
    prop::collection::vec((rows(), rows()), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_with_a_primary_key(messages in messages()) {
        run(messages, Some(1));
    }

    #[test]
    fn a_table_without_one(messages in messages()) {
        run(messages, None);
    }
}

#[test]
fn a_delete_of_a_missing_row_is_counted_and_changes_nothing() {
    let layout = layout();
    let def = TableDef { name: "t".into(), row: TypeId(0), primary_key: Some(1), unique: vec![1], is_event: false };
    let mut table = TableCache::new(&def);
    let (rows, buffers) = batch(&(vec![(1, 1, 1)], vec![(2, 2, 2)]));
    let diff = table.apply(&layout, &rows, &buffers);
    assert_eq!((diff.inserts.len(), diff.deletes.len(), table.missing_deletes, table.rows().len()), (1, 0, 1, 1));
}
