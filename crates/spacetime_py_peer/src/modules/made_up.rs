//! Rows nobody wrote, for load: any schema, many values, the same ones every time.

use _core::sats::{Kind, Layout, Special, TypeId};

use crate::schema::Schema;
use crate::wire::Out;

/// Deeper than this, lists are empty and sums take their smallest variant.
const DEPTH: u32 = 3;

/// A row whose primary key says `number` (as far as its type can) and whose other columns come from `seed`.
pub fn made_up(schema: &Schema, table: usize, number: u64, seed: u64) -> Vec<u8> {
    let def = &schema.def.tables[table];
    let layout = schema.layout();
    let mut out = Out::default();
    let mut seed = seed;
    let fields = layout.product(def.row).map(|product| &product.fields[..]).unwrap_or_default();
    for (column, field) in fields.iter().enumerate() {
        match def.primary_key {
            Some(key) if usize::from(key) == column => key_value(layout, field.ty, number, &mut out),
            _ => value(layout, field.ty, &mut seed, 0, &mut out),
        }
    }
    out.0
}

/// A row of zeros, empty lists, absent options, and first variants.
pub fn zero(schema: &Schema, table: usize) -> Vec<u8> {
    let mut out = Out::default();
    zero_value(schema.layout(), schema.def.tables[table].row, &mut out);
    out.0
}

fn zero_value(layout: &Layout, ty: TypeId, out: &mut Out) {
    match layout.kind(ty) {
        Kind::String | Kind::Bytes | Kind::Array(_) => out.count(0),
        Kind::Product(product) => product.fields.iter().for_each(|field| zero_value(layout, field.ty, out)),
        Kind::Sum(sum) if sum.special == Some(Special::Option) => out.u8(1),
        Kind::Sum(sum) => {
            out.u8(0);
            sum.variants.first().into_iter().for_each(|variant| zero_value(layout, variant.ty, out));
        }
        _ => out.raw(&vec![0; layout.node(ty).min as usize]),
    }
}

/// The same number always, and different ones for different numbers.
fn key_value(layout: &Layout, ty: TypeId, number: u64, out: &mut Out) {
    match layout.kind(ty) {
        Kind::String => out.str(&format!("row-{number}")),
        Kind::Bytes => out.bytes(&number.to_le_bytes()),
        Kind::Product(product) => {
            product.fields.iter().for_each(|field| key_value(layout, field.ty, number, out));
        }
        _ => {
            let mut bytes = number.to_le_bytes().to_vec();
            bytes.resize(layout.node(ty).min as usize, 0);
            out.raw(&bytes);
        }
    }
}

fn value(layout: &Layout, ty: TypeId, seed: &mut u64, depth: u32, out: &mut Out) {
    let random = next(seed);
    match layout.kind(ty) {
        Kind::Bool => out.u8(random as u8 & 1),
        Kind::F32 => out.f32(random as u32 as f32 / 1e6),
        Kind::F64 => out.raw(&(random as f64 / 1e9).to_le_bytes()),
        Kind::String => out.str(&format!("text {random:016x}")),
        Kind::Bytes => out.bytes(&random.to_le_bytes()),
        Kind::Array(element) => {
            let count = if depth < DEPTH { random as usize % 4 } else { 0 };
            out.count(count);
            (0..count).for_each(|_| value(layout, *element, seed, depth + 1, out));
        }
        Kind::Product(product) => {
            product.fields.iter().for_each(|field| value(layout, field.ty, seed, depth + 1, out));
        }
        Kind::Sum(sum) => {
            let smallest = (0..sum.variants.len()).min_by_key(|tag| layout.node(sum.variants[*tag].ty).min);
            let any = (random as usize).checked_rem(sum.variants.len());
            let Some(tag) = (if depth < DEPTH { any } else { smallest }) else { return };
            out.u8(tag as u8);
            value(layout, sum.variants[tag].ty, seed, depth + 1, out);
        }
        _ => {
            let mut left = layout.node(ty).min as usize;
            while left > 0 {
                let bytes = next(seed).to_le_bytes();
                let count = left.min(bytes.len());
                out.raw(&bytes[..count]);
                left -= count;
            }
        }
    }
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
