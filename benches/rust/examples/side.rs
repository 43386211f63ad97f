//! The core without Python as a side of `benches/compare`: what the border and the objects cost.
//!
//! `side SCENARIO MODULE.bsatn DATA TABLE SECONDS` prints a JSON line. `decode` checks the rows of a table in a file, `subscribe`
//! applies the answer to a subscription to an empty cache.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use _core::client::ClientCache;
use _core::sats::{ModuleDef, TypeId};
use _core::wire::message::Content;
use _core::wire::protocol::Protocol;
use bytes::Bytes;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, module, data, table, seconds] = &arguments[..] else {
        return Err("usage: side SCENARIO MODULE DATA TABLE SECONDS".into());
    };
    let module = Arc::new(ModuleDef::from_bsatn(&fs::read(module)?)?);
    let bodies = read(&Bytes::from(fs::read(data)?));
    let ty = module.tables[module.table(table).ok_or("no such table")?].row;
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    match scenario.as_str() {
        "decode" => repeat(seconds, || decode(&module, &bodies, ty)),
        "subscribe" => repeat(seconds, || subscribe(&module, &bodies[0])),
        _ => Err(format!("there is no scenario {scenario}").into()),
    }
}

/// Bodies, each behind its length in 4 bytes.
fn read(data: &Bytes) -> Vec<Bytes> {
    let (mut bodies, mut at) = (Vec::new(), 0);
    while let Some(head) = data.get(at..at + 4) {
        let size = head.iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte));
        bodies.push(data.slice(at + 4..at + 4 + size));
        at += 4 + size;
    }
    bodies
}

fn decode(module: &ModuleDef, rows: &[Bytes], ty: TypeId) -> Outcome<usize> {
    for row in rows {
        module.layout.validate(ty, black_box(row)).map_err(|error| error.to_string())?;
    }
    Ok(rows.len())
}

fn subscribe(module: &Arc<ModuleDef>, body: &Bytes) -> Outcome<usize> {
    let mut cache = ClientCache::new(module.clone());
    let (message, _) = Protocol::V3.decode(black_box(body), 1 << 30, None)?;
    let Content::SubscribeApplied { rows } = message.content else { return Err("no answer to a subscription".into()) };
    let diff = cache.check(body.clone(), rows)?;
    Ok(cache.apply(diff).tables.iter().map(|diff| diff.inserts.len()).sum())
}

/// Until it is warm, and then for a while. Work is rows.
fn repeat(seconds: Duration, body: impl Fn() -> Outcome<usize>) -> Outcome<()> {
    let rows = body()?;
    let warm = Instant::now();
    while warm.elapsed() < seconds.mul_f64(0.5) {
        body()?;
    }
    let (mut work, wall, cpu) = (0, Instant::now(), cpu_seconds()?);
    while wall.elapsed() < seconds || work == 0 {
        work += body()?;
    }
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!(
        r#"{{"rates": {{"rate": {{"work": {work}, "cpu": {cpu}, "wall": {wall}}}}}, "values": {{}}, "checksum": {rows}}}"#
    );
    Ok(())
}

/// Of this process, which has one thread: nanoseconds on a processor come first there.
fn cpu_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}
