//! Arguments of calls: are these bytes values of the parameters' types? Errors in the words of a server.

use _core::sats::{Kind, Layout, Reader, TypeId};

/// Values that nest deeper than this are refused.
const MAX_DEPTH: u32 = 200;

/// Reads one value of type `ty`. What follows it does not matter: servers ignore it too.
pub fn check(layout: &Layout, ty: TypeId, reader: &mut Reader<'_>) -> Result<(), String> {
    check_nested(layout, ty, reader, 0)
}

fn check_nested(layout: &Layout, ty: TypeId, reader: &mut Reader<'_>, depth: u32) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("the value is nested too deeply".into());
    }
    let node = layout.node(ty);
    match &node.kind {
        Kind::Product(product) => {
            product.fields.iter().try_for_each(|field| check_nested(layout, field.ty, reader, depth + 1))
        }
        Kind::Sum(sum) => {
            need(reader, 1, "u8")?;
            let tag = reader.tag(sum.variants.len()).map_err(|error| error.to_string())?;
            check_nested(layout, sum.variants[usize::from(tag)].ty, reader, depth + 1)
        }
        Kind::Array(element) => {
            need(reader, 4, "u32")?;
            let count = reader.count(layout.node(*element).min).map_err(|error| error.to_string())?;
            (0..count).try_for_each(|_| check_nested(layout, *element, reader, depth + 1))
        }
        Kind::String | Kind::Bytes => {
            need(reader, 4, "u32")?;
            let length = reader.u32().map_err(|error| error.to_string())?;
            need(reader, length as usize, "[u8]")?;
            let bytes = reader.take(length as usize).map_err(|error| error.to_string())?;
            match (&node.kind, std::str::from_utf8(bytes)) {
                (Kind::String, Err(error)) => Err(error.to_string()),
                _ => Ok(()),
            }
        }
        Kind::Bool => {
            need(reader, 1, "bool")?;
            reader.bool().map(drop).map_err(|error| error.to_string())
        }
        scalar => {
            need(reader, node.min as usize, &scalar_name(scalar).to_lowercase())?;
            reader.take(node.min as usize).map(drop).map_err(|error| error.to_string())
        }
    }
}

fn need(reader: &Reader<'_>, bytes: usize, what: &str) -> Result<(), String> {
    match reader.left() {
        left if left < bytes => Err(format!("data too short for {what}: Expected {bytes}, given {left}")),
        _ => Ok(()),
    }
}

/// The name of a type without parts, as in `U8`.
pub fn scalar_name(kind: &Kind) -> String {
    match kind {
        Kind::Bytes => "Array".into(),
        Kind::Array(_) => "Array".into(),
        Kind::Product(_) => "Product".into(),
        Kind::Sum(_) => "Sum".into(),
        scalar => format!("{scalar:?}"),
    }
}
