//! The core without Python: checking rows, messages to rows, rows to the cache. Rows are as in a chat: `u64` key, 32 bytes,
//! `i64`, a text of 40 bytes.

use std::hint::black_box;

use _core::client::RowRef;
use _core::client::diff::TableDiff;
use _core::client::table::TableCache;
use _core::sats::module::TableDef;
use _core::sats::types::Element;
use _core::sats::{AlgebraicType, Layout, TypeId, Writer};
use _core::wire::protocol::Protocol;
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SIZES: [u64; 3] = [1, 1_000, 100_000];

fn layout() -> Layout {
    let element = |name: &str, ty| Element { name: Some(name.into()), ty };
    let row = AlgebraicType::Product(vec![
        element("id", AlgebraicType::U64),
        element("sender", AlgebraicType::U256),
        element("sent", AlgebraicType::I64),
        element("text", AlgebraicType::String),
    ]);
    Layout::compile(&[row], &[]).expect("a valid type").0
}

fn table() -> TableCache {
    let def = TableDef {
        name: "message".into(),
        row: TypeId(0),
        primary_key: Some(0),
        unique: vec![0],
        indexes: Vec::new(),
        is_event: false,
    };
    TableCache::new(&layout(), &def)
}

fn row(id: u64, writer: &mut Writer) {
    writer.u64(id);
    writer.u128(7);
    writer.u128(id.into());
    writer.i64(1_795_000_000_000_000);
    writer.str(&format!("message number {id:>25}")).expect("a short text");
}

/// Rows back to back, and where each is.
fn rows(ids: impl Iterator<Item = u64>) -> (Bytes, Vec<RowRef>) {
    let mut writer = Writer::default();
    let mut places = Vec::new();
    for id in ids {
        let start = writer.0.len() as u32;
        row(id, &mut writer);
        places.push(RowRef { buffer: 0, start, end: writer.0.len() as u32 });
    }
    (writer.0.into(), places)
}

/// A v1 SubscribeMultiApplied of so many rows.
fn subscribe_applied(count: u64) -> Bytes {
    let (data, places) = rows(0..count);
    let mut writer = Writer(vec![8]);
    writer.0.extend([0; 16]); // request id, duration, query id
    writer.u32(1);
    writer.u32(4096);
    writer.str("message").expect("a short text");
    writer.u64(count);
    writer.u32(1);
    writer.u8(0); // not compressed
    writer.0.extend([1, 0, 0, 0, 0, 0, 0, 0, 0]); // no deletes
    writer.u8(1);
    writer.u32(count as u32);
    places.iter().for_each(|place| writer.u64(place.start.into()));
    writer.bytes(&data).expect("less than 4 GiB");
    writer.0.into()
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    let layout = layout();
    for size in SIZES {
        group.throughput(Throughput::Elements(size));
        let (data, places) = rows(0..size);
        let buffers = [data];
        group.bench_function(BenchmarkId::new("check_rows", size), |bencher| {
            bencher.iter(|| {
                places
                    .iter()
                    .for_each(|place| layout.validate(TypeId(0), black_box(place.bytes(&buffers))).expect("valid"));
            });
        });
        let message = subscribe_applied(size);
        group.bench_function(BenchmarkId::new("v1_message", size), |bencher| {
            bencher.iter(|| Protocol::V1.decode(black_box(&message), 1 << 30, None).expect("valid"));
        });
    }
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    let layout = layout();
    for size in SIZES {
        group.throughput(Throughput::Elements(size));
        let (data, places) = rows(0..size);
        let buffers = [data];
        let inserts = TableDiff { inserts: places.clone(), ..TableDiff::default() };
        group.bench_function(BenchmarkId::new("insert", size), |bencher| {
            bencher.iter_batched_ref(
                || (table(), inserts.clone()),
                |(table, rows)| table.apply(&layout, rows, &buffers, &[1], &[]),
                BatchSize::LargeInput,
            );
        });
        let deletes = TableDiff { deletes: places, ..TableDiff::default() };
        let full = || {
            let mut table = table();
            table.apply(&layout, &mut inserts.clone(), &buffers, &[1], &[]);
            (table, deletes.clone())
        };
        group.bench_function(BenchmarkId::new("delete", size), |bencher| {
            bencher.iter_batched_ref(
                full,
                |(table, rows)| table.apply(&layout, rows, &buffers, &[1], &[]),
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(benches, decode, apply);
criterion_main!(benches);
