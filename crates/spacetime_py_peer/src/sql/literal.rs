//! Literals of SQL as BSATN of the column they are compared with.

use _core::sats::{Kind, Layout, Special, TypeId};

use super::parser::Literal;
use crate::check::scalar_name;
use crate::numbers;

/// The literal as a value of type `ty`.
pub fn encode(literal: &Literal, layout: &Layout, ty: TypeId, sender: &[u8; 32]) -> Result<Vec<u8>, String> {
    let kind = layout.kind(ty);
    let special = layout.product(ty).and_then(|product| product.special);
    let found = match literal {
        Literal::Sender => (special == Some(Special::Identity)).then(|| sender.to_vec()),
        Literal::Bool(value) => matches!(kind, Kind::Bool).then(|| vec![u8::from(*value)]),
        Literal::Text(text) => encode_text(text, kind, special),
        Literal::Number(number) => encode_number(number, kind, special),
    };
    found.ok_or_else(|| {
        let text = match literal {
            Literal::Text(text) | Literal::Number(text) => text.clone(),
            Literal::Bool(value) => value.to_string(),
            Literal::Sender => ":sender".into(),
        };
        format!("The literal expression `{text}` cannot be parsed as type `{}`", scalar_name(kind))
    })
}

fn encode_text(text: &str, kind: &Kind, special: Option<Special>) -> Option<Vec<u8>> {
    match (kind, special) {
        (Kind::String, _) => Some([&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()),
        (_, Some(Special::Identity | Special::ConnectionId)) => encode_number(text, kind, special),
        _ => None,
    }
}

fn encode_number(number: &str, kind: &Kind, special: Option<Special>) -> Option<Vec<u8>> {
    match special {
        Some(Special::Identity) => reversed_hex(number, 32),
        Some(Special::ConnectionId | Special::Uuid) => reversed_hex(number, 16),
        Some(Special::Timestamp | Special::TimeDuration) => numbers::encode(number, &Kind::I64),
        None => match kind {
            Kind::Bytes => {
                let bytes = numbers::from_hex(number.strip_prefix("0x")?)?;
                Some([&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat())
            }
            kind => numbers::encode(number, kind),
        },
        Some(_) => None,
    }
}

/// Hex with the most significant digits first, as identities are written.
fn reversed_hex(text: &str, size: usize) -> Option<Vec<u8>> {
    let mut bytes = numbers::from_hex(text.strip_prefix("0x").unwrap_or(text))?;
    bytes.reverse();
    (bytes.len() == size).then_some(bytes)
}
