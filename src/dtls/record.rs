//! Record headers (RFC 6347 section 4.1, RFC 9147 section 4).

use crate::cursor::{Cursor, ParseError};
use crate::tls::codepoints::ProtocolVersion;
use crate::tls::record::{MAX_RECORD_LENGTH, content_type};

/// One record of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// With the header of DTLS 1.0 to 1.2, which in epoch 0 and for all of DTLS 1.3's plaintext stays in use.
    Plain(PlainRecord<'a>),
    /// With the header of DTLS 1.3's encrypted records.
    Unified(UnifiedRecord),
}

/// A record with a header of 13 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRecord<'a> {
    /// One of [`content_type`].
    pub content_type: u8,
    /// The record layer's version. Says nothing of the version negotiated.
    pub version: ProtocolVersion,
    /// 0 as long as nothing is encrypted.
    pub epoch: u16,
    /// The sequence number, 48 bits.
    pub sequence: u64,
    /// The body, as far as captured.
    pub body: &'a [u8],
    /// Bytes of the body that were not captured.
    pub cut: usize,
}

/// An encrypted record of DTLS 1.3 (RFC 9147 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnifiedRecord {
    /// The low two bits of the epoch: 1 early data, 2 the handshake, 3 and then 0, 1, … what follows it.
    pub epoch: u8,
    /// Bytes of the encrypted body; up to the end of the datagram where the header does not say.
    pub length: usize,
}

/// Whether a record may carry this version.
#[must_use]
#[inline]
pub const fn is_version(version: [u8; 2]) -> bool {
    matches!(version, [0xfe, 0xff | 0xfd | 0xfc] | [0x01, 0x00])
}

/// Reads the first record of `datagram` and yields what follows it.
///
/// `cut` is how many bytes of the datagram were not captured. `connection_id` is the length in bytes of the connection
/// id that the sender's encrypted records carry (RFC 9146), where one was negotiated.
///
/// # Errors
/// [`ParseError`] when the bytes are no record, or end inside its header.
pub fn first_record(
    datagram: &[u8],
    cut: usize,
    connection_id: Option<usize>,
) -> Result<(Record<'_>, &[u8]), ParseError> {
    let mut cursor = Cursor::new(datagram);
    let first = cursor.u8(STRUCTURE)?;
    if first & 0xe0 == 0x20 {
        return unified(first, cursor, connection_id);
    }
    if !(content_type::CHANGE_CIPHER_SPEC..=content_type::ACK).contains(&first) {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "unknown content type" });
    }
    let version = *cursor.array::<2>(STRUCTURE)?;
    if !is_version(version) {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "not a version of DTLS" });
    }
    let epoch = cursor.u16(STRUCTURE)?;
    let [a, b, c, d, e, f] = *cursor.array::<6>(STRUCTURE)?;
    if first == content_type::TLS12_CID {
        cursor.take(connection_id.unwrap_or_default(), STRUCTURE)?;
    }
    let length = if first == content_type::TLS12_CID && connection_id.is_none() {
        // Where the length stands depends on an id that is not known: the record ends with the datagram.
        cursor.remaining()
    } else {
        cursor.u16(STRUCTURE)?.into()
    };
    let missing = length.saturating_sub(cursor.remaining());
    if length > MAX_RECORD_LENGTH.into() || missing > cut {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "longer than the datagram" });
    }
    let body = cursor.take(length.saturating_sub(missing), STRUCTURE)?;
    let record = PlainRecord {
        content_type: first,
        version: ProtocolVersion(u16::from_be_bytes(version)),
        epoch,
        sequence: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
        body,
        cut: missing,
    };
    Ok((Record::Plain(record), cursor.rest()))
}

const STRUCTURE: &str = "DTLS record header";

fn unified<'a>(
    first: u8,
    mut cursor: Cursor<'a>,
    connection_id: Option<usize>,
) -> Result<(Record<'a>, &'a [u8]), ParseError> {
    let epoch = first & 0x03;
    if first & 0x10 != 0 {
        let Some(length) = connection_id else {
            return Ok((Record::Unified(UnifiedRecord { epoch, length: cursor.remaining() }), &[]));
        };
        cursor.take(length, STRUCTURE)?;
    }
    cursor.take(if first & 0x08 != 0 { 2 } else { 1 }, STRUCTURE)?;
    if first & 0x04 == 0 {
        return Ok((Record::Unified(UnifiedRecord { epoch, length: cursor.remaining() }), &[]));
    }
    let length = usize::from(cursor.u16(STRUCTURE)?);
    // What a snap length cut is of no interest here: the body is encrypted.
    cursor.take(length.min(cursor.remaining()), STRUCTURE)?;
    Ok((Record::Unified(UnifiedRecord { epoch, length }), cursor.rest()))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn walks_records_of_both_forms() {
        let datagram = [
            &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 2, 0, 2, 9, 9][..],
            &[0x2e, 0, 1, 0, 3, 7, 7, 7],
            &[0x23, 5, 1, 1, 1, 1],
        ]
        .concat();
        let (first, rest) = first_record(&datagram, 0, None).unwrap();
        let plain = PlainRecord {
            content_type: 22,
            version: ProtocolVersion::DTLS12,
            epoch: 0,
            sequence: 0x102,
            body: &[9, 9],
            cut: 0,
        };
        assert_eq!(first, Record::Plain(plain));
        let (second, rest) = first_record(rest, 0, None).unwrap();
        assert_eq!(second, Record::Unified(UnifiedRecord { epoch: 2, length: 3 }));
        let (third, rest) = first_record(rest, 0, None).unwrap();
        assert_eq!(third, Record::Unified(UnifiedRecord { epoch: 3, length: 4 }));
        assert!(rest.is_empty());
        for length in 0..13 {
            assert!(first_record(&datagram[..length], 0, None).is_err(), "{length}");
        }
    }

    #[test]
    fn a_known_connection_id_is_passed_over() {
        let datagram = [0x3e, 8, 8, 0, 1, 0, 1, 7, 0x2f, 0, 2, 0, 1, 7];
        let (first, rest) = first_record(&datagram, 0, Some(2)).unwrap();
        assert_eq!(first, Record::Unified(UnifiedRecord { epoch: 2, length: 1 }));
        assert_eq!(rest.len(), 6);
        let (_, rest) = first_record(&datagram, 0, None).unwrap();
        assert!(rest.is_empty());
        let cid = [25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 8, 8, 0, 1, 7];
        let Record::Plain(record) = first_record(&cid, 0, Some(2)).unwrap().0 else { unreachable!() };
        assert_eq!((record.epoch, record.body), (1, &[7][..]));
    }

    #[test]
    fn rejects_what_is_longer_than_its_datagram_unless_it_was_cut() {
        let record = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2];
        assert!(matches!(first_record(&record, 0, None), Err(ParseError::Invalid { .. })));
        let Record::Plain(read) = first_record(&record, 7, None).unwrap().0 else { unreachable!() };
        assert_eq!((read.body, read.cut), (&[1, 2][..], 7));
        for changed in [[19, 0xfe, 0xff], [22, 3, 3], [0x80, 0xfe, 0xff]] {
            let record = [&changed[..], &record[3..]].concat();
            assert!(matches!(first_record(&record, 7, None), Err(ParseError::Invalid { .. })));
        }
    }
}
