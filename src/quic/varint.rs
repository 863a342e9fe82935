//! Variable-length integers (RFC 9000 section 16).

use crate::cursor::{Cursor, ParseError};

/// Reads a variable-length integer: one, two, four or eight bytes, below 2^62. Any length may hold any value.
///
/// # Errors
/// [`ParseError::Incomplete`] when it is cut.
#[inline]
pub fn read_varint(cursor: &mut Cursor<'_>, structure: &'static str) -> Result<u64, ParseError> {
    let first = cursor.u8(structure)?;
    let mut value = u64::from(first & 0x3f);
    let more = (1_usize << (first >> 6)).saturating_sub(1);
    for byte in cursor.take(more, structure)? {
        value = value << 8 | u64::from(*byte);
    }
    Ok(value)
}

/// As [`read_varint`], as a length or offset in memory.
///
/// # Errors
/// [`ParseError::Incomplete`] when it is cut.
#[inline]
pub(super) fn read_length(cursor: &mut Cursor<'_>, structure: &'static str) -> Result<usize, ParseError> {
    read_varint(cursor, structure).map(|value| usize::try_from(value).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_examples_of_rfc_9000_appendix_a_1() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            let mut cursor = Cursor::new(bytes);
            assert_eq!(read_varint(&mut cursor, "test"), Ok(value));
            assert!(cursor.is_empty());
            for short in 0..bytes.len() {
                let mut cursor = Cursor::new(bytes.get(..short).unwrap_or_default());
                assert!(matches!(read_varint(&mut cursor, "test"), Err(ParseError::Incomplete { .. })));
            }
        }
    }
}
