//! SATS-JSON: arguments into BSATN, rows out of it.

use std::collections::BTreeMap;

use _core::error::DecodeError;
use _core::sats::layout::{Field, Product, Sum};
use _core::sats::{Kind, Layout, Reader, Special, TypeId};
use serde_json::value::RawValue;

use crate::numbers;
use crate::wire::Out;

/// Arguments deeper than this are refused.
const MAX_DEPTH: u32 = 64;

/// The arguments of a call, an array or an object, as BSATN of a product type.
pub fn encode(layout: &Layout, ty: TypeId, json: &str) -> Result<Vec<u8>, String> {
    let value: &RawValue = serde_json::from_str(json).map_err(|error| format!(".: {error}"))?;
    let mut encoder = Encoder { layout, out: Out::default() };
    encoder.value(ty, value, 0)?;
    Ok(encoder.out.0)
}

struct Encoder<'a> {
    layout: &'a Layout,
    out: Out,
}

fn parse<'a, T: serde::Deserialize<'a>>(value: &'a RawValue, expected: &str) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("invalid value: {}, expected {expected}", value.get()))
}

impl Encoder<'_> {
    fn value(&mut self, ty: TypeId, value: &RawValue, depth: u32) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        match self.layout.kind(ty) {
            Kind::Bool => self.out.u8(parse::<bool>(value, "bool")?.into()),
            Kind::String => self.out.str(&parse::<String>(value, "string")?),
            Kind::Bytes => self.bytes(value)?,
            Kind::Array(element) => {
                let items: Vec<&RawValue> = parse(value, "array")?;
                self.out.count(items.len());
                items.into_iter().try_for_each(|item| self.value(*element, item, depth + 1))?;
            }
            Kind::Product(product) => self.product(product, value, depth)?,
            Kind::Sum(sum) => self.sum(sum, value, depth)?,
            kind => self.number(kind, value)?,
        }
        Ok(())
    }

    fn number(&mut self, kind: &Kind, value: &RawValue) -> Result<(), String> {
        let expected = format!("{kind:?}").to_lowercase();
        let text = match kind {
            Kind::I256 | Kind::U256 => parse::<String>(value, &expected)?,
            // A number, not the text of one.
            _ if value.get().starts_with('"') => {
                return Err(format!("invalid type: string {value}, expected {expected}"));
            }
            _ => value.get().to_owned(),
        };
        let bytes = numbers::encode(&text, kind);
        self.out.raw(&bytes.ok_or_else(|| format!("invalid value: {text}, expected {expected}"))?);
        Ok(())
    }

    /// Hex, or an array of numbers.
    fn bytes(&mut self, value: &RawValue) -> Result<(), String> {
        let bytes = match value.get().starts_with('"') {
            true => numbers::from_hex(&parse::<String>(value, "hex")?).ok_or("invalid hex")?,
            false => parse(value, "bytes")?,
        };
        self.out.bytes(&bytes);
        Ok(())
    }

    fn product(&mut self, product: &Product, value: &RawValue, depth: u32) -> Result<(), String> {
        let fields = &product.fields;
        if value.get().starts_with('{') {
            let mut items: BTreeMap<String, &RawValue> = parse(value, "object")?;
            for field in fields {
                let name = field.name.as_deref().unwrap_or_default();
                let item = items.remove(name).ok_or_else(|| format!("missing field `{name}`"))?;
                self.value(field.ty, item, depth + 1)?;
            }
            return match items.keys().next() {
                Some(name) => Err(format!("unknown field `{name}`")),
                None => Ok(()),
            };
        }
        let items: Vec<&RawValue> = parse(value, "an array or an object")?;
        if items.len() != fields.len() {
            return Err(format!("invalid length {}, expected {} elements", items.len(), fields.len()));
        }
        let mut pairs = fields.iter().zip(items).enumerate();
        pairs.try_for_each(|(index, (field, item))| {
            self.value(field.ty, item, depth + 1).map_err(|error| format!("[{index}]: {error}"))
        })
    }

    fn sum(&mut self, sum: &Sum, value: &RawValue, depth: u32) -> Result<(), String> {
        if value.get() == "null" && sum.special == Some(Special::Option) {
            self.out.u8(1);
            return Ok(());
        }
        let (name, payload) = match value.get().starts_with('{') {
            true => single(parse::<BTreeMap<String, &RawValue>>(value, "sum type")?).ok_or("expected one variant")?,
            false => {
                let (tag, payload): (&RawValue, &RawValue) = parse(value, "sum type")?;
                let name = if tag.get().starts_with('"') { parse(tag, "variant")? } else { tag.get().to_owned() };
                (name, payload)
            }
        };
        let named = |variant: &Field| variant.name.as_deref() == Some(&name);
        let tag = sum.variants.iter().position(named).or_else(|| name.parse().ok());
        let variant = tag.and_then(|tag| sum.variants.get(tag).map(|variant| (tag, variant)));
        let (tag, variant) = variant.ok_or_else(|| format!("unknown variant `{name}`"))?;
        self.out.u8(tag as u8);
        self.value(variant.ty, payload, depth + 1)
    }
}

fn single<K: Ord, V>(items: BTreeMap<K, V>) -> Option<(K, V)> {
    let mut items = items.into_iter();
    items.next().filter(|_| items.next().is_none())
}

/// One value as untyped JSON: products and sums are arrays.
pub fn decode(layout: &Layout, ty: TypeId, reader: &mut Reader<'_>, json: &mut String) -> Result<(), DecodeError> {
    let node = layout.node(ty);
    match &node.kind {
        Kind::Bool => *json += if reader.bool()? { "true" } else { "false" },
        Kind::String => *json += &serde_json::Value::from(reader.str()?).to_string(),
        Kind::Bytes => *json += &format!("\"{}\"", numbers::to_hex(reader.bytes()?)),
        Kind::Array(element) => {
            let count = reader.count(layout.node(*element).min)?;
            list(json, (0..count).map(|_| *element), |ty, json| decode(layout, ty, reader, json))?;
        }
        Kind::Product(product) => {
            let types = product.fields.iter().map(|field| field.ty);
            list(json, types, |ty, json| decode(layout, ty, reader, json))?;
        }
        Kind::Sum(sum) => {
            let tag = reader.tag(sum.variants.len())?;
            *json += &format!("[{tag},");
            decode(layout, sum.variants[usize::from(tag)].ty, reader, json)?;
            json.push(']');
        }
        kind => *json += &number(kind, reader.take(node.min as usize)?),
    }
    Ok(())
}

fn list<T>(
    json: &mut String,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut String) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    json.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            json.push(',');
        }
        write(item, json)?;
    }
    json.push(']');
    Ok(())
}

fn number(kind: &Kind, bytes: &[u8]) -> String {
    let mut wide = [0; 16];
    let (_, signed) = numbers::shape(kind).unwrap_or_default();
    let is_negative = signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    match kind {
        Kind::F32 => float(f32::from_le_bytes(bytes.try_into().unwrap_or_default()), f32::is_finite),
        Kind::F64 => float(f64::from_le_bytes(bytes.try_into().unwrap_or_default()), f64::is_finite),
        Kind::I256 | Kind::U256 => format!("\"{}\"", numbers::to_wide_hex(bytes, signed)),
        _ => {
            wide.fill(if is_negative { 0xff } else { 0 });
            wide[..bytes.len()].copy_from_slice(bytes);
            if signed { i128::from_le_bytes(wide).to_string() } else { u128::from_le_bytes(wide).to_string() }
        }
    }
}

/// JSON has no infinities and no NaN.
fn float<T: std::fmt::Debug + Copy>(value: T, is_finite: impl Fn(T) -> bool) -> String {
    if is_finite(value) { format!("{value:?}") } else { "null".into() }
}
