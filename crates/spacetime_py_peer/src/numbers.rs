//! Numbers between text and BSATN, up to 256 bits.

use _core::sats::Kind;

/// A number in decimal, or in hex with `0x`, as BSATN of this kind; None if it is none or does not fit.
pub fn encode(text: &str, kind: &Kind) -> Option<Vec<u8>> {
    match kind {
        Kind::F32 => text.parse::<f32>().ok().map(|number| number.to_le_bytes().to_vec()),
        Kind::F64 => text.parse::<f64>().ok().map(|number| number.to_le_bytes().to_vec()),
        _ => {
            let (size, signed) = shape(kind)?;
            let (negative, digits) = match text.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, text.strip_prefix('+').unwrap_or(text)),
            };
            let mut number = magnitude(digits)?;
            if negative {
                negate(&mut number);
            }
            fits(&number, size, signed, negative).then(|| number[..size].to_vec())
        }
    }
}

/// (size in bytes, signed) of an integer type.
pub fn shape(kind: &Kind) -> Option<(usize, bool)> {
    Some(match kind {
        Kind::U8 => (1, false),
        Kind::I8 => (1, true),
        Kind::U16 => (2, false),
        Kind::I16 => (2, true),
        Kind::U32 => (4, false),
        Kind::I32 => (4, true),
        Kind::U64 => (8, false),
        Kind::I64 => (8, true),
        Kind::U128 => (16, false),
        Kind::I128 => (16, true),
        Kind::U256 => (32, false),
        Kind::I256 => (32, true),
        _ => return None,
    })
}

/// Two's complement of 33 bytes, so that every number of 256 bits has its sign beside it.
type Wide = [u8; 33];

fn magnitude(digits: &str) -> Option<Wide> {
    let (digits, base) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = [0; 33];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(base)?;
        for byte in &mut number[..32] {
            let sum = u32::from(*byte) * base + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

fn negate(number: &mut [u8]) {
    let mut carry = true;
    for byte in number {
        (*byte, carry) = (!*byte).overflowing_add(carry.into());
    }
}

fn fits(number: &Wide, size: usize, signed: bool, negative: bool) -> bool {
    let is_zero = number.iter().all(|byte| *byte == 0);
    let fill = if negative && !is_zero { 0xff } else { 0 };
    let sign_kept = !signed || (number[size - 1] & 0x80 != 0) == (fill != 0);
    number[size..].iter().all(|byte| *byte == fill) && sign_kept && (signed || fill == 0)
}

/// Hex as JSON has numbers of 256 bits: `0x` and as few digits as possible.
pub fn to_wide_hex(bytes: &[u8], signed: bool) -> String {
    let mut magnitude = bytes.to_vec();
    let is_negative = signed && magnitude.last().is_some_and(|byte| byte & 0x80 != 0);
    if is_negative {
        negate(&mut magnitude);
    }
    magnitude.reverse();
    let digits = to_hex(&magnitude);
    let digits = digits.trim_start_matches('0');
    format!("{}0x{}", if is_negative { "-" } else { "" }, if digits.is_empty() { "0" } else { digits })
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    (is_hex && digits.len() % 2 == 0).then(|| digits.chunks(2).map_while(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_all_sizes() {
        assert_eq!(encode("255", &Kind::U8), Some(vec![255]));
        assert_eq!(encode("256", &Kind::U8), None);
        assert_eq!(encode("-128", &Kind::I8), Some(vec![128]));
        assert_eq!(encode("-129", &Kind::I8), None);
        assert_eq!(encode("128", &Kind::I8), None);
        assert_eq!(encode("-1", &Kind::U8), None);
        assert_eq!(encode("-0", &Kind::U8), Some(vec![0]));
        assert_eq!(encode("-1", &Kind::I256), Some(vec![255; 32]));
        assert_eq!(encode(&format!("0x{}", "f".repeat(64)), &Kind::U256), Some(vec![255; 32]));
        assert_eq!(encode(&format!("0x1{}", "0".repeat(64)), &Kind::U256), None);
        assert_eq!(encode(&u128::MAX.to_string(), &Kind::U128), Some(vec![255; 16]));
        assert_eq!(encode("", &Kind::U8), None);
        assert_eq!(encode("1.5", &Kind::U8), None);
        assert_eq!(encode("-1.5", &Kind::F32), Some((-1.5f32).to_le_bytes().to_vec()));
    }

    #[test]
    fn wide_hex() {
        assert_eq!(to_wide_hex(&[0; 32], false), "0x0");
        assert_eq!(to_wide_hex(&[255; 32], true), "-0x1");
        assert_eq!(to_wide_hex(&[0x0f, 1], false), "0x10f");
        assert_eq!(from_hex("00fF"), Some(vec![0, 255]));
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("é0"), None);
    }
}
