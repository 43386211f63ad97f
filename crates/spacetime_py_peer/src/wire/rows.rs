//! Lists of rows as messages carry them.

use super::Out;

/// A list without rows.
pub const EMPTY: [u8; 9] = [1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Rows back to back behind a hint of their sizes, as 2.8.3 chooses it: one size where all rows happen to have the same,
/// else the places where they start.
pub fn encode<'a>(rows: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let mut out = Out::default();
    let total: usize = rows.clone().map(<[u8]>::len).sum();
    match common_size(rows.clone()) {
        Some(size) => {
            out.0.reserve(total + 7);
            out.u8(0);
            out.u16(size);
        }
        None => {
            out.u8(1);
            out.count(rows.clone().count());
            let mut start = 0;
            for row in rows.clone() {
                out.u64(start);
                start += row.len() as u64;
            }
            out.0.reserve(total + 4);
        }
    }
    out.count(total);
    rows.for_each(|row| out.raw(row));
    out.0
}

fn common_size<'a>(mut rows: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    let size = rows.next()?.len();
    let fits = size > 0 && rows.all(|row| row.len() == size);
    u16::try_from(size).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[&[u8]]) -> Vec<u8> {
        encode(rows.iter().copied())
    }

    #[test]
    fn one_size_is_said_once() {
        assert_eq!(list(&[&[1, 2], &[3, 4]]), [0, 2, 0, 4, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn sizes_that_differ_are_offsets() {
        let offsets = [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3];
        assert_eq!(list(&[&[1], &[2, 3]]), offsets);
        assert_eq!(list(&[]), EMPTY);
        assert_eq!(list(&[&[], &[]])[..5], [1, 2, 0, 0, 0], "rows without bytes are counted");
        assert_eq!(list(&[&vec![0; 65536]])[0], 1);
    }
}
